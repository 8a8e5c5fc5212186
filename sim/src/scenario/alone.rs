//! A scenario that stands alone: its config, with every change that the scenario makes to it, within the file.
//!
//! What must not leave the config file does not: keys and passwords in clear text are replaced. LiteLLM hashes them into the
//! ids of deployments, and a deployment's id names its stream of random numbers, so such a deployment keeps its id.

use std::path::{Path, PathBuf};

use router_core::Time;

use super::expand::expanded;
use super::meant::{Arrivals, Origin, Recording, Scenario, Traffic};
use crate::litellm::{self, Mapping, Node, Value};
use crate::problem::{Problem, Problems};
use crate::secrets::{is_reference, is_secret_key, mask_line};
use crate::source::{CONFIG_BYTES_MAX, Source};

/// The sections of a config that decide how the router routes; the others stay behind.
const SECTIONS: [&str; 4] = ["model_list", "router_settings", "litellm_settings", "general_settings"];

/// The scenario as the text of a file that needs no other file.
///
/// # Errors
/// When its config has become unreadable since the scenario was loaded.
pub fn standing_alone(scenario: &Scenario) -> Result<String, Problems> {
    let inline = Some(config_alone(scenario)?);
    let origin = Origin { config: PathBuf::new(), inline, patches: Vec::new() };
    let traffic = traffic_alone(scenario);
    Ok(expanded(&Scenario { origin, traffic, ..scenario.clone() }, Path::new("")))
}

/// The traffic of a scenario with recorded requests within it, as far as they come while the run takes requests.
pub(crate) fn traffic_alone(scenario: &Scenario) -> Vec<Traffic> {
    let mut traffic = scenario.traffic.clone();
    for one in &mut traffic {
        if let Arrivals::Trace(recording) = &mut one.arrivals {
            let end = Time::ZERO + scenario.duration;
            let rows = recording.rows.iter().take_while(|row| row.at <= end).copied().collect();
            *recording = Recording { rows, file: PathBuf::new(), every: 1, skip: 0 };
        }
    }
    traffic
}

/// The config of a scenario as it is drilled: with the scenario's changes, without secrets, and without the sections that
/// decide nothing.
///
/// # Errors
/// When the config has become unreadable since the scenario was loaded.
pub fn config_alone(scenario: &Scenario) -> Result<Node, Problems> {
    let mut root = match &scenario.origin.inline {
        Some(root) => root.clone(),
        None => litellm::parse(&Source::read(&scenario.origin.config, CONFIG_BYTES_MAX)?)?.root,
    };
    for patch in &scenario.origin.patches {
        patch.apply(&mut root).map_err(|complaint| {
            let name = scenario.origin.config.display().to_string();
            Problem::of_file(&name, complaint.message, complaint.help.unwrap_or_default())
        })?;
    }
    let mut alone = Mapping::default();
    for section in SECTIONS {
        if let Some(node) = root.get(section).filter(|node| !node.is_null()) {
            alone.set(Value::Text(section.to_owned()), node.clone());
        }
    }
    let mut secrets = Secrets::default();
    let mut alone = Node { span: 0..0, value: Value::Mapping(alone) };
    let Value::Mapping(sections) = &mut alone.value else { return Ok(alone) };
    for section in SECTIONS {
        if sections.get(section).is_none() {
            continue;
        }
        let node = sections.get_or_insert(section);
        match (section, &mut node.value) {
            ("model_list", Value::Sequence(entries)) => {
                for (index, entry) in entries.iter_mut().enumerate() {
                    if secrets.hide("", entry) {
                        keep_id(scenario, index, entry);
                    }
                }
            }
            _ => {
                secrets.hide("", node);
            }
        }
    }
    Ok(alone)
}

/// Writes down the id that a deployment had before a part of it was replaced.
fn keep_id(scenario: &Scenario, index: usize, entry: &mut Node) {
    let path = format!("model_list[{index}]");
    let place = scenario.inventory.places.iter().position(|place| place.path == path);
    let Some(deployment) = place.and_then(|place| scenario.plan.deployments().get(place)) else { return };
    if let Value::Mapping(map) = &mut entry.value {
        let info = map.get_or_insert("model_info");
        if info.is_null() {
            info.value = Value::Mapping(Mapping::default());
        }
        if let Value::Mapping(info) = &mut info.value {
            let id = Node { span: 0..0, value: Value::Text(deployment.id.clone()) };
            info.set(Value::Text("id".to_owned()), id);
        }
    }
}

/// Secrets that were met so far: equal ones are replaced by equal words, so that who shares a key still does.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    /// Replaces every secret below a node; says whether there was one.
    fn hide(&mut self, key: &str, node: &mut Node) -> bool {
        match &mut node.value {
            Value::Sequence(items) => {
                let mut any = false;
                for item in items {
                    any |= self.hide(key, item);
                }
                any
            }
            Value::Mapping(map) => {
                let names: Vec<String> = map.iter().filter_map(|(key, _)| key.text()).map(str::to_owned).collect();
                let mut any = false;
                for name in names {
                    any |= self.hide(&name, map.get_or_insert(&name));
                }
                any
            }
            Value::Text(text) if is_secret_key(key) && !is_reference(text) => {
                let known = self.0.iter().position(|known| known == text).unwrap_or_else(|| {
                    self.0.push(text.clone());
                    self.0.len() - 1
                });
                *text = format!("hidden-{}", known + 1);
                true
            }
            Value::Text(text) => {
                let masked = mask_line(text);
                let hidden = masked != *text;
                *text = masked;
                hidden
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_become_words_and_equal_ones_stay_equal() {
        let mut node = Node::from_json(&json!({
            "a": {"api_key": "sk-one", "model": "m"},
            "b": {"api_key": "os.environ/KEY", "api_base": "https://me:pass@host/x"},
            "c": [{"api_key": "sk-one"}, {"password": "two"}],
        }));
        assert!(Secrets::default().hide("", &mut node));
        let expected = json!({
            "a": {"api_key": "hidden-1", "model": "m"},
            "b": {"api_key": "os.environ/KEY", "api_base": "https://*******@host/x"},
            "c": [{"api_key": "hidden-1"}, {"password": "hidden-2"}],
        });
        assert_eq!(node, Node::from_json(&expected));
    }

    #[test]
    fn nothing_to_hide_changes_nothing() {
        let mut node = Node::from_json(&json!({"api_key": "os.environ/KEY", "rpm": 10}));
        assert!(!Secrets::default().hide("", &mut node));
    }
}
