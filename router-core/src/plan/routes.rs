//! Who serves a name.

use std::collections::BTreeSet;

use super::deployment::Deployment;
use super::names::Names;
use super::{provider, wildcard};
use crate::config::Config;
use crate::ids::{DeploymentId, NameId};
use crate::rules::Rules;

/// What a name leads to.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Route {
    /// Who serves it, in the order of `model_list`.
    pub(crate) members: Vec<DeploymentId>,
    /// The name is a deployment's id: no filter, no strategy, no retries.
    pub(crate) by_id: bool,
    /// The name after aliases.
    pub(crate) resolved: NameId,
    /// Who is listed under it, where LiteLLM goes by the list and not by who would get the call: the group of that name
    /// and the one behind the alias of that name, else who is behind a pattern.
    pub(crate) listed: Vec<DeploymentId>,
    /// The distinct values of `order` among those listed, rising.
    pub(crate) orders: Vec<i64>,
}

/// Finds out who serves each name (LiteLLM: `_common_checks_available_deployment`).
pub(super) struct Resolver<'a> {
    pub(super) config: &'a Config,
    pub(super) rules: &'a Rules,
    pub(super) deployments: &'a [Deployment],
    pub(super) names: &'a Names,
    /// The first model of the first `*` fallback chain.
    pub(super) first_default: Option<NameId>,
}

impl Resolver<'_> {
    /// The routes of all names, by name.
    pub(super) fn routes(&self) -> Vec<Route> {
        (0..self.names.len()).map(|id| self.route(NameId(id as u32))).collect()
    }

    fn route(&self, name: NameId) -> Route {
        let text = self.names.text(name.0);
        if (self.rules.id_beats_group || !self.is_group(text))
            && let Some(index) = self.deployments.iter().rposition(|deployment| deployment.id == text)
        {
            let pinned = DeploymentId(index as u32);
            let (listed, orders) = self.listed(text, None);
            return Route { members: vec![pinned], by_id: true, resolved: name, listed, orders };
        }
        let alias = self.config.router_settings.model_group_alias.iter().find(|(alias, _)| alias == text);
        let target = alias.map_or(text, |(_, target)| target);
        let (members, resolved) = self.members(target);
        let (listed, orders) = self.listed(text, alias.map(|(_, target)| target.as_str()));
        let resolved = self.names.get(resolved).map_or(name, NameId);
        Route { members, by_id: false, resolved, listed, orders }
    }

    /// LiteLLM: `get_model_list`.
    fn listed(&self, name: &str, behind_alias: Option<&str>) -> (Vec<DeploymentId>, Vec<i64>) {
        let mut listed = self.all(|deployment| deployment.model_name == name);
        if let Some(target) = behind_alias {
            listed.extend(self.all(|deployment| deployment.model_name == target));
        }
        if listed.is_empty() {
            listed = self.behind_pattern(name);
        }
        let orders: BTreeSet<i64> = listed.iter().filter_map(|id| self.deployments[id.index()].order).collect();
        (listed, orders.into_iter().collect())
    }

    /// Who serves a name, and the name that the default fallbacks may give it instead.
    fn members<'n>(&'n self, name: &'n str) -> (Vec<DeploymentId>, &'n str) {
        if !self.is_group(name) {
            let wild = self.behind_pattern(name);
            if !wild.is_empty() {
                return (wild, name);
            }
        }
        let group = self.all(|deployment| deployment.model_name == name);
        if !group.is_empty() {
            return (group, name);
        }
        let by_model = self.all(|deployment| deployment.model == name);
        if !by_model.is_empty() {
            return (by_model, name);
        }
        match self.first_default.map(|default| self.names.text(default.0)) {
            Some(default) => (self.all(|deployment| deployment.model_name == default), default),
            None => (Vec::new(), name),
        }
    }

    /// The deployments behind the most specific pattern that the name matches, else that it matches with the prefix
    /// of the provider it gives away.
    fn behind_pattern(&self, name: &str) -> Vec<DeploymentId> {
        let with = |name: &str| {
            let patterns = self.deployments.iter().filter(|deployment| deployment.wildcard);
            let matching = patterns.filter(|deployment| wildcard::matches(&deployment.model_name, name));
            let mut best: Option<&str> = None;
            for pattern in matching.map(|deployment| deployment.model_name.as_str()) {
                if best.is_none_or(|best| wildcard::specificity(pattern) > wildcard::specificity(best)) {
                    best = Some(pattern);
                }
            }
            best.map_or_else(Vec::new, |best| self.all(|deployment| deployment.model_name == best))
        };
        let found = with(name);
        match provider::inferred(name) {
            Some(provider) if found.is_empty() && !name.contains('/') => with(&format!("{provider}/{name}")),
            _ => found,
        }
    }

    fn is_group(&self, name: &str) -> bool {
        self.deployments.iter().any(|deployment| deployment.model_name == name)
    }

    fn all(&self, wanted: impl Fn(&Deployment) -> bool) -> Vec<DeploymentId> {
        let indexed = self.deployments.iter().enumerate();
        indexed.filter(|(_, deployment)| wanted(deployment)).map(|(index, _)| DeploymentId(index as u32)).collect()
    }
}
