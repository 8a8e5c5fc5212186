//! Comments that silence a rule in one place: `# routedrill: ignore RULE because REASON`.

use std::ops::Range;

use super::rule_named;
use crate::litellm::finding::{Finding, Findings, rule};
use crate::source::Source;

/// What begins such a comment, behind its `#`.
const MARK: &str = "routedrill:";

/// The comments of one file.
pub(super) struct Suppressions(Vec<Suppression>);

struct Suppression {
    /// Where the comment stands.
    span: Range<usize>,
    /// The line that it speaks of, from 1: its own, or the next one that is no comment.
    line: u32,
    rules: Vec<String>,
    /// Empty: nobody gave one.
    reason: String,
    /// Why it is no suppression at all.
    broken: Option<String>,
    used: bool,
}

impl Suppressions {
    /// Finds the comments. One at the end of a line speaks of that line; one on a line of its own of the next line that
    /// is neither a comment nor empty.
    pub(super) fn read(source: &Source) -> Self {
        let mut found: Vec<Suppression> = Vec::new();
        let mut waiting = Vec::new();
        let mut start = 0;
        for (number, line) in (1..).zip(source.text().split_inclusive('\n')) {
            let content = line.trim();
            let comment = comment_of(line);
            let alone = content.starts_with('#');
            if !alone && !content.is_empty() {
                for index in waiting.drain(..) {
                    let suppression: &mut Suppression = &mut found[index];
                    suppression.line = number;
                }
            }
            if let Some((at, text)) = comment {
                let span = start + at..start + line.trim_end().len();
                if alone {
                    waiting.push(found.len());
                }
                found.push(parsed(text, span, number));
            }
            start += line.len();
        }
        Self(found)
    }

    /// Divides findings into silenced ones, with the reason, and those that stand.
    pub(super) fn apply(&mut self, findings: Vec<Finding>) -> (Vec<(Finding, String)>, Vec<Finding>) {
        let (mut silenced, mut standing) = (Vec::new(), Vec::new());
        for finding in findings {
            let line = finding.line();
            let by = self.0.iter_mut().find(|suppression| {
                suppression.broken.is_none()
                    && !suppression.reason.is_empty()
                    && Some(suppression.line) == line
                    && suppression.rules.iter().any(|name| name == finding.rule.name)
            });
            match by {
                Some(suppression) => {
                    suppression.used = true;
                    silenced.push((finding, suppression.reason.clone()));
                }
                None => standing.push(finding),
            }
        }
        (silenced, standing)
    }

    /// What is wrong with the comments themselves; to be asked after [`apply`](Self::apply).
    pub(super) fn remarks(&self, source: &Source) -> Vec<Finding> {
        let mut findings = Findings::new(source.name(), Some(source));
        for suppression in &self.0 {
            let span = suppression.span.clone();
            let (rule, message, remedy) = if let Some(broken) = &suppression.broken {
                (&rule::BROKEN_SUPPRESSION, broken.clone(), "write `# routedrill: ignore RULE because REASON`")
            } else if suppression.reason.is_empty() {
                let message = "this comment gives no reason, and silences nothing".to_owned();
                (&rule::BROKEN_SUPPRESSION, message, "add `because` and why the finding does not matter here")
            } else if !suppression.used {
                let message = format!("nothing in line {} is silenced by this comment", suppression.line);
                (&rule::UNUSED_SUPPRESSION, message, "remove it, or move it to the line of the finding")
            } else {
                continue;
            };
            findings.add(rule, span, "", message, remedy);
        }
        findings.finish()
    }
}

/// The text behind the mark, and where in the line the comment begins.
fn comment_of(line: &str) -> Option<(usize, &str)> {
    line.match_indices('#').find_map(|(at, _)| {
        // YAML wants a blank before the `#` of a comment.
        let open = line[..at].chars().next_back().is_none_or(char::is_whitespace);
        let text = line[at + 1..].trim().strip_prefix(MARK)?;
        open.then_some((at, text.trim()))
    })
}

fn parsed(text: &str, span: Range<usize>, line: u32) -> Suppression {
    let mut suppression =
        Suppression { span, line, rules: Vec::new(), reason: String::new(), broken: None, used: false };
    let Some(rest) =
        text.strip_prefix("ignore").filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    else {
        suppression.broken = Some("this comment speaks to routedrill and does not say `ignore`".to_owned());
        return suppression;
    };
    let (names, reason) = match rest.split_once(" because") {
        Some((names, reason)) => (names, reason.trim()),
        None => (rest, ""),
    };
    reason.clone_into(&mut suppression.reason);
    suppression.rules =
        names.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    suppression.broken = match suppression.rules.iter().find_map(|name| rule_named(name).err()) {
        Some(unknown) => Some(unknown),
        None if suppression.rules.is_empty() => Some("this comment names no rule".to_owned()),
        None => None,
    };
    suppression
}
