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
    /// The distinct values of `order` among the members, rising.
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
            && let Some(index) = self.deployments.iter().position(|deployment| deployment.id == text)
        {
            let pinned = DeploymentId(index as u32);
            return Route { members: vec![pinned], by_id: true, resolved: name, orders: Vec::new() };
        }
        let alias = self.config.router_settings.model_group_alias.iter().find(|(alias, _)| alias == text);
        let target = alias.map_or(text, |(_, target)| target);
        let members = self.members(target);
        let orders: BTreeSet<i64> =
            members.iter().filter_map(|member| self.deployments[member.index()].order).collect();
        let resolved = self.names.get(target).map_or(name, NameId);
        Route { members, by_id: false, resolved, orders: orders.into_iter().collect() }
    }

    fn members(&self, name: &str) -> Vec<DeploymentId> {
        if !self.is_group(name) {
            let wild = self.behind_pattern(name);
            if !wild.is_empty() {
                return wild;
            }
        }
        let group = self.all(|deployment| deployment.model_name == name);
        if !group.is_empty() {
            return group;
        }
        let by_model = self.all(|deployment| deployment.model == name);
        if !by_model.is_empty() {
            return by_model;
        }
        match self.first_default {
            Some(default) => self.all(|deployment| deployment.model_name == self.names.text(default.0)),
            None => Vec::new(),
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
