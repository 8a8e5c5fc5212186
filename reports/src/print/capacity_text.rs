//! A search for capacity as people read it in a terminal.

use std::fmt::Write as _;

use super::not_litellm;
use crate::figures::{self, DASH};
use crate::model::{CapacityCase, CapacityCurve, CapacityReport, TargetReport, TriedReport};
use crate::table::{Align, Grid, INDENT};

/// As text.
pub fn capacity(report: &CapacityReport) -> String {
    let mut text = format!("Capacity of {} (LiteLLM {})\n", report.input, report.litellm);
    not_litellm(&mut text, &report.what_if);
    text.push('\n');
    let mut facts = Grid::new(&[("", Align::Left), ("", Align::Left)]);
    for (name, value) in capacity_facts(report) {
        facts.row([name, &value]);
    }
    text.push_str(&facts.print());
    let _ = writeln!(text, "\n{}\n", capacity_headline(report));
    text.push_str(&cases(report));
    text.push_str(&reasons(report));
    for curve in &report.curves {
        text.push_str(&curve_text(curve));
    }
    if let Some(target) = &report.target {
        text.push_str(&target_text(target));
    }
    for why in &report.cut_short {
        let _ = writeln!(text, "CUT SHORT: {why}");
    }
    let _ = writeln!(
        text,
        "\n{}, {}, digest {}",
        figures::counted(report.runs, "run"),
        figures::counted(report.requests, "request"),
        report.digest
    );
    text
}

/// What was asked, and under which assumptions.
pub(super) fn capacity_facts(report: &CapacityReport) -> Vec<(&'static str, String)> {
    let mix: Vec<String> =
        report.mix.iter().map(|(name, share)| format!("{name} {}", figures::percent(*share))).collect();
    let mut facts = vec![
        ("objective", report.objective.join(", ")),
        (
            "how sure",
            format!(
                "{}, to within {}; up to {} of {} for each load",
                figures::chosen_share(report.confidence),
                figures::chosen_share(report.precision),
                figures::counted(report.seeds, "run"),
                figures::seconds(report.duration)
            ),
        ),
        ("today", format!("{}, {}", figures::load(report.today), report.today_from)),
        ("mix", mix.join(", ")),
        ("lost means", report.lost_as.to_owned()),
    ];
    if report.cases.iter().all(|case| case.case == "healthy") {
        facts.pop();
    }
    match report.quotas.as_slice() {
        [] => facts.push(("quotas", "none: nothing that an upstream allows is limited".to_owned())),
        [first, rest @ ..] => {
            facts.push(("quotas", first.clone()));
            facts.extend(rest.iter().map(|quota| ("", quota.clone())));
        }
    }
    for (index, sentence) in report.assumed.iter().enumerate() {
        facts.push((if index == 0 { "assumed" } else { "" }, sentence.clone()));
    }
    facts
}

/// The answer in one or two sentences.
pub(super) fn capacity_headline(report: &CapacityReport) -> String {
    let Some(first) = report.cases.first() else { return String::new() };
    let with = |case: &CapacityCase| match case.case.as_str() {
        "healthy" => "with nothing lost".to_owned(),
        name => format!("with {name} lost"),
    };
    let mut text = match (first.holds, first.breaks) {
        (Some(holds), Some(breaks)) => {
            // A little more than asked for is what rounding leaves.
            let open = if breaks / holds - 1.0 > report.precision * 1.01 {
                "; in between the runs do not tell: more --seeds or a longer --duration would"
            } else {
                ""
            };
            format!(
                "The objective holds up to {} {}, and is broken from {} on{open}. That is {} times today's load.",
                figures::load(holds),
                with(first),
                figures::load(breaks),
                figures::ratio(holds / report.today)
            )
        }
        (Some(holds), None) => {
            format!(
                "The objective holds at {}, the highest load that was tried, {}.",
                figures::load(holds),
                with(first)
            )
        }
        (None, _) => {
            let best = best_of(first).map_or_else(String::new, |best| format!(" The best that was found: {best}."));
            if first.is_hopeless() {
                format!("No load holds the objective {}.{best}", with(first))
            } else {
                format!(
                    "No load was shown to hold the objective {}: the runs are too few or too short to tell. More \
                     --seeds or a longer --duration would.{best}",
                    with(first)
                )
            }
        }
    };
    if let Some(worst) = report.worst().filter(|_| first.holds.is_some()) {
        if worst.holds == first.holds && first.breaks.is_none() && worst.breaks.is_none() {
            text.push_str(" It does so with each of the losses below, too.");
            return text;
        }
        let holds = match worst.holds {
            Some(holds) => format!("{} are left", figures::load(holds)),
            None if worst.is_hopeless() => "no load holds it".to_owned(),
            None => "no load was shown to hold it".to_owned(),
        };
        let _ = write!(text, " {}, {holds}.", capitalised(&with(worst)));
    }
    text
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The indicators of the load that came nearest to the objective.
pub(super) fn best_of(case: &CapacityCase) -> Option<String> {
    // By how far the worst indicator stays behind: shares count up, everything else counts down.
    let value = |tried: &TriedReport| {
        let shares = tried.indicators.iter().flatten().map(|indicator| {
            if indicator.promise.contains(">=") || indicator.says.contains("of the answers") {
                indicator.value
            } else {
                -indicator.value
            }
        });
        shares.fold(f64::INFINITY, f64::min)
    };
    let best = case.tried.iter().max_by(|a, b| value(a).total_cmp(&value(b)))?;
    let says: Vec<&str> = best.indicators.iter().flatten().map(|indicator| indicator.says.as_str()).collect();
    Some(format!("at {}, {}", figures::load(best.load), says.join("; ")))
}

/// The highest load that holds, in a word where there is none.
pub(super) fn holds_says(case: &CapacityCase) -> String {
    let without = if case.is_hopeless() { "nothing" } else { "not shown" };
    case.holds.map_or_else(|| without.to_owned(), figures::load)
}

fn optional(value: Option<f64>, figure: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| DASH.to_owned(), figure)
}

fn cases(report: &CapacityReport) -> String {
    let mut grid = Grid::new(&[
        ("what is lost", Align::Left),
        ("holds", Align::Right),
        ("breaks at", Align::Right),
        ("x today", Align::Right),
        ("per month", Align::Right),
        ("also known as", Align::Left),
    ]);
    for case in &report.cases {
        grid.row([
            case.case.clone(),
            holds_says(case),
            optional(case.breaks, figures::load),
            optional(case.headroom, figures::ratio),
            optional(case.dollars_per_month, figures::dollars),
            case.also.join(", "),
        ]);
    }
    grid.print()
}

fn reasons(report: &CapacityReport) -> String {
    let mut text = String::new();
    for case in report.cases.iter().filter(|case| !case.gives.is_empty() || !case.losses.is_empty()) {
        if text.is_empty() {
            text.push_str("\nWhat gives first, just beyond the capacity\n");
        }
        let _ = writeln!(text, "{INDENT}{}", case.case);
        for (index, gives) in case.gives.iter().enumerate() {
            let _ = writeln!(text, "{INDENT}{INDENT}{} {gives}", if index == 0 { "first" } else { " then" });
        }
        if let Some((share, how)) = case.losses.first() {
            let _ = writeln!(text, "{INDENT}{INDENT}{} of the lost: {how}", figures::percent(*share));
        }
    }
    text
}

fn curve_text(curve: &CapacityCurve) -> String {
    let mut text = format!("\nLoad curve, {}\n", curve.case);
    let mut grid = Grid::new(&[
        ("load", Align::Right),
        ("goodput", Align::Right),
        ("answered", Align::Right),
        ("p50", Align::Right),
        ("p99", Align::Right),
        ("429s", Align::Right),
        ("attempts", Align::Right),
        ("per month", Align::Right),
        ("", Align::Left),
    ]);
    for point in &curve.points {
        grid.row([
            figures::load(point.load),
            figures::load(point.goodput),
            figures::percent(point.availability),
            optional(point.p50, figures::seconds),
            optional(point.p99, figures::seconds),
            figures::load(point.rate_limited),
            figures::ratio(point.attempts),
            figures::dollars(point.dollars_per_month),
            if curve.knee == Some(point.load) { "<- knee".to_owned() } else { String::new() },
        ]);
    }
    text.push_str(&grid.print());
    let _ = writeln!(text, "{INDENT}{}", curve.overload_says);
    if let Some(minute) = &curve.minute {
        let _ = writeln!(text, "{INDENT}{minute}");
    }
    text
}

/// What a target needs, in one sentence.
pub(super) fn target_says(target: &TargetReport) -> String {
    let load = figures::load(target.load);
    let then = || match &target.then {
        Some(then) => format!(": {then}. The config's own `rpm` and `tpm` do not grow with what is bought."),
        None => ".".to_owned(),
    };
    match (target.holds_today, target.reached, target.purchases.is_empty()) {
        (true, ..) => format!("{load} hold as things are."),
        (false, true, _) => format!("{load} hold after these purchases:"),
        (false, false, true) => format!("{load} do not hold, and no quota is what limits them{}", then()),
        (false, false, false) => format!("{load} do not hold even after these purchases{}", then()),
    }
}

fn target_text(target: &TargetReport) -> String {
    let mut text = format!("\nWhat to buy\n{INDENT}{}\n", target_says(target));
    let mut grid = Grid::new(&[("quota", Align::Left), ("to", Align::Right), ("then holds", Align::Right)]);
    for purchase in &target.purchases {
        grid.row([purchase.quota.clone(), figures::count(purchase.to), optional(purchase.holds, figures::load)]);
    }
    if !grid.is_empty() {
        text.push_str(&grid.print());
    }
    text
}
