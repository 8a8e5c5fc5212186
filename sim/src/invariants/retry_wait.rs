//! The wait before a retry follows LiteLLM's formula.

use router_core::{Error, ErrorClass, Plan, Span, Time};

use super::law::About;

pub(super) const ABOUT: About = About {
    name: "retry-wait",
    says: "the wait before a retry follows the formula, and keeps Retry-After",
    source: "_time_to_sleep_before_retry, calculate_retry_after",
};

/// A wait for a cooldown to end, until that moment, of a request that has waited since then. `most`: how long it may,
/// where that is supposed.
pub(super) fn of_rest(since: Time, until: Time, most: Option<Span>) -> Option<String> {
    let told = until.since(since);
    match most {
        None => Some(format!("waits {told} for a cooldown to end, and LiteLLM does not")),
        Some(most) => (told > most).then(|| format!("waits {told} for a cooldown to end, where {most} is the most")),
    }
}

/// When the client of the proxy is told to come back, of an error for which nobody could be picked, with the shortest
/// cooldown of its group in whole: that, in whole seconds, else the router's own.
pub(super) fn of_hint(plan: &Plan, error: &Error, shortest: Option<Span>) -> Option<String> {
    let tells = error.class == ErrorClass::RouterRateLimitError && plan.rules().tells_retry_after;
    let due = tells.then(|| {
        let own = plan.settings().cooldown_time.value;
        let seconds = shortest.filter(|length| !length.is_zero()).map_or(own, Span::as_secs_f64);
        Span::from_secs(seconds.ceil() as u64)
    });
    (error.client_retry_after != due).then(|| {
        let told = |hint: Option<Span>| hint.map_or_else(|| "no Retry-After".to_owned(), |hint| format!("{hint}"));
        format!("told {}, where {} is due", told(error.client_retry_after), told(due))
    })
}

/// A wait from `since` to `at`, which must take at least and at most so long.
pub(super) fn of_wait((since, least, most): (Time, Span, Span), at: Time) -> Option<String> {
    let wait = at.since(since);
    (wait < least || wait > most).then(|| format!("waited {wait}, where the formula gives {least} to {most}"))
}
