//! The report of scenarios that were drawn at random.

use std::collections::BTreeMap;

use routedrill_sim::swarm::{Drawn, Feature, Features, Ran, Situation, Situations};
use router_core::WhatIf;
use schemars::JsonSchema;
use serde::Serialize;

use super::check::{SeedFailure, SeedReport};
use crate::words;

/// Scenarios that were drawn at random, each run once.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct SwarmReport {
    /// The seeds, as given.
    pub seeds: String,
    /// The configs that the scenarios are drawn over, in turn; none where each has a config of its own.
    pub configs: Vec<String>,
    /// Policies that the router had and LiteLLM does not, `half-open=1`: what happened is not what a LiteLLM proxy does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub what_if: Vec<String>,
    /// How many scenarios were drawn and run.
    pub scenarios: u64,
    /// Requests of all runs.
    pub requests: u64,
    /// How many scenarios have each feature.
    pub features: Vec<FeatureCount>,
    /// How many scenarios met each situation.
    pub situations: Vec<SituationCount>,
    /// Scenarios in which something broke, by seed.
    pub failures: Vec<SwarmFailure>,
    /// Which seeds would have come next, where the first failure ended the search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// A feature, and how many scenarios have it.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct FeatureCount {
    /// What it is.
    pub feature: &'static str,
    /// How many scenarios have it.
    pub scenarios: u64,
}

/// A situation, and how many scenarios met it.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct SituationCount {
    /// Of what kind it is.
    pub kind: &'static str,
    /// What it is.
    pub situation: &'static str,
    /// How many scenarios met it.
    pub scenarios: u64,
}

/// A scenario in which something broke.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct SwarmFailure {
    /// Its seed, which draws it and which it runs under.
    pub seed: u64,
    /// The features that it has.
    pub features: Vec<&'static str>,
    /// What broke in its run; `None` when it did not come to a run.
    pub broke: Option<SeedFailure>,
    /// Why there is nothing to tell of its run: it panicked, or its own file could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crashed: Option<String>,
    /// What writes its file.
    pub save: String,
    /// The file that this writes.
    pub file: String,
    /// What replays it from that file.
    pub replay: String,
    /// What makes it smaller.
    pub shrink: String,
    /// The scenario file itself.
    pub scenario: String,
}

/// What is kept of one drawn scenario.
#[derive(Clone, Debug)]
pub struct SwarmRun {
    features: Features,
    situations: Situations,
    requests: u64,
    failure: Option<SwarmFailure>,
}

/// How a failing scenario is written to a file.
#[derive(Clone, Copy, Debug)]
pub struct Saving<'a> {
    /// The command that draws it again and saves it.
    pub command: &'a str,
    /// The file that it saves it to.
    pub file: &'a str,
}

impl SwarmRun {
    /// What is kept of a scenario that was drawn and run. `crashed` says why it did not come to a run.
    pub fn new(drawn: &Drawn, ran: &Result<Ran, String>, saving: Saving<'_>) -> Self {
        let Saving { command, file } = saving;
        let report = match ran {
            Ok(Ran { scenario, watched: Ok(watched), .. }) => Some(SeedReport::new(file, scenario, watched)),
            _ => None,
        };
        let crashed = match ran {
            Ok(Ran { watched: Ok(_), .. }) => None,
            Ok(Ran { watched: Err(panic), .. }) => Some(format!("panicked: {panic}")),
            Err(problems) => Some(format!("its own file cannot be read: {problems}")),
        };
        let requests = report.as_ref().map_or(0, SeedReport::requests);
        let broke = report.and_then(SeedReport::into_failure);
        let failed = broke.is_some() || crashed.is_some();
        let file = words::quoted(file);
        let failure = failed.then(|| SwarmFailure {
            seed: drawn.number,
            features: drawn.features.iter().map(Feature::name).collect(),
            broke,
            crashed,
            save: command.to_owned(),
            replay: format!("routedrill run {file}"),
            shrink: format!("routedrill shrink {file}"),
            file,
            scenario: drawn.text.clone(),
        });
        let situations = ran.as_ref().map_or_else(|_| Situations::default(), |ran| ran.situations.clone());
        Self { features: drawn.features, situations, requests, failure }
    }

    /// Whether something broke.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }
}

impl SwarmReport {
    /// Scenarios in the order of their seeds.
    pub fn new(
        seeds: String,
        configs: Vec<String>,
        what_if: &WhatIf,
        runs: Vec<SwarmRun>,
        left_out: Option<String>,
    ) -> Self {
        let all = Situation::all();
        let mut met = vec![0; all.len()];
        let mut having: BTreeMap<Feature, u64> = BTreeMap::new();
        for run in &runs {
            run.features.iter().for_each(|feature| *having.entry(feature).or_default() += 1);
            for (count, situation) in met.iter_mut().zip(&all) {
                *count += u64::from(run.situations.contains(*situation));
            }
        }
        let count = |feature: Feature| {
            let scenarios = having.get(&feature).copied().unwrap_or(0);
            FeatureCount { feature: feature.name(), scenarios }
        };
        let situations = all.iter().zip(met).map(|(situation, scenarios)| {
            let (kind, situation) = words::met(*situation);
            SituationCount { kind, situation, scenarios }
        });
        Self {
            seeds,
            configs,
            what_if: words::policies(what_if),
            scenarios: runs.len() as u64,
            requests: runs.iter().map(|run| run.requests).sum(),
            features: Feature::ALL.map(count).to_vec(),
            situations: situations.collect(),
            failures: runs.into_iter().filter_map(|run| run.failure).collect(),
            left_out,
        }
    }

    /// Whether nothing broke in any scenario.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }

    /// Whether some run did not come to its end.
    pub fn is_cut_short(&self) -> bool {
        let cut = |failure: &SeedFailure| failure.cut_short.is_some();
        self.failures.iter().any(|failure| failure.crashed.is_some() || failure.broke.as_ref().is_some_and(cut))
    }
}
