//! Recorded traffic: CSV files with one request per row.
//!
//! Two layouts are read: `TIMESTAMP,ContextTokens,GeneratedTokens`, that of the Azure LLM inference traces, whose times
//! are moments of the calendar and count from the first row; and `t,prompt_tokens,output_tokens`, whose times are seconds
//! from the start of the run. Further columns are ignored. A file is read row by row, never as a whole.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use jiff::civil::DateTime;
use router_core::{Span, Time};

use schemars::{Schema, json_schema};

use super::meant::{Recording, TraceRow};
use super::quantity::{Complaint, Duration, Quantity};
use crate::problem::{Problem, did_you_mean};
use crate::source::Source;

/// The most rows of one trace: 24 bytes each are held in memory.
const ROWS_MAX: usize = 20_000_000;

impl Recording {
    /// All of a file.
    ///
    /// # Errors
    /// As [`read_file`].
    pub fn read(file: &Path) -> Result<Self, Problem> {
        Ok(Self { rows: read_file(file)?.into(), file: file.to_owned(), every: 1, skip: 0 })
    }

    /// Every so-manieth of its requests, after the first `skip`, as far as they come before `end`. `every` is at least 1.
    #[must_use]
    pub fn share(&self, every: u32, skip: u32, end: Time) -> Self {
        let rows = self.rows.iter().take_while(|row| row.at < end).skip(skip as usize).step_by(every as usize);
        // The file is shared out in rows, so shares of shares add up in rows, too.
        let (every, skip) =
            (self.every.saturating_mul(every), self.skip.saturating_add(self.every.saturating_mul(skip)));
        Self { rows: rows.copied().collect(), file: self.file.clone(), every, skip }
    }
}

/// One request, in the words of a scenario: `100ms 800 150` comes after 100 ms, with 800 tokens of prompt and 150 of answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OneRequest(pub TraceRow);

impl Quantity for OneRequest {
    const NAME: &'static str = "Request";

    fn parse(text: &str) -> Result<Self, Complaint> {
        const HELP: &str = "write when it comes and its tokens of prompt and answer: `100ms 800 150`";
        let wrong = || Complaint::new("this is not a request").help(HELP);
        let mut parts = text.split_whitespace();
        let (Some(at), Some(prompt), Some(output), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let Duration(at) = Duration::parse(at)?;
        let tokens = |text: &str| text.parse().map_err(|_| wrong());
        let (prompt_tokens, output_tokens) = (tokens(prompt)?, tokens(output)?);
        Ok(Self(TraceRow { at: Time::ZERO + at, prompt_tokens, output_tokens }))
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "description": "When it comes, tokens of its prompt, tokens of its answer: `100ms 800 150`.",
            "pattern": "^\\s*[0-9][^ ]* +[0-9]+ +[0-9]+\\s*$",
            "examples": ["100ms 800 150"]
        })
    }
}

impl fmt::Display for OneRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TraceRow { at, prompt_tokens, output_tokens } = self.0;
        write!(f, "{} {prompt_tokens} {output_tokens}", Duration(at.since(Time::ZERO)))
    }
}

/// Reads a trace.
///
/// # Errors
/// The first row that is none, with its line, or why the file cannot be read.
pub fn read_file(path: &Path) -> Result<Vec<TraceRow>, Problem> {
    let name = path.display().to_string();
    let unreadable = |error: &std::io::Error| {
        let remedy = "check the path; where a scenario names the trace, it is relative to the scenario file";
        Problem::of_file(&name, format!("the trace cannot be read: {error}"), remedy)
    };
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(Problem::of_file(&name, "the trace is a directory", "give the CSV file in it"));
    }
    read(file, &name)
}

/// Reads a trace from anything; `name` is what it is called in problems.
///
/// # Errors
/// The first row that is none, with its line.
pub fn read(text: impl Read, name: &str) -> Result<Vec<TraceRow>, Problem> {
    let mut reader = ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text);
    let columns = Columns::find(reader.headers().map_err(|error| unreadable(name, &error))?, name)?;
    let mut rows: Vec<TraceRow> = Vec::new();
    let mut first = None;
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| unreadable(name, &error))? {
        let row = Row { columns: &columns, record: &record, name };
        let at = row.time(&mut first)?;
        if let Some(last) = rows.last()
            && at < last.at
        {
            return Err(row.problem(
                columns.time,
                "this row is earlier than the one before it",
                "sort the rows by time",
            ));
        }
        if rows.len() == ROWS_MAX {
            return Err(row.problem(columns.time, "this trace has too many rows", "20 million are read at most"));
        }
        rows.push(TraceRow {
            at,
            prompt_tokens: row.tokens(columns.prompt)?,
            output_tokens: row.tokens(columns.output)?,
        });
    }
    if rows.is_empty() {
        return Err(Problem::of_file(name, "the trace has no rows", "it needs one request at least"));
    }
    Ok(rows)
}

/// Which column holds what.
struct Columns {
    /// Times are moments of the calendar, not seconds.
    calendar: bool,
    time: usize,
    prompt: usize,
    output: usize,
}

impl Columns {
    const LAYOUTS: [(bool, [&'static str; 3]); 2] =
        [(true, ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]), (false, ["t", "prompt_tokens", "output_tokens"])];

    fn find(header: &StringRecord, name: &str) -> Result<Self, Problem> {
        let header: Vec<_> = header.iter().map(|cell| cell.trim_start_matches('\u{feff}')).collect();
        let place = |column: &str| header.iter().position(|cell| *cell == column);
        for (calendar, [time, prompt, output]) in Self::LAYOUTS {
            if let (Some(time), Some(prompt), Some(output)) = (place(time), place(prompt), place(output)) {
                return Ok(Self { calendar, time, prompt, output });
            }
        }
        let shown: String = header.join(",").chars().take(120).collect();
        let source = Source::new(name, shown.as_str());
        let known = Self::LAYOUTS.iter().flat_map(|(_, columns)| columns.iter().copied());
        let near = header.iter().find_map(|cell| did_you_mean(cell, known.clone()).filter(|meant| meant != cell));
        let remedy = match near {
            Some(column) => format!("did you mean `{column}`?"),
            None => "the first line names the columns: `TIMESTAMP,ContextTokens,GeneratedTokens` or \
                     `t,prompt_tokens,output_tokens`"
                .to_owned(),
        };
        Err(Problem::at(&source, 0..shown.len(), "these are not the columns of a trace", remedy))
    }
}

struct Row<'a> {
    columns: &'a Columns,
    record: &'a StringRecord,
    name: &'a str,
}

impl Row<'_> {
    /// When the request arrives; `first` is the moment of the first row, once it is known.
    fn time(&self, first: &mut Option<DateTime>) -> Result<Time, Problem> {
        let text = self.cell(self.columns.time);
        if !self.columns.calendar {
            let seconds: f64 = text.parse().unwrap_or(f64::NAN);
            // A century is beyond every run; NaN and what is no number fail the comparison.
            if !(0.0..=3.2e9).contains(&seconds) {
                let message = format!("`{text}` is not a time");
                return Err(self.problem(self.columns.time, message, "times are seconds from the start: `12.5`"));
            }
            return Ok(Time::ZERO + Span::from_secs_f64(seconds));
        }
        let moment: DateTime = text.parse().map_err(|_| {
            let message = format!("`{text}` is not a moment");
            self.problem(self.columns.time, message, "moments are written `2023-11-16 18:17:03.9799600`")
        })?;
        let start = *first.get_or_insert(moment);
        let since = moment.duration_since(start).as_nanos();
        u64::try_from(since).map(Time::from_nanos).map_err(|_| {
            self.problem(self.columns.time, "this row is earlier than the first one", "sort the rows by time")
        })
    }

    fn tokens(&self, column: usize) -> Result<u32, Problem> {
        let text = self.cell(column);
        text.parse().map_err(|_| {
            self.problem(column, format!("`{text}` is not a number of tokens"), "tokens are whole numbers: `374`")
        })
    }

    fn cell(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or("")
    }

    /// A problem with one cell, shown with the whole row.
    fn problem(&self, column: usize, message: impl Into<String>, remedy: impl Into<String>) -> Problem {
        let text = self.record.iter().collect::<Vec<_>>().join(",");
        let start: usize = self.record.iter().take(column).map(|cell| cell.len() + 1).sum();
        let start = start.min(text.len());
        let end = (start + self.cell(column).len()).min(text.len());
        let mut problem = Problem::at(&Source::new(self.name, text), start..end, message, remedy);
        let line = self.record.position().map_or(0, csv::Position::line);
        if let Some(at) = &mut problem.at {
            at.line = u32::try_from(line).unwrap_or(u32::MAX);
        }
        problem
    }
}

fn unreadable(name: &str, error: &csv::Error) -> Problem {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        ErrorKind::Utf8 { .. } => {
            Problem::of_file(name, format!("line {line} of the trace is not valid UTF-8"), "save the file as UTF-8")
        }
        ErrorKind::Io(error) => Problem::of_file(name, format!("the trace cannot be read: {error}"), "check the file"),
        _ => Problem::of_file(name, format!("line {line} of the trace is not CSV"), "check the line"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, u32, u32)> {
        let rows = read(text.as_bytes(), "trace.csv").unwrap_or_else(|problem| panic!("{problem}"));
        rows.iter().map(|row| (row.at.as_nanos(), row.prompt_tokens, row.output_tokens)).collect()
    }

    fn refused(text: impl AsRef<[u8]>) -> String {
        read(text.as_ref(), "trace.csv").map(|rows| rows.len()).expect_err("a bad trace").to_string()
    }

    #[test]
    fn azure_traces_count_from_their_first_row() {
        let text = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\r\n\
                    2023-11-16 18:17:04.0319600,3180,8";
        assert_eq!(rows(text), [(0, 4808, 10), (52_000_000, 3180, 8)]);
    }

    #[test]
    fn plain_traces_count_in_seconds_and_may_have_more_columns() {
        assert_eq!(
            rows("\u{feff}t,model,prompt_tokens,output_tokens\n0.25,a,1,2\n\n1.5,b,3,4\n"),
            [(250_000_000, 1, 2), (1_500_000_000, 3, 4)]
        );
    }

    #[test]
    fn a_request_in_words_reads_back_as_itself() {
        for text in ["0s 1 1", "100ms 800 150", "1500000001ns 40 7"] {
            assert_eq!(OneRequest::parse(text).map(|one| one.to_string()), Ok(text.to_owned()));
        }
        assert!(["", "1s", "1s 2", "1s 2 3 4", "x 2 3", "1s -2 3"].iter().all(|text| OneRequest::parse(text).is_err()));
    }

    #[test]
    fn a_bad_row_is_shown_with_its_line() {
        let plain = "t,prompt_tokens,output_tokens\n0,1,2\n";
        for (row, line, words) in [
            ("1,x,2", "trace.csv:3:3", "`x` is not a number of tokens"),
            ("1,-4,2", "trace.csv:3:3", "`-4` is not a number of tokens"),
            ("1,4", "trace.csv:3", "`` is not a number of tokens"),
            ("soon,4,5", "trace.csv:3:1", "`soon` is not a time"),
            ("NaN,4,5", "trace.csv:3:1", "`NaN` is not a time"),
            ("-1,4,5", "trace.csv:3:1", "`-1` is not a time"),
            ("1,4,5\n0.5,4,5", "trace.csv:4:1", "earlier than the one before"),
        ] {
            let problem = refused(format!("{plain}{row}\n"));
            assert!(problem.contains(line) && problem.contains(words), "{problem}");
        }
    }

    #[test]
    fn a_file_that_is_no_trace_says_what_one_looks_like() {
        assert!(refused("a,b,c\n1,2,3\n").contains("names the columns"));
        assert!(refused("t,prompt_tokens,output_token\n").contains("did you mean `output_tokens`?"));
        assert!(refused("t,prompt_tokens,output_tokens\n").contains("no rows"));
        assert!(refused("").contains("not the columns"));
        assert!(
            refused(b"t,prompt_tokens,output_tokens\n1,\xff,3\n").contains("line 2 of the trace is not valid UTF-8")
        );
        assert!(read_file(Path::new("no/such/trace.csv")).is_err());
        assert!(read_file(Path::new(".")).expect_err("a directory").message.contains("directory"));
    }

    #[test]
    fn shares_of_a_recording_are_every_so_manieth_request() {
        let rows: Vec<_> =
            (0..10).map(|n| TraceRow { at: Time::from_nanos(n), prompt_tokens: 1, output_tokens: 1 }).collect();
        let whole = Recording { rows: rows.into(), file: "t.csv".into(), every: 1, skip: 0 };
        let at = |share: &Recording| share.rows.iter().map(|row| row.at.as_nanos()).collect::<Vec<_>>();
        let third = whole.share(3, 1, Time::from_nanos(9));
        assert_eq!((at(&third), third.every, third.skip), (vec![1, 4, 7], 3, 1));
        let of_that = third.share(2, 1, Time::MAX);
        assert_eq!((at(&of_that), of_that.every, of_that.skip), (vec![4], 6, 4));
    }

    /// The published Azure traces, where the environment says that they are.
    #[test]
    fn the_azure_traces_are_read_to_the_end() {
        let Some(folder) = std::env::var_os("ROUTEDRILL_TRACES") else {
            println!("skipped: ROUTEDRILL_TRACES names no folder with the Azure LLM inference traces");
            return;
        };
        for (file, requests, minutes) in
            [("AzureLLMInferenceTrace_conv.csv", 19_366, 58), ("AzureLLMInferenceTrace_code.csv", 8_819, 57)]
        {
            let path = Path::new(&folder).join(file);
            let rows = read_file(&path).unwrap_or_else(|problem| panic!("{problem}"));
            assert_eq!(rows.len(), requests, "{file}");
            let last = rows.last().map_or(0, |row| row.at.as_nanos() / 60_000_000_000);
            assert_eq!(last, minutes, "{file}");
        }
    }
}
