//! `routedrill check`: scenarios under many seeds.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rayon::prelude::*;
use routedrill_reports::model::{CheckReport, CheckedScenario, SeedReport};
use routedrill_reports::{print, write_whole};
use routedrill_sim::campaign::Campaign;
use routedrill_sim::engine::Engine;
use routedrill_sim::problem::Problems;
use routedrill_sim::scenario::{self, Scenario};
use routedrill_sim::search::store::Shard;
use router_core::WhatIf;

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
    /// Scenario files, or folders of them; with `--swarm` LiteLLM configs, or none.
    #[arg(required_unless_present = "swarm")]
    pub(super) paths: Vec<PathBuf>,
    /// How many seeds, from 0 (`200`), or which: `100..200` is 100 to 199. Default: 20; 200 with `--swarm`.
    #[arg(long, value_name = "N|A..B", value_parser = seeds)]
    seeds: Option<Seeds>,
    /// Draw whole scenarios at random, one for each seed, over the configs or over configs out of nothing: traffic, limits,
    /// faults, settings of the router. Each that breaks a law, panics or does not end is printed as a scenario file. `--swarm
    /// 500` is short for `--swarm --seeds 500`.
    #[arg(long, value_name = "N|A..B", value_parser = seeds, num_args = 0..=1)]
    swarm: Option<Option<Seeds>>,
    /// Policies that LiteLLM does not have, to see what they would buy: `retry-budget=0.2`, `cooldown-jitter=50%`,
    /// `half-open`, `wait-for-cooldown=5s`, `hedge=2s`; several with commas, or repeated. `routedrill schema` explains them.
    #[arg(long, value_name = "POLICY", value_delimiter = ',', value_parser = parse::what_if)]
    pub(super) what_if: Vec<WhatIf>,
    /// Only every n-th seed, beginning with the i-th: `2/4`.
    #[arg(long, value_name = "I/N", value_parser = parse::shard)]
    pub(super) shard: Option<Shard>,
    /// Go on with further seeds for so many minutes, and say which were reached.
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u64).range(1..=10_080), conflicts_with = "shard")]
    pub(super) minutes: Option<u64>,
    /// Leave out the scenarios after the first in which something broke.
    #[arg(long)]
    pub(super) stop_early: bool,
    /// Write the first failing seed of each scenario as a scenario of its own into `regressions/` beside it. Those of a
    /// folder run first from then on, each under its own seed.
    #[arg(long)]
    pub(super) save_failures: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

/// A scenario to check.
struct Planned {
    path: String,
    scenario: Scenario,
    /// It was written down because of one seed, and runs under that one.
    regression: bool,
}

/// Where failing seeds are kept, beside their scenarios.
pub(super) const REGRESSIONS: &str = "regressions";

/// Seeds for each scenario, unless somebody says how many.
const SEEDS: Seeds = Seeds(0, 20);

/// Scenarios of a swarm, unless somebody says how many.
const SWARM_SEEDS: Seeds = Seeds(0, 200);

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Format {
    Text,
    Json,
    /// JUnit XML.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
    /// Markdown for the step summary of GitHub Actions.
    Markdown,
}

/// From the first up to, but without, the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Seeds(pub(super) u64, pub(super) u64);

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
    if let Some(swarm) = args.swarm {
        if swarm.is_some() && args.seeds.is_some() {
            eprintln!("error: --swarm and --seeds both say which seeds\nhelp: `--swarm 500`, or `--swarm --seeds 500`");
            return Err(Exit::BadInput);
        }
        return super::swarm::check(args, swarm.or(args.seeds).unwrap_or(SWARM_SEEDS));
    }
    let planned = load(&args.paths, parse::together(&args.what_if))?;
    let Seeds(first, end) = args.seeds.unwrap_or(SEEDS);
    let seeds = of_shard(args.shard, first, end);
    let runs_of = |one: &Planned| if one.regression { 1 } else { seeds.len() as u64 };
    let progress = Progress::new(planned.iter().map(runs_of).sum(), "runs");
    let mut reports: Vec<Vec<SeedReport>> = Vec::with_capacity(planned.len());
    for one in &planned {
        let own = [one.scenario.seed];
        let runs = run_all(one, if one.regression { &own } else { &seeds }, &progress);
        let broke = runs.iter().any(SeedReport::has_failed);
        reports.push(runs);
        if broke && args.stop_early {
            break;
        }
    }
    let reached = match args.minutes {
        Some(minutes) if reports.len() == planned.len() => soak(&planned, &mut reports, end, minutes, &progress),
        _ => end,
    };
    progress.finish();
    let left_out = planned[reports.len()..].iter().map(|one| one.scenario.name.clone()).collect();
    let checked = planned.iter().zip(reports).map(|(one, runs)| CheckedScenario::new(&one.path, &one.scenario, runs));
    let report = CheckReport { seeds: told(first, reached, args.shard), scenarios: checked.collect(), left_out };
    if args.save_failures {
        save_failures(&planned, &report)?;
    }
    output::result(&match args.format {
        Format::Text => print::check_text(&report),
        Format::Json => print::json(&report),
        Format::Junit => print::check_junit(&report),
        Format::Github => print::check_github(&report),
        Format::Markdown => print::check_markdown(&report),
    })?;
    Ok(match (report.is_cut_short(), report.is_clean()) {
        (true, _) => Exit::Unfinished,
        (false, true) => Exit::Clean,
        (false, false) => Exit::Found,
    })
}

/// The seeds that are a shard's.
pub(super) fn of_shard(shard: Option<Shard>, first: u64, end: u64) -> Vec<u64> {
    (first..end).filter(|seed| shard.is_none_or(|Shard { index, of }| (seed - first) % of == index - 1)).collect()
}

/// Which seeds, for reports.
pub(super) fn told(first: u64, end: u64, shard: Option<Shard>) -> String {
    let shard = shard.map_or_else(String::new, |Shard { index, of }| format!(", shard {index}/{of}"));
    format!("{first}..{end}{shard}")
}

/// Runs a scenario under each seed. Collected in the order of the seeds, whichever thread was first.
fn run_all(one: &Planned, seeds: &[u64], progress: &Progress) -> Vec<SeedReport> {
    let campaign = Campaign::of(&one.scenario);
    let run = |engine: &mut Engine, &seed: &u64| {
        let report = SeedReport::new(&one.path, &one.scenario, &campaign.watched(engine, seed));
        progress.step();
        report
    };
    seeds.par_iter().map_init(Engine::new, run).collect()
}

/// Goes on with further seeds until the time is over; says which seed it did not come to. What a seed does depends on the
/// seed alone: only how many there are depends on the clock.
#[expect(clippy::disallowed_methods, reason = "somebody asked for so many minutes of the real clock")]
fn soak(planned: &[Planned], reports: &mut [Vec<SeedReport>], mut next: u64, minutes: u64, progress: &Progress) -> u64 {
    /// Seeds between two looks at the clock.
    const BATCH: u64 = 16;
    let began = std::time::Instant::now();
    while began.elapsed().as_secs() < 60 * minutes {
        let seeds: Vec<u64> = (next..next.saturating_add(BATCH)).collect();
        for (one, runs) in planned.iter().zip(reports.iter_mut()).filter(|(one, _)| !one.regression) {
            runs.extend(run_all(one, &seeds, progress));
        }
        next = next.saturating_add(BATCH);
    }
    next
}

/// Writes the first failing seed of each scenario as a scenario of its own.
fn save_failures(planned: &[Planned], report: &CheckReport) -> Result<(), Exit> {
    for (one, checked) in planned.iter().zip(&report.scenarios).filter(|(one, _)| !one.regression) {
        let Some(failure) = checked.failures.first() else { continue };
        let folder = Path::new(&one.path).parent().unwrap_or(Path::new("")).join(REGRESSIONS);
        let name = format!("{}-seed-{}", one.scenario.name, failure.seed);
        let scenario = Scenario { name: name.clone(), seed: failure.seed, ..one.scenario.clone() };
        let broke = failure.promises.iter().map(|promise| promise.promise.clone());
        let laws = failure.laws.iter().map(|law| format!("the law {}", law.law));
        let broke: Vec<String> = broke.chain(laws).collect();
        let head = format!(
            "# Proves: what once failed holds: {}.\n# From: seed {} of {}, where it did not.\n",
            broke.join(", "),
            failure.seed,
            one.scenario.name
        );
        let text = head + &scenario::expanded(&scenario, &folder);
        save(&folder.join(format!("{name}.yaml")), &text)?;
    }
    Ok(())
}

/// Writes a scenario that failed, and makes the folder for it.
pub(super) fn save(place: &Path, text: &str) -> Result<(), Exit> {
    let folder = place.parent().unwrap_or(Path::new(""));
    let is_new = !folder.exists();
    std::fs::create_dir_all(folder).map_err(|error| {
        eprintln!("error: failed to create {}: {error}", folder.display());
        Exit::Unfinished
    })?;
    write_whole(place, text.as_bytes()).map_err(|error| {
        if is_new {
            // The error is being reported; an empty folder that cannot be removed adds nothing to it.
            let _ = std::fs::remove_dir(folder);
        }
        output::unwritten(&error)
    })?;
    eprintln!("note: wrote {}", place.display());
    Ok(())
}

/// Loads every scenario: what failed before first, then folders in the order of file names. Everything that is wrong with
/// any of them is said at once.
fn load(paths: &[PathBuf], what_if: WhatIf) -> Result<Vec<Planned>, Exit> {
    let kept: Vec<PathBuf> = paths.iter().map(|path| path.join(REGRESSIONS)).filter(|folder| folder.is_dir()).collect();
    let regressions = scenario_files(&kept)?.into_iter().map(|file| (file, true));
    let files = scenario_files(paths)?.into_iter().map(|file| (file, false));
    let mut problems = Problems::new();
    let mut planned = Vec::new();
    for (file, regression) in regressions.chain(files) {
        match scenario::load(&file) {
            Ok(mut loaded) => {
                loaded.scenario.suppose(what_if);
                let path = file.display().to_string();
                planned.push(Planned { path, scenario: loaded.scenario, regression });
            }
            Err(more) => problems.append(more),
        }
    }
    if problems.is_empty() { Ok(planned) } else { Err(output::refuse(&problems)) }
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
