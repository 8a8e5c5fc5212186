//! What can fail together: a deployment, a group, a region, a provider, a key.

use router_core::{Config, DeploymentId, Plan};

use super::labels;
use crate::litellm::Inventory;

/// What the members of a target have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// It is one deployment.
    Deployment,
    /// The model group.
    Group,
    /// The region of the provider.
    Region,
    /// The provider, or whoever runs the server at an endpoint of its own.
    Provider,
    /// The key.
    Key,
}

/// Deployments that fail together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// What they have in common.
    pub kind: Kind,
    /// Its name: of the provider, the region, the group, the key's environment variable, or the deployment.
    pub name: String,
    /// The deployments, in order.
    pub deployments: Vec<DeploymentId>,
}

impl Kind {
    /// The word of the kind, as in the selectors of scenario files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::Group => "group",
            Self::Region => "region",
            Self::Provider => "provider",
            Self::Key => "key",
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind.word(), self.name)
    }
}

/// Everything that can fail together in a configuration: kinds in order, and within each the order of `model_list`.
pub fn targets(config: &Config, inventory: &Inventory) -> Vec<Target> {
    let groups: Vec<&str> = config.model_list.iter().map(|entry| entry.model_name.as_str()).collect();
    gather(&labels::of_config(config), &groups, inventory)
}

/// The same, from a plan.
pub fn targets_of(plan: &Plan, inventory: &Inventory) -> Vec<Target> {
    let groups: Vec<&str> = plan.deployments().iter().map(|deployment| deployment.model_name.as_str()).collect();
    gather(&labels::of_plan(plan), &groups, inventory)
}

/// `labels` and `groups` by deployment.
fn gather(labels: &[String], groups: &[&str], inventory: &Inventory) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    let all = || (0..labels.len()).map(|index| DeploymentId(index as u32));
    for id in all() {
        let (kind, name) = (Kind::Deployment, labels[id.index()].clone());
        targets.push(Target { kind, name, deployments: vec![id] });
    }
    let place = |id: DeploymentId| inventory.places.get(id.index());
    let mut gather = |kind: Kind, name_of: &dyn Fn(DeploymentId) -> Option<String>| {
        for id in all() {
            let Some(name) = name_of(id) else { continue };
            match targets.iter_mut().find(|target| target.kind == kind && target.name == name) {
                Some(target) => target.deployments.push(id),
                None => targets.push(Target { kind, name, deployments: vec![id] }),
            }
        }
    };
    gather(Kind::Group, &|id| Some(groups[id.index()].to_owned()));
    gather(Kind::Region, &|id| place(id)?.region.clone());
    gather(Kind::Provider, &|id| place(id).map(|place| place.operator().to_owned()).filter(|name| !name.is_empty()));
    gather(Kind::Key, &|id| place(id)?.key.clone());
    targets
}
