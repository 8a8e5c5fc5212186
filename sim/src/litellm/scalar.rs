//! What a YAML scalar means to LiteLLM: PyYAML's rules (YAML 1.1), not those of YAML 1.2.
//!
//! LiteLLM reads its configuration with `yaml.safe_load`. There `1e-6` is text, `12:30:45` is the integer 45045, `on`
//! is a boolean, `0o17` is text and `017` is 15, and `2024-01-01` is a date.

use super::node::Value;

/// What a plain scalar (neither quoted nor a block) means. `Err`: PyYAML raises an exception, which this says why.
pub(super) fn plain(text: &str) -> Result<Value, String> {
    match implicit_tag(text) {
        Tag::Null => Ok(Value::Null),
        Tag::Bool => Ok(Value::Bool(matches!(text.to_ascii_lowercase().as_str(), "yes" | "true" | "on"))),
        Tag::Int => int(text),
        Tag::Float => float(text),
        Tag::Timestamp => timestamp(text),
        Tag::Text => Ok(Value::Text(text.to_owned())),
        // PyYAML resolves these two to tags that a safe loader cannot construct.
        Tag::Merge | Tag::Value => Err(format!("a plain {text} cannot stand here: LiteLLM's YAML reader refuses it")),
    }
}

/// Whether a plain scalar in a key's place is the merge key.
pub(super) fn is_merge_key(text: &str) -> bool {
    implicit_tag(text) == Tag::Merge
}

/// What a scalar with an explicit tag of YAML's own means: `!!int "5"`.
pub(super) fn tagged(suffix: &str, text: &str) -> Result<Value, String> {
    match suffix {
        "str" => Ok(Value::Text(text.to_owned())),
        "null" => Ok(Value::Null),
        "bool" => match text.to_ascii_lowercase().as_str() {
            "yes" | "true" | "on" => Ok(Value::Bool(true)),
            "no" | "false" | "off" => Ok(Value::Bool(false)),
            _ => Err(format!("{text:?} is no !!bool")),
        },
        "int" => int(text),
        "float" => float(text),
        "timestamp" => timestamp(text),
        "binary" => Ok(Value::Other("bytes")),
        _ => Err(format!("the tag !!{suffix} has no meaning for a scalar in LiteLLM's YAML reader")),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tag {
    Null,
    Bool,
    Int,
    Float,
    Timestamp,
    Merge,
    Value,
    Text,
}

/// PyYAML's implicit resolvers, in its order: the first that matches decides.
fn implicit_tag(text: &str) -> Tag {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Tag::Null,
        "<<" => Tag::Merge,
        "=" => Tag::Value,
        "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "true" | "True" | "TRUE" | "false" | "False" | "FALSE" | "on"
        | "On" | "ON" | "off" | "Off" | "OFF" => Tag::Bool,
        _ if is_float(text) => Tag::Float,
        _ if is_int(text) => Tag::Int,
        _ if is_timestamp(text) => Tag::Timestamp,
        _ => Tag::Text,
    }
}

// The four patterns of PyYAML's `resolver.py`, by hand: a regular-expression crate for six lines is not worth it.

/// `[-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?`, `\.[0-9][0-9_]*([eE][-+][0-9]+)?`,
/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*`, `[-+]?\.(inf|Inf|INF)`, `\.(nan|NaN|NAN)`.
fn is_float(text: &str) -> bool {
    let unsigned = unsigned(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let Some((whole, rest)) = unsigned.split_once('.') else { return false };
    if whole.is_empty() {
        // No sign is allowed before a bare point, and a digit must follow it.
        let (mantissa, exponent) = split_exponent(rest);
        return text.len() == unsigned.len() && is_digits(mantissa) && is_exponent(exponent);
    }
    if let Some((first, sixties)) = whole.split_once(':') {
        return is_digits(first) && sixties.split(':').all(is_sixtieth) && is_underscored(rest);
    }
    let (fraction, exponent) = split_exponent(rest);
    is_digits(whole) && is_underscored(fraction) && is_exponent(exponent)
}

/// `[-+]?0b[0-1_]+`, `[-+]?0[0-7_]+`, `[-+]?(0|[1-9][0-9_]*)`, `[-+]?0x[0-9a-fA-F_]+`,
/// `[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+`.
fn is_int(text: &str) -> bool {
    let text = unsigned(text);
    let all = |digits: &str, is: fn(u8) -> bool| !digits.is_empty() && digits.bytes().all(|b| b == b'_' || is(b));
    if let Some(digits) = text.strip_prefix("0b") {
        return all(digits, |b| matches!(b, b'0' | b'1'));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, |b| b.is_ascii_hexdigit());
    }
    if let Some(digits) = text.strip_prefix('0') {
        return digits.is_empty() || all(digits, |b| matches!(b, b'0'..=b'7'));
    }
    match text.split_once(':') {
        Some((first, sixties)) => is_digits(first) && sixties.split(':').all(is_sixtieth),
        None => is_digits(text),
    }
}

/// `YYYY-MM-DD`, or a looser date with a time.
fn is_timestamp(text: &str) -> bool {
    let strict = text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    strict || Moment::read(text).is_some_and(|moment| moment.time.is_some())
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

/// `[0-9][0-9_]*`
fn is_digits(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && is_underscored(text)
}

/// `[0-9_]*`
fn is_underscored(text: &str) -> bool {
    text.bytes().all(|b| b == b'_' || b.is_ascii_digit())
}

/// `[0-5]?[0-9]`
fn is_sixtieth(text: &str) -> bool {
    match text.as_bytes() {
        [b] => b.is_ascii_digit(),
        [a, b] => matches!(a, b'0'..=b'5') && b.is_ascii_digit(),
        _ => false,
    }
}

fn split_exponent(text: &str) -> (&str, &str) {
    text.split_at(text.find(['e', 'E']).unwrap_or(text.len()))
}

/// Nothing, or `[eE][-+][0-9]+`: the sign is not optional, which is why `1e-6` without a point and `1.5e3` are text.
fn is_exponent(text: &str) -> bool {
    text.is_empty()
        || text[1..].strip_prefix(['-', '+']).is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
}

/// PyYAML's `construct_yaml_int`.
fn int(text: &str) -> Result<Value, String> {
    let invalid = || format!("{text:?} is no integer: LiteLLM's YAML reader fails on it");
    let digits = text.replace('_', "");
    let negative = digits.starts_with('-');
    let digits = unsigned(&digits);
    let parse = |digits: &str, radix: u32| {
        // A sign within the digits would be one too many, though the standard library takes it.
        (!digits.starts_with(['+', '-'])).then(|| i128::from_str_radix(digits, radix).ok()).flatten()
    };
    let magnitude = if digits == "0" {
        Some(0)
    } else if let Some(digits) = digits.strip_prefix("0b") {
        parse(digits, 2)
    } else if let Some(digits) = digits.strip_prefix("0x") {
        parse(digits, 16)
    } else if digits.starts_with('0') {
        parse(digits, 8)
    } else if digits.contains(':') {
        digits.split(':').try_fold(0_i128, |sum, part| sum.checked_mul(60)?.checked_add(parse(part, 10)?))
    } else {
        parse(digits, 10)
    };
    match magnitude {
        Some(magnitude) => Ok(Value::Int(if negative { -magnitude } else { magnitude })),
        // Python's integers know no limit. Nobody configures more than 38 digits; as a float it stays what it is, a
        // number far too large.
        None if digits.len() > 38 && digits.bytes().all(|b| b.is_ascii_digit()) => float(text),
        None => Err(invalid()),
    }
}

/// PyYAML's `construct_yaml_float`.
fn float(text: &str) -> Result<Value, String> {
    let lower = text.replace('_', "").to_ascii_lowercase();
    let sign = if lower.starts_with('-') { -1.0 } else { 1.0 };
    let magnitude = match unsigned(&lower) {
        ".inf" => Some(f64::INFINITY),
        ".nan" => Some(f64::NAN),
        digits if digits.contains(':') => {
            // Python adds the parts up from the last to the first, and floats notice the order.
            let parts: Option<Vec<f64>> = digits.split(':').map(|part| part.parse().ok()).collect();
            parts.map(|parts| {
                let (sum, _) =
                    parts.iter().rev().fold((0.0, 1.0), |(sum, base), part| (sum + part * base, base * 60.0));
                sum
            })
        }
        digits => digits.parse().ok(),
    };
    magnitude
        .map(|magnitude: f64| Value::Float(sign * magnitude))
        .ok_or_else(|| format!("{text:?} is no number: LiteLLM's YAML reader fails on it"))
}

/// PyYAML's `construct_yaml_timestamp`, as the text that Python's `str` makes of the date.
fn timestamp(text: &str) -> Result<Value, String> {
    Moment::read(text).and_then(|moment| moment.shown()).map(Value::Time).ok_or_else(|| {
        format!("{text:?} looks like a date and is none: LiteLLM's YAML reader fails on it; quote it if it is text")
    })
}

/// A date as written, with a time perhaps.
struct Moment<'a> {
    year: u32,
    month: u32,
    day: u32,
    time: Option<Clock<'a>>,
}

struct Clock<'a> {
    hour: u32,
    minute: u32,
    second: u32,
    fraction: &'a str,
    /// Minutes east of Greenwich.
    zone: Option<i32>,
}

impl<'a> Moment<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (year, rest) = digits(text, 4, 4)?;
        let (month, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
        let (day, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
        if rest.is_empty() {
            return Some(Self { year, month, day, time: None });
        }
        let rest = match rest.strip_prefix(['T', 't']) {
            Some(rest) => rest,
            None => {
                let trimmed = rest.trim_start_matches([' ', '\t']);
                if trimmed.len() == rest.len() {
                    return None;
                }
                trimmed
            }
        };
        let (hour, rest) = digits(rest, 1, 2)?;
        let (minute, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
        let (second, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())),
            None => ("", rest),
        };
        let zone = zone(rest)?;
        Some(Self { year, month, day, time: Some(Clock { hour, minute, second, fraction, zone }) })
    }

    /// As `str(date)` or `str(datetime)` writes it; `None` when there is no such day or hour.
    fn shown(&self) -> Option<String> {
        let leap = self.year.is_multiple_of(4) && !self.year.is_multiple_of(100) || self.year.is_multiple_of(400);
        let days = match self.month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if self.year == 0 || !(1..=days).contains(&self.day) {
            return None;
        }
        let mut shown = format!("{:04}-{:02}-{:02}", self.year, self.month, self.day);
        if let Some(Clock { hour, minute, second, fraction, zone }) = self.time {
            if hour > 23 || minute > 59 || second > 59 {
                return None;
            }
            shown += &format!(" {hour:02}:{minute:02}:{second:02}");
            let micros = format!("{:0<6}", &fraction[..fraction.len().min(6)]);
            if micros != "000000" {
                shown += &format!(".{micros}");
            }
            if let Some(zone) = zone {
                if zone.abs() >= 24 * 60 {
                    return None;
                }
                let sign = if zone < 0 { '-' } else { '+' };
                shown += &format!("{sign}{:02}:{:02}", zone.abs() / 60, zone.abs() % 60);
            }
        }
        Some(shown)
    }
}

/// The end of a timestamp: nothing, `Z`, or an offset. The outer `None`: neither.
fn zone(text: &str) -> Option<Option<i32>> {
    if text.is_empty() {
        return Some(None);
    }
    let text = text.trim_start_matches([' ', '\t']);
    if text == "Z" {
        return Some(Some(0));
    }
    let negative = text.starts_with('-');
    let (hours, rest) = digits(text.strip_prefix(['-', '+'])?, 1, 2)?;
    let minutes = match rest.strip_prefix(':') {
        None if rest.is_empty() => 0,
        None => return None,
        Some(rest) => digits(rest, 2, 2).filter(|(_, rest)| rest.is_empty())?.0,
    };
    let offset = i32::try_from(hours * 60 + minutes).ok()?;
    Some(Some(if negative { -offset } else { offset }))
}

/// Between `min` and `max` digits at the start of a text, and what follows them.
fn digits(text: &str, min: usize, max: usize) -> Option<(u32, &str)> {
    let len = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    if len < min {
        return None;
    }
    let (digits, rest) = text.split_at(len);
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_mean_what_pyyaml_makes_of_them() {
        let text = |text: &str| Value::Text(text.to_owned());
        let time = |text: &str| Value::Time(text.to_owned());
        for (written, meant) in [
            ("1e-6", text("1e-6")),
            ("1.5e3", text("1.5e3")),
            ("1.5e+3", Value::Float(1500.0)),
            ("12:30:45", Value::Int(45045)),
            ("1:30.5", Value::Float(90.5)),
            ("0600", Value::Int(384)),
            ("0o17", text("0o17")),
            ("08", text("08")),
            ("0b101", Value::Int(5)),
            ("-0xFF", Value::Int(-255)),
            ("1_000", Value::Int(1000)),
            ("1_0.5", Value::Float(10.5)),
            ("on", Value::Bool(true)),
            ("y", text("y")),
            ("yEs", text("yEs")),
            ("~", Value::Null),
            ("", Value::Null),
            (".5", Value::Float(0.5)),
            ("-.5", text("-.5")),
            ("-.inf", Value::Float(f64::NEG_INFINITY)),
            ("5.", Value::Float(5.0)),
            ("2024-01-01", time("2024-01-01")),
            ("2024-1-1", text("2024-1-1")),
            ("2024-01-01T12:30:45.5+01:30", time("2024-01-01 12:30:45.500000+01:30")),
            ("2024-01-01 1:30:45 Z", time("2024-01-01 01:30:45+00:00")),
        ] {
            assert_eq!(plain(written), Ok(meant), "{written}");
        }
        for refused in ["=", "2024-13-01", "2024-02-30", "0b_", "2024-01-01 25:00:00"] {
            assert!(plain(refused).is_err(), "{refused}");
        }
    }
}
