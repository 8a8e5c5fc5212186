//! The example configurations say what they say, and no damage to them makes the reader panic.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;
use routedrill_sim::litellm::{Finding, Loaded, Options, Severity, read_source};
use routedrill_sim::problem::Look;
use routedrill_sim::source::{CONFIG_BYTES_MAX, Source};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/litellm")
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the folder of examples");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in UTF-8")).collect();
    names.sort();
    names
}

fn text(name: &str) -> String {
    Source::read(&folder().join(name), CONFIG_BYTES_MAX).expect(name).text().to_owned()
}

fn load(name: &str) -> Loaded {
    read_source(&Source::new(name, text(name)), &Options::default()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Rule, line and path of every finding.
fn findings(loaded: &Loaded) -> Vec<(&str, u32, &str)> {
    let shown = |finding: &Finding| finding.line().unwrap_or(0);
    loaded.findings.iter().map(|finding| (finding.rule.name, shown(finding), finding.path.as_str())).collect()
}

#[test]
fn every_example_says_in_its_first_line_what_it_is() {
    assert!(names().len() >= 5);
    for name in names() {
        assert!(text(&name).starts_with("# "), "{name}");
    }
}

#[test]
fn the_two_region_config_has_a_timeout_nobody_reads_and_fallbacks_to_nowhere() {
    let loaded = load("azure-two-regions.yaml");
    assert_eq!(
        findings(&loaded),
        [
            ("ignored-key", 27, "router_settings.request_timeout"),
            ("undefined-fallback", 31, "router_settings.fallbacks[0].gpt-4[0]"),
            ("undefined-fallback", 31, "router_settings.fallbacks[0].gpt-4[1]"),
            ("undefined-fallback", 33, "router_settings.context_window_fallbacks[0].gpt-4[0]"),
        ]
    );
    assert_eq!(
        loaded.findings[0].render(Look::Plain),
        "\
warning[ignored-key]: LiteLLM does not read request_timeout under router_settings and ignores it
  --> azure-two-regions.yaml:27:3
   |
27 |   request_timeout: 30          # LiteLLM's Router has no such setting
   |   ^^^^^^^^^^^^^^^
   |
   = help: write `timeout` here, or move it to litellm_settings.request_timeout"
    );
    assert!(!loaded.refuses_to_start());
    assert_eq!(loaded.config.router_settings.timeout, None);
    assert_eq!(loaded.line_of("router_settings.cooldown_time"), Some(29));
    assert_eq!(loaded.line_of("model_list[1].litellm_params.rpm"), Some(19));
    let labels: Vec<_> = loaded.inventory.places.iter().map(|place| place.label.as_str()).collect();
    assert_eq!(labels, ["gpt-4 (azure, eastus, line 3)", "gpt-4 (azure, westeurope, line 13)"]);
}

#[test]
fn a_top_level_model_group_section_is_reported_and_the_same_done_right_is_not() {
    let wrong = load("dev-prod-claude-model-group.yaml");
    assert_eq!(findings(&wrong), [("ignored-key", 23, "model_group")]);
    assert_eq!(wrong.config.litellm_settings.fallbacks, None);
    let right = load("dev-prod-claude.yaml");
    assert_eq!(findings(&right), []);
    assert_eq!(right.config.litellm_settings.fallbacks.as_ref().map(Vec::len), Some(2));
    assert_eq!(right.config.model_list[0].rpm.params, Some(10.0));
    assert_eq!(right.config.model_list[2].tpm.params, Some(3_600_000.0));
}

#[test]
fn the_production_config_is_healthy_and_as_large_as_it_says() {
    let loaded = load("production.yaml");
    assert!(loaded.findings.iter().all(|finding| finding.rule.severity == Severity::Note), "{:?}", findings(&loaded));
    let distinct = |what: &dyn Fn(usize) -> Option<String>| {
        (0..loaded.config.model_list.len()).filter_map(what).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(loaded.config.model_list.len(), 20);
    assert_eq!(distinct(&|i| Some(loaded.config.model_list[i].model_name.clone())), 5);
    assert_eq!(distinct(&|i| Some(loaded.inventory.places[i].provider.clone())), 4);
    assert_eq!(distinct(&|i| loaded.inventory.places[i].region.clone()), 3);
    assert_eq!(distinct(&|i| loaded.inventory.places[i].key.clone()), 7);
    assert_eq!(distinct(&|i| Some(loaded.inventory.places[i].label.clone())), 20);
}

#[test]
fn the_other_examples_have_nothing_to_find() {
    for name in ["support-bot.yaml", "wildcards.yaml", "self-hosted.yaml"] {
        assert_eq!(findings(&load(name)), [], "{name}");
    }
}

#[test]
fn reading_the_same_file_twice_gives_the_same() {
    for name in names() {
        assert_eq!(load(&name), load(&name));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bytes_never_make_the_reader_panic(
        example in any::<Index>(),
        damage in prop::collection::vec((any::<Index>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        let name = &names()[example.index(names().len())];
        let mut bytes = text(name).into_bytes();
        for (at, byte, how) in damage {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                // A line of the file again, somewhere else: duplicate keys, lists within lists.
                _ => {
                    let line: Vec<u8> = bytes[at..].split_inclusive(|&b| b == b'\n').nth(1).unwrap_or(b"\n").to_vec();
                    bytes.splice(at..at, line);
                }
            }
        }
        if let Ok(source) = Source::from_bytes(name.as_str(), bytes) {
            match read_source(&source, &Options::default()) {
                Ok(loaded) => {
                    prop_assert_eq!(loaded.config.model_list.len(), loaded.inventory.places.len());
                    for finding in &loaded.findings {
                        prop_assert!(!finding.render(Look::Styled).is_empty());
                    }
                }
                Err(problems) => prop_assert!(!problems.to_string().is_empty()),
            }
        }
    }
}
