//! `order`: levels of deployments, the lower ones first.

use super::Search;
use crate::ids::DeploymentId;
use crate::note::Filter;

impl Search<'_> {
    /// Keeps the level that a fallback asks for, else the lowest that is there. Without any level all stay; with one,
    /// those without go.
    pub(super) fn by_order(&mut self, candidates: &mut Vec<DeploymentId>) {
        let plan = self.plan;
        let orders = candidates.iter().filter_map(|&id| plan.deployment(id).order);
        let Some(level) = self.target_order.or_else(|| orders.min()) else { return };
        self.keep(candidates, |_, id| (plan.deployment(id).order != Some(level)).then_some(Filter::Order));
    }
}
