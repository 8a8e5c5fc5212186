//! What fails in the end fails with the error of the group that was asked for.

use router_core::Error;

use super::law::About;
use super::ledger::Seen;

pub(super) const ABOUT: About = About {
    name: "primary-error",
    says: "a request that fails gets the error of the group it asked for",
    source: "run_async_fallback",
};

/// The error that the caller gets. `unserved`: nothing serves the name, so that the proxy refuses it before its router
/// is asked.
pub(super) fn of_answer(raised: Option<Seen>, error: &Error, unserved: bool) -> Option<String> {
    let fits = raised.map_or(unserved, |seen| seen.error == *error);
    (!fits).then(|| {
        let raised = raised.map_or("nothing", |seen| seen.error.class.name());
        format!("failed with {}, where its own group raised {raised}", error.class.name())
    })
}
