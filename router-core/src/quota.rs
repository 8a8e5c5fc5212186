//! The limits that the router keeps by itself: requests and tokens per minute and day, and calls at a time.

use std::collections::{BTreeMap, VecDeque};

use crate::counter::Counter;
use crate::ids::{DeploymentId, NameId};
use crate::plan::{Deployment, Plan};
use crate::rules::FullDeployment;
use crate::strategy::Called;
use crate::time::{Span, Time};
use crate::timers::Turn;

/// How long LiteLLM's cache keeps what is put there without a time to live.
pub(crate) const DEFAULT_TTL: Span = Span::from_secs(600);
const WINDOW: Span = Span::from_secs(60);
const MINUTES_PER_DAY: u64 = 24 * 60;

/// Usage of every deployment. Entries with one id share one account; a wildcard deployment has one for each model.
#[derive(Debug)]
pub(crate) struct Quota {
    accounts: Vec<Account>,
    of_models: BTreeMap<(DeploymentId, NameId), Account>,
}

/// Usage per calendar minute and day, UTC. `usage-based-routing-v2` and `enforce_model_rate_limits` write to the same
/// keys, so that both together count everything twice.
#[derive(Clone, Debug, Default)]
struct Account {
    minute: u64,
    /// Requests this minute, if the key is there.
    requests: Option<u64>,
    /// Tokens this minute, if the key is there.
    tokens: Option<u64>,
    day: u64,
    requests_today: u64,
    tokens_today: u64,
    /// Requests begun in the current window of a minute, which begins with a request.
    started: Counter,
}

/// Which limit refused a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// A limit per minute: LiteLLM says not to retry.
    PerMinute,
    /// A limit per day.
    PerDay,
}

impl Quota {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self { accounts: vec![Account::default(); plan.deployments().len()], of_models: BTreeMap::new() }
    }

    /// Requests and tokens of the current minute.
    pub(crate) fn used(&self, plan: &Plan, call: Called, now: Time) -> (Option<u64>, Option<u64>) {
        let deployment = plan.deployment(call.deployment);
        let account = if deployment.wildcard {
            self.of_models.get(&(deployment.twin, plan.route(call.group).resolved))
        } else {
            Some(&self.accounts[deployment.twin.index()])
        };
        match account {
            Some(account) if account.minute == plan.minute(now) => (account.requests, account.tokens),
            _ => (None, None),
        }
    }

    /// One more request in the current minute; says how many that makes.
    pub(crate) fn count_request(&mut self, plan: &Plan, call: Called, now: Time) -> u64 {
        let account = self.current(plan, call, now);
        let requests = account.requests.unwrap_or(0) + 1;
        account.requests = Some(requests);
        requests
    }

    /// More tokens in the current minute.
    pub(crate) fn count_tokens(&mut self, plan: &Plan, call: Called, tokens: u64, now: Time) {
        let account = self.current(plan, call, now);
        account.tokens = Some(account.tokens.unwrap_or(0) + tokens);
    }

    /// LiteLLM: `ModelRateLimitingCheck.async_pre_call_check`.
    pub(crate) fn admit(&mut self, plan: &Plan, call: Called, now: Time) -> Result<(), Refusal> {
        let limits = Limits::of(plan.deployment(call.deployment));
        let account = self.current(plan, call, now);
        if limits.tpm.is_some_and(|limit| account.tokens.is_some_and(|tokens| tokens as f64 >= limit)) {
            return Err(Refusal::PerMinute);
        }
        if limits.tpd.is_some_and(|limit| account.tokens_today > 0 && account.tokens_today as f64 >= limit) {
            return Err(Refusal::PerDay);
        }
        let (requests, today) = (account.requests.unwrap_or(0) + 1, account.requests_today + 1);
        if limits.rpm.is_some_and(|limit| requests as f64 > limit) {
            // Counted, then given back: the key is there afterwards.
            account.requests = Some(requests - 1);
            return Err(Refusal::PerMinute);
        }
        if limits.rpd.is_some_and(|limit| today as f64 > limit) {
            if limits.rpm.is_some() {
                account.requests = Some(requests - 1);
            }
            return Err(Refusal::PerDay);
        }
        if limits.rpm.is_some() {
            account.requests = Some(requests);
        }
        if limits.rpd.is_some() {
            account.requests_today = today;
        }
        Ok(())
    }

    /// LiteLLM: `ModelRateLimitingCheck.async_log_success_event`.
    pub(crate) fn charge(&mut self, plan: &Plan, call: Called, tokens: u64, now: Time) {
        if tokens > 0 {
            self.count_tokens(plan, call, tokens, now);
            self.current(plan, call, now).tokens_today += tokens;
        }
    }

    /// A deployment was chosen.
    pub(crate) fn count_start(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) {
        self.accounts[plan.deployment(deployment).twin.index()].started.add(1, now, WINDOW);
    }

    /// How often a deployment was chosen in the current window.
    pub(crate) fn started(&self, plan: &Plan, deployment: DeploymentId, now: Time) -> u64 {
        self.accounts[plan.deployment(deployment).twin.index()].started.get(now).unwrap_or(0)
    }

    fn current(&mut self, plan: &Plan, call: Called, now: Time) -> &mut Account {
        let deployment = plan.deployment(call.deployment);
        let account = if deployment.wildcard {
            self.of_models.entry((deployment.twin, plan.route(call.group).resolved)).or_default()
        } else {
            &mut self.accounts[deployment.twin.index()]
        };
        let minute = plan.minute(now);
        if account.minute != minute {
            (account.minute, account.requests, account.tokens) = (minute, None, None);
            let day = minute / MINUTES_PER_DAY;
            if account.day != day {
                (account.day, account.requests_today, account.tokens_today) = (day, 0, 0);
            }
        }
        account
    }
}

struct Limits {
    rpm: Option<f64>,
    tpm: Option<f64>,
    rpd: Option<f64>,
    tpd: Option<f64>,
}

impl Limits {
    fn of(deployment: &Deployment) -> Self {
        let finite = |limit: f64| Some(limit).filter(|limit| limit.is_finite());
        Self {
            rpm: finite(Deployment::limit_or_infinity(deployment.rpm)),
            tpm: finite(Deployment::limit_or_infinity(deployment.tpm)),
            rpd: deployment.daily.rpd,
            tpd: deployment.daily.tpd,
        }
    }
}

/// How many calls each deployment may have under way (LiteLLM: `MaxParallelRequestsLimit`, formerly a semaphore).
///
/// The counter is an object in a cache, without a time to live of its own: about every ten minutes a new one takes
/// its place and knows nothing of the calls that are still under way.
#[derive(Debug, Default)]
pub(crate) struct Parallel {
    current: Vec<Option<(u32, Time)>>,
    counters: Vec<InFlight>,
    free: Vec<u32>,
}

#[derive(Debug, Default)]
struct InFlight {
    calls: u32,
    waiting: VecDeque<Turn>,
    replaced: bool,
}

/// What a call gets that asks for a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// There is no limit.
    Unlimited,
    /// A place, to be given back.
    Taken(u32),
    /// It stands in line for a place of this counter.
    InLine(u32),
    /// None is free.
    Full,
}

impl Parallel {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut parallel = Self { current: vec![None; plan.deployments().len()], ..Self::default() };
        for (index, deployment) in plan.deployments().iter().enumerate() {
            if deployment.max_parallel_requests.is_some() && deployment.twin.index() == index {
                parallel.renew(index, Time::ZERO);
            }
        }
        parallel
    }

    /// Asks for a place for the call of `turn`.
    pub(crate) fn ask(&mut self, plan: &Plan, deployment: DeploymentId, turn: Turn, now: Time) -> Place {
        let Some(limit) = plan.deployment(deployment).max_parallel_requests else { return Place::Unlimited };
        let twin = plan.deployment(deployment).twin.index();
        let counter = match self.current[twin] {
            Some((counter, expires)) if now <= expires => counter,
            _ => self.renew(twin, now),
        };
        let in_flight = &mut self.counters[counter as usize];
        if in_flight.calls < limit.value && in_flight.waiting.is_empty() {
            in_flight.calls += 1;
            return Place::Taken(counter);
        }
        match plan.rules().full_deployment {
            FullDeployment::Refused => Place::Full,
            FullDeployment::Waits => {
                in_flight.waiting.push_back(turn);
                Place::InLine(counter)
            }
        }
    }

    /// Gives a place back; says who stood first in line and has it now.
    pub(crate) fn give_back(&mut self, counter: u32) -> Option<Turn> {
        let in_flight = &mut self.counters[counter as usize];
        let next = in_flight.waiting.pop_front();
        if next.is_none() {
            in_flight.calls -= 1;
        }
        self.free_if_done(counter);
        next
    }

    /// Leaves the line.
    pub(crate) fn leave(&mut self, counter: u32, turn: Turn) {
        self.counters[counter as usize].waiting.retain(|&waiting| waiting != turn);
        self.free_if_done(counter);
    }

    /// Calls under way and calls in line, as the deployment's current counter knows them.
    pub(crate) fn in_flight(&self, plan: &Plan, deployment: DeploymentId) -> (u32, usize) {
        self.current[plan.deployment(deployment).twin.index()].map_or((0, 0), |(counter, _)| {
            let in_flight = &self.counters[counter as usize];
            (in_flight.calls, in_flight.waiting.len())
        })
    }

    fn renew(&mut self, twin: usize, now: Time) -> u32 {
        if let Some((old, _)) = self.current[twin].take() {
            self.counters[old as usize].replaced = true;
            self.free_if_done(old);
        }
        let counter = self.free.pop().unwrap_or_else(|| {
            self.counters.push(InFlight::default());
            self.counters.len() as u32 - 1
        });
        self.counters[counter as usize].replaced = false;
        self.current[twin] = Some((counter, now + DEFAULT_TTL));
        counter
    }

    fn free_if_done(&mut self, counter: u32) {
        let in_flight = &self.counters[counter as usize];
        if in_flight.replaced && in_flight.calls == 0 && in_flight.waiting.is_empty() {
            self.free.push(counter);
        }
    }
}
