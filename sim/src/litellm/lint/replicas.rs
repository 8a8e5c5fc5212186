//! What several replicas of the proxy share, and what each of them has for itself.

use router_core::{Release, RoutingStrategy};

use super::{Fleet, View};
use crate::litellm::finding::{Findings, rule};
use crate::litellm::node::{Node, Value};
use crate::litellm::section::truth;

pub(super) fn check(view: &View<'_>, fleet: &Fleet, findings: &mut Findings<'_>) {
    if fleet.replicas < 2 {
        return;
    }
    let shared = has_redis(view.root);
    if !shared {
        without_redis(view, fleet, findings);
    }
    concurrency(view, fleet, findings);
    if !shared {
        budgets(view, fleet, findings);
        rates(view, fleet, findings);
    }
}

/// Whether the Router of this file has a Redis: its own, or the one that the response cache connects to.
fn has_redis(root: &Node) -> bool {
    let set = |section: &str, key: &str| root.get(section).and_then(|s| s.get(key)).is_some_and(|n| truth(&n.value));
    let cache_type = root.get("litellm_settings").and_then(|s| s.get("cache_params")).and_then(|p| p.get("type"));
    // LiteLLM's cache is Redis unless its parameters say otherwise.
    let cached =
        set("litellm_settings", "cache") && cache_type.and_then(Node::as_text).is_none_or(|of| of.starts_with("redis"));
    set("router_settings", "redis_url")
        || set("router_settings", "redis_host") && set("router_settings", "redis_port")
        || set("general_settings", "coordination_redis")
        || cached
}

fn without_redis(view: &View<'_>, fleet: &Fleet, findings: &mut Findings<'_>) {
    let top = view.root.as_mapping();
    let Some((key, _)) = top.and_then(|top| top.entry("router_settings").or_else(|| top.entry("model_list"))) else {
        return;
    };
    findings.add(
        &rule::REPLICAS_WITHOUT_REDIS,
        key.span.clone(),
        key.text().unwrap_or_default(),
        format!(
            "{} share no Redis: each finds out about an outage by its own failed requests, cools deployments down \
            for itself, and counts rpm, tpm and budgets for itself",
            fleet.words()
        ),
        "add `redis_host: os.environ/REDIS_HOST`, `redis_port: os.environ/REDIS_PORT` and \
        `redis_password: os.environ/REDIS_PASSWORD` under router_settings",
    );
}

/// The limit of calls at once lives in each process, with Redis or without.
fn concurrency(view: &View<'_>, fleet: &Fleet, findings: &mut Findings<'_>) {
    for index in 0..view.entries.len() {
        let limit = view.loaded.config.model_list.get(index).and_then(|entry| entry.max_parallel_requests);
        let (Some(limit), Some(span)) = (limit.filter(|limit| *limit > 0), view.param(index, "max_parallel_requests"))
        else {
            continue;
        };
        let path = format!("{}.litellm_params.max_parallel_requests", view.path(index));
        calls_at_once(limit, "max_parallel_requests", span, path, fleet, findings);
    }
    let map = view.root.get("router_settings").and_then(Node::as_mapping);
    let default = view.loaded.config.router_settings.default_max_parallel_requests.filter(|limit| *limit > 0);
    if let (Some(limit), Some((key, _))) = (default, map.and_then(|map| map.entry("default_max_parallel_requests"))) {
        let path = "router_settings.default_max_parallel_requests".to_owned();
        calls_at_once(limit, "default_max_parallel_requests", key.span.clone(), path, fleet, findings);
    }
}

fn calls_at_once(
    limit: i64,
    key: &str,
    span: std::ops::Range<usize>,
    path: String,
    fleet: &Fleet,
    findings: &mut Findings<'_>,
) {
    let replicas = i64::from(fleet.replicas);
    findings.add(
        &rule::LIMIT_PER_REPLICA,
        span,
        path,
        format!(
            "{key} is counted by each process for itself: {} send up to {} calls at once, not {limit}",
            fleet.words(),
            limit.saturating_mul(replicas)
        ),
        match limit / replicas {
            0 => format!("no number keeps {} below {limit}: limit it at the provider, or run fewer", fleet.words()),
            each => format!("write {each} if the provider takes {limit} at once"),
        },
    );
}

fn budgets(view: &View<'_>, fleet: &Fleet, findings: &mut Findings<'_>) {
    for index in 0..view.entries.len() {
        let budget = view.loaded.config.model_list.get(index).and_then(|entry| entry.budget);
        let (Some(budget), Some(span)) = (budget, view.param(index, "max_budget")) else { continue };
        let path = format!("{}.litellm_params.max_budget", view.path(index));
        findings.add(
            &rule::LIMIT_PER_REPLICA,
            span,
            path,
            format!(
                "without Redis each replica counts what it spends for itself: {} may spend {} dollars, not {}",
                fleet.words(),
                budget.dollars * f64::from(fleet.replicas),
                budget.dollars
            ),
            "give the Router a Redis",
        );
    }
    let map = view.root.get("router_settings").and_then(Node::as_mapping);
    if let Some((key, Node { value: Value::Mapping(_), .. })) = map.and_then(|map| map.entry("provider_budget_config"))
    {
        findings.add(
            &rule::LIMIT_PER_REPLICA,
            key.span.clone(),
            "router_settings.provider_budget_config",
            format!(
                "without Redis each replica counts what it spends for itself: {} spend each budget {} times",
                fleet.words(),
                fleet.replicas
            ),
            "give the Router a Redis",
        );
    }
}

/// Requests and tokens per minute, where they limit anything at all.
fn rates(view: &View<'_>, fleet: &Fleet, findings: &mut Findings<'_>) {
    let settings = view.plan.settings();
    let by_strategy =
        !matches!(settings.routing_strategy.value, RoutingStrategy::SimpleShuffle | RoutingStrategy::LeastBusy);
    let enforced = by_strategy
        || match view.loaded.config.release {
            Release::V1_80_17 => settings.enable_pre_call_checks.value,
            Release::V1_109_1 => settings.enforce_model_rate_limits,
        };
    if !enforced {
        return;
    }
    let limited = |index: usize| ["rpm", "tpm"].into_iter().find_map(|key| Some((key, view.param(index, key)?)));
    // Once says it all: the same holds for every other limit of the file.
    if let Some((index, (key, span))) = (0..view.entries.len()).find_map(|index| Some((index, limited(index)?))) {
        findings.add(
            &rule::LIMIT_PER_REPLICA,
            span,
            format!("{}.litellm_params.{key}", view.path(index)),
            format!(
                "without Redis each replica counts rpm and tpm for itself: {} use up to {} times what each deployment \
                of this file allows",
                fleet.words(),
                fleet.replicas
            ),
            "give the Router a Redis",
        );
    }
}
