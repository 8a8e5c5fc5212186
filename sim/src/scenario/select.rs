//! Selectors: which deployments a line of a scenario is about.

use std::fmt;

use router_core::{Config, DeploymentId, Plan};
use schemars::{Schema, json_schema};

use super::quantity::{Complaint, Quantity};
use crate::drill::labels;
use crate::litellm::{Inventory, Place};
use crate::problem::did_you_mean;

/// What a selector goes by, from the least specific to the most specific: where several select the same deployment,
/// the later kind wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum By {
    /// Every deployment.
    All,
    /// The provider, as LiteLLM names it.
    Provider,
    /// The region.
    Region,
    /// The name of the key.
    Key,
    /// The model group, or an alias of it.
    Group,
    /// One deployment: its `model_info.id`, or the short name that reports call it by, `gpt-4#2`.
    Deployment,
}

impl By {
    const KINDS: [(&'static str, Self); 5] = [
        ("provider", Self::Provider),
        ("region", Self::Region),
        ("key", Self::Key),
        ("group", Self::Group),
        ("deployment", Self::Deployment),
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Provider => "provider",
            Self::Region => "region",
            Self::Key => "key",
            Self::Group => "group",
            Self::Deployment => "deployment",
        }
    }
}

/// Some deployments: `all`, or a kind and a name, `provider:azure`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Selector {
    /// What it goes by.
    pub by: By,
    /// The name; empty for [`By::All`].
    pub name: String,
}

impl Selector {
    /// The selector of one deployment.
    pub fn deployment(plan: &Plan, id: DeploymentId) -> Self {
        let label = labels::of_plan(plan).swap_remove(id.index());
        let mut others = plan.deployments().iter().enumerate().filter(|(index, _)| *index != id.index());
        // The short name of one may be the id of another.
        let taken = others.any(|(_, other)| other.id == label);
        let name = if taken { plan.deployment(id).id.clone() } else { label };
        Self { by: By::Deployment, name }
    }

    /// The deployments that it selects, in their order; never none.
    ///
    /// # Errors
    /// Nothing in the configuration has that name.
    pub fn resolve(&self, config: &Config, inventory: &Inventory) -> Result<Vec<DeploymentId>, Complaint> {
        let aliases = &config.router_settings.model_group_alias;
        let group = aliases.iter().find(|(alias, _)| *alias == self.name).map_or(&self.name, |(_, group)| group);
        // An id goes before the short name of another deployment.
        let labels = match self.by {
            By::Deployment if !config.model_list.iter().any(|entry| entry.id == self.name) => labels::of_config(config),
            _ => Vec::new(),
        };
        let selects = |index: usize| {
            let place = inventory.places.get(index);
            match self.by {
                By::All => true,
                By::Provider => place.is_some_and(|place| place.provider == self.name || place.operator() == self.name),
                By::Region => place.is_some_and(|place| place.region.as_ref() == Some(&self.name)),
                By::Key => place.is_some_and(|place| place.key.as_ref() == Some(&self.name)),
                By::Group => config.model_list[index].model_name == *group,
                By::Deployment => {
                    config.model_list[index].id == self.name
                        || labels.get(index).is_some_and(|label| *label == self.name)
                }
            }
        };
        let selected: Vec<_> = (0..config.model_list.len())
            .filter(|&index| selects(index))
            .map(|index| DeploymentId(index as u32))
            .collect();
        if selected.is_empty() { Err(self.nothing(config, inventory)) } else { Ok(selected) }
    }

    fn nothing(&self, config: &Config, inventory: &Inventory) -> Complaint {
        if self.by == By::All {
            return Complaint::new("the config has no deployment").help("add one to its model_list");
        }
        let known = known(self.by, config, inventory);
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let message = format!("`{self}` selects nothing: the config has no {} `{}`", self.by.word(), self.name);
        let complaint = Complaint::new(message);
        if let Some(name) = did_you_mean(&self.name, known.iter().copied()) {
            return complaint.help(format!("did you mean `{}:{name}`?", self.by.word()));
        }
        // The right name under the wrong kind is the likelier slip when nothing similar is of this kind.
        let elsewhere = By::KINDS.into_iter().find(|(_, by)| self::known(*by, config, inventory).contains(&self.name));
        match elsewhere {
            Some((kind, _)) => complaint.help(format!("did you mean `{kind}:{}`?", self.name)),
            None if known.is_empty() => complaint.help(format!("it shows no {} at all", self.by.word())),
            None => complaint.help(format!("it has {}", shortened(&known))),
        }
    }
}

/// The names of a kind, each once, in the order of the config.
fn known(by: By, config: &Config, inventory: &Inventory) -> Vec<String> {
    let places = inventory.places.iter();
    let entries = config.model_list.iter();
    let mut names: Vec<String> = match by {
        By::All => Vec::new(),
        By::Provider => {
            places.flat_map(|place: &Place| [place.provider.clone(), place.operator().to_owned()]).collect()
        }
        By::Region => places.filter_map(|place| place.region.clone()).collect(),
        By::Key => places.filter_map(|place| place.key.clone()).collect(),
        By::Group => entries.map(|entry| entry.model_name.clone()).collect(),
        By::Deployment => labels::of_config(config),
    };
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn shortened(names: &[&str]) -> String {
    const SHOWN_MAX: usize = 8;
    let shown: Vec<_> = names.iter().take(SHOWN_MAX).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(SHOWN_MAX);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

impl Quantity for Selector {
    const NAME: &'static str = "Selector";

    fn parse(text: &str) -> Result<Self, Complaint> {
        const FORMS: &str =
            "selectors are `all`, `provider:azure`, `region:eastus`, `key:NAME`, `group:gpt-4` and `deployment:NAME`";
        let trimmed = text.trim();
        if trimmed == "all" {
            return Ok(Self { by: By::All, name: String::new() });
        }
        let Some((kind, name)) = trimmed.split_once(':') else {
            return Err(Complaint::new(format!("`{trimmed}` is not a selector")).help(FORMS));
        };
        let (kind, name) = (kind.trim(), name.trim());
        let Some((_, by)) = By::KINDS.into_iter().find(|(word, _)| *word == kind) else {
            let help = did_you_mean(kind, By::KINDS.map(|(word, _)| word))
                .map_or_else(|| FORMS.to_owned(), |word| format!("did you mean `{word}:{name}`?"));
            return Err(Complaint::new(format!("`{kind}` is not a kind of selector")).help(help));
        };
        if name.is_empty() {
            return Err(Complaint::new(format!("`{trimmed}` names nothing")).help(FORMS));
        }
        Ok(Self { by, name: name.to_owned() })
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "description": "Some deployments: `all`, `provider:azure`, `region:eastus`, `key:NAME`, `group:gpt-4`, `deployment:NAME`.",
            "pattern": "^\\s*(all|(provider|region|key|group|deployment)\\s*:.*\\S.*)\\s*$",
            "examples": ["all", "provider:azure", "key:AZURE_API_KEY"]
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            By::All => f.write_str("all"),
            by => write!(f, "{}:{}", by.word(), self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use router_core::ModelEntry;

    use super::*;

    fn world() -> (Config, Inventory) {
        let mut config = Config::default();
        let mut inventory = Inventory::default();
        for (id, group, provider, region) in [
            ("east", "gpt-4", "azure", Some("eastus")),
            ("west", "gpt-4", "azure", None),
            ("claude", "haiku", "bedrock", None),
            ("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "haiku", "groq", None),
        ] {
            config.model_list.push(ModelEntry { id: id.into(), model_name: group.into(), ..ModelEntry::default() });
            let key = Some(format!("{}_KEY", id.to_uppercase()));
            inventory.places.push(Place {
                provider: provider.into(),
                region: region.map(Into::into),
                key,
                ..Place::default()
            });
        }
        config.router_settings.model_group_alias.push(("smart".into(), "gpt-4".into()));
        (config, inventory)
    }

    #[track_caller]
    fn selects(text: &str, indices: &[u32]) {
        let (config, inventory) = world();
        let selected = Selector::parse(text).and_then(|selector| selector.resolve(&config, &inventory));
        assert_eq!(selected, Ok(indices.iter().map(|&index| DeploymentId(index)).collect()), "{text}");
    }

    #[track_caller]
    fn refuses(text: &str, words: &str) {
        let (config, inventory) = world();
        let complaint =
            Selector::parse(text).and_then(|selector| selector.resolve(&config, &inventory)).expect_err(text);
        let all = format!("{} {}", complaint.message, complaint.help.unwrap_or_default());
        assert!(all.contains(words), "{text}: {all}");
    }

    #[test]
    fn each_kind_selects_by_its_own_names() {
        selects("all", &[0, 1, 2, 3]);
        selects("provider:azure", &[0, 1]);
        selects("region:eastus", &[0]);
        selects("key: WEST_KEY", &[1]);
        selects("group:haiku", &[2, 3]);
        selects("group:smart", &[0, 1]);
        selects("deployment:west", &[1]);
        selects("deployment:haiku#2", &[3]);
    }

    #[test]
    fn what_selects_nothing_is_an_error_with_the_nearest_name() {
        refuses("provider:azzure", "did you mean `provider:azure`?");
        refuses("group:claude", "did you mean `deployment:claude`?");
        refuses("region:mars", "it has `eastus`");
        refuses("regoin:eastus", "did you mean `region:eastus`?");
        refuses("azure", "selectors are");
        refuses("key:", "names nothing");
    }

    #[test]
    fn kinds_are_ordered_from_the_general_to_the_particular() {
        assert!(By::All < By::Provider && By::Provider < By::Region && By::Region < By::Key);
        assert!(By::Key < By::Group && By::Group < By::Deployment);
    }
}
