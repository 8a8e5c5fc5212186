//! The example configurations say what they say.

use std::path::{Path, PathBuf};

use routedrill_sim::litellm::{Finding, Loaded, Options, Severity, read_source};
use routedrill_sim::problem::Look;
use routedrill_sim::source::{CONFIG_BYTES_MAX, Source};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/litellm")
}

fn load(name: &str) -> Loaded {
    let mut source = Source::read(&examples().join(name), CONFIG_BYTES_MAX).expect(name);
    source = Source::new(name, source.text());
    read_source(&source, &Options::default()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn shown(findings: &[Finding]) -> String {
    findings.iter().map(|finding| finding.render(Look::Plain)).collect::<Vec<_>>().join("\n\n")
}

/// Rule and path of every finding.
fn named(loaded: &Loaded) -> Vec<(&str, &str)> {
    loaded.findings.iter().map(|finding| (finding.rule.name, finding.path.as_str())).collect()
}

#[test]
fn show() {
    for entry in std::fs::read_dir(examples()).expect("examples") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        let loaded = load(&name);
        println!("=== {name}\n{}", shown(&loaded.findings));
        for (entry, place) in loaded.config.model_list.iter().zip(&loaded.inventory.places) {
            println!(
                "{} {:?} {:?} {} {:?} {:?}",
                place.label, place.region, place.key, entry.id, entry.cost_map, entry.max_input_tokens
            );
        }
    }
    let _ = (named, Severity::Note);
}
