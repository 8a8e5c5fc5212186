//! The laws at work: each step of a proxy is read once, in order, against the shared books.

use std::collections::BTreeMap;
use std::sync::Arc;

use router_core::{
    AttemptId, DeploymentId, Error, ErrorClass, FallbackList, Mode, NameId, Note, Outcome, Plan, RequestId, RetryAfter,
    RoutingStrategy, Span, Time, View, exception_of,
};

use super::cooldowns::{Due, Recount};
use super::law::{Breaches, Law};
use super::ledger::{Call, Calling, End, Frame, Ledger, Open, Own, Seen};
use super::names::Names;
use super::retries;
use crate::actor::{Effect, Event, Message, Reply, Step, Watcher};

/// How long LiteLLM keeps a limiter of parallel requests before it makes a new one, which knows nothing of the old.
const LIMITER_LIFE: Span = Span::from_secs(600);

/// Watches that one proxy keeps every law.
#[derive(Clone, Debug)]
pub struct Laws {
    plan: Arc<Plan>,
    names: Names,
    ledger: Ledger,
    recount: Recount,
    /// Calls that were decided on and are still to be made.
    picked: BTreeMap<AttemptId, RequestId>,
    /// How the call ended that this step's reply is about, and the one that was hung up on last.
    replied: Option<(Call, End)>,
    hung_up: Option<(Call, End)>,
    /// What the failure that was counted last must lead to.
    expected: Option<(RequestId, DeploymentId, Due)>,
    breaches: Breaches,
}

impl Laws {
    /// A watch over a proxy with this plan, from its first request on.
    pub fn new(plan: Arc<Plan>) -> Self {
        let mut ledger = Ledger::default();
        ledger.in_flight = vec![0; plan.deployments().len()];
        Self {
            names: Names::new(&plan),
            recount: Recount::new(&plan),
            plan,
            ledger,
            picked: BTreeMap::new(),
            replied: None,
            hung_up: None,
            expected: None,
            breaches: Breaches::default(),
        }
    }

    /// What was broken.
    pub fn breaches(&self) -> &Breaches {
        &self.breaches
    }

    /// Looks at what is left open at the end of a run, and compares the router's own books with it.
    pub fn finish(&mut self, end: Time, router: Option<View<'_>>) {
        let Self { ledger, breaches, .. } = self;
        for (id, open) in ledger.requests.iter() {
            if open.is_forgotten(end) {
                breaches.add(Law::NothingForgotten, end, Some(*id), None, || {
                    "open at the end of the run, without a call or a wait".to_owned()
                });
            }
        }
        for call in ledger.calls().filter(|call| call.deadline.is_some_and(|deadline| deadline < end)) {
            breaches.add(Law::TimeoutExact, end, Some(call.request), Some(call.deployment), || {
                "still open at the end of the run, past its timeout".to_owned()
            });
        }
        let Some(view) = router else { return };
        for (id, &open) in (0..).map(DeploymentId).zip(&ledger.in_flight) {
            let counted = view.in_flight(id);
            if counted != open {
                breaches.add(Law::CountersAtRest, end, None, Some(id), || {
                    format!("the router counts {counted} calls under way at the end, and there are {open}")
                });
            }
        }
        let (counted, open) = (view.requests_under_way(), ledger.requests.len());
        if counted != open {
            breaches.add(Law::CountersAtRest, end, None, None, || {
                format!("the router counts {counted} requests under way at the end, and there are {open}")
            });
        }
    }

    fn broken(
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
        let own = ask.params.as_deref().map_or(Own::default(), Own::of);
        self.ledger.requests.open(request, (request, Open::new(ask.model, own, !ask.stream)));
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
        self.replied = Some((call, end));
    }

    fn call(&mut self, at: Time, attempt: AttemptId, deployment: DeploymentId) {
        let Some(request) = self.picked.remove(&attempt) else {
            return self
                .breaches
                .add(Law::OneAnswer, at, None, Some(deployment), || "a call that no request was to make".to_owned());
        };
        let Some((_, open)) = self.ledger.requests.get(request) else {
            return self.broken(Law::OneAnswer, at, request, Some(deployment), || {
                "a call for a request that is over".to_owned()
            });
        };
        let own = open.own.timeout;
        let deadline = open.plain.then(|| at + own.unwrap_or(self.plan.deployment(deployment).timeout.value));
        if open.attempt == Some(attempt) {
            open.last_call = Some(at);
            open.last_called = Some(deployment);
        }
        open.calling = Calling::Yes;
        self.ledger.begin_call(Call { attempt, request, deployment, deadline });
        let one = self.plan.deployment(deployment);
        if let Some(cap) = one.max_parallel_requests.map(|cap| cap.value)
            && at < Time::ZERO + LIMITER_LIFE
        {
            let twins = (0..).map(DeploymentId).zip(&self.ledger.in_flight);
            let now: u32 =
                twins.filter(|(id, _)| self.plan.deployment(*id).twin == one.twin).map(|(_, count)| count).sum();
            if now > cap {
                self.broken(Law::MaxParallel, at, request, Some(deployment), || {
                    format!("{now} calls at once, where {cap} are allowed")
                });
            }
        }
    }

    fn hang_up(&mut self, at: Time, attempt: AttemptId, cancelled: Option<RequestId>) {
        let Some(call) = self.ledger.end_call(attempt) else {
            return self
                .breaches
                .add(Law::CountersAtRest, at, None, None, || "hung up on a call that was not under way".to_owned());
        };
        if call.deadline.is_some_and(|deadline| deadline != at) && cancelled != Some(call.request) {
            self.broken(Law::TimeoutExact, at, call.request, Some(call.deployment), || {
                format!(
                    "hung up on at {at}, where its timeout is at {}",
                    call.deadline.map_or_else(String::new, |deadline| deadline.to_string())
                )
            });
        }
        self.hung_up = Some((call, End::TimedOut));
    }

    fn answer(&mut self, at: Time, request: RequestId, outcome: &Outcome) {
        let Some((_, open)) = self.ledger.requests.close(request) else {
            return self
                .broken(Law::OneAnswer, at, request, None, || "an answer to a request that is not open".to_owned());
        };
        if open.calling != Calling::No && !matches!(outcome, Outcome::Answered(_)) {
            self.broken(Law::CountersAtRest, at, request, None, || "answered while its call is under way".to_owned());
        }
        match outcome {
            Outcome::Answered(answered) => {
                let true_to_upstream = self.replied.as_ref().is_some_and(|(call, end)| {
                    call.request == request
                        && call.deployment == answered.by
                        && matches!(end, End::Answered { usage, .. } if *usage == answered.usage)
                });
                if open.plain && !true_to_upstream {
                    self.broken(Law::OneAnswer, at, request, Some(answered.by), || {
                        "an answer that the upstream did not give in this moment".to_owned()
                    });
                }
            }
            Outcome::Failed(error) => {
                let bottom = open.frames.bottom();
                let same = |seen: Seen| (seen.error.class, seen.error.status) == (error.class, error.status);
                let fits = match bottom.raised {
                    Some(seen) => same(seen),
                    // Nothing serves the name: the proxy refuses it before its router is asked.
                    None => self.plan.mode() == Mode::Proxy && self.names.of(open.asked).members.is_empty(),
                };
                if open.plain && !fits {
                    self.broken(Law::PrimaryError, at, request, None, || {
                        let raised = bottom.raised.map_or("nothing", |seen| seen.error.class.name());
                        format!("failed with {}, where its own group raised {raised}", error.class.name())
                    });
                }
            }
        }
    }

    fn note(&mut self, at: Time, note: &Note) {
        match *note {
            Note::Picked { request, attempt, group, deployment, eligible, .. } => {
                self.picked(at, request, attempt, (group, deployment), eligible);
            }
            Note::CalledAgain { request, call, .. } => {
                self.picked.insert(call, request);
            }
            Note::Failed { request, attempt, group, deployment, sent, error, .. } => {
                self.failed(at, request, attempt, group, deployment, sent, error);
            }
            Note::Succeeded { request, deployment, .. } => {
                if let Some((_, open)) = self.ledger.requests.get(request) {
                    open.calling = Calling::No;
                }
                self.recount.answered(&self.plan, deployment, at);
            }
            Note::Retrying { request, .. } => self.decided(at, request, true),
            Note::GaveUp { request, .. } => self.decided(at, request, false),
            Note::FellBack { request, from, to, list, .. } => self.fell_back(at, request, from, to, list),
            Note::FallbackExhausted { request, .. } => self.exhausted(at, request),
            Note::Cooled { request, deployment, length, .. } => self.told(at, request, deployment, Some(length)),
            Note::NotCooled { request, deployment, .. } => self.told(at, request, deployment, None),
            Note::StreamEnded { .. } | Note::Selected(_) => {}
        }
    }

    /// How many candidates a group must have, where nothing but health, `blocked` and `order` decides.
    fn candidates(&self, name: NameId, at: Time) -> u32 {
        let plan = &self.plan;
        let healthy = self
            .names
            .of(name)
            .members
            .iter()
            .filter(|&&id| !plan.deployment(id).blocked && !self.recount.rests(plan, id, at));
        let orders = plan.rules().order_always;
        let (mut count, mut lowest) = (0, None);
        for order in healthy.map(|&id| plan.deployment(id).order.filter(|_| orders)) {
            match (order, lowest) {
                (None, Some(_)) => {}
                (Some(order), Some(least)) if order > least => {}
                (order, least) if order == least => count += 1,
                (order, _) => (count, lowest) = (1, order),
            }
        }
        count
    }

    fn health(&self, name: NameId, at: Time) -> (usize, usize) {
        let name = self.names.of(name);
        if name.by_id {
            return (0, 0);
        }
        let is_healthy =
            |id: DeploymentId| !self.plan.deployment(id).blocked && !self.recount.rests(&self.plan, id, at);
        (name.members.iter().filter(|&&id| is_healthy(id)).count(), name.members.len())
    }

    fn picked(
        &mut self,
        at: Time,
        request: RequestId,
        attempt: AttemptId,
        (group, deployment): (NameId, DeploymentId),
        eligible: u32,
    ) {
        self.waited(at, request);
        self.picked.insert(attempt, request);
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let late = open.late.take();
        open.attempt = Some(attempt);
        open.calling = Calling::InLine;
        let selects = open.own.selects || !open.plain;
        let frame = open.frames.top();
        frame.attempts += 1;
        let (name, whole) = (frame.name, !frame.partial && !frame.skips && !selects);
        if group != name || !self.names.of(name).members.contains(&deployment) {
            self.broken(Law::PickedFromGroup, at, request, Some(deployment), || {
                "picked for a group that it does not belong to".to_owned()
            });
        }
        if !self.names.of(name).by_id && self.recount.rests(&self.plan, deployment, at) {
            self.broken(Law::CooldownHeld, at, request, Some(deployment), || "picked while it rests".to_owned());
        }
        if whole && self.names.of(name).simple {
            let candidates = self.candidates(name, at);
            if candidates != eligible {
                self.broken(Law::CooldownHeld, at, request, Some(deployment), || {
                    format!("picked from {eligible}, where {candidates} were eligible")
                });
            }
            if self.plan.rules().order_always {
                let mine = self.plan.deployment(deployment).order;
                let lower = self.names.of(name).members.iter().any(|&id| {
                    let other = self.plan.deployment(id);
                    let before = other.order.is_some_and(|other| mine.is_none_or(|mine| other < mine));
                    before && !other.blocked && !self.recount.rests(&self.plan, id, at)
                });
                if lower {
                    self.broken(Law::PickedFromGroup, at, request, Some(deployment), || {
                        "picked while a lower order was eligible".to_owned()
                    });
                }
            }
        }
        if let Some(error) = late {
            self.count_late(at, request, deployment, error);
        }
    }

    /// Whether the wait before this moment was as long as it should be.
    fn waited(&mut self, at: Time, request: RequestId) {
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let plain = open.plain;
        let frame = open.frames.top();
        let Some((since, least, most)) = frame.wait.take() else { return };
        let wait = at.since(since);
        if plain && (wait < least || wait > most) {
            self.broken(Law::RetryWait, at, request, None, || {
                format!("waited {wait}, where the formula gives {least} to {most}")
            });
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the note has as many fields")]
    fn failed(
        &mut self,
        at: Time,
        request: RequestId,
        attempt: Option<AttemptId>,
        group: NameId,
        deployment: Option<DeploymentId>,
        sent: bool,
        error: Error,
    ) {
        let Some(deployment) = deployment else { return self.nobody(at, request, group, error) };
        if let Some(attempt) = attempt {
            self.picked.remove(&attempt);
        }
        let ended = |ended: &Option<(Call, End)>| ended.filter(|(call, _)| call.request == request);
        let ended = ended(&self.hung_up).or(ended(&self.replied));
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        open.calling = Calling::No;
        let (plain, set_timeout) = (open.plain, open.own.set_timeout);
        let mut seen = Seen {
            error,
            retry_after: RetryAfter::Absent,
            deployment: Some(deployment),
            by_router: !sent,
            callers_timeout: false,
        };
        let dialect = self.plan.deployment(deployment).dialect;
        let mut counts = sent || error.class == ErrorClass::APIConnectionError;
        match ended {
            _ if !sent => {}
            Some((call, _)) if call.deployment != deployment => {
                self.broken(Law::OneAnswer, at, request, Some(deployment), || {
                    "blamed for the failure of another deployment".to_owned()
                });
            }
            Some((_, End::Failed(failure))) => {
                seen.error = exception_of(dialect, &failure, false, self.plan.rules());
                seen.retry_after = failure.retry_after;
            }
            Some((_, End::TimedOut)) => {
                seen.error = Error::new(ErrorClass::Timeout, Some(408));
                seen.callers_timeout = set_timeout;
            }
            Some((_, End::Answered { content_filter: true, .. })) => {
                self.recount.answered(&self.plan, deployment, at);
                counts = false;
            }
            Some((_, End::Answered { .. })) | None => {
                self.broken(Law::OneAnswer, at, request, Some(deployment), || {
                    "a failure that no upstream reported".to_owned()
                });
            }
        }
        if plain && (seen.error.class, seen.error.status) != (error.class, error.status) {
            self.broken(Law::OneAnswer, at, request, Some(deployment), || {
                format!("{} is made of what the upstream reported, not {}", seen.error.class.name(), error.class.name())
            });
        }
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        open.frames.top().newest = Some(seen);
        if counts {
            self.report(at, request, deployment, &seen, group);
        }
    }

    /// A failure reaches LiteLLM's failure callbacks, which behind the proxy count one per request.
    fn report(&mut self, at: Time, request: RequestId, deployment: DeploymentId, seen: &Seen, group: NameId) {
        let proxy = self.plan.mode() == Mode::Proxy;
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        if !open.plain {
            return self.expect(at, request, deployment, Due::AsTold);
        }
        if open.reported {
            return self.expect(at, request, deployment, Due::Stays);
        }
        if proxy {
            open.reported = true;
            open.reported_call = open.last_call;
        }
        if seen.callers_timeout && proxy && self.plan.rules().caller_timeouts_exempt {
            return self.expect(at, request, deployment, Due::Stays);
        }
        self.recount.failed(&self.plan, deployment, at);
        let due = self.recount.weigh(&self.plan, deployment, seen, Some(group), at);
        self.expect(at, request, deployment, due);
    }

    fn count_late(&mut self, at: Time, request: RequestId, deployment: DeploymentId, error: Error) {
        let seen =
            Seen { error, retry_after: RetryAfter::Absent, deployment: None, by_router: true, callers_timeout: false };
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let name = open.frames.top().name;
        self.recount.failed(&self.plan, deployment, at);
        let due = self.recount.weigh(&self.plan, deployment, &seen, Some(name), at);
        self.expect(at, request, deployment, due);
    }

    /// A late report that reaches nobody new is taken for the deployment that was called last.
    fn count_late_for_the_last(&mut self, at: Time, request: RequestId) {
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        if let (Some(error), Some(last)) = (open.late.take(), open.last_called) {
            self.count_late(at, request, last, error);
        }
    }

    fn expect(&mut self, at: Time, request: RequestId, deployment: DeploymentId, due: Due) {
        self.weighed(at);
        let due = if self.names.counts_cooldowns { due } else { Due::AsTold };
        if let Due::Cools(length) = due {
            self.recount.cool(&self.plan, deployment, length, at);
        }
        self.expected = Some((request, deployment, due));
    }

    /// Nothing more is said about the last failure.
    fn weighed(&mut self, at: Time) {
        if let Some((request, deployment, Due::Cools(length))) = self.expected.take() {
            self.broken(Law::CooldownEarned, at, request, Some(deployment), || {
                format!("must rest for {length}, and does not")
            });
        }
    }

    /// The router says that a deployment rests now, or does not.
    fn told(&mut self, at: Time, request: RequestId, deployment: DeploymentId, cooled: Option<Span>) {
        let expected = self.expected.take();
        let fits = match expected {
            Some((_, whom, _)) if whom != deployment => cooled.is_none(),
            Some((_, _, Due::Cools(length))) => cooled == Some(length),
            Some((_, _, Due::Stays)) => cooled.is_none(),
            Some((_, _, Due::AsTold)) => true,
            None => cooled.is_none() || !self.names.counts_cooldowns,
        };
        let as_told = !self.names.counts_cooldowns || matches!(expected, Some((_, _, Due::AsTold)));
        if let Some(length) = cooled.filter(|_| as_told) {
            self.recount.cool(&self.plan, deployment, length, at);
        }
        if !fits {
            self.broken(Law::CooldownEarned, at, request, Some(deployment), || {
                let told = cooled.map_or_else(|| "no cooldown".to_owned(), |length| format!("a cooldown of {length}"));
                match expected {
                    Some((_, whom, _)) if whom != deployment => format!("{told}, for the failure of another"),
                    Some((_, _, Due::Cools(length))) => format!("{told}, where one of {length} is due"),
                    _ => format!("{told}, where none is due"),
                }
            });
        }
    }

    /// Nobody could be chosen.
    fn nobody(&mut self, at: Time, request: RequestId, group: NameId, error: Error) {
        self.waited(at, request);
        let strategy = self.plan.settings().routing_strategy.value;
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let selects = open.own.selects || !open.plain;
        let frame = open.frames.top();
        frame.attempts += 1;
        frame.newest = Some(Seen {
            error,
            retry_after: RetryAfter::Absent,
            deployment: None,
            by_router: true,
            callers_timeout: false,
        });
        let whole = !frame.partial && !selects;
        if self.plan.mode() == Mode::Proxy && !open.reported && strategy != RoutingStrategy::UsageBased {
            open.reported = open.plain;
            open.reported_call = open.last_call;
            open.late = Some(error).filter(|_| !self.plan.rules().marks_selection_failures);
        }
        let out_of_reach = error.class == ErrorClass::RouterRateLimitError;
        if out_of_reach && whole && self.names.of(group).simple && self.names.strategy_takes_all {
            let candidates = self.candidates(group, at);
            if candidates > 0 {
                self.broken(Law::CooldownHeld, at, request, None, || {
                    format!("nobody was found, where {candidates} were eligible")
                });
            }
        }
    }

    /// The retry layer goes on, or gives up.
    fn decided(&mut self, at: Time, request: RequestId, goes_on: bool) {
        self.weighed(at);
        let plan = Arc::clone(&self.plan);
        let rules = plan.rules();
        let Some(name) = self.ledger.requests.get(request).map(|(_, open)| open.frames.top().name) else { return };
        let (healthy, all) = self.health(name, at);
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let (own, plain) = (open.own, open.plain);
        let frame = open.frames.top();
        let Some(newest) = frame.newest else { return };
        let is_first = frame.first.is_none();
        let first = *frame.first.get_or_insert(newest);
        if is_first {
            frame.budget = retries::budget(&plan, name, &own, &newest);
        }
        let raised = if rules.rechecks_each_failure { newest } else { first };
        frame.raised = Some(raised);
        let retries = frame.attempts.saturating_sub(1);
        let budget = frame.budget;
        let checked = (is_first || rules.rechecks_each_failure) && !budget.is_some_and(|(_, policy)| policy);
        let refused = checked && retries::refused(&plan, &newest, healthy, all);
        let spent = is_first && budget.is_some_and(|(budget, _)| budget <= 0);
        let exhausted = budget.is_some_and(|(budget, _)| i64::from(retries) >= budget);
        let silent = !goes_on && (refused || spent);
        let (least, most) =
            if silent { (Span::ZERO, Span::ZERO) } else { retries::wait(&plan, &raised, retries, healthy, all) };
        // Where the number of retries is unknown, so is whether the end is waited for.
        frame.wait = budget.is_some().then_some((at, least, most));
        frame.skips |= goes_on
            && rules.retry_skips_refusers
            && newest.deployment.is_some()
            && newest.error.status.is_some_and(|status| !retries::passes(status));
        if !goes_on && silent {
            frame.wait = Some((at, Span::ZERO, Span::ZERO));
        } else {
            self.count_late_for_the_last(at, request);
        }
        if !plain {
            return;
        }
        if goes_on && refused {
            self.broken(Law::NotRetried, at, request, newest.deployment, || {
                format!("{} is retried, with {healthy} of {all} healthy", newest.error.class.name())
            });
        } else if goes_on && exhausted {
            self.broken(Law::AttemptsBounded, at, request, newest.deployment, || {
                format!("retried again after {retries} retries, which is as many as configured")
            });
        } else if !goes_on && !refused && !exhausted && budget.is_some() {
            self.broken(Law::AttemptsBounded, at, request, newest.deployment, || {
                format!("given up after {retries} retries, fewer than configured, of a {}", newest.error.class.name())
            });
        }
    }

    fn fell_back(&mut self, at: Time, request: RequestId, from: NameId, to: NameId, list: FallbackList) {
        self.waited(at, request);
        let plan = Arc::clone(&self.plan);
        let maps = self.names.maps;
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let partial = matches!(list, FallbackList::Order | FallbackList::WeightedFailover);
        let configured = matches!(
            list,
            FallbackList::Fallbacks | FallbackList::Default | FallbackList::ContextWindow | FallbackList::ContentPolicy
        );
        let remembers = plan.rules().remembers_targets;
        let asked = open.asked;
        let disabled = open.own.disable_fallbacks;
        let mut fits = open.frames.top().name == from && !disabled && (!partial || to == from);
        if configured && !maps {
            let chain = chain(&plan, from, asked, list);
            let next = open.frames.top().next_target;
            if remembers && !open.tried.contains(&from) {
                open.tried.push(from);
            }
            let skipped = |target: NameId| target == from || remembers && open.tried.contains(&target);
            let due =
                chain.iter().enumerate().skip(next).find_map(|(index, target)| {
                    target.model.filter(|&model| !skipped(model)).map(|model| (index, model))
                });
            fits &= due.is_some_and(|(_, model)| model == to);
            open.frames.top().next_target = due.map_or(next, |(index, _)| index + 1);
            if remembers {
                open.tried.push(to);
            }
        }
        open.plain &= !maps;
        open.frames.push(Frame::new(to, partial));
        if !fits {
            self.broken(Law::FallbackOrder, at, request, None, || {
                format!("fell back from {} to {}, which was not due", plan.name(from), plan.name(to))
            });
        }
    }

    /// A frame has failed for good.
    fn exhausted(&mut self, at: Time, request: RequestId) {
        self.waited(at, request);
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let Some(hop) = open.frames.pop() else { return self.count_late_for_the_last(at, request) };
        let under = open.frames.top();
        let typed = under.raised.is_some_and(|seen| {
            let class = seen.error.class;
            class == ErrorClass::ContextWindowExceededError || class == ErrorClass::ContentPolicyViolationError
        });
        // A walk through the levels of a group fails with what came last.
        if self.names.of(under.name).levels && !typed {
            under.raised = hop.raised;
        }
        let counted = open.reported && open.last_call != open.reported_call;
        let plain = open.plain;
        let Some(seen) = hop.raised else { return };
        let Some(deployment) = seen.deployment else { return };
        if !self.plan.rules().weighs_failed_hops
            || self.plan.mode() != Mode::Proxy
            || seen.callers_timeout && self.plan.rules().caller_timeouts_exempt
        {
            return;
        }
        if !plain {
            self.expect(at, request, deployment, Due::AsTold);
        } else if counted {
            self.recount.failed(&self.plan, deployment, at);
            let due = self.recount.weigh(&self.plan, deployment, &seen, None, at);
            self.expect(at, request, deployment, due);
        }
    }
}

/// The chain that a layer for `from` walks, of a request that asked for `asked`.
fn chain(plan: &Plan, from: NameId, asked: NameId, list: FallbackList) -> &[router_core::Target] {
    let list = if list == FallbackList::Default { FallbackList::Fallbacks } else { list };
    let own = plan.fallback_chain(from, list);
    let specific =
        |name| list != FallbackList::Fallbacks || plan.fallback_chain(name, FallbackList::Default).is_empty();
    if !plan.rules().resumes_original_chain || !own.is_empty() && specific(from) {
        return own;
    }
    let original = plan.fallback_chain(asked, list);
    if own.is_empty() || !original.is_empty() && specific(asked) { original } else { own }
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
                Message::Cancel { request } => cancelled = Some(*request),
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
        if let Some(request) = cancelled
            && let Some((_, open)) = self.ledger.requests.close(request)
        {
            if let Some(attempt) = open.attempt {
                self.picked.remove(&attempt);
            }
            if open.is_forgotten(at) {
                self.broken(Law::NothingForgotten, at, request, None, || {
                    "its caller gave up, and it had neither a call nor a wait to wait for".to_owned()
                });
            }
        }
        self.weighed(at);
        (self.replied, self.hung_up) = (None, None);
    }
}
