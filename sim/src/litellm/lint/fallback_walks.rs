//! Fallbacks that lead back to where they came from, or that no request ever gets to.

use std::collections::{BTreeMap, BTreeSet};

use router_core::{FallbackList, Release};

use super::View;
use crate::litellm::finding::{Findings, rule};
use crate::litellm::node::{Node, Value};

const LISTS: [&str; 3] = ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"];

pub(super) fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for section in ["router_settings", "litellm_settings"] {
        for list in LISTS {
            let items = view.root.get(section).and_then(|section| section.get(list)).and_then(Node::as_sequence);
            let mut first = BTreeMap::new();
            for (index, item) in items.unwrap_or_default().iter().enumerate() {
                let Some((key, targets)) = item.as_mapping().and_then(|map| map.iter().next()) else { continue };
                let (Some(group), Some(targets)) = (key.text(), targets.as_sequence()) else { continue };
                let path = format!("{section}.{list}[{index}].{group}");
                match first.get(group) {
                    None => {
                        first.insert(group, &key.span);
                    }
                    Some(&known) => findings.add(
                        &rule::UNREACHABLE_FALLBACK,
                        key.span.clone(),
                        path.as_str(),
                        format!(
                            "`{group}` has an entry in line {} already, and LiteLLM takes only that one",
                            findings.line(known)
                        ),
                        "put the targets of both into one entry, in the order in which they are to be tried",
                    ),
                }
                self_targets(group, targets, &path, findings);
                repeated_targets(targets, &path, findings);
            }
        }
    }
    switched_off(view, findings);
    if view.loaded.config.release == Release::V1_80_17 {
        cycles(view, findings);
    }
}

/// Fallbacks under a `max_fallbacks` that allows none.
fn switched_off(view: &View<'_>, findings: &mut Findings<'_>) {
    let max = &view.plan.settings().max_fallbacks;
    let Some((group, target)) = view.groups().into_iter().find_map(|(group, _)| {
        let target = *view.targets(group, FallbackList::Fallbacks).first()?;
        Some((group, target))
    }) else {
        return;
    };
    let written = ["router_settings", "litellm_settings"].into_iter().find_map(|section| {
        let map = view.root.get(section)?.as_mapping()?;
        map.entry("max_fallbacks").map(|(key, _)| (section, key.span.clone()))
    });
    if let Some((section, span)) = written.filter(|_| max.value <= 0) {
        findings.add(
            &rule::UNREACHABLE_FALLBACK,
            span,
            format!("{section}.max_fallbacks"),
            format!("max_fallbacks is {}: `{target}` is never asked for `{group}`, nor any other fallback", max.value),
            "write 1 or more, or remove the fallbacks",
        );
    }
}

fn self_targets(group: &str, targets: &[Node], path: &str, findings: &mut Findings<'_>) {
    for target in targets.iter().filter(|target| target.as_text() == Some(group)) {
        findings.add(
            &rule::SELF_FALLBACK,
            target.span.clone(),
            path,
            format!("`{group}` falls back to itself, and LiteLLM skips that"),
            if targets.len() == 1 { "name another group, or remove the entry" } else { "remove it from the list" },
        );
    }
}

fn repeated_targets(targets: &[Node], path: &str, findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for target in targets {
        let Value::Text(name) = &target.value else { continue };
        if !seen.insert(name) {
            findings.add(
                &rule::REPEATED_FALLBACK,
                target.span.clone(),
                path,
                format!(
                    "`{name}` stands twice in this list: what has just failed is not tried again, or tried in vain"
                ),
                "remove one of the two",
            );
        }
    }
}

/// LiteLLM 1.80.17 does not remember where a request has been.
fn cycles(view: &View<'_>, findings: &mut Findings<'_>) {
    let mut told = BTreeSet::new();
    for (group, members) in view.groups() {
        let Some(way) = way_back(view, group) else { continue };
        let mut members_of_cycle: Vec<_> = way.clone();
        members_of_cycle.sort_unstable();
        if told.insert(members_of_cycle) {
            let index = members.first().copied().unwrap_or_default();
            findings.add(
                &rule::CYCLIC_FALLBACK,
                view.name_span(index),
                format!("{}.model_name", view.path(index)),
                format!(
                    "the fallbacks of `{group}` lead back to it ({group} > {}): LiteLLM {} keeps going round until \
                    max_fallbacks stops it, with all retries each time",
                    way.join(" > "),
                    Release::V1_80_17
                ),
                "end the chain in a group without fallbacks, or set `max_fallbacks` lower",
            );
        }
    }
}

/// The shortest way from a group back to itself, without its start.
fn way_back<'a>(view: &View<'a>, group: &'a str) -> Option<Vec<&'a str>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![Vec::new()];
    let mut next = 0;
    while let Some(way) = ways.get(next).cloned() {
        next += 1;
        let from = way.last().copied().unwrap_or(group);
        let Some(id) = view.plan.name_id(from) else { continue };
        for target in view.plan.fallback_chain(id, FallbackList::Fallbacks) {
            let Some(name) = target.model.map(|model| view.plan.name(model)).filter(|name| *name != from) else {
                continue;
            };
            let mut longer = way.clone();
            longer.push(name);
            if name == group {
                return Some(longer);
            }
            if seen.insert(name) {
                ways.push(longer);
            }
        }
    }
    None
}
