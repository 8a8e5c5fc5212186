//! One printer per format.

mod aftermath;
mod capacity_csv;
mod capacity_page;
mod capacity_text;
mod check;
pub(crate) mod ci;
mod csv;
mod drill_ci;
mod drill_csv;
mod drill_text;
mod hlog;
pub mod html;
mod json;
pub(crate) mod junit;
mod laws;
mod memo;
mod prometheus;
mod run_ci;
mod run_text;
mod story_text;
mod swarm;
mod trace;
mod tune_beyond;
mod tune_csv;
mod tune_html;
mod tune_text;
mod upgrade_text;

use crate::{words, wrap};

/// Says which policies a router had that LiteLLM does not have, if it had any.
fn not_litellm(text: &mut String, what_if: &[String]) {
    if let Some(notice) = words::not_litellm(what_if) {
        wrap::item(text, "", &notice);
    }
}

pub use capacity_csv::{capacity_cases_csv, capacity_curve_csv};
pub use capacity_page::capacity as capacity_page;
pub use capacity_text::capacity as capacity_text;
pub use check::{check_github, check_junit, check_markdown, check_text};
pub use csv::{RowFiles, timeline};
pub use drill_ci::{drill_github, drill_junit, drill_markdown, refusal_github, refusal_junit, refusal_markdown};
pub use drill_csv::drill_csv;
pub use drill_text::{Detail, drill as drill_text, refusal as refusal_text};
pub use hlog::{LatencyLog, SecondQuantiles};
pub use json::json;
pub use memo::{PATCH, memo, memo_html};
pub use prometheus::prometheus;
pub use run_ci::{run_github, run_junit, run_markdown};
pub use run_text::run as run_text;
pub use story_text::{brief as story_brief, story as story_text};
pub use swarm::{swarm_failure, swarm_github, swarm_junit, swarm_markdown, swarm_text};
pub use trace::{TraceRows, trace};
pub use tune_beyond::beyond_csv;
pub use tune_csv::tune_csv;
pub use tune_html::tune_html;
pub use tune_text::tune as tune_text;
pub use upgrade_text::upgrade as upgrade_text;
