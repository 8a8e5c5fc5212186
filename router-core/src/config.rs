//! A LiteLLM configuration as written: what the operator set, and nothing that they did not.
//!
//! `None` means "not set" throughout; which place wins, and what holds when nobody set anything, is decided in
//! [`Plan::new`](crate::Plan::new), as LiteLLM decides it. Keys keep LiteLLM's names.

use crate::rules::Release;
use crate::time::Span;
use crate::what_if::WhatIf;

/// How requests reach the Router. The two count failures differently.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// Behind the LiteLLM proxy: one logging record per client request, so a request's first failed attempt
    /// alone feeds the cooldowns.
    #[default]
    Proxy,
    /// `router.acompletion` in process: every failed attempt feeds the cooldowns.
    Sdk,
}

/// Everything the Router is built from.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config {
    /// The LiteLLM release whose behaviour is modelled.
    pub release: Release,
    /// Behind the proxy or in process.
    pub mode: Mode,
    /// Unix time, in nanoseconds, of the start of the run; calendar-minute windows need it.
    pub start_unix_nanos: u64,
    /// `model_list`, in order.
    pub model_list: Vec<ModelEntry>,
    /// `router_settings`.
    pub router_settings: RouterSettings,
    /// `litellm_settings`, as far as routing reads them.
    pub litellm_settings: LitellmSettings,
    /// Names that callers will ask for besides those the configuration mentions.
    pub asked_names: Vec<String>,
    /// Tags that callers will send besides those the configuration mentions.
    pub asked_tags: Vec<String>,
    /// Regions that callers will allow besides those the configuration mentions.
    pub asked_regions: Vec<String>,
    /// Fallback lists that requests bring along.
    pub request_lists: Vec<RequestList>,
    /// Policies that LiteLLM does not have.
    pub what_if: WhatIf,
}

/// A number in a place where LiteLLM also accepts text without complaint, and then misbehaves.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Number {
    /// A number.
    Is(f64),
    /// Text, a list or a map: LiteLLM keeps it and trips over it later.
    Not,
}

/// One entry of `model_list`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ModelEntry {
    /// The model group it belongs to.
    pub model_name: String,
    /// `model_info.id`, or the id that LiteLLM derives.
    pub id: String,
    /// `litellm_params.model`: provider prefix and upstream name.
    pub model: String,
    /// `litellm_params.custom_llm_provider`.
    pub custom_llm_provider: Option<String>,
    /// `rpm` of the entry, `litellm_params.rpm` and `model_info.rpm`.
    pub rpm: Limit,
    /// `tpm` of the entry, `litellm_params.tpm` and `model_info.tpm`.
    pub tpm: Limit,
    /// Daily limits and split token limits, read by `enforce_model_rate_limits` only.
    pub daily: DailyLimits,
    /// `litellm_params.weight`.
    pub weight: Option<Number>,
    /// `litellm_params.order`.
    pub order: Option<i64>,
    /// `model_info.order`.
    pub model_info_order: Option<i64>,
    /// `litellm_params.timeout`, in seconds.
    pub timeout: Option<f64>,
    /// `litellm_params.request_timeout`, in seconds.
    pub request_timeout: Option<f64>,
    /// `litellm_params.stream_timeout`, in seconds.
    pub stream_timeout: Option<f64>,
    /// `litellm_params.num_retries`.
    pub num_retries: Option<Number>,
    /// `litellm_params.cooldown_time`, in seconds; may be negative.
    pub cooldown_time: Option<f64>,
    /// `model_info.cooldown_time`, in seconds; may be negative.
    pub model_info_cooldown_time: Option<f64>,
    /// `model_info.allowed_fails`.
    pub model_info_allowed_fails: Option<i64>,
    /// `model_info.allowed_fails_policy`.
    pub model_info_allowed_fails_policy: Option<AllowedFailsPolicy>,
    /// `litellm_params.max_parallel_requests`.
    pub max_parallel_requests: Option<i64>,
    /// `litellm_params.region_name`.
    pub region_name: Option<String>,
    /// `litellm_params.tags`.
    pub tags: Vec<String>,
    /// `litellm_params.input_cost_per_token`, in dollars.
    pub input_cost_per_token: Option<f64>,
    /// `litellm_params.output_cost_per_token`, in dollars.
    pub output_cost_per_token: Option<f64>,
    /// Dollars per token that LiteLLM's cost map has for the model (`base_model`, else `model`), input and output.
    pub cost_map: Option<(f64, f64)>,
    /// `model_info.max_input_tokens`.
    pub max_input_tokens: Option<u64>,
    /// What LiteLLM's cost map has for the model (`base_model`, else `model`) as `max_input_tokens`.
    pub mapped_max_input_tokens: Option<u64>,
    /// `litellm_params.max_budget` and `budget_duration`, where both are set.
    pub budget: Option<Budget>,
    /// `model_info.blocked`.
    pub blocked: bool,
    /// `model_info.team_id`.
    pub team_id: Option<String>,
}

/// What a deployment may cost.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Budget {
    /// Dollars. 0 is no limit.
    pub dollars: f64,
    /// For how long they are meant to last: a window begins with the first answer after the last one ended.
    pub window: Span,
}

/// A per-minute limit in the three places LiteLLM looks for it.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Limit {
    /// At the level of the `model_list` entry.
    pub entry: Option<f64>,
    /// In `litellm_params`.
    pub params: Option<f64>,
    /// In `model_info`.
    pub info: Option<f64>,
}

/// Limits that only `enforce_model_rate_limits` reads.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct DailyLimits {
    /// Requests per day.
    pub rpd: Option<f64>,
    /// Tokens per day.
    pub tpd: Option<f64>,
}

/// How many failures of each kind are allowed before a cooldown.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[expect(missing_docs, reason = "the names are LiteLLM's: <Exception>AllowedFails")]
pub struct AllowedFailsPolicy {
    pub bad_request: Option<i64>,
    pub authentication: Option<i64>,
    pub timeout: Option<i64>,
    pub rate_limit: Option<i64>,
    pub content_policy: Option<i64>,
    pub internal_server: Option<i64>,
    pub service_unavailable: Option<i64>,
    pub bad_gateway: Option<i64>,
    pub not_found: Option<i64>,
}

/// How many retries each kind of error gets.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[expect(missing_docs, reason = "the names are LiteLLM's: <Exception>Retries")]
pub struct RetryPolicy {
    pub bad_request: Option<i64>,
    pub authentication: Option<i64>,
    pub timeout: Option<i64>,
    pub rate_limit: Option<i64>,
    pub content_policy: Option<i64>,
    pub internal_server: Option<i64>,
    pub service_unavailable: Option<i64>,
    pub not_found: Option<i64>,
    pub default: Option<i64>,
}

/// `routing_strategy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RoutingStrategy {
    /// `simple-shuffle`.
    #[default]
    SimpleShuffle,
    /// `least-busy`.
    LeastBusy,
    /// `usage-based-routing`.
    UsageBased,
    /// `usage-based-routing-v2`.
    UsageBasedV2,
    /// `latency-based-routing`.
    LatencyBased,
    /// `cost-based-routing`.
    CostBased,
}

/// `routing_strategy_args`.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct RoutingStrategyArgs {
    /// `ttl`, in seconds.
    pub ttl: Option<f64>,
    /// `lowest_latency_buffer`, a share of the lowest latency.
    pub lowest_latency_buffer: Option<f64>,
    /// `max_latency_list_size`, in samples.
    pub max_latency_list_size: Option<i64>,
    /// `ttft_percentile`, from 0 to 1.
    pub ttft_percentile: Option<f64>,
}

/// Where to go when a group fails: `{group: [targets]}`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FallbackEntry {
    /// The group, or `*`.
    pub group: String,
    /// The targets, in order.
    pub targets: Vec<FallbackTarget>,
}

/// A fallback list of a request, written as the configured ones are.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RequestList {
    /// It is one of `context_window_fallbacks` or `content_policy_fallbacks`, in which older releases look names up less
    /// thoroughly.
    pub typed: bool,
    /// Its entries.
    pub entries: Vec<FallbackEntry>,
}

/// One fallback target.
#[derive(Clone, PartialEq, Debug)]
pub enum FallbackTarget {
    /// The name of a group.
    Name(String),
    /// A map merged into the request; only its `model` and the parameters that routing reads are kept.
    Map {
        /// The `model` in the map, if any.
        model: Option<String>,
        /// The text of the whole map, which is its identity.
        text: String,
        /// The request parameters in it.
        params: RequestParams,
    },
}

/// Parameters of a request, or of a fallback map, that routing reads.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RequestParams {
    /// `num_retries`.
    pub num_retries: Option<i64>,
    /// `max_retries`: how often the provider's HTTP client calls again by itself, under releases that let it.
    pub max_retries: Option<i64>,
    /// `timeout`, in seconds.
    pub timeout: Option<f64>,
    /// `request_timeout`, in seconds.
    pub request_timeout: Option<f64>,
    /// `stream_timeout`, in seconds.
    pub stream_timeout: Option<f64>,
    /// `fallbacks` of the request: names, or maps.
    pub fallbacks: Option<Vec<FallbackTarget>>,
    /// `disable_fallbacks`.
    pub disable_fallbacks: Option<bool>,
    /// `metadata.tags`.
    pub tags: Vec<String>,
    /// `allowed_model_region`.
    pub region: Option<String>,
}

/// `router_settings`: the arguments of the Router's constructor.
#[derive(Clone, PartialEq, Debug, Default)]
#[expect(missing_docs, reason = "the names are LiteLLM's own; times are in seconds")]
pub struct RouterSettings {
    pub routing_strategy: Option<RoutingStrategy>,
    pub routing_strategy_args: RoutingStrategyArgs,
    pub num_retries: Option<i64>,
    pub max_fallbacks: Option<i64>,
    pub timeout: Option<f64>,
    pub stream_timeout: Option<f64>,
    pub retry_after: Option<f64>,
    pub retry_policy: Option<RetryPolicy>,
    pub model_group_retry_policy: Vec<(String, RetryPolicy)>,
    pub allowed_fails: Option<i64>,
    pub allowed_fails_policy: Option<AllowedFailsPolicy>,
    pub cooldown_time: Option<f64>,
    pub disable_cooldowns: Option<bool>,
    pub fallbacks: Option<Vec<FallbackEntry>>,
    pub default_fallbacks: Option<Vec<String>>,
    pub context_window_fallbacks: Option<Vec<FallbackEntry>>,
    pub content_policy_fallbacks: Option<Vec<FallbackEntry>>,
    /// Alias and the group it stands for.
    pub model_group_alias: Vec<(String, String)>,
    pub enable_pre_call_checks: Option<bool>,
    pub enable_tag_filtering: Option<bool>,
    pub tag_filtering_match_any: Option<bool>,
    /// `optional_pre_call_checks` names `enforce_model_rate_limits`.
    pub enforce_model_rate_limits: bool,
    pub default_max_parallel_requests: Option<i64>,
    pub enable_weighted_failover: Option<bool>,
    /// `default_litellm_params`, as far as routing reads them.
    pub default_litellm_params: RequestParams,
}

/// `litellm_settings`: module globals that the Router takes where `router_settings` is silent.
#[derive(Clone, PartialEq, Debug, Default)]
#[expect(missing_docs, reason = "the names are LiteLLM's own; times are in seconds")]
pub struct LitellmSettings {
    pub num_retries: Option<i64>,
    pub max_fallbacks: Option<i64>,
    pub request_timeout: Option<f64>,
    pub allowed_fails: Option<i64>,
    pub fallbacks: Option<Vec<FallbackEntry>>,
    pub default_fallbacks: Option<Vec<String>>,
    pub context_window_fallbacks: Option<Vec<FallbackEntry>>,
    pub content_policy_fallbacks: Option<Vec<FallbackEntry>>,
    pub num_retries_per_request: Option<i64>,
}
