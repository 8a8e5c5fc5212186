//! What a configuration promises to its users, and how it is measured.
//!
//! [`Promise`] says in one place what each promise demands, how it is judged and where it comes from. What is not a plain
//! count is measured here: from the steps of a run, and only where the scenario promises it; or from its
//! [timeline](crate::metrics::Timeline) when it has ended.

mod aftermath;
mod promise;
mod reach;
mod shares;
mod starvation;
#[cfg(test)]
mod tests;
mod windows;

pub use aftermath::{Aftermath, BACK, Baseline, Goodput, LASTING, Lasting, NotJudged};
pub use promise::Promise;
pub use reach::Reached;
pub use shares::Unfair;
pub use windows::{Steps, Stretch};

use router_core::{DeploymentId, NameId, Note, Outcome, Span, Time};

use crate::actor::{Effect, Ended, Message, Step};
use crate::reachable::{self, ON_FAILURE};
use crate::scenario::Scenario;

/// What is watched for promises that need more than counters: each only where the scenario makes it.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    deadlines: Option<Deadlines>,
    starvation: Option<starvation::Starvation>,
    shares: Option<shares::Shares>,
    reach: Option<reach::Reach>,
    bystanders: Option<Vec<usize>>,
}

/// Tries that had a deadline.
#[derive(Clone, Debug)]
struct Deadlines {
    /// By stream: whether its callers have one.
    has: Vec<bool>,
    kept: u64,
    missed: u64,
}

impl Watched {
    /// What a scenario promises; `None` when nothing has to be watched for it. `asked` are the names that are asked for.
    pub fn of(scenario: &Scenario, asked: &[NameId]) -> Option<Self> {
        let expect = &scenario.expect;
        let has = || scenario.traffic.iter().map(|traffic| traffic.deadline.is_some()).collect();
        let watched = Self {
            deadlines: expect.deadline.map(|_| Deadlines { has: has(), kept: 0, missed: 0 }),
            starvation: expect.no_starvation.map(|_| starvation::Starvation::new(scenario.traffic.len())),
            shares: expect.fair_shares.map(|_| shares::Shares::new(&scenario.plan)),
            reach: expect.fallback_reached.map(|_| reach::Reach::new(scenario)),
            bystanders: expect.isolation.map(|_| bystanders(scenario, asked)),
        };
        let Self { deadlines, starvation, shares, reach, bystanders } = &watched;
        let any = deadlines.is_some() || starvation.is_some() || shares.is_some() || reach.is_some();
        (any || bystanders.is_some()).then_some(watched)
    }

    /// Takes a step in.
    pub fn watch(&mut self, step: &Step<'_>) {
        if let Some(reach) = &mut self.reach {
            reach.watch(step);
        }
        for effect in step.effects {
            match effect {
                Effect::Send { message: Message::Ask { request, .. }, .. } => {
                    if let Some(starvation) = &mut self.starvation {
                        starvation.asked(step.at, request.source as usize);
                    }
                }
                Effect::Ended(ended) => self.ended(step.at, ended),
                Effect::Note(Note::Picked { group, deployment, eligible, .. }) => {
                    if let Some(shares) = &mut self.shares {
                        shares.picked(*group, *deployment, *eligible);
                    }
                }
                _ => {}
            }
        }
    }

    /// The run ended.
    pub fn finish(&mut self, end: Time) {
        if let Some(starvation) = &mut self.starvation {
            starvation.finish(end);
        }
    }

    /// Share of the tries with a deadline that ended before it; `None` when there were none, or nobody asked.
    pub fn deadlines_kept(&self) -> Option<f64> {
        let Deadlines { kept, missed, .. } = self.deadlines.as_ref()?;
        (kept + missed > 0).then(|| *kept as f64 / (kept + missed) as f64)
    }

    /// The longest time that a stream of traffic, by its place in the scenario, was without an answer while another one was
    /// served; `None` when there is one stream alone, or nobody asked.
    pub fn starved(&self) -> Option<(Span, usize)> {
        self.starvation.as_ref()?.worst()
    }

    /// The deployment that is furthest off its due share of calls; `None` when that cannot be told, or nobody asked.
    pub fn unfair(&self) -> Option<Unfair> {
        self.shares.as_ref()?.worst()
    }

    /// How many of the requests that could have been answered were; `None` when nobody asked.
    pub fn reached(&self) -> Option<&Reached> {
        self.reach.as_ref().map(reach::Reach::counts)
    }

    /// The names asked for that faults should not concern: no fault strikes their deployments, and no deployment of theirs
    /// stands in for one that is struck. Indices into [`Shape::asked`](crate::metrics::Shape::asked); none where nobody
    /// asked.
    pub fn bystanders(&self) -> &[usize] {
        self.bystanders.as_deref().unwrap_or_default()
    }

    fn ended(&mut self, at: Time, ended: &Ended) {
        let stream = ended.request.source as usize;
        if let Some(starvation) = &mut self.starvation {
            starvation.ended(at, stream, matches!(ended.outcome, Some(Outcome::Answered(_))));
        }
        if let Some(deadlines) = self.deadlines.as_mut().filter(|deadlines| deadlines.has.get(stream) == Some(&true)) {
            match ended.outcome {
                Some(_) => deadlines.kept += 1,
                None => deadlines.missed += 1,
            }
        }
    }
}

/// See [`Watched::bystanders`].
fn bystanders(scenario: &Scenario, asked: &[NameId]) -> Vec<usize> {
    let plan = &scenario.plan;
    let struck = |id: &DeploymentId| scenario.faults.iter().any(|fault| fault.on.contains(id));
    let mut concerned: Vec<DeploymentId> = Vec::new();
    for traffic in &scenario.traffic {
        let all: Vec<DeploymentId> =
            reachable::names(plan, traffic, &ON_FAILURE).into_iter().flat_map(|name| plan.members(name)).collect();
        if plan.members(traffic.model).iter().any(struck) {
            concerned.extend(all);
        }
    }
    let apart = |name: &NameId| {
        let members = plan.members(*name);
        !members.is_empty() && members.iter().all(|id| !struck(id) && !concerned.contains(id))
    };
    asked.iter().enumerate().filter(|(_, name)| apart(name)).map(|(index, _)| index).collect()
}
