//! The report of scenarios under many seeds.

use routedrill_sim::campaign::Watched;
use routedrill_sim::invariants::Defects;
use routedrill_sim::metrics::{Phase, Reached};
use routedrill_sim::scenario::Scenario;
use routedrill_sim::step::Ending;
use schemars::JsonSchema;
use serde::Serialize;

use super::laws::{BrokenLawReport, DefectReport, broken_laws, known_defects};
use super::promise::{ExpectationReport, expectations};
use super::verdict::Verdict;
use crate::words;

/// Scenarios, each under the same seeds.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct CheckReport {
    /// The seeds, as given.
    pub seeds: String,
    /// By scenario, in the order of their paths.
    pub scenarios: Vec<CheckedScenario>,
    /// Scenarios that were left out after the first in which something broke.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// One scenario under all seeds.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct CheckedScenario {
    /// Its file.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Policies that the router had and LiteLLM does not, `half-open=1`: what happened is not what a LiteLLM proxy does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub what_if: Vec<String>,
    /// How many seeds it ran under.
    pub runs: u64,
    /// Requests of all runs.
    pub requests: u64,
    /// The seed that answered the smallest share of requests, and that share.
    pub worst: Option<(u64, f64)>,
    /// How many runs came out in which way, from good to bad; ways that none did are left out.
    pub verdicts: Vec<(Verdict, u64)>,
    /// Situations that some run reached.
    pub reached: Vec<&'static str>,
    /// Situations that it must see, and no run reached.
    pub never_seen: Vec<&'static str>,
    /// Faults that struck no call in any run.
    pub never_fired: Vec<String>,
    /// Laws that broke and may, by the scenario's waiver: name, reason, and how often in all runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<(&'static str, String, u64)>,
    /// Known defects of the LiteLLM release that showed, in all runs together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub known_defects: Vec<DefectReport>,
    /// Runs in which something broke, by seed.
    pub failures: Vec<SeedFailure>,
}

/// A run in which something broke.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct SeedFailure {
    /// Its seed.
    pub seed: u64,
    /// What is to be said of it as a whole.
    pub verdict: Verdict,
    /// What replays it.
    pub replay: String,
    /// Promises that broke.
    pub promises: Vec<ExpectationReport>,
    /// Laws that broke.
    pub laws: Vec<BrokenLawReport>,
    /// The most frequent way in which requests were lost: how many, in words, the first of them, when it was due.
    pub loss: Option<(u64, String, String, f64)>,
    /// Why the run ended before its time, if it did.
    pub cut_short: Option<String>,
}

/// What is kept of one run.
#[derive(Clone, Debug)]
pub struct SeedReport {
    seed: u64,
    verdict: Verdict,
    requests: u64,
    availability: Option<f64>,
    reached: Reached,
    struck: Vec<bool>,
    waived: Vec<BrokenLawReport>,
    defects: Defects,
    failure: Option<SeedFailure>,
}

impl SeedReport {
    /// What is kept of a run of the scenario in `path`.
    pub fn new(path: &str, scenario: &Scenario, run: &Watched) -> Self {
        let Watched { seed, end, metrics, breaches, defects } = run;
        let ends = metrics.ends_over(&Phase::ALL);
        let mut promises = expectations(scenario, metrics);
        // What must be seen must be seen under some seed, not under each.
        promises.retain(|promise| promise.key != "must_see");
        let verdict = Verdict::of(&promises, metrics);
        promises.retain(|promise| !promise.is_as_expected());
        let mut laws = broken_laws(&scenario.plan, Some(&scenario.expect), breaches);
        let waived = laws.extract_if(.., |law| law.waived.is_some()).collect();
        let verdict = verdict.with_laws(&laws);
        let cut_short = (end.ending != Ending::Finished).then(|| end.ending.to_string());
        let broken = !promises.is_empty() || !laws.is_empty() || cut_short.is_some();
        let failure = broken.then(|| {
            let labels = routedrill_sim::drill::labels::of_plan(&scenario.plan);
            let most = metrics.losses().iter().max_by_key(|record| record.count);
            let loss = most.map(|record| {
                let how = words::loss(&scenario.plan, &labels, &record.loss);
                (record.count, how, record.example.to_string(), record.due.as_secs_f64())
            });
            let what_if = words::supposed(&scenario.plan).join(",");
            let option = if what_if.is_empty() { what_if } else { format!(" --what-if '{what_if}'") };
            let replay = format!("routedrill run {path} --seed {seed}{option}");
            SeedFailure { seed: *seed, verdict, replay, promises, laws, loss, cut_short }
        });
        Self {
            seed: *seed,
            verdict,
            requests: ends.total(),
            availability: ends.availability(),
            reached: metrics.reached(),
            struck: metrics.fault_strikes().iter().map(|&count| count > 0).collect(),
            waived,
            defects: defects.clone(),
            failure,
        }
    }
}

impl SeedReport {
    /// Whether something broke.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// How many requests there were.
    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// What broke, if something did.
    pub(super) fn into_failure(self) -> Option<SeedFailure> {
        self.failure
    }
}

impl CheckedScenario {
    /// A scenario under all seeds, in the order of the seeds.
    pub fn new(path: &str, scenario: &Scenario, seeds: Vec<SeedReport>) -> Self {
        let mut reached = Reached::default();
        let mut struck = vec![false; scenario.faults.len()];
        let mut worst: Option<(u64, f64)> = None;
        let mut defects = Defects::default();
        for one in &seeds {
            defects.absorb(&one.defects);
            reached.absorb(one.reached);
            struck.iter_mut().zip(&one.struck).for_each(|(any, this)| *any |= this);
            if let Some(share) = one.availability
                && worst.is_none_or(|(_, least)| share < least)
            {
                worst = Some((one.seed, share));
            }
        }
        let unseen = scenario.expect.must_see.iter().filter(|&&situation| !reached.contains(situation));
        let idle = scenario.faults.iter().zip(&struck).filter(|(_, struck)| !**struck);
        let waived = scenario.expect.waived.iter().map(|(law, reason)| {
            let broken = seeds.iter().flat_map(|one| &one.waived).filter(|broken| broken.law == law.name());
            (law.name(), reason.clone(), broken.map(|broken| broken.count).sum())
        });
        Self {
            waived: waived.collect(),
            known_defects: known_defects(&scenario.plan, &defects),
            path: path.to_owned(),
            name: scenario.name.clone(),
            what_if: words::supposed(&scenario.plan),
            runs: seeds.len() as u64,
            requests: seeds.iter().map(|one| one.requests).sum(),
            worst,
            verdicts: (Verdict::ALL.iter())
                .map(|verdict| (*verdict, seeds.iter().filter(|one| one.verdict == *verdict).count() as u64))
                .filter(|(_, runs)| *runs > 0)
                .collect(),
            reached: reached.iter().map(words::situation).collect(),
            never_seen: unseen.map(|&situation| words::situation(situation)).collect(),
            never_fired: idle.map(|(fault, _)| fault.label.clone()).collect(),
            failures: seeds.into_iter().filter_map(|one| one.failure).collect(),
        }
    }

    /// Its name, and what is not LiteLLM about it.
    pub fn title(&self) -> String {
        match self.what_if.as_slice() {
            [] => self.name.clone(),
            what_if => format!("{} (NOT LITELLM: {})", self.name, what_if.join(", ")),
        }
    }

    /// Whether every law and promise held under every seed, and everything that must be seen was.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.never_seen.is_empty() && self.never_fired.is_empty()
    }
}

impl CheckReport {
    /// Whether every scenario is clean.
    pub fn is_clean(&self) -> bool {
        self.scenarios.iter().all(CheckedScenario::is_clean)
    }

    /// Whether some run did not come to its end.
    pub fn is_cut_short(&self) -> bool {
        self.scenarios.iter().flat_map(|one| &one.failures).any(|failure| failure.cut_short.is_some())
    }
}
