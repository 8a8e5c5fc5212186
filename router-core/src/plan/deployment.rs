//! One deployment as the router sees it.

use super::names::Names;
use super::provider::{self, Dialect};
use super::registered;
use super::settings::{Setting, Settings, Source};
use crate::config::{AllowedFailsPolicy, Budget, Config, DailyLimits, Limit, ModelEntry, Number};
use crate::ids::{DeploymentId, NameId, TagId};
use crate::rules::Rules;
use crate::time::Span;

/// One entry of `model_list`, with everything that is set for it elsewhere resolved.
#[derive(Clone, PartialEq, Debug)]
pub struct Deployment {
    /// `model_info.id`.
    pub id: String,
    /// The model group it belongs to.
    pub model_name: String,
    /// The same, as a number.
    pub group: NameId,
    /// `litellm_params.model`.
    pub model: String,
    /// LiteLLM's name of the provider.
    pub provider: String,
    /// How the provider's errors are read.
    pub dialect: Dialect,
    /// The first entry with the same id: to LiteLLM's caches the two are one deployment. Mostly the entry itself.
    pub twin: DeploymentId,
    /// It stands behind a `model_name` with a `*`.
    pub wildcard: bool,
    /// The only deployment of its group.
    pub alone: bool,

    /// What simple-shuffle weighs it by: `weight`, `rpm`, `tpm`.
    pub shuffle: [Option<Number>; 3],
    /// `order`, as far as the release reads it.
    pub order: Option<i64>,
    /// `model_info.blocked`, if the release reads it.
    pub blocked: bool,
    /// `region_name`, as [`Plan::region_id`](crate::Plan::region_id) numbers regions.
    pub region: Option<u32>,
    /// `tags`.
    pub tags: Vec<TagId>,
    /// `tags` has `default`.
    pub default_tagged: bool,
    /// `model_info.team_id`: reserved for that team's callers.
    pub team: bool,
    /// `max_input_tokens`: its context window.
    pub max_input_tokens: Option<u64>,
    /// Dollars for one input and one output token together, as cost-based routing counts them.
    pub cost: f64,
    /// Dollars for one input and for one output token, as answers are paid.
    pub token_prices: (f64, f64),
    /// What it may cost.
    pub budget: Option<Budget>,

    /// Requests per minute.
    pub rpm: Limit,
    /// Tokens per minute.
    pub tpm: Limit,
    /// Limits per day, and split ones.
    pub daily: DailyLimits,
    /// How many calls may be under way, if that is limited.
    pub max_parallel_requests: Option<Setting<u32>>,

    /// Timeout of a call.
    pub timeout: Setting<Span>,
    /// Timeout of a streaming call, if one is set for streams.
    pub stream_timeout: Option<Setting<Span>>,
    /// Retries after its failure, if neither the request nor a policy says otherwise.
    pub num_retries: Setting<i64>,
    /// `litellm_params.num_retries` as LiteLLM hangs it on exceptions.
    pub(crate) own_num_retries: Option<Number>,
    /// How long it rests after a failure without a `Retry-After`, in seconds.
    pub cooldown_time: Setting<f64>,
    /// Its own cooldown time, which also beats `Retry-After`.
    pub(crate) own_cooldown_time: Option<f64>,
    /// The time to live of its own failure counters, in seconds: as set, even below zero, when they forget at once.
    pub own_counter_ttl: Option<f64>,
    /// `model_info.allowed_fails`, if the release reads it.
    pub allowed_fails: Option<i64>,
    /// `model_info.allowed_fails_policy`, if the release reads it.
    pub allowed_fails_policy: Option<AllowedFailsPolicy>,
}

impl Deployment {
    pub(super) fn new(
        entry: &ModelEntry,
        twin: DeploymentId,
        config: &Config,
        settings: &Settings,
        rules: &Rules,
        names: &mut Names,
        labels: (&mut Names, &mut Names),
    ) -> Self {
        let (tags, regions) = labels;
        let provider = provider::provider_of(&entry.model, entry.custom_llm_provider.as_deref()).to_owned();
        let group_size = config.model_list.iter().filter(|other| other.model_name == entry.model_name).count();
        // LiteLLM: limits at the level of the entry are copied into `litellm_params` where those have none.
        let params = |limit: Limit| limit.params.or(limit.entry).map(Number::Is);
        let model_info_cooldown = entry.model_info_cooldown_time.filter(|_| rules.deployment_cooldown_policy);
        let set_cooldown = model_info_cooldown
            .map(|value| Setting::new(value, Source::ModelInfo))
            .or_else(|| entry.cooldown_time.map(|value| Setting::new(value, Source::Deployment)));
        let own_cooldown = set_cooldown.filter(|set| set.value >= 0.0);
        let own_retries = match entry.num_retries {
            Some(Number::Is(value)) => Some(value as i64),
            Some(Number::Not) | None => None,
        };
        Self {
            id: entry.id.clone(),
            model_name: entry.model_name.clone(),
            group: names.intern_name(&entry.model_name),
            model: entry.model.clone(),
            dialect: Dialect::of(&provider),
            provider,
            twin,
            wildcard: entry.model_name.contains('*'),
            alone: group_size == 1,
            shuffle: [entry.weight, params(entry.rpm), params(entry.tpm)],
            order: entry.order.or(entry.model_info_order.filter(|_| rules.order_always)),
            blocked: entry.blocked && rules.honours_blocked,
            region: entry.region_name.as_deref().map(|region| regions.intern(region)),
            tags: entry.tags.iter().map(|tag| TagId(tags.intern(tag))).collect(),
            default_tagged: entry.tags.iter().any(|tag| tag == "default"),
            team: entry.team_id.is_some(),
            max_input_tokens: registered::max_input_tokens(entry, config),
            cost: registered::cost(entry, config, rules),
            token_prices: (
                entry.input_cost_per_token.or(entry.cost_map.map(|(input, _)| input)).unwrap_or(0.0),
                entry.output_cost_per_token.or(entry.cost_map.map(|(_, output)| output)).unwrap_or(0.0),
            ),
            budget: entry.budget,
            rpm: entry.rpm,
            tpm: entry.tpm,
            daily: entry.daily,
            max_parallel_requests: max_parallel_requests(entry, settings, rules),
            timeout: timeout(entry, config, settings, rules),
            stream_timeout: stream_timeout(entry, config, settings, rules),
            num_retries: own_retries.map_or(settings.num_retries, |value| Setting::new(value, Source::Deployment)),
            own_num_retries: entry.num_retries,
            cooldown_time: own_cooldown.unwrap_or(settings.cooldown_time),
            own_cooldown_time: own_cooldown.map(|own| own.value),
            own_counter_ttl: set_cooldown.map(|set| set.value),
            allowed_fails: entry.model_info_allowed_fails.filter(|_| rules.deployment_cooldown_policy),
            allowed_fails_policy: entry.model_info_allowed_fails_policy.filter(|_| rules.deployment_cooldown_policy),
        }
    }

    /// The limit that usage-based strategies compare with: the first place that has one, be it 0.
    pub(crate) fn limit_or_infinity(limit: Limit) -> f64 {
        limit.entry.or(limit.params).or(limit.info).unwrap_or(f64::INFINITY)
    }

    /// The limit that latency- and cost-based routing compare with: the first place that has one that is not 0.
    pub(crate) fn truthy_limit_or_infinity(limit: Limit) -> f64 {
        let places = [limit.entry, limit.params, limit.info];
        places.into_iter().flatten().find(|&value| value != 0.0).unwrap_or(f64::INFINITY)
    }
}

/// LiteLLM: `calculate_max_parallel_requests`. A cap of 0 is none.
fn max_parallel_requests(entry: &ModelEntry, settings: &Settings, rules: &Rules) -> Option<Setting<u32>> {
    let own = |value: f64| Setting::new(value, Source::Deployment);
    let set = entry
        .max_parallel_requests
        .map(|cap| own(cap as f64))
        .or_else(|| entry.rpm.params.or(entry.rpm.entry).map(own))
        .or_else(|| entry.tpm.params.or(entry.tpm.entry).map(|tpm| own(calls_of(tpm, rules))))
        .or_else(|| settings.default_max_parallel_requests.map(|set| Setting::new(set.value as f64, set.from)))?;
    (set.value != 0.0).then(|| Setting::new(set.value.ceil() as u32, set.from))
}

/// How many calls at a time LiteLLM makes of a deployment's tokens per minute.
fn calls_of(tpm: f64, rules: &Rules) -> f64 {
    let thousands = tpm / 1000.0;
    let calls = if rules.six_calls_per_kilotoken { thousands * 6.0 } else { thousands / 6.0 };
    calls.trunc().max(1.0)
}

/// A timeout that is set: LiteLLM takes 0 for "not set".
fn set(value: Option<f64>, from: Source) -> Option<Setting<Span>> {
    value.filter(|&value| value != 0.0).map(|value| Setting::new(Span::from_secs_f64(value), from))
}

/// `litellm_settings.request_timeout` where the release puts it before the router's own.
fn explicit_request_timeout(config: &Config, rules: &Rules) -> Option<Setting<Span>> {
    let both = rules.request_timeout_first && config.router_settings.timeout.is_some();
    set(config.litellm_settings.request_timeout, Source::LitellmSettings).filter(|_| both)
}

fn timeout(entry: &ModelEntry, config: &Config, settings: &Settings, rules: &Rules) -> Setting<Span> {
    set(entry.timeout, Source::Deployment)
        .or_else(|| set(entry.request_timeout, Source::Deployment))
        .or_else(|| explicit_request_timeout(config, rules))
        .unwrap_or(settings.timeout)
}

fn stream_timeout(entry: &ModelEntry, config: &Config, settings: &Settings, rules: &Rules) -> Option<Setting<Span>> {
    set(entry.stream_timeout, Source::Deployment)
        .or(settings.stream_timeout)
        .or_else(|| explicit_request_timeout(config, rules))
        .or_else(|| set(config.router_settings.default_litellm_params.stream_timeout, Source::RouterSettings))
}
