//! A call goes to a deployment of the group that it is made for, and to the lowest `order`.

use router_core::{DeploymentId, Error, NameId, Plan, Time};

use super::cooldowns::Recount;
use super::filters::Nobody;
use super::law::About;
use super::spend_adds_up::Spend;

pub(super) const ABOUT: About = About {
    name: "picked-from-group",
    says: "calls go to deployments of the group, lowest order first",
    source: "_common_checks_available_deployment, get_order_filtered_deployments",
};

/// A hedge goes to somebody who does not have the request yet.
pub(super) fn of_hedge(has_it: bool) -> Option<&'static str> {
    has_it.then_some("a hedge to the deployment that has the request already")
}

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

/// A pick of somebody who is marked as blocked, or is not.
pub(super) fn of_blocked(blocked: bool) -> Option<&'static str> {
    blocked.then_some("picked, and is blocked")
}

/// Nobody is picked for a request that asks for one deployment by its id, which is blocked or not: whatever its health is, it
/// is called.
pub(super) fn of_pinned(blocked: bool) -> Option<&'static str> {
    (!blocked).then_some("asked for by its id, and not called")
}

/// A pick where context windows, regions, tags or levels decide, from so many, where so many should have been there.
pub(super) fn of_filters(is_left: bool, eligible: u32, counted: u32) -> Option<String> {
    (!is_left || eligible != counted).then(|| {
        let nor = if is_left { "" } else { ", and not this one" };
        format!("picked from {eligible}, where the filters leave {counted}{nor}")
    })
}

/// Nobody was left, and this is the error that says so, and the status that a client sees.
pub(super) fn of_nobody(error: &Error, (class, client_status): Nobody) -> Option<String> {
    let fits = (error.class, error.client_status) == (class, client_status);
    (!fits).then(|| {
        let (told, due) = (error.class.name(), class.name());
        format!("nobody was left with {told} and {}, where it is {due} and {client_status}", error.client_status)
    })
}

/// Nobody was picked, although somebody was left.
pub(super) fn of_somebody(error: &Error, left: usize) -> String {
    format!("nobody was left with {}, where the filters leave {left}", error.class.name())
}
