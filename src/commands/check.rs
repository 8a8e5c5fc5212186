//! `routedrill check`: scenarios under many seeds.

use std::path::PathBuf;

use clap::ValueEnum;
use rayon::prelude::*;
use routedrill_reports::model::{CheckReport, CheckedScenario, SeedReport};
use routedrill_reports::print;
use routedrill_sim::campaign;
use routedrill_sim::problem::Problems;
use routedrill_sim::scenario::{self, Scenario};
use routedrill_sim::search::store::Shard;

use super::corpus::scenario_files;
use super::parse;
use crate::exit::Exit;
use crate::output;
use crate::progress::Progress;

/// Run scenarios under many seeds, and say which promises and laws broke under which of them.
///
/// The exit code is 1 when a law of the router or a promise of a scenario broke under some seed, or when a situation that a
/// scenario must see, or one of its faults, never came under any.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Scenario files, or folders of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// How many seeds, from 0 (`200`), or which: `100..200` is 100 to 199.
    #[arg(long, value_name = "N|A..B", value_parser = seeds, default_value = "20")]
    seeds: Seeds,
    /// Only every n-th seed, beginning with the i-th: `2/4`.
    #[arg(long, value_name = "I/N", value_parser = parse::shard)]
    shard: Option<Shard>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Format {
    Text,
    Json,
    /// JUnit XML.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
}

/// From the first up to, but without, the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seeds(u64, u64);

/// A campaign beyond this would outlive its reader.
const SEEDS_MAX: u64 = 1_000_000;

fn seeds(text: &str) -> Result<Seeds, String> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let seeds = match text.split_once("..") {
        Some((first, end)) => number(first).zip(number(end)),
        None => number(text).map(|count| (0, count)),
    };
    match seeds {
        Some((first, end)) if first < end && end - first <= SEEDS_MAX => Ok(Seeds(first, end)),
        Some(_) => Err(format!("1 to {SEEDS_MAX} seeds: `200`, or `100..200`")),
        None => Err("expected a number of seeds, or a range: `200`, `100..200`".to_owned()),
    }
}

pub(crate) fn run(args: &Args) -> Exit {
    check(args).unwrap_or_else(|exit| exit)
}

fn check(args: &Args) -> Result<Exit, Exit> {
    let scenarios = load(&args.paths)?;
    let Seeds(first, end) = args.seeds;
    let of_shard = |seed: &u64| args.shard.is_none_or(|Shard { index, of }| (seed - first) % of == index - 1);
    let seeds: Vec<u64> = (first..end).filter(of_shard).collect();
    let progress = Progress::new((scenarios.len() * seeds.len()) as u64, "runs");
    let mut checked = Vec::with_capacity(scenarios.len());
    for (path, scenario) in &scenarios {
        // Collected in the order of the seeds, whichever thread was first.
        let runs: Vec<SeedReport> = seeds
            .par_iter()
            .map(|&seed| {
                let report = SeedReport::new(path, scenario, &campaign::watched(scenario, seed));
                progress.step();
                report
            })
            .collect();
        checked.push(CheckedScenario::new(path, scenario, runs));
    }
    progress.finish();
    let shard = args.shard.map_or_else(String::new, |Shard { index, of }| format!(", shard {index}/{of}"));
    let report = CheckReport { seeds: format!("{first}..{end}{shard}"), scenarios: checked };
    output::result(&match args.format {
        Format::Text => print::check_text(&report),
        Format::Json => print::json(&report),
        Format::Junit => print::check_junit(&report),
        Format::Github => print::check_github(&report),
    })?;
    Ok(match (report.is_cut_short(), report.is_clean()) {
        (true, _) => Exit::Unfinished,
        (false, true) => Exit::Clean,
        (false, false) => Exit::Found,
    })
}

/// Loads every scenario, folders in the order of file names. Everything that is wrong with any of them is said at once.
fn load(paths: &[PathBuf]) -> Result<Vec<(String, Scenario)>, Exit> {
    let files = scenario_files(paths)?;
    let mut problems = Problems::new();
    let mut scenarios = Vec::with_capacity(files.len());
    for file in files {
        match scenario::load(&file) {
            Ok(loaded) => scenarios.push((file.display().to_string(), loaded.scenario)),
            Err(more) => problems.append(more),
        }
    }
    if problems.is_empty() { Ok(scenarios) } else { Err(output::refuse(&problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_number_or_a_range_and_never_none() {
        assert_eq!(seeds("20"), Ok(Seeds(0, 20)));
        assert_eq!(seeds("5..7"), Ok(Seeds(5, 7)));
        assert!(["0", "7..7", "-1", "x", "1..9000000"].into_iter().all(|text| seeds(text).is_err()));
    }
}
