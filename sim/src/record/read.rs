//! Reading a recording.

use std::path::Path;

use super::{FORMAT, Line, MAGIC, Recording};
use crate::digest::Digest;
use crate::problem::{Problem, Problems};
use crate::source::{Source, sha256};

/// How many bytes a recording may have: some million steps.
const BYTES_MAX: u64 = 1 << 30;

/// Whether a file calls itself a recording in its first line.
pub fn is_recording(path: &Path) -> bool {
    use std::io::Read as _;
    let mut head = [0; MAGIC.len()];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == *MAGIC.as_bytes()
}

/// Reads a recording. One that was changed after it was written is read as far as it makes sense, and is not
/// [`sealed`](Recording::sealed).
///
/// # Errors
/// The file cannot be read, is no recording, is of a newer format, breaks off, or has a line that is none.
pub fn read(path: &Path) -> Result<Recording, Problems> {
    let source = Source::read(path, BYTES_MAX)?;
    Ok(Lines::new(&source).recording()?)
}

/// Reads the text of a recording, under a name.
///
/// # Errors
/// As [`read`].
pub fn parse(name: &str, text: impl Into<String>) -> Result<Recording, Problems> {
    let source = Source::new(name, text);
    Ok(Lines::new(&source).recording()?)
}

/// The lines of a file, one after the other.
struct Lines<'a> {
    source: &'a Source,
    rest: &'a str,
    /// The line that was taken last, from 1.
    line: usize,
}

impl<'a> Lines<'a> {
    fn new(source: &'a Source) -> Self {
        Self { source, rest: source.text(), line: 0 }
    }

    fn recording(&mut self) -> Result<Recording, Problem> {
        let first = self.next("a recording begins with its format").unwrap_or("");
        let Some(format) = first.strip_prefix(MAGIC) else {
            let remedy = "`routedrill run SCENARIO --record FILE` makes a recording";
            return Err(Problem::of_file(self.source.name(), "this is no recording of a run", remedy));
        };
        match format.parse::<u32>() {
            Ok(FORMAT) => {}
            Ok(newer) if newer > FORMAT => {
                let message = format!("this recording has format {newer}, and this routedrill reads {FORMAT}");
                return Err(self.problem(message, "replay it with the routedrill that made it, or a newer one"));
            }
            _ => return Err(self.problem("this format does not exist".to_owned(), EDITED)),
        }
        let made_by = self.field("made by routedrill ")?.to_owned();
        let litellm = self.field("litellm ")?.to_owned();
        let seed = self.number("seed ", "")?;
        let count = self.number("scenario ", " lines")?;
        let mut scenario = String::new();
        for _ in 0..count {
            scenario.push_str(self.next("its scenario")?);
            scenario.push('\n');
        }
        if self.next("its steps")? != "steps" {
            return Err(self.problem("this is not where the steps begin".to_owned(), EDITED));
        }
        let mut steps = Vec::new();
        let mut at = 0_u64;
        loop {
            let place = self.source.text().len() - self.rest.len();
            let line = self.next("its end")?;
            if let Some(end) = line.strip_prefix("end ") {
                return self.end(
                    end,
                    place,
                    Recording { made_by, litellm, seed, scenario, steps, digest: Digest::default(), sealed: false },
                );
            }
            let step =
                step(line, &mut at).ok_or_else(|| self.problem(format!("step {} is none", steps.len() + 1), EDITED))?;
            steps.push(step);
        }
    }

    /// The last line, which begins at `place`.
    fn end(&self, end: &str, place: usize, recording: Recording) -> Result<Recording, Problem> {
        let broken = || self.problem("this is not how a recording ends".to_owned(), EDITED);
        let (count, rest) = end.split_once(" steps, digest ").ok_or_else(broken)?;
        let (digest, written) = rest.split_once(", seal ").ok_or_else(broken)?;
        let count: usize = count.parse().map_err(|_| broken())?;
        let digest = u128::from_str_radix(digest, 16).map(Digest).map_err(|_| broken())?;
        let text = self.source.text();
        let sealed_text = &text[..place + "end ".len() + end.len() - written.len()];
        let ends_here = self.rest.is_empty() && text.ends_with('\n');
        let sealed = ends_here && count == recording.steps.len() && sha256(sealed_text.as_bytes()) == written;
        Ok(Recording { digest, sealed, ..recording })
    }

    /// The next line without its break. `missing` says what a file that ends here lacks.
    fn next(&mut self, missing: &str) -> Result<&'a str, Problem> {
        let Some((line, rest)) = self.rest.split_once('\n') else {
            let message = format!("the recording breaks off in line {}, before {missing}", self.line + 1);
            let remedy = "record it again: `routedrill run SCENARIO --record FILE`";
            return Err(Problem::of_file(self.source.name(), message, remedy));
        };
        self.rest = rest;
        self.line += 1;
        Ok(line)
    }

    fn field(&mut self, name: &str) -> Result<&'a str, Problem> {
        let line = self.next("its head")?;
        line.strip_prefix(name).ok_or_else(|| self.problem(format!("`{}` belongs here", name.trim()), EDITED))
    }

    fn number(&mut self, name: &str, unit: &str) -> Result<u64, Problem> {
        let text = self.field(name)?;
        let number = text.strip_suffix(unit).and_then(|number| number.parse().ok());
        number.ok_or_else(|| self.problem(format!("`{text}` is no number{unit}"), EDITED))
    }

    fn problem(&self, message: String, remedy: &str) -> Problem {
        Problem::at_line(self.source, self.line, 1, message, remedy)
    }
}

const EDITED: &str = "the file was changed after it was written: record it again";

/// `at` is the time of the step before, and becomes that of this one.
fn step(line: &str, at: &mut u64) -> Option<Line> {
    let mut parts = line.splitn(4, ' ');
    let since: u64 = parts.next()?.parse().ok()?;
    let actor = parts.next()?.parse().ok()?;
    let hash = parts.next().filter(|hash| hash.len() == 8)?;
    let hash = u32::from_str_radix(hash, 16).ok()?;
    let words = parts.next().filter(|words| !words.is_empty())?.to_owned();
    *at = at.checked_add(since)?;
    Some(Line { at: *at, actor, hash, words })
}
