//! One scenario under one of many seeds, with everything that watches it.

use crate::actor::Watcher;
use crate::cast::{Cast, Casting};
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

/// A scenario that runs under many seeds, with what those runs have in common worked out once.
#[derive(Clone, Debug)]
pub struct Campaign<'a> {
    scenario: &'a Scenario,
    casting: Casting,
    shape: Shape,
    laws: Laws,
}

impl<'a> Campaign<'a> {
    /// A campaign of a scenario.
    pub fn of(scenario: &'a Scenario) -> Self {
        let laws = Laws::new(scenario.plan.clone());
        Self { scenario, casting: Casting::new(scenario), shape: Shape::of(scenario), laws }
    }

    /// Runs the scenario under a seed on the event engine, with the laws on.
    pub fn watched(&self, engine: &mut Engine, seed: u64) -> Watched {
        self.watch(engine, seed, self.casting.cast(), &mut ())
    }

    fn watch(&self, engine: &mut Engine, seed: u64, mut cast: Cast, further: &mut impl Watcher) -> Watched {
        let horizon = self.shape.end;
        let metrics = Metrics::new(self.shape.clone(), seed).with_promises(self.scenario);
        let mut watchers = ((metrics, self.laws.again()), further);
        let end = engine.run(&mut cast, seed, horizon, &mut watchers);
        let ((mut metrics, mut laws), _) = watchers;
        metrics.finish();
        laws.finish(horizon, cast.router());
        let (breaches, defects) = laws.into_parts();
        Watched { seed, end, metrics, breaches, defects }
    }
}

/// Runs a scenario under a seed on the event engine, with the laws on.
pub fn watched(scenario: &Scenario, seed: u64) -> Watched {
    Campaign::of(scenario).watched(&mut Engine::new(), seed)
}

/// The same run with a router that explains itself, and somebody else who watches.
pub fn watched_with(scenario: &Scenario, seed: u64, further: &mut impl Watcher) -> Watched {
    let campaign = Campaign::of(scenario);
    let mut cast = campaign.casting.cast();
    cast.explain();
    campaign.watch(&mut Engine::new(), seed, cast, further)
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
