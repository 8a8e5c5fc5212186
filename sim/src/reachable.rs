//! Who may answer a request, by the config alone: whatever rests, is broken or is full at the moment.

use router_core::{DeploymentId, FallbackList, NameId, Plan, TagId};

use crate::scenario::Traffic;

/// The lists that a failure leads through.
pub(crate) const ON_FAILURE: [FallbackList; 2] = [FallbackList::Fallbacks, FallbackList::Default];

/// Those, and the lists for prompts that are too long and content that is refused.
pub(crate) const ON_ANYTHING: [FallbackList; 4] =
    [FallbackList::Fallbacks, FallbackList::Default, FallbackList::ContextWindow, FallbackList::ContentPolicy];

/// The name that is asked for, and every name that its fallbacks in some lists lead to, nearest first.
pub(crate) fn names(plan: &Plan, traffic: &Traffic, lists: &[FallbackList]) -> Vec<NameId> {
    let mut names = vec![traffic.model];
    let params = traffic.params.as_deref();
    if params.is_some_and(|params| params.disable_fallbacks) {
        return names;
    }
    if let Some(fallbacks) = params.and_then(|params| params.fallbacks.as_ref()) {
        names.extend(fallbacks.iter().filter_map(|target| target.model));
        return names;
    }
    let mut next = 0;
    while let Some(&name) = names.get(next) {
        next += 1;
        for &list in lists {
            for name in plan.fallback_chain(name, list).iter().filter_map(|target| target.model) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    names
}

/// Each of those [names] with the deployments behind it, as far as the request's tags and region let them serve it.
pub(crate) fn deployments(
    plan: &Plan,
    traffic: &Traffic,
    lists: &[FallbackList],
) -> impl Iterator<Item = (NameId, Vec<DeploymentId>)> {
    names(plan, traffic, lists).into_iter().map(|name| (name, serving(plan, traffic, name)))
}

fn serving(plan: &Plan, traffic: &Traffic, name: NameId) -> Vec<DeploymentId> {
    let settings = plan.settings();
    let params = traffic.params.as_deref();
    let mut members = plan.members(name);
    members.retain(|id| !plan.deployment(*id).blocked && !plan.deployment(*id).team);
    if settings.enable_pre_call_checks.value
        && let Some(region) = params.and_then(|params| params.region)
    {
        members.retain(|id| plan.deployment(*id).region == Some(region));
    }
    if settings.enable_tag_filtering.value {
        let tags: &[TagId] = params.map_or(&[], |params| &params.tags);
        let tagged = |id: &DeploymentId| tags.iter().any(|tag| plan.deployment(*id).tags.contains(tag));
        let default = |id: &DeploymentId| plan.deployment(*id).default_tagged;
        // Those with the tags, else those that are there for everybody.
        if members.iter().any(tagged) {
            members.retain(tagged);
        } else if !tags.is_empty() || members.iter().any(default) {
            members.retain(default);
        }
    }
    members
}
