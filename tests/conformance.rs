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

/// What is wrong with a recording is told with its file, its case and the field, and nothing else of it is believed.
#[test]
fn each_way_to_be_no_recording_is_told_by_file_case_and_field() {
    type Edit = fn(&mut Value);
    let cases: [(&str, Edit, &[&str]); 5] = [
        ("newer-format", |recording| recording["format"] = 2.into(), &["format", "newer than the newest"]),
        (
            "unknown-reply",
            |recording| recording["upstreams"]["gpt-4-1"]["default"] = serde_json::json!({"teapot": true}),
            &["fallback-retries-each", "upstreams.gpt-4-1.default", "teapot"],
        ),
        (
            "unknown-end-of-a-stream",
            |recording| recording["observed"]["attempts"][0]["stream"] = "melted".into(),
            &["fallback-retries-each", "observed.attempts[0].stream", "melted"],
        ),
        (
            "unknown-draw",
            |recording| recording["observed"]["draws"][0]["for"] = "lottery".into(),
            &["fallback-retries-each", "observed.draws[0].for", "lottery"],
        ),
        (
            "no-such-request",
            |recording| recording["observed"]["responses"][0]["request"] = 99.into(),
            &["fallback-retries-each", "observed.responses[0].request", "no request 99"],
        ),
    ];
    for (name, edit, words) in cases {
        let output = with_a_recording(edit);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {stderr}");
        for word in words.iter().chain(&["edited.json", "help: "]) {
            assert!(stderr.contains(word), "{name}: {word:?} is missing in {stderr}");
        }
    }
}

#[test]
fn a_recording_cut_off_anywhere_is_bad_input_and_never_a_panic() {
    let whole = a_recording();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("half.json");
    for twentieth in 0..20 {
        std::fs::write(&path, &whole[..whole.len() * twentieth / 20]).expect("a file");
        let output = conform([&path]);
        assert_eq!(output.status.code(), Some(2), "{twentieth}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("half.json"), "{twentieth}");
    }
}

#[test]
fn a_draw_left_over_is_an_error_that_names_it() {
    let output = with_a_recording(|recording| {
        let draws = recording["observed"]["draws"].as_array_mut().expect("draws");
        let mut one_more = draws.last().expect("a draw").clone();
        one_more["t"] = 99.0.into();
        draws.push(one_more);
    });
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    for word in ["edited.json", "fallback-retries-each", "observed.draws"] {
        assert!(stderr.contains(word), "{word:?} is missing in {stderr}");
    }
}

/// The recorder makes the committed recordings again, byte for byte, with the LiteLLM that is installed.
#[test]
fn the_recorder_still_records_the_same() {
    let Some(python) = env::var_os("ROUTEDRILL_PYTHON") else {
        return println!("skipped: ROUTEDRILL_PYTHON names no Python");
    };
    let conformance = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let version = Command::new(&python)
        .args([
            "-c",
            "import sys; from importlib.metadata import version; print(version('litellm'), *sys.version_info[:2])",
        ])
        .output()
        .expect("Python runs");
    if !version.status.success() {
        return println!("skipped: {} has no litellm", Path::new(&python).display());
    }
    let version = text(&version.stdout).trim();
    let Some(release) = version.strip_suffix(" 3 11") else {
        return println!("skipped: recordings are made with Python 3.11, and this is (LiteLLM, Python) {version}");
    };
    let folder = conformance.join("cases").join(release);
    if !folder.is_dir() {
        return println!("skipped: no recordings of LiteLLM {release}");
    }
    // A few seconds for each: one of every family, and those that mix everything.
    let mut chosen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in recordings_in(&[folder]).expect("recordings") {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let family = name.split('-').next().expect("a word").to_owned();
        chosen.entry(family).or_insert(path);
    }
    let output = Command::new(&python)
        .arg(conformance.join("record.py"))
        .arg("--check")
        .args(chosen.values())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("the recorder runs");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout), format!("{0} of {0} cases are equal\n", chosen.len()));
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
