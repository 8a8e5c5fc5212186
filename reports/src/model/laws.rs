//! What the laws of the router have to say: what was broken, and what a release is known to do wrong.

use routedrill_sim::drill::labels;
use routedrill_sim::invariants::{Breach, Breaches, Defects, Sighting};
use routedrill_sim::scenario::Expect;
use router_core::Plan;
use schemars::JsonSchema;
use serde::Serialize;

/// A law of the router that was broken.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct BrokenLawReport {
    /// Its name.
    pub law: &'static str,
    /// What it demands.
    pub says: &'static str,
    /// The LiteLLM functions, or the incidents, that it was written from.
    pub source: &'static str,
    /// How often.
    pub count: u64,
    /// The first request that broke it, if a request did.
    pub request: Option<String>,
    /// The deployment concerned, if one is.
    pub deployment: Option<String>,
    /// When that was.
    pub at: f64,
    /// What happened.
    pub what: String,
    /// Why the scenario lets it pass, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
}

/// A known defect of the LiteLLM release that showed: no broken law, and nothing that the config says.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct DefectReport {
    /// Its name.
    pub defect: &'static str,
    /// What happens.
    pub says: &'static str,
    /// The LiteLLM function that does it.
    pub source: &'static str,
    /// How often.
    pub count: u64,
    /// The first request that met it, if a request did.
    pub request: Option<String>,
    /// The deployment concerned, if one is.
    pub deployment: Option<String>,
    /// When that was.
    pub at: f64,
    /// What happened.
    pub what: String,
}

/// The laws that were broken, by time. `expect` says which may be.
pub(crate) fn broken_laws(plan: &Plan, expect: Option<&Expect>, breaches: &Breaches) -> Vec<BrokenLawReport> {
    if breaches.is_empty() {
        return Vec::new();
    }
    let names = labels::of_plan(plan);
    let report = |breach: &Breach| BrokenLawReport {
        law: breach.law.name(),
        says: breach.law.says(),
        source: breach.law.source(),
        count: breaches.count(breach.law),
        request: breach.request.map(|request| request.to_string()),
        deployment: breach.deployment.map(|deployment| names[deployment.index()].clone()),
        at: breach.at.as_secs_f64(),
        what: breach.what.clone(),
        waived: expect.and_then(|expect| {
            expect.waived.iter().find(|(law, _)| *law == breach.law).map(|(_, reason)| reason.clone())
        }),
    };
    breaches.first().iter().map(report).collect()
}

/// The known defects that showed.
pub(crate) fn known_defects(plan: &Plan, defects: &Defects) -> Vec<DefectReport> {
    if defects.first().is_empty() {
        return Vec::new();
    }
    let names = labels::of_plan(plan);
    let report = |one: &Sighting| DefectReport {
        defect: one.defect.name(),
        says: one.defect.says(),
        source: one.defect.source(),
        count: defects.count(one.defect),
        request: one.request.map(|request| request.to_string()),
        deployment: one.deployment.map(|deployment| names[deployment.index()].clone()),
        at: one.at.as_secs_f64(),
        what: one.what.clone(),
    };
    defects.first().iter().map(report).collect()
}
