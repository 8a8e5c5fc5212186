//! What a plan says about each name, looked up once.

use router_core::{DeploymentId, FallbackList, Mode, NameId, Plan, RoutingStrategy};

/// What laws ask about a name.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) members: Vec<DeploymentId>,
    /// The name is one deployment's id: it is called whatever its health is.
    pub(super) by_id: bool,
    /// Some member has an `order`.
    pub(super) ordered: bool,
    /// Its members have several levels of `order`, which are fallen back through.
    pub(super) levels: bool,
    /// Nothing but health, `blocked`, budgets and `order` decides who is a candidate.
    pub(super) simple: bool,
    /// Further filters decide as well, and can be followed from outside.
    pub(super) filtered: bool,
    /// Some member has a budget.
    pub(super) budgets: bool,
}

/// What laws ask about a plan.
#[derive(Clone, Debug)]
pub(super) struct Names {
    names: Vec<Name>,
    /// Some fallback target is a map, which may change what a request carries.
    pub(super) maps: bool,
    /// There are fallbacks for every group that has none of its own.
    pub(super) defaults: bool,
    /// Cooldowns can be counted again from outside.
    pub(super) counts_cooldowns: bool,
    /// The tokens of prompts are counted in a thread where a member has a context window.
    pub(super) counts_tokens: bool,
    /// The strategy itself turns nobody away.
    pub(super) strategy_takes_all: bool,
}

impl Names {
    pub(super) fn new(plan: &Plan) -> Self {
        let (rules, settings) = (plan.rules(), plan.settings());
        let filters = settings.enable_pre_call_checks.value
            || settings.enable_tag_filtering.value
            || settings.enable_weighted_failover;
        let strategy = settings.routing_strategy.value;
        let all = || (0..plan.name_count() as u32).map(NameId);
        let names = all().map(|name| {
            let members = plan.members(name);
            let of = |id: DeploymentId| plan.deployment(id);
            let is_group = plan.deployments().iter().any(|deployment| deployment.group == name);
            let is_id = plan.deployments().iter().any(|deployment| deployment.id == plan.name(name));
            // Older releases count requests before they are made, and look tags up in the group that an alias stands for.
            let counted = rules.pre_call_rpm
                && settings.enable_pre_call_checks.value
                && members.iter().any(|&id| of(id).shuffle[1].is_some());
            let mut orders: Vec<i64> = plan.listed(name).iter().filter_map(|&id| of(id).order).collect();
            orders.sort_unstable();
            orders.dedup();
            let by_id = is_id && (rules.id_beats_group || !is_group);
            Name {
                by_id,
                ordered: members.iter().any(|&id| of(id).order.is_some()),
                levels: rules.order_levels_fall_back && orders.len() > 1,
                simple: !filters && !by_id && members.iter().all(|&id| !of(id).team),
                budgets: members.iter().any(|&id| of(id).budget.is_some()),
                filtered: !by_id && !counted && (is_group || !settings.enable_tag_filtering.value),
                members,
            }
        });
        let lists = [FallbackList::Fallbacks, FallbackList::ContextWindow, FallbackList::ContentPolicy];
        let mut targets = all().flat_map(|name| lists.map(|list| plan.fallback_chain(name, list))).flatten();
        let limits = settings.enforce_model_rate_limits || strategy == RoutingStrategy::UsageBasedV2;
        let caps = plan.deployments().iter().any(|deployment| deployment.max_parallel_requests.is_some());
        let maps = targets.any(|target| target.map.is_some() || target.params.is_some());
        let told = !(limits && plan.mode() == Mode::Sdk) && (rules.marks_selection_failures || !caps);
        let falls_back = |name| !plan.fallback_chain(name, FallbackList::Default).is_empty();
        Self {
            maps,
            defaults: all().any(falls_back),
            // Which failures count once a map has changed what the request carries is not followed.
            counts_cooldowns: told && !maps,
            counts_tokens: rules.counts_tokens_in_thread
                && settings.enable_pre_call_checks.value
                && strategy != RoutingStrategy::UsageBased,
            strategy_takes_all: matches!(strategy, RoutingStrategy::SimpleShuffle | RoutingStrategy::LeastBusy),
            names: names.collect(),
        }
    }

    pub(super) fn of(&self, name: NameId) -> &Name {
        &self.names[name.index()]
    }
}
