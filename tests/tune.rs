//! `routedrill tune` and `merge` as their users run them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

/// One of two deployments fails half of its calls for most of the time: retries are what helps.
const CONFIG: &str = "\
# Two deployments of one model.
model_list:
  - model_name: gpt-4 # primary
    litellm_params: {model: azure/gpt-4, api_key: os.environ/A}
  - model_name: gpt-4
    litellm_params:
      model: openai/gpt-4 # the other
      api_key: os.environ/B
router_settings:
  num_retries: 0 # none
  timeout: 300
";

const FLAKY: &str = "\
name: flaky
config: c.yaml
duration: 1m
traffic:
  - {model: gpt-4, arrivals: {poisson: 2/s}, deadline: 60s}
faults:
  - {at: 1s, for: 58s, on: provider:azure, inject: {status: 500}, probability: 50%}
";

const RETRIES: &str = "router_settings.num_retries=0..3";
const TIMEOUT: &str = "router_settings.timeout=200..500";
const WHAT_IF: [&str; 2] = ["--what-if", "half-open,retry-budget=0.2"];

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let calm = FLAKY.split("faults:").next().unwrap().replace("flaky", "calm");
    let other = FLAKY.replace("flaky", "other").replace("provider:azure", "provider:openai");
    for (name, text) in [("c.yaml", CONFIG), ("flaky.yaml", FLAKY), ("calm.yaml", &calm), ("other.yaml", &other)] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_routedrill"));
    command.current_dir(folder).args(args);
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(folder: &Path, args: &[&str]) -> Json {
    let output = run(folder, &[args, &["--format", "json"]].concat());
    assert!(output.status.code() == Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(folder: &Path, args: &[&str], expected: &[&str]) {
    let output = run(folder, args);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for word in expected {
        assert!(said.contains(word), "{word:?} is missing in:\n{said}");
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn the_one_setting_that_helps_is_found_and_helps_where_nobody_tuned() {
    let folder = folder();
    let at = folder.path();
    let args = [
        "tune",
        "flaky.yaml",
        "--vary",
        RETRIES,
        "--vary",
        TIMEOUT,
        "--seeds",
        "12",
        "--hold-out",
        "other.yaml",
        "--write",
        "patched.yaml",
    ];
    let report = json(at, &args);
    assert_eq!(report["better"], true);
    let changes = report["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!((&changes[0]["path"], &changes[0]["to"]), (&"router_settings.num_retries".into(), &"3".into()));
    for judged in report["judgements"].as_array().unwrap() {
        assert_eq!(judged["rows"][0]["difference"]["verdict"], "better", "{judged}");
    }
    assert_eq!(report["judgements"].as_array().unwrap().len(), 2);
    assert_eq!(report["importance"][0]["path"], "router_settings.num_retries");
    assert_eq!(report["new_findings"].as_array().unwrap().len(), 0);
    // Everything but the value stays, comments too.
    let patched = fs::read_to_string(at.join("patched.yaml")).unwrap();
    assert_eq!(patched, CONFIG.replace("num_retries: 0 # none", "num_retries: 3 # none"));
    assert_eq!(run(at, &["lint", "patched.yaml"]).status.code(), run(at, &["lint", "c.yaml"]).status.code());
}

#[test]
fn where_nothing_matters_nothing_is_recommended() {
    let folder = folder();
    let at = folder.path();
    let args = ["tune", "calm.yaml", "--vary", RETRIES, "--vary", TIMEOUT, "--seeds", "12"];
    let report = json(at, &args);
    assert_eq!((&report["better"], &report["changes"]), (&false.into(), &Json::Array(Vec::new())));
    assert_eq!(report["importance"][0]["shares"][0], 0.0);
    let printed = text(&run(at, &args).stdout);
    assert!(printed.starts_with("Nothing beats the current config beyond noise"), "{printed}");
}

#[test]
fn what_was_avoidable_is_told_beside_what_the_patch_avoids() {
    let folder = folder();
    let at = folder.path();
    let args = [&["tune", "flaky.yaml", "--vary", RETRIES, "--seeds", "8"][..], &WHAT_IF].concat();
    let report = json(at, &args);
    let beyond = &report["beyond"];
    let rows = beyond["rows"].as_array().unwrap();
    let whos: Vec<&str> = rows.iter().map(|row| row["who"].as_str().unwrap()).collect();
    assert_eq!(whos, ["current", "recommended", "what_if", "what_if", "all_what_ifs", "clairvoyant"]);
    assert_eq!(rows[4]["what_if"], "retry-budget=0.2, half-open=1");
    let number = |value: &Json| value.as_f64().unwrap();
    // The other deployment is well all the time: nothing has to be lost, and no call has to be made twice.
    let (bound, lost) = (&rows[5], number(&beyond["lost"]));
    assert_eq!((number(&bound["lost"]), number(&bound["attempts_per_request"])), (0.0, 1.0));
    assert!(lost > 0.1 && (number(&beyond["avoidable"]) - lost).abs() < 1e-12, "{beyond}");
    assert!((number(&beyond["avoided"]) - (lost - number(&rows[1]["lost"]))).abs() < 1e-12, "{beyond}");
    assert_eq!(bound["differences"]["lost"]["verdict"], "better");
    let in_litellm: Vec<bool> = rows.iter().map(|row| row["in_litellm"].as_bool().unwrap()).collect();
    assert_eq!(in_litellm, [true, true, false, false, false, false]);
    let printed = text(&run(at, &args).stdout);
    let section = printed.split("Beyond the config").nth(1).unwrap();
    assert!(section.contains("all of them were avoidable; this patch avoids"), "{printed}");
    assert_eq!(section.matches("not in LiteLLM").count(), 4, "{printed}");
    // Where nothing is lost, that is said; where nobody asks, nothing is.
    let calm = ["tune", "calm.yaml", "--vary", RETRIES, "--seeds", "4"];
    let printed = text(&run(at, &calm).stdout);
    assert!(printed.contains("Your config lost no request here"), "{printed}");
    let printed = text(&run(at, &[&calm[..], &["--no-bound"]].concat()).stdout);
    assert!(!printed.contains("Beyond the config"), "{printed}");
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let folder = folder();
    let args = ["tune", "flaky.yaml", "--vary", RETRIES, "--seeds", "12"];
    let on = |threads: &str| run(folder.path(), &[&args[..], &WHAT_IF, &["--threads", threads]].concat()).stdout;
    assert_eq!(text(&on("1")), text(&on("3")));
}

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bytes() {
    let folder = folder();
    let at = folder.path();
    let args = ["tune", "flaky.yaml", "--vary", RETRIES, "--vary", TIMEOUT, "--seeds", "12"];
    let args = [&args[..], &WHAT_IF].concat();
    let whole = run(at, &args).stdout;
    let kept = [&args[..], &["--resume", "runs.store"]].concat();
    let store = at.join("runs.store");
    let mut kills = 0;
    // Killed again and again, each time after some more results, with SIGKILL.
    for step in 1..=4_u64 {
        let mut child = command(at, &kept).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let enough = step * 4_000;
        while child.try_wait().unwrap().is_none() && fs::metadata(&store).map_or(0, |of| of.len()) < enough {
            std::thread::yield_now();
        }
        kills += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills > 0, "it was always faster");
    // A torn record too, as a kill in the middle of a write leaves it.
    let bytes = fs::read(&store).unwrap();
    fs::write(&store, &bytes[..bytes.len() - 5]).unwrap();
    let resumed = run(at, &kept);
    assert_eq!(text(&resumed.stdout), text(&whole));
    assert!(text(&resumed.stderr).contains("going on with"), "{}", text(&resumed.stderr));
    // Nothing is left to run: the store stays as it is.
    let full = fs::read(&store).unwrap();
    assert_eq!(text(&run(at, &kept).stdout), text(&whole));
    assert_eq!(fs::read(&store).unwrap(), full);
    // Another config is refused, and the store stays.
    fs::write(at.join("c.yaml"), CONFIG.replace("timeout: 300", "timeout: 299")).unwrap();
    refused(at, &kept, &["of another config", "runs.store"]);
    assert_eq!(fs::read(&store).unwrap(), full);
}

#[test]
fn shards_put_together_say_what_one_machine_says() {
    let folder = folder();
    let at = folder.path();
    let args = [&["tune", "flaky.yaml", "--vary", RETRIES, "--seeds", "6"][..], &WHAT_IF].concat();
    let alone = run(at, &[&args[..], &["--exhaustive"]].concat());
    for shard in ["1", "2", "3"] {
        let (part, file) = (format!("{shard}/3"), format!("shards/{shard}.store"));
        let output = run(at, &[&args[..], &["--shard", &part, "--resume", &file]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    assert_eq!(text(&run(at, &["merge", "shards"]).stdout), text(&alone.stdout));
    fs::copy(at.join("shards/1.store"), at.join("shards/again.store")).unwrap();
    fs::remove_file(at.join("shards/2.store")).unwrap();
    refused(at, &["merge", "shards"], &["shard 2/3 is missing", "shard 1/3 is there 2 times", "again.store"]);
}

#[test]
fn a_promise_that_nothing_keeps_is_an_answer() {
    let folder = folder();
    let args = ["tune", "flaky.yaml", "--vary", RETRIES, "--seeds", "6", "--slo", "p99<=1ms"];
    let output = run(folder.path(), &args);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("p99<=1ms does NOT hold"), "{}", text(&output.stdout));
}

#[test]
fn a_promise_to_those_who_ask_for_one_model_decides_against_what_is_best_for_all() {
    // Retries help the many who ask for gpt-4, and cost the few of slow-model the second that it takes to fail.
    let folder = folder();
    let at = folder.path();
    let config = CONFIG.replace(
        "router_settings:",
        "  - model_name: slow-model\n    litellm_params: {model: anthropic/claude, api_key: os.environ/C}\nrouter_settings:",
    );
    fs::write(at.join("c.yaml"), config).unwrap();
    let both = FLAKY.replace(
        "  - {model: gpt-4,",
        "  - {model: slow-model, arrivals: {poisson: 0.4/s}, deadline: 60s}\n  - {model: gpt-4,",
    ) + "  - {at: 1s, for: 58s, on: provider:anthropic, inject: reset, probability: 70%}\n\
           upstreams: {provider:anthropic: {ttft: 1s, tpot: 0s}}\n";
    fs::write(at.join("both.yaml"), both).unwrap();
    let args = ["tune", "both.yaml", "--vary", RETRIES, "--seeds", "12"];
    let retries = |report: &Json| report["changes"].as_array().unwrap().first().map(|change| change["to"].clone());
    assert_eq!(retries(&json(at, &args)), Some("3".into()));
    let held = json(at, &[&args[..], &["--slo", "slow-model:attempts<=1.9,each:availability>=20%"]].concat());
    assert_eq!(retries(&held), Some("1".into()), "{held}");
    assert_eq!(held["constraints"][0], "slow-model:attempts<=1.9");
    let rows = held["judgements"][0]["rows"].as_array().unwrap();
    let measures: Vec<&Json> = rows.iter().map(|row| &row["measure"]).collect();
    assert_eq!(measures, ["lost", "p99", "slow-model:amplification", "slow-model:lost", "gpt-4:lost"]);
    // What is minimised may be of theirs, too.
    let few = json(at, &[&args[..], &["--minimise", "slow-model:amplification"]].concat());
    assert_eq!(retries(&few), None, "{few}");
    // Who gives up early answers soon whom it answers, and the others never: that is no better mean.
    let mean = json(at, &[&args[..], &["--minimise", "slow-model:mean"]].concat());
    assert_eq!(retries(&mean), Some("3".into()), "{mean}");
    refused(at, &[&args[..], &["--slo", "slow:p99<=1s"]].concat(), &["nobody asks for `slow`"]);
}

#[test]
fn what_is_recommended_is_better_on_runs_that_tune_never_saw() {
    let folder = folder();
    let at = folder.path();
    // Not a held-out part of the same search, but another command on another scenario under seeds of its own.
    let storm = FLAKY.replace("flaky", "storm").replace("status: 500", "status: 503").replace("50%", "35%");
    let both = storm.replace("provider:azure", "all").replace("duration: 1m", "duration: 2m");
    fs::write(at.join("storm.yaml"), both.replace("c.yaml", "patched.yaml")).unwrap();
    fs::write(at.join("before.yaml"), both).unwrap();
    let args = ["tune", "flaky.yaml", "--vary", RETRIES, "--vary", TIMEOUT, "--seeds", "12", "--write", "patched.yaml"];
    assert!(run(at, &args).status.success());
    let answered = |scenario: &str, seed: &str| {
        let report = json(at, &["run", scenario, "--seed", seed]);
        report["requests"]["availability"].as_f64().unwrap()
    };
    for seed in ["1001", "1002", "1003", "1004", "1005"] {
        let (before, after) = (answered("before.yaml", seed), answered("storm.yaml", seed));
        assert!(after > before + 0.05, "seed {seed}: {after} after {before}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let folder = folder();
    let at = folder.path();
    let varies = [
        ("router_settings.num_retry=0..3", "did you mean `router_settings.num_retries`?"),
        ("num_retries=0..3", "did you mean `router_settings.num_retries`?"),
        ("router_settings.timeout=5..1", "its range is reversed"),
        ("router_settings.timeout=1..NaN", "`NaN` is no number"),
        ("router_settings.timeout=7..7", "its range is empty"),
        ("router_settings.cooldown_time=-1..3", "`-1` is below zero"),
        ("model_list.7.litellm_params.weight=1..2", "is a list of 2, and `7` is no position in it"),
        ("router_settings.num_retries=fast,slow", "with fast: num_retries is text where LiteLLM needs a number"),
        ("router_settings.num_retries.x=1..2", "has no `x` below it"),
        ("litellm_settings.drop_params=true,false", "nothing that routedrill models depends on it"),
    ];
    let mut args = vec!["tune", "flaky.yaml"];
    args.extend(varies.iter().flat_map(|(vary, _)| ["--vary", vary]));
    args.extend(["--minimise", "lost,speed", "--slo", "p99>=8s", "--what-if", "half_open,hedge=2s,hedge=2s"]);
    let mut expected: Vec<&str> = varies.iter().map(|(_, message)| *message).collect();
    expected.extend(["`speed` is none of", "p99", "did you mean `half-open`?", "this policy is there twice"]);
    refused(at, &args, &expected);
    fs::write(at.join("diary"), "mine").unwrap();
    refused(at, &["tune", "flaky.yaml", "--vary", RETRIES, "--resume", "diary"], &["no store of results"]);
    assert_eq!(fs::read_to_string(at.join("diary")).unwrap(), "mine");
    refused(at, &["tune", "c.yaml", "--vary", RETRIES], &["this is a LiteLLM config; give a scenario"]);
    let own = FLAKY.replace("duration:", "router: {num_retries: 1}\nduration:");
    fs::write(at.join("own.yaml"), own).unwrap();
    refused(at, &["tune", "own.yaml", "--vary", RETRIES], &["own.yaml sets it by itself"]);
}

#[test]
fn a_store_that_cannot_be_gone_on_with_is_left_as_it_is() {
    let folder = folder();
    let at = folder.path();
    let args = ["tune", "flaky.yaml", "--vary", RETRIES, "--seeds", "4", "--points", "8", "--resume", "runs.store"];
    assert!(run(at, &args).status.success());
    let store = at.join("runs.store");
    let whole = fs::read(&store).unwrap();
    let start = b"routedrill results 1";
    assert!(whole.starts_with(start));
    let newer = [b"routedrill results 2".as_slice(), &whole[start.len()..]].concat();
    // The number in the header: as if another build had written it.
    let build = whole.windows(6).position(|bytes| bytes == b"build ").expect("the header names the build") + 6;
    let mut other_header = whole.clone();
    other_header[build] ^= 1;
    for bytes in [Vec::new(), whole[..15].to_vec(), whole[..40].to_vec(), vec![0; 3000], newer, other_header] {
        fs::write(&store, &bytes).unwrap();
        refused(at, &args, &["runs.store", "no store of results"]);
        assert!(fs::read(&store).unwrap() == bytes, "the store was changed");
    }
}

#[test]
fn every_format_is_printed() {
    let folder = folder();
    let at = folder.path();
    let args = ["tune", "flaky.yaml", "--vary", RETRIES, "--vary", TIMEOUT, "--seeds", "6", "--out", "found"];
    assert!(run(at, &[&args[..], &WHAT_IF].concat()).status.success());
    let read = |name: &str| fs::read_to_string(at.join("found").join(name)).unwrap();
    let beyond = read("beyond.csv");
    assert_eq!(beyond.lines().map(|line| line.matches(',').count() >= 18).collect::<Vec<_>>(), [true; 7], "{beyond}");
    assert!(beyond.lines().next_back().unwrap().starts_with("clairvoyant,,false,0,"), "{beyond}");
    assert!(read("tune.html").contains("Beyond the config") && read("tune.html").contains("not in LiteLLM"));
    assert!(read("tune.html").contains("Pareto") && read("tune.html").contains("Plateau or cliff"));
    let csv = read("tune.csv");
    assert!(csv.starts_with("router_settings.num_retries,router_settings.timeout,lost,p99,seeds,pareto"), "{csv}");
    assert!(read("tune.txt").contains("-  num_retries: 0 # none\n+  num_retries: 3 # none\n"));
    let diff = run(at, &[&args[..6], &["--seeds", "6", "--format", "diff"]].concat());
    assert!(text(&diff.stdout).starts_with("--- a/c.yaml\n+++ b/c.yaml\n@@"), "{}", text(&diff.stdout));
}
