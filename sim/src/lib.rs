//! The world around the router: actors, drivers, faults, scenarios, LiteLLM configs.

pub mod actor;
pub mod litellm;
pub mod metrics;
pub mod problem;
pub mod provider;
pub mod scenario;
pub mod secrets;
pub mod source;
