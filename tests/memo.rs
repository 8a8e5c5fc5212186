//! What a readiness memo says is so: its arithmetic, where settings come from, and that every remedy it proposes was
//! drilled and can be drilled again.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Settings in every place where LiteLLM reads them, a chat model that is alone, and two kinds of embeddings.
const CONFIG: &str = "\
model_list:
  - model_name: chat # the only one
    litellm_params:
      model: azure/ours
      api_base: https://acme-eastus.openai.azure.com/
      api_key: os.environ/AZURE_API_KEY
      timeout: 20
    model_info: {base_model: azure/gpt-4o}
  - model_name: vectors
    litellm_params: {model: openai/text-embedding-3-large, api_key: os.environ/OPENAI_API_KEY}
  - model_name: other-vectors
    litellm_params: {model: 'bedrock/cohere.embed-v4:0', aws_region_name: us-east-1}
  - model_name: short
    litellm_params: {model: openai/gpt-3.5-turbo, api_key: os.environ/OPENAI_API_KEY}
router_settings:
  num_retries: 1
litellm_settings:
  request_timeout: 30
  cooldown_time: 40
";

struct Memo {
    folder: tempfile::TempDir,
    results: Value,
    text: String,
}

/// Options that keep a drill small.
const SMALL: [&str; 4] = ["--seeds", "1", "--rps", "3"];

fn routedrill(args: &[&str], at: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_routedrill")).args(args).current_dir(at).output().expect("it runs");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

impl Memo {
    fn of(config: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("config.yaml"), config).expect("a config");
        let args = [&["drill", "config.yaml", "--out", "memo", "--date", "2026-11-21"][..], &SMALL, more].concat();
        routedrill(&args, folder.path());
        let read = |name: &str| fs::read_to_string(folder.path().join("memo").join(name)).expect("a file of the memo");
        let (results, text) = (serde_json::from_str(&read("results.json")).expect("JSON"), read("memo.md"));
        Self { folder, results, text }
    }

    fn drill(&self, config: &str, more: &[&str]) -> Value {
        let args = [&["drill", config, "--format", "json"][..], &SMALL, more].concat();
        serde_json::from_str(&routedrill(&args, self.folder.path())).expect("JSON")
    }

    /// The config with the memo's patch applied.
    fn patched(&self) -> String {
        let patch = fs::read_to_string(self.folder.path().join("memo/edits.patch")).expect("a patch");
        let old: Vec<&str> = CONFIG.lines().collect();
        let (mut new, mut next): (Vec<&str>, usize) = (Vec::new(), 0);
        for line in patch.lines().skip(2) {
            if let Some(hunk) = line.strip_prefix("@@ -") {
                let first: usize = hunk.split(',').next().and_then(|first| first.parse().ok()).expect("a line");
                new.extend(&old[next..first - 1]);
                next = first - 1;
            } else if let Some(added) = line.strip_prefix('+') {
                new.push(added);
            } else {
                assert_eq!(&line[1..], old[next], "the patch is of this file");
                new.extend(line.starts_with(' ').then_some(old[next]));
                next += 1;
            }
        }
        new.extend(&old[next..]);
        new.join("\n") + "\n"
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is a number"))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

#[test]
fn the_error_budget_is_what_a_calculator_says() {
    let memo =
        Memo::of(CONFIG, &["--only", "deployment:chat", "--only", "provider:azure", "--only", "provider:openai"]);
    let slo = &memo.results["slo"];
    // 28 days of 1,440 minutes, of which 0.1 % may fail.
    assert!(close(number(&slo["budget_minutes"]), 40.32));
    let burns = slo["burns"].as_array().expect("burns");
    assert!(!burns.is_empty());
    for burn in burns {
        let lost = number(&burn["lost"]);
        assert!(close(number(&burn["burn_rate"]), lost / 0.001), "{burn}");
        assert!(close(number(&burn["budget_per_hour"]), 60.0 * lost / 40.32), "{burn}");
        assert!(close(number(&burn["minutes_to_empty"]), 40.32 / lost), "{burn}");
    }
    for one in slo["expected"].as_array().expect("one for each provider") {
        // 1,390 major minutes and 30 % of 6,501 partial ones in 1,298 days; every 3.4 days 205 minutes at 30 %.
        let (by_uptime, by_posts) = (28.0 * (1390.0 + 1950.3) / 1298.0, 28.0 * 61.5 / 3.4);
        assert!(
            close(number(&one["minutes_by_uptime"]), by_uptime) && close(number(&one["minutes_by_posts"]), by_posts)
        );
        let lost = number(&one["lost"]);
        assert!(close(number(&one["burn_by_uptime"]), lost * by_uptime / 40.32), "{one}");
        assert!(close(number(&one["burn_by_posts"]), lost * by_posts / 40.32), "{one}");
        // What is lost is what the row of that provider says of its worst-hit model.
        let row = memo.results["rows"].as_array().unwrap().iter().find(|row| row["name"] == one["row"]).expect("a row");
        let worst = row["models"].as_array().unwrap().iter().map(|model| number(&model["availability_during"]));
        assert!(close(lost, 1.0 - worst.fold(1.0, f64::min)), "{one}");
    }
}

#[test]
fn every_setting_says_where_it_was_set() {
    let memo = Memo::of(CONFIG, &["--only", "deployment:chat/5xx"]);
    for line in [
        "| `num_retries` | 1 | router_settings, line 16 |",
        "| `timeout` | 30s | litellm_settings, line 18 |",
        "| `allowed_fails` | 3 | LiteLLM default |",
        "| `max_fallbacks` | 5 | LiteLLM default |",
        "| `routing_strategy` | simple-shuffle | LiteLLM default |",
        "| `chat` | 20s (litellm_params) | 1 (router_settings) |",
    ] {
        assert!(memo.text.contains(line), "{line}\n{}", memo.text);
    }
}

#[test]
fn a_risk_is_seen_again_with_the_command_that_it_names() {
    let memo = Memo::of(CONFIG, &["--only", "deployment:chat/429", "--only", "deployment:chat/silent"]);
    let risks = memo.results["risks"].as_array().expect("risks");
    assert!(!risks.is_empty());
    for risk in risks {
        let replay = risk["replay"].as_str().expect("a command");
        let args: Vec<&str> = replay.split(' ').skip(1).chain(["--format", "json"]).collect();
        let again: Value = serde_json::from_str(&routedrill(&args, memo.folder.path())).expect("JSON");
        let name = &risk["rows"][0];
        let row = memo.results["rows"].as_array().unwrap().iter().find(|row| row["name"] == *name).expect("a row");
        assert_eq!(again["rows"][0]["name"], *name, "{replay}");
        assert_eq!(again["rows"][0]["models"], row["models"], "{replay}");
        assert_eq!(again["rows"][0]["digests"], row["digests"], "{replay}");
    }
}

#[test]
fn the_patch_does_what_the_memo_says_of_all_edits() {
    let only = ["--only", "deployment:chat", "--only", "deployment:vectors"];
    let memo = Memo::of(CONFIG, &only);
    let all = &memo.results["together"];
    fs::write(memo.folder.path().join("patched.yaml"), memo.patched()).expect("a config");
    let then = memo.drill("patched.yaml", &only);
    assert_eq!(all["verdicts"], then["verdicts"]);
    let lost = |results: &Value| results["verdicts"]["lost"].as_u64().expect("a count");
    assert!(lost(&then) < lost(&memo.results), "{}", memo.text);
    let sentence = format!("{} of the 16 outages lose requests instead of {}", lost(&then), lost(&memo.results));
    assert!(memo.text.contains(&sentence), "{sentence}");
    // Comments stay, and what is not edited does too.
    assert!(memo.patched().contains("- model_name: chat # the only one\n"));
}

#[test]
fn remedies_are_of_the_kind_that_callers_ask_for() {
    let memo = Memo::of(CONFIG, &["--only", "deployment:chat", "--only", "deployment:vectors"]);
    let edits: String = (memo.results["risks"].as_array().unwrap().iter())
        .filter_map(|risk| risk["edit"]["yaml"].as_str())
        .collect::<Vec<_>>()
        .join("\n");
    // `short` holds 16,385 tokens where `chat` holds 128,000, and nobody else's vectors mean what these do.
    assert!(edits.contains("chat-backup"), "{edits}");
    assert!(!edits.contains("vectors") && !edits.contains("short"), "{edits}");
    assert!(memo.text.contains("no other model gives the same vectors"), "{}", memo.text);
}

#[test]
fn a_memo_has_every_part_that_a_review_asks_for() {
    let config = CONFIG.to_owned()
        + "mcp_servers:\n  github: {url: https://example.com/mcp}\nguardrails:\n  - guardrail_name: pii\n    \
           litellm_params: {guardrail: presidio, mode: pre_call}\n";
    let memo = Memo::of(&config, &["--only", "deployment:chat/5xx", "--only", "provider:azure/5xx"]);
    for part in [
        "## Summary",
        "## Sign-off table",
        "failed deployment | outage | verdict | observed fallback | latency delta (p99) | open risks",
        "## Residual risks",
        "Numerator:",
        "Denominator:",
        "Rounding:",
        "Error budget over 28 days: 0.1 % of the requests",
        "Expected burn per month (28 days)",
        "stand-in, not a forecast",
        "Freeze:",
        "Investigation:",
        "Escalation:",
        "## Spending and keys",
        "Virtual keys",
        "## MCP servers",
        "| `github` |",
        "## Guardrails",
        "| `pii` | presidio | pre_call |",
        "## What was not modelled",
        "## Sign-off\n",
    ] {
        assert!(memo.text.contains(part), "{part}\n{}", memo.text);
    }
    // Where it was made is nobody's business.
    assert!(!memo.text.contains(memo.folder.path().to_str().unwrap()));
}
