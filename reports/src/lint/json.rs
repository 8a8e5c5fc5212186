//! Findings as JSON.

use routedrill_sim::litellm::Finding;
use router_core::Release;
use serde_json::{Value, json};

use super::{Counts, LintedFile, word};

/// The version of the format; it changes when a key changes its meaning or goes away.
const FORMAT: u32 = 1;

/// Findings, what is silenced, and the worst cases, file by file; times in seconds.
///
/// # Errors
/// Never in practice: nothing in the report is beyond JSON.
pub fn json(files: &[LintedFile], release: Release) -> Result<String, serde_json::Error> {
    let Counts { errors, warnings, notes, silenced, unreadable } = Counts::of(files);
    let report = json!({
        "format": FORMAT,
        "litellm": release.number(),
        "files": files.iter().map(of_file).collect::<Vec<_>>(),
        "summary": {
            "errors": errors,
            "warnings": warnings,
            "notes": notes,
            "silenced": silenced,
            "unreadable": unreadable,
        },
    });
    serde_json::to_string_pretty(&report).map(|text| text + "\n")
}

fn of_file(file: &LintedFile) -> Value {
    let linted = match &file.result {
        Ok(linted) => linted,
        Err(problems) => {
            let problem = |problem: &routedrill_sim::problem::Problem| {
                json!({
                    "line": problem.at.as_ref().map(|at| at.line),
                    "column": problem.at.as_ref().map(|at| at.column),
                    "message": problem.message,
                    "remedy": problem.remedy,
                })
            };
            let problems: Vec<_> = problems.iter().map(problem).collect();
            return json!({ "file": file.name, "readable": false, "problems": problems });
        }
    };
    let silenced = linted.silenced.iter().map(|(finding, reason)| {
        let mut value = found(finding);
        value["reason"] = json!(reason);
        value
    });
    let worst_cases = linted.worst_cases.iter().map(|case| {
        json!({
            "group": case.group,
            "way": case.way,
            "calls": case.calls,
            "seconds": case.time.as_secs_f64(),
            "longest_attempt_seconds": case.attempt.as_secs_f64(),
            "cut_short": case.cut_short,
        })
    });
    json!({
        "file": file.name,
        "readable": true,
        "findings": linted.findings.iter().map(found).collect::<Vec<_>>(),
        "silenced": silenced.collect::<Vec<_>>(),
        "worst_cases": worst_cases.collect::<Vec<_>>(),
    })
}

fn found(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule.name,
        "severity": word(finding.rule.severity),
        "line": finding.line(),
        "column": finding.at.as_ref().map(|at| at.column),
        "path": finding.path,
        "text": finding.at.as_ref().and_then(|at| at.text.get(at.span.clone())),
        "message": finding.message,
        "remedy": finding.remedy,
        "edits": finding.edits.iter().map(|edit| {
            json!({ "start": edit.span.start, "end": edit.span.end, "text": edit.text })
        }).collect::<Vec<_>>(),
        "source": finding.rule.source,
        "stops_start_up": finding.rule.stops_start_up,
    })
}
