//! Replaying recordings: what agrees, what is told of a disagreement, and what is refused.

mod bad_input;
mod disagreements;
mod releases;

use routedrill_sim::conform::{Checked, check};
use routedrill_sim::problem::Problem;
use routedrill_sim::source::Source;
use serde_json::Value;

/// Two deployments that fail, and one to fall back to: what LiteLLM 1.109.1 did with it.
const FALLBACK: &str = include_str!("fallback.json");

fn fallback() -> Value {
    serde_json::from_str(FALLBACK).expect("JSON")
}

fn checked(recording: &Value) -> Result<Checked, Problem> {
    check(&Source::new("fallback.json", recording.to_string()))
}

#[test]
fn a_recording_of_the_real_router_agrees() {
    let checked = checked(&fallback()).expect("a recording");
    assert_eq!((checked.case.as_str(), checked.requests), ("fallback", 3));
    assert!(checked.disagreement.is_none(), "{:?}", checked.disagreement);
}
