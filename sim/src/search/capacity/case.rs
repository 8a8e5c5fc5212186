//! What is lost.

use router_core::{DeploymentId, Time};

use crate::drill::{Kind, Outage, Target, targets_of};
use crate::problem::{Problem, Problems, did_you_mean};
use crate::scenario::{Fault, Scenario};

/// Nothing, or deployments that are gone for the whole run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// `healthy`, `provider:azure`, `region:eastus + key:OPENAI_API_KEY`.
    pub name: String,
    /// Other names for the loss of the same deployments.
    pub also: Vec<String>,
    /// The deployments, in order; none when all is healthy.
    pub lost: Vec<DeploymentId>,
    /// How they are lost.
    pub outage: Outage,
}

impl Case {
    /// Nothing is lost.
    pub fn healthy() -> Self {
        Self { name: "healthy".to_owned(), also: Vec::new(), lost: Vec::new(), outage: Outage::ServerError }
    }

    /// Whether nothing is lost.
    pub fn is_healthy(&self) -> bool {
        self.lost.is_empty()
    }

    /// The scenario with the loss in it, from its beginning to its end.
    pub fn applied(&self, mut scenario: Scenario) -> Scenario {
        if !self.is_healthy() {
            let label = format!("{} on {}", self.outage.meaning(), self.name);
            let fault = Fault {
                from: Time::ZERO,
                until: None,
                on: self.lost.clone(),
                probability: 1.0,
                inject: self.outage.inject(),
                label,
            };
            // Of several faults the first strikes.
            scenario.faults.insert(0, fault);
        }
        scenario
    }
}

/// Each single provider, region, key and deployment; those that are the same deployments once, under the widest name.
pub fn cases(scenario: &Scenario, outage: Outage) -> Vec<Case> {
    const WIDEST_FIRST: [Kind; 4] = [Kind::Provider, Kind::Region, Kind::Key, Kind::Deployment];
    let targets = targets_of(&scenario.plan, &scenario.inventory);
    let mut cases: Vec<Case> = Vec::new();
    for kind in WIDEST_FIRST {
        for target in targets.iter().filter(|target| target.kind == kind) {
            match cases.iter_mut().find(|case| case.lost == target.deployments) {
                Some(case) => case.also.push(target.to_string()),
                None => cases.push(Case {
                    name: target.to_string(),
                    also: Vec::new(),
                    lost: target.deployments.clone(),
                    outage,
                }),
            }
        }
    }
    cases
}

/// Every two of some cases together, as far as that is more than either of them.
pub fn pairs(cases: &[Case]) -> Vec<Case> {
    let mut pairs: Vec<Case> = Vec::new();
    for (index, a) in cases.iter().enumerate() {
        for b in &cases[index + 1..] {
            let lost = union(&a.lost, &b.lost);
            let known = |known: &Case| known.lost == lost;
            if !cases.iter().any(known) && !pairs.iter().any(known) {
                let name = format!("{} + {}", a.name, b.name);
                pairs.push(Case { name, also: Vec::new(), lost, outage: a.outage });
            }
        }
    }
    pairs
}

/// What `--lose` names: `provider:azure`, or several things together, `provider:azure+key:OPENAI_API_KEY`.
///
/// # Errors
/// Everything that the configuration does not have.
pub fn chosen(scenario: &Scenario, written: &[String], outage: Outage) -> Result<Vec<Case>, Problems> {
    let targets = targets_of(&scenario.plan, &scenario.inventory);
    let mut problems = Problems::new();
    let mut cases = Vec::new();
    for text in written {
        let mut lost = Vec::new();
        for part in text.split('+').map(str::trim) {
            match targets.iter().find(|target| target.to_string() == part) {
                Some(target) => lost = union(&lost, &target.deployments),
                None => problems.push(unknown(part, &targets)),
            }
        }
        let name = text.split('+').map(str::trim).collect::<Vec<_>>().join(" + ");
        cases.push(Case { name, also: Vec::new(), lost, outage });
    }
    problems.or(cases)
}

fn unknown(part: &str, targets: &[Target]) -> Problem {
    let names: Vec<String> = targets.iter().map(ToString::to_string).collect();
    // Who leaves out the kind means the name.
    let bare = targets.iter().find(|target| target.name == part).map(ToString::to_string);
    let near = bare.or_else(|| did_you_mean(part, names.iter().map(String::as_str)).map(ToOwned::to_owned));
    let remedy = near.map_or_else(
        || {
            "what can be lost is written `provider:NAME`, `region:NAME`, `key:NAME`, `group:NAME` or `deployment:NAME`"
                .to_owned()
        },
        |name| format!("did you mean `{name}`?"),
    );
    Problem::of_file("--lose", format!("`{part}` is nothing in this config that can be lost"), remedy)
}

fn union(a: &[DeploymentId], b: &[DeploymentId]) -> Vec<DeploymentId> {
    let mut all: Vec<DeploymentId> = a.iter().chain(b).copied().collect();
    all.sort();
    all.dedup();
    all
}
