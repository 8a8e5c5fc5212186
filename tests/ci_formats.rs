//! What machines that run tests read: JUnit XML, annotations and step summaries of GitHub Actions, CSV. The rules are
//! those of the JUnit schema that Jenkins publishes, and of GitHub's documentation, written down here as rules.

mod program;

use std::collections::BTreeSet;
use std::path::Path;

use program::routedrill;

const AZURE: &str = "examples/litellm/azure-two-regions.yaml";
const FAULTY: &str = "tests/inputs/faulty.yaml";

/// What a command prints, and its exit code.
fn printed(args: &[&str]) -> (String, Option<i32>) {
    let output = routedrill(args);
    (String::from_utf8(output.stdout).expect("UTF-8"), output.status.code())
}

/// An element of an XML document.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Self>,
    text: String,
}

impl Element {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Reads a document as strictly as XML asks: what is not well-formed is an error.
fn parse(document: &str) -> Result<Element, String> {
    let text = document.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").ok_or("no declaration")?;
    if let Some(c) =
        text.chars().find(|c| *c < ' ' && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{fffe}' | '\u{ffff}'))
    {
        return Err(format!("XML has no place for {c:?}"));
    }
    let mut open = vec![Element::default()];
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let above = open.last_mut().expect("the document");
        above.text += &unescaped(&rest[..start])?;
        let end = start + rest[start..].find('>').ok_or("a tag without an end")?;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let done = open.pop().expect("one that is open");
            if done.name != name {
                return Err(format!("</{name}> ends <{}>", done.name));
            }
            open.last_mut().ok_or("one end too many")?.children.push(done);
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut more) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut element = Element { name: name.to_owned(), ..Element::default() };
        while !more.trim().is_empty() {
            let (key, value) = more.split_once("=\"").ok_or(format!("no attribute: {more}"))?;
            let (value, behind) = value.split_once('"').ok_or("an attribute without an end")?;
            if element.attribute(key.trim()).is_some() {
                return Err(format!("{key} twice"));
            }
            element.attributes.push((key.trim().to_owned(), unescaped(value)?));
            more = behind;
        }
        if closed {
            open.last_mut().expect("the document").children.push(element);
        } else {
            open.push(element);
        }
    }
    let mut document = open.pop().expect("the document");
    match (open.is_empty(), document.children.len()) {
        (true, 1) => Ok(document.children.remove(0)),
        other => Err(format!("not one element: {other:?}")),
    }
}

fn unescaped(text: &str) -> Result<String, String> {
    for (index, _) in text.match_indices('&') {
        if !["&amp;", "&lt;", "&gt;", "&quot;"].iter().any(|known| text[index..].starts_with(known)) {
            return Err(format!("no entity: {}", &text[index..]));
        }
    }
    Ok(text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

/// Holds a document against the schema; gives its cases.
#[track_caller]
fn valid_junit(document: &str) -> Vec<Element> {
    let suite = parse(document).unwrap_or_else(|error| panic!("{error}\n{document}"));
    assert_eq!(suite.name, "testsuite");
    let known = ["name", "tests", "failures", "errors", "skipped"];
    assert!(suite.attributes.iter().all(|(name, _)| known.contains(&name.as_str())), "{:?}", suite.attributes);
    assert!(suite.attribute("name").is_some_and(|name| !name.is_empty()));
    assert!(suite.text.trim().is_empty());
    let count = |name: &str| -> usize { suite.attribute(name).and_then(|n| n.parse().ok()).expect("a required count") };
    let with = |name: &str| suite.children.iter().filter(|case| case.named(name).next().is_some()).count();
    assert_eq!(count("tests"), suite.children.len());
    for (attribute, element) in [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")] {
        assert_eq!(count(attribute), with(element), "{attribute}");
    }
    let mut names = BTreeSet::new();
    for case in &suite.children {
        assert_eq!(case.name, "testcase");
        assert!(case.attributes.iter().all(|(name, _)| ["classname", "name"].contains(&name.as_str())));
        let of = |name: &str| case.attribute(name).filter(|value| !value.is_empty()).expect("a required attribute");
        assert!(names.insert((of("classname").to_owned(), of("name").to_owned())), "{} twice", of("name"));
        assert!(case.text.trim().is_empty(), "a case has no text of its own: {}", case.text);
        assert!(case.children.len() <= 1, "{case:?}");
        for child in &case.children {
            match child.name.as_str() {
                "failure" | "error" => {
                    assert!(child.attribute("message").is_some_and(|what| !what.is_empty()) && !child.text.is_empty());
                    assert_eq!(child.attributes.len(), 1);
                }
                "system-out" => assert!(child.attributes.is_empty() && !child.text.is_empty()),
                other => panic!("a case has no {other}"),
            }
            assert!(child.children.is_empty());
        }
    }
    suite.children
}

fn failures(cases: &[Element]) -> usize {
    cases.iter().filter(|case| case.named("failure").next().is_some()).count()
}

#[test]
fn the_reader_of_this_test_is_strict() {
    let whole = |inner: &str| parse(&format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{inner}"));
    assert!(whole("<a b=\"&lt;\"><c/></a>").is_ok());
    for bad in ["<a>", "<a></b>", "<a/><b/>", "<a>&x;</a>", "<a b=\"1\" b=\"2\"/>", "<a>\u{1}</a>", "<a b></a>"] {
        assert!(whole(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_run_is_a_case_for_each_promise_and_each_fault() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = "model_list:\n  - {model_name: gpt-4, litellm_params: {model: azure/gpt-4, api_key: os.environ/A}}\n  \
        - {model_name: idle, litellm_params: {model: openai/gpt-4o, api_key: os.environ/B}}\n";
    let scenario = "name: \"a < b & \\\"c\\\"\"\nconfig: config.yaml\nduration: 1m\n\
        traffic:\n  - {model: gpt-4, arrivals: {poisson: 2/s}, deadline: 20s}\n\
        faults:\n  - {at: 1s, for: 30s, on: all, inject: {status: 503}}\n  - {at: 10s, for: 1s, on: provider:openai, inject: refused}\n\
        expect:\n  availability: \">= 99%\"\n  latency: {p99: \"<= 10m\"}\n";
    std::fs::write(dir.path().join("config.yaml"), config).expect("a file");
    let path = dir.path().join("broken.yaml");
    std::fs::write(&path, scenario).expect("a file");
    let path = path.display().to_string();
    let (document, code) = printed(&["run", &path, "--format", "junit"]);
    let cases = valid_junit(&document);
    assert_eq!(code, Some(1));
    let of = |start: &str| {
        let starts = |case: &&Element| case.attribute("name").is_some_and(|name| name.starts_with(start));
        cases.iter().find(starts).unwrap_or_else(|| panic!("{start}: {document}"))
    };
    for (start, what) in [
        ("the whole run", "system-out"),
        ("promise availability", "failure"),
        ("promise latency.p99", "system-out"),
        ("fault 503", "system-out"),
        ("fault refused", "failure"),
    ] {
        assert_eq!(of(start).children[0].name, what, "{start}: {document}");
    }
    assert!(of("laws of the router").children.is_empty());
    let told = &of("promise availability").children[0];
    assert!(told.text.contains(&format!("replay: routedrill run {path} --seed ")), "{}", told.text);

    let (annotations, _) = printed(&["run", &path, "--format", "github"]);
    assert_eq!(annotations.lines().count(), failures(&cases), "{annotations}");
    assert!(annotations.lines().all(|line| line.starts_with("::error file=") && line.contains("replay: ")));
    let (summary, _) = printed(&["run", &path, "--format", "markdown"]);
    assert!(
        summary.contains("not as it should be") && summary.contains("| promise availability | BROKEN: "),
        "{summary}"
    );
    assert!(summary.starts_with("## a &lt; b & \"c\": "), "{summary}");

    let shown = ["run", "scenarios/sole-primary-outage.yaml", "--format", "junit"];
    let (document, code) = printed(&shown);
    assert_eq!((failures(&valid_junit(&document)), code), (0, Some(0)));
}

#[test]
fn findings_are_cases_that_fail_as_the_exit_code_does() {
    let (report, _) = printed(&["lint", FAULTY, "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let found = |kind: &str| report["summary"][kind].as_u64().filter(|count| *count > 0).expect("some of them");
    let (errors, warnings, notes) = (found("errors"), found("warnings"), found("notes"));
    for (fail_on, fails) in [("error", errors), ("warning", errors + warnings), ("note", errors + warnings + notes)] {
        let (document, code) = printed(&["lint", FAULTY, "--fail-on", fail_on, "--format", "junit"]);
        assert_eq!((failures(&valid_junit(&document)) as u64, code), (fails, Some(1)), "{fail_on}");
    }
    let good = "examples/litellm/production.yaml";
    let (document, code) = printed(&["lint", good, "README.md", "--format", "junit"]);
    let cases = valid_junit(&document);
    assert_eq!((failures(&cases), code), (0, Some(2)));
    let errors: Vec<&Element> = cases.iter().filter(|case| case.named("error").next().is_some()).collect();
    assert!(errors.iter().all(|case| case.attribute("classname") == Some("README.md")) && !errors.is_empty());
}

#[test]
fn outages_are_cases_and_lines_of_csv() {
    let drill = |more: &[&str]| printed(&[&["drill", AZURE, "--duration", "60s", "--seeds", "1"], more].concat());
    let (document, code) = drill(&["--format", "junit"]);
    let cases = valid_junit(&document);
    assert_eq!((failures(&cases) > 0, code), (true, Some(1)));

    let (table, _) = drill(&["--format", "csv"]);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let titles: Vec<String> = reader.headers().expect("titles").iter().map(str::to_owned).collect();
    let records: Vec<csv::StringRecord> = reader.records().map(|record| record.expect("as many cells")).collect();
    assert_eq!(records.len(), cases.len(), "one model, so that each outage has one line");
    let (report, _) = drill(&["--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let column = |name: &str| titles.iter().position(|title| title == name).expect("a column");
    for (record, row) in records.iter().zip(report["rows"].as_array().expect("rows")) {
        let model = &row["models"][0];
        assert_eq!(&record[column("outage")], row["name"].as_str().expect("a name"));
        assert_eq!(&record[column("verdict")], model["verdict"].as_str().expect("a verdict"));
        let figure = |name: &str| -> Option<f64> { record[column(name)].parse().ok() };
        assert_eq!(figure("lost_during"), model["lost"].as_f64());
        assert_eq!(figure("availability_during"), model["availability_during"].as_f64());
        assert_eq!(figure("p99"), model["p99"].as_f64());
        assert_eq!(figure("recovered_after"), row["recovered_after"].as_f64());
    }
}

#[test]
fn a_config_that_litellm_refuses_is_told_in_every_format() {
    let drill = |format: &str| routedrill(&["drill", "tests/inputs/refused.yaml", "--format", format]);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let cases = valid_junit(&text(drill("junit").stdout));
    assert_eq!((cases.len(), cases[0].children[0].name.as_str()), (1, "error"));
    assert!(text(drill("github").stdout).starts_with("::error file=tests/inputs/refused.yaml,line="));
    assert!(text(drill("markdown").stdout).contains("would not start with this config"));
    let csv = drill("csv");
    assert!(csv.stdout.is_empty() && text(csv.stderr).contains("would not start with this config"));
    assert_eq!(csv.status.code(), Some(1));
}

#[test]
fn a_campaign_tells_each_failing_seed_within_githubs_limits() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = "model_list:\n  - {model_name: gpt-4, litellm_params: {model: azure/gpt-4, api_key: os.environ/A}}\n";
    let scenario = "name: broken\nconfig: config.yaml\nduration: 20s\n\
        traffic:\n  - {model: gpt-4, arrivals: {poisson: 2/s}, deadline: 10s}\n\
        faults:\n  - {at: 1s, for: 18s, on: all, inject: {status: 503}}\nexpect:\n  availability: \">= 99%\"\n";
    for (name, text) in [("config.yaml", config), ("broken.yaml", scenario)] {
        std::fs::write(dir.path().join(name), text).expect("a file");
    }
    let path = dir.path().join("broken.yaml").display().to_string();
    let check = |format: &str| printed(&["check", &path, "--seeds", "14", "--format", format]).0;
    let told = check("github");
    assert_eq!(told.lines().filter(|line| line.starts_with("::error")).count(), 10, "{told}");
    assert!(told.contains("and 5 more errors, in the log of this step"), "{told}");
    for seed in 0..14 {
        assert!(told.contains(&format!("--seed {seed}")), "seed {seed} is somewhere");
    }
    assert_eq!(failures(&valid_junit(&check("junit"))), 1);
    let summary = check("markdown");
    assert_eq!(summary.matches("routedrill run ").count(), 14, "{summary}");
    assert!(Path::new(&path).exists() && summary.contains("| broken | **broken** | 0 of 14 |"), "{summary}");
}
