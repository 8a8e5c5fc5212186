//! Loading a scenario: its file, the LiteLLM config that it names, and the changes that it makes to that.

use std::path::Path;
use std::sync::Arc;

use router_core::{Config, Mode, Plan};

use super::file::File;
use super::meant::{Origin, Scenario};
use super::patch::Patch;
use super::quantity::{Complaint, Quantity as _};
use super::reading::Reading;
use super::resolve::{World, announce, asked_names, resolve, what_if};
use super::strict;
use super::tree::{Kind, NodeId, Tree};
use super::word::{Text, WallClock};
use crate::litellm::{self, Finding, Inventory, Node, Options};
use crate::problem::{Problem, Problems, did_you_mean};
use crate::source::{CONFIG_BYTES_MAX, Source};

/// A scenario that is ready to run.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// What in its config, with the scenario's changes, does not do what it says.
    pub findings: Vec<Finding>,
    /// What in the scenario is allowed and yet worth a second look, each a sentence without a full stop.
    pub remarks: Vec<String>,
}

/// Loads a scenario file and the config that it names.
///
/// # Errors
/// Everything that is wrong with the scenario, and with its config.
pub fn load(path: &Path) -> Result<Loaded, Problems> {
    let source = Source::read(path, CONFIG_BYTES_MAX)?;
    read(&source, path.parent().unwrap_or(Path::new("")))
}

/// Reads a scenario whose file lies, or would lie, in `folder`.
///
/// # Errors
/// As [`load`].
pub fn read(source: &Source, folder: &Path) -> Result<Loaded, Problems> {
    read_patched(source, folder, None, &[])
}

/// Reads a scenario with further changes to its config, made after its own. `config` is the text of the config, where
/// somebody has read it already.
///
/// # Errors
/// As [`load`].
pub fn read_patched(
    source: &Source,
    folder: &Path,
    config: Option<&Source>,
    further: &[Patch],
) -> Result<Loaded, Problems> {
    let tree = Tree::read(source)?;
    let mut file = Unresolved::read(source, &tree, folder)?;
    file.origin.patches.extend_from_slice(further);
    file.changed_at.resize(file.origin.patches.len(), tree.root());
    let options = file.options();
    let loaded = match file.origin.inline.clone() {
        Some(mut root) => {
            file.change(&mut root);
            litellm::Loaded::from_node(&root, source.name(), &options)
        }
        None => {
            let config = match config {
                Some(config) => Ok(config.clone()),
                None => Source::read(&file.origin.config, CONFIG_BYTES_MAX).map_err(Problems::from),
            };
            config.and_then(|config| litellm::read_changed(&config, &options, |root| file.change(root)))
        }
    };
    match loaded {
        Ok(litellm::Loaded { config, inventory, findings, .. }) => {
            let scenario = file.resolve(config, inventory)?;
            let remarks = remarks(&scenario);
            Ok(Loaded { scenario, findings, remarks })
        }
        // What is wrong with the scenario itself is said beside what is wrong with its config.
        Err(problems) => Err(file.refuse(problems)),
    }
}

/// A name that nothing answers to is asked for on purpose, or by a slip.
fn remarks(scenario: &Scenario) -> Vec<String> {
    let plan = &scenario.plan;
    let groups: Vec<_> = plan.deployments().iter().map(|deployment| deployment.model_name.as_str()).collect();
    let unanswered = scenario.traffic.iter().filter(|traffic| plan.members(traffic.model).is_empty());
    let mut remarks: Vec<_> = unanswered
        .map(|traffic| {
            let name = plan.name(traffic.model);
            let hint = did_you_mean(name, groups.iter().copied());
            let hint = hint.map_or_else(String::new, |group| format!(" (did you mean `{group}`?)"));
            format!("nothing in the config answers to `{name}`, so LiteLLM refuses its requests{hint}")
        })
        .collect();
    remarks.dedup();
    remarks
}

/// A scenario file whose shape is right, before anybody looked at the config that it names.
pub(super) struct Unresolved<'a> {
    reading: Reading<'a>,
    file: File,
    folder: &'a Path,
    origin: Origin,
    /// Where each change is written.
    changed_at: Vec<NodeId>,
}

impl<'a> Unresolved<'a> {
    /// Reads the shape of a scenario.
    ///
    /// # Errors
    /// When so much is wrong with it that no config can be found: all of that.
    pub(super) fn read(source: &'a Source, tree: &'a Tree, folder: &'a Path) -> Result<Self, Problems> {
        let mut reading = Reading::new(source, tree);
        let file: Option<File> = strict::read(source, tree, &File::REQUIRED, &mut reading.problems);
        let config = file.as_ref().and_then(|file| file.config);
        let config = config.and_then(|config| config_at(config.node(), &mut reading));
        let (Some(file), Some((config, inline))) = (file, config) else { return Err(reading.close()) };
        let config = config.map_or_else(|| source.name().into(), |path| folder.join(path));
        let (patches, changed_at) = patches(&file, tree).into_iter().unzip();
        let origin = Origin { config, inline, patches };
        Ok(Self { reading, file, folder, origin, changed_at })
    }

    /// How its config is to be read.
    pub(super) fn options(&mut self) -> Options {
        let Self { reading, file, .. } = self;
        Options {
            release: reading.optional(&file.litellm).unwrap_or_default(),
            mode: reading.optional(&file.mode).unwrap_or(Mode::Proxy),
            asked_names: asked_names(file, reading.tree),
            start_unix_nanos: reading.optional(&file.start).map_or(START_UNIX_NANOS, |WallClock(start)| start),
            without_models: false,
        }
    }

    /// Makes the scenario's changes to a config. What cannot be changed is written down.
    pub(super) fn change(&mut self, config: &mut Node) {
        for (patch, node) in self.origin.patches.iter().zip(&self.changed_at) {
            let result = patch.apply(config);
            self.reading.kept(*node, result);
        }
    }

    /// Everything that is wrong with the scenario's values, as far as they can be judged without a config, and with the
    /// config.
    fn refuse(mut self, problems: Problems) -> Problems {
        self.reading.problems.append(problems);
        self.reading.close()
    }

    /// The scenario as meant, on top of what its config means.
    ///
    /// # Errors
    /// Everything that is wrong with the scenario.
    pub(super) fn resolve(mut self, mut config: Config, inventory: Inventory) -> Result<Scenario, Problems> {
        let (file, reading) = (&self.file, &mut self.reading);
        announce(file, reading.tree, &mut config);
        config.what_if = what_if(file, reading);
        let plan = match Plan::new(&config) {
            Ok(plan) => Arc::new(plan),
            Err(refusals) => {
                let name = self.origin.config.display().to_string();
                let remedy = "LiteLLM would not start with this config: mend it, or patch it in the scenario";
                let problems = refusals.iter().map(|refusal| Problem::of_file(&name, refusal.to_string(), remedy));
                return Err(self.refuse(problems.collect()));
            }
        };
        let inventory = Arc::new(inventory);
        let world =
            World { config: &config, inventory: &inventory, plan: &plan, origin: &self.origin, folder: self.folder };
        let scenario = resolve(file, reading, &world);
        if scenario.is_none() && reading.problems.is_empty() {
            // Whatever is missing was complained about; if not, silence would be worse than a vague word.
            reading.complain(
                reading.tree.root(),
                Complaint::new("this is not a whole scenario").help("compare it with the shipped ones"),
            );
        }
        match scenario {
            Some(scenario) if reading.problems.is_empty() => Ok(scenario),
            _ => Err(self.reading.close()),
        }
    }
}

/// The path of a config, or the config itself.
fn config_at(node: NodeId, reading: &mut Reading<'_>) -> Option<(Option<String>, Option<Node>)> {
    match reading.tree.kind(node) {
        Kind::Scalar(text) => {
            let path = Text::parse(text);
            reading.kept(node, path).map(|Text(path)| (Some(path), None))
        }
        Kind::Map(_) => Some((None, Some(reading.tree.as_litellm(node)))),
        Kind::List(_) => {
            let complaint = Complaint::new("a list is no LiteLLM config");
            reading.complain(node, complaint.help("write the path of its file, or the config itself as a map"));
            None
        }
    }
}

/// When a run starts where a scenario does not say: 2026-01-01, a whole minute, hour and day.
const START_UNIX_NANOS: u64 = 1_767_225_600_000_000_000;

/// The changes to the config, with the places where they are written: `router` first, then `patch`, in their order.
fn patches(file: &File, tree: &Tree) -> Vec<(Patch, NodeId)> {
    let router = file.router.iter().flat_map(|named| &named.0).map(|entry| ("router_settings.", entry));
    let others = file.patch.iter().flat_map(|named| &named.0).map(|entry| ("", entry));
    let patches = router.chain(others).map(|(prefix, (key, value))| {
        let path = format!("{prefix}{}", tree.text(*key));
        (Patch { path, value: tree.as_litellm(value.node()) }, *key)
    });
    patches.collect()
}
