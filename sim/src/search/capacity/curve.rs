//! How a system goes with the load: below its capacity, at it, and beyond.

use super::case::Case;
use super::requests;
use super::search::Bracket;
use super::trial::Bench;
use crate::digest::Digest;
use crate::metrics::{Metrics, Phase};

/// The system at several loads.
#[derive(Clone, Debug)]
pub struct Curve {
    /// By rising load.
    pub points: Vec<CurvePoint>,
    /// The index of the knee: the last load up to which more load brings as much more goodput.
    pub knee: Option<usize>,
    /// What becomes of the goodput beyond the capacity.
    pub overload: Overload,
}

/// One load.
#[derive(Clone, Debug)]
pub struct CurvePoint {
    /// Requests per second that come.
    pub load: f64,
    /// Requests per second that are answered.
    pub goodput: f64,
    /// Share of requests that were answered.
    pub availability: f64,
    /// Seconds to an answer: p50 and p99; `None` when there was none.
    pub latency: [Option<f64>; 2],
    /// Calls per second that upstreams answered with 429.
    pub rate_limited: f64,
    /// Calls to upstreams per request.
    pub attempts: f64,
    /// Dollars per second.
    pub dollars_per_second: f64,
    /// By slice of the calendar minute, of [`SLICE_SECS`] each: the share of its requests that were answered, in the
    /// first run; `None` where none came.
    pub minute: Vec<Option<f64>>,
    /// The digests of the runs.
    pub digests: Vec<Digest>,
    /// How many requests the runs had.
    pub requests: u64,
    /// Runs that did not come to their end.
    pub cut_short: Vec<String>,
}

/// What becomes of the goodput at the highest load, measured by the best at any load.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overload {
    /// At least nine tenths of the best goodput are left.
    Holds,
    /// At least half is left.
    Sags,
    /// Less than half is left: retries and refused calls eat up what there is.
    Collapses,
}

/// Into how long slices a minute is cut.
pub const SLICE_SECS: u64 = 10;

/// Loads of a curve, in parts of the capacity.
const LOADS: [f64; 10] = [0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0];
/// Under how many seeds each runs, at most.
const SEEDS: usize = 3;
/// The knee is where more load brings less than this share of it as more goodput.
const KNEE_SLOPE: f64 = 0.9;

impl Curve {
    /// The curve of a case around its capacity.
    pub fn of(bench: &Bench, case: &Case, bracket: &Bracket) -> Self {
        let capacity = bracket.holds.or(bracket.breaks).unwrap_or(bench.today);
        let seeds = &bench.seeds[..bench.seeds.len().min(SEEDS)];
        // Where nothing broke there is no beyond to look at, only runs without an end.
        let highest = if bracket.breaks.is_some() { f64::INFINITY } else { 1.0 };
        let points: Vec<CurvePoint> = LOADS
            .iter()
            .filter(|part| **part <= highest)
            .map(|part| CurvePoint::of(bench, case, capacity * part, seeds))
            .collect();
        let knee = knee(&points.iter().map(|point| (point.load, point.goodput)).collect::<Vec<_>>());
        let best = points.iter().map(|point| point.goodput).fold(0.0, f64::max);
        let left = points.last().map_or(0.0, |point| point.goodput);
        let overload = if left >= 0.9 * best {
            Overload::Holds
        } else if left >= 0.5 * best {
            Overload::Sags
        } else {
            Overload::Collapses
        };
        Self { points, knee, overload }
    }
}

impl CurvePoint {
    fn of(bench: &Bench, case: &Case, load: f64, seeds: &[u64]) -> Self {
        const TOO_MANY_REQUESTS: u16 = 429;
        let trial = bench.trial(case, load, seeds, false);
        let metrics = &trial.metrics;
        let all = metrics.over(&Phase::ALL);
        let seconds = bench.scenario.duration.as_secs_f64() * metrics.runs() as f64;
        let total = all.ends.total().max(1) as f64;
        let refused = |counts: &crate::metrics::DeploymentCounts| {
            counts.errors.sum(|exception| exception.status == Some(TOO_MANY_REQUESTS))
        };
        Self {
            load,
            goodput: all.ends.answered as f64 / seconds,
            availability: all.ends.answered as f64 / total,
            latency: [0.5, 0.99].map(|share| all.latency.quantile(share).map(|span| span.as_secs_f64())),
            rate_limited: metrics.deployments().iter().map(refused).sum::<u64>() as f64 / seconds,
            attempts: all.attempts as f64 / total,
            dollars_per_second: bench.dollars_per_second(metrics),
            minute: minute(metrics, bench.scenario.plan.start_unix_nanos()),
            requests: requests(metrics),
            digests: trial.digests,
            cut_short: trial.cut_short,
        }
    }
}

/// By slice of the calendar minute: the share of its requests that were answered.
fn minute(metrics: &Metrics, start_unix_nanos: u64) -> Vec<Option<f64>> {
    const MINUTE: u64 = 60;
    let first = start_unix_nanos / 1_000_000_000 % MINUTE;
    let mut slices = vec![(0, 0); (MINUTE / SLICE_SECS) as usize];
    let timeline = metrics.timeline();
    if timeline.width() > 1 {
        return vec![None; slices.len()];
    }
    for (second, counts) in (first..).zip(timeline.seconds()) {
        let (sent, answered) = &mut slices[(second % MINUTE / SLICE_SECS) as usize];
        *sent += counts.sent;
        *answered += counts.sent_answered;
    }
    slices.into_iter().map(|(sent, answered)| (sent > 0).then(|| answered as f64 / sent as f64)).collect()
}

/// The last of the loads up to which goodput keeps pace; `None` when it never does.
fn knee(points: &[(f64, f64)]) -> Option<usize> {
    let mut knee = None;
    let (mut load, mut goodput) = (0.0, 0.0);
    for (index, point) in points.iter().enumerate() {
        if point.1 - goodput < KNEE_SLOPE * (point.0 - load) {
            break;
        }
        (load, goodput) = *point;
        knee = Some(index);
    }
    knee
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_knee_is_where_goodput_stops_keeping_pace() {
        assert_eq!(knee(&[(1.0, 1.0), (2.0, 1.98), (3.0, 2.9), (4.0, 3.1), (5.0, 3.0)]), Some(2));
        assert_eq!(knee(&[(1.0, 0.1), (2.0, 0.1)]), None);
        assert_eq!(knee(&[(1.0, 1.0), (2.0, 2.0)]), Some(1));
    }
}
