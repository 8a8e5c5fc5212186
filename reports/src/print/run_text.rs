//! The report of a run as text.

use std::fmt::Write as _;

use super::{aftermath, laws, not_litellm};
use crate::figures::{self, DASH};
use crate::model::{Count, Latencies, RunReport};
use crate::table::{Align, Grid, INDENT};

/// The report of a run, as people read it in a terminal.
pub fn run(report: &RunReport) -> String {
    let mut text = String::new();
    head(&mut text, report);
    requests(&mut text, report);
    asked(&mut text, report);
    deployments(&mut text, report);
    faults(&mut text, report);
    losses(&mut text, report);
    promises(&mut text, report);
    laws::broken(&mut text, &report.broken_laws);
    laws::known_defects(&mut text, report.litellm, &report.known_defects);
    aftermath::verdict(&mut text, report);
    let _ = writeln!(text, "\ndigest {}", report.digest);
    text
}

fn head(text: &mut String, report: &RunReport) {
    let _ = writeln!(
        text,
        "{}: LiteLLM {} ({}), {} of traffic, seed {}, {}",
        report.scenario,
        report.litellm,
        report.mode,
        figures::chosen(router_core::Span::from_secs_f64(report.duration)),
        report.seed,
        match report.driver {
            crate::model::Driver::Engine => "event engine",
            crate::model::Driver::Turmoil => "turmoil",
        },
    );
    not_litellm(text, &report.what_if);
    if let Some(why) = &report.cut_short {
        let _ = writeln!(text, "{INDENT}the run was cut short: {why}");
    }
}

fn requests(text: &mut String, report: &RunReport) {
    let requests = &report.requests;
    let _ = writeln!(text, "\nRequests");
    let mut grid = Grid::new(&[("", Align::Left), ("", Align::Right), ("", Align::Right)]);
    let share = |part: u64| figures::percent_of(part, requests.total);
    grid.row(["all", &figures::count(requests.total), ""]);
    grid.row(["answered", &figures::count(requests.answered), &share(requests.answered)]);
    for Count { what, count } in &requests.failed {
        grid.row([what, &figures::count(*count), &share(*count)]);
    }
    for (what, count) in [("caller gave up", requests.gave_up), ("still open at the end", requests.open)] {
        if count > 0 {
            grid.row([what, &figures::count(count), &share(count)]);
        }
    }
    text.push_str(&grid.print());
    let ratio = |value: Option<f64>| value.map_or_else(|| DASH.to_owned(), figures::ratio);
    let _ = writeln!(
        text,
        "{INDENT}{} attempts and {} retries per request, {} of the answers from a fallback",
        ratio(requests.attempts_per_request),
        ratio(requests.retries_per_request),
        requests.fallback_rate.map_or_else(|| DASH.to_owned(), figures::percent),
    );
    if requests.client_retries > 0 {
        let tries = if requests.client_retries == 1 { "try" } else { "tries" };
        let _ = writeln!(
            text,
            "{INDENT}{} further {tries} by clients after a failed one",
            figures::count(requests.client_retries)
        );
    }
    let _ = writeln!(
        text,
        "{INDENT}{} prompt and {} answer tokens, {}",
        figures::count(requests.tokens.prompt),
        figures::count(requests.tokens.completion),
        figures::dollars(requests.cost),
    );
}

const LATENCY_COLUMNS: [(&str, Align); 5] = [
    ("p50", Align::Right),
    ("p90", Align::Right),
    ("p99", Align::Right),
    ("p99.9", Align::Right),
    ("max", Align::Right),
];

fn latency_cells(latency: Option<Latencies>) -> [String; 5] {
    latency.map_or_else(
        || [DASH; 5].map(str::to_owned),
        |quantiles| {
            let Latencies { p50, p90, p99, p999, max, .. } = quantiles;
            [p50, p90, p99, p999, max].map(figures::seconds)
        },
    )
}

fn asked(text: &mut String, report: &RunReport) {
    let _ = writeln!(text, "\nAsked for");
    let mut columns = vec![
        ("model", Align::Left),
        ("requests", Align::Right),
        ("answered", Align::Right),
        ("by fallback", Align::Right),
    ];
    columns.extend(LATENCY_COLUMNS);
    let mut grid = Grid::new(&columns);
    let share = |value: Option<f64>| value.map_or_else(|| DASH.to_owned(), figures::percent);
    for asked in &report.asked {
        let mut cells = vec![
            asked.model.clone(),
            figures::count(asked.total),
            share(asked.availability),
            share(asked.fallback_rate),
        ];
        cells.extend(latency_cells(asked.latency));
        grid.row(cells);
    }
    text.push_str(&grid.print());
}

fn deployments(text: &mut String, report: &RunReport) {
    let _ = writeln!(text, "\nDeployments");
    let mut grid = Grid::new(&[
        ("deployment", Align::Left),
        ("provider", Align::Left),
        ("region", Align::Left),
        ("attempts", Align::Right),
        ("share", Align::Right),
        ("answered", Align::Right),
        ("p50", Align::Right),
        ("p99", Align::Right),
        ("cooldowns", Align::Right),
        ("cost", Align::Right),
    ]);
    for deployment in &report.deployments {
        let cooldowns: u64 = deployment.cooldowns.iter().map(|count| count.count).sum();
        let [p50, _, p99, ..] = latency_cells(deployment.latency);
        grid.row([
            deployment.name.as_str(),
            &deployment.provider,
            deployment.region.as_deref().unwrap_or(DASH),
            &figures::count(deployment.attempts),
            &deployment.share.map_or_else(|| DASH.to_owned(), figures::percent),
            &figures::percent_of(deployment.succeeded, deployment.attempts),
            &p50,
            &p99,
            &figures::count(cooldowns),
            &figures::dollars(deployment.cost),
        ]);
    }
    text.push_str(&grid.print());
    let mut errors = Grid::new(&[("", Align::Left), ("", Align::Right), ("", Align::Left)]);
    for deployment in &report.deployments {
        let name = deployment.name.as_str();
        let prefixed =
            [("", &deployment.errors), ("cooled: ", &deployment.cooldowns), ("not cooled: ", &deployment.not_cooled)];
        for (prefix, counts) in prefixed {
            for Count { what, count } in counts {
                errors.row([name, &figures::count(*count), &format!("{prefix}{what}")]);
            }
        }
        if deployment.refused > 0 {
            errors.row([name, &figures::count(deployment.refused), "refused by the router's own limits"]);
        }
        if deployment.hung_up > 0 {
            errors.row([name, &figures::count(deployment.hung_up), "calls on which the router hung up"]);
        }
    }
    if !errors.is_empty() {
        let _ = writeln!(text, "\nErrors and cooldowns");
        text.push_str(&errors.print());
    }
}

fn faults(text: &mut String, report: &RunReport) {
    if report.faults.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nFaults");
    let mut grid = Grid::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
    let time = |secs: f64| figures::chosen(router_core::Span::from_secs_f64(secs));
    for fault in &report.faults {
        let when = match fault.until {
            Some(until) => format!("{} to {}", time(fault.from), time(until)),
            None => format!("from {}", time(fault.from)),
        };
        let struck = if fault.struck == 0 {
            "never fired".to_owned()
        } else {
            format!("struck {}", figures::counted(fault.struck, "call"))
        };
        grid.row([&fault.label, &when, &struck]);
    }
    text.push_str(&grid.print());
    if let Some(after) = report.failed_over_after {
        let _ = writeln!(
            text,
            "{INDENT}first struck request answered elsewhere {} after the start",
            figures::seconds(after)
        );
    }
    if let Some(after) = report.returned_after {
        let _ =
            writeln!(text, "{INDENT}first answer from where it had failed {} after the end", figures::seconds(after));
    }
}

fn losses(text: &mut String, report: &RunReport) {
    /// Reasons shown; the rest is counted.
    const SHOWN_MAX: usize = 10;
    if report.losses.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nWhy requests were lost");
    for loss in report.losses.iter().take(SHOWN_MAX) {
        let _ = writeln!(
            text,
            "{INDENT}{} for {}{}: {}",
            figures::count(loss.count),
            loss.model,
            loss.phase.map_or_else(String::new, |phase| format!(" {phase} the faults")),
            loss.how
        );
        let _ = writeln!(
            text,
            "{INDENT}{INDENT}the first: request {}, due at {}",
            loss.example,
            figures::seconds(loss.due)
        );
    }
    let rest = &report.losses[report.losses.len().min(SHOWN_MAX)..];
    if !rest.is_empty() {
        let requests: u64 = rest.iter().map(|loss| loss.count).sum();
        let _ = writeln!(
            text,
            "{INDENT}{} in {}",
            figures::counted(requests, "more request"),
            figures::counted(rest.len() as u64, "other way")
        );
    }
}

fn promises(text: &mut String, report: &RunReport) {
    if report.expectations.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nPromises");
    let mut grid = Grid::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
    for one in &report.expectations {
        grid.row([one.verdict(), &one.promise, &one.seen]);
    }
    text.push_str(&grid.print());
}
