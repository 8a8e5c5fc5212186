//! The verdict on a run, and how goodput and attempts went over its time, for terminals.

use std::fmt::Write as _;

use crate::figures;
use crate::model::{AftermathReport, RunReport, Verdict};
use crate::table::INDENT;

/// From nothing to all.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Columns of the words before the bars.
const WORDS: usize = 22;

/// The verdict, and the course of a run that did not come back as it should.
pub(super) fn verdict(text: &mut String, report: &RunReport) {
    let broken: Vec<&str> = (report.expectations.iter())
        .filter(|promise| !promise.held && !promise.not_judged && promise.key != "must_see")
        .map(|promise| promise.key.as_str())
        .collect();
    let laws = report.broken_laws.iter().filter(|law| law.waived.is_none()).map(|law| law.law);
    let broken: Vec<&str> = laws.chain(broken).collect();
    let why = if broken.is_empty() { String::new() } else { format!(": {}", broken.join(", ")) };
    let _ = writeln!(text, "\nVerdict: {}{why}", word(report));
    let Some(aftermath) = &report.aftermath else { return };
    if let Some(why) = &aftermath.not_judged {
        let _ = writeln!(text, "{INDENT}whether it recovers is {why}");
    }
    let lasting = matches!(report.verdict, Verdict::Stuck | Verdict::Metastable);
    if lasting || broken.iter().any(|key| key.starts_with("recovery") || key.starts_with("amplification")) {
        course(text, report, aftermath);
    }
}

/// The verdict; a scenario may show that something breaks.
pub(super) fn word(report: &RunReport) -> String {
    let shown = report.is_clean() && report.verdict != Verdict::Held;
    format!("{}{}", report.verdict.word(), if shown { ", as the scenario shows" } else { "" })
}

/// Two rows of bars, and under them when faults were on.
fn course(text: &mut String, report: &RunReport, aftermath: &AftermathReport) {
    let steps = &aftermath.course;
    let [Some(first), Some(second)] = [steps.first(), steps.get(1)] else { return };
    let width = second.at - first.at;
    let most = steps.iter().filter_map(|step| step.attempts_per_request).fold(1.0, f64::max);
    let goodput: String = steps.iter().map(|step| bar(step.goodput, 1.0)).collect();
    let attempts: String = steps.iter().map(|step| bar(step.attempts_per_request, most)).collect();
    let before = |share: Option<String>| share.map_or_else(String::new, |share| format!("{share} before the faults"));
    let _ = writeln!(
        text,
        "{INDENT}{:WORDS$}{goodput}  {}",
        "answered",
        before(aftermath.goodput_before.map(figures::percent))
    );
    let at_most = format!("{} at most", figures::ratio(most));
    let attempts_before = before(aftermath.attempts_before.map(figures::ratio));
    let comma = if attempts_before.is_empty() { "" } else { ", " };
    let _ = writeln!(text, "{INDENT}{:WORDS$}{attempts}  {attempts_before}{comma}{at_most}", "attempts per request");
    let on =
        |at: f64| report.faults.iter().any(|fault| fault.from < at + width && fault.until.is_none_or(|end| at < end));
    let faults: String = steps.iter().map(|step| if on(step.at) { '^' } else { ' ' }).collect();
    let column = format!("each column is {}", figures::chosen(router_core::Span::from_secs_f64(width)));
    let _ = writeln!(text, "{INDENT}{:WORDS$}{faults}  {column}", "faults");
}

fn bar(value: Option<f64>, most: f64) -> char {
    let level = |value: f64| ((value / most * BARS.len() as f64) as usize).min(BARS.len() - 1);
    value.map_or(' ', |value| BARS[level(value)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_from_nothing_to_all() {
        assert_eq!([Some(0.0), Some(0.5), Some(1.0), None].map(|share| bar(share, 1.0)), ['▁', '▅', '█', ' ']);
        assert_eq!(bar(Some(3.0), 4.0), '▇');
    }
}
