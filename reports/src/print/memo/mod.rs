//! The readiness memo of a drill, as Markdown and as a page: the same words on either paper.

mod numbers;
mod paper;
mod risks;
mod sections;
mod together;

use self::paper::{Markdown, Paper};
use super::html::Page;
use crate::model::DrillReport;

pub use self::together::PATCH;
pub(crate) use self::together::sentence as with_all_edits;

/// The memo as Markdown. `date` is the one thing in it that comes from outside.
pub fn memo(report: &DrillReport, date: Option<&str>) -> String {
    let mut paper = Markdown::new(&sections::title(report), &sections::says(report), &sections::facts(report, date));
    write(report, date, &mut paper);
    paper.finish()
}

/// The memo as a page.
pub fn memo_html(report: &DrillReport, date: Option<&str>) -> String {
    let mut page = Page::new(&sections::title(report), &sections::says(report), &sections::facts(report, date));
    write(report, date, &mut page);
    page.finish()
}

fn write(report: &DrillReport, date: Option<&str>, paper: &mut dyn Paper) {
    sections::summary(report, paper);
    sections::sign_off(report, date, paper);
    risks::residual_risks(report, paper);
    together::all_edits(report, paper);
    numbers::drills(report, paper);
    numbers::objectives(report, paper);
    numbers::policy(report, paper);
    numbers::spending(report, paper);
    sections::inventory(report, paper);
    sections::settings(report, paper);
    sections::fallbacks(report, paper);
    sections::findings(report, paper);
    sections::surroundings(report, paper);
    sections::not_modelled(report, paper);
    sections::signatures(paper);
}
