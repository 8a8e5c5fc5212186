//! What must not be retried is not.

use router_core::GiveUpReason;

use super::law::About;

pub(super) const ABOUT: About =
    About { name: "not-retried", says: "what must not be retried is not", source: "should_retry_this_error" };

/// A failure is retried that must not be.
pub(super) fn of_retry(error: &'static str, healthy: usize, all: usize) -> String {
    format!("{error} is retried, with {healthy} of {all} healthy")
}

/// Why the retry layer gives up, by its own words, where that is due.
pub(super) fn of_reason(told: GiveUpReason, due: GiveUpReason) -> Option<String> {
    let fits = told == due
        // Which lists of fallbacks there are, a request may say itself.
        || told == GiveUpReason::RateLimitedWithFallback && due == GiveUpReason::NoneHealthy
        || told == GiveUpReason::RetryBudget;
    (!fits).then(|| format!("gives up because of {told:?}, where it is {due:?}"))
}
