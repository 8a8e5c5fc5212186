//! Rounder and lower numbers, and one value in place of several.

use router_core::Span;

use super::document::Document;
use crate::litellm::{Mapping, Node, Value};
use crate::scenario::quantity::{Count, Duration, Plain, Quantity as _, Rate};

/// Top keys whose numbers are left alone: what is promised, what names the run, and the config, where a lower number is
/// another setting and no smaller one.
const LEFT_ALONE: [&str; 7] = ["name", "seed", "start", "litellm", "expect", "config", "mode"];

/// Keys below the others whose numbers are left alone. A lower status is another error, and a lower deadline is an impatient
/// caller, which breaks promises by itself.
const OTHERS: [&str; 3] = ["status", "deadline", "label"];

/// Spans in milliseconds. Zero is a moment and no length; fractions of a second take the place of fractions only.
const SPANS: [u64; 15] =
    [0, 1, 10, 100, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000];

/// Requests per second.
const RATES: [f64; 12] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

/// Never zero: nothing at all is another world, and no smaller one.
const COUNTS: [u64; 15] = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000];

impl Document {
    /// The document with simpler things in the `index`-th place where there may be some, the simplest first. `None`: there
    /// is no such place.
    pub(super) fn simpler(&self, index: usize) -> Option<Vec<Self>> {
        let mut places = 0;
        let mut found = None;
        visit(&self.0, &mut Vec::new(), &mut |keys, node, place| {
            if places == index {
                found = Some((place.to_vec(), simpler(keys, node)));
            }
            places += 1;
        });
        let (place, values) = found?;
        Some(values.into_iter().map(|value| Self(with(&self.0, &place, &value))).collect())
    }
}

/// Is told of a node: the keys that lead to it, the node, its place.
type Visitor<'a> = dyn FnMut(&[&str], &Node, &[usize]) + 'a;

/// Calls `each` with every scalar and every map of the scenario itself, in the order of the file.
fn visit(root: &Node, place: &mut Vec<usize>, each: &mut Visitor<'_>) {
    fn walk<'a>(node: &'a Node, keys: &mut Vec<&'a str>, place: &mut Vec<usize>, each: &mut Visitor<'_>) {
        match &node.value {
            Value::Mapping(map) => {
                each(keys, node, place);
                for (index, (key, value)) in map.iter().enumerate() {
                    let key = key.text().unwrap_or("");
                    if keys.is_empty() && LEFT_ALONE.contains(&key) || OTHERS.contains(&key) {
                        continue;
                    }
                    keys.push(key);
                    place.push(index);
                    walk(value, keys, place, each);
                    place.pop();
                    keys.pop();
                }
            }
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    place.push(index);
                    walk(item, keys, place, each);
                    place.pop();
                }
            }
            _ => each(keys, node, place),
        }
    }
    walk(root, &mut Vec::new(), place, each);
}

/// What may stand in place of a value, the simplest first.
fn simpler(keys: &[&str], node: &Node) -> Vec<Value> {
    match &node.value {
        Value::Mapping(map) if keys.last() == Some(&"arrivals") => evenly(map),
        Value::Mapping(map) => one_for_all(map),
        Value::Text(text) => lower(keys.last().copied().unwrap_or(""), text).into_iter().map(Value::Text).collect(),
        _ => Vec::new(),
    }
}

/// Requests at equal distances in place of any other arrivals.
fn evenly(arrivals: &Mapping) -> Vec<Value> {
    if arrivals.get("constant").is_some() {
        return Vec::new();
    }
    let rates = arrivals.get("poisson").and_then(Node::as_text).and_then(|text| Rate::parse(text).ok());
    let rates = RATES[..6].iter().copied().chain(rates.map(|Rate(rate)| rate));
    let constant = |rate: f64| {
        let mut map = Mapping::default();
        map.set(Value::Text("constant".to_owned()), text(Rate(rate).to_string()));
        Value::Mapping(map)
    };
    rates.map(constant).collect()
}

/// The first of some quantiles in place of all of them.
fn one_for_all(map: &Mapping) -> Vec<Value> {
    let is_quantile = |key: &str| key == "max" || key.strip_prefix('p').is_some_and(|rest| rest.parse::<f64>().is_ok());
    let all = !map.is_empty() && map.iter().all(|(key, _)| key.text().is_some_and(is_quantile));
    map.iter().next().filter(|_| all).map(|(_, value)| value.value.clone()).into_iter().collect()
}

/// Lower numbers of the same kind.
fn lower(key: &str, written: &str) -> Vec<String> {
    if let Ok(Duration(span)) = Duration::parse(written) {
        let least = match key {
            "at" => 0,
            _ if span < Span::from_secs(1) => 1,
            _ => 1_000,
        };
        let spans = SPANS.iter().filter(|millis| **millis >= least).map(|millis| Span::from_millis(*millis));
        return spans.take_while(|lower| *lower < span).map(|lower| Duration(lower).to_string()).collect();
    }
    if let Ok(Rate(rate)) = Rate::parse(written) {
        return RATES.iter().take_while(|lower| **lower < rate).map(|lower| Rate(*lower).to_string()).collect();
    }
    let number = Count::parse(written).map(|Count(count)| count as f64);
    if let Ok(number) = number.or_else(|_| Plain::parse(written).map(|Plain(number)| number)) {
        return COUNTS.iter().take_while(|lower| (**lower as f64) < number).map(u64::to_string).collect();
    }
    Vec::new()
}

fn text(text: String) -> Node {
    Node { span: 0..0, value: Value::Text(text) }
}

/// The tree with another value in a place.
fn with(node: &Node, place: &[usize], value: &Value) -> Node {
    let Some((&first, rest)) = place.split_first() else { return Node { span: 0..0, value: value.clone() } };
    let child = |index: usize, child: &Node| if index == first { with(child, rest, value) } else { child.clone() };
    let value = match &node.value {
        Value::Mapping(map) => {
            let mut changed = Mapping::default();
            for (index, (key, value)) in map.iter().enumerate() {
                changed.set(key.value.clone(), child(index, value));
            }
            Value::Mapping(changed)
        }
        Value::Sequence(items) => {
            Value::Sequence(items.iter().enumerate().map(|(index, item)| child(index, item)).collect())
        }
        other => other.clone(),
    };
    Node { span: 0..0, value }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_go_down_a_ladder_of_round_ones() {
        assert_eq!(lower("for", "15s"), ["1s", "2s", "5s", "10s"]);
        assert_eq!(lower("at", "10ms"), ["0s", "1ms"]);
        assert_eq!(lower("ttft", "20ms"), ["1ms", "10ms"]);
        assert_eq!(lower("poisson", "2/s"), ["0.1/s", "0.2/s", "0.5/s", "1/s"]);
        assert_eq!(lower("p50", "4k")[..3], ["1", "2", "3"]);
        assert!(["provider:azure", "revoked", "0"].into_iter().all(|text| lower("on", text).is_empty()));
    }

    #[test]
    fn promises_names_and_settings_are_left_alone() {
        let document = Document(Node::from_json(&json!({
            "seed": "7", "duration": "2s", "expect": {"latency": {"p99": "8s"}}, "config": {"model_list": ["4"]},
            "faults": [{"inject": {"status": "503"}}],
        })));
        let mut index = 0;
        let mut changes = 0;
        while let Some(candidates) = document.simpler(index) {
            for candidate in candidates {
                changes += 1;
                assert_eq!(candidate.0.get("expect"), document.0.get("expect"));
                assert_eq!(candidate.0.get("faults"), document.0.get("faults"));
                assert_ne!(candidate.0.get("duration"), document.0.get("duration"));
            }
            index += 1;
        }
        assert_eq!(changes, 1);
    }

    #[test]
    fn one_quantile_stands_for_all() {
        let map = Node::from_json(&json!({"p50": "800", "p95": "4000"}));
        assert_eq!(simpler(&["prompt_tokens"], &map), [Value::Text("800".to_owned())]);
        assert!(simpler(&[], &Node::from_json(&json!({"at": "1s"}))).is_empty());
    }
}
