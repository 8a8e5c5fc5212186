//! A JSON value that knows where it stands, so that whatever is wrong with it can be named.

use std::fmt;

use router_core::{Span, Time};
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::source::Source;

/// Why a file is not a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// The case's name, where the file says it.
    pub case: Option<String>,
    /// Where in the file: `observed.draws[3].u`; empty for the file as a whole.
    pub field: String,
    /// What is wrong there.
    pub message: String,
    /// Line and column, from 1, where the text is no JSON.
    line: Option<(usize, usize)>,
}

impl Malformed {
    /// The text is no JSON from a line and a column on, both from 1.
    pub(super) fn of_text(message: String, line: usize, column: usize) -> Self {
        Self { case: None, field: String::new(), message, line: Some((line, column)) }
    }

    /// Something is wrong at `field`.
    pub(super) fn at(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { case: None, field: field.into(), message: message.into(), line: None }
    }

    /// The same, of a value that stands at `place`.
    pub(super) fn below(mut self, place: &str) -> Self {
        let mut field = place.to_owned();
        if !self.field.is_empty() {
            push_key(&mut field, &self.field);
        }
        self.field = field;
        self
    }

    /// The same, as every input's problems are shown.
    pub(super) fn into_problem(self, source: &Source) -> Problem {
        let remedy = "record the case again, or read conformance/README.md for what a recording holds";
        match self.line {
            None => Problem::of_file(source.name(), self.to_string(), remedy),
            Some((line, column)) => Problem::at_line(source, line, column, self.to_string(), remedy),
        }
    }

    /// The same, of a case whose name is known.
    pub(super) fn in_case(mut self, name: &str) -> Self {
        self.case.get_or_insert_with(|| name.to_owned());
        self
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(case) = &self.case {
            write!(f, "case {case}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Malformed {}

/// A value and the way to it. The way is spelt out only when something is wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    value: &'a Value,
    above: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Field<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, above: None, step: Step::Root }
    }

    /// The member `name`, if it is there; null counts as absent.
    pub(super) fn get(&'a self, name: &'a str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(Field { value, above: Some(self), step: Step::Key(name) })
    }

    /// The member `name`.
    pub(super) fn need(&'a self, name: &'a str) -> Result<Self, Malformed> {
        self.get(name).ok_or_else(|| self.missing(name))
    }

    /// The member `name` as text, if it is there.
    pub(super) fn text_or_null(&'a self, name: &'a str) -> Result<Option<String>, Malformed> {
        self.get(name).map(|field| field.text().map(str::to_owned)).transpose()
    }

    /// The member `status`, if it is there.
    pub(super) fn status(&'a self) -> Result<Option<u16>, Malformed> {
        let Some(field) = self.get("status") else { return Ok(None) };
        let status = field.whole()?;
        u16::try_from(status).map(Some).map_err(|_| field.wrong(format!("{status} is no status")))
    }

    /// The elements of a list.
    pub(super) fn items(&'a self) -> Result<impl Iterator<Item = Field<'a>>, Malformed> {
        let list = self.value.as_array().ok_or_else(|| self.expected("a list"))?;
        Ok(list.iter().enumerate().map(|(index, value)| Field { value, above: Some(self), step: Step::Index(index) }))
    }

    /// The members of an object, in the order in which they are written.
    pub(super) fn members(&'a self) -> Result<impl Iterator<Item = (&'a str, Field<'a>)>, Malformed> {
        Ok(self
            .object()?
            .iter()
            .map(|(name, value)| (name.as_str(), Field { value, above: Some(self), step: Step::Key(name) })))
    }

    pub(super) fn object(&self) -> Result<&'a Map<String, Value>, Malformed> {
        self.value.as_object().ok_or_else(|| self.expected("an object"))
    }

    /// That the object has no members besides `known`.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Malformed> {
        match self.object()?.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let mut malformed = self.wrong(format!("unknown field; known are {}", known.join(", ")));
                push_key(&mut malformed.field, name);
                Err(malformed)
            }
        }
    }

    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    pub(super) fn text(&self) -> Result<&'a str, Malformed> {
        self.value.as_str().ok_or_else(|| self.expected("text"))
    }

    pub(super) fn flag(&self) -> Result<bool, Malformed> {
        self.value.as_bool().ok_or_else(|| self.expected("true or false"))
    }

    pub(super) fn number(&self) -> Result<f64, Malformed> {
        self.value.as_f64().ok_or_else(|| self.expected("a number"))
    }

    /// A whole number, zero or more.
    pub(super) fn whole(&self) -> Result<u64, Malformed> {
        self.value.as_u64().ok_or_else(|| self.expected("a whole number, zero or more"))
    }

    /// A whole number that fits an index.
    pub(super) fn count(&self) -> Result<u32, Malformed> {
        let whole = self.whole()?;
        u32::try_from(whole).map_err(|_| self.wrong(format!("{whole} is too large")))
    }

    /// Seconds after the start.
    pub(super) fn time(&self) -> Result<Time, Malformed> {
        Ok(Time::from_nanos(self.span()?.as_nanos()))
    }

    /// Seconds. Recordings are exact to the microsecond, so the nearest whole one is meant.
    pub(super) fn span(&self) -> Result<Span, Malformed> {
        const SECS_MAX: f64 = 1e10;
        let secs = self.number()?;
        if !(0.0..=SECS_MAX).contains(&secs) {
            return Err(self.wrong(format!("{} is no time in seconds", self.shown())));
        }
        let micros = (secs * 1e6 + 0.5) as u64;
        Ok(Span::from_nanos(micros * 1_000))
    }

    /// An error about this value.
    pub(super) fn wrong(&self, message: String) -> Malformed {
        Malformed::at(self.path(), message)
    }

    /// An error about a member that is not there.
    pub(super) fn missing(&self, name: &str) -> Malformed {
        let mut malformed = self.wrong("missing".to_owned());
        push_key(&mut malformed.field, name);
        malformed
    }

    /// The value as written, shortened.
    pub(super) fn shown(&self) -> String {
        const CHARS_MAX: usize = 60;
        let text = self.value.to_string();
        match text.char_indices().nth(CHARS_MAX) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text,
        }
    }

    fn expected(&self, what: &str) -> Malformed {
        self.wrong(format!("{} where {what} is expected", self.shown()))
    }

    /// The way to this value: `observed.draws[3].u`.
    pub(super) fn path(&self) -> String {
        let mut path = self.above.map(Self::path).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Key(name) => push_key(&mut path, name),
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
        path
    }
}

fn push_key(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}
