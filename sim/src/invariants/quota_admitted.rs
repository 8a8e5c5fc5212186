//! Limits per minute that the router keeps by itself, with `usage-based-routing-v2` and `enforce_model_rate_limits`: as
//! many requests and tokens as `rpm` and `tpm` allow, and none refused below that.

use router_core::{DeploymentId, Limit, Plan, RoutingStrategy, Time};

use super::law::About;

pub(super) const ABOUT: About = About {
    name: "quota-admitted",
    says: "no more requests or tokens in a minute than rpm and tpm where the router enforces them, and none refused below that",
    source: "ModelRateLimitingCheck, LowestTPMLoggingHandler_v2",
};

/// Usage of each deployment in the calendar minute, counted from calls and answers.
#[derive(Clone, Debug)]
pub(super) struct Usage {
    /// By deployment, of the first of its twins.
    minutes: Vec<Minute>,
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
struct Minute {
    number: u64,
    /// Requests, once one was counted.
    requests: Option<u64>,
    tokens: u64,
}

impl Usage {
    pub(super) fn new(plan: &Plan) -> Self {
        let by_strategy = plan.settings().routing_strategy.value == RoutingStrategy::UsageBasedV2;
        let keeper = match (by_strategy, plan.settings().enforce_model_rate_limits) {
            (true, false) => Keeper::Strategy,
            (false, true) => Keeper::Check,
            (false, false) | (true, true) => Keeper::Nobody,
        };
        Self { minutes: vec![Minute::default(); plan.deployments().len()], keeper }
    }

    pub(super) fn keeper(&self) -> Keeper {
        self.keeper
    }

    fn current(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) -> &mut Minute {
        let number = (plan.start_unix_nanos() + now.as_nanos()) / 60_000_000_000;
        let minute = &mut self.minutes[plan.deployment(deployment).twin.index()];
        if minute.number != number {
            *minute = Minute { number, ..Minute::default() };
        }
        minute
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
        let minute = self.current(plan, deployment, now);
        let (requests, tokens) = (minute.requests.unwrap_or(0) + 1, minute.tokens);
        minute.requests = Some(requests);
        if requests as f64 > rpm {
            return Some(format!("request {requests} of a minute in which {rpm} are allowed"));
        }
        (checks && tokens > 0 && tokens as f64 >= tpm)
            .then(|| format!("called with {tokens} tokens used of {tpm} a minute"))
    }

    /// An answer used so many tokens.
    pub(super) fn answered(&mut self, plan: &Plan, deployment: DeploymentId, tokens: u64, now: Time) {
        if self.keeper != Keeper::Nobody {
            self.current(plan, deployment, now).tokens += tokens;
        }
    }

    /// The router refuses a call by a limit of its own.
    pub(super) fn refused(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) -> Option<String> {
        let one = plan.deployment(deployment);
        // Limits per day are not counted here, and those behind a wildcard not by model.
        if self.keeper == Keeper::Nobody || one.wildcard || one.daily.rpd.is_some() || one.daily.tpd.is_some() {
            return None;
        }
        let (rpm, tpm) = (limit(one.rpm), limit(one.tpm));
        let by_strategy = self.keeper == Keeper::Strategy;
        let minute = self.current(plan, deployment, now);
        if by_strategy {
            // It counts before it refuses, but for what is over the limit already.
            let before = minute.requests;
            if before.is_none_or(|requests| (requests as f64) < rpm) {
                minute.requests = Some(before.unwrap_or(0) + 1);
            }
            let room = (before.unwrap_or(0) + 1) as f64 <= rpm;
            return room.then(|| format!("refused after {} requests of {rpm} a minute", before.unwrap_or(0)));
        }
        let (requests, tokens) = (minute.requests.unwrap_or(0), minute.tokens);
        let room = (requests + 1) as f64 <= rpm && (tokens == 0 || (tokens as f64) < tpm);
        room.then(|| format!("refused after {requests} requests and {tokens} tokens, of {rpm} and {tpm} a minute"))
    }

    /// Tokens of a deployment this minute, if `usage-based-routing-v2` may pick it for such a prompt; `None`: it may not.
    pub(super) fn room(&mut self, plan: &Plan, deployment: DeploymentId, prompt: u32, now: Time) -> Option<u64> {
        let one = plan.deployment(deployment);
        let (rpm, tpm) = (limit(one.rpm), limit(one.tpm));
        let Minute { requests, tokens, .. } = *self.current(plan, deployment, now);
        let over = tokens as f64 + f64::from(prompt) > tpm
            // LiteLLM stops one request short of the limit, once a request was counted.
            || requests.is_some_and(|requests| (requests + 1) as f64 >= rpm);
        (!over).then_some(tokens)
    }
}

/// The first place that has a limit, be it 0.
fn limit(limit: Limit) -> f64 {
    limit.entry.or(limit.params).or(limit.info).unwrap_or(f64::INFINITY)
}
