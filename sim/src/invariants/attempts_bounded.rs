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

/// What pays for retries and hedges of all requests together, in millionths of one, where something must.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Purse {
    tokens: u64,
    per_request: u64,
    most: u64,
}

const ONE: u64 = 1_000_000;

impl Purse {
    pub(super) fn new(budget: RetryBudget) -> Self {
        let units = |tokens: f64| (tokens * ONE as f64) as u64;
        let most = units(budget.burst);
        Self { tokens: most, per_request: units(budget.per_request), most }
    }

    /// A request came.
    pub(super) fn fill(&mut self) {
        self.tokens = self.tokens.saturating_add(self.per_request).min(self.most);
    }

    /// A retry or a hedge is made.
    pub(super) fn pay(&mut self) -> Option<&'static str> {
        let paid = self.tokens.checked_sub(ONE);
        self.tokens = paid.unwrap_or(self.tokens);
        paid.is_none().then_some("a further call that the budget for retries does not pay for")
    }

    /// A retry is not made for want of budget.
    pub(super) fn of_want(&self) -> Option<&'static str> {
        (self.tokens >= ONE).then_some("given up for want of a budget for retries, which would have paid")
    }
}

/// A retry that says it is the n-th of so many, after so many failed ones, of so many that the first failure gave.
pub(super) fn of_count((retry, of): (u32, u32), failed: u32, most: i64) -> Option<String> {
    let due = (failed + 1, u32::try_from(most.max(0)).unwrap_or(u32::MAX));
    ((retry, of) != due).then(|| format!("retry {retry} of {of}, where it is {} of {}", due.0, due.1))
}

/// The retry layer gives up after so many retries, although the error may be retried.
pub(super) fn of_giving_up(retries: u32, most: i64, error: &'static str) -> Option<String> {
    (i64::from(retries) < most)
        .then(|| format!("given up after {retries} retries, fewer than configured, of a {error}"))
}
