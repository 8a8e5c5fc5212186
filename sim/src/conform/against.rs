//! One input under two releases: whether they route it differently, and which rule makes the first difference.
//!
//! Both releases get the recorded random numbers, one after the other, whatever they ask them for. The real Router of
//! either release, started with the same seed, gets them in the same way, so that two recordings of one input differ
//! exactly where the two simulations do.

use router_core::{Plan, Release, Rule, Rules, Span, Time};

use super::compare::{Divergence, first_divergence};
use super::draws::Asking;
use super::field::Malformed;
use super::recording::Recording;
use super::replay::{Replayed, replay_until};
use super::setup::{config_of, plan_of};
use super::{divergence, why};
use crate::problem::Problem;
use crate::source::Source;

/// What two releases make of one input.
#[derive(Clone, Debug)]
pub struct Against {
    /// The case's name.
    pub case: String,
    /// The release that was recorded.
    pub own: Release,
    /// The release it is held against.
    pub other: Release,
    /// The first thing that they do differently, if there is one.
    pub difference: Option<Difference>,
    /// The core does not agree with the recording itself, so that its word on the difference is worth less.
    pub doubtful: bool,
}

/// The first thing that two releases do differently.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What differs: `expected` is the recorded release, `got` the other one.
    pub divergence: Divergence,
    /// The rules that each by itself make this difference; none when it takes several.
    pub rules: Vec<&'static Rule>,
    /// The notes of the recorded release on it.
    pub why_own: Vec<String>,
    /// The notes of the other release on it.
    pub why_other: Vec<String>,
}

/// Holds one recording's input against another release.
///
/// # Errors
/// What makes the file no recording.
pub fn against(source: &Source, other: Release) -> Result<Against, Problem> {
    let recording = Recording::parse(source.text()).map_err(|malformed| malformed.into_problem(source))?;
    compare(&recording, other).map_err(|malformed| malformed.in_case(&recording.name).into_problem(source))
}

fn compare(recording: &Recording, other: Release) -> Result<Against, Malformed> {
    let run = |plan, until| replay_until(recording, plan, Asking::Anything, until);
    let own = run(plan_of(recording, recording.release)?, Time::MAX)?;
    let doubtful = divergence(&recording.observed, &own).is_some();
    let theirs = run(plan_of(recording, other)?, Time::MAX)?;
    let difference = match divergence(&own.observed, &theirs) {
        None => None,
        Some(divergence) => Some(Difference {
            rules: responsible(recording, other, &own, &divergence)?,
            why_own: why::reasons(&divergence, &own.notes, &own.plan),
            why_other: why::reasons(&divergence, &theirs.notes, &theirs.plan),
            divergence,
        }),
    };
    Ok(Against { case: recording.name.clone(), own: recording.release, other, difference, doubtful })
}

/// The rules that make the difference: the recorded release with just that one rule of the other release does the
/// same thing, at the same moment.
fn responsible(
    recording: &Recording,
    other: Release,
    own: &Replayed,
    difference: &Divergence,
) -> Result<Vec<&'static Rule>, Malformed> {
    // What comes after the difference does not matter, and most replays need not go there.
    let until = difference.at + Span::from_secs(1);
    let config = config_of(recording, recording.release)?;
    let mut rules_found = Vec::new();
    for rule in Rules::CATALOGUE {
        let Some(rules) = rule.taken_over(recording.release.rules(), &other.rules()) else { continue };
        let plan = Plan::with_rules(&config, rules);
        let Ok(plan) = plan else { continue };
        let replayed = replay_until(recording, plan, Asking::Anything, until)?;
        let same = |found: Divergence| {
            (found.at, found.request, &found.what, &found.got)
                == (difference.at, difference.request, &difference.what, &difference.got)
        };
        if first_divergence(&own.observed, &replayed.observed, Some(until)).is_some_and(same) {
            rules_found.push(rule);
        }
    }
    Ok(rules_found)
}
