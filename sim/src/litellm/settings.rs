//! `router_settings`, `litellm_settings` and `general_settings`, as far as routing reads them.

use std::ops::Range;

use router_core::{LitellmSettings, Release, RequestParams, RouterSettings};

use super::fallbacks::{self, Check, FallbackListing, Named};
use super::finding::{Findings, rule};
use super::known::Section as Known;
use super::node::{Mapping, Node, Value};
use super::policy::{ReadAt, allowed_fails_policy, retry_policy};
use super::reference::REFERENCE;
use super::routing_strategy::{strategy, strategy_args};
use super::section::{Section, truth};
use super::unknown_keys;
use crate::problem::did_you_mean;

/// What the settings say of groups, for the checks that need the whole configuration.
#[derive(Default)]
pub(super) struct References {
    /// Keys of fallback lists.
    pub(super) fallback_groups: Vec<Named>,
    /// Targets of fallback lists.
    pub(super) fallback_targets: Vec<Named>,
    /// Aliases, and the groups that they stand for.
    pub(super) aliases: Vec<(Named, String)>,
    /// Keys of `model_group_retry_policy`.
    pub(super) policy_groups: Vec<Named>,
}

impl References {
    fn list(&mut self, listing: Option<FallbackListing>) -> Option<Vec<router_core::FallbackEntry>> {
        let listing = listing?;
        self.fallback_groups.extend(listing.groups);
        self.fallback_targets.extend(listing.targets);
        Some(listing.entries)
    }
}

/// Features of the Router that change who serves a request, and that routedrill does not model.
const ROUTER_NOT_MODELLED: &[(&str, &str)] = &[
    ("redis_url", "Redis: each replica keeps its own cooldowns and counters in the drill"),
    ("redis_host", "Redis: each replica keeps its own cooldowns and counters in the drill"),
    ("cache_responses", "response caching: every request reaches a deployment"),
    ("caching_groups", "response caching: every request reaches a deployment"),
    ("provider_budget_config", "provider budgets"),
    ("routing_groups", "routing groups"),
    ("plugins", "routing plugins"),
    ("enable_mid_stream_fallback_continuation", "the continuation of broken streams by another deployment"),
    ("model_group_affinity_config", "affinity"),
    ("default_priority", "the priority queue"),
    ("enable_health_check_routing", "health-check routing"),
    ("tag_routing_prefix", "tag prefixes"),
];

const LITELLM_NOT_MODELLED: &[(&str, &str)] = &[
    ("cache", "response caching: every request reaches a deployment"),
    ("model_alias_map", "model_alias_map"),
    ("guardrails", "guardrails"),
    ("max_budget", "budgets: nobody runs out of money in the drill"),
];

const GENERAL_NOT_MODELLED: &[(&str, &str)] = &[
    ("enable_health_check_routing", "health-check routing"),
    ("background_health_checks", "background health checks"),
    ("store_model_in_db", "models and settings that are stored in the database"),
    ("global_max_parallel_requests", "limits of the proxy on its callers"),
    ("coordination_redis", "Redis: each replica keeps its own cooldowns and counters in the drill"),
];

const TOP_NOT_MODELLED: &[(&str, &str)] = &[("guardrails", "guardrails"), ("policies", "policies")];

/// Reads `router_settings`.
pub(super) fn router_settings(
    map: &Mapping,
    release: Release,
    references: &mut References,
    findings: &mut Findings<'_>,
) -> RouterSettings {
    let s = Section::new("router_settings", map);
    unknown_keys::settings(Known::RouterSettings, "router_settings", map, release, findings);
    not_modelled(&s, ROUTER_NOT_MODELLED, findings);
    refused_keys(&s, release, findings);
    for (key, meaning) in [
        ("timeout", "0 seconds count as not set: LiteLLM's default of 6000 seconds holds"),
        ("cooldown_time", "0 seconds count as not set: LiteLLM's default of 5 seconds holds"),
    ] {
        if let Some((at, Node { value: Value::Int(0) | Value::Float(0.0), .. })) = s.entry(key) {
            let remedy = if key == "timeout" { "write a number above 0" } else { "write `disable_cooldowns: true`" };
            findings.add(&rule::INEFFECTIVE_KEY, at.span.clone(), s.path_of(key), meaning, remedy);
        }
    }
    if let Some(Node { value: Value::Bool(true), .. }) = s.node("disable_cooldowns") {
        for (at, key) in ["allowed_fails", "allowed_fails_policy", "cooldown_time"]
            .into_iter()
            .filter_map(|key| s.entry(key).filter(|(_, node)| truth(&node.value)).map(|(at, _)| (at, key)))
        {
            findings.add(
                &rule::INEFFECTIVE_KEY,
                at.span.clone(),
                s.path_of(key),
                "disable_cooldowns is on: no deployment is ever cooled down, whatever this says",
                "remove one of the two",
            );
        }
    }
    let listing = |key: &str, check: Check, findings: &mut Findings<'_>| {
        fallbacks::listing(s.node(key)?, &s.path_of(key), check, release, findings)
    };
    let strategy = strategy(&s, release, findings);
    let allowed_fails = s.raw_int("allowed_fails", findings);
    if let (Release::V1_80_17, Some(3), Some((at, _))) = (release, allowed_fails, s.entry("allowed_fails")) {
        findings.add(
            &rule::INEFFECTIVE_KEY,
            at.span.clone(),
            s.path_of("allowed_fails"),
            "3 is LiteLLM's default, and 1.80.17 takes a value equal to it for not set: failures are not counted",
            "write another number",
        );
    }
    let mut read = RouterSettings {
        routing_strategy: strategy,
        routing_strategy_args: strategy_args(&s, strategy, release, findings),
        num_retries: s.raw_int("num_retries", findings),
        max_fallbacks: s.raw_int("max_fallbacks", findings),
        timeout: s.raw_number("timeout", findings),
        stream_timeout: s.raw_number("stream_timeout", findings),
        retry_after: s.raw_number("retry_after", findings),
        retry_policy: s
            .node("retry_policy")
            .and_then(|node| retry_policy(node, &s.path_of("retry_policy"), release, ReadAt::StartUp, findings)),
        model_group_retry_policy: group_policies(&s, release, references, findings),
        allowed_fails,
        allowed_fails_policy: s.node("allowed_fails_policy").and_then(|node| {
            allowed_fails_policy(node, &s.path_of("allowed_fails_policy"), release, ReadAt::StartUp, findings)
        }),
        cooldown_time: s.raw_number("cooldown_time", findings),
        disable_cooldowns: s.raw_bool("disable_cooldowns", findings),
        fallbacks: references.list(listing("fallbacks", Check::Validated, findings)),
        default_fallbacks: None,
        context_window_fallbacks: references.list(listing("context_window_fallbacks", Check::Unchecked, findings)),
        content_policy_fallbacks: references.list(listing("content_policy_fallbacks", Check::Validated, findings)),
        model_group_alias: aliases(&s, references, findings),
        enable_pre_call_checks: s.raw_bool("enable_pre_call_checks", findings),
        enable_tag_filtering: s.raw_bool("enable_tag_filtering", findings),
        tag_filtering_match_any: s.raw_bool("tag_filtering_match_any", findings),
        enforce_model_rate_limits: pre_call_checks(&s, release, findings),
        default_max_parallel_requests: s.raw_int("default_max_parallel_requests", findings),
        enable_weighted_failover: (release == Release::V1_109_1)
            .then(|| s.raw_bool("enable_weighted_failover", findings))
            .flatten(),
        default_litellm_params: default_litellm_params(&s, findings),
    };
    read.default_fallbacks = default_fallbacks(&s, release, references, findings);
    read
}

/// Reads `litellm_settings`: module globals, of which the Router takes a few where `router_settings` is silent.
pub(super) fn litellm_settings(
    map: &Mapping,
    router: &RouterSettings,
    release: Release,
    references: &mut References,
    findings: &mut Findings<'_>,
) -> LitellmSettings {
    let s = Section::new("litellm_settings", map);
    unknown_keys::settings(Known::LitellmSettings, "litellm_settings", map, release, findings);
    not_modelled(&s, LITELLM_NOT_MODELLED, findings);
    if let Some((at, _)) = s.entry("allowed_fails") {
        findings.add(
            &rule::INEFFECTIVE_KEY,
            at.span.clone(),
            s.path_of("allowed_fails"),
            match router.allowed_fails {
                Some(_) => "router_settings.allowed_fails is set too, and that one counts",
                None => "the Router takes the number and still counts it as not set: failures are not counted",
            },
            if router.allowed_fails.is_some() { "remove it" } else { "move it to router_settings.allowed_fails" },
        );
    }
    cache_type(&s, release, findings);
    // A list under router_settings hides the one here completely; an empty one does not.
    let hides = |list: &Option<Vec<router_core::FallbackEntry>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let mut listing = |key: &str, check: Check, hidden: bool, findings: &mut Findings<'_>| {
        let (at, node) = s.entry(key)?;
        if hidden {
            overridden(&s, key, at.span.clone(), findings);
            return None;
        }
        references.list(fallbacks::listing(node, &s.path_of(key), check, release, findings))
    };
    let fallbacks = listing("fallbacks", Check::Validated, hides(&router.fallbacks), findings);
    let context_window_fallbacks =
        listing("context_window_fallbacks", Check::Unchecked, hides(&router.context_window_fallbacks), findings);
    let content_policy_fallbacks =
        listing("content_policy_fallbacks", Check::Validated, hides(&router.content_policy_fallbacks), findings);
    let default_fallbacks = if router.default_fallbacks.is_some() {
        let same = |node: &Node| {
            let names = node.as_sequence().map(|items| items.iter().filter_map(Node::as_text).collect::<Vec<_>>());
            names.as_deref().map(|names| names.iter().copied().map(str::to_owned).collect()) == router.default_fallbacks
        };
        if let Some((at, _)) = s.entry("default_fallbacks").filter(|(_, node)| !same(node)) {
            overridden(&s, "default_fallbacks", at.span.clone(), findings);
        }
        None
    } else {
        default_fallbacks(&s, release, references, findings)
    };
    for (key, wins) in [("num_retries", router.num_retries), ("max_fallbacks", router.max_fallbacks)] {
        // Twice the same is nobody's mistake.
        if let (Some(wins), Some((at, node))) = (wins, s.entry(key))
            && node.value != Value::Int(wins.into())
        {
            overridden(&s, key, at.span.clone(), findings);
        }
    }
    LitellmSettings {
        num_retries: s.raw_int("num_retries", findings),
        max_fallbacks: s.raw_int("max_fallbacks", findings),
        request_timeout: s.raw_number("request_timeout", findings),
        allowed_fails: s.raw_int("allowed_fails", findings),
        fallbacks,
        default_fallbacks,
        context_window_fallbacks,
        content_policy_fallbacks,
        num_retries_per_request: s.raw_int("num_retries_per_request", findings),
    }
}

/// Looks at the kind of cache, which LiteLLM sets up before anything else once `cache` is on.
fn cache_type(s: &Section<'_>, release: Release, findings: &mut Findings<'_>) {
    const BOTH: [&str; 7] = ["local", "redis", "redis-semantic", "s3", "qdrant-semantic", "azure-blob", "gcs"];
    let on = s.node("cache").is_some_and(|cache| truth(&cache.value));
    let kind = s.node("cache_params").and_then(|params| params.get("type"));
    let Some((node, kind)) = kind.filter(|_| on).and_then(|node| Some((node, node.as_text()?))) else { return };
    let own = match release {
        Release::V1_80_17 => "disk",
        Release::V1_109_1 => "valkey-semantic",
    };
    let known = || BOTH.into_iter().chain([own]);
    if kind.starts_with(REFERENCE) || known().any(|known| known == kind) {
        return;
    }
    let near = known().find(|known| known.starts_with(kind)).or_else(|| did_you_mean(kind, known()));
    findings.add(
        &rule::MALFORMED_SETTING,
        node.span.clone(),
        s.path_of("cache_params.type"),
        format!("LiteLLM {release} knows no cache of type {kind:?} and refuses to start"),
        match (kind, near) {
            ("memory" | "in-memory" | "in_memory" | "inmemory", _) => "write `local`".to_owned(),
            (_, Some(near)) => format!("did you mean `{near}`?"),
            (_, None) => format!("it knows {}", known().collect::<Vec<_>>().join(", ")),
        },
    );
}

/// Looks at `general_settings`, which configures the proxy and not the Router.
pub(super) fn general_settings(map: &Mapping, release: Release, findings: &mut Findings<'_>) {
    let s = Section::new("general_settings", map);
    unknown_keys::settings(Known::GeneralSettings, "general_settings", map, release, findings);
    not_modelled(&s, GENERAL_NOT_MODELLED, findings);
    if let Some((at, _)) = s.entry("max_parallel_requests").filter(|(_, node)| truth(&node.value)) {
        findings.add(
            &rule::INEFFECTIVE_KEY,
            at.span.clone(),
            s.path_of("max_parallel_requests"),
            "LiteLLM takes the number and limits nothing by it",
            unknown_keys::PARALLEL,
        );
    }
}

/// Looks at the top of the file for features beside the Router.
pub(super) fn top(map: &Mapping, findings: &mut Findings<'_>) {
    not_modelled(&Section::new("", map), TOP_NOT_MODELLED, findings);
}

fn overridden(s: &Section<'_>, key: &str, at: Range<usize>, findings: &mut Findings<'_>) {
    findings.add(
        &rule::INEFFECTIVE_KEY,
        at,
        s.path_of(key),
        format!("router_settings.{key} is set too and wins"),
        "remove one of the two",
    );
}

fn not_modelled(s: &Section<'_>, table: &[(&str, &str)], findings: &mut Findings<'_>) {
    for (key, what) in table {
        // A switch that is off is no feature.
        if let Some((at, _)) = s.entry(key).filter(|(_, node)| truth(&node.value)) {
            findings.add(
                &rule::NOT_MODELLED,
                at.span.clone(),
                s.path_of(key),
                format!("routedrill does not model {what}"),
                "",
            );
        }
    }
}

/// Keys that newer releases refuse by name.
fn refused_keys(s: &Section<'_>, release: Release, findings: &mut Findings<'_>) {
    for key in ["health_check_interval", "health_check_concurrency"] {
        if let (Release::V1_109_1, Some((at, _))) = (release, s.map.entry(key)) {
            findings.add(
                &rule::MALFORMED_SETTING,
                at.span.clone(),
                s.path_of(key),
                format!("{key} is no router setting, and the proxy refuses to start with it"),
                format!("move it to general_settings.{key}"),
            );
        }
    }
}

fn group_policies(
    s: &Section<'_>,
    release: Release,
    references: &mut References,
    findings: &mut Findings<'_>,
) -> Vec<(String, router_core::RetryPolicy)> {
    let Some(node) = s.node("model_group_retry_policy") else { return Vec::new() };
    let path = s.path_of("model_group_retry_policy");
    let Some(map) = node.as_mapping() else {
        let message = format!("model_group_retry_policy is {} and not a map of groups", node.value.kind());
        findings.add(&rule::WRONG_TYPE, node.span.clone(), path, message, "write `group: {...}` below it");
        return Vec::new();
    };
    let mut policies = Vec::new();
    for (key, value) in map.iter() {
        let Some(group) = key.text() else { continue };
        let path = format!("{path}.{group}");
        references.policy_groups.push(Named::new(group, &key.span, &path));
        if let Some(policy) = retry_policy(value, &path, release, ReadAt::Use, findings) {
            policies.push((group.to_owned(), policy));
        }
    }
    policies
}

fn default_fallbacks(
    s: &Section<'_>,
    release: Release,
    references: &mut References,
    findings: &mut Findings<'_>,
) -> Option<Vec<String>> {
    let path = s.path_of("default_fallbacks");
    let (names, seen) = fallbacks::names(s.node("default_fallbacks")?, &path, release, findings)?;
    references.fallback_targets.extend(seen);
    Some(names)
}

fn aliases(s: &Section<'_>, references: &mut References, findings: &mut Findings<'_>) -> Vec<(String, String)> {
    let Some(node) = s.node("model_group_alias") else { return Vec::new() };
    let path = s.path_of("model_group_alias");
    let Some(map) = node.as_mapping() else {
        // An empty list counts as no aliases.
        if truth(&node.value) {
            let kind = node.value.kind();
            let message = format!("model_group_alias is {kind} and not a map: LiteLLM refuses to start with it");
            findings.add(&rule::MALFORMED_SETTING, node.span.clone(), path, message, "write `alias: group` below it");
        }
        return Vec::new();
    };
    let mut aliases = Vec::new();
    for (key, value) in map.iter() {
        let Some(alias) = key.text() else { continue };
        let path = format!("{path}.{alias}");
        let group = match &value.value {
            Value::Text(group) => Some(group.as_str()),
            Value::Mapping(item) => item.get("model").and_then(Node::as_text),
            _ => None,
        };
        match group {
            Some(group) => {
                references.aliases.push((Named::new(alias, &key.span, &path), group.to_owned()));
                aliases.push((alias.to_owned(), group.to_owned()));
            }
            None => findings.add(
                &rule::WRONG_TYPE,
                value.span.clone(),
                path,
                "an alias stands for the name of a group, or a map with `model`: requests for it fail",
                match value.as_sequence().map(|items| items.iter().filter_map(Node::as_text).collect::<Vec<_>>()) {
                    Some(names) if names.len() > 1 => format!(
                        "write `{alias}: {}` here, and `- {alias}: [{}]` under fallbacks",
                        names[0],
                        names[1..].join(", ")
                    ),
                    _ => "write the name of a group".to_owned(),
                },
            ),
        }
    }
    aliases
}

fn default_litellm_params(s: &Section<'_>, findings: &mut Findings<'_>) -> RequestParams {
    let Some(node) = s.node("default_litellm_params") else { return RequestParams::default() };
    let path = s.path_of("default_litellm_params");
    let Some(map) = node.as_mapping() else {
        if truth(&node.value) {
            let message =
                format!("default_litellm_params is {} and not a map: LiteLLM refuses to start", node.value.kind());
            findings.add(&rule::MALFORMED_SETTING, node.span.clone(), path, message, "write keys below it");
        }
        return RequestParams::default();
    };
    fallbacks::request_params(&Section::new(path, map), findings)
}

/// Providers of the operator's own, by `litellm_settings.custom_provider_map`.
pub(super) fn custom_providers(map: &Mapping) -> Vec<String> {
    let items = map.get("custom_provider_map").and_then(Node::as_sequence).unwrap_or_default();
    items.iter().filter_map(|item| Some(item.get("provider")?.as_text()?.to_owned())).collect()
}

/// Whether `optional_pre_call_checks` turns the deployments' rate limits on.
fn pre_call_checks(s: &Section<'_>, release: Release, findings: &mut Findings<'_>) -> bool {
    const KNOWN: &[(&str, &str)] = &[
        ("prompt_caching", "pinning by prompt cache"),
        ("router_budget_limiting", "budgets"),
        ("responses_api_deployment_check", "affinity of the Responses API"),
        ("deployment_affinity", "affinity"),
        ("session_affinity", "affinity"),
        ("forward_client_headers_by_model_group", "forwarded headers"),
        ("encrypted_content_affinity", "affinity"),
    ];
    const OLD: &[&str] = &["prompt_caching", "router_budget_limiting", "responses_api_deployment_check"];
    let Some(node) = s.node("optional_pre_call_checks") else { return false };
    let path = s.path_of("optional_pre_call_checks");
    let Some(items) = node.as_sequence() else {
        let kind = node.value.kind();
        let (rule, end) = match node.value {
            Value::Text(_) | Value::Mapping(_) => (&rule::WRONG_TYPE, "LiteLLM finds no check in it"),
            _ => (&rule::MALFORMED_SETTING, "LiteLLM refuses to start with it"),
        };
        let message = format!("optional_pre_call_checks is {kind} and not a list of names: {end}");
        findings.add(rule, node.span.clone(), path, message, "write a list: `[name]`");
        return false;
    };
    let mut enforce = false;
    for item in items {
        let name = item.as_text().unwrap_or_default();
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        match known {
            _ if name == "enforce_model_rate_limits" && release == Release::V1_109_1 => enforce = true,
            Some((_, what)) if release == Release::V1_109_1 || OLD.contains(&name) => findings.add(
                &rule::NOT_MODELLED,
                item.span.clone(),
                path.clone(),
                format!("routedrill does not model {what}"),
                "",
            ),
            _ => {
                let names = KNOWN.iter().map(|(name, _)| *name).chain(["enforce_model_rate_limits"]);
                let remedy = did_you_mean(name, names).filter(|nearest| *nearest != name);
                findings.add(
                    &rule::IGNORED_KEY,
                    item.span.clone(),
                    path.clone(),
                    format!("LiteLLM {release} knows no pre-call check {name:?} and ignores it"),
                    remedy.map_or_else(|| "remove it".to_owned(), |nearest| format!("did you mean `{nearest}`?")),
                );
            }
        }
    }
    enforce
}
