//! What does a run cost that is over as soon as it has begun? Campaigns make thousands of short ones.
//!
//! A second of traffic with everything that watches it, in an engine that has run before, and what comes before the first step of
//! a whole campaign.

use criterion::{Criterion, criterion_group, criterion_main};
use routedrill_sim::campaign::Campaign;
use routedrill_sim::engine::Engine;
use router_core::Span;

mod world;

fn one_run(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one run");
    let mut scenario = world::scenario(Span::from_secs(1));
    let mut engine = Engine::new();
    group.bench_function("a second at 50 rps, 10 deployments", |bench| {
        let campaign = Campaign::of(&scenario);
        let mut seed = 0;
        bench.iter(|| {
            seed += 1;
            campaign.watched(&mut engine, seed)
        });
    });
    group.bench_function("the same without traffic", |bench| {
        let traffic = std::mem::take(&mut scenario.traffic);
        let campaign = Campaign::of(&scenario);
        bench.iter(|| campaign.watched(&mut engine, 1));
        scenario.traffic = traffic;
    });
    group.bench_function("what a campaign works out beforehand", |bench| bench.iter(|| Campaign::of(&scenario)));
    group.finish();
}

criterion_group!(benches, one_run);
criterion_main!(benches);
