//! The seconds of a run summed up: how many requests of a stretch were answered, and what they cost.

use router_core::{Span, Time};

use crate::metrics::Timeline;

/// Requests that a window of amplification has at least, be they there or not.
const AMPLIFIED_MIN: u64 = 10;

/// What happened in some stretch of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stretch {
    /// Requests that users first wanted in it.
    pub due: u64,
    /// Those of them that were answered, then or later.
    pub answered: u64,
    /// Calls to upstreams in it, for whichever request.
    pub attempts: u64,
}

impl Stretch {
    /// Share of its requests that were answered.
    pub fn goodput(&self) -> Option<f64> {
        (self.due > 0).then(|| self.answered as f64 / self.due as f64)
    }

    /// Attempts for each of its requests.
    pub fn attempts_per_request(&self) -> Option<f64> {
        (self.due > 0).then(|| self.attempts as f64 / self.due as f64)
    }

    fn added(self, due: u64, answered: u64, attempts: u64) -> Self {
        Self { due: self.due + due, answered: self.answered + answered, attempts: self.attempts + attempts }
    }
}

/// The steps of a timeline, summed up from its start, so that any stretch is one subtraction.
#[derive(Clone, Debug)]
pub struct Steps {
    width: Span,
    /// Up to, but without, each step; one more than there are steps.
    sums: Vec<Stretch>,
    /// The steps in which requests arrive.
    arriving: usize,
}

impl Steps {
    /// The steps of a run to which requests come until `arrivals_end`.
    pub fn new(timeline: &Timeline, arrivals_end: Time) -> Self {
        let width = Span::from_secs(timeline.width());
        let seconds = timeline.seconds();
        let arriving = arrivals_end.as_nanos().div_ceil(width.as_nanos()) as usize;
        let count = seconds.len().max(arriving);
        let mut sums = Vec::with_capacity(count + 1);
        let mut sum = Stretch::default();
        sums.push(sum);
        for step in 0..count {
            if let Some(second) = seconds.get(step) {
                sum = sum.added(second.due, second.due_answered, second.attempts);
            }
            sums.push(sum);
        }
        Self { width, sums, arriving }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.sums.len() - 1
    }

    /// How many whole steps a span takes, rounded up; one at least.
    pub fn steps_of(&self, span: Span) -> usize {
        span.as_nanos().div_ceil(self.width.as_nanos()).max(1) as usize
    }

    /// The first step that begins at `at` or later.
    pub fn first_from(&self, at: Time) -> usize {
        (at.as_nanos().div_ceil(self.width.as_nanos()) as usize).min(self.count())
    }

    /// The first step that ends after `at`.
    pub fn first_ending_after(&self, at: Time) -> usize {
        ((at.as_nanos() / self.width.as_nanos()) as usize).min(self.count())
    }

    /// When a step begins.
    pub fn start(&self, step: usize) -> Time {
        Time::ZERO + Span::from_nanos(self.width.as_nanos().saturating_mul(step as u64))
    }

    /// The steps from one up to, but without, another.
    pub fn between(&self, from: usize, to: usize) -> Stretch {
        let (a, b) = (self.sums[from.min(to)], self.sums[to]);
        Stretch { due: b.due - a.due, answered: b.answered - a.answered, attempts: b.attempts - a.attempts }
    }

    /// The most attempts per request in any window of that length in which requests arrive, and when the first such window
    /// began. A window with fewer than 10 requests counts as one with 10.
    pub fn worst_amplification(&self, window: Span) -> (f64, Time) {
        let length = self.steps_of(window).min(self.arriving);
        let of = |from: usize| {
            let stretch = self.between(from, from + length);
            stretch.attempts as f64 / stretch.due.max(AMPLIFIED_MIN) as f64
        };
        let windows = (0..=self.arriving - length).map(|from| (of(from), self.start(from)));
        windows.reduce(|worst, one| if one.0 > worst.0 { one } else { worst }).unwrap_or((0.0, Time::ZERO))
    }
}
