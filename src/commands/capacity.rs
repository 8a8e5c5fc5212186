//! `routedrill capacity`: how much load holds an objective.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use routedrill_reports::model::{CapacityContext, CapacityReport};
use routedrill_reports::{Folder, WriteError, print};
use routedrill_sim::drill::world::{DEADLINE, RATE_MAX, RATE_PER_NAME, START_UNIX_NANOS};
use routedrill_sim::drill::{Load, Outage, World};
use routedrill_sim::litellm::{self, Options};
use routedrill_sim::metrics::Shape;
use routedrill_sim::problem::{Problem, Problems, did_you_mean};
use routedrill_sim::scenario::{self, Arrivals, QuotaUnit, QuotaWindow, Recording, Scenario};
use routedrill_sim::search::capacity::{
    Bench, Capacity, Case, Limits, Stretch, cases, chosen, config_quotas, pairs, rate, scaled,
};
use routedrill_sim::search::slo::Slo;
use routedrill_sim::source::{CONFIG_BYTES_MAX, Source};
use router_core::{Mode, NameId, Plan, Release, Span, WhatIf};

use super::drill::default_names;
use super::parse;
use crate::exit::Exit;
use crate::output;
use crate::progress::Progress;

/// Find the highest load that holds an objective, healthy and with each single thing lost.
///
/// The exit code is 1 when no load holds it with nothing lost, or when the target does not hold as things are.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The `config.yaml` of a LiteLLM proxy, or a scenario file.
    input: PathBuf,
    /// What is promised: `availability>=99.9%,p99<=8s`; also `mean<=2s`, `attempts<=1.5`, `cost<=0.01`. A promise is
    /// about all requests in their mix, behind `NAME:` about those for a name, behind `each:` about those for each name.
    /// A lost request is never answered in time, and counts in a mean as one that took the whole run.
    #[arg(long, value_name = "SLO")]
    slo: String,
    /// What is lost: `provider:azure`, or things together, `provider:azure+region:eastus`; may be repeated. Default: each
    /// single provider, region, key and deployment. `none`: nothing.
    #[arg(long, value_name = "WHAT")]
    lose: Vec<String>,
    /// Every two of them together as well.
    #[arg(long)]
    pairs: bool,
    /// How they are lost: `5xx`, `silent`, `refused`, `429`, `429-retry-after`, `revoked`, `quota`, `slow`.
    #[arg(long, value_name = "OUTAGE", default_value = "5xx")]
    lose_as: String,
    /// The answer is known when the highest load that holds and the lowest that breaks are as near as this.
    #[arg(long, value_name = "SHARE", value_parser = parse::share, default_value = "5%")]
    precision: f64,
    /// How sure a statement about a load must be.
    #[arg(long, value_name = "SHARE", value_parser = parse::share, default_value = "95%")]
    confidence: f64,
    /// The load that is wanted: which quotas to buy for it?
    #[arg(long, value_name = "RATE", value_parser = parse::rate)]
    target: Option<f64>,
    /// The loads that may be tried: `1/s..500/s`. Default: up to 500/s, or four times what the
    /// quotas on requests allow.
    #[arg(long, value_name = "FROM..TO")]
    loads: Option<String>,
    /// Today's load, over all names together. Default for a config: 2/s per name, 20/s at most.
    #[arg(long, value_name = "RATE", value_parser = parse::rate, conflicts_with = "traffic")]
    rps: Option<f64>,
    /// Today's load as recorded: a CSV file with `TIMESTAMP,ContextTokens,GeneratedTokens` or `t,prompt_tokens,output_tokens`.
    #[arg(long, value_name = "CSV")]
    traffic: Option<PathBuf>,
    /// How recorded traffic becomes more: more requests at the same moments, or the same ones closer together.
    #[arg(long, value_enum, default_value_t = StretchArg::Rate)]
    scale: StretchArg,
    /// The mix: `gpt-4=3`, a name and its weight; may be repeated. Default: every model group alike.
    #[arg(long, value_name = "NAME=WEIGHT", conflicts_with = "traffic")]
    mix: Vec<String>,
    /// Requests per minute that an upstream allows a deployment for which the config says none.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rpm: Option<u64>,
    /// Tokens per minute that an upstream allows a deployment for which the config says none.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    tpm: Option<u64>,
    /// How long requests keep arriving. Default: 5m for a config, the scenario's for a scenario.
    #[arg(long, value_name = "TIME", value_parser = parse::time)]
    duration: Option<Span>,
    /// How long a caller waits before giving up, for a config. Default: 60s.
    #[arg(long, value_name = "TIME", value_parser = parse::time)]
    deadline: Option<Span>,
    /// Under how many seeds each load runs at most.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u64).range(2..=1000))]
    seeds: u64,
    /// The first seed.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Policies that LiteLLM does not have, to see what they would buy: `retry-budget=0.2`, `cooldown-jitter=50%`,
    /// `half-open`, `wait-for-cooldown=5s`, `hedge=2s`; several with commas, or repeated. `routedrill schema` explains them.
    #[arg(long, value_name = "POLICY", value_delimiter = ',', value_parser = parse::what_if)]
    what_if: Vec<WhatIf>,
    /// The LiteLLM release to decide like, for a config.
    #[arg(long, value_name = "RELEASE", value_parser = parse::release, default_value = Release::V1_109_1.number())]
    litellm: Release,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// A folder for `capacity.html`, `results.json`, `cases.csv` and `curve.csv`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many threads. Default: all cores. Nothing in the results depends on it.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum StretchArg {
    Time,
    Rate,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Format {
    Text,
    Json,
    Csv,
    Html,
}

pub(crate) fn run(args: &Args) -> Exit {
    capacity(args).unwrap_or_else(|exit| exit)
}

fn capacity(args: &Args) -> Result<Exit, Exit> {
    let refuse = |problems: Problems| output::refuse(&problems);
    let source = Source::read(&args.input, CONFIG_BYTES_MAX).map_err(|problem| refuse(problem.into()))?;
    let Subject { scenario, today_from, assumed } = subject(args, &source).map_err(refuse)?;
    let capacity = question(args, scenario).map_err(refuse)?;
    let progress = Progress::new(capacity.steps(), "searches");
    let outcome = super::drill::in_pool(args.threads, || capacity.run(&|| progress.step()))?;
    progress.finish();
    let input = args.input.display().to_string();
    let context = CapacityContext { input: &input, today_from, assumed };
    let report = CapacityReport::new(&capacity, &outcome, context);
    if let Some(wanted) = &args.out {
        write(&report, wanted).map_err(|error| output::unwritten(&error))?;
    }
    output::result(&match args.format {
        Format::Text => print::capacity_text(&report),
        Format::Json => print::json(&report),
        Format::Csv => print::capacity_curve_csv(&report),
        Format::Html => print::capacity_page(&report),
    })?;
    Ok(match (report.cut_short.is_empty(), report.is_met()) {
        (false, _) => Exit::Unfinished,
        (true, true) => Exit::Clean,
        (true, false) => Exit::Found,
    })
}

/// What is searched, at today's load.
struct Subject {
    scenario: Scenario,
    today_from: String,
    assumed: Vec<String>,
}

fn subject(args: &Args, source: &Source) -> Result<Subject, Problems> {
    // A scenario names its config; only a config itself lists models.
    let config =
        source.text().lines().any(|line| line.starts_with("model_list:") || line.starts_with("\"model_list\""));
    let mut subject = if config { of_config(args, source)? } else { of_scenario(args, source)? };
    subject.scenario.suppose(parse::together(&args.what_if));
    let Some(today) = rate(&subject.scenario) else {
        let message = "users who wait for their answers (`closed`) have no load that could be scaled";
        let remedy = "describe the traffic by a rate: `poisson`, `constant`, `ramp`, `bursts` or a trace";
        return Err(Problem::of_file(source.name(), message, remedy).into());
    };
    if today <= 0.0 {
        let remedy = "its traffic needs a rate above zero, or a trace with requests within the duration";
        return Err(Problem::of_file(source.name(), "no request ever comes", remedy).into());
    }
    if let Some(rps) = args.rps {
        subject.scenario = scaled(&subject.scenario, rps / today, Stretch::Rate);
        subject.today_from = "as given".to_owned();
    }
    Ok(subject)
}

fn of_scenario(args: &Args, source: &Source) -> Result<Subject, Problems> {
    let mut problems = Problems::new();
    let only_for_configs = [
        ("--traffic", args.traffic.is_some(), "name the trace in the scenario: `arrivals: {trace: file.csv}`"),
        ("--mix", !args.mix.is_empty(), "write the mix into the scenario's traffic"),
        ("--rpm", args.rpm.is_some(), "write it into the scenario: `upstreams: {all: {rpm: ..}}`"),
        ("--tpm", args.tpm.is_some(), "write it into the scenario: `upstreams: {all: {tpm: ..}}`"),
        ("--deadline", args.deadline.is_some(), "write it into the scenario's traffic"),
    ];
    for (option, given, remedy) in only_for_configs {
        if given {
            problems.push(Problem::of_file(option, "this is for a config; a scenario says it itself", remedy));
        }
    }
    match scenario::read(source, args.input.parent().unwrap_or(Path::new(""))) {
        Ok(loaded) => {
            let mut scenario = problems.or(loaded.scenario)?;
            scenario.duration = args.duration.unwrap_or(scenario.duration);
            let faults = !scenario.faults.is_empty();
            let assumed =
                if faults { vec!["the scenario's own faults strike at every load".to_owned()] } else { Vec::new() };
            Ok(Subject { scenario, today_from: "as the scenario has it".to_owned(), assumed })
        }
        Err(more) => {
            problems.append(more);
            problems.or(()).map(|()| unreachable!("a scenario that cannot be read is a problem"))
        }
    }
}

fn of_config(args: &Args, source: &Source) -> Result<Subject, Problems> {
    let mix = mix(&args.mix)?;
    let options = Options {
        release: args.litellm,
        mode: Mode::Proxy,
        asked_names: mix.iter().map(|(name, _)| name.clone()).collect(),
        start_unix_nanos: START_UNIX_NANOS,
        without_models: false,
    };
    let mut loaded = litellm::read_source(source, &options)?;
    let names = default_names(&loaded);
    let mix = if mix.is_empty() {
        loaded.config.asked_names.extend(names.iter().cloned());
        names.iter().map(|name| (name.clone(), 1.0)).collect()
    } else {
        mix
    };
    let refused = |errors: Vec<String>| {
        let problem = |error: String| Problem::of_file(source.name(), error, "LiteLLM does not start with this config");
        errors.into_iter().map(problem).collect::<Problems>()
    };
    let plan = Plan::new(&loaded.config).map_err(|errors| refused(errors.iter().map(ToString::to_string).collect()))?;
    if loaded.refuses_to_start() {
        return Err(refused(vec!["the config has errors; `routedrill lint` lists them".to_owned()]));
    }
    let mut problems = Problems::new();
    let mut asked: Vec<NameId> = Vec::new();
    for (name, _) in &mix {
        let id = plan.name_id(name).expect("every name that is asked for was given to the plan");
        if plan.members(id).is_empty() && !args.mix.is_empty() && !names.contains(name) {
            let remedy = did_you_mean(name, names.iter().map(String::as_str))
                .map_or_else(|| format!("it has {}", names.join(", ")), |known| format!("did you mean `{known}`?"));
            problems.push(Problem::of_file("--mix", format!("the config has no model `{name}`"), remedy));
        }
        asked.push(id);
    }
    let recording = args.traffic.as_ref().map(|path| Recording::read(path)).transpose();
    let recording = match recording {
        Ok(recording) => problems.or(recording)?,
        Err(problem) => {
            problems.push(problem);
            return problems.or(()).map(|()| unreachable!("a trace that cannot be read is a problem"));
        }
    };
    let mut assumed = vec!["latencies are routedrill's own defaults, not measured".to_owned()];
    let today = (mix.len() as f64 * RATE_PER_NAME).min(RATE_MAX);
    let (load, today_from) = match recording {
        Some(recording) => (Load::Trace(recording), "the recorded traffic".to_owned()),
        None => (Load::Rate(today), "routedrill's own default".to_owned()),
    };
    if matches!(load, Load::Trace(_)) && args.scale == StretchArg::Time {
        let part = "with --scale time a run plays the more of the recording the higher the load: what comes is what the \
                    recording has there, which may be more or less than the load that is named";
        assumed.push(part.to_owned());
    }
    let plan = Arc::new(plan);
    let inventory = Arc::new(loaded.inventory.clone());
    let quotas = config_quotas(&plan, &inventory, args.rpm, args.tpm);
    assumed.push(if quotas.is_empty() {
        "upstreams allow any number of requests: the config says no `rpm` or `tpm`; give --rpm or --tpm, or a scenario"
            .to_owned()
    } else {
        let given = args.rpm.is_some() || args.tpm.is_some();
        let others = if given { ", --rpm and --tpm where it says none" } else { "" };
        format!("the config's `rpm` and `tpm` are what the upstreams allow, each deployment by itself{others}")
    });
    if quotas.iter().any(|quota| matches!(quota.window, QuotaWindow::Bucket(_))) {
        let more = "quotas that are refilled are full when a run begins: the shorter the runs (--duration), the more \
                    that adds to what they carry";
        assumed.push(more.to_owned());
    }
    let world = World {
        config: loaded.config.clone(),
        config_path: args.input.clone(),
        plan: plan.clone(),
        inventory,
        asked,
        load,
        duration: args.duration.unwrap_or(DURATION),
        deadline: args.deadline.unwrap_or(DEADLINE),
    };
    let mut scenario = world.scenario(None);
    scenario.quotas = quotas;
    if !matches!(world.load, Load::Trace(_)) {
        let sum: f64 = mix.iter().map(|(_, weight)| weight).sum();
        for (traffic, (_, weight)) in scenario.traffic.iter_mut().zip(&mix) {
            traffic.arrivals = Arrivals::Poisson { rate: today * weight / sum };
        }
    }
    Ok(Subject { scenario, today_from, assumed })
}

/// Several windows of a quota by the minute, and not so long that a search takes minutes.
const DURATION: Span = Span::from_secs(300);

fn mix(written: &[String]) -> Result<Vec<(String, f64)>, Problems> {
    let mut problems = Problems::new();
    let mut mix: Vec<(String, f64)> = Vec::new();
    for text in written {
        let weight =
            |weight: &str| weight.trim().parse::<f64>().ok().filter(|weight| weight.is_finite() && *weight > 0.0);
        match text.rsplit_once('=').map(|(name, number)| (name.trim(), weight(number))) {
            Some((name, Some(_))) if mix.iter().any(|(known, _)| known == name) => {
                problems.push(Problem::of_file("--mix", format!("`{name}` is named twice"), "leave one of them out"));
            }
            Some((name, Some(weight))) => mix.push((name.to_owned(), weight)),
            _ => problems.push(Problem::of_file(
                "--mix",
                format!("`{text}` is not a name with a weight above zero"),
                "write `gpt-4=3`",
            )),
        }
    }
    problems.or(mix)
}

/// The question, with everything that is wrong with it said at once.
fn question(args: &Args, scenario: Scenario) -> Result<Capacity, Problems> {
    let mut problems = Problems::new();
    let mut keep = |found: Problems| problems.append(found);
    let asked = Shape::of(&scenario).asked;
    let promises = Slo::parse(&args.slo).and_then(|slo| slo.promises(&scenario.plan, &asked)).map_err(&mut keep);
    let today = rate(&scenario).unwrap_or(0.0);
    let limits = limits(args, &scenario, today).map_err(&mut keep);
    let outage = Outage::ALL.into_iter().find(|outage| outage.word() == args.lose_as).ok_or_else(|| {
        let words = Outage::ALL.map(Outage::word);
        let remedy = format!("they are {}", words.join(", "));
        keep(Problem::of_file("--lose-as", format!("`{}` is no outage", args.lose_as), remedy).into());
    });
    let all = outage.and_then(|outage| lost(args, &scenario, outage).map_err(&mut keep));
    for (option, value, wrong) in [
        ("--precision", args.precision, args.precision <= 0.0),
        ("--confidence", args.confidence, !(0.5..1.0).contains(&args.confidence)),
    ] {
        if wrong {
            let remedy =
                if option == "--precision" { "write `5%`" } else { "write `95%`; it is at least 50% and below 100%" };
            let message = format!("nothing is known with a value of {value}");
            keep(Problem::of_file(option, message, remedy).into());
        }
    }
    let (Ok(promises), Ok(limits), Ok(cases)) = (promises, limits, all) else {
        return problems.or(()).map(|()| unreachable!("what is missing is a problem"));
    };
    problems.or(Capacity {
        bench: Bench {
            scenario,
            today,
            stretch: match args.scale {
                StretchArg::Time => Stretch::Time,
                StretchArg::Rate => Stretch::Rate,
            },
            promises,
            seeds: (0..args.seeds).map(|n| args.seed.wrapping_add(n)).collect(),
            confidence: args.confidence,
        },
        cases,
        limits,
        target: args.target,
    })
}

fn lost(args: &Args, scenario: &Scenario, outage: Outage) -> Result<Vec<Case>, Problems> {
    let mut all = match args.lose.as_slice() {
        [] => cases(scenario, outage),
        [nothing] if nothing == "none" => Vec::new(),
        named => chosen(scenario, named, outage)?,
    };
    if args.pairs {
        let both = pairs(&all);
        all.extend(both);
    }
    all.insert(0, Case::healthy());
    Ok(all)
}

/// Which loads are tried. The search begins where the quotas on requests would be used up, or at today's load.
fn limits(args: &Args, scenario: &Scenario, today: f64) -> Result<Limits, Problems> {
    const MAX: f64 = 500.0;
    /// The quotas may carry more than that together.
    const BEYOND: f64 = 4.0;
    const PARTS: f64 = 256.0;
    let allowed: f64 = (scenario.quotas.iter())
        .filter(|quota| quota.unit == QuotaUnit::Requests)
        .map(|quota| {
            let (QuotaWindow::Fixed(window) | QuotaWindow::Sliding(window) | QuotaWindow::Bucket(window)) =
                quota.window;
            quota.limit as f64 / window.as_secs_f64()
        })
        .sum();
    let start = if allowed > 0.0 { allowed } else { today };
    let (min, max) = match &args.loads {
        None => (start.min(today) / PARTS, MAX.max(start * BEYOND)),
        Some(text) => {
            let wrong =
                |message: String| Problem::of_file("--loads", message, "write `1/s..500/s`, the lower one first");
            let read = |text: &str| parse::rate(text).map_err(|why| wrong(format!("`{}`: {why}", text.trim())));
            let (from, to) = text.split_once("..").ok_or_else(|| wrong(format!("`{text}` is not a range of loads")))?;
            let mut problems = Problems::new();
            let ends = [read(from), read(to)].map(|end| end.map_err(|problem| problems.push(problem)));
            match ends {
                [Ok(min), Ok(max)] if min < max => (min, max),
                [Ok(_), Ok(_)] => return Err(wrong(format!("`{text}` is empty or reversed")).into()),
                _ => return problems.or((0.0, 0.0)).map(|_| unreachable!("an end that is no rate is a problem")),
            }
        }
    };
    Ok(Limits { start: start.clamp(min, max), min, max, precision: args.precision })
}

/// Writes everything into a folder that appears whole or not at all.
fn write(report: &CapacityReport, wanted: &Path) -> Result<(), WriteError> {
    let folder = Folder::begin(wanted)?;
    folder.write("capacity.html", print::capacity_page(report).as_bytes())?;
    folder.write("results.json", print::json(report).as_bytes())?;
    folder.write("cases.csv", print::capacity_cases_csv(report).as_bytes())?;
    folder.write("curve.csv", print::capacity_curve_csv(report).as_bytes())?;
    folder.publish()
}
