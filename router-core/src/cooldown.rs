//! Who rests, until when, and why (LiteLLM: `cooldown_handlers`, `cooldown_cache`, `track_deployment_metrics`).

use crate::config::AllowedFailsPolicy;
use crate::counter::Counter;
use crate::error::{ErrorClass, Exception, may_go_away};
use crate::ids::{DeploymentId, NameId};
use crate::note::{CooldownReason, NotCooledReason};
use crate::plan::{Deployment, Plan};
use crate::time::{Span, Time};

/// LiteLLM's constants.
const SHARE_MAX: f64 = 0.5;
const SHARE_REQUESTS_MIN: u32 = 5;
const ALL_FAILED_REQUESTS_MIN: u32 = 1000;
const WINDOW: Span = Span::from_secs(60);

/// What is known about the health of every deployment. Entries with one id share one record.
#[derive(Debug)]
pub(crate) struct Cooldowns {
    records: Vec<Record>,
}

#[derive(Clone, Debug, Default)]
struct Record {
    /// When the cache forgets the cooldown. It stays when a cooling deployment is cooled again.
    kept_until: Option<Time>,
    /// When the newest cooldown ends by its own length, and that length in seconds.
    until: Time,
    length: f64,
    successes: Counter,
    failures: Counter,
    /// Failures against `allowed_fails`, by [`CounterKey`].
    allowed: Vec<Counter>,
}

/// Which of a deployment's counters against `allowed_fails` a failure goes to.
#[derive(Clone, Copy)]
enum CounterKey {
    Router,
    DeploymentWide,
    Class(ErrorClass),
}

impl CounterKey {
    fn index(self) -> usize {
        match self {
            Self::Router => 0,
            Self::DeploymentWide => 1,
            Self::Class(class) => 2 + class as usize,
        }
    }
}

/// A failure to be weighed for a cooldown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed {
    /// Who failed.
    pub(crate) deployment: DeploymentId,
    /// What with.
    pub(crate) exception: Exception,
    /// How long the deployment would rest, in seconds.
    pub(crate) length: f64,
    /// The name that was called, where LiteLLM knows it.
    pub(crate) requested: Option<NameId>,
}

impl Cooldowns {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self { records: vec![Record::default(); plan.deployments().len()] }
    }

    /// Until when a deployment rests, if it does.
    pub(crate) fn cooled_until(&self, plan: &Plan, deployment: DeploymentId, now: Time) -> Option<Time> {
        self.records[plan.deployment(deployment).twin.index()].cooled_until(plan, now)
    }

    /// The shortest cooldown among those of the deployments that rest, in seconds: its whole length, not what is left.
    pub(crate) fn shortest(&self, plan: &Plan, deployments: &[DeploymentId], now: Time) -> Option<f64> {
        let records = deployments.iter().map(|&id| &self.records[plan.deployment(id).twin.index()]);
        let lengths = records.filter(|record| record.cooled_until(plan, now).is_some()).map(|record| record.length);
        lengths.min_by(f64::total_cmp)
    }

    /// A call succeeded.
    pub(crate) fn count_success(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) {
        self.records[plan.deployment(deployment).twin.index()].successes.add(1, now, WINDOW);
    }

    /// A call failed.
    pub(crate) fn count_failure(&mut self, plan: &Plan, deployment: DeploymentId, now: Time) {
        self.records[plan.deployment(deployment).twin.index()].failures.add(1, now, WINDOW);
    }

    /// Successes and failures that are counted at the moment.
    pub(crate) fn counts(&self, plan: &Plan, deployment: DeploymentId, now: Time) -> (u64, u64) {
        let record = &self.records[plan.deployment(deployment).twin.index()];
        (record.successes.get(now).unwrap_or(0), record.failures.get(now).unwrap_or(0))
    }

    /// Puts a deployment into cooldown, and says until when it rests now.
    pub(crate) fn cool(&mut self, plan: &Plan, deployment: DeploymentId, length: f64, now: Time) -> Time {
        let record = &mut self.records[plan.deployment(deployment).twin.index()];
        let until = now + Span::from_secs_f64(length);
        if record.cooled_until(plan, now).is_none() {
            record.kept_until = Some(until);
        }
        (record.until, record.length) = (until, length);
        record.cooled_until(plan, now).unwrap_or(now)
    }

    /// Whether a failure starts a cooldown, and by which rule. Counts it against `allowed_fails` where that applies.
    pub(crate) fn weigh(&mut self, plan: &Plan, failed: Failed, now: Time) -> Result<CooldownReason, NotCooledReason> {
        let deployment = plan.deployment(failed.deployment);
        let exception = &failed.exception;
        if failed.length.abs() <= 1e-9 {
            return Err(NotCooledReason::ZeroTime);
        }
        if plan.settings().disable_cooldowns.value {
            return Err(NotCooledReason::Disabled);
        }
        let named =
            deployment.allowed_fails_policy.and_then(|policy| deployment_policy(&policy, exception.error.class));
        if !is_eligible(plan, exception) && named.is_none() {
            return Err(NotCooledReason::Ineligible);
        }
        if deployment.wildcard {
            return Err(NotCooledReason::Wildcard);
        }
        self.past_threshold(plan, deployment, failed, named, now)
    }

    fn past_threshold(
        &mut self,
        plan: &Plan,
        deployment: &Deployment,
        failed: Failed,
        named: Option<i64>,
        now: Time,
    ) -> Result<CooldownReason, NotCooledReason> {
        let (rules, settings) = (plan.rules(), plan.settings());
        let error = failed.exception.error;
        // LiteLLM takes an exception without a status for a 500 here.
        let status = error.status.unwrap_or(500);
        let from_router = settings.allowed_fails_policy.and_then(|policy| router_policy(plan, &policy, error.class));
        let has_fallback = failed.requested.is_some_and(|name| {
            let found = plan.chains().fallbacks.find(name);
            found.is_some_and(|found| !plan.chains().targets(found.chain).is_empty())
        });
        let lone = deployment.alone && !has_fallback && rules.lone_is_exempt_from_counts;
        if rules.cools_402 && status == 402 && deployment.alone && named.is_none() && from_router.is_none() {
            return Err(NotCooledReason::Alone);
        }
        if deployment.allowed_fails_policy.is_some() || deployment.allowed_fails.is_some() {
            if named.is_none() && lone && (deployment.allowed_fails.is_some() || from_router.is_none()) {
                return Err(NotCooledReason::Alone);
            }
            let key = match (named, deployment.allowed_fails) {
                (Some(_), _) => CounterKey::Class(error.class),
                (None, Some(_)) => CounterKey::DeploymentWide,
                (None, None) => CounterKey::Router,
            };
            let limit = named.or(deployment.allowed_fails).or(from_router).unwrap_or(settings.allowed_fails.value);
            let ttl = deployment.own_counter_ttl.unwrap_or(settings.cooldown_time.value);
            return self.count(plan, failed.deployment, key, limit, ttl, now);
        }
        if settings.allowed_fails_policy.is_some() || settings.allowed_fails_counts {
            if lone && from_router.is_none() {
                return Err(NotCooledReason::Alone);
            }
            let limit = from_router.unwrap_or(settings.allowed_fails.value);
            return self.count(plan, failed.deployment, CounterKey::Router, limit, settings.cooldown_time.value, now);
        }
        let (successes, failures) = self.counts(plan, failed.deployment, now);
        let total = successes + failures;
        let share = if total > 0 { failures as f64 / total as f64 } else { 0.0 };
        if status == 429 && !deployment.alone {
            Ok(CooldownReason::RateLimited)
        } else if share == 1.0 && total >= u64::from(ALL_FAILED_REQUESTS_MIN) {
            Ok(CooldownReason::AllFailed)
        } else if share > SHARE_MAX && total >= u64::from(SHARE_REQUESTS_MIN) && !deployment.alone {
            Ok(CooldownReason::FailureShare)
        } else if !may_go_away(status) {
            Ok(CooldownReason::NotRetryable)
        } else if deployment.alone {
            Err(NotCooledReason::Alone)
        } else {
            Err(NotCooledReason::BelowThreshold)
        }
    }

    /// LiteLLM: `should_cooldown_based_on_allowed_fails_policy`.
    fn count(
        &mut self,
        plan: &Plan,
        deployment: DeploymentId,
        key: CounterKey,
        limit: i64,
        ttl: f64,
        now: Time,
    ) -> Result<CooldownReason, NotCooledReason> {
        let record = &mut self.records[plan.deployment(deployment).twin.index()];
        if record.allowed.len() <= key.index() {
            record.allowed.resize(key.index() + 1, Counter::default());
        }
        let counter = &mut record.allowed[key.index()];
        let fails = counter.get(now).unwrap_or(0) + 1;
        let trips = fails as i64 > limit;
        if !trips || plan.rules().counts_the_tripping_fail {
            counter.add(1, now, Span::from_secs_f64(ttl));
        }
        if trips { Ok(CooldownReason::AllowedFails) } else { Err(NotCooledReason::BelowThreshold) }
    }
}

impl Record {
    fn cooled_until(&self, plan: &Plan, now: Time) -> Option<Time> {
        // The cache keeps an entry up to its very end; the entry's own length counts up to just before it.
        let kept_until = self.kept_until.filter(|&kept| now <= kept)?;
        if !plan.rules().cooldown_ends_by_length {
            return Some(kept_until);
        }
        (self.until > now).then(|| kept_until.min(self.until))
    }
}

/// LiteLLM: `_is_cooldown_required`.
pub(crate) fn is_eligible(plan: &Plan, exception: &Exception) -> bool {
    if exception.says_connection {
        return false;
    }
    match exception.error.status {
        None => false,
        Some(401 | 404 | 408 | 429) => true,
        Some(402) => plan.rules().cools_402,
        Some(400..=499) => false,
        Some(_) => true,
    }
}

/// How many failures of this class the router's policy allows: the first class in LiteLLM's order that fits and has
/// a value.
fn router_policy(plan: &Plan, policy: &AllowedFailsPolicy, class: ErrorClass) -> Option<i64> {
    use ErrorClass::*;
    let narrow = [
        (class.is_bad_request(), policy.bad_request),
        (class == AuthenticationError, policy.authentication),
        (class == Timeout, policy.timeout),
        (class == RateLimitError, policy.rate_limit),
        (class == ContentPolicyViolationError, policy.content_policy),
    ];
    let rules = plan.rules();
    if !rules.wide_allowed_fails_policy {
        let value = narrow.into_iter().find_map(|(fits, value)| value.filter(|_| fits));
        return value.filter(|&value| value != 0 || rules.policy_zero_counts);
    }
    let wide = [
        (class == AuthenticationError, policy.authentication),
        (class == Timeout, policy.timeout),
        (class == RateLimitError, policy.rate_limit),
        (class == ContentPolicyViolationError, policy.content_policy),
        (class.is_bad_request(), policy.bad_request),
        (class == InternalServerError, policy.internal_server),
        (class.is_service_unavailable(), policy.service_unavailable),
        (class == BadGatewayError, policy.bad_gateway),
        (class == NotFoundError, policy.not_found),
    ];
    wide.into_iter().find_map(|(fits, value)| value.filter(|_| fits))
}

/// The same for a deployment's own policy.
fn deployment_policy(policy: &AllowedFailsPolicy, class: ErrorClass) -> Option<i64> {
    use ErrorClass::*;
    let classes = [
        (class == ContentPolicyViolationError, policy.content_policy),
        (class.is_bad_request(), policy.bad_request),
        (class == AuthenticationError, policy.authentication),
        (class == Timeout, policy.timeout),
        (class == RateLimitError, policy.rate_limit),
        (class == InternalServerError, policy.internal_server),
        (class.is_service_unavailable(), policy.service_unavailable),
        (class == BadGatewayError, policy.bad_gateway),
        (class == NotFoundError, policy.not_found),
    ];
    classes.into_iter().find_map(|(fits, value)| value.filter(|_| fits))
}
