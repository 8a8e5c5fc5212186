//! What lies beyond the settings: policies that LiteLLM does not have, and a router that knows the faults in advance.
//!
//! All of them run under the seeds of the final judgement, on the scenarios that are held out, or on those tuned on where
//! none are: with the requests, faults and luck that the config as it is met.

use router_core::WhatIf;

use super::corpus::Corpus;
use super::measure::{Measure, Outcome};
use super::paired::Difference;
use super::runs::{Router, Runner, Stop};
use super::space::Point;
use crate::scenario::what_if::words;

/// What is asked for.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BeyondPlan {
    /// Policies, each to be tried by itself, and all together when there are several, unless two are the same policy with
    /// different values.
    pub what_if: Vec<WhatIf>,
    /// Also a router that knows the faults.
    pub bound: bool,
}

/// What came of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Beyond {
    /// Whether the scenarios are those held out.
    pub held_out_scenarios: bool,
    /// The config as it is comes first, the router that knows the faults last.
    pub rows: Vec<Row>,
    /// The share of requests that was lost under each seed by whoever lost the fewest, minus that of the config as it
    /// is: below zero by what was avoidable, and perhaps more was. `None`: no router that knows the faults was asked.
    pub avoidable: Option<Difference>,
}

/// One router.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Which.
    pub who: Who,
    /// By [`Beyond::MEASURES`]: the mean over seeds.
    pub means: [f64; 4],
    /// By [`Beyond::MEASURES`]: it minus the config as it is; `None` of that one itself.
    pub differences: Option<[Difference; 4]>,
}

/// Which router, under which settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// LiteLLM with the config as it is.
    Current,
    /// LiteLLM with the settings that are recommended.
    Recommended,
    /// With a policy that LiteLLM does not have, by its words.
    Supposing(String),
    /// With all of those that were asked for.
    SupposingAll(String),
    /// One that knows the faults in advance.
    Clairvoyant,
}

impl BeyondPlan {
    /// Everybody that has to run besides LiteLLM.
    pub(super) fn routers(&self) -> Vec<(Who, Router)> {
        let each = self.what_if.iter().map(|one| (Who::Supposing(words(one)), Router::Supposing(*one)));
        let mut routers: Vec<(Who, Router)> = each.collect();
        let all = self.what_if.iter().fold(WhatIf::default(), |all, one| all.or(*one));
        if self.what_if.len() > 1 && self.what_if.iter().all(|one| one.or(all) == all) {
            routers.push((Who::SupposingAll(words(&all)), Router::Supposing(all)));
        }
        routers.extend(self.bound.then_some((Who::Clairvoyant, Router::Clairvoyant)));
        routers
    }

    /// The same, each with the seeds that `of` gives it by its place.
    pub(super) fn work(&self, of: impl Fn(usize) -> Vec<u64>) -> Vec<(Router, Vec<u64>)> {
        self.routers().into_iter().enumerate().map(|(index, (_, router))| (router, of(index))).collect()
    }

    /// Whether its scenarios are those held out.
    pub(super) fn held_out(corpus: &Corpus) -> bool {
        corpus.of(true).next().is_some()
    }
}

impl Beyond {
    /// What is measured. All of it is better when it is smaller.
    pub const MEASURES: [Measure; 4] = [Measure::Lost, Measure::Latency(0.99), Measure::Amplification, Measure::Cost];

    /// Runs everybody that is asked for; nobody is: `None`. The final judgement has seen the config as it is, and
    /// `recommended`.
    ///
    /// # Errors
    /// See [`Stop`].
    pub(super) fn run(
        plan: &BeyondPlan,
        corpus: &Corpus,
        runner: &mut Runner<'_>,
        seeds: &[u64],
        (current, recommended): (&Point, &Point),
    ) -> Result<Option<Self>, Stop> {
        let routers = plan.routers();
        if routers.is_empty() {
            return Ok(None);
        }
        let held_out = BeyondPlan::held_out(corpus);
        let length = corpus.of(held_out).map(|(_, case)| case.length).fold(0.0, f64::max);
        let ran = runner.run_beyond(&plan.work(|_| seeds.to_vec()), held_out)?;
        let values = |outcomes: &[&Outcome]| {
            Self::MEASURES.map(|measure| outcomes.iter().map(|one| measure.of(&one.all, length)).collect::<Vec<f64>>())
        };
        let mut all = vec![(Who::Current, values(&runner.judged(current, held_out, seeds)))];
        if recommended != current {
            all.push((Who::Recommended, values(&runner.judged(recommended, held_out, seeds))));
        }
        let whos = routers.into_iter().map(|(who, _)| who);
        all.extend(whos.zip(&ran).map(|(who, outcomes)| (who, values(&outcomes.iter().collect::<Vec<_>>()))));

        let (_, now) = all[0].clone();
        let fewest: Vec<f64> = (0..now[0].len())
            .map(|seed| all.iter().filter_map(|(_, values)| values[0].get(seed).copied()).fold(f64::INFINITY, f64::min))
            .collect();
        let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let rows = all.into_iter().map(|(who, values)| Row {
            differences: (who != Who::Current)
                .then(|| std::array::from_fn(|one| Difference::of(&values[one], &now[one]))),
            means: std::array::from_fn(|one| mean(&values[one])),
            who,
        });
        Ok(Some(Self {
            held_out_scenarios: held_out,
            rows: rows.collect(),
            avoidable: plan.bound.then(|| Difference::of(&fewest, &now[0])),
        }))
    }

    /// The row of a router.
    pub fn row(&self, who: &Who) -> Option<&Row> {
        self.rows.iter().find(|row| row.who == *who)
    }
}
