//! A LiteLLM configuration, read as LiteLLM's proxy reads it.

use std::collections::BTreeMap;
use std::ops::Range;

use router_core::{Config, Mode, Release, WhatIf};

use super::entry::ModelList;
use super::finding::{Edit, Finding, Findings, rule};
use super::foreign;
use super::inventory::Inventory;
use super::node::{Mapping, Node, Value};
use super::references;
use super::settings::{self, References};
use super::unknown_keys;
use super::yaml;
use crate::problem::{Problem, Problems};
use crate::source::Source;

/// How a configuration is read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// The LiteLLM release that reads it.
    pub release: Release,
    /// Behind the proxy or in process.
    pub mode: Mode,
    /// Names that callers ask for besides those in the configuration.
    pub asked_names: Vec<String>,
    /// Unix time, in nanoseconds, of the start of the run.
    pub start_unix_nanos: u64,
    /// A file with LiteLLM's settings and no models is read as well: its models live in the proxy's database.
    pub without_models: bool,
}

/// A configuration that was read.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// What the router makes of it: LiteLLM's defaults are not filled in.
    pub config: Config,
    /// What stands behind each deployment; the same order as `config.model_list`.
    pub inventory: Inventory,
    /// What does not do what it says, in the order of the file.
    pub findings: Vec<Finding>,
    lines: BTreeMap<String, u32>,
}

impl Loaded {
    /// Whether LiteLLM's proxy stops at start-up with this configuration, as far as the file alone decides it.
    pub fn refuses_to_start(&self) -> bool {
        self.findings.iter().any(|finding| finding.rule.stops_start_up)
    }

    /// The line in which a setting stands, by its keys: `router_settings.num_retries`,
    /// `model_list[2].litellm_params.timeout`. `None` when it is not written, or the configuration came without text.
    pub fn line_of(&self, path: &str) -> Option<u32> {
        self.lines.get(path).copied()
    }

    /// Reads a configuration that is already a tree, such as one out of JSON: `model_list`, `router_settings`,
    /// `litellm_settings` and `general_settings` at its top.
    ///
    /// # Errors
    /// As [`read`].
    pub fn from_node(root: &Node, file_name: &str, options: &Options) -> Result<Self, Problems> {
        load(root, &[], &|_| false, file_name, None, options)
    }
}

/// Maps that only a configuration of LiteLLM has.
const SECTIONS: [&str; 10] = [
    "callback_settings",
    "credential_list",
    "files_settings",
    "finetune_settings",
    "general_settings",
    "guardrails",
    "litellm_settings",
    "mcp_servers",
    "router_settings",
    "vector_store_registry",
];

/// Reads the text of a `config.yaml`.
///
/// Whatever LiteLLM would start with is accepted, and whatever of it does not do what it says is a [`Finding`].
///
/// # Errors
/// Every [`Problem`] at once: not YAML as LiteLLM reads it, no map at the top, `include`, `model_list` missing, empty or
/// not a list, an entry without `model_name` or `litellm_params`.
pub fn read(text: &str, file_name: &str, options: &Options) -> Result<Loaded, Problems> {
    read_source(&Source::new(file_name, text), options)
}

/// Reads a `config.yaml` that is already in memory.
///
/// # Errors
/// As [`read`].
pub fn read_source(source: &Source, options: &Options) -> Result<Loaded, Problems> {
    read_changed(source, options, |_| {})
}

/// Reads a `config.yaml` as if something else had been written in it. What a change puts in has no place in the file:
/// its spans are empty.
///
/// # Errors
/// As [`read`].
pub fn read_changed(source: &Source, options: &Options, change: impl FnOnce(&mut Node)) -> Result<Loaded, Problems> {
    let mut document = yaml::parse(source)?;
    change(&mut document.root);
    let used = |span: &Range<usize>| document.anchors_used.iter().any(|used| span.contains(&used.start));
    load(&document.root, &document.duplicates, &used, source.name(), Some(source), options)
}

fn load<'s>(
    root: &Node,
    duplicates: &[yaml::Duplicate],
    used: &dyn Fn(&Range<usize>) -> bool,
    file: &'s str,
    source: Option<&'s Source>,
    options: &Options,
) -> Result<Loaded, Problems> {
    let mut problems = Problems::new();
    let mut findings = Findings::new(file, source);
    let problem = |node: &Node, message: &str, remedy: &str| match source {
        Some(source) if node.span.end > 0 => Problem::at(source, node.span.clone(), message, remedy),
        _ => Problem::of_file(file, message, remedy),
    };
    let Value::Mapping(top) = &root.value else {
        let message = match root.value {
            Value::Null => "the configuration is empty".to_owned(),
            _ => format!("the configuration is {} and not a map", root.value.kind()),
        };
        return Err(problem(root, &message, "begin with `model_list:`").into());
    };
    if let (Some((key, _)), Some(source)) = (top.entry("include"), source) {
        problems.push(Problem::at(
            source,
            key.span.clone(),
            "routedrill reads one file and does not follow `include`",
            "put the included files' contents into this one, and drill that",
        ));
    }
    if top.get("model_list").is_none()
        && let Some((message, remedy)) = foreign::told(top)
    {
        return Err(problem(root, &message, &remedy).into());
    }
    let Options { release, mode, .. } = *options;
    unknown_keys::top(top, release, used, &mut findings);
    settings::top(top, &mut findings);
    let empty = Mapping::default();
    let section = |name: &str, findings: &mut Findings<'s>| match top.get(name) {
        None | Some(Node { value: Value::Null, .. }) => &empty,
        Some(Node { value: Value::Mapping(map), .. }) => map,
        Some(node) => {
            // Truthy or not, LiteLLM either skips it or stops; neither is what was meant.
            findings.add(
                if name == "router_settings" { &rule::IGNORED_KEY } else { &rule::MALFORMED_SETTING },
                node.span.clone(),
                name,
                format!("{name} is {} and not a map", node.value.kind()),
                "write keys below it",
            );
            &empty
        }
    };
    let mut references = References::default();
    let router_map = section("router_settings", &mut findings);
    let router_settings = settings::router_settings(router_map, release, &mut references, &mut findings);
    let litellm_map = section("litellm_settings", &mut findings);
    let litellm_settings =
        settings::litellm_settings(litellm_map, &router_settings, release, &mut references, &mut findings);
    settings::general_settings(section("general_settings", &mut findings), release, &mut findings);

    let mut read = Vec::new();
    let no_models = top.get("model_list").is_none_or(|list| list.is_null() || list.as_sequence() == Some(&[]));
    let is_litellm = SECTIONS.iter().any(|section| top.entry(section).is_some());
    match top.get("model_list") {
        _ if no_models && is_litellm && options.without_models => findings.add(
            &rule::UNSEEN_MODELS,
            top.entry("model_list").map_or(0..0, |(key, _)| key.span.clone()),
            "model_list",
            "no models are listed here: only the settings were looked at",
            "",
        ),
        None if is_litellm => problems.push(problem(
            root,
            "the configuration has no model_list",
            "add `model_list:` with one entry per deployment",
        )),
        None => problems.push(problem(
            root,
            "the configuration has no model_list, nor any other section that LiteLLM reads",
            "give the config.yaml of the proxy: it begins with `model_list:`, one entry per deployment",
        )),
        Some(Node { value: Value::Sequence(items), .. }) if !items.is_empty() => {
            let mut list = ModelList {
                source,
                file,
                release,
                mode,
                custom_providers: settings::custom_providers(litellm_map),
                findings: &mut findings,
                problems: &mut problems,
            };
            read = list.read(items);
        }
        Some(node) => {
            let message = match &node.value {
                Value::Null => "model_list is empty".to_owned(),
                Value::Sequence(_) => "model_list is empty".to_owned(),
                value => format!("model_list is {} and not a list", value.kind()),
            };
            let node = if node.span.is_empty() && !node.is_null() { root } else { node };
            problems.push(problem(
                node,
                &message,
                "write one entry per deployment: `- model_name: ...`; deployments that live in a database are not seen",
            ));
        }
    }
    let mut spans = Vec::new();
    let (mut model_list, mut inventory) = (Vec::new(), Inventory::default());
    for (entry, place, span) in read {
        model_list.push(entry);
        inventory.places.push(place);
        spans.push(span);
    }
    let config = Config {
        release,
        mode,
        start_unix_nanos: options.start_unix_nanos,
        model_list,
        router_settings,
        litellm_settings,
        asked_names: options.asked_names.clone(),
        asked_tags: Vec::new(),
        asked_regions: Vec::new(),
        request_lists: Vec::new(),
        what_if: WhatIf::default(),
    };
    let stored = top.get("general_settings").and_then(|settings| settings.get("store_model_in_db"));
    let database = no_models || stored.is_some_and(|stored| matches!(stored.value, Value::Bool(true)));
    references::check(&config, &references, database, &mut findings);
    let labels: Vec<_> = inventory.places.iter().map(|place| place.label.clone()).collect();
    references::same_ids(&config, &labels, &spans, &mut findings);
    for yaml::Duplicate { lost, kept } in duplicates {
        let line = source.map_or(0, |source| source.line(kept.start));
        findings.add(
            &rule::DUPLICATE_KEY,
            lost.clone(),
            "",
            format!("this key stands again in line {line}, and LiteLLM's YAML reader takes only that one"),
            "remove one of the two",
        );
        findings.mend(source.and_then(|source| lone_line(source, lost)).map(|span| Edit { span, text: String::new() }));
    }
    let mut lines = BTreeMap::new();
    if let Some(source) = source {
        settings_lines(root, "", source, &mut lines);
    }
    problems.or(Loaded { config, inventory, findings: findings.finish(), lines })
}

/// The whole line of a key whose value stands beside it and nowhere else.
fn lone_line(source: &Source, key: &Range<usize>) -> Option<Range<usize>> {
    let text = source.text();
    let start = text[..key.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[key.end..].find('\n').map_or(text.len(), |at| key.end + at + 1);
    let indent = text.get(start..key.start).filter(|before| before.bytes().all(|byte| byte == b' '))?.len();
    let value = text.get(key.end..end)?.trim_start_matches(':').trim();
    // A value that goes on in the next line is indented further, or is a list at the same level.
    let next = text[end..].lines().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let goes_on = next.is_some_and(|next| {
        let deep = next.len() - next.trim_start().len();
        deep > indent || deep == indent && next.trim_start().starts_with("- ")
    });
    let opens = value.starts_with(['|', '>', '[', '{', '&', '!', '#', '"', '\'']) && !closes(value);
    (!value.is_empty() && !goes_on && !opens && !value.starts_with('&')).then_some(start..end)
}

/// Whether a bracket or a quote that begins a value ends in the same line.
fn closes(value: &str) -> bool {
    let close = match value.as_bytes().first() {
        Some(b'[') => ']',
        Some(b'{') => '}',
        Some(b'"') => '"',
        Some(b'\'') => '\'',
        _ => return false,
    };
    value.len() > 1 && value.ends_with(close)
}

/// Notes the line of every key, down to the settings of a deployment.
fn settings_lines(node: &Node, path: &str, source: &Source, lines: &mut BTreeMap<String, u32>) {
    match &node.value {
        Value::Mapping(map) => {
            for (key, value) in map.iter() {
                let Some(name) = key.text() else { continue };
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                if path.matches('.').count() < 4 {
                    if !key.span.is_empty() {
                        lines.insert(path.clone(), source.line(key.span.start));
                    }
                    settings_lines(value, &path, source, lines);
                }
            }
        }
        Value::Sequence(items) if path == "model_list" => {
            for (index, item) in items.iter().enumerate() {
                settings_lines(item, &format!("{path}[{index}]"), source, lines);
            }
        }
        _ => {}
    }
}
