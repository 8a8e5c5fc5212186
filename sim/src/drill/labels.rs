//! Short names of deployments.

use std::collections::BTreeMap;

use router_core::{Config, Plan};

/// A short name for each deployment of a configuration, unique and the same on every run: its id where the operator
/// wrote one, else the group, and the how-manieth of it where there are several: `gpt-4#2`. An id that several entries
/// share is numbered too, for it alone means all of them.
pub fn of_config(config: &Config) -> Vec<String> {
    labels(config.model_list.iter().map(|entry| (entry.model_name.as_str(), entry.id.as_str())))
}

/// The same, from a plan.
pub fn of_plan(plan: &Plan) -> Vec<String> {
    labels(plan.deployments().iter().map(|deployment| (deployment.model_name.as_str(), deployment.id.as_str())))
}

/// LiteLLM derives ids as SHA-256 in hexadecimal.
const DERIVED_ID_LENGTH: usize = 64;

fn labels<'a>(entries: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Vec<String> {
    let mut members: BTreeMap<&str, usize> = BTreeMap::new();
    for (group, _) in entries.clone() {
        *members.entry(group).or_default() += 1;
    }
    let mut sharing: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, id) in entries.clone() {
        *sharing.entry(id).or_default() += 1;
    }
    let mut so_far: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ids_so_far: BTreeMap<&str, usize> = BTreeMap::new();
    let mut labels: Vec<String> = Vec::new();
    for (group, id) in entries {
        let nth = so_far.entry(group).or_default();
        *nth += 1;
        let derived = id.len() >= DERIVED_ID_LENGTH || id.is_empty();
        let mut label = if !derived && sharing[id] > 1 {
            let nth = ids_so_far.entry(id).or_default();
            *nth += 1;
            format!("{id}#{nth}")
        } else if !derived {
            id.to_owned()
        } else if members[group] == 1 {
            group.to_owned()
        } else {
            format!("{group}#{nth}")
        };
        // An id may look like a group's name, or like the numbered name of another.
        while labels.contains(&label) {
            label.push('\'');
        }
        labels.push(label);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(entries: &[(&str, &str)]) -> Vec<String> {
        labels(entries.iter().copied())
    }

    #[test]
    fn members_of_a_group_are_numbered_and_a_lone_one_is_not() {
        assert_eq!(labelled(&[("gpt-4", ""), ("claude", ""), ("gpt-4", "")]), ["gpt-4#1", "claude", "gpt-4#2"]);
    }

    #[test]
    fn an_id_that_somebody_wrote_is_the_name() {
        let derived = "0".repeat(DERIVED_ID_LENGTH);
        assert_eq!(labelled(&[("gpt-4", "east"), ("gpt-4", &derived)]), ["east", "gpt-4#2"]);
    }

    #[test]
    fn an_id_that_entries_share_is_numbered() {
        assert_eq!(labelled(&[("gpt-4", "east"), ("gpt-4", "east"), ("east", "")]), ["east#1", "east#2", "east"]);
    }

    #[test]
    fn names_are_unique() {
        assert_eq!(labelled(&[("gpt-4", "a#1"), ("gpt-4", "a"), ("gpt-4", "a")]), ["a#1", "a#1'", "a#2"]);
    }
}
