//! What a configuration holds: deployments, the settings in effect with their origin, the order of fallbacks.

use routedrill_sim::drill::Drill;
use routedrill_sim::litellm::{Serves, written};
use router_core::{DeploymentId, FallbackList, Limit, ModelEntry, Number, Plan, Source};
use schemars::JsonSchema;
use serde::Serialize;

use super::lines::ConfigText;
use crate::figures;
use crate::remedy;
use crate::words;

/// What a configuration holds.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct InventoryReport {
    /// How many model groups.
    pub groups: u64,
    /// How many providers.
    pub providers: u64,
    /// How many regions.
    pub regions: u64,
    /// How many keys.
    pub keys: u64,
    /// The deployments, in the order of `model_list`.
    pub deployments: Vec<PlaceReport>,
}

/// One deployment and its effective settings.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct PlaceReport {
    /// Its short name.
    pub name: String,
    /// `model_info.id`, or the id that LiteLLM derives.
    pub id: String,
    /// Its model group.
    pub model_name: String,
    /// The model at the provider.
    pub model: String,
    /// The provider.
    pub provider: String,
    /// The region, where the configuration shows one.
    pub region: Option<String>,
    /// The name of the key, never its value.
    pub key: Option<String>,
    /// What callers want of it: `chat`, `embeddings`.
    pub serves: &'static str,
    /// Weight, order and limits, where the configuration gives any: `weight 3, rpm 300`.
    pub limits: Option<String>,
    /// `primary`, and what it is a fallback of.
    pub role: String,
    /// Timeout of an attempt.
    pub timeout: SettingReport,
    /// Retries after its failure.
    pub num_retries: SettingReport,
    /// How long it rests.
    pub cooldown_time: SettingReport,
}

/// A setting that takes effect.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct SettingReport {
    /// Its value, with its unit.
    pub value: String,
    /// Where it was set, or `LiteLLM default`.
    pub from: &'static str,
}

/// Where requests go when a name fails.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct FallbackReport {
    /// The name.
    pub model: String,
    /// Which list says so.
    pub list: &'static str,
    /// The targets, in order.
    pub targets: Vec<FallbackTargetReport>,
}

/// One fallback target.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct FallbackTargetReport {
    /// Its name.
    pub name: String,
    /// Whether some deployment answers to it.
    pub exists: bool,
}

/// A router-wide setting that takes effect.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct NamedSetting {
    /// Its key in LiteLLM.
    pub key: &'static str,
    /// Its value, with its unit.
    pub value: String,
    /// Where it was set, or `LiteLLM default`.
    pub from: &'static str,
    /// The line, from 1.
    pub line: Option<u32>,
}

/// Maps that take effect as they are written: what is not in them stays as it is without them.
const WRITTEN: [&str; 5] =
    ["retry_policy", "model_group_retry_policy", "allowed_fails_policy", "model_group_alias", "routing_strategy_args"];

impl NamedSetting {
    /// Finds the lines of settings, and adds what takes effect as it is written.
    pub(super) fn tie(settings: &mut Vec<Self>, text: &ConfigText<'_>) {
        for one in settings.iter_mut() {
            // The proxy's own name for the router's timeout.
            let key = if one.from == "litellm_settings" && one.key == "timeout" { "request_timeout" } else { one.key };
            one.line = text.line(&[one.from, key]);
        }
        for key in WRITTEN {
            let place = ["router_settings", key];
            let there = text.node(&place).filter(|node| !node.is_null());
            settings.push(Self {
                key,
                value: there.map_or_else(|| "none".to_owned(), |node| written(&node.value)),
                from: if there.is_some() { place[0] } else { "LiteLLM default" },
                line: text.line(&place),
            });
        }
    }
}

pub(super) fn inventory(drill: &Drill, names: &[String]) -> InventoryReport {
    let plan = &*drill.world.plan;
    let places = &drill.world.inventory.places;
    let distinct = |names: &mut dyn Iterator<Item = String>| {
        let mut known: Vec<String> = names.collect();
        known.sort();
        known.dedup();
        known.len() as u64
    };
    let deployments = (plan.deployments().iter().zip(names).enumerate())
        .map(|(index, (deployment, name))| {
            let place = places.get(index);
            let seconds = |secs: f64| format!("{secs}s");
            let cooldown = deployment.cooldown_time;
            PlaceReport {
                name: name.clone(),
                id: deployment.id.clone(),
                model_name: deployment.model_name.clone(),
                model: deployment.model.clone(),
                provider: place.map_or_else(|| deployment.provider.clone(), |place| place.provider.clone()),
                region: place.and_then(|place| place.region.clone()),
                key: place.and_then(|place| place.key.clone()),
                serves: place.map_or(Serves::Chat, |place| place.serves).words(),
                limits: drill.world.config.model_list.get(index).and_then(limits),
                role: role(plan, DeploymentId(index as u32)),
                timeout: SettingReport {
                    value: figures::setting(deployment.timeout.value),
                    from: remedy::origin(deployment.timeout.from),
                },
                num_retries: SettingReport {
                    value: deployment.num_retries.value.to_string(),
                    from: remedy::origin(deployment.num_retries.from),
                },
                cooldown_time: SettingReport { value: seconds(cooldown.value), from: remedy::origin(cooldown.from) },
            }
        })
        .collect();
    InventoryReport {
        groups: distinct(&mut plan.deployments().iter().map(|deployment| deployment.model_name.clone())),
        providers: distinct(&mut places.iter().map(|place| place.operator().to_owned())),
        regions: distinct(&mut places.iter().filter_map(|place| place.region.clone())),
        keys: distinct(&mut places.iter().filter_map(|place| place.key.clone())),
        deployments,
    }
}

pub(super) fn settings(plan: &Plan) -> Vec<NamedSetting> {
    let settings = plan.settings();
    let seconds = |secs: f64| format!("{secs}s");
    let one = |key, value: String, from| NamedSetting { key, value, from: remedy::origin(from), line: None };
    let stream = settings.stream_timeout.map_or_else(
        || one("stream_timeout", "as timeout".to_owned(), Source::Default),
        |stream| one("stream_timeout", figures::setting(stream.value), stream.from),
    );
    let at_once = settings.default_max_parallel_requests.map_or_else(
        || one("default_max_parallel_requests", "no limit".to_owned(), Source::Default),
        |limit| one("default_max_parallel_requests", limit.value.to_string(), limit.from),
    );
    vec![
        one(
            "routing_strategy",
            words::strategy(settings.routing_strategy.value).to_owned(),
            settings.routing_strategy.from,
        ),
        one("num_retries", settings.num_retries.value.to_string(), settings.num_retries.from),
        one("timeout", figures::setting(settings.timeout.value), settings.timeout.from),
        stream,
        one("retry_after", seconds(settings.retry_after.value), settings.retry_after.from),
        one("cooldown_time", seconds(settings.cooldown_time.value), settings.cooldown_time.from),
        one("allowed_fails", settings.allowed_fails.value.to_string(), settings.allowed_fails.from),
        one("disable_cooldowns", settings.disable_cooldowns.value.to_string(), settings.disable_cooldowns.from),
        one("max_fallbacks", settings.max_fallbacks.value.to_string(), settings.max_fallbacks.from),
        one(
            "enable_pre_call_checks",
            settings.enable_pre_call_checks.value.to_string(),
            settings.enable_pre_call_checks.from,
        ),
        one(
            "enable_tag_filtering",
            settings.enable_tag_filtering.value.to_string(),
            settings.enable_tag_filtering.from,
        ),
        at_once,
    ]
}

/// The chains of every model group.
pub(super) fn fallbacks(plan: &Plan) -> Vec<FallbackReport> {
    let mut reports: Vec<FallbackReport> = Vec::new();
    for deployment in plan.deployments() {
        for list in [FallbackList::Fallbacks, FallbackList::ContextWindow, FallbackList::ContentPolicy] {
            let chain = plan.fallback_chain(deployment.group, list);
            let list = words::fallback_list(list);
            let known = reports.iter().any(|known| known.model == deployment.model_name && known.list == list);
            if chain.is_empty() || known {
                continue;
            }
            let target = |to: router_core::NameId| FallbackTargetReport {
                name: plan.name(to).to_owned(),
                exists: !plan.members(to).is_empty(),
            };
            reports.push(FallbackReport {
                model: deployment.model_name.clone(),
                list,
                targets: chain.iter().filter_map(|entry| entry.model).map(target).collect(),
            });
        }
    }
    reports
}

/// What an entry says about how much it gets and how much it may have.
fn limits(entry: &ModelEntry) -> Option<String> {
    let weight = match &entry.weight {
        Some(Number::Is(weight)) => Some(*weight),
        _ => None,
    };
    let limit = |limit: Limit| limit.entry.or(limit.params).or(limit.info);
    let said = [
        ("weight", weight),
        ("order", entry.order.or(entry.model_info_order).map(|order| order as f64)),
        ("rpm", limit(entry.rpm)),
        ("tpm", limit(entry.tpm)),
        ("max_parallel_requests", entry.max_parallel_requests.map(|limit| limit as f64)),
    ];
    let said: Vec<String> = said.iter().filter_map(|(what, value)| Some(format!("{what} {}", (*value)?))).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// `primary of its group`, and which groups fall back to it.
fn role(plan: &Plan, id: DeploymentId) -> String {
    let group = plan.deployment(id).group;
    let mut of: Vec<&str> = Vec::new();
    for other in plan.deployments() {
        let falls_here = [FallbackList::Fallbacks, FallbackList::ContextWindow, FallbackList::ContentPolicy]
            .into_iter()
            .flat_map(|list| plan.fallback_chain(other.group, list))
            .any(|target| target.model == Some(group));
        if falls_here && other.group != group && !of.contains(&other.model_name.as_str()) {
            of.push(&other.model_name);
        }
    }
    if of.is_empty() { "primary".to_owned() } else { format!("primary; fallback of {}", of.join(", ")) }
}
