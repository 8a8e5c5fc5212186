//! The router: what it is made of, and what it does with each piece of news.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::attempt::Step;
use crate::budget::Budgets;
use crate::cooldown::Cooldowns;
use crate::entropy::Entropy;
use crate::error::{Exception, Failure, FailureKind};
use crate::half_open::HalfOpen;
use crate::ids::{AttemptId, DeploymentId, RequestId};
use crate::input::{Ask, Input, Usage};
use crate::mapping;
use crate::note::{Filter, Note, WakeReason};
use crate::output::{Outcome, Output};
use crate::plan::Plan;
use crate::quota::{Parallel, Quota};
use crate::request::{Carried, Phase, Requests};
use crate::retry_budget::RetryTokens;
use crate::strategy::{self, Strategy};
use crate::time::Time;
use crate::timers::{Due, Timers, Turn};
use crate::view::View;

/// The LiteLLM Router as a state machine.
///
/// News goes in through [`Router::handle`], which appends everything that is decided because of it to the caller's
/// buffer; nothing stays behind. Time is what the caller says it is, and never goes back. When the router wants to be
/// woken although nothing happens is told by [`Router::next_wake`]; waking it too early does nothing, and so does news
/// of attempts and requests that are over.
#[derive(Debug)]
pub struct Router {
    /// Behind a handle of its own: routers on several threads may share a plan, and each step takes a handle. Were it the shared
    /// one, its count would travel between the processor's cores at every step.
    #[expect(clippy::redundant_allocation, reason = "the outer count is the router's own, the inner one is shared")]
    plan: Arc<Arc<Plan>>,
    pub(crate) requests: Requests,
    pub(crate) timers: Timers,
    pub(crate) cooldowns: Cooldowns,
    pub(crate) quota: Quota,
    pub(crate) budgets: Budgets,
    pub(crate) parallel: Parallel,
    pub(crate) strategy: Box<dyn Strategy>,
    /// Retries and hops of all requests together, as far as older releases remember them.
    pub(crate) retries: i64,
    /// What pays for retries, and who is half open: nothing and nobody, as long as the plan supposes nothing.
    pub(crate) retry_tokens: RetryTokens,
    pub(crate) half_open: HalfOpen,
    /// Calls under way, by deployment.
    pub(crate) in_flight: Vec<u32>,
    /// Calls that stood in line and have a place now.
    pub(crate) served: VecDeque<Turn>,
    /// Whether somebody wants to know everything about selections.
    pub(crate) explains: bool,
    /// Buffers of the selection.
    pub(crate) eligible: Vec<DeploymentId>,
    pub(crate) filtered: Vec<(DeploymentId, Filter)>,
    pub(crate) scores: Vec<(DeploymentId, f64)>,
}

/// What one step is taken with.
pub(crate) struct Context<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) now: Time,
    pub(crate) entropy: &'a mut dyn Entropy,
    pub(crate) out: &'a mut Vec<Output>,
}

impl Context<'_> {
    /// Makes a note.
    pub(crate) fn note(&mut self, note: Note) {
        self.out.push(Output::Note(note));
    }
}

impl Router {
    /// A router that has not seen a request yet. Its caches begin at [`Time::ZERO`].
    pub fn new(plan: impl Into<Arc<Plan>>) -> Self {
        let plan: Arc<Plan> = plan.into();
        Self {
            requests: Requests::default(),
            timers: Timers::default(),
            cooldowns: Cooldowns::new(&plan),
            quota: Quota::new(&plan),
            budgets: Budgets::new(&plan),
            parallel: Parallel::new(&plan),
            strategy: strategy::new(&plan),
            retries: 0,
            retry_tokens: RetryTokens::new(&plan),
            half_open: HalfOpen::new(&plan),
            in_flight: vec![0; plan.deployments().len()],
            served: VecDeque::new(),
            explains: false,
            eligible: Vec::new(),
            filtered: Vec::new(),
            scores: Vec::new(),
            plan: Arc::new(plan),
        }
    }

    /// Whether to make a [`Note::Selected`] of each selection, which costs time and memory.
    pub fn explain(&mut self, on: bool) {
        self.explains = on;
    }

    /// Takes one step: everything the router decides because of `input` is appended to `out`. Whatever waits for a
    /// time that is not after `now` comes first: a call whose timeout strikes at the moment of its answer timed out.
    pub fn handle(&mut self, now: Time, input: Input, entropy: &mut dyn Entropy, out: &mut Vec<Output>) {
        let plan = Arc::clone(&self.plan);
        let cx = &mut Context { plan: &plan, now, entropy, out };
        self.pass_time(cx);
        match input {
            Input::Arrived { request, ask } => self.on_arrived(cx, request, ask),
            Input::Opened { attempt } => self.on_opened(cx, attempt),
            Input::Chunk { attempt } => self.on_chunk(cx, attempt),
            Input::Finished { attempt, usage, content_filter } => self.on_finished(cx, attempt, usage, content_filter),
            Input::Failed { attempt, failure } => self.on_failed(cx, attempt, failure),
            Input::Cancelled { request } => self.on_cancelled(cx, request),
            Input::Wake => {}
        }
        self.serve_lines(cx);
        let requests = &self.requests;
        self.timers.drop_dead(|turn, at| requests.has_deadline(turn, at), |turn| requests.waits(turn));
    }

    /// When [`Input::Wake`] is next due, and what for.
    pub fn next_wake(&self) -> Option<(Time, WakeReason)> {
        let (at, is_wait) = self.timers.next()?;
        Some((at, if is_wait { WakeReason::Backoff } else { WakeReason::Timeout }))
    }

    /// A look inside, for checkers and reports.
    pub fn view(&self) -> View<'_> {
        View::new(self)
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    fn on_arrived(&mut self, cx: &mut Context<'_>, id: RequestId, ask: Ask) {
        self.retry_tokens.fill();
        let slot = self.requests.begin(id);
        let request = self.requests.at(slot);
        request.name = ask.model;
        request.prompt_tokens = ask.prompt_tokens;
        request.continued_tokens = 0;
        request.output_tokens = ask.output_tokens;
        request.stream = ask.stream;
        request.arrived = cx.now;
        let params = ask.params.as_deref();
        request.caller_timeout = params.is_some_and(|params| {
            params.timeout.is_some() || params.request_timeout.is_some() || params.stream_timeout.is_some()
        });
        let carried = params.map(|params| Carried::merge(None, params));
        request.push(ask.model, 0, None, carried);
        self.advance(cx, slot, Step::Attempt);
    }

    fn on_opened(&mut self, cx: &mut Context<'_>, attempt: AttemptId) {
        if let Some(slot) = self.requests.calling(attempt) {
            self.stream_opened(cx, slot);
        }
    }

    fn on_chunk(&mut self, cx: &mut Context<'_>, attempt: AttemptId) {
        if let Some(slot) = self.requests.calling(attempt) {
            self.stream_chunk(cx, slot);
        }
    }

    fn on_finished(&mut self, cx: &mut Context<'_>, attempt: AttemptId, usage: Usage, content_filter: bool) {
        let Some(slot) = self.requests.calling(attempt) else { return };
        if self.requests.get(slot).stream {
            self.stream_finished(cx, slot, usage);
        } else {
            let step = self.call_finished(cx, slot, usage, content_filter);
            self.advance(cx, slot, step);
        }
    }

    fn on_failed(&mut self, cx: &mut Context<'_>, attempt: AttemptId, failure: Failure) {
        let Some(slot) = self.requests.calling(attempt) else { return };
        let call = self.requests.get(slot).call;
        if failure.kind == FailureKind::Truncated && call.begun && !cx.plan.rules().truncation_is_error {
            // Nobody notices.
            let request = self.requests.get(slot);
            let usage = Usage {
                prompt_tokens: request.prompt_tokens + request.continued_tokens,
                completion_tokens: 2 * call.chunks + 1,
            };
            return self.stream_finished(cx, slot, usage);
        }
        let dialect = cx.plan.deployment(call.deployment).dialect;
        let mut exception = Exception::from(mapping::exception_of(dialect, &failure, call.opened, cx.plan.rules()));
        exception.retry_after = failure.retry_after;
        let step = self.call_ended_badly(cx, slot, exception, Some(failure.kind));
        self.advance(cx, slot, step);
    }

    fn on_cancelled(&mut self, cx: &mut Context<'_>, id: RequestId) {
        let Some(slot) = self.requests.find(id) else { return };
        self.drop_hedge(cx, slot);
        self.drop_call(cx, slot);
        self.requests.end(slot);
    }

    /// Lets everything happen that is due.
    fn pass_time(&mut self, cx: &mut Context<'_>) {
        while let Some(due) = self.timers.take_due(cx.now) {
            let (Due::Deadline(turn) | Due::Wait(turn)) = due;
            let Some(step) = self.take_turn(cx, turn) else { continue };
            self.advance(cx, turn.slot, step);
            self.serve_lines(cx);
        }
    }

    /// What a request does whose turn it is, if it still waits for that turn.
    fn take_turn(&mut self, cx: &mut Context<'_>, turn: Turn) -> Option<Step> {
        let request = self.requests.get(turn.slot);
        if request.epoch != turn.epoch {
            return None;
        }
        match request.phase {
            Phase::Calling if request.call.deadline <= cx.now => Some(self.call_timed_out(cx, turn.slot)),
            Phase::Calling if request.call.hedge_at.is_some_and(|at| at <= cx.now) => {
                self.hedge(cx, turn.slot);
                None
            }
            Phase::ClientWait => Some(self.call_again(cx, turn.slot)),
            Phase::BeforeAttempt | Phase::AwaitingCooldown => Some(Step::Attempt),
            Phase::AfterLast(exception) => Some(Step::Raised(exception)),
            Phase::InLine => Some(self.make_call(cx, turn.slot)),
            Phase::Calling | Phase::Idle | Phase::AfterHedge(_) => None,
        }
    }

    /// Gives those their turn that have got a place, and those that let them go first.
    fn serve_lines(&mut self, cx: &mut Context<'_>) {
        while let Some(turn) = self.served.pop_front() {
            if let Some(step) = self.take_turn(cx, turn) {
                self.advance(cx, turn.slot, step);
            }
        }
    }

    /// Takes steps until the request waits for something or is over.
    pub(crate) fn advance(&mut self, cx: &mut Context<'_>, slot: u32, mut step: Step) {
        loop {
            step = match step {
                Step::Attempt => self.attempt(cx, slot),
                Step::Failed(exception) => {
                    let request = self.requests.get(slot);
                    match (request.hedge, request.hedges) {
                        (None, None) => self.after_failure(cx, slot, exception),
                        (Some(_), _) => return self.await_hedge(slot, exception),
                        (None, Some(first)) => return self.hedge_failed(cx, slot, first),
                    }
                }
                Step::Raised(exception) => self.resolve_fallback(cx, slot, exception),
                Step::NextTarget => self.next_target(cx, slot),
                Step::HopFailed(exception) => self.hop_failed(cx, slot, exception),
                Step::Answer(outcome) => return self.answer(cx, slot, outcome),
                Step::Wait => return,
            }
        }
    }

    /// The request is over.
    pub(crate) fn answer(&mut self, cx: &mut Context<'_>, slot: u32, outcome: Outcome) {
        if let Some(first) = self.requests.get(slot).hedges {
            return self.hedge_answered(cx, slot, first, outcome);
        }
        self.drop_hedge(cx, slot);
        cx.out.push(Output::Answer { request: self.requests.get(slot).id(), outcome });
        self.requests.end(slot);
    }
}
