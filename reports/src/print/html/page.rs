//! A page: one file that needs nothing beside it.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::chart::Chart;
use super::escape;
use super::table::{Table, Tone};

const UPLOT: &str = include_str!("uplot/uPlot.iife.min.js");
const UPLOT_CSS: &str = include_str!("uplot/uPlot.min.css");
const UPLOT_LICENSE: &str = include_str!("uplot/LICENSE");
const STYLE: &str = include_str!("page.css");
const PROGRAM: &str = include_str!("page.js");

/// A page that is being written from its top to its end.
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    head: String,
    body: String,
    /// Sections so far, for the list of contents: id and title.
    sections: Vec<(String, String)>,
    /// Parts with an id of their own.
    parts: usize,
}

/// A figure that stands for itself, large.
#[derive(Clone, PartialEq, Debug)]
pub struct Tile {
    /// What it is.
    pub label: String,
    /// The figure.
    pub figure: String,
    /// What to compare it with, or what it counts.
    pub note: String,
    /// Whether it is good.
    pub tone: Option<Tone>,
}

impl Tile {
    /// A figure with its name and a remark.
    pub fn new(label: impl Into<String>, figure: impl Into<String>, note: impl Into<String>) -> Self {
        Self { label: label.into(), figure: figure.into(), note: note.into(), tone: None }
    }

    /// With a tone.
    #[must_use]
    pub fn with_tone(mut self, tone: Tone) -> Self {
        self.tone = Some(tone);
        self
    }
}

impl Page {
    /// A page with this title, the one thing that it says in a sentence, and facts about where it comes from.
    pub fn new(title: &str, says: &str, facts: &[(&str, String)]) -> Self {
        let mut head =
            format!("<header><h1>{}</h1><p class=\"says\">{}</p><dl>", escape::text(title), escape::text(says));
        for (name, value) in facts {
            let _ = write!(head, "<div><dt>{}</dt><dd>{}</dd></div>", escape::text(name), escape::text(value));
        }
        head.push_str("</dl></header>\n");
        Self { title: title.to_owned(), head, body: String::new(), sections: Vec::new(), parts: 0 }
    }

    /// Begins a section. What follows belongs to it.
    pub fn section(&mut self, title: &str) {
        if !self.sections.is_empty() {
            self.body.push_str("</section>\n");
        }
        let id = format!("s{}", self.sections.len() + 1);
        let _ = writeln!(
            self.body,
            "<section id=\"{id}\" aria-labelledby=\"{id}-t\"><h2 id=\"{id}-t\">{}</h2>",
            escape::text(title)
        );
        self.sections.push((id, title.to_owned()));
    }

    /// A smaller heading within a section.
    pub fn heading(&mut self, title: &str) {
        let _ = writeln!(self.body, "<h3>{}</h3>", escape::text(title));
    }

    /// A paragraph.
    pub fn text(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p>{}</p>", escape::prose(text));
    }

    /// A remark in small letters: what a figure counts, what is not shown.
    pub fn remark(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p class=\"remark\">{}</p>", escape::prose(text));
    }

    /// Something that went wrong, or right, framed so that nobody reads past it.
    pub fn notice(&mut self, tone: Tone, text: &str) {
        let _ = writeln!(self.body, "<p class=\"notice {}\">{}</p>", tone.class(), escape::prose(text));
    }

    /// Names and what they are, one below the other.
    pub fn facts(&mut self, facts: &[(&str, String)]) {
        self.body.push_str("<dl class=\"facts\">");
        for (name, value) in facts {
            let _ = write!(self.body, "<dt>{}</dt><dd>{}</dd>", escape::text(name), escape::prose(value));
        }
        self.body.push_str("</dl>\n");
    }

    /// A list of sentences.
    pub fn list(&mut self, items: &[String]) {
        self.body.push_str("<ul>");
        for item in items {
            let _ = write!(self.body, "<li>{}</li>", escape::prose(item));
        }
        self.body.push_str("</ul>\n");
    }

    /// A command to copy.
    pub fn command(&mut self, command: &str) {
        let _ = writeln!(self.body, "<pre tabindex=\"0\"><code>{}</code></pre>", escape::text(command));
    }

    /// Large figures side by side.
    pub fn tiles(&mut self, tiles: &[Tile]) {
        self.body.push_str("<ul class=\"tiles\">");
        for tile in tiles {
            let class = tile.tone.map_or_else(String::new, |tone| format!(" class=\"{}\"", tone.class()));
            let _ = write!(
                self.body,
                "<li{class}><span class=\"label\">{}</span><strong>{}</strong><span class=\"note\">{}</span></li>",
                escape::text(&tile.label),
                escape::text(&tile.figure),
                escape::text(&tile.note)
            );
        }
        self.body.push_str("</ul>\n");
    }

    /// A table; nothing where it has no rows.
    pub fn table(&mut self, table: &Table) {
        if !table.is_empty() {
            let id = self.part();
            table.print(&id, &mut self.body);
        }
    }

    /// A chart, with its title, a sentence on what one sees in it, and its figures as a table to open.
    pub fn chart(&mut self, chart: &Chart) {
        let id = self.part();
        let lane = if chart.lane { " lane" } else { "" };
        let described = if chart.says.is_empty() { String::new() } else { format!(" {id}-s") };
        let says = if chart.says.is_empty() {
            String::new()
        } else {
            format!("<p id=\"{id}-s\">{}</p>", escape::text(&chart.says))
        };
        let _ = writeln!(
            self.body,
            "<figure class=\"chart{lane}\" id=\"{id}\"><figcaption><strong id=\"{id}-t\">{title}</strong>{says}</figcaption>\
             <div class=\"plot\" role=\"img\" aria-labelledby=\"{id}-t{described}\"></div>\
             <details class=\"data\"><summary>Figures<span class=\"unseen\"> of {title}</span></summary></details>\
             <script type=\"application/json\">{data}</script></figure>",
            title = escape::text(&chart.title),
            data = escape::json(chart),
        );
    }

    /// What `write` writes, as a part to put below a row of a table.
    pub fn inner(&mut self, write: impl FnOnce(&mut Self)) -> String {
        let before = std::mem::take(&mut self.body);
        write(self);
        std::mem::replace(&mut self.body, before)
    }

    fn part(&mut self) -> String {
        self.parts += 1;
        format!("p{}", self.parts)
    }

    /// The whole page.
    pub fn finish(mut self) -> String {
        if !self.sections.is_empty() {
            self.body.push_str("</section>\n");
        }
        let (style, program) = (format!("{UPLOT_CSS}\n{STYLE}"), format!("{UPLOT}\n{PROGRAM}"));
        let hash = |text: &str| format!("'sha256-{}'", escape::base64(&Sha256::digest(text.as_bytes())));
        let contents = if self.sections.len() > 1 {
            let links =
                self.sections.iter().map(|(id, title)| format!("<a href=\"#{id}\">{}</a>", escape::text(title)));
            format!("<nav aria-label=\"Contents\">{}</nav>\n", links.collect::<String>())
        } else {
            String::new()
        };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {style_hash}; script-src \
             {program_hash}; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"routedrill {version}\">\n\
             <title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#content\">To the content</a>\n\
             <div id=\"broken\" role=\"alert\" hidden></div>\n{head}{contents}<main id=\"content\">\n\
             <noscript><p class=\"notice warn\">Charts, sorting and filtering need scripts, which this page brings along; \
             the tables are complete without them.</p></noscript>\n{body}</main>\n\
             <footer>Made by routedrill {version}. Times are virtual: simulated, not measured.</footer>\n\
             <!-- The charts are drawn by uPlot.\n{license}-->\n<script>{program}</script>\n</body>\n</html>\n",
            style_hash = hash(&style),
            program_hash = hash(&program),
            version = env!("CARGO_PKG_VERSION"),
            title = escape::text(&self.title),
            head = self.head,
            body = self.body,
            license = UPLOT_LICENSE,
        )
    }
}
