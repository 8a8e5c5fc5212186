//! How many requests a second does the turmoil driver simulate, with real HTTP over simulated TCP?

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use routedrill_sim::cast::Cast;
use routedrill_sim::metrics::{Metrics, Shape};
use routedrill_sim::net::turmoil;
use router_core::Span;

mod world;

fn on_turmoil(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("turmoil");
    group.sample_size(10);
    let scenario = world::scenario(Span::from_secs(60));
    let horizon = Shape::of(&scenario).end;
    group.throughput(Throughput::Elements(60 * 50));
    group.bench_function("1 minute at 50 rps, 10 deployments, links of 10 ms", |bench| {
        bench.iter(|| {
            let mut metrics = Metrics::new(Shape::of(&scenario), 1);
            let end = turmoil::run(&scenario, &mut Cast::new(&scenario), 1, horizon, &mut metrics);
            (end.expect("a run").digest, metrics)
        });
    });
    group.finish();
}

criterion_group!(benches, on_turmoil);
criterion_main!(benches);
