//! The story of one request as a waterfall in a terminal: at most 100 columns, readable without colour.

use std::fmt::Write as _;

use super::not_litellm;
use crate::figures;
use crate::model::{RowKind, StoryReport, StoryRow};
use crate::table::INDENT;
use crate::wrap;

/// Columns of the bars.
const BAR: usize = 20;

/// Columns of the times.
const TIME: usize = 7;

/// The story, as people read it in a terminal.
pub fn story(report: &StoryReport) -> String {
    let mut text = String::new();
    wrap::item(&mut text, "", &format!("Request {} for {}: {}", report.request, report.model, report.summary));
    text = text.trim_start().to_owned();
    text.push('\n');
    let head = format!(
        "{}, seed {}; LiteLLM {} ({}), {}; {} prompt tokens, {} to write",
        report.scenario,
        report.seed,
        report.litellm,
        report.mode,
        report.strategy,
        figures::count(report.prompt_tokens.into()),
        figures::count(report.output_tokens.into()),
    );
    wrap::item(&mut text, "", &head);
    not_litellm(&mut text, &report.what_if);
    let times = format!(
        "Times are virtual: simulated, not measured. They count from {} into the run, when the request was due.",
        figures::seconds(report.due)
    );
    wrap::item(&mut text, "", &times);
    text.push('\n');
    for row in &report.rows {
        waterfall(&mut text, report, row);
    }
    if let Some(why_not) = &report.why_not {
        let _ = writeln!(text, "\nWhy not {}", why_not.deployment);
        for because in &why_not.because {
            wrap::item(&mut text, "- ", because);
        }
    }
    let _ = writeln!(text, "\ndigest {}", report.digest);
    text
}

fn waterfall(text: &mut String, report: &StoryReport, row: &StoryRow) {
    let lead = format!("{:>TIME$}  |{}|  ", figures::seconds(row.from), bar(report, row));
    let empty = format!("{:TIME$}  |{:BAR$}|  ", "", "");
    beside(text, &lead, &empty, &row.what);
    for why in &row.why {
        let empty = format!("{empty}  ");
        beside(text, &empty, &empty, why);
    }
}

/// Adds prose beside the bars: `first` leads its first line, `further` those that follow.
fn beside(text: &mut String, first: &str, further: &str, prose: &str) {
    let mut lines = String::new();
    // As wide as the lead will be; what it says is put there afterwards.
    let blank = " ".repeat(first.chars().count());
    wrap::item(&mut lines, &blank, prose);
    for (index, line) in lines.lines().enumerate() {
        let lead = if index == 0 { first } else { further };
        let _ = writeln!(text, "{INDENT}{lead}{}", line.get(INDENT.len() + blank.len()..).unwrap_or(""));
    }
}

/// What lasts is a bar: `=` a call, `.` a wait; what happens at once is a letter.
fn bar(report: &StoryReport, row: &StoryRow) -> String {
    let place = |at: f64| {
        let share = if report.took > 0.0 { at / report.took } else { 0.0 };
        ((share * (BAR - 1) as f64) as usize).min(BAR - 1)
    };
    let (from, until) = (place(row.from), place(row.until.unwrap_or(row.from)));
    let (body, end) = match row.kind {
        RowKind::Asked => ('>', '>'),
        RowKind::Answered => ('=', '*'),
        RowKind::Failed => ('=', 'x'),
        RowKind::Refused => ('x', 'x'),
        RowKind::Waited => ('.', '.'),
        RowKind::Decided => ('+', '+'),
        RowKind::Ended if report.end == "answered" => ('*', '*'),
        RowKind::Ended => ('x', 'x'),
    };
    let drawn = |column: usize| {
        if column == until {
            end
        } else if (from..until).contains(&column) {
            body
        } else {
            ' '
        }
    };
    (0..BAR).map(drawn).collect()
}

/// The story in at most `lines_max` lines of at most 100 columns, one thing each, without reasons. What is left out
/// in the middle is counted.
pub fn brief(report: &StoryReport, lines_max: usize) -> Vec<String> {
    let line = |row: &StoryRow| {
        let text = format!("{INDENT}{:>TIME$}  {}", figures::seconds(row.from), row.what);
        cut(&text, 100)
    };
    let all: Vec<String> = report.rows.iter().map(line).collect();
    let lines_max = lines_max.max(3);
    if all.len() <= lines_max {
        return all;
    }
    let last = lines_max / 3;
    let first = lines_max - last - 1;
    let left_out = all.len() - first - last;
    let mut lines = all[..first].to_vec();
    lines.push(format!("{INDENT}{:>TIME$}  ... {left_out} more steps ...", ""));
    lines.extend_from_slice(&all[all.len() - last..]);
    lines
}

fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(columns - 3).collect();
    cut.push_str("...");
    cut
}
