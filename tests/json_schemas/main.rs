//! What `--format json` prints keeps to the schemas in `docs/schemas`; they are those of the types that print it; and they
//! are not vacuous: a document with any one key renamed, or any one value of another type, is refused.

mod validator;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use routedrill_reports::model::BrokenLawReport;
use serde_json::{Value, json};
use tempfile::TempDir;
use validator::Schema;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const BOT: &str = "examples/litellm/support-bot.yaml";

fn routedrill(at: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_routedrill"));
    command.args(args).current_dir(at).env("SOURCE_DATE_EPOCH", "1795305600").output().expect("routedrill runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The document that a command prints in the repository.
#[track_caller]
fn printed(args: &[&str]) -> Value {
    printed_in(Path::new(ROOT), args)
}

/// And in another folder.
#[track_caller]
fn printed_in(at: &Path, args: &[&str]) -> Value {
    let output = routedrill(at, args);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}\n{}", text(&output.stderr)))
}

/// The files in a folder of the repository with that extension, in order.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let entries = fs::read_dir(Path::new(ROOT).join(folder)).expect("a folder").map(|entry| entry.expect("an entry"));
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut files: Vec<String> =
        names.filter(|name| name.ends_with(extension)).map(|name| format!("{folder}/{name}")).collect();
    files.sort();
    files
}

/// A folder with a scenario and its config, whose promise breaks and which waives a law.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "model_list:\n  - {model_name: gpt-4, litellm_params: {model: azure/gpt-4, api_key: os.environ/A}}\n  - {model_name: gpt-4, litellm_params: {model: openai/gpt-4, api_key: os.environ/B}}\n\
                  router_settings: {num_retries: 0, timeout: 300}\n";
    let scenario = "name: broken\nconfig: config.yaml\nduration: 1m\n\
                    traffic:\n  - {model: gpt-4, arrivals: {poisson: 2/s}, deadline: 60s}\n\
                    faults:\n  - {at: 1s, for: 58s, on: provider:azure, inject: {status: 500}, probability: 50%}\n\
                    expect:\n  availability: \">= 99%\"\n  recovery: \"<= 30s\"\n  waive: {counters-at-rest: this release leaks}\n";
    let calm = scenario.split("faults:").next().expect("a beginning").replace("broken", "calm")
        + "expect: {availability: \">= 1%\"}\nexpect_broken: [availability]\n";
    for (name, text) in [("config.yaml", config), ("broken.yaml", scenario), ("calm.yaml", &calm)] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

/// Holds documents against a schema: each keeps to it, none does after a change, and together they have every key that it
/// describes but those that are named with the reason in the test.
#[track_caller]
fn keep_to(name: &str, documents: &[Value], never: &[&str]) {
    let path = Path::new(ROOT).join(format!("docs/schemas/{name}.json"));
    let written = text(&routedrill(Path::new(ROOT), &["schema", name]).stdout);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &written).expect("a writable file");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == written, "{}: UPDATE_SNAPSHOTS=1 writes what the types say", path.display());
    let mut schema = Schema::parse(&committed);
    for document in documents {
        schema.validate(document).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    }
    let unexpected: Vec<String> =
        schema.never_seen().into_iter().filter(|key| !never.iter().any(|part| key.contains(part))).collect();
    assert!(unexpected.is_empty(), "{name}: no document here has {unexpected:#?}");
    for document in documents.iter().take(4) {
        let mut document = document.clone();
        shorten(&mut document);
        let mut places = Vec::new();
        every_place(&document, String::new(), &mut places);
        for place in places {
            let value = document.pointer(&place).expect("a place in it").clone();
            *document.pointer_mut(&place).expect("a place in it") = of_another_type(&value);
            assert!(schema.validate(&document).is_err(), "{name}: anything goes at {place}");
            *document.pointer_mut(&place).expect("a place in it") = value;
            let (above, key) = place.rsplit_once('/').expect("a key");
            let Some(Value::Object(object)) = document.pointer_mut(above) else { continue };
            let value = object.remove(key).expect("a key in it");
            object.insert("renamed".to_owned(), value.clone());
            assert!(schema.validate(&document).is_err(), "{name}: {place} may be called anything");
            let object = document.pointer_mut(above).and_then(Value::as_object_mut).expect("the same");
            object.remove("renamed");
            object.insert(key.to_owned(), value);
        }
    }
    by_another_program(&path, documents);
}

/// What follows the fifth item of a list is like what comes before.
fn shorten(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.truncate(5);
            items.iter_mut().for_each(shorten);
        }
        Value::Object(object) => object.values_mut().for_each(shorten),
        _ => {}
    }
}

fn every_place(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                every_place(item, format!("{at}/{index}"), places);
            }
        }
        Value::Object(object) => {
            for (key, value) in object {
                every_place(value, format!("{at}/{key}"), places);
            }
        }
        _ => {}
    }
    if !at.is_empty() {
        places.push(at);
    }
}

fn of_another_type(value: &Value) -> Value {
    if value.is_array() { json!("no list") } else { json!(["a list"]) }
}

/// Python's jsonschema is another reader of the same draft; without it, says so.
fn by_another_program(schema: &Path, documents: &[Value]) {
    let Some(python) = std::env::var_os("ROUTEDRILL_PYTHON") else {
        println!("skipped: ROUTEDRILL_PYTHON names no Python with jsonschema");
        return;
    };
    let program = "import json, sys, jsonschema\nschema = json.load(open(sys.argv[1]))\n\
        cls = jsonschema.validators.validator_for(schema)\ncls.check_schema(schema)\n\
        errors = [e for d in json.load(open(sys.argv[2])) for e in cls(schema).iter_errors(d)]\n\
        [print(list(e.absolute_path), e.message[:300]) for e in errors]\nsys.exit(bool(errors))";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("documents.json");
    fs::write(&file, Value::from(documents).to_string()).expect("a file");
    let ran = Command::new(python).args(["-c", program]).arg(schema).arg(&file).output().expect("Python starts");
    assert!(ran.status.success(), "{}\n{}{}", schema.display(), text(&ran.stdout), text(&ran.stderr));
}

/// Laws of the router break when the router has a bug; here nobody plants one.
const BROKEN_LAWS: &str = "BrokenLawReport/";

#[test]
fn runs() {
    let mut documents: Vec<Value> =
        files("scenarios", ".yaml").iter().map(|file| printed(&["run", file, "--format", "json"])).collect();
    let folder = folder();
    documents.push(printed_in(folder.path(), &["run", "broken.yaml", "--format", "json"]));
    documents.push(printed_in(folder.path(), &["run", "calm.yaml", "--driver", "turmoil", "--format", "json"]));
    routedrill(folder.path(), &["run", "broken.yaml", "--out", "out"]);
    let written = fs::read_to_string(folder.path().join("out/results.json")).expect("results");
    assert_eq!(documents[documents.len() - 2], serde_json::from_str::<Value>(&written).expect("JSON"));
    // No law breaks without a bug in the router: that it did is put into a document as the report would put it.
    let law = BrokenLawReport {
        law: "quota-held",
        says: "what it says",
        source: "where it comes from",
        count: 1,
        what: "what was seen".to_owned(),
        request: Some("17".to_owned()),
        deployment: None,
        at: 0.5,
        waived: Some("for a reason".to_owned()),
    };
    documents[0]["broken_laws"] = serde_json::to_value([law]).expect("JSON");
    documents.rotate_right(2);
    keep_to("run", &documents, &[]);
}

/// What a drill lists and does not model.
const BESIDE_ROUTING: &str = "\
model_list:
  - {model_name: gpt-4, litellm_params: {model: azure/gpt-4, api_key: os.environ/A}}
guardrails:
  - guardrail_name: no-names
    litellm_params: {guardrail: presidio, mode: pre_call, default_on: true}
mcp_servers:
  tickets: {url: 'http://tickets.internal/mcp', transport: http, auth_type: api_key}
";

#[test]
fn drills() {
    let mut documents: Vec<Value> = Vec::new();
    for file in files("examples/litellm", ".yaml") {
        let args = ["drill", &file, "--duration", "20s", "--seeds", "1", "--only", "5xx", "--format", "json"];
        documents.push(printed(&args));
    }
    let folder = folder();
    let at = folder.path();
    let refused = "model_list:\n  - {model_name: a, litellm_params: {model: openai/a}}\n\
                   router_settings: {routing_strategy: fastest}\n";
    fs::write(at.join("refused.yaml"), refused).expect("a file");
    documents.push(printed_in(at, &["drill", "refused.yaml", "--format", "json"]));
    let config = Path::new(ROOT).join(BOT).display().to_string();
    let only = ["--only", "group:gpt-4", "--duration", "30s", "--seeds", "1", "--out", "memo", "--format", "json"];
    documents.push(printed_in(at, &[&["drill", &config][..], &only].concat()));
    let written = fs::read_to_string(at.join("memo/results.json")).expect("results");
    assert_eq!(documents.last(), serde_json::from_str(&written).ok().as_ref());
    fs::write(at.join("beside.yaml"), BESIDE_ROUTING).expect("a file");
    documents.push(printed_in(at, &["drill", "beside.yaml", "--duration", "20s", "--seeds", "1", "--format", "json"]));
    documents.rotate_right(3);
    // Edits that are in each other's way take a config with many risks.
    let rare = ["LeftOutReport/", "SpoilingReport/", "OutageLawReport/", "properties/broken_laws"];
    keep_to("drill", &documents, &rare);
}

#[test]
fn upgrades() {
    let args = ["--duration", "60s", "--seeds", "1", "--only", "revoked", "--format", "json"];
    let there = printed(&[&["drill", BOT, "--litellm", "1.80.17", "--against", "1.109.1"][..], &args].concat());
    let back = printed(&[&["drill", BOT, "--against", "1.80.17"][..], &args].concat());
    let same = printed(&[&["drill", BOT, "--against", "1.109.1"][..], &args].concat());
    keep_to("upgrade", &[there, back, same], &[]);
}

#[test]
fn checks() {
    let folder = folder();
    let broken = printed_in(folder.path(), &["check", "broken.yaml", "calm.yaml", "--seeds", "2", "--format", "json"]);
    let first = ["check", "broken.yaml", "calm.yaml", "--seeds", "1", "--stop-early", "--format", "json"];
    let first = printed_in(folder.path(), &first);
    let shipped = printed(&["check", "scenarios", "--seeds", "1", "--format", "json"]);
    keep_to("check", &[broken, first, shipped], &[BROKEN_LAWS]);
}

#[test]
fn swarms() {
    let drawn = printed(&["check", "--swarm", "4", "--what-if", "half-open", "--format", "json"]);
    let over = printed(&["check", BOT, "--swarm", "2", "--format", "json"]);
    // What fails is looked at where scenarios are made to fail.
    keep_to("swarm", &[drawn, over], &["SwarmFailure/", "SeedFailure/", "ExpectationReport/", BROKEN_LAWS, "left_out"]);
}

#[test]
fn capacities() {
    let brief = ["--seeds", "2", "--duration", "30s", "--precision", "25%", "--rpm", "60", "--format", "json"];
    let of = |args: &[&str]| printed(&[&["capacity", BOT][..], args, &brief].concat());
    let holds = of(&["--slo", "availability>=90%", "--target", "9/s"]);
    let never = of(&["--slo", "p50<=1ms", "--lose", "none", "--loads", "0.5/s..8/s", "--what-if", "half-open"]);
    keep_to("capacity", &[holds, never], &[]);
}

#[test]
fn searches() {
    let folder = folder();
    let vary = ["--vary", "router_settings.num_retries=0..3", "--vary", "router_settings.timeout=200..500"];
    let seeds = ["--seeds", "4", "--held-out-seeds", "4", "--format", "json"];
    let of = |more: &[&str]| {
        printed_in(folder.path(), &[&["tune", "broken.yaml", "calm.yaml"][..], &vary, &seeds, more].concat())
    };
    keep_to("tune", &[of(&["--what-if", "half-open,retry-budget=0.2"]), of(&["--no-bound"])], &[]);
}

#[test]
fn stories() {
    let tell = |more: &[&str]| {
        printed(&[&["explain", "scenarios/sole-primary-outage.yaml", "--format", "json"][..], more].concat())
    };
    let supposing = ["--request", "slowest", "--what-if", "hedge=2s"];
    keep_to("explain", &[tell(&["--why-not", "gpt-4o-mini"]), tell(&[]), tell(&supposing)], &[]);
}

#[test]
fn findings() {
    let mut documents: Vec<Value> =
        files("examples/litellm", ".yaml").iter().map(|file| printed(&["lint", file, "--format", "json"])).collect();
    let manifest = ["--manifest", "tests/inputs/faulty-manifest.yaml", "--format", "json"];
    documents.insert(0, printed(&[&["lint", "tests/inputs/faulty.yaml", "README.md"][..], &manifest].concat()));
    keep_to("lint", &documents, &[]);
}

#[test]
fn recordings() {
    let folder = tempfile::tempdir().expect("a folder");
    let case = files("conformance/cases/1.109.1", ".json").swap_remove(0);
    let mut recording: Value =
        serde_json::from_str(&fs::read_to_string(Path::new(ROOT).join(case)).expect("a case")).expect("JSON");
    recording["observed"]["responses"][0]["t"] = 99.0.into();
    fs::write(folder.path().join("other.json"), recording.to_string()).expect("a file");
    fs::write(folder.path().join("none.json"), "{}").expect("a file");
    let disagrees = printed_in(folder.path(), &["conform", ".", "--format", "json"]);
    let differ = printed(&["conform", "conformance/cases/1.80.17", "--against", "1.109.1", "--format", "json"]);
    keep_to("conform", &[disagrees, differ], &[]);
}

#[test]
fn memos() {
    let folder = folder();
    let args = ["--only", "group:gpt-4/429", "--duration", "20s", "--seeds", "1", "--out", "memo"];
    routedrill(folder.path(), &[&["drill", "config.yaml"][..], &args].concat());
    let holds = printed_in(folder.path(), &["verify", "memo", "--config", "config.yaml", "--format", "json"]);
    fs::write(folder.path().join("memo/memo.md"), "edited").expect("a file");
    let no_longer = printed_in(folder.path(), &["verify", "memo", "--config", "config.yaml", "--format", "json"]);
    keep_to("verify", &[holds, no_longer], &[]);
}
