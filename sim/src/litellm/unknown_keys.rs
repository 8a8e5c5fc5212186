//! Keys that LiteLLM does not read where they stand.

use std::ops::Range;

use router_core::Release;

use super::finding::{Findings, rule};
use super::known::{self, Section};
use super::node::{Key, Mapping};

/// Keys that people put into the wrong place, and where they mean something: `(section, key, remedy)`.
const MISPLACED: &[(Section, &str, &str)] = &[
    (
        Section::RouterSettings,
        "request_timeout",
        "write `timeout` here, or move it to litellm_settings.request_timeout",
    ),
    (Section::RouterSettings, "max_retries", "write `num_retries`"),
    (Section::RouterSettings, "retries", "write `num_retries`"),
    (Section::RouterSettings, "model_group_alias_map", "write `model_group_alias`"),
    (Section::RouterSettings, "lowest_latency_buffer", "move it below routing_strategy_args"),
    (Section::RouterSettings, "max_latency_list_size", "move it below routing_strategy_args"),
    (Section::RouterSettings, "ttl", "move it below routing_strategy_args"),
    (Section::RouterSettings, "strategy", "write `routing_strategy`"),
    (Section::RouterSettings, "cooldown", "write `cooldown_time`"),
    (Section::RouterSettings, "redis", "write `redis_host` and `redis_port`, or `redis_url`"),
    (Section::LitellmSettings, "timeout", "write `request_timeout` here, or move it to router_settings.timeout"),
    (Section::LitellmSettings, "max_retries", "write `num_retries`"),
    (
        Section::Top,
        "model_group",
        "write litellm_settings.fallbacks, a list of `{group: [targets]}`, and let callers ask for the group's own name",
    ),
    (
        Section::Top,
        "model_groups",
        "deployments with the same model_name are a group; write litellm_settings.fallbacks for the order of groups",
    ),
    (Section::Entry, "fallbacks", "move them to litellm_settings.fallbacks as `{group: [targets]}`"),
    (Section::Entry, "model", "move it below litellm_params"),
];

/// Sections in which a stray key is looked for, with the words to name them.
const ELSEWHERE: &[(Section, &str)] = &[
    (Section::RouterSettings, "router_settings"),
    (Section::LitellmSettings, "litellm_settings"),
    (Section::GeneralSettings, "general_settings"),
];

/// The keys at the top of the file. `used` tells whether a value holds an anchor that is used elsewhere: such keys are
/// a place to keep anchors in.
pub(super) fn top(map: &Mapping, release: Release, used: impl Fn(&Range<usize>) -> bool, findings: &mut Findings<'_>) {
    for (key, value) in map.iter() {
        // A dumped Router says under which release it ran.
        let dumped = key.text() == Some("litellm") && value.as_text().is_some();
        if !used(&value.span) && !dumped {
            look(Section::Top, "", "at the top of the file", key, release, findings);
        }
    }
}

/// The keys of `router_settings`, `litellm_settings` or `general_settings`.
pub(super) fn settings(section: Section, name: &str, map: &Mapping, release: Release, findings: &mut Findings<'_>) {
    for (key, _) in map.iter() {
        look(section, name, &format!("under {name}"), key, release, findings);
    }
}

/// The keys of an entry of `model_list`, beside its three maps.
pub(super) fn entry(path: &str, map: &Mapping, release: Release, findings: &mut Findings<'_>) {
    for (key, _) in map.iter() {
        look(Section::Entry, path, "at the level of a model_list entry", key, release, findings);
    }
}

/// The keys of `litellm_params`. LiteLLM passes what it does not know on to the provider, so that only a near miss of
/// a key that it does know is worth a word.
pub(super) fn litellm_params(path: &str, map: &Mapping, release: Release, findings: &mut Findings<'_>) {
    for (key, _) in map.iter() {
        let Some(name) = key.text() else { continue };
        if known::only_in(Section::LitellmParams, name).is_some() || name.len() < 5 {
            continue;
        }
        let near = known::names(Section::LitellmParams, release)
            // One slip changes the length by one at most, and rarely the first letter.
            .filter(|known| known.len().abs_diff(name.len()) <= 1 && known.as_bytes()[0] == name.as_bytes()[0])
            .map(|known| (strsim::damerau_levenshtein(name, known), known))
            .min();
        if let Some((1, nearest)) = near {
            findings.add(
                &rule::IGNORED_KEY,
                key.span.clone(),
                format!("{path}.litellm_params.{name}"),
                format!("LiteLLM knows no parameter {name} and passes it on to the provider as it is"),
                format!("did you mean `{nearest}`?"),
            );
        }
    }
}

fn look(section: Section, path: &str, place: &str, key: &Key, release: Release, findings: &mut Findings<'_>) {
    let Some(name) = key.text() else {
        findings.add(
            &rule::IGNORED_KEY,
            key.span.clone(),
            path,
            format!("LiteLLM's keys are text, and this one {place} is {}", key.value.kind()),
            "quote it, or remove it",
        );
        return;
    };
    if known::is_known(section, name, release) || name.starts_with(['_', '.']) || name.starts_with("x-") {
        return;
    }
    let message = match known::only_in(section, name) {
        Some(Some(other)) => format!("LiteLLM {release} does not read {name} {place}; {other} does"),
        _ => format!("LiteLLM does not read {name} {place} and ignores it"),
    };
    findings.add(
        &rule::IGNORED_KEY,
        key.span.clone(),
        if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") },
        message,
        remedy(section, name, release),
    );
}

fn remedy(section: Section, name: &str, release: Release) -> String {
    if let Some((_, _, remedy)) = MISPLACED.iter().find(|(at, key, _)| *at == section && *key == name) {
        return (*remedy).to_owned();
    }
    if section == Section::Entry {
        for (below, words) in [(Section::LitellmParams, "litellm_params"), (Section::ModelInfo, "model_info")] {
            if known::is_known(below, name, release) {
                return format!("move it below {words}");
            }
        }
    }
    if section != Section::Top && known::is_known(Section::Top, name, release) {
        return "move it to the top of the file".to_owned();
    }
    let elsewhere = ELSEWHERE.iter().find(|(at, _)| *at != section && known::is_known(*at, name, release));
    if let Some((_, words)) = elsewhere {
        return format!("move it to {words}.{name}");
    }
    match known::nearest(section, name, release) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "remove it".to_owned(),
    }
}
