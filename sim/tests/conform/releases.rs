//! Two releases on one input: whether they route it differently, and by which rule.

use routedrill_sim::conform::{Against, against};
use routedrill_sim::source::Source;
use router_core::Release;
use serde_json::{Value, json};

use crate::fallback;

fn held_against_the_older_release(recording: &Value) -> Against {
    against(&Source::new("fallback.json", recording.to_string()), Release::V1_80_17).expect("a recording")
}

#[test]
fn what_both_route_alike_makes_no_difference() {
    let found = held_against_the_older_release(&fallback());
    assert!(found.difference.is_none(), "{:?}", found.difference);
    assert!(!found.doubtful);
}

#[test]
fn a_difference_names_the_rule_behind_it() {
    let mut recording = fallback();
    // Newer releases do not retry a 400.
    recording["upstreams"]["a"]["default"] = json!({"status": 400, "after": 0.05});
    let difference = held_against_the_older_release(&recording).difference.expect("a difference");
    let rules: Vec<_> = difference.responsible.rules.iter().map(|rule| rule.name).collect();
    assert_eq!(rules, ["retries_by_status"]);
    let first = difference.divergence;
    assert_eq!((first.at.to_string().as_str(), first.request, first.what.as_str()), ("0.150s", Some(0), "attempt 1"));
    assert_eq!(first.expected, "request 0, attempt 1 for backup at 0.150s");
    assert_eq!(first.got, "request 0, attempt 1 for gpt-4 at 0.150s");
}

#[test]
fn a_recording_that_the_core_does_not_agree_with_makes_the_answer_doubtful() {
    let mut recording = fallback();
    recording["observed"]["responses"][0]["deployment"] = json!("a");
    assert!(held_against_the_older_release(&recording).doubtful);
}
