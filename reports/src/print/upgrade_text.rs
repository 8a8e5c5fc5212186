//! What another LiteLLM release would change, as people read it in a terminal.

use std::fmt::Write as _;

use router_core::Span;

use crate::figures::{self, DASH, counted};
use crate::model::{ChangedRequestReport, ImpactReport, ReasonReport, UpgradeReport};
use crate::table::{Align, Grid};
use crate::wrap;

/// The report of an upgrade. `options` are those that a replay has to repeat.
pub fn upgrade(report: &UpgradeReport, options: &str) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}: from LiteLLM {} to {}, {} under {}",
        report.config,
        report.from,
        report.to,
        counted(report.outages, "outage"),
        counted(report.seeds.len() as u64, "seed"),
    );
    if report.reasons.is_empty() {
        text.push_str("\nNothing changes: every request ends the same, at the same moment.\n");
        return text;
    }
    let _ = writeln!(
        text,
        "{} of {} change for the users\n\nWhy, rule by rule",
        figures::count(report.rows.len() as u64),
        counted(report.outages, "outage"),
    );
    for reason in &report.reasons {
        write_reason(&mut text, report, reason, options);
    }
    if !report.without_effect.is_empty() {
        let many = counted(report.without_effect.len() as u64, "other rule");
        let verb = if report.without_effect.len() == 1 { "differs and changes" } else { "differ and change" };
        let _ = writeln!(text, "\n  {many} {verb} nothing for these users (--format json names them).");
    }
    if !report.rows.is_empty() {
        let _ = writeln!(text, "\nWhat changes, outage by outage: {} -> {}", report.from, report.to);
        text.push_str(&rows(report));
        wrap::item(
            &mut text,
            "",
            "After their first difference two runs draw different luck: small changes in these figures may be chance.",
        );
    }
    text
}

fn write_reason(text: &mut String, report: &UpgradeReport, reason: &ReasonReport, options: &str) {
    text.push('\n');
    if reason.rules.is_empty() {
        wrap::item(text, "", "the two releases read the config itself differently");
    }
    for (index, rule) in reason.rules.iter().enumerate() {
        let lead = match (index, reason.together) {
            (0, _) => "",
            (_, true) => "and ",
            (_, false) => "or ",
        };
        wrap::item(text, "", &format!("{lead}{}: {}", rule.name, rule.about));
    }
    let others = reason.rows.len() as u64 - 1;
    let example = &reason.example;
    let rows = match others {
        0 => example.row.clone(),
        _ => format!("{} and {}", example.row, counted(others, "other")),
    };
    wrap::item(text, "  in:      ", &rows);
    wrap::item(
        text,
        "  example: ",
        &format!(
            "request {} for `{}`, due at {}, seed {}",
            example.request,
            example.model,
            figures::span(Span::from_secs_f64(example.due)),
            example.seed
        ),
    );
    if !example.after.is_empty() {
        wrap::item(text, "  after:   ", &format!("{} changed that run before", example.after.join(", ")));
    }
    let ends = [(report.from, &example.from), (report.to, &example.to)];
    for (release, end) in ends {
        let after = figures::span(Span::from_secs_f64(end.after));
        let _ = writeln!(text, "             {release:<8} {} after {after}", end.outcome);
    }
    wrap::item(text, "  replay:  ", &replay(report, example, options));
}

fn replay(report: &UpgradeReport, example: &ChangedRequestReport, options: &str) -> String {
    let only = if example.row == "baseline" { String::new() } else { format!(" --only '{}'", example.row) };
    format!(
        "routedrill drill {}{only} --seed {} --seeds 1 --litellm {} --against {}{options}",
        report.config, example.seed, report.from, report.to
    )
}

fn rows(report: &UpgradeReport) -> String {
    let mut grid = Grid::new(&[
        ("outage", Align::Left),
        ("verdict", Align::Left),
        ("during", Align::Right),
        ("after", Align::Right),
        ("p99", Align::Right),
        ("attempts", Align::Right),
    ]);
    for row in &report.rows {
        let both = |figure: &dyn Fn(&ImpactReport) -> String| {
            let of = |impact: &Option<ImpactReport>| impact.as_ref().map_or_else(|| DASH.to_owned(), figure);
            let (from, to) = (of(&row.worst_from), of(&row.worst_to));
            if from == to { from } else { format!("{from} -> {to}") }
        };
        let verdict = if row.verdict_from == row.verdict_to {
            row.verdict_from.to_owned()
        } else {
            format!("{} -> {}", row.verdict_from, row.verdict_to)
        };
        grid.row([
            row.row.clone(),
            verdict,
            both(&|impact| figures::percent(impact.availability_during)),
            both(&|impact| figures::percent(impact.availability_after)),
            both(&|impact| impact.p99.map_or_else(|| DASH.to_owned(), figures::seconds)),
            both(&|impact| figures::ratio(impact.attempts)),
        ]);
    }
    grid.print()
}
