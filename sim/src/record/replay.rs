//! The run of a recording again, held against it step by step.

use super::{Line, Recording, line};
use crate::actor::{Step, Watcher};
use crate::cast::Cast;
use crate::digest::{Digest, Digester};
use crate::engine::Engine;
use crate::metrics::Shape;
use crate::scenario::Scenario;
use crate::trace::Trace;

/// What came of a replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// How many steps were as recorded before the first that was not.
    pub agreed: usize,
    /// The first difference.
    pub difference: Option<Difference>,
    /// The digest of the run now.
    pub digest: Digest,
    /// The names of the actors, by their number.
    pub names: Vec<String>,
}

/// The first step that is not as recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// What was recorded; `None`: the recorded run was over.
    pub recorded: Option<Line>,
    /// What happened now; `None`: this run was over.
    pub now: Option<Line>,
    /// What happened now, with everything that the line leaves out.
    pub now_in_full: Option<String>,
}

/// Runs the scenario of a recording again and compares each step. `scenario` is the one within the recording.
pub fn replay(recording: &Recording, scenario: &Scenario) -> Replayed {
    let mut cast = Cast::new(scenario);
    let names = super::names(&cast);
    let mut digester = Digester::new();
    digester.restart(names.len());
    let mut comparer = Comparer { recording, names: &names, digester, steps: 0, difference: None };
    let end = Engine::new().run(&mut cast, recording.seed, Shape::of(scenario).end, &mut comparer);
    let Comparer { steps, mut difference, .. } = comparer;
    if difference.is_none()
        && let Some(missing) = recording.steps.get(steps)
    {
        difference = Some(Difference { recorded: Some(missing.clone()), now: None, now_in_full: None });
    }
    Replayed { agreed: steps, difference, digest: end.digest, names }
}

struct Comparer<'a> {
    recording: &'a Recording,
    names: &'a [String],
    digester: Digester,
    steps: usize,
    difference: Option<Difference>,
}

impl Watcher for Comparer<'_> {
    fn watch(&mut self, step: &Step<'_>) {
        if self.difference.is_some() {
            return;
        }
        let now = line(&mut self.digester, self.names, step);
        let recorded = self.recording.steps.get(self.steps);
        if recorded == Some(&now) {
            self.steps += 1;
            return;
        }
        self.difference = Some(Difference {
            recorded: recorded.cloned(),
            now: Some(now),
            now_in_full: Some(in_full(self.names, step)),
        });
    }
}

/// The step as a line of a trace.
fn in_full(names: &[String], step: &Step<'_>) -> String {
    let mut trace = Trace::new(Vec::new(), names.to_vec());
    trace.watch(step);
    // Writing into memory does not fail.
    let bytes = trace.finish().unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().nth(1).unwrap_or_default().to_owned()
}
