//! For what LiteLLM would refuse to start.

use core::fmt;

use crate::config::Config;

/// A configuration that the Router's constructor refuses.
#[derive(Clone, PartialEq, Debug)]
pub enum PlanError {
    /// A number that is infinite or not a number.
    NotFinite {
        /// Which setting.
        setting: &'static str,
        /// The deployment, if it is one's setting.
        deployment: Option<String>,
    },
    /// `routing_strategy_args.ttft_percentile` is not above 0 and at most 1.
    TtftPercentile(f64),
    /// An alias that stands for nothing.
    EmptyAlias(String),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite { setting, deployment: Some(id) } => {
                write!(f, "`{setting}` of deployment `{id}` is not a finite number")
            }
            Self::NotFinite { setting, deployment: None } => write!(f, "`{setting}` is not a finite number"),
            Self::TtftPercentile(value) => {
                write!(f, "`routing_strategy_args.ttft_percentile` must be above 0 and at most 1, but is {value}")
            }
            Self::EmptyAlias(alias) => write!(f, "the alias `{alias}` stands for no model group"),
        }
    }
}

impl core::error::Error for PlanError {}

/// Everything that is wrong with `config`.
pub(super) fn check(config: &Config) -> Vec<PlanError> {
    let mut errors = Vec::new();
    let router = &config.router_settings;
    let mut finite = |setting: &'static str, deployment: Option<&str>, value: Option<f64>| {
        if value.is_some_and(|value| !value.is_finite()) {
            errors.push(PlanError::NotFinite { setting, deployment: deployment.map(str::to_owned) });
        }
    };
    finite("timeout", None, router.timeout);
    finite("stream_timeout", None, router.stream_timeout);
    finite("retry_after", None, router.retry_after);
    finite("cooldown_time", None, router.cooldown_time);
    finite("request_timeout", None, config.litellm_settings.request_timeout);
    finite("routing_strategy_args.ttl", None, router.routing_strategy_args.ttl);
    finite("routing_strategy_args.lowest_latency_buffer", None, router.routing_strategy_args.lowest_latency_buffer);
    for entry in &config.model_list {
        let id = Some(entry.id.as_str());
        finite("timeout", id, entry.timeout);
        finite("request_timeout", id, entry.request_timeout);
        finite("stream_timeout", id, entry.stream_timeout);
        finite("cooldown_time", id, entry.cooldown_time);
        finite("model_info.cooldown_time", id, entry.model_info_cooldown_time);
    }
    if let Some(percentile) = router.routing_strategy_args.ttft_percentile
        && config.release.rules().ttft_in_seconds
        && !(percentile > 0.0 && percentile <= 1.0)
    {
        errors.push(PlanError::TtftPercentile(percentile));
    }
    for (alias, target) in &router.model_group_alias {
        if target.is_empty() {
            errors.push(PlanError::EmptyAlias(alias.clone()));
        }
    }
    errors
}
