//! Quantities as people write them: durations, rates, counts, shares, prices and conditions.
//!
//! Each has one textual form with a unit in it, because a bare `90` has cost somebody an outage: seconds or
//! milliseconds? Reading a text never rounds silently, and [`Display`](fmt::Display) writes a text that reads back
//! as the same value, bit for bit.

use std::borrow::Cow;
use std::fmt;

use jiff::fmt::friendly::SpanParser;
use router_core::Span;
use schemars::{Schema, json_schema};

/// What is wrong with a text, and what to write instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint {
    /// The fault, as a lower-case fragment.
    pub message: String,
    /// The way out, where one is known.
    pub help: Option<String>,
}

impl Complaint {
    /// A complaint without advice.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// The same complaint with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A value with a textual form.
pub trait Quantity: Sized {
    /// What the JSON Schema calls it.
    const NAME: &'static str;
    /// Reads the textual form.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn parse(text: &str) -> Result<Self, Complaint>;
    /// The textual form as a JSON Schema, for editors.
    fn schema() -> Schema;
}

/// A length of time: `250ms`, `60s`, `5m`, `1h30m`. Whole nanoseconds, at most 24 hours times 366.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Duration(pub Span);

/// The longest duration that a scenario may name: a year. What is longer is a slip of the unit.
const LONGEST: Span = Span::from_secs(366 * 24 * 60 * 60);

impl Quantity for Duration {
    const NAME: &'static str = "Duration";

    fn parse(text: &str) -> Result<Self, Complaint> {
        const EXAMPLES: &str = "durations are written `250ms`, `60s`, `5m` or `1h30m`";
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(Complaint::new("a duration is missing").help(EXAMPLES));
        }
        if trimmed.starts_with('-') || trimmed.ends_with("ago") {
            return Err(Complaint::new("a duration cannot be negative").help(EXAMPLES));
        }
        if trimmed.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'_') {
            return Err(Complaint::new("this duration has no unit").help(format!("write `{trimmed}s` for seconds")));
        }
        // jiff carries into hours and knows no calendar here: days and longer are not among its units for durations.
        let parsed = match SpanParser::new().parse_unsigned_duration(trimmed) {
            Ok(parsed) => parsed,
            Err(_) if too_many_digits(trimmed) => {
                return Err(Complaint::new("this duration is too long").help("at most 8784h, which is a year"));
            }
            Err(_) => return Err(Complaint::new("this is not a duration").help(unit_hint(trimmed, EXAMPLES))),
        };
        match u64::try_from(parsed.as_nanos()) {
            Ok(nanos) if nanos <= LONGEST.as_nanos() => Ok(Self(Span::from_nanos(nanos))),
            _ => Err(Complaint::new("this duration is too long").help("at most 8784h, which is a year")),
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time with its unit: `250ms`, `60s`, `5m`, `1h30m`.",
            "pattern": "^[0-9].*[a-zµ]\\s*$",
            "examples": ["250ms", "60s", "1h30m"]
        })
    }
}

fn too_many_digits(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() > 12)
}

fn unit_hint(text: &str, otherwise: &str) -> String {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
    let number = text[..text.len() - unit.len()].trim();
    let known = match unit {
        _ if number.is_empty() => None,
        "M" | "Min" | "MIN" => Some("m"),
        "S" | "SEC" | "Sec" => Some("s"),
        "MS" | "Ms" | "msec" | "msecs" => Some("ms"),
        "H" => Some("h"),
        "d" | "day" | "days" => {
            let hours = number.parse::<u64>().ok().and_then(|days| days.checked_mul(24));
            return hours
                .map_or_else(|| otherwise.to_owned(), |hours| format!("write `{hours}h`: hours are the longest unit"));
        }
        _ => None,
    };
    known.map_or_else(|| otherwise.to_owned(), |unit| format!("write `{number}{unit}`"))
}

impl fmt::Display for Duration {
    /// The largest unit that gives a whole number, else seconds with decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 6] = [
            (3_600_000_000_000, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1_000, "us"),
            (1, "ns"),
        ];
        let nanos = self.0.as_nanos();
        if nanos == 0 {
            return f.write_str("0s");
        }
        for (size, unit) in UNITS {
            if nanos.is_multiple_of(size) {
                return write!(f, "{}{unit}", nanos / size);
            }
        }
        Ok(())
    }
}

/// A length of time as part of a distribution: written as a [`Duration`], held in seconds, finer than a nanosecond where
/// it says so.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Seconds(pub f64);

impl Quantity for Seconds {
    const NAME: &'static str = "Duration";

    fn parse(text: &str) -> Result<Self, Complaint> {
        let seconds = text.trim().strip_suffix('s').and_then(decimal).and_then(|digits| digits.parse::<f64>().ok());
        match seconds {
            Some(seconds) if seconds <= LONGEST.as_secs_f64() => Ok(Self(seconds)),
            _ => Duration::parse(text).map(|Duration(span)| Self(span.as_secs_f64())),
        }
    }

    fn schema() -> Schema {
        Duration::schema()
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0)
    }
}

/// How often: `20/s`, `300/m`, `0.5/s`, `1.2k/s`. Held per second.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Rate(pub f64);

impl Quantity for Rate {
    const NAME: &'static str = "Rate";

    fn parse(text: &str) -> Result<Self, Complaint> {
        const EXAMPLES: &str = "rates are written `20/s`, `300/m` or `1000/h`";
        let trimmed = text.trim();
        let Some((number, unit)) = trimmed.split_once('/') else {
            let bare = trimmed.parse::<f64>().is_ok_and(f64::is_finite) || Count::parse(trimmed).is_ok();
            let help = if bare { format!("write `{trimmed}/s` for so many per second") } else { EXAMPLES.to_owned() };
            return Err(Complaint::new(if bare { "this rate has no unit" } else { "this is not a rate" }).help(help));
        };
        let (number, unit) = (number.trim(), unit.trim());
        if number.starts_with('-') {
            return Err(Complaint::new("a rate cannot be negative").help(EXAMPLES));
        }
        let Some(value) = decimal(number).and_then(|digits| digits.parse::<f64>().ok()) else {
            return Err(Complaint::new(format!("`{number}` is not a number")).help(EXAMPLES));
        };
        let seconds = match unit {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "sec" | "second" | "S" => return Err(unknown_rate_unit(number, unit, "s")),
            "min" | "minute" | "M" => return Err(unknown_rate_unit(number, unit, "m")),
            "hour" | "H" => return Err(unknown_rate_unit(number, unit, "h")),
            _ => return Err(Complaint::new(format!("`{unit}` is not a unit of a rate")).help(EXAMPLES)),
        };
        let rate = value / seconds;
        // Arrivals are told apart by whole nanoseconds, so a rate beyond one in each of them means nothing.
        if rate > 1e9 {
            return Err(Complaint::new("this rate is too high").help("at most 1000000000/s"));
        }
        Ok(Self(rate))
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "description": "How often: `20/s`, `300/m`, `1000/h`.",
            "pattern": "^\\s*[0-9][0-9._]*[kMG]?\\s*/\\s*[smh]\\s*$",
            "examples": ["20/s", "300/m"]
        })
    }
}

fn unknown_rate_unit(number: &str, unit: &str, known: &str) -> Complaint {
    Complaint::new(format!("`{unit}` is not a unit of a rate")).help(format!("write `{number}/{known}`"))
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// How many: `300`, `240k`, `3.6M`. Always a whole number in the end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Count(pub u64);

impl Quantity for Count {
    const NAME: &'static str = "Count";

    fn parse(text: &str) -> Result<Self, Complaint> {
        const EXAMPLES: &str = "counts are written `300`, `240k` or `3.6M`";
        let trimmed = text.trim();
        if trimmed.starts_with('-') {
            return Err(Complaint::new("a count cannot be negative").help(EXAMPLES));
        }
        let Some(digits) = decimal(trimmed) else {
            return Err(Complaint::new("this is not a count").help(EXAMPLES));
        };
        let whole = match digits.split_once('.') {
            None => digits.as_ref(),
            Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => whole,
            Some(_) => return Err(Complaint::new("this is not a whole number").help(EXAMPLES)),
        };
        whole
            .parse()
            .map(Self)
            .map_err(|_| Complaint::new("this count is too large").help("at most 18446744073709551615"))
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "How many: `300`, `240k`, `3.6M`.",
            "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "^\\s*[0-9][0-9._]*[kMG]?\\s*$" }],
            "examples": [300, "240k", "3.6M"]
        })
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A number without a unit: `1.5`, `10`, `4k`. Finite and not negative.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Plain(pub f64);

impl Quantity for Plain {
    const NAME: &'static str = "Number";

    fn parse(text: &str) -> Result<Self, Complaint> {
        let trimmed = text.trim();
        if trimmed.starts_with('-') {
            return Err(Complaint::new("this number cannot be negative").help("leave out the minus"));
        }
        decimal(trimmed)
            .and_then(|digits| digits.parse::<f64>().ok())
            .or_else(|| scientific(trimmed))
            .map(Self)
            .ok_or_else(|| Complaint::new("this is not a number").help("numbers are written `1.5` or `10`"))
    }

    fn schema() -> Schema {
        json_schema!({
            "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": "^\\s*[0-9][0-9._]*[kMG]?\\s*$" }]
        })
    }
}

/// `1.5e-7`, as people write prices; infinities and NaN are not numbers here.
fn scientific(text: &str) -> Option<f64> {
    let usual = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'));
    text.parse::<f64>().ok().filter(|value| usual && value.is_finite())
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A share of a whole: `99.9%` or `3/100`. From 0 to 1.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Share(pub f64);

impl Quantity for Share {
    const NAME: &'static str = "Share";

    fn parse(text: &str) -> Result<Self, Complaint> {
        const EXAMPLES: &str = "shares are written `99.9%` or `3/100`";
        let trimmed = text.trim();
        let value = if let Some(percent) = trimmed.strip_suffix('%') {
            // Shifting the decimal point in the text makes 99.9% the very number 0.999.
            decimal(percent.trim()).and_then(|digits| format!("{digits}e-2").parse::<f64>().ok())
        } else if let Some((part, whole)) = trimmed.split_once('/') {
            match (decimal(part.trim()), decimal(whole.trim())) {
                (Some(part), Some(whole)) => match (part.parse::<f64>(), whole.parse::<f64>()) {
                    (Ok(part), Ok(whole)) if whole > 0.0 => Some(part / whole),
                    _ => None,
                },
                _ => None,
            }
        } else {
            let bare = decimal(trimmed).and_then(|digits| digits.parse::<f64>().ok());
            let Some(bare) = bare else { return Err(Complaint::new("this is not a share").help(EXAMPLES)) };
            let percent = if bare <= 1.0 { Self(bare).to_string() } else { format!("{trimmed}%") };
            return Err(Complaint::new("this share has no unit").help(format!("write `{percent}`")));
        };
        match value {
            Some(value) if value <= 1.0 => Ok(Self(value)),
            Some(_) => Err(Complaint::new("a share is at most 100%").help(EXAMPLES)),
            None => Err(Complaint::new("this is not a share").help(EXAMPLES)),
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "description": "A share of a whole: `99.9%` or `3/100`.",
            "pattern": "^\\s*[0-9][0-9._]*\\s*(%|/\\s*[0-9][0-9._]*)\\s*$",
            "examples": ["99.9%", "3/100"]
        })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", shifted(self.0, 2))
    }
}

/// Dollars per million tokens, the unit of every price list: `3.00`. Held per token.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Price(pub f64);

impl Quantity for Price {
    const NAME: &'static str = "Price";

    fn parse(text: &str) -> Result<Self, Complaint> {
        let trimmed = text.trim();
        let number = trimmed.strip_prefix('$').unwrap_or(trimmed);
        decimal(number)
            .and_then(|digits| format!("{digits}e-6").parse::<f64>().ok())
            .map(Self)
            .ok_or_else(|| Complaint::new("this is not a price").help("prices are dollars per million tokens: `3.00`"))
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "Dollars per million tokens.",
            "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": "^\\s*\\$?[0-9][0-9._]*\\s*$" }],
            "examples": [3.00]
        })
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shifted(self.0, 6))
    }
}

/// A promise that a value is not below another: `>= 99.9%`.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct AtLeast<Q>(pub Q);

/// A promise that a value is not above another: `<= 8s`.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct AtMost<Q>(pub Q);

macro_rules! condition {
    ($type:ident, $sign:literal, $prefix:literal, $words:literal) => {
        impl<Q: Quantity> Quantity for $type<Q> {
            const NAME: &'static str = concat!($prefix);

            fn parse(text: &str) -> Result<Self, Complaint> {
                let trimmed = text.trim();
                if let Some(rest) = trimmed.strip_prefix($sign) {
                    return Q::parse(rest.trim()).map(Self);
                }
                let rest = trimmed.trim_start_matches(['<', '>', '=', ' ']);
                Err(Complaint::new(concat!("this is promised as ", $words)).help(format!("write `\"{} {rest}\"`", $sign)))
            }

            fn schema() -> Schema {
                json_schema!({
                    "type": "string",
                    "description": concat!("A promise, ", $words, ": `", $sign, " ...`. Quote it: YAML gives `>` a meaning."),
                    "pattern": concat!("^\\s*", $sign)
                })
            }
        }

        impl<Q: fmt::Display> fmt::Display for $type<Q> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {}", $sign, self.0)
            }
        }
    };
}

condition!(AtLeast, ">=", "AtLeast", "a lower bound");
condition!(AtMost, "<=", "AtMost", "an upper bound");

/// The digits that a decimal number with optional `_` and a suffix of thousands stands for: `3.6M` gives `3600000`.
/// `None` when it is no such number. Exact: nothing passes through a float.
fn decimal(text: &str) -> Option<Cow<'_, str>> {
    let (mantissa, zeros) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 3),
        b'M' => (&text[..text.len() - 1], 6),
        b'G' => (&text[..text.len() - 1], 9),
        _ => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    // A number of a hundred digits is an attack or an accident.
    if !digits(whole) || !digits(fraction) || mantissa.starts_with('_') || mantissa.len() > 40 {
        return None;
    }
    if zeros == 0 && !mantissa.contains('_') {
        return Some(Cow::Borrowed(mantissa));
    }
    let whole: String = whole.chars().filter(|c| *c != '_').collect();
    let fraction: String = fraction.chars().filter(|c| *c != '_').collect();
    let split = fraction.len().min(zeros);
    let padding = "0".repeat(zeros - split);
    let rest = &fraction[split..];
    Some(Cow::Owned(format!("{whole}{}{padding}{}{rest}", &fraction[..split], if rest.is_empty() { "" } else { "." })))
}

/// `value` times ten to the `places`, written exactly as its shortest decimal form shows it.
pub(super) fn shifted(value: f64, places: usize) -> String {
    let text = value.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let taken = fraction.len().min(places);
    let joined = format!("{whole}{}{}", &fraction[..taken], "0".repeat(places - taken));
    let whole = joined.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.len() > places { format!("{whole}.{}", &fraction[places..]) } else { whole.to_owned() }
}

/// What a quantile is called, by its share: `p99.9`, `max`.
pub fn quantile_name(share: f64) -> String {
    if share >= 1.0 { "max".to_owned() } else { format!("p{}", shifted(share, 2)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn reads<Q: Quantity + PartialEq + fmt::Debug>(text: &str, value: Q) {
        assert_eq!(Q::parse(text), Ok(value), "{text}");
    }

    #[track_caller]
    fn refuses<Q: Quantity + fmt::Debug>(text: &str, words: &str) {
        let complaint = Q::parse(text).expect_err(text);
        let all = format!("{} {}", complaint.message, complaint.help.unwrap_or_default());
        assert!(all.contains(words), "{text}: {all}");
    }

    #[test]
    fn durations_carry_their_unit() {
        reads("60s", Duration(Span::from_secs(60)));
        reads("1h30m", Duration(Span::from_secs(5400)));
        reads("1.5h", Duration(Span::from_secs(5400)));
        reads("250ms", Duration(Span::from_millis(250)));
        reads("0s", Duration(Span::ZERO));
        refuses::<Duration>("90", "write `90s`");
        refuses::<Duration>("1.5", "write `1.5s`");
        refuses::<Duration>("-5s", "negative");
        refuses::<Duration>("5s ago", "negative");
        refuses::<Duration>("60x", "this is not a duration");
        refuses::<Duration>("5M", "write `5m`");
        refuses::<Duration>("2d", "write `48h`");
        refuses::<Duration>("99999999999999999999s", "too long");
        refuses::<Duration>("8785h", "too long");
        refuses::<Duration>("", "missing");
    }

    #[test]
    fn rates_are_per_second_minute_or_hour() {
        reads("20/s", Rate(20.0));
        reads("300/m", Rate(5.0));
        reads("1.2k/s", Rate(1200.0));
        reads(" 3600 / h ", Rate(1.0));
        refuses::<Rate>("20", "write `20/s`");
        refuses::<Rate>("20/min", "write `20/m`");
        refuses::<Rate>("-1/s", "negative");
        refuses::<Rate>("fast", "not a rate");
        refuses::<Rate>("x/s", "`x` is not a number");
        refuses::<Rate>("2G/s", "too high");
        refuses::<Rate>("inf/s", "not a number");
    }

    #[test]
    fn counts_are_whole_and_exact() {
        reads("300", Count(300));
        reads("240k", Count(240_000));
        reads("3.6M", Count(3_600_000));
        reads("1_000", Count(1000));
        refuses::<Count>("1.2345k", "whole");
        refuses::<Count>("-1", "negative");
        refuses::<Count>("lots", "not a count");
        refuses::<Count>("99999999999G", "too large");
    }

    #[test]
    fn shares_are_percent_or_ratios() {
        reads("99.9%", Share(0.999));
        reads("3/100", Share(0.03));
        reads("100%", Share(1.0));
        refuses::<Share>("0.5", "write `50%`");
        refuses::<Share>("99", "write `99%`");
        refuses::<Share>("101%", "at most 100%");
        refuses::<Share>("1/0", "not a share");
        refuses::<Share>("-1%", "not a share");
    }

    #[test]
    fn conditions_say_their_direction() {
        reads(">= 99.9%", AtLeast(Share(0.999)));
        reads("<=8s", AtMost(Duration(Span::from_secs(8))));
        refuses::<AtLeast<Share>>("<= 99%", "write `\">= 99%\"`");
        refuses::<AtMost<Duration>>("8s", "write `\"<= 8s\"`");
        refuses::<AtMost<Duration>>("<= 8", "write `8s`");
    }

    #[test]
    fn prices_are_dollars_per_million_tokens() {
        reads("3.00", Price(0.000_003));
        reads("$0.15", Price(0.000_000_15));
        assert_eq!(Price(0.000_003).to_string(), "3");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(nanos in 0..LONGEST.as_nanos(), float in 0.0..1.0f64, count: u64) {
            let duration = Duration(Span::from_nanos(nanos));
            prop_assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
            prop_assert_eq!(Share::parse(&Share(float).to_string()), Ok(Share(float)));
            prop_assert_eq!(Rate::parse(&Rate(float * 1e4).to_string()), Ok(Rate(float * 1e4)));
            prop_assert_eq!(Price::parse(&Price(float / 1e3).to_string()), Ok(Price(float / 1e3)));
            prop_assert_eq!(Seconds::parse(&Seconds(float).to_string()), Ok(Seconds(float)));
            prop_assert_eq!(Count::parse(&Count(count).to_string()), Ok(Count(count)));
        }

        #[test]
        fn no_text_makes_a_quantity_panic(text in ".{0,30}") {
            let _ = (Duration::parse(&text), Rate::parse(&text), Count::parse(&text), Share::parse(&text));
            let _ = (Price::parse(&text), Plain::parse(&text), AtLeast::<Share>::parse(&text));
        }
    }
}
