//! `routedrill capacity` as its users meet it.

use std::path::Path;
use std::process::{Command, Output};

const BOT: &str = "examples/litellm/support-bot.yaml";

fn capacity(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_routedrill"))
        .arg("capacity")
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary that was built for this test starts")
}

/// A search that is over in a moment.
fn brief(args: &[&str]) -> Output {
    const FEW: [&str; 8] = ["--seeds", "2", "--duration", "30s", "--precision", "25%", "--rpm", "60"];
    capacity(&[&[BOT], args, &FEW].concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn everything_that_is_wrong_with_the_question_is_said_at_once() {
    let output = capacity(&[
        BOT,
        "--slo",
        "availability>=NaN,speed>=3,availability>=100%",
        "--lose",
        "provider:azur",
        "--loads",
        "5/s..1/s",
        "--lose-as",
        "boredom",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    for words in ["`availability>=NaN`", "`speed`", "no number of runs", "reversed", "`boredom` is no outage"] {
        assert!(said.contains(words), "no word of {words}:\n{said}");
    }
    let unknown = capacity(&[BOT, "--slo", "p99<=8s,gtp-4:p99<=8s", "--lose", "provider:azur"]);
    assert_eq!(unknown.status.code(), Some(2));
    let said = text(&unknown.stderr);
    assert!(said.contains("did you mean `gpt-4`?") && said.contains("did you mean `provider:azure`?"), "{said}");
    assert!(output.stdout.is_empty() && unknown.stdout.is_empty());
}

#[test]
fn traffic_that_never_comes_or_waits_for_its_answers_cannot_be_scaled() {
    let folder = tempfile::tempdir().unwrap();
    for (arrivals, words) in [
        ("{poisson: 0/s}", "no request ever comes"),
        ("{closed: {users: 3, think: 1s}}", "no load that could be scaled"),
    ] {
        let file = folder.path().join("scenario.yaml");
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join(BOT);
        let scenario = format!(
            "name: none\nconfig: {}\nduration: 10s\ntraffic: [{{model: gpt-4, arrivals: {arrivals}}}]\n",
            config.display()
        );
        std::fs::write(&file, scenario).unwrap();
        let output = capacity(&[file.to_str().unwrap(), "--slo", "availability>=99%"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        let said = text(&output.stderr);
        assert!(said.contains(words) || said.contains("rate"), "{said}");
    }
}

#[test]
fn an_objective_that_nothing_can_meet_is_an_answer_with_the_best_that_was_found() {
    let output = brief(&["--slo", "p50<=1ms", "--lose", "none", "--loads", "0.5/s..8/s"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("No load holds the objective") && said.contains("The best that was found"), "{said}");
}

#[test]
fn every_format_gives_the_same_answer_whatever_the_thread_count() {
    let json = |threads: &str| {
        let args = ["--slo", "availability>=90%", "--lose", "provider:azure", "--threads", threads, "--format", "json"];
        let output = brief(&args);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert_eq!(json("1"), json("3"));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let args = ["--slo", "availability>=90%", "--lose", "provider:azure", "--out", out.to_str().unwrap()];
    let output = brief(&args);
    let results: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["cases"][0]["case"], "healthy");
    assert_eq!(results["cases"][1]["case"], "provider:azure");
    let holds = results["cases"][0]["holds"].as_f64().expect("some load holds");
    assert!(results["cases"][0]["breaks"].as_f64().is_some_and(|breaks| holds < breaks));
    assert!(std::fs::read_to_string(out.join("cases.csv")).unwrap().contains(&format!("healthy,{holds},")));
    assert!(std::fs::read_to_string(out.join("curve.csv")).unwrap().starts_with("case,load,goodput"));
    let page = std::fs::read_to_string(out.join("capacity.html")).unwrap();
    assert!(page.contains("Goodput by load") && page.contains("provider:azure"));
    assert!(text(&output.stdout).contains("The objective holds up to"));
}

/// The published Azure traces, where the environment says that they are.
#[test]
fn recorded_traffic_is_scaled_to_its_capacity() {
    let Some(folder) = std::env::var_os("ROUTEDRILL_TRACES") else {
        println!("skipped: ROUTEDRILL_TRACES names no folder with the Azure LLM inference traces");
        return;
    };
    let trace = Path::new(&folder).join("AzureLLMInferenceTrace_conv.csv");
    for scale in ["rate", "time"] {
        let args =
            ["--slo", "availability>=90%", "--lose", "none", "--traffic", trace.to_str().unwrap(), "--scale", scale];
        let output = brief(&args);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        assert!(said.contains("the recorded traffic") && said.contains("Load curve, healthy"), "{said}");
    }
}
