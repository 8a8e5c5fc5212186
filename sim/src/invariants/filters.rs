//! Who is left to be picked when more than health decides: context windows, regions, tags, levels of `order`, and who has
//! failed or refused already (LiteLLM: `async_get_healthy_deployments`).

use router_core::{DeploymentId, ErrorClass, NameId, Plan, RoutingStrategy, TagId, Time};

use super::cooldowns::Recount;
use super::spend_adds_up::Spend;

/// What a request and its layer ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    /// Tokens of the prompt.
    pub(super) prompt: u32,
    pub(super) tags: &'a [TagId],
    pub(super) region: Option<u32>,
    /// The level of `order` that a fallback is for.
    pub(super) level: Option<i64>,
    /// Who has failed on the way here, under weighted failover.
    pub(super) excluded: &'a [DeploymentId],
    /// Who has refused the request.
    pub(super) refused: &'a [DeploymentId],
}

/// Nobody is left: with what error, and the status that a client of the proxy sees.
pub(super) type Nobody = (ErrorClass, u16);

/// Who is left, in `left`, whose memory is used again.
pub(super) fn left(
    plan: &Plan,
    books: (&Recount, &Spend),
    (name, members): (NameId, &[DeploymentId]),
    wish: Wish<'_>,
    at: Time,
    left: &mut Vec<DeploymentId>,
) -> Result<(), Nobody> {
    let (rules, settings) = (plan.rules(), plan.settings());
    let (recount, spend) = books;
    let of = |id: DeploymentId| plan.deployment(id);
    // The strategy without an asynchronous form goes another way, with fewer filters.
    let whole = settings.routing_strategy.value != RoutingStrategy::UsageBased;
    let is_out = |id: DeploymentId| of(id).blocked || recount.rests(plan, id, at) || whole && of(id).team;
    left.clear();
    left.extend(members.iter().copied().filter(|&id| !is_out(id)));
    let nobody_is_well = left.is_empty();
    left.retain(|&id| !spend.is_spent(plan, id, at));
    if left.is_empty() && !nobody_is_well {
        return Err((ErrorClass::ValueError, 429));
    }
    if settings.enable_pre_call_checks.value {
        let too_long = |id: DeploymentId| of(id).max_input_tokens.is_some_and(|window| window < wish.prompt.into());
        let too_long_for_one = left.iter().any(|&id| too_long(id));
        left.retain(|&id| !too_long(id) && wish.region.is_none_or(|region| of(id).region == Some(region)));
        if left.is_empty() && too_long_for_one {
            return Err((ErrorClass::ContextWindowExceededError, 400));
        }
        if !rules.order_always {
            keep_level(plan, left, wish.level);
        }
    }
    if whole && settings.enable_tag_filtering.value {
        keep_tagged(plan, name, left, wish.tags)?;
    }
    if rules.order_always {
        keep_level(plan, left, wish.level);
    }
    left.retain(|&id| !wish.excluded.contains(&of(id).twin));
    let refused = |id: &DeploymentId| wish.refused.contains(&of(*id).twin);
    if !left.iter().all(refused) {
        left.retain(|id| !refused(id));
    }
    if left.is_empty() { Err((ErrorClass::RouterRateLimitError, 429)) } else { Ok(()) }
}

/// Keeps one level of `order`, where there are any.
fn keep_level(plan: &Plan, left: &mut Vec<DeploymentId>, asked: Option<i64>) {
    let lowest = left.iter().filter_map(|&id| plan.deployment(id).order).min();
    if let Some(level) = asked.or(lowest) {
        left.retain(|&id| plan.deployment(id).order == Some(level));
    }
}

/// Keeps those with the request's tags, else those that are there for everybody.
fn keep_tagged(plan: &Plan, name: NameId, left: &mut Vec<DeploymentId>, tags: &[TagId]) -> Result<(), Nobody> {
    let (of, strict) = (|id: DeploymentId| plan.deployment(id), plan.rules().known_tags_skip_defaults);
    let fits = |id: DeploymentId| {
        let own = &of(id).tags;
        let common = tags.iter().filter(|tag| own.contains(tag)).count();
        common > 0 && (plan.settings().tag_filtering_match_any.value || common == tags.len())
    };
    if left.iter().any(|&id| fits(id)) || left.is_empty() && strict {
        left.retain(|&id| fits(id));
        return Ok(());
    }
    let defaults = left.iter().any(|&id| of(id).default_tagged);
    if tags.is_empty() {
        left.retain(|&id| !defaults || of(id).default_tagged);
        return Ok(());
    }
    let mut group = plan.deployments().iter().filter(|one| one.group == name);
    let known = strict && group.any(|one| one.tags.iter().any(|tag| tags.contains(tag)));
    if known || !defaults {
        return Err((ErrorClass::ValueError, 401));
    }
    left.retain(|&id| of(id).default_tagged);
    Ok(())
}
