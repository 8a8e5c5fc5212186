//! Policies that LiteLLM does not have, to see what they would buy. All of them are off in a router that decides as
//! LiteLLM does.

use crate::time::Span;

/// Which policies a router has beyond LiteLLM's. `None`: LiteLLM's own behaviour.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct WhatIf {
    /// Retries are paid from a bucket of tokens that requests fill.
    pub retry_budget: Option<RetryBudget>,
    /// Each cooldown is longer by up to this share of its length, evenly drawn, so that those which began together do
    /// not end together.
    pub cooldown_jitter: Option<f64>,
    /// When a cooldown ends, the deployment gets so many calls at once at most, until one of them succeeds. A failed one
    /// cools it again.
    pub half_open: Option<u32>,
    /// A request that would fail because all deployments of the group that it asked for rest waits so long at most for
    /// the first of them to be back.
    pub wait_for_cooldown: Option<Span>,
    /// A call that was not answered within this time gets company: the same request at another deployment of its group.
    /// The first good answer counts.
    pub hedge_after: Option<Span>,
}

/// A bucket of tokens for the retries of all requests together. It is full at the start.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RetryBudget {
    /// Tokens that each request puts into it. A retry takes one out, and is not made when there is none; so does a hedge.
    /// Fallbacks are free.
    pub per_request: f64,
    /// Tokens that it holds at most.
    pub burst: f64,
}

impl RetryBudget {
    /// Tokens that a bucket holds at most where nobody says how many.
    pub const BURST: f64 = 10.0;
}

impl WhatIf {
    /// Whether every policy is off: the router decides as LiteLLM does.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// These policies, and those of `others` that these do not set.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            retry_budget: self.retry_budget.or(others.retry_budget),
            cooldown_jitter: self.cooldown_jitter.or(others.cooldown_jitter),
            half_open: self.half_open.or(others.half_open),
            wait_for_cooldown: self.wait_for_cooldown.or(others.wait_for_cooldown),
            hedge_after: self.hedge_after.or(others.hedge_after),
        }
    }
}
