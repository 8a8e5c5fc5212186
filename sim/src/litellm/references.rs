//! Names that point nowhere: checks that need the groups, the aliases and the settings at once.

use std::collections::BTreeMap;
use std::ops::Range;

use router_core::{Config, FallbackList, ModelEntry, fallback_entry_of};

use super::fallbacks::Named;
use super::finding::{Findings, Rule, rule};
use super::settings::References;
use crate::problem::did_you_mean;

/// The names under which a configuration can be asked for something.
pub(super) struct Names<'a> {
    entries: &'a [ModelEntry],
    aliases: &'a [(String, String)],
    asked: &'a [String],
    /// A database may serve more names than the file.
    database: bool,
}

impl<'a> Names<'a> {
    fn of(config: &'a Config, database: bool) -> Self {
        Self {
            entries: &config.model_list,
            aliases: &config.router_settings.model_group_alias,
            asked: &config.asked_names,
            database,
        }
    }

    fn is_group(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.model_name == name)
    }

    fn is_alias(&self, name: &str) -> bool {
        self.aliases.iter().any(|(alias, _)| alias == name)
    }

    /// Whether a request for this name finds deployments: by group, alias, wildcard, id or upstream name.
    fn is_served(&self, name: &str) -> bool {
        self.is_alias(name) || self.is_served_itself(name)
    }

    /// Whether deployments stand behind the name without any alias.
    fn is_served_itself(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| {
            entry.model_name == name
                || entry.id == name
                || entry.model == name
                || entry.model_name.contains('*') && matches_wildcard(&entry.model_name, name)
        })
    }

    /// The names that callers can be expected to ask for, but those behind wildcards.
    fn callable(&self) -> impl Iterator<Item = &str> {
        let groups = self.entries.iter().map(|entry| entry.model_name.as_str()).filter(|name| !name.contains('*'));
        let aliases = self.aliases.iter().map(|(alias, _)| alias.as_str());
        groups.chain(aliases).chain(self.asked.iter().map(String::as_str))
    }

    /// Whether a wildcard serves the name, be it with its provider in front: who asks for `openai/gpt-4o` finds the
    /// fallbacks of `gpt-4o`.
    fn is_behind_wildcard(&self, name: &str) -> bool {
        let wildcards = self.entries.iter().map(|entry| entry.model_name.as_str()).filter(|name| name.contains('*'));
        wildcards.into_iter().any(|pattern| {
            let provider = pattern.split_once('/').map(|(provider, _)| format!("{provider}/{name}"));
            matches_wildcard(pattern, name) || provider.is_some_and(|name| matches_wildcard(pattern, &name))
        })
    }

    /// Where a chain of aliases ends, if deployments stand there.
    fn end_of(&self, alias: &str) -> Option<&'a str> {
        let mut name = alias;
        for _ in 0..self.aliases.len() {
            let (_, next) = self.aliases.iter().find(|(known, _)| known == name)?;
            if self.is_served_itself(next) {
                return Some(next);
            }
            name = next;
        }
        None
    }

    /// Reports a name that nothing in the file serves. `so` is what follows from that.
    fn missing(
        &self,
        rule: &'static Rule,
        (name, at, path): (&str, &Range<usize>, &str),
        so: &str,
        remedy: String,
        findings: &mut Findings<'_>,
    ) {
        if self.database {
            let message = format!("no model group in this file is called {name:?}, and the database was not read");
            findings.add(&rule::UNSEEN_NAME, at.clone(), path, message, "make sure that the database has one");
        } else {
            findings.add(rule, at.clone(), path, format!("no model group is called {name:?}{so}"), remedy);
        }
    }

    /// The name that this one is a slip of the pen away from. Names of models are alike without being mistaken for
    /// each other: `gpt-4-turbo` is not meant to be `gpt-4`.
    fn nearest(&self, name: &str) -> Option<&'a str> {
        let groups = self.entries.iter().map(|entry| entry.model_name.as_str());
        let names = groups.chain(self.aliases.iter().map(|(alias, _)| alias.as_str()));
        did_you_mean(name, names).filter(|nearest| strsim::damerau_levenshtein(name, nearest) <= 2)
    }
}

/// Whether a name matches a `model_name` with `*` in it. LiteLLM anchors the pattern at its start only.
fn matches_wildcard(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or("")) else { return false };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

/// Looks at every name that the settings mention. `database`: models may live in one, which is not read.
pub(super) fn check(config: &Config, references: &References, database: bool, findings: &mut Findings<'_>) {
    let names = Names::of(config, database);
    for target in &references.fallback_targets {
        undefined_target(target, &names, findings);
    }
    let has_default = references.fallback_groups.iter().any(|group| group.name == "*")
        || config.router_settings.default_fallbacks.is_some()
        || config.litellm_settings.default_fallbacks.is_some();
    uncalled(config, references, &names, findings);
    for (Named { name: alias, at, path }, group) in &references.aliases {
        if names.is_group(alias) && alias != group {
            findings.add(
                &rule::SHADOWED_GROUP,
                at.clone(),
                path,
                format!(
                    "the alias {alias:?} hides the model group of the same name: its deployments get no requests \
                    under that name, and a fallback to it lands on {group:?}"
                ),
                "rename one of the two",
            );
        }
        if names.is_alias(group) && !names.is_served_itself(group) {
            findings.add(
                &rule::CHAINED_ALIAS,
                at.clone(),
                path,
                match alias == group {
                    true => format!("the alias {alias:?} stands for itself: requests for it fail"),
                    false => format!(
                        "the alias {alias:?} stands for {group:?}, which is an alias too, and LiteLLM replaces a name \
                        once: requests for it fail"
                    ),
                },
                match names.end_of(group) {
                    Some(end) => format!("write `{alias}: {end}`"),
                    None => "write the name of a model group".to_owned(),
                },
            );
        } else if !names.is_served(group) {
            names.missing(
                &rule::UNDEFINED_FALLBACK,
                (group, at, path),
                ", for which this alias stands: requests for it fail",
                did_you(&names, group),
                findings,
            );
        }
        let keyed = |name: &str| references.fallback_groups.iter().any(|key| key.name == name);
        if keyed(group) && !keyed(alias) && !has_default {
            findings.add(
                &rule::ALIAS_FALLBACK,
                at.clone(),
                path,
                format!(
                    "{group:?} has fallbacks and its alias {alias:?} has none: LiteLLM looks them up by the name \
                    the caller sent"
                ),
                format!("add fallbacks for `{alias}`"),
            );
        }
    }
    for Named { name: group, at, path } in &references.policy_groups {
        if !names.is_served(group) {
            names.missing(
                &rule::IGNORED_KEY,
                (group, at, path),
                ", so that this policy is never used",
                did_you(&names, group),
                findings,
            );
        }
    }
}

/// Looks for entries of fallback lists that nobody finds who asks for a group, an alias or a name behind a wildcard.
fn uncalled(config: &Config, references: &References, names: &Names<'_>, findings: &mut Findings<'_>) {
    // All entries of one list have the same keys before their place in it.
    let list_of = |named: &Named| named.path.split('[').next().unwrap_or_default().to_owned();
    let mut lists = BTreeMap::<String, Vec<&Named>>::new();
    for named in &references.fallback_groups {
        lists.entry(list_of(named)).or_default().push(named);
    }
    for (list, entries) in &lists {
        let kind = match list.rsplit('.').next() {
            Some("context_window_fallbacks") => FallbackList::ContextWindow,
            Some("content_policy_fallbacks") => FallbackList::ContentPolicy,
            _ => FallbackList::Fallbacks,
        };
        let finds = |name: &str| {
            let keys = entries.iter().map(|entry| entry.name.as_str());
            fallback_entry_of(name, keys, kind, config.release).filter(|&index| entries[index].name != "*")
        };
        let found: Vec<usize> = names.callable().filter_map(finds).collect();
        for (index, Named { name: key, at, path }) in entries.iter().enumerate() {
            let called = key == "*"
                || found.contains(&index)
                || names.callable().any(|name| name == key)
                || names.entries.iter().any(|entry| entry.id == *key)
                || names.is_behind_wildcard(key);
            if called {
                continue;
            }
            let behind: Vec<&str> =
                names.entries.iter().filter(|entry| entry.model == *key).map(|entry| &*entry.model_name).collect();
            let (so, remedy) = match behind.iter().find(|group| finds(group).is_none()) {
                Some(group) => (
                    format!(": it is the model behind {group:?}, and who asks for that does not find these fallbacks"),
                    format!("write `{group}`"),
                ),
                None if !behind.is_empty() => continue,
                None => (
                    ", so that these fallbacks are never used".to_owned(),
                    match names.nearest(key) {
                        Some(nearest) => format!("did you mean `{nearest}`?"),
                        None => "write the name that callers ask for".to_owned(),
                    },
                ),
            };
            names.missing(&rule::UNCALLED_FALLBACK, (key, at, path), &so, remedy, findings);
        }
    }
}

fn undefined_target(Named { name: target, at, path }: &Named, names: &Names<'_>, findings: &mut Findings<'_>) {
    if names.is_served(target) {
        return;
    }
    names.missing(
        &rule::UNDEFINED_FALLBACK,
        (target, at, path),
        ": LiteLLM starts, and the fallback fails when it is needed",
        did_you(names, target),
        findings,
    );
}

fn did_you(names: &Names<'_>, name: &str) -> String {
    match names.nearest(name) {
        Some(nearest) => format!("did you mean `{nearest}`? Else add a model_list entry with `model_name: {name}`"),
        None => format!("add a model_list entry with `model_name: {name}`, or remove the name here"),
    }
}

/// Looks for deployments that LiteLLM cannot tell apart. `places` are the spans of the entries.
pub(super) fn same_ids(config: &Config, labels: &[String], places: &[Range<usize>], findings: &mut Findings<'_>) {
    let mut first = BTreeMap::<&str, usize>::new();
    for (index, entry) in config.model_list.iter().enumerate() {
        match first.get(entry.id.as_str()) {
            None => {
                first.insert(&entry.id, index);
            }
            Some(&known) => findings.add(
                &rule::SAME_ID,
                places.get(index).cloned().unwrap_or_default(),
                format!("model_list.{}", entry.model_name),
                format!("this deployment has the same id as {}: to cooldowns and counters they are one", labels[known]),
                "make them differ, or give each its own `model_info.id`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_anchored_at_the_start_only() {
        assert!(matches_wildcard("openai/*", "openai/gpt-4"));
        assert!(matches_wildcard("*", "anything"));
        assert!(matches_wildcard("gpt-*-mini", "gpt-4o-mini-2024"));
        assert!(!matches_wildcard("openai/*", "azure/gpt-4"));
    }
}
