//! Recordings of runs: a run in a file that stands alone, and the same run again, step by step.
//!
//! A recording is text, so that two of them can be compared with any tool:
//!
//! ```text
//! routedrill recording 1
//! made by routedrill 0.1.0
//! litellm 1.109.1
//! seed 7
//! scenario 23 lines
//! name: ..                      the scenario with every default filled in, its config within
//! steps
//! 1000000 1 5d41402a < client/0 ask 0 | picks deployment 1 for 0 | > upstream/east call 0.1
//! ..                            nanoseconds since the step before, actor, its hash so far, the step in words
//! end 24123 steps, digest 3b12.., seal 9f86..
//! ```
//! The hash of a step is that of its actor's steps so far, times, events, draws and effects, so that what the words leave out
//! is not lost. The seal is SHA-256 over everything before it: it tells a file that was changed by accident or by hand
//! from a program that decides differently.

mod read;
mod replay;
mod words;

pub use read::{is_recording, parse, read};
pub use replay::{Difference, Replayed, replay};

use std::fmt::Write as _;

use crate::actor::{ActorId, Step, Watcher};
use crate::cast::Cast;
use crate::digest::{Digest, Digester};
use crate::engine::Engine;
use crate::metrics::Shape;
use crate::scenario::Scenario;
use crate::source::sha256;
use crate::step::RunEnd;

/// The format that this program writes, and the newest one that it reads.
pub const FORMAT: u32 = 1;

/// What the first line of a recording begins with; the number of its format follows.
const MAGIC: &str = "routedrill recording ";

/// A recording that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recording {
    /// The version of the program that made it.
    pub made_by: String,
    /// The LiteLLM release that was modelled.
    pub litellm: String,
    /// The seed.
    pub seed: u64,
    /// The scenario, as the text of a file that stands alone.
    pub scenario: String,
    /// The steps, in their order.
    pub steps: Vec<Line>,
    /// The digest of the run.
    pub digest: Digest,
    /// The file is as it was written.
    pub sealed: bool,
}

/// One step as a recording has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// When, in nanoseconds from the start of the run.
    pub at: u64,
    /// Which actor.
    pub actor: u32,
    /// The hash of that actor's steps so far.
    pub hash: u32,
    /// What it did.
    pub words: String,
}

/// Runs a scenario under its seed, and gives the text of its recording. `text` is the scenario as the text of a file that
/// stands alone.
pub fn record(scenario: &Scenario, text: &str) -> (String, RunEnd) {
    let mut cast = Cast::new(scenario);
    let mut recorder = Recorder::new(&cast);
    let end = Engine::new().run(&mut cast, scenario.seed, Shape::of(scenario).end, &mut recorder);
    let mut file = format!("{MAGIC}{FORMAT}\n");
    // Writing to a String cannot fail.
    let _ = writeln!(file, "made by routedrill {}", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(file, "litellm {}", scenario.plan.release().number());
    let _ = writeln!(file, "seed {}", scenario.seed);
    let _ = writeln!(file, "scenario {} lines", text.lines().count());
    for line in text.lines() {
        let _ = writeln!(file, "{line}");
    }
    file.push_str("steps\n");
    let mut before = 0;
    for Line { at, actor, hash, words } in &recorder.lines {
        let _ = writeln!(file, "{} {actor} {hash:08x} {words}", at - before);
        before = *at;
    }
    let _ = write!(file, "end {} steps, digest {}, seal ", recorder.lines.len(), end.digest);
    let seal = sha256(file.as_bytes());
    let _ = writeln!(file, "{seal}");
    (file, end)
}

/// Makes a line of each step.
#[derive(Debug)]
struct Recorder {
    names: Vec<String>,
    digester: Digester,
    lines: Vec<Line>,
}

impl Recorder {
    fn new(cast: &Cast) -> Self {
        let names = names(cast);
        let mut digester = Digester::new();
        digester.restart(names.len());
        Self { names, digester, lines: Vec::new() }
    }
}

impl Watcher for Recorder {
    fn watch(&mut self, step: &Step<'_>) {
        let line = line(&mut self.digester, &self.names, step);
        self.lines.push(line);
    }
}

/// A step as a line, after everything before it.
fn line(digester: &mut Digester, names: &[String], step: &Step<'_>) -> Line {
    digester.watch(step);
    Line {
        at: step.at.as_nanos(),
        actor: step.actor.0,
        hash: digester.of(step.actor) as u32,
        words: words::of(step, names),
    }
}

/// The names of the actors, each on one line: the id of a deployment may be any text.
fn names(cast: &Cast) -> Vec<String> {
    cast.names().iter().map(|name| name.replace(char::is_control, " ")).collect()
}

/// The name of an actor of a cast.
fn name(names: &[String], actor: ActorId) -> &str {
    names.get(actor.0 as usize).map_or("?", String::as_str)
}

#[cfg(test)]
mod tests;
