//! A failure is put down to whoever failed.

use router_core::{DeploymentId, Span};

use super::cooldown_earned;
use super::law::About;

pub(super) const ABOUT: About = About {
    name: "blame",
    says: "a failure is put down to the deployment that failed",
    source: "_set_failed_deployment_id_on_exception, deployment_callback_on_failure",
};

/// Whose failure it is said to be, and who failed.
pub(super) fn of_failure(blamed: DeploymentId, failed: DeploymentId) -> Option<&'static str> {
    (blamed != failed).then_some("blamed for the failure of another deployment")
}

/// Who is put to rest, and who failed.
pub(super) fn of_cooldown(blamed: DeploymentId, failed: DeploymentId, cooled: Option<Span>) -> Option<String> {
    (blamed != failed && cooled.is_some())
        .then(|| format!("{}, for the failure of another", cooldown_earned::told(cooled)))
}
