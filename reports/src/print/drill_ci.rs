//! A drill for continuous integration: as JUnit XML, as annotations of GitHub Actions, and as Markdown for its step
//! summary.

use std::fmt::Write as _;

use super::ci;
use super::drill_text::took_over;
use crate::figures::{self, DASH, counted};
use crate::model::{DrillReport, RowReport};

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
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "<testsuite name=\"routedrill drill\" tests=\"{}\" failures=\"{}\">",
        report.rows.len(),
        report.verdicts.lost
    );
    for row in &report.rows {
        let _ = write!(text, "  <testcase classname=\"{}\" name=\"{}\"", ci::xml(&report.config), ci::xml(&row.name));
        if row.verdict == "lost" {
            let mut told: Vec<String> = row
                .causes
                .iter()
                .map(|cause| format!("{}\nblame: {}\nchange: {}", cause.what, cause.setting, cause.change))
                .collect();
            told.push(format!("replay: {}", row.replay));
            let _ = writeln!(
                text,
                ">\n    <failure message=\"{}\">{}</failure>\n  </testcase>",
                ci::xml(&sentence(row)),
                ci::xml(&told.join("\n"))
            );
        } else {
            let _ = writeln!(text, ">\n    <system-out>{}</system-out>\n  </testcase>", ci::xml(&sentence(row)));
        }
    }
    text.push_str("</testsuite>\n");
    text
}

/// As annotations of GitHub Actions: the risks, the worst first. GitHub shows ten of each kind for a step; the last says
/// how many more there are.
pub fn drill_github(report: &DrillReport) -> String {
    const SHOWN_MAX: usize = 9;
    let mut text = String::new();
    let file = ci::property(&report.config);
    for risk in report.risks.iter().take(SHOWN_MAX) {
        let level = if matches!(risk.grade, "P0" | "P1") { "error" } else { "warning" };
        let what = format!("{}\nblame: {}\nchange: {}\nreplay: {}", risk.what, risk.setting, risk.change, risk.replay);
        let title = ci::property(&format!("{} {}", risk.grade, risk.models.join(", ")));
        let _ = writeln!(text, "::{level} file={file},title={title}::{}", ci::annotation(&what));
    }
    let more = report.risks.len().saturating_sub(SHOWN_MAX) as u64;
    if more > 0 {
        let _ = writeln!(text, "::warning file={file}::and {}", counted(more, "more risk"));
    }
    text
}

/// As Markdown for a step summary: verdicts, risks, and what was felt. It stays far below GitHub's 1 MiB; what is left out
/// is counted.
pub fn drill_markdown(report: &DrillReport) -> String {
    const ROWS_MAX: usize = 200;
    let verdicts = report.verdicts;
    let mut text = format!(
        "## Outage drill of {}\n\nLiteLLM {}: **{} lost**, {} degraded, {} held, {} untouched.\n",
        ci::cell(&report.config),
        report.litellm,
        verdicts.lost,
        verdicts.degraded,
        verdicts.held,
        verdicts.untouched
    );
    if !report.risks.is_empty() {
        text.push_str("\n| grade | what happens | to blame | to change |\n|---|---|---|---|\n");
        for risk in report.risks.iter().take(ROWS_MAX) {
            let cells = [&risk.what, &risk.setting, &risk.change].map(|cell| ci::cell(cell));
            let _ = writeln!(text, "| {} | {} |", risk.grade, cells.join(" | "));
        }
        more(&mut text, report.risks.len(), ROWS_MAX, "more risk");
    }
    let felt: Vec<&RowReport> = report.rows.iter().filter(|row| matches!(row.verdict, "lost" | "degraded")).collect();
    if !felt.is_empty() {
        text.push_str(
            "\n| outage | verdict | answered during | after | p99 | who took over |\n|---|---|---:|---:|---:|---|\n",
        );
        for row in felt.iter().take(ROWS_MAX) {
            let worst = row.models.first();
            let share = |share: Option<f64>| share.map_or_else(|| DASH.to_owned(), figures::percent);
            let p99 = worst.and_then(|worst| worst.p99_delta).map_or_else(|| DASH.to_owned(), figures::difference);
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {p99} | {} |",
                ci::cell(&row.name),
                row.verdict,
                share(worst.map(|worst| worst.availability_during)),
                share(worst.map(|worst| worst.availability_after)),
                ci::cell(&took_over(row))
            );
        }
        more(&mut text, felt.len(), ROWS_MAX, "more outage");
    }
    let _ = writeln!(text, "\n{}, digest `{}`", counted(report.runs, "run"), report.digest);
    text
}

fn more(text: &mut String, all: usize, shown: usize, what: &str) {
    let more = all.saturating_sub(shown) as u64;
    if more > 0 {
        let _ = writeln!(text, "\nand {} not shown", counted(more, what));
    }
}
