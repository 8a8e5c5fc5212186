//! The laws at work: each step of a proxy is read once, in order, against the shared books.

use std::collections::BTreeSet;
use std::sync::Arc;

use router_core::{
    AttemptId, CooldownReason, DeploymentId, FullDeployment, Mode, NameId, Note, Outcome, Plan, RequestId, Time, View,
};

use super::attempts::Failure;
use super::attempts_bounded::Purse;
use super::cooldowns::{Due, Recount};
use super::counters_at_rest::Busy;
use super::defects::{Defect, Defects};
use super::law::{Breaches, Law};
use super::learned::Learned;
use super::ledger::{Call, Calling, End, Hedge, Ledger, Open, Own, Picked};
use super::names::Names;
use super::quota_admitted::{Keeper, Usage};
use super::retry_wait::Jitter;
use super::spend_adds_up::Spend;
use super::strategy_kept::Shares;
use super::{counters_at_rest, hung_up, max_parallel, nothing_forgotten, one_answer, primary_error, timeout_exact};
use crate::actor::{Effect, Event, Message, Reply, Step, Watcher};

/// Watches that one proxy keeps every law, and sees what its release is known to do wrong.
#[derive(Clone, Debug)]
pub struct Laws {
    /// Behind a handle of its own, whose count no other thread's run changes.
    #[expect(clippy::redundant_allocation, reason = "the outer count is this run's own, the inner one is shared")]
    pub(super) plan: Arc<Arc<Plan>>,
    pub(super) names: Arc<Names>,
    pub(super) ledger: Ledger,
    pub(super) recount: Recount,
    pub(super) usage: Usage,
    pub(super) spend: Spend,
    pub(super) busy: Option<Busy>,
    pub(super) learned: Option<Learned>,
    pub(super) shares: Option<Shares>,
    /// Some limit per minute is kept by the router.
    pub(super) limits: bool,
    /// Calls that were decided on and are still to be made.
    pub(super) picked: Picked,
    /// What pays for retries and hedges, where something must.
    pub(super) purse: Option<Purse>,
    /// The request that has just come, until the purse is filled for it.
    pub(super) fills: Option<RequestId>,
    /// The request that one of its two calls was just answered for, and the deployment whose probe just failed.
    pub(super) won: Option<RequestId>,
    pub(super) failed_probe: Option<DeploymentId>,
    /// How the call ended that this step's reply is about, and the one that was hung up on last.
    pub(super) replied: Option<(Call, End)>,
    pub(super) hung_up: Option<(Call, End)>,
    /// What the failure that was counted last must lead to, if that can be told.
    pub(super) expected: Option<(RequestId, DeploymentId, Option<Due>)>,
    pub(super) jitter: Jitter,
    /// Who is left to be picked: a list whose memory is used again.
    pub(super) left: Vec<DeploymentId>,
    pub(super) breaches: Breaches,
    pub(super) defects: Defects,
}

impl Laws {
    /// A watch over a proxy with this plan, from its first request on.
    pub fn new(plan: Arc<Plan>) -> Self {
        let mut ledger = Ledger::default();
        ledger.in_flight = vec![0; plan.deployments().len()];
        let names = Names::new(&plan);
        let purse = plan.what_if().retry_budget.map(Purse::new);
        let usage = Usage::new(&plan);
        Self {
            recount: Recount::new(&plan),
            limits: usage.keeper() != Keeper::Nobody || plan.settings().enforce_model_rate_limits,
            usage,
            spend: Spend::new(&plan),
            // What a request carries from a map on is not followed, and so neither is whose failures count.
            busy: Busy::new(&plan).filter(|_| !names.maps),
            // For whom else a request was hedged in vain, nobody says, and yet the strategy has looked at them.
            learned: Learned::new(&plan).filter(|_| !names.maps && plan.what_if().hedge_after.is_none()),
            shares: Shares::new(&plan, &names),
            names: Arc::new(names),
            plan: Arc::new(plan),
            ledger,
            picked: Picked::default(),
            purse,
            fills: None,
            won: None,
            failed_probe: None,
            replied: None,
            hung_up: None,
            expected: None,
            jitter: Jitter::default(),
            left: Vec::new(),
            breaches: Breaches::default(),
            defects: Defects::default(),
        }
    }

    /// The same watch for another run, from its first request on, with nothing shared that changes.
    pub fn again(&self) -> Self {
        Self { plan: Arc::new(Arc::clone(&self.plan)), ..self.clone() }
    }

    /// What was broken.
    pub fn breaches(&self) -> &Breaches {
        &self.breaches
    }

    /// What showed of the release's known defects.
    pub fn defects(&self) -> &Defects {
        &self.defects
    }

    /// What was broken, and what showed of the release's known defects.
    pub fn into_parts(self) -> (Breaches, Defects) {
        (self.breaches, self.defects)
    }

    /// Looks at what is left open at the end of a run, and compares the router's own books with it.
    pub fn finish(&mut self, end: Time, router: Option<View<'_>>) {
        let plan = Arc::clone(&self.plan);
        let Self { ledger, breaches, .. } = self;
        let lines = plan.rules().full_deployment == FullDeployment::Waits;
        let calling: BTreeSet<RequestId> = ledger.calls().map(|call| call.request).collect();
        let places = ledger.places();
        for (id, open) in ledger.requests.iter() {
            let calls = calling.contains(&id);
            let taken = open.picked.and_then(|whom| max_parallel::taken(&plan, &places, whom, end));
            let line = lines && taken.is_none_or(|(taken, cap)| taken >= cap);
            if let Some(what) = nothing_forgotten::at_end(open, calls, line, end) {
                breaches.add(Law::NothingForgotten, end, Some(id), None, || what.to_owned());
            }
        }
        for call in ledger.calls() {
            if let Some(what) = timeout_exact::at_end(end, call.deadline) {
                breaches.add(Law::TimeoutExact, end, Some(call.request), Some(call.deployment), || what.to_owned());
            }
        }
        for (deployment, what) in self.shares.iter().flat_map(|shares| shares.at_end(&plan, &self.names)) {
            breaches.add(Law::StrategyKept, end, None, Some(deployment), || what);
        }
        if let Some(what) = self.jitter.at_end() {
            breaches.add(Law::RetryWait, end, None, None, || what);
        }
        let Some(view) = router else { return };
        for (id, &open) in (0..).map(DeploymentId).zip(&ledger.in_flight) {
            if let Some(what) = counters_at_rest::at_end("calls", view.in_flight(id) as usize, open as usize) {
                breaches.add(Law::CountersAtRest, end, None, Some(id), || what);
            }
        }
        for id in (0..plan.deployments().len() as u32).map(DeploymentId) {
            let (counted, probes) = (view.probes(id), self.recount.probes(&plan, id));
            if let Some(what) = counters_at_rest::at_end("probes", counted as usize, probes as usize) {
                breaches.add(Law::CountersAtRest, end, None, Some(id), || what);
            }
        }
        if let Some(what) = counters_at_rest::at_end("requests", view.requests_under_way(), ledger.requests.len()) {
            breaches.add(Law::CountersAtRest, end, None, None, || what);
        }
        self.compare_busy(end, view);
    }

    /// What least-busy routing counts at the end, against what it was told, and against the truth.
    fn compare_busy(&mut self, end: Time, view: View<'_>) {
        let Some(busy) = &self.busy else { return };
        for name in (0..self.plan.name_count() as u32).map(NameId) {
            for &id in &self.names.of(name).members {
                let told = busy.count(&self.plan, name, id, end);
                let counted = view.believed_in_flight(name, id, end).unwrap_or(told);
                if let Some(what) = counters_at_rest::of_busy(counted, told) {
                    self.breaches.add(Law::CountersAtRest, end, None, Some(id), || what);
                }
                let open = i64::from(self.ledger.in_flight[id.index()]);
                if told > open {
                    self.defects.add(Defect::LeastBusyLeak, end, None, Some(id), || {
                        format!(
                            "{told} calls are counted for {} at the end, and {open} are under way",
                            self.plan.name(name)
                        )
                    });
                }
            }
        }
    }

    pub(super) fn broken(
        &mut self,
        law: Law,
        at: Time,
        request: RequestId,
        deployment: Option<DeploymentId>,
        what: impl FnOnce() -> String,
    ) {
        self.breaches.add(law, at, Some(request), deployment, what);
    }

    fn arrived(&mut self, request: RequestId, ask: &router_core::Ask) {
        let refused = self.plan.mode() == Mode::Proxy && self.names.of(ask.model).members.is_empty();
        // What was due before it is done first, and pays before the purse is filled.
        self.fills = Some(request).filter(|_| self.purse.is_some() && !refused);
        let own = ask.params.as_deref().map_or(Own::default(), Own::of);
        if ask.stream {
            // Whose failures are counted is another story for streams.
            (self.busy, self.learned) = (None, None);
        }
        let mut open = self.ledger.requests.place();
        open.renew(ask.model, own, !ask.stream, ask.prompt_tokens);
        if let Some(params) = ask.params.as_deref() {
            open.tags.clone_from(&params.tags);
            open.region = params.region;
        }
        self.ledger.requests.open(request, open);
    }

    /// Fills the purse for the request that has just come, before anything is done for it: with `Some`, if that is the one.
    fn fill(&mut self, request: Option<RequestId>) {
        if let Some(came) = self.fills
            && request.is_none_or(|request| request == came)
        {
            self.fills = None;
            if let Some(purse) = &mut self.purse {
                purse.fill();
            }
        }
    }

    fn news(&mut self, at: Time, attempt: AttemptId, reply: &Reply) {
        let late = |call: &Call| call.deadline.is_some_and(|deadline| deadline <= at);
        // A call whose timeout strikes at the moment of its answer has timed out.
        let Some(call) = self.ledger.call(attempt).filter(|call| !late(call)) else { return };
        self.ledger.end_call(attempt);
        let end = match *reply {
            Reply::Answered { usage, content_filter } => End::Answered { usage, content_filter },
            Reply::Failed { failure, .. } => End::Failed(failure),
        };
        self.ended(call.request, at, end);
        self.replied = Some((call, end));
    }

    fn call(&mut self, at: Time, attempt: AttemptId, deployment: DeploymentId) {
        let request = self.picked.remove(attempt);
        let is_open = request.is_some_and(|request| self.ledger.requests.get(request).is_some());
        if let Some(what) = one_answer::of_call(request.is_some(), is_open) {
            return self.breaches.add(Law::OneAnswer, at, request, Some(deployment), || what.to_owned());
        }
        let Some(request) = request else { return };
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let own = open.own.timeout;
        let deadline = open.plain.then(|| at + own.unwrap_or(self.plan.deployment(deployment).timeout.value));
        let name = open.frames.top().name;
        if open.hedge_of(Some(attempt)).is_some() {
            self.count_call(at, request, (name, deployment));
        } else {
            open.calling = Calling::Yes;
        }
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        open.call = Some(attempt);
        // The provider's own client may call again within an attempt, which nobody counts.
        if open.attempt == Some(attempt) {
            if self.plan.rules().retries_counted_per_request {
                self.capped(at, request, deployment, true);
            }
            self.first_call(at, request, (name, deployment));
        }
        self.ledger.begin_call(Call { attempt, request, deployment, deadline });
        let taken = max_parallel::taken(&self.plan, &self.ledger.in_flight, deployment, at);
        if let Some(what) = taken.and_then(max_parallel::of_call) {
            self.broken(Law::MaxParallel, at, request, Some(deployment), || what);
        }
    }

    fn first_call(&mut self, at: Time, request: RequestId, (name, deployment): (NameId, DeploymentId)) {
        self.deliver_late(at, request, (name, deployment));
        self.weighed(at);
        self.count_call(at, request, (name, deployment));
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        open.last_call = Some(at);
        open.last_called = Some(deployment);
        open.last_name = name;
    }

    /// The strategy hears of a call, and the limits count it.
    fn count_call(&mut self, at: Time, request: RequestId, (name, deployment): (NameId, DeploymentId)) {
        if let Some(busy) = &mut self.busy {
            busy.add(&self.plan, name, deployment, 1, at);
        }
        if let Some(what) = self.usage.called(&self.plan, deployment, at) {
            self.broken(Law::QuotaAdmitted, at, request, Some(deployment), || what);
        }
    }

    fn hang_up(&mut self, at: Time, attempt: AttemptId, cancelled: Option<RequestId>) {
        let call = self.ledger.end_call(attempt);
        if let Some(what) = hung_up::of_hangup(call.is_some()) {
            return self.breaches.add(Law::HungUp, at, None, None, || what.to_owned());
        }
        let Some(call) = call else { return };
        let due = call.deadline.filter(|_| cancelled != Some(call.request) && self.won != Some(call.request));
        if let Some(what) = due.and_then(|deadline| timeout_exact::of_hangup(at, deadline)) {
            self.broken(Law::TimeoutExact, at, call.request, Some(call.deployment), || what);
        }
        self.ended(call.request, at, End::TimedOut);
        self.hung_up = Some((call, End::TimedOut));
    }

    /// A call of a request ended, and the provider's own client may call again.
    fn ended(&mut self, request: RequestId, at: Time, end: End) {
        if self.plan.rules().client_retries
            && let Some((_, open)) = self.ledger.requests.get(request)
        {
            open.ended = Some((at, end));
        }
    }

    fn answer(&mut self, at: Time, request: RequestId, outcome: &Outcome) {
        let Some((_, open)) = self.ledger.requests.close(request) else {
            return self
                .broken(Law::OneAnswer, at, request, None, || "an answer to a request that is not open".to_owned());
        };
        self.left_over(at, request, &open, hung_up::of_answered);
        match outcome {
            Outcome::Answered(answered) => {
                let told = one_answer::of_answer(request, answered, self.replied.as_ref());
                if let Some(what) = told.filter(|_| open.plain) {
                    self.broken(Law::OneAnswer, at, request, Some(answered.by), || what.to_owned());
                }
            }
            Outcome::Failed(error) => {
                if open.calling != Calling::No {
                    let what = "answered while its call is under way";
                    self.broken(Law::HungUp, at, request, None, || what.to_owned());
                }
                // Nothing serves the name: the proxy refuses it before its router is asked.
                let unserved = self.plan.mode() == Mode::Proxy && self.names.of(open.asked).members.is_empty();
                let told = primary_error::of_answer(open.frames.bottom().raised, error, unserved);
                if let Some(what) = told.filter(|_| open.plain) {
                    self.broken(Law::PrimaryError, at, request, None, || what);
                }
            }
        }
        self.ledger.requests.give_back(open);
    }

    fn note(&mut self, at: Time, note: &Note) {
        match *note {
            Note::Picked { request, attempt, n, group, deployment, eligible, .. } => {
                self.fill(Some(request));
                self.picked(at, request, attempt, (group, deployment), (n, eligible));
            }
            Note::CalledAgain { request, call, repetition, .. } => self.called_again(at, request, call, repetition),
            Note::Failed { request, attempt, n, group, deployment, sent, error } => match deployment {
                Some(whom) => self.failed(at, request, (group, whom), Failure { attempt, sent, error }),
                None => {
                    self.fill(Some(request));
                    self.nobody(at, request, group, (n, error));
                }
            },
            Note::Succeeded { request, attempt, deployment, usage } => {
                let Some((_, open)) = self.ledger.requests.get(request) else { return };
                open.calling = Calling::No;
                if matches!(self.replied, Some((call, End::Answered { content_filter: true, .. })) if call.request == request)
                {
                    self.filtered(at, request, deployment, false);
                }
                let Some((_, open)) = self.ledger.requests.get(request) else { return };
                self.won = open.hedge.map(|_| request);
                let call = (open.frames.top().name, open.last_call);
                let probe = match open.hedge_of(Some(attempt)) {
                    Some(hedge) => hedge.probe.take(),
                    None => open.probe.take(),
                };
                self.probe_ends(at, probe, true);
                self.answered(at, call, deployment, usage);
            }
            Note::Hedged { request, hedge: attempt, .. } => {
                if let Some((_, open)) = self.ledger.requests.get(request) {
                    open.hedge = Some(Hedge { attempt, picked: None, probe: None });
                }
                self.paid(at, request);
            }
            Note::AwaitsCooldown { request, until, .. } => self.awaits(at, request, until),
            Note::Retrying { request, retry, of, wait, .. } => self.decided(at, request, Ok((retry, of)), wait),
            Note::GaveUp { request, because, wait, .. } => self.decided(at, request, Err(because), wait),
            Note::FellBack { request, from, to, list, .. } => self.fell_back(at, request, from, to, list),
            Note::FallbackExhausted { request, because, .. } => self.exhausted(at, request, because),
            Note::Cooled { request, deployment, length, until, because: CooldownReason::ProbeFailed, .. } => {
                self.told_of_probe(at, request, deployment, (length, until));
            }
            Note::Cooled { request, deployment, length, until, .. } => {
                self.told(at, request, deployment, Some((length, until)));
            }
            Note::NotCooled { request, deployment, .. } => self.told(at, request, deployment, None),
            Note::StreamEnded { .. } | Note::Selected(_) | Note::Probes { .. } => {}
        }
    }

    /// The caller of a request has gone.
    fn cancelled(&mut self, at: Time, request: RequestId) {
        let Some((_, open)) = self.ledger.requests.close(request) else { return };
        // Counted only for who stands in line, which is seldom.
        let stands = open.calling == Calling::InLine && self.plan.rules().full_deployment == FullDeployment::Waits;
        let taken = open.picked.filter(|_| stands);
        let taken = taken.and_then(|whom| max_parallel::taken(&self.plan, &self.ledger.places(), whom, at));
        let free = taken.is_some_and(|(taken, cap)| taken < cap);
        let calls = open.call.is_some_and(|call| self.ledger.call(call).is_some()) || self.hung_up.is_some();
        if let Some(what) = nothing_forgotten::of_cancelled(&open, calls, free, at) {
            self.broken(Law::NothingForgotten, at, request, None, || what.to_owned());
        }
        self.left_over(at, request, &open, hung_up::of_cancelled);
        self.ledger.requests.give_back(open);
    }

    /// A request is over, and whatever call of its is still under way must not be.
    fn left_over(&mut self, at: Time, request: RequestId, open: &Open, law: fn(bool) -> Option<&'static str>) {
        self.probe_ends(at, open.probe, false);
        self.probe_ends(at, open.hedge.and_then(|hedge| hedge.probe), false);
        let calls = [open.attempt, open.hedge.map(|hedge| hedge.attempt)];
        for attempt in calls.into_iter().flatten() {
            self.picked.remove(attempt);
            if let Some(what) = law(self.ledger.call(attempt).is_some()) {
                self.broken(Law::HungUp, at, request, open.picked, || what.to_owned());
            }
        }
    }

    /// Whatever a request probes, it does not any longer.
    fn probes_end(&mut self, at: Time, request: RequestId) {
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let probes = [open.probe.take(), open.hedge.as_mut().and_then(|hedge| hedge.probe.take())];
        probes.into_iter().for_each(|probe| self.probe_ends(at, probe, false));
    }

    /// A probe is over, if there is one.
    pub(super) fn probe_ends(&mut self, at: Time, probe: Option<DeploymentId>, succeeded: bool) {
        if let Some(deployment) = probe {
            self.recount.end_probe(&self.plan, deployment, succeeded, at);
        }
    }
}

impl Watcher for Laws {
    fn watch(&mut self, step: &Step<'_>) {
        let at = step.at;
        let mut cancelled = None;
        match step.event {
            Event::Wake if step.effects.is_empty() => return,
            Event::Wake => {}
            Event::Message { message, .. } => match message {
                Message::Ask { request, ask } => self.arrived(*request, ask),
                Message::Cancel { request } => {
                    cancelled = Some(*request);
                    // Whoever waits for its probes to end goes on within this step.
                    self.probes_end(at, *request);
                }
                Message::Reply { attempt, reply } => self.news(at, *attempt, reply),
                // A client's step, or an upstream's.
                Message::Answer { .. } | Message::Call { .. } | Message::Hangup { .. } => return,
            },
        }
        for effect in step.effects {
            match effect {
                Effect::Note(note) => self.note(at, note),
                Effect::Send { message, .. } => match message {
                    Message::Call { attempt, deployment, .. } => self.call(at, *attempt, *deployment),
                    Message::Hangup { attempt, .. } => self.hang_up(at, *attempt, cancelled),
                    Message::Answer { request, outcome } => self.answer(at, *request, outcome),
                    Message::Ask { .. } | Message::Cancel { .. } | Message::Reply { .. } => {}
                },
                Effect::Ended(_) | Effect::FaultStruck { .. } => {}
            }
        }
        if let Some(request) = cancelled {
            self.cancelled(at, request);
        }
        self.weighed(at);
        self.fill(None);
        (self.replied, self.hung_up) = (None, None);
        (self.won, self.failed_probe) = (None, None);
    }
}
