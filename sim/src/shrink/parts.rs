//! What can be taken out of a document.

use std::collections::BTreeSet;

use super::document::Document;
use crate::litellm::{Mapping, Node, Value};

/// Where a part is: positions in maps and lists, from the top.
pub(super) type Place = Vec<usize>;

/// What no scenario can do without, and what the search must leave as it is.
const KEPT: [&[&str]; 6] = [&["name"], &["seed"], &["duration"], &["traffic"], &["expect"], &["config", "model_list"]];

/// How deep the lists and maps of a config go that are worth looking into.
const DEPTH_MAX: usize = 8;

impl Document {
    /// How many levels it has.
    pub(super) fn depth(&self) -> usize {
        fn depth(node: &Node) -> usize {
            match &node.value {
                Value::Mapping(map) => 1 + map.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
                Value::Sequence(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
                _ => 0,
            }
        }
        depth(&self.0).min(DEPTH_MAX)
    }

    /// The parts that are so many levels below the top, in the order of the file.
    pub(super) fn parts(&self, level: usize) -> Vec<Place> {
        let mut parts = Vec::new();
        gather(&self.0, level, &mut Vec::new(), &mut Vec::new(), &mut parts);
        parts
    }

    /// The document without these parts, and without what is empty because of that.
    pub(super) fn without(&self, out: &BTreeSet<Place>) -> Self {
        Self(strip(&self.0, &mut Vec::new(), out).unwrap_or_else(|| self.0.clone()))
    }
}

fn gather<'a>(node: &'a Node, level: usize, place: &mut Place, keys: &mut Vec<&'a str>, parts: &mut Vec<Place>) {
    let children: Vec<(&str, &Node)> = match &node.value {
        Value::Mapping(map) => map.iter().map(|(key, value)| (key.text().unwrap_or(""), value)).collect(),
        Value::Sequence(items) => items.iter().map(|item| ("", item)).collect(),
        _ => return,
    };
    for (index, (key, child)) in children.into_iter().enumerate() {
        place.push(index);
        keys.push(key);
        // What is kept is kept with everything above it; below a promise nothing is touched.
        let holds_kept = KEPT.iter().any(|kept| kept.starts_with(keys));
        if level == 1 && !holds_kept {
            parts.push(place.clone());
        } else if level > 1 && keys.first() != Some(&"expect") {
            gather(child, level - 1, place, keys, parts);
        }
        keys.pop();
        place.pop();
    }
}

/// `None`: nothing is left of it.
fn strip(node: &Node, place: &mut Place, out: &BTreeSet<Place>) -> Option<Node> {
    if out.contains(place) {
        return None;
    }
    let mut child = |index: usize, child: &Node| {
        place.push(index);
        let left = strip(child, place, out);
        place.pop();
        left
    };
    let value = match &node.value {
        Value::Mapping(map) => {
            let mut left = Mapping::default();
            for (index, (key, value)) in map.iter().enumerate() {
                if let Some(value) = child(index, value) {
                    left.set(key.value.clone(), value);
                }
            }
            if left.is_empty() && !map.is_empty() {
                return None;
            }
            Value::Mapping(left)
        }
        Value::Sequence(items) => {
            let left: Vec<Node> = items.iter().enumerate().filter_map(|(index, item)| child(index, item)).collect();
            if left.is_empty() && !items.is_empty() {
                return None;
            }
            Value::Sequence(left)
        }
        value => value.clone(),
    };
    Some(Node { span: 0..0, value })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Document {
        Document(Node::from_json(&json!({
            "name": "a", "faults": [{"at": "1s", "on": ["x", "y"]}], "expect": {"availability": ">= 1%"},
            "config": {"model_list": [{"model_name": "m"}], "router_settings": {"timeout": 1}},
        })))
    }

    #[test]
    fn what_must_stay_is_no_part() {
        assert_eq!(document().parts(1), [vec![1]]);
        assert_eq!(document().parts(2), [vec![1, 0], vec![3, 1]]);
        assert_eq!(document().parts(3), [vec![1, 0, 0], vec![1, 0, 1], vec![3, 0, 0], vec![3, 1, 0]]);
    }

    #[test]
    fn what_becomes_empty_goes_too() {
        let left = document().without(&BTreeSet::from([vec![1, 0], vec![3, 1, 0]]));
        let expected = json!({
            "name": "a", "expect": {"availability": ">= 1%"}, "config": {"model_list": [{"model_name": "m"}]},
        });
        assert_eq!(left, Document(Node::from_json(&expected)));
    }
}
