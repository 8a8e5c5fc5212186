//! What gives first: what refused calls beyond the capacity.

use router_core::{DeploymentId, ErrorClass, GiveUpReason, NameId};

use super::case::Case;
use crate::metrics::{DeploymentCounts, Metrics};
use crate::scenario::{QuotaUnit, QuotaWindow, Scenario};

/// Something that was too small or too slow.
#[derive(Clone, PartialEq, Debug)]
pub enum Gives {
    /// An upstream's quota refused calls with 429.
    Quota(QuotaUse),
    /// The router refused attempts at a deployment by itself: its `rpm`, `tpm` or `max_parallel_requests`.
    RouterLimit {
        /// The deployment.
        deployment: DeploymentId,
        /// How many attempts.
        refused: u64,
    },
    /// Calls took longer than the router waits.
    Timeouts {
        /// The deployment.
        deployment: DeploymentId,
        /// How many calls.
        count: u64,
    },
    /// The router found nobody to ask: all were cooling down or over their limits.
    Nobody {
        /// The group.
        name: NameId,
        /// How many selections.
        count: u64,
    },
    /// Callers did not wait for the answer.
    Deadlines {
        /// How many requests.
        count: u64,
    },
    /// Requests used up their retries.
    Retries {
        /// How many.
        count: u64,
    },
}

/// How a quota was used.
#[derive(Clone, PartialEq, Debug)]
pub struct QuotaUse {
    /// Its index in the scenario's quotas.
    pub quota: usize,
    /// Calls that it refused.
    pub refused: u64,
    /// Calls to the deployments that share it.
    pub calls: u64,
    /// How much of it was used, on average; about 1 when it is full all the time.
    pub used: f64,
}

impl Gives {
    /// How often.
    pub fn count(&self) -> u64 {
        match self {
            Self::Quota(QuotaUse { refused, .. }) => *refused,
            Self::RouterLimit { refused, .. } => *refused,
            Self::Timeouts { count, .. }
            | Self::Nobody { count, .. }
            | Self::Deadlines { count }
            | Self::Retries { count } => *count,
        }
    }

    /// Whether it is a limit that can be raised, and not what follows from one.
    const fn is_limit(&self) -> bool {
        matches!(self, Self::Quota(_) | Self::RouterLimit { .. } | Self::Timeouts { .. })
    }

    /// Everything that gave, limits before what follows from them, each by how often.
    pub fn of(scenario: &Scenario, case: &Case, metrics: &Metrics) -> Vec<Self> {
        let mut all: Vec<Self> = quotas(scenario, case, metrics).into_iter().map(Self::Quota).collect();
        for (deployment, counts) in deployments(case, metrics) {
            all.push(Self::RouterLimit { deployment, refused: counts.refused });
            let count = counts.errors.sum(|exception| exception.class == ErrorClass::Timeout);
            all.push(Self::Timeouts { deployment, count });
        }
        for ((name, _), count) in metrics.movement().nobody.iter() {
            match all.iter_mut().find(|known| matches!(known, Self::Nobody { name: known, .. } if *known == name)) {
                Some(Self::Nobody { count: sum, .. }) => *sum += count,
                _ => all.push(Self::Nobody { name, count }),
            }
        }
        let gave_up: u64 = metrics.asked().iter().flatten().map(|counts| counts.ends.gave_up).sum();
        all.push(Self::Deadlines { count: gave_up });
        let exhausted = metrics.movement().gave_up.sum(|(_, because)| because == GiveUpReason::RetriesExhausted);
        all.push(Self::Retries { count: exhausted });
        all.retain(|gives| gives.count() > 0);
        all.sort_by_key(|gives| (!gives.is_limit(), std::cmp::Reverse(gives.count())));
        all
    }
}

/// Deployments that are there.
fn deployments<'a>(
    case: &'a Case,
    metrics: &'a Metrics,
) -> impl Iterator<Item = (DeploymentId, &'a DeploymentCounts)> + 'a {
    (0..).map(DeploymentId).zip(metrics.deployments()).filter(|(id, _)| !case.lost.contains(id))
}

/// The quotas that refused calls. Where a deployment has several, the one that was used the most is taken to have
/// refused its calls.
fn quotas(scenario: &Scenario, case: &Case, metrics: &Metrics) -> Vec<QuotaUse> {
    const TOO_MANY_REQUESTS: u16 = 429;
    let seconds = scenario.duration.as_secs_f64() * metrics.runs() as f64;
    let mut uses: Vec<QuotaUse> = (scenario.quotas.iter().enumerate())
        .map(|(quota, of)| {
            let members = || of.scope.iter().map(|id| &metrics.deployments()[id.index()]);
            let used: u64 = match of.unit {
                QuotaUnit::Requests => members().map(|counts| counts.succeeded).sum(),
                QuotaUnit::Tokens => members().map(|counts| counts.tokens.prompt + counts.tokens.completion).sum(),
            };
            let (QuotaWindow::Fixed(window) | QuotaWindow::Sliding(window) | QuotaWindow::Bucket(window)) = of.window;
            let allowed = of.limit as f64 * seconds / window.as_secs_f64();
            let calls = members().map(|counts| counts.attempts).sum();
            QuotaUse { quota, refused: 0, calls, used: if allowed > 0.0 { used as f64 / allowed } else { 1.0 } }
        })
        .collect();
    for (deployment, counts) in deployments(case, metrics) {
        let refused = counts.errors.sum(|exception| exception.status == Some(TOO_MANY_REQUESTS));
        let mine = uses.iter_mut().filter(|one| scenario.quotas[one.quota].scope.contains(&deployment));
        if let Some(fullest) = mine.max_by(|a, b| a.used.total_cmp(&b.used)) {
            fullest.refused += refused;
        }
    }
    uses.retain(|one| one.refused > 0);
    uses
}
