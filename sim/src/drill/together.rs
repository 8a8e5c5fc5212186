//! Several edits of a config made at once.

use serde_json::Value as Json;

use super::edit::{Change, Edit, Put};

/// Several edits as one.
#[derive(Clone, PartialEq, Debug)]
pub struct Together {
    /// All changes that go together.
    pub edit: Edit,
    /// Those that do not: an earlier edit sets the same key to something else.
    pub left_out: Vec<LeftOut>,
}

/// A change that was not made.
#[derive(Clone, PartialEq, Debug)]
pub struct LeftOut {
    /// Whose it is, by its place among the edits.
    pub edit: usize,
    /// The change.
    pub change: Change,
    /// What is set there instead.
    pub kept: Json,
}

/// Puts edits together. Of two that set the same key the earlier one has it; what two of them add is added once; fallbacks
/// that two of them give the same name stand in one entry, because LiteLLM reads no second one.
pub fn together(edits: &[&Edit]) -> Together {
    let mut all = Together { edit: Edit { changes: Vec::new() }, left_out: Vec::new() };
    for (index, edit) in edits.iter().enumerate() {
        for change in &edit.changes {
            let known = all.edit.changes.iter_mut().filter(|known| known.place == change.place);
            match merge(known, change) {
                Merged::Known => {}
                Merged::New => all.edit.changes.push(change.clone()),
                Merged::Against(kept) => all.left_out.push(LeftOut { edit: index, change: change.clone(), kept }),
            }
        }
    }
    // What stands under the same key comes together; sections keep the order in which they came up.
    let sections: Vec<String> = all.edit.changes.iter().filter_map(|change| change.place.first().cloned()).collect();
    let rank = |change: &Change| sections.iter().position(|section| change.place.first() == Some(section));
    all.edit.changes.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.place.cmp(&b.place)));
    all
}

enum Merged {
    /// It is made already.
    Known,
    /// It is one more.
    New,
    /// Another value is set there.
    Against(Json),
}

fn merge<'a>(known: impl Iterator<Item = &'a mut Change>, change: &Change) -> Merged {
    for one in known {
        match (&mut one.put, &change.put) {
            (Put::Set(kept), Put::Set(value)) if kept != value => return Merged::Against(kept.clone()),
            (Put::Set(_), Put::Set(_)) => return Merged::Known,
            (Put::Append(kept), Put::Append(value)) if kept == value => return Merged::Known,
            (Put::Append(kept), Put::Append(value)) => {
                if let (Some((name, list)), Some((other, more))) = (entry_mut(kept), entry(value))
                    && name == other
                {
                    let more: Vec<Json> = more.iter().filter(|item| !list.contains(item)).cloned().collect();
                    list.extend(more);
                    return Merged::Known;
                }
            }
            _ => {}
        }
    }
    Merged::New
}

/// An entry of a list of fallbacks: one name with its targets.
fn entry(value: &Json) -> Option<(&str, &Vec<Json>)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    let (name, list) = object.iter().next()?;
    Some((name, list.as_array()?))
}

fn entry_mut(value: &mut Json) -> Option<(String, &mut Vec<Json>)> {
    let object = value.as_object_mut().filter(|object| object.len() == 1)?;
    let (name, list) = object.iter_mut().next()?;
    Some((name.clone(), list.as_array_mut()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(place: &str, put: Put) -> Change {
        Change { place: place.split('.').map(str::to_owned).collect(), put }
    }

    fn edit(changes: &[Change]) -> Edit {
        Edit { changes: changes.to_vec() }
    }

    #[test]
    fn what_two_edits_add_is_added_once() {
        let entry = change("model_list", Put::Append(json!({"model_name": "x", "litellm_params": {}})));
        let timeout = change("router_settings.timeout", Put::Set(json!(15)));
        let all = together(&[&edit(std::slice::from_ref(&entry)), &edit(&[timeout.clone(), entry.clone()])]);
        assert_eq!(all.edit.changes, [entry, timeout]);
        assert!(all.left_out.is_empty());
    }

    #[test]
    fn of_two_values_for_a_key_the_first_one_is_set_and_the_other_one_named() {
        let set = |value: i64| change("router_settings.num_retries", Put::Set(json!(value)));
        let all = together(&[&edit(&[set(2)]), &edit(&[set(0)])]);
        assert_eq!(all.edit.changes, [set(2)]);
        assert_eq!(all.left_out, [LeftOut { edit: 1, change: set(0), kept: json!(2) }]);
    }

    #[test]
    fn fallbacks_of_one_name_stand_in_one_entry() {
        let to = |name: &str, list: Json| change("router_settings.fallbacks", Put::Append(json!({ name: list })));
        let edits = [
            edit(&[to("a", json!(["b"]))]),
            edit(&[to("c", json!(["b"]))]),
            edit(&[to("a", json!(["d"]))]),
            edit(&[to("a", json!(["b"]))]),
        ];
        let all = together(&edits.iter().collect::<Vec<_>>());
        assert_eq!(all.edit.changes, [to("a", json!(["b", "d"])), to("c", json!(["b"]))]);
    }
}
