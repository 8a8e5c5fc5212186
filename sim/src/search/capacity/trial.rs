//! One load under several seeds, and what that says about the objective.

use rayon::prelude::*;

use super::case::Case;
use super::load::{Stretch, scaled};
use super::requests;
use crate::cast::Cast;
use crate::digest::Digest;
use crate::engine::Engine;
use crate::metrics::{Metrics, Phase, Shape};
use crate::scenario::Scenario;
use crate::search::interval::Interval;
use crate::search::slo::{Measured, Promise, Standing, cost};
use crate::step::{Ending, RunEnd};

/// What is run, and how it is judged.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The scenario at today's load.
    pub scenario: Scenario,
    /// Today's load, in requests per second; above zero.
    pub today: f64,
    /// How recorded traffic becomes more or less.
    pub stretch: Stretch,
    /// What is promised; one promise at least.
    pub promises: Vec<Promise>,
    /// The seeds under which each load runs; two at least.
    pub seeds: Vec<u64>,
    /// How sure a statement about a load must be, between 0 and 1.
    pub confidence: f64,
}

/// A load, judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Requests per second.
    pub load: f64,
    /// What is known about all promises together.
    pub standing: Standing,
    /// By promise: its indicator.
    pub indicators: Vec<Option<Interval>>,
    /// How many requests the runs had.
    pub requests: u64,
    /// What the answers cost.
    pub dollars_per_second: f64,
    /// The digests of the runs, in the order of the seeds.
    pub digests: Vec<Digest>,
    /// Runs that did not come to their end.
    pub cut_short: Vec<String>,
}

/// The runs of one load, added up.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Requests per second.
    pub load: f64,
    /// All runs added up.
    pub metrics: Metrics,
    /// By promise and run.
    pub measured: Vec<Vec<Measured>>,
    /// The digests of the runs, in the order of the seeds.
    pub digests: Vec<Digest>,
    /// Runs that did not come to their end.
    pub cut_short: Vec<String>,
}

/// The fewest runs that are looked at.
const RUNS_MIN: usize = 4;

impl Bench {
    /// Dollars per token, by deployment.
    pub fn prices(&self) -> Vec<(f64, f64)> {
        self.scenario.upstreams.iter().map(|upstream| upstream.price).collect()
    }

    /// The scenario at a load, with a case in it.
    pub fn at(&self, case: &Case, load: f64) -> Scenario {
        case.applied(scaled(&self.scenario, load / self.today, self.stretch))
    }

    /// Runs a load under as many seeds as it takes to be sure, at most all of them.
    ///
    /// A quarter of the seeds is looked at first, then half, then all. Each look may err, and so may each promise, so
    /// each gets its part of the doubt that is allowed.
    pub fn judge(&self, case: &Case, load: f64) -> Judged {
        let all = self.seeds.len();
        let mut looks: Vec<usize> = [all / 4, all / 2, all].into_iter().filter(|count| *count >= RUNS_MIN).collect();
        if looks.last() != Some(&all) {
            looks.push(all);
        }
        let doubt = (1.0 - self.confidence) / (looks.len() * self.promises.len()) as f64;
        let mut trial: Option<Trial> = None;
        let mut result = None;
        for upto in looks {
            let from = trial.as_ref().map_or(0, |trial| trial.digests.len());
            let more = self.trial(case, load, &self.seeds[from..upto], false);
            let sum = match trial.take() {
                Some(sum) => sum.and(more),
                None => more,
            };
            let indicators: Vec<Option<Interval>> = self.indicators(&sum, 1.0 - doubt);
            let standing = self
                .promises
                .iter()
                .zip(&indicators)
                .map(|(promise, interval)| promise.standing(*interval))
                .min()
                .unwrap_or(Standing::Open);
            result = Some((standing, indicators));
            trial = Some(sum);
            if standing != Standing::Open {
                break;
            }
        }
        let (trial, (standing, indicators)) = trial.zip(result).expect("there is one look at least");
        Judged {
            load,
            standing,
            indicators,
            requests: requests(&trial.metrics),
            dollars_per_second: self.dollars_per_second(&trial.metrics),
            digests: trial.digests,
            cut_short: trial.cut_short,
        }
    }

    /// By promise: its indicator, with so much confidence.
    pub fn indicators(&self, trial: &Trial, confidence: f64) -> Vec<Option<Interval>> {
        let pairs = self.promises.iter().zip(&trial.measured);
        pairs.map(|(promise, runs)| promise.interval(runs, confidence)).collect()
    }

    /// What the answers of some runs cost in each second of the scenario's duration.
    pub fn dollars_per_second(&self, metrics: &Metrics) -> f64 {
        let seconds = self.scenario.duration.as_secs_f64() * metrics.runs() as f64;
        cost(&metrics.over(&Phase::ALL), &self.prices()) / seconds
    }

    /// A few runs of a load in which the router says why it passes deployments over.
    pub fn explained(&self, case: &Case, load: f64) -> Trial {
        self.trial(case, load, &self.seeds[..self.seeds.len().min(RUNS_MIN)], true)
    }

    /// Runs a load under some seeds, in parallel.
    pub fn trial(&self, case: &Case, load: f64, seeds: &[u64], explain: bool) -> Trial {
        let scenario = self.at(case, load);
        let prices = self.prices();
        let runs: Vec<(Metrics, RunEnd)> = seeds.par_iter().map(|seed| run(&scenario, *seed, explain)).collect();
        let measured = (self.promises.iter())
            .map(|promise| runs.iter().map(|(metrics, _)| promise.measure(metrics, &prices)).collect())
            .collect();
        let digests = runs.iter().map(|(_, end)| end.digest).collect();
        let cut_short = (runs.iter().zip(seeds))
            .filter(|((_, end), _)| end.ending != Ending::Finished)
            .map(|((_, end), seed)| format!("{}, {load} requests per second, seed {seed}: {}", case.name, end.ending))
            .collect();
        let mut runs = runs.into_iter().map(|(metrics, _)| metrics);
        let mut sum = runs.next().unwrap_or_else(|| Metrics::new(Shape::of(&scenario), 0));
        runs.for_each(|metrics| sum.absorb(&metrics));
        Trial { load, metrics: sum, measured, digests, cut_short }
    }
}

impl Trial {
    fn and(mut self, more: Self) -> Self {
        self.metrics.absorb(&more.metrics);
        for (mine, theirs) in self.measured.iter_mut().zip(more.measured) {
            mine.extend(theirs);
        }
        self.digests.extend(more.digests);
        self.cut_short.extend(more.cut_short);
        self
    }
}

fn run(scenario: &Scenario, seed: u64, explain: bool) -> (Metrics, RunEnd) {
    let shape = Shape::of(scenario);
    let horizon = shape.end;
    let mut metrics = Metrics::new(shape, seed);
    let mut cast = Cast::new(scenario);
    if explain {
        cast.explain();
    }
    let end = Engine::new().run(&mut cast, seed, horizon, &mut metrics);
    metrics.finish();
    (metrics, end)
}
