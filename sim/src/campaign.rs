//! One scenario under one of many seeds, with everything that watches it.

use crate::actor::Watcher;
use crate::cast::Cast;
use crate::engine::Engine;
use crate::invariants::{Breaches, Defects, Laws};
use crate::metrics::{Metrics, Shape};
use crate::scenario::Scenario;
use crate::step::RunEnd;

/// What came of one run.
#[derive(Debug)]
pub struct Watched {
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub end: RunEnd,
    /// What was counted.
    pub metrics: Metrics,
    /// Which laws were broken.
    pub breaches: Breaches,
    /// What showed of the release's known defects.
    pub defects: Defects,
}

/// Runs a scenario under a seed on the event engine, with the laws on.
pub fn watched(scenario: &Scenario, seed: u64) -> Watched {
    watch(scenario, seed, Cast::new(scenario), &mut ())
}

/// The same run with a router that explains itself, and somebody else who watches.
pub fn watched_with(scenario: &Scenario, seed: u64, further: &mut impl Watcher) -> Watched {
    let mut cast = Cast::new(scenario);
    cast.explain();
    watch(scenario, seed, cast, further)
}

/// The same run with a router that knows what will happen. The laws are not its laws, so nobody judges by them.
pub fn foreseen(scenario: &Scenario, seed: u64) -> (RunEnd, Metrics) {
    let shape = Shape::of(scenario);
    let horizon = shape.end;
    let mut metrics = Metrics::new(shape, seed).with_promises(scenario);
    let end = Engine::new().run(&mut Cast::clairvoyant(scenario, seed), seed, horizon, &mut metrics);
    metrics.finish();
    (end, metrics)
}

fn watch(scenario: &Scenario, seed: u64, mut cast: Cast, further: &mut impl Watcher) -> Watched {
    let shape = Shape::of(scenario);
    let horizon = shape.end;
    let watchers = (Metrics::new(shape, seed).with_promises(scenario), Laws::new(scenario.plan.clone()));
    let mut watchers = (watchers, further);
    let end = Engine::new().run(&mut cast, seed, horizon, &mut watchers);
    let ((mut metrics, mut laws), _) = watchers;
    metrics.finish();
    laws.finish(horizon, cast.router());
    let (breaches, defects) = laws.into_parts();
    Watched { seed, end, metrics, breaches, defects }
}
