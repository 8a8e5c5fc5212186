//! What the router does, claim by claim.

mod drill;

mod cooldowns;
mod fallbacks;
mod limits;
mod retries;
mod steady;
mod what_if;
