//! The traffic of a scenario, more of it or less.

use std::sync::Arc;

use router_core::{Span, Time};

use crate::scenario::{Arrivals, Recording, Scenario, TraceRow, Traffic};

/// How recorded traffic becomes more or less.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stretch {
    /// The same requests, closer together or further apart: bursts become shorter and steeper.
    Time,
    /// More or fewer requests at the same moments: bursts stay as long as they are.
    #[default]
    Rate,
}

/// How many requests per second arrive over the duration of a scenario, on average; `None` where that depends on the
/// answers, because users wait for them.
pub fn rate(scenario: &Scenario) -> Option<f64> {
    let seconds = scenario.duration.as_secs_f64();
    scenario.traffic.iter().map(|traffic| rate_of(&traffic.arrivals, seconds)).sum()
}

fn rate_of(arrivals: &Arrivals, seconds: f64) -> Option<f64> {
    Some(match arrivals {
        Arrivals::Constant { rate } | Arrivals::Poisson { rate } => *rate,
        Arrivals::Bursts { size, every } => f64::from(*size) / every.as_secs_f64(),
        Arrivals::Ramp { from, to } => (from + to) / 2.0,
        Arrivals::Closed { .. } => return None,
        Arrivals::Trace(recording) => {
            let end = Time::ZERO + Span::from_secs_f64(seconds);
            recording.rows.iter().take_while(|row| row.at < end).count() as f64 / seconds
        }
    })
}

/// The same scenario with `factor` times as many requests of every stream; `factor` is above zero.
pub fn scaled(scenario: &Scenario, factor: f64, stretch: Stretch) -> Scenario {
    let mut scenario = scenario.clone();
    let duration = scenario.duration;
    for Traffic { arrivals, .. } in &mut scenario.traffic {
        match arrivals {
            Arrivals::Constant { rate } | Arrivals::Poisson { rate } => *rate *= factor,
            Arrivals::Bursts { every, .. } => *every = Span::from_nanos((every.as_nanos() as f64 / factor) as u64 + 1),
            Arrivals::Ramp { from, to } => {
                *from *= factor;
                *to *= factor;
            }
            Arrivals::Closed { .. } => {}
            Arrivals::Trace(recording) => {
                let rows: Vec<TraceRow> = match stretch {
                    Stretch::Time => closer(recording, factor, duration),
                    Stretch::Rate => denser(recording, factor, duration),
                };
                recording.rows = Arc::from(rows);
            }
        }
    }
    scenario
}

/// The rows of a recording over and over: each round begins a usual gap after the last request of the one before.
fn rounds(recording: &Recording) -> impl Iterator<Item = (f64, TraceRow)> + '_ {
    let rows = &recording.rows;
    let last = rows.last().map_or(0.0, |row| row.at.as_nanos() as f64);
    let round = last + (last / rows.len().max(1) as f64).max(1.0);
    let rounds = if rows.is_empty() { 0 } else { u64::MAX };
    (0..rounds).flat_map(move |n| rows.iter().map(move |row| (n as f64 * round + row.at.as_nanos() as f64, *row)))
}

fn closer(recording: &Recording, factor: f64, duration: Span) -> Vec<TraceRow> {
    let end = duration.as_nanos() as f64;
    rounds(recording)
        .map(|(at, row)| (at / factor, row))
        .take_while(|(at, _)| *at < end)
        .map(|(at, row)| TraceRow { at: Time::from_nanos(at as u64), ..row })
        .collect()
}

fn denser(recording: &Recording, factor: f64, duration: Span) -> Vec<TraceRow> {
    /// Multiples of the golden ratio fill the unit evenly, so a share of the rows is taken evenly along the trace, and a
    /// higher load has all the rows of a lower one.
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let end = duration.as_nanos() as f64;
    let (whole, part) = (factor as u64, factor - (factor as u64) as f64);
    let mut rows = Vec::new();
    let mut all = rounds(recording).take_while(|(at, _)| *at < end).enumerate().peekable();
    while let Some((n, (at, row))) = all.next() {
        let until = all.peek().map_or(end, |(_, (next, _))| *next);
        let turn = n as f64 * GOLDEN;
        let copies = whole + u64::from((turn - (turn as u64) as f64) < part);
        for copy in 0..copies {
            // Copies are spread up to the next row: all of them at once would be a burst that nobody recorded.
            let at = at + (until - at) * copy as f64 / copies as f64;
            rows.push(TraceRow { at: Time::from_nanos(at as u64), ..row });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(millis: &[u64]) -> Recording {
        let row = |millis: &u64| TraceRow {
            at: Time::ZERO + Span::from_millis(*millis),
            prompt_tokens: *millis as u32,
            output_tokens: 1,
        };
        Recording { rows: millis.iter().map(row).collect(), file: "t.csv".into(), every: 1, skip: 0 }
    }

    fn millis(rows: &[TraceRow]) -> Vec<u64> {
        rows.iter().map(|row| row.at.as_nanos() / 1_000_000).collect()
    }

    #[test]
    fn a_trace_in_half_the_time_begins_again_when_it_is_over() {
        let rows = closer(&recording(&[0, 100, 200]), 2.0, Span::from_millis(200));
        assert_eq!(millis(&rows), [0, 50, 100, 133, 183]);
    }

    #[test]
    fn a_denser_trace_keeps_its_shape() {
        let trace = recording(&[0, 100, 600, 700, 800, 900]);
        assert_eq!(millis(&denser(&trace, 1.0, Span::from_secs(1))), [0, 100, 600, 700, 800, 900]);
        assert_eq!(millis(&denser(&trace, 2.0, Span::from_millis(700))), [0, 50, 100, 350, 600, 650]);
        let (few, more) = (denser(&trace, 0.4, Span::from_secs(1)), denser(&trace, 0.7, Span::from_secs(1)));
        assert!(few.len() < more.len() && more.len() < 6);
        assert!(few.iter().all(|row| more.contains(row)), "a higher load has the requests of a lower one");
    }
}
