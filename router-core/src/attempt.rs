//! One attempt: a deployment is chosen, leave is asked for, and the call is made (LiteLLM: `_acompletion`).

use crate::candidates::{Found, Search};
use crate::config::{Number, RoutingStrategy};
use crate::cooldown::Failed;
use crate::entropy::Draw;
use crate::error::{ErrorClass, Exception, FailureKind, RetryAfter};
use crate::ids::{DeploymentId, NameId, RequestId};
use crate::mapping;
use crate::note::{Note, Selection};
use crate::output::{Outcome, Output};
use crate::plan::{Dialect, Plan};
use crate::quota::{Place, Refusal};
use crate::request::{Call, Carried, Phase, attempt_of};
use crate::router::{Context, Router};
use crate::strategy::{Called, Choice, NoChoice};
use crate::time::Span;
use crate::timers::Turn;

/// The longest `Retry-After` that OpenAI's client waits for; it does not call again for a longer one
/// (`MAX_RETRY_AFTER_DELAY`).
const CLIENT_WAIT_MAX: Span = Span::from_secs(120);

/// What is to be done next for a request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Step {
    /// Try a deployment.
    Attempt,
    /// An attempt failed: see whether to retry.
    Failed(Exception),
    /// The retry layer gave up: see whether to fall back.
    Raised(Exception),
    /// Try the next fallback target.
    NextTarget,
    /// A hop, or the request itself, has failed for good.
    HopFailed(Exception),
    /// The caller gets this.
    Answer(Outcome),
    /// Something outside has to happen first.
    Wait,
}

impl Router {
    /// Chooses a deployment and goes as far as it can with it.
    pub(crate) fn attempt(&mut self, cx: &mut Context<'_>, slot: u32) -> Step {
        let request = self.requests.at(slot);
        let n = request.attempts;
        request.attempts += 1;
        request.phase = Phase::Idle;
        let (id, name) = (request.id(), request.top().name);
        request.last_name = name;
        let selected = self.select(cx, slot);
        self.note_selection(cx, (id, n, name), selected.ok());
        let deployment = match selected {
            Ok(deployment) => deployment,
            Err(exception) => {
                let error = exception.error;
                // The strategy without an asynchronous form has no report either.
                if cx.plan.settings().routing_strategy.value != RoutingStrategy::UsageBased {
                    self.report_late(cx, slot, exception, true);
                }
                cx.note(Note::Failed {
                    request: id,
                    attempt: None,
                    n,
                    group: name,
                    deployment: None,
                    sent: false,
                    error,
                });
                return Step::Failed(exception);
            }
        };
        self.begin_call(cx, slot, n, deployment)
    }

    /// Tells everything about a selection, the newest, if somebody wants to know.
    pub(crate) fn note_selection(
        &self,
        cx: &mut Context<'_>,
        (request, n, group): (RequestId, u32, NameId),
        picked: Option<DeploymentId>,
    ) {
        if self.explains {
            cx.note(Note::Selected(Box::new(Selection {
                request,
                n,
                group,
                eligible: self.eligible.clone(),
                filtered: self.filtered.clone(),
                scores: self.scores.clone(),
                picked,
            })));
        }
    }

    /// Goes as far as it can with the deployment that was chosen for the n-th attempt of a request.
    pub(crate) fn begin_call(&mut self, cx: &mut Context<'_>, slot: u32, n: u32, deployment: DeploymentId) -> Step {
        let probe = self.half_open.is_tripped(cx.plan, deployment)
            && self.cooldowns.cooled_until(cx.plan, deployment, cx.now).is_none();
        if probe {
            self.half_open.enter(cx.plan, deployment);
        }
        let first = self.requests.get(slot).hedges.map(|first| self.requests.get(first).call.attempt);
        let request = self.requests.at(slot);
        let (id, name, stream) = (request.id(), request.top().name, request.stream);
        request.epoch = request.epoch.wrapping_add(1);
        let turn = Turn { slot, epoch: request.epoch };
        let timeout = timeout_of(cx.plan, deployment, request.top().carried.as_deref(), stream);
        request.call = Call {
            attempt: attempt_of(turn),
            n,
            group: name,
            deployment,
            started: cx.now,
            timeout,
            deadline: cx.now,
            opened: false,
            begun: false,
            first_chunk: None,
            chunks: 0,
            place: None,
            client_retries: match first {
                None => client_retries_of(cx.plan, deployment, request.top().carried.as_deref()),
                Some(_) => 0,
            },
            repetition: 0,
            hedge_at: None,
            probe,
        };
        if let Some(first) = first {
            cx.note(Note::Hedged { request: id, first, hedge: attempt_of(turn) });
        }
        cx.note(Note::Picked {
            request: id,
            attempt: attempt_of(turn),
            n,
            group: name,
            deployment,
            eligible: self.eligible.len() as u32,
            timeout,
        });
        if probe {
            cx.note(Note::Probes { request: id, attempt: attempt_of(turn), deployment });
        }
        if cx.plan.rules().pre_call_rpm {
            self.quota.count_start(cx.plan, deployment, cx.now);
        }
        match self.parallel.ask(cx.plan, deployment, turn, cx.now) {
            Place::Unlimited => self.make_call(cx, slot),
            Place::Taken(counter) => {
                self.requests.at(slot).call.place = Some(counter);
                self.make_call(cx, slot)
            }
            Place::InLine(counter) => {
                let request = self.requests.at(slot);
                request.call.place = Some(counter);
                request.phase = Phase::InLine;
                self.deliver_reports_of_the_past(cx, slot);
                Step::Wait
            }
            Place::Full => {
                let exception = Exception::new(ErrorClass::RateLimitError, Some(429));
                self.refuse(cx, slot, exception)
            }
        }
    }

    /// Finds the deployment for an attempt. Fills the buffers of the selection.
    pub(crate) fn select(&mut self, cx: &mut Context<'_>, slot: u32) -> Result<DeploymentId, Exception> {
        let request = self.requests.get(slot);
        let frame = request.top();
        let route = cx.plan.route(frame.name);
        let carried = frame.carried.as_deref();
        let has_it = request.hedges.map(|first| cx.plan.deployment(self.requests.get(first).call.deployment).twin);
        self.filtered.clear();
        self.scores.clear();
        let search = Search {
            plan: cx.plan,
            cooldowns: &self.cooldowns,
            half_open: &self.half_open,
            quota: &self.quota,
            budgets: &self.budgets,
            strategy: &mut *self.strategy,
            now: cx.now,
            route,
            prompt_tokens: request.prompt_tokens + request.continued_tokens,
            tags: carried.map_or(&[], |carried| &carried.tags),
            region: carried.and_then(|carried| carried.region),
            target_order: frame.target_order,
            excluded: &frame.excluded,
            skipped: &frame.skipped,
            has_it,
            filtered: self.explains.then_some(&mut self.filtered),
        };
        let counts_tokens = search.counts_tokens();
        let found = search.run(&mut self.eligible);
        if counts_tokens {
            // The tokens are counted in a thread, and others go first.
            self.deliver_reports_of_the_past(cx, slot);
        }
        let request = self.requests.get(slot);
        let frame = request.top();
        match found {
            Ok(Found::Candidates) => {}
            Ok(Found::Pinned(deployment)) => {
                self.eligible.push(deployment);
                return Ok(deployment);
            }
            Err(exception) => {
                self.eligible.clear();
                return Err(with_retry_hint(exception, cx, &self.cooldowns, &route.members));
            }
        }
        let choice = Choice {
            plan: cx.plan,
            quota: &self.quota,
            now: cx.now,
            group: frame.name,
            resolved: route.resolved,
            candidates: &self.eligible,
            prompt_tokens: request.prompt_tokens + request.continued_tokens,
            stream: request.stream,
        };
        let scores = self.explains.then_some(&mut self.scores);
        match self.strategy.choose(&choice, cx.entropy, scores) {
            Ok(index) => Ok(self.eligible[index]),
            Err(no_choice) => {
                let exception = match no_choice {
                    NoChoice::NoneLeft => {
                        Exception::new(ErrorClass::RouterRateLimitError, cx.plan.rules().no_deployments_status)
                    }
                    NoChoice::RateLimited => Exception::own_limit(),
                    NoChoice::NotANumber => Exception::new(ErrorClass::TypeError, None),
                    NoChoice::NoWeight => Exception::new(ErrorClass::ZeroDivisionError, None),
                };
                Err(with_retry_hint(exception, cx, &self.cooldowns, &route.members))
            }
        }
    }

    /// Asks for leave and calls the deployment that was chosen. It has its place.
    pub(crate) fn make_call(&mut self, cx: &mut Context<'_>, slot: u32) -> Step {
        let request = self.requests.get(slot);
        let call = request.call;
        let (plan, now) = (cx.plan, cx.now);
        let called = Called { group: call.group, deployment: call.deployment };
        if self.strategy.admit(plan, &mut self.quota, called, now).is_err() {
            return self.refuse_by_limit(cx, slot, Exception::own_limit());
        }
        if plan.settings().enforce_model_rate_limits
            && let Err(refusal) = self.quota.admit(plan, called, now)
        {
            let mut exception = Exception::own_limit();
            if refusal == Refusal::PerMinute {
                // LiteLLM hangs "no retries" on it.
                exception.num_retries = Some(0);
            }
            return self.refuse_by_limit(cx, slot, exception);
        }
        let own = self.requests.get(slot).retry_count;
        let retry_count = if plan.rules().retries_counted_per_request { own } else { own.min(1) * self.retries };
        let cap = plan.settings().num_retries_per_request;
        let no_number = matches!(plan.deployment(call.deployment).own_num_retries, Some(Number::Not));
        if cap.is_some_and(|cap| retry_count > 0 && retry_count >= cap) || no_number && plan.rules().client_retries {
            let exception = Exception::new(ErrorClass::APIConnectionError, Some(500));
            // Nothing is known of the call when the cap strikes: the record still holds the one before.
            return self.fail_call(cx, slot, exception, if no_number { Failing::Unsent } else { Failing::Unprepared });
        }
        self.deliver_late_reports(cx, slot, Some(called));
        self.strategy.called(plan, called, now);
        let request = self.requests.at(slot);
        // What LiteLLM measures begins here: time in line does not count.
        request.call.started = now;
        request.last_call = Some(now);
        request.last_timeout = request.call.timeout;
        request.last_called = Some(call.deployment);
        self.dispatch(cx, slot);
        Step::Wait
    }

    /// Sends the call out.
    fn dispatch(&mut self, cx: &mut Context<'_>, slot: u32) {
        self.requests.at(slot).phase = Phase::Calling;
        let give_up_at = self.arm(cx, slot);
        self.arm_hedge(cx, slot);
        let request = self.requests.get(slot);
        self.in_flight[request.call.deployment.index()] += 1;
        cx.out.push(Output::Dispatch {
            request: request.id(),
            attempt: attempt_of(Turn { slot, epoch: request.epoch }),
            to: request.call.deployment,
            prompt_tokens: request.prompt_tokens + request.continued_tokens,
            output_tokens: request.output_tokens,
            stream: request.stream,
            give_up_at,
        });
    }

    /// Starts the timeout of a call anew; says when it will strike.
    pub(crate) fn arm(&mut self, cx: &Context<'_>, slot: u32) -> crate::Time {
        let request = self.requests.get(slot);
        let turn = Turn { slot, epoch: request.epoch };
        let length = request.call.timeout;
        let requests = &self.requests;
        let at = self.timers.set_deadline(cx.now, length, turn, |turn, at| requests.has_deadline(turn, at));
        self.requests.at(slot).call.deadline = at;
        at
    }

    /// A call was not answered in time.
    pub(crate) fn call_timed_out(&mut self, cx: &mut Context<'_>, slot: u32) -> Step {
        let request = self.requests.get(slot);
        let attempt = attempt_of(Turn { slot, epoch: request.epoch });
        cx.out.push(Output::Abort { attempt, to: request.call.deployment });
        let mut exception = Exception::from(mapping::TIMED_OUT);
        exception.stall = request.call.opened;
        exception.caller_timeout = request.caller_timeout;
        self.call_ended_badly(cx, slot, exception, None)
    }

    /// A call failed: within a stream that the caller reads, or within the attempt. `kind` is `None` for a timeout.
    pub(crate) fn call_ended_badly(
        &mut self,
        cx: &mut Context<'_>,
        slot: u32,
        exception: Exception,
        kind: Option<FailureKind>,
    ) -> Step {
        let call = self.requests.get(slot).call;
        self.in_flight[call.deployment.index()] -= 1;
        if call.begun {
            return self.stream_failed(cx, slot, exception);
        }
        let too_long = exception.retry_after.wait(cx.now).is_some_and(|wait| wait > CLIENT_WAIT_MAX);
        if call.client_retries > 0 && !call.opened && client_retries(kind) && !too_long {
            return self.wait_in_client(cx, slot, exception.retry_after);
        }
        self.fail_call(cx, slot, exception, Failing::Sent)
    }

    /// The HTTP client waits before it calls again by itself.
    fn wait_in_client(&mut self, cx: &mut Context<'_>, slot: u32, retry_after: RetryAfter) -> Step {
        let request = self.requests.at(slot);
        request.call.client_retries -= 1;
        let wait = match retry_after.wait(cx.now) {
            Some(wait) => wait,
            None => {
                let backoff = (0.5 * f64::from(1_u32 << request.call.repetition.min(8))).min(8.0);
                Span::from_secs_f64(backoff * (1.0 - 0.25 * cx.entropy.unit(Draw::ClientJitter)))
            }
        };
        request.call.repetition += 1;
        request.phase = Phase::ClientWait;
        request.epoch = request.epoch.wrapping_add(1);
        self.timers.set_wait(cx.now + wait, Turn { slot, epoch: request.epoch });
        Step::Wait
    }

    /// The HTTP client calls again.
    pub(crate) fn call_again(&mut self, cx: &mut Context<'_>, slot: u32) -> Step {
        let request = self.requests.get(slot);
        cx.note(Note::CalledAgain {
            request: request.id(),
            attempt: request.call.attempt,
            call: attempt_of(Turn { slot, epoch: request.epoch }),
            repetition: request.call.repetition,
        });
        self.dispatch(cx, slot);
        Step::Wait
    }

    /// The router itself refuses the call that was chosen: no failure of the deployment.
    fn refuse(&mut self, cx: &mut Context<'_>, slot: u32, mut exception: Exception) -> Step {
        self.give_place_back(cx, slot);
        let request = self.requests.get(slot);
        stamp(&mut exception, cx.plan, request.call.deployment);
        let call = request.call;
        cx.note(Note::Failed {
            request: request.id(),
            attempt: Some(call.attempt),
            n: call.n,
            group: call.group,
            deployment: Some(call.deployment),
            sent: false,
            error: exception.error,
        });
        Step::Failed(exception)
    }

    /// A limit per minute or day refuses the call. LiteLLM weighs that for a cooldown, with the router's own length.
    fn refuse_by_limit(&mut self, cx: &mut Context<'_>, slot: u32, exception: Exception) -> Step {
        let step = self.refuse(cx, slot, exception);
        self.report_late(cx, slot, exception, false);
        let request = self.requests.get(slot);
        let failed = Failed {
            deployment: request.call.deployment,
            exception,
            length: cx.plan.settings().cooldown_time.value,
            requested: None,
        };
        let id = request.id();
        self.weigh(cx, id, failed, true);
        step
    }

    /// The attempt failed.
    fn fail_call(&mut self, cx: &mut Context<'_>, slot: u32, mut exception: Exception, failing: Failing) -> Step {
        let request = self.requests.at(slot);
        request.phase = Phase::Idle;
        let (id, call) = (request.id(), request.call);
        stamp(&mut exception, cx.plan, call.deployment);
        exception.num_retries = exception.num_retries.or(cx.plan.settings().carried_num_retries);
        cx.note(Note::Failed {
            request: id,
            attempt: Some(call.attempt),
            n: call.n,
            group: call.group,
            deployment: Some(call.deployment),
            sent: failing == Failing::Sent,
            error: exception.error,
        });
        if failing == Failing::Unprepared {
            self.report_to_the_past(cx, slot, exception);
        } else if call.opened {
            self.report_broken_stream(cx, slot, exception.unmapped());
        } else {
            self.report_failure(cx, slot, &exception);
        }
        if call.probe && failing == Failing::Sent {
            self.probe_failed(cx, slot, &exception);
        }
        self.give_place_back(cx, slot);
        Step::Failed(exception)
    }

    /// Gives the deployment's place back, if the call has one.
    pub(crate) fn give_place_back(&mut self, cx: &Context<'_>, slot: u32) {
        self.end_probe(cx, slot);
        if let Some(counter) = self.requests.at(slot).call.place.take()
            && let Some(next) = self.parallel.give_back(counter)
        {
            self.served.push_back(next);
        }
    }

    /// The call is no probe any longer, if it was one.
    pub(crate) fn end_probe(&mut self, cx: &Context<'_>, slot: u32) {
        let call = &mut self.requests.at(slot).call;
        if std::mem::take(&mut call.probe) {
            let deployment = call.deployment;
            self.half_open.leave(cx.plan, deployment);
            self.wake_waiting(cx, deployment);
        }
    }
}

/// How far a call got that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Failing {
    /// The upstream was called.
    Sent,
    /// It was not.
    Unsent,
    /// It was not, and not even the record of the call was begun.
    Unprepared,
}

/// LiteLLM: `_set_deployment_num_retries_on_exception`, `_set_failed_deployment_id_on_exception`.
pub(crate) fn stamp(exception: &mut Exception, plan: &Plan, deployment: DeploymentId) {
    exception.deployment = exception.deployment.or(Some(deployment));
    if exception.num_retries.is_none()
        && let Some(Number::Is(own)) = plan.deployment(deployment).own_num_retries
    {
        exception.num_retries = Some(own as i64);
    }
}

/// LiteLLM: `_get_timeout`. A 0 counts as not set.
fn timeout_of(plan: &Plan, deployment: DeploymentId, carried: Option<&Carried>, stream: bool) -> Span {
    let deployment = plan.deployment(deployment);
    let truthy = |value: Option<f64>| value.filter(|&value| value != 0.0).map(Span::from_secs_f64);
    let asked = |get: fn(&Carried) -> Option<f64>| carried.and_then(|carried| truthy(get(carried)));
    let streamed =
        || asked(|carried| carried.stream_timeout).or(deployment.stream_timeout.map(|timeout| timeout.value));
    stream
        .then(streamed)
        .flatten()
        .or_else(|| asked(|carried| carried.timeout))
        .or_else(|| asked(|carried| carried.request_timeout))
        .unwrap_or(deployment.timeout.value)
}

/// How often the HTTP client calls again by itself: as the deployment's `num_retries` says, else the request's
/// `max_retries`. Only OpenAI's client does.
fn client_retries_of(plan: &Plan, deployment: DeploymentId, carried: Option<&Carried>) -> u32 {
    let deployment = plan.deployment(deployment);
    if !plan.rules().client_retries || !matches!(deployment.dialect, Dialect::OpenAi | Dialect::Azure) {
        return 0;
    }
    match deployment.own_num_retries {
        Some(Number::Is(retries)) => retries.max(0.0) as u32,
        _ => carried
            .and_then(|carried| carried.max_retries)
            .or(plan.settings().default_max_retries)
            .map_or(0, |retries| retries.max(0) as u32),
    }
}

/// Whether OpenAI's client calls again after such a failure.
fn client_retries(kind: Option<FailureKind>) -> bool {
    match kind {
        None | Some(FailureKind::Refused | FailureKind::Reset) => true,
        Some(FailureKind::Status { code, .. }) => matches!(code, 408 | 409 | 429 | 500..),
        Some(FailureKind::Malformed | FailureKind::Truncated) => false,
    }
}

/// Tells the proxy's client when to come back, of "no deployments available".
fn with_retry_hint(
    mut exception: Exception,
    cx: &Context<'_>,
    cooldowns: &crate::cooldown::Cooldowns,
    members: &[DeploymentId],
) -> Exception {
    if exception.error.class == ErrorClass::RouterRateLimitError && cx.plan.rules().tells_retry_after {
        let shortest = cooldowns.shortest(cx.plan, members, cx.now).filter(|&length| length != 0.0);
        let seconds = shortest.unwrap_or(cx.plan.settings().cooldown_time.value);
        exception.error.client_retry_after = Some(Span::from_secs(seconds.ceil() as u64));
    }
    exception
}
