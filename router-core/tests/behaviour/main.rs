//! What the router does, claim by claim.

mod drill;

mod budgets;
mod cooldowns;
mod fallbacks;
mod limits;
mod retries;
mod steady;
mod under_way;
mod what_if;
