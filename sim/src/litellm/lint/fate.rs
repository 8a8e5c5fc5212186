//! Deployments that look like several and fall together.

use std::collections::BTreeSet;

use router_core::FallbackList;

use super::{View, counted, listed};
use crate::litellm::finding::{Findings, rule};
use crate::litellm::inventory::Place;

pub(super) fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (group, members) in view.groups() {
        let Some(&first) = members.first() else { continue };
        let shared = shared_by(view, &members);
        if shared.is_empty() {
            region(view, group, &members, findings);
            continue;
        }
        let targets = view.targets(group, FallbackList::Fallbacks);
        let reached: Vec<usize> = targets.iter().flat_map(|target| view.members(target)).collect();
        let all: Vec<usize> = members.iter().chain(&reached).copied().collect();
        let shared_with_fallbacks = shared_by(view, &all);
        let (span, path) = (view.name_span(first), format!("{}.model_name", view.path(first)));
        if members.len() > 1 && (reached.is_empty() || !shared_with_fallbacks.is_empty()) {
            let shared = if reached.is_empty() { shared } else { shared_with_fallbacks };
            let end = if reached.is_empty() { "" } else { ", and so do its fallbacks" };
            let models: BTreeSet<&str> = members
                .iter()
                .filter_map(|&index| Some(view.loaded.inventory.places.get(index)?.upstream_model.as_str()))
                .collect();
            findings.add(
                if models.len() == 1 { &rule::SHARED_FATE } else { &rule::SHARED_ACCOUNT },
                span,
                path,
                format!(
                    "the {} of `{group}` share {}{end}: {}, and nothing stands in for them",
                    counted(members.len() as u64, "deployment", "deployments"),
                    listed(&shared),
                    if models.len() == 1 { "they fall together" } else { "what takes that away takes all of them" },
                ),
                "give one of them another key, account or endpoint, or add a fallback that has one",
            );
        } else if !reached.is_empty() && !shared_with_fallbacks.is_empty() {
            findings.add(
                &rule::FALLBACK_SHARES_FATE,
                span,
                path,
                format!(
                    "`{group}` and its {} share {}: what takes that away takes both",
                    if targets.len() == 1 { "fallback" } else { "fallbacks" },
                    listed(&shared_with_fallbacks)
                ),
                "add a fallback elsewhere if an outage of the account is to be survived",
            );
        } else {
            region(view, group, &members, findings);
        }
    }
}

/// Keys and endpoints that differ, all in one place.
fn region(view: &View<'_>, group: &str, members: &[usize], findings: &mut Findings<'_>) {
    let targets = view.targets(group, FallbackList::Fallbacks);
    let all: Vec<usize> =
        members.iter().copied().chain(targets.iter().flat_map(|target| view.members(target))).collect();
    let places: Vec<&Place> = all.iter().filter_map(|&index| view.loaded.inventory.places.get(index)).collect();
    let [first, rest @ ..] = places.as_slice() else { return };
    let Some(region) = first.region.as_deref().filter(|_| !rest.is_empty()) else { return };
    if !rest.iter().all(|place| place.provider == first.provider && place.region.as_deref() == Some(region)) {
        return;
    }
    let Some(&member) = members.first() else { return };
    let who = if targets.is_empty() {
        format!("the {} of `{group}`", counted(members.len() as u64, "deployment", "deployments"))
    } else {
        format!("`{group}` and its {}", if targets.len() == 1 { "fallback" } else { "fallbacks" })
    };
    findings.add(
        &rule::SHARED_REGION,
        view.name_span(member),
        format!("{}.model_name", view.path(member)),
        format!(
            "{who} all stand in {} of {}: an outage of the region takes all of them",
            region.strip_prefix("os.environ/").unwrap_or(region),
            first.provider
        ),
        "add a deployment or a fallback in another region if an outage of the region is to be survived",
    );
}

/// What all of these deployments have in common and can lose at once: a key with a name, or an endpoint.
fn shared_by(view: &View<'_>, deployments: &[usize]) -> Vec<String> {
    let places: Vec<&Place> = deployments.iter().filter_map(|&index| view.loaded.inventory.places.get(index)).collect();
    let mut shared = Vec::new();
    let one = |of: &dyn Fn(&Place) -> Option<String>| {
        let mut values = places.iter().map(|place| of(place));
        let first = values.next().flatten()?;
        values.all(|value| value.as_ref() == Some(&first)).then_some(first)
    };
    // The host's own credentials are for as many accounts and regions as their owner likes.
    let key = one(&|place: &Place| place.key.clone().filter(|key| !key.contains(" of the host")));
    if let Some(key) = key {
        shared.push(format!("the key {}", key.strip_prefix("key ").unwrap_or(&key)));
    }
    if let Some(endpoint) = one(&|place: &Place| place.endpoint.clone()) {
        shared.push(format!("the endpoint {}", endpoint.strip_prefix("os.environ/").unwrap_or(&endpoint)));
    }
    shared
}
