//! What lies beyond the settings, in the report of a search for better ones: in the terminal, on the page, as CSV.

use std::fmt::Write as _;

use super::html::{Cell, Kind, Page, Table, Tone};
use super::tune_text::{interval, verdict};
use crate::figures;
use crate::model::{BeyondReport, BeyondRowReport};
use crate::table::{Align, Grid};
use crate::wrap;

/// What is under it that nobody can switch on.
pub(super) const NOT_IN_LITELLM: &str = "not in LiteLLM";

/// A share that rounds to nothing is said in words.
const NOTHING: f64 = 5e-6;

/// The sentence that says how much could be had.
pub(super) fn answer(beyond: &BeyondReport) -> String {
    let lost = figures::percent(beyond.lost);
    if beyond.lost <= 0.0 {
        return "Your config lost no request here: there is nothing to avoid.".to_owned();
    }
    let avoidable = beyond.avoidable.map(|share| match share {
        share if share < NOTHING => {
            "none of them were avoidable, as far as a router that knows the faults can tell".to_owned()
        }
        share if share >= beyond.lost - NOTHING => "all of them were avoidable".to_owned(),
        share => format!("{} were avoidable", figures::percent(share)),
    });
    let avoided = match beyond.avoided {
        None => "nothing that was tried is better beyond noise".to_owned(),
        Some(share) if share > NOTHING => format!("this patch avoids {}", figures::percent(share)),
        Some(share) if share < -NOTHING => format!("this patch loses {} more", figures::percent(-share)),
        Some(_) => "this patch avoids none of that".to_owned(),
    };
    let parts = [Some(format!("Your config lost {lost} of requests")), avoidable, Some(avoided)];
    format!("{}.", parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
}

/// What the rows are, for somebody who sees them for the first time.
pub(super) fn explanation(beyond: &BeyondReport) -> String {
    let mut text = "All of them met the same requests, faults and luck as the config as it is.".to_owned();
    if beyond.rows.iter().any(|row| !row.what_if.is_empty()) {
        text.push_str(" A what-if is a policy that LiteLLM does not have: it cannot be switched on, the row shows what it would buy.");
    }
    if beyond.bound().is_some() {
        text.push_str(
            " The router that knows the faults foresees every fault, quota and draw of luck, and may call whoever the config lets \
             answer. It takes the best call for each request and spares nothing for the next, so what it saves is the least that \
             is avoidable.",
        );
    }
    text
}

/// What a row is about.
fn title(row: &BeyondRowReport) -> String {
    match row.who {
        "current" => "the config as it is".to_owned(),
        "recommended" => "with this patch".to_owned(),
        "clairvoyant" => "a router that knows the faults".to_owned(),
        "all_what_ifs" => format!("what if, all: {}", row.what_if),
        _ => format!("what if: {}", row.what_if),
    }
}

/// The section of the terminal's report.
pub(super) fn text(text: &mut String, beyond: &BeyondReport) {
    let which = if beyond.held_out_scenarios { "held-out scenarios" } else { "the scenarios tuned on" };
    let _ = writeln!(text, "\nBeyond the config: {which}, under the seeds of the final judgement");
    wrap::item(text, "", &answer(beyond));
    let columns = [
        ("", Align::Left),
        ("lost", Align::Right),
        ("against the config (95 % interval)", Align::Right),
        ("", Align::Left),
        ("p99", Align::Right),
        ("attempts/request", Align::Right),
        ("per 1,000", Align::Right),
        ("", Align::Left),
    ];
    let mut grid = Grid::new(&columns);
    for row in &beyond.rows {
        let against = row.differences.as_ref().map(|of| &of.lost);
        grid.row([
            title(row),
            figures::percent(row.lost),
            against.map_or_else(String::new, |one| interval("lost", one)),
            against.map_or_else(String::new, |one| verdict(one).to_owned()),
            figures::seconds(row.p99),
            figures::ratio(row.attempts_per_request),
            figures::dollars(row.cost),
            if row.in_litellm { String::new() } else { NOT_IN_LITELLM.to_owned() },
        ]);
    }
    text.push_str(&grid.print());
    wrap::item(text, "", &explanation(beyond));
}

/// The section of the page.
pub(super) fn section(page: &mut Page, beyond: &BeyondReport) {
    page.section("Beyond the config");
    page.text(&answer(beyond));
    let columns = [
        ("router", Kind::Text),
        ("lost", Kind::Figure),
        ("against the config", Kind::Figure),
        ("95 % interval", Kind::Text),
        ("verdict", Kind::Text),
        ("p99", Kind::Figure),
        ("attempts per request", Kind::Figure),
        ("per 1,000 requests", Kind::Figure),
        ("can be had", Kind::Text),
    ];
    let which = if beyond.held_out_scenarios { "Held-out scenarios" } else { "The scenarios tuned on" };
    let mut table = Table::new(which, &columns);
    let worst = beyond.rows.iter().map(|row| row.lost).fold(0.0, f64::max);
    for row in &beyond.rows {
        let against = row.differences.as_ref().map(|of| &of.lost);
        let signed = |share: f64| format!("{}{}", sign(share), figures::percent(share.abs()));
        let verdict = against.map(|one| match one.verdict {
            "better" => Cell::text("better").with_tone(Tone::Good),
            "worse" => Cell::text("worse").with_tone(Tone::Bad),
            _ => Cell::text("no difference").with_tone(Tone::Quiet),
        });
        let ends = against.and_then(|one| one.low.zip(one.high));
        table.row([
            Cell::text(title(row)),
            Cell::figure(figures::percent(row.lost), row.lost).with_bar(row.lost / worst.max(NOTHING)),
            against.map_or_else(Cell::none, |one| Cell::figure(signed(one.mean), one.mean)),
            Cell::text(ends.map_or_else(String::new, |(low, high)| format!("{} to {}", signed(low), signed(high)))),
            verdict.unwrap_or_else(|| Cell::text("")),
            Cell::figure(figures::seconds(row.p99), row.p99),
            Cell::figure(figures::ratio(row.attempts_per_request), row.attempts_per_request),
            Cell::figure(figures::dollars(row.cost), row.cost),
            if row.in_litellm { Cell::text("in LiteLLM") } else { Cell::text(NOT_IN_LITELLM).with_tone(Tone::Quiet) },
        ]);
    }
    page.table(&table);
    page.remark(&explanation(beyond));
}

const fn sign(share: f64) -> &'static str {
    if share < 0.0 {
        "-"
    } else if share > 0.0 {
        "+"
    } else {
        ""
    }
}

/// One router on a line, with the intervals of its differences from the config as it is.
pub fn beyond_csv(beyond: &BeyondReport) -> String {
    const MEASURES: [&str; 4] = ["lost", "p99_seconds", "attempts_per_request", "dollars_per_1000_requests"];
    let mut writer = csv::Writer::from_writer(Vec::new());
    let ends = ["difference", "low", "high"];
    let titles = ["who", "what_if", "in_litellm"].map(str::to_owned).into_iter().chain(MEASURES.map(str::to_owned));
    let titles = titles.chain(MEASURES.iter().flat_map(|measure| ends.map(|end| format!("{measure}_{end}"))));
    // Into memory, where nothing fails.
    writer.write_record(titles).expect("a line in memory");
    for row in &beyond.rows {
        let means = [row.lost, row.p99, row.attempts_per_request, row.cost].map(|mean| mean.to_string());
        let of = row.differences.as_ref();
        let each =
            [of.map(|of| &of.lost), of.map(|of| &of.p99), of.map(|of| &of.attempts_per_request), of.map(|of| &of.cost)];
        let figures = each.iter().flat_map(|one| match one {
            Some(one) => [Some(one.mean), one.low, one.high],
            None => [None; 3],
        });
        let figures = figures.map(|figure| figure.map_or_else(String::new, |figure| figure.to_string()));
        let first = [row.who.to_owned(), row.what_if.clone(), row.in_litellm.to_string()];
        writer.write_record(first.into_iter().chain(means).chain(figures)).expect("as many cells as titles");
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}
