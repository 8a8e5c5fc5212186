//! Does the core decide as the real LiteLLM Router did? Recordings of the real one are replayed against the core, and
//! everything that it did is compared.
//!
//! A recording holds a configuration, scripted upstreams, requests, and what LiteLLM was seen to do with them:
//! attempts, cooldowns, responses and every random number drawn. `conformance/README.md` says how to make one.

mod against;
mod compare;
mod draws;
mod field;
mod find;
mod params;
mod parse;
mod recording;
mod replay;
mod setup;
mod upstreams;
mod why;

use router_core::{Mode, Release, Time};

use crate::problem::Problem;
use crate::source::Source;

pub use against::{Against, Difference, Responsible, against};
pub use compare::{Divergence, first_divergence};
pub use draws::Asking;
pub use field::Malformed;
pub use find::recordings_in;
pub use recording::{
    AttemptSeen, CooldownSeen, DrawSeen, Observed, Question, Recording, Reply, ReplyKind, Request, ResponseSeen,
    Script, Stream, Window,
};
pub use replay::{Replayed, Stop, StopReason, replay};
pub use setup::plan_of;
pub use why::in_words;
pub(crate) use why::request_of;

use compare::Rank;

/// What came of checking one recording.
#[derive(Clone, PartialEq, Debug)]
pub struct Checked {
    /// The case's name.
    pub case: String,
    /// The release that was recorded.
    pub release: Release,
    /// How requests reached the Router.
    pub mode: Mode,
    /// How many requests there are.
    pub requests: usize,
    /// The first thing that differs, if something does.
    pub disagreement: Option<Disagreement>,
}

/// The first thing that differs, and why the core did what it did.
#[derive(Clone, PartialEq, Debug)]
pub struct Disagreement {
    /// What differs.
    pub divergence: Divergence,
    /// The core's own notes on it, in words.
    pub why: Vec<String>,
}

/// Replays one recording and compares.
///
/// # Errors
/// What makes the file no recording.
pub fn check(source: &Source) -> Result<Checked, Problem> {
    let recording = Recording::parse(source.text()).map_err(|malformed| malformed.into_problem(source))?;
    let disagreement =
        disagreement(&recording).map_err(|malformed| malformed.in_case(&recording.name).into_problem(source))?;
    let Recording { name, release, mode, requests, .. } = recording;
    Ok(Checked { case: name, release, mode, requests: requests.len(), disagreement })
}

/// The first thing that the core does otherwise than the real Router did.
///
/// # Errors
/// What in the recording makes no configuration or no request, and draws that nothing can have asked for.
pub fn disagreement(recording: &Recording) -> Result<Option<Disagreement>, Malformed> {
    let plan = plan_of(recording, recording.release)?;
    let replayed = replay(recording, plan, Asking::AsRecorded)?;
    let Some(divergence) = divergence(&recording.observed, &replayed, None) else { return Ok(None) };
    let used = replayed.observed.draws.len();
    if replayed.stopped.is_none() && used < recording.observed.draws.len() {
        let all_used = Observed { draws: recording.observed.draws[..used].to_vec(), ..recording.observed.clone() };
        if first_divergence(&all_used, &replayed.observed, None).is_none() {
            let left = recording.observed.draws.len() - used;
            let message = format!("left over: nothing asks for the last {left} of the draws, and all else agrees");
            return Err(Malformed::at(format!("observed.draws[{used}]"), message));
        }
    }
    let why = why::reasons(&divergence, &replayed.notes, &replayed.plan);
    Ok(Some(Disagreement { divergence, why }))
}

/// The first difference between an account and what a replay did, the replay's untimely end included. `until`: how far
/// the replay went, if not to the end.
fn divergence(expected: &Observed, replayed: &Replayed, until: Option<Time>) -> Option<Divergence> {
    let Some(stop) = &replayed.stopped else { return first_divergence(expected, &replayed.observed, until) };
    let first = first_divergence(expected, &replayed.observed, Some(stop.at));
    let used = replayed.observed.draws.len();
    let broken_off = match &stop.because {
        StopReason::Asked(question) => {
            let next = expected.draws.get(used);
            let said = next.map_or("none".to_owned(), |draw| {
                let request = draw.request.map_or(String::new(), |request| format!(" for request {request}"));
                format!("{}{request} at {}", draw.question, draw.at)
            });
            // A number that the other account does not draw then is mostly a sign of something else.
            let then = next.is_some_and(|draw| draw.at == stop.at && draw.request == stop.request);
            let rank = if then { Rank::Drawn } else { Rank::Used };
            Divergence::new(stop.at, stop.request, rank, format!("random number {used}")).between(said, question)
        }
        StopReason::Spins => Divergence::new(stop.at, stop.request, Rank::Answered, "the router")
            .between("rest", "a wake that never moves on"),
    };
    Some(match first {
        Some(first) => first.or_earlier(broken_off),
        None => broken_off,
    })
}
