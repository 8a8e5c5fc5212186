//! One map of a configuration, read key by key, as LiteLLM would take each value.
//!
//! Two manners exist. Settings of the Router arrive raw: nothing converts them, and a text where a number belongs
//! breaks something later. `litellm_params` and `model_info` pass through pydantic, which converts what it can and
//! rejects the whole deployment otherwise.

use std::ops::Range;

use super::finding::{Findings, rule};
use super::node::{Key, Mapping, Node, Value};

/// A map and the keys that lead to it.
pub(super) struct Section<'n> {
    pub(super) path: String,
    pub(super) map: &'n Mapping,
}

/// A value that pydantic does not accept for its field.
pub(super) struct Rejected {
    pub(super) span: Range<usize>,
    pub(super) path: String,
    pub(super) message: String,
}

/// What pydantic makes of a value.
pub(super) type Lax<T> = Result<Option<T>, Rejected>;

impl<'n> Section<'n> {
    pub(super) fn new(path: impl Into<String>, map: &'n Mapping) -> Self {
        Self { path: path.into(), map }
    }

    /// A key and its value, unless it is absent or null.
    pub(super) fn entry(&self, key: &str) -> Option<(&'n Key, &'n Node)> {
        self.map.entry(key).filter(|(_, value)| !value.is_null())
    }

    pub(super) fn node(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|(_, value)| value)
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    // ---- raw: what the Router's constructor takes as it is -----------------------------------------------------

    /// A number that nothing converts.
    pub(super) fn raw_number(&self, key: &str, findings: &mut Findings<'_>) -> Option<f64> {
        let (at, node) = self.entry(key)?;
        match &node.value {
            Value::Int(value) => Some(*value as f64),
            Value::Float(value) if !value.is_nan() => Some(*value),
            Value::Bool(value) => Some(f64::from(u8::from(*value))),
            Value::Text(text) if text.starts_with("os.environ/") => {
                self.unresolved(key, node, "a number from the environment stays text in LiteLLM", findings);
                None
            }
            Value::Text(text) => {
                let number = text.trim().replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite());
                self.wrong_type(key, at, node, "a number", number.is_some(), findings);
                number
            }
            _ => {
                self.wrong_type(key, at, node, "a number", false, findings);
                None
            }
        }
    }

    /// A whole number that nothing converts. A fraction counts as its whole part.
    pub(super) fn raw_int(&self, key: &str, findings: &mut Findings<'_>) -> Option<i64> {
        // The cast saturates, as far beyond every sensible setting as the number itself.
        self.raw_number(key, findings).map(|number| number.trunc() as i64)
    }

    /// Whether Python takes the value for true: any text does, even "false".
    pub(super) fn raw_bool(&self, key: &str, findings: &mut Findings<'_>) -> Option<bool> {
        let (at, node) = self.entry(key)?;
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::Text(text) if text.starts_with("os.environ/") => {
                self.unresolved(key, node, "a switch from the environment", findings);
                None
            }
            value => {
                let truth = truth(value);
                findings.add(
                    &rule::WRONG_TYPE,
                    node.span.clone(),
                    self.path_of(key),
                    format!("{key} is {}, and Python takes it for {truth}", value.kind()),
                    format!("write `{}: true` or `{}: false`", at.text().unwrap_or(key), at.text().unwrap_or(key)),
                );
                Some(truth)
            }
        }
    }

    fn wrong_type(&self, key: &str, at: &Key, node: &Node, wanted: &str, goes_on: bool, findings: &mut Findings<'_>) {
        let goes_on =
            if goes_on { "; routedrill goes on as if it were one" } else { "; routedrill goes on without it" };
        findings.add(
            &rule::WRONG_TYPE,
            node.span.clone(),
            self.path_of(key),
            format!(
                "{key} is {} where LiteLLM needs {wanted}, and LiteLLM does not convert it{goes_on}",
                node.value.kind()
            ),
            format!("write {wanted} without quotes after `{}:`", at.text().unwrap_or(key)),
        );
    }

    fn unresolved(&self, key: &str, node: &Node, what: &str, findings: &mut Findings<'_>) {
        findings.add(
            &rule::UNRESOLVED_REFERENCE,
            node.span.clone(),
            self.path_of(key),
            format!("{what}; routedrill does not read the environment and takes {key} for not set"),
            "write the value into the file to drill with it",
        );
    }

    // ---- lax: what pydantic converts ---------------------------------------------------------------------------

    /// `int | None`.
    pub(super) fn lax_int(&self, key: &str, findings: &mut Findings<'_>) -> Lax<i64> {
        let Some(number) = self.lax_float(key, findings)? else { return Ok(None) };
        if number.fract() != 0.0 || number.is_infinite() {
            let node = self.node(key);
            return Err(self.rejected(key, node, "a whole number"));
        }
        Ok(Some(number as i64))
    }

    /// `float | None`.
    pub(super) fn lax_float(&self, key: &str, findings: &mut Findings<'_>) -> Lax<f64> {
        let Some(node) = self.node(key) else { return Ok(None) };
        match &node.value {
            Value::Int(value) => Ok(Some(*value as f64)),
            Value::Float(value) if !value.is_nan() => Ok(Some(*value)),
            Value::Bool(value) => Ok(Some(f64::from(u8::from(*value)))),
            Value::Text(text) if text.starts_with("os.environ/") => {
                self.unresolved(key, node, "a number from the environment", findings);
                Ok(None)
            }
            Value::Text(text) => match text.trim().replace('_', "").parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                _ => Err(self.rejected(key, Some(node), "a number")),
            },
            _ => Err(self.rejected(key, Some(node), "a number")),
        }
    }

    /// `bool | None`.
    pub(super) fn lax_bool(&self, key: &str) -> Lax<bool> {
        let Some(node) = self.node(key) else { return Ok(None) };
        match &node.value {
            Value::Bool(value) => Ok(Some(*value)),
            Value::Int(value @ (0 | 1)) => Ok(Some(*value == 1)),
            Value::Text(text) => match text.to_ascii_lowercase().as_str() {
                "1" | "on" | "t" | "true" | "y" | "yes" => Ok(Some(true)),
                "0" | "off" | "f" | "false" | "n" | "no" => Ok(Some(false)),
                _ => Err(self.rejected(key, Some(node), "a boolean")),
            },
            _ => Err(self.rejected(key, Some(node), "a boolean")),
        }
    }

    /// `str | None`: pydantic makes no text of a number.
    pub(super) fn lax_text(&self, key: &str) -> Lax<String> {
        match self.node(key) {
            None => Ok(None),
            Some(Node { value: Value::Text(text), .. }) => Ok(Some(text.clone())),
            node => Err(self.rejected(key, node, "text")),
        }
    }

    /// `list[str] | None`.
    pub(super) fn lax_texts(&self, key: &str) -> Lax<Vec<String>> {
        let Some(node) = self.node(key) else { return Ok(None) };
        let texts =
            node.as_sequence().map(|items| items.iter().map(|item| item.as_text().map(str::to_owned)).collect());
        match texts {
            Some(Some(texts)) => Ok(Some(texts)),
            _ => Err(self.rejected(key, Some(node), "a list of texts")),
        }
    }

    fn rejected(&self, key: &str, node: Option<&Node>, wanted: &str) -> Rejected {
        let kind = node.map_or("null", |node| node.value.kind());
        Rejected {
            span: node.map_or(0..0, |node| node.span.clone()),
            path: self.path_of(key),
            message: format!("{key} is {kind} where LiteLLM needs {wanted}"),
        }
    }
}

/// Python's `bool(value)`.
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Int(value) => *value != 0,
        Value::Float(value) => *value != 0.0,
        Value::Text(text) => !text.is_empty(),
        Value::Sequence(items) => !items.is_empty(),
        Value::Mapping(mapping) => !mapping.is_empty(),
        Value::Time(_) | Value::Other(_) => true,
    }
}
