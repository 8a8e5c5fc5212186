//! Who rests, counted again from what upstreams answered (LiteLLM: `_should_cooldown_deployment` and what it asks).

use router_core::{AllowedFailsPolicy, DeploymentId, ErrorClass, FallbackList, NameId, Plan, RetryAfter, Span, Time};

use super::ledger::Seen;

/// Successes and failures count for a minute from the first of them.
const WINDOW: Span = Span::from_secs(60);

/// A count that is forgotten a while after its first.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    count: u64,
    until: Option<Time>,
}

impl Window {
    fn read(&self, now: Time) -> u64 {
        if self.until.is_some_and(|until| now <= until) { self.count } else { 0 }
    }

    fn add(&mut self, now: Time, length: Span) {
        self.count = self.read(now) + 1;
        if length.is_zero() {
            self.until = None;
        } else if self.until.is_none_or(|until| until <= now) {
            self.until = Some(now + length);
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Health {
    /// When the cache forgets the cooldown: a second one while the first lasts does not move it.
    forgotten: Option<Time>,
    /// When the newest cooldown ends by its own length.
    over: Time,
    successes: Window,
    failures: Window,
    allowed: Window,
}

/// Who rests, by a count of our own.
#[derive(Clone, Debug)]
pub(super) struct Recount {
    health: Vec<Health>,
}

/// What a failure must lead to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Due {
    /// A cooldown of this length.
    Cools(Span),
    /// None.
    Stays,
    /// What the router says: the deployment has rules of its own that are not counted again here.
    AsTold,
}

impl Recount {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { health: vec![Health::default(); plan.deployments().len()] }
    }

    fn of(&mut self, plan: &Plan, deployment: DeploymentId) -> &mut Health {
        &mut self.health[plan.deployment(deployment).twin.index()]
    }

    pub(super) fn rests(&self, plan: &Plan, deployment: DeploymentId, now: Time) -> bool {
        let health = &self.health[plan.deployment(deployment).twin.index()];
        let kept = health.forgotten.is_some_and(|forgotten| now <= forgotten);
        kept && (!plan.rules().cooldown_ends_by_length || now < health.over)
    }

    pub(super) fn answered(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) {
        self.of(plan, deployment).successes.add(now, WINDOW);
    }

    pub(super) fn failed(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) {
        self.of(plan, deployment).failures.add(now, WINDOW);
    }

    /// Puts a deployment to rest.
    pub(super) fn cool(&mut self, plan: &Plan, deployment: DeploymentId, length: Span, now: Time) {
        let rests = self.rests(plan, deployment, now);
        let health = self.of(plan, deployment);
        if !rests {
            health.forgotten = Some(now + length);
        }
        health.over = now + length;
    }

    /// What a failure that is counted must lead to. `requested`: the name that was called, where LiteLLM knows it.
    pub(super) fn weigh(
        &mut self,
        plan: &Plan,
        deployment: DeploymentId,
        seen: &Seen,
        requested: Option<NameId>,
        now: Time,
    ) -> Due {
        let (settings, rules) = (plan.settings(), plan.rules());
        let one = plan.deployment(deployment);
        if one.allowed_fails.is_some() || one.allowed_fails_policy.is_some() {
            return Due::AsTold;
        }
        let length = length(plan, deployment, seen.retry_after);
        let class = seen.error.class;
        if length.is_zero()
            || settings.disable_cooldowns.value
            || one.wildcard
            || class == ErrorClass::APIConnectionError
        {
            return Due::Stays;
        }
        let Some(status) = seen.error.status else { return Due::Stays };
        let eligible = match status {
            429 | 401 | 408 | 404 => true,
            402 => rules.cools_402,
            400..500 => false,
            _ => true,
        };
        if !eligible {
            return Due::Stays;
        }
        let covered = settings.allowed_fails_policy.and_then(|policy| {
            allowed(&policy, class, rules.wide_allowed_fails_policy)
                .filter(|&limit| limit != 0 || rules.policy_zero_counts)
        });
        if status == 402 && one.alone && covered.is_none() {
            return Due::Stays;
        }
        if settings.allowed_fails_counts || settings.allowed_fails_policy.is_some() {
            let chain = requested.map_or(&[][..], |name| plan.fallback_chain(name, FallbackList::Fallbacks));
            if rules.lone_is_exempt_from_counts && one.alone && chain.is_empty() && covered.is_none() {
                return Due::Stays;
            }
            let limit = covered.unwrap_or(settings.allowed_fails.value);
            let ttl = Span::from_secs_f64(settings.cooldown_time.value);
            let counter = &mut self.of(plan, deployment).allowed;
            let over = i64::try_from(counter.read(now) + 1).is_ok_and(|fails| fails > limit);
            if rules.counts_the_tripping_fail || !over {
                counter.add(now, ttl);
            }
            return if over { Due::Cools(length) } else { Due::Stays };
        }
        let health = self.of(plan, deployment);
        let (good, bad) = (health.successes.read(now), health.failures.read(now));
        let calls = good + bad;
        let cools = status == 429 && !one.alone
            || good == 0 && bad >= 1000
            || bad > good && calls >= 5 && !one.alone
            || matches!(status, 401 | 402 | 404);
        if cools { Due::Cools(length) } else { Due::Stays }
    }
}

/// How long a deployment rests: as it says itself, else as the answer says, else as the router says.
fn length(plan: &Plan, deployment: DeploymentId, asked: RetryAfter) -> Span {
    use router_core::Source::{Deployment, ModelInfo};
    let own = plan.deployment(deployment).cooldown_time;
    match (own.from, asked) {
        (Deployment | ModelInfo, _) => Span::from_secs_f64(own.value),
        (_, RetryAfter::Seconds(seconds)) if seconds >= 0 => Span::from_secs(seconds.unsigned_abs()),
        _ => Span::from_secs_f64(plan.settings().cooldown_time.value),
    }
}

/// How many failures of a class the router's policy allows.
fn allowed(policy: &AllowedFailsPolicy, class: ErrorClass, wide: bool) -> Option<i64> {
    use ErrorClass::*;
    let bad_request = policy.bad_request.filter(|_| class.is_bad_request());
    let named = match class {
        AuthenticationError => policy.authentication,
        Timeout => policy.timeout,
        RateLimitError => policy.rate_limit,
        ContentPolicyViolationError => policy.content_policy,
        InternalServerError if wide => policy.internal_server,
        ServiceUnavailableError | MidStreamFallbackError if wide => policy.service_unavailable,
        BadGatewayError if wide => policy.bad_gateway,
        NotFoundError if wide => policy.not_found,
        _ => None,
    };
    // The newer release looks for the special kinds of bad request first, the older one for bad requests of any kind.
    if wide { named.or(bad_request) } else { bad_request.or(named) }
}
