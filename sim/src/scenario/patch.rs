//! Changes that a scenario makes to the LiteLLM config it drills.

use crate::litellm::{Mapping, Node, Value};

use super::quantity::Complaint;

/// One change: the value at a path becomes another.
#[derive(Clone, PartialEq, Debug)]
pub struct Patch {
    /// Keys and positions in lists, from 0, with dots between them: `model_list.2.litellm_params.rpm`.
    pub path: String,
    /// What is there instead. A map is laid over a map that is there; everything else replaces.
    pub value: Node,
}

impl Patch {
    /// Makes the change.
    ///
    /// # Errors
    /// The path leads through something that has no such part.
    pub fn apply(&self, config: &mut Node) -> Result<(), Complaint> {
        const HELP: &str = "paths are keys and positions in lists, from 0: `model_list.0.litellm_params.rpm`";
        let mut place = config;
        let mut walked: Vec<&str> = Vec::new();
        for segment in self.path.split('.') {
            let through = if walked.is_empty() { "the config".to_owned() } else { format!("`{}`", walked.join(".")) };
            place =
                step(place, segment).map_err(|message| Complaint::new(format!("{through} {message}")).help(HELP))?;
            walked.push(segment);
        }
        lay_over(place, &self.value);
        Ok(())
    }
}

/// The part of `place` that a segment names. A key that is missing is made.
///
/// # Errors
/// What `place` is instead, when it has no such part.
pub(crate) fn step<'a>(place: &'a mut Node, segment: &str) -> Result<&'a mut Node, String> {
    if segment.is_empty() {
        return Err("is followed by an empty key in this path".to_owned());
    }
    if place.is_null() {
        place.value = Value::Mapping(Mapping::default());
    }
    match &mut place.value {
        Value::Mapping(mapping) => Ok(mapping.get_or_insert(segment)),
        Value::Sequence(items) => {
            let count = items.len();
            let item = segment.parse::<usize>().ok().and_then(|index| items.get_mut(index));
            item.ok_or_else(|| format!("is a list of {count}: `{segment}` is not a position in it, from 0"))
        }
        value => Err(format!("is {}, not a map with the key `{segment}`", value.kind())),
    }
}

/// Maps are merged, key by key and level by level; anything else is replaced.
fn lay_over(place: &mut Node, value: &Node) {
    if let (Value::Mapping(below), Value::Mapping(above)) = (&mut place.value, &value.value) {
        for (key, value) in above.iter() {
            match key.text() {
                Some(name) => lay_over(below.get_or_insert(name), value),
                None => below.set(key.value.clone(), value.clone()),
            }
        }
        return;
    }
    *place = value.clone();
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn patched(config: Json, path: &str, value: Json) -> Result<Node, String> {
        let mut config = Node::from_json(&config);
        let patch = Patch { path: path.to_owned(), value: Node::from_json(&value) };
        patch.apply(&mut config).map(|()| config).map_err(|complaint| complaint.message)
    }

    #[track_caller]
    fn gives(config: Json, path: &str, value: Json, expected: Json) {
        assert_eq!(patched(config, path, value), Ok(Node::from_json(&expected)));
    }

    #[test]
    fn maps_are_merged_and_everything_else_is_replaced() {
        gives(
            json!({"router_settings": {"num_retries": 2, "args": {"ttl": 1}, "fallbacks": [1, 2]}}),
            "router_settings",
            json!({"num_retries": 0, "args": {"buffer": 0.5}, "fallbacks": []}),
            json!({"router_settings": {"num_retries": 0, "args": {"ttl": 1, "buffer": 0.5}, "fallbacks": []}}),
        );
    }

    #[test]
    fn missing_maps_are_made() {
        gives(json!({"a": 1}), "b.c", json!(2), json!({"a": 1, "b": {"c": 2}}));
        gives(json!({"b": null}), "b", json!({"c": 2}), json!({"b": {"c": 2}}));
    }

    #[test]
    fn lists_are_walked_by_position() {
        gives(json!({"l": [{"a": 1}, {"a": 2}]}), "l.1.a", json!(3), json!({"l": [{"a": 1}, {"a": 3}]}));
        let message = patched(json!({"l": [1, 2]}), "l.2", json!(3)).expect_err("beyond the end");
        assert_eq!(message, "`l` is a list of 2: `2` is not a position in it, from 0");
    }

    #[test]
    fn a_path_through_a_value_is_refused() {
        let message = patched(json!({"a": {"b": 1}}), "a.b.c", json!(3)).expect_err("a number has no keys");
        assert_eq!(message, "`a.b` is an integer, not a map with the key `c`");
        assert!(patched(json!({}), "a..b", json!(3)).is_err());
    }
}
