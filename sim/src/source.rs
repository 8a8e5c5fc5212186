//! An input file: reading it, finding places in it, and showing a piece of it.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::ops::Range;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::problem::Problem;
use crate::secrets::mask_line;

/// How many bytes a configuration or a scenario may have. Real ones have some kilobytes.
pub const CONFIG_BYTES_MAX: u64 = 4 << 20;

/// How far around a span secrets are looked for, in bytes.
const SEARCHED_BYTES_MAX: usize = 4096;

/// How much of one line is shown at most, in bytes.
const SHOWN_BYTES_MAX: usize = 200;

/// The text of one input file and the name that people know it by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    name: String,
    text: String,
    /// The byte at which each line begins.
    lines: Vec<usize>,
}

/// A piece of a file, ready to be shown: secrets in it are asterisks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt {
    /// The line, from 1.
    pub line: u32,
    /// The column, in characters, from 1.
    pub column: u32,
    /// The text of the line; of a very long one, the part around the span.
    pub text: String,
    /// What is meant, in bytes of `text`.
    pub span: Range<usize>,
}

/// SHA-256 of a file's content, in hexadecimal, as `sha256sum` prints it.
pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Source {
    /// Text that is already in memory, under a name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), text, lines }
    }

    /// Reads a file of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// One [`Problem`] when it does not exist, is a directory, may not be read, is larger, or is not UTF-8.
    pub fn read(path: &Path, bytes_max: u64) -> Result<Self, Problem> {
        Self::from_bytes(path.display().to_string(), bytes(path, bytes_max)?)
    }

    /// Bytes that are already in memory, under a name.
    ///
    /// # Errors
    /// A [`Problem`] at the first byte that is not UTF-8.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Problem> {
        let name = name.into();
        String::from_utf8(bytes).map(|text| Self::new(&name, text)).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let line = bytes[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            let remedy = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
                "the file begins with a UTF-16 byte order mark: save it as UTF-8"
            } else {
                "save the file as UTF-8"
            };
            Problem::of_file(
                &name,
                format!("not valid UTF-8: byte {:#04x} at offset {at}, in line {line}", bytes[at]),
                remedy,
            )
        })
    }

    /// The name that people know the file by: its path as given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line of a byte, from 1.
    pub fn line(&self, byte: usize) -> u32 {
        narrow(self.line_index(byte) + 1)
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub fn position(&self, byte: usize) -> (u32, u32) {
        let byte = self.floor(byte);
        let line = self.line_index(byte);
        let column = self.text[self.lines[line]..byte].chars().count();
        (narrow(line + 1), narrow(column + 1))
    }

    /// The byte at a line and a column, both from 1, the column in characters; the nearest one there is.
    pub fn byte_at(&self, line: usize, column: usize) -> usize {
        let line = line.clamp(1, self.lines.len());
        let start = self.lines[line - 1];
        let text = self.line_text(line);
        start + text.char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(at, _)| at)
    }

    /// What to show for a span of bytes. A span over several lines is shown on its first one.
    pub fn excerpt(&self, span: Range<usize>) -> Excerpt {
        let start = self.floor(span.start);
        let (line, column) = self.position(start);
        let line_start = self.lines[line as usize - 1];
        let text = self.line_text(line as usize);
        let from = (start - line_start).min(text.len());
        let to = self.floor(span.end).saturating_sub(line_start).clamp(from, text.len());
        // Of a very long line only the neighbourhood is looked at. A word that is cut in two at its start could be the
        // rest of a secret, and is left out.
        let near = match from.checked_sub(SEARCHED_BYTES_MAX) {
            None => 0,
            Some(far) => {
                let far = floor(text, far);
                far + text[far..from].find([' ', ',', '{', '[']).unwrap_or(from - far)
            }
        };
        let end = floor(text, to + SEARCHED_BYTES_MAX);
        let masked = mask_line(&text[near..end]);
        let (text, span) = shorten(&masked, from - near..to - near, near > 0, end < text.len());
        Excerpt { line, column, text, span }
    }

    fn line_index(&self, byte: usize) -> usize {
        self.lines.partition_point(|&start| start <= byte.min(self.text.len())) - 1
    }

    fn line_text(&self, line: usize) -> &str {
        let end = self.lines.get(line).copied().unwrap_or(self.text.len());
        self.text[self.lines[line - 1]..end].trim_end_matches(['\n', '\r'])
    }

    fn floor(&self, byte: usize) -> usize {
        floor(&self.text, byte)
    }
}

/// The last boundary between two characters that is not after `byte`.
fn floor(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// Cuts a long line down to what is around the span.
fn shorten(line: &str, span: Range<usize>, cut_before: bool, cut_after: bool) -> (String, Range<usize>) {
    if line.len() <= SHOWN_BYTES_MAX && !cut_before && !cut_after {
        return (line.to_owned(), span);
    }
    let from = floor(line, span.start.saturating_sub(SHOWN_BYTES_MAX / 3));
    let to = floor(line, from + SHOWN_BYTES_MAX);
    let head = if cut_before || from > 0 { "..." } else { "" };
    let tail = if cut_after || to < line.len() { "..." } else { "" };
    let shift = |at: usize| at.clamp(from, to) - from + head.len();
    (format!("{head}{}{tail}", &line[from..to]), shift(span.start)..shift(span.end))
}

/// The bytes of a file of at most `bytes_max` bytes.
///
/// # Errors
/// One [`Problem`] when it does not exist, is a directory, may not be read, or is larger.
pub fn bytes(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Problem> {
    let name = path.display().to_string();
    read_bytes(path, bytes_max).map_err(|(message, remedy)| Problem::of_file(&name, message, remedy))
}

fn read_bytes(path: &Path, bytes_max: u64) -> Result<Vec<u8>, (String, String)> {
    let failed = |error: &std::io::Error| match error.kind() {
        ErrorKind::NotFound => ("no such file".to_owned(), "check the path".to_owned()),
        ErrorKind::PermissionDenied => {
            ("permission denied".to_owned(), "make the file readable for this user".to_owned())
        }
        ErrorKind::IsADirectory => is_a_directory(),
        _ => (format!("cannot be read: {error}"), "check the path".to_owned()),
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    if file.metadata().map_err(|error| failed(&error))?.is_dir() {
        return Err(is_a_directory());
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that fits from one that does not, whatever its metadata say: a pipe and
    // /dev/zero have no length.
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > bytes_max {
        return Err((
            format!("larger than {bytes_max} bytes, the most that is read"),
            "give the file itself, not an archive or a log of it".to_owned(),
        ));
    }
    Ok(bytes)
}

fn is_a_directory() -> (String, String) {
    ("is a directory".to_owned(), "give the file in it".to_owned())
}

/// Lines and columns of a file that fits into memory fit, or are far beyond what a person looks at.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters_from_one() {
        let source = Source::new("a", "één: 1\r\ntwo: 2\n");
        let two = source.text().find("two").unwrap_or_default();
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(two), (2, 1));
        assert_eq!(source.position(source.text().find(": 1").unwrap_or_default()), (1, 4));
        assert_eq!(source.position(usize::MAX), (3, 1));
        assert_eq!(source.byte_at(2, 1), two);
        assert_eq!(source.byte_at(99, 99), source.text().len());
    }

    #[test]
    fn an_excerpt_shows_the_line_and_marks_the_span_but_no_secret() {
        let source = Source::new("a", "a: 1\n  api_key: hunter2 # b\n");
        let excerpt = source.excerpt(7..14);
        assert_eq!((excerpt.line, excerpt.column), (2, 3));
        assert_eq!(excerpt.text, "  api_key: ******* # b");
        assert_eq!(&excerpt.text[excerpt.span], "api_key");
    }

    #[test]
    fn a_long_line_is_cut_around_the_span() {
        let text = format!("{}needle{}", "x".repeat(10_000), "é".repeat(10_000));
        let excerpt = Source::new("a", text).excerpt(10_000..10_006);
        assert!(excerpt.text.len() < 300);
        assert_eq!(&excerpt.text[excerpt.span], "needle");
    }

    #[test]
    fn the_end_of_a_long_secret_is_not_shown_either() {
        let text = format!("{{\"api_key\": \"{}\", \"rpm\": ten}}", "s3cret".repeat(2_000));
        let at = text.find("ten").unwrap_or_default();
        let excerpt = Source::new("a", text).excerpt(at..at + 3);
        assert_eq!(&excerpt.text[excerpt.span.clone()], "ten");
        assert!(!excerpt.text.contains("s3cret"), "{}", excerpt.text);
    }

    #[test]
    fn files_that_cannot_be_read_say_why_and_what_to_do() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let write = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).expect("a file in it");
            path
        };
        for (path, message) in [
            (dir.path().to_owned(), "is a directory"),
            (dir.path().join("missing.yaml"), "no such file"),
            (write("large", &[b'a'; 65]), "larger than 64 bytes"),
            (write("latin1", b"a: 1\nb: \xe9\n"), "byte 0xe9 at offset 8, in line 2"),
            (write("utf16", b"\xff\xfea\0"), "not valid UTF-8"),
        ] {
            let problem = Source::read(&path, 64).expect_err(message);
            assert!(problem.message.contains(message), "{}", problem.message);
            assert!(!problem.remedy.is_empty());
        }
        assert!(Source::read(&write("fits", &[b'a'; 64]), 64).is_ok());
    }
}
