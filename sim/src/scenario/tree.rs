//! A scenario file as a tree of numbered nodes, each of which knows its place in the file.
//!
//! The YAML reader is the one for LiteLLM configs, and a config is read as PyYAML reads it: `on` is a boolean there and
//! `1:30` is ninety. A scenario means what it says, so scalars are taken by their text here.

use std::ops::Range;

use crate::litellm::{self, Mapping, Node, Value};
use crate::problem::{Problem, Problems};
use crate::source::Source;

/// A node of a [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct NodeId(pub(super) u32);

/// What a node holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A scalar, as text.
    Scalar(String),
    /// A list.
    List(Vec<NodeId>),
    /// A map, in the order of the file.
    Map(Vec<(NodeId, NodeId)>),
}

/// A YAML document.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Numbered>,
}

#[derive(Clone, Debug)]
struct Numbered {
    kind: Kind,
    span: Range<usize>,
    /// What LiteLLM would make of a scalar; null for lists and maps.
    value: Value,
}

impl Tree {
    /// Reads one document.
    ///
    /// # Errors
    /// What is wrong with the YAML itself, and keys that are there twice.
    pub fn read(source: &Source) -> Result<Self, Problems> {
        let document = litellm::parse(source).map_err(|problems| with_hint(source, problems))?;
        let mut problems = Problems::new();
        for duplicate in document.duplicates {
            let (line, _) = source.position(duplicate.lost.start);
            let message = format!("`{}` is in line {line} already", &source.text()[duplicate.kept.clone()]);
            problems.push(Problem::at(source, duplicate.kept, message, "keep one of the two"));
        }
        if document.root.is_null() {
            let remedy = "write at least name, config, duration and traffic";
            problems.push(Problem::of_file(source.name(), "the file is empty", remedy));
        }
        let mut tree = Self { nodes: Vec::new() };
        tree.take(source, document.root.span, document.root.value);
        problems.or(tree)
    }

    /// The document itself.
    pub fn root(&self) -> NodeId {
        // Children are numbered before what holds them.
        NodeId(self.nodes.len().saturating_sub(1) as u32)
    }

    /// What a node holds.
    pub fn kind(&self, id: NodeId) -> &Kind {
        &self.nodes[id.0 as usize].kind
    }

    /// Where a node is, in bytes.
    pub fn span(&self, id: NodeId) -> Range<usize> {
        self.nodes[id.0 as usize].span.clone()
    }

    /// The text of a scalar; empty for what is none.
    pub fn text(&self, id: NodeId) -> &str {
        match self.kind(id) {
            Kind::Scalar(text) => text,
            Kind::List(_) | Kind::Map(_) => "",
        }
    }

    /// The node as LiteLLM would read it, for what becomes part of its config. Without places, for those of a scenario
    /// file mean nothing there.
    pub fn as_litellm(&self, id: NodeId) -> Node {
        let Numbered { kind, value, .. } = &self.nodes[id.0 as usize];
        let value = match kind {
            Kind::Scalar(_) => value.clone(),
            Kind::List(items) => Value::Sequence(items.iter().map(|&item| self.as_litellm(item)).collect()),
            Kind::Map(entries) => {
                let mut mapping = Mapping::default();
                for &(key, value) in entries {
                    mapping.set(self.as_litellm(key).value, self.as_litellm(value));
                }
                Value::Mapping(mapping)
            }
        };
        Node { span: 0..0, value }
    }

    /// What kind of node it is, for people.
    pub fn kind_name(&self, id: NodeId) -> &'static str {
        match self.kind(id) {
            Kind::Scalar(text) if matches!(text.as_str(), "" | "~" | "null") => "nothing",
            Kind::Scalar(_) => "a single value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    fn take(&mut self, source: &Source, span: Range<usize>, value: Value) -> NodeId {
        let (kind, value) = match value {
            Value::Sequence(items) => {
                let items = items.into_iter().map(|item| self.take(source, item.span, item.value));
                (Kind::List(items.collect()), Value::Null)
            }
            Value::Mapping(map) => {
                let entries = map.into_entries().map(|(key, value)| {
                    (self.take(source, key.span, key.value), self.take(source, value.span, value.value))
                });
                (Kind::Map(entries.collect()), Value::Null)
            }
            Value::Text(text) => (Kind::Scalar(text.clone()), Value::Text(text)),
            value => (Kind::Scalar(scalar_text(source, &span, &value)), value),
        };
        // The YAML reader keeps the number of values far below what fits.
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Numbered { kind, span, value });
        id
    }
}

/// A scalar that is no text, as it is written: `1_000`, `on`, `1:30`. An alias shows what its anchor holds.
fn scalar_text(source: &Source, span: &Range<usize>, value: &Value) -> String {
    let written = source.text().get(span.clone()).unwrap_or("").trim();
    match value {
        _ if !written.starts_with('*') => written.to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Time(text) => text.clone(),
        _ => String::new(),
    }
}

/// The one YAML trap that this format invites: `>` begins a block of text.
fn with_hint(source: &Source, problems: Problems) -> Problems {
    let trapped = source.text().lines().position(|line| line.contains(": >="));
    let explains = |problem: &Problem| {
        trapped.zip(problem.at.as_ref()).is_some_and(|(index, at)| (index..=index + 2).contains(&(at.line as usize)))
    };
    let hinted = problems.into_iter().map(|problem| match explains(&problem) {
        true => Problem {
            remedy: "quote conditions: `\">= 99.9%\"`; an unquoted > begins a block of text".into(),
            ..problem
        },
        false => problem,
    });
    hinted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Tree::read(&Source::new("a.yaml", text)).map(|_| ()).expect_err(text).to_string()
    }

    /// Every scalar of the tree.
    fn scalars(text: &str) -> Vec<String> {
        let tree = Tree::read(&Source::new("a.yaml", text)).unwrap_or_else(|problems| panic!("{problems}"));
        let texts = tree.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Scalar(text) => Some(text.clone()),
            Kind::List(_) | Kind::Map(_) => None,
        });
        texts.collect()
    }

    #[test]
    fn scalars_are_their_text_whatever_yaml_makes_of_them() {
        assert_eq!(
            scalars("on: 1_000 # one\nb: [0x10, 1.50, yes, '90', 1:30, 2026]\n")[..8],
            ["on", "1_000", "b", "0x10", "1.50", "yes", "90", "1:30"]
        );
    }

    #[test]
    fn an_alias_stands_for_what_its_anchor_holds() {
        assert_eq!(scalars("a: &x {b: 20}\nc: *x\n"), ["a", "b", "20", "c", "b", "20"]);
        assert_eq!(scalars("a: &x 20\nb: *x\n"), ["a", "20", "b", "20"]);
    }

    #[test]
    fn yaml_that_is_none_is_refused_at_its_line() {
        let twice = refused("a: 1\na: 2\nb: 3\nb: 4\n");
        assert!(twice.contains("`a` is in line 1 already") && twice.contains("`b` is in line 3 already"), "{twice}");
        assert!(refused("a: 1\nb: [1, 2\n").contains("a.yaml:"));
        assert!(refused("").contains("empty"));
        assert!(refused("# nothing\n").contains("empty"));
        assert!(refused("--- 1\n--- 2\n").contains("second YAML document"));
        assert!(refused("a: *nope\n").contains("anchor"));
        assert!(refused("expect:\n  availability: >= 99.9%\n  x: 1\n").contains("quote conditions"));
    }

    #[test]
    fn bombs_are_refused_quickly() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 9].join(", ");
            bomb += &format!("a{level}: &a{level} [{items}]\n");
        }
        assert!(refused(&bomb).contains("expands"));
        for opening in ["[", "- ", "{a: "] {
            assert!(!refused(&opening.repeat(100_000)).is_empty());
        }
    }
}
