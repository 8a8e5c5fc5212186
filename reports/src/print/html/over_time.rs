//! A run over time: load, goodput and errors, latencies, and a lane for each deployment.

use super::chart::{Axis, Band, BandKind, Chart, Draw, Role};
use super::page::Page;
use router_core::Span;

use crate::figures;
use crate::model::{CourseReport, LaneReport};

/// A moment of a run as its charts write it: `2:05`.
pub(super) fn clock(secs: f64) -> String {
    let whole = secs as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{rest:02}") } else { format!("{minutes}:{rest:02}") }
}

fn rates(counts: &[u64], step: f64) -> Vec<Option<f64>> {
    counts.iter().map(|count| Some(*count as f64 / step)).collect()
}

fn errors(course: &CourseReport) -> Vec<u64> {
    course.failed.iter().zip(&course.gave_up).map(|(failed, gave_up)| failed + gave_up).collect()
}

/// The place of the largest figure, if one is above nothing.
fn peak(values: impl Iterator<Item = f64>) -> Option<(usize, f64)> {
    values.enumerate().filter(|(_, value)| *value > 0.0).fold(None, |best, (index, value)| match best {
        Some((_, most)) if most >= value => best,
        _ => Some((index, value)),
    })
}

/// Offered load, goodput and errors; those of another run, where one is given, behind them.
pub(super) fn traffic(course: &CourseReport, bands: &[Band], usual: Option<(&str, &CourseReport)>) -> Chart {
    let lost = errors(course);
    let says = match peak(lost.iter().map(|count| *count as f64 / course.step)) {
        None => "Nobody got an error or gave up.".to_owned(),
        Some((index, rate)) => format!(
            "{} got an error or gave up; most of them around {}, {} per second.",
            figures::counted(lost.iter().sum(), "user"),
            clock(index as f64 * course.step),
            short(rate)
        ),
    };
    let mut chart = Chart::over_time("Load, goodput and errors", says, Axis::PerSecond, course.starts())
        .with("offered", Draw::Line, Role::Neutral, rates(&course.sent, course.step))
        .with("answered", Draw::Steps, Role::Good, rates(&course.answered, course.step))
        .with("errors and users who gave up", Draw::Steps, Role::Bad, rates(&lost, course.step));
    if let Some((label, usual)) = usual {
        let answered = aligned(&rates(&usual.answered, usual.step), usual.step, course);
        chart = chart.with(label, Draw::Line, Role::Usual, answered);
    }
    chart.bands = bands.to_vec();
    chart
}

/// The latencies of answers by percentile.
pub(super) fn latencies(course: &CourseReport, bands: &[Band], usual: Option<(&str, &CourseReport)>) -> Chart {
    let highest = |values: &[Option<f64>]| peak(values.iter().map(|value| value.unwrap_or(0.0)));
    let says = highest(&course.p99).map_or_else(
        || "Nothing was answered.".to_owned(),
        |(index, secs)| format!("p99 is highest at {}: {}.", clock(index as f64 * course.step), figures::seconds(secs)),
    );
    let mut chart = Chart::over_time("Latency of answers", says, Axis::Seconds, course.starts())
        .with("p50", Draw::Line, Role::First, course.p50.clone())
        .with("p90", Draw::Line, Role::Second, course.p90.clone())
        .with("p99", Draw::Line, Role::Third, course.p99.clone());
    if let Some((label, usual)) = usual {
        chart = chart.with(label, Draw::Line, Role::Usual, aligned(&usual.p99, usual.step, course));
    }
    let (most, least) = (peak(chart_values(&chart)), chart_values(&chart).filter(|v| *v > 0.0).reduce(f64::min));
    // Where the slowest took many times as long as most, a linear axis shows the slowest alone.
    chart.log = most.zip(least).is_some_and(|((_, most), least)| most > 30.0 * least);
    chart.bands = bands.to_vec();
    chart
}

fn chart_values(chart: &Chart) -> impl Iterator<Item = f64> {
    chart.series.iter().flat_map(|series| series.values.iter().map(|value| value.unwrap_or(0.0)))
}

/// The values of another run at the steps of this one.
pub(super) fn aligned(values: &[Option<f64>], step: f64, course: &CourseReport) -> Vec<Option<f64>> {
    // The middle of a step is in the same step of the other run, whichever is longer.
    (course.starts().iter())
        .map(|start| values.get(((start + course.step / 2.0) / step) as usize).copied().flatten())
        .collect()
}

/// A lane for each deployment: calls that were answered and calls that failed, and when it rested. `struck` tells whether the
/// fault of a band, by its place, strikes calls to a deployment, by its name.
pub(super) fn lanes(page: &mut Page, course: &CourseReport, bands: &[Band], struck: &dyn Fn(usize, &str) -> bool) {
    let called: Vec<&LaneReport> =
        course.lanes.iter().filter(|lane| lane.calls.iter().any(|calls| *calls > 0)).collect();
    let most = called.iter().flat_map(|lane| &lane.calls).copied().max().unwrap_or(0);
    for lane in called {
        let name = lane.deployment.as_deref().unwrap_or("all others together");
        let calls: u64 = lane.calls.iter().map(|calls| u64::from(*calls)).sum();
        let failed: u64 = lane.failed.iter().map(|failed| u64::from(*failed)).sum();
        let mut says = figures::counted(calls, "call");
        if failed > 0 {
            says.push_str(&format!(", {} failed", figures::count(failed)));
        }
        let rests = lane.cooldowns.len() as u64 + lane.cooldowns_omitted;
        if rests > 0 {
            says.push_str(&format!(", {}", figures::counted(rests, "cooldown")));
        }
        if lane.cooldowns_omitted > 0 {
            says.push_str(&format!(", of which {} not drawn", figures::count(lane.cooldowns_omitted)));
        }
        let per_second = |counts: &[u32]| counts.iter().map(|count| Some(f64::from(*count) / course.step)).collect();
        let mut chart = Chart::over_time(name, says, Axis::PerSecond, course.starts())
            .with("answered", Draw::Steps, Role::Good, per_second(&lane.answered))
            .with("failed", Draw::Steps, Role::Bad, per_second(&lane.failed));
        let strikes = |place: usize| lane.deployment.as_deref().is_some_and(|name| struck(place, name));
        chart.bands = (bands.iter().enumerate())
            .filter(|(place, band)| band.kind == BandKind::Fault && strikes(*place))
            .map(|(_, band)| band.clone())
            .collect();
        chart.bands.extend(lane.cooldowns.iter().map(|(from, until)| Band {
            from: *from,
            until: *until,
            label: "cooldown".to_owned(),
            kind: BandKind::Cooldown,
        }));
        chart.top = Some(f64::from(most) / course.step);
        chart.lane = true;
        page.chart(&chart);
    }
}

/// A rate to a few digits.
pub(super) fn short(rate: f64) -> String {
    if rate >= 10.0 { format!("{rate:.0}") } else { figures::rate(rate).trim_end_matches("/s").to_owned() }
}

/// How points and lanes of a run are to be read.
pub(super) fn legend(course: &CourseReport) -> String {
    format!(
        "Each point of a chart over time is {} long, and nothing is left out: counts are sums over it, as rates per second, and \
         percentiles are of all answers within it. Red bands are faults, hatched blue bands cooldowns. Drag to zoom, \
         double-click to see everything again.",
        figures::chosen(Span::from_secs_f64(course.step))
    )
}
