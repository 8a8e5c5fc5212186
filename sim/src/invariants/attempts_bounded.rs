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
