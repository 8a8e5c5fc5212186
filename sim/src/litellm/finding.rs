//! What a configuration says that it does not do: remarks on a file that LiteLLM itself may well start with.

use std::ops::Range;

use annotate_snippets::Level;

pub(super) use super::rule::{self, Rule, Severity};
use crate::problem::{Look, snippet};
use crate::source::{Excerpt, Source};

/// A remark on one place in a configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Which kind it is.
    pub rule: &'static Rule,
    /// The file.
    pub file: String,
    /// The place in it; `None` for a configuration that came without text.
    pub at: Option<Excerpt>,
    /// The place as keys: `router_settings.request_timeout`, `model_list[2].litellm_params.weight`.
    pub path: String,
    /// What is so, and why it matters.
    pub message: String,
    /// What to do about it; may be empty.
    pub remedy: String,
    /// What to write where, when that is mechanical and safe; empty otherwise. No two of them overlap.
    pub edits: Vec<Edit>,
}

/// A piece of the file and what to write instead of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// The bytes of the file; empty: an insertion.
    pub span: Range<usize>,
    /// What takes their place.
    pub text: String,
}

/// The findings on one file while it is read.
pub(super) struct Findings<'a> {
    source: Option<&'a Source>,
    file: &'a str,
    found: Vec<Finding>,
}

impl<'a> Findings<'a> {
    pub(super) const fn new(file: &'a str, source: Option<&'a Source>) -> Self {
        Self { source, file, found: Vec::new() }
    }

    /// What stands at a place in the file; nothing for a configuration without text.
    pub(super) fn written(&self, span: &Range<usize>) -> &'a str {
        self.source.and_then(|source| source.text().get(span.clone())).unwrap_or("")
    }

    /// The line of a place, from 1; 0 for a configuration without text.
    pub(super) fn line(&self, span: &Range<usize>) -> u32 {
        self.source.map_or(0, |source| source.line(span.start))
    }

    pub(super) fn add(
        &mut self,
        rule: &'static Rule,
        span: Range<usize>,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.found.push(Finding {
            rule,
            file: self.file.to_owned(),
            // What was put into the tree after reading stands nowhere in the file.
            at: self.source.filter(|_| span.end > 0).map(|source| source.excerpt(span)),
            path: path.into(),
            message: message.into(),
            remedy: remedy.into(),
            edits: Vec::new(),
        });
    }

    /// Says how the finding that was added last is mended by machine.
    pub(super) fn mend(&mut self, edits: impl IntoIterator<Item = Edit>) {
        if let Some(last) = self.found.last_mut().filter(|_| self.source.is_some()) {
            last.edits = edits.into_iter().filter(|edit| edit.span.end > 0).collect();
        }
    }

    /// The findings in the order of the file.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.found.sort_by(|a, b| {
            let place = |finding: &Finding| finding.at.as_ref().map(|at| (at.line, at.column));
            place(a).cmp(&place(b)).then_with(|| a.rule.name.cmp(b.rule.name))
        });
        // A merged map is read once for each use, and its findings are the same each time.
        self.found.dedup_by(|a, b| a.at.is_some() && a.at == b.at && a.rule == b.rule && a.message == b.message);
        self.found
    }
}

impl Finding {
    /// The finding as people read it: rule, place, text, reason and remedy.
    pub fn render(&self, look: Look) -> String {
        let level = match self.rule.severity {
            Severity::Note => Level::NOTE,
            Severity::Warning => Level::WARNING,
            Severity::Error => Level::ERROR,
        };
        let place = format!("{}: {}", self.file, self.path);
        let file = if self.at.is_some() { &self.file } else { &place };
        snippet(
            &level,
            Some(self.rule.name),
            &self.message,
            file,
            self.at.as_ref(),
            &[(Level::HELP, &self.remedy)],
            look,
        )
    }

    /// The line of the finding, where there is one.
    pub fn line(&self) -> Option<u32> {
        self.at.as_ref().map(|at| at.line)
    }
}
