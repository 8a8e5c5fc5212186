//! Policies that LiteLLM does not have, through the real program: nobody can take what they do for what a proxy does.

mod program;

use program::routedrill;

const SCENARIO: &str = "scenarios/herd-with-jitter.yaml";

fn out(args: &[&str]) -> String {
    String::from_utf8(routedrill(args).stdout).expect("UTF-8")
}

#[test]
fn every_report_of_a_run_that_is_not_litellms_says_so() {
    let policies = "half-open=2,hedge=2s";
    for format in ["text", "html", "prometheus"] {
        let said = out(&["run", SCENARIO, "--what-if", policies, "--format", format]);
        assert!(said.contains("NOT LITELLM: half-open=2, hedge=2s"), "{format}");
        assert!(!out(&["run", SCENARIO, "--format", format]).contains("NOT LITELLM"), "{format}");
    }
    for verb in ["run", "explain"] {
        let json = out(&[verb, SCENARIO, "--what-if", policies, "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["what_if"], serde_json::json!(["half-open=2", "hedge=2s"]), "{verb}");
    }
    assert!(out(&["explain", SCENARIO, "--what-if", policies]).contains("NOT LITELLM"));
    for format in ["text", "junit"] {
        let said = out(&["check", SCENARIO, "--seeds", "2", "--what-if", policies, "--format", format]);
        assert!(said.contains("herd-with-jitter (NOT LITELLM: half-open=2, hedge=2s)"), "{format}: {said}");
    }
    let drawn = out(&["check", "--swarm", "4", "--what-if", policies]);
    assert!(drawn.contains("NOT LITELLM") && drawn.contains("every law held in 4 of 4"), "{drawn}");
}

#[test]
fn the_command_line_adds_to_what_a_scenario_supposes_and_may_be_repeated() {
    let scenario = "scenarios/one-blip-waited-out.yaml";
    let json = out(&["run", scenario, "--what-if", "half-open", "--what-if", "hedge=3s,hedge=2s", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let expected = serde_json::json!(["half-open=1", "wait-for-cooldown=15s", "hedge=2s"]);
    assert_eq!(json["what_if"], expected);
}

#[test]
fn a_recording_holds_its_policies() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.rec").display().to_string();
    let told = out(&["run", SCENARIO, "--what-if", "cooldown-jitter=50%,wait-for-cooldown=5s", "--record", &file]);
    let digest = told.lines().last().expect("a digest").to_owned();
    let replayed = routedrill(&["replay", &file]);
    let text = String::from_utf8(replayed.stdout).expect("UTF-8");
    assert!(replayed.status.success() && text.contains(&digest), "{text}");
}

#[test]
fn what_is_no_policy_is_refused_with_a_way_out() {
    for (policy, help) in
        [("half_open", "did you mean `half-open`?"), ("hedge", "write `hedge=2s`"), ("x", "known are")]
    {
        for verb in ["run", "check", "capacity", "explain"] {
            let refused = routedrill(&[verb, SCENARIO, "--what-if", policy]);
            let said = String::from_utf8(refused.stderr).expect("UTF-8");
            assert_eq!(refused.status.code(), Some(2), "{verb} {policy}");
            assert!(said.contains(help), "{verb} {policy}: {said}");
        }
    }
}
