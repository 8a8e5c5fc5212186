//! What happened in each second.

use router_core::Time;

/// One second of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Second {
    /// Requests that clients sent.
    pub sent: u64,
    /// Of the requests sent in this second: those that were answered, then or later.
    pub sent_answered: u64,
    /// Requests that users first wanted in this second, clients' further tries not counted.
    pub due: u64,
    /// Those of them that were answered, then or later.
    pub due_answered: u64,
    /// Requests that ended with an answer in this second: the goodput.
    pub answered: u64,
    /// Requests that ended with an error in this second.
    pub failed: u64,
    /// Requests whose callers gave up in this second.
    pub gave_up: u64,
    /// Calls to upstreams.
    pub attempts: u64,
    /// Attempts that failed.
    pub attempts_failed: u64,
    /// Steps to a fallback.
    pub fallbacks: u64,
    /// Cooldowns that began.
    pub cooldowns: u64,
}

impl Second {
    fn absorb(&mut self, other: &Self) {
        self.sent += other.sent;
        self.sent_answered += other.sent_answered;
        self.due += other.due;
        self.due_answered += other.due_answered;
        self.answered += other.answered;
        self.failed += other.failed;
        self.gave_up += other.gave_up;
        self.attempts += other.attempts;
        self.attempts_failed += other.attempts_failed;
        self.fallbacks += other.fallbacks;
        self.cooldowns += other.cooldowns;
    }
}

/// Seconds of a run, and the calls to each deployment in each of them.
///
/// A run of more than a day is told in longer steps, so that memory stays bounded: see [`Timeline::width`].
#[derive(Clone, Debug)]
pub struct Timeline {
    width: u64,
    seconds: Vec<Second>,
    deployments: usize,
    /// Calls, second by second, deployment by deployment.
    calls: Vec<u32>,
    /// The step that was asked for last, and its nanoseconds: the next one asked for is mostly the same.
    newest: (usize, std::ops::Range<u64>),
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const STEPS_MAX: usize = 86_400;

impl Timeline {
    pub(super) fn new(deployments: usize) -> Self {
        Self { width: 1, seconds: Vec::new(), deployments, calls: Vec::new(), newest: (0, 0..0) }
    }

    /// The second of a moment.
    pub(super) fn at(&mut self, at: Time) -> &mut Second {
        let index = self.reach(at);
        &mut self.seconds[index]
    }

    /// A call to a deployment.
    pub(super) fn call(&mut self, at: Time, deployment: usize) {
        let index = self.reach(at);
        self.seconds[index].attempts += 1;
        if let Some(calls) = self.calls.get_mut(index * self.deployments + deployment) {
            *calls = calls.saturating_add(1);
        }
    }

    /// How many seconds one step of the timeline stands for: 1, unless the run is longer than a day.
    pub fn width(&self) -> u64 {
        self.width
    }

    /// All seconds up to the last in which something happened.
    pub fn seconds(&self) -> &[Second] {
        &self.seconds
    }

    /// Calls to each deployment, in order, in the given second.
    pub fn calls(&self, second: usize) -> &[u32] {
        &self.calls[second * self.deployments..][..self.deployments]
    }

    fn reach(&mut self, at: Time) -> usize {
        let (newest, its) = &self.newest;
        if its.contains(&at.as_nanos()) {
            return *newest;
        }
        let second = at.as_nanos() / NANOS_PER_SECOND;
        while second / self.width >= STEPS_MAX as u64 {
            self.halve();
        }
        let index = (second / self.width) as usize;
        if self.seconds.len() <= index {
            self.seconds.resize(index + 1, Second::default());
            self.calls.resize((index + 1) * self.deployments, 0);
        }
        let step = self.width * NANOS_PER_SECOND;
        let begins = index as u64 * step;
        self.newest = (index, begins..begins.saturating_add(step));
        index
    }

    /// Joins the steps two by two.
    fn halve(&mut self) {
        self.width *= 2;
        self.seconds = self
            .seconds
            .chunks(2)
            .map(|pair| {
                let mut joined = pair[0];
                if let Some(second) = pair.get(1) {
                    joined.absorb(second);
                }
                joined
            })
            .collect();
        let mut calls = vec![0_u32; self.seconds.len() * self.deployments];
        for (index, count) in self.calls.iter().enumerate() {
            let (second, deployment) = (index / self.deployments, index % self.deployments);
            let sum = &mut calls[second / 2 * self.deployments + deployment];
            *sum = sum.saturating_add(*count);
        }
        self.calls = calls;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use router_core::Span;

    #[test]
    fn a_month_is_told_in_longer_steps_without_losing_anything() {
        let mut timeline = Timeline::new(2);
        for hour in 0..24 * 30 {
            timeline.call(Time::ZERO + Span::from_secs(hour * 3600), (hour % 2) as usize);
        }
        assert!(timeline.seconds().len() <= STEPS_MAX);
        assert_eq!(timeline.width(), 32);
        assert_eq!(timeline.seconds().iter().map(|second| second.attempts).sum::<u64>(), 720);
        let to_the_second: u32 = (0..timeline.seconds().len()).map(|second| timeline.calls(second)[1]).sum();
        assert_eq!(to_the_second, 360);
    }
}
