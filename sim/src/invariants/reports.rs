//! What LiteLLM's callbacks hear of failures, and what they make of them: counts and cooldowns.

use router_core::{DeploymentId, Error, Mode, NameId, RequestId, RetryAfter, Span, Time, Usage};

use super::cooldowns::{Due, Weighed};
use super::defects::Defect;
use super::law::Law;
use super::ledger::{Late, Seen};
use super::watch::Laws;
use super::{blame, cooldown_earned, cooldown_ends};

impl Laws {
    /// The answer to a call that began at `since` reaches the callbacks.
    pub(super) fn answered(
        &mut self,
        at: Time,
        (group, since): (NameId, Option<Time>),
        deployment: DeploymentId,
        usage: Usage,
    ) {
        let plan = &self.plan;
        self.recount.answered(plan, deployment, at);
        self.spend.pay(plan, deployment, usage, at);
        self.usage.answered(plan, deployment, usage.total(), at);
        if let Some(busy) = &mut self.busy {
            busy.add(plan, group, deployment, -1, at);
        }
        if let Some(learned) = &mut self.learned {
            let seconds = since.map_or(0.0, |since| at.since(since).as_secs_f64());
            learned.answered(plan, (group, deployment), usage, seconds, at);
        }
    }

    /// A failure reaches the callbacks, which behind the proxy count one per request.
    pub(super) fn report(
        &mut self,
        at: Time,
        request: RequestId,
        deployment: DeploymentId,
        seen: &Seen,
        group: NameId,
    ) {
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        if !open.plain {
            return self.expect(at, request, deployment, None);
        }
        if open.reported {
            return self.expect(at, request, deployment, Some(Due::Stays));
        }
        if self.plan.mode() == Mode::Proxy {
            open.reported = true;
            open.reported_call = open.last_call;
        }
        self.count_failure(at, request, deployment, seen, group);
    }

    /// A failure is counted, and weighed for a cooldown.
    pub(super) fn count_failure(
        &mut self,
        at: Time,
        request: RequestId,
        deployment: DeploymentId,
        seen: &Seen,
        group: NameId,
    ) {
        let proxy = self.plan.mode() == Mode::Proxy;
        if let Some(busy) = &mut self.busy {
            busy.add(&self.plan, group, deployment, -1, at);
        }
        if let Some(learned) = &mut self.learned {
            learned.failed(&self.plan, (group, deployment), seen.error.class, at);
        }
        if seen.callers_timeout && proxy && self.plan.rules().caller_timeouts_exempt {
            return self.expect(at, request, deployment, Some(Due::Stays));
        }
        self.recount.failed(&self.plan, deployment, at);
        self.weigh(at, request, deployment, seen, Some(group));
    }

    pub(super) fn weigh(
        &mut self,
        at: Time,
        request: RequestId,
        whom: DeploymentId,
        seen: &Seen,
        requested: Option<NameId>,
    ) {
        let length = self.recount.length(&self.plan, whom, seen.retry_after);
        let weighed = Weighed { error: &seen.error, length, requested };
        let due = self.recount.weigh(&self.plan, whom, &weighed, at);
        self.expect(at, request, whom, Some(due));
    }

    /// A limit of the router refused a call, which the callbacks hear of late.
    pub(super) fn report_limit(&mut self, request: RequestId, error: Error) {
        let proxy = self.plan.mode() == Mode::Proxy;
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        if open.plain && proxy && !open.reported {
            open.reported = true;
            open.reported_call = open.last_call;
            let after = open.attempt;
            let retry_after = RetryAfter::Seconds(60);
            open.late = Some(Late { error, retry_after, weighs: true, strategy_knows: false, after });
        }
    }

    /// A limit of the router refused a call, which is weighed with the router's own length.
    pub(super) fn weigh_limit(&mut self, at: Time, request: RequestId, whom: DeploymentId, error: Error) {
        if !self.ledger.requests.get(request).is_some_and(|(_, open)| open.plain) {
            return self.expect(at, request, whom, None);
        }
        let length = Span::from_secs_f64(self.plan.settings().cooldown_time.value);
        let weighed = Weighed { error: &error, length, requested: None };
        let due = self.recount.weigh(&self.plan, whom, &weighed, at);
        self.expect(at, request, whom, Some(due));
    }

    /// A report of the past reaches the callbacks: it is taken for a failure of whoever is called at the moment.
    pub(super) fn deliver_late(&mut self, at: Time, request: RequestId, (name, whom): (NameId, DeploymentId)) {
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let Some(Late { error, retry_after, weighs, strategy_knows, .. }) = open.late.take() else { return };
        if let Some(busy) = self.busy.as_mut().filter(|_| !strategy_knows) {
            busy.add(&self.plan, name, whom, -1, at);
        }
        if !weighs {
            return;
        }
        let seen = Seen {
            error,
            retry_after,
            deployment: None,
            by_router: true,
            by_limit: false,
            by_day: false,
            callers_timeout: false,
        };
        self.recount.failed(&self.plan, whom, at);
        self.weigh(at, request, whom, &seen, Some(name));
        self.defects.add(Defect::BlamesTheNext, at, Some(request), Some(whom), || {
            format!("a {} of the router's own is put down to it", error.class.name())
        });
    }

    /// A late report that reaches nobody new is taken for the deployment that was called last.
    pub(super) fn deliver_late_to_the_last(&mut self, at: Time, request: RequestId) {
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        match open.last_called {
            Some(last) => {
                let name = open.last_name;
                self.deliver_late(at, request, (name, last));
            }
            None => open.late = None,
        }
    }

    /// A request goes on at once, but lets others go first: a late report that begins in a task and ends in a thread
    /// reaches the strategy now, and the cooldowns with the next call.
    pub(super) fn begin_late(&mut self, at: Time, request: RequestId) {
        let begins = self.plan.rules().reports_end_in_thread;
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let Some(late) = open.late.as_mut().filter(|late| begins && !late.strategy_knows) else {
            return self.deliver_late_to_the_last(at, request);
        };
        late.strategy_knows = true;
        let called = open.last_called.map(|last| (open.last_name, last));
        if let (Some((name, last)), Some(busy)) = (called, &mut self.busy) {
            busy.add(&self.plan, name, last, -1, at);
        }
    }

    /// Whether a report of the past is still to be weighed, and whose it is taken for: of whoever was picked since it came
    /// up, else of the deployment that was called last.
    fn is_late(&mut self, request: RequestId) -> Option<(NameId, DeploymentId)> {
        let (_, open) = self.ledger.requests.get(request)?;
        let late = open.late.filter(|late| late.weighs)?;
        let whom = if late.after == open.attempt { open.last_called } else { open.picked };
        Some((open.frames.top().name, whom?))
    }

    /// What the router must say next about a deployment; `None`: it cannot be told from outside.
    pub(super) fn expect(&mut self, at: Time, request: RequestId, deployment: DeploymentId, due: Option<Due>) {
        self.weighed(at);
        let due = if self.names.counts_cooldowns { due } else { None };
        // How long a jittered one is, the router will say.
        if let Some(Due::Cools(length)) = due.filter(|_| self.plan.what_if().cooldown_jitter.is_none()) {
            self.cool(at, request, deployment, length);
        }
        self.expected = Some((request, deployment, due));
    }

    fn cool(&mut self, at: Time, request: RequestId, deployment: DeploymentId, length: Span) {
        let before = self.recount.rests_until(&self.plan, deployment, at);
        self.recount.cool(&self.plan, deployment, length, at);
        let after = self.recount.rests_until(&self.plan, deployment, at);
        let Some(before) = before else { return };
        let after = after.unwrap_or(at);
        if after < before {
            self.defects.add(Defect::CooldownCutShort, at, Some(request), Some(deployment), || {
                let lost = before.since(after).as_secs_f64();
                format!("a cooldown of {length} ends, and with it one that would have lasted {lost:.1} s longer")
            });
        } else if at + length > after {
            self.defects.add(Defect::CooldownNotExtended, at, Some(request), Some(deployment), || {
                let left = after.since(at).as_secs_f64();
                format!("a cooldown of {length} ends after {left:.1} s, with one that was begun before")
            });
        }
    }

    /// Nothing more is said about the last failure.
    #[inline]
    pub(super) fn weighed(&mut self, at: Time) {
        // At the end of most steps nothing was said at all.
        if self.expected.is_some() {
            self.weighed_for_good(at);
        }
    }

    fn weighed_for_good(&mut self, at: Time) {
        if let Some((request, deployment, Some(Due::Cools(length)))) = self.expected.take() {
            self.broken(Law::CooldownEarned, at, request, Some(deployment), || cooldown_earned::of_silence(length));
        }
    }

    /// The router says that a deployment rests now, and until when, or that it does not.
    pub(super) fn told(&mut self, at: Time, request: RequestId, whom: DeploymentId, cooled: Option<(Span, Time)>) {
        if self.expected.is_none()
            && let Some(late) = self.is_late(request)
        {
            self.deliver_late(at, request, late);
        }
        let length = cooled.map(|(length, _)| length);
        let (failed, due) = match self.expected.take() {
            Some((_, failed, due)) => (failed, due),
            None if self.names.counts_cooldowns => (whom, Some(Due::Stays)),
            None => (whom, None),
        };
        if let Some(what) = blame::of_cooldown(whom, failed, length) {
            return self.broken(Law::Blame, at, request, Some(whom), || what);
        }
        if whom != failed {
            return;
        }
        match due {
            Some(due) => {
                let jitter = self.plan.what_if().cooldown_jitter;
                if let Some(what) = cooldown_earned::of_news(Some(due), length, jitter) {
                    return self.broken(Law::CooldownEarned, at, request, Some(whom), || what);
                }
                if let Some(length) = length.filter(|_| jitter.is_some()) {
                    self.cool(at, request, whom, length);
                }
            }
            None => {
                if let Some(length) = length {
                    self.cool(at, request, whom, length);
                }
            }
        }
        if let Some((_, until)) = cooled {
            self.ends(at, request, whom, until);
        }
    }

    /// The router says that a deployment rests because a probe of it failed.
    pub(super) fn told_of_probe(&mut self, at: Time, request: RequestId, whom: DeploymentId, cooled: (Span, Time)) {
        self.weighed(at);
        let (length, until) = cooled;
        if self.failed_probe.take() != Some(whom) {
            let what = cooldown_earned::of_probe();
            return self.broken(Law::CooldownEarned, at, request, Some(whom), || what.to_owned());
        }
        self.cool(at, request, whom, length);
        self.ends(at, request, whom, until);
    }

    fn ends(&mut self, at: Time, request: RequestId, whom: DeploymentId, until: Time) {
        let due = self.recount.rests_until(&self.plan, whom, at);
        if let Some(what) = cooldown_ends::of_cooldown(until, due) {
            self.broken(Law::CooldownEnds, at, request, Some(whom), || what);
        }
    }
}
