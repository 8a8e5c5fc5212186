//! `routedrill shrink`: the smallest scenario that breaks the same promise or law.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use routedrill_reports::figures::{count, counted};
use routedrill_reports::model::{Broken, Driver, RunReport, StoryReport};
use routedrill_reports::print;
use routedrill_sim::campaign;
use routedrill_sim::metrics::Metrics;
use routedrill_sim::record;
use routedrill_sim::scenario::Scenario;
use routedrill_sim::shrink::{Document, Shrunk, shrink};
use routedrill_sim::source::{CONFIG_BYTES_MAX, Source};
use routedrill_sim::story::{self, Candidates, Telling};

use super::script;
use crate::exit::Exit;
use crate::output;
use crate::progress::Progress;

/// Find the smallest scenario that breaks the same promise or law, and tell what happens in it.
///
/// Faults, traffic, upstreams, duration and the config shrink together. The result is a scenario that `run` accepts and that
/// needs no other file. The exit code is 2 when nothing breaks.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A scenario, or a recording made by `run --record`.
    file: PathBuf,
    /// The seed under which it breaks. Default: that of the file.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Which promise or law, by its key: `availability`, `latency.p99`, `retry-wait`. Default: the first that breaks, laws
    /// first.
    #[arg(long, value_name = "KEY")]
    breaks: Option<String>,
    /// Where to write the scenario. Default: it is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Lines of a story.
const STORY_LINES: usize = 15;

pub(crate) fn run(args: &Args) -> Exit {
    smallest(args).unwrap_or_else(|exit| exit)
}

fn smallest(args: &Args) -> Result<Exit, Exit> {
    if let Some(out) = &args.out {
        script::not_over(&args.file, out)?;
    }
    let scenario = script::load(&args.file, args.seed)?;
    let before = Ran::of(&scenario);
    let broken = target(args, &scenario, &before)?;
    // A scenario whose faults break it must still break because of them when it is small.
    let needs_faults = !scenario.faults.is_empty() && !Ran::of(&without_faults(&scenario)).breaks(&broken);
    // What the scenario must see, and saw, it must still see: without that, it would be about something else.
    let mut must_see = scenario.expect.must_see.clone();
    must_see.retain(|situation| !broken.is_law && before.metrics.reached().contains(*situation));
    let judge = |candidate: &Scenario| {
        let ran = Ran::of(candidate);
        ran.breaks(&broken)
            && must_see.iter().all(|situation| ran.metrics.reached().contains(*situation))
            && !(needs_faults && Ran::of(&without_faults(candidate)).breaks(&broken))
    };
    let source = source(&args.file)?;
    let promise = (!broken.is_law).then_some(broken.key.as_str());
    let document =
        Document::new(&source, &scenario, promise, &must_see).map_err(|problems| output::refuse(&problems))?;
    let whole = script::alone(&args.file, &document.text()).map_err(|problems| output::refuse(&problems))?;
    if !judge(&whole) {
        eprintln!("error: failed to shrink: with its config inside, the scenario no longer breaks {}", broken.key);
        return Err(Exit::Unfinished);
    }
    let progress = Progress::counting("scenarios tried");
    let shrunk = shrink(document, &judge, &|| progress.step());
    progress.finish();

    let small = script::alone(&args.file, &shrunk.document.text()).map_err(|problems| output::refuse(&problems))?;
    let after = Ran::of(&small);
    let seen = Broken::of(&after.report, &after.metrics).into_iter().find(|other| broken.is_same(other));
    let Some(seen) = seen else {
        eprintln!(
            "error: the smallest scenario does not break {} when it is run again: a bug of routedrill",
            broken.key
        );
        return Err(Exit::Unfinished);
    };
    let story = told(&small, &after, &seen)?;
    let shown = Shown { args, scenario: &scenario, before: &before, small: &small, after: &after, seen: &seen };
    let summary = shown.summary(&shrunk);
    match &args.out {
        Some(path) => {
            let file = shown.file(&summary, &story, &shrunk, Some(path));
            routedrill_reports::write_whole(path, file.as_bytes()).map_err(|error| output::unwritten(&error))?;
            output::result(&format!("{summary}\n{story}\nrun   routedrill run {}\n", path.display()))?;
        }
        None => output::result(&shown.file(&summary, &story, &shrunk, None))?,
    }
    Ok(Exit::Clean)
}

/// A run and what is known of it.
struct Ran {
    report: RunReport,
    metrics: Metrics,
}

impl Ran {
    fn of(scenario: &Scenario) -> Self {
        let watched = campaign::watched(scenario, scenario.seed);
        let report = RunReport::new(scenario, scenario.seed, Driver::Engine, &watched.metrics, &watched.end);
        Self { report: report.with_laws(scenario, &watched.breaches, &watched.defects), metrics: watched.metrics }
    }

    fn breaks(&self, broken: &Broken) -> bool {
        Broken::of(&self.report, &self.metrics).iter().any(|other| broken.is_same(other))
    }
}

fn without_faults(scenario: &Scenario) -> Scenario {
    Scenario { faults: Vec::new(), ..scenario.clone() }
}

/// What is to go on breaking.
fn target(args: &Args, scenario: &Scenario, ran: &Ran) -> Result<Broken, Exit> {
    let all = Broken::of(&ran.report, &ran.metrics);
    let name = args.file.display();
    let seed = scenario.seed;
    let Some(first) = all.first() else {
        eprintln!("error: {name} breaks nothing under seed {seed}: every promise and every law holds");
        eprintln!("help: `routedrill check {name} --seeds 200` finds seeds under which something breaks");
        return Err(Exit::BadInput);
    };
    let Some(key) = &args.breaks else { return Ok(first.clone()) };
    all.iter().find(|broken| broken.key == *key).cloned().ok_or_else(|| {
        let keys: Vec<&str> = all.iter().map(|broken| broken.key.as_str()).collect();
        eprintln!("error: {name} does not break {key} under seed {seed}\nhelp: it breaks {}", keys.join(", "));
        Exit::BadInput
    })
}

/// The text of a scenario file, or of the scenario in a recording.
fn source(path: &Path) -> Result<Source, Exit> {
    if record::is_recording(path) {
        let recording = record::read(path).map_err(|problems| output::refuse(&problems))?;
        return Ok(Source::new(path.display().to_string(), recording.scenario));
    }
    Source::read(path, CONFIG_BYTES_MAX).map_err(|problem| output::refuse(&problem.into()))
}

/// The request that shows best what breaks, in a few lines.
fn told(small: &Scenario, ran: &Ran, broken: &Broken) -> Result<String, Exit> {
    let candidates = Candidates::of(small, small.seed);
    let best = if broken.key.starts_with("latency") {
        Telling::Slowest
    } else if broken.key == "attempts_per_request" {
        Telling::Busiest
    } else {
        Telling::Lost
    };
    let breach = ran.report.broken_laws.iter().find(|law| broken.is_law && law.law == broken.key);
    let of_breach = breach.and_then(|law| law.request.as_deref()).and_then(super::explain::request_number);
    let request = of_breach.or_else(|| candidates.find(best)).or_else(|| candidates.find(Telling::Worst));
    let story = request.map(|request| story::tell(small, small.seed, request));
    let Some((Some(story), end)) = story else {
        return Ok(String::new());
    };
    let report = StoryReport::new(small, small.seed, &story, &end);
    let mut text = format!("request {} for {}: {}\n", report.request, report.model, report.summary);
    for line in print::story_brief(&report, STORY_LINES - 1) {
        let _ = writeln!(text, "{line}");
    }
    Ok(text)
}

/// What is said about a scenario and the small one that it became.
struct Shown<'a> {
    args: &'a Args,
    scenario: &'a Scenario,
    before: &'a Ran,
    small: &'a Scenario,
    after: &'a Ran,
    seen: &'a Broken,
}

impl Shown<'_> {
    fn summary(&self, shrunk: &Shrunk) -> String {
        let Self { scenario, before, small, after, seen, .. } = self;
        let of = |small: usize, before: usize, what: &str| format!("{small} of {}", counted(before as u64, what));
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} under seed {} breaks {}", scenario.name, scenario.seed, seen.what);
        let _ = writeln!(
            text,
            "smallest: {}, {}, {},\n          {} of {} requests, {} of {}; seen: {}",
            of(small.plan.deployments().len(), scenario.plan.deployments().len(), "deployment"),
            of(small.faults.len(), scenario.faults.len(), "fault"),
            of(small.traffic.len(), scenario.traffic.len(), "stream"),
            count(after.report.requests.total),
            count(before.report.requests.total),
            super::parse::written(small.duration),
            super::parse::written(scenario.duration),
            seen.seen,
        );
        let tried = counted(shrunk.judged as u64, "scenario");
        let minimal = if shrunk.is_minimal { "nothing more can go" } else { "the search ended before all was tried" };
        let _ = writeln!(text, "{tried} tried; {minimal}");
        text
    }

    /// The scenario file with what it shows as its first comment.
    fn file(&self, summary: &str, story: &str, shrunk: &Shrunk, path: Option<&Path>) -> String {
        let mut text = String::new();
        for line in summary.lines() {
            let _ = writeln!(text, "# {line}");
        }
        let _ =
            writeln!(text, "# From: {}, shrunk by routedrill {}", self.args.file.display(), env!("CARGO_PKG_VERSION"));
        let _ = writeln!(text, "#");
        for line in story.lines() {
            let _ = writeln!(text, "# {line}");
        }
        let name = path.map_or_else(|| "THIS_FILE".to_owned(), |path| path.display().to_string());
        let _ = writeln!(text, "#\n# Run: routedrill run {name}\n");
        text.push_str(&shrunk.document.text());
        text
    }
}
