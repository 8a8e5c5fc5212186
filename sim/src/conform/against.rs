//! One input under two releases: whether they route it differently, and which rule makes the first difference.
//!
//! Both releases get the recorded random numbers, one after the other, whatever they ask them for. The real Router of
//! either release, started with the same seed, gets them in the same way, so that two recordings of one input differ
//! exactly where the two simulations do.

use router_core::{Config, Plan, Release, Rule, Rules, Span, Time};

use super::compare::Divergence;
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
    /// The rules behind it.
    pub responsible: Responsible,
    /// The notes of the recorded release on it.
    pub why_own: Vec<String>,
    /// The notes of the other release on it.
    pub why_other: Vec<String>,
}

/// The rules behind a difference.
#[derive(Clone, Debug)]
pub struct Responsible {
    /// The rules; none when the two releases read the configuration itself differently.
    pub rules: Vec<&'static Rule>,
    /// It takes all of them. Otherwise each by itself makes the difference.
    pub together: bool,
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
    let doubtful = divergence(&recording.observed, &own, None).is_some();
    let theirs = run(plan_of(recording, other)?, Time::MAX)?;
    let difference = match divergence(&own.observed, &theirs, None) {
        None => None,
        Some(divergence) => Some(Difference {
            responsible: responsible(recording, other, &own, &divergence)?,
            why_own: why::reasons(&divergence, &own.notes, &own.plan),
            why_other: why::reasons(&divergence, &theirs.notes, &theirs.plan),
            divergence,
        }),
    };
    Ok(Against { case: recording.name.clone(), own: recording.release, other, difference, doubtful })
}

/// The rules that make the difference. Each rule of the other release is tried by itself: does the recorded release
/// with just that one do the same thing at the same moment? If none does, rules are left out of all of them as long as
/// the difference stays.
fn responsible(
    recording: &Recording,
    other: Release,
    own: &Replayed,
    difference: &Divergence,
) -> Result<Responsible, Malformed> {
    // Each release also reads the configuration in its own way: what one of them does not know may be missing in it.
    for reader in [recording.release, other] {
        let config = config_of(recording, reader)?;
        let trial = Trial { recording, config, own, difference, theirs: other.rules() };
        // Where the reading alone makes the difference, no rule does.
        if !trial.makes_it(&[])? {
            let found = trial.responsible()?;
            if !found.rules.is_empty() {
                return Ok(found);
            }
        }
    }
    Ok(Responsible { rules: Vec::new(), together: false })
}

/// The recorded release, with some rules taken over from another.
struct Trial<'a> {
    recording: &'a Recording,
    config: Config,
    own: &'a Replayed,
    difference: &'a Divergence,
    theirs: Rules,
}

impl Trial<'_> {
    fn responsible(&self) -> Result<Responsible, Malformed> {
        let ours = self.recording.release.rules();
        let differs = |rule: &&Rule| rule.taken_over(ours, &self.theirs).is_some();
        let mut rules: Vec<&'static Rule> = Rules::CATALOGUE.iter().filter(differs).collect();
        let mut alone = Vec::new();
        for &rule in &rules {
            if self.makes_it(&[rule])? {
                alone.push(rule);
            }
        }
        if !alone.is_empty() || !self.makes_it(&rules)? {
            return Ok(Responsible { rules: alone, together: false });
        }
        for rule in rules.clone() {
            let fewer: Vec<_> = rules.iter().copied().filter(|kept| kept.name != rule.name).collect();
            if self.makes_it(&fewer)? {
                rules = fewer;
            }
        }
        Ok(Responsible { rules, together: true })
    }

    /// Whether taking over these rules makes the difference.
    fn makes_it(&self, taken: &[&'static Rule]) -> Result<bool, Malformed> {
        let ours = self.recording.release.rules();
        let rules = taken.iter().fold(ours, |rules, rule| rule.taken_over(rules, &self.theirs).unwrap_or(rules));
        let Ok(plan) = Plan::with_rules(&self.config, rules) else { return Ok(false) };
        // What comes after the difference does not matter, and most replays need not go there.
        let until = self.difference.until + Span::from_secs(1);
        let replayed = replay_until(self.recording, plan, Asking::Anything, until)?;
        let found = divergence(&self.own.observed, &replayed, Some(until));
        Ok(found.is_some_and(|found| found.is_same_as(self.difference)))
    }
}
