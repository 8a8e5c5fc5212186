//! Scenarios: the file as written, and the scenario as meant.

pub mod file;
mod meant;
pub mod profiles;
pub mod quantity;
pub mod recorded;
mod schema;
pub mod select;
pub mod strict;
pub mod tree;
pub mod word;

pub use schema::schema;

pub use meant::{
    Arrivals, ClientRetry, Expect, Fault, Inject, Links, MustSee, Quantiles, Quota, QuotaUnit, QuotaWindow, Scenario,
    TraceRow, Traffic, Upstream,
};
