//! Bad input through the real program: each says what is wrong, where, and what to do; nothing panics, nothing is half
//! written, and the exit code is 2 (3 where an output cannot be written).

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const CONFIG: &str = "\
model_list:
  - model_name: gpt-4
    litellm_params: {model: azure/gpt-4, api_base: 'https://a-eastus.openai.azure.com/', api_key: os.environ/AZURE_KEY}
    model_info: {id: east}
  - model_name: gpt-4o-mini
    litellm_params: {model: openai/gpt-4o-mini, api_key: os.environ/OPENAI_KEY}
    model_info: {id: mini}
litellm_settings:
  fallbacks: [{gpt-4: [gpt-4o-mini]}]
";

const SCENARIO: &str = "\
name: drill
config: config.yaml
duration: 30s
traffic:
  - model: gpt-4
    arrivals: {poisson: 2/s}
    deadline: 20s
faults:
  - {at: 10s, for: 10s, on: provider:azure, inject: {status: 503}}
expect:
  availability: \">= 50%\"
";

/// A folder with a good config and a good scenario, in which one thing is wrong.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary folder"));
        folder.write("config.yaml", CONFIG);
        folder.write("drill.yaml", SCENARIO);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), bytes).expect("a file in it");
    }

    /// The scenario with one of its lines, or a part of one, replaced.
    fn scenario(self, from: &str, to: &str) -> Self {
        assert!(SCENARIO.contains(from), "{from}");
        self.write("drill.yaml", SCENARIO.replacen(from, to, 1));
        self
    }

    fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.write(name, bytes);
        self
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_routedrill"));
        command.current_dir(self.path()).args(args).env_remove("SOURCE_DATE_EPOCH").stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("routedrill runs")
    }

    /// Every file and its size.
    fn content(&self) -> BTreeMap<PathBuf, u64> {
        fn visit(folder: &Path, found: &mut BTreeMap<PathBuf, u64>) {
            // A folder that may not be read is part of a test.
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let metadata = entry.metadata().expect("metadata");
                found.insert(entry.path(), metadata.len());
                if metadata.is_dir() {
                    visit(&entry.path(), found);
                }
            }
        }
        let mut found = BTreeMap::new();
        visit(self.path(), &mut found);
        found
    }

    /// Runs the program, which must refuse its input in these words and leave no trace.
    #[track_caller]
    fn refuses(&self, args: &[&str], words: &[&str]) {
        let before = self.content();
        let said = complaint(&self.run(args), 2);
        for word in words {
            assert!(said.contains(word), "{args:?}: no `{word}` in\n{said}");
        }
        assert!(self.content() == before, "{args:?}: something was written");
    }

    #[track_caller]
    fn run_refuses(&self, words: &[&str]) {
        self.refuses(&["run", "drill.yaml", "--out", "out"], words);
    }

    #[track_caller]
    fn drill_refuses(&self, words: &[&str]) {
        self.refuses(&["drill", "config.yaml", "--out", "out", "--write-scenarios", "rows"], words);
    }
}

/// What was said on standard error by a program that ended with this exit code and printed no result.
#[track_caller]
fn complaint(output: &Output, exit_code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit_code), "{said}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(said.starts_with("error"), "{said}");
    assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{said}");
    assert!(!said.contains('\u{1b}'), "no colours where there is no terminal: {said}");
    assert!(said.len() < 100_000, "{} bytes of complaints", said.len());
    said
}

fn bomb() -> String {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{items}]\n");
    }
    bomb
}

fn large() -> String {
    "# 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\n".repeat(10 << 14)
}

/// Whether file permissions hold us back. They do not hold back root.
fn permissions_hold(folder: &Folder) -> bool {
    let path = folder.path().join("locked");
    fs::write(&path, "locked").expect("a file");
    lock(&path);
    let held = File::open(&path).is_err();
    fs::remove_file(&path).expect("the file goes");
    if !held {
        println!("skipped: this user may read every file");
    }
    held
}

#[cfg(unix)]
fn lock(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, Permissions::from_mode(0o000)).expect("permissions");
}

#[cfg(not(unix))]
fn lock(path: &Path) {
    let mut permissions: Permissions = fs::metadata(path).expect("metadata").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(path, permissions).expect("permissions");
}

#[test]
fn the_input_that_all_others_are_made_from_is_good() {
    let folder = Folder::new();
    let output = folder.run(&["run", "drill.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let output = folder.run(&["drill", "config.yaml", "--duration", "20s", "--seeds", "1", "--fail-on", "never"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

// ---- files that are none ------------------------------------------------------------------------------------------

#[test]
fn a_scenario_that_is_not_there() {
    Folder::new().refuses(&["run", "nowhere.yaml"], &["nowhere.yaml", "no such file", "help: check the path"]);
}

#[test]
fn a_config_that_is_not_there() {
    Folder::new().refuses(&["drill", "nowhere.yaml"], &["nowhere.yaml", "no such file", "help: check the path"]);
}

#[test]
fn a_folder_in_place_of_a_scenario() {
    Folder::new().refuses(&["run", "."], &["is a directory", "help: give the file in it"]);
}

#[test]
fn a_folder_in_place_of_a_config() {
    Folder::new().refuses(&["drill", "."], &["is a directory", "help: give the file in it"]);
}

#[test]
fn a_scenario_that_may_not_be_read() {
    let folder = Folder::new();
    if permissions_hold(&folder) {
        lock(&folder.path().join("drill.yaml"));
        folder.run_refuses(&["drill.yaml", "permission denied", "help: make the file readable"]);
    }
}

#[test]
fn a_config_that_may_not_be_read() {
    let folder = Folder::new();
    if permissions_hold(&folder) {
        lock(&folder.path().join("config.yaml"));
        folder.drill_refuses(&["config.yaml", "permission denied", "help: make the file readable"]);
    }
}

#[test]
fn a_scenario_of_ten_megabytes() {
    Folder::new().with("drill.yaml", large()).run_refuses(&["drill.yaml", "larger than", "help: "]);
}

#[test]
fn a_config_of_ten_megabytes() {
    let folder = Folder::new().with("config.yaml", large());
    folder.drill_refuses(&["config.yaml", "larger than", "help: "]);
    folder.run_refuses(&["config.yaml", "larger than", "help: "]);
}

#[test]
fn a_scenario_that_is_not_utf8() {
    let folder = Folder::new().with("drill.yaml", b"name: caf\xe9\n");
    folder.run_refuses(&["drill.yaml", "not valid UTF-8", "0xe9", "line 1", "help: save the file as UTF-8"]);
}

#[test]
fn a_config_that_is_not_utf8() {
    let folder = Folder::new().with("config.yaml", b"model_list:\n  - {model_name: \xff}\n");
    folder.drill_refuses(&["config.yaml", "not valid UTF-8", "0xff", "line 2", "help: save the file as UTF-8"]);
}

#[test]
fn a_config_in_utf16() {
    let folder = Folder::new().with("config.yaml", b"\xff\xfem\0o\0");
    folder.drill_refuses(&["config.yaml", "byte order mark"]);
}

// ---- YAML that is none --------------------------------------------------------------------------------------------

#[test]
fn an_empty_scenario() {
    Folder::new().with("drill.yaml", "").run_refuses(&["drill.yaml", "empty", "help: write at least name"]);
}

#[test]
fn an_empty_config() {
    Folder::new().with("config.yaml", "# nothing\n").drill_refuses(&["config.yaml", "empty", "model_list"]);
}

#[test]
fn brackets_that_are_never_closed() {
    let folder = Folder::new().scenario("{poisson: 2/s}", "{poisson: 2/s");
    folder.run_refuses(&["drill.yaml:", "not YAML", "help: "]);
}

#[test]
fn tabs_for_indentation() {
    let folder = Folder::new().with("config.yaml", "model_list:\n\t- model_name: gpt-4\n");
    folder.drill_refuses(&["config.yaml:2", "help: indent with spaces"]);
}

#[test]
fn an_alias_bomb_for_a_scenario() {
    Folder::new().with("drill.yaml", bomb()).run_refuses(&["drill.yaml:", "expands to more than", "help: "]);
}

#[test]
fn an_alias_bomb_for_a_config() {
    Folder::new().with("config.yaml", bomb()).drill_refuses(&["config.yaml:", "expands to more than", "help: "]);
}

#[test]
fn a_million_open_brackets() {
    let folder = Folder::new().with("drill.yaml", "[".repeat(1_000_000));
    folder.run_refuses(&["drill.yaml:1"]);
    folder.with("config.yaml", "{a: ".repeat(1_000_000)).drill_refuses(&["config.yaml:1"]);
}

#[test]
fn two_documents_in_one_file() {
    let folder = Folder::new().with("drill.yaml", format!("{SCENARIO}---\n{SCENARIO}"));
    folder.run_refuses(&["drill.yaml:12", "second YAML document", "help: "]);
}

#[test]
fn a_key_that_is_there_twice() {
    let folder = Folder::new().scenario("duration: 30s\n", "duration: 30s\nname: other\n");
    folder.run_refuses(&["drill.yaml:4", "`name` is in line 1 already", "help: keep one of the two"]);
}

#[test]
fn a_character_that_yaml_forbids() {
    Folder::new().scenario("drill", "dr\u{7}ll").run_refuses(&["drill.yaml:1", "U+0007", "help: "]);
}

#[test]
fn a_promise_without_quotes() {
    let folder = Folder::new().scenario("\">= 50%\"", ">= 50%");
    folder.run_refuses(&["drill.yaml:11", "help: quote conditions"]);
}

// ---- scenarios that make no sense ---------------------------------------------------------------------------------

#[test]
fn a_list_in_place_of_a_scenario() {
    Folder::new().with("drill.yaml", "- 1\n").run_refuses(&[
        "drill.yaml:1",
        "a list does not belong here",
        "help: expected a scenario",
    ]);
}

#[test]
fn a_key_that_nobody_knows() {
    let folder = Folder::new().scenario("duration:", "duraton:");
    folder.run_refuses(&["drill.yaml:3:1", "unknown key `duraton`", "help: did you mean `duration`?"]);
}

#[test]
fn a_key_that_is_missing() {
    let folder = Folder::new().scenario("config: config.yaml\n", "");
    folder.run_refuses(&["drill.yaml:1", "the key `config` is missing", "help: add"]);
}

#[test]
fn a_map_where_a_list_belongs() {
    let folder = Folder::new().scenario("  - model: gpt-4\n    arr", "    model: gpt-4\n    arr");
    folder.run_refuses(&["drill.yaml:5", "a map does not belong here", "help: expected a list"]);
}

#[test]
fn a_duration_without_a_unit() {
    let folder = Folder::new().scenario("duration: 30s", "duration: 90");
    folder.run_refuses(&["drill.yaml:3:11", "90", "no unit", "help: write `90s`"]);
}

#[test]
fn a_negative_duration() {
    let folder = Folder::new().scenario("at: 10s", "at: -10s");
    folder.run_refuses(&["drill.yaml:9:10", "-10s", "cannot be negative", "help: "]);
}

#[test]
fn a_duration_beyond_all_numbers() {
    let folder = Folder::new().scenario("for: 10s", "for: 99999999999999999999h");
    folder.run_refuses(&["drill.yaml:9", "99999999999999999999h", "too long", "help: at most"]);
}

#[test]
fn a_count_beyond_all_numbers() {
    let folder = Folder::new().scenario("duration: 30s", "duration: 30s\nseed: 99999999999999999999999");
    folder.run_refuses(&["drill.yaml:4:7", "too large", "help: at most"]);
}

#[test]
fn a_rate_of_nothing() {
    Folder::new().scenario("2/s", "0/s").run_refuses(&["drill.yaml:6", "0/s", "no traffic", "help: "]);
}

#[test]
fn a_fault_on_a_deployment_that_is_not_there() {
    let folder = Folder::new().scenario("provider:azure", "deployment:esat");
    folder.run_refuses(&["drill.yaml:9", "`deployment:esat` selects nothing", "help: did you mean `deployment:east`?"]);
}

#[test]
fn an_upstream_that_is_not_there() {
    let folder = Folder::new().scenario("faults:", "upstreams: {region:mars: {rpm: 3}}\nfaults:");
    folder.run_refuses(&["drill.yaml:8:13", "`region:mars` selects nothing", "help: "]);
}

#[test]
fn a_fault_that_nobody_knows() {
    let folder = Folder::new().scenario("{status: 503}", "timeuot");
    folder.run_refuses(&["drill.yaml:9", "`timeuot` is not a fault", "help: did you mean `timeout`?"]);
}

#[test]
fn faults_that_are_not_modelled_yet() {
    for word in ["cut_stream", "partition", "crash", "freeze"] {
        let folder = Folder::new().scenario("{status: 503}", word);
        folder.run_refuses(&["drill.yaml:9", &format!("`{word}` is not modelled yet"), "help: known are"]);
    }
}

#[test]
fn two_replicas() {
    let folder = Folder::new().scenario("duration: 30s", "duration: 30s\nreplicas: 2");
    folder.run_refuses(&["drill.yaml:4:11", "not modelled yet", "help: write `replicas: 1`"]);
}

#[test]
fn a_release_that_is_not_modelled() {
    let folder = Folder::new().scenario("duration: 30s", "duration: 30s\nlitellm: 1.50.0");
    folder.run_refuses(&["drill.yaml:4:10", "`1.50.0` is not a LiteLLM release that is modelled", "1.109.1", "help: "]);
}

#[test]
fn a_promise_in_the_wrong_direction() {
    let folder = Folder::new().scenario(">= 50%", "<= 50%");
    folder.run_refuses(&["drill.yaml:11", "<= 50%", "help: write `\">= 50%\"`"]);
}

#[test]
fn a_change_to_a_place_that_is_not_there() {
    let folder = Folder::new().scenario("duration: 30s", "duration: 30s\npatch: {model_list.7.litellm_params.rpm: 1}");
    folder.run_refuses(&["drill.yaml:4", "`model_list` is a list of 2", "`7` is not a position", "help: paths are"]);
}

#[test]
fn a_trace_that_is_not_there() {
    let folder = Folder::new().scenario("{poisson: 2/s}", "{trace: nowhere.csv}");
    folder.run_refuses(&["nowhere.csv", "cannot be read", "help: check the path; where a scenario names"]);
}

#[test]
fn a_trace_with_a_bad_row() {
    let folder = Folder::new().scenario("{poisson: 2/s}", "{trace: t.csv}");
    folder.write("t.csv", "t,prompt_tokens,output_tokens\n0,1,2\n1,many,2\n");
    folder.run_refuses(&["t.csv:3:3", "`many` is not a number of tokens", "help: "]);
}

#[test]
fn everything_wrong_is_said_at_once() {
    let folder = Folder::new().with(
        "drill.yaml",
        "\
nam: drill
config: config.yaml
duration: soon
traffic: [{model: gpt-4, arrivals: {poison: 2/s}}]
faults: [{at: 1s, on: provider:azzure, inject: timeuot}]
",
    );
    let said = complaint(&folder.run(&["run", "drill.yaml"]), 2);
    for place in ["1:1", "3:11", "4:37", "5:23", "5:48"] {
        assert!(said.contains(&format!("drill.yaml:{place}")), "{place}: {said}");
    }
    assert_eq!(said.matches("error: ").count(), 5, "{said}");
}

#[test]
fn a_model_that_nobody_serves_is_drilled_but_not_in_silence() {
    let folder = Folder::new().scenario("model: gpt-4", "model: gpt4");
    let output = folder.run(&["run", "drill.yaml"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("note: nothing in the config answers to `gpt4`") && said.contains("`gpt-4`?"), "{said}");
}

// ---- configs that LiteLLM itself could not use --------------------------------------------------------------------

#[test]
fn a_config_without_a_model_list() {
    let folder = Folder::new().with("config.yaml", "router_settings: {num_retries: 2}\n");
    folder.drill_refuses(&["config.yaml", "no model_list", "help: add `model_list:`"]);
    folder.run_refuses(&["config.yaml", "no model_list", "help: add `model_list:`"]);
}

#[test]
fn a_config_with_an_empty_model_list() {
    let folder = Folder::new().with("config.yaml", "model_list: []\n");
    folder.drill_refuses(&["config.yaml:1", "model_list is empty", "help: "]);
}

#[test]
fn a_config_whose_model_list_is_a_map() {
    let folder = Folder::new().with("config.yaml", "model_list: {gpt-4: azure/gpt-4}\n");
    folder.drill_refuses(&["config.yaml:1", "model_list is a map and not a list", "help: "]);
}

#[test]
fn a_config_that_is_a_list() {
    let folder = Folder::new().with("config.yaml", "- model_name: gpt-4\n");
    folder.drill_refuses(&["config.yaml:1", "not a map", "help: "]);
}

#[test]
fn entries_without_what_every_entry_needs() {
    let config = "model_list:\n  - litellm_params: {model: openai/gpt-4}\n  - {model_name: gpt-4}\n";
    let folder = Folder::new().with("config.yaml", config);
    folder.drill_refuses(&["config.yaml:2", "model_name", "config.yaml:3", "litellm_params", "help: "]);
}

#[test]
fn a_config_that_includes_others() {
    let folder = Folder::new().with("config.yaml", format!("include: [other.yaml]\n{CONFIG}"));
    folder.drill_refuses(&["config.yaml:1", "`include`", "help: put the included files"]);
}

// ---- command lines ------------------------------------------------------------------------------------------------

#[test]
fn command_lines_that_make_no_sense() {
    let folder = Folder::new();
    for (args, words) in [
        (&["dril", "config.yaml"][..], &["dril", "drill"][..]),
        (&["run"], &["<SCENARIO>"]),
        (&["run", "drill.yaml", "--sede", "1"], &["--sede", "--seed"]),
        (&["run", "drill.yaml", "--seed", "minus one"], &["minus one", "--seed"]),
        (&["run", "drill.yaml", "--driver", "steam"], &["steam", "engine"]),
        (&["drill", "config.yaml", "--rps", "fast"], &["fast", "--rps"]),
        (&["drill", "config.yaml", "--rps", "-1"], &["-1"]),
        (&["drill", "config.yaml", "--duration", "90"], &["90", "90s"]),
        (&["drill", "config.yaml", "--seeds", "0"], &["0", "--seeds"]),
        (&["drill", "config.yaml", "--litellm", "1.2.3"], &["1.2.3", "1.109.1"]),
        (&["drill", "config.yaml", "--traffic", "nowhere.csv"], &["nowhere.csv"]),
        (&["drill", "config.yaml", "--only", "provider:azzure"], &["provider:azzure", "did you mean"]),
    ] {
        folder.refuses(args, words);
    }
}

// ---- outputs that cannot be written -------------------------------------------------------------------------------

#[test]
fn a_folder_for_results_that_cannot_be_made() {
    let folder = Folder::new().with("taken", "a file");
    for args in [
        &["run", "drill.yaml", "--out", "taken/out"][..],
        &["drill", "config.yaml", "--duration", "20s", "--seeds", "1", "--out", "taken/out"],
        &["drill", "config.yaml", "--duration", "20s", "--seeds", "1", "--write-scenarios", "taken/out"],
    ] {
        let before = folder.content();
        let output = folder.run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("taken") && said.contains("error") && !said.contains("panicked"), "{said}");
        assert_eq!(folder.content(), before);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_the_results() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("tiny")).expect("a folder");
    let program = env!("CARGO_BIN_EXE_routedrill");
    for args in [
        "run drill.yaml --out tiny/out",
        "drill config.yaml --duration 20s --seeds 1 --fail-on never --out tiny/out",
        "drill config.yaml --duration 20s --seeds 1 --fail-on never --write-scenarios tiny/out",
    ] {
        // A disk of two pages, in a mount namespace of its own.
        let script = format!(
            "mount -t tmpfs -o size=8k,nr_inodes=64 none tiny || exit 77
             {program} {args}; code=$?
             ls -A tiny
             exit $code"
        );
        let output = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
            .current_dir(folder.path())
            .output();
        let output = match output {
            Ok(output) if output.status.code() != Some(77) && output.status.code() != Some(1) => output,
            _ => {
                println!("skipped: no small disk can be mounted here");
                return;
            }
        };
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{args}: {said}");
        assert!(said.contains("tiny/out") && said.contains("No space left"), "{args}: {said}");
        assert!(!said.contains("panicked"), "{said}");
        let left = String::from_utf8_lossy(&output.stdout);
        assert!(!left.lines().any(|line| line == "out" || line.contains("draft")), "{args}: {left} was left behind");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_standard_output() {
    let folder = Folder::new();
    for args in
        [&["run", "drill.yaml"][..], &["drill", "config.yaml", "--duration", "20s", "--seeds", "1"], &["schema"]]
    {
        let full = File::options().write(true).open("/dev/full").expect("/dev/full");
        let output = folder.command(args).stdout(full).output().expect("routedrill runs");
        let said = complaint(&output, 3);
        assert!(said.contains("failed to write the result"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let folder = Folder::new();
    let mut child = folder.command(&["schema"]).stdout(Stdio::piped()).spawn().expect("routedrill runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
