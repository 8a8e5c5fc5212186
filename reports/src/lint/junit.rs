//! Findings as JUnit XML.

use routedrill_sim::litellm::{Finding, Severity};

use super::{LintedFile, word};
use crate::print::junit::{Outcome, Suite};

/// A case for each finding, which is a failure where `fails` says so, and one for each file in which nothing is; a file
/// that cannot be read is an error.
pub fn junit(files: &[LintedFile], fails: impl Fn(Severity) -> bool) -> String {
    let mut suite = Suite::new("routedrill lint");
    for file in files {
        match &file.result {
            Ok(linted) if linted.findings.is_empty() => suite.case(&file.name, "nothing found", Outcome::Passed),
            Ok(linted) => {
                for finding in &linted.findings {
                    let what = format!("{}: {}", word(finding.rule.severity), finding.message);
                    let outcome = if fails(finding.rule.severity) {
                        Outcome::Failed(what, told(finding))
                    } else {
                        Outcome::Seen(told(finding))
                    };
                    suite.case(&file.name, name(finding), outcome);
                }
            }
            Err(problems) => {
                for problem in problems.iter() {
                    let place = problem.at.as_ref().map_or_else(String::new, |at| format!(", line {}", at.line));
                    let all = format!("{}{place}: {}\nhelp: {}", file.name, problem.message, problem.remedy);
                    suite.case(&file.name, format!("readable{place}"), Outcome::Error(problem.message.clone(), all));
                }
            }
        }
    }
    suite.print()
}

/// The rule and where it is broken: together with the file, what tells findings apart.
fn name(finding: &Finding) -> String {
    match &finding.at {
        Some(at) => format!("{}, line {}, column {}", finding.rule.name, at.line, at.column),
        None => finding.rule.name.to_owned(),
    }
}

fn told(finding: &Finding) -> String {
    let place = finding.at.as_ref().map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
    let line = finding.at.as_ref().map_or_else(String::new, |at| format!("\n{}", at.text));
    let help = if finding.remedy.is_empty() { String::new() } else { format!("\nhelp: {}", finding.remedy) };
    format!(
        "{}{place}{line}\n{}: {}{help}\nsource: {}",
        finding.file,
        word(finding.rule.severity),
        finding.message,
        finding.rule.source
    )
}
