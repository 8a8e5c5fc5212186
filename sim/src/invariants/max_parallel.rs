//! No more calls at once than `max_parallel_requests`, and none refused below it.

use router_core::{DeploymentId, Plan, Span, Time};

use super::law::About;

pub(super) const ABOUT: About = About {
    name: "max-parallel",
    says: "as many calls at once as max_parallel_requests allows, and none refused below that",
    source: "set_max_parallel_requests_client, MaxParallelRequestsLimit",
};

/// How long LiteLLM keeps a limiter of parallel requests before it makes a new one, which knows nothing of the old.
const LIMITER_LIFE: Span = Span::from_secs(600);

/// Calls under way of a deployment and its twins, and how many there may be; `None`: any number, or it cannot be told.
pub(super) fn taken(plan: &Plan, in_flight: &[u32], deployment: DeploymentId, at: Time) -> Option<(u32, u32)> {
    let one = plan.deployment(deployment);
    let cap = one.max_parallel_requests.filter(|_| at < Time::ZERO + LIMITER_LIFE)?.value;
    let twins = (0..).map(DeploymentId).zip(in_flight);
    let taken = twins.filter(|(id, _)| plan.deployment(*id).twin == one.twin).map(|(_, count)| count).sum();
    Some((taken, cap))
}

/// A call that was made, and counts already.
pub(super) fn of_call((taken, cap): (u32, u32)) -> Option<String> {
    (taken > cap).then(|| format!("{taken} calls at once, where {cap} are allowed"))
}

/// A call that was refused for want of a place.
pub(super) fn of_refusal((taken, cap): (u32, u32)) -> Option<String> {
    (taken < cap).then(|| format!("refused for want of a place, with {taken} of {cap} taken"))
}
