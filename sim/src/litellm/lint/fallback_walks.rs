//! Fallbacks that lead back to where they came from.

use std::collections::BTreeSet;

use router_core::{FallbackList, Release};

use super::View;
use crate::litellm::finding::{Findings, rule};
use crate::litellm::node::{Node, Value};

const LISTS: [&str; 3] = ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"];

pub(super) fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for section in ["router_settings", "litellm_settings"] {
        for list in LISTS {
            let items = view.root.get(section).and_then(|section| section.get(list)).and_then(Node::as_sequence);
            for (index, item) in items.unwrap_or_default().iter().enumerate() {
                let Some((key, targets)) = item.as_mapping().and_then(|map| map.iter().next()) else { continue };
                let (Some(group), Some(targets)) = (key.text(), targets.as_sequence()) else { continue };
                let path = format!("{section}.{list}[{index}].{group}");
                self_targets(group, targets, &path, findings);
                repeated_targets(targets, &path, findings);
            }
        }
    }
    if view.loaded.config.release == Release::V1_80_17 {
        cycles(view, findings);
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
