//! YAML as LiteLLM reads it: into a tree with places, by PyYAML's rules for scalars, merge keys, duplicates and anchors.
//!
//! The tree is composed from parser events. A deserialiser would resolve scalars by YAML 1.2 and hide merge keys,
//! duplicate keys and the order of keys, all of which matter here: the order is part of a deployment's id.

use std::collections::BTreeMap;
use std::ops::Range;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError};

use super::foreign;
use super::node::{Key, MappingBuilder, Node, Value};
use super::scalar;
use crate::problem::{Problem, Problems};
use crate::source::Source;

/// How deep lists and maps may be nested. LiteLLM's own configurations need ten levels.
const DEPTH_MAX: usize = 100;

/// How many values a document may have, each use of an anchor counted in full. A thousand deployments need some 30,000.
const VALUES_MAX: usize = 200_000;

const YAML_TAGS: &str = "tag:yaml.org,2002:";

/// A YAML document as LiteLLM sees it, and what it silently overlooks.
#[derive(Clone, PartialEq, Debug)]
pub struct Document {
    /// The document; null when the file is empty.
    pub root: Node,
    /// Keys that appear twice in one map. LiteLLM takes the last value without a word.
    pub duplicates: Vec<Duplicate>,
    /// The values whose anchors are used somewhere.
    pub anchors_used: Vec<Range<usize>>,
}

/// A key written twice in one map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Duplicate {
    /// The place that is overlooked.
    pub lost: Range<usize>,
    /// The place that counts.
    pub kept: Range<usize>,
}

/// Reads a YAML document as `yaml.safe_load` reads it.
///
/// # Errors
/// What PyYAML refuses too: bad syntax, an unknown tag or alias, an anchor defined twice, a date that is none, a list
/// as a key, a second document. And a document that is nested, or expands, beyond all reason.
pub fn parse(source: &Source) -> Result<Document, Problems> {
    if let Some((at, c)) = source.text().char_indices().find(|&(_, c)| !is_printable(c)) {
        return Err(Problem::at(
            source,
            at..at + c.len_utf8(),
            format!("the character U+{:04X} is not allowed in YAML", u32::from(c)),
            "remove it; within double quotes it can be written as an escape",
        )
        .into());
    }
    let options = granit_parser::options! {
        emit_anchor_events: true,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    let mut composer = Composer::new(source);
    for event in Parser::new_from_str_with_options(source.text(), options) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                composer.problems.push(syntax(source, &error));
                break;
            }
        };
        let span = span.byte_range().unwrap_or(0..0);
        if let Err(problem) = composer.take(event, span) {
            // Everything after it would be a consequence of it.
            composer.problems.push(problem);
            break;
        }
    }
    let root = composer.root.take().unwrap_or(Node { span: 0..0, value: Value::Null });
    composer.problems.or(Document { root, duplicates: composer.duplicates, anchors_used: composer.anchors_used })
}

/// PyYAML's reader lets only these characters pass.
fn is_printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}'
        | '\u{10000}'..='\u{10ffff}')
}

/// A list or a map that is not finished yet.
struct Open {
    start: usize,
    end: usize,
    anchor: usize,
    tag: Tag,
    items: Vec<Node>,
    /// Of a map: merged pairs and own pairs apart, and the key that waits for its value.
    map: Option<OpenMap>,
}

#[derive(Default)]
struct OpenMap {
    key: Option<PendingKey>,
    merged: Vec<(Key, Node)>,
    own: Vec<(Key, Node)>,
}

enum PendingKey {
    Merge(Range<usize>),
    Plain(Key),
}

/// The tag of a node, as far as it matters.
#[derive(Clone, PartialEq, Debug)]
enum Tag {
    /// None: the text decides.
    None,
    /// `!`.
    Bare,
    /// `!!suffix`.
    Yaml(String),
    /// Anything else.
    Foreign(String),
}

struct Composer<'a> {
    source: &'a Source,
    problems: Problems,
    duplicates: Vec<Duplicate>,
    anchors_used: Vec<Range<usize>>,
    open: Vec<Open>,
    /// Finished anchored nodes, with their number of values and their depth.
    anchored: BTreeMap<usize, (Node, usize, usize)>,
    anchor_names: BTreeMap<String, Range<usize>>,
    values: usize,
    documents: usize,
    root: Option<Node>,
}

impl<'a> Composer<'a> {
    const fn new(source: &'a Source) -> Self {
        Self {
            source,
            problems: Problems::new(),
            duplicates: Vec::new(),
            anchors_used: Vec::new(),
            open: Vec::new(),
            anchored: BTreeMap::new(),
            anchor_names: BTreeMap::new(),
            values: 0,
            documents: 0,
            root: None,
        }
    }

    /// Takes the next event.
    ///
    /// An error ends the reading; lesser problems are collected in `self.problems`.
    fn take(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 && foreign::is_manifests(self.source.text()) {
                    return Err(self.problem(
                        span,
                        "these are Kubernetes manifests and no configuration of LiteLLM",
                        "give the proxy's config.yaml, cut out of its ConfigMap, and this file with `lint --manifest`",
                    ));
                }
                if self.documents > 1 {
                    return Err(self.problem(
                        span,
                        "a second YAML document begins here, and LiteLLM reads only files with one",
                        "put everything below one top level, without `---` lines in between",
                    ));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = Tag::of(tag.as_deref());
                if let Some(map) = self.open.last_mut().and_then(|open| open.map.as_mut())
                    && map.key.is_none()
                    && style == ScalarStyle::Plain
                    && tag == Tag::None
                {
                    if scalar::is_merge_key(&text) {
                        map.key = Some(PendingKey::Merge(span));
                        return Ok(());
                    }
                    if text == "=" {
                        let value = Value::Text(text.into_owned());
                        return self.finish(Node { span, value }, anchor);
                    }
                }
                self.count(1, &span)?;
                let value = self.scalar(&text, style, tag, &span);
                self.finish(Node { span, value }, anchor)?;
            }
            Event::SequenceStart(_, anchor, tag) => self.begin(span, anchor, tag.as_deref(), None)?,
            Event::MappingStart(_, anchor, tag) => {
                self.begin(span, anchor, tag.as_deref(), Some(OpenMap::default()))?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&span)?,
            Event::Anchor(_, name) => {
                if let Some(first) = self.anchor_names.insert(name.into_owned(), span.clone()) {
                    let (line, _) = self.source.position(first.start);
                    self.problems.push(self.problem(
                        span,
                        format!(
                            "this anchor is already defined in line {line}, and LiteLLM's YAML reader refuses that"
                        ),
                        "give each anchor its own name",
                    ));
                }
            }
            Event::Alias(anchor) => {
                let Some((node, values, depth)) = self.anchored.get(&anchor) else {
                    return Err(self.problem(span, "this alias stands within its own anchor", "write the value out"));
                };
                let (values, depth) = (*values, *depth);
                self.anchors_used.push(node.span.clone());
                if self.open.len() + depth > DEPTH_MAX {
                    return Err(self.too_deep(span));
                }
                let node = Node { span: span.clone(), value: node.value.clone() };
                self.count(values, &span)?;
                self.finish(node, 0)?;
            }
            // Stream and document ends carry nothing, and comments are not values.
            _ => {}
        }
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Tag, span: &Range<usize>) -> Value {
        let value = match tag {
            Tag::None if style == ScalarStyle::Plain => scalar::plain(text),
            Tag::None => Ok(Value::Text(text.to_owned())),
            // To PyYAML a lone `!` says that the text decides, even when it is quoted.
            Tag::Bare => scalar::plain(text),
            Tag::Yaml(suffix) => scalar::tagged(&suffix, text),
            Tag::Foreign(tag) => Err(format!("LiteLLM's YAML reader knows no tag {tag}")),
        };
        value.unwrap_or_else(|message| {
            self.problems.push(self.problem(span.clone(), message, "quote the text if text is meant"));
            Value::Null
        })
    }

    fn begin(
        &mut self,
        span: Range<usize>,
        anchor: usize,
        tag: Option<&granit_parser::Tag>,
        map: Option<OpenMap>,
    ) -> Result<(), Problem> {
        self.count(1, &span)?;
        if self.open.len() >= DEPTH_MAX {
            return Err(self.too_deep(span));
        }
        self.open.push(Open { start: span.start, end: span.end, anchor, tag: Tag::of(tag), items: Vec::new(), map });
        Ok(())
    }

    fn end(&mut self, span: &Range<usize>) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        // A block ends where its last child ends; only a closing bracket lies further on.
        let closed = self.source.text()[..span.end].ends_with([']', '}']);
        let end = if closed { span.end } else { open.end };
        let whole = open.start..end.max(open.start);
        let value = match open.map {
            None => match open.tag {
                Tag::None | Tag::Bare => Value::Sequence(open.items),
                Tag::Yaml(suffix) if suffix == "seq" => Value::Sequence(open.items),
                Tag::Yaml(suffix) if suffix == "omap" || suffix == "pairs" => Value::Other("a list of pairs"),
                tag => self.wrong_tag(&tag, "list", &whole),
            },
            Some(map) => match open.tag {
                Tag::None | Tag::Bare => self.mapping(map),
                Tag::Yaml(suffix) if suffix == "map" => self.mapping(map),
                Tag::Yaml(suffix) if suffix == "set" => Value::Other("a set"),
                tag => self.wrong_tag(&tag, "map", &whole),
            },
        };
        self.finish(Node { span: whole, value }, open.anchor)
    }

    /// Merged pairs come first and own pairs override them in place, as PyYAML flattens a map.
    fn mapping(&mut self, map: OpenMap) -> Value {
        let (mut all, mut own) = (MappingBuilder::default(), MappingBuilder::default());
        for (key, value) in map.merged {
            all.insert(key, value);
        }
        for (key, value) in map.own {
            let kept = key.span.clone();
            if let Some(lost) = own.insert(key.clone(), Node { span: 0..0, value: Value::Null }) {
                self.duplicates.push(Duplicate { lost, kept });
            }
            all.insert(key, value);
        }
        Value::Mapping(all.finish())
    }

    fn wrong_tag(&mut self, tag: &Tag, of: &str, span: &Range<usize>) -> Value {
        let tag = match tag {
            Tag::Yaml(suffix) => format!("!!{suffix}"),
            Tag::Foreign(tag) => tag.clone(),
            Tag::None | Tag::Bare => "!".to_owned(),
        };
        let problem =
            self.problem(span.clone(), format!("LiteLLM's YAML reader cannot make {tag} of a {of}"), "remove the tag");
        self.problems.push(problem);
        Value::Null
    }

    /// A node is complete: remember it under its anchor and give it to what contains it.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        if anchor > 0 {
            let (values, depth) = measure(&node);
            self.anchored.insert(anchor, (node.clone(), values, depth));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.end = open.end.max(node.span.end);
        let Some(map) = &mut open.map else {
            open.items.push(node);
            return Ok(());
        };
        match map.key.take() {
            None if matches!(node.value, Value::Sequence(_) | Value::Mapping(_) | Value::Other(_)) => {
                let remedy = match self.source.text()[..node.span.start].ends_with('{') {
                    true => "`{{ ... }}` is for a template engine: render the file first",
                    false => "quote the text if text is meant",
                };
                return Err(self.problem(node.span, "a list or a map cannot be a key", remedy));
            }
            None if node.is_null() && node.span.is_empty() && is_bare_colon(self.source.text(), node.span.start) => {
                return Err(self.problem(node.span, "not YAML: nothing stands before this colon", "write the key"));
            }
            None => map.key = Some(PendingKey::Plain(Key { span: node.span, value: node.value })),
            Some(PendingKey::Plain(key)) => map.own.push((key, node)),
            Some(PendingKey::Merge(span)) => {
                let sources = match node.value {
                    Value::Mapping(source) => vec![source],
                    // Of several sources the first one counts most, so it is laid over the others.
                    Value::Sequence(items) => {
                        let sources: Option<Vec<_>> = items
                            .into_iter()
                            .rev()
                            .map(|item| if let Value::Mapping(source) = item.value { Some(source) } else { None })
                            .collect();
                        match sources {
                            Some(sources) => sources,
                            None => return Err(self.bad_merge(span)),
                        }
                    }
                    _ => return Err(self.bad_merge(span)),
                };
                for source in sources {
                    map.merged.extend(source.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, values: usize, span: &Range<usize>) -> Result<(), Problem> {
        self.values = self.values.saturating_add(values);
        if self.values <= VALUES_MAX {
            return Ok(());
        }
        Err(self.problem(
            span.clone(),
            format!("the document expands to more than {VALUES_MAX} values"),
            "no proxy needs so many; anchors within anchors multiply",
        ))
    }

    fn too_deep(&self, span: Range<usize>) -> Problem {
        self.problem(span, format!("nested more than {DEPTH_MAX} levels deep"), "no LiteLLM setting needs that many")
    }

    fn bad_merge(&self, span: Range<usize>) -> Problem {
        self.problem(span, "only a map or a list of maps can be merged", "write `<<: *anchor_of_a_map`")
    }

    fn problem(&self, span: Range<usize>, message: impl Into<String>, remedy: &str) -> Problem {
        Problem::at(self.source, span, message, remedy)
    }
}

impl Tag {
    fn of(tag: Option<&granit_parser::Tag>) -> Self {
        let Some(tag) = tag else { return Self::None };
        if let Some(suffix) = tag.suffix_in_namespace(YAML_TAGS) {
            return Self::Yaml(suffix.into_owned());
        }
        match format!("{}{}", tag.handle(), tag.suffix()) {
            tag if tag == "!" => Self::Bare,
            tag => Self::Foreign(tag),
        }
    }
}

/// Whether an empty key stands there only because a colon does: PyYAML wants a `?` before it.
fn is_bare_colon(text: &str, at: usize) -> bool {
    text[at..].starts_with(':') && !text[..at].trim_end().ends_with('?')
}

/// How many values a tree has, and how many levels.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<_> = match &node.value {
        Value::Sequence(items) => items.iter().map(measure).collect(),
        Value::Mapping(mapping) => mapping.iter().map(|(_, value)| measure(value)).collect(),
        _ => return (1, 0),
    };
    let values = children.iter().map(|(values, _)| values).sum::<usize>();
    let depth = children.iter().map(|(_, depth)| depth).max().copied().unwrap_or(0);
    (values + 1, depth + 1)
}

/// A syntax error, with what usually helps.
fn syntax(source: &Source, error: &ScanError) -> Problem {
    let (line, column) = (error.marker().line(), error.marker().col() + 1);
    if let Some(tab) = tab_in_indentation(source, line) {
        return Problem::at(source, tab..tab + 1, "not YAML: a tab in the indentation", "indent with spaces");
    }
    let byte = error.marker().byte_offset().unwrap_or_else(|| source.byte_at(line, column));
    // What is noticed at the end of the file went wrong before it: the last letter is a better place to look than an
    // empty line.
    let last = source.text().trim_end().char_indices().last().map_or(0, |(at, _)| at);
    let byte = byte.min(last);
    let written = source.text()[source.byte_at(line, 1)..].lines().next().unwrap_or_default();
    let remedy = match error.kind() {
        _ if ["{{", "{%"].iter().any(|braces| written.contains(braces)) => {
            "`{{ ... }}` is for a template engine: render the file first, for instance with `helm template`"
        }
        _ if assignment(written).is_some() => {
            let name = assignment(written).unwrap_or_default();
            return Problem::at(
                source,
                byte..byte + source.text()[byte..].chars().next().map_or(0, char::len_utf8),
                format!("not YAML: {}", error.info()),
                format!("write `{name}: ...`: YAML has a colon where Python has ="),
            );
        }
        ErrorKind::UnknownAnchor => {
            "define the anchor with `&name` further up; a text that begins with * must be quoted: \"*\""
        }
        ErrorKind::UnexpectedCharacter { .. } => "quote the text: \"...\"",
        _ => "check the indentation, colons and quotes of this line and of the one before it",
    };
    let end = source.text()[byte..].chars().next().map_or(byte, |c| byte + c.len_utf8());
    Problem::at(source, byte..end, format!("not YAML: {}", error.info()), remedy)
}

/// The name that a line gives a list or a map in the way of Python: `fallbacks=[...]`.
fn assignment(line: &str) -> Option<&str> {
    let (name, value) = line.trim_start().split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && value.starts_with(['[', '{'])).then_some(name)
}

/// A tab before the first letter of the line of an error, or of the line after it: a parser that took the tab for a
/// blank stumbles somewhere else.
fn tab_in_indentation(source: &Source, line: usize) -> Option<usize> {
    (line..=line + 1).find_map(|line| {
        let start = source.byte_at(line, 1);
        let text = source.text()[start..].lines().next().unwrap_or("");
        let indentation = &text[..text.len() - text.trim_start().len()];
        (indentation.len() < text.len()).then(|| indentation.find('\t')).flatten().map(|at| start + at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Document, Problems> {
        parse(&Source::new("config.yaml", text))
    }

    fn root(text: &str) -> Value {
        read(text).expect(text).root.value
    }

    #[test]
    fn values_know_their_places() {
        let text = "a:\n  b: [1, \"two\"]\n";
        let document = read(text).expect("a document");
        let list = document.root.get("a").and_then(|a| a.get("b")).expect("a list");
        assert_eq!(&text[list.span.clone()], "[1, \"two\"]");
        let items = list.as_sequence().expect("items");
        assert_eq!(&text[items[1].span.clone()], "\"two\"");
        assert_eq!(items[1].as_text(), Some("two"));
    }

    #[test]
    fn merge_keys_come_first_in_order_and_own_keys_win() {
        let document = read("base: &b {x: 1, y: 2}\nuse:\n  y: 3\n  <<: *b\n  z: 4\n").expect("a document");
        let used = document.root.get("use").and_then(Node::as_mapping).expect("a map");
        let shown: Vec<_> = used.iter().map(|(key, value)| (key.text().unwrap_or(""), value.value.clone())).collect();
        assert_eq!(shown, [("x", Value::Int(1)), ("y", Value::Int(3)), ("z", Value::Int(4))]);
        assert!(document.duplicates.is_empty());
    }

    #[test]
    fn of_a_duplicate_key_the_last_value_counts_and_the_first_is_reported() {
        let text = "a: 1\nb: 2\na: 3\n";
        let document = read(text).expect("a document");
        assert_eq!(document.root.get("a").map(|a| a.value.clone()), Some(Value::Int(3)));
        assert_eq!(document.duplicates, [Duplicate { lost: 0..1, kept: 10..11 }]);
    }

    #[test]
    fn an_empty_file_is_null() {
        assert_eq!(root(""), Value::Null);
        assert_eq!(root("# nothing\n"), Value::Null);
    }

    #[test]
    fn what_pyyaml_refuses_is_a_problem_with_its_line() {
        for (text, line, message) in [
            ("a: [1, 2\n", 1, "not YAML"),
            ("a: 1\n\tb: 2\n", 2, "not YAML"),
            ("a: *\n", 1, "not YAML"),
            ("a: *nobody\n", 1, "not YAML"),
            ("a: @x\n", 1, "not YAML"),
            ("a: !secret x\n", 1, "knows no tag"),
            ("a: !!python/object:os.system x\n", 1, "has no meaning"),
            ("a: 1\nb: 2024-02-30\n", 2, "looks like a date"),
            ("? [1, 2]\n: 3\n", 1, "cannot be a key"),
            ("a: 1\n---\nb: 2\n", 2, "a second YAML document"),
            ("a: &x 1\nb: &x 2\n", 2, "already defined in line 1"),
            ("a: &x [*x]\n", 1, "within its own anchor"),
            ("a: {<<: 3}\n", 1, "only a map or a list of maps"),
            ("a: b\u{7}\n", 1, "U+0007"),
            ("a: =\n", 1, "cannot stand here"),
            ("a: 1\nfallbacks=[{a: [b]}]\n", 2, "not YAML"),
        ] {
            let problems = read(text).expect_err(text);
            let problem = problems.iter().next().expect("a problem");
            assert!(problem.message.contains(message), "{text:?}: {}", problem.message);
            assert_eq!(problem.at.as_ref().map(|at| at.line), Some(line), "{text:?}");
            assert!(!problem.remedy.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_document_that_explodes_or_never_ends_inwards_is_refused_at_once() {
        let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (from, to) in ["a", "b", "c", "d", "e", "f", "g"].iter().zip(["b", "c", "d", "e", "f", "g", "h"]) {
            laughs += &format!("{to}: &{to} [{}]\n", vec![format!("*{from}"); 10].join(", "));
        }
        assert!(read(&laughs).expect_err("too many").to_string().contains("expands to more than"));
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read(&"- ".repeat(100_000)).is_err());
        let mut ladder = String::new();
        for level in 1..200 {
            let inner = if level == 1 { "x".to_owned() } else { format!("*a{}", level - 1) };
            ladder += &format!("k{level}: &a{level} [{inner}]\n");
        }
        assert!(read(&ladder).expect_err("too deep").to_string().contains("levels deep"));
    }
}
