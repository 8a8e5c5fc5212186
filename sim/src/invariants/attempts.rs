//! What laws see of attempts: who is picked, for whom nobody is, and how an attempt fails.

use router_core::{
    AttemptId, DeploymentId, Error, ErrorClass, Mode, NameId, RequestId, RetryAfter, RoutingStrategy, Time,
};

use super::filters::{self, Nobody, Wish};
use super::law::Law;
use super::ledger::{Calling, End, Late, Seen};
use super::quota_admitted::Refused;
use super::watch::Laws;
use super::{
    attempts_bounded, blame, client_retries, cooldown_held, mapped, max_parallel, nothing_forgotten, one_answer,
    picked_from_group, retry_wait, spend_adds_up, strategy_kept,
};

impl Laws {
    /// The candidates of a group, where nothing but health, `blocked`, budgets and `order` decides.
    pub(super) fn candidates(&self, name: NameId, at: Time) -> impl Iterator<Item = DeploymentId> + Clone {
        let plan = &*self.plan;
        let is_there = move |id: DeploymentId| {
            !plan.deployment(id).blocked && !self.recount.rests(plan, id, at) && !self.spend.is_spent(plan, id, at)
        };
        let of_name = self.names.of(name);
        let there = of_name.members.iter().copied().filter(move |&id| is_there(id));
        let levels = plan.rules().order_always && of_name.ordered;
        let lowest = if levels { there.clone().filter_map(|id| plan.deployment(id).order).min() } else { None };
        there.filter(move |&id| lowest.is_none() || plan.deployment(id).order == lowest)
    }

    /// How many of a group the retry layer takes for healthy, and how many there are.
    pub(super) fn health(&self, name: NameId, at: Time) -> (usize, usize) {
        let name = self.names.of(name);
        if name.by_id {
            return (0, 0);
        }
        let is_healthy =
            |id: DeploymentId| !self.plan.deployment(id).blocked && !self.recount.rests(&self.plan, id, at);
        (name.members.iter().filter(|&&id| is_healthy(id)).count(), name.members.len())
    }

    /// Somebody is picked for an attempt.
    pub(super) fn picked(
        &mut self,
        at: Time,
        request: RequestId,
        attempt: AttemptId,
        (group, deployment): (NameId, DeploymentId),
        (n, eligible): (u32, u32),
    ) {
        self.numbered(at, request, n);
        if let Some((_, open)) = self.ledger.requests.get(request)
            && open.hedge_of(Some(attempt)).is_some()
        {
            return self.picked_hedge(at, request, attempt, (group, deployment));
        }
        self.waited(at, request);
        self.left_open(at, request);
        self.picked.insert(attempt, request);
        self.counted_tokens(at, request, group);
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        open.last_name = group;
        open.attempt = Some(attempt);
        open.picked = Some(deployment);
        open.calling = Calling::InLine;
        (open.repeated, open.ended) = (0, None);
        let selects = open.own.selects || !open.plain;
        let prompt = open.prompt;
        let frame = open.frames.top();
        frame.attempts += 1;
        let whole = !frame.partial && frame.refused.is_empty() && frame.excluded.is_empty() && !selects;
        let (name, judged) = (frame.name, open.plain);
        let of_name = self.names.of(name);
        let (by_id, simple) = (of_name.by_id, of_name.simple);
        let mut add = |law: Law, what: Option<String>| {
            if let Some(what) = what {
                self.breaches.add(law, at, Some(request), Some(deployment), || what);
            }
        };
        let is_member = of_name.members.contains(&deployment);
        add(Law::PickedFromGroup, picked_from_group::of_membership(name, group, is_member).map(str::to_owned));
        let blocked = self.plan.deployment(deployment).blocked;
        add(Law::PickedFromGroup, picked_from_group::of_blocked(blocked).map(str::to_owned));
        let rests = self.recount.rests(&self.plan, deployment, at);
        add(Law::CooldownHeld, cooldown_held::of_pick(by_id, rests).map(str::to_owned));
        let simply = whole && simple;
        let counted = if simply { self.candidates(name, at).count() as u32 } else { 0 };
        if simply {
            self.picked_whole(at, request, (name, deployment), eligible, (counted, prompt));
        } else if judged {
            self.picked_by_filters(at, request, (name, deployment), eligible);
        }
        let probe = self.recount.begin_probe(&self.plan, deployment, at).then_some(deployment);
        if let Some((_, open)) = self.ledger.requests.get(request) {
            open.probe = probe;
        }
    }

    /// An attempt is made, as the n-th of its request, counted from 0.
    fn numbered(&mut self, at: Time, request: RequestId, n: u32) {
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let before = open.attempts;
        open.attempts += 1;
        if let Some(what) = attempts_bounded::of_number(n, before) {
            self.broken(Law::AttemptsBounded, at, request, None, || what);
        }
    }

    /// The request goes on, so nothing of its last attempt is left to be done.
    pub(super) fn left_open(&mut self, at: Time, request: RequestId) {
        let calling = self.ledger.requests.get(request).map(|(_, open)| open.calling);
        if let Some(what) = calling.and_then(nothing_forgotten::of_going_on) {
            self.broken(Law::NothingForgotten, at, request, None, || what.to_owned());
        }
    }

    /// The provider's own client calls once more within an attempt.
    pub(super) fn called_again(&mut self, at: Time, request: RequestId, call: AttemptId, repetition: u32) {
        self.picked.insert(call, request);
        let plan = std::sync::Arc::clone(&self.plan);
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let (before, ended) = (open.repeated, open.ended.take());
        open.repeated += 1;
        let Some(whom) = open.picked.filter(|_| open.plain) else { return };
        let most = client_retries::most(&plan, whom, &open.own);
        if let Some(what) =
            client_retries::of_call((repetition, before), most, ended.map(|(since, end)| (end, since)), at)
        {
            self.broken(Law::AttemptsBounded, at, request, Some(whom), || what);
        }
    }

    /// Somebody is picked from a group, of which everything is known that decides.
    fn picked_whole(
        &mut self,
        at: Time,
        request: RequestId,
        (name, deployment): (NameId, DeploymentId),
        eligible: u32,
        (counted, prompt): (u32, u32),
    ) {
        let of_name = self.names.of(name);
        let mut add = |law: Law, what: Option<String>| {
            if let Some(what) = what {
                self.breaches.add(law, at, Some(request), Some(deployment), || what);
            }
        };
        if of_name.budgets {
            add(Law::SpendAddsUp, spend_adds_up::of_eligible(eligible, counted));
        } else {
            add(Law::CooldownHeld, cooldown_held::of_eligible(eligible, counted));
        }
        if self.plan.rules().order_always {
            let books = (&self.recount, &self.spend);
            let told = picked_from_group::of_order(&self.plan, books, &of_name.members, deployment, at);
            add(Law::PickedFromGroup, told.map(str::to_owned));
        }
        if let Some(shares) = self.shares.as_mut().filter(|_| counted as usize == of_name.members.len()) {
            shares.add(&self.names, name, deployment);
        }
        let told = match &self.busy {
            Some(busy) => strategy_kept::of_busy(&self.plan, busy, name, self.candidates(name, at), deployment, at),
            None => None,
        };
        let told = told.or_else(|| {
            let candidates = self.who_learns(name, at);
            let told = self.picked_by_usage(name, &candidates, Some(deployment), prompt, at);
            self.left = candidates;
            told
        });
        if let Some(what) = told {
            self.broken(Law::StrategyKept, at, request, Some(deployment), || what);
        }
    }

    /// Somebody is picked for a second call, beside the first.
    fn picked_hedge(
        &mut self,
        at: Time,
        request: RequestId,
        attempt: AttemptId,
        (group, deployment): (NameId, DeploymentId),
    ) {
        self.picked.insert(attempt, request);
        let plan = std::sync::Arc::clone(&self.plan);
        let rests = self.recount.rests(&plan, deployment, at);
        let probe = self.recount.begin_probe(&plan, deployment, at).then_some(deployment);
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let twin = |id: DeploymentId| plan.deployment(id).twin;
        let has_it = open.picked.is_some_and(|first| twin(first) == twin(deployment));
        let name = open.frames.top().name;
        if let Some(hedge) = &mut open.hedge {
            (hedge.picked, hedge.probe) = (Some(deployment), probe);
        }
        let is_member = self.names.of(name).members.contains(&deployment);
        let told = [
            (Law::PickedFromGroup, picked_from_group::of_membership(name, group, is_member)),
            (Law::PickedFromGroup, picked_from_group::of_hedge(has_it)),
            (Law::CooldownHeld, cooldown_held::of_pick(false, rests)),
        ];
        for (law, what) in told {
            if let Some(what) = what {
                self.broken(law, at, request, Some(deployment), || what.to_owned());
            }
        }
    }

    /// Before somebody is picked, the tokens of the prompt may be counted in a thread, and reports go first meanwhile.
    fn counted_tokens(&mut self, at: Time, request: RequestId, group: NameId) {
        if !self.names.counts_tokens {
            return;
        }
        let plan = &*self.plan;
        let name = self.names.of(group);
        let counts = !name.by_id
            && name.members.iter().any(|&id| {
                let one = plan.deployment(id);
                one.max_input_tokens.is_some()
                    && !one.blocked
                    && !self.recount.rests(plan, id, at)
                    && !self.spend.is_spent(plan, id, at)
            });
        if let Some((_, open)) = self.ledger.requests.get(request) {
            open.last_name = group;
        }
        if counts {
            self.deliver_late_to_the_last(at, request);
        }
    }

    /// Somebody is picked where more than health decides.
    fn picked_by_filters(
        &mut self,
        at: Time,
        request: RequestId,
        (name, picked): (NameId, DeploymentId),
        eligible: u32,
    ) {
        let mut left = std::mem::take(&mut self.left);
        if self.filter(at, request, name, &mut left).is_some() {
            self.picked_from(at, request, (name, picked), (eligible, &left));
        }
        self.left = left;
    }

    /// Somebody is picked, and these are left by all filters.
    fn picked_from(
        &mut self,
        at: Time,
        request: RequestId,
        (name, picked): (NameId, DeploymentId),
        (eligible, left): (u32, &[DeploymentId]),
    ) {
        let told = picked_from_group::of_filters(left.contains(&picked), eligible, left.len() as u32);
        if let Some(what) = told {
            return self.broken(Law::PickedFromGroup, at, request, Some(picked), || what);
        }
        let candidates = left.iter().copied();
        let busy = self.busy.as_ref();
        let told = busy.and_then(|busy| strategy_kept::of_busy(&self.plan, busy, name, candidates, picked, at));
        let told = told.or_else(|| {
            let prompt = self.ledger.requests.get(request).map_or(0, |(_, open)| open.prompt);
            self.picked_by_usage(name, left, Some(picked), prompt, at)
        });
        if let Some(what) = told {
            self.broken(Law::StrategyKept, at, request, Some(picked), || what);
        }
    }

    /// Keeps in `left` who is left by all filters, or says how nobody is; `None`: it cannot be told from outside.
    fn filter(
        &mut self,
        at: Time,
        request: RequestId,
        name: NameId,
        left: &mut Vec<DeploymentId>,
    ) -> Option<Result<(), Nobody>> {
        let of_name = self.names.of(name);
        let judged = of_name.filtered && !of_name.members.is_empty();
        let (_, open) = self.ledger.requests.get(request).filter(|_| judged)?;
        let frame = open.frames.at_work();
        let wish = Wish {
            prompt: open.prompt,
            tags: &open.tags,
            region: open.region,
            level: frame.level,
            excluded: &frame.excluded,
            refused: &frame.refused,
        };
        let found = filters::left(&self.plan, (&self.recount, &self.spend), (name, &of_name.members), wish, at, left);
        if found.is_err() {
            left.clear();
        }
        Some(found)
    }

    /// Whether the routing strategy goes by usage or by latency.
    fn learns(&self) -> bool {
        self.learned.is_some() || self.usage.keeper() == super::quota_admitted::Keeper::Strategy
    }

    /// The candidates of a group for a strategy that goes by usage or by latency, for others nobody.
    fn who_learns(&mut self, name: NameId, at: Time) -> Vec<DeploymentId> {
        let mut left = std::mem::take(&mut self.left);
        left.clear();
        if self.learns() {
            left.extend(self.candidates(name, at));
        }
        left
    }

    /// The pick of a strategy that goes by usage or by latency, or that it picked nobody.
    fn picked_by_usage(
        &mut self,
        name: NameId,
        candidates: &[DeploymentId],
        picked: Option<DeploymentId>,
        prompt: u32,
        at: Time,
    ) -> Option<String> {
        if let Some(learned) = &mut self.learned {
            // One strategy looks usage up under the name behind an alias, and counts it under the alias.
            let aliased = self.plan.deployments().iter().all(|one| one.group != name);
            let by_usage = self.plan.settings().routing_strategy.value == RoutingStrategy::UsageBased;
            let told = learned.of_pick(&self.plan, name, candidates, picked, (prompt, at));
            return told.filter(|_| !(by_usage && aliased));
        }
        if self.usage.keeper() != super::quota_admitted::Keeper::Strategy {
            return None;
        }
        strategy_kept::of_usage(&self.plan, &mut self.usage, candidates.iter().copied(), picked, (prompt, at))
    }

    /// Whether the wait before this moment was as long as it should be.
    pub(super) fn waited(&mut self, at: Time, request: RequestId) {
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let plain = open.plain;
        let Some(wait) = open.frames.top().wait.take() else { return };
        if let Some(what) = retry_wait::of_wait(wait, at).filter(|_| plain) {
            self.broken(Law::RetryWait, at, request, None, || what);
        }
    }

    /// An attempt failed: at an upstream, or because the router refused it by itself.
    pub(super) fn failed(
        &mut self,
        at: Time,
        request: RequestId,
        (group, whom): (NameId, DeploymentId),
        note: Failure,
    ) {
        let Failure { attempt, sent, error } = note;
        let kept = self.plan.rules().retries_counted_per_request;
        let unprepared = !sent && error.class == ErrorClass::APIConnectionError;
        if let Some(attempt) = attempt {
            self.picked.remove(attempt);
        }
        let ended = [self.hung_up, self.replied].into_iter().flatten();
        let mut ended = ended.filter(|(call, _)| call.request == request);
        // Two calls of one request may end in one step.
        let ended = ended.clone().find(|(call, _)| call.deployment == whom).or_else(|| ended.next());
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let hedge = open.hedge_of(attempt).map(|hedge| *hedge);
        let probe = match hedge {
            Some(hedge) => {
                open.hedge = None;
                hedge.probe
            }
            None => {
                open.calling = Calling::No;
                open.probe.take()
            }
        };
        let (plain, set_timeout) = (open.plain, open.own.set_timeout);
        let mut seen = Seen {
            error,
            retry_after: RetryAfter::Absent,
            deployment: Some(whom),
            by_router: !sent && error.class != ErrorClass::APIConnectionError,
            by_limit: false,
            by_day: false,
            callers_timeout: false,
        };
        if unprepared && let Some(what) = self.usage.called(&self.plan, whom, at) {
            // It had leave to call.
            self.broken(Law::QuotaAdmitted, at, request, Some(whom), || what);
        }
        if unprepared && kept {
            self.capped(at, request, whom, false);
        }
        if sent && hedge.is_none() && plain {
            self.not_called_again(at, request, whom, ended.map(|(_, end)| end));
        }
        if !sent && let Some(what) = one_answer::of_refusal(&error) {
            self.broken(Law::OneAnswer, at, request, Some(whom), || what);
        }
        let mut counts = sent || unprepared;
        match ended {
            _ if !sent => {}
            Some((_, End::Failed(failure))) => {
                seen.error = mapped::error(self.plan.deployment(whom), &failure, self.plan.rules());
                seen.retry_after = failure.retry_after;
            }
            Some((_, End::TimedOut)) => {
                seen.error = Error::new(ErrorClass::Timeout, Some(408));
                seen.callers_timeout = set_timeout;
            }
            Some((_, End::Answered { usage, content_filter: true })) => {
                let since = self.ledger.requests.get(request).and_then(|(_, open)| open.last_call);
                self.answered(at, (group, since), whom, usage);
                if hedge.is_none() {
                    self.filtered(at, request, whom, true);
                }
                counts = false;
            }
            Some((_, End::Answered { .. })) | None => {
                let told = one_answer::of_failure(None);
                self.broken(Law::OneAnswer, at, request, Some(whom), || told.unwrap_or_default().to_owned());
            }
        }
        if let Some((call, _)) = ended.filter(|_| sent)
            && let Some(what) = blame::of_failure(whom, call.deployment)
        {
            self.broken(Law::Blame, at, request, Some(whom), || what.to_owned());
        } else if plain && let Some(what) = one_answer::of_error(&seen.error, &error) {
            self.broken(Law::OneAnswer, at, request, Some(whom), || what);
        }
        let answered = matches!(ended, Some((_, End::Answered { .. }))) && sent;
        self.probe_ends(at, probe, answered);
        self.failed_probe = probe.filter(|_| sent && !answered);
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        if hedge.is_some() {
            // It is on a record of its own, and the request goes on without it.
            if counts && plain {
                self.count_failure(at, request, whom, &seen, group);
            } else if counts {
                self.expect(at, request, whom, None);
            } else if !sent && self.refused_by_limit(at, request, whom).is_some() {
                self.weigh_limit(at, request, whom, error);
            }
            return;
        }
        open.frames.top().newest = Some(seen);
        if counts {
            self.report(at, request, whom, &seen, group);
        } else if !sent && let Some(by_day) = self.refused_by_limit(at, request, whom) {
            if let Some((_, open)) = self.ledger.requests.get(request)
                && let Some(newest) = &mut open.frames.top().newest
            {
                // A limit of the router carries a `Retry-After` of a minute.
                (newest.by_limit, newest.by_day, newest.retry_after) = (true, by_day, RetryAfter::Seconds(60));
            }
            self.report_limit(request, error);
            self.weigh_limit(at, request, whom, error);
        }
    }

    /// A call is made, or refused, where `num_retries_per_request` has a say.
    pub(super) fn capped(&mut self, at: Time, request: RequestId, whom: DeploymentId, called: bool) {
        let cap = self.plan.settings().num_retries_per_request;
        let Some((_, open)) = self.ledger.requests.get(request).filter(|(_, open)| open.plain) else { return };
        if let Some(what) = attempts_bounded::of_cap(called, open.spent, cap) {
            self.broken(Law::AttemptsBounded, at, request, Some(whom), || what);
        }
    }

    /// An answer that a filter broke off is passed on, or is taken for an error.
    pub(super) fn filtered(&mut self, at: Time, request: RequestId, whom: DeploymentId, raised: bool) {
        let plan = std::sync::Arc::clone(&self.plan);
        let Some((_, open)) = self.ledger.requests.get(request).filter(|(_, open)| open.plain) else { return };
        let (name, asked) = (open.frames.at_work().name, open.asked);
        let due = one_answer::falls_back(&plan, (name, asked), &open.tried, self.names.defaults);
        if let Some(what) = one_answer::of_filtered(raised, due).filter(|_| !self.names.maps) {
            self.broken(Law::OneAnswer, at, request, Some(whom), || what.to_owned());
        }
    }

    /// An attempt is over with its newest call, and the provider's own client does not call again.
    fn not_called_again(&mut self, at: Time, request: RequestId, whom: DeploymentId, ended: Option<End>) {
        let plan = std::sync::Arc::clone(&self.plan);
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        let (own, before) = (open.own, open.repeated);
        let most = client_retries::most(&plan, whom, &own);
        if let Some(what) = ended.and_then(|end| client_retries::of_end(before, most, end, at)) {
            self.broken(Law::AttemptsBounded, at, request, Some(whom), || what);
        }
    }

    /// The router refused a call by itself, for want of a place or by a limit per minute; says whether it was a limit, and one per day.
    fn refused_by_limit(&mut self, at: Time, request: RequestId, whom: DeploymentId) -> Option<bool> {
        let taken = max_parallel::taken(&self.plan, &self.ledger.in_flight, whom, at);
        // A place is asked for before any limit per minute is.
        let full = taken.is_some_and(|(taken, cap)| taken >= cap);
        if full {
            return None;
        }
        if !self.limits {
            if let Some(what) = taken.and_then(max_parallel::of_refusal) {
                self.broken(Law::MaxParallel, at, request, Some(whom), || what);
            }
            return None;
        }
        if self.plan.deployment(whom).max_parallel_requests.is_some() && taken.is_none() {
            // Either may have refused.
            self.expect(at, request, whom, None);
            return None;
        }
        let Refused { by_day, wrong } = self.usage.refused(&self.plan, whom, at);
        if let Some(what) = wrong {
            self.broken(Law::QuotaAdmitted, at, request, Some(whom), || what);
        }
        Some(by_day)
    }

    /// Nobody could be picked.
    pub(super) fn nobody(&mut self, at: Time, request: RequestId, group: NameId, (n, error): (u32, Error)) {
        self.numbered(at, request, n);
        self.waited(at, request);
        self.left_open(at, request);
        self.hinted(at, request, group, &error);
        self.counted_tokens(at, request, group);
        let strategy = self.plan.settings().routing_strategy.value;
        let Some((_, open)) = self.ledger.requests.get(request) else { return };
        open.last_name = group;
        let selects = open.own.selects || !open.plain;
        let (plain, prompt) = (open.plain, open.prompt);
        let by_strategy = error.class == ErrorClass::RateLimitError;
        // A limit of the router carries a `Retry-After` of a minute.
        let retry_after = if by_strategy { RetryAfter::Seconds(60) } else { RetryAfter::Absent };
        let frame = open.frames.top();
        frame.attempts += 1;
        frame.newest = Some(Seen {
            error,
            retry_after,
            deployment: None,
            by_router: true,
            by_limit: false,
            by_day: false,
            callers_timeout: false,
        });
        let whole = !frame.partial && frame.refused.is_empty() && frame.excluded.is_empty() && !selects;
        let of_name = self.names.of(group);
        if of_name.by_id
            && let Some(&pinned) = of_name.members.first()
            && let Some(what) = picked_from_group::of_pinned(self.plan.deployment(pinned).blocked)
        {
            self.breaches.add(Law::PickedFromGroup, at, Some(request), Some(pinned), || what.to_owned());
        }
        if self.plan.mode() == Mode::Proxy && !open.reported && strategy != RoutingStrategy::UsageBased && plain {
            open.reported = true;
            open.reported_call = open.last_call;
            let weighs = !self.plan.rules().marks_selection_failures;
            open.late = Some(Late { error, retry_after, weighs, strategy_knows: false, after: open.attempt });
        }
        let of_name = self.names.of(group);
        if !whole || !of_name.simple || of_name.budgets {
            let mut left = std::mem::take(&mut self.left);
            if plain && let Some(found) = self.filter(at, request, group, &mut left) {
                self.nobody_by_filters(at, request, group, (error, prompt), found.map(|()| &left[..]));
            }
            self.left = left;
            return;
        }
        if error.class == ErrorClass::RouterRateLimitError && self.names.strategy_takes_all {
            let counted = self.candidates(group, at).count() as u32;
            if let Some(what) = cooldown_held::of_nobody(counted) {
                self.broken(Law::CooldownHeld, at, request, None, || what);
            }
        } else if self.learns() {
            let candidates = self.who_learns(group, at);
            if !candidates.is_empty()
                && let Some(what) = self.picked_by_usage(group, &candidates, None, prompt, at)
            {
                self.broken(Law::StrategyKept, at, request, None, || what);
            }
            self.left = candidates;
        }
    }

    /// Nobody could be picked, and the client is told when to come back.
    fn hinted(&mut self, at: Time, request: RequestId, group: NameId, error: &Error) {
        if !self.names.counts_cooldowns || self.names.of(group).by_id {
            return;
        }
        let shortest = self.recount.shortest(&self.plan, &self.names.of(group).members, at);
        if let Some(what) = retry_wait::of_hint(&self.plan, error, shortest) {
            self.broken(Law::RetryWait, at, request, None, || what);
        }
    }

    /// Nobody could be picked where more than health decides.
    fn nobody_by_filters(
        &mut self,
        at: Time,
        request: RequestId,
        name: NameId,
        (error, prompt): (Error, u32),
        left: Result<&[DeploymentId], Nobody>,
    ) {
        if matches!(error.class, ErrorClass::TypeError | ErrorClass::ZeroDivisionError) {
            // Weights that are no numbers, or add up to nothing.
            return;
        }
        let strategys = matches!(error.class, ErrorClass::RouterRateLimitError | ErrorClass::RateLimitError)
            && !self.names.strategy_takes_all;
        match left {
            Err(due) => {
                if let Some(what) = picked_from_group::of_nobody(&error, due) {
                    self.broken(Law::PickedFromGroup, at, request, None, || what);
                }
            }
            Ok(left) if strategys => {
                if let Some(what) = self.picked_by_usage(name, left, None, prompt, at) {
                    self.broken(Law::StrategyKept, at, request, None, || what);
                }
            }
            Ok(left) => {
                let what = picked_from_group::of_somebody(&error, left.len());
                self.broken(Law::PickedFromGroup, at, request, None, || what);
            }
        }
    }
}

/// What a note says about a failed attempt.
pub(super) struct Failure {
    pub(super) attempt: Option<AttemptId>,
    pub(super) sent: bool,
    pub(super) error: Error,
}
