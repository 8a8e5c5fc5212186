//! What lies beyond the settings of LiteLLM.

use routedrill_sim::search::tune::{Beyond, Row, Who};
use schemars::JsonSchema;
use serde::Serialize;

use super::tune::DifferenceReport;

/// Policies that LiteLLM does not have and a router that knows the faults in advance, beside the config as it is, under
/// the seeds of the final judgement. All measures are better when they are smaller.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct BeyondReport {
    /// Whether the scenarios are those held out.
    pub held_out_scenarios: bool,
    /// Share of requests that the config as it is lost.
    pub lost: f64,
    /// Share of requests that it lost and that were avoidable: lost neither by a router that knows the faults, nor by
    /// whoever of the others lost the fewest under the same seed. More may be: that router is greedy. `None`: it was
    /// not asked.
    pub avoidable: Option<f64>,
    /// Share of requests that the recommended settings avoid to lose; `None`: nothing is recommended.
    pub avoided: Option<f64>,
    /// The config as it is comes first, the router that knows the faults last.
    pub rows: Vec<BeyondRowReport>,
}

/// One router.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct BeyondRowReport {
    /// `current`, `recommended`, `what_if`, `all_what_ifs` or `clairvoyant`.
    pub who: &'static str,
    /// The policies that are supposed, as `--what-if` reads them; empty where none is.
    pub what_if: String,
    /// Whether LiteLLM can be set up like that.
    pub in_litellm: bool,
    /// Share of requests lost.
    pub lost: f64,
    /// Seconds to an answer at p99 of all requests, on average over the seeds. A lost one counts as the longest run.
    pub p99: f64,
    /// Upstream attempts for each request.
    pub attempts_per_request: f64,
    /// Dollars for a thousand requests.
    pub cost: f64,
    /// It minus the config as it is, seed by seed; `None` of that one itself.
    pub differences: Option<BeyondDifferences>,
}

/// Differences from the config as it is.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct BeyondDifferences {
    /// In the share of requests lost.
    pub lost: DifferenceReport,
    /// In p99, in seconds.
    pub p99: DifferenceReport,
    /// In upstream attempts for each request.
    pub attempts_per_request: DifferenceReport,
    /// In dollars for a thousand requests.
    pub cost: DifferenceReport,
}

impl BeyondReport {
    /// Of what a search found.
    pub fn new(beyond: &Beyond) -> Self {
        let lost = |who: &Who| beyond.row(who).map(|row| row.means[0]);
        let now = lost(&Who::Current).unwrap_or_default();
        Self {
            held_out_scenarios: beyond.held_out_scenarios,
            lost: now,
            avoidable: beyond.avoidable.map(|difference| 0.0 - difference.mean),
            avoided: lost(&Who::Recommended).map(|then| now - then),
            rows: beyond.rows.iter().map(BeyondRowReport::new).collect(),
        }
    }

    /// The router that knows the faults.
    pub fn bound(&self) -> Option<&BeyondRowReport> {
        self.rows.iter().find(|row| row.who == "clairvoyant")
    }
}

impl BeyondRowReport {
    fn new(row: &Row) -> Self {
        let (who, what_if) = match &row.who {
            Who::Current => ("current", ""),
            Who::Recommended => ("recommended", ""),
            Who::Supposing(words) => ("what_if", words.as_str()),
            Who::SupposingAll(words) => ("all_what_ifs", words.as_str()),
            Who::Clairvoyant => ("clairvoyant", ""),
        };
        let [lost, p99, attempts_per_request, cost] = row.means;
        Self {
            who,
            what_if: what_if.to_owned(),
            in_litellm: matches!(row.who, Who::Current | Who::Recommended),
            lost,
            p99,
            attempts_per_request,
            cost,
            differences: row.differences.as_ref().map(|differences| {
                let [lost, p99, attempts_per_request, cost] = differences.each_ref().map(DifferenceReport::new);
                BeyondDifferences { lost, p99, attempts_per_request, cost }
            }),
        }
    }
}
