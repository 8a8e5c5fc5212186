//! Same binary, config, scenario and seed: same bytes, on standard output and in every file, in every process and on any
//! number of threads.

mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use program::routedrill;

const CONFIG: &str = "examples/litellm/azure-two-regions.yaml";

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("the command wrote the folder");
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.expect("a readable entry");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        (name, fs::read(entry.path()).expect("a readable file"))
    };
    entries.map(read).collect()
}

fn assert_same(what: &str, first: &BTreeMap<String, Vec<u8>>, second: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in first {
        assert!(*bytes == second[name], "{what}: {name} differs");
    }
}

/// What a folder holds, by name.
type Files = BTreeMap<String, Vec<u8>>;

/// A drill with every output there is, on so many threads.
fn drill(threads: &str) -> (Vec<u8>, Files, Files) {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
    let (out, scenarios) = (root.path().join("out"), root.path().join("scenarios"));
    let (out_text, scenarios_text) = (out.display().to_string(), scenarios.display().to_string());
    let ran = routedrill(&[
        "drill",
        CONFIG,
        "--all",
        "--threads",
        threads,
        "--out",
        &out_text,
        "--write-scenarios",
        &scenarios_text,
        "--date",
        "2026-01-02",
    ]);
    assert_eq!(ran.status.code(), Some(1), "{}", String::from_utf8_lossy(&ran.stderr));
    (ran.stdout, files(&out), files(&scenarios))
}

#[test]
fn a_drill_gives_the_same_bytes_in_two_processes_on_one_thread_and_on_two() {
    let (one, two, again) = (drill("1"), drill("2"), drill("2"));
    for (what, other) in [("one thread and two", &two), ("two processes", &again)] {
        assert!(one.0 == other.0, "{what}: standard output differs");
        assert_same(what, &one.1, &other.1);
        assert_same(what, &one.2, &other.2);
    }
    let names = ["edits.patch", "memo.html", "memo.md", "report.html", "results.json", "statement.dsse.json"];
    assert_eq!(one.1.keys().collect::<Vec<_>>(), names);
}

#[test]
fn a_run_gives_the_same_bytes_in_two_processes() {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
    let scenarios = root.path().join("scenarios").display().to_string();
    routedrill(&["drill", CONFIG, "--only", "group:gpt-4/5xx", "--seeds", "1", "--write-scenarios", &scenarios]);
    let scenario = format!("{scenarios}/group-gpt-4-5xx.yaml");
    let once = |name: &str| {
        let out = root.path().join(name);
        let ran = routedrill(&["run", &scenario, "--seed", "5", "--out", &out.display().to_string()]);
        assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
        (ran.stdout, files(&out))
    };
    let (first, second) = (once("a"), once("b"));
    assert!(first.0 == second.0, "standard output differs");
    assert_same("two processes", &first.1, &second.1);
    let names: Vec<&str> = first.1.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "attempts.csv",
            "latency.hlog",
            "metrics.prom",
            "report.html",
            "requests.csv",
            "results.json",
            "scenario.yaml",
            "timeline.csv",
            "trace.json"
        ]
    );
    // The expanded scenario is the scenario: it runs to the same digest.
    let expanded = root.path().join("a/scenario.yaml").display().to_string();
    let again = routedrill(&["run", &expanded]);
    let digest = |stdout: &[u8]| String::from_utf8_lossy(stdout).lines().last().map(str::to_owned);
    assert_eq!(digest(&again.stdout), digest(&first.0));
}

#[test]
fn a_written_scenario_is_the_row_it_was_written_for() {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
    let scenarios = root.path().join("scenarios").display().to_string();
    let drill = routedrill(&[
        "drill",
        CONFIG,
        "--only",
        "region:eastus",
        "--seeds",
        "1",
        "--seed",
        "3",
        "--format",
        "json",
        "--write-scenarios",
        &scenarios,
    ]);
    let report: serde_json::Value = serde_json::from_slice(&drill.stdout).expect("JSON");
    let rows = report["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 8);
    for row in rows {
        let name: String = row["name"]
            .as_str()
            .expect("a name")
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
            .collect();
        let ran = routedrill(&["run", &format!("{scenarios}/{name}.yaml"), "--format", "json"]);
        let run: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON");
        assert_eq!(run["digest"], row["digests"][0], "{name}");
    }
}
