//! The wait before a retry follows LiteLLM's formula.

use router_core::{Error, ErrorClass, Plan, Span, Time};

use super::law::About;

/// What is added to a wait, at most.
pub(super) const JITTER: Span = Span::from_millis(750);

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

/// How far above the least the waits before retries were, as a share of their jitter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Jitter {
    waits: u32,
    shares: f64,
}

/// Below so many waits, nothing is said of their mean.
const WAITS_MIN: u32 = 50;
/// By how many standard deviations it may be off. Beyond that, two of a billion are.
const DEVIATIONS: f64 = 6.0;

impl Jitter {
    /// One more wait, which was to take at least and at most so long.
    pub(super) fn add(&mut self, (since, least, most): (Time, Span, Span), at: Time) {
        let beyond = |wait: Span| wait.as_nanos().saturating_sub(least.as_nanos());
        let (room, above) = (Span::from_nanos(beyond(most)), Span::from_nanos(beyond(at.since(since))));
        if room == JITTER {
            self.waits += 1;
            self.shares += above.as_secs_f64() / room.as_secs_f64();
        }
    }

    /// Whether the waits differ as much as numbers do that are drawn evenly.
    pub(super) fn at_end(&self) -> Option<String> {
        let waits = f64::from(self.waits);
        let mean = self.shares / waits;
        let deviation = (1.0 / 12.0 / waits).sqrt();
        (self.waits >= WAITS_MIN && (mean - 0.5).abs() > DEVIATIONS * deviation).then(|| {
            format!("the jitter of {} waits was {mean:.2} of the most on average, where it is half", self.waits)
        })
    }
}

/// A wait from `since` to `at`, which must take at least and at most so long.
pub(super) fn of_wait((since, least, most): (Time, Span, Span), at: Time) -> Option<String> {
    let wait = at.since(since);
    (wait < least || wait > most).then(|| format!("waited {wait}, where the formula gives {least} to {most}"))
}
