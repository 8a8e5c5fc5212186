//! How much load holds an objective, with everything healthy and with something lost.
//!
//! A load is tried under many seeds, the same for every load, so that neighbours share their luck: the arrivals of a seed
//! are those of every other load under that seed, only closer together. What is kept or broken is said with confidence,
//! and where the runs do not tell, the answer stays an interval. Loads that are lost are lost for the whole run.

mod buy;
mod case;
mod curve;
mod first;
mod load;
mod quotas;
mod search;
mod trial;

pub use buy::{Purchase, Shopping};
pub use case::{Case, cases, chosen, pairs};
pub use curve::{Curve, CurvePoint, MinuteEffect, Overload, SLICE_SECS};
pub use first::{Gives, QuotaUse};
pub use load::{Stretch, rate, scaled};
pub use quotas::config_quotas;
pub use search::{Bracket, Limits, search};
pub use trial::{Bench, Judged, Trial};

use rayon::prelude::*;

use super::slo::Standing;
use crate::digest::Digest;
use crate::metrics::Metrics;

/// The question.
#[derive(Clone, Debug)]
pub struct Capacity {
    /// What is run, and how it is judged.
    pub bench: Bench,
    /// Healthy, and what is lost.
    pub cases: Vec<Case>,
    /// Loads that are tried, and how finely.
    pub limits: Limits,
    /// The load that is wanted, in requests per second, if one is.
    pub target: Option<f64>,
}

/// The answer for one case.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What is lost.
    pub case: Case,
    /// Between which loads the capacity lies.
    pub bracket: Bracket,
    /// Every load that was tried, from the lowest to the highest.
    pub judged: Vec<Judged>,
    /// What gives first, at the lowest load that broke the objective; empty when none did.
    pub gives: Vec<Gives>,
    /// The runs at that load, or at the highest that was tried.
    pub beyond: Trial,
    /// Dollars per second at the highest load that holds; `None` when none does.
    pub dollars_per_second: Option<f64>,
}

/// The whole answer.
#[derive(Debug)]
pub struct Outcome {
    /// By case, in order.
    pub answers: Vec<Answer>,
    /// How the healthy system and the worst case go with the load: index of the case, curve.
    pub curves: Vec<(usize, Curve)>,
    /// Which quotas to buy; `None` when no target was asked for.
    pub shopping: Option<Shopping>,
    /// All runs as one number.
    pub digest: Digest,
    /// How many runs there were.
    pub runs: u64,
    /// How many requests they had.
    pub requests: u64,
    /// Runs that did not come to their end, one sentence each.
    pub cut_short: Vec<String>,
}

impl Capacity {
    /// How many [steps](Self::run) there will be.
    pub fn steps(&self) -> u64 {
        self.cases.len() as u64 + 1 + u64::from(self.target.is_some())
    }

    /// Answers it on the threads of the current pool; their number changes nothing. `done` is called after each step.
    pub fn run(&self, done: &(dyn Fn() + Sync)) -> Outcome {
        let answers: Vec<Answer> = self
            .cases
            .par_iter()
            .map(|case| {
                let answer = self.answer(case);
                done();
                answer
            })
            .collect();
        let worst = (1..answers.len()).min_by(|a, b| {
            let (a, b) = (&answers[*a].bracket, &answers[*b].bracket);
            a.least_first(b)
        });
        let mut drawn: Vec<usize> = answers.iter().position(|answer| answer.case.is_healthy()).into_iter().collect();
        drawn.extend(worst.filter(|index| !drawn.contains(index)));
        if drawn.is_empty() && !answers.is_empty() {
            drawn.push(0);
        }
        let curves: Vec<(usize, Curve)> = drawn
            .par_iter()
            .map(|index| (*index, Curve::of(&self.bench, &answers[*index].case, &answers[*index].bracket)))
            .collect();
        done();
        let shopping = self.target.zip(answers.first()).map(|(target, first)| {
            let shopping = Shopping::to(&self.bench, &first.case, &first.bracket, &self.limits, target);
            done();
            shopping
        });
        let mut ledger = Ledger::default();
        for answer in &answers {
            answer.judged.iter().for_each(|judged| ledger.add(&judged.digests, judged.requests, &judged.cut_short));
        }
        for (_, curve) in &curves {
            curve.points.iter().for_each(|point| ledger.add(&point.digests, point.requests, &point.cut_short));
        }
        Outcome {
            answers,
            curves,
            shopping,
            digest: Digest(xxhash_rust::xxh3::xxh3_128(&ledger.digests)),
            runs: ledger.runs,
            requests: ledger.requests,
            cut_short: ledger.cut_short,
        }
    }

    fn answer(&self, case: &Case) -> Answer {
        let mut judged: Vec<Judged> = Vec::new();
        let bracket = search(self.limits, |load| {
            let one = self.bench.judge(case, load);
            let standing = one.standing;
            judged.push(one);
            standing
        });
        judged.sort_by(|a, b| a.load.total_cmp(&b.load));
        let highest = judged.last().map_or(self.limits.start, |one| one.load);
        let beyond = self.bench.explained(case, bracket.breaks.unwrap_or(highest));
        let gives = match bracket.breaks {
            Some(_) => Gives::of(&self.bench.scenario, case, &beyond.metrics),
            None => Vec::new(),
        };
        let dollars_per_second = judged
            .iter()
            .rfind(|one| Some(one.load) == bracket.holds && one.standing == Standing::Kept)
            .map(|one| one.dollars_per_second);
        Answer { case: case.clone(), bracket, judged, gives, beyond, dollars_per_second }
    }
}

impl Outcome {
    /// The answer with nothing lost, where it was asked for.
    pub fn healthy(&self) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.case.is_healthy())
    }
}

/// Adds up what was run.
#[derive(Default)]
struct Ledger {
    digests: Vec<u8>,
    runs: u64,
    requests: u64,
    cut_short: Vec<String>,
}

impl Ledger {
    fn add(&mut self, digests: &[Digest], requests: u64, cut_short: &[String]) {
        for digest in digests {
            self.digests.extend_from_slice(&digest.0.to_le_bytes());
        }
        self.runs += digests.len() as u64;
        self.requests += requests;
        self.cut_short.extend_from_slice(cut_short);
    }
}

/// All requests of a run, answered or not.
fn requests(metrics: &Metrics) -> u64 {
    metrics.asked().iter().flatten().map(|counts| counts.ends.total()).sum()
}

#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod tests;
