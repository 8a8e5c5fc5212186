//! The story of one request as a waterfall.

use super::page::Page;
use super::table::{Cell, Kind, Table, Tone};
use crate::figures;
use crate::model::{RowKind, StoryReport};
use crate::words;

/// Writes the story into the section that is open.
pub(super) fn story(page: &mut Page, report: &StoryReport) {
    if let Some(notice) = words::not_litellm(&report.what_if) {
        page.text(&notice);
    }
    page.text(&format!("Request {} for {}: {}", report.request, report.model, report.summary));
    let mut table = Table::new(
        format!("What happened to it; times count from {} into the run, when it was due", figures::seconds(report.due)),
        &[("at", Kind::Figure), ("took", Kind::Figure), ("when", Kind::Text), ("what, and why", Kind::Text)],
    );
    let whole = report.took.max(f64::MIN_POSITIVE);
    for row in &report.rows {
        let until = row.until.unwrap_or(row.from);
        let tone = match row.kind {
            RowKind::Answered => Some(Tone::Good),
            RowKind::Failed | RowKind::Refused => Some(Tone::Bad),
            RowKind::Waited => Some(Tone::Warn),
            RowKind::Asked | RowKind::Decided | RowKind::Ended => None,
        };
        let took = row
            .until
            .map_or_else(Cell::none, |until| Cell::figure(figures::seconds(until - row.from), until - row.from));
        // A moment is a mark that can be seen.
        let mut bar = Cell::text("").with_span(row.from / whole, (until / whole).max(row.from / whole + 0.006));
        if let Some(tone) = tone {
            bar = bar.with_tone(tone);
        }
        let mut told = row.what.clone();
        for why in &row.why {
            told.push_str("; ");
            told.push_str(why);
        }
        table.row([Cell::figure(figures::seconds(row.from), row.from), took, bar, Cell::text(told)]);
    }
    page.table(&table);
}
