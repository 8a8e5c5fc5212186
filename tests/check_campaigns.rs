//! `check` as a gate: what failed is kept and runs first, what comes after a failure may be left out, and no thread
//! count changes a byte.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A scenario of the support bot: its primary fails for half a minute.
const SCENARIO: &str = "\
name: NAME
config: config.yaml
duration: 1m
traffic: [{model: gpt-4, arrivals: {poisson: 4/s}, output_tokens: 60, deadline: 60s}]
faults: [{at: 20s, for: 20s, on: provider:azure, inject: {status: 503}}]
expect: {attempts_per_request: \"<= LIMIT\", must_see: [fallback]}
";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/litellm/support-bot.yaml");
    fs::copy(config, folder.path().join("config.yaml")).expect("a config");
    fs::create_dir(folder.path().join("drills")).expect("a folder");
    for (name, limit) in [("fails", "1.1"), ("holds", "9")] {
        let text = SCENARIO.replace("NAME", name).replace("LIMIT", limit).replace("config.yaml", "../config.yaml");
        fs::write(folder.path().join(format!("drills/{name}.yaml")), text).expect("a scenario");
    }
    folder
}

fn check(folder: &TempDir, more: &[&str], threads: &str) -> (Option<i32>, String) {
    let Output { status, stdout, .. } = Command::new(env!("CARGO_BIN_EXE_routedrill"))
        .args(["check", "drills"])
        .args(more)
        .current_dir(folder.path())
        .env("RAYON_NUM_THREADS", threads)
        .output()
        .expect("routedrill runs");
    (status.code(), String::from_utf8(stdout).expect("UTF-8"))
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let folder = folder();
    let one = check(&folder, &["--seeds", "12", "--format", "json"], "1");
    assert_eq!(one.0, Some(1));
    assert_eq!(one, check(&folder, &["--seeds", "12", "--format", "json"], "3"));
}

#[test]
fn what_failed_is_kept_and_runs_first_from_then_on() {
    let folder = folder();
    check(&folder, &["--seeds", "5..9", "--save-failures"], "2");
    let kept = fs::read_to_string(folder.path().join("drills/regressions/fails-seed-5.yaml")).expect("a kept seed");
    assert!(kept.starts_with("# Proves: ") && kept.contains("\nseed: 5\n"), "{kept}");
    let (code, told) = check(&folder, &["--seeds", "3"], "2");
    assert_eq!(code, Some(1), "{told}");
    let first = told.lines().next().unwrap_or_default();
    assert!(first.starts_with("BROKEN  fails-seed-5: 0 of 1 run clean"), "{told}");
    // Once it is mended, the kept seed holds.
    let mended = kept.replace("<= 1.1", "<= 9");
    fs::write(folder.path().join("drills/regressions/fails-seed-5.yaml"), mended).expect("a mended one");
    let (_, told) = check(&folder, &["--seeds", "3"], "2");
    assert!(told.starts_with("held    fails-seed-5: 1 of 1 run clean"), "{told}");
}

#[test]
fn what_comes_after_a_failure_can_be_left_out() {
    let folder = folder();
    let (code, told) = check(&folder, &["--seeds", "3", "--stop-early"], "2");
    assert_eq!(code, Some(1));
    assert!(told.contains("left out after that: holds") && !told.contains("held    holds"), "{told}");
}
