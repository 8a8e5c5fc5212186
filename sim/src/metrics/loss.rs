//! Why requests were lost, from the router's own remarks about them.

use router_core::{DeploymentId, ErrorClass, GiveUpReason, NameId, NoFallback, RequestId, Span, Time};

use super::shape::Phase;

/// One way in which requests were lost. Two requests with equal ones were lost alike.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Loss {
    /// The name asked for.
    pub asked: NameId,
    /// When it was asked.
    pub phase: Phase,
    /// What the caller got.
    pub end: LossEnd,
    /// Why the retry layer gave up on the name asked for, if it did.
    pub gave_up: Option<GiveUpReason>,
    /// What became of the fallbacks.
    pub next: NextHop,
}

/// What the caller of a lost request got.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum LossEnd {
    /// An error.
    Error {
        /// Its class in LiteLLM.
        class: ErrorClass,
        /// The HTTP status that the caller saw.
        status: u16,
    },
    /// Nothing: it gave up at its own deadline.
    Deadline(Doing),
    /// Nothing yet: the run ended first.
    Open(Doing),
}

/// What the router was doing for a request when nobody waited for it any longer.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Doing {
    /// It had not reached the router, or the router was between two steps.
    Nothing,
    /// It waited for an upstream's answer.
    Attempt {
        /// Whose.
        deployment: DeploymentId,
        /// For how long it would have waited at most.
        timeout: Span,
    },
    /// It slept before a retry, or after its last one.
    Wait,
}

/// What became of the fallbacks of a lost request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum NextHop {
    /// It never came to them.
    NotReached,
    /// There was none.
    None(NoFallback),
    /// The last one tried failed too.
    Failed {
        /// The name that was tried.
        to: NameId,
        /// What it ended with.
        class: Option<ErrorClass>,
        /// Whether any upstream was called for it.
        called: bool,
    },
}

/// How many were lost in one way, with the first as an example.
#[derive(Clone, Copy, Debug)]
pub struct LossRecord {
    /// The way.
    pub loss: Loss,
    /// How many.
    pub count: u64,
    /// The seed of the run of the example.
    pub seed: u64,
    /// The first one.
    pub example: RequestId,
    /// When it was due.
    pub due: Time,
}

/// All losses, by kind, in the order in which each kind first occurred.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    records: Vec<LossRecord>,
}

impl Losses {
    /// One more request was lost.
    pub(super) fn add(&mut self, loss: Loss, seed: u64, example: RequestId, due: Time) {
        self.add_record(LossRecord { loss, count: 1, seed, example, due });
    }

    /// Adds the losses of another run; examples of this one are kept.
    pub fn absorb(&mut self, other: &Self) {
        for record in &other.records {
            self.add_record(*record);
        }
    }

    fn add_record(&mut self, record: LossRecord) {
        match self.records.iter_mut().find(|known| known.loss == record.loss) {
            Some(known) => known.count += record.count,
            None => self.records.push(record),
        }
    }

    /// All kinds of losses.
    pub fn iter(&self) -> impl Iterator<Item = &LossRecord> {
        self.records.iter()
    }

    /// How many were lost in all.
    pub fn total(&self) -> u64 {
        self.records.iter().map(|record| record.count).sum()
    }
}
