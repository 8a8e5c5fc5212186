//! As many retries as configured.

use router_core::RetryBudget;

use super::law::About;

pub(super) const ABOUT: About = About {
    name: "attempts-bounded",
    says: "as many retries as configured, neither more nor fewer",
    source: "async_function_with_retries, get_num_retries_from_retry_policy",
};

/// The retry layer goes on after so many retries, of so many at most.
pub(super) fn of_retry(retries: u32, most: i64) -> Option<String> {
    (i64::from(retries) >= most)
        .then(|| format!("retried again after {retries} retries, which is as many as configured"))
}

/// An attempt that says it is the n-th of its request, counted from 0, after so many.
pub(super) fn of_number(n: u32, before: u32) -> Option<String> {
    (n != before).then(|| format!("attempt {n} of its request, after {before}"))
}

/// A call that is made, or one that is refused, after so many retries and fallbacks, where a request may have so many
/// (`num_retries_per_request`).
pub(super) fn of_cap(called: bool, spent: i64, cap: Option<i64>) -> Option<String> {
    let over = cap.is_some_and(|cap| spent > 0 && spent >= cap);
    (called == over).then(|| {
        let what = if called { "called" } else { "refused" };
        let most = cap.map_or_else(|| "any number".to_owned(), |cap| cap.to_string());
        format!("{what} after {spent} retries and fallbacks, of {most} per request")
    })
}

/// Retries and hedges of all requests together, against what a budget pays for.
pub(super) fn of_budget(made: u64, requests: u64, budget: Option<RetryBudget>) -> Option<String> {
    let RetryBudget { per_request, burst } = budget?;
    let paid = burst + per_request * requests as f64;
    (made as f64 > paid + 1e-6).then(|| format!("{made} retries, where the budget pays for {paid}"))
}

/// The retry layer gives up after so many retries, although the error may be retried.
pub(super) fn of_giving_up(retries: u32, most: i64, error: &'static str) -> Option<String> {
    (i64::from(retries) < most)
        .then(|| format!("given up after {retries} retries, fewer than configured, of a {error}"))
}
