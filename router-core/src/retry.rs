//! The retry layer (LiteLLM: `async_function_with_retries`).

use crate::attempt::Step;
use crate::candidates;
use crate::config::RetryPolicy;
use crate::entropy::Draw;
use crate::error::{ErrorClass, Exception, may_go_away};
use crate::note::{FallbackList, GiveUpReason, Note, RetriesFrom, WaitReason};
use crate::plan::Plan;
use crate::request::{Budget, Frame, Phase};
use crate::router::{Context, Router};
use crate::rules::Rules;
use crate::time::Span;
use crate::timers::Turn;

/// LiteLLM's constants, in seconds.
const INITIAL_DELAY: f64 = 0.5;
const MAX_DELAY: f64 = 8.0;
const JITTER: f64 = 0.75;
const RETRY_AFTER_MAX: i64 = 60;
/// How many retries and hops older releases remember, of all requests together.
pub(crate) const RETRIES_REMEMBERED: i64 = 4;

impl Router {
    /// An attempt failed: another one, now or later, or none.
    pub(crate) fn after_failure(&mut self, cx: &mut Context<'_>, slot: u32, exception: Exception) -> Step {
        let rules = cx.plan.rules();
        let name = self.requests.get(slot).top().name;
        let (healthy, all) = candidates::healthy_and_all(cx.plan, &self.cooldowns, &self.half_open, name, cx.now);
        let request = self.requests.at(slot);
        let id = request.id();
        let frame = request.frame();
        let known = frame.budget;
        let budget = match known {
            None => {
                frame.first = exception;
                frame.all = all;
                let budget = budget(cx.plan, frame, &exception);
                frame.budget = Some(budget);
                budget
            }
            Some(budget) => {
                frame.failed_retries += 1;
                budget
            }
        };
        if known.is_none() || rules.rechecks_each_failure {
            let refused = (!budget.unchecked).then(|| refuses(cx.plan, frame, &exception, healthy)).flatten();
            let spent = known.is_none() && budget.retries <= 0;
            if let Some(because) = refused.or(spent.then_some(GiveUpReason::NoRetries)) {
                frame.none_healthy =
                    matches!(because, GiveUpReason::NoneHealthy | GiveUpReason::RateLimitedWithFallback);
                cx.note(Note::GaveUp { request: id, group: name, because, wait: Span::ZERO });
                return Step::Raised(exception);
            }
        }
        if rules.retry_skips_refusers
            && let Some(deployment) = exception.deployment.map(|id| cx.plan.deployment(id).twin)
            && exception.error.status.is_some_and(|status| !may_go_away(status))
            && !frame.skipped.contains(&deployment)
        {
            frame.skipped.push(deployment);
        }
        let newest = if rules.rechecks_each_failure { exception } else { frame.first };
        let (failed, all) = (frame.failed_retries, frame.all);
        if i64::from(failed) < budget.retries && !self.retry_tokens.take() {
            let because = GiveUpReason::RetryBudget;
            cx.note(Note::GaveUp { request: id, group: name, because, wait: Span::ZERO });
            return Step::Raised(newest);
        }
        request.retry_count += 1;
        self.retries = (self.retries + 1).min(RETRIES_REMEMBERED);
        let (wait, why) = wait(cx, &newest, failed, healthy, all);
        if i64::from(failed) >= budget.retries {
            let because = GiveUpReason::RetriesExhausted;
            cx.note(Note::GaveUp { request: id, group: name, because, wait });
            return self.pause(cx, slot, wait, Phase::AfterLast(newest), Step::Raised(newest));
        }
        cx.note(Note::Retrying {
            request: id,
            retry: failed + 1,
            of: budget.retries.clamp(0, i64::from(u32::MAX)) as u32,
            wait,
            because: why,
            number_from: budget.from,
        });
        self.pause(cx, slot, wait, Phase::BeforeAttempt, Step::Attempt)
    }

    /// Waits. LiteLLM waits even when there is nothing to wait for, and then lets others go first: those who got the
    /// place of the call that failed make theirs before it is retried.
    fn pause(&mut self, cx: &mut Context<'_>, slot: u32, wait: Span, phase: Phase, then: Step) -> Step {
        if wait.is_zero() {
            self.begin_reports(cx, slot);
        } else {
            self.deliver_reports_of_the_past(cx, slot);
        }
        if wait.is_zero() && self.served.is_empty() {
            return then;
        }
        let request = self.requests.at(slot);
        request.phase = phase;
        request.epoch = request.epoch.wrapping_add(1);
        let turn = Turn { slot, epoch: request.epoch };
        if wait.is_zero() {
            self.served.push_back(turn);
        } else {
            self.timers.set_wait(cx.now + wait, turn);
        }
        Step::Wait
    }
}

/// How many retries the first failure of a frame gives it.
fn budget(plan: &Plan, frame: &Frame, exception: &Exception) -> Budget {
    let rules = plan.rules();
    let request = frame.carried.as_ref().and_then(|carried| carried.num_retries);
    let own = plan.group_retry_policy(frame.name);
    let policy = own.or(plan.settings().retry_policy.as_ref());
    let off = rules.retry_policy_replaces_check && request == Some(0);
    if let Some(retries) = policy.filter(|_| !off).and_then(|policy| by_policy(rules, policy, exception)) {
        let from = if own.is_some() { RetriesFrom::GroupRetryPolicy } else { RetriesFrom::RetryPolicy };
        return Budget { retries, from, unchecked: rules.retry_policy_replaces_check };
    }
    let by_request = request.map(|retries| (retries, RetriesFrom::Request));
    let by_exception = exception.num_retries.map(|retries| {
        let own = exception.deployment.map(|id| plan.deployment(id).own_num_retries);
        let from = match own {
            Some(Some(_)) => RetriesFrom::Deployment,
            Some(None) if plan.settings().carried_num_retries == Some(retries) => RetriesFrom::Router,
            Some(None) | None => RetriesFrom::Exception,
        };
        (retries, from)
    });
    let (first, second) =
        if rules.request_retries_win { (by_request, by_exception) } else { (by_exception, by_request) };
    let (retries, from) = first.or(second).unwrap_or((plan.settings().num_retries.value, RetriesFrom::Router));
    Budget { retries, from, unchecked: false }
}

/// LiteLLM: `get_num_retries_from_retry_policy`.
fn by_policy(rules: &Rules, policy: &RetryPolicy, exception: &Exception) -> Option<i64> {
    use ErrorClass::*;
    let class = exception.error.class;
    let is = |fits: bool, value: Option<i64>| value.filter(|_| fits);
    if !rules.wide_retry_policy {
        return is(class.is_bad_request(), policy.bad_request)
            .or(is(class == AuthenticationError, policy.authentication))
            .or(is(class == Timeout, policy.timeout))
            .or(is(class == RateLimitError, policy.rate_limit))
            .or(is(class == ContentPolicyViolationError, policy.content_policy));
    }
    is(exception.error.status == Some(404), policy.not_found)
        .or(is(class == AuthenticationError, policy.authentication))
        .or(is(class == Timeout, policy.timeout))
        .or(is(class == RateLimitError, policy.rate_limit))
        .or(is(class == ContentPolicyViolationError, policy.content_policy))
        .or(is(class.is_bad_request(), policy.bad_request))
        .or(is(class.is_service_unavailable(), policy.service_unavailable))
        .or(is(class == InternalServerError, policy.internal_server))
        .or(policy.default)
}

/// LiteLLM: `should_retry_this_error`. Why an error is not retried, if it is not.
fn refuses(plan: &Plan, frame: &Frame, exception: &Exception, healthy: usize) -> Option<GiveUpReason> {
    use ErrorClass::*;
    let (rules, chains) = (plan.rules(), plan.chains());
    let (class, status) = (exception.error.class, exception.error.status);
    let asked = frame.carried.as_ref().and_then(|carried| carried.fallbacks.as_ref());
    let is_set = |list| chains.list(list, frame.lists()).is_some_and(|list| list.is_set);
    let configured =
        chains.list(FallbackList::Fallbacks, frame.lists()).is_some_and(|list| list.is_set && !list.is_empty);
    let has_fallbacks = asked.map_or(configured, |list| !list.is_empty());
    let by_status = rules.retries_by_status && status.is_some_and(|s| !may_go_away(s) && s != 401 && s != 403);
    let permission = rules.permission_needs_another && class == PermissionDeniedError;
    if class == ContextWindowExceededError && is_set(FallbackList::ContextWindow) {
        Some(GiveUpReason::ContextWindowFallback)
    } else if class == ContentPolicyViolationError && is_set(FallbackList::ContentPolicy) {
        Some(GiveUpReason::ContentPolicyFallback)
    } else if by_status || class == NotFoundError {
        Some(GiveUpReason::NotRetryable)
    } else if class == RateLimitError && healthy == 0 && has_fallbacks {
        Some(GiveUpReason::RateLimitedWithFallback)
    } else if (class == AuthenticationError || permission) && frame.all <= 1 {
        Some(GiveUpReason::AuthenticationAlone)
    } else if healthy == 0 {
        Some(GiveUpReason::NoneHealthy)
    } else {
        None
    }
}

/// LiteLLM: `_time_to_sleep_before_retry`, `calculate_retry_after`.
fn wait(
    cx: &mut Context<'_>,
    exception: &Exception,
    failed_retries: u32,
    healthy: usize,
    all: usize,
) -> (Span, WaitReason) {
    if all != 1 && healthy > 0 {
        return (Span::ZERO, WaitReason::AnotherIsHealthy);
    }
    let jitter = JITTER * cx.entropy.unit(Draw::Jitter);
    match exception.retry_after.seconds(cx.now) {
        Some(seconds @ 1..=RETRY_AFTER_MAX) => (Span::from_secs_f64(seconds as f64 + jitter), WaitReason::RetryAfter),
        _ => {
            let backoff = INITIAL_DELAY * f64::from(1_u32 << failed_retries.min(10));
            let least = cx.plan.settings().retry_after.value;
            (Span::from_secs_f64(backoff.max(least).min(MAX_DELAY) + jitter), WaitReason::Backoff)
        }
    }
}
