//! A budget for the retries of all requests together: a bucket of tokens that requests fill and retries empty. LiteLLM
//! has none; gRPC and Finagle do.

use crate::plan::Plan;

/// A token in the unit that the bucket counts in. Whole numbers add up without a remainder.
const TOKEN: f64 = 1e6;

/// The bucket, if there is one.
#[derive(Debug)]
pub(crate) struct RetryTokens(Option<Bucket>);

#[derive(Debug)]
struct Bucket {
    tokens: u64,
    per_request: u64,
    most: u64,
}

impl RetryTokens {
    /// A full bucket, if the plan has a budget.
    pub(crate) fn new(plan: &Plan) -> Self {
        let units = |tokens: f64| (tokens * TOKEN) as u64;
        Self(plan.what_if().retry_budget.map(|budget| Bucket {
            tokens: units(budget.burst),
            per_request: units(budget.per_request),
            most: units(budget.burst),
        }))
    }

    /// A request arrived.
    pub(crate) fn fill(&mut self) {
        if let Some(bucket) = &mut self.0 {
            bucket.tokens = bucket.tokens.saturating_add(bucket.per_request).min(bucket.most);
        }
    }

    /// Takes a token out; says whether there was one, or needs to be none.
    pub(crate) fn take(&mut self) -> bool {
        let Some(bucket) = &mut self.0 else { return true };
        let left = bucket.tokens.checked_sub(TOKEN as u64);
        bucket.tokens = left.unwrap_or(bucket.tokens);
        left.is_some()
    }
}
