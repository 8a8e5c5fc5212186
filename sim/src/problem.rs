//! What is wrong with an input, where, and what to do about it: always everything at once.

use std::fmt;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::source::{Excerpt, Source};

/// One thing that makes an input unusable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// The place in it; `None` when the file as a whole is meant.
    pub at: Option<Excerpt>,
    /// What is wrong: a fragment without a capital letter or a full stop.
    pub message: String,
    /// What to do about it. May be empty when there is nothing to say.
    pub remedy: String,
}

/// Everything that is wrong with the input: one problem at least, in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Problems(Vec<Problem>);

/// Whether reports carry colour. Colour is for terminals.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Look {
    /// ASCII text.
    #[default]
    Plain,
    /// With ANSI escapes and box-drawing characters.
    Styled,
}

impl Problem {
    /// A problem with a file as a whole.
    pub fn of_file(file: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { file: file.to_owned(), at: None, message: message.into(), remedy: remedy.into() }
    }

    /// A problem at a span of bytes.
    pub fn at(source: &Source, span: Range<usize>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            file: source.name().to_owned(),
            at: Some(source.excerpt(span)),
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// A problem at a line and a column, both from 1, the column in characters.
    pub fn at_line(
        source: &Source,
        line: usize,
        column: usize,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let byte = source.byte_at(line, column);
        Self::at(source, byte..byte, message, remedy)
    }

    /// The problem as people read it: the place, the offending text, what is wrong and what to do.
    pub fn render(&self, look: Look) -> String {
        snippet(&Level::ERROR, None, &self.message, &self.file, self.at.as_ref(), &[(Level::HELP, &self.remedy)], look)
    }
}

impl Problems {
    /// Nothing wrong yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Adds all of another collection.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// `Ok` with the value when nothing is wrong, else everything that is, in the order of the lines.
    ///
    /// # Errors
    /// The collection itself, when it is not empty.
    pub fn or<T>(mut self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by_key(|problem| problem.at.as_ref().map(|at| (at.line, at.column)));
        Err(self)
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// All of them as people read them, one after the other, with a blank line between them.
    pub fn render(&self, look: Look) -> String {
        let shown: Vec<_> = self.0.iter().map(|problem| problem.render(look)).collect();
        shown.join("\n\n")
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<Problem> for Problems {
    fn from_iter<I: IntoIterator<Item = Problem>>(problems: I) -> Self {
        Self(problems.into_iter().collect())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Look::Plain))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Look::Plain))
    }
}

impl std::error::Error for Problems {}
impl std::error::Error for Problem {}

/// One remark on a place in a file, as rustc prints them: the title with its level and id, the line with the span
/// underlined, and further sentences below.
pub fn snippet(
    level: &Level<'_>,
    id: Option<&str>,
    title: &str,
    file: &str,
    at: Option<&Excerpt>,
    below: &[(Level<'_>, &str)],
    look: Look,
) -> String {
    let mut heading = level.clone().primary_title(title);
    if let Some(id) = id {
        heading = heading.id(id);
    }
    let mut group = Group::with_title(heading);
    group = match at {
        None => group.element(Origin::path(file)),
        Some(at) => group.element(
            Snippet::source(at.text.as_str())
                .line_start(at.line as usize)
                .path(file)
                .annotation(AnnotationKind::Primary.span(at.span.clone())),
        ),
    };
    for (level, text) in below.iter().filter(|(_, text)| !text.is_empty()) {
        group = group.element(level.clone().message(*text));
    }
    let renderer = match look {
        Look::Plain => Renderer::plain().decor_style(DecorStyle::Ascii),
        Look::Styled => Renderer::styled().decor_style(DecorStyle::Unicode),
    };
    renderer.render(&[group])
}

/// The known name that an unknown one was probably meant to be.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&written.to_ascii_lowercase(), &name.to_ascii_lowercase()), name))
        // The first of equally similar names, so that the order of a table decides and not the sort.
        .fold(None, |best: Option<(f64, &str)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        })
        .filter(|&(similarity, _)| similarity > 0.85)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_shown_in_the_order_of_the_file_with_place_text_and_remedy() {
        let source = Source::new("config.yaml", "model_list: 3\nrouter_settings: []\n");
        let mut problems = Problems::new();
        problems.push(Problem::at(&source, 31..33, "router_settings is not a map", "write keys and values below it"));
        problems.push(Problem::at(&source, 12..13, "model_list is not a list", "write one entry per deployment"));
        problems.push(Problem::of_file("other.yaml", "no such file", "check the path"));
        let problems = problems.or(()).expect_err("three problems");
        assert_eq!(
            problems.to_string(),
            "\
error: no such file
--> other.yaml
 = help: check the path

error: model_list is not a list
 --> config.yaml:1:13
  |
1 | model_list: 3
  |             ^
  |
  = help: write one entry per deployment

error: router_settings is not a map
 --> config.yaml:2:18
  |
2 | router_settings: []
  |                  ^^
  |
  = help: write keys and values below it"
        );
    }

    #[test]
    fn nothing_wrong_is_no_error() {
        assert_eq!(Problems::new().or(7), Ok(7));
    }

    #[test]
    fn a_near_miss_is_suggested_and_a_stranger_is_not() {
        let known = ["num_retries", "cooldown_time", "timeout"];
        assert_eq!(did_you_mean("num_retry", known), Some("num_retries"));
        assert_eq!(did_you_mean("cooldown_tme", known), Some("cooldown_time"));
        assert_eq!(did_you_mean("weather", known), None);
    }
}
