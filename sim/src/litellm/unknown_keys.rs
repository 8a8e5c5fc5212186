//! Keys that LiteLLM does not read where they stand.

use std::ops::Range;

use router_core::Release;

use super::finding::{Edit, Findings, rule};
use super::known::{self, Section};
use super::node::{Key, Mapping};

/// Keys that people put into the wrong place, or call by the wrong name, and what they mean.
const MISPLACED: &[(Section, &str, Meant)] = &[
    (
        Section::RouterSettings,
        "request_timeout",
        Meant::Called("timeout", "write `timeout` here, or move it to litellm_settings.request_timeout"),
    ),
    (Section::RouterSettings, "max_retries", Meant::Called("num_retries", "write `num_retries`")),
    (Section::RouterSettings, "num_retry", Meant::Called("num_retries", "write `num_retries`")),
    (Section::LitellmSettings, "num_retry", Meant::Called("num_retries", "write `num_retries`")),
    (Section::GeneralSettings, "set_verbose", Meant::In("litellm_settings")),
    (Section::LitellmSettings, "max_parallel_requests", Meant::Said(PARALLEL)),
    (Section::RouterSettings, "max_parallel_requests", Meant::Said(PARALLEL_ROUTER)),
    (Section::GeneralSettings, "rpm_limit", Meant::Said(LIMITS)),
    (Section::GeneralSettings, "tpm_limit", Meant::Said(LIMITS)),
    (Section::LitellmSettings, "rpm_limit", Meant::Said(LIMITS)),
    (Section::LitellmSettings, "tpm_limit", Meant::Said(LIMITS)),
    (Section::RouterSettings, "rpm_limit", Meant::Said(LIMITS)),
    (Section::RouterSettings, "tpm_limit", Meant::Said(LIMITS)),
    (Section::GeneralSettings, "log_level", Meant::Said(LOG_LEVEL)),
    (Section::LitellmSettings, "log_level", Meant::Said(LOG_LEVEL)),
    (Section::RouterSettings, "log_level", Meant::Said(LOG_LEVEL)),
    (Section::Top, "log_level", Meant::Said(LOG_LEVEL)),
    (Section::RouterSettings, "enable_cooldowns", Meant::Said("cooldowns are on; `disable_cooldowns: true` ends them")),
    (Section::RouterSettings, "retries", Meant::Called("num_retries", "write `num_retries`")),
    (Section::RouterSettings, "model_group_alias_map", Meant::Called("model_group_alias", "write `model_group_alias`")),
    (Section::RouterSettings, "lowest_latency_buffer", Meant::Said("move it below routing_strategy_args")),
    (Section::RouterSettings, "max_latency_list_size", Meant::Said("move it below routing_strategy_args")),
    (Section::RouterSettings, "ttl", Meant::Said("move it below routing_strategy_args")),
    (Section::RouterSettings, "strategy", Meant::Called("routing_strategy", "write `routing_strategy`")),
    (Section::RouterSettings, "cooldown", Meant::Called("cooldown_time", "write `cooldown_time`")),
    (Section::RouterSettings, "redis", Meant::Said("write `redis_host` and `redis_port`, or `redis_url`")),
    (
        Section::LitellmSettings,
        "timeout",
        Meant::Called("request_timeout", "write `request_timeout` here, or move it to router_settings.timeout"),
    ),
    (Section::LitellmSettings, "max_retries", Meant::Called("num_retries", "write `num_retries`")),
    (
        Section::Top,
        "model_group",
        Meant::Said(
            "write litellm_settings.fallbacks, a list of `{group: [targets]}`, and let callers ask for the group's own name",
        ),
    ),
    (
        Section::Top,
        "model_groups",
        Meant::Said(
            "deployments with the same model_name are a group; write litellm_settings.fallbacks for the order of groups",
        ),
    ),
    (
        Section::Top,
        "cache",
        Meant::Said("write `cache: true` and `cache_params:` with the rest below litellm_settings"),
    ),
    (Section::Entry, "fallbacks", Meant::Said("move them to litellm_settings.fallbacks as `{group: [targets]}`")),
    (Section::Entry, "rpm_limit", Meant::Said("write `rpm` below litellm_params")),
    (Section::Entry, "tpm_limit", Meant::Said("write `tpm` below litellm_params")),
    (Section::Entry, "model", Meant::Below("litellm_params")),
];

/// What limits calls at once, where `max_parallel_requests` of the proxy does not.
pub(super) const PARALLEL: &str = "write general_settings.global_max_parallel_requests for all callers together, or \
    `max_parallel_requests` below the litellm_params of a deployment";
const PARALLEL_ROUTER: &str = "write `default_max_parallel_requests`, which holds for each deployment that has no own";
const LIMITS: &str = "limits of that name belong to virtual keys, teams and users; deployments have `rpm` and `tpm` below \
    litellm_params";
const LOG_LEVEL: &str = "set the environment variable LITELLM_LOG, to INFO for example";

/// What an unknown key was probably meant to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meant {
    /// The key of that name in the same place, and the words to say so.
    Called(&'static str, &'static str),
    /// Something that takes more than moving it.
    Said(&'static str),
    /// The same key in a map beside it.
    Below(&'static str),
    /// The same key at the top of the file.
    AtTop,
    /// The same key in another section.
    In(&'static str),
    /// A key with nearly the same name.
    Near(&'static str),
    /// Nobody knows.
    Nothing,
}

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
            look(Section::Top, "", "at the top of the file", map, key, release, findings);
        }
    }
}

/// The keys of `router_settings`, `litellm_settings` or `general_settings`.
pub(super) fn settings(section: Section, name: &str, map: &Mapping, release: Release, findings: &mut Findings<'_>) {
    for (key, _) in map.iter() {
        look(section, name, &format!("under {name}"), map, key, release, findings);
    }
}

/// The keys of an entry of `model_list`, beside its three maps.
pub(super) fn entry(path: &str, map: &Mapping, release: Release, findings: &mut Findings<'_>) {
    for (key, _) in map.iter() {
        look(Section::Entry, path, "at the level of a model_list entry", map, key, release, findings);
    }
}

/// Parameters that people know from virtual keys, where limits have other names.
const PARAMS_OF_KEYS: [(&str, &str); 2] = [("rpm_limit", "rpm"), ("tpm_limit", "tpm")];

/// The keys of `litellm_params`. LiteLLM passes what it does not know on to the provider, so that only a near miss of
/// a key that it does know is worth a word.
pub(super) fn litellm_params(path: &str, map: &Mapping, release: Release, findings: &mut Findings<'_>) {
    for (key, _) in map.iter() {
        let Some(name) = key.text() else { continue };
        if known::only_in(Section::LitellmParams, name).is_some() || name.len() < 5 {
            continue;
        }
        if let Some((_, meant)) = PARAMS_OF_KEYS.iter().find(|(known, _)| *known == name) {
            findings.add(
                &rule::IGNORED_KEY,
                key.span.clone(),
                format!("{path}.litellm_params.{name}"),
                format!("{name} limits virtual keys and no deployment: LiteLLM passes it on to the provider as it is"),
                format!("write `{meant}`"),
            );
            rename(map, key, meant, findings);
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
            rename(map, key, nearest, findings);
        }
    }
}

/// Renames a key, unless the new name is taken.
fn rename(map: &Mapping, key: &Key, name: &str, findings: &mut Findings<'_>) {
    if map.entry(name).is_none() {
        findings.mend([Edit { span: key.span.clone(), text: name.to_owned() }]);
    }
}

/// Where the key of a finding belongs, as keys: `litellm_settings.request_timeout`. `None` where it takes more than
/// moving it.
pub(super) fn home(path: &str, release: Release) -> Option<String> {
    let (section, name, entry) = match path.rsplit_once('.') {
        None => (Section::Top, path, ""),
        Some((entry, name)) if entry.starts_with("model_list[") => (Section::Entry, name, entry),
        Some((words, name)) => (ELSEWHERE.iter().find(|(_, known)| *known == words)?.0, name, ""),
    };
    if known::is_known(section, name, release) {
        return None;
    }
    match meant(section, name, release) {
        Meant::Below(map) => Some(format!("{entry}.{map}.{name}")),
        Meant::AtTop => Some(name.to_owned()),
        Meant::In(words) => Some(format!("{words}.{name}")),
        _ => None,
    }
}

fn look(
    section: Section,
    path: &str,
    place: &str,
    map: &Mapping,
    key: &Key,
    release: Release,
    findings: &mut Findings<'_>,
) {
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
    let meant = meant(section, name, release);
    findings.add(
        &rule::IGNORED_KEY,
        key.span.clone(),
        if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") },
        message,
        match meant {
            Meant::Called(_, remedy) | Meant::Said(remedy) => remedy.to_owned(),
            Meant::Below(words) => format!("move it below {words}"),
            Meant::AtTop => "move it to the top of the file".to_owned(),
            Meant::In(words) => format!("move it to {words}.{name}"),
            Meant::Near(nearest) => format!("did you mean `{nearest}`?"),
            Meant::Nothing => "remove it".to_owned(),
        },
    );
    match meant {
        Meant::Called(called, _) => rename(map, key, called, findings),
        // A name that is further away is worth a question, and no more.
        Meant::Near(near) if strsim::damerau_levenshtein(name, near) <= 2 => rename(map, key, near, findings),
        _ => {}
    }
}

fn meant(section: Section, name: &str, release: Release) -> Meant {
    if let Some((_, _, meant)) = MISPLACED.iter().find(|(at, key, _)| *at == section && *key == name) {
        return *meant;
    }
    if section == Section::Entry {
        for (below, words) in [(Section::LitellmParams, "litellm_params"), (Section::ModelInfo, "model_info")] {
            if known::is_known(below, name, release) {
                return Meant::Below(words);
            }
        }
    }
    if section != Section::Top && known::is_known(Section::Top, name, release) {
        return Meant::AtTop;
    }
    let elsewhere = ELSEWHERE.iter().find(|(at, _)| *at != section && known::is_known(*at, name, release));
    if let Some((_, words)) = elsewhere {
        return Meant::In(words);
    }
    // Keys are made of few words, so that two that share one are alike without being meant for each other; and a key
    // of another release is spelt right.
    let near = known::nearest(section, name, release)
        .filter(|near| !opposite(name, near))
        .filter(|near| 4 * strsim::damerau_levenshtein(name, near) <= name.len())
        .filter(|_| known::only_in(section, name).is_none());
    near.map_or(Meant::Nothing, Meant::Near)
}

/// Whether two names say the contrary: `enable_cooldowns` and `disable_cooldowns`.
fn opposite(one: &str, other: &str) -> bool {
    let negated = |name: &str| ["disable", "no_", "skip", "ignore"].iter().any(|word| name.starts_with(word));
    negated(one) != negated(other)
}
