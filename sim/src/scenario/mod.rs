//! Scenarios: the file as written, and the scenario as meant.

mod meant;
pub mod profiles;

pub use meant::{
    Arrivals, ClientRetry, Expect, Fault, Inject, Links, MustSee, Quantiles, Quota, QuotaUnit, QuotaWindow, Scenario,
    TraceRow, Traffic, Upstream,
};
