//! The rows of a drill: every outage that a configuration could meet, without those that cannot differ.

use router_core::{Config, DeploymentId};

use super::outage::Outage;
use super::target::{Kind, Target, targets};
use crate::litellm::Inventory;

/// One outage of one target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// What fails.
    pub target: Target,
    /// How.
    pub outage: Outage,
    /// Other targets that are exactly the same deployments: drilling them could not end differently.
    pub equals: Vec<Target>,
}

impl Row {
    /// Its name: `provider:azure/5xx`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.target, self.outage)
    }

    /// The deployments that fail.
    pub fn struck(&self) -> &[DeploymentId] {
        &self.target.deployments
    }

    /// The names of the rows that are merged into this one.
    pub fn merged_names(&self) -> impl Iterator<Item = String> + '_ {
        self.equals.iter().map(|target| format!("{target}/{}", self.outage))
    }

    /// Whether `asked` means this row: its name or that of a row merged into it, or the part before the slash for all
    /// outages of a target, or the part after it for one outage of all targets. `deployment:` may be left out.
    pub fn is_meant_by(&self, asked: &str) -> bool {
        self.outage.word() == asked
            || std::iter::once(&self.target).chain(&self.equals).any(|target| {
                let short = (target.kind == Kind::Deployment).then(|| target.name.clone());
                [Some(target.to_string()), short].into_iter().flatten().any(|name| {
                    asked == name
                        || asked.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('/'))
                            == Some(self.outage.word())
                })
            })
    }
}

/// Every row: each set of deployments that can fail together, once, with each outage.
///
/// A set that goes by several names is a row under the one that says most: the key where it is the key that fails,
/// the single deployment where it is one, else the group, the region, the provider, the key.
pub fn rows(config: &Config, inventory: &Inventory) -> Vec<Row> {
    let mut sets: Vec<Vec<Target>> = Vec::new();
    for target in targets(config, inventory) {
        match sets.iter_mut().find(|set| set[0].deployments == target.deployments) {
            Some(set) => set.push(target),
            None => sets.push(vec![target]),
        }
    }
    let mut rows = Vec::new();
    for set in sets {
        for outage in Outage::ALL {
            let by_key = set.iter().position(|target| target.kind == Kind::Key && outage.is_about_keys());
            let mut equals = set.clone();
            let target = equals.remove(by_key.unwrap_or(0));
            rows.push(Row { target, outage, equals });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use router_core::ModelEntry;

    use super::*;
    use crate::litellm::Place;

    /// Deployments as `group provider region key`.
    fn world(deployments: &[&str]) -> (Config, Inventory) {
        let (mut config, mut inventory) = (Config::default(), Inventory::default());
        for line in deployments {
            let words: Vec<&str> = line.split(' ').collect();
            let word = |index: usize| (words[index] != "-").then(|| words[index].to_owned());
            config.model_list.push(ModelEntry { model_name: words[0].to_owned(), ..ModelEntry::default() });
            inventory.places.push(Place {
                provider: words[1].to_owned(),
                region: word(2),
                key: word(3),
                ..Place::default()
            });
        }
        (config, inventory)
    }

    fn names(deployments: &[&str], outage: Outage) -> Vec<String> {
        let (config, inventory) = world(deployments);
        let rows = rows(&config, &inventory);
        rows.iter().filter(|row| row.outage == outage).map(Row::name).collect()
    }

    const TWO_REGIONS: [&str; 2] = ["gpt-4 azure eastus EAST", "gpt-4 azure westus WEST"];

    #[test]
    fn what_cannot_differ_is_drilled_once() {
        assert_eq!(
            names(&TWO_REGIONS, Outage::ServerError),
            ["deployment:gpt-4#1/5xx", "deployment:gpt-4#2/5xx", "group:gpt-4/5xx"]
        );
        let (config, inventory) = world(&TWO_REGIONS);
        let rows = rows(&config, &inventory);
        let whole = rows.iter().find(|row| row.name() == "group:gpt-4/5xx").unwrap();
        assert_eq!(whole.merged_names().collect::<Vec<_>>(), ["provider:azure/5xx"]);
        assert_eq!(rows.len(), 3 * Outage::ALL.len());
    }

    #[test]
    fn a_revoked_key_goes_by_the_name_of_the_key() {
        assert_eq!(
            names(&TWO_REGIONS, Outage::Revoked),
            ["key:EAST/revoked", "key:WEST/revoked", "group:gpt-4/revoked"]
        );
    }

    #[test]
    fn a_merged_row_is_found_by_each_of_its_names() {
        let (config, inventory) = world(&TWO_REGIONS);
        let rows = rows(&config, &inventory);
        let found = |asked: &str| rows.iter().filter(|row| row.is_meant_by(asked)).count();
        assert_eq!(found("deployment:gpt-4#1/silent"), 1);
        assert_eq!(found("region:eastus/silent"), 1);
        assert_eq!(found("key:EAST"), Outage::ALL.len());
        assert_eq!(found("silent"), 3);
        assert_eq!(found("gpt-4#2/silent"), 1);
        assert_eq!(found("key:EA"), 0);
    }

    #[test]
    fn a_key_shared_by_two_groups_is_a_row_of_its_own() {
        let shared = ["gpt-4 openai - SHARED", "gpt-3 openai - SHARED", "claude anthropic - OTHER"];
        assert_eq!(
            names(&shared, Outage::Silent),
            [
                "deployment:gpt-4/silent",
                "deployment:gpt-3/silent",
                "deployment:claude/silent",
                "provider:openai/silent"
            ]
        );
        assert!(names(&shared, Outage::Quota).contains(&"key:SHARED/quota".to_owned()));
    }
}
