//! The configuration as meant.

use crate::config::Config;

/// A configuration with every name resolved and every default filled in.
#[derive(Clone, Debug)]
pub struct Plan {}

/// What the Router's constructor would refuse.
#[derive(Clone, PartialEq, Debug)]
pub struct PlanError {
    /// In words.
    pub message: String,
}

impl Plan {
    /// The plan that a configuration means.
    ///
    /// # Errors
    /// Everything that the Router's constructor would refuse, all at once.
    pub fn new(_config: &Config) -> Result<Self, Vec<PlanError>> {
        Ok(Self {})
    }
}
