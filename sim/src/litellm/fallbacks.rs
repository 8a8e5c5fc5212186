//! Fallback lists: `[{group: [targets]}, ...]`.

use std::ops::Range;

use router_core::{FallbackEntry, FallbackTarget, Release, RequestParams};

use super::finding::{Edit, Findings, rule};
use super::identity::python_str;
use super::node::{Mapping, Node, Value};
use super::section::Section;

/// The name of a group where the settings mention it.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) at: Range<usize>,
    /// The keys that lead there.
    pub(super) path: String,
}

impl Named {
    pub(super) fn new(name: &str, at: &Range<usize>, path: &str) -> Self {
        Self { name: name.to_owned(), at: at.clone(), path: path.to_owned() }
    }
}

/// A fallback list, and where each name in it stands.
pub(super) struct FallbackListing {
    pub(super) entries: Vec<FallbackEntry>,
    /// The keys.
    pub(super) groups: Vec<Named>,
    /// The targets.
    pub(super) targets: Vec<Named>,
}

/// How strictly the Router's constructor looks at a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// `fallbacks` and `content_policy_fallbacks`: a malformed list stops the start-up.
    Validated,
    /// `context_window_fallbacks`: a malformed list fails when it is used.
    Unchecked,
}

/// Reads a list of `{group: [targets]}`. `None` when LiteLLM takes it for unset, or refuses to start with it.
pub(super) fn listing(
    node: &Node,
    path: &str,
    check: Check,
    release: Release,
    findings: &mut Findings<'_>,
) -> Option<FallbackListing> {
    let mut listing = FallbackListing { entries: Vec::new(), groups: Vec::new(), targets: Vec::new() };
    let Some(items) = node.as_sequence() else {
        let remedy = match &node.value {
            Value::Mapping(_) => "write each key as an item of a list: `- group: [target]`",
            _ => "write a list of `{group: [target]}`",
        };
        malformed(node, path, &format!("it is {} and not a list", node.value.kind()), remedy, check, findings);
        return None;
    };
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let Value::Mapping(map) = &item.value else {
            let what = format!("this item is {} and not a map of one group to its targets", item.value.kind());
            malformed(item, &path, &what, "write `- group: [target]`", check, findings);
            continue;
        };
        if map.len() != 1 {
            let what = format!("this item has {} keys and needs exactly one", map.len());
            malformed(
                item,
                &path,
                &what,
                "write each group as an item of its own: `- group: [target]`",
                check,
                findings,
            );
        }
        // Where nothing is validated, only the first key of an item is ever looked at.
        let Some((key, targets)) = map.iter().next() else { continue };
        let group = python_str(&key.value);
        let path = format!("{path}.{group}");
        listing.groups.push(Named::new(&group, &key.span, &path));
        let targets = targets_of(targets, &path, check, release, &mut listing.targets, findings);
        listing.entries.push(FallbackEntry { group, targets });
    }
    Some(listing)
}

fn targets_of(
    node: &Node,
    path: &str,
    check: Check,
    release: Release,
    seen: &mut Vec<Named>,
    findings: &mut Findings<'_>,
) -> Vec<FallbackTarget> {
    match &node.value {
        Value::Sequence(items) => items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| target(item, &format!("{path}[{index}]"), seen, findings))
            .collect(),
        Value::Text(text) if check == Check::Unchecked || release == Release::V1_80_17 => {
            findings.add(
                &rule::WRONG_TYPE,
                node.span.clone(),
                path,
                format!("{text:?} is text where LiteLLM needs a list, and it tries each letter of it as a model"),
                format!("write `[{text}]`"),
            );
            findings.mend([Edit { span: node.span.clone(), text: format!("[{}]", findings.written(&node.span)) }]);
            text.chars().map(|c| FallbackTarget::Name(c.to_string())).collect()
        }
        Value::Null if check == Check::Unchecked || release == Release::V1_80_17 => Vec::new(),
        Value::Mapping(_) if path.ends_with("default_fallbacks") => {
            let what = "default_fallbacks is a map and not a list of names";
            malformed(node, path, what, "write `[target]`", Check::Unchecked, findings);
            Vec::new()
        }
        value => {
            let what = format!("the targets are {} and not a list", value.kind());
            let remedy = match value {
                Value::Text(text) => format!("write `[{text}]`"),
                _ => "write `[target]`".to_owned(),
            };
            malformed(node, path, &what, &remedy, check, findings);
            if let Value::Text(_) = value {
                findings.mend([Edit { span: node.span.clone(), text: format!("[{}]", findings.written(&node.span)) }]);
            }
            Vec::new()
        }
    }
}

fn target(node: &Node, path: &str, seen: &mut Vec<Named>, findings: &mut Findings<'_>) -> Option<FallbackTarget> {
    match &node.value {
        Value::Text(name) => {
            seen.push(Named::new(name, &node.span, path));
            Some(FallbackTarget::Name(name.clone()))
        }
        Value::Mapping(map) => {
            let model = map.get("model").and_then(Node::as_text).map(str::to_owned);
            if let (Some(model), Some(at)) = (&model, map.get("model")) {
                seen.push(Named::new(model, &at.span, &format!("{path}.model")));
            }
            let params = request_params(&Section::new(path, map), findings);
            Some(FallbackTarget::Map { model, text: python_str(&node.value), params })
        }
        value => {
            findings.add(
                &rule::WRONG_TYPE,
                node.span.clone(),
                path,
                format!("a fallback target is the name of a group, and this is {}", value.kind()),
                "quote the name",
            );
            None
        }
    }
}

/// The request parameters in a map that is merged into a request.
pub(super) fn request_params(section: &Section<'_>, findings: &mut Findings<'_>) -> RequestParams {
    let empty = Mapping::default();
    let metadata = section.node("metadata").and_then(Node::as_mapping).unwrap_or(&empty);
    let tags = metadata.get("tags").and_then(Node::as_sequence).unwrap_or_default();
    RequestParams {
        num_retries: section.raw_int("num_retries", findings),
        max_retries: section.raw_int("max_retries", findings),
        timeout: section.raw_number("timeout", findings),
        request_timeout: section.raw_number("request_timeout", findings),
        stream_timeout: section.raw_number("stream_timeout", findings),
        fallbacks: section.node("fallbacks").and_then(Node::as_sequence).map(|items| {
            let path = section.path_of("fallbacks");
            items.iter().filter_map(|item| target(item, &path, &mut Vec::new(), findings)).collect()
        }),
        disable_fallbacks: section.raw_bool("disable_fallbacks", findings),
        tags: tags.iter().filter_map(|tag| tag.as_text().map(str::to_owned)).collect(),
        region: section.node("allowed_model_region").and_then(Node::as_text).map(str::to_owned),
    }
}

/// Reads `default_fallbacks`: a list of names.
pub(super) fn names(
    node: &Node,
    path: &str,
    release: Release,
    findings: &mut Findings<'_>,
) -> Option<(Vec<String>, Vec<Named>)> {
    let mut seen = Vec::new();
    let targets = targets_of(node, path, Check::Validated, release, &mut seen, findings);
    let names = targets.into_iter().filter_map(|target| match target {
        FallbackTarget::Name(name) => Some(name),
        FallbackTarget::Map { model, .. } => model,
    });
    let names: Vec<_> = names.collect();
    (!names.is_empty()).then_some((names, seen))
}

fn malformed(node: &Node, path: &str, what: &str, remedy: &str, check: Check, findings: &mut Findings<'_>) {
    let (rule, end) = match check {
        Check::Validated => (&rule::MALFORMED_SETTING, "LiteLLM refuses to start with it"),
        Check::Unchecked => (&rule::WRONG_TYPE, "LiteLLM starts with it and fails when it is used"),
    };
    findings.add(rule, node.span.clone(), path, format!("{what}: {end}"), remedy);
}
