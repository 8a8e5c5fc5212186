//! What LiteLLM's callbacks make of a call that is over: usage, latencies, counts, cooldowns.

use crate::attempt::{Step, stamp};
use crate::config::Mode;
use crate::cooldown::{Failed, is_eligible};
use crate::entropy::Draw;
use crate::error::{ErrorClass, Exception};
use crate::ids::RequestId;
use crate::input::{Answered, Usage};
use crate::note::{CooldownReason, NotCooledReason, Note};
use crate::output::Outcome;
use crate::plan::Plan;
use crate::request::{LateReport, Phase, Tried};
use crate::router::{Context, Router};
use crate::strategy::{Called, Success};
use crate::time::{Span, Time};

impl Router {
    /// A call that is not streamed was answered.
    pub(crate) fn call_finished(
        &mut self,
        cx: &mut Context<'_>,
        slot: u32,
        usage: Usage,
        content_filter: bool,
    ) -> Step {
        let request = self.requests.at(slot);
        request.phase = Phase::Idle;
        let (id, call) = (request.id(), request.call);
        self.in_flight[call.deployment.index()] -= 1;
        self.probe_succeeded(cx, slot);
        self.give_place_back(cx, slot);
        self.report_success(cx, slot, usage);
        if content_filter && self.blocked_answer_falls_back(cx.plan, slot) {
            let mut exception = Exception::new(ErrorClass::ContentPolicyViolationError, Some(400));
            stamp(&mut exception, cx.plan, call.deployment);
            cx.note(Note::Failed {
                request: id,
                attempt: Some(call.attempt),
                n: call.n,
                group: call.group,
                deployment: Some(call.deployment),
                sent: true,
                error: exception.error,
            });
            return Step::Failed(exception);
        }
        cx.note(Note::Succeeded { request: id, attempt: call.attempt, deployment: call.deployment, usage });
        Step::Answer(Outcome::Answered(Answered { by: call.deployment, usage }))
    }

    /// Whether an answer that a content filter stopped is turned into an error, because somebody else could answer
    /// (LiteLLM: `_should_raise_content_policy_error`).
    fn blocked_answer_falls_back(&self, plan: &Plan, slot: u32) -> bool {
        let request = self.requests.get(slot);
        let chains = plan.chains();
        if !chains.content_policy.is_set {
            return chains.first_default.is_some() || chains.default_is_map;
        }
        let name = request.top().name;
        let original = plan.rules().resumes_original_chain.then_some(request.name);
        let found = chains.content_policy.find(name).or_else(|| chains.content_policy.find(original?));
        found.is_some_and(|found| {
            let tried = |name| request.tried.contains(&Tried::Name(name));
            let mut targets = chains.targets(found.chain).iter();
            !plan.rules().remembers_targets || targets.any(|target| target.model.is_none_or(|name| !tried(name)))
        })
    }

    /// LiteLLM: the success callbacks.
    pub(crate) fn report_success(&mut self, cx: &mut Context<'_>, slot: u32, usage: Usage) {
        let request = self.requests.get(slot);
        let call = request.call;
        // Behind the proxy, a stream's time is counted from when the request came in.
        let began = if request.stream && cx.plan.mode() == Mode::Proxy { request.arrived } else { call.started };
        let success = Success {
            seconds: cx.now.since(began).as_secs_f64(),
            first_chunk_seconds: request.stream.then(|| call.first_chunk.unwrap_or(cx.now).since(began).as_secs_f64()),
            usage,
            counted_tokens: if request.stream && !cx.plan.rules().counts_stream_tokens { 0 } else { usage.total() },
        };
        let called = Called { group: call.group, deployment: call.deployment };
        self.strategy.succeeded(cx.plan, &mut self.quota, called, &success, cx.now);
        if cx.plan.settings().enforce_model_rate_limits {
            self.quota.charge(cx.plan, called, success.counted_tokens, cx.now);
        }
        self.budgets.pay(cx.plan, call.deployment, usage, cx.now);
        self.cooldowns.count_success(cx.plan, call.deployment, cx.now);
    }

    /// LiteLLM: the failure callbacks. Behind the proxy they run once per request.
    pub(crate) fn report_failure(&mut self, cx: &mut Context<'_>, slot: u32, exception: &Exception) {
        let request = self.requests.get(slot);
        let (id, call) = (request.id(), request.call);
        if request.failure_logged {
            let because = NotCooledReason::AlreadyCounted;
            return cx.note(Note::NotCooled { request: id, deployment: call.deployment, because });
        }
        self.mark_failure_logged(cx, slot);
        let called = Called { group: call.group, deployment: call.deployment };
        self.strategy.failed(cx.plan, called, exception.error.class, cx.now);
        if is_callers_timeout(cx.plan, exception) {
            let because = NotCooledReason::CallerTimeout;
            return cx.note(Note::NotCooled { request: id, deployment: call.deployment, because });
        }
        self.cooldowns.count_failure(cx.plan, call.deployment, cx.now);
        let length = cooldown_length(cx.plan, call.deployment, exception, cx.now);
        let failed = Failed { deployment: call.deployment, exception: *exception, length, requested: Some(call.group) };
        self.weigh(cx, id, failed, false);
    }

    /// A failure whose call is not on the record yet, which still tells of the one before it. In process, each call has a
    /// record of its own.
    pub(crate) fn report_to_the_past(&mut self, cx: &mut Context<'_>, slot: u32, exception: Exception) {
        let request = self.requests.at(slot);
        if cx.plan.mode() == Mode::Sdk {
            self.report_failure(cx, slot, &exception);
        } else if !request.failure_logged {
            request.late_reports.push(LateReport { exception, nobody: false, of: None, strategy_knows: false });
            self.deliver_reports_of_the_past(cx, slot);
            self.mark_failure_logged(cx, slot);
        }
    }

    /// A stream broke before its first chunk was passed on. Where that is reported on a record of its own, nobody waits
    /// for the report, and it does not keep later failures from being reported.
    pub(crate) fn report_broken_stream(&mut self, cx: &mut Context<'_>, slot: u32, exception: Exception) {
        let request = self.requests.at(slot);
        if !cx.plan.rules().broken_streams_have_own_record || request.failure_logged {
            return self.report_failure(cx, slot, &exception);
        }
        let of = Some(Called { group: request.call.group, deployment: request.call.deployment });
        request.late_reports.push(LateReport { exception, nobody: false, of, strategy_knows: false });
    }

    /// Nobody could be chosen, a limit refused the call, or a stream broke that somebody else goes on with: behind the
    /// proxy, that is a failure that the callbacks hear of, by way of [`Router::deliver_late_reports`].
    pub(crate) fn report_late(&mut self, cx: &Context<'_>, slot: u32, exception: Exception, nobody: bool) {
        let request = self.requests.at(slot);
        if cx.plan.mode() == Mode::Proxy && !request.failure_logged {
            request.late_reports.push(LateReport { exception, nobody, of: None, strategy_knows: false });
            self.mark_failure_logged(cx, slot);
        }
    }

    /// Such a report is a task that LiteLLM starts but does not wait for. When the request goes on at once
    /// with another deployment, the task runs when that one's call is prepared, and takes the failure for that one's:
    /// least-busy routing takes one call off before it puts one on, and a rate limit that nobody was chosen for cools
    /// a deployment that has not been called yet. When the request does not go on, the failure is taken for that of
    /// the deployment that was called last, under the name that was called now.
    pub(crate) fn deliver_late_reports(&mut self, cx: &mut Context<'_>, slot: u32, to: Option<Called>) {
        while let Some(LateReport { exception, nobody, of, strategy_knows }) = self.requests.at(slot).late_reports.pop()
        {
            let Some(called) = of.or(to) else { continue };
            if !strategy_knows {
                self.strategy.failed(cx.plan, called, exception.error.class, cx.now);
            }
            if nobody && cx.plan.rules().marks_selection_failures {
                continue;
            }
            let id = self.requests.get(slot).id();
            let deployment = called.deployment;
            self.cooldowns.count_failure(cx.plan, deployment, cx.now);
            let length = cooldown_length(cx.plan, deployment, &exception, cx.now);
            self.weigh(cx, id, Failed { deployment, exception, length, requested: Some(called.group) }, false);
        }
    }

    /// Delivers the reports that are still to come when a request waits or ends.
    pub(crate) fn deliver_reports_of_the_past(&mut self, cx: &mut Context<'_>, slot: u32) {
        if !self.requests.get(slot).late_reports.is_empty() {
            let to = self.called_last(slot);
            self.deliver_late_reports(cx, slot, to);
        }
    }

    /// A request lets others go first, but does not wait: where the report begins in a task and ends in a thread, the
    /// strategy hears of it now, and the cooldowns when the next call is under way.
    pub(crate) fn begin_reports(&mut self, cx: &mut Context<'_>, slot: u32) {
        let whole = |report: &LateReport| report.strategy_knows || report.of.is_some();
        let begun = self.requests.get(slot).late_reports.iter().any(whole);
        if begun || !cx.plan.rules().reports_end_in_thread {
            return self.deliver_reports_of_the_past(cx, slot);
        }
        let called = self.called_last(slot);
        for report in &mut self.requests.at(slot).late_reports {
            report.strategy_knows = true;
            if let Some(called) = called {
                self.strategy.failed(cx.plan, called, report.exception.error.class, cx.now);
            }
        }
    }

    /// Whom the request called last, under the name that it calls now.
    fn called_last(&self, slot: u32) -> Option<Called> {
        let request = self.requests.get(slot);
        request.last_called.map(|deployment| Called { group: request.last_name, deployment })
    }

    fn mark_failure_logged(&mut self, cx: &Context<'_>, slot: u32) {
        let request = self.requests.at(slot);
        let once = !request.stream || cx.plan.rules().streams_count_one_failure;
        if cx.plan.mode() == Mode::Proxy && once {
            request.failure_logged = true;
            request.logged_call = request.last_call;
        }
    }

    /// Behind the proxy, newer releases weigh the final error of a hop by itself, for its failures are not reported.
    pub(crate) fn weigh_failed_hop(&mut self, cx: &mut Context<'_>, slot: u32, exception: &Exception) {
        let request = self.requests.get(slot);
        // LiteLLM asks how long the newest call took by now, whichever call the error is of.
        let callers = request.caller_timeout
            && cx.plan.rules().caller_timeouts_exempt
            && exception.error.status == Some(408)
            && request.last_call.is_some_and(|call| cx.now.since(call) >= request.last_timeout);
        if !cx.plan.rules().weighs_failed_hops
            || !request.failure_logged
            || request.last_call == request.logged_call
            || exception.stall
            || callers
        {
            return;
        }
        let Some(deployment) = exception.deployment else { return };
        let id = request.id();
        self.cooldowns.count_failure(cx.plan, deployment, cx.now);
        let length = cooldown_length(cx.plan, deployment, exception, cx.now);
        self.weigh(cx, id, Failed { deployment, exception: *exception, length, requested: None }, false);
    }

    /// Starts a cooldown, or does not.
    pub(crate) fn weigh(&mut self, cx: &mut Context<'_>, request: RequestId, failed: Failed, own_limit: bool) {
        match self.cooldowns.weigh(cx.plan, failed, cx.now) {
            Ok(reason) => self.cool(cx, request, failed, if own_limit { CooldownReason::OwnLimit } else { reason }),
            Err(because) => cx.note(Note::NotCooled { request, deployment: failed.deployment, because }),
        }
    }

    fn cool(&mut self, cx: &mut Context<'_>, request: RequestId, failed: Failed, because: CooldownReason) {
        let Failed { deployment, exception, mut length, .. } = failed;
        if let Some(jitter) = cx.plan.what_if().cooldown_jitter {
            length *= 1.0 + jitter * cx.entropy.unit(Draw::CooldownJitter);
        }
        let until = self.cooldowns.cool(cx.plan, deployment, length, cx.now);
        self.half_open.trip(cx.plan, deployment);
        let (length, error) = (Span::from_secs_f64(length), exception.error);
        cx.note(Note::Cooled { request, deployment, length, until, error, because });
    }

    /// A probe failed: the deployment rests again, unless the failure says nothing about its health.
    pub(crate) fn probe_failed(&mut self, cx: &mut Context<'_>, slot: u32, exception: &Exception) {
        let request = self.requests.get(slot);
        let (id, deployment) = (request.id(), request.call.deployment);
        let rests = self.cooldowns.cooled_until(cx.plan, deployment, cx.now).is_some();
        let length = cooldown_length(cx.plan, deployment, exception, cx.now);
        if rests || length <= 0.0 || is_callers_timeout(cx.plan, exception) || !is_eligible(cx.plan, exception) {
            return;
        }
        let failed = Failed { deployment, exception: *exception, length, requested: None };
        self.cool(cx, id, failed, CooldownReason::ProbeFailed);
    }

    /// A call succeeded: if it was a probe, its deployment is there for everybody again.
    pub(crate) fn probe_succeeded(&mut self, cx: &Context<'_>, slot: u32) {
        let call = &self.requests.get(slot).call;
        if call.probe && self.cooldowns.cooled_until(cx.plan, call.deployment, cx.now).is_none() {
            self.half_open.close(cx.plan, call.deployment);
        }
    }
}

/// A timeout that the caller chose, where that is an excuse.
fn is_callers_timeout(plan: &Plan, exception: &Exception) -> bool {
    plan.rules().caller_timeouts_exempt && plan.mode() == Mode::Proxy && exception.caller_timeout
}

/// How long a deployment would rest: as it says, else as the answer says, else as the router says.
fn cooldown_length(plan: &Plan, deployment: crate::DeploymentId, exception: &Exception, now: Time) -> f64 {
    let asked = exception.retry_after.seconds(now).filter(|&seconds| seconds >= 0).map(|seconds| seconds as f64);
    plan.deployment(deployment).own_cooldown_time.or(asked).unwrap_or(plan.settings().cooldown_time.value)
}
