//! Retries, decided again: how many, whether at all, after which wait (LiteLLM: `async_function_with_retries`).

use router_core::{
    ErrorClass, FallbackList, GiveUpReason, NameId, Plan, RetryAfter, RetryPolicy, RoutingStrategy, Rules, Source, Span,
};

use super::ledger::{Own, Seen};

/// Statuses that may go away by themselves.
pub(super) const fn passes(status: u16) -> bool {
    status == 408 || status == 409 || status == 429 || status >= 500
}

/// How many retries the first failure of a layer gives it, and whether a policy gives them whatever the error is.
/// `None`: it cannot be told from outside.
pub(super) fn budget(plan: &Plan, group: NameId, own: &Own, seen: &Seen) -> Option<(i64, bool)> {
    let (rules, settings) = (plan.rules(), plan.settings());
    let zero = own.num_retries == Some(0) && rules.retry_policy_replaces_check;
    let policy = plan.group_retry_policy(group).or(settings.retry_policy.as_ref()).filter(|_| !zero);
    if let Some(retries) = policy.and_then(|policy| by_policy(rules, policy, seen)) {
        return Some((retries, rules.retry_policy_replaces_check));
    }
    // A limit per minute hangs "no retries" on its refusal, one per day does not.
    let enforced = seen.by_limit && !seen.by_day && settings.enforce_model_rate_limits;
    if enforced && settings.routing_strategy.value == RoutingStrategy::UsageBasedV2 {
        return None;
    }
    let deployments =
        seen.deployment.map(|id| plan.deployment(id).num_retries).filter(|set| set.from == Source::Deployment);
    let carried = settings.carried_num_retries.filter(|_| seen.deployment.is_some() && !seen.by_router);
    let hung = if enforced { Some(0) } else { deployments.map(|set| set.value).or(carried) };
    let (first, second) = if rules.request_retries_win { (own.num_retries, hung) } else { (hung, own.num_retries) };
    Some((first.or(second).unwrap_or(settings.num_retries.value), false))
}

fn by_policy(rules: &Rules, policy: &RetryPolicy, seen: &Seen) -> Option<i64> {
    use ErrorClass::*;
    let class = seen.error.class;
    let bad_request = policy.bad_request.filter(|_| class.is_bad_request());
    let common = match class {
        AuthenticationError => policy.authentication,
        Timeout => policy.timeout,
        RateLimitError => policy.rate_limit,
        ContentPolicyViolationError => policy.content_policy,
        _ => None,
    };
    if !rules.wide_retry_policy {
        return bad_request.or(common);
    }
    let newer = match class {
        ServiceUnavailableError | MidStreamFallbackError => policy.service_unavailable,
        InternalServerError => policy.internal_server,
        _ => None,
    };
    let missing = policy.not_found.filter(|_| seen.error.status == Some(404));
    missing.or(common).or(bad_request).or(newer).or(policy.default)
}

/// Why an error must not be retried, with so many deployments healthy out of so many, if it must not.
pub(super) fn refused(plan: &Plan, seen: &Seen, healthy: usize, all: usize) -> Option<GiveUpReason> {
    use ErrorClass::*;
    let rules = plan.rules();
    let class = seen.error.class;
    let listed = |list| plan.has_fallback_list(list);
    if class == ContextWindowExceededError && listed(FallbackList::ContextWindow) {
        return Some(GiveUpReason::ContextWindowFallback);
    }
    if class == ContentPolicyViolationError && listed(FallbackList::ContentPolicy) {
        return Some(GiveUpReason::ContentPolicyFallback);
    }
    let lasts = |status| !passes(status) && status != 401 && status != 403;
    if class == NotFoundError || rules.retries_by_status && seen.error.status.is_some_and(lasts) {
        return Some(GiveUpReason::NotRetryable);
    }
    let alone = class == AuthenticationError || class == PermissionDeniedError && rules.permission_needs_another;
    let reason = if alone && all <= 1 { GiveUpReason::AuthenticationAlone } else { GiveUpReason::NoneHealthy };
    // With nobody healthy nothing is retried, whether or not there are fallbacks.
    (alone && all <= 1 || healthy == 0).then_some(reason)
}

/// How long to wait after a failure: at least and at most. `retries`: how many failed before in this layer.
pub(super) fn wait(plan: &Plan, seen: &Seen, retries: u32, healthy: usize, all: usize) -> (Span, Span) {
    if all != 1 && healthy > 0 {
        return (Span::ZERO, Span::ZERO);
    }
    let doubled = (0..retries.min(10)).fold(0.5, |wait, _| wait * 2.0);
    let backoff = Span::from_secs_f64(f64::max(doubled, plan.settings().retry_after.value).min(8.0));
    let (least, most) = match seen.retry_after {
        RetryAfter::Seconds(seconds) if (1..=60).contains(&seconds) => {
            let asked = Span::from_secs(seconds.unsigned_abs());
            (asked, asked)
        }
        // The router's own limits per minute ask for a minute.
        _ if seen.by_router && seen.error.class == ErrorClass::RateLimitError => (backoff, Span::from_secs(60)),
        _ => (backoff, backoff),
    };
    // Seconds are rounded to nanoseconds once, with the jitter.
    (least, most + super::retry_wait::JITTER)
}
