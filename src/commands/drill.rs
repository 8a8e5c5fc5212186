//! `routedrill drill`: every outage that a LiteLLM config could meet, tried.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use routedrill_reports::model::{ConfigText, DrillContext, DrillReport, FindingReport, RefusalReport, UpgradeReport};
use routedrill_reports::print::{self, Detail};
use routedrill_reports::{Folder, WriteError, words};
use routedrill_sim::drill::world::{DEADLINE, START_UNIX_NANOS};
use routedrill_sim::drill::{Drill, Edit, Load, Row, Thresholds, Upgrade, Verdict, World, rows};
use routedrill_sim::litellm::lint::{Choice, lint};
use routedrill_sim::litellm::{self, Loaded, Options};
use routedrill_sim::problem::{Problem, Problems, did_you_mean};
use routedrill_sim::scenario::quantity::Share;
use routedrill_sim::scenario::{self, Recording};
use routedrill_sim::source::{CONFIG_BYTES_MAX, Source};
use router_core::{Mode, NameId, Plan, PlanError, Release, Span};

use super::{edited, memo, parse};
use crate::exit::Exit;
use crate::output;
use crate::progress::Progress;

/// Try every outage that a LiteLLM config could meet, and say what users would notice.
///
/// Without anything but the config: every deployment, group, region, provider and key fails in turn, in eight ways, under
/// routedrill's own default load, and each outage is compared with a run in which nothing fails.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The `config.yaml` of a LiteLLM proxy.
    pub(super) config: PathBuf,
    /// A name that clients ask for; may be repeated. Default: every model group.
    #[arg(long = "model", value_name = "NAME")]
    pub(super) models: Vec<String>,
    /// Requests per second, over all names together. Default: 2 per name, 20 at most.
    #[arg(long, value_name = "RATE", value_parser = parse::rate, conflicts_with = "traffic")]
    pub(super) rps: Option<f64>,
    /// Recorded traffic: a CSV file with `TIMESTAMP,ContextTokens,GeneratedTokens` or `t,prompt_tokens,output_tokens`.
    #[arg(long, value_name = "CSV")]
    pub(super) traffic: Option<PathBuf>,
    /// How long requests keep arriving. The outage takes the second and third fifth of it. Default: 5m, or longer where
    /// a cooldown is.
    #[arg(long, value_name = "TIME", value_parser = parse::time)]
    pub(super) duration: Option<Span>,
    /// How long a caller waits before giving up.
    #[arg(long, value_name = "TIME", value_parser = parse::time, default_value = "60s")]
    pub(super) deadline: Span,
    /// Under how many seeds each outage runs.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SEEDS, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(super) seeds: u64,
    /// The first seed.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(super) seed: u64,
    /// Only this row (`provider:azure/5xx`), all rows of a target (`provider:azure`) or of an outage (`5xx`); may be
    /// repeated.
    #[arg(long, value_name = "ROW")]
    pub(super) only: Vec<String>,
    /// The LiteLLM release to decide like.
    #[arg(long, value_name = "RELEASE", value_parser = parse::release, default_value = Release::V1_109_1.number())]
    pub(super) litellm: Release,
    /// Another LiteLLM release: what would it change for the users, and which of its rules is behind it? The exit code is
    /// then 1 when it changes something.
    #[arg(long, value_name = "RELEASE", value_parser = parse::release, conflicts_with_all = ["out", "write_scenarios"])]
    against: Option<Release>,
    /// How requests reach the Router.
    #[arg(long, value_enum, default_value_t = ModeArg::Proxy)]
    mode: ModeArg,
    /// Users are lost when fewer requests than this are answered, during the outage or after it.
    #[arg(long, value_name = "SHARE", value_parser = parse::share, default_value = "99%")]
    pub(super) min_availability: f64,
    /// An outage was felt when fewer requests than this are answered.
    #[arg(long, value_name = "SHARE", value_parser = parse::share, default_value = "99.9%")]
    pub(super) held_availability: f64,
    /// An outage was felt when p99 is more than this many times that of the baseline.
    #[arg(long, value_name = "RATIO", value_parser = parse::ratio, default_value = "2")]
    pub(super) max_p99_ratio: f64,
    /// The verdict from which on the exit code is 1.
    #[arg(long, value_enum, default_value_t = FailOn::Lost)]
    fail_on: FailOn,
    /// Show every outage on a line of its own, and the notes on the config.
    #[arg(long)]
    all: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// A folder for the readiness memo, `memo.md` and `memo.html`, for `report.html`, `results.json`, `edits.patch`, and a statement of
    /// what they were made from, which `routedrill verify` checks. Each risk's remedy is drilled too,
    /// alone and together with the others.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// An OpenSSH private key of the kind Ed25519, without a passphrase, to sign that statement with.
    #[arg(long, value_name = "KEY", requires = "out")]
    sign: Option<PathBuf>,
    /// A folder for a scenario file of each row, to run again with `routedrill run`.
    #[arg(long, value_name = "DIR")]
    write_scenarios: Option<PathBuf>,
    /// The date on the memo, `2026-11-21`. Default: SOURCE_DATE_EPOCH, else today.
    #[arg(long, value_name = "DATE", value_parser = parse::date)]
    pub(super) date: Option<String>,
    /// How many threads. Default: all cores. Nothing in the results depends on it.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// Under how many seeds each outage runs when nobody says otherwise.
const DEFAULT_SEEDS: u64 = 3;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum ModeArg {
    Proxy,
    Sdk,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum FailOn {
    Lost,
    Degraded,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Format {
    Text,
    Json,
    /// A page for browsers, complete in one file.
    Html,
    /// Markdown for the step summary of GitHub Actions.
    Markdown,
    /// Annotations of GitHub Actions.
    Github,
    /// JUnit XML, a case for each outage.
    Junit,
    /// CSV, a line for each outage and each name that clients ask for.
    Csv,
}

pub(crate) fn run(args: &Args) -> Exit {
    drill(args).unwrap_or_else(|exit| exit)
}

fn drill(args: &Args) -> Result<Exit, Exit> {
    // A key that cannot sign is found out before the drill, not after it.
    let signer = args.sign.as_deref().map(memo::signer).transpose()?;
    let source = Source::read(&args.config, CONFIG_BYTES_MAX).map_err(|problem| output::refuse(&problem.into()))?;
    let name = memo::shown(&args.config, args.out.is_some());
    let (drill, findings) = match prepare(args, &source)? {
        Prepared::Ready(drill, findings) => (drill, findings),
        Prepared::Refused(loaded, errors) => return refused(args, &name, &loaded, &errors),
    };
    if let Some(release) = args.against {
        return against(args, *drill, release);
    }
    if let Some(wanted) = &args.write_scenarios {
        write_scenarios(&drill, wanted)?;
    }
    let (report, worst) = carry_out(args, &name, (&drill, &source), findings, args.out.is_some())?;
    if let Some(wanted) = &args.out {
        memo::write(args, &source, &drill, &report, signer.as_ref(), wanted)?;
    }
    match args.format {
        Format::Text => output::result(&print::drill_text(&report, Detail { all: args.all }))?,
        Format::Json => output::result(&print::json(&report))?,
        Format::Html => output::result(&print::html::drill(&report))?,
        Format::Markdown => output::result(&print::drill_markdown(&report))?,
        Format::Github => output::result(&print::drill_github(&report))?,
        Format::Junit => output::result(&print::drill_junit(&report))?,
        Format::Csv => output::result(&print::drill_csv(&report))?,
    }
    if !report.cut_short.is_empty() {
        return Ok(Exit::Unfinished);
    }
    if !report.broken_laws.is_empty() {
        return Ok(Exit::Found);
    }
    let fails = match args.fail_on {
        FailOn::Lost => worst <= Verdict::Lost,
        FailOn::Degraded => worst <= Verdict::Degraded,
        FailOn::Never => false,
    };
    Ok(if fails { Exit::Found } else { Exit::Clean })
}

/// A config that can be drilled, or that LiteLLM would not start with.
pub(super) enum Prepared {
    /// What to drill, and what the reader remarked.
    Ready(Box<Drill>, Vec<FindingReport>),
    /// Why not.
    Refused(Box<Loaded>, Vec<PlanError>),
}

/// Makes ready what the command line asks for.
pub(super) fn prepare(args: &Args, source: &Source) -> Result<Prepared, Exit> {
    let loaded = load(args, source, args.litellm)?;
    let plan = match Plan::new(&loaded.config) {
        Ok(plan) if !loaded.refuses_to_start() => plan,
        Ok(_) => return Ok(Prepared::Refused(Box::new(loaded), Vec::new())),
        Err(errors) => return Ok(Prepared::Refused(Box::new(loaded), errors)),
    };
    let world = world(args, &loaded, plan)?;
    let drill = Drill {
        rows: chosen(rows(&world.config, &world.inventory), &args.only)?,
        seeds: (0..args.seeds).map(|n| args.seed.wrapping_add(n)).collect(),
        thresholds: Thresholds {
            min_availability: args.min_availability,
            held_availability: args.held_availability,
            max_p99_ratio: args.max_p99_ratio,
        },
        world,
    };
    Ok(Prepared::Ready(Box::new(drill), loaded.findings.iter().map(FindingReport::from).collect()))
}

/// Carries a drill of a config out; gives its report and its worst verdict. `prove`: looks for edits of the config that
/// remove its risks, and drills them.
pub(super) fn carry_out(
    args: &Args,
    name: &str,
    (drill, source): (&Drill, &Source),
    findings: Vec<FindingReport>,
    prove: bool,
) -> Result<(DrillReport, Verdict), Exit> {
    let progress = Progress::new(drill.rows.len() as u64 + 1, "outages");
    let outcome = in_pool(args.threads, || drill.run(&|| progress.step()))?;
    progress.finish();
    let options = replay_options(args);
    let context = DrillContext {
        config: name,
        findings,
        models_chosen: !args.models.is_empty(),
        load_chosen: args.rps.is_some() || args.traffic.is_some(),
        options: &options,
    };
    let mut report = DrillReport::new(drill, &outcome, &context);
    let document = litellm::parse(source).map_err(|problems| output::refuse(&problems))?;
    let text = ConfigText { root: &document.root, source };
    report.tie(drill, &text);
    if prove {
        let progress = Progress::new((report.risks.len() + drill.rows.len()) as u64 + 1, "remedies");
        let read = read_options(args, args.litellm);
        let rebuild = |edit: &Edit| edited::world(drill, source, &read, edit);
        let choice = Choice { deadline: Some(args.deadline), ..Choice::default() };
        let lint = |text: &Source| -> Vec<FindingReport> {
            lint(text, &read, &choice)
                .map_or_else(|_| Vec::new(), |found| found.findings.iter().map(Into::into).collect())
        };
        in_pool(args.threads, || report.prove(drill, &outcome, &text, &rebuild, &lint, &|| progress.step()))?;
        progress.finish();
    }
    Ok((report, outcome.worst()))
}

/// Drills the same config under another release, and says what that changes.
fn against(args: &Args, today: Drill, release: Release) -> Result<Exit, Exit> {
    if !matches!(args.format, Format::Text | Format::Json) {
        eprintln!(
            "error: a comparison of releases is text or JSON\nhelp: give `--format text` or `--format json` beside --against"
        );
        return Err(Exit::BadInput);
    }
    let name = args.config.display().to_string();
    let source = Source::read(&args.config, CONFIG_BYTES_MAX).map_err(|problem| output::refuse(&problem.into()))?;
    let loaded = load(args, &source, release)?;
    let plan = match Plan::new(&loaded.config) {
        Ok(plan) if !loaded.refuses_to_start() => plan,
        Ok(_) => return refused(args, &name, &loaded, &[]),
        Err(errors) => return refused(args, &name, &loaded, &errors),
    };
    let to_come = Drill { world: world(args, &loaded, plan)?, ..today.clone() };
    let upgrade = Upgrade {
        from: today.world.clone(),
        to: to_come.world.clone(),
        rows: today.rows.clone(),
        seeds: today.seeds.clone(),
    };
    let progress = Progress::new(3 * (today.rows.len() as u64 + 1), "outages");
    let step = || progress.step();
    let (changes, outcomes) =
        in_pool(args.threads, || (upgrade.changes(&step), (today.run(&step), to_come.run(&step))))?;
    progress.finish();
    let report = UpgradeReport::new(&name, &upgrade, &changes, (&outcomes.0, &outcomes.1));
    match args.format {
        Format::Text => output::result(&print::upgrade_text(&report, &world_options(args)))?,
        Format::Json => output::result(&print::json(&report))?,
        // Refused above.
        _ => {}
    }
    if !outcomes.0.cut_short.is_empty() || !outcomes.1.cut_short.is_empty() {
        return Ok(Exit::Unfinished);
    }
    Ok(if changes.is_empty() { Exit::Clean } else { Exit::Found })
}

/// Reads the config, with the names that clients are to ask for made known to it.
fn load(args: &Args, source: &Source, release: Release) -> Result<Loaded, Exit> {
    let mut loaded =
        litellm::read_source(source, &read_options(args, release)).map_err(|problems| output::refuse(&problems))?;
    if args.models.is_empty() {
        loaded.config.asked_names.extend(default_names(&loaded));
    }
    Ok(loaded)
}

/// How the config is read.
fn read_options(args: &Args, release: Release) -> Options {
    Options {
        release,
        mode: match args.mode {
            ModeArg::Proxy => Mode::Proxy,
            ModeArg::Sdk => Mode::Sdk,
        },
        asked_names: args.models.clone(),
        start_unix_nanos: START_UNIX_NANOS,
        without_models: false,
    }
}

/// Every model group. Nobody asks for a wildcard by its own name: a model that it matches stands for it.
pub(super) fn default_names(loaded: &Loaded) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for entry in &loaded.config.model_list {
        let name = entry.model_name.replace('*', "any-model");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn world(args: &Args, loaded: &Loaded, plan: Plan) -> Result<World, Exit> {
    let names = if args.models.is_empty() { default_names(loaded) } else { args.models.clone() };
    let mut asked: Vec<NameId> = Vec::new();
    for name in &names {
        let id = plan.name_id(name).expect("every name that is asked for was given to the plan");
        if !asked.contains(&id) {
            asked.push(id);
        }
    }
    let load = match (args.rps, &args.traffic) {
        (Some(rate), _) => Load::Rate(rate),
        (None, Some(path)) => Load::Trace(Recording::read(path).map_err(|problem| output::refuse(&problem.into()))?),
        (None, None) => World::default_load(asked.len()),
    };
    let duration = args.duration.unwrap_or_else(|| World::default_duration(&plan));
    Ok(World {
        config: loaded.config.clone(),
        config_path: args.config.clone(),
        plan: Arc::new(plan),
        inventory: Arc::new(loaded.inventory.clone()),
        asked,
        load,
        duration,
        deadline: args.deadline,
    })
}

/// The rows that `--only` means; all of them without it.
fn chosen(rows: Vec<Row>, only: &[String]) -> Result<Vec<Row>, Exit> {
    let mut problems = Problems::new();
    for asked in only {
        if !rows.iter().any(|row| row.is_meant_by(asked)) {
            let names: Vec<String> =
                rows.iter().flat_map(|row| std::iter::once(row.name()).chain(row.merged_names())).collect();
            let remedy = did_you_mean(asked, names.iter().map(String::as_str)).map_or_else(
                || "rows are named like `provider:azure/5xx`; `--all` lists them".to_owned(),
                |name| format!("did you mean `{name}`?"),
            );
            problems.push(Problem::of_file("--only", format!("no row is called `{asked}`"), remedy));
        }
    }
    problems.or(()).map_err(|problems| output::refuse(&problems))?;
    if only.is_empty() {
        return Ok(rows);
    }
    Ok(rows.into_iter().filter(|row| only.iter().any(|asked| row.is_meant_by(asked))).collect())
}

/// The options that a replay has to repeat.
fn replay_options(args: &Args) -> String {
    let mut options = world_options(args);
    if args.litellm != Release::default() {
        let _ = write!(options, " --litellm {}", args.litellm);
    }
    if args.seeds != DEFAULT_SEEDS {
        let _ = write!(options, " --seeds {}", args.seeds);
    }
    options
}

/// Those of them that say under which load, whatever the release and the seeds.
fn world_options(args: &Args) -> String {
    let mut options = String::new();
    for model in &args.models {
        let _ = write!(options, " --model {}", words::quoted(model));
    }
    if let Some(rate) = args.rps {
        let _ = write!(options, " --rps {rate}");
    }
    if let Some(path) = &args.traffic {
        let _ = write!(options, " --traffic {}", words::quoted(&memo::shown(path, args.out.is_some())));
    }
    if let Some(duration) = args.duration {
        let _ = write!(options, " --duration {}", parse::written(duration));
    }
    if args.deadline != DEADLINE {
        let _ = write!(options, " --deadline {}", parse::written(args.deadline));
    }
    if args.mode == ModeArg::Sdk {
        options.push_str(" --mode sdk");
    }
    options
}

/// Everything on the command line that shapes the runs or the verdicts, but for the files, one option each: given to
/// `routedrill drill` again, they make the same drill.
pub(super) fn shaping_options(args: &Args) -> Vec<String> {
    let mut options: Vec<String> = args.models.iter().map(|model| format!("--model={model}")).collect();
    options.extend(args.rps.map(|rate| format!("--rps={rate}")));
    options.extend(args.duration.map(|duration| format!("--duration={}", parse::written(duration))));
    options.extend(args.only.iter().map(|row| format!("--only={row}")));
    options.push(format!("--deadline={}", parse::written(args.deadline)));
    options.push(format!("--seeds={}", args.seeds));
    options.push(format!("--seed={}", args.seed));
    options.push(format!("--litellm={}", args.litellm));
    options.push(format!("--mode={}", if args.mode == ModeArg::Sdk { "sdk" } else { "proxy" }));
    options.push(format!("--min-availability={}", Share(args.min_availability)));
    options.push(format!("--held-availability={}", Share(args.held_availability)));
    options.push(format!("--max-p99-ratio={}", args.max_p99_ratio));
    options
}

/// Writes a scenario file for the baseline and for each row.
fn write_scenarios(drill: &Drill, wanted: &Path) -> Result<(), Exit> {
    let written = |error: WriteError| output::unwritten(&error);
    let folder = Folder::begin(wanted).map_err(written)?;
    let mut names: Vec<String> = Vec::new();
    for row in std::iter::once(None).chain(drill.rows.iter().map(Some)) {
        let mut scenario = drill.world.scenario(row);
        scenario.seed = drill.seeds[0];
        let mut name: String = scenario
            .name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
            .collect();
        while names.contains(&name) {
            name.push('+');
        }
        let text = scenario::expanded(&scenario, folder.draft());
        folder.write(&format!("{name}.yaml"), text.as_bytes()).map_err(written)?;
        names.push(name);
    }
    folder.publish().map_err(written)
}

/// Says that LiteLLM would not start: there is nothing to drill.
fn refused(args: &Args, name: &str, loaded: &Loaded, errors: &[PlanError]) -> Result<Exit, Exit> {
    let report = RefusalReport {
        config: name.to_owned(),
        litellm: args.litellm.number(),
        reasons: errors.iter().map(ToString::to_string).collect(),
        findings: loaded.findings.iter().map(FindingReport::from).collect(),
    };
    match args.format {
        Format::Text => output::result(&print::refusal_text(&report))?,
        Format::Markdown => output::result(&print::refusal_markdown(&report))?,
        Format::Github => output::result(&print::refusal_github(&report))?,
        Format::Junit => output::result(&print::refusal_junit(&report))?,
        // There is no outage to list: a table without lines would pass for one in which nothing was lost.
        Format::Csv => eprint!("{}", print::refusal_text(&report)),
        Format::Json => output::result(&print::json(&report))?,
        Format::Html => output::result(&print::html::refusal(&report))?,
    }
    Ok(Exit::Found)
}

/// Runs `work` on so many threads.
pub(super) fn in_pool<T: Send>(threads: Option<usize>, work: impl FnOnce() -> T + Send) -> Result<T, Exit> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build();
    match pool {
        Ok(pool) => Ok(pool.install(work)),
        Err(error) => {
            eprintln!("error: failed to start the threads: {error}");
            Err(Exit::Unfinished)
        }
    }
}
