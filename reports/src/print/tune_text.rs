//! The report of a search for better settings, as people read it in a terminal.

use std::fmt::Write as _;

use super::tune_beyond;
use crate::figures;
use crate::model::{ChangeReport, ComparisonReport, DifferenceReport, MapReport, TuneReport};
use crate::table::{Align, Grid, INDENT};
use crate::wrap;

/// So many points of the Pareto front are shown.
const FRONT_MAX: usize = 12;

/// What stands for a setting that is not written.
pub(super) const UNWRITTEN: &str = "(default)";

/// The name whose requests are measured, if it is not all, and what of them: `gpt-4:p99`.
pub(super) fn parts(measure: &str) -> (Option<&str>, &str) {
    measure.rsplit_once(':').map_or((None, measure), |(of, word)| (Some(of), word))
}

/// A figure of a measure: `0.31 %`, `2.14s`, `$0.41`, `1.34`.
pub(super) fn figure(measure: &str, value: f64) -> String {
    match parts(measure).1 {
        "lost" | "availability" => figures::percent(value),
        "cost" => figures::dollars(value),
        "amplification" => figures::ratio(value),
        _ => figures::seconds(value),
    }
}

/// A difference of a measure, with its sign.
fn signed(measure: &str, value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "+" };
    if value == 0.0 { "0".to_owned() } else { format!("{sign}{}", figure(measure, value.abs())) }
}

/// What a measure is called.
pub(super) fn name(measure: &str) -> String {
    let (of, word) = parts(measure);
    let name = match word {
        "lost" => "lost requests".to_owned(),
        "cost" => "dollars per 1,000 requests".to_owned(),
        "amplification" => "upstream attempts per request".to_owned(),
        "mean" => "mean latency".to_owned(),
        quantile => format!("latency, {quantile}"),
    };
    of.map_or(name.clone(), |of| format!("{of}: {name}"))
}

pub(super) fn value(of: Option<&String>) -> &str {
    of.map_or(UNWRITTEN, String::as_str)
}

/// The same, so short that a table of it can be read: a list of fallbacks may be as long as a paragraph.
fn brief(of: Option<&String>) -> String {
    const CHARS_MAX: usize = 40;
    let whole = value(of);
    if whole.chars().count() <= CHARS_MAX {
        return whole.to_owned();
    }
    let ends = |text: String| text.trim_end().to_owned();
    format!("{} ..", ends(whole.chars().take(CHARS_MAX - 3).collect()))
}

/// `-0.31 % (-0.35 % to -0.27 %)`.
pub(super) fn interval(measure: &str, difference: &DifferenceReport) -> String {
    match difference.low.zip(difference.high) {
        Some((low, high)) => {
            let (low, high) = (signed(measure, low), signed(measure, high));
            format!("{} ({low} to {high})", signed(measure, difference.mean))
        }
        None => signed(measure, difference.mean),
    }
}

pub(super) fn verdict(difference: &DifferenceReport) -> &'static str {
    match difference.verdict {
        "better" => "better",
        "worse" => "WORSE",
        _ => "no difference",
    }
}

/// The sentence that answers the question.
pub(super) fn answer(report: &TuneReport) -> String {
    let scenarios = figures::counted(report.scenarios + report.held_out_scenarios, "scenario");
    let seeds = figures::counted(report.held_out_seeds, "seed");
    if !report.better {
        let refuted = if report.refuted.is_empty() { "" } else { ": what looked better while tuning did not stand it" };
        return format!(
            "Nothing beats the current config beyond noise, on {scenarios} under {seeds} that nothing was chosen \
             by{refuted}. Leave these settings as they are."
        );
    }
    let count = figures::counted(report.changes.len() as u64, "change");
    let first = report.judgements.first().map(|judgement| judgement.rows.as_slice()).unwrap_or_default();
    let told = first.iter().filter_map(|row| {
        let difference = row.difference.as_ref().filter(|one| one.verdict != "same")?;
        let (from, to) = (figure(&row.measure, row.current), figure(&row.measure, row.chosen));
        let sure = format!("better under {} of {} seeds", difference.better, difference.seeds);
        let sure = if difference.verdict == "worse" { "worse, as the price".to_owned() } else { sure };
        Some(format!("{} from {from} to {to} ({sure})", name(&row.measure)))
    });
    let told: Vec<String> = told.collect();
    format!(
        "{count} {} better than the current config: {}.",
        if report.changes.len() == 1 { "is" } else { "are" },
        told.join("; ")
    )
}

/// What the latencies count, where some request was lost.
pub(super) fn lost_in_latencies(report: &TuneReport) -> Option<&'static str> {
    let is_latency = |row: &ComparisonReport| !matches!(parts(&row.measure).1, "lost" | "cost" | "amplification");
    let told = report.judgements.iter().flat_map(|one| &one.rows).any(is_latency);
    let mut scenarios = report.judgements.iter().flat_map(|one| &one.scenarios);
    let lost = scenarios.any(|one| one.lost_current > 0.0 || one.lost_chosen > 0.0);
    (told && lost).then_some(
        "In latencies a lost request counts as one that took the whole run, or losing requests would look fast. The p99 of \
         a single scenario is of its answers alone.",
    )
}

/// How the constraints stand, where there are any.
pub(super) fn constraints(report: &TuneReport) -> Option<String> {
    let all = report.constraints.join(", ");
    (!report.constraints.is_empty()).then(|| match (report.constraints_hold, report.better) {
        (true, true) => format!("With the changes {all} holds."),
        (true, false) => format!("{all} holds."),
        (false, _) => format!("{all} does NOT hold with any setting that was tried; this is the best that was found."),
    })
}

fn changes(text: &mut String, changes: &[ChangeReport]) {
    let mut grid = Grid::new(&[("setting", Align::Left), ("now", Align::Right), ("then", Align::Right)]);
    for change in changes {
        grid.row([change.path.as_str(), &brief(change.from.as_ref()), &change.to]);
    }
    text.push_str(&grid.print());
}

/// The final judgement's figures. `then` is the title of the setting that was chosen, where one was.
fn comparison(text: &mut String, rows: &[ComparisonReport], then: Option<&str>) {
    let mut columns = vec![("", Align::Left), ("now", Align::Right)];
    if let Some(then) = then {
        columns.push((then, Align::Right));
        columns.push(("difference (95 % interval)", Align::Right));
        columns.push(("seeds better/worse", Align::Right));
    }
    columns.push(("", Align::Left));
    let mut grid = Grid::new(&columns);
    for row in rows {
        let mut cells = vec![name(&row.measure), figure(&row.measure, row.current)];
        if then.is_some() {
            let seeds = |one: &DifferenceReport| format!("{}/{} of {}", one.better, one.worse, one.seeds);
            let of = row.difference.as_ref();
            cells.push(figure(&row.measure, row.chosen));
            cells.push(of.map_or_else(String::new, |one| interval(&row.measure, one)));
            cells.push(of.map_or_else(String::new, seeds));
        }
        cells.push(match (&row.difference, row.limit) {
            (_, Some(limit)) => promised(row, limit),
            (Some(difference), None) if then.is_some() => verdict(difference).to_owned(),
            _ => String::new(),
        });
        grid.row(cells);
    }
    text.push_str(&grid.print());
}

/// Whether the setting that was chosen keeps a promise.
pub(super) fn promised(row: &ComparisonReport, limit: f64) -> String {
    let stands = if row.chosen <= limit { "holds" } else { "BREAKS" };
    format!("{stands}: at most {} is promised", figure(&row.measure, limit))
}

fn map(text: &mut String, map: &MapReport, objective: &str) {
    let title = format!("{} \\ {}", map.rows, map.columns);
    let mut columns = vec![(title.as_str(), Align::Right)];
    let titles: Vec<String> = map.column_values.iter().map(|of| brief(of.as_ref())).collect();
    columns.extend(titles.iter().map(|title| (title.as_str(), Align::Right)));
    let mut grid = Grid::new(&columns);
    for (row, cells) in map.cells.iter().enumerate() {
        let cells = cells.iter().enumerate().map(|(column, means)| {
            let mark = if map.center == Some((row, column)) { "*" } else { "" };
            format!("{mark}{}", figure(objective, means[0]))
        });
        grid.row(std::iter::once(brief(map.row_values[row].as_ref())).chain(cells));
    }
    text.push_str(&grid.print());
}

/// The report. `patch` is the difference to write into the config, when there is one.
pub fn tune(report: &TuneReport, patch: Option<&str>) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", answer(report));
    if let Some(sentence) = constraints(report) {
        let _ = writeln!(text, "{sentence}");
    }
    if report.better {
        text.push_str("\nWhat to change\n");
        changes(&mut text, &report.changes);
    }
    if !report.refuted.is_empty() {
        text.push_str("\nWhat looked better while tuning, and is not\n");
        changes(&mut text, &report.refuted);
    }
    for judgement in &report.judgements {
        let which = if judgement.held_out_scenarios { "held-out scenarios" } else { "the scenarios tuned on" };
        let _ = writeln!(
            text,
            "\nThe final judgement: {which}, {}",
            figures::counted(report.held_out_seeds, "held-out seed")
        );
        let then = if report.better { "then" } else { "tried" };
        comparison(&mut text, &judgement.rows, report.has_rival().then_some(then));
        let worth = judgement.scenarios.iter().filter(|one| one.lost_current > 0.0 || one.lost_chosen > 0.0);
        let mut columns = vec![("scenario", Align::Left), ("lost now", Align::Right)];
        columns.extend(report.has_rival().then_some((then, Align::Right)));
        columns.push(("p99 now", Align::Right));
        columns.extend(report.has_rival().then_some((then, Align::Right)));
        let mut grid = Grid::new(&columns);
        let time = |secs: Option<f64>| secs.map_or_else(|| figures::DASH.to_owned(), figures::seconds);
        for one in worth {
            let mut cells = vec![one.name.clone(), figures::percent(one.lost_current)];
            cells.extend(report.has_rival().then(|| figures::percent(one.lost_chosen)));
            cells.push(time(one.p99_current));
            cells.extend(report.has_rival().then(|| time(one.p99_chosen)));
            grid.row(cells);
        }
        if !grid.is_empty() && report.judgements.iter().all(|one| one.rows.iter().any(|row| row.difference.is_some())) {
            text.push_str(&grid.print());
        }
    }
    if let Some(sentence) = lost_in_latencies(report) {
        wrap::item(&mut text, "", sentence);
    }

    if let Some(beyond) = &report.beyond {
        tune_beyond::text(&mut text, beyond);
    }

    text.push_str("\nWhat depends on which setting\n");
    let titles: Vec<String> = report.objectives.iter().map(|objective| format!("{objective}: explains")).collect();
    let mut columns = vec![("setting", Align::Left)];
    columns.extend(
        titles.iter().flat_map(|title| [(title.as_str(), Align::Right), ("best to worst value", Align::Right)]),
    );
    let mut grid = Grid::new(&columns);
    for one in &report.importance {
        let mut cells = vec![one.path.clone()];
        for ((objective, share), (low, high)) in report.objectives.iter().zip(&one.shares).zip(&one.ranges) {
            cells.push(figures::percent(*share));
            cells.push(format!("{} to {}", figure(objective, *low), figure(objective, *high)));
        }
        grid.row(cells);
    }
    text.push_str(&grid.print());

    let objective = report.objectives.first().map_or("lost", String::as_str);
    let around = if report.better { "the recommended setting" } else { "the current config" };
    if !report.steps.is_empty() {
        let _ = writeln!(text, "\nOne step away from {around}: {}", name(objective));
        let columns = [
            ("setting", Align::Left),
            ("from", Align::Right),
            ("to", Align::Right),
            ("difference", Align::Right),
            ("", Align::Left),
        ];
        let mut grid = Grid::new(&columns);
        for step in &report.steps {
            let Some(difference) = step.differences.first() else { continue };
            let shape = match difference.verdict {
                "worse" => "worse: a slope",
                "better" => "better",
                _ => "flat",
            };
            let shown = interval(objective, difference);
            let (from, to) = (brief(step.from.as_ref()), brief(step.to.as_ref()));
            grid.row([step.path.as_str(), &from, &to, &shown, shape]);
        }
        text.push_str(&grid.print());
    }
    if let Some(one) = &report.map {
        let _ = writeln!(text, "\nAround {around} (*): {}", name(objective));
        map(&mut text, one, objective);
    }

    let front: Vec<_> = report.points.iter().filter(|point| point.pareto || point.role.is_some()).collect();
    text.push_str(
        "\nWhat cannot be had better in one without being worse in another (Pareto front), and the current config\n",
    );
    let mut columns = vec![("", Align::Left)];
    columns.extend(report.objectives.iter().map(|objective| (objective.as_str(), Align::Right)));
    columns.extend(report.params.iter().map(|param| (param.path.as_str(), Align::Right)));
    let mut grid = Grid::new(&columns);
    for point in front.iter().take(FRONT_MAX) {
        let role = match (point.role, point.holds) {
            (Some(role), true) => role.to_owned(),
            (Some(role), false) => format!("{role}, breaks the SLO"),
            (None, true) => String::new(),
            (None, false) => "breaks the SLO".to_owned(),
        };
        let means = report.objectives.iter().zip(&point.means).map(|(objective, mean)| figure(objective, *mean));
        let values = point.values.iter().map(|of| brief(of.as_ref()));
        grid.row(std::iter::once(role).chain(means).chain(values));
    }
    text.push_str(&grid.print());
    if front.len() > FRONT_MAX {
        let _ = writeln!(text, "{INDENT}and {} more", front.len() - FRONT_MAX);
    }

    if let Some(patch) = patch.filter(|patch| !patch.is_empty()) {
        let _ = write!(text, "\nThe patch\n\n{patch}");
    }
    for finding in &report.new_findings {
        wrap::item(&mut text, "lint would say: ", finding);
    }
    text.push('\n');
    for fault in &report.never_fired {
        wrap::item(&mut text, "", &format!("this fault struck no call in any run: {fault}"));
    }
    let ways = if report.all_ways {
        format!("all {}", figures::counted(report.ways, "way"))
    } else {
        format!("{} of {}", figures::count(report.points.len() as u64), figures::counted(report.ways, "way"))
    };
    let _ = writeln!(
        text,
        "{ways} to set {}, {}, {}; seeds: {} to tune on, {} to judge by; LiteLLM {}",
        figures::counted(report.params.len() as u64, "parameter"),
        figures::counted(report.runs, "run"),
        figures::counted(report.requests, "request"),
        report.seeds,
        report.held_out_seeds,
        report.litellm,
    );
    text
}
