//! Whole scenarios drawn at random: traffic, upstreams, limits, faults and settings of the router, over configs out of
//! nothing or over those of an operator.
//!
//! A scenario is drawn as the text of a file, with its config inside, and then read like any other: what fails can be handed
//! to `run`, `shrink` and `explain` as it is. It depends on its number and on the config alone.

mod config;
mod feature;
mod luck;
mod names;
mod settings;
mod situations;
mod surroundings;
mod traffic;

pub use feature::{Feature, Features};
pub use situations::{Situation, Situations};

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use router_core::WhatIf;
use serde_json::{Map, Value as Json, json};

use self::luck::Luck;
use self::names::Names;
use crate::campaign::{self, Watched};
use crate::litellm::{self, Loaded, Node, Options, Value};
use crate::problem::Problems;
use crate::scenario::{self, Patch, Scenario, quoted, what_if};
use crate::shrink::Document;
use crate::source::Source;

/// A config that scenarios are drawn over.
#[derive(Clone, Debug)]
pub struct Given {
    root: Node,
}

impl Given {
    /// The config of a file: what decides how the router routes, without secrets.
    ///
    /// # Errors
    /// What LiteLLM cannot read of it, or would not start with.
    pub fn read(source: &Source) -> Result<Self, Problems> {
        let Loaded { config, .. } = litellm::read_source(source, &Options::default())?;
        let name = config.model_list.first().map_or("", |entry| entry.model_name.as_str());
        // Every config stands in some scenario; this one asks its first group for something.
        let text = format!(
            "name: any\nconfig: {}\nduration: 1s\ntraffic: [{{model: {}, arrivals: {{constant: 1/s}}}}]\n",
            quoted(source.name()),
            quoted(name)
        );
        let any = Source::new(source.name(), text);
        let loaded = scenario::read_patched(&any, Path::new(""), Some(source), &[])?;
        Ok(Self { root: scenario::config_alone(&loaded.scenario)? })
    }
}

/// A scenario that was drawn.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Its number, which is its seed too.
    pub number: u64,
    /// What it has.
    pub features: Features,
    /// The text of its file, which needs no other.
    pub text: String,
}

/// Draws the scenario of that number, over a config out of nothing or over one that is given.
///
/// # Errors
/// What LiteLLM cannot read of the config.
pub fn draw(number: u64, given: Option<&Given>) -> Result<Drawn, Problems> {
    let mut luck = Luck::of(number);
    let luck = &mut luck;
    let as_written = given.is_some() && luck.chance(0.4);
    let features = Features::draw(luck, as_written);
    let mut config = match given {
        Some(given) => given.root.clone(),
        None => Node::from_json(&config::draw(luck, features)),
    };
    let name = format!("swarm-{number}");
    if !as_written {
        let names = Names::of(&config, &name)?;
        for (path, value) in settings::draw(luck, features, &names) {
            let patch = Patch { path, value: Node::from_json(&value) };
            // A config that was read has maps and lists where settings go; what it has else there stays as it is.
            let _ = patch.apply(&mut config);
        }
        if features.has(Feature::Twins) {
            write_twice(luck, &mut config);
        }
    }
    let names = Names::of(&config, &name)?;
    let seconds = luck.of_these(&[20, 45, 90, 150, 300]);
    let mut top = Map::new();
    let mut set = |key: &str, value: Json| top.insert(key.to_owned(), value);
    set("name", name.into());
    if features.has(Feature::OlderRelease) {
        set("litellm", router_core::Release::V1_80_17.number().into());
    }
    if features.has(Feature::Sdk) {
        set("mode", "sdk".into());
    }
    set("seed", number.into());
    if features.has(Feature::MinuteEdge) {
        set("start", format!("2026-01-01T00:00:{:02}Z", luck.between(0, 59)).into());
    }
    set("duration", format!("{seconds}s").into());
    if features.has(Feature::ShortDrain) {
        set("drain", luck.of_these(&["0s", "500ms", "4s"]).into());
    }
    set("traffic", traffic::draw(luck, features, &names, seconds));
    let upstreams = surroundings::upstreams(luck, features, &names);
    if !upstreams.is_empty() {
        set("upstreams", upstreams.into());
    }
    let quotas = surroundings::quotas(luck, features, &names);
    if !quotas.is_empty() {
        set("quotas", quotas.into());
    }
    if let Some(links) = surroundings::links(luck, features) {
        set("links", links);
    }
    let faults = surroundings::faults(luck, features, &names, seconds);
    if !faults.is_empty() {
        set("faults", faults.into());
    }
    // A world drawn at random may end in any state: only the laws are looked at.
    let expect = if features.has(Feature::Calm) {
        json!({ "availability": ">= 100%", "liveness": false })
    } else {
        json!({ "liveness": false })
    };
    set("expect", expect);
    let text = Document::of(Node::from_json(&Json::Object(top)), config).text();
    Ok(Drawn { number, features, text })
}

/// Writes an entry of `model_list` a second time: LiteLLM takes both for one deployment, which stands in its group twice.
fn write_twice(luck: &mut Luck, config: &mut Node) {
    let Value::Mapping(sections) = &mut config.value else { return };
    if let Value::Sequence(entries) = &mut sections.get_or_insert("model_list").value {
        let twin = luck.of_these(entries);
        entries.push(twin);
    }
}

/// What came of running a drawn scenario.
#[derive(Debug)]
pub struct Ran {
    /// The scenario that its text means.
    pub scenario: Scenario,
    /// The run; the panic that ended it, if one did.
    pub watched: Result<Watched, String>,
    /// What it met.
    pub situations: Situations,
}

impl Drawn {
    /// A scenario that could not be drawn, because LiteLLM would not read its config.
    pub fn nothing(number: u64) -> Self {
        Self { number, features: Features::default(), text: String::new() }
    }

    /// The same with a router that has policies which LiteLLM does not have.
    #[must_use]
    pub fn supposing(mut self, supposed: &WhatIf) -> Self {
        if !supposed.is_off() && !self.text.is_empty() {
            self.text.push_str(&format!("what_if: {}\n", what_if::map(supposed)));
        }
        self
    }

    /// The scenario that the text means.
    ///
    /// # Errors
    /// Everything that is wrong with it: a bug of whoever drew it, but for a config that LiteLLM would not start with.
    pub fn read(&self) -> Result<Scenario, Problems> {
        let source = Source::new(format!("swarm-{}.yaml", self.number), self.text.as_str());
        scenario::read(&source, Path::new("")).map(|loaded| loaded.scenario)
    }

    /// Reads the text and runs it under its seed. A panic of the router, or of the world around it, is caught.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn run(&self) -> Result<Ran, Problems> {
        let scenario = self.read()?;
        let run = AssertUnwindSafe(|| {
            let mut situations = Situations::default();
            let watched = campaign::watched_with(&scenario, scenario.seed, &mut situations);
            situations.see(&watched);
            (watched, situations)
        });
        let (watched, situations) = match panic::catch_unwind(run) {
            Ok((watched, situations)) => (Ok(watched), situations),
            Err(payload) => {
                let text = payload.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
                (Err(text.unwrap_or("no message").to_owned()), Situations::default())
            }
        };
        Ok(Ran { scenario, watched, situations })
    }
}
