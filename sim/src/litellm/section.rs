//! One map of a configuration, read key by key, as LiteLLM would take each value.
//!
//! Two manners exist. Settings of the Router arrive raw: nothing converts them, and a text where a number belongs
//! breaks something later. `litellm_params` and `model_info` pass through pydantic, which converts what it can and
//! rejects the whole deployment otherwise.

use std::ops::Range;

use super::declared;
use super::finding::{Edit, Findings, rule};
use super::node::{Key, Mapping, Node, Value};
use super::reference::REFERENCE;

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
    pub(super) remedy: String,
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
            Value::Text(text) if text.starts_with(REFERENCE) => {
                self.unresolved(key, node, "a number from the environment stays text in LiteLLM", findings);
                None
            }
            Value::Text(text) => {
                let number = declared::float(text).filter(|number| number.is_finite());
                // Without quotes it was meant as a number, and only YAML 1.1 sees text in it.
                if let Some(number) = number.filter(|_| findings.written(&node.span) == text) {
                    findings.add(
                        &rule::NUMBER_AS_TEXT,
                        node.span.clone(),
                        self.path_of(key),
                        format!(
                            "LiteLLM's YAML reader takes {text} for text, which {key} must not be; routedrill goes on \
                            with the number"
                        ),
                        format!("write `{key}: {number}`"),
                    );
                    findings.mend([Edit { span: node.span.clone(), text: number.to_string() }]);
                    return Some(number);
                }
                self.wrong_type(key, at, node, "a number", number.is_some(), findings);
                findings.mend(number.map(|number| Edit { span: node.span.clone(), text: number.to_string() }));
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
            Value::Text(text) if text.starts_with(REFERENCE) => {
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
                if let Value::Text(text) = value
                    && let Some(plain) = ["true", "false"].into_iter().find(|plain| text.eq_ignore_ascii_case(plain))
                {
                    findings.mend([Edit { span: node.span.clone(), text: plain.to_owned() }]);
                }
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
        if let Some(Node { value: Value::Text(text), .. }) = self.node(key)
            && !text.starts_with(REFERENCE)
        {
            return declared::int(text).map(Some).ok_or_else(|| self.rejected(key, self.node(key), "a whole number"));
        }
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
            Value::Text(text) if text.starts_with(REFERENCE) => {
                self.unresolved(key, node, "a number from the environment", findings);
                Ok(None)
            }
            Value::Text(text) => match declared::float(text).filter(|number| !number.is_nan()) {
                Some(number) => Ok(Some(number)),
                None => Err(self.rejected(key, Some(node), "a number")),
            },
            _ => Err(self.rejected(key, Some(node), "a number")),
        }
    }

    /// `bool | None`.
    pub(super) fn lax_bool(&self, key: &str) -> Lax<bool> {
        let Some(node) = self.node(key) else { return Ok(None) };
        declared::bool(&node.value).map(Some).ok_or_else(|| self.rejected(key, Some(node), "a boolean"))
    }

    /// `str | None`: pydantic makes no text of a number.
    pub(super) fn lax_text(&self, key: &str) -> Lax<String> {
        match self.node(key) {
            None => Ok(None),
            Some(Node { value: Value::Text(text), .. }) => Ok(Some(text.clone())),
            node => Err(self.rejected(key, node, "text")),
        }
    }

    /// The texts of a list; of a text, each letter, as Python iterates over it.
    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        match self.node(key).map(|node| &node.value) {
            Some(Value::Sequence(items)) => items.iter().filter_map(|item| item.as_text().map(str::to_owned)).collect(),
            Some(Value::Text(text)) => text.chars().map(String::from).collect(),
            _ => Vec::new(),
        }
    }

    fn rejected(&self, key: &str, node: Option<&Node>, wanted: &str) -> Rejected {
        let kind = node.map_or("null", |node| node.value.kind());
        Rejected {
            span: node.map_or(0..0, |node| node.span.clone()),
            path: self.path_of(key),
            message: format!("{key} is {kind} where LiteLLM needs {wanted}"),
            remedy: format!("write {wanted}"),
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
