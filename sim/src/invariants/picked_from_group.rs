//! A call goes to a deployment of the group that it is made for, and to the lowest `order`.

use router_core::{DeploymentId, NameId, Plan, Time};

use super::cooldowns::Recount;
use super::law::About;
use super::spend_adds_up::Spend;

pub(super) const ABOUT: About = About {
    name: "picked-from-group",
    says: "calls go to deployments of the group, lowest order first",
    source: "_common_checks_available_deployment, get_order_filtered_deployments",
};

/// Whoever is picked belongs to the name that is being called.
pub(super) fn of_membership(name: NameId, group: NameId, is_member: bool) -> Option<&'static str> {
    (group != name || !is_member).then_some("picked for a group that it does not belong to")
}

/// Nobody of a lower `order` was there to be picked.
pub(super) fn of_order(
    plan: &Plan,
    books: (&Recount, &Spend),
    members: &[DeploymentId],
    picked: DeploymentId,
    at: Time,
) -> Option<&'static str> {
    let (recount, spend) = books;
    let mine = plan.deployment(picked).order;
    let lower = members.iter().any(|&id| {
        let other = plan.deployment(id);
        let before = other.order.is_some_and(|other| mine.is_none_or(|mine| other < mine));
        before && !other.blocked && !recount.rests(plan, id, at) && !spend.is_spent(plan, id, at)
    });
    lower.then_some("picked while a lower order was eligible")
}
