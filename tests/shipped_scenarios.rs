//! The scenarios that routedrill ships prove what they say: they run, they get where they must, their promises hold, and
//! each can be written down in full and run again to the same digest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use routedrill_reports::model::{Driver, RunReport};
use routedrill_reports::print;
use routedrill_sim::cast::Cast;
use routedrill_sim::engine::Engine;
use routedrill_sim::metrics::{Metrics, Shape};
use routedrill_sim::scenario::{self, Scenario};
use router_core::Span;

/// The most requests of a shipped scenario: each one must run in a moment, under every driver.
const REQUESTS_MAX: u64 = 3_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn shipped() -> Vec<(PathBuf, Scenario)> {
    let entries = fs::read_dir(folder()).expect("the folder of scenarios");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let load = |path: PathBuf| {
        let loaded = scenario::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        (path, loaded.scenario)
    };
    paths.into_iter().map(load).collect()
}

fn run(scenario: &Scenario) -> RunReport {
    let shape = Shape::of(scenario);
    let horizon = shape.end;
    let mut metrics = Metrics::new(shape, scenario.seed).with_promises(scenario);
    let end = Engine::new().run(&mut Cast::new(scenario), scenario.seed, horizon, &mut metrics);
    metrics.finish();
    RunReport::new(scenario, scenario.seed, Driver::Engine, &metrics, &end)
}

#[test]
fn every_shipped_scenario_keeps_its_promises_and_gets_where_it_must() {
    let shipped = shipped();
    assert!(shipped.len() >= 21, "{}", shipped.len());
    let mut broken = String::new();
    for (path, scenario) in &shipped {
        let report = run(scenario);
        let shown = || format!("{}\n{}\n", path.display(), print::run_text(&report));
        if std::env::var_os("ROUTEDRILL_SHOW").is_some() {
            println!("{}", shown());
        }
        assert!(!scenario.expect.must_see.is_empty(), "{}: a scenario must see something", path.display());
        assert!(report.requests.total <= REQUESTS_MAX, "{}: {} requests", path.display(), report.requests.total);
        if !report.is_clean() {
            broken += &shown();
        }
    }
    assert!(broken.is_empty(), "{broken}");
}

#[test]
fn every_shipped_scenario_says_first_what_it_proves_and_where_it_comes_from() {
    for (path, scenario) in shipped() {
        let text = fs::read_to_string(&path).expect("a file");
        let comment: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(comment.starts_with("# Proves: ") && comment.contains("# From: "), "{}", path.display());
        let name = path.file_stem().and_then(|stem| stem.to_str());
        assert_eq!(name, Some(scenario.name.as_str()), "the file is called as the scenario is");
    }
}

#[test]
fn the_list_names_every_shipped_scenario_and_no_other() {
    let list = fs::read_to_string(folder().join("README.md")).expect("the list");
    let rows = list.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = rows.flat_map(|row| row.trim_matches('|').split('|').skip(1).flat_map(|cell| cell.split(',')));
    let mut listed: Vec<&str> = cells.map(str::trim).filter(|name| !name.is_empty()).collect();
    listed.sort_unstable();
    let shipped = shipped();
    let mut names: Vec<&str> = shipped.iter().map(|(_, scenario)| scenario.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(listed, names);
}

#[test]
fn every_driver_can_run_the_shipped_scenarios() {
    for (path, scenario) in shipped() {
        for link in [scenario.links.client, scenario.links.upstream] {
            let whole = link.as_nanos() % 1_000_000 == 0 && link >= Span::from_millis(1);
            assert!(whole, "{}: links take whole milliseconds", path.display());
        }
    }
}

#[test]
fn a_scenario_written_in_full_runs_to_the_same_digest() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    for (path, scenario) in shipped() {
        let copy = elsewhere.path().join("scenario.yaml");
        fs::write(&copy, scenario::expanded(&scenario, elsewhere.path())).expect("a file");
        let again = scenario::load(&copy).unwrap_or_else(|problems| panic!("{}: {problems}", path.display()));
        assert_eq!(run(&scenario).digest, run(&again.scenario).digest, "{}", path.display());
    }
}

#[test]
fn the_schema_beside_the_scenarios_is_the_one_that_is_printed() {
    let committed = fs::read_to_string(folder().join("schema.json")).expect("the committed schema");
    assert!(committed == scenario::schema(), "run `cargo run -- schema > scenarios/schema.json`");
}

/// An editor's check, by Python's jsonschema where the environment names a Python that has it.
#[test]
fn the_schema_accepts_the_shipped_scenarios_and_names_a_typo() {
    /// YAML 1.2 as editors read it: `on` is no boolean, and a moment is text.
    const CHECK: &str = r#"
import json, re, sys, jsonschema, yaml

class Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if not tag.endswith((":bool", ":timestamp"))]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for path in sys.argv[2:]:
    scenario = yaml.load(open(path), Loader)
    for error in validator.iter_errors(scenario):
        sys.exit(f"{path}: {error.json_path}: {error.message}")
    scenario["trafic"] = scenario.pop("traffic")
    if len(list(validator.iter_errors(scenario))) != 2:
        sys.exit(f"{path}: a typo was not seen")
"#;
    let Some(python) = std::env::var_os("ROUTEDRILL_PYTHON") else {
        println!("skipped: ROUTEDRILL_PYTHON names no Python with jsonschema and PyYAML");
        return;
    };
    let elsewhere = tempfile::tempdir().expect("a folder");
    let mut check = Command::new(python);
    check.arg("-c").arg(CHECK).arg(folder().join("schema.json"));
    for (path, scenario) in shipped() {
        let copy = elsewhere.path().join(path.file_name().expect("a name"));
        fs::write(&copy, scenario::expanded(&scenario, elsewhere.path())).expect("a file");
        check.arg(path).arg(copy);
    }
    let output = check.output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
