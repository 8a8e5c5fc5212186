//! Annotations of a GitHub workflow: one for each finding.

use routedrill_sim::litellm::Severity;
use routedrill_sim::source::Excerpt;

use super::LintedFile;
use crate::print::ci::{self, Annotation, Level};

/// An error, a warning or a notice for each finding, and an error for each problem of a file that cannot be read. What
/// GitHub would not show is in the log of the step.
pub fn github(files: &[LintedFile]) -> String {
    let mut list = Vec::new();
    for file in files {
        let annotation = |level, at: Option<&Excerpt>, title: &str, message: &str, remedy: &str| Annotation {
            level,
            file: file.name.clone(),
            at: at.map(|at| (at.line, Some(at.column))),
            title: title.to_owned(),
            text: if remedy.is_empty() { message.to_owned() } else { format!("{message}\nhelp: {remedy}") },
        };
        match &file.result {
            Ok(linted) => list.extend(linted.findings.iter().map(|finding| {
                let level = match finding.rule.severity {
                    Severity::Error => Level::Error,
                    Severity::Warning => Level::Warning,
                    Severity::Note => Level::Notice,
                };
                annotation(level, finding.at.as_ref(), finding.rule.name, &finding.message, &finding.remedy)
            })),
            Err(problems) => list.extend(problems.iter().map(|problem| {
                let at = problem.at.as_ref();
                annotation(Level::Error, at, "unreadable", &problem.message, &problem.remedy)
            })),
        }
    }
    ci::annotations(&list)
}
