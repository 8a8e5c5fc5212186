//! How many requests a second does the engine simulate, end to end? With the real router, metrics and digest on; what the laws
//! and the promises cost beside them is a question of `watchers`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use routedrill_sim::cast::Cast;
use routedrill_sim::engine::Engine;
use routedrill_sim::metrics::{Metrics, Shape};
use router_core::Span;

mod world;

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(10);
    for minutes in [1, 20] {
        let scenario = world::scenario(Span::from_secs(60 * minutes));
        let horizon = Shape::of(&scenario).end;
        let mut engine = Engine::new();
        group.throughput(Throughput::Elements(60 * minutes * 50));
        group.bench_function(format!("{minutes} minutes at 50 rps, 10 deployments"), |bench| {
            bench.iter(|| {
                let mut metrics = Metrics::new(Shape::of(&scenario), 1);
                let end = engine.run(&mut Cast::new(&scenario), 1, horizon, &mut metrics);
                (end.digest, metrics)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
