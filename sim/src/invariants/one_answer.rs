//! Every request gets one answer, and it is the upstream's.

use router_core::{Answered, DeploymentId, Error, RequestId};

use super::law::About;
use super::ledger::{Call, End};

pub(super) const ABOUT: About = About {
    name: "one-answer",
    says: "every request gets exactly one answer, the one that its upstream gave",
    source: "Router.acompletion",
};

/// A call that is made: `open` says whether the request that is to make it is known, and still open.
pub(super) fn of_call(known: bool, open: bool) -> Option<&'static str> {
    match (known, open) {
        (false, _) => Some("a call that no request was to make"),
        (true, false) => Some("a call for a request that is over"),
        (true, true) => None,
    }
}

/// An answer that is passed on: it is the one that its upstream gave in this moment.
pub(super) fn of_answer(
    request: RequestId,
    answered: &Answered,
    replied: Option<&(Call, End)>,
) -> Option<&'static str> {
    let true_to_upstream = replied.is_some_and(|(call, end)| {
        call.request == request
            && call.deployment == answered.by
            && matches!(end, End::Answered { usage, .. } if *usage == answered.usage)
    });
    (!true_to_upstream).then_some("an answer that the upstream did not give in this moment")
}

/// An error: it is what LiteLLM makes of what the upstream reported.
pub(super) fn of_error(seen: &Error, told: &Error) -> Option<String> {
    ((seen.class, seen.status) != (told.class, told.status))
        .then(|| format!("{} is made of what the upstream reported, not {}", seen.class.name(), told.class.name()))
}

/// A failure without a call that failed.
pub(super) fn of_failure(call: Option<DeploymentId>) -> Option<&'static str> {
    call.is_none().then_some("a failure that no upstream reported")
}
