//! The configuration as meant: every setting resolved, every name a number. An invalid plan cannot be built.

mod chains;
mod deployment;
mod error;
mod names;
mod provider;
mod registered;
mod routes;
mod settings;
mod wildcard;

pub use chains::fallback_entry_of;
pub use deployment::Deployment;
pub use error::PlanError;
pub use provider::Dialect;
pub use settings::{Setting, Settings, Source};

pub(crate) use chains::{ChainId, Chains};
pub(crate) use routes::Route;

use crate::config::{Config, Mode, RetryPolicy};
use crate::ids::{DeploymentId, NameId, TagId};
use crate::input::RequestLists;
use crate::input::Target;
use crate::note::FallbackList;
use crate::rules::{Release, Rules};
use crate::time::Time;
use crate::what_if::WhatIf;
use names::Names;

/// Everything the router needs to know before the first request.
#[derive(Clone, Debug)]
pub struct Plan {
    release: Release,
    mode: Mode,
    rules: Rules,
    start_unix_nanos: u64,
    settings: Settings,
    names: Names,
    tags: Names,
    regions: Names,
    deployments: Vec<Deployment>,
    routes: Vec<Route>,
    chains: Chains,
    group_retry_policies: Vec<(NameId, RetryPolicy)>,
    what_if: WhatIf,
}

impl Plan {
    /// The plan that `config` amounts to, or everything for which LiteLLM would refuse to start.
    pub fn new(config: &Config) -> Result<Self, Vec<PlanError>> {
        Self::with_rules(config, config.release.rules())
    }

    /// The same under rules that no release may have together: to find the rule behind a difference between two.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn with_rules(config: &Config, rules: Rules) -> Result<Self, Vec<PlanError>> {
        let errors = error::check(config);
        if !errors.is_empty() {
            return Err(errors);
        }
        let settings = Settings::new(config, &rules);
        let (mut names, mut tags, mut regions) = (Names::default(), Names::default(), Names::default());
        let mut deployments: Vec<Deployment> = Vec::with_capacity(config.model_list.len());
        for entry in &config.model_list {
            let twin = deployments.iter().position(|other| other.id == entry.id).unwrap_or(deployments.len());
            let twin = DeploymentId(twin as u32);
            let labels = (&mut tags, &mut regions);
            deployments.push(Deployment::new(entry, twin, config, &settings, &rules, &mut names, labels));
        }
        for (alias, target) in &config.router_settings.model_group_alias {
            names.intern(alias);
            names.intern(target);
        }
        for deployment in &deployments {
            names.intern(&deployment.id);
        }
        for name in &config.asked_names {
            names.intern(name);
        }
        for tag in &config.asked_tags {
            tags.intern(tag);
        }
        for region in &config.asked_regions {
            regions.intern(region);
        }
        let mut group_retry_policies = Vec::new();
        for (group, policy) in &config.router_settings.model_group_retry_policy {
            group_retry_policies.push((names.intern_name(group), *policy));
        }
        let (mut chains, written) = Chains::new(config, &mut names, (&mut tags, &mut regions));
        chains.look_up(written, &names, &rules);
        let first_default = chains.first_default;
        let resolver =
            routes::Resolver { config, rules: &rules, deployments: &deployments, names: &names, first_default };
        let routes = resolver.routes();
        Ok(Self {
            release: config.release,
            mode: config.mode,
            rules,
            start_unix_nanos: config.start_unix_nanos,
            settings,
            names,
            tags,
            regions,
            deployments,
            routes,
            chains,
            group_retry_policies,
            what_if: config.what_if,
        })
    }

    /// The release whose behaviour is modelled.
    pub fn release(&self) -> Release {
        self.release
    }

    /// Behind the proxy or in process.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How the release decides.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The router-wide settings that take effect.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The policies that LiteLLM does not have, all of them off unless somebody asks what they would do.
    pub fn what_if(&self) -> &WhatIf {
        &self.what_if
    }

    /// The same plan with these policies.
    #[must_use]
    pub fn with_what_if(&self, what_if: WhatIf) -> Self {
        Self { what_if, ..self.clone() }
    }

    /// All deployments, in the order of `model_list`; a [`DeploymentId`] is an index into them.
    pub fn deployments(&self) -> &[Deployment] {
        &self.deployments
    }

    /// One deployment.
    pub fn deployment(&self, id: DeploymentId) -> &Deployment {
        &self.deployments[id.index()]
    }

    /// The number of a name that can be called, or that the configuration mentions.
    pub fn name_id(&self, name: &str) -> Option<NameId> {
        self.names.get(name).map(NameId)
    }

    /// The name of a number.
    pub fn name(&self, id: NameId) -> &str {
        self.names.text(id.0)
    }

    /// How many names there are. They are numbered from 0.
    pub fn name_count(&self) -> usize {
        self.names.len()
    }

    /// The tag of a number.
    pub fn tag(&self, id: TagId) -> &str {
        self.tags.text(id.0)
    }

    /// The region of a number.
    pub fn region(&self, id: u32) -> &str {
        self.regions.text(id)
    }

    /// The number of a tag that some deployment or fallback target has.
    pub fn tag_id(&self, tag: &str) -> Option<TagId> {
        self.tags.get(tag).map(TagId)
    }

    /// All tags; a [`TagId`] is an index into them.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.texts()
    }

    /// All regions, by the numbers of [`Plan::region_id`].
    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.regions.texts()
    }

    /// The number of a region that some deployment or fallback target names.
    pub fn region_id(&self, region: &str) -> Option<u32> {
        self.regions.get(region)
    }

    /// The deployment of that id; of several entries with one id the first.
    pub fn deployment_id(&self, id: &str) -> Option<DeploymentId> {
        self.deployments.iter().position(|deployment| deployment.id == id).map(|index| DeploymentId(index as u32))
    }

    /// Who would serve a name when everybody is well: after aliases, wildcards and default fallbacks.
    pub fn members(&self, name: NameId) -> Vec<DeploymentId> {
        self.route(name).members.clone()
    }

    /// Who is listed under a name, where LiteLLM goes by the list and not by who would get the call: for the levels of
    /// `order` that a request is tried on.
    pub fn listed(&self, name: NameId) -> &[DeploymentId] {
        &self.route(name).listed
    }

    /// Where a request for `name` would go when it fails, by one of the configured lists; empty when nothing is
    /// found. [`FallbackList::Default`] answers only for names that have no chain of their own.
    pub fn fallback_chain(&self, name: NameId, list: FallbackList) -> &[Target] {
        let found = self.chains.list(list, RequestLists::default()).and_then(|list| list.find(name));
        let wanted = match list {
            FallbackList::Default => found.filter(|found| !found.specific),
            _ => found,
        };
        wanted.map_or(&[], |found| self.chains.targets(found.chain))
    }

    /// Whether a fallback list of that kind is configured at all, be it without an entry.
    pub fn has_fallback_list(&self, list: FallbackList) -> bool {
        self.chains.list(list, RequestLists::default()).is_some_and(|list| list.is_set)
    }

    /// Unix time, in nanoseconds, of the start of the run.
    pub fn start_unix_nanos(&self) -> u64 {
        self.start_unix_nanos
    }

    /// Which minute of the calendar it is, counted since 1970.
    pub(crate) fn minute(&self, now: Time) -> u64 {
        (self.start_unix_nanos + now.as_nanos()) / 60_000_000_000
    }

    pub(crate) fn route(&self, name: NameId) -> &Route {
        &self.routes[name.index()]
    }

    pub(crate) fn chains(&self) -> &Chains {
        &self.chains
    }

    /// The retry policy written for that very name.
    pub fn group_retry_policy(&self, name: NameId) -> Option<&RetryPolicy> {
        self.group_retry_policies.iter().find(|(group, _)| *group == name).map(|(_, policy)| policy)
    }
}
