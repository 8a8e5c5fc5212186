//! The names that a scenario can speak of: what a config calls its groups, its deployments, and what stands behind them.

use std::collections::BTreeSet;

use crate::drill::labels;
use crate::litellm::{Inventory, Loaded, Node, Options};
use crate::problem::Problems;

/// The names in a config.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// How many entries `model_list` has.
    pub(super) entries: usize,
    /// What callers ask for: groups, a name for each wildcard, and aliases.
    pub(super) asked: Vec<String>,
    /// Groups as they are written, wildcards included.
    pub(super) groups: Vec<String>,
    /// Ids of deployments.
    pub(super) ids: Vec<String>,
    /// What selects some deployments: `provider:azure`, `deployment:gpt-4#2`. The more general, the earlier.
    pub(super) selectors: Vec<String>,
}

impl Names {
    /// The names of a config.
    ///
    /// # Errors
    /// What LiteLLM cannot read of it.
    pub(super) fn of(config: &Node, name: &str) -> Result<Self, Problems> {
        let Loaded { config, inventory, .. } = Loaded::from_node(config, name, &Options::default())?;
        let groups = distinct(config.model_list.iter().map(|entry| entry.model_name.clone()));
        let aliases = config.router_settings.model_group_alias.iter().map(|(alias, _)| alias.clone());
        let asked = distinct(groups.iter().map(|group| concrete(group)).chain(aliases));
        let ids = distinct(config.model_list.iter().map(|entry| entry.id.clone()));
        let mut selectors = vec!["all".to_owned()];
        selectors.extend(of_places(&inventory));
        selectors.extend(groups.iter().map(|group| format!("group:{group}")));
        selectors.extend(labels::of_config(&config).iter().map(|label| format!("deployment:{label}")));
        Ok(Self { entries: config.model_list.len(), asked, groups, ids, selectors })
    }
}

fn of_places(inventory: &Inventory) -> Vec<String> {
    let places = || inventory.places.iter();
    let providers = places().map(|place| format!("provider:{}", place.provider));
    let regions = places().filter_map(|place| Some(format!("region:{}", place.region.as_ref()?)));
    let keys = places().filter_map(|place| Some(format!("key:{}", place.key.as_ref()?)));
    distinct(providers.chain(regions).chain(keys))
}

/// A name that a wildcard serves: `openai/*` serves `openai/gpt-4o-mini`.
fn concrete(group: &str) -> String {
    group.replace('*', "gpt-4o-mini")
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_that_can_be_asked_for_or_broken_is_named() {
        let config = Node::from_json(&json!({
            "model_list": [
                {"model_name": "chat", "litellm_params": {"model": "azure/gpt-4o", "api_key": "os.environ/KEY",
                    "api_base": "https://x-eastus.openai.azure.com"}, "model_info": {"id": "east"}},
                {"model_name": "openai/*", "litellm_params": {"model": "openai/*", "api_key": "os.environ/KEY"}},
            ],
            "router_settings": {"model_group_alias": {"smart": "chat"}},
        }));
        let names = Names::of(&config, "config").expect("a config");
        assert_eq!(names.asked, ["chat", "openai/gpt-4o-mini", "smart"]);
        let selectors = ["all", "provider:azure", "provider:openai", "region:eastus", "key:KEY"];
        assert_eq!(names.selectors[..5], selectors);
        assert_eq!(names.selectors[5..], ["group:chat", "group:openai/*", "deployment:east", "deployment:openai/*"]);
    }
}
