//! The scenarios that a setting is judged by.

use std::path::{Path, PathBuf};

use router_core::Release;

use crate::problem::{Problem, Problems};
use crate::scenario::{Arrivals, Patch, Scenario, read_patched};
use crate::source::{CONFIG_BYTES_MAX, Source};

/// One scenario.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its file.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Whether it is kept for the final judgement.
    pub held_out: bool,
    /// Its faults, in words.
    pub faults: Vec<String>,
    /// How long a run of it lasts, in seconds.
    pub length: f64,
    /// The names that its traffic asks for.
    pub asked: Vec<String>,
    /// A hash of its text, and of the traffic that it names.
    pub(super) identity: [u8; 16],
    /// What it changes in the config by itself.
    pub(super) patches: Vec<Patch>,
    source: Source,
    folder: PathBuf,
}

/// Scenarios about one config.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// The config.
    pub config: Source,
    /// The LiteLLM release that reads it.
    pub release: Release,
    /// The scenarios: those to tune on, then those held out.
    pub cases: Vec<Case>,
}

impl Corpus {
    /// Reads scenarios, all of which must be about one config.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn load(tuned: &[PathBuf], held_out: &[PathBuf]) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let mut cases: Vec<Case> = Vec::new();
        let mut config: Option<(PathBuf, String, Release)> = None;
        let all = tuned.iter().map(|path| (path, false)).chain(held_out.iter().map(|path| (path, true)));
        for (path, held_out) in all {
            let name = path.display().to_string();
            let (case, scenario) = match Case::load(path, held_out) {
                Ok(loaded) => loaded,
                Err(more) => {
                    problems.append(more);
                    continue;
                }
            };
            if scenario.origin.inline.is_some() {
                let remedy = "put the config into a file of its own, and name that";
                problems.push(Problem::of_file(
                    &name,
                    "its config stands within the scenario, and tune changes a file",
                    remedy,
                ));
                continue;
            }
            let file = scenario.origin.config.clone();
            let same = file.canonicalize().unwrap_or(file.clone());
            match &config {
                Some((known, first, _)) if *known != same => {
                    let message =
                        format!("this scenario is about {}, and {first} about {}", same.display(), known.display());
                    problems.push(Problem::of_file(&name, message, "tune one config at a time"));
                }
                Some(_) => {}
                None => config = Some((same, name, scenario.plan.release())),
            }
            if config.as_ref().is_some_and(|(_, _, release)| *release != scenario.plan.release()) {
                let message = format!("this scenario is about LiteLLM {}, and others are not", scenario.plan.release());
                problems.push(Problem::of_file(&case.path, message, "tune for one release at a time"));
            }
            cases.push(case);
        }
        if !problems.is_empty() {
            return problems.or(()).map(|()| unreachable!("there are problems"));
        }
        let Some((path, _, release)) = config else {
            return Err(Problem::of_file("SCENARIOS", "no scenario was given", "name one at least").into());
        };
        // Shown as the scenarios name it, from the current directory.
        let shown = cases.first().and_then(|case| case.config_path()).unwrap_or(path);
        let config = Source::read(&shown, CONFIG_BYTES_MAX)?;
        Ok(Self { config, release, cases })
    }

    /// The names that the traffic of the cases to tune on asks for, each once.
    pub fn asked(&self) -> Vec<&str> {
        let mut asked: Vec<&str> = Vec::new();
        for name in self.of(false).flat_map(|(_, case)| &case.asked) {
            if !asked.contains(&name.as_str()) {
                asked.push(name);
            }
        }
        asked
    }

    /// The cases to tune on, or those held out, with their places.
    pub fn of(&self, held_out: bool) -> impl Iterator<Item = (usize, &Case)> {
        self.cases.iter().enumerate().filter(move |(_, case)| case.held_out == held_out)
    }
}

impl Case {
    fn load(path: &Path, held_out: bool) -> Result<(Self, Scenario), Problems> {
        let source = Source::read(path, CONFIG_BYTES_MAX)?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let scenario = read_patched(&source, &folder, None, &[])?.scenario;
        let mut hash = xxhash_rust::xxh3::Xxh3::new();
        hash.update(source.text().as_bytes());
        for traffic in &scenario.traffic {
            if let Arrivals::Trace(recording) = &traffic.arrivals {
                for row in recording.rows.iter() {
                    hash.update(&row.at.as_nanos().to_le_bytes());
                    hash.update(&row.prompt_tokens.to_le_bytes());
                    hash.update(&row.output_tokens.to_le_bytes());
                }
            }
        }
        let case = Self {
            path: path.display().to_string(),
            name: scenario.name.clone(),
            held_out,
            faults: scenario.faults.iter().map(|fault| fault.label.clone()).collect(),
            asked: scenario.traffic.iter().map(|traffic| scenario.plan.name(traffic.model).to_owned()).collect(),
            length: (scenario.duration + scenario.drain).as_secs_f64(),
            identity: hash.digest128().to_le_bytes(),
            patches: scenario.origin.patches.clone(),
            source,
            folder,
        };
        Ok((case, scenario))
    }

    fn config_path(&self) -> Option<PathBuf> {
        read_patched(&self.source, &self.folder, None, &[]).ok().map(|loaded| loaded.scenario.origin.config)
    }

    /// The scenario with changes to its config.
    ///
    /// # Errors
    /// What is wrong with it then.
    pub fn scenario(&self, config: &Source, patches: &[Patch]) -> Result<Scenario, Problems> {
        read_patched(&self.source, &self.folder, Some(config), patches).map(|loaded| loaded.scenario)
    }
}
