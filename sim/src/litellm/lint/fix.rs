//! What can be mended by machine: the text of a configuration with the edits of its findings made.

use std::ops::Range;

use super::{Choice, lint};
use crate::litellm::config::Options;
use crate::litellm::finding::{Edit, Finding, Severity};
use crate::problem::Problems;
use crate::source::Source;

/// How often a text is mended and read again. One round mends everything that does not get in each other's way.
const ROUNDS_MAX: usize = 100;

/// A configuration after mending.
#[derive(Clone, PartialEq, Debug)]
pub struct Fixed {
    /// The text; what is not mended is untouched, comments and layout included.
    pub text: String,
    /// The findings that are mended, in the order in which that happened.
    pub mended: Vec<Finding>,
}

/// Mends everything that is mechanical and safe among what stands in this configuration. What a comment silences, or
/// the choice leaves out, is left alone. The result reads as before in everything else, and mending it again changes
/// nothing.
///
/// # Errors
/// As [`lint`].
pub fn fix(source: &Source, options: &Options, choice: &Choice) -> Result<Fixed, Problems> {
    let mut fixed = Fixed { text: source.text().to_owned(), mended: Vec::new() };
    let mut findings = lint(source, options, choice)?.findings;
    // A mend that makes things worse is none, and must not keep others from what it would have touched.
    let mut refused: Vec<(&str, String)> = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let chosen = apart(&findings, &refused);
        if chosen.is_empty() {
            break;
        }
        // Together, or if that breaks the file the first that does not; a mend that breaks it alone is none. A setting
        // that is put where LiteLLM reads it may turn out to be one that it refuses, unless that can be mended as well:
        // a number in quotes.
        let whole = std::iter::once(chosen.clone()).chain(chosen.iter().map(|one| vec![*one]));
        let done = whole.into_iter().find_map(|some| {
            let (mut text, mut left) = attempt(&fixed.text, &some, source, options, choice)?;
            let mut mended: Vec<Finding> = some.into_iter().cloned().collect();
            if errors(&left) > errors(&findings) {
                let mut further = apart(&left, &refused);
                further.retain(|finding| finding.rule.severity == Severity::Error);
                let then = attempt(&text, &further, source, options, choice)?;
                mended.extend(further.into_iter().cloned());
                (text, left) = then;
            }
            (errors(&left) <= errors(&findings)).then_some((text, left, mended))
        });
        let Some((text, left, mended)) = done else {
            refused.extend(chosen.iter().map(|finding| (finding.rule.name, finding.path.clone())));
            continue;
        };
        fixed.mended.extend(mended);
        fixed.text = text;
        findings = left;
    }
    Ok(fixed)
}

fn errors(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.rule.severity == Severity::Error).count()
}

/// The findings that can be mended in one go.
fn apart<'f>(findings: &'f [Finding], refused: &[(&str, String)]) -> Vec<&'f Finding> {
    let mut taken: Vec<Range<usize>> = Vec::new();
    let mut chosen = Vec::new();
    let stands =
        |finding: &&Finding| !refused.iter().any(|(rule, path)| *rule == finding.rule.name && *path == finding.path);
    for finding in findings.iter().filter(|finding| !finding.edits.is_empty()).filter(stands) {
        let clashes = |edit: &Edit| taken.iter().any(|span| edit.span.start <= span.end && span.start <= edit.span.end);
        if !finding.edits.iter().any(clashes) {
            taken.extend(finding.edits.iter().map(|edit| edit.span.clone()));
            chosen.push(finding);
        }
    }
    chosen
}

/// The text with these findings mended, and what is found in it then; `None` when it cannot be read any more.
fn attempt(
    text: &str,
    chosen: &[&Finding],
    source: &Source,
    options: &Options,
    choice: &Choice,
) -> Option<(String, Vec<Finding>)> {
    let mut edits: Vec<&Edit> = chosen.iter().flat_map(|finding| &finding.edits).collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut mended = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        mended += text.get(done..edit.span.start)?;
        mended += &edit.text;
        done = edit.span.end;
    }
    mended += text.get(done..)?;
    let left = lint(&Source::new(source.name(), mended.as_str()), options, choice).ok()?.findings;
    Some((mended, left))
}
