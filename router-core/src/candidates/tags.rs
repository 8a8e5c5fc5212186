//! `enable_tag_filtering` (LiteLLM: `get_deployments_for_tag`).

use super::Search;
use crate::error::{ErrorClass, Exception};
use crate::ids::DeploymentId;
use crate::note::Filter;
use crate::plan::Deployment;

impl Search<'_> {
    /// Keeps the deployments with the request's tags, else those tagged `default`.
    pub(super) fn by_tags(&mut self, candidates: &mut Vec<DeploymentId>) -> Result<(), Exception> {
        let (plan, tags) = (self.plan, self.tags);
        let deployment = |id: DeploymentId| plan.deployment(id);
        let defaults = candidates.iter().any(|&id| deployment(id).default_tagged);
        if tags.is_empty() {
            if defaults {
                self.keep(candidates, |_, id| (!deployment(id).default_tagged).then_some(Filter::Tags));
            }
            return Ok(());
        }
        let known_tags_skip_defaults = plan.rules().known_tags_skip_defaults;
        if candidates.is_empty() && known_tags_skip_defaults {
            return Ok(());
        }
        let match_any = plan.settings().tag_filtering_match_any.value;
        let matches = |deployment: &Deployment| {
            let has = |tag| deployment.tags.contains(tag);
            !deployment.tags.is_empty() && if match_any { tags.iter().any(has) } else { tags.iter().all(has) }
        };
        if candidates.iter().any(|&id| matches(deployment(id))) {
            self.keep(candidates, |_, id| (!matches(deployment(id))).then_some(Filter::Tags));
            return Ok(());
        }
        // LiteLLM asks the group of that name, which a name that only matches a pattern does not have.
        let group = plan.deployments().iter().filter(|deployment| deployment.group == self.route.resolved);
        let known = group.into_iter().any(|deployment| tags.iter().any(|tag| deployment.tags.contains(tag)));
        if !defaults || known && known_tags_skip_defaults {
            // A ValueError, which the proxy turns into a 401 by its text.
            let mut exception = Exception::new(ErrorClass::ValueError, None);
            exception.error.client_status = 401;
            return Err(exception);
        }
        self.keep(candidates, |_, id| (!deployment(id).default_tagged).then_some(Filter::Tags));
        Ok(())
    }
}
