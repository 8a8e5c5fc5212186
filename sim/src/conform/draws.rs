//! Random numbers from a recording, handed out in their order.

use router_core::{Draw, Entropy, Time};

use super::recording::{DrawSeen, Question};

/// Whether the questions must be the recorded ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asking {
    /// Each number is for the question it was recorded with; the first other question ends the replay.
    AsRecorded,
    /// The numbers are handed out in their order, whatever they are for: what the real Router does with the same
    /// numbers under another release.
    Anything,
}

/// The source of random numbers of a replay.
#[derive(Debug)]
pub(super) struct Draws<'r> {
    recorded: &'r [DrawSeen],
    asking: Asking,
    now: Time,
    /// What was asked so far.
    pub(super) asked: Vec<DrawSeen>,
    /// The question that the recording has no number for, if one was asked.
    pub(super) unanswered: Option<Question>,
}

impl<'r> Draws<'r> {
    pub(super) fn new(recorded: &'r [DrawSeen], asking: Asking) -> Self {
        Self { recorded, asking, now: Time::ZERO, asked: Vec::new(), unanswered: None }
    }

    /// The numbers that follow are drawn at `now`.
    pub(super) fn at(&mut self, now: Time) -> &mut Self {
        self.now = now;
        self
    }

    /// How many numbers of the recording were used.
    pub(super) fn used(&self) -> usize {
        self.asked.len()
    }
}

impl Entropy for Draws<'_> {
    fn unit(&mut self, why: Draw<'_>) -> f64 {
        // After a question without an answer the replay is over; the rest of the step no longer matters.
        const NO_MATTER: f64 = 0.0;
        if self.unanswered.is_some() {
            return NO_MATTER;
        }
        let question = Question::from(why);
        match self.recorded.get(self.used()) {
            Some(draw) if self.asking == Asking::Anything || draw.question.agrees(&question) => {
                self.asked.push(DrawSeen { at: self.now, request: None, u: draw.u, question });
                draw.u
            }
            _ => {
                self.unanswered = Some(question);
                NO_MATTER
            }
        }
    }
}

impl Question {
    /// Whether two questions are the same. Weights are the same when their proportions are.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Weighted(left), Self::Weighted(right)) => proportions_agree(left, right),
            _ => self == other,
        }
    }
}

fn proportions_agree(left: &[f64], right: &[f64]) -> bool {
    // Weights are recorded as they are, but one release divides them by the largest and another by the sum.
    const TOLERANCE: f64 = 1e-9;
    let (left_sum, right_sum): (f64, f64) = (left.iter().sum(), right.iter().sum());
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| (a / left_sum - b / right_sum).abs() <= TOLERANCE)
}

impl From<Draw<'_>> for Question {
    fn from(draw: Draw<'_>) -> Self {
        match draw {
            Draw::Pick { among } => Self::Pick(among as u32),
            Draw::Weighted { by } => Self::Weighted(by.to_vec()),
            Draw::Order { among } => Self::Order(among as u32),
            Draw::Jitter => Self::RetryJitter,
            Draw::ClientJitter => Self::ClientJitter,
            Draw::CooldownJitter => Self::Other("the jitter of a cooldown"),
            Draw::Sample(name) => Self::Other(name),
        }
    }
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pick(among) => write!(f, "a pick of {among}"),
            Self::Weighted(weights) => write!(f, "a pick by the weights {weights:?}"),
            Self::Order(left) => write!(f, "a step of a shuffle with {left} left"),
            Self::RetryJitter => f.write_str("the jitter of a wait before a retry"),
            Self::ClientJitter => f.write_str("the jitter of a wait of the HTTP client"),
            Self::Other(name) => write!(f, "{name}"),
        }
    }
}
