//! `shrink` as its users meet it: what it finds breaks the same promise, is smaller, and is the same every time.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const SCENARIO: &str = "tests/inputs/lone-primary.yaml";

fn routedrill(args: &[&str], threads: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_routedrill"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RAYON_NUM_THREADS", threads)
        .output()
        .expect("the binary that was built for this test starts")
}

fn report(path: &Path) -> Value {
    let ran = routedrill(&["run", path.to_str().expect("UTF-8"), "--format", "json"], "1");
    assert_eq!(ran.status.code(), Some(1), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

fn broken(report: &Value) -> Vec<String> {
    let promises = report["expectations"].as_array().expect("promises").iter();
    promises.filter(|one| one["held"] == false).filter_map(|one| one["key"].as_str().map(str::to_owned)).collect()
}

#[test]
fn each_broken_promise_is_shrunk_to_a_smaller_scenario_that_breaks_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = report(&Path::new(env!("CARGO_MANIFEST_DIR")).join(SCENARIO));
    let keys: Vec<String> = broken(&whole).into_iter().filter(|key| key != "must_see").collect();
    assert!(keys.len() >= 2, "{keys:?}");
    for key in &keys {
        let path = folder.path().join(format!("{key}.yaml"));
        let out = path.to_str().expect("UTF-8");
        let shrunk = routedrill(&["shrink", SCENARIO, "--breaks", key, "--out", out], "2");
        assert_eq!(shrunk.status.code(), Some(0), "{key}: {}", String::from_utf8_lossy(&shrunk.stderr));
        assert!(shrunk.stderr.is_empty(), "progress is for terminals: {}", String::from_utf8_lossy(&shrunk.stderr));
        let small = report(&path);
        assert_eq!(broken(&small), [key.as_str()]);
        let requests = |report: &Value| report["requests"]["total"].as_u64().expect("a count");
        assert!(requests(&small) * 10 < requests(&whole), "{key}: {} requests", requests(&small));
        let text = fs::read_to_string(&path).expect("a file");
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
        let told = String::from_utf8(shrunk.stdout).expect("text");
        let story = told.split("\n\n").nth(1).expect("a story");
        assert!(story.lines().count() <= 15 && story.starts_with("request "), "{told}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), keys.len(), "no drafts are left behind");
}

#[test]
fn the_same_scenario_shrinks_to_the_same_bytes_on_any_number_of_threads() {
    let once = routedrill(&["shrink", SCENARIO], "1");
    let again = routedrill(&["shrink", SCENARIO], "3");
    assert_eq!(once.stdout, again.stdout);
    assert_eq!(once.status.code(), Some(0));
}

#[test]
fn what_is_smallest_shrinks_to_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("first.yaml"), folder.path().join("second.yaml"));
    let shrink = |from: &str, to: &Path| {
        let shrunk = routedrill(&["shrink", from, "--out", to.to_str().expect("UTF-8")], "2");
        assert_eq!(shrunk.status.code(), Some(0), "{}", String::from_utf8_lossy(&shrunk.stderr));
        let text = fs::read_to_string(to).expect("a file");
        text.lines().filter(|line| !line.starts_with(['#', 'n'])).map(str::to_owned).collect::<Vec<_>>()
    };
    let small = shrink(SCENARIO, &first);
    assert_eq!(small, shrink(first.to_str().expect("UTF-8"), &second));
}

#[test]
fn a_recording_shrinks_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let (recording, small) = (folder.path().join("run.rec"), folder.path().join("small.yaml"));
    let recording = recording.to_str().expect("UTF-8");
    routedrill(&["run", SCENARIO, "--record", recording], "1");
    let shrunk = routedrill(&["shrink", recording, "--out", small.to_str().expect("UTF-8")], "2");
    assert_eq!(shrunk.status.code(), Some(0), "{}", String::from_utf8_lossy(&shrunk.stderr));
    assert_eq!(broken(&report(&small)), ["availability"]);
}

#[test]
fn a_promise_that_does_not_break_is_bad_input() {
    let refused = routedrill(&["shrink", SCENARIO, "--breaks", "availabilty"], "1");
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("it breaks availability, latency.p99"), "{said}");
}
