//! The fields that LiteLLM declares with a type: pydantic converts what it can, and rejects the deployment otherwise.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use router_core::Release;

use super::known::Section as Known;
use super::node::{Node, Value};
use super::reference::REFERENCE;
use super::section::{Rejected, Section};

/// Looks at every declared field of a map.
///
/// # Errors
/// The first value that pydantic does not accept: one is enough to lose the deployment.
pub(super) fn check(section: &Section<'_>, known: Known, release: Release) -> Result<(), Rejected> {
    for (key, node) in section.map.iter() {
        let Some(name) = key.text() else { continue };
        let kind = kind_of(known, name, release);
        // A list of organizations is split into one deployment of each before anything looks at types.
        let split = name == "organization" && accepts("list[str]", node);
        if let Some(kind) = kind
            && !accepts(kind, node)
            && !split
        {
            return Err(Rejected {
                span: node.span.clone(),
                path: section.path_of(name),
                message: format!("{name} is {} where LiteLLM needs {}", node.value.kind(), wanted(kind)),
                remedy: match node.value {
                    Value::Time(_) | Value::Int(_) | Value::Float(_) if kind == "str" => "quote it".to_owned(),
                    _ => format!("write {}", wanted(kind)),
                },
            });
        }
    }
    Ok(())
}

/// The type that a release declares a field with, in pydantic's words.
pub(super) fn kind_of(known: Known, name: &str, release: Release) -> Option<&'static str> {
    let declared = table().get(&(known, name))?;
    declared.iter().find(|(only, _)| only.is_none_or(|only| only == release)).map(|(_, kind)| *kind)
}

/// A number out of text, as pydantic's `float` takes it.
pub(super) fn float(text: &str) -> Option<f64> {
    let text = text.trim();
    // The standard library takes the same spellings, but for Python's underscores between digits.
    let plain = text.replace('_', "");
    let underscores = text.split('_').all(|part| !part.is_empty());
    plain.parse().ok().filter(|_| underscores)
}

/// A whole number out of text, as pydantic's `int` takes it: digits, and a fraction of nothing but zeros.
pub(super) fn int(text: &str) -> Option<i64> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    let clean = digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let zeros = !fraction.is_empty() && fraction.bytes().all(|b| b == b'0');
    (clean && zeros).then(|| whole.replace('_', "").parse().ok()).flatten()
}

/// A boolean out of a value, as pydantic's `bool` takes it.
pub(super) fn bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Float(value) if *value == 0.0 => Some(false),
        Value::Float(value) if *value == 1.0 => Some(true),
        Value::Text(text) => match text.to_ascii_lowercase().as_str() {
            "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
            "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn accepts(kind: &str, node: &Node) -> bool {
    let value = &node.value;
    match value {
        Value::Null => return true,
        // What the environment holds is not known here; it is likely to be what was meant.
        Value::Text(text) if text.starts_with(REFERENCE) => return true,
        _ => {}
    }
    match kind {
        "str" => matches!(value, Value::Text(_)),
        "int" => match value {
            Value::Int(_) | Value::Bool(_) => true,
            Value::Float(value) => value.fract() == 0.0 && value.is_finite(),
            Value::Text(text) => int(text).is_some(),
            _ => false,
        },
        "float" => match value {
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => true,
            Value::Text(text) => float(text).is_some(),
            _ => false,
        },
        "float|str" => matches!(value, Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Text(_)),
        "bool" => bool(value).is_some(),
        "list" => matches!(value, Value::Sequence(_)),
        "list[str]" => node.as_sequence().is_some_and(|items| items.iter().all(|item| item.as_text().is_some())),
        "dict" => matches!(value, Value::Mapping(_)),
        "str|dict" => matches!(value, Value::Text(_) | Value::Mapping(_)),
        "free|paid" => matches!(value, Value::Text(text) if text == "free" || text == "paid"),
        _ => true,
    }
}

fn wanted(kind: &str) -> &'static str {
    match kind {
        "str" => "text",
        "int" => "a whole number",
        "float" | "float|str" => "a number",
        "bool" => "a boolean",
        "list" => "a list",
        "list[str]" => "a list of texts",
        "dict" => "a map",
        "str|dict" => "text or a map",
        _ => "`free` or `paid`",
    }
}

type Declared = Vec<(Option<Release>, &'static str)>;

fn table() -> &'static BTreeMap<(Known, &'static str), Declared> {
    static TABLE: OnceLock<BTreeMap<(Known, &'static str), Declared>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = BTreeMap::<_, Declared>::new();
        let mut section = Known::LitellmParams;
        for line in include_str!("declared_fields.txt").lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            match (words.next(), words.next()) {
                (Some("[litellm_params]"), _) => section = Known::LitellmParams,
                (Some("[model_info]"), _) => section = Known::ModelInfo,
                (Some(name), Some(kind)) => {
                    let only = words.next().and_then(Release::from_number);
                    table.entry((section, name)).or_default().push((only, kind));
                }
                _ => {}
            }
        }
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_text_are_taken_as_pydantic_takes_them() {
        for (text, number) in
            [("10", Some(10)), (" 10 ", Some(10)), ("+10", Some(10)), ("1_000", Some(1000)), ("10.0", Some(10))]
        {
            assert_eq!(int(text), number, "{text}");
        }
        for text in ["1e3", "10.5", "ten", "1,000", "", "1__0", "10."] {
            assert_eq!(int(text), None, "{text}");
        }
        assert_eq!(float("1e-6"), Some(1e-6));
        assert_eq!(float("x"), None);
    }
}
