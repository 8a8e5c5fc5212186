//! Changes to the text of a config that leave everything else in it as it is, comments too.

use std::ops::Range;

use super::node::{Key, Mapping, Node, Value};
use super::yaml;
use crate::source::Source;

/// A value as it stands in a config, on one line.
pub fn written(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => float(*value),
        Value::Text(text) | Value::Time(text) => text_value(text),
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().map(|item| written(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(map) => {
            let pair = |(key, value): (&Key, &Node)| format!("{}: {}", written(&key.value), written(&value.value));
            format!("{{{}}}", map.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        Value::Other(_) => "null".to_owned(),
    }
}

/// PyYAML takes `1e-6` for text: an exponent needs a point before it and a sign.
fn float(value: f64) -> String {
    let plain = value.to_string();
    if plain.contains('.') { plain } else { format!("{plain}.0") }
}

/// Without quotes where nobody could take it for anything else.
fn text_value(text: &str) -> String {
    let simple = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
    let plain = Source::new("", text);
    let reads_back = simple && yaml::parse(&plain).is_ok_and(|read| read.root.as_text() == Some(text));
    if reads_back { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// The text of a config with other values at some paths: keys and positions in lists, from 0. Only the values change;
/// keys that are missing, or come out of a merged map, are added behind the last one of their section. `None`: the text is
/// written in a way in which this cannot be done without touching more, such as a map that several places share.
pub fn edited(source: &Source, changes: &[(Vec<String>, Value)]) -> Option<String> {
    let mut text = source.text().to_owned();
    for (path, value) in changes {
        text = changed(&Source::new(source.name(), text), path, value)?;
    }
    // Judged by what is read from it: whatever the text looked like, it says what it should and nothing else changed.
    let mut wanted = yaml::parse(source).ok()?.root;
    for (path, value) in changes {
        *place(&mut wanted, path)? = Node { span: 0..0, value: value.clone() };
    }
    let read = yaml::parse(&Source::new(source.name(), text.as_str())).ok()?.root;
    same(&read, &wanted).then_some(text)
}

/// The text of a config with one item more at the end of the list at a path; where no list is, one is begun. `None` as in
/// [`edited`].
pub fn with_item(source: &Source, path: &[String], item: &Value) -> Option<String> {
    let mut wanted = yaml::parse(source).ok()?.root;
    let list = place(&mut wanted, path)?;
    let text = match &mut list.value {
        Value::Sequence(items) if !items.is_empty() => {
            let text = longer(source, list.span.clone(), items, item)?;
            items.push(Node { span: 0..0, value: item.clone() });
            text
        }
        // Nothing, or an empty list, is written anew.
        Value::Sequence(_) | Value::Null => {
            let list = Value::Sequence(vec![Node { span: 0..0, value: item.clone() }]);
            return edited(source, &[(path.to_vec(), list)]);
        }
        _ => return None,
    };
    let read = yaml::parse(&Source::new(source.name(), text.as_str())).ok()?.root;
    same(&read, &wanted).then_some(text)
}

/// The text with an item behind the last one of a list that has some.
fn longer(source: &Source, list: Range<usize>, items: &[Node], item: &Value) -> Option<String> {
    let mut text = source.text().to_owned();
    let last = last_byte(&text, items.last()?);
    if text[list.clone()].starts_with('[') {
        text.insert_str(last, &format!(", {}", written(item)));
        return Some(text);
    }
    // `- first`, with the dash in the line of what it leads.
    let (dash, _) = text[..items.first()?.span.start].char_indices().rev().find(|(_, c)| !c.is_whitespace())?;
    let (_, column) = source.position(text[dash..].starts_with('-').then_some(dash)?);
    let indent = column as usize - 1;
    let at = line_end(&text, last);
    let lead = if at == 0 || text[..at].ends_with('\n') { "" } else { "\n" };
    let trail = if lead.is_empty() { "\n" } else { "" };
    text.insert_str(at, &format!("{lead}{:indent$}- {}{trail}", "", block(item, indent + 2)));
    Some(text)
}

/// The byte behind the last value of a node, without the blank lines and comments that follow it.
fn last_byte(text: &str, node: &Node) -> usize {
    // What an alias stands for is written elsewhere.
    let within = |at: &Range<usize>| !at.is_empty() && node.span.contains(&at.start);
    let in_brackets = text[node.span.clone()].starts_with(['[', '{']);
    let last = match &node.value {
        _ if in_brackets => None,
        Value::Sequence(items) => {
            items.iter().filter(|item| within(&item.span)).map(|item| last_byte(text, item)).max()
        }
        Value::Mapping(map) => (map.iter())
            .filter(|(key, _)| within(&key.span))
            .map(|(key, value)| if within(&value.span) { last_byte(text, value) } else { key.span.end })
            .max(),
        _ => None,
    };
    last.unwrap_or(node.span.end)
}

/// A value over several lines: keys below each other, what is in them in one line unless it is a map.
fn block(value: &Value, indent: usize) -> String {
    let Value::Mapping(map) = value else { return written(value) };
    let pair = |(key, value): (&Key, &Node)| match &value.value {
        Value::Mapping(inner) if !inner.is_empty() => {
            let deeper = indent + 2;
            format!("{}:\n{:deeper$}{}", written(&key.value), "", block(&value.value, deeper))
        }
        value => format!("{}: {}", written(&key.value), written(value)),
    };
    map.iter().map(pair).collect::<Vec<_>>().join(&format!("\n{:indent$}", ""))
}

/// The place at a path; missing maps and keys are made.
fn place<'a>(root: &'a mut Node, path: &[String]) -> Option<&'a mut Node> {
    path.iter().try_fold(root, |node, segment| {
        if node.is_null() {
            node.value = Value::Mapping(Mapping::default());
        }
        match &mut node.value {
            Value::Mapping(map) => Some(map.get_or_insert(segment)),
            Value::Sequence(items) => items.get_mut(segment.parse::<usize>().ok()?),
            _ => None,
        }
    })
}

/// Whether two trees say the same, wherever it is written.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Sequence(a), Value::Sequence(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Mapping(a), Value::Mapping(b)) => {
            let pair = |((key, value), (other, other_value)): ((&Key, &Node), (&Key, &Node))| {
                key.value == other.value && same(value, other_value)
            };
            a.len() == b.len() && a.iter().zip(b.iter()).all(pair)
        }
        (a, b) => a == b,
    }
}

/// The text with one other value.
fn changed(source: &Source, path: &[String], value: &Value) -> Option<String> {
    let document = yaml::parse(source).ok()?;
    let mut node = &document.root;
    let mut above: Option<&Key> = None;
    for (depth, segment) in path.iter().enumerate() {
        let next = match &node.value {
            // What a merged map brings is written elsewhere, for others too: a key of its own comes before it.
            Value::Mapping(map) => (map.entry(segment))
                .filter(|(key, _)| node.span.is_empty() || node.span.contains(&key.span.start))
                .map(|(key, value)| (Some(key), value)),
            Value::Sequence(items) => items.get(segment.parse::<usize>().ok()?).map(|item| (None, item)),
            Value::Null => None,
            _ => return None,
        };
        match next {
            Some((key, value)) => (above, node) = (key, value),
            None => return insert(source, node, above, &path[depth..], value),
        }
    }
    let mut edits = Vec::new();
    replace(source, node, above, value, &mut edits)?;
    edits.sort_by_key(|(at, _): &(Range<usize>, String)| std::cmp::Reverse(at.start));
    let mut text = source.text().to_owned();
    for (at, new) in edits {
        text.replace_range(at, &new);
    }
    Some(text)
}

/// What to write where, so that a value becomes another. Lists of equal length are changed item by item, so that the
/// comments between them stay.
fn replace(
    source: &Source,
    old: &Node,
    above: Option<&Key>,
    new: &Value,
    edits: &mut Vec<(Range<usize>, String)>,
) -> Option<()> {
    if let (Value::Sequence(items), Value::Sequence(others)) = (&old.value, new)
        && items.len() == others.len()
    {
        for (item, other) in items.iter().zip(others) {
            replace(source, item, None, &other.value, edits)?;
        }
        return Some(());
    }
    if old.value == *new {
        return Some(());
    }
    if old.span.is_empty() {
        // `key:` with nothing behind it.
        let colon = colon_after(source, above?)?;
        edits.push((colon..colon, format!(" {}", written(new))));
    } else {
        edits.push((old.span.clone(), written(new)));
    }
    Some(())
}

/// The byte behind the colon of a key.
fn colon_after(source: &Source, key: &Key) -> Option<usize> {
    let rest = source.text().get(key.span.end..)?;
    let blank = rest.len() - rest.trim_start_matches([' ', '"', '\'']).len();
    rest[blank..].starts_with(':').then_some(key.span.end + blank + 1)
}

/// The text with a key more, below a section that lacks it.
fn insert(source: &Source, section: &Node, above: Option<&Key>, missing: &[String], value: &Value) -> Option<String> {
    let (key, below) = missing.split_first()?;
    let line = |indent: usize, text: String| {
        let mut lines = format!("{}{}:", " ".repeat(indent), text_value(key));
        for (depth, key) in below.iter().enumerate() {
            lines.push_str(&format!("\n{}{}:", " ".repeat(indent + 2 * (depth + 1)), text_value(key)));
        }
        lines + " " + &text
    };
    let text = source.text();
    let (at, new) = match &section.value {
        Value::Mapping(map) if !section.span.is_empty() && text[section.span.clone()].starts_with('{') => {
            let close = section.span.end - 1;
            let last = text[..close].trim_end().len();
            let comma = if map.is_empty() { "" } else { ", " };
            let flow =
                below.iter().rev().fold(written(value), |inner, key| format!("{{{}: {inner}}}", text_value(key)));
            (last, format!("{comma}{}: {flow}", text_value(key)))
        }
        Value::Mapping(map) => {
            let own: Vec<_> = map.iter().filter(|(key, _)| section.span.contains(&key.span.start)).collect();
            let (_, column) = source.position(own.iter().map(|(key, _)| key.span.start).min()?);
            let last = own.iter().map(|(key, value)| value.span.end.max(key.span.end)).max()?;
            let at = line_end(text, last);
            let lead = if text[..at].ends_with('\n') || at == 0 { "" } else { "\n" };
            let trail = if lead.is_empty() { "\n" } else { "" };
            (at, format!("{lead}{}{trail}", line(column as usize - 1, written(value))))
        }
        // A section without anything below it.
        Value::Null => {
            let key = above?;
            let (_, column) = source.position(key.span.start);
            (line_end(text, key.span.end), format!("\n{}", line(column as usize + 1, written(value))))
        }
        _ => return None,
    };
    let mut text = text.to_owned();
    text.insert_str(at, &new);
    Some(text)
}

/// The end of the line of a byte; the byte itself when it begins a line, as the end of a block of text does.
fn line_end(text: &str, byte: usize) -> usize {
    if byte > 0 && text[..byte].ends_with('\n') {
        return byte;
    }
    text[byte..].find('\n').map_or(text.len(), |at| byte + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
# Ours.
model_list:
  - model_name: gpt-4 # the name
    litellm_params:
      model: azure/gpt-4 # here
      # about the key
      api_key: os.environ/KEY
  - {model_name: claude, litellm_params: {model: anthropic/claude}}
router_settings:
  num_retries: 2 # twice
  fallbacks:
    - gpt-4:
      - claude # first
      - other  # then
litellm_settings:
general_settings: {}
# The end.
";

    fn edit(path: &str, value: serde_json::Value) -> String {
        let path = path.split('.').map(str::to_owned).collect();
        edited(&Source::new("c", CONFIG), &[(path, Node::from_json(&value).value)]).expect("this config can be changed")
    }

    fn lines(text: &str) -> Vec<&str> {
        text.lines().filter(|line| !CONFIG.lines().any(|old| old == *line)).collect()
    }

    #[test]
    fn values_change_and_comments_stay() {
        let text = edit("router_settings.num_retries", 4.into());
        assert_eq!(lines(&text), ["  num_retries: 4 # twice"]);
        let text = edit("router_settings.fallbacks.0.gpt-4", serde_json::json!(["other", "claude"]));
        assert_eq!(lines(&text), ["      - other # first", "      - claude  # then"]);
    }

    #[test]
    fn missing_keys_come_behind_the_last_of_their_section() {
        let text = edit("router_settings.cooldown_time", 30.into());
        assert!(text.contains("      - other  # then\n  cooldown_time: 30\nlitellm_settings:\n"), "{text}");
        let text = edit("model_list.0.litellm_params.rpm", 9.into());
        assert!(text.contains("      api_key: os.environ/KEY\n      rpm: 9\n  - {"), "{text}");
        let text = edit("model_list.1.litellm_params.rpm", 9.into());
        assert!(text.contains("{model: anthropic/claude, rpm: 9}}"), "{text}");
        let text = edit("router_settings.allowed_fails_policy.TimeoutErrorAllowedFails", 9.into());
        assert!(text.contains("  allowed_fails_policy:\n    TimeoutErrorAllowedFails: 9\n"), "{text}");
    }

    #[test]
    fn empty_and_missing_sections_are_filled() {
        let text = edit("litellm_settings.num_retries", 1.into());
        assert!(text.contains("litellm_settings:\n  num_retries: 1\n"), "{text}");
        let text = edit("general_settings.x", 1.into());
        assert!(text.contains("general_settings: {x: 1}\n"), "{text}");
        let text = edit("new_settings.x", "a b".into());
        assert!(text.contains("new_settings:\n  x: \"a b\""), "{text}");
    }

    fn with(text: &str, path: &str, item: serde_json::Value) -> Option<String> {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        with_item(&Source::new("c", text), &path, &Node::from_json(&item).value)
    }

    #[test]
    fn an_item_comes_behind_the_last_one_of_its_list() {
        let entry =
            serde_json::json!({"model_name": "new", "litellm_params": {"model": "openai/gpt-4o", "tags": ["a"]}});
        let text = with(CONFIG, "model_list", entry).unwrap();
        let wanted = "  - {model_name: claude, litellm_params: {model: anthropic/claude}}\n  - model_name: new\n    \
                      litellm_params:\n      model: openai/gpt-4o\n      tags: [a]\nrouter_settings:\n";
        assert!(text.contains(wanted), "{text}");
        let text = with(CONFIG, "router_settings.fallbacks", serde_json::json!({"claude": ["gpt-4"]})).unwrap();
        assert!(text.contains("      - other  # then\n    - claude: [gpt-4]\nlitellm_settings:"), "{text}");
        let text = with(CONFIG, "router_settings.fallbacks.0.gpt-4", "third".into()).unwrap();
        assert!(text.contains("      - other  # then\n      - third\n"), "{text}");
        let text = with("a: [x, {b: 1}] # why\n", "a", "y".into()).unwrap();
        assert_eq!(text, "a: [x, {b: 1}, y] # why\n");
        // Comments and blank lines below a list are not part of it, and a file may end without an end of line.
        assert_eq!(with("a:\n- x\n\n# b\nb: 1\n", "a", "y".into()).unwrap(), "a:\n- x\n- y\n\n# b\nb: 1\n");
        assert_eq!(with("a:\n- x", "a", "y".into()).unwrap(), "a:\n- x\n- y");
        assert_eq!(with("a:\n- {b:\n   1\n  }\n", "a", "y".into()).unwrap(), "a:\n- {b:\n   1\n  }\n- y\n");
    }

    #[test]
    fn a_list_that_is_missing_or_empty_is_begun() {
        assert_eq!(with("a: []\n", "a", "y".into()).unwrap(), "a: [y]\n");
        assert_eq!(with("a:\n  b: 1\n", "a.c", "y".into()).unwrap(), "a:\n  b: 1\n  c: [y]\n");
        assert!(
            with(CONFIG, "general.fallbacks", serde_json::json!({"a": ["b"]}))
                .unwrap()
                .contains("  fallbacks: [{a: [b]}]\n")
        );
    }

    #[test]
    fn a_list_that_others_share_is_not_touched() {
        assert_eq!(with("a: &a\n  - x\nb: *a\n", "b", "y".into()), None);
        assert_eq!(with("a: 1\n", "a", "y".into()), None);
    }

    #[test]
    fn a_value_that_others_share_is_not_touched() {
        let edit =
            |text: &str| edited(&Source::new("c", text), &[(vec!["b".to_owned(), "x".to_owned()], Value::Int(2))]);
        let merged = edit("a: &a\n  x: 1\nb:\n  <<: *a\n  y: 1 # why\nc: {<<: *a}\n");
        assert_eq!(merged.unwrap(), "a: &a\n  x: 1\nb:\n  <<: *a\n  y: 1 # why\n  x: 2\nc: {<<: *a}\n");
        assert_eq!(edit("a: &a {x: 1}\nb: {<<: *a}\n").unwrap(), "a: &a {x: 1}\nb: {<<: *a, x: 2}\n");
        assert_eq!(edit("a: &a\n  x: 1\nb: *a\n"), None);
    }

    #[test]
    fn values_read_back_as_they_were() {
        for value in ["no", "1e-6", "12:30:45", "os.environ/KEY", "a: b", "#", "", "2024-01-01", "gpt-4.1", "~"] {
            let text = written(&Value::Text(value.to_owned()));
            let read = yaml::parse(&Source::new("", format!("[{text}]"))).unwrap();
            assert_eq!(read.root.as_sequence().unwrap()[0].as_text(), Some(value), "{text}");
        }
        for value in [1e-7, 0.5, 3.0, 1e22] {
            let read = yaml::parse(&Source::new("", written(&Value::Float(value)))).unwrap();
            assert_eq!(read.root.value, Value::Float(value));
        }
    }
}
