//! `trace.json` keeps to the Trace Event Format as Perfetto's importer reads it: every span that begins ends, in the order
//! of its stack; time never runs backwards; tracks have names; counters are numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

fn trace_of(scenario: &str) -> Value {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let out = folder.path().join("out");
    let path = format!("{}/scenarios/{scenario}.yaml", env!("CARGO_MANIFEST_DIR"));
    let ran = Command::new(env!("CARGO_BIN_EXE_routedrill")).arg("run").arg(path).arg("--out").arg(&out).output();
    let ran = ran.expect("routedrill starts");
    assert!(ran.status.code().is_some_and(|code| code <= 1), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&std::fs::read(out.join("trace.json")).expect("a trace")).expect("JSON")
}

fn number(event: &Value, key: &str) -> f64 {
    event[key].as_f64().filter(|number| *number >= 0.0).unwrap_or_else(|| panic!("{key} of {event}"))
}

fn word<'a>(event: &'a Value, key: &str) -> &'a str {
    event[key].as_str().unwrap_or_else(|| panic!("{key} of {event}"))
}

/// Holds a trace to the rules; gives the names of spans on the outside.
fn obeys_the_rules(trace: &Value) -> BTreeSet<String> {
    assert!(matches!(word(trace, "displayTimeUnit"), "ms" | "ns"));
    let (mut processes, mut threads, mut used) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut spans: BTreeMap<(u64, String, String), (f64, Vec<String>)> = BTreeMap::new();
    let mut ends: BTreeMap<(u64, u64), f64> = BTreeMap::new();
    let mut counters: BTreeMap<String, f64> = BTreeMap::new();
    let mut outside = BTreeSet::new();
    for event in trace["traceEvents"].as_array().expect("events") {
        let (process, thread) = (event["pid"].as_u64().expect("a pid"), event["tid"].as_u64().expect("a tid"));
        let name = word(event, "name").to_owned();
        match word(event, "ph") {
            "M" => {
                assert!(!word(&event["args"], "name").is_empty());
                match name.as_str() {
                    "process_name" => assert!(processes.insert(process), "two names for process {process}"),
                    "thread_name" => assert!(threads.insert((process, thread)), "two names for {process}.{thread}"),
                    other => panic!("no metadata is called {other}"),
                }
            }
            "X" => {
                used.insert(process);
                assert!(threads.contains(&(process, thread)), "a track without a name: {event}");
                let end = ends.entry((process, thread)).or_default();
                let from = number(event, "ts");
                // A nanosecond: times are written in microseconds.
                assert!(from >= *end - 1e-3, "two slices at once on a track: {event} begins before {end}");
                *end = from + number(event, "dur");
            }
            phase @ ("b" | "e") => {
                used.insert(process);
                let key = (process, word(event, "cat").to_owned(), word(event, "id").to_owned());
                let (latest, stack) = spans.entry(key).or_default();
                let at = number(event, "ts");
                assert!(at >= *latest, "time runs backwards at {event}");
                *latest = at;
                if phase == "b" {
                    if stack.is_empty() {
                        outside.insert(name.clone());
                    }
                    stack.push(name);
                } else {
                    assert_eq!(stack.pop(), Some(name), "{event} ends what is not on top");
                }
            }
            "C" => {
                used.insert(process);
                let latest = counters.entry(name).or_default();
                assert!(number(event, "ts") >= *latest);
                *latest = number(event, "ts");
                let figures = event["args"].as_object().expect("figures");
                assert!(!figures.is_empty() && figures.values().all(Value::is_number), "{event}");
            }
            other => panic!("a phase that is not used: {other}"),
        }
    }
    assert!(used.is_subset(&processes), "a process without a name: {used:?} {processes:?}");
    for (key, (_, stack)) in spans {
        assert!(stack.is_empty(), "{key:?} never ends");
    }
    outside
}

#[test]
fn requests_attempts_faults_cooldowns_and_load_are_what_viewers_read() {
    for scenario in [
        "sole-primary-outage",
        "retry-storm",
        "black-hole-least-busy",
        "wait-cut-short",
        "fallbacks-cut-at-depth",
        "parallel-places-full",
        "one-blip-bench",
        "prod-claude-timed-out",
    ] {
        let trace = trace_of(scenario);
        let outside = obeys_the_rules(&trace);
        let events = trace["traceEvents"].as_array().expect("events");
        // A viewer puts spans of one name together: there are as many groups as names that clients ask for.
        assert!(!outside.is_empty() && outside.len() <= 5, "{scenario}: {} names", outside.len());
        let args = events.iter().find(|event| event["ph"] == "b").expect("a request");
        assert!(args["args"]["request"].is_string() && args["args"]["outcome"].is_string(), "{args}");
        let has = |process: u64| events.iter().any(|event| event["pid"] == process && event["ph"] != "M");
        let struck = events.iter().any(|event| event["name"] == "thread_name" && event["pid"] == 3);
        assert!(has(1) && has(4) && has(3) == struck, "{scenario}: requests, load, and faults where there are any");
    }
}
