//! What the router counts as under way is what is under way, and least-busy routing counts what its callbacks told it.

use router_core::{DeploymentId, NameId, Plan, RoutingStrategy, Span, Time};

use super::law::About;

pub(super) const ABOUT: About = About {
    name: "counters-at-rest",
    says: "what the router counts as under way is what is under way",
    source: "the router's own books, LeastBusyLoggingHandler",
};

/// A count of the router at the end of a run, of `what`.
pub(super) fn at_end(what: &str, counted: usize, open: usize) -> Option<String> {
    (counted != open).then(|| format!("the router counts {counted} {what} under way at the end, and there are {open}"))
}

/// What least-busy routing counts, against what its callbacks told it.
pub(super) fn of_busy(counted: i64, told: i64) -> Option<String> {
    (counted != told).then(|| format!("least-busy counts {counted} calls at the end, and its callbacks told it {told}"))
}

/// Calls of each deployment as least-busy routing must count them: one more when a call is made, one less when a
/// callback hears of its end, never below none, forgotten an hour after the first.
#[derive(Clone, Debug)]
pub(super) struct Busy {
    /// By name that is called, then by deployment.
    counts: Vec<Vec<(i64, Option<Time>)>>,
}

const COUNT_TTL: Span = Span::from_secs(3600);

impl Busy {
    /// `None`: another strategy routes, or this release counts in another way.
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let settings = plan.settings();
        let counts = settings.routing_strategy.value == RoutingStrategy::LeastBusy
            && plan.rules().least_busy_per_deployment
            && !settings.enforce_model_rate_limits;
        let empty = || vec![(0, None); plan.deployments().len()];
        counts.then(|| Self { counts: (0..plan.name_count()).map(|_| empty()).collect() })
    }

    /// How many it must count.
    pub(super) fn count(&self, plan: &Plan, name: NameId, deployment: DeploymentId, now: Time) -> i64 {
        let (count, until) = self.counts[name.index()][plan.deployment(deployment).twin.index()];
        if until.is_some_and(|until| now <= until) { count } else { 0 }
    }

    /// One more, or one less.
    pub(super) fn add(&mut self, plan: &Plan, name: NameId, deployment: DeploymentId, more: i64, now: Time) {
        let count = i64::max(0, self.count(plan, name, deployment, now) + more);
        let (kept, until) = &mut self.counts[name.index()][plan.deployment(deployment).twin.index()];
        let lasts = until.filter(|&until| now <= until).unwrap_or(now + COUNT_TTL);
        (*kept, *until) = (count, Some(lasts));
    }
}
