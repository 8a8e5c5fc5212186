//! Every request gets one answer, and it is the upstream's.

use router_core::{Answered, DeploymentId, Error, ErrorClass, FallbackList, NameId, Plan, RequestId, Target};

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
    (seen != told)
        .then(|| format!("{} is made of what the upstream reported, not {}", seen.class.name(), told.class.name()))
}

/// An error of the router's own, of a call that it did not make: for want of a place or by a limit, or because the request
/// has no retries left.
pub(super) fn of_refusal(told: &Error) -> Option<String> {
    let known =
        [Error::new(ErrorClass::RateLimitError, Some(429)), Error::new(ErrorClass::APIConnectionError, Some(500))];
    (!known.contains(told)).then(|| format!("a call that was not made fails with {}", told.class.name()))
}

/// Whether an answer that a filter broke off is an error, for a layer of that name of a request that asked for another:
/// where somebody else could answer (`_should_raise_content_policy_error`).
/// `defaults`: there are fallbacks for every group that has none of its own.
pub(super) fn falls_back(plan: &Plan, (name, asked): (NameId, NameId), tried: &[NameId], defaults: bool) -> bool {
    if !plan.has_fallback_list(FallbackList::ContentPolicy) {
        return defaults;
    }
    let of = |name| plan.fallback_chain(name, FallbackList::ContentPolicy);
    let rules = plan.rules();
    let chain = if of(name).is_empty() && rules.resumes_original_chain { of(asked) } else { of(name) };
    let is_left =
        |target: &Target| target.model.is_none_or(|model| !rules.remembers_targets || !tried.contains(&model));
    chain.iter().any(is_left)
}

/// An answer that a filter broke off: `raised` says whether it was taken for an error, `due` whether it must be.
pub(super) fn of_filtered(raised: bool, due: bool) -> Option<&'static str> {
    match (raised, due) {
        (false, true) => Some("an answer that a filter broke off is passed on, and somebody else could answer"),
        (true, false) => Some("an answer that a filter broke off is an error, and nobody else could answer"),
        (true, true) | (false, false) => None,
    }
}

/// A failure without a call that failed.
pub(super) fn of_failure(call: Option<DeploymentId>) -> Option<&'static str> {
    call.is_none().then_some("a failure that no upstream reported")
}
