//! Two runs side by side.

use super::chart::Band;
use super::over_time;
use super::page::Page;
use super::table::{Cell, Kind, Table, Tone};
use crate::figures::{self, DASH};
use crate::model::{ComparedReport, CourseReport, RunReport};

/// What is compared: a name, how its figure reads, and both figures.
struct Line {
    name: String,
    write: fn(f64) -> String,
    /// More of it is better; `None`: neither.
    more_is_better: Option<bool>,
    this: Option<f64>,
    other: Option<f64>,
}

/// Writes a section that puts another run beside `report`. `name` is where its results came from.
pub(super) fn compare(
    page: &mut Page,
    report: &RunReport,
    course: &CourseReport,
    bands: &[Band],
    name: &str,
    other: &ComparedReport,
) {
    page.section("Beside another run");
    page.text(&format!(
        "The other run is {} under seed {} and LiteLLM {}, from {name}.{}",
        other.scenario,
        other.seed,
        other.litellm,
        if other.digest == report.digest { " It is the same run: their digests are equal." } else { "" }
    ));
    let mut table = Table::new(
        "This run and the other",
        &[
            ("figure", Kind::Text),
            ("this run", Kind::Figure),
            ("other run", Kind::Figure),
            ("difference", Kind::Figure),
        ],
    );
    for line in lines(report, other) {
        let cell = |value: Option<f64>| value.map_or_else(Cell::none, |value| Cell::figure((line.write)(value), value));
        let difference = match line.this.zip(line.other) {
            Some((this, other)) if this == other => Cell::figure("equal", 0.0).with_tone(Tone::Quiet),
            Some((this, other)) => {
                let apart = this - other;
                let sign = if apart < 0.0 { "\u{2212}" } else { "+" };
                let cell = Cell::figure(format!("{sign}{}", (line.write)(apart.abs())), apart);
                match line.more_is_better {
                    Some(more) if more == (apart > 0.0) => cell.with_tone(Tone::Good),
                    Some(_) => cell.with_tone(Tone::Bad),
                    None => cell,
                }
            }
            None => Cell::text(DASH).with_tone(Tone::Quiet),
        };
        table.row([Cell::text(line.name), cell(line.this), cell(line.other), difference]);
    }
    page.table(&table);
    let usual = &other.detail.course;
    page.chart(&over_time::traffic(course, bands, Some(("answered in the other run", usual))));
    page.chart(&over_time::latencies(course, bands, Some(("p99 of the other run", usual))));
}

fn lines(report: &RunReport, other: &ComparedReport) -> Vec<Line> {
    let (mine, theirs) = (&report.requests, &other.requests);
    let number: fn(f64) -> String = |value| figures::count(value as u64);
    let mut lines = Vec::new();
    let mut line = |name: &str, write, more_is_better, this: Option<f64>, other: Option<f64>| {
        lines.push(Line { name: name.to_owned(), write, more_is_better, this, other });
    };
    line("requests", number, None, Some(mine.total as f64), Some(theirs.total as f64));
    line("availability", figures::percent, Some(true), mine.availability, theirs.availability);
    line(
        "lost",
        number,
        Some(false),
        Some((mine.total - mine.answered) as f64),
        Some(theirs.total.saturating_sub(theirs.answered) as f64),
    );
    line("attempts per request", figures::ratio, Some(false), mine.attempts_per_request, theirs.attempts_per_request);
    line("served by a fallback", figures::percent, None, mine.fallback_rate, theirs.fallback_rate);
    line("cost", figures::dollars, Some(false), Some(mine.cost), Some(theirs.cost));
    for asked in &report.asked {
        let Some(known) = other.asked.iter().find(|known| known.model == asked.model) else { continue };
        let several = report.asked.len() > 1;
        let of = |what: &str| if several { format!("{what} of {}", asked.model) } else { what.to_owned() };
        if several {
            line(&of("availability"), figures::percent, Some(true), asked.availability, known.availability);
        }
        let (this, that) = (asked.latency, known.latency);
        line(&of("p50"), figures::seconds, Some(false), this.map(|own| own.p50), that.map(|own| own.p50));
        line(&of("p99"), figures::seconds, Some(false), this.map(|own| own.p99), that.map(|own| own.p99));
    }
    lines
}
