//! The router-wide settings as they take effect, each with the place it comes from.

use crate::config::{AllowedFailsPolicy, Config, RetryPolicy, RoutingStrategy, RoutingStrategyArgs};
use crate::rules::Rules;
use crate::time::Span;

/// A value that takes effect, and where it was set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it was set.
    pub from: Source,
}

/// Where a setting comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// `router_settings`.
    RouterSettings,
    /// `litellm_settings`.
    LitellmSettings,
    /// `litellm_params` of the deployment, or its `model_list` entry.
    Deployment,
    /// `model_info` of the deployment.
    ModelInfo,
    /// Nobody set it: LiteLLM's default.
    Default,
}

impl<T> Setting<T> {
    /// A value from a place.
    pub const fn new(value: T, from: Source) -> Self {
        Self { value, from }
    }

    /// LiteLLM's default.
    pub(super) const fn default(value: T) -> Self {
        Self::new(value, Source::Default)
    }
}

/// The first place that has a value, else the default.
fn first<T: Copy>(places: &[(Option<T>, Source)], default: T) -> Setting<T> {
    let set = places.iter().find_map(|&(value, from)| value.map(|value| Setting::new(value, from)));
    set.unwrap_or(Setting::default(default))
}

/// LiteLLM's defaults (`litellm/constants.py` and `litellm/__init__.py`).
const NUM_RETRIES: i64 = 2;
const MAX_FALLBACKS: i64 = 5;
const REQUEST_TIMEOUT: f64 = 6000.0;
const COOLDOWN_TIME: f64 = 5.0;
const ALLOWED_FAILS: i64 = 3;
const LATENCY_TTL: f64 = 3600.0;
const LATENCY_LIST_SIZE: i64 = 10;

/// The router-wide settings that take effect.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// `routing_strategy`.
    pub routing_strategy: Setting<RoutingStrategy>,
    /// `routing_strategy_args.ttl`: how long latency samples are kept.
    pub latency_ttl: Setting<Span>,
    /// `routing_strategy_args.lowest_latency_buffer`.
    pub lowest_latency_buffer: Setting<f64>,
    /// `routing_strategy_args.max_latency_list_size`.
    pub max_latency_list_size: Setting<usize>,
    /// `routing_strategy_args.ttft_percentile`.
    pub ttft_percentile: Option<f64>,
    /// `num_retries`.
    pub num_retries: Setting<i64>,
    /// `litellm_settings.num_retries`, where errors of calls carry it.
    pub carried_num_retries: Option<i64>,
    /// `default_litellm_params.max_retries`.
    pub default_max_retries: Option<i64>,
    /// `num_retries_per_request`.
    pub num_retries_per_request: Option<i64>,
    /// `retry_after`: the least computed wait before a retry, in seconds.
    pub retry_after: Setting<f64>,
    /// `retry_policy`.
    pub retry_policy: Option<RetryPolicy>,
    /// `max_fallbacks`: how many walks may be nested.
    pub max_fallbacks: Setting<i64>,
    /// `timeout`, or `litellm_settings.request_timeout`: of one attempt.
    pub timeout: Setting<Span>,
    /// `stream_timeout`: of one attempt to stream.
    pub stream_timeout: Option<Setting<Span>>,
    /// `cooldown_time`, in seconds.
    pub cooldown_time: Setting<f64>,
    /// `allowed_fails`.
    pub allowed_fails: Setting<i64>,
    /// Whether `allowed_fails` makes cooldowns count failures. LiteLLM looks for more than a value here: one from
    /// `litellm_settings` never does.
    pub allowed_fails_counts: bool,
    /// `allowed_fails_policy`.
    pub allowed_fails_policy: Option<AllowedFailsPolicy>,
    /// `disable_cooldowns`.
    pub disable_cooldowns: Setting<bool>,
    /// `enable_pre_call_checks`.
    pub enable_pre_call_checks: Setting<bool>,
    /// `enable_tag_filtering`.
    pub enable_tag_filtering: Setting<bool>,
    /// `tag_filtering_match_any`.
    pub tag_filtering_match_any: Setting<bool>,
    /// `optional_pre_call_checks: [enforce_model_rate_limits]`, where the release knows it.
    pub enforce_model_rate_limits: bool,
    /// `enable_weighted_failover`, where the release knows it.
    pub enable_weighted_failover: bool,
    /// `default_max_parallel_requests`.
    pub default_max_parallel_requests: Option<Setting<i64>>,
}

impl Settings {
    /// What `config` amounts to under `rules`.
    pub(super) fn new(config: &Config, rules: &Rules) -> Self {
        use Source::{LitellmSettings, RouterSettings};
        let (router, litellm) = (&config.router_settings, &config.litellm_settings);
        let truthy = |value: Option<f64>| value.filter(|&value| value != 0.0);
        let allowed_fails =
            first(&[(router.allowed_fails, RouterSettings), (litellm.allowed_fails, LitellmSettings)], ALLOWED_FAILS);
        let differs = allowed_fails.value != litellm.allowed_fails.unwrap_or(ALLOWED_FAILS);
        let written = rules.allowed_fails_set_when_written && router.allowed_fails.is_some();
        let timeout = first(
            &[(truthy(router.timeout), RouterSettings), (truthy(litellm.request_timeout), LitellmSettings)],
            REQUEST_TIMEOUT,
        );
        let args: RoutingStrategyArgs = router.routing_strategy_args;
        let ttl = first(&[(args.ttl, RouterSettings)], LATENCY_TTL);
        let list_size = first(&[(args.max_latency_list_size, RouterSettings)], LATENCY_LIST_SIZE);
        Self {
            routing_strategy: first(&[(router.routing_strategy, RouterSettings)], RoutingStrategy::default()),
            latency_ttl: Setting::new(Span::from_secs_f64(ttl.value), ttl.from),
            lowest_latency_buffer: first(&[(args.lowest_latency_buffer, RouterSettings)], 0.0),
            max_latency_list_size: Setting::new(list_size.value.max(0) as usize, list_size.from),
            ttft_percentile: args.ttft_percentile,
            num_retries: first(
                &[(router.num_retries, RouterSettings), (litellm.num_retries, LitellmSettings)],
                NUM_RETRIES,
            ),
            carried_num_retries: litellm.num_retries.filter(|_| rules.call_errors_carry_global_retries),
            default_max_retries: router.default_litellm_params.max_retries,
            num_retries_per_request: litellm.num_retries_per_request,
            retry_after: first(&[(router.retry_after, RouterSettings)], 0.0),
            retry_policy: router.retry_policy,
            max_fallbacks: first(
                &[(router.max_fallbacks, RouterSettings), (litellm.max_fallbacks, LitellmSettings)],
                MAX_FALLBACKS,
            ),
            timeout: Setting::new(Span::from_secs_f64(timeout.value), timeout.from),
            stream_timeout: truthy(router.stream_timeout)
                .map(|value| Setting::new(Span::from_secs_f64(value), RouterSettings)),
            cooldown_time: first(&[(truthy(router.cooldown_time), RouterSettings)], COOLDOWN_TIME),
            allowed_fails,
            allowed_fails_counts: written || differs,
            allowed_fails_policy: router.allowed_fails_policy,
            disable_cooldowns: first(&[(router.disable_cooldowns, RouterSettings)], false),
            enable_pre_call_checks: first(&[(router.enable_pre_call_checks, RouterSettings)], false),
            enable_tag_filtering: first(&[(router.enable_tag_filtering, RouterSettings)], false),
            tag_filtering_match_any: first(&[(router.tag_filtering_match_any, RouterSettings)], true),
            enforce_model_rate_limits: rules.enforces_model_rate_limits && router.enforce_model_rate_limits,
            enable_weighted_failover: rules.weighted_failover && router.enable_weighted_failover.unwrap_or(false),
            default_max_parallel_requests: router
                .default_max_parallel_requests
                .map(|value| Setting::new(value, RouterSettings)),
        }
    }
}
