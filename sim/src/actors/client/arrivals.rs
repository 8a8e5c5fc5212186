//! When requests arrive.
//!
//! The next arrival follows from when the last one was due, never from when it was noticed: a client that is slow to ask
//! does not ask less.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use router_core::{Draw, Entropy, Span, Time};

use crate::dice::{QuantileTable, exponential};
use crate::scenario::{self, TraceRow};

/// Moments at which requests are due, in rising order, all before a given end.
#[derive(Clone, Debug)]
pub struct Arrivals {
    pattern: Pattern,
    /// When the next one is due; [`Time::MAX`]: none is.
    next: Time,
    /// None is due at or after this.
    end: Time,
    begun: bool,
}

#[derive(Clone, Debug)]
enum Pattern {
    Constant {
        rate: f64,
        /// Which one is next, from 0. A due time is computed from it alone, so that no rounding adds up.
        index: u64,
    },
    Poisson {
        rate: f64,
    },
    Bursts {
        size: u32,
        every: Span,
        /// How many of this burst are still to come.
        left: u32,
    },
    Ramp {
        from: f64,
        /// By how much the rate rises each second; negative when it falls.
        slope: f64,
        /// The integral of the rate up to the last arrival.
        area: f64,
    },
    Closed {
        think: QuantileTable,
        users: u32,
        /// When users who think will ask.
        thinking: BinaryHeap<Reverse<Time>>,
    },
    Trace {
        rows: Arc<[TraceRow]>,
        index: usize,
    },
}

/// A request that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// When.
    pub at: Time,
    /// Its tokens, prompt and answer, where they were recorded.
    pub tokens: Option<(u32, u32)>,
}

impl Arrivals {
    /// Arrivals of that pattern over `duration` from time zero.
    pub fn new(pattern: &scenario::Arrivals, duration: Span) -> Self {
        let pattern = match pattern {
            scenario::Arrivals::Constant { rate } => Pattern::Constant { rate: *rate, index: 0 },
            scenario::Arrivals::Poisson { rate } => Pattern::Poisson { rate: *rate },
            scenario::Arrivals::Bursts { size, every } => Pattern::Bursts { size: *size, every: *every, left: *size },
            scenario::Arrivals::Ramp { from, to } => {
                Pattern::Ramp { from: *from, slope: (to - from) / duration.as_secs_f64(), area: 0.0 }
            }
            scenario::Arrivals::Closed { users, think } => Pattern::Closed {
                think: QuantileTable::new(think, 1e9),
                users: *users,
                thinking: BinaryHeap::with_capacity(*users as usize),
            },
            scenario::Arrivals::Trace(recording) => Pattern::Trace { rows: recording.rows.clone(), index: 0 },
        };
        Self { pattern, next: Time::ZERO, end: Time::ZERO + duration, begun: false }
    }

    /// When the next request is due, if one is. Before [`begin`](Self::begin) that is time zero.
    pub fn next(&self) -> Option<Time> {
        (self.next < self.end).then_some(self.next)
    }

    /// Settles when the first request is due. Does nothing when it was called before.
    pub fn begin(&mut self, entropy: &mut dyn Entropy) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        if let Pattern::Closed { think, users, thinking } = &mut self.pattern {
            // Everybody thinks first, or they would all ask at once.
            thinking.extend((0..*users).map(|_| Reverse(Time::ZERO + thought(think, entropy))));
        }
        self.next = match &self.pattern {
            Pattern::Constant { rate, .. } if *rate <= 0.0 => Time::MAX,
            Pattern::Bursts { size: 0, .. } => Time::MAX,
            Pattern::Constant { .. } | Pattern::Bursts { .. } => Time::ZERO,
            Pattern::Poisson { .. } | Pattern::Ramp { .. } => self.after(Time::ZERO, entropy),
            Pattern::Closed { thinking, .. } => thinking.peek().map_or(Time::MAX, |Reverse(at)| *at),
            Pattern::Trace { rows, .. } => rows.first().map_or(Time::MAX, |row| row.at),
        };
    }

    /// The next request, if it is due by `now`.
    pub fn take(&mut self, now: Time, entropy: &mut dyn Entropy) -> Option<Due> {
        let at = self.next().filter(|at| *at <= now)?;
        let tokens = match &self.pattern {
            Pattern::Trace { rows, index } => Some((rows[*index].prompt_tokens, rows[*index].output_tokens)),
            _ => None,
        };
        self.next = self.after(at, entropy);
        Some(Due { at, tokens })
    }

    /// A user of a closed loop got what there was at `now`, and asks again after a while. Changes nothing elsewhere.
    pub fn think(&mut self, now: Time, entropy: &mut dyn Entropy) {
        if let Pattern::Closed { think, thinking, .. } = &mut self.pattern {
            let at = now + thought(think, entropy);
            thinking.push(Reverse(at));
            self.next = self.next.min(at);
        }
    }

    /// When the request after the one due at `last` is due.
    fn after(&mut self, last: Time, entropy: &mut dyn Entropy) -> Time {
        match &mut self.pattern {
            Pattern::Constant { rate, index } => {
                *index += 1;
                Time::ZERO + Span::from_secs_f64(*index as f64 / *rate)
            }
            Pattern::Poisson { rate } => last + exponential(entropy.unit(Draw::Sample("gap")), *rate),
            Pattern::Bursts { size, every, left } => {
                *left -= 1;
                if *left > 0 {
                    return last;
                }
                *left = *size;
                // Bursts at no distance would never end.
                if every.is_zero() { Time::MAX } else { last + *every }
            }
            Pattern::Ramp { from, slope, area } => {
                // The integral of the rate up to the next arrival is that up to the last one and an exponential step;
                // solving it for the time is exact at any rate, where thinning would throw draws away.
                *area -= libm::log1p(-entropy.unit(Draw::Sample("gap")));
                let root = *from * *from + 2.0 * *slope * *area;
                // A falling rate has only so much area left: beyond it nothing arrives any more.
                let secs = if root < 0.0 { f64::INFINITY } else { 2.0 * *area / (*from + root.sqrt()) };
                (Time::ZERO + Span::from_secs_f64(secs)).max(last)
            }
            Pattern::Closed { thinking, .. } => {
                thinking.pop();
                thinking.peek().map_or(Time::MAX, |Reverse(at)| *at)
            }
            Pattern::Trace { rows, index } => {
                *index += 1;
                rows.get(*index).map_or(Time::MAX, |row| row.at)
            }
        }
    }
}

fn thought(think: &QuantileTable, entropy: &mut dyn Entropy) -> Span {
    Span::from_nanos(think.sample(entropy.unit(Draw::Sample("think"))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dice::Dice;
    use crate::scenario::Quantiles;

    fn at(seconds: f64) -> Time {
        Time::ZERO + Span::from_secs_f64(seconds)
    }

    fn all(pattern: scenario::Arrivals, seconds: u64) -> Vec<Time> {
        let mut dice = Dice::named(1, "arrivals");
        let mut arrivals = Arrivals::new(&pattern, Span::from_secs(seconds));
        arrivals.begin(&mut dice);
        std::iter::from_fn(|| arrivals.take(Time::MAX, &mut dice)).map(|due| due.at).collect()
    }

    #[test]
    fn constant_arrivals_do_not_drift() {
        let due = all(scenario::Arrivals::Constant { rate: 3.0 }, 1000);
        assert_eq!(due.len(), 3000);
        assert_eq!(due[1], Time::from_nanos(333_333_333));
        assert_eq!(due[2999], Time::from_nanos(999_666_666_667));
    }

    #[test]
    fn poisson_arrivals_have_their_rate_and_its_spread() {
        let due = all(scenario::Arrivals::Poisson { rate: 20.0 }, 1000);
        assert!((19_500..20_500).contains(&due.len()), "{}", due.len());
        // Independent arrivals: the variance of the count in a second is its mean.
        let mut counts = [0.0; 1000];
        due.iter().for_each(|at| counts[at.as_secs_f64() as usize] += 1.0);
        let mean = counts.iter().sum::<f64>() / 1000.0;
        let variance = counts.iter().map(|count| (count - mean) * (count - mean)).sum::<f64>() / 1000.0;
        assert!((0.85..1.15).contains(&(variance / mean)), "{variance} / {mean}");
    }

    #[test]
    fn a_burst_comes_at_one_moment() {
        let due = all(scenario::Arrivals::Bursts { size: 3, every: Span::from_secs(10) }, 20);
        assert_eq!(due, [0.0, 0.0, 0.0, 10.0, 10.0, 10.0].map(at));
        assert_eq!(all(scenario::Arrivals::Bursts { size: 0, every: Span::from_secs(1) }, 20), []);
        assert_eq!(all(scenario::Arrivals::Bursts { size: 2, every: Span::ZERO }, 20).len(), 2);
    }

    #[test]
    fn a_ramp_rises_as_its_rate_does() {
        let due = all(scenario::Arrivals::Ramp { from: 0.0, to: 40.0 }, 1000);
        assert!((19_500..20_500).contains(&due.len()), "{}", due.len());
        // A quarter of the area lies before the middle.
        let early = due.iter().filter(|due| **due < at(500.0)).count() as f64 / due.len() as f64;
        assert!((0.24..0.26).contains(&early), "{early}");
    }

    #[test]
    fn a_ramp_may_fall_to_nothing_or_stay_level() {
        let due = all(scenario::Arrivals::Ramp { from: 40.0, to: 0.0 }, 1000);
        assert!((19_500..20_500).contains(&due.len()), "{}", due.len());
        let level = all(scenario::Arrivals::Ramp { from: 20.0, to: 20.0 }, 1000);
        assert!((19_500..20_500).contains(&level.len()), "{}", level.len());
        assert_eq!(all(scenario::Arrivals::Ramp { from: 0.0, to: 0.0 }, 1000), []);
    }

    #[test]
    fn a_trace_arrives_as_recorded_up_to_the_end() {
        let row = |seconds, tokens| TraceRow { at: at(seconds), prompt_tokens: tokens, output_tokens: 1 };
        let rows: Arc<[TraceRow]> = Arc::new([row(1.0, 10), row(1.0, 20), row(9.0, 30)]);
        let recording = scenario::Recording { rows, file: "trace.csv".into(), every: 1, skip: 0 };
        let mut arrivals = Arrivals::new(&scenario::Arrivals::Trace(recording), Span::from_secs(5));
        let mut dice = Dice::named(1, "arrivals");
        arrivals.begin(&mut dice);
        let tokens = std::iter::from_fn(|| arrivals.take(Time::MAX, &mut dice)).map(|due| due.tokens);
        assert_eq!(tokens.collect::<Vec<_>>(), [Some((10, 1)), Some((20, 1))]);
    }

    #[test]
    fn users_of_a_closed_loop_ask_again_only_after_an_answer() {
        let think = Quantiles(vec![(0.5, 2.0)]);
        let pattern = scenario::Arrivals::Closed { users: 2, think };
        let mut arrivals = Arrivals::new(&pattern, Span::from_secs(60));
        let mut dice = Dice::named(1, "arrivals");
        arrivals.begin(&mut dice);
        assert_eq!(arrivals.take(at(1.9), &mut dice), None);
        assert!(arrivals.take(at(2.0), &mut dice).is_some());
        assert!(arrivals.take(at(2.0), &mut dice).is_some());
        assert_eq!(arrivals.next(), None);
        arrivals.think(at(7.0), &mut dice);
        assert_eq!(arrivals.next(), Some(at(9.0)));
    }

    proptest! {
        #[test]
        fn arrivals_never_go_back_and_never_pass_the_end(seed: u64, from in 0.0..50.0f64, to in 0.0..50.0f64) {
            let mut dice = Dice::named(seed, "arrivals");
            let end = Span::from_secs(20);
            for pattern in [
                scenario::Arrivals::Constant { rate: from },
                scenario::Arrivals::Poisson { rate: from },
                scenario::Arrivals::Ramp { from, to },
            ] {
                let mut arrivals = Arrivals::new(&pattern, end);
                arrivals.begin(&mut dice);
                let mut last = Time::ZERO;
                while let Some(due) = arrivals.take(Time::MAX, &mut dice) {
                    prop_assert!(due.at >= last && due.at < Time::ZERO + end);
                    last = due.at;
                }
            }
        }
    }
}
