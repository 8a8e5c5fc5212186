//! `enable_pre_call_checks`: context window, requests per minute, region (LiteLLM: `_pre_call_checks`).

use super::Search;
use crate::config::{Number, RoutingStrategy};
use crate::error::{ErrorClass, Exception};
use crate::ids::DeploymentId;
use crate::note::Filter;
use crate::strategy::Called;

/// Where the `rpm` of `litellm_params` is among the metrics of simple-shuffle.
const RPM: usize = 1;

impl Search<'_> {
    pub(super) fn pre_call_checks(&mut self, candidates: &mut Vec<DeploymentId>) -> Result<(), Exception> {
        let (mut too_small, mut used_up) = (false, false);
        let before = candidates.len();
        self.keep(candidates, |search, id| {
            let filter = search.pre_call_check(id);
            too_small |= filter == Some(Filter::ContextWindow);
            used_up |= filter == Some(Filter::Rpm);
            filter
        });
        if before == 0 || !candidates.is_empty() {
            Ok(())
        } else if used_up {
            Err(Exception::new(ErrorClass::RouterRateLimitErrorBasic, None))
        } else if too_small {
            Err(Exception::new(ErrorClass::ContextWindowExceededError, Some(400)))
        } else {
            Ok(())
        }
    }

    fn pre_call_check(&mut self, id: DeploymentId) -> Option<Filter> {
        let plan = self.plan;
        let deployment = plan.deployment(id);
        if deployment.max_input_tokens.is_some_and(|window| u64::from(self.prompt_tokens) > window) {
            return Some(Filter::ContextWindow);
        }
        let counts_requests =
            plan.rules().pre_call_rpm && plan.settings().routing_strategy.value != RoutingStrategy::UsageBasedV2;
        if counts_requests {
            let call = Called { group: self.route.resolved, deployment: id };
            let answered = self.strategy.answered_this_minute(plan, call, self.now);
            let used = self.quota.started(plan, id, self.now).max(answered);
            // LiteLLM compares whole numbers only.
            if let Some(Number::Is(rpm)) = deployment.shuffle[RPM]
                && rpm.fract() == 0.0
                && rpm <= used as f64
            {
                return Some(Filter::Rpm);
            }
        }
        match self.region {
            Some(region) if deployment.region != Some(region) => Some(Filter::Region),
            _ => None,
        }
    }
}
