//! Everything in a configuration that does not do what it says, or does less than it promises: what reading it brought
//! to light, and what only shows when groups, fallbacks and settings are seen together.

mod breaker;
mod fallback_walks;
mod fate;
pub mod fix;
mod keys;
mod limits;
pub mod manifest;
mod mcp;
mod moves;
mod replicas;
mod suppression;
mod windows;
pub mod worst_case;

use std::ops::Range;

use router_core::{Plan, Span};

use self::suppression::Suppressions;
use self::worst_case::WorstCase;
use super::config::{Loaded, Options, read_source};
use super::finding::{Finding, Findings, Rule, rule};
use super::inventory::Place;
use super::node::Node;
use super::{unknown_keys, yaml};
use crate::problem::{Problems, did_you_mean};
use crate::source::Source;

/// What is asked of a configuration besides how it is read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Choice {
    /// Only these rules; empty: all.
    pub select: Vec<&'static Rule>,
    /// Not these rules.
    pub ignore: Vec<&'static Rule>,
    /// How long a caller waits before giving up, if somebody said so.
    pub deadline: Option<Span>,
    /// What runs the configuration.
    pub fleet: Fleet,
}

/// The processes that run one configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fleet {
    /// Replicas of the proxy, workers of one pod counted each; at least 1.
    pub replicas: u32,
    /// `STORE_MODEL_IN_DB` is set in their environment.
    pub stores_models: bool,
}

impl Default for Fleet {
    fn default() -> Self {
        Self { replicas: 1, stores_models: false }
    }
}

impl Fleet {
    /// `3 replicas`.
    fn words(&self) -> String {
        counted(self.replicas.into(), "replica", "replicas")
    }
}

/// What was found in one file.
#[derive(Clone, PartialEq, Debug)]
pub struct Linted {
    /// What stands, in the order of the file.
    pub findings: Vec<Finding>,
    /// What a comment in the file silences, with the reason it gives.
    pub silenced: Vec<(Finding, String)>,
    /// What one request may cost at worst, by model group; empty when LiteLLM does not start with the file.
    pub worst_cases: Vec<WorstCase>,
}

/// The rule of a name.
///
/// # Errors
/// What to say to somebody who asked for a rule that is none.
pub fn rule_named(name: &str) -> Result<&'static Rule, String> {
    rule::RULES.iter().copied().find(|rule| rule.name == name).ok_or_else(|| {
        match did_you_mean(name, rule::RULES.iter().map(|rule| rule.name)) {
            Some(nearest) => format!("there is no rule {name:?}; did you mean {nearest:?}?"),
            None => format!("there is no rule {name:?}; `routedrill lint --list` shows all"),
        }
    })
}

/// Looks at one configuration.
///
/// # Errors
/// As [`read_source`]: what cannot be read cannot be judged.
pub fn lint(source: &Source, options: &Options, choice: &Choice) -> Result<Linted, Problems> {
    let loaded = read_source(source, options)?;
    let document = yaml::parse(source)?;
    let mut found = Findings::new(source.name(), Some(source));
    let mut worst_cases = Vec::new();
    let entries = entries(&document.root, &loaded);
    keys::check(&document.root, &entries, &loaded, &mut found);
    mcp::check(&document.root, &choice.fleet, &mut found);
    match Plan::new(&loaded.config) {
        Ok(plan) if !loaded.refuses_to_start() => {
            let view = View { loaded: &loaded, plan: &plan, entries: &entries, root: &document.root };
            breaker::check(&view, &mut found);
            fallback_walks::check(&view, &mut found);
            fate::check(&view, &mut found);
            limits::check(&view, &mut found);
            replicas::check(&view, &choice.fleet, &mut found);
            windows::check(&view, &mut found);
            worst_cases = worst_case::of_groups(&plan);
            worst_case::check(&view, &worst_cases, choice.deadline, &mut found);
        }
        // The reader has said already where the file is to blame.
        Ok(_) => {}
        Err(errors) => {
            for error in errors.iter().filter(|_| !loaded.refuses_to_start()) {
                let message = format!("{error}: LiteLLM refuses to start with it, or fails when it is used");
                found.add(&rule::MALFORMED_SETTING, document.root.span.clone(), "", message, "write another value");
            }
        }
    }
    let mut findings = loaded.findings;
    findings.extend(found.finish());
    let misplaced = |finding: &&mut Finding| {
        finding.edits.is_empty() && [&rule::IGNORED_KEY, &rule::MALFORMED_SETTING].contains(&finding.rule)
    };
    for finding in findings.iter_mut().filter(misplaced) {
        if let Some(home) = unknown_keys::home(&finding.path, options.release) {
            if moves::stands(&document.root, &home) {
                finding.remedy = format!("remove it: {home} is set too, and that one counts");
            }
            finding.edits = moves::edits(&document.root, source, &finding.path, &home).unwrap_or_default();
        }
    }
    let (findings, silenced) = choice.of(findings, source);
    Ok(Linted { findings, silenced, worst_cases })
}

impl Choice {
    /// What stands of some findings, in the order of the file, and what comments in the file silence.
    fn of(&self, findings: Vec<Finding>, source: &Source) -> (Vec<Finding>, Vec<(Finding, String)>) {
        let mut suppressions = Suppressions::read(source);
        let (silenced, standing) = suppressions.apply(findings);
        let mut findings: Vec<_> = standing.into_iter().chain(suppressions.remarks(source)).collect();
        findings.retain(|finding| {
            (self.select.is_empty() || self.select.contains(&finding.rule)) && !self.ignore.contains(&finding.rule)
        });
        findings.sort_by_key(|finding| (finding.at.as_ref().map(|at| (at.line, at.column)), finding.rule.name));
        (findings, silenced)
    }
}

/// What the rules look at.
struct View<'a> {
    loaded: &'a Loaded,
    plan: &'a Plan,
    /// The entry of each deployment in the tree, in the order of the deployments.
    entries: &'a [Option<&'a Node>],
    root: &'a Node,
}

impl<'a> View<'a> {
    /// The model groups in the order of the file, each with the indices of its deployments.
    fn groups(&self) -> Vec<(&'a str, Vec<usize>)> {
        let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
        for (index, entry) in self.loaded.config.model_list.iter().enumerate() {
            match groups.iter_mut().find(|(name, _)| *name == entry.model_name) {
                Some((_, members)) => members.push(index),
                None => groups.push((&entry.model_name, vec![index])),
            }
        }
        groups
    }

    /// The deployments of a name, by index.
    fn members(&self, name: &str) -> Vec<usize> {
        let id = self.plan.name_id(name);
        id.map(|id| self.plan.members(id)).unwrap_or_default().into_iter().map(|id| id.index()).collect()
    }

    /// Where the name of a deployment's group stands.
    fn name_span(&self, index: usize) -> Range<usize> {
        let entry = self.entries.get(index).copied().flatten();
        entry.and_then(|entry| entry.get("model_name")).map_or(0..0, |name| name.span.clone())
    }

    /// The keys that lead to a deployment.
    fn path(&self, index: usize) -> &'a str {
        self.loaded.inventory.places.get(index).map_or("model_list", |place| &place.path)
    }

    /// A parameter of a deployment as written, with the place of its key.
    fn param(&self, index: usize, key: &str) -> Option<Range<usize>> {
        let params = self.entries.get(index).copied().flatten()?.get("litellm_params")?.as_mapping()?;
        params.entry(key).filter(|(_, value)| !value.is_null()).map(|(key, _)| key.span.clone())
    }

    /// A limit of a deployment, wherever it is written, with the place of its key.
    fn limit(&self, index: usize, key: &str) -> Option<Range<usize>> {
        let entry = self.entries.get(index).copied().flatten()?;
        let info = entry.get("model_info");
        let maps = [Some(entry), entry.get("litellm_params"), info].into_iter().flatten().filter_map(Node::as_mapping);
        maps.filter_map(|map| map.entry(key)).find(|(_, value)| !value.is_null()).map(|(key, _)| key.span.clone())
    }

    /// The names that a group's own fallbacks lead to, the group itself left out.
    fn targets(&self, group: &str, list: router_core::FallbackList) -> Vec<&'a str> {
        let Some(id) = self.plan.name_id(group) else { return Vec::new() };
        let mut names = Vec::new();
        for target in self.plan.fallback_chain(id, list) {
            let name = target.model.map(|model| self.plan.name(model));
            names.extend(name.filter(|name| *name != group && !self.members(name).is_empty()));
        }
        names
    }
}

/// The entry in the tree that each deployment was read from.
fn entries<'n>(root: &'n Node, loaded: &Loaded) -> Vec<Option<&'n Node>> {
    let items = root.get("model_list").and_then(Node::as_sequence).unwrap_or_default();
    let of = |place: &Place| {
        let index: usize = place.path.strip_prefix("model_list[")?.strip_suffix(']')?.parse().ok()?;
        items.get(index)
    };
    loaded.inventory.places.iter().map(of).collect()
}

/// `1 retry`, `2 retries`.
fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
