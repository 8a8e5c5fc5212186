//! What must not be retried is not.

use super::law::About;

pub(super) const ABOUT: About =
    About { name: "not-retried", says: "what must not be retried is not", source: "should_retry_this_error" };

/// A failure is retried that must not be.
pub(super) fn of_retry(error: &'static str, healthy: usize, all: usize) -> String {
    format!("{error} is retried, with {healthy} of {all} healthy")
}
