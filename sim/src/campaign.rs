//! One scenario under one of many seeds, with everything that watches it.

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
    let shape = Shape::of(scenario);
    let horizon = shape.end;
    let mut cast = Cast::new(scenario);
    let mut watchers = (Metrics::new(shape, seed), Laws::new(scenario.plan.clone()));
    let end = Engine::new().run(&mut cast, seed, horizon, &mut watchers);
    let (mut metrics, mut laws) = watchers;
    metrics.finish();
    laws.finish(horizon, cast.router());
    let (breaches, defects) = laws.into_parts();
    Watched { seed, end, metrics, breaches, defects }
}
