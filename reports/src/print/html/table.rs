//! Tables of a page: sortable by each column, filterable as a whole, with bars where lengths say it sooner.

use std::fmt::Write as _;

use super::escape;

/// A table. Its rows stand in the order in which they are to be read by whoever cannot sort them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    caption: String,
    columns: Vec<(String, Kind)>,
    rows: Vec<Row>,
    filter: bool,
}

/// What stands in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Words, flush left, sorted as words.
    Text,
    /// Figures, flush right, sorted by value.
    Figure,
}

/// A row.
#[derive(Clone, PartialEq, Debug)]
struct Row {
    cells: Vec<Cell>,
    /// What opens below it, as markup, with a name for links to it.
    detail: Option<(String, String)>,
}

/// One cell.
#[derive(Clone, PartialEq, Debug)]
pub struct Cell {
    text: String,
    /// By what it is sorted, where that is not its text.
    value: Option<f64>,
    /// Where its bar begins and how long it is, from 0 to 1.
    bar: Option<(f64, f64)>,
    /// The row that it leads to.
    link: Option<String>,
    /// A class of the style sheet: what its text means.
    tone: Option<Tone>,
    code: bool,
}

/// What a cell means, beside what it says: shown by weight and sign as well as by colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// All is well.
    Good,
    /// It was felt.
    Warn,
    /// It is broken.
    Bad,
    /// It does not matter here.
    Quiet,
}

impl Tone {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }

    /// The tone of a verdict of a drill.
    pub fn of_verdict(verdict: &str) -> Self {
        match verdict {
            "lost" => Self::Bad,
            "degraded" => Self::Warn,
            "held" => Self::Good,
            _ => Self::Quiet,
        }
    }
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), value: None, bar: None, link: None, tone: None, code: false }
    }

    /// A name from a config, a key, a command: in the letters of a terminal.
    pub fn code(text: impl Into<String>) -> Self {
        Self { code: true, ..Self::text(text) }
    }

    /// A figure as people read it, and its value.
    pub fn figure(text: impl Into<String>, value: f64) -> Self {
        Self { value: Some(value), ..Self::text(text) }
    }

    /// No figure: sorted below all others.
    pub fn none() -> Self {
        Self { value: Some(f64::NEG_INFINITY), tone: Some(Tone::Quiet), ..Self::text("\u{2013}") }
    }

    /// With a bar of this length, from 0 to 1.
    #[must_use]
    pub fn with_bar(mut self, share: f64) -> Self {
        self.bar = Some((0.0, share.clamp(0.0, 1.0)));
        self
    }

    /// With a bar from one place to another of a length that all rows share, both from 0 to 1: a waterfall.
    #[must_use]
    pub fn with_span(mut self, from: f64, until: f64) -> Self {
        let from = from.clamp(0.0, 1.0);
        self.bar = Some((from, until.clamp(from, 1.0) - from));
        self
    }

    /// Leading to a row that opens, by its name.
    #[must_use]
    pub fn leading_to(mut self, row: &str) -> Self {
        self.link = Some(row.to_owned());
        self
    }

    /// With a tone.
    #[must_use]
    pub fn with_tone(mut self, tone: Tone) -> Self {
        self.tone = Some(tone);
        self
    }
}

impl Table {
    /// A table with nothing in it. The caption says what it holds; it is read aloud before it.
    pub fn new(caption: impl Into<String>, columns: &[(&str, Kind)]) -> Self {
        Self {
            caption: caption.into(),
            columns: columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect(),
            ..Self::default()
        }
    }

    /// With a field to filter its rows by what they say.
    #[must_use]
    pub fn with_filter(mut self) -> Self {
        self.filter = true;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(Row { cells: cells.into_iter().collect(), detail: None });
    }

    /// Adds a row that opens: `detail` is what [`Page::inner`](super::Page::inner) made, `name` is what links call it.
    pub fn row_that_opens(&mut self, cells: impl IntoIterator<Item = Cell>, name: &str, detail: String) {
        self.rows.push(Row { cells: cells.into_iter().collect(), detail: Some((name.to_owned(), detail)) });
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn print(&self, id: &str, out: &mut String) {
        // Writing to a String cannot fail.
        if self.filter {
            let _ = write!(
                out,
                "<div class=\"filter\"><label for=\"{id}-filter\">Filter</label><input id=\"{id}-filter\" type=\"search\" \
                 data-table=\"{id}\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"words, all of which a row must have\">\
                 <output for=\"{id}-filter\" id=\"{id}-count\" aria-live=\"polite\"></output></div>"
            );
        }
        let _ = write!(
            out,
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table id=\"{id}\" class=\"sortable\">\
             <caption>{caption}</caption><thead><tr>",
            caption = escape::text(&self.caption)
        );
        for (name, kind) in &self.columns {
            let class = if *kind == Kind::Figure { " class=\"figure\"" } else { "" };
            let _ = write!(
                out,
                "<th scope=\"col\"{class} aria-sort=\"none\"><button type=\"button\">{}</button></th>",
                escape::text(name)
            );
        }
        out.push_str("</tr></thead><tbody>\n");
        for (index, row) in self.rows.iter().enumerate() {
            self.print_row(id, index, row, out);
        }
        out.push_str("</tbody></table></div>\n");
    }

    fn print_row(&self, id: &str, index: usize, row: &Row, out: &mut String) {
        match &row.detail {
            Some((name, _)) => {
                let _ = write!(out, "<tr class=\"opens\" data-name=\"{}\">", escape::text(name));
            }
            None => out.push_str("<tr>"),
        }
        for (place, (cell, (_, kind))) in row.cells.iter().zip(&self.columns).enumerate() {
            let mut classes = Vec::new();
            if *kind == Kind::Figure {
                classes.push("figure");
            }
            classes.extend(cell.tone.map(Tone::class));
            let class = if classes.is_empty() { String::new() } else { format!(" class=\"{}\"", classes.join(" ")) };
            let value = cell.value.map_or_else(String::new, |value| format!(" data-value=\"{}\"", number(value)));
            let (open, close) = if place == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
            let _ = write!(out, "<{open}{class}{value}>");
            // A long name may go on below after a slash.
            let mut text =
                if cell.code { escape::text(&cell.text).replace('/', "/<wbr>") } else { escape::prose(&cell.text) };
            if let Some(row) = &cell.link {
                text = format!("<a href=\"#row={}\">{text}</a>", escape::fragment(row));
            }
            if cell.code {
                text = format!("<code>{text}</code>");
            }
            if place == 0 && row.detail.is_some() {
                let _ = write!(
                    out,
                    "<button type=\"button\" class=\"opener\" aria-expanded=\"false\" aria-controls=\"{id}-{index}\">{text}</button>"
                );
            } else {
                out.push_str(&text);
            }
            if let Some((from, length)) = cell.bar {
                // An image of what the figure says already.
                let _ = write!(
                    out,
                    "<svg class=\"bar\" aria-hidden=\"true\"><rect x=\"{:.2}%\" width=\"{:.2}%\" height=\"100%\"/></svg>",
                    from * 100.0,
                    length * 100.0
                );
            }
            let _ = write!(out, "</{close}>");
        }
        out.push_str("</tr>\n");
        if let Some((_, detail)) = &row.detail {
            let _ = writeln!(
                out,
                "<tr class=\"detail\" id=\"{id}-{index}\" hidden><td colspan=\"{}\"><div class=\"inner\">{detail}</div></td></tr>",
                self.columns.len()
            );
        }
    }
}

/// A number as the page's program reads it.
fn number(value: f64) -> String {
    if value == f64::INFINITY {
        "Infinity".to_owned()
    } else if value == f64::NEG_INFINITY {
        "-Infinity".to_owned()
    } else {
        value.to_string()
    }
}
