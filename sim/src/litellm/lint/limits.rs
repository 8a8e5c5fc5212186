//! `rpm` and `tpm`: what they do, which depends on the strategy, what fits into them, and what a fallback has of them.

use router_core::{FallbackList, Limit, Release, RoutingStrategy};

use super::{View, windows};
use crate::litellm::finding::{Findings, rule};

/// The size of a prompt that every application sends now and then, in tokens.
const ORDINARY_PROMPT: f64 = 100.0;

pub(super) fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let settings = view.plan.settings();
    let release = view.loaded.config.release;
    let enforced = match settings.routing_strategy.value {
        RoutingStrategy::SimpleShuffle | RoutingStrategy::LeastBusy => match release {
            Release::V1_80_17 => settings.enable_pre_call_checks.value,
            Release::V1_109_1 => settings.enforce_model_rate_limits,
        },
        _ => true,
    };
    for (group, members) in view.groups() {
        if !enforced {
            weights(view, group, &members, findings);
        }
        quota(view, group, &members, findings);
        for &index in &members {
            fit(view, group, index, enforced, findings);
        }
    }
}

/// Whether prompts fit into what a deployment may take.
fn fit(view: &View<'_>, group: &str, index: usize, enforced: bool, findings: &mut Findings<'_>) {
    let settings = view.plan.settings();
    let Some(entry) = view.loaded.config.model_list.get(index) else { return };
    let limit = |Limit { entry, params, info }: Limit| entry.or(params).or(info);
    // These strategies compare what was used and the prompt with the limit; the others only what was used.
    let by_strategy =
        !matches!(settings.routing_strategy.value, RoutingStrategy::SimpleShuffle | RoutingStrategy::LeastBusy);
    let mut too_small = |key: &str, why: String| {
        let Some(span) = view.limit(index, key) else { return };
        findings.add(
            &rule::LIMIT_BELOW_PROMPT,
            span,
            format!("{}.litellm_params.{key}", view.path(index)),
            why,
            format!("write the {key} that the provider allows, or remove it"),
        );
    };
    for (key, value) in [("rpm", limit(entry.rpm)), ("tpm", limit(entry.tpm))] {
        if enforced && value.is_some_and(|value| value <= 0.0) {
            too_small(key, format!("{key} is 0, and that is enforced: this deployment of `{group}` gets no request"));
        }
    }
    let Some(tpm) = limit(entry.tpm).filter(|tpm| by_strategy && *tpm > 0.0) else { return };
    if tpm < ORDINARY_PROMPT {
        let why = format!("no prompt of more than {tpm} tokens is ever sent to this deployment of `{group}`");
        too_small("tpm", why);
    } else if let Some(window) = windows::of(view, index).filter(|window| (*window as f64) > tpm)
        && let Some(span) = view.limit(index, "tpm")
    {
        findings.add(
            &rule::LIMIT_BELOW_WINDOW,
            span,
            format!("{}.litellm_params.tpm", view.path(index)),
            format!(
                "the model takes {window} tokens, and under this strategy no prompt of more than {tpm} is ever sent to \
                this deployment of `{group}`"
            ),
            "know that it is so, or send long prompts to a group with a higher tpm",
        );
    }
}

fn weights(view: &View<'_>, group: &str, members: &[usize], findings: &mut Findings<'_>) {
    let written = members.iter().find_map(|&index| {
        let (key, span) = ["rpm", "tpm"].iter().find_map(|key| Some((*key, view.param(index, key)?)))?;
        Some((index, key, span))
    });
    let Some((index, key, span)) = written else { return };
    let release = view.loaded.config.release;
    let shuffles = view.plan.settings().routing_strategy.value == RoutingStrategy::SimpleShuffle;
    let mut effects = Vec::new();
    if shuffles && members.len() > 1 {
        effects.push("weighs its deployments against each other");
    }
    let capped = view.loaded.config.model_list.get(index).is_some_and(|entry| entry.max_parallel_requests.is_none());
    if capped {
        effects.push(match release {
            Release::V1_109_1 => "caps how many calls run at once (one more gets a 429)",
            Release::V1_80_17 => "caps how many calls run at once (one more waits)",
        });
    }
    let effect = if effects.is_empty() { "does nothing".to_owned() } else { format!("only {}", effects.join(" and ")) };
    findings.add(
        &rule::LIMIT_IS_WEIGHT,
        span,
        format!("{}.litellm_params.{key}", view.path(index)),
        format!("{key} of `{group}` throttles nothing by the minute under this strategy: it {effect}"),
        match release {
            Release::V1_109_1 => {
                "to enforce it, write `optional_pre_call_checks: [enforce_model_rate_limits]` under router_settings"
            }
            Release::V1_80_17 => "to enforce it, write `enable_pre_call_checks: true` under router_settings",
        },
    );
}

/// All that a group may take in a minute, if every deployment says so.
fn sum(view: &View<'_>, members: &[usize], of: fn(&router_core::ModelEntry) -> Limit) -> Option<f64> {
    let limits = members.iter().map(|&index| {
        let Limit { entry, params, info } = of(view.loaded.config.model_list.get(index)?);
        entry.or(params).or(info).filter(|limit| *limit > 0.0)
    });
    limits.sum::<Option<f64>>().filter(|_| !members.is_empty())
}

fn quota(view: &View<'_>, group: &str, members: &[usize], findings: &mut Findings<'_>) {
    let Some(&first) = members.first() else { return };
    let targets = view.targets(group, FallbackList::Fallbacks);
    type LimitOf = fn(&router_core::ModelEntry) -> Limit;
    let limits: [(&str, LimitOf); 2] = [("rpm", |entry| entry.rpm), ("tpm", |entry| entry.tpm)];
    for (key, of) in limits {
        let Some(primary) = sum(view, members, of) else { continue };
        let all: Option<Vec<f64>> = targets.iter().map(|target| sum(view, &view.members(target), of)).collect();
        let Some(all) = all.filter(|all| !all.is_empty()) else { continue };
        let fallback: f64 = all.iter().sum();
        if fallback < primary {
            findings.add(
                &rule::SMALLER_QUOTA,
                view.name_span(first),
                format!("{}.model_name", view.path(first)),
                format!(
                    "`{group}` has {primary} {key} and its fallback `{}` {fallback}: when it stands in, {} of the \
                    load finds no room",
                    targets.join("`, `"),
                    share(1.0 - fallback / primary)
                ),
                format!("give the fallback more {key}, or expect it to carry a part of the load only"),
            );
            return;
        }
    }
}

fn share(of_one: f64) -> String {
    format!("{:.0}%", of_one * 100.0)
}
