//! `routedrill run`: one scenario, once.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use routedrill_reports::model::{ComparedReport, DetailReport, Driver, RunReport, StoryReport};
use routedrill_reports::print::html::{self, Beside};
use routedrill_reports::print::{self, LatencyLog, RowFiles, TraceRows};
use routedrill_reports::{Folder, WriteError};
use routedrill_sim::actor::Watcher;
use routedrill_sim::cast::Cast;
use routedrill_sim::drill::labels;
use routedrill_sim::engine;
use routedrill_sim::invariants::Laws;
use routedrill_sim::litellm::{Finding, Severity};
use routedrill_sim::metrics::{Courses, Metrics, Rows, Seconds, Shape};
use routedrill_sim::net::turmoil;
use routedrill_sim::problem::Problem;
use routedrill_sim::record;
use routedrill_sim::scenario::{self, Loaded, Scenario};
use routedrill_sim::source::Source;
use routedrill_sim::step::{Ending, RunEnd};
use routedrill_sim::story::Worst;
use router_core::WhatIf;

use super::{parse, script};
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
    /// Policies that LiteLLM does not have, to see what they would buy: `retry-budget=0.2`, `cooldown-jitter=50%`,
    /// `half-open`, `wait-for-cooldown=5s`, `hedge=2s`; several with commas, or repeated. `routedrill schema` explains them.
    #[arg(long, value_name = "POLICY", value_delimiter = ',', value_parser = parse::what_if)]
    what_if: Vec<WhatIf>,
    /// A folder for `report.html`, `results.json`, `requests.csv`, `attempts.csv`, `timeline.csv`, `latency.hlog`,
    /// `trace.json` for Perfetto, `metrics.prom` for Prometheus, and the scenario with every default filled in,
    /// `scenario.yaml`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A file for a recording of the run, which stands alone: `routedrill replay` runs it again and compares each step,
    /// `routedrill explain` tells a request of it.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Another run to show beside this one on its page: a folder that `run --out` wrote, or the `results.json` in it.
    #[arg(long, value_name = "OTHER")]
    compare: Option<PathBuf>,
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
    /// A page for browsers, complete in one file.
    Html,
    /// Prometheus' text format.
    Prometheus,
    /// Markdown for the step summary of GitHub Actions.
    Markdown,
    /// Annotations of GitHub Actions.
    Github,
    /// JUnit XML, a case for each promise and each fault.
    Junit,
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
    scenario.suppose(parse::together(&args.what_if));
    if let Some(path) = &args.record {
        script::not_over(&args.scenario, path)?;
    }
    if args.record.is_some() && args.driver == DriverArg::Turmoil {
        eprintln!("error: only runs of the event engine are recorded: leave out --driver, or --record");
        return Err(Exit::BadInput);
    }
    if args.compare.is_some() && args.out.is_none() && args.format != Format::Html {
        eprintln!("error: --compare is for the page of a run\nhelp: give `--format html` or `--out DIR` with it");
        return Err(Exit::BadInput);
    }
    let other = args.compare.as_deref().map(compared).transpose()?;
    let other = other.as_ref().map(|(name, other)| (name.as_str(), other));
    let (report, page) = match &args.out {
        Some(wanted) => recorded(args, &scenario, wanted, other)?,
        None => {
            let (report, worst) = only_told(args, &scenario)?;
            let page = match args.format {
                Format::Html => {
                    let story = story(args, &scenario, &worst);
                    Some(html::run(&report, Beside { story: story.as_ref(), other }))
                }
                _ => None,
            };
            (report, page)
        }
    };
    if let Some(path) = &args.record {
        record(&scenario, path, &report.digest)?;
    }
    let path = args.scenario.display().to_string();
    match args.format {
        Format::Text => output::result(&print::run_text(&report))?,
        Format::Json => output::result(&print::json(&report))?,
        Format::Html => output::result(&page.unwrap_or_default())?,
        Format::Prometheus => output::result(&print::prometheus(&report))?,
        Format::Markdown => output::result(&print::run_markdown(&report, &path))?,
        Format::Github => output::result(&print::run_github(&report, &path))?,
        Format::Junit => output::result(&print::run_junit(&report, &path))?,
    }
    Ok(match (&report.cut_short, report.is_clean()) {
        (Some(_), _) => Exit::Unfinished,
        (None, true) => Exit::Clean,
        (None, false) => Exit::Found,
    })
}

/// Steps of the course that charts show.
const COURSE_STEPS: u64 = 120;

/// Runs the scenario without writing any file.
fn only_told(args: &Args, scenario: &Scenario) -> Result<(RunReport, Worst), Exit> {
    let shape = Shape::of(scenario);
    let horizon = shape.end;
    let courses = Courses::new(shape.deployments, horizon, COURSE_STEPS);
    let mut watchers =
        (Metrics::new(shape, scenario.seed).with_promises(scenario), courses, Rows::new(Worst::default()));
    let (end, laws) = drive(args, scenario, &mut watchers)?;
    let (mut metrics, courses, rows) = watchers;
    metrics.finish();
    Ok((report(args, scenario, &metrics, courses, &end, &laws), rows.finish(horizon)))
}

/// Runs the scenario with every file written beside; returns the page too.
fn recorded(
    args: &Args,
    scenario: &Scenario,
    wanted: &Path,
    other: Option<(&str, &ComparedReport)>,
) -> Result<(RunReport, Option<String>), Exit> {
    let labels = labels::of_plan(&scenario.plan);
    let written = |error: WriteError| output::unwritten(&error);
    let folder = Folder::begin(wanted).map_err(written)?;
    let shape = Shape::of(scenario);
    let horizon = shape.end;
    let courses = Courses::new(shape.deployments, horizon, COURSE_STEPS);
    let files = RowFiles::begin(&folder, &scenario.plan, &labels).map_err(written)?;
    let rows = Rows::new((files, (Worst::default(), TraceRows::default())));
    let log = LatencyLog::begin(&folder, scenario.plan.start_unix_nanos()).map_err(written)?;
    let mut watchers = ((Metrics::new(shape, scenario.seed).with_promises(scenario), courses), rows, Seconds::new(log));
    let (end, laws) = drive(args, scenario, &mut watchers)?;
    let ((mut metrics, courses), rows, seconds) = watchers;
    metrics.finish();
    let report = report(args, scenario, &metrics, courses, &end, &laws);
    let (files, (worst, spans)) = rows.finish(horizon);
    files.finish().map_err(written)?;
    let quantiles = seconds.finish().finish().map_err(written)?;
    print::timeline(&folder, &metrics, &labels, &quantiles).map_err(written)?;
    folder.write("results.json", print::json(&report).as_bytes()).map_err(written)?;
    folder.write("trace.json", print::trace(spans, &scenario.plan, &labels, &report).as_bytes()).map_err(written)?;
    folder.write("metrics.prom", print::prometheus(&report).as_bytes()).map_err(written)?;
    let expanded = scenario::expanded(scenario, folder.draft());
    folder.write("scenario.yaml", expanded.as_bytes()).map_err(written)?;
    let story = story(args, scenario, &worst);
    let page = html::run(&report, Beside { story: story.as_ref(), other });
    folder.write("report.html", page.as_bytes()).map_err(written)?;
    folder.publish().map_err(written)?;
    Ok((report, Some(page)))
}

/// The story of the request that waited longest. Only runs of the event engine can be followed.
fn story(args: &Args, scenario: &Scenario, worst: &Worst) -> Option<StoryReport> {
    let request = worst.request().filter(|_| args.driver == DriverArg::Engine)?;
    let (story, end) = routedrill_sim::story::tell(scenario, scenario.seed, request);
    story.map(|story| StoryReport::new(scenario, scenario.seed, &story, &end))
}

/// The results of another run, and the file that they were read from.
fn compared(path: &Path) -> Result<(String, ComparedReport), Exit> {
    let file = if path.is_dir() { path.join("results.json") } else { path.to_owned() };
    let source = Source::read(&file, RESULTS_BYTES_MAX).map_err(|problem| output::refuse(&problem.into()))?;
    let other = ComparedReport::parse(source.text()).map_err(|message| {
        let remedy = "give a folder that `routedrill run --out` wrote with this version";
        output::refuse(&Problem::of_file(source.name(), message, remedy).into())
    })?;
    Ok((source.name().to_owned(), other))
}

/// How many bytes the results of a run may have. They do not grow with its requests.
const RESULTS_BYTES_MAX: u64 = 64 << 20;

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

fn report(
    args: &Args,
    scenario: &Scenario,
    metrics: &Metrics,
    courses: Courses,
    end: &RunEnd,
    laws: &Laws,
) -> RunReport {
    let driver = match args.driver {
        DriverArg::Engine => Driver::Engine,
        DriverArg::Turmoil => Driver::Turmoil,
    };
    if end.ending != Ending::Finished {
        eprintln!("error: failed to finish the run: {}", end.ending);
    }
    RunReport::new(scenario, scenario.seed, driver, metrics, end)
        .with_laws(scenario, laws.breaches(), laws.defects())
        .with_detail(DetailReport::new(scenario, metrics, &courses.finish()))
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
