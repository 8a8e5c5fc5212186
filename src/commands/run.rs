//! `routedrill run`: one scenario, once.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use routedrill_reports::model::{Driver, RunReport};
use routedrill_reports::print::{self, LatencyLog, RowFiles};
use routedrill_reports::{Folder, WriteError};
use routedrill_sim::actor::Watcher;
use routedrill_sim::cast::Cast;
use routedrill_sim::drill::labels;
use routedrill_sim::engine;
use routedrill_sim::invariants::Laws;
use routedrill_sim::litellm::{Finding, Severity};
use routedrill_sim::metrics::{Metrics, Rows, Seconds, Shape};
use routedrill_sim::net::turmoil;
use routedrill_sim::record;
use routedrill_sim::scenario::{self, Loaded, Scenario};
use routedrill_sim::step::{Ending, RunEnd};

use super::script;
use crate::exit::Exit;
use crate::output;

/// Run a scenario once, and report what happened.
///
/// The exit code is 1 when a law of the router or a promise of the scenario broke, a situation that it must see never came, or one of its faults
/// struck nothing.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The scenario file.
    scenario: PathBuf,
    /// The seed. Default: the scenario's.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// What runs it.
    #[arg(long, value_enum, default_value_t = DriverArg::Engine)]
    driver: DriverArg,
    /// A folder for `results.json`, `requests.csv`, `attempts.csv`, `timeline.csv`, `latency.hlog` and the scenario with
    /// every default filled in, `scenario.yaml`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A file for a recording of the run, which stands alone: `routedrill replay` runs it again and compares each step,
    /// `routedrill explain` tells a request of it.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum DriverArg {
    /// The event engine.
    Engine,
    /// turmoil, with real HTTP over its simulated network.
    Turmoil,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Format {
    Text,
    Json,
}

pub(crate) fn run(args: &Args) -> Exit {
    once(args).unwrap_or_else(|exit| exit)
}

fn once(args: &Args) -> Result<Exit, Exit> {
    let Loaded { mut scenario, findings, remarks } =
        scenario::load(&args.scenario).map_err(|problems| output::refuse(&problems))?;
    mention(&findings);
    for remark in remarks {
        eprintln!("note: {remark}");
    }
    scenario.seed = args.seed.unwrap_or(scenario.seed);
    if args.record.is_some() && args.driver == DriverArg::Turmoil {
        eprintln!("error: only runs of the event engine are recorded: leave out --driver, or --record");
        return Err(Exit::BadInput);
    }
    let report = match &args.out {
        Some(wanted) => recorded(args, &scenario, wanted)?,
        None => {
            let mut metrics = Metrics::new(Shape::of(&scenario), scenario.seed);
            let (end, laws) = drive(args, &scenario, &mut metrics)?;
            metrics.finish();
            report(args, &scenario, &metrics, &end, &laws)
        }
    };
    if let Some(path) = &args.record {
        record(&scenario, path, &report.digest)?;
    }
    match args.format {
        Format::Text => output::result(&print::run_text(&report))?,
        Format::Json => output::result(&print::json(&report))?,
    }
    Ok(match (&report.cut_short, report.is_clean()) {
        (Some(_), _) => Exit::Unfinished,
        (None, true) => Exit::Clean,
        (None, false) => Exit::Found,
    })
}

/// Runs the scenario with every file written beside.
fn recorded(args: &Args, scenario: &Scenario, wanted: &Path) -> Result<RunReport, Exit> {
    let labels = labels::of_plan(&scenario.plan);
    let written = |error: WriteError| output::unwritten(&error);
    let folder = Folder::begin(wanted).map_err(written)?;
    let shape = Shape::of(scenario);
    let horizon = shape.end;
    let rows = Rows::new(RowFiles::begin(&folder, &scenario.plan, &labels).map_err(written)?);
    let log = LatencyLog::begin(&folder, scenario.plan.start_unix_nanos()).map_err(written)?;
    let mut watchers = (Metrics::new(shape, scenario.seed), rows, Seconds::new(log));
    let (end, laws) = drive(args, scenario, &mut watchers)?;
    let (mut metrics, rows, seconds) = watchers;
    metrics.finish();
    let report = report(args, scenario, &metrics, &end, &laws);
    rows.finish(horizon).finish().map_err(written)?;
    let quantiles = seconds.finish().finish().map_err(written)?;
    print::timeline(&folder, &metrics, &labels, &quantiles).map_err(written)?;
    folder.write("results.json", print::json(&report).as_bytes()).map_err(written)?;
    let expanded = scenario::expanded(scenario, folder.draft());
    folder.write("scenario.yaml", expanded.as_bytes()).map_err(written)?;
    folder.publish().map_err(written)?;
    Ok(report)
}

/// Records the scenario as it stands alone, after a look whether it still does the same.
fn record(scenario: &Scenario, path: &Path, digest: &str) -> Result<(), Exit> {
    let text = scenario::standing_alone(scenario).map_err(|problems| output::refuse(&problems))?;
    let alone = script::alone(path, &text).map_err(|problems| output::refuse(&problems))?;
    let (file, end) = record::record(&alone, &text);
    if end.digest.to_string() != digest {
        eprintln!("error: failed to record: with its config inside, the scenario gives another digest, {}", end.digest);
        return Err(Exit::Unfinished);
    }
    routedrill_reports::write_whole(path, file.as_bytes()).map_err(|error| output::unwritten(&error))
}

fn drive(args: &Args, scenario: &Scenario, watchers: &mut impl Watcher) -> Result<(RunEnd, Laws), Exit> {
    let horizon = Shape::of(scenario).end;
    let mut cast = Cast::new(scenario);
    let mut laws = Laws::new(scenario.plan.clone());
    let mut watchers = (&mut laws, watchers);
    let end = match args.driver {
        DriverArg::Engine => engine::run(&mut cast, scenario.seed, horizon, &mut watchers),
        DriverArg::Turmoil => {
            turmoil::run(scenario, &mut cast, scenario.seed, horizon, &mut watchers).map_err(|error| {
                eprintln!("error: failed to run on turmoil: {error}");
                match error {
                    turmoil::Error::LinkTooShort { .. } => Exit::BadInput,
                    _ => Exit::Unfinished,
                }
            })?
        }
    };
    laws.finish(horizon, cast.router());
    Ok((end, laws))
}

fn report(args: &Args, scenario: &Scenario, metrics: &Metrics, end: &RunEnd, laws: &Laws) -> RunReport {
    let driver = match args.driver {
        DriverArg::Engine => Driver::Engine,
        DriverArg::Turmoil => Driver::Turmoil,
    };
    if end.ending != Ending::Finished {
        eprintln!("error: failed to finish the run: {}", end.ending);
    }
    RunReport::new(scenario, scenario.seed, driver, metrics, end).with_laws(scenario, laws.breaches())
}

/// Says that the config has findings; `drill` says which.
fn mention(findings: &[Finding]) {
    let of = |severity| findings.iter().filter(|finding| finding.rule.severity == severity).count() as u64;
    let counts = [(Severity::Error, "error"), (Severity::Warning, "warning")]
        .map(|(severity, word)| (of(severity), word))
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| routedrill_reports::figures::counted(count, word))
        .collect::<Vec<_>>();
    if !counts.is_empty() {
        eprintln!(
            "note: the config does not do all that it says: {}; `routedrill drill` lists them",
            counts.join(", ")
        );
    }
}
