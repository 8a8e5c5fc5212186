//! The filters between a name and the deployments that may get the call, in LiteLLM's order
//! (`async_get_healthy_deployments`).

mod order;
mod pre_call;
mod tags;

use crate::budget::Budgets;
use crate::config::RoutingStrategy;
use crate::cooldown::Cooldowns;
use crate::error::{ErrorClass, Exception};
use crate::half_open::HalfOpen;
use crate::ids::{DeploymentId, NameId, TagId};
use crate::note::Filter;
use crate::plan::{Plan, Route};
use crate::quota::Quota;
use crate::strategy::Strategy;
use crate::time::Time;

/// A search for candidates.
pub(crate) struct Search<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) cooldowns: &'a Cooldowns,
    pub(crate) half_open: &'a HalfOpen,
    pub(crate) quota: &'a Quota,
    pub(crate) budgets: &'a Budgets,
    pub(crate) strategy: &'a mut dyn Strategy,
    pub(crate) now: Time,
    /// Where the name leads.
    pub(crate) route: &'a Route,
    /// Tokens of the prompt.
    pub(crate) prompt_tokens: u32,
    /// Tags of the request.
    pub(crate) tags: &'a [TagId],
    /// Region that the request allows.
    pub(crate) region: Option<u32>,
    /// The `order` level that a fallback asks for.
    pub(crate) target_order: Option<i64>,
    /// Already failed: weighted failover.
    pub(crate) excluded: &'a [DeploymentId],
    /// Already refused this request: retries.
    pub(crate) skipped: &'a [DeploymentId],
    /// Who has the request already: a hedge goes to somebody else.
    pub(crate) has_it: Option<DeploymentId>,
    /// Where to note who was left out and why, when somebody wants to know.
    pub(crate) filtered: Option<&'a mut Vec<(DeploymentId, Filter)>>,
}

/// What a search finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// One deployment, called by its id: nothing is left to choose.
    Pinned(DeploymentId),
    /// Candidates to choose from, at least one.
    Candidates,
}

impl Search<'_> {
    /// Fills `into` with the candidates.
    pub(crate) fn run(mut self, into: &mut Vec<DeploymentId>) -> Result<Found, Exception> {
        into.clear();
        let rules = self.plan.rules();
        if self.route.members.is_empty() {
            return Err(if self.plan.chains().default_is_map {
                Exception::new(ErrorClass::TypeError, None)
            } else {
                Exception::new(ErrorClass::BadRequestError, Some(400))
            });
        }
        if self.route.by_id {
            let pinned = self.route.members[0];
            if self.plan.deployment(pinned).blocked {
                return Err(Exception::new(ErrorClass::ServiceUnavailableError, Some(503)));
            }
            return Ok(Found::Pinned(pinned));
        }
        // LiteLLM has no asynchronous form of this strategy: its selection goes another way, with fewer filters.
        let synchronous = self.plan.settings().routing_strategy.value == RoutingStrategy::UsageBased;
        into.extend_from_slice(&self.route.members);
        if !synchronous {
            self.keep(into, |search, id| if search.plan.deployment(id).team { Some(Filter::Team) } else { None });
        }
        self.keep(into, |search, id| match search.cooldowns.cooled_until(search.plan, id, search.now) {
            Some(until) => Some(Filter::Cooldown(until)),
            None => search.half_open.is_full(search.plan, id).then_some(Filter::HalfOpen),
        });
        self.keep(into, |search, id| search.plan.deployment(id).blocked.then_some(Filter::Blocked));
        if !synchronous && !into.is_empty() {
            self.keep(into, |search, id| {
                search.budgets.is_spent(search.plan, id, search.now).then_some(Filter::Budget)
            });
            if into.is_empty() {
                // A ValueError, which the proxy turns into a 429 by its text.
                let mut exception = Exception::new(ErrorClass::ValueError, None);
                exception.error.client_status = 429;
                return Err(exception);
            }
        }
        if self.plan.settings().enable_pre_call_checks.value {
            self.pre_call_checks(into)?;
            if !rules.order_always {
                self.by_order(into);
            }
        }
        if !synchronous && self.plan.settings().enable_tag_filtering.value {
            self.by_tags(into)?;
        }
        if rules.order_always {
            self.by_order(into);
        }
        if !self.excluded.is_empty() {
            self.keep(into, |search, id| {
                search.excluded.contains(&search.plan.deployment(id).twin).then_some(Filter::WeightedFailover)
            });
        }
        if let Some(twin) = self.has_it {
            self.keep(into, |search, id| (search.plan.deployment(id).twin == twin).then_some(Filter::Hedged));
        }
        // Whoever refused the request is passed over, unless all did.
        let refused = |search: &Self, id| search.skipped.contains(&search.plan.deployment(id).twin);
        if !self.skipped.is_empty() && into.iter().any(|&id| !refused(&self, id)) {
            self.keep(into, |search, id| refused(search, id).then_some(Filter::RetrySkip));
        }
        if into.is_empty() {
            return Err(Exception::new(ErrorClass::RouterRateLimitError, rules.no_deployments_status));
        }
        Ok(Found::Candidates)
    }

    /// Whether the tokens of the prompt have to be counted, because one of the healthy deployments has a context window
    /// (LiteLLM: `_pre_call_checks_need_token_count`).
    pub(crate) fn counts_tokens(&self) -> bool {
        let settings = self.plan.settings();
        let asynchronous = settings.routing_strategy.value != RoutingStrategy::UsageBased && !self.route.by_id;
        let limited = |id: &DeploymentId| {
            let deployment = self.plan.deployment(*id);
            deployment.max_input_tokens.is_some()
                && !deployment.blocked
                && self.cooldowns.cooled_until(self.plan, *id, self.now).is_none()
                && !self.budgets.is_spent(self.plan, *id, self.now)
        };
        self.plan.rules().counts_tokens_in_thread
            && settings.enable_pre_call_checks.value
            && asynchronous
            && self.route.members.iter().any(limited)
    }

    /// Keeps whom no filter names.
    fn keep(
        &mut self,
        candidates: &mut Vec<DeploymentId>,
        mut filter: impl FnMut(&mut Self, DeploymentId) -> Option<Filter>,
    ) {
        candidates.retain(|&id| match filter(self, id) {
            None => true,
            Some(filter) => {
                if let Some(filtered) = self.filtered.as_deref_mut() {
                    filtered.push((id, filter));
                }
                false
            }
        });
    }
}

/// How many of a name's deployments are healthy, as the retry layer counts them, and how many there are. A name that
/// is a deployment's id counts as nobody.
pub(crate) fn healthy_and_all(
    plan: &Plan,
    cooldowns: &Cooldowns,
    half_open: &HalfOpen,
    name: NameId,
    now: Time,
) -> (usize, usize) {
    let route = plan.route(name);
    if route.by_id {
        return (0, 0);
    }
    let is_healthy = |id: DeploymentId| {
        cooldowns.cooled_until(plan, id, now).is_none() && !half_open.is_full(plan, id) && !plan.deployment(id).blocked
    };
    (route.members.iter().filter(|&&id| is_healthy(id)).count(), route.members.len())
}
