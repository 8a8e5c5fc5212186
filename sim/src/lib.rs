//! The world around the router: actors, drivers, faults, scenarios, LiteLLM configs.

pub mod actor;
pub mod litellm;
pub mod scenario;
