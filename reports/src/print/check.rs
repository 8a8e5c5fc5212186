//! The report of scenarios under many seeds: as text, as JUnit XML, as annotations of GitHub Actions, as Markdown.

use std::fmt::Write as _;

use super::ci::{self, Annotation, Level, Summary};
use super::junit::{Outcome, Suite};
use super::laws;
use crate::figures;
use crate::model::{CheckReport, CheckedScenario, SeedFailure, Verdict};
use crate::table::{Align, INDENT};

/// Failing seeds of one scenario that are told in full; the others are counted.
const SHOWN_MAX: usize = 3;

/// What broke in a run, one sentence each.
pub(super) fn sentences(failure: &SeedFailure) -> Vec<String> {
    let mut list = Vec::new();
    for law in &failure.laws {
        let place = laws::place(law.request.as_ref(), law.deployment.as_ref(), law.at);
        list.push(format!("law {} broken: {place}: {}", law.law, law.what));
    }
    for promise in &failure.promises {
        let verdict = match (promise.not_judged, promise.held) {
            (true, _) => "promise cannot be judged",
            (false, true) => "promise held, though the scenario shows it broken",
            (false, false) => "promise broken",
        };
        list.push(format!("{verdict}: {}, seen {}", promise.promise, promise.seen));
    }
    if let Some((count, how, example, due)) =
        failure.loss.as_ref().filter(|_| failure.promises.iter().any(|promise| !promise.not_judged))
    {
        let lost = figures::counted(*count, "request");
        list.push(format!("most lost: {lost}: {how}; the first: request {example}, due at {}", figures::seconds(*due)));
    }
    list.extend(failure.cut_short.iter().map(|why| format!("cut short: {why}")));
    list
}

/// What no run reached, one sentence each.
fn never(scenario: &CheckedScenario) -> Vec<String> {
    let seen = scenario.never_seen.iter().map(|what| format!("must see {what}: never seen under any seed"));
    let fired = scenario.never_fired.iter().map(|what| format!("fault {what}: never fired under any seed"));
    seen.chain(fired).collect()
}

/// How many runs came out in which way.
fn verdicts(scenario: &CheckedScenario) -> String {
    let each = scenario.verdicts.iter().map(|(verdict, runs)| format!("{} {}", figures::count(*runs), verdict.word()));
    let shown = scenario.is_clean() && scenario.verdicts.iter().any(|(verdict, _)| *verdict != Verdict::Held);
    each.collect::<Vec<_>>().join(", ") + if shown { ", as the scenario shows" } else { "" }
}

/// As people read it in a terminal: a line per scenario, and the failures last.
pub fn check_text(report: &CheckReport) -> String {
    let mut text = String::new();
    for one in &report.scenarios {
        let verdict = if one.is_clean() { "held" } else { "BROKEN" };
        let held = one.runs - one.failures.len() as u64;
        let worst = one.worst.map_or_else(String::new, |(seed, share)| {
            format!(", worst seed {seed} answered {}", figures::percent(share))
        });
        let _ = writeln!(
            text,
            "{verdict:<6}  {}: {} of {} clean, {}{worst}",
            one.title(),
            figures::count(held),
            figures::counted(one.runs, "run"),
            figures::counted(one.requests, "request"),
        );
        let _ = writeln!(text, "{INDENT}{INDENT}{INDENT}{INDENT}verdicts: {}", verdicts(one));
        let _ = writeln!(text, "{INDENT}{INDENT}{INDENT}{INDENT}reached {}", one.reached.join(", "));
        for (law, reason, count) in &one.waived {
            let broken = figures::counted(*count, "time");
            let _ = writeln!(text, "{INDENT}{INDENT}{INDENT}{INDENT}waived law {law}, broken {broken}: {reason}");
        }
        for one in &one.known_defects {
            let showed = figures::counted(one.count, "time");
            let _ = writeln!(
                text,
                "{INDENT}{INDENT}{INDENT}{INDENT}known defect of the release, {}, {showed}: {}",
                one.defect, one.says
            );
        }
    }
    for one in report.scenarios.iter().filter(|one| !one.is_clean()) {
        let _ = writeln!(text, "\n{} ({})", one.title(), one.path);
        for what in never(one) {
            let _ = writeln!(text, "{INDENT}{what}");
        }
        for failure in one.failures.iter().take(SHOWN_MAX) {
            let _ = writeln!(text, "{INDENT}seed {}: {}", failure.seed, failure.verdict.word());
            for what in sentences(failure) {
                let _ = writeln!(text, "{INDENT}{INDENT}{what}");
            }
            let _ = writeln!(text, "{INDENT}{INDENT}replay: {}", failure.replay);
        }
        let rest = one.failures.len().saturating_sub(SHOWN_MAX) as u64;
        if rest > 0 {
            let _ = writeln!(text, "{INDENT}and {}", figures::counted(rest, "more failing seed"));
        }
    }
    if !report.left_out.is_empty() {
        let _ = writeln!(text, "\nleft out after that: {}", report.left_out.join(", "));
    }
    let clean = report.scenarios.iter().filter(|one| one.is_clean()).count() as u64;
    let all = figures::counted(report.scenarios.len() as u64, "scenario");
    let _ = writeln!(text, "\n{} of {all} held under seeds {}", figures::count(clean), report.seeds);
    text
}

/// As annotations of GitHub Actions: one for each failing seed.
pub fn check_github(report: &CheckReport) -> String {
    let mut list = Vec::new();
    for one in &report.scenarios {
        let annotation = |title: String, text: String| Annotation {
            level: Level::Error,
            file: one.path.clone(),
            at: None,
            title,
            text,
        };
        list.extend(never(one).into_iter().map(|what| annotation(one.title(), what)));
        list.extend(one.failures.iter().map(|failure| {
            let title = format!("{}, seed {}: {}", one.title(), failure.seed, failure.verdict.word());
            annotation(title, format!("{}\nreplay: {}", sentences(failure).join("\n"), failure.replay))
        }));
    }
    ci::annotations(&list)
}

/// As JUnit XML: a suite with a case for each scenario.
pub fn check_junit(report: &CheckReport) -> String {
    let mut suite = Suite::new("routedrill check");
    for one in &report.scenarios {
        let mut told = never(one);
        for failure in &one.failures {
            told.push(format!("seed {} ({}): {}", failure.seed, failure.verdict.word(), sentences(failure).join("; ")));
            told.push(format!("replay: {}", failure.replay));
        }
        let outcome = match told.first() {
            _ if one.is_clean() => Outcome::Passed,
            first => Outcome::Failed(first.cloned().unwrap_or_default(), told.join("\n")),
        };
        suite.case(&one.path, one.title(), outcome);
    }
    suite.print()
}

/// As Markdown for a step summary: a line for each scenario, and for each failing seed.
pub fn check_markdown(report: &CheckReport) -> String {
    const ROWS_MAX: usize = 500;
    let mut summary = Summary::default();
    let clean = report.scenarios.iter().filter(|one| one.is_clean()).count() as u64;
    summary.text(&format!(
        "## Promises and laws: {} of {} held\n\nSeeds {}, {}.\n",
        figures::count(clean),
        figures::counted(report.scenarios.len() as u64, "scenario"),
        report.seeds,
        figures::counted(report.scenarios.iter().map(|one| one.requests).sum(), "request"),
    ));
    let failing = report.scenarios.iter().flat_map(|one| {
        let never = never(one).into_iter().map(|what| vec![one.title(), "all".to_owned(), what, String::new()]);
        let seeds = one.failures.iter().map(|failure| {
            let what = sentences(failure).join("; ");
            vec![one.title(), failure.seed.to_string(), what, failure.replay.clone()]
        });
        never.chain(seeds)
    });
    let columns = ["scenario", "seed", "what broke", "replay"].map(|title| (title, Align::Left));
    summary.table(&columns, failing.collect::<Vec<_>>().into_iter(), ROWS_MAX, "more failing seed");
    let columns = [
        ("scenario", Align::Left),
        ("", Align::Left),
        ("clean runs", Align::Right),
        ("requests", Align::Right),
        ("worst seed answered", Align::Right),
    ];
    let rows = report.scenarios.iter().map(|one| {
        let held = one.runs - one.failures.len() as u64;
        vec![
            one.title(),
            if one.is_clean() { "held" } else { "**broken**" }.to_owned(),
            format!("{} of {}", figures::count(held), figures::count(one.runs)),
            figures::count(one.requests),
            one.worst.map_or_else(|| figures::DASH.to_owned(), |(_, share)| figures::percent(share)),
        ]
    });
    summary.table(&columns, rows, ROWS_MAX, "more scenario");
    if !report.left_out.is_empty() {
        summary.text(&format!("\nleft out after that: {}\n", report.left_out.join(", ")));
    }
    summary.finish()
}
