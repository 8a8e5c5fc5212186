//! What `--vary` says: which setting, and which values it takes.

use crate::litellm::{self, Node, Value};
use crate::scenario::quantity::{Complaint, Duration, Quantity as _};
use crate::source::Source;

/// A setting and the values that are tried for it.
#[derive(Clone, PartialEq, Debug)]
pub struct Vary {
    /// As it was written.
    pub text: String,
    /// The keys that lead to the setting; positions in lists count from 0, `*` is all of them.
    pub path: Vec<String>,
    /// What is tried, in order.
    pub levels: Vec<Level>,
}

/// One value of a setting.
#[derive(Clone, PartialEq, Debug)]
pub struct Level {
    /// The value.
    pub value: Node,
    /// As it stands in a config.
    pub label: String,
}

/// A setting with more values than this is no setting that somebody chooses.
const LEVELS_MAX: usize = 1000;

/// Whole numbers up to so many are all tried.
const WHOLE_MAX: i128 = 20;

/// About so many values stand for a range of numbers.
const LADDER: f64 = 12.0;

/// Lengths of time, in seconds, that people choose.
const SECONDS: [f64; 21] =
    [1., 2., 3., 5., 7., 10., 15., 20., 30., 45., 60., 90., 120., 180., 300., 600., 900., 1800., 3600., 7200., 14400.];

const FORMS: &str = "write `PATH=0..5`, `PATH=1s..120s`, `PATH=5s..60s/5s` or `PATH=a,b,c`";

impl Vary {
    /// Reads `router_settings.num_retries=0..5`.
    ///
    /// A range has both its ends. Whole numbers are all tried when there are few; of many, and of numbers with
    /// fractions and lengths of time, round values are, unless a step is given behind a slash. Everything else is a
    /// list of values with commas, each as YAML has it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let Some((path, values)) = text.split_once('=') else {
            return Err(Complaint::new("it has no `=` between the setting and its values").help(FORMS));
        };
        let path = path.trim().replace('[', ".").replace(']', "");
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err(Complaint::new("a key of its path is empty").help("write `router_settings.num_retries=0..5`"));
        }
        let values = values.trim();
        let levels = match values.split_once("..") {
            Some((from, to)) if !values.contains(['[', '{', ',', '"', '\'']) => range(from, to)?,
            _ => listed(values)?,
        };
        // LiteLLM takes them all the same, and treats them in ways that nobody means: less than no retries, time or weight.
        if let Some(level) = levels.iter().find(|level| level.number_value().is_some_and(|value| value < 0.0)) {
            let message = format!("`{}` is below zero, and no setting of a router means anything there", level.label);
            return Err(Complaint::new(message).help("begin at 0 or above"));
        }
        if levels.len() > LEVELS_MAX {
            let message = format!("these are {} values, and {LEVELS_MAX} are the most", levels.len());
            return Err(Complaint::new(message).help("take a larger step"));
        }
        Ok(Self { text: text.to_owned(), path, levels })
    }
}

impl Level {
    fn of(value: Value) -> Self {
        let label = litellm::written(&value);
        Self { value: Node { span: 0..0, value }, label }
    }

    fn number(number: f64) -> Self {
        // Within this range the conversion is exact.
        let whole = number.fract() == 0.0 && number.abs() < 1e15;
        Self::of(if whole { Value::Int(number as i128) } else { Value::Float(number) })
    }

    /// Its value as a number, where it is one.
    pub fn number_value(&self) -> Option<f64> {
        match self.value.value {
            Value::Int(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            _ => None,
        }
    }
}

/// A number, and whether it is a length of time.
fn number(text: &str) -> Result<(f64, bool), Complaint> {
    let text = text.trim();
    let bad = |message: String| Err(Complaint::new(message).help(FORMS));
    if text.is_empty() {
        return bad("an end of its range is missing".to_owned());
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((value, false)),
        Ok(_) => bad(format!("`{text}` is no number that a setting can have")),
        Err(_) => match Duration::parse(text) {
            Ok(Duration(span)) => Ok((span.as_secs_f64(), true)),
            Err(_) => bad(format!("`{text}` is neither a number nor a length of time")),
        },
    }
}

fn range(from: &str, to: &str) -> Result<Vec<Level>, Complaint> {
    let (to, step) = to.split_once('/').map_or((to, None), |(to, step)| (to, Some(step)));
    let ((low, time), (high, time_too)) = (number(from)?, number(to)?);
    if time != time_too {
        return Err(Complaint::new("one end of its range is a length of time and the other is not").help(FORMS));
    }
    if low > high {
        let (from, to) = (from.trim(), to.trim());
        return Err(Complaint::new("its range is reversed").help(format!("write `{to}..{from}`")));
    }
    if low == high {
        return Err(Complaint::new("its range is empty: both ends are the same").help("give two ends that differ"));
    }
    let numbers = match step {
        Some(step) => {
            let (step, _) = number(step)?;
            if step <= 0.0 || step > high - low || (high - low) / step > LEVELS_MAX as f64 {
                let help = format!("a step is above 0, fits into the range, and makes {LEVELS_MAX} values at most");
                return Err(Complaint::new("its step does not fit").help(help));
            }
            evenly(low, high, step)
        }
        None => ladder(low, high, time),
    };
    Ok(numbers.into_iter().map(Level::number).collect())
}

/// Multiples of a step from the lower end, and the upper end.
fn evenly(low: f64, high: f64, step: f64) -> Vec<f64> {
    let count = ((high - low) / step + 1e-9).floor() as u64;
    let mut all: Vec<f64> = (0..=count).map(|index| round(low + index as f64 * step)).collect();
    if all.last().is_some_and(|last| high - last > step * 1e-6) {
        all.push(high);
    }
    all
}

/// Without the last digits, which are noise of the arithmetic.
fn round(value: f64) -> f64 {
    format!("{value:.9}").parse().unwrap_or(value)
}

/// Round values between two ends, and the ends.
fn ladder(low: f64, high: f64, time: bool) -> Vec<f64> {
    let whole = low.fract() == 0.0 && high.fract() == 0.0;
    if whole && !time && high - low <= WHOLE_MAX as f64 {
        return evenly(low, high, 1.0);
    }
    let wide = low > 0.0 && high / low >= 10.0 || low == 0.0 && whole && high > WHOLE_MAX as f64;
    let inner: Vec<f64> = if wide && time && low >= 1.0 {
        SECONDS.to_vec()
    } else if wide {
        let least = if low > 0.0 { low } else { 1.0 };
        let decades = (-12..=15).flat_map(|ten| [1, 2, 3, 5, 7].map(|digit| format!("{digit}e{ten}")));
        decades.filter_map(|text| text.parse().ok()).filter(|value| *value >= least).collect()
    } else {
        let steps = (-12..=15).flat_map(|ten| [1, 2, 5].map(|digit| format!("{digit}e{ten}")));
        let step = steps.filter_map(|text| text.parse::<f64>().ok()).find(|step| (high - low) / step <= LADDER);
        let step = step.unwrap_or(high - low);
        let first = (low / step).ceil();
        (0..=LADDER as u32).map(|index| round((first + f64::from(index)) * step)).collect()
    };
    let between = inner.into_iter().filter(|value| low < *value && *value < high);
    std::iter::once(low).chain(between).chain([high]).collect()
}

/// Values with commas between them, each as YAML has it.
fn listed(text: &str) -> Result<Vec<Level>, Complaint> {
    let source = Source::new("--vary", format!("[{text}]"));
    let document = litellm::parse(&source).map_err(|_| Complaint::new("its values are not YAML").help(FORMS))?;
    let items = document.root.as_sequence().unwrap_or_default();
    let mut levels: Vec<Level> = Vec::with_capacity(items.len());
    for item in items {
        if matches!(item.value, Value::Float(value) if !value.is_finite()) || nan_text(&item.value) {
            let written = &source.text()[item.span.clone()];
            return Err(Complaint::new(format!("`{written}` is no number that a setting can have")).help(FORMS));
        }
        let level = Level::of(item.value.clone());
        if levels.iter().any(|known| known.label == level.label) {
            return Err(Complaint::new(format!("`{}` is there twice", level.label)).help("give each value once"));
        }
        levels.push(level);
    }
    if levels.is_empty() {
        return Err(Complaint::new("no values are given").help(FORMS));
    }
    Ok(levels)
}

/// YAML 1.1 writes `.nan`; people write `NaN`.
fn nan_text(value: &Value) -> bool {
    matches!(value, Value::Text(text) if matches!(text.to_ascii_lowercase().as_str(), "nan" | "inf" | "-inf"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> String {
        let vary = Vary::parse(&format!("a.b={text}")).unwrap();
        vary.levels.iter().map(|level| level.label.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn refused(text: &str) -> String {
        Vary::parse(text).unwrap_err().message
    }

    #[test]
    fn ranges_have_both_ends_and_round_values_between() {
        assert_eq!(labels("0..5"), "0 1 2 3 4 5");
        assert_eq!(labels("1s..120s"), "1 2 3 5 7 10 15 20 30 45 60 90 120");
        assert_eq!(labels("0.5..60"), "0.5 0.7 1 2 3 5 7 10 20 30 50 60");
        assert_eq!(labels("250ms..2s"), "0.25 0.4 0.6 0.8 1 1.2 1.4 1.6 1.8 2");
        assert_eq!(labels("5s..60s/20s"), "5 25 45 60");
        assert_eq!(labels("0..1000"), "0 1 2 3 5 7 10 20 30 50 70 100 200 300 500 700 1000");
    }

    #[test]
    fn lists_hold_whatever_yaml_does() {
        assert_eq!(labels("true,false"), "true false");
        assert_eq!(labels("simple-shuffle, least-busy"), "simple-shuffle least-busy");
        assert_eq!(labels("[a,b],[b,a]"), "[a, b] [b, a]");
    }

    #[test]
    fn entries_of_lists_are_named_by_position() {
        let path = Vary::parse("model_list[2].litellm_params.weight=1,2").unwrap().path;
        assert_eq!(path, ["model_list", "2", "litellm_params", "weight"]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert_eq!(refused("a.b=5..1"), "its range is reversed");
        assert_eq!(refused("a.b=3..3"), "its range is empty: both ends are the same");
        assert_eq!(refused("a.b=1..NaN"), "`NaN` is no number that a setting can have");
        assert_eq!(refused("a.b=NaN"), "`NaN` is no number that a setting can have");
        assert_eq!(refused("a.b=.inf,2"), "`.inf` is no number that a setting can have");
        let negative =
            |value: &str| format!("`{value}` is below zero, and no setting of a router means anything there");
        assert_eq!((refused("a.b=-1..3"), refused("a.b=3,-0.5")), (negative("-1"), negative("-0.5")));
        assert_eq!(refused("a.b=1s..5"), "one end of its range is a length of time and the other is not");
        assert_eq!(refused("a.b="), "no values are given");
        assert_eq!(refused("a.b=0..5/0"), "its step does not fit");
        assert_eq!(refused("a.b=1.."), "an end of its range is missing");
        assert_eq!(refused("a..b=1,2"), "a key of its path is empty");
        assert_eq!(refused("a.b"), "it has no `=` between the setting and its values");
        assert_eq!(refused("a.b=1,1"), "`1` is there twice");
    }
}
