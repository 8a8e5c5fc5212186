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
    /// What the calendar minute has to do with who is answered, if anything.
    pub minute: Option<MinuteEffect>,
    /// The digests of the runs.
    pub digests: Vec<Digest>,
    /// How many requests the runs had.
    pub requests: u64,
    /// Runs that did not come to their end.
    pub cut_short: Vec<String>,
}

/// In every minute of a run, some seconds are better to ask in than others.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MinuteEffect {
    /// The seconds of the minute in which the smallest share of requests is answered: the first of [`SLICE_SECS`], and
    /// that share.
    pub worst: (u64, f64),
    /// Those with the largest.
    pub best: (u64, f64),
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
    /// No load that was tried broke the objective, so that none beyond the capacity ran.
    Unseen,
}

/// Into how long slices a minute is cut.
pub const SLICE_SECS: u64 = 10;
const MINUTE: u64 = 60;
const SLICES: usize = (MINUTE / SLICE_SECS) as usize;

/// Loads of a curve, in parts of the capacity.
const LOADS: [f64; 10] = [0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0];
/// Under how many seeds each runs, at most.
const SEEDS: usize = 3;
/// The knee is where more load brings less than this share of it as more goodput.
const KNEE_SLOPE: f64 = 0.9;

impl Curve {
    /// The curve of a case around its capacity.
    pub fn of(bench: &Bench, case: &Case, bracket: &Bracket) -> Self {
        // Where nothing holds, what becomes of today's load is the question.
        let capacity = bracket.holds.unwrap_or(bench.today);
        let seeds = &bench.seeds[..bench.seeds.len().min(SEEDS)];
        // Where nothing broke there is no beyond to look at, only runs without an end.
        let highest = if bracket.breaks.is_some() { f64::INFINITY } else { 1.0 };
        let points: Vec<CurvePoint> = LOADS
            .iter()
            .filter(|part| **part <= highest)
            .map(|part| CurvePoint::of(bench, case, capacity * part, seeds))
            .collect();
        let knee = knee(&points.iter().map(|point| (point.load, point.goodput)).collect::<Vec<_>>());
        // Where goodput keeps pace to the end of the curve, it bends somewhere beyond.
        let knee = knee.filter(|index| index + 1 < points.len());
        let best = points.iter().map(|point| point.goodput).fold(0.0, f64::max);
        let left = points.last().map_or(0.0, |point| point.goodput);
        let overload = if bracket.breaks.is_none() {
            Overload::Unseen
        } else if left >= 0.9 * best {
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

/// What the calendar minute has to do with who is answered, in the first run.
fn minute(metrics: &Metrics, start_unix_nanos: u64) -> Option<MinuteEffect> {
    let timeline = metrics.timeline();
    let seconds: Vec<(u64, u64)> =
        timeline.seconds().iter().map(|counts| (counts.sent, counts.sent_answered)).collect();
    let first = start_unix_nanos / 1_000_000_000 % MINUTE;
    if timeline.width() > 1 { None } else { minute_effect(&seconds, first) }
}

/// The effect of the calendar minute on `(sent, answered)` by second, the first of which is second `first` of a minute.
///
/// A run begins with full buckets and idle upstreams, and what is lost when those are used up has nothing to do with the
/// minute. So the first minute does not count; and it is an effect only where every minute agrees: the worst seconds of
/// none of them are as good as the best seconds of any other.
fn minute_effect(seconds: &[(u64, u64)], first: u64) -> Option<MinuteEffect> {
    /// Less is no reason to send requests at other times.
    const MATTERS: f64 = 0.02;
    /// By so many standard errors the best and the worst seconds have to differ. They are the best and the worst of
    /// several, and requests that share their minute share its luck.
    const ERRORS: f64 = 4.0;
    const MINUTES_MIN: usize = 2;
    let slice_of = |second: u64| (second % MINUTE / SLICE_SECS) as usize;
    let mut minutes: Vec<[(u64, u64); SLICES]> = Vec::new();
    for (second, (sent, answered)) in (first..).zip(seconds).skip(MINUTE as usize) {
        let minute = (second / MINUTE) as usize;
        minutes.resize(minutes.len().max(minute + 1), [(0, 0); SLICES]);
        let slice = &mut minutes[minute][slice_of(second)];
        *slice = (slice.0 + sent, slice.1 + answered);
    }
    let share = |(sent, answered): (u64, u64)| (sent > 0).then(|| answered as f64 / sent as f64);
    let sum = |slice: usize| {
        minutes.iter().map(|minute| minute[slice]).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    };
    let sums = || (0..SLICES).filter_map(|slice| Some((slice, share(sum(slice))?)));
    let (best, best_share) = sums().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let (worst, worst_share) = sums().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let each = |slice: usize| minutes.iter().filter_map(move |minute| share(minute[slice]));
    let agree = each(best).count() >= MINUTES_MIN
        && each(worst).count() >= MINUTES_MIN
        && each(worst).fold(0.0, f64::max) < each(best).fold(1.0, f64::min);
    // With two answered and two lost requests more (Agresti and Coull): none out of a few is not none for certain.
    let variance = |slice: usize| {
        let (sent, answered) = (sum(slice).0 as f64 + 4.0, sum(slice).1 as f64 + 2.0);
        answered / sent * (1.0 - answered / sent) / sent
    };
    let error = libm::sqrt(variance(best) + variance(worst));
    let difference = best_share - worst_share;
    let start = |slice: usize| slice as u64 * SLICE_SECS;
    (agree && difference > MATTERS && difference > ERRORS * error)
        .then(|| MinuteEffect { worst: (start(worst), worst_share), best: (start(best), best_share) })
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
    fn a_quota_that_is_full_again_each_minute_shows_in_every_minute() {
        // 120 a minute are answered, those who come first, and 180 come; the run begins at second 30 of a minute.
        let seconds: Vec<(u64, u64)> = (30..390).map(|second| (3, if second % 60 < 40 { 3 } else { 0 })).collect();
        let effect = minute_effect(&seconds, 30).unwrap();
        assert_eq!((effect.worst, effect.best.1), ((40, 0.0), 1.0));
    }

    #[test]
    fn a_bucket_that_runs_dry_and_bad_luck_are_no_effects_of_the_minute() {
        // It is full for a minute, then runs dry over three more, and then one in three is answered.
        let dry = |second: u64| (30, if second < 60 { 30 } else { 30 - (second - 60).min(180) / 9 });
        assert_eq!(minute_effect(&(0..360).map(dry).collect::<Vec<_>>(), 0), None);
        // One outage of ten seconds.
        let outage = |second: u64| (30, if (130..140).contains(&second) { 0 } else { 30 });
        assert_eq!(minute_effect(&(0..360).map(outage).collect::<Vec<_>>(), 0), None);
        // Too short to tell.
        assert_eq!(minute_effect(&[(3, 3); 60], 0), None);
        // Of two requests a minute one is answered and the other lost, always the same: four of them tell nothing.
        let few = |second: u64| (u64::from(second % 30 == 5), u64::from(second % 60 == 5));
        assert_eq!(minute_effect(&(0..180).map(few).collect::<Vec<_>>(), 0), None);
    }

    #[test]
    fn the_knee_is_where_goodput_stops_keeping_pace() {
        assert_eq!(knee(&[(1.0, 1.0), (2.0, 1.98), (3.0, 2.9), (4.0, 3.1), (5.0, 3.0)]), Some(2));
        assert_eq!(knee(&[(1.0, 0.1), (2.0, 0.1)]), None);
        assert_eq!(knee(&[(1.0, 1.0), (2.0, 2.0)]), Some(1));
    }
}
