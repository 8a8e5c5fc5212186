//! The id that LiteLLM gives a deployment which names none: a hash over its group and its parameters.

use sha2::{Digest as _, Sha256};

use super::node::{Key, Mapping, Node, Value};

/// The id of a deployment without `model_info.id`: SHA-256 over the group's name and each parameter's key and value in
/// the order of the file.
///
/// LiteLLM computes it after it has resolved `os.environ/` references. routedrill never resolves them, so a
/// configuration with references gets other ids here than in the running proxy; they are as distinct and as stable.
pub(super) fn deployment_id(model_name: &str, litellm_params: &Mapping) -> String {
    let mut hash = Sha256::new();
    hash.update(model_name);
    for (key, value) in litellm_params.iter() {
        hash.update(part(&key.value));
        hash.update(part(&value.value));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn part(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Mapping(_) => json(value),
        value => python_str(value),
    }
}

/// What Python's `str` makes of a value.
pub(super) fn python_str(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Time(text) => text.clone(),
        value => repr(value),
    }
}

/// What Python's `repr` makes of a value. Dates within lists come out as `str` writes them: no setting holds one there.
fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => float(*value),
        Value::Text(text) => quoted(text),
        Value::Time(text) => text.clone(),
        Value::Sequence(items) => format!("[{}]", joined(items.iter().map(|item| repr(&item.value)))),
        Value::Mapping(mapping) => {
            let pair = |(key, value): (&Key, &Node)| format!("{}: {}", repr(&key.value), repr(&value.value));
            format!("{{{}}}", joined(mapping.iter().map(pair)))
        }
        Value::Other(name) => (*name).to_owned(),
    }
}

/// What `json.dumps` makes of a value with its default separators.
fn json(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Float(value) if value.is_nan() => "NaN".to_owned(),
        Value::Float(value) if value.is_infinite() => if *value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        Value::Text(text) => json_text(text),
        // LiteLLM's `default` function falls back to `str`.
        Value::Time(text) => json_text(text),
        Value::Other(name) => json_text(name),
        Value::Sequence(items) => format!("[{}]", joined(items.iter().map(|item| json(&item.value)))),
        Value::Mapping(mapping) => {
            let key = |key: &Value| match key {
                Value::Text(text) => json_text(text),
                key => format!("\"{}\"", json(key)),
            };
            let pair = |(k, v): (&Key, &Node)| format!("{}: {}", key(&k.value), json(&v.value));
            format!("{{{}}}", joined(mapping.iter().map(pair)))
        }
        Value::Int(_) => repr(value),
        Value::Float(value) => float(*value),
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// Python's shortest float: as many digits as needed, an exponent below 1e-4 and from 1e16 on.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    // Rust's exponent form has the same shortest digits.
    let shortest = format!("{value:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        if plain.contains('.') { plain } else { format!("{plain}.0") }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.abs())
    }
}

/// Python's `repr` of text: single quotes unless it holds one and no double quote.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            c if c == quote => out.extend(['\\', c]),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out += &format!("\\x{:02x}", c as u32),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// JSON text with everything beyond ASCII escaped.
fn json_text(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '\u{8}' => out += "\\b",
            '\u{c}' => out += "\\f",
            ' '..='~' => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out += &format!("\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (value, text) in [
            (0.5, "0.5"),
            (1.0, "1.0"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1e16, "1e+16"),
            (123_456_789.0, "123456789.0"),
            (1.5e300, "1.5e+300"),
            (3e-7, "3e-07"),
        ] {
            assert_eq!(float(value), text);
        }
    }
}
