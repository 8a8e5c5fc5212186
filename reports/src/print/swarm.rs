//! The report of scenarios that were drawn at random: as text, as JUnit XML, as annotations of GitHub Actions, as Markdown.

use std::fmt::Write as _;

use super::check::sentences;
use super::ci::{self, Annotation, Level, Summary};
use super::junit::{Outcome, Suite};
use super::not_litellm;
use crate::figures::{count, counted};
use crate::model::{FeatureCount, SwarmFailure, SwarmReport};
use crate::table::{Align, Grid, INDENT};
use crate::wrap;

/// Failing scenarios that are printed whole; of the others there is a line each.
const SHOWN_MAX: usize = 2;

/// As people read it in a terminal: what was tried, then what failed.
pub fn swarm_text(report: &SwarmReport) -> String {
    let mut text = String::new();
    let over = match report.configs.as_slice() {
        [] => "over configs of their own".to_owned(),
        configs => format!("over {}", configs.join(", ")),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} drawn {over}, seeds {}: {}",
        counted(report.scenarios, "scenario"),
        report.seeds,
        counted(report.requests, "request")
    );
    not_litellm(&mut text, &report.what_if);
    let _ = write!(text, "\nWhat they had, and how many of them\n{}", features(&report.features));
    let mut grid = Grid::new(&[("", Align::Left), ("", Align::Left), ("", Align::Right)]);
    for one in report.situations.iter().filter(|one| one.scenarios > 0) {
        grid.row([one.kind, one.situation, &count(one.scenarios)]);
    }
    let _ = write!(text, "\nWhat happened in them, and in how many\n{}", grid.print());
    let unmet = report.situations.iter().filter(|one| one.scenarios == 0);
    never(&mut text, "Never happened", unmet.map(|one| format!("{}: {}", one.kind, one.situation)));
    let undrawn = report.features.iter().filter(|one| one.scenarios == 0);
    never(&mut text, "Never drawn", undrawn.map(|one| one.feature.to_owned()));
    for failure in report.failures.iter().take(SHOWN_MAX) {
        whole(&mut text, failure);
    }
    let rest = report.failures.get(SHOWN_MAX..).unwrap_or_default();
    if !rest.is_empty() {
        let _ = writeln!(text, "\n{} failed too", counted(rest.len() as u64, "scenario"));
        for failure in rest {
            let first = swarm_failure(failure).into_iter().next().unwrap_or_default();
            let _ = writeln!(text, "{INDENT}seed {}: {first}", failure.seed);
        }
        let _ = writeln!(text, "{INDENT}each is written to a file by: {}", save_of("SEED", &rest[0]));
    }
    if let Some(seeds) = &report.left_out {
        let _ = writeln!(text, "\nleft out after that: seeds {seeds}");
    }
    let held = report.scenarios - report.failures.len() as u64;
    let seeds = match report.failures.as_slice() {
        [] => String::new(),
        some => {
            let seeds: Vec<String> = some.iter().take(12).map(|failure| failure.seed.to_string()).collect();
            let more = if some.len() > seeds.len() { ", ..." } else { "" };
            format!("; not under {} {}{more}", crate::figures::plural(some.len() as u64, "seed"), seeds.join(", "))
        }
    };
    let _ =
        writeln!(text, "\nevery law held in {} of {} drawn{seeds}", count(held), counted(report.scenarios, "scenario"));
    text
}

/// Two features on a line.
fn features(features: &[FeatureCount]) -> String {
    let drawn: Vec<&FeatureCount> = features.iter().filter(|one| one.scenarios > 0).collect();
    let (left, right) = drawn.split_at(drawn.len().div_ceil(2));
    let sides = [("", Align::Left), ("", Align::Right)];
    let mut grid = Grid::new(&[sides[0], sides[1], sides[0], sides[1]]);
    for (index, one) in left.iter().enumerate() {
        let other = right.get(index).map_or((String::new(), String::new()), |other| {
            (format!("{INDENT}{}", other.feature), count(other.scenarios))
        });
        grid.row([one.feature.to_owned(), count(one.scenarios), other.0, other.1]);
    }
    grid.print()
}

fn never(text: &mut String, what: &str, names: impl Iterator<Item = String>) {
    let names: Vec<String> = names.collect();
    if !names.is_empty() {
        let _ = writeln!(text, "\n{what}");
        wrap::item(text, "", &names.join("; "));
    }
}

/// What broke in a scenario, one sentence each.
pub fn swarm_failure(failure: &SwarmFailure) -> Vec<String> {
    let mut told: Vec<String> = failure.crashed.iter().cloned().collect();
    told.extend(failure.broke.iter().flat_map(sentences));
    told
}

/// A failing scenario with its file.
fn whole(text: &mut String, failure: &SwarmFailure) {
    let _ = writeln!(text, "\nseed {} FAILED; its scenario, whole:\n", failure.seed);
    text.push_str(&failure.scenario);
    let _ = writeln!(text, "\nseed {} FAILED", failure.seed);
    for what in swarm_failure(failure) {
        let _ = writeln!(text, "{INDENT}{what}");
    }
    let _ = writeln!(text, "{INDENT}save:   {}", failure.save);
    let _ = writeln!(text, "{INDENT}replay: {}", failure.replay);
    let _ = writeln!(text, "{INDENT}shrink: {}", failure.shrink);
}

/// The command that saves a scenario, for another seed.
fn save_of(seed: &str, like: &SwarmFailure) -> String {
    like.save.replacen(&format!("{}..{}", like.seed, like.seed + 1), &format!("{seed}..{seed}+1"), 1)
}

/// As annotations of GitHub Actions: one for each failing scenario.
pub fn swarm_github(report: &SwarmReport) -> String {
    let of_failure = |failure: &SwarmFailure| Annotation {
        level: Level::Error,
        file: String::new(),
        at: None,
        title: format!("swarm, seed {}", failure.seed),
        text: format!("{}\nsave: {}\nreplay: {}", swarm_failure(failure).join("\n"), failure.save, failure.replay),
    };
    ci::annotations(&report.failures.iter().map(of_failure).collect::<Vec<_>>())
}

/// As JUnit XML: a case for each failing scenario, and one for all of the others.
pub fn swarm_junit(report: &SwarmReport) -> String {
    let mut suite = Suite::new("routedrill check --swarm");
    let others = counted(report.scenarios - report.failures.len() as u64, "scenario");
    suite.case("swarm", format!("{others} under seeds {}", report.seeds), Outcome::Passed);
    for failure in &report.failures {
        let mut lines = swarm_failure(failure);
        let first = lines.first().cloned().unwrap_or_default();
        lines.push(format!("save: {}", failure.save));
        lines.push(format!("replay: {}", failure.replay));
        lines.push(format!("shrink: {}", failure.shrink));
        lines.push(failure.scenario.clone());
        suite.case("swarm", format!("seed {}", failure.seed), Outcome::Failed(first, lines.join("\n")));
    }
    suite.print()
}

/// As Markdown for a step summary: how many were drawn, and a line for each that fails.
pub fn swarm_markdown(report: &SwarmReport) -> String {
    const ROWS_MAX: usize = 500;
    let mut summary = Summary::default();
    summary.text(&format!(
        "## Laws of the router: held in {} of {} drawn\n\nSeeds {}, {}.\n",
        count(report.scenarios - report.failures.len() as u64),
        counted(report.scenarios, "scenario"),
        report.seeds,
        counted(report.requests, "request")
    ));
    if let Some(notice) = crate::words::not_litellm(&report.what_if) {
        summary.text(&format!("\n{notice}\n"));
    }
    let failures = report.failures.iter();
    let failures = failures.map(|failure| {
        vec![failure.seed.to_string(), swarm_failure(failure).join("; "), failure.save.clone(), failure.replay.clone()]
    });
    let columns = ["seed", "what broke", "save", "replay"].map(|title| (title, Align::Left));
    summary.table(&columns, failures, ROWS_MAX, "more failing scenario");
    summary.finish()
}
