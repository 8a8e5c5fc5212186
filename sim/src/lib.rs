//! The world around the router: actors, drivers, faults, scenarios, LiteLLM configs.

pub mod actor;
pub mod actors;
pub mod campaign;
pub mod cast;
pub mod conform;
pub mod dice;
pub mod digest;
pub mod drill;
pub mod engine;
pub mod faults;
mod host;
pub mod invariants;
pub mod links;
pub mod litellm;
pub mod metrics;
pub mod net;
pub mod problem;
pub mod provider;
pub mod record;
pub mod scenario;
pub mod search;
pub mod secrets;
pub mod shrink;
pub mod source;
pub mod step;
pub mod story;
pub mod trace;
