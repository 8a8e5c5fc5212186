//! `routedrill tune`: which settings are best over a set of outages.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use routedrill_reports::model::TuneReport;
use routedrill_reports::{Folder, patch, print};
use routedrill_sim::problem::{Problem, Problems};
use routedrill_sim::scenario::what_if::policy;
use routedrill_sim::search::slo::Slo;
use routedrill_sim::search::store::{Header, KeyMaker, Shard, Store};
use routedrill_sim::search::tune::{
    BeyondPlan, Constraint, Corpus, Indicator, Plan, Runner, Search, Space, Stop, Vary, run_shard,
};
use router_core::WhatIf;
use serde::{Deserialize, Serialize};

use super::corpus::scenario_files;
use super::parse;
use crate::exit::Exit;
use crate::output;
use crate::progress::Progress;

/// Find out which settings are best over a set of outages, how sure that is, and what to write into the config.
///
/// Settings are tried on all scenarios under the same seeds as the config as it is; few of them under many seeds. The
/// one that is chosen is judged under seeds, and scenarios where there are any, that nothing was chosen by. When nothing
/// is better beyond noise, that is the answer.
///
/// The exit code is 1 when the SLO holds with no setting that was tried.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    study: Study,
    /// Keep the results of runs in this file, and go on from those that are there. It may be killed at any moment.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Run the i-th of n parts, into the file of --resume: `2/8`. Parts need nothing of each other; `routedrill merge`
    /// puts them together. Every setting then runs under every seed.
    #[arg(long, value_name = "I/N", value_parser = parse::shard, requires = "resume")]
    shard: Option<Shard>,
    #[command(flatten)]
    shown: Shown,
    /// How many threads. Default: all cores. Nothing in the results depends on it.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// What is searched. Stored with the results, so that shards can be put together.
#[derive(clap::Args, Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Study {
    /// Scenario files about one config, or folders of them.
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    /// A setting and its values: `router_settings.num_retries=0..5`, `router_settings.cooldown_time=1s..120s`,
    /// `router_settings.routing_strategy=simple-shuffle,least-busy`, `model_list.0.litellm_params.weight=1..9`; `*` is
    /// every entry of a list. May be repeated.
    #[arg(long, value_name = "PATH=VALUES", required = true)]
    vary: Vec<String>,
    /// What is to be small, the most important first: lost, p50 to p99.9, mean, cost, amplification; of all requests, or
    /// of those for a name, `gpt-4:p99`. In latencies a lost request counts as one that took the longest run.
    #[arg(long, value_name = "WORDS", value_delimiter = ',', default_value = "lost,p99")]
    minimise: Vec<String>,
    /// What must hold: `availability>=99.9%,p99<=8s`; also `mean<=2s`, `attempts<=1.5`, `cost<=0.01`. A promise is about
    /// all requests, behind `NAME:` about those for a name, behind `each:` about those for each name.
    #[arg(long, value_name = "SLO")]
    slo: Option<String>,
    /// Scenarios for the final judgement alone: files, or folders of them. May be repeated.
    #[arg(long, value_name = "PATH")]
    hold_out: Vec<PathBuf>,
    /// How many seeds to tune on, from 0.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u64).range(4..=100_000))]
    seeds: u64,
    /// How many seeds to judge by, after those. Default: as many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(4..=100_000))]
    held_out_seeds: Option<u64>,
    /// How many ways to set the parameters are tried at most. When there are more, those tried are spread evenly, and
    /// a third is placed where it looks good.
    #[arg(long, value_name = "N", default_value_t = 240, value_parser = clap::value_parser!(u64).range(8..=20_000))]
    points: u64,
    /// Run every setting under every seed, as shards do.
    #[arg(long)]
    exhaustive: bool,
    /// Policies that LiteLLM does not have, to see what they would buy: retry-budget=0.2, cooldown-jitter=50%, half-open,
    /// wait-for-cooldown=5s, hedge=2s. Each is tried by itself on the config as it is, several also all together.
    #[arg(long, value_name = "POLICIES", value_delimiter = ',')]
    what_if: Vec<String>,
    /// Leave out the router that knows the faults in advance, which tells how much of what was lost was avoidable.
    #[arg(long)]
    no_bound: bool,
}

/// What becomes of what was found.
#[derive(clap::Args, Debug)]
pub(super) struct Shown {
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write the config with the recommended settings here, comments kept.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// A folder for `tune.txt`, `tune.json`, `tune.csv`, `tune.html` and `beyond.csv`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Format {
    Text,
    Json,
    /// Every setting that was tried.
    Csv,
    /// A page that stands by itself.
    Html,
    /// The change of the config alone, as `git apply` reads it.
    Diff,
}

/// A search that is ready to run.
pub(super) struct Ready {
    plan: Plan,
    corpus: Corpus,
    space: Space,
}

pub(crate) fn run(args: &Args) -> Exit {
    super::drill::in_pool(args.threads, || tune(args)).flatten().unwrap_or_else(|exit| exit)
}

fn tune(args: &Args) -> Result<Exit, Exit> {
    let study = Study { exhaustive: args.study.exhaustive || args.shard.is_some(), ..args.study.clone() };
    let ready = study.ready()?;
    let store = match &args.resume {
        None => Store::none(),
        Some(path) => {
            let header = header(&ready.corpus, args.shard, &study)?;
            Store::open(path, &header).map_err(|problem| output::refuse(&problem.into()))?
        }
    };
    if !store.is_empty() || store.torn_bytes() > 0 {
        let torn = if store.torn_bytes() > 0 { "; a torn record at its end was dropped" } else { "" };
        eprintln!("note: going on with {} results{torn}", store.len());
    }
    let Ready { plan, corpus, space } = &ready;
    let Some(shard) = args.shard else { return ready.answer(&store, false, &args.shown) };
    let progress = Progress::new(plan.runs(space, corpus) / shard.of, "runs");
    let ran = run_shard(plan, space, corpus, &store, shard, &|runs| progress.advance(runs));
    progress.finish();
    let runs = ran.map_err(|stop| stopped(&stop))?;
    let path = args.resume.as_deref().unwrap_or(Path::new("")).display();
    output::result(&format!(
        "shard {shard}: {runs} runs are in {path}\nput all of them together: routedrill merge FOLDER-OF-ALL-SHARDS\n"
    ))?;
    Ok(Exit::Clean)
}

/// What results of this search are kept under.
pub(super) fn header(corpus: &Corpus, shard: Option<Shard>, study: &Study) -> Result<Header, Exit> {
    let failed = |error: &dyn std::fmt::Display| {
        eprintln!("error: failed to tell which program this is: {error}");
        Exit::Unfinished
    };
    // The version alone does not tell two builds of it apart, and each counts what it counts.
    let program = std::env::current_exe().and_then(fs::read).map_err(|error| failed(&error))?;
    let hash = |bytes: &[u8]| KeyMaker::default().with(bytes).key().to_string();
    Ok(Header {
        program: format!("{} (build {})", env!("CARGO_PKG_VERSION"), &hash(&program)[..12]),
        config: hash(corpus.config.text().as_bytes()),
        shard,
        study: serde_json::to_value(study).map_err(|error| failed(&error))?,
    })
}

fn stopped(stop: &Stop) -> Exit {
    match stop {
        Stop::Input(problems) => return output::refuse(problems),
        Stop::Store(problem) => {
            let _ = output::refuse(&problem.clone().into());
        }
        Stop::CutShort(why) => eprintln!("error: a run did not come to its end: {why}"),
        Stop::Missing(count) => {
            eprintln!("error: {count} runs are in no shard: run the shards to their end, with the same --resume");
            return Exit::BadInput;
        }
    }
    Exit::Unfinished
}

impl Study {
    /// Reads everything that it names. Everything that is wrong is said at once.
    pub(super) fn ready(&self) -> Result<Ready, Exit> {
        let mut problems = Problems::new();
        let typed = |option: &str, text: &str, message: String, remedy: &str| {
            Problem::of_file(&format!("{option} {text}"), message, remedy)
        };
        let mut varies = Vec::new();
        for text in &self.vary {
            match Vary::parse(text) {
                Ok(vary) => varies.push(vary),
                Err(complaint) => {
                    problems.push(typed("--vary", text, complaint.message, &complaint.help.unwrap_or_default()));
                }
            }
        }
        let (tuned, held_out) = (scenario_files(&self.scenarios)?, scenario_files(&self.hold_out)?);
        // A scenario that is held out is not tuned on, though it may lie in the same folder.
        let tuned: Vec<PathBuf> = tuned.into_iter().filter(|path| !held_out.contains(path)).collect();
        let corpus = Corpus::load(&tuned, &held_out);
        let (corpus, space) = match corpus {
            Ok(corpus) => {
                let space = Space::new(varies, &corpus);
                (Some(corpus), space.map_err(|more| problems.append(more)).ok())
            }
            Err(more) => {
                problems.append(more);
                (None, None)
            }
        };
        let names = corpus.as_ref().map(Corpus::asked).unwrap_or_default();
        let mut objectives: Vec<Indicator> = Vec::new();
        for text in &self.minimise {
            match Indicator::parse(text, &names) {
                Ok(one) if objectives.contains(&one) => {
                    problems.push(typed("--minimise", text, "it is there twice".to_owned(), "name it once"));
                }
                Ok(one) => objectives.push(one),
                // Without scenarios nobody is asked for, which is not what is wrong.
                Err(problem) if corpus.is_some() || !text.contains(':') => problems.push(problem),
                Err(_) => {}
            }
        }
        let constraints = match &self.slo {
            Some(slo) if corpus.is_some() => Constraint::all(slo, &names),
            Some(slo) => Slo::parse(slo).map(|_| Vec::new()),
            None => Ok(Vec::new()),
        };
        let constraints = constraints.unwrap_or_else(|more| {
            problems.append(more);
            Vec::new()
        });
        let mut policies: Vec<WhatIf> = Vec::new();
        for text in &self.what_if {
            match policy(text) {
                Ok(one) if policies.contains(&one) => {
                    problems.push(typed("--what-if", text, "this policy is there twice".to_owned(), "name it once"));
                }
                Ok(one) => policies.push(one),
                Err(complaint) => {
                    problems.push(typed("--what-if", text, complaint.message, &complaint.help.unwrap_or_default()));
                }
            }
        }
        let (Some(corpus), Some(space), true) = (corpus, space, problems.is_empty()) else {
            return Err(output::refuse(&problems));
        };
        if corpus.of(false).next().is_none() {
            let message = "no scenario is left to tune on";
            return Err(output::refuse(&Problem::of_file("--hold-out", message, "hold fewer of them out").into()));
        }
        let plan = Plan {
            objectives,
            constraints,
            seeds: (0..self.seeds).collect(),
            held_out_seeds: (self.seeds..self.seeds + self.held_out_seeds.unwrap_or(self.seeds)).collect(),
            points_max: usize::try_from(self.points).unwrap_or(usize::MAX),
            exhaustive: self.exhaustive,
            beyond: BeyondPlan { what_if: policies, bound: !self.no_bound },
        };
        Ok(Ready { plan, corpus, space })
    }
}

impl Ready {
    /// The config that is tuned.
    pub(super) fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    /// Searches, prints what was found, and writes what was asked for.
    pub(super) fn answer(&self, store: &Store, stored_only: bool, shown: &Shown) -> Result<Exit, Exit> {
        let Self { plan, corpus, space } = self;
        let progress = Progress::new(plan.runs(space, corpus), "runs");
        let done = |runs| progress.advance(runs);
        let runner = Runner::new(corpus, space, store, &plan.measures(), stored_only, &done);
        let mut search = Search::new(plan, space, corpus, runner);
        let found = search.run();
        let found = match found {
            Ok(found) => found,
            Err(stop) => return Err(stopped(&stop)),
        };
        let report = TuneReport::new(plan, space, corpus, &search.runner, &found);
        drop(search);
        progress.finish();
        let text = space.edited(&found.recommended());
        if text.is_none() {
            eprintln!("note: this config is written in a way that cannot be changed line by line: change it by hand");
        }
        let patch = text.as_deref().map(|text| patch(corpus.config.name(), corpus.config.text(), text));
        shown.print(&report, patch.as_deref())?;
        if let Some(path) = &shown.write {
            match &text {
                Some(text) => write(path, text)?,
                None => return Err(Exit::Unfinished),
            }
        }
        Ok(if found.holds { Exit::Clean } else { Exit::Found })
    }
}

impl Shown {
    fn print(&self, report: &TuneReport, patch: Option<&str>) -> Result<(), Exit> {
        if let Some(path) = &self.out {
            let folder = Folder::begin(path).map_err(|error| output::unwritten(&error))?;
            let files = [
                ("tune.txt", print::tune_text(report, patch)),
                ("tune.json", print::json(report)),
                ("tune.csv", print::tune_csv(report)),
                ("tune.html", print::tune_html(report, patch)),
            ];
            let beyond = report.beyond.as_ref().map(|beyond| ("beyond.csv", print::beyond_csv(beyond)));
            for (name, text) in files.into_iter().chain(beyond) {
                folder.write(name, text.as_bytes()).map_err(|error| output::unwritten(&error))?;
            }
            folder.publish().map_err(|error| output::unwritten(&error))?;
        }
        output::result(&match self.format {
            Format::Text => print::tune_text(report, patch),
            Format::Json => print::json(report),
            Format::Csv => print::tune_csv(report),
            Format::Html => print::tune_html(report, patch),
            Format::Diff => patch.unwrap_or_default().to_owned(),
        })
    }
}

/// Writes a file at once or not at all.
fn write(path: &Path, text: &str) -> Result<(), Exit> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(OsStr::new(&format!(".{}.partial", std::process::id())));
    fs::write(&draft, text).and_then(|()| fs::rename(&draft, path)).map_err(|error| {
        // The first error is the one to report.
        let _ = fs::remove_file(&draft);
        eprintln!("error: failed to write {}: {error}", path.display());
        Exit::Unfinished
    })
}
