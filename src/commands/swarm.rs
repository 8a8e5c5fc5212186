//! `routedrill check --swarm`: scenarios drawn at random.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use routedrill_reports::model::{Saving, SwarmFailure, SwarmReport, SwarmRun};
use routedrill_reports::{print, words};
use routedrill_sim::problem::Problems;
use routedrill_sim::source::{CONFIG_BYTES_MAX, Source};
use routedrill_sim::swarm::{self, Drawn, Given};
use router_core::WhatIf;

use super::check::{self, Args, Format, REGRESSIONS, Seeds};
use super::corpus::scenario_files;
use super::parse;
use crate::exit::Exit;
use crate::output;
use crate::progress::Progress;

/// Scenarios between two looks at the clock, or at whether something failed.
const BATCH: usize = 64;

/// A config to draw scenarios over.
struct Config {
    path: PathBuf,
    given: Given,
}

pub(super) fn check(args: &Args, seeds: Seeds) -> Result<Exit, Exit> {
    let configs = load(&args.paths)?;
    let what_if = parse::together(&args.what_if);
    let Seeds(first, end) = seeds;
    let seeds = check::of_shard(args.shard, first, end);
    let progress = Progress::new(seeds.len() as u64, "scenarios");
    let mut runs: Vec<SwarmRun> = Vec::with_capacity(seeds.len());
    let mut left_out = None;
    for batch in seeds.chunks(BATCH) {
        runs.extend(run_all(&configs, &what_if, batch, &progress));
        let failed = runs.iter().position(SwarmRun::has_failed);
        if let Some(failed) = failed.filter(|_| args.stop_early) {
            runs.truncate(failed + 1);
            left_out = seeds.get(failed + 1).map(|next| format!("{next}..{end}"));
            break;
        }
    }
    let reached = match args.minutes {
        Some(minutes) if left_out.is_none() => {
            soak(&configs, &what_if, &mut runs, end, (minutes, args.stop_early), &progress)
        }
        _ => end,
    };
    progress.finish();
    let paths = configs.iter().map(|config| config.path.display().to_string()).collect();
    let report = SwarmReport::new(check::told(first, reached, args.shard), paths, &what_if, runs, left_out);
    if args.save_failures {
        for failure in &report.failures {
            save(failure)?;
        }
    }
    output::result(&match args.format {
        Format::Text => print::swarm_text(&report),
        Format::Json => print::json(&report),
        Format::Junit => print::swarm_junit(&report),
        Format::Github => print::swarm_github(&report),
        Format::Markdown => print::swarm_markdown(&report),
    })?;
    Ok(match (report.is_cut_short(), report.is_clean()) {
        (true, _) => Exit::Unfinished,
        (false, true) => Exit::Clean,
        (false, false) => Exit::Found,
    })
}

/// Draws and runs the scenarios of these seeds. Collected in their order, whichever thread was first.
fn run_all(configs: &[Config], what_if: &WhatIf, seeds: &[u64], progress: &Progress) -> Vec<SwarmRun> {
    let run = |&seed: &u64| {
        let run = one(configs, what_if, seed);
        progress.step();
        run
    };
    seeds.par_iter().map(run).collect()
}

/// The configs take turns.
fn one(configs: &[Config], what_if: &WhatIf, seed: u64) -> SwarmRun {
    let config = configs.get(seed.checked_rem(configs.len() as u64).unwrap_or(0) as usize);
    let given = config.map(|config| &config.given);
    let (drawn, ran) = match swarm::draw(seed, given) {
        Ok(drawn) => {
            let drawn = drawn.supposing(what_if);
            let ran = drawn.run().map_err(|problems| problems.to_string());
            (drawn, ran)
        }
        Err(problems) => (Drawn::nothing(seed), Err(problems.to_string())),
    };
    let file = place(config, seed).display().to_string();
    let path =
        config.map_or_else(String::new, |config| format!("{} ", words::quoted(&config.path.display().to_string())));
    let policies = words::policies(what_if).join(",");
    let option = if policies.is_empty() { policies } else { format!(" --what-if '{policies}'") };
    let command = format!("routedrill check {path}--swarm {seed}..{}{option} --save-failures", seed.saturating_add(1));
    SwarmRun::new(&drawn, &ran, Saving { command: &command, file: &file })
}

/// Where a failing scenario is kept: beside its config, where `check` looks for what failed before.
fn place(config: Option<&Config>, seed: u64) -> PathBuf {
    let beside = config.and_then(|config| config.path.parent()).unwrap_or(Path::new(""));
    let stem = config.and_then(|config| config.path.file_stem());
    let of = stem.map_or_else(String::new, |stem| format!("{}-", stem.to_string_lossy()));
    beside.join(REGRESSIONS).join(format!("{of}swarm-{seed}.yaml"))
}

fn save(failure: &SwarmFailure) -> Result<(), Exit> {
    let broke = print::swarm_failure(failure);
    let mut text = "# Proves: what once failed holds.\n".to_owned();
    for line in broke.iter().flat_map(|line| line.lines()) {
        text.push_str(&format!("# It was: {line}\n"));
    }
    text.push_str(&format!("# From: {}\n", failure.save));
    check::save(Path::new(&failure.file), &(text + &failure.scenario))
}

/// Goes on with further seeds until the time is over; says which seed it did not come to.
#[expect(clippy::disallowed_methods, reason = "somebody asked for so many minutes of the real clock")]
fn soak(
    configs: &[Config],
    what_if: &WhatIf,
    runs: &mut Vec<SwarmRun>,
    mut next: u64,
    (minutes, stop_early): (u64, bool),
    progress: &Progress,
) -> u64 {
    let began = std::time::Instant::now();
    while began.elapsed().as_secs() < 60 * minutes {
        let seeds: Vec<u64> = (next..next.saturating_add(BATCH as u64)).collect();
        let more = run_all(configs, what_if, &seeds, progress);
        let failed = more.iter().any(SwarmRun::has_failed);
        runs.extend(more);
        next = next.saturating_add(BATCH as u64);
        if failed && stop_early {
            break;
        }
    }
    next
}

/// Reads every config. Everything that is wrong with any of them is said at once.
fn load(paths: &[PathBuf]) -> Result<Vec<Config>, Exit> {
    let mut problems = Problems::new();
    let mut configs = Vec::new();
    for path in scenario_files(paths)? {
        let given = Source::read(&path, CONFIG_BYTES_MAX).map_err(Problems::from).and_then(|text| Given::read(&text));
        match given {
            Ok(given) => configs.push(Config { path, given }),
            Err(more) => problems.append(more),
        }
    }
    if problems.is_empty() { Ok(configs) } else { Err(output::refuse(&problems)) }
}
