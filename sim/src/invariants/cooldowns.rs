//! Who rests, counted again from what upstreams answered (LiteLLM: `_should_cooldown_deployment` and what it asks).

use router_core::{
    AllowedFailsPolicy, Deployment, DeploymentId, Error, ErrorClass, FallbackList, NameId, Plan, RetryAfter, Source,
    Span, Time,
};

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

#[derive(Clone, Debug, Default)]
struct Health {
    /// When the cache forgets the cooldown: a second one while the first lasts does not move it.
    forgotten: Option<Time>,
    /// When the newest cooldown ends by its own length, and that length.
    over: Time,
    length: Span,
    successes: Window,
    failures: Window,
    /// Failures against `allowed_fails`: the router's, the deployment's, and the deployment's by class of error.
    allowed: Vec<Window>,
    /// It was put to rest, and no probe has succeeded since; and how many are under way.
    tripped: bool,
    probes: u32,
}

/// Which of a deployment's windows against `allowed_fails` a failure goes to.
const OF_ROUTER: usize = 0;
const OF_DEPLOYMENT: usize = 1;
const OF_CLASS: usize = 2;

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
}

/// A failure as it is weighed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighed<'a> {
    pub(super) error: &'a Error,
    /// How long the deployment would rest.
    pub(super) length: Span,
    /// The name that was called, where LiteLLM knows it.
    pub(super) requested: Option<NameId>,
}

impl Health {
    #[inline]
    fn rests_until(&self, plan: &Plan, now: Time) -> Option<Time> {
        let kept = self.forgotten.filter(|&forgotten| now <= forgotten)?;
        if !plan.rules().cooldown_ends_by_length {
            return Some(kept);
        }
        (now < self.over).then(|| kept.min(self.over))
    }

    /// Whether a half-open deployment has all the probes that it gets.
    fn is_full(&self, plan: &Plan) -> bool {
        plan.what_if().half_open.is_some_and(|most| self.probes >= most)
    }
}

impl Recount {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { health: vec![Health::default(); plan.deployments().len()] }
    }

    fn of(&mut self, plan: &Plan, deployment: DeploymentId) -> &mut Health {
        &mut self.health[plan.deployment(deployment).twin.index()]
    }

    /// Whether a deployment rests, or is half open and has all the probes that it gets.
    #[inline]
    pub(super) fn rests(&self, plan: &Plan, deployment: DeploymentId, now: Time) -> bool {
        let health = &self.health[plan.deployment(deployment).twin.index()];
        health.rests_until(plan, now).is_some() || health.tripped && health.is_full(plan)
    }

    /// A call begins; says whether it is a probe.
    pub(super) fn begin_probe(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) -> bool {
        let health = self.of(plan, deployment);
        let probe = health.tripped && health.rests_until(plan, now).is_none();
        health.probes += u32::from(probe);
        probe
    }

    /// A probe is over. One that succeeds while its deployment does not rest brings it back for everybody.
    pub(super) fn end_probe(&mut self, plan: &Plan, deployment: DeploymentId, succeeded: bool, now: Time) {
        let rests = self.rests_until(plan, deployment, now).is_some();
        let health = self.of(plan, deployment);
        health.probes = health.probes.saturating_sub(1);
        health.tripped &= !succeeded || rests;
    }

    /// Probes under way.
    pub(super) fn probes(&self, plan: &Plan, deployment: DeploymentId) -> u32 {
        self.health[plan.deployment(deployment).twin.index()].probes
    }

    /// Until when a deployment rests, if it does. The cache keeps a cooldown up to its very end, while its own length
    /// counts up to just before it.
    pub(super) fn rests_until(&self, plan: &Plan, deployment: DeploymentId, now: Time) -> Option<Time> {
        self.health[plan.deployment(deployment).twin.index()].rests_until(plan, now)
    }

    /// The shortest cooldown among those of some deployments that rest, in whole.
    pub(super) fn shortest(&self, plan: &Plan, deployments: &[DeploymentId], now: Time) -> Option<Span> {
        let of = |&id: &DeploymentId| &self.health[plan.deployment(id).twin.index()];
        let resting = deployments.iter().map(of).filter(|health| health.rests_until(plan, now).is_some());
        resting.map(|health| health.length).min()
    }

    pub(super) fn answered(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) {
        self.of(plan, deployment).successes.add(now, WINDOW);
    }

    pub(super) fn failed(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) {
        self.of(plan, deployment).failures.add(now, WINDOW);
    }

    /// Puts a deployment to rest.
    pub(super) fn cool(&mut self, plan: &Plan, deployment: DeploymentId, length: Span, now: Time) {
        let rests = self.rests_until(plan, deployment, now).is_some();
        let half_open = plan.what_if().half_open.is_some();
        let health = self.of(plan, deployment);
        if !rests {
            health.forgotten = Some(now + length);
        }
        health.over = now + length;
        health.length = length;
        health.tripped = half_open;
    }

    /// How long a deployment would rest: as it says itself, else as the answer says, else as the router says.
    pub(super) fn length(&self, plan: &Plan, deployment: DeploymentId, asked: RetryAfter) -> Span {
        let own = plan.deployment(deployment).cooldown_time;
        match asked {
            _ if is_own(own.from) => Span::from_secs_f64(own.value),
            RetryAfter::Seconds(seconds) if seconds >= 0 => Span::from_secs(seconds.unsigned_abs()),
            _ => Span::from_secs_f64(plan.settings().cooldown_time.value),
        }
    }

    /// What a failure must lead to.
    pub(super) fn weigh(&mut self, plan: &Plan, whom: DeploymentId, failed: &Weighed<'_>, now: Time) -> Due {
        let (settings, rules) = (plan.settings(), plan.rules());
        let one = plan.deployment(whom);
        let Weighed { error, length, requested } = *failed;
        let class = error.class;
        let named = one.allowed_fails_policy.and_then(|policy| allowed(&policy, class, true));
        if length.is_zero() || settings.disable_cooldowns.value || one.wildcard {
            return Due::Stays;
        }
        let eligible = class != ErrorClass::APIConnectionError
            && error.status.is_some_and(|status| match status {
                429 | 401 | 408 | 404 => true,
                402 => rules.cools_402,
                400..500 => false,
                _ => true,
            });
        if !eligible && named.is_none() {
            return Due::Stays;
        }
        // What has no status counts as a 500 from here on.
        let status = error.status.unwrap_or(500);
        let covered = settings.allowed_fails_policy.and_then(|policy| {
            allowed(&policy, class, rules.wide_allowed_fails_policy)
                .filter(|&limit| limit != 0 || rules.policy_zero_counts)
        });
        if status == 402 && one.alone && covered.is_none() && named.is_none() {
            return Due::Stays;
        }
        let chain = requested.map_or(&[][..], |name| plan.fallback_chain(name, FallbackList::Fallbacks));
        let exempt = rules.lone_is_exempt_from_counts && one.alone && chain.is_empty();
        if one.allowed_fails.is_some() || one.allowed_fails_policy.is_some() {
            if exempt && named.is_none() && (one.allowed_fails.is_some() || covered.is_none()) {
                return Due::Stays;
            }
            let window = match (named, one.allowed_fails) {
                (Some(_), _) => OF_CLASS + class as usize,
                (None, Some(_)) => OF_DEPLOYMENT,
                (None, None) => OF_ROUTER,
            };
            let limit = named.or(one.allowed_fails).or(covered).unwrap_or(settings.allowed_fails.value);
            return self.count(plan, one, window, limit, now, length);
        }
        if settings.allowed_fails_counts || settings.allowed_fails_policy.is_some() {
            if exempt && covered.is_none() {
                return Due::Stays;
            }
            let limit = covered.unwrap_or(settings.allowed_fails.value);
            return self.count(plan, one, OF_ROUTER, limit, now, length);
        }
        let health = self.of(plan, whom);
        let (good, bad) = (health.successes.read(now), health.failures.read(now));
        let cools = status == 429 && !one.alone
            || good == 0 && bad >= 1000
            || bad > good && good + bad >= 5 && !one.alone
            || !super::retries::passes(status);
        if cools { Due::Cools(length) } else { Due::Stays }
    }

    /// One more failure against a limit.
    fn count(&mut self, plan: &Plan, one: &Deployment, window: usize, limit: i64, now: Time, length: Span) -> Due {
        let owns = one.allowed_fails.is_some() || one.allowed_fails_policy.is_some();
        let ttl = one.own_counter_ttl.filter(|_| owns).unwrap_or(plan.settings().cooldown_time.value);
        let windows = &mut self.health[one.twin.index()].allowed;
        if windows.len() <= window {
            windows.resize(window + 1, Window::default());
        }
        let over = i64::try_from(windows[window].read(now) + 1).is_ok_and(|fails| fails > limit);
        if plan.rules().counts_the_tripping_fail || !over {
            windows[window].add(now, Span::from_secs_f64(ttl));
        }
        if over { Due::Cools(length) } else { Due::Stays }
    }
}

/// Whether a deployment sets its cooldown time by itself.
fn is_own(from: Source) -> bool {
    matches!(from, Source::Deployment | Source::ModelInfo)
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
