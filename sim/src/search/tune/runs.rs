//! Running points: every scenario under every seed that is asked for, what is known already looked up.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use router_core::WhatIf;

use super::corpus::Corpus;
use super::measure::{Indicator, Outcome};
use super::space::{Point, Space};
use crate::cast::Cast;
use crate::engine::Engine;
use crate::metrics::{Metrics, Shape};
use crate::problem::{Problem, Problems};
use crate::scenario::Scenario;
use crate::scenario::what_if::words;
use crate::search::store::{Key, KeyMaker, Store};
use crate::step::Ending;

/// Why a search could not go on.
#[derive(Debug)]
pub enum Stop {
    /// A scenario makes no sense with these settings.
    Input(Problems),
    /// Results could not be kept.
    Store(Problem),
    /// A run did not come to its end, which is a bug.
    CutShort(String),
    /// So many runs are in none of the stores.
    Missing(u64),
}

/// Whose decisions a run shows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Router {
    /// LiteLLM's.
    LiteLlm,
    /// LiteLLM's with policies that it does not have.
    Supposing(WhatIf),
    /// One that knows the faults in advance: see [`Clairvoyant`](crate::actors::clairvoyant::Clairvoyant).
    Clairvoyant,
}

/// So many seeds are run together: their scenario is read once.
const SEEDS_TOGETHER: usize = 8;

/// Runs points, and knows what came of those that ran.
pub struct Runner<'a> {
    corpus: &'a Corpus,
    space: &'a Space,
    store: &'a Store,
    /// What results are kept under besides their own input.
    base: KeyMaker,
    measures: Vec<Indicator>,
    /// Those that some of them are about, each once.
    names: Vec<String>,
    /// Nothing is run: what is in no store is missing.
    stored_only: bool,
    scores: BTreeMap<(Point, bool, u64), Vec<f64>>,
    cases: BTreeMap<(Point, usize, bool), Outcome>,
    /// What the final judgement saw under each seed, of all scenarios that are held out, or of the others.
    judged: BTreeMap<(Point, bool, u64), Outcome>,
    struck: Vec<u64>,
    requests: u64,
    runs: u64,
    done: &'a (dyn Fn(u64) + Sync),
}

/// What came of a point under some seeds.
struct Ran {
    scores: Vec<(u64, Vec<f64>)>,
    /// By seed.
    outcomes: Vec<Outcome>,
    cases: Vec<(usize, Outcome)>,
    missing: u64,
}

impl Router {
    /// What sets its results apart from LiteLLM's under the same settings.
    fn part_of_key(self) -> Option<String> {
        match self {
            Self::LiteLlm => None,
            Self::Supposing(what_if) => Some(format!("what if {}", words(&what_if))),
            Self::Clairvoyant => Some("clairvoyant".to_owned()),
        }
    }

    /// The scenario with the policies that it supposes.
    fn supposed_in(self, mut scenario: Scenario) -> Scenario {
        if let Self::Supposing(what_if) = self {
            scenario.suppose(what_if);
        }
        scenario
    }
}

impl<'a> Runner<'a> {
    /// A runner that has run nothing yet. `done` is told of runs, from whichever thread ran them.
    pub fn new(
        corpus: &'a Corpus,
        space: &'a Space,
        store: &'a Store,
        measures: &[Indicator],
        stored_only: bool,
        done: &'a (dyn Fn(u64) + Sync),
    ) -> Self {
        let names: BTreeSet<String> = measures.iter().filter_map(|one| one.of.clone()).collect();
        let names: Vec<String> = names.into_iter().collect();
        let base = KeyMaker::default().with(corpus.config.text().as_bytes());
        Self {
            base: names.iter().fold(base, |base, name| base.with(name.as_bytes())),
            names,
            corpus,
            space,
            store,
            measures: measures.to_vec(),
            stored_only,
            scores: BTreeMap::new(),
            cases: BTreeMap::new(),
            judged: BTreeMap::new(),
            struck: vec![0; corpus.cases.len()],
            requests: 0,
            runs: 0,
            done,
        }
    }

    /// Runs points on the scenarios that are held out, or on the others. `last` says that these seeds are for the
    /// final judgement, whose runs are told scenario by scenario.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn run(&mut self, points: &[Point], held_out: bool, seeds: &[u64], last: bool) -> Result<(), Stop> {
        let work: Vec<(Point, Vec<u64>)> = points.iter().map(|point| (point.clone(), seeds.to_vec())).collect();
        self.run_each(&work, held_out, last)
    }

    /// The same with seeds of its own for each point.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn run_each(&mut self, each: &[(Point, Vec<u64>)], held_out: bool, last: bool) -> Result<(), Stop> {
        let mut work: Vec<(&Point, Vec<u64>)> = Vec::new();
        for (index, (point, seeds)) in each.iter().enumerate() {
            if each[..index].iter().any(|(known, _)| known == point) {
                continue;
            }
            let new = |seed: &u64| !self.scores.contains_key(&(point.clone(), held_out, *seed));
            let new: Vec<u64> = seeds.iter().copied().filter(new).collect();
            work.extend(new.chunks(SEEDS_TOGETHER).map(|seeds| (point, seeds.to_vec())));
        }
        // In the order of the work, whichever thread was first.
        let ran: Vec<Result<Ran, Stop>> =
            work.par_iter().map(|(point, seeds)| self.unit(Router::LiteLlm, point, held_out, seeds)).collect();
        let mut missing = 0;
        for ((point, _), ran) in work.iter().zip(ran) {
            let ran = ran?;
            missing += ran.missing;
            for ((seed, scores), outcome) in ran.scores.into_iter().zip(ran.outcomes) {
                self.runs += ran.cases.len() as u64;
                if last {
                    self.judged.insert(((*point).clone(), held_out, seed), outcome);
                }
                self.scores.insert(((*point).clone(), held_out, seed), scores);
            }
            for (case, outcome) in ran.cases {
                self.struck[case] |= outcome.struck;
                self.requests += outcome.all.requests;
                if last {
                    self.cases.entry(((*point).clone(), case, held_out)).or_default().absorb(&outcome);
                }
            }
        }
        if missing > 0 { Err(Stop::Missing(missing)) } else { Ok(()) }
    }

    /// Runs other routers than LiteLLM's under the config as it is: what came of each, seed by seed.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn run_beyond(&mut self, each: &[(Router, Vec<u64>)], held_out: bool) -> Result<Vec<Vec<Outcome>>, Stop> {
        let current = self.space.current();
        let work: Vec<(usize, Router, &[u64])> = (each.iter().enumerate())
            .flat_map(|(index, (router, seeds))| seeds.chunks(SEEDS_TOGETHER).map(move |some| (index, *router, some)))
            .collect();
        // In the order of the work, whichever thread was first.
        let ran: Vec<Result<Ran, Stop>> =
            work.par_iter().map(|(_, router, seeds)| self.unit(*router, &current, held_out, seeds)).collect();
        let mut missing = 0;
        let mut outcomes = vec![Vec::new(); each.len()];
        for ((index, ..), ran) in work.iter().zip(ran) {
            let ran = ran?;
            missing += ran.missing;
            self.runs += (ran.cases.len() * ran.outcomes.len()) as u64;
            for (case, outcome) in ran.cases {
                self.struck[case] |= outcome.struck;
                self.requests += outcome.all.requests;
            }
            outcomes[*index].extend(ran.outcomes);
        }
        if missing > 0 { Err(Stop::Missing(missing)) } else { Ok(outcomes) }
    }

    /// What the final judgement saw of a point, seed by seed.
    pub fn judged(&self, point: &Point, held_out: bool, seeds: &[u64]) -> Vec<&Outcome> {
        seeds.iter().filter_map(|seed| self.judged.get(&(point.clone(), held_out, *seed))).collect()
    }

    fn unit(&self, router: Router, point: &Point, held_out: bool, seeds: &[u64]) -> Result<Ran, Stop> {
        let patches = self.space.patches(point);
        let settings = format!("{:?}", self.space.changes(point));
        let mut by_seed: Vec<Outcome> = vec![Outcome::default(); seeds.len()];
        let mut cases = Vec::new();
        let (mut length, mut missing) = (0.0_f64, 0);
        for (index, case) in self.corpus.of(held_out) {
            length = length.max(case.length);
            let base = self.base.clone().with(&case.identity).with(settings.as_bytes());
            let base = router.part_of_key().map_or(base.clone(), |part| base.with(part.as_bytes()));
            let mut scenario: Option<Scenario> = None;
            let mut sum = Outcome::default();
            for (seed, pooled) in seeds.iter().zip(&mut by_seed) {
                let key = base.clone().with(&seed.to_le_bytes()).key();
                let outcome = match self.store.get(key).and_then(Outcome::from_bytes) {
                    Some(outcome) => outcome,
                    None if self.stored_only => {
                        missing += 1;
                        continue;
                    }
                    None => {
                        if scenario.is_none() {
                            let read = case.scenario(&self.corpus.config, &patches).map_err(Stop::Input)?;
                            scenario = Some(router.supposed_in(read));
                        }
                        let scenario = scenario.as_ref().expect("it was just read");
                        self.once(&case.path, scenario, router, *seed, key)?
                    }
                };
                sum.absorb(&outcome);
                pooled.absorb(&outcome);
            }
            (self.done)(seeds.len() as u64);
            cases.push((index, sum));
        }
        let score =
            |outcome: &Outcome| self.measures.iter().map(|measure| measure.of(outcome, &self.names, length)).collect();
        let scores = seeds.iter().zip(&by_seed).map(|(seed, outcome)| (*seed, score(outcome))).collect();
        Ok(Ran { scores, outcomes: by_seed, cases, missing })
    }

    fn once(&self, path: &str, scenario: &Scenario, router: Router, seed: u64, key: Key) -> Result<Outcome, Stop> {
        let shape = Shape::of(scenario);
        let horizon = shape.end;
        let mut metrics = Metrics::new(shape, seed);
        let mut cast = match router {
            Router::LiteLlm | Router::Supposing(_) => Cast::new(scenario),
            Router::Clairvoyant => Cast::clairvoyant(scenario, seed),
        };
        let end = Engine::new().run(&mut cast, seed, horizon, &mut metrics);
        if end.ending != Ending::Finished {
            return Err(Stop::CutShort(format!("{path}, seed {seed}: {}", end.ending)));
        }
        metrics.finish();
        let outcome = Outcome::of(scenario, &metrics, &self.names);
        self.store.put(key, &outcome.to_bytes()).map_err(Stop::Store)?;
        Ok(outcome)
    }

    /// A measure of a point, seed by seed; only of seeds that it ran under.
    pub fn values(&self, point: &Point, held_out: bool, seeds: &[u64], measure: usize) -> Vec<f64> {
        let score = |seed: &u64| self.scores.get(&(point.clone(), held_out, *seed)).map(|scores| scores[measure]);
        seeds.iter().filter_map(score).collect()
    }

    /// The mean of a measure of a point over seeds.
    pub fn mean(&self, point: &Point, held_out: bool, seeds: &[u64], measure: usize) -> f64 {
        let values = self.values(point, held_out, seeds, measure);
        if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
    }

    /// What the final judgement saw of a point in a scenario.
    pub fn case(&self, point: &Point, case: usize) -> Option<&Outcome> {
        let held_out = self.corpus.cases[case].held_out;
        self.cases.get(&(point.clone(), case, held_out))
    }

    /// Faults that struck no call in any run, each as its scenario's file and its own words.
    pub fn idle_faults(&self) -> Vec<(String, String)> {
        let cases = self.corpus.cases.iter().zip(&self.struck);
        let idle = cases.flat_map(|(case, mask)| {
            let faults = case.faults.iter().take(64).enumerate();
            faults.filter(move |(bit, _)| mask >> bit & 1 == 0).map(|(_, fault)| (case.path.clone(), fault.clone()))
        });
        idle.collect()
    }

    /// How many runs there were, those that were looked up included.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// How many requests they had.
    pub fn requests(&self) -> u64 {
        self.requests
    }
}
