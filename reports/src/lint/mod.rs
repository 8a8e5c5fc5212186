//! What `routedrill lint` found, for people and for machines.

mod github;
mod json;
mod junit;
mod page;
mod sarif;
mod text;

pub use github::github;
pub use json::json;
pub use junit::junit;
pub use page::page;
pub use sarif::sarif;
pub use text::{explanation, rules, text};

use routedrill_sim::litellm::Severity;
use routedrill_sim::litellm::lint::Linted;
use routedrill_sim::problem::Problems;

/// What came of one file.
#[derive(Clone, PartialEq, Debug)]
pub struct LintedFile {
    /// The file, as it was named.
    pub name: String,
    /// What was found in it, or why it cannot be read.
    pub result: Result<Linted, Problems>,
}

/// How much was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
    /// Findings that a comment silences.
    pub silenced: usize,
    /// Files that cannot be read.
    pub unreadable: usize,
}

impl Counts {
    /// Counts what was found in some files.
    pub fn of(files: &[LintedFile]) -> Self {
        let mut counts = Self::default();
        for file in files {
            let Ok(linted) = &file.result else {
                counts.unreadable += 1;
                continue;
            };
            counts.silenced += linted.silenced.len();
            for finding in &linted.findings {
                *match finding.rule.severity {
                    Severity::Error => &mut counts.errors,
                    Severity::Warning => &mut counts.warnings,
                    Severity::Note => &mut counts.notes,
                } += 1;
            }
        }
        counts
    }
}

/// A severity as a word.
fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
