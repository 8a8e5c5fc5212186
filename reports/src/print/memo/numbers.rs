//! The parts of the memo that are mostly figures: the drills, the error budget, its policy, spending.

use super::paper::{Cell, Paper};
use super::sections::{chosen, figure, none_or, times};
use crate::figures::{self, counted};
use crate::model::{DrillReport, RowReport};

/// The baseline, every outage as a matrix, and those that were felt in full.
pub(super) fn drills(report: &DrillReport, paper: &mut dyn Paper) {
    paper.section("Drill results");
    let rows = (report.baseline.iter())
        .map(|one| {
            vec![
                Cell::name(one.model.clone()),
                Cell::Figure(figures::count(one.requests), one.requests as f64),
                figure(one.availability, figures::percent),
                figure(one.latency.as_ref().map(|latency| latency.p50), figures::seconds),
                figure(one.latency.as_ref().map(|latency| latency.p99), figures::seconds),
                figure(one.attempts_per_request, figures::ratio),
            ]
        })
        .collect();
    paper.table("When nothing fails", &["model", "requests", "answered", "p50", "p99", "attempts per request"], rows);
    if report.rows.is_empty() {
        paper.text("No outage was drilled: nobody is served even when nothing fails.");
        return;
    }
    matrix(report, paper);
    felt(report, paper);
    let words: Vec<String> =
        report.outages.iter().map(|outage| format!("`{}`: {}", outage.word, outage.meaning)).collect();
    paper.text(&format!("Outages: {}.", words.join("; ")));
}

/// What fails down, how it fails across.
fn matrix(report: &DrillReport, paper: &mut dyn Paper) {
    let mut columns = vec!["what fails"];
    columns.extend(report.outages.iter().map(|outage| outage.word));
    // A set of deployments goes by the name of its key where it is the key that fails: one line all the same.
    let mut lines: Vec<(&RowReport, Vec<Option<&RowReport>>)> = Vec::new();
    for row in &report.rows {
        let Some(place) = report.outages.iter().position(|outage| outage.word == row.outage) else { continue };
        match lines.iter_mut().find(|(first, _)| first.struck == row.struck) {
            Some((_, cells)) => cells[place] = Some(row),
            None => {
                let mut cells = vec![None; report.outages.len()];
                cells[place] = Some(row);
                lines.push((row, cells));
            }
        }
    }
    let rows = (lines.into_iter())
        .map(|(first, cells)| {
            let mut line = vec![Cell::name(first.target.clone())];
            line.extend(cells.into_iter().map(|cell| match cell {
                Some(row) => Cell::Verdict(row.verdict.to_owned()),
                None => Cell::text(figures::DASH),
            }));
            line
        })
        .collect();
    paper.table("Every outage", &columns, rows);
}

/// The outages that were felt, the worst first.
fn felt(report: &DrillReport, paper: &mut dyn Paper) {
    /// More is for `results.json`.
    const SHOWN: usize = 24;
    let rank = |row: &RowReport| ["lost", "degraded"].iter().position(|word| *word == row.verdict);
    let answered = |row: &RowReport| row.models.first().map_or(1.0, |worst| worst.availability_during);
    let mut felt: Vec<&RowReport> = report.rows.iter().filter(|row| rank(row).is_some()).collect();
    felt.sort_by(|a, b| rank(a).cmp(&rank(b)).then(answered(a).total_cmp(&answered(b))));
    let more = felt.len().saturating_sub(SHOWN);
    let rows = (felt.into_iter().take(SHOWN))
        .filter_map(|row| {
            let worst = row.models.first()?;
            Some(vec![
                Cell::name(row.name.clone()),
                Cell::Verdict(row.verdict.to_owned()),
                Cell::name(worst.model.clone()),
                Cell::Figure(figures::percent(worst.availability_during), worst.availability_during),
                Cell::Figure(figures::percent(worst.availability_after), worst.availability_after),
                figure(worst.p99_delta, figures::difference),
                Cell::Figure(figures::ratio(worst.attempts), worst.attempts),
                Cell::text(crate::print::drill_text::took_over(row)),
                figure(row.failed_over_after, figures::seconds),
                figure(row.recovered_after, figures::seconds),
            ])
        })
        .collect();
    let columns = [
        "outage",
        "verdict",
        "worst-hit model",
        "answered during",
        "after",
        "p99 delta",
        "attempts per request",
        "took over",
        "failed over after",
        "recovered after",
    ];
    paper.table("Outages that were felt, the worst first", &columns, rows);
    if more > 0 {
        paper.text(&format!("{} that were felt less are in `results.json`.", counted(more as u64, "outage")));
    }
}

/// What is promised, how it is counted, and what the outages do to it.
pub(super) fn objectives(report: &DrillReport, paper: &mut dyn Paper) {
    let Some(slo) = &report.slo else { return };
    paper.section("Service-level objectives");
    paper.list(&[
        format!(
            "Availability: of all requests for a model that were due within the window, the share whose caller got a whole \
             answer. Numerator: requests answered without an error before the caller gave up after {}, by whichever \
             deployment. Denominator: all requests that were due, those that callers gave up included; nothing is left out. \
             Objective: {}, for each model by itself.",
            chosen(report.world.deadline),
            figures::chosen_share(slo.availability_objective)
        ),
        format!(
            "Latency: of all answered requests for a model, the share that took no longer than {} times the p99 of the run in \
             which nothing fails, from when the request was due. Numerator: answers within that. Denominator: all answers; \
             what is not answered counts against availability. Objective: {}. In {} it is missed.",
            slo.latency_limit_ratio,
            figures::chosen_share(slo.latency_objective),
            counted(slo.latency_misses, "drilled outage")
        ),
        format!(
            "Error budget over {} days: {} of the requests, which is {} in which nothing is answered, at even traffic.",
            slo.window_days,
            figures::chosen_share(1.0 - slo.availability_objective),
            figures::seconds(slo.budget_minutes * 60.0)
        ),
        "Rounding: shares are rounded towards the middle, to two digits above 99 % and below 1 %, so that only all is 100 % \
         and only none is 0 %; verdicts compare the figures before rounding. Times are rounded to three digits; quantiles come \
         from a histogram that keeps three."
            .to_owned(),
    ]);
    burns(slo, paper);
    let rows = (slo.expected.iter())
        .map(|one| {
            let minutes = |minutes: f64| figures::seconds(minutes * 60.0);
            vec![
                Cell::text(one.provider.clone()),
                Cell::name(one.row.clone()),
                Cell::Figure(figures::percent(one.lost), one.lost),
                Cell::text(one.record),
                Cell::text(format!("{} to {}", minutes(one.minutes_by_uptime), minutes(one.minutes_by_posts))),
                Cell::Figure(
                    if one.lost > 0.0 {
                        format!("{} to {}", times(one.burn_by_uptime), times(one.burn_by_posts))
                    } else {
                        "nothing".to_owned()
                    },
                    one.burn_by_posts,
                ),
            ]
        })
        .collect();
    paper.table(
        "Expected burn per month (28 days), by provider",
        &[
            "provider",
            "drilled as",
            "lost by the worst-hit model",
            "record of",
            "complete failure per month",
            "burns of the budget",
        ],
        rows,
    );
    if !slo.expected.is_empty() {
        paper.text(&format!("How often and how long providers fail is {}.", slo.prior));
    }
}

fn burns(slo: &crate::model::SloReport, paper: &mut dyn Paper) {
    const SHOWN: usize = 12;
    let rows = (slo.burns.iter().take(SHOWN))
        .map(|one| {
            vec![
                Cell::name(one.row.clone()),
                Cell::name(one.model.clone()),
                Cell::Figure(figures::percent(one.lost), one.lost),
                Cell::Figure(format!("{:.1}", one.burn_rate), one.burn_rate),
                Cell::Figure(times(one.budget_per_hour), one.budget_per_hour),
                Cell::Figure(figures::seconds(one.minutes_to_empty * 60.0), one.minutes_to_empty),
            ]
        })
        .collect();
    paper.table(
        "What drilled outages burn, the worst first",
        &["outage", "model", "lost", "burn rate", "an hour burns", "all is burnt after"],
        rows,
    );
    match slo.burns.len() {
        0 => paper.text("No drilled outage burns any of it while it is on."),
        all if all > SHOWN => {
            paper.text(&format!("{} that burn less are in `results.json`.", counted((all - SHOWN) as u64, "outage")))
        }
        _ => {}
    }
}

/// What is done about a budget that is being burnt, with the drill's figures in it.
pub(super) fn policy(report: &DrillReport, paper: &mut dyn Paper) {
    /// An incident that burns this part of a budget is looked into (Google's SRE workbook, example error budget policy).
    const INVESTIGATE: f64 = 0.2;
    /// An hour at this rate burns 2 % of a budget of four weeks, three days at that rate 10 % of it: the workbook's
    /// thresholds for a page and for a ticket.
    const PAGE: f64 = 13.4;
    const TICKET: f64 = 0.93;
    let Some(slo) = &report.slo else { return };
    let tried = report.rows.len() as u64;
    paper.section("Error budget policy");
    paper.text("A proposal, filled with the figures of this drill; strike out what your team does otherwise.");
    let within_hour = slo.burns.iter().filter(|one| one.budget_per_hour >= INVESTIGATE).count();
    let pages = slo.burns.iter().filter(|one| one.burn_rate >= PAGE).count();
    let tickets = slo.burns.iter().filter(|one| one.burn_rate >= TICKET).count() - pages;
    let minutes = |minutes: f64| figures::seconds(minutes * 60.0);
    let fastest = slo.burns.first();
    let grave = report.risks.iter().filter(|risk| matches!(risk.grade, "P0" | "P1")).count();
    paper.list(&[
        format!(
            "Freeze: when the budget of {} is spent, nothing but fixes of P0 and P1 risks ({} today) goes into the config until \
             the service is within its objective again.{}",
            minutes(slo.budget_minutes),
            none_or(grave),
            fastest.map_or_else(String::new, |worst| format!(
                " One outage like `{}` spends it in {}.",
                worst.row,
                minutes(worst.minutes_to_empty)
            ))
        ),
        format!(
            "Investigation: an incident that burns {} of the budget ({} of complete loss) gets a post-mortem with an action \
             of grade P0. Of the {tried} drilled outages {} would come to that within an hour{}.",
            figures::chosen_share(INVESTIGATE),
            minutes(slo.budget_minutes * INVESTIGATE),
            none_or(within_hour),
            fastest.map_or_else(String::new, |worst| format!(
                ", the fastest in {}",
                minutes(worst.minutes_to_empty * INVESTIGATE)
            ))
        ),
        format!(
            "Escalation: page on-call when an hour burns 2 % of the budget (burn rate {PAGE}), write a ticket when three days \
             burn 10 % (burn rate {TICKET}). Of the drilled outages {} would page, {} more would be tickets. What on-call and \
             the service owner disagree about goes to: ____________________",
            none_or(pages),
            none_or(tickets)
        ),
    ]);
}

/// What outages cost, and what hangs on each key.
pub(super) fn spending(report: &DrillReport, paper: &mut dyn Paper) {
    const SHOWN: usize = 8;
    paper.section("Spending and keys");
    let mut dearer: Vec<(&RowReport, &crate::model::ImpactReport, f64)> = (report.rows.iter())
        .flat_map(|row| row.models.iter().map(move |one| (row, one)))
        .filter(|(_, one)| one.cost_baseline > 0.0 && one.cost > one.cost_baseline * 1.05)
        .map(|(row, one)| (row, one, one.cost / one.cost_baseline))
        .collect();
    dearer.sort_by(|a, b| b.2.total_cmp(&a.2));
    if dearer.is_empty() {
        paper.text("In no drilled outage did an answer cost over 5 % more than when nothing fails.");
    } else {
        paper.text(
            "Cost per answer, at the prices that the config gives, else at public list prices; models without a price count \
             as free. Calls that fail cost nothing here.",
        );
    }
    let more = dearer.len().saturating_sub(SHOWN);
    let rows = (dearer.into_iter().take(SHOWN))
        .map(|(row, one, ratio)| {
            vec![
                Cell::name(row.name.clone()),
                Cell::name(one.model.clone()),
                Cell::Figure(figures::dollars(one.cost_baseline), one.cost_baseline),
                Cell::Figure(figures::dollars(one.cost), one.cost),
                Cell::Figure(figures::ratio(ratio), ratio),
                Cell::Figure(figures::percent(one.by_fallback), one.by_fallback),
            ]
        })
        .collect();
    paper.table(
        "Outages in which answers cost more",
        &["outage", "model", "usual cost per answer", "during", "times", "by fallback"],
        rows,
    );
    if more > 0 {
        paper.text(&format!("{} more are in `results.json`.", counted(more as u64, "such row")));
    }
    keys(report, paper);
    let spending = &report.surroundings.spending;
    let rows = (spending.iter())
        .map(|one| {
            let line = one.line.map_or_else(String::new, |line| line.to_string());
            vec![Cell::name(one.path.clone()), Cell::text(one.value.clone()), Cell::text(line)]
        })
        .collect();
    paper.table("Bounds of spending, and what virtual keys need", &["setting", "value", "line"], rows);
    paper.text(
        "Virtual keys, teams and their budgets live in the proxy's database, which is not read: during an outage a fallback \
         spends on the same virtual key at the other model's price, until its budget is reached. None of that was modelled.",
    );
}

/// Which models stand or fall with each key.
fn keys(report: &DrillReport, paper: &mut dyn Paper) {
    let mut keys: Vec<(&str, Vec<&str>, Vec<&str>)> = Vec::new();
    for one in &report.inventory.deployments {
        let Some(key) = one.key.as_deref() else { continue };
        if !keys.iter().any(|(known, ..)| *known == key) {
            keys.push((key, Vec::new(), Vec::new()));
        }
        let Some((_, deployments, models)) = keys.iter_mut().find(|(known, ..)| *known == key) else { continue };
        deployments.push(&one.name);
        if !models.contains(&one.model_name.as_str()) {
            models.push(&one.model_name);
        }
    }
    let rows = (keys.into_iter())
        .map(|(key, deployments, models)| {
            let verdict = |outage: &str| {
                let wanted = format!("key:{key}/{outage}");
                let row = report.rows.iter().find(|row| row.name == wanted || row.equals.contains(&wanted));
                row.map_or_else(|| Cell::text(figures::DASH), |row| Cell::Verdict(row.verdict.to_owned()))
            };
            vec![
                Cell::name(key),
                Cell::Figure(deployments.len().to_string(), deployments.len() as f64),
                Cell::text(models.iter().map(|model| format!("`{model}`")).collect::<Vec<_>>().join(", ")),
                verdict("revoked"),
                verdict("quota"),
            ]
        })
        .collect();
    paper.table(
        "What hangs on each upstream key",
        &["key", "deployments", "models", "revoked", "quota exhausted"],
        rows,
    );
}
