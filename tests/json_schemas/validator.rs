//! As much of JSON Schema, draft 2020-12, as the committed schemas use. A keyword that is not known here is an error: what
//! is not looked at must not look valid.

use std::collections::BTreeSet;

use serde_json::Value;

/// A schema, and which of its keys some document had.
pub(crate) struct Schema {
    root: Value,
    seen: BTreeSet<String>,
}

/// The first thing in a document that a schema forbids.
pub(crate) type Refusal = String;

impl Schema {
    pub(crate) fn parse(text: &str) -> Self {
        Self { root: serde_json::from_str(text).expect("a schema is JSON"), seen: BTreeSet::new() }
    }

    /// Holds a document against the schema.
    pub(crate) fn validate(&mut self, document: &Value) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        check(&self.root, &self.root, "#", document, "", &mut seen)?;
        self.seen.append(&mut seen);
        Ok(())
    }

    /// Keys that the schema describes and no valid document had.
    pub(crate) fn never_seen(&self) -> Vec<String> {
        let mut all = Vec::new();
        keys(&self.root, "#", &mut all);
        all.retain(|key| !self.seen.contains(key));
        all
    }
}

/// Every key below a `properties`.
fn keys(schema: &Value, at: &str, all: &mut Vec<String>) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                let at = format!("{at}/{key}");
                if key == "properties" {
                    all.extend(value.as_object().into_iter().flatten().map(|(name, _)| format!("{at}/{name}")));
                }
                keys(value, &at, all);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                keys(item, &format!("{at}/{index}"), all);
            }
        }
        _ => {}
    }
}

fn check(
    root: &Value,
    schema: &Value,
    at: &str,
    value: &Value,
    place: &str,
    seen: &mut BTreeSet<String>,
) -> Result<(), Refusal> {
    let refuse = |why: &str| Err(format!("{place}: {why} by {at}: {}", shortened(value)));
    let Value::Object(schema) = schema else { panic!("{at}: a schema is an object") };
    for (keyword, rule) in schema {
        let list = || rule.as_array().unwrap_or_else(|| panic!("{at}/{keyword}: a list"));
        let number = || rule.as_f64().unwrap_or_else(|| panic!("{at}/{keyword}: a number"));
        let length = || usize::try_from(rule.as_u64().expect("a length")).expect("a small one");
        match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let pointer = rule.as_str().and_then(|text| text.strip_prefix('#')).expect("a place in this schema");
                let target = root.pointer(pointer).unwrap_or_else(|| panic!("{at}: {rule} leads nowhere"));
                check(root, target, &format!("#{pointer}"), value, place, seen)?;
            }
            "type" => {
                let fits = |kind: &Value| is_a(value, kind.as_str().expect("the name of a type"));
                if !rule.as_array().map_or_else(|| fits(rule), |kinds| kinds.iter().any(fits)) {
                    return refuse("of the wrong type");
                }
            }
            "const" if value != rule => return refuse("not the constant"),
            "enum" if !list().contains(value) => return refuse("none of the words"),
            "minimum" if value.as_f64().is_some_and(|value| value < number()) => return refuse("too small"),
            "minLength" if value.as_str().is_some_and(|text| text.chars().count() < length()) => {
                return refuse("too short");
            }
            "minItems" if value.as_array().is_some_and(|items| items.len() < length()) => return refuse("too few"),
            "maxItems" if value.as_array().is_some_and(|items| items.len() > length()) => return refuse("too many"),
            "pattern" if value.as_str().is_some_and(|text| !matches(rule, text)) => return refuse("not of the form"),
            "const" | "enum" | "minimum" | "minLength" | "minItems" | "maxItems" | "pattern" => {}
            "required" => {
                let missing = |key: &&Value| value.is_object() && value.get(key.as_str().expect("a key")).is_none();
                if let Some(key) = list().iter().find(missing) {
                    return refuse(&format!("without {key}, which is required"));
                }
            }
            "properties" => {
                for (key, rule) in rule.as_object().expect("properties") {
                    let Some(value) = value.get(key) else { continue };
                    let at = format!("{at}/properties/{key}");
                    check(root, rule, &at, value, &format!("{place}/{key}"), seen)?;
                    seen.insert(at);
                }
            }
            "additionalProperties" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    if schema.get("properties").is_some_and(|known| known.get(key).is_some()) {
                        continue;
                    }
                    if *rule == Value::Bool(false) {
                        return refuse(&format!("with an unknown key {key:?}"));
                    }
                    check(root, rule, &format!("{at}/{keyword}"), value, &format!("{place}/{key}"), seen)?;
                }
            }
            "items" => {
                let before = schema.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
                for (index, item) in value.as_array().into_iter().flatten().enumerate().skip(before) {
                    check(root, rule, &format!("{at}/items"), item, &format!("{place}/{index}"), seen)?;
                }
            }
            "prefixItems" => {
                for (index, (item, rule)) in value.as_array().into_iter().flatten().zip(list()).enumerate() {
                    let at = format!("{at}/prefixItems/{index}");
                    check(root, rule, &at, item, &format!("{place}/{index}"), seen)?;
                }
            }
            "allOf" => {
                for (index, rule) in list().iter().enumerate() {
                    check(root, rule, &format!("{at}/allOf/{index}"), value, place, seen)?;
                }
            }
            "anyOf" | "oneOf" => {
                let mut why = Vec::new();
                let mut fitting = 0;
                for (index, rule) in list().iter().enumerate() {
                    let mut inside = BTreeSet::new();
                    match check(root, rule, &format!("{at}/{keyword}/{index}"), value, place, &mut inside) {
                        Ok(()) => {
                            fitting += 1;
                            seen.append(&mut inside);
                        }
                        Err(refusal) => why.push(refusal),
                    }
                }
                if fitting == 0 || keyword == "oneOf" && fitting > 1 {
                    return refuse(&format!("{fitting} choices fit, and not the others: {}", why.join("; ")));
                }
            }
            _ => panic!("{at}: the keyword {keyword} is not known here"),
        }
    }
    Ok(())
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        _ => panic!("no type is called {kind}"),
    }
}

/// The two patterns that the schemas have: releases, and words joined by hyphens.
fn matches(pattern: &Value, text: &str) -> bool {
    let all = |separator: char, fits: fn(char) -> bool| {
        text.split(separator).all(|part| !part.is_empty() && part.chars().all(fits))
    };
    match pattern.as_str() {
        Some("^[0-9]+\\.[0-9]+\\.[0-9]+$") => all('.', |c| c.is_ascii_digit()) && text.split('.').count() == 3,
        Some("^[a-z]+(-[a-z]+)*$") => all('-', |c| c.is_ascii_lowercase()),
        _ => panic!("the pattern {pattern} is not known here"),
    }
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}
