//! Limits per minute and day that the router keeps by itself, with `usage-based-routing-v2` and `enforce_model_rate_limits`:
//! as many requests and tokens as `rpm`, `tpm`, `rpd` and `tpd` allow, and none refused below that.

use router_core::{DeploymentId, Limit, Plan, RoutingStrategy, Time};

use super::law::About;

pub(super) const ABOUT: About = About {
    name: "quota-admitted",
    says: "no more requests or tokens in a minute or a day than the limits that the router enforces, and none refused below that",
    source: "ModelRateLimitingCheck, LowestTPMLoggingHandler_v2",
};

/// Usage of each deployment in the calendar minute and day, counted from calls and answers.
#[derive(Clone, Debug)]
pub(super) struct Usage {
    /// By deployment, of the first of its twins.
    accounts: Vec<Account>,
    keeper: Keeper,
}

/// What keeps limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keeper {
    /// Nothing, or two at once, which count everything twice.
    Nobody,
    /// `usage-based-routing-v2`.
    Strategy,
    /// `enforce_model_rate_limits`.
    Check,
}

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    minute: u64,
    /// Requests, once one was counted.
    requests: Option<u64>,
    tokens: u64,
    today: Day,
}

#[derive(Clone, Copy, Debug, Default)]
struct Day {
    number: u64,
    requests: u64,
    tokens: u64,
}

/// A refusal of the router: whether it was a limit per day that refused, and what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Refused {
    pub(super) by_day: bool,
    pub(super) wrong: Option<String>,
}

const MINUTES_PER_DAY: u64 = 24 * 60;

impl Usage {
    pub(super) fn new(plan: &Plan) -> Self {
        let by_strategy = plan.settings().routing_strategy.value == RoutingStrategy::UsageBasedV2;
        let keeper = match (by_strategy, plan.settings().enforce_model_rate_limits) {
            (true, false) => Keeper::Strategy,
            (false, true) => Keeper::Check,
            (false, false) | (true, true) => Keeper::Nobody,
        };
        Self { accounts: vec![Account::default(); plan.deployments().len()], keeper }
    }

    pub(super) fn keeper(&self) -> Keeper {
        self.keeper
    }

    fn current(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) -> &mut Account {
        let minute = (plan.start_unix_nanos() + now.as_nanos()) / 60_000_000_000;
        let account = &mut self.accounts[plan.deployment(deployment).twin.index()];
        if account.minute != minute {
            *account = Account { minute, today: account.today, ..Account::default() };
            let number = minute / MINUTES_PER_DAY;
            if account.today.number != number {
                account.today = Day { number, ..Day::default() };
            }
        }
        account
    }

    /// A call is made.
    pub(super) fn called(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) -> Option<String> {
        let one = plan.deployment(deployment);
        // Each model behind a wildcard has an account of its own.
        if self.keeper == Keeper::Nobody || one.wildcard {
            return None;
        }
        let (rpm, tpm) = (limit(one.rpm), limit(one.tpm));
        let checks = self.keeper == Keeper::Check;
        let account = self.current(plan, deployment, now);
        account.requests = Some(account.requests.unwrap_or(0) + 1);
        account.today.requests += 1;
        let Account { requests, tokens, today, .. } = *account;
        let requests = requests.unwrap_or(0);
        if requests as f64 > rpm {
            return Some(format!("request {requests} of a minute in which {rpm} are allowed"));
        }
        if !checks {
            return None;
        }
        if one.daily.rpd.is_some_and(|rpd| today.requests as f64 > rpd) {
            return Some(format!("request {} of a day, more than are allowed", today.requests));
        }
        let used_up = tokens > 0 && tokens as f64 >= tpm || today.is_full(one.daily.tpd);
        used_up.then(|| format!("called with {tokens} tokens used this minute and {} today", today.tokens))
    }

    /// An answer used so many tokens.
    pub(super) fn answered(&mut self, plan: &Plan, deployment: DeploymentId, tokens: u64, now: Time) {
        if self.keeper != Keeper::Nobody {
            let account = self.current(plan, deployment, now);
            account.tokens += tokens;
            account.today.tokens += tokens;
        }
    }

    /// The router refuses a call by a limit of its own.
    pub(super) fn refused(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) -> Refused {
        let one = plan.deployment(deployment);
        // Those behind a wildcard are not counted by model here.
        if self.keeper == Keeper::Nobody || one.wildcard {
            return Refused::default();
        }
        let (rpm, tpm) = (limit(one.rpm), limit(one.tpm));
        let by_strategy = self.keeper == Keeper::Strategy;
        let account = self.current(plan, deployment, now);
        if by_strategy {
            // It counts before it refuses, but for what is over the limit already.
            let before = account.requests;
            if before.is_none_or(|requests| (requests as f64) < rpm) {
                account.requests = Some(before.unwrap_or(0) + 1);
            }
            let room = (before.unwrap_or(0) + 1) as f64 <= rpm;
            let wrong = room.then(|| format!("refused after {} requests of {rpm} a minute", before.unwrap_or(0)));
            return Refused { by_day: false, wrong };
        }
        let Account { requests, tokens, today, .. } = *account;
        let requests = requests.unwrap_or(0);
        // Tokens are looked at first, and the minute before the day.
        let fit = |limit: Option<f64>, next: u64| limit.is_none_or(|limit| next as f64 <= limit);
        let (by_minute, by_day) = if tokens > 0 && tokens as f64 >= tpm {
            (true, false)
        } else if today.is_full(one.daily.tpd) {
            (false, true)
        } else {
            let minutely = !fit(Some(rpm), requests + 1);
            (minutely, !minutely && !fit(one.daily.rpd, today.requests + 1))
        };
        let room = !by_minute && !by_day;
        let wrong =
            room.then(|| format!("refused after {requests} requests and {tokens} tokens, of {rpm} and {tpm} a minute"));
        Refused { by_day, wrong }
    }

    /// Tokens of a deployment this minute, if `usage-based-routing-v2` may pick it for such a prompt; `None`: it may not.
    pub(super) fn room(&mut self, plan: &Plan, deployment: DeploymentId, prompt: u32, now: Time) -> Option<u64> {
        let one = plan.deployment(deployment);
        let (rpm, tpm) = (limit(one.rpm), limit(one.tpm));
        let Account { requests, tokens, .. } = *self.current(plan, deployment, now);
        let over = tokens as f64 + f64::from(prompt) > tpm
            // LiteLLM stops one request short of the limit, once a request was counted.
            || requests.is_some_and(|requests| (requests + 1) as f64 >= rpm);
        (!over).then_some(tokens)
    }
}

impl Day {
    /// Whether its tokens are used up, where they are limited.
    fn is_full(&self, limit: Option<f64>) -> bool {
        limit.is_some_and(|limit| self.tokens > 0 && self.tokens as f64 >= limit)
    }
}

/// The first place that has a limit, be it 0.
fn limit(limit: Limit) -> f64 {
    limit.entry.or(limit.params).or(limit.info).unwrap_or(f64::INFINITY)
}
