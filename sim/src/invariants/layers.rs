//! What laws see of the retry and fallback layers: whether they go on, and where.

use std::sync::Arc;

use router_core::{ErrorClass, FallbackList, GiveUpReason, Mode, NameId, NoFallback, RequestId, Span, Time};

use super::attempts_bounded::Purse;
use super::defects::Defect;
use super::fallback_order::{chain, due, list_for};
use super::law::Law;
use super::ledger::{Calling, Frame};
use super::watch::Laws;
use super::{attempts_bounded, fallback_depth, fallback_order, not_retried, retries, retry_wait};

impl Laws {
    /// The retry layer goes on, with this retry of so many, or gives up, after it waited for so long.
    pub(super) fn decided(
        &mut self,
        at: Time,
        request: RequestId,
        decision: Result<(u32, u32), GiveUpReason>,
        wait: Span,
    ) {
        let goes_on = decision.is_ok();
        self.left_open(at, request);
        self.weighed(at);
        let unpaid = decision == Err(GiveUpReason::RetryBudget) && self.purse.is_some();
        if goes_on {
            self.paid(at, request);
        } else if unpaid && let Some(what) = self.purse.and_then(|purse| purse.of_want()) {
            self.broken(Law::AttemptsBounded, at, request, None, || what.to_owned());
        }
        let Some(name) = self.ledger.requests.get(request).map(|(_, open)| open.frames.top().name) else { return };
        let (healthy, all) = self.health(name, at);
        let plan = &*self.plan;
        let rules = plan.rules();
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let (own, plain) = (&open.own, open.plain);
        let frame = open.frames.top();
        let Some(newest) = frame.newest else { return };
        let is_first = frame.first.is_none();
        let first = *frame.first.get_or_insert(newest);
        if is_first {
            frame.budget = retries::budget(plan, name, own, &newest);
        }
        let raised = if rules.rechecks_each_failure { newest } else { first };
        frame.raised = Some(raised);
        frame.typed = matches!(
            raised.error.class,
            ErrorClass::ContextWindowExceededError | ErrorClass::ContentPolicyViolationError
        );
        let retries = frame.attempts.saturating_sub(1);
        let budget = frame.budget;
        let checked = (is_first || rules.rechecks_each_failure) && !budget.is_some_and(|(_, policy)| policy);
        let reason = retries::refused(plan, &newest, healthy, all).filter(|_| checked);
        let refused = reason.is_some();
        let spent = is_first && budget.is_some_and(|(budget, _)| budget <= 0);
        let silent = !goes_on && (refused || spent || unpaid);
        let (least, most) =
            if silent { (Span::ZERO, Span::ZERO) } else { retries::wait(plan, &raised, retries, healthy, all) };
        // Where the number of retries is unknown, so is whether the end is waited for.
        let untold = budget.is_some().then(|| retry_wait::of_wait((at, least, most), at + wait)).flatten();
        frame.wait = budget.is_some().then_some((at, wait, wait));
        if budget.is_some() && plain && untold.is_none() {
            self.jitter.add((at, least, most), at + wait);
        }
        let refuser = newest.deployment.map(|id| plan.deployment(id).twin).filter(|_| {
            let lasts = newest.error.status.is_some_and(|status| !retries::passes(status));
            goes_on && rules.retry_skips_refusers && lasts
        });
        frame.refused.extend(refuser);
        open.spent += i64::from(!silent);
        if silent {
            frame.wait = Some((at, Span::ZERO, Span::ZERO));
        } else if wait.is_zero() {
            self.begin_late(at, request);
        } else {
            self.deliver_late_to_the_last(at, request);
        }
        if !goes_on && !wait.is_zero() {
            self.defects.add(Defect::WaitsBeforeGivingUp, at, Some(request), newest.deployment, || {
                format!("waits {:.1} s after the last retry, and then fails", wait.as_secs_f64())
            });
        }
        if !plain {
            return;
        }
        if let Some(what) = untold {
            self.broken(Law::RetryWait, at, request, None, || what);
        }
        let class = newest.error.class.name();
        let told = match budget {
            _ if goes_on && refused => Some((Law::NotRetried, not_retried::of_retry(class, healthy, all))),
            Some((most, _)) if let Ok(told) = decision => attempts_bounded::of_retry(retries, most)
                .or_else(|| attempts_bounded::of_count(told, retries, most))
                .map(|what| (Law::AttemptsBounded, what)),
            Some((most, _)) if !refused && !unpaid && i64::from(retries) < most => {
                attempts_bounded::of_giving_up(retries, most, class).map(|what| (Law::AttemptsBounded, what))
            }
            Some(_) => decision.err().and_then(|told| {
                let due =
                    reason.unwrap_or(if spent { GiveUpReason::NoRetries } else { GiveUpReason::RetriesExhausted });
                not_retried::of_reason(told, due).map(|what| (Law::NotRetried, what))
            }),
            _ => None,
        };
        if let Some((law, what)) = told {
            self.broken(law, at, request, newest.deployment, || what);
        }
    }

    /// A retry is made, or a hedge: out of the budget, if there is one.
    pub(super) fn paid(&mut self, at: Time, request: RequestId) {
        if let Some(what) = self.purse.as_mut().and_then(Purse::pay) {
            self.broken(Law::AttemptsBounded, at, request, None, || what.to_owned());
        }
    }

    /// A request waits for a cooldown to end, and then begins again.
    pub(super) fn awaits(&mut self, at: Time, request: RequestId, until: Time) {
        let what_if = *self.plan.what_if();
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let since = *open.awaits_since.get_or_insert(at);
        open.begin_again();
        // A probe that ends sooner ends the wait.
        let wait = until.since(at);
        let least = if what_if.half_open.is_some() { Span::ZERO } else { wait };
        open.frames.top().wait = Some((at, least, wait));
        if let Some(what) = retry_wait::of_rest(since, until, what_if.wait_for_cooldown) {
            self.broken(Law::RetryWait, at, request, None, || what);
        }
    }

    /// A fallback is tried.
    pub(super) fn fell_back(&mut self, at: Time, request: RequestId, from: NameId, to: NameId, list: FallbackList) {
        self.waited(at, request);
        let plan = Arc::clone(&self.plan);
        let maps = self.names.maps;
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let partial = matches!(list, FallbackList::Order | FallbackList::WeightedFailover);
        let configured = !partial && list != FallbackList::Request;
        open.spent += 1;
        let remembers = plan.rules().remembers_targets;
        let (asked, disabled) = (open.asked, open.own.disable_fallbacks);
        let plain = open.plain;
        let top = open.frames.top();
        let depth = top.depth;
        let mut fits = top.name == from && !disabled && (!partial || to == from);
        if configured && !maps {
            let chain = chain(&plan, from, asked, list);
            let next = top.next_target;
            if remembers && !open.tried.contains(&from) {
                open.tried.push(from);
            }
            let tried = if remembers { &open.tried[..] } else { &[] };
            let due = due(chain, next, from, tried);
            fits &= due.is_some_and(|(_, model)| model == to);
            open.frames.top().next_target = due.map_or(next, |(index, _)| index + 1);
            if remembers {
                open.tried.push(to);
            }
        }
        open.plain &= !maps;
        let top = open.frames.top();
        top.hops += 1;
        let inner = top.depth + top.hops;
        let failover = list == FallbackList::WeightedFailover;
        let mut hop = Frame { failover, ..Frame::new(to, inner, partial) };
        if failover {
            let failed = top.raised.and_then(|seen| seen.deployment).map(|id| plan.deployment(id).twin);
            top.failed_over.extend(failed.filter(|failed| !top.failed_over.contains(failed)));
        }
        hop.failed_over.clone_from(&top.failed_over);
        hop.excluded.clone_from(if failover { &top.failed_over } else { &top.excluded });
        if list == FallbackList::Order {
            // The levels above the one at work, rising, each of them once.
            let mut orders: Vec<i64> = plan.listed(from).iter().filter_map(|&id| plan.deployment(id).order).collect();
            orders.sort_unstable();
            let reached = top.level.or(orders.first().copied());
            let is_due = |level: &i64| Some(*level) > reached && !open.levels.contains(&(from, *level));
            hop.level = orders.into_iter().find(is_due);
            fits &= hop.level.is_some();
            open.levels.extend(hop.level.map(|level| (from, level)));
        }
        open.frames.push(hop);
        if let Some(what) = fallback_order::of_step(&plan, fits, from, to) {
            self.broken(Law::FallbackOrder, at, request, None, || what);
        }
        let most = plan.settings().max_fallbacks.value;
        if let Some(what) = fallback_depth::of_step(depth, most).filter(|_| plain) {
            self.broken(Law::FallbackDepth, at, request, None, || what);
        }
    }

    /// A layer has failed for good.
    pub(super) fn exhausted(&mut self, at: Time, request: RequestId, because: NoFallback) {
        self.waited(at, request);
        self.passed_over(at, request, because);
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        open.calling = Calling::No;
        let Some(hop) = open.frames.pop() else { return self.deliver_late_to_the_last(at, request) };
        let under = open.frames.top();
        // A walk through the levels of a group fails with what came last; the rest of a group leaves only errors of Python's
        // own to it.
        let pythons = hop.raised.is_some_and(|seen| {
            matches!(seen.error.class, ErrorClass::ValueError | ErrorClass::TypeError | ErrorClass::ZeroDivisionError)
        });
        if if hop.failover { pythons } else { self.names.of(under.name).levels && !under.typed } {
            under.raised = hop.raised;
        }
        let counted = open.reported && open.last_call != open.reported_call;
        let plain = open.plain;
        // LiteLLM asks how long the newest call took by now, whichever call the error is of.
        let timed_out = open.last_call.zip(open.last_called).is_some_and(|(since, last)| {
            at.since(since) >= open.own.timeout.unwrap_or(self.plan.deployment(last).timeout.value)
        });
        let asked = open.own.set_timeout && timed_out;
        let Some(seen) = hop.raised else { return };
        let Some(deployment) = seen.deployment else { return };
        let excused = asked && seen.error.status == Some(408) && self.plan.rules().caller_timeouts_exempt;
        if !self.plan.rules().weighs_failed_hops || self.plan.mode() != Mode::Proxy || excused {
            return;
        }
        if !plain {
            self.expect(at, request, deployment, None);
        } else if counted {
            self.recount.failed(&self.plan, deployment, at);
            self.weigh(at, request, deployment, &seen, None);
        }
    }

    /// Whether a fallback was due when a layer says that none is left.
    fn passed_over(&mut self, at: Time, request: RequestId, because: NoFallback) {
        let plan = Arc::clone(&self.plan);
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let (own, asked) = (open.own, open.asked);
        let top = open.frames.top();
        let (name, depth, next, partial, raised) = (top.name, top.depth, top.next_target, top.partial, top.raised);
        let judged = open.plain
            && !self.names.maps
            && own.fallbacks.is_none()
            && !own.disable_fallbacks
            && !partial
            && !plan.settings().enable_weighted_failover;
        if !judged {
            return;
        }
        if depth >= plan.settings().max_fallbacks.value {
            return;
        }
        let list = list_for(&plan, raised);
        let tried = if plan.rules().remembers_targets { &open.tried[..] } else { &[] };
        let left = due(chain(&plan, name, asked, list), next, name, tried);
        if because == NoFallback::Disabled || left.is_some() {
            let what = match left {
                Some((_, left)) => fallback_order::of_end(&plan, name, left),
                None => "no fallback, for the request forbids them, it says, and it does not".to_owned(),
            };
            self.broken(Law::FallbackOrder, at, request, None, || what);
        }
    }
}
