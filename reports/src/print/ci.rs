//! How machines that run tests want to be told: what GitHub shows of a step, within its limits, and what XML allows.

use std::fmt::Write as _;

use crate::table::Align;

/// How much an annotation weighs. GitHub shows each kind by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Level {
    /// Red.
    Error,
    /// Yellow.
    Warning,
    /// Grey.
    Notice,
}

impl Level {
    const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Notice];

    const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// A remark on a place in a file.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Annotation {
    pub(crate) level: Level,
    /// The file; empty: the step as a whole.
    pub(crate) file: String,
    /// Line and column, from 1.
    pub(crate) at: Option<(u32, Option<u32>)>,
    pub(crate) title: String,
    pub(crate) text: String,
}

/// Annotations that GitHub shows of one kind in one step; it drops what follows without a word.
const SHOWN_MAX: usize = 10;
/// Letters of a title that it shows.
const TITLE_MAX: usize = 255;
/// Bytes of a message that it takes: 64 KiB, of which escapes and the end need some.
const TEXT_MAX: usize = 60_000;

/// Annotations of GitHub Actions, in their order. Where there are more of a kind than it shows, the last that it shows
/// says how many there are, and they follow as plain lines in the log of the step.
pub(crate) fn annotations(all: &[Annotation]) -> String {
    let mut shown = String::new();
    let mut log = String::new();
    let mut so_far = [0_usize; Level::ALL.len()];
    for one in all {
        let kind = Level::ALL.iter().position(|level| *level == one.level).unwrap_or_default();
        let of_kind = all.iter().filter(|other| other.level == one.level).count();
        so_far[kind] += 1;
        if so_far[kind] == SHOWN_MAX && of_kind > SHOWN_MAX {
            let more = of_kind + 1 - SHOWN_MAX;
            let _ = writeln!(
                shown,
                "::{0} title=and {more} more::and {more} more {0}s, in the log of this step",
                one.level.word()
            );
        }
        if so_far[kind] < SHOWN_MAX || of_kind == SHOWN_MAX {
            shown.push_str(&command(one));
        } else {
            log.push_str(&line(one));
        }
    }
    shown + &log
}

/// A workflow command.
fn command(one: &Annotation) -> String {
    let mut properties = Vec::new();
    if !one.file.is_empty() {
        properties.push(format!("file={}", property(&one.file)));
    }
    if let Some((line, column)) = one.at {
        properties.push(format!("line={line}"));
        properties.extend(column.map(|column| format!("col={column}")));
    }
    let title: String = one.title.chars().take(TITLE_MAX).collect();
    properties.push(format!("title={}", property(&title)));
    format!("::{} {}::{}\n", one.level.word(), properties.join(","), data(cut(&one.text, TEXT_MAX)))
}

/// The same for a log: nothing in it is taken for a command, since no line begins with two colons.
fn line(one: &Annotation) -> String {
    let place = match one.at {
        _ if one.file.is_empty() => String::new(),
        Some((line, _)) => format!(" {}:{line}:", one.file),
        None => format!(" {}:", one.file),
    };
    format!("{}:{place} {}: {}\n", one.level.word(), one.title, one.text.replace(['\n', '\r'], " | "))
}

/// The beginning of a text, of so many bytes at most.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// The message of a command of GitHub Actions.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of one, such as its title.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The content of an XML element, or the value of an attribute. What XML 1.0 has no place for becomes a blank.
pub(crate) fn xml(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    text.replace(|c: char| c.is_control() && c != '\n' || matches!(c, '\u{fffe}' | '\u{ffff}'), " ")
}

/// A cell of a table in Markdown.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace(['\n', '\r'], " ")
}

/// Markdown for the step summary of GitHub Actions. Of a summary larger than 1 MiB GitHub shows nothing at all, so that
/// lines which no longer fit are counted, and left out.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Summary {
    text: String,
}

/// Bytes of a summary: half of what GitHub takes, so that several commands can write into one.
const SUMMARY_MAX: usize = 512 << 10;

impl Summary {
    /// Adds text that is always short.
    pub(crate) fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a table with a title. Of its rows, which are lines, at most `most`, and no more than fit; says how many more
    /// there are of `what`.
    pub(crate) fn table(
        &mut self,
        columns: &[(&str, Align)],
        rows: impl ExactSizeIterator<Item = Vec<String>>,
        most: usize,
        what: &str,
    ) {
        let all = rows.len();
        if all == 0 {
            return;
        }
        let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
        let rule = columns.iter().map(|(_, align)| if *align == Align::Right { "---:|" } else { "---|" });
        let _ = writeln!(self.text, "\n| {} |\n|{}", titles.join(" | "), rule.collect::<String>());
        let mut shown = 0;
        for row in rows.take(most) {
            let cells: Vec<String> = row.iter().map(|text| cell(text)).collect();
            let line = format!("| {} |\n", cells.join(" | "));
            if self.text.len() + line.len() > SUMMARY_MAX {
                break;
            }
            self.text.push_str(&line);
            shown += 1;
        }
        let more = (all - shown) as u64;
        if more > 0 {
            let _ = writeln!(self.text, "\nand {} not shown", crate::figures::counted(more, what));
        }
    }

    /// The whole summary.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(level: Level, number: usize) -> Annotation {
        let text = format!("what\nwhy: {number} %");
        Annotation { level, file: "a,b.yaml".to_owned(), at: Some((3, Some(7))), title: "rule: x".to_owned(), text }
    }

    #[test]
    fn what_would_end_a_command_is_escaped() {
        let one = Annotation { at: None, file: "C:\\a,b".to_owned(), ..annotation(Level::Warning, 1) };
        assert_eq!(annotations(&[one]), "::warning file=C%3A\\a%2Cb,title=rule%3A x::what%0Awhy: 1 %25\n");
        assert!(annotations(&[annotation(Level::Error, 1)]).starts_with("::error file=a%2Cb.yaml,line=3,col=7,title="));
    }

    #[test]
    fn github_is_asked_to_show_ten_of_a_kind_and_the_log_has_the_others() {
        let mut all: Vec<Annotation> = (1..=25).map(|number| annotation(Level::Error, number)).collect();
        all.extend((1..=10).map(|number| annotation(Level::Notice, number)));
        let told = annotations(&all);
        let of = |start: &str| told.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!((of("::error"), of("::notice"), of("error: a,b.yaml:3: rule: x: what | why: ")), (10, 10, 16));
        assert!(told.contains("::error title=and 16 more::and 16 more errors, in the log of this step\n"), "{told}");
        for number in 1..=25 {
            assert!(told.contains(&format!("why: {number} %")), "{number} is somewhere");
        }
        assert!(told.lines().skip(20).all(|line| !line.starts_with("::")));
    }

    #[test]
    fn titles_and_messages_are_no_longer_than_github_takes() {
        let long =
            Annotation { title: "\u{e4}".repeat(400), text: "\u{e4}".repeat(100_000), ..annotation(Level::Error, 1) };
        let told = annotations(&[long]);
        assert!(told.len() < 64 << 10, "{}", told.len());
    }

    #[test]
    fn a_summary_stays_below_the_limit_and_counts_what_it_leaves_out() {
        let mut summary = Summary::default();
        let row = || vec!["x".repeat(10_000), "1".to_owned()];
        let columns = [("what", Align::Left), ("how many", Align::Right)];
        summary.table(&columns, (0..1_000).map(|_| row()), 5_000, "more row");
        let text = summary.finish();
        assert!(text.len() < 1 << 20 && text.len() > SUMMARY_MAX / 2, "{}", text.len());
        let shown = text.lines().filter(|line| line.starts_with("| x")).count();
        assert!(text.ends_with(&format!("\nand {} more rows not shown\n", 1_000 - shown)), "{shown}");
        assert!(text.contains("\n| what | how many |\n|---|---:|\n"));
    }
}
