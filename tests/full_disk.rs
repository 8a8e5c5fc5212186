//! Every command that writes files, on a disk that is full: it says so, ends with exit code 3, and leaves what was there
//! as it was. A limit on the size of files stands for the full disk: writing begins, and fails in the middle.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Longer than what the limit lets through, so that no file of it can be written whole.
const PADDING: &str = "# 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\n";

const CONFIG: &str = "\
model_list:
  - model_name: gpt-4
    litellm_params: {model: azure/gpt-4, api_base: 'https://a-eastus.openai.azure.com/', api_key: os.environ/AZURE_KEY}
  - model_name: gpt-4o-mini
    litellm_params: {model: openai/gpt-4o-mini, api_key: os.environ/OPENAI_KEY}
router_settings:
  num_retries: 0
  request_timeout: 20
litellm_settings:
  fallbacks: [{gpt-4: [gpt-4o-mini]}]
";

const SCENARIO: &str = "\
name: drill
config: config.yaml
duration: 20s
traffic:
  - {model: gpt-4, arrivals: {poisson: 2/s}, deadline: 20s}
faults:
  - {at: 5s, for: 10s, on: all, inject: {status: 503}}
expect:
  availability: \">= 99%\"
";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("config.yaml"), format!("{CONFIG}{}", PADDING.repeat(12))).expect("a file");
    fs::write(folder.path().join("drill.yaml"), SCENARIO).expect("a file");
    folder
}

/// Runs the program with files limited to one block, 512 or 1,024 bytes as shells count.
fn on_a_full_disk(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_routedrill")]);
    command.current_dir(folder).args(args).stdin(Stdio::null()).output().expect("a shell")
}

fn on_an_empty_disk(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_routedrill")).current_dir(folder).args(args).output().expect("routedrill runs")
}

/// Every file with its content.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(content(&path));
            found.insert(path, Vec::new());
        } else {
            found.insert(path.clone(), fs::read(&path).expect("a file"));
        }
    }
    found
}

#[track_caller]
fn fails(folder: &Path, args: &[&str]) {
    let output = on_a_full_disk(folder, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{args:?}: {said}");
    assert!(
        ["error: failed to write", "cannot be kept any longer: File too large"]
            .iter()
            .any(|words| said.contains(words)),
        "{args:?}: {said}"
    );
    assert!(!said.contains("panicked"), "{args:?}: {said}");
}

/// Fails where nothing was written yet, and again where an earlier run has written what this one would replace.
#[track_caller]
fn leaves_everything_as_it_was(args: &[&str]) {
    let folder = folder();
    let fresh = content(folder.path());
    fails(folder.path(), args);
    assert!(content(folder.path()) == fresh, "{args:?} left {:?}", content(folder.path()).keys());
    let written = on_an_empty_disk(folder.path(), args);
    let before = content(folder.path());
    assert!(before != fresh, "{args:?} wrote nothing: {}", String::from_utf8_lossy(&written.stderr));
    if args[0] != "lint" {
        fails(folder.path(), args);
        assert!(content(folder.path()) == before, "{args:?} changed what was there");
    }
}

#[test]
fn reports_of_a_run() {
    leaves_everything_as_it_was(&["run", "drill.yaml", "--out", "out"]);
}

#[test]
fn a_recording() {
    leaves_everything_as_it_was(&["run", "drill.yaml", "--record", "run.rec"]);
}

#[test]
fn a_memo() {
    leaves_everything_as_it_was(&[
        "drill",
        "config.yaml",
        "--only",
        "group:gpt-4/429",
        "--duration",
        "20s",
        "--seeds",
        "1",
        "--date",
        "2026-01-01",
        "--out",
        "memo",
    ]);
}

#[test]
fn the_scenarios_of_a_drill() {
    leaves_everything_as_it_was(&[
        "drill",
        "config.yaml",
        "--only",
        "group:gpt-4/429",
        "--duration",
        "20s",
        "--seeds",
        "1",
        "--write-scenarios",
        "rows",
    ]);
}

#[test]
fn a_mended_config() {
    leaves_everything_as_it_was(&["lint", "config.yaml", "--fix", "--write"]);
}

#[test]
fn a_smallest_scenario() {
    leaves_everything_as_it_was(&["shrink", "drill.yaml", "--out", "small.yaml"]);
}

#[test]
fn a_failing_seed() {
    leaves_everything_as_it_was(&["check", "drill.yaml", "--seeds", "1", "--save-failures"]);
}

#[test]
fn pages_of_a_capacity() {
    leaves_everything_as_it_was(&[
        "capacity",
        "drill.yaml",
        "--slo",
        "availability>=10%",
        "--duration",
        "10s",
        "--seeds",
        "2",
        "--precision",
        "50%",
        "--out",
        "out",
    ]);
}

const TUNE: [&str; 7] = [
    "tune",
    "drill.yaml",
    "--vary",
    "router_settings.num_retries=0..2",
    "--seeds=4",
    "--held-out-seeds=4",
    "--format=json",
];

#[test]
fn pages_of_a_search() {
    leaves_everything_as_it_was(&[&TUNE[..], &["--out", "out"]].concat());
}

#[test]
fn a_search_that_could_not_store_its_results_goes_on_from_those_that_it_could() {
    let (full, empty) = (folder(), folder());
    let args = [&TUNE[..], &["--resume", "store"]].concat();
    fails(full.path(), &args);
    let resumed = on_an_empty_disk(full.path(), &args);
    let at_once = on_an_empty_disk(empty.path(), &args);
    assert!(!at_once.stdout.is_empty(), "{}", String::from_utf8_lossy(&at_once.stderr));
    assert!(resumed.stdout == at_once.stdout, "{}", String::from_utf8_lossy(&resumed.stderr));
}

#[test]
fn a_result_that_standard_output_does_not_take() {
    let folder = folder();
    for args in [&["run", "drill.yaml", "--format", "json"][..], &["lint", "config.yaml"], &["schema"]] {
        let program = env!("CARGO_BIN_EXE_routedrill");
        let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
            println!("skipped: there is no /dev/full");
            return;
        };
        let output =
            Command::new(program).current_dir(folder.path()).args(args).stdout(full).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {said}");
        assert!(said.contains("error: failed to write the result"), "{args:?}: {said}");
    }
}
