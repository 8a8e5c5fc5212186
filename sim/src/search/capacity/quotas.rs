//! Quotas of upstreams where no scenario says any.

use router_core::{Deployment, DeploymentId, Plan};

use crate::litellm::Inventory;
use crate::scenario::profiles::Profile;
use crate::scenario::{Quota, QuotaUnit};

/// The `rpm` and `tpm` of each deployment in the config, taken as what its upstream allows, each deployment by itself,
/// with the windows of its provider; `rpm` and `tpm` here hold for deployments that the config gives none.
pub fn config_quotas(plan: &Plan, inventory: &Inventory, rpm: Option<u64>, tpm: Option<u64>) -> Vec<Quota> {
    let mut quotas = Vec::new();
    for (index, deployment) in plan.deployments().iter().enumerate() {
        let provider = inventory.places.get(index).map_or("", |place| place.provider.as_str());
        let profile = Profile::of_provider(provider);
        let (own_rpm, own_tpm) = own(deployment);
        for (limit, unit, window) in [
            (own_rpm.or(rpm), QuotaUnit::Requests, profile.requests),
            (own_tpm.or(tpm), QuotaUnit::Tokens, profile.tokens),
        ] {
            if let Some(per_minute) = limit {
                let scope = vec![DeploymentId(index as u32)];
                quotas.push(Quota { scope, unit, limit: window.limit_of(per_minute), window });
            }
        }
    }
    quotas
}

/// What the config says, wherever it says it.
fn own(deployment: &Deployment) -> (Option<u64>, Option<u64>) {
    let limit = |limit: router_core::Limit| {
        // `as` saturates; a limit that is not above zero is none.
        limit.params.or(limit.entry).or(limit.info).filter(|limit| *limit > 0.0).map(|limit| limit as u64)
    };
    (limit(deployment.rpm), limit(deployment.tpm))
}
