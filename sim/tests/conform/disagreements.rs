//! The first thing that differs is told, with its time, its request and the core's reasons.

use serde_json::{Value, json};

use crate::{checked, fallback};

/// What is told when LiteLLM had done this instead.
fn told(edit: impl FnOnce(&mut Value)) -> (String, Option<u32>, String, String, String) {
    let mut recording = fallback();
    edit(&mut recording["observed"]);
    let found = checked(&recording).expect("still a recording").disagreement.expect("a disagreement");
    let first = found.divergence;
    assert!(!found.why.is_empty(), "the core has its reasons");
    (first.at.to_string(), first.request, first.what, first.expected, first.got)
}

fn expect(edit: impl FnOnce(&mut Value), at: &str, request: u32, what: &str, expected: &str, got: &str) {
    let text = str::to_owned;
    assert_eq!(told(edit), (text(at), Some(request), text(what), text(expected), text(got)));
}

#[test]
fn another_deployment() {
    let edit = |observed: &mut Value| observed["attempts"][1]["deployment"] = json!("a");
    expect(edit, "0.150s", 0, "attempt 1: deployment", "a", "b");
}

#[test]
fn other_eligible_deployments() {
    let edit = |observed: &mut Value| observed["attempts"][0]["eligible"] = json!(["a"]);
    expect(edit, "0.100s", 0, "attempt 0: eligible", "[a]", "[a, b]");
}

#[test]
fn another_result() {
    let edit = |observed: &mut Value| observed["attempts"][0]["result"] = json!("Timeout");
    expect(edit, "0.150s", 0, "attempt 0: result", "Timeout", "InternalServerError");
}

#[test]
fn an_end_more_than_a_millisecond_off() {
    let edit = |observed: &mut Value| observed["attempts"][0]["end"] = json!(0.1515);
    expect(edit, "0.150s", 0, "attempt 0: end", "0.1515s", "0.150s");
}

#[test]
fn within_a_millisecond_times_agree() {
    let mut recording = fallback();
    recording["observed"]["attempts"][0]["end"] = json!(0.1509);
    recording["observed"]["responses"][0]["t"] = json!(0.4995);
    assert!(checked(&recording).expect("a recording").disagreement.is_none());
}

#[test]
fn another_timeout() {
    let edit = |observed: &mut Value| observed["attempts"][0]["timeout"] = json!(600.0);
    expect(edit, "0.150s", 0, "attempt 0: timeout", "600.000s", "6000.000s");
}

#[test]
fn an_attempt_that_the_core_does_not_make() {
    let edit = |observed: &mut Value| {
        let extra = observed["attempts"][0].clone();
        observed["attempts"].as_array_mut().expect("a list").insert(0, extra);
        observed["attempts"][1]["n"] = json!(1);
    };
    expect(edit, "0.100s", 0, "attempt 1", "request 0, attempt 1 for gpt-4 at 0.100s", "none");
}

#[test]
fn a_cooldown_that_the_core_does_not_start() {
    let cooldown = json!({"t": 0.15, "deployment": "a", "for": 5.0, "status": 500, "request": 0});
    let edit = |observed: &mut Value| observed["cooldowns"] = json!([cooldown]);
    expect(edit, "0.150s", 0, "cooldown", "a at 0.150s for 5.000s with status 500 by request 0", "none");
}

#[test]
fn another_answer() {
    let edit = |observed: &mut Value| observed["responses"][0]["deployment"] = json!("a");
    expect(edit, "0.500s", 0, "response", "an answer of a at 0.500s", "an answer of x at 0.500s");
}

#[test]
fn another_question() {
    let edit = |observed: &mut Value| observed["draws"][1]["n"] = json!(3);
    let expected = "a pick of 3 for request 0 at 0.150s";
    expect(edit, "0.150s", 0, "random number 1", expected, "a pick of 2");
}

#[test]
fn a_missing_random_number_shows_who_asked_for_it() {
    let edit = |observed: &mut Value| drop(observed["draws"].as_array_mut().expect("a list").pop());
    let (at, request, what, expected, got) = told(edit);
    assert_eq!((at.as_str(), request, what.as_str()), ("3.950s", Some(2), "random number 8"));
    assert_eq!((expected.as_str(), got.as_str()), ("none", "a pick of 1"));
}

#[test]
fn weights_agree_by_their_proportions() {
    let mut recording = fallback();
    for deployment in [0, 1] {
        recording["config"]["model_list"][deployment]["litellm_params"]["weight"] = json!(3);
    }
    for draw in [0, 1, 3, 4, 6, 7] {
        let draw = &mut recording["observed"]["draws"][draw];
        draw.as_object_mut().expect("an object").remove("n");
        draw["weights"] = json!([0.5, 0.5]);
    }
    assert!(checked(&recording).expect("a recording").disagreement.is_none());
}
