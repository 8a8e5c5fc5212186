//! A drill for continuous integration: as JUnit XML, as annotations of GitHub Actions, and as Markdown for its step
//! summary.

use super::ci::{self, Annotation, Level, Summary};
use super::drill_text::took_over;
use super::junit::{Outcome, Suite};
use crate::figures::{self, DASH, counted};
use crate::model::{DrillReport, RefusalReport, RowReport};
use crate::table::Align;

/// What an outage did, in a sentence.
fn sentence(row: &RowReport) -> String {
    let Some(worst) = row.models.first() else { return format!("{}: nobody asked for anything", row.verdict) };
    let slower = worst.p99_delta.map_or_else(String::new, |delta| format!(", p99 {}", figures::difference(delta)));
    format!(
        "{}: {} of the requests for {} answered during the outage, {} after it{slower}",
        row.verdict,
        figures::percent(worst.availability_during),
        worst.model,
        figures::percent(worst.availability_after),
    )
}

/// As JUnit XML: a suite with a case for each outage. An outage that lost users is a failure.
pub fn drill_junit(report: &DrillReport) -> String {
    let mut suite = Suite::new("routedrill drill");
    for row in &report.rows {
        let outcome = if row.verdict == "lost" {
            let causes = row.causes.iter();
            let mut told: Vec<String> = causes
                .map(|cause| format!("{}\nblame: {}\nchange: {}", cause.what, cause.setting, cause.change))
                .collect();
            told.push(format!("replay: {}", row.replay));
            Outcome::Failed(sentence(row), told.join("\n"))
        } else {
            Outcome::Seen(sentence(row))
        };
        suite.case(&report.config, &row.name, outcome);
    }
    suite.print()
}

/// As annotations of GitHub Actions: the risks, the worst first, at the line that is to blame.
pub fn drill_github(report: &DrillReport) -> String {
    let of_risk = |risk: &crate::model::RiskReport| Annotation {
        level: if matches!(risk.grade, "P0" | "P1") { Level::Error } else { Level::Warning },
        file: report.config.clone(),
        at: risk.lines.iter().find_map(|place| place.line).map(|line| (line, None)),
        title: format!("{} {}", risk.grade, risk.models.join(", ")),
        text: format!("{}\nblame: {}\nchange: {}\nreplay: {}", risk.what, risk.setting, risk.change, risk.replay),
    };
    ci::annotations(&report.risks.iter().map(of_risk).collect::<Vec<_>>())
}

/// As Markdown for a step summary: verdicts, risks, and what was felt. It stays below what GitHub takes; what is left out
/// is counted.
pub fn drill_markdown(report: &DrillReport) -> String {
    const ROWS_MAX: usize = 200;
    let verdicts = report.verdicts;
    let mut summary = Summary::default();
    summary.text(&format!(
        "## Outage drill of {}\n\nLiteLLM {}: **{} lost**, {} degraded, {} held, {} untouched.\n",
        ci::cell(&report.config),
        report.litellm,
        verdicts.lost,
        verdicts.degraded,
        verdicts.held,
        verdicts.untouched
    ));
    let columns = ["grade", "what happens", "to blame", "to change"].map(|title| (title, Align::Left));
    let risks = report.risks.iter();
    let risks =
        risks.map(|risk| vec![risk.grade.to_owned(), risk.what.clone(), risk.setting.clone(), risk.change.clone()]);
    summary.table(&columns, risks, ROWS_MAX, "more risk");
    let felt: Vec<&RowReport> = report.rows.iter().filter(|row| matches!(row.verdict, "lost" | "degraded")).collect();
    let columns = [
        ("outage", Align::Left),
        ("verdict", Align::Left),
        ("answered during", Align::Right),
        ("after", Align::Right),
        ("p99", Align::Right),
        ("who took over", Align::Left),
    ];
    let rows = felt.iter().map(|row| {
        let worst = row.models.first();
        let share = |share: Option<f64>| share.map_or_else(|| DASH.to_owned(), figures::percent);
        let p99 = worst.and_then(|worst| worst.p99_delta).map_or_else(|| DASH.to_owned(), figures::difference);
        vec![
            row.name.clone(),
            row.verdict.to_owned(),
            share(worst.map(|worst| worst.availability_during)),
            share(worst.map(|worst| worst.availability_after)),
            p99,
            took_over(row),
        ]
    });
    summary.table(&columns, rows, ROWS_MAX, "more outage");
    summary.text(&format!("\n{}, digest `{}`\n", counted(report.runs, "run"), report.digest));
    summary.finish()
}

/// Why LiteLLM would not start: what stops it, each with its line.
fn reasons(report: &RefusalReport) -> impl Iterator<Item = (Option<u32>, String)> {
    let told = report.reasons.iter().map(|reason| (None, reason.clone()));
    let stopping = report.findings.iter().filter(|finding| finding.stops_start_up);
    told.chain(stopping.map(|finding| (finding.line, format!("{}\nfix: {}", finding.message, finding.remedy))))
}

/// As JUnit XML: nothing could be tried.
pub fn refusal_junit(report: &RefusalReport) -> String {
    let mut suite = Suite::new("routedrill drill");
    let what = format!("LiteLLM {} would not start with this config", report.litellm);
    let all: Vec<String> = reasons(report).map(|(_, reason)| reason).collect();
    suite.case(&report.config, "LiteLLM starts", Outcome::Error(what, all.join("\n")));
    suite.print()
}

/// As annotations of GitHub Actions: one for each reason.
pub fn refusal_github(report: &RefusalReport) -> String {
    let annotation = |(line, text): (Option<u32>, String)| Annotation {
        level: Level::Error,
        file: report.config.clone(),
        at: line.map(|line| (line, None)),
        title: format!("LiteLLM {} would not start", report.litellm),
        text,
    };
    ci::annotations(&reasons(report).map(annotation).collect::<Vec<_>>())
}

/// As Markdown for a step summary.
pub fn refusal_markdown(report: &RefusalReport) -> String {
    let mut summary = Summary::default();
    let config = ci::cell(&report.config);
    let litellm = report.litellm;
    summary.text(&format!("## Outage drill of {config}\n\nLiteLLM {litellm} would not start with this config.\n"));
    let rows: Vec<Vec<String>> = reasons(report)
        .map(|(line, reason)| vec![line.map_or_else(|| DASH.to_owned(), |line| line.to_string()), reason])
        .collect();
    summary.table(&[("line", Align::Right), ("why", Align::Left)], rows.into_iter(), 200, "more reason");
    summary.finish()
}
