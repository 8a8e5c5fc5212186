//! Scenarios drawn at random: the same from the same seed, whole in their own file, and the same on every driver.

use std::path::Path;

use rayon::prelude::*;
use routedrill_sim::cast::Cast;
use routedrill_sim::engine;
use routedrill_sim::metrics::Shape;
use routedrill_sim::net::turmoil;
use routedrill_sim::scenario::{self, Scenario};
use routedrill_sim::source::Source;
use routedrill_sim::step::RunEnd;
use routedrill_sim::swarm::{self, Feature, Given};

fn run(scenario: &Scenario) -> RunEnd {
    engine::run(&mut Cast::new(scenario), scenario.seed, Shape::of(scenario).end, &mut ())
}

fn given() -> Given {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/litellm/production.yaml");
    let source = Source::read(&path, 1 << 20).unwrap_or_else(|problem| panic!("{problem}"));
    Given::read(&source).unwrap_or_else(|problems| panic!("{problems}"))
}

fn drawn(seed: u64, given: Option<&Given>) -> Scenario {
    let drawn = swarm::draw(seed, given).unwrap_or_else(|problems| panic!("seed {seed}: {problems}"));
    drawn.read().unwrap_or_else(|problems| panic!("seed {seed}: {problems}\n{}", drawn.text))
}

/// Scenarios of two kinds: over configs out of nothing, and over a config that is given.
fn of_all(seeds: std::ops::Range<u64>, check: impl Fn(u64, &Scenario) + Sync) {
    let given = given();
    seeds.into_par_iter().for_each(|seed| {
        check(seed, &drawn(seed, None));
        check(seed, &drawn(seed, Some(&given)));
    });
}

#[test]
fn a_seed_draws_one_scenario() {
    let given = given();
    for seed in 0..40 {
        for given in [None, Some(&given)] {
            let texts = [(); 2].map(|()| swarm::draw(seed, given).unwrap_or_else(|problems| panic!("{problems}")).text);
            assert_eq!(texts[0], texts[1]);
        }
    }
}

#[test]
fn what_is_written_down_again_is_the_same_run() {
    of_all(0..60, |seed, scenario| {
        let text = scenario::standing_alone(scenario).unwrap_or_else(|problems| panic!("seed {seed}: {problems}"));
        let again = scenario::read(&Source::new("again", text.as_str()), Path::new("/nowhere"));
        let again = again.unwrap_or_else(|problems| panic!("seed {seed}: {problems}\n{text}")).scenario;
        assert_eq!(run(&again), run(scenario), "seed {seed}\n{text}");
    });
}

#[test]
fn engine_and_turmoil_take_the_same_steps() {
    // turmoil walks through every millisecond of a run, so these are the short ones.
    let short = (0..120).map(|seed| (seed, drawn(seed, None)));
    let short: Vec<_> =
        short.filter(|(_, scenario)| (scenario.duration + scenario.drain).as_secs_f64() < 60.0).take(12).collect();
    assert_eq!(short.len(), 12);
    short.par_iter().for_each(|(seed, scenario)| {
        let horizon = Shape::of(scenario).end;
        let wire = turmoil::run(scenario, &mut Cast::new(scenario), scenario.seed, horizon, &mut ());
        let wire = wire.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(wire, run(scenario), "seed {seed}");
    });
}

#[test]
fn calm_scenarios_come_and_promise_that_nothing_is_lost() {
    let calm = (0..400).filter(|seed| {
        let drawn = swarm::draw(*seed, None).unwrap_or_else(|problems| panic!("{problems}"));
        drawn.features.has(Feature::Calm)
    });
    let promised: Vec<Option<f64>> = calm.map(|seed| drawn(seed, None).expect.availability).collect();
    assert!(promised.len() > 5 && promised.iter().all(|share| *share == Some(1.0)), "{promised:?}");
}
