//! `routedrill lint` as its users meet it: on good and bad configs and manifests, in every format, mending and refusing.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn lint(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_routedrill"));
    command.arg("lint").args(args).current_dir(ROOT).env("NO_COLOR", "1").stdin(Stdio::null());
    command.output().expect("the binary that was built for this test starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn same_as_file(path: &str, seen: &str) {
    let path = Path::new(ROOT).join(path);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, seen).expect("a writable file");
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), seen, "UPDATE_SNAPSHOTS=1 takes what is seen");
}

const FAULTY: &str = "tests/inputs/faulty.yaml";
const MANIFEST: &str = "tests/inputs/faulty-manifest.yaml";

#[test]
fn a_faulty_config_and_its_manifest_look_like_this() {
    for (name, args) in [
        ("lint-text", vec![FAULTY, "--manifest", MANIFEST, "--deadline", "60s"]),
        ("lint-github", vec![FAULTY, "--manifest", MANIFEST, "--format", "github"]),
        ("lint-fix", vec![FAULTY, "--fix"]),
        ("lint-explain", vec!["--explain", "no-circuit-breaker"]),
    ] {
        let output = lint(&args);
        let code = output.status.code().expect("an exit code");
        let seen = format!(
            "$ routedrill lint {}\n{}--- stderr\n{}--- exit {code}\n",
            args.join(" "),
            out(&output),
            err(&output)
        );
        same_as_file(&format!("tests/snapshots/{name}.txt"), &seen);
    }
}

#[test]
fn the_page_of_rules_says_what_explain_says() {
    let page = routedrill_reports::lint::page();
    for rule in routedrill_sim::litellm::rule::RULES {
        let told = out(&lint(&["--explain", rule.name]));
        assert!(told.contains(rule.story) && page.contains(rule.story), "{}", rule.name);
        assert!(told.contains(rule.source) && page.contains(rule.source), "{}", rule.name);
    }
    same_as_file("docs/rules.md", &page);
}

#[test]
fn exit_codes_follow_the_severity_that_is_asked_for() {
    let code = |args: &[&str]| lint(args).status.code();
    let good = "examples/litellm/production.yaml";
    assert_eq!(code(&[good]), Some(0));
    assert_eq!(code(&[good, "--fail-on", "note"]), Some(1));
    assert_eq!(code(&[FAULTY]), Some(1));
    assert_eq!(code(&[FAULTY, "--select", "alias-fallback"]), Some(0));
    assert_eq!(code(&[good, "no-such.yaml"]), Some(2));
    assert_eq!(code(&["--explain", "no-such-rule"]), Some(2));
    assert_eq!(code(&[good, "--write"]), Some(2));
    assert_eq!(code(&[good, "--replicas", "0"]), Some(2));
}

#[test]
fn replicas_come_from_the_manifest_or_the_command_line() {
    let about = |args: &[&str]| {
        let told = out(&lint(&[args, &["--select", "replicas-without-redis"]].concat()));
        told.lines().next().unwrap_or_default().to_owned()
    };
    let config = "examples/litellm/azure-two-regions.yaml";
    assert!(about(&[config]).starts_with("nothing found") || about(&[config]).contains("One request"));
    assert!(about(&[config, "--replicas", "3"]).contains("3 replicas share no Redis"));
    assert!(about(&[config, "--manifest", MANIFEST]).contains("12 replicas share no Redis"));
    assert!(about(&[config, "--manifest", MANIFEST, "--replicas", "2"]).contains("2 replicas share no Redis"));
}

#[test]
fn what_cannot_be_read_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).expect("a writable file");
        path.display().to_string()
    };
    let manifest = fs::read(Path::new(ROOT).join(MANIFEST)).expect("the manifest");
    let large = vec![b'#'; (4 << 20) + 1];
    for (path, words) in [
        (file("compose.yaml", b"services: {web: {image: nginx}}\n"), "a file of Docker Compose"),
        (file("manifest.yaml", &manifest), "these are Kubernetes manifests"),
        (file("one.yaml", b"kind: Deployment\nspec: {}\n"), "no model_list"),
        (file("latin1.yaml", b"model_list: \xe9\n"), "not valid UTF-8"),
        (file("large.yaml", &large), "larger than 4194304 bytes"),
        (file("line.yaml", "{".repeat(200_000).as_bytes()), "recursion limit"),
        (file("empty.yaml", b""), "is empty"),
        (dir.path().display().to_string(), "is a directory"),
    ] {
        for more in [&[][..], &["--fix"], &["--format", "json"], &["--fix", "--write"]] {
            let output = lint(&[&[path.as_str()], more].concat());
            assert_eq!(output.status.code(), Some(2), "{path} {more:?} {}", err(&output));
            assert!(err(&output).contains(words), "{path}: {}", err(&output));
            assert!(err(&output).len() < 3000, "{path}");
        }
    }
    let config = "examples/litellm/production.yaml";
    for (path, words) in
        [(config, "no document in it has a `kind`"), ("README.md", ""), ("no-such.yaml", "no such file")]
    {
        let output = lint(&[config, "--manifest", path]);
        assert_eq!(output.status.code(), Some(2), "{path}");
        assert!(err(&output).contains(words), "{}", err(&output));
    }
}

#[test]
fn standard_input_is_a_file_too() {
    let piped = |args: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_routedrill"))
            .arg("lint")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let text = fs::read(Path::new(ROOT).join(FAULTY)).expect("the config");
        child.stdin.take().expect("a pipe").write_all(&text).expect("it reads");
        child.wait_with_output().expect("it ends")
    };
    assert!(out(&piped(&["-"])).contains("--> stdin:"));
    assert!(out(&piped(&["-", "--fix"])).starts_with("--- a/stdin\n"));
    let refused = piped(&["-", "--fix", "--write"]);
    assert_eq!((refused.status.code(), out(&refused)), (Some(2), String::new()));
}

#[test]
fn what_is_written_is_what_the_patch_says_and_nobody_else_may_read_it() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("config.yaml");
    fs::copy(Path::new(ROOT).join(FAULTY), &path).expect("a copy");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its owner's own");
    }
    let name = path.display().to_string();
    assert_eq!(lint(&[&name, "--fix"]).status.code(), Some(1));
    assert_eq!(lint(&[&name, "--fix", "--write"]).status.code(), Some(1), "some findings take a person");
    let again = lint(&[&name, "--fix"]);
    assert_eq!((again.status.code(), out(&again)), (Some(0), String::new()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::read_dir(dir.path()).expect("the folder").count(), 1, "no draft is left");
}

/// Holds a document against a schema with Python's jsonschema; without it, says so.
fn validate(document: &str, schema: &str) {
    let Some(python) = std::env::var_os("ROUTEDRILL_PYTHON") else {
        println!("skipped: ROUTEDRILL_PYTHON names no Python with jsonschema");
        return;
    };
    let program = "import json, sys, jsonschema\nschema = json.load(open(sys.argv[1]))\n\
        cls = jsonschema.validators.validator_for(schema)\ncls.check_schema(schema)\n\
        errors = list(cls(schema).iter_errors(json.load(open(sys.argv[2]))))\n\
        [print(list(e.absolute_path), e.message[:300]) for e in errors]\nsys.exit(bool(errors))";
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("document.json");
    fs::write(&file, document).expect("a writable file");
    let ran = Command::new(python).args(["-c", program]).arg(Path::new(ROOT).join(schema)).arg(&file).output();
    let ran = ran.expect("Python starts");
    assert!(ran.status.success(), "{schema}\n{}{}", out(&ran), err(&ran));
}

#[test]
fn json_and_sarif_keep_to_their_schemas() {
    let files = [FAULTY, "examples/litellm/production.yaml", "README.md", "--manifest", MANIFEST];
    let json = lint(&[&files[..], &["--format", "json"]].concat());
    let sarif = lint(&[&files[..], &["--format", "sarif"]].concat());
    validate(&out(&json), "docs/schemas/lint.json");
    validate(&out(&sarif), "tests/inputs/sarif-of-lint.schema.json");

    let json: Value = serde_json::from_str(&out(&json)).expect("JSON");
    let sarif: Value = serde_json::from_str(&out(&sarif)).expect("JSON");
    let count = |key: &str| json["summary"][key].as_u64().expect("a number");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len() as u64, count("errors") + count("warnings") + count("notes") + count("silenced"));
    assert!(count("silenced") > 0 && count("unreadable") == 1);
    let rules = &sarif["runs"][0]["tool"]["driver"]["rules"];
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("a small one");
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    assert!(results.iter().any(|result| result["fixes"].is_array()));
    assert!(results.iter().any(|result| result["suppressions"].is_array()));
}
