//! The commands as their users meet them: standard output, standard error and exit code together, held against a file.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test --test commands` writes the files anew; read the difference before you commit it. Beside
//! each of these pictures stands a law in another test: a picture alone freezes whatever happened.

use std::fs;
use std::path::Path;
use std::process::Command;

#[track_caller]
fn looks_like(name: &str, args: &[&str]) {
    let ran = Command::new(env!("CARGO_BIN_EXE_routedrill"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary that was built for this test starts");
    let seen = format!(
        "$ routedrill {}\n{}--- stderr\n{}--- exit {}\n",
        args.join(" "),
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
        ran.status.code().map_or_else(|| "by signal".to_owned(), |code| code.to_string())
    );
    let seen = without_digests(&seen);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &seen).expect("a writable snapshot");
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    if known != seen {
        let line = known.lines().zip(seen.lines()).position(|(a, b)| a != b).unwrap_or(0);
        panic!(
            "{name} differs from line {} on\nknown: {}\nseen:  {}\nUPDATE_SNAPSHOTS=1 takes what is seen\n\n{seen}",
            line + 1,
            known.lines().nth(line).unwrap_or_default(),
            seen.lines().nth(line).unwrap_or_default()
        );
    }
}

/// The text without its digests: they change with every refinement of the core, and other tests hold them.
fn without_digests(text: &str) -> String {
    const LENGTH: usize = 32;
    let mut masked = String::with_capacity(text.len());
    for word in text.split_inclusive([' ', '\n']) {
        let bare = word.trim_end();
        if bare.len() == LENGTH && bare.chars().all(|c| c.is_ascii_hexdigit()) {
            masked.push_str("DIGEST");
            masked.push_str(&word[LENGTH..]);
        } else {
            masked.push_str(word);
        }
    }
    masked
}

#[test]
fn the_first_command_of_the_readme() {
    looks_like("drill-azure", &["drill", "examples/litellm/azure-two-regions.yaml"]);
}

#[test]
fn names_that_litellm_does_not_know_are_answered_400() {
    looks_like(
        "drill-unknown-names",
        &[
            "drill",
            "examples/litellm/dev-prod-claude-model-group.yaml",
            "--model",
            "dev-claude-with-fallback",
            "--model",
            "prod-claude-with-fallback",
        ],
    );
}

#[test]
fn one_outage_with_everything_about_it() {
    looks_like(
        "drill-one-row",
        &["drill", "examples/litellm/support-bot.yaml", "--only", "gpt-4/5xx", "--seeds", "2", "--all"],
    );
}

#[test]
fn a_config_with_which_litellm_would_not_start() {
    looks_like("drill-refused", &["drill", "tests/inputs/refused.yaml"]);
}

#[test]
fn a_row_that_is_not_there_is_bad_input() {
    looks_like("drill-no-such-row", &["drill", "examples/litellm/support-bot.yaml", "--only", "provider:azur/5xx"]);
}

#[test]
fn a_config_that_cannot_be_read_is_bad_input() {
    looks_like("drill-unreadable", &["drill", "tests/inputs/none.yaml"]);
}

#[test]
fn a_scenario_with_a_promise_that_breaks() {
    looks_like("run-broken-promise", &["run", "tests/inputs/lone-primary.yaml"]);
}

#[test]
fn the_story_of_a_lost_request_and_of_a_deployment_that_did_not_answer_it() {
    looks_like(
        "explain-lost",
        &["explain", "tests/inputs/lone-primary.yaml", "--request", "lost", "--why-not", "gpt-4o-mini"],
    );
}

#[test]
fn a_request_that_is_not_there() {
    looks_like("explain-no-such-request", &["explain", "tests/inputs/lone-primary.yaml", "--request", "99999"]);
}

#[test]
fn a_scenario_that_is_run_twice() {
    looks_like("replay-scenario", &["replay", "tests/inputs/lone-primary.yaml"]);
}

#[test]
fn the_smallest_scenario_that_breaks_the_same_promise() {
    looks_like("shrink-lone-primary", &["shrink", "tests/inputs/lone-primary.yaml"]);
}

#[test]
fn a_scenario_that_breaks_nothing_cannot_be_shrunk() {
    looks_like("shrink-nothing-breaks", &["shrink", "scenarios/key-revoked.yaml"]);
}
