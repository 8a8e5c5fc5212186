//! What is no recording is refused, and file, case and field are named.

use routedrill_sim::conform::check;
use routedrill_sim::source::Source;
use serde_json::{Value, json};

use crate::{FALLBACK, checked, fallback};

fn refusal(edit: impl FnOnce(&mut Value)) -> String {
    let mut recording = fallback();
    edit(&mut recording);
    let problem = checked(&recording).expect_err("no recording");
    assert_eq!(problem.file, "fallback.json");
    problem.message
}

fn expect(edit: impl FnOnce(&mut Value), message: &str) {
    assert_eq!(refusal(edit), format!("case fallback: {message}"));
}

#[test]
fn a_truncated_file() {
    for cut in [1, FALLBACK.len() / 3, FALLBACK.len() - 3] {
        let problem = check(&Source::new("half.json", &FALLBACK[..cut])).expect_err("half a file");
        assert!(problem.message.starts_with("cut off: EOF"), "{}", problem.message);
        assert!(problem.at.is_some(), "the line is named");
    }
}

#[test]
fn no_json_and_no_object() {
    let problem = check(&Source::new("a.json", "model_list: []")).expect_err("YAML");
    assert!(problem.message.starts_with("no JSON: "), "{}", problem.message);
    let problem = check(&Source::new("a.json", "[1, 2]")).expect_err("a list");
    assert_eq!(problem.message, "[1,2] where an object is expected");
}

#[test]
fn a_newer_format() {
    let message = refusal(|recording| recording["format"] = json!(2));
    assert_eq!(message, "format: format 2 is newer than the newest that is read, 1");
}

#[test]
fn a_release_that_is_not_modelled() {
    let message = "litellm: LiteLLM \"1.50.0\" is not modelled; known releases: 1.80.17, 1.109.1";
    expect(|recording| recording["litellm"] = json!("1.50.0"), message);
}

#[test]
fn an_entry_that_is_neither_proxy_nor_sdk() {
    expect(|recording| recording["entry"] = json!("cli"), "entry: \"cli\" is neither \"proxy\" nor \"sdk\"");
}

#[test]
fn a_missing_field() {
    let edit = |recording: &mut Value| drop(recording["requests"][1].as_object_mut().expect("one").remove("at"));
    expect(edit, "requests[1].at: missing");
    let edit = |recording: &mut Value| drop(recording["observed"].as_object_mut().expect("one").remove("draws"));
    expect(edit, "observed.draws: missing");
}

#[test]
fn an_unknown_kind_of_reply() {
    let message = refusal(|recording| recording["upstreams"]["a"]["default"]["explode"] = json!(true));
    assert!(message.starts_with("case fallback: upstreams.a.default.explode: unknown field"), "{message}");
    let edit = |recording: &mut Value| recording["upstreams"]["a"]["default"]["status"] = json!(302);
    expect(edit, "upstreams.a.default.status: 302 is neither 200 nor an error's status");
}

#[test]
fn an_unknown_kind_of_draw() {
    let edit = |recording: &mut Value| recording["observed"]["draws"][2]["for"] = json!("tea");
    expect(edit, "observed.draws[2].for: \"tea\" is not a kind of draw");
}

#[test]
fn a_number_that_is_no_draw() {
    let edit = |recording: &mut Value| recording["observed"]["draws"][0]["u"] = json!(1.0);
    expect(edit, "observed.draws[0].u: 1.0 is not in [0, 1)");
}

#[test]
fn a_wrong_type() {
    let edit = |recording: &mut Value| recording["observed"]["attempts"][0]["sent"] = json!("yes");
    expect(edit, "observed.attempts[0].sent: \"yes\" where true or false is expected");
    let edit = |recording: &mut Value| recording["requests"][0]["at"] = json!(-1.0);
    expect(edit, "requests[0].at: -1.0 is no time in seconds");
}

#[test]
fn a_request_that_does_not_exist() {
    let edit = |recording: &mut Value| recording["observed"]["attempts"][0]["request"] = json!(9);
    expect(edit, "observed.attempts[0].request: there is no request 9, only 3");
}

#[test]
fn a_parameter_that_may_matter() {
    let edit = |recording: &mut Value| recording["requests"][0]["params"] = json!({"cache": {"no-cache": true}});
    expect(edit, "requests[0].params.cache: unknown parameter of a request; it may matter to routing");
}

#[test]
fn draws_that_nothing_asked_for() {
    let edit = |recording: &mut Value| {
        let draw = json!({"t": 9.0, "for": "pick", "u": 0.5, "n": 2, "request": 2});
        recording["observed"]["draws"].as_array_mut().expect("a list").push(draw);
    };
    expect(edit, "observed.draws[9]: left over: nothing asks for the last 1 of the draws, and all else agrees");
}

#[test]
fn a_configuration_that_litellm_would_refuse() {
    let message = refusal(|recording| recording["config"]["model_list"] = json!([]));
    assert!(message.starts_with("case fallback: config: "), "{message}");
}
