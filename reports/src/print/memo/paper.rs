//! What a memo is written on. In its texts, what stands between backticks is written as in a config.

use std::fmt::Write as _;

use super::super::html::{self, Kind, Page, Table, Tone};

/// Something that a memo can be written on, from its top to its end.
pub(super) trait Paper {
    /// Begins a section.
    fn section(&mut self, title: &str);
    /// A smaller heading within it.
    fn heading(&mut self, title: &str);
    /// A paragraph.
    fn text(&mut self, text: &str);
    /// A list of sentences.
    fn list(&mut self, items: &[String]);
    /// A table with a caption; nothing where it has no rows.
    fn table(&mut self, caption: &str, columns: &[&str], rows: Vec<Vec<Cell>>);
    /// Lines of a config, or a command.
    fn code(&mut self, language: &str, text: &str);
}

/// A cell of a table.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Cell {
    /// Words.
    Text(String),
    /// A name out of a config.
    Name(String),
    /// A figure as people read it, and its value.
    Figure(String, f64),
    /// A verdict.
    Verdict(String),
}

impl Cell {
    /// Words.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A name out of a config; a dash for none.
    pub(super) fn name(name: impl Into<String>) -> Self {
        let name = name.into();
        if name.is_empty() { Self::Text("-".to_owned()) } else { Self::Name(name) }
    }
}

/// Markdown as GitHub has it.
#[derive(Debug)]
pub(super) struct Markdown {
    text: String,
}

impl Markdown {
    pub(super) fn new(title: &str, says: &str, facts: &[(&str, String)]) -> Self {
        let mut text = format!("# {title}\n\n{says}\n\n");
        let facts: Vec<String> = facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let _ = writeln!(text, "{}", facts.join(" · "));
        Self { text }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

impl Paper for Markdown {
    fn section(&mut self, title: &str) {
        let _ = writeln!(self.text, "\n## {title}");
    }

    fn heading(&mut self, title: &str) {
        let _ = writeln!(self.text, "\n### {title}");
    }

    fn text(&mut self, text: &str) {
        let _ = writeln!(self.text, "\n{text}");
    }

    fn list(&mut self, items: &[String]) {
        self.text.push('\n');
        for item in items {
            let _ = writeln!(self.text, "- {item}");
        }
    }

    fn table(&mut self, caption: &str, columns: &[&str], rows: Vec<Vec<Cell>>) {
        if rows.is_empty() {
            return;
        }
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let _ = writeln!(self.text, "\n{caption}:\n\n| {} |", columns.join(" | "));
        let _ = writeln!(self.text, "|{}", "---|".repeat(columns.len()));
        for row in rows {
            let cells: Vec<String> = (row.into_iter())
                .map(|one| match one {
                    Cell::Text(text) | Cell::Figure(text, _) => cell(&text),
                    Cell::Name(name) => format!("`{}`", cell(&name)),
                    Cell::Verdict(verdict) if verdict == "lost" => format!("**{verdict}**"),
                    Cell::Verdict(verdict) => verdict,
                })
                .collect();
            let _ = writeln!(self.text, "| {} |", cells.join(" | "));
        }
    }

    fn code(&mut self, language: &str, text: &str) {
        let _ = writeln!(self.text, "\n```{language}\n{}\n```", text.trim_end());
    }
}

impl Paper for Page {
    fn section(&mut self, title: &str) {
        Self::section(self, title);
    }

    fn heading(&mut self, title: &str) {
        Self::heading(self, title);
    }

    fn text(&mut self, text: &str) {
        Self::text(self, text);
    }

    fn list(&mut self, items: &[String]) {
        Self::list(self, items);
    }

    fn table(&mut self, caption: &str, columns: &[&str], rows: Vec<Vec<Cell>>) {
        let figures = |place: usize| rows.iter().any(|row| matches!(row.get(place), Some(Cell::Figure(..))));
        let kinds: Vec<(&str, Kind)> = (columns.iter().enumerate())
            .map(|(place, name)| (*name, if figures(place) { Kind::Figure } else { Kind::Text }))
            .collect();
        let mut table = Table::new(caption, &kinds);
        for row in rows {
            table.row(row.into_iter().map(|cell| match cell {
                Cell::Text(text) => html::Cell::text(text),
                Cell::Name(name) => html::Cell::code(name),
                Cell::Figure(text, value) => html::Cell::figure(text, value),
                Cell::Verdict(verdict) => {
                    let tone = Tone::of_verdict(&verdict);
                    html::Cell::text(verdict).with_tone(tone)
                }
            }));
        }
        Self::table(self, &table);
    }

    fn code(&mut self, _language: &str, text: &str) {
        self.command(text.trim_end());
    }
}
