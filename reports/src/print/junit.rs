//! JUnit XML, as Jenkins, GitLab and their like read it: one suite, a case for each thing that was tried.

use std::fmt::Write as _;

use super::ci::xml;

/// A suite that is being filled. All counts that readers ask for are in its first line.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Suite {
    name: String,
    cases: Vec<Case>,
}

/// One thing that was tried.
#[derive(Clone, PartialEq, Debug)]
struct Case {
    class: String,
    name: String,
    outcome: Outcome,
}

/// What came of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Outcome {
    /// All is well, and there is no more to say.
    Passed,
    /// All is well, and this is what was seen.
    Seen(String),
    /// It is not as it should be: what in a line, and everything about it.
    Failed(String, String),
    /// It could not be tried: why in a line, and everything about it.
    Error(String, String),
}

impl Suite {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), cases: Vec::new() }
    }

    /// Adds a case. Readers tell cases apart by class and name: `class` is the file or the thing they are about.
    pub(crate) fn case(&mut self, class: impl Into<String>, name: impl Into<String>, outcome: Outcome) {
        self.cases.push(Case { class: class.into(), name: name.into(), outcome });
    }

    /// The whole document.
    pub(crate) fn print(&self) -> String {
        let count = |of: fn(&Outcome) -> bool| self.cases.iter().filter(|case| of(&case.outcome)).count();
        let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\">",
            xml(&self.name),
            self.cases.len(),
            count(|outcome| matches!(outcome, Outcome::Failed(..))),
            count(|outcome| matches!(outcome, Outcome::Error(..))),
        );
        for case in &self.cases {
            let _ = write!(text, "  <testcase classname=\"{}\" name=\"{}\"", xml(&case.class), xml(&case.name));
            let inner = match &case.outcome {
                Outcome::Passed => None,
                Outcome::Seen(seen) => Some(format!("<system-out>{}</system-out>", xml(seen))),
                Outcome::Failed(what, all) => {
                    Some(format!("<failure message=\"{}\">{}</failure>", xml(what), xml(all)))
                }
                Outcome::Error(what, all) => Some(format!("<error message=\"{}\">{}</error>", xml(what), xml(all))),
            };
            let _ = match inner {
                None => writeln!(text, "/>"),
                Some(inner) => writeln!(text, ">\n    {inner}\n  </testcase>"),
            };
        }
        text.push_str("</testsuite>\n");
        text
    }
}
