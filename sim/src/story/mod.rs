//! The life of one request, told from the steps of a run: who could be called and who was chosen, what came back, what was
//! waited for, and how it ended.
//!
//! Telling takes two runs of the same scenario under the same seed: one to find the request that is worth telling
//! ([`Telling`]), and one that follows it with a router that explains itself ([`tell`]). Explanations change nothing that
//! happens, so both runs are the same run.

mod find;
mod follow;

pub use find::{Candidates, Telling, Worst};

use router_core::{Ask, AttemptId, CooldownReason, DeploymentId, Error, Note, Outcome, RequestId, Selection, Time};

use crate::actor::{Drawn, Ended, Reply};
use crate::cast::Cast;
use crate::engine::Engine;
use crate::metrics::Shape;
use crate::scenario::Scenario;
use crate::step::RunEnd;

/// Everything that happened to one request, in the order of time.
#[derive(Clone, PartialEq, Debug)]
pub struct Story {
    /// The request.
    pub request: RequestId,
    /// What it asked for.
    pub ask: Ask,
    /// When its client sent it.
    pub sent: Time,
    /// What happened.
    pub moments: Vec<Moment>,
    /// How it ended for its client, and when; `None` when the run ended first.
    pub ended: Option<(Time, Ended)>,
}

/// Something that happened to a request.
#[derive(Clone, PartialEq, Debug)]
pub struct Moment {
    /// When, from the start of the run.
    pub at: Time,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// The router chose a deployment for an attempt, or found nobody.
    Chose {
        /// Who was eligible, who was not, and what the strategy compared.
        selection: Box<Selection>,
        /// The random numbers that the choice took.
        draws: Vec<Drawn>,
        /// Why each deployment that rested did.
        resting: Vec<Resting>,
    },
    /// The router's remark on it: anything but a selection.
    Noted {
        /// The remark.
        note: Note,
        /// The random number behind a wait, from 0 to 1.
        jitter: Option<f64>,
    },
    /// A fault of the scenario struck a call.
    Struck {
        /// Its index in the scenario.
        fault: u32,
        /// Whose call.
        deployment: DeploymentId,
    },
    /// An upstream's answer came back.
    Replied {
        /// The call.
        call: AttemptId,
        /// What it is.
        reply: Reply,
    },
    /// The router hung up on a call.
    HungUp {
        /// Whose.
        deployment: DeploymentId,
    },
    /// The proxy answered.
    Answered(Outcome),
}

/// Why a deployment rests.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Resting {
    /// Who.
    pub deployment: DeploymentId,
    /// Since when.
    pub since: Time,
    /// Until when.
    pub until: Time,
    /// Whose failure began it.
    pub request: RequestId,
    /// The failure.
    pub error: Error,
    /// The rule that decided.
    pub because: CooldownReason,
}

/// Follows one request through a run of `scenario` under `seed`. `None` when the run has no such request.
pub fn tell(scenario: &Scenario, seed: u64, request: RequestId) -> (Option<Story>, RunEnd) {
    let mut cast = Cast::new(scenario);
    cast.explain();
    let mut follower = follow::Follower::new(request);
    let end = Engine::new().run(&mut cast, seed, Shape::of(scenario).end, &mut follower);
    (follower.finish(), end)
}

#[cfg(test)]
mod tests;
