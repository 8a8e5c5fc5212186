//! Scenarios: the file as written, and the scenario as meant.
//!
//! The way of a file: [`tree`] makes nodes of its text, [`strict`] makes a [`file::File`] of them, `resolve` looks up
//! every name in the LiteLLM config and fills in every default, and the result is a [`Scenario`].

mod alone;
mod expand;
pub mod file;
mod load;
mod meant;
mod patch;
pub mod profiles;
pub mod quantity;
mod reading;
pub mod recorded;
mod resolve;
mod schema;
pub mod select;
pub mod strict;
#[cfg(test)]
mod tests;
pub mod tree;
mod upstreams;
pub mod what_if;
pub mod word;
pub mod written;

pub(crate) use alone::traffic_alone;
pub use alone::{config_alone, standing_alone};
pub use expand::expanded;
pub(crate) use expand::{quoted, yaml};
pub use load::{Loaded, load, read, read_patched};
pub use meant::{
    Arrivals, ClientRetry, Expect, Fault, Inject, Links, MustSee, Origin, Quantiles, Quota, QuotaUnit, QuotaWindow,
    Recording, Scenario, TraceRow, Traffic, Upstream,
};
pub use patch::Patch;
pub(crate) use patch::step;
pub use schema::schema;
pub use upstreams::default_upstreams;
