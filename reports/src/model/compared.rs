//! Another run, as its `results.json` tells it.

use serde::Deserialize;

use super::course::DetailReport;
use super::run::{AskedReport, RequestsReport};

/// What is shown of another run beside one's own.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct ComparedReport {
    /// The name of its scenario.
    pub scenario: String,
    /// The LiteLLM release whose behaviour was modelled.
    pub litellm: String,
    /// Its seed.
    pub seed: u64,
    /// What happened, as a number.
    pub digest: String,
    /// All requests.
    pub requests: RequestsReport,
    /// By name asked for.
    pub asked: Vec<AskedReport>,
    /// The run over time.
    pub detail: DetailReport,
}

impl ComparedReport {
    /// Reads the `results.json` of `routedrill run --out`.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence that names the place.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("not the results of a run: {error}"))
    }
}
