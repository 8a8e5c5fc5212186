//! What `explain`, `replay` and `shrink` work on: a scenario under a seed, from a scenario file or out of a recording.

use std::path::Path;

use routedrill_sim::problem::{Problem, Problems};
use routedrill_sim::record::{self, Recording};
use routedrill_sim::scenario::{self, Scenario};
use routedrill_sim::source::Source;

use crate::exit::Exit;
use crate::output;

/// A file that was given to be told, replayed or shrunk.
pub(super) enum Script {
    /// A scenario.
    Scenario(Scenario),
    /// A recording, with the scenario in it.
    Recording(Recording, Scenario),
}

/// Reads a scenario or a recording. A recording has its one seed; a scenario may be given another.
pub(super) fn read(path: &Path, seed: Option<u64>) -> Result<Script, Exit> {
    if record::is_recording(path) {
        let recording = record::read(path).map_err(|problems| output::refuse(&problems))?;
        let mut scenario = alone(path, &recording.scenario).map_err(|problems| output::refuse(&problems))?;
        scenario.seed = recording.seed;
        return Ok(Script::Recording(recording, scenario));
    }
    let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    if path.is_file() && !is_yaml {
        let remedy = "`routedrill run SCENARIO --record FILE` makes a recording; scenario files end in .yaml";
        let message = "this is neither a recording nor a scenario";
        return Err(output::refuse(&Problem::of_file(&path.display().to_string(), message, remedy).into()));
    }
    let mut scenario = scenario::load(path).map_err(|problems| output::refuse(&problems))?.scenario;
    scenario.seed = seed.unwrap_or(scenario.seed);
    Ok(Script::Scenario(scenario))
}

/// The scenario of a file, under another seed where one is asked for.
pub(super) fn load(path: &Path, seed: Option<u64>) -> Result<Scenario, Exit> {
    let mut scenario = match read(path, seed)? {
        Script::Scenario(scenario) => scenario,
        Script::Recording(recording, scenario) => {
            if !recording.sealed {
                eprintln!("note: {} was changed after it was written", path.display());
            }
            scenario
        }
    };
    scenario.seed = seed.unwrap_or(scenario.seed);
    Ok(scenario)
}

/// Refuses to write over the file that is read.
pub(super) fn not_over(input: &Path, wanted: &Path) -> Result<(), Exit> {
    let same = input.canonicalize().is_ok_and(|input| wanted.canonicalize().is_ok_and(|wanted| wanted == input));
    if !same {
        return Ok(());
    }
    let message = "this is the file that is read, and it would be written over";
    let problem = Problem::of_file(&wanted.display().to_string(), message, "give another name");
    Err(output::refuse(&problem.into()))
}

/// Reads the text of a scenario that stands alone. Its lines are counted within the text.
pub(super) fn alone(path: &Path, text: &str) -> Result<Scenario, Problems> {
    let source = Source::new(format!("the scenario in {}", path.display()), text);
    scenario::read(&source, Path::new("")).map(|loaded| loaded.scenario)
}
