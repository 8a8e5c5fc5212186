//! `explain`, `run --record` and `replay` as their users meet them.

mod program;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use program::routedrill;
use serde_json::Value;

const SCENARIO: &str = "tests/inputs/lone-primary.yaml";

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

#[test]
fn a_story_fits_a_terminal_and_its_times_agree() {
    for request in ["worst", "lost", "slowest", "busiest", "0"] {
        let told = routedrill(&["explain", SCENARIO, "--request", request]);
        assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
        let text = stdout(&told);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{request}: {widest:?} columns\n{text}");

        let told = routedrill(&["explain", SCENARIO, "--request", request, "--format", "json"]);
        let story: Value = serde_json::from_slice(&told.stdout).expect("JSON");
        let rows = story["rows"].as_array().expect("rows");
        let starts: Vec<f64> = rows.iter().filter_map(|row| row["from"].as_f64()).collect();
        assert!(starts.is_sorted(), "{request}: {starts:?}");
        assert_eq!(rows[0]["kind"], "asked");
        let last = rows.last().expect("an end");
        assert_eq!((&last["kind"], last["from"].as_f64()), (&Value::from("ended"), story["took"].as_f64()));
        assert!(rows.iter().all(|row| row["what"].as_str().is_some_and(|what| !what.is_empty())), "{request}");
    }
}

#[test]
fn asking_for_a_story_does_not_change_the_run() {
    let digest = |output: &Output| -> Value {
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        report["digest"].clone()
    };
    let run = routedrill(&["run", SCENARIO, "--format", "json"]);
    let told = routedrill(&["explain", SCENARIO, "--format", "json"]);
    assert_eq!(digest(&run), digest(&told));
}

#[test]
fn the_worst_request_is_lost_where_one_was_and_the_slowest_is_answered() {
    let end = |request: &str| {
        let told = routedrill(&["explain", SCENARIO, "--request", request, "--format", "json"]);
        let story: Value = serde_json::from_slice(&told.stdout).expect("JSON");
        story["end"].as_str().map(str::to_owned)
    };
    assert_ne!(end("worst").as_deref(), Some("answered"));
    assert_ne!(end("lost").as_deref(), Some("answered"));
    assert_eq!(end("slowest").as_deref(), Some("answered"));
}

#[test]
fn why_not_names_the_reason_of_each_attempt() {
    let told = routedrill(&["explain", SCENARIO, "--request", "lost", "--why-not", "gpt-4o-mini", "--format", "json"]);
    let story: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let because = story["why_not"]["because"].as_array().expect("reasons");
    assert!(!because.is_empty(), "{story}");
}

#[test]
fn a_request_or_deployment_that_is_not_there_is_bad_input_and_says_which_are() {
    for (args, words) in [
        (&["explain", SCENARIO, "--request", "99999"][..], "no request 99999 under seed 7"),
        (&["explain", SCENARIO, "--request", "5:1"], "help: there are 0 to "),
        (&["explain", SCENARIO, "--request", "nobody"], "expected the number of a request"),
        (&["explain", SCENARIO, "--why-not", "gpt-44"], "did you mean `gpt-4`?"),
        (&["explain", "tests/inputs/none.yaml"], "no such file"),
    ] {
        let refused = routedrill(args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        assert!(refused.stdout.is_empty() && stderr(&refused).contains(words), "{args:?}: {}", stderr(&refused));
    }
}

#[test]
fn a_recording_replays_anywhere_and_a_changed_one_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.rec");
    let file = path.to_str().expect("UTF-8");
    let ran = routedrill(&["run", SCENARIO, "--seed", "11", "--record", file]);
    assert_eq!(ran.status.code(), Some(1), "its promises break: {}", stderr(&ran));
    let entries = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(entries, 1, "nothing but the recording is left");

    let replay = |path: &Path| {
        Command::new(env!("CARGO_BIN_EXE_routedrill"))
            .arg("replay")
            .arg(path)
            .current_dir(folder.path())
            .output()
            .expect("the binary starts")
    };
    let replayed = replay(&path);
    assert_eq!(replayed.status.code(), Some(0), "{}", stderr(&replayed));
    let digest = stdout(&ran).lines().last().map(str::to_owned).expect("a digest");
    assert!(stdout(&replayed).contains(&digest), "{}", stdout(&replayed));
    // The same story from the recording as from the scenario.
    let (from_file, from_record) = (routedrill(&["explain", SCENARIO, "--seed", "11"]), routedrill(&["explain", file]));
    assert_eq!(stdout(&from_file), stdout(&from_record));

    let text = fs::read_to_string(&path).expect("text");
    for (name, changed, words) in [
        ("cut", text[..text.len() / 2].to_owned(), "breaks off"),
        ("edited", text.replacen("ask 17", "ask 18", 1), "changed after it was written"),
        ("newer", text.replacen("recording 1", "recording 9", 1), "format 9"),
        ("foreign", "{}\n".to_owned(), "neither a recording nor a scenario"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, changed).expect("a file");
        let refused = replay(&path);
        assert_eq!(refused.status.code(), Some(2), "{name}");
        assert!(stderr(&refused).contains(words), "{name}: {}", stderr(&refused));
    }
    let other_seed = routedrill(&["replay", file, "--seed", "1"]);
    assert_eq!(other_seed.status.code(), Some(2));
    assert!(stderr(&other_seed).contains("seed 11"));
}

#[test]
fn the_scenario_in_a_recording_is_a_scenario() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.rec");
    let file = path.to_str().expect("UTF-8");
    let ran = routedrill(&["run", SCENARIO, "--record", file]);
    let inside = folder.path().join("inside.yaml");
    fs::write(&inside, routedrill(&["replay", file, "--scenario"]).stdout).expect("a file");
    let again = routedrill(&["run", inside.to_str().expect("UTF-8")]);
    assert_eq!(stdout(&ran), stdout(&again));
}

#[test]
fn only_the_event_engine_is_recorded() {
    let refused = routedrill(&["run", SCENARIO, "--driver", "turmoil", "--record", "x.rec"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn no_file_is_written_over_while_it_is_read() {
    for args in [["run", SCENARIO, "--record", SCENARIO], ["shrink", SCENARIO, "--out", SCENARIO]] {
        let refused = routedrill(&args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        assert!(stderr(&refused).contains("written over"), "{}", stderr(&refused));
    }
}
