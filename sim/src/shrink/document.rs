//! A scenario as written, with its config within: what parts are taken out of, and what is written down again.

use std::fmt::Write as _;

use crate::litellm::{Mapping, Node, Value};
use crate::problem::Problems;
use crate::scenario::quantity::{Duration, Quantity as _};
use crate::scenario::recorded::OneRequest;
use crate::scenario::tree::{Kind, NodeId, Tree};
use crate::scenario::word::Vocabulary as _;
use crate::scenario::{self, Arrivals, MustSee, Scenario, quoted, yaml};
use crate::source::Source;

/// A scenario as a tree. Its scalars are text, but for those of its config, which are what LiteLLM reads.
#[derive(Clone, PartialEq, Debug)]
pub struct Document(pub(super) Node);

/// The order in which the keys are written, the config last: it is the longest.
const ORDER: [&str; 16] = [
    "name",
    "litellm",
    "mode",
    "seed",
    "start",
    "duration",
    "drain",
    "replicas",
    "traffic",
    "upstreams",
    "quotas",
    "links",
    "faults",
    "expect",
    "expect_broken",
    "config",
];

/// Lines are broken before they get longer than this.
const COLUMNS: usize = 110;

impl Document {
    /// The scenario that `source` is the text of, under the seed of `scenario`, which was read from it. What it promises is
    /// only `promise`, by its key - `availability`, `latency.p99` - and what it must see is `must_see`.
    ///
    /// # Errors
    /// When its config has become unreadable.
    pub fn new(
        source: &Source,
        scenario: &Scenario,
        promise: Option<&str>,
        must_see: &[MustSee],
    ) -> Result<Self, Problems> {
        let tree = Tree::read(source)?;
        let written = as_text(&tree, tree.root());
        let mut document = Mapping::default();
        let mut set = |key: &str, value: Node| document.set(Value::Text(key.to_owned()), value);
        for key in ORDER {
            let own = match key {
                "name" => Some(text(format!("{}-smallest", scenario.name))),
                "seed" => Some(text(scenario.seed.to_string())),
                "config" => Some(scenario::config_alone(scenario)?),
                "expect" => {
                    let promise = promise.and_then(|key| written.get("expect").and_then(|expect| only(expect, key)));
                    let mut map = promise.unwrap_or_default();
                    if !must_see.is_empty() {
                        let words = must_see.iter().map(|situation| text(situation.word().to_owned())).collect();
                        let words = Node { span: 0..0, value: Value::Sequence(words) };
                        map.set(Value::Text("must_see".to_owned()), words);
                    }
                    (!map.is_empty()).then_some(Node { span: 0..0, value: Value::Mapping(map) })
                }
                "expect_broken" => None,
                "traffic" => written.get(key).map(|traffic| with_requests(traffic, scenario)),
                key => written.get(key).cloned(),
            };
            if let Some(value) = own {
                set(key, value);
            }
        }
        Ok(Self(Node { span: 0..0, value: Value::Mapping(document) }))
    }

    /// A scenario without a config, and the config.
    pub(crate) fn of(scenario: Node, config: Node) -> Self {
        let mut root = scenario;
        if let Value::Mapping(map) = &mut root.value {
            map.set(Value::Text("config".to_owned()), config);
        }
        Self(root)
    }

    /// The text of a scenario file.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if let Some(top) = self.0.as_mapping() {
            for (key, value) in top.iter() {
                let style = if key.text() == Some("config") { Style::Config } else { Style::Scenario };
                entry(&mut out, style, key.text().unwrap_or(""), value, 0);
            }
        }
        out
    }

    /// How many scalars it has.
    pub fn size(&self) -> usize {
        fn size(node: &Node) -> usize {
            match &node.value {
                Value::Mapping(map) => map.iter().map(|(_, value)| size(value)).sum(),
                Value::Sequence(items) => items.iter().map(size).sum(),
                _ => 1,
            }
        }
        size(&self.0)
    }
}

/// The traffic with recorded requests one by one in place of their file.
fn with_requests(traffic: &Node, scenario: &Scenario) -> Node {
    let mut traffic = traffic.clone();
    let Value::Sequence(entries) = &mut traffic.value else { return traffic };
    for (entry, meant) in entries.iter_mut().zip(scenario::traffic_alone(scenario)) {
        if let (Value::Mapping(entry), Arrivals::Trace(recording)) = (&mut entry.value, meant.arrivals) {
            let requests = recording.rows.iter().map(|row| text(OneRequest(*row).to_string())).collect();
            let mut arrivals = Mapping::default();
            let requests = Node { span: 0..0, value: Value::Sequence(requests) };
            arrivals.set(Value::Text("requests".to_owned()), requests);
            entry.set(Value::Text("arrivals".to_owned()), Node { span: 0..0, value: Value::Mapping(arrivals) });
        }
    }
    traffic
}

/// The one promise of that key: `availability`, or `latency.p99` below `latency`.
fn only(expect: &Node, key: &str) -> Option<Mapping> {
    let (first, rest) = key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let mut value = expect.get(first)?.clone();
    if let Some(rest) = rest {
        // A window may be written in another unit than reports use.
        let same = |key: &str| {
            key == rest || Duration::parse(key).is_ok_and(|span| Duration::parse(rest).is_ok_and(|other| span == other))
        };
        let one = value.as_mapping()?.iter().find(|(key, _)| key.text().is_some_and(same));
        let (key, one) = one?;
        let mut map = Mapping::default();
        map.set(key.value.clone(), one.clone());
        value = Node { span: 0..0, value: Value::Mapping(map) };
    }
    let mut map = Mapping::default();
    map.set(Value::Text(first.to_owned()), value);
    Some(map)
}

fn text(text: String) -> Node {
    Node { span: 0..0, value: Value::Text(text) }
}

/// A part of a scenario file with its scalars as they are written.
fn as_text(tree: &Tree, id: NodeId) -> Node {
    let value = match tree.kind(id) {
        Kind::Scalar(text) => Value::Text(text.clone()),
        Kind::List(items) => Value::Sequence(items.iter().map(|item| as_text(tree, *item)).collect()),
        Kind::Map(entries) => {
            let mut map = Mapping::default();
            for (key, value) in entries {
                map.set(Value::Text(tree.text(*key).to_owned()), as_text(tree, *value));
            }
            Value::Mapping(map)
        }
    };
    Node { span: 0..0, value }
}

/// How scalars are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Everything is text, and needs quotes only where YAML would see something else than one scalar.
    Scenario,
    /// Text needs quotes where PyYAML would take it for something else.
    Config,
}

fn entry(out: &mut String, style: Style, key: &str, value: &Node, indent: usize) {
    let key = scalar(style, key);
    let flow = flow(style, value);
    let blank = " ".repeat(indent);
    // Writing to a String cannot fail.
    if blank.len() + key.len() + 2 + flow.len() <= COLUMNS && !is_deep(value) {
        let _ = writeln!(out, "{blank}{key}: {flow}");
        return;
    }
    let _ = writeln!(out, "{blank}{key}:");
    block(out, style, value, indent + 2);
}

fn block(out: &mut String, style: Style, node: &Node, indent: usize) {
    let blank = " ".repeat(indent);
    match &node.value {
        Value::Mapping(map) => {
            for (key, value) in map.iter() {
                entry(out, style, key.text().unwrap_or(""), value, indent);
            }
        }
        Value::Sequence(items) => {
            for item in items {
                let flow = flow(style, item);
                if blank.len() + 2 + flow.len() <= COLUMNS {
                    let _ = writeln!(out, "{blank}- {flow}");
                    continue;
                }
                let mut inner = String::new();
                block(&mut inner, style, item, indent + 2);
                // The first line of the item stands beside its dash.
                let rest = inner.get(indent + 2..).unwrap_or("");
                let _ = write!(out, "{blank}- {rest}");
            }
        }
        _ => {
            let _ = writeln!(out, "{blank}{}", flow(style, node));
        }
    }
}

/// Lists of maps are easier to read with one on each line.
fn is_deep(node: &Node) -> bool {
    node.as_sequence().is_some_and(|items| items.iter().any(|item| item.as_mapping().is_some()))
        || node.as_mapping().is_some_and(|map| map.iter().any(|(_, value)| is_deep(value)))
}

/// On one line.
fn flow(style: Style, node: &Node) -> String {
    match &node.value {
        Value::Text(text) => scalar(style, text),
        Value::Sequence(items) => {
            let items: Vec<_> = items.iter().map(|item| flow(style, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|(key, value)| {
                    let key = match &key.value {
                        Value::Text(text) => scalar(style, text),
                        other => yaml(&Node { span: 0..0, value: other.clone() }),
                    };
                    format!("{key}: {}", flow(style, value))
                })
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        _ => yaml(node),
    }
}

fn scalar(style: Style, text: &str) -> String {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_./:+%-".contains(c);
    let first = match style {
        Style::Scenario => |c: char| c.is_ascii_alphanumeric(),
        Style::Config => |c: char| c.is_ascii_alphabetic(),
    };
    // YAML 1.1 sees truth, nothing and numbers in these; a word that begins with a letter is no number.
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let is_word = style == Style::Config && WORDS.contains(&text.to_ascii_lowercase().as_str());
    if text.starts_with(first) && text.chars().all(inner) && !text.ends_with(':') && !is_word {
        text.to_owned()
    } else {
        quoted(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_reads_back_as_itself() {
        let node = Node::from_json(&json!({
            "name": "a b", "duration": "10s", "on": "provider:azure", "x": ["503", "yes", ">= 99.9%"],
            "config": {
                "model_list": [{"model_name": "on", "litellm_params": {"model": "azure/gpt", "rpm": 10, "w": 0.5,
                    "long": "a long text that makes this entry too long for one line of a file that people read"}}],
                "router_settings": {"a": null, "b": true, "c": "12", "d": {"e": "1e3", "f": "~"}},
            },
        }));
        let text = Document(node.clone()).text();
        let source = Source::new("d.yaml", text.as_str());
        let tree = Tree::read(&source).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        let mut again = as_text(&tree, tree.root());
        if let (Value::Mapping(map), Kind::Map(entries)) = (&mut again.value, tree.kind(tree.root())) {
            for (key, value) in entries.iter().filter(|(key, _)| tree.text(*key) == "config") {
                map.set(Value::Text(tree.text(*key).to_owned()), tree.as_litellm(*value));
            }
        }
        assert_eq!(again, node, "{text}");
    }
}
