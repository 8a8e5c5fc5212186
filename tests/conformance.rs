//! The recordings: the core decides as the real LiteLLM Router did, in every one of them.
//!
//! Besides `conformance/cases`, the folders in the environment variable `ROUTEDRILL_EXTRA_CASES` are replayed, which is
//! written like `PATH`.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use routedrill_sim::conform::{Recording, against, first_divergence, recordings_in};
use routedrill_sim::source::Source;
use serde_json::Value;

const EXTRA_CASES: &str = "ROUTEDRILL_EXTRA_CASES";

fn folders() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/cases")];
    match env::var_os(EXTRA_CASES) {
        Some(extra) => folders.extend(env::split_paths(&extra)),
        None => println!("{EXTRA_CASES} is not set: only the recordings in conformance/cases are replayed"),
    }
    folders
}

fn conform<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_routedrill"));
    command.arg("conform").args(arguments).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn every_recording_agrees() {
    let folders = folders();
    let output = conform(&folders);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let cases = recordings_in(&folders).expect("recordings").len();
    assert_eq!(text(&output.stdout), format!("conform: {cases} of {cases} cases agree\n"));
}

/// Two recordings of one input under different releases differ exactly where `--against` says that the releases do.
#[test]
fn the_difference_between_releases_is_the_difference_between_their_recordings() {
    let mut by_input: BTreeMap<String, Vec<(PathBuf, Recording)>> = BTreeMap::new();
    for path in recordings_in(&folders()).expect("recordings") {
        let source = Source::read(&path, u64::MAX).expect("a file");
        let recording = Recording::parse(source.text()).expect("a recording");
        let mut whole: Value = serde_json::from_str(source.text()).expect("JSON");
        for not_input in ["observed", "litellm"] {
            whole.as_object_mut().expect("an object").remove(not_input);
        }
        by_input.entry(whole.to_string()).or_default().push((path, recording));
    }
    let mut pairs = 0;
    for recordings in by_input.values() {
        for (path, ours) in recordings {
            for (_, theirs) in recordings.iter().filter(|(_, theirs)| theirs.release != ours.release) {
                let said =
                    against(&Source::read(path, u64::MAX).expect("a file"), theirs.release).expect("a recording");
                let differ = first_divergence(&ours.observed, &theirs.observed, None);
                assert_eq!(said.difference.is_some(), differ.is_some(), "{}: {differ:?}", path.display());
                assert!(!said.doubtful, "{}", path.display());
                pairs += 1;
            }
        }
    }
    assert!(pairs > 0, "no input was recorded under two releases");
}

#[test]
fn a_disagreement_is_told_in_one_line_and_found() {
    let output = with_a_recording(|recording| recording["observed"]["responses"][0]["t"] = 99.0.into());
    let stdout = text(&output.stdout);
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{stdout}");
    assert!(lines[0].contains("disagrees at") && lines[0].contains("LiteLLM 1.109.1: "), "{stdout}");
    assert_eq!(lines[1], "conform: 0 of 1 cases agree");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_is_no_recording_is_bad_input_and_the_rest_is_still_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let (good, half) = (folder.path().join("good.json"), folder.path().join("half.json"));
    let whole = a_recording();
    std::fs::write(&good, &whole).expect("a file");
    std::fs::write(&half, &whole[..whole.len() / 2]).expect("a file");
    let output = conform([folder.path()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "conform: 1 of 2 cases agree\n");
    let stderr = text(&output.stderr);
    assert!(stderr.contains("half.json") && stderr.contains("cut off"), "{stderr}");
}

#[test]
fn json_says_the_same() {
    let output = with_a_recording_and(&["--format", "json"], |recording| {
        recording["observed"]["attempts"][0]["group"] = "another".into();
    });
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["counts"], serde_json::json!({"cases": 1, "agree": 0, "malformed": 0}));
    assert_eq!(report["findings"][0]["litellm"], "1.109.1");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_empty_folder_is_no_agreement() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = conform([folder.path()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no recording in this folder"));
}

#[test]
fn an_unknown_release_is_told_the_known_ones() {
    let output = conform(["--against", "1.50.0", "."]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("known releases: 1.80.17, 1.109.1"), "{}", text(&output.stderr));
}

/// Some recording of ours that has attempts and responses.
fn a_recording() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/cases/1.109.1/fallback-retries-each.json");
    std::fs::read_to_string(path).expect("a recording")
}

fn with_a_recording(edit: impl FnOnce(&mut Value)) -> Output {
    with_a_recording_and(&[], edit)
}

fn with_a_recording_and(arguments: &[&str], edit: impl FnOnce(&mut Value)) -> Output {
    let mut recording: Value = serde_json::from_str(&a_recording()).expect("JSON");
    edit(&mut recording);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("edited.json");
    std::fs::write(&path, recording.to_string()).expect("a file");
    let path = path.to_str().expect("UTF-8");
    conform(arguments.iter().copied().chain([path]))
}
