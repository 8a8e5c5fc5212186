//! The latencies of each second, for files that show them over time.

use router_core::{Outcome, Span, Time};

use crate::actor::{Effect, Step, Watcher};

/// Takes the latencies of one second.
pub trait SecondSink {
    /// The latencies of the requests that were answered in the `second`-th second of the run, in rising order; called
    /// for rising seconds, and not for seconds without answers.
    fn second(&mut self, second: u64, latencies: &[Span]);
}

/// Gathers the latencies of answered requests second by second and hands each second on when it is over.
#[derive(Debug)]
pub struct Seconds<S> {
    sink: S,
    second: u64,
    latencies: Vec<Span>,
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;

impl<S: SecondSink> Seconds<S> {
    /// Hands seconds on to `sink`.
    pub fn new(sink: S) -> Self {
        Self { sink, second: 0, latencies: Vec::new() }
    }

    /// Hands on the last second and gives the sink back.
    pub fn finish(mut self) -> S {
        self.flush();
        self.sink
    }

    fn flush(&mut self) {
        if !self.latencies.is_empty() {
            self.latencies.sort_unstable();
            self.sink.second(self.second, &self.latencies);
            self.latencies.clear();
        }
    }

    fn answered(&mut self, at: Time, latency: Span) {
        let second = at.as_nanos() / NANOS_PER_SECOND;
        if second != self.second {
            self.flush();
            self.second = second;
        }
        self.latencies.push(latency);
    }
}

impl<S: SecondSink> Watcher for Seconds<S> {
    fn watch(&mut self, step: &Step<'_>) {
        for effect in step.effects {
            if let Effect::Ended(ended) = effect
                && let Some(Outcome::Answered(_)) = ended.outcome
            {
                self.answered(step.at, step.at.since(ended.due));
            }
        }
    }
}
