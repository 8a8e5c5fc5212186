//! `routedrill lint`: everything in a LiteLLM config that does not do what it says.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use routedrill_reports::lint::{Counts, LintedFile, explanation, github, json, junit, rules, sarif, text};
use routedrill_reports::patch;
use routedrill_reports::write_whole;
use routedrill_sim::litellm::lint::fix::fix;
use routedrill_sim::litellm::lint::manifest::{self, Manifest};
use routedrill_sim::litellm::lint::{Choice, Linted, lint, rule_named};
use routedrill_sim::litellm::{Options, Rule, Severity};
use routedrill_sim::problem::{Look, Problem};
use routedrill_sim::source::{CONFIG_BYTES_MAX, Source};
use router_core::{Release, Span};

use super::parse;
use crate::exit::Exit;
use crate::output;

/// Say what in a LiteLLM config does not do what it says, with line, reason and remedy.
///
/// Nothing is called and no environment is read. A comment silences a rule for its own line, or for the next one when
/// it stands alone: `# routedrill: ignore RULE because REASON`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The `config.yaml` of a LiteLLM proxy; several are looked at one by one; `-` is standard input.
    #[arg(required_unless_present_any = ["explain", "list"], value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The LiteLLM release that reads them.
    #[arg(long, value_name = "RELEASE", value_parser = parse::release, default_value = Release::V1_109_1.number())]
    litellm: Release,
    /// Only this rule; may be repeated, or several with commas.
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule_named)]
    select: Vec<&'static Rule>,
    /// Not this rule; may be repeated, or several with commas.
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule_named)]
    ignore: Vec<&'static Rule>,
    /// How long callers wait before giving up: groups whose worst case is longer are warned of.
    #[arg(long, value_name = "TIME", value_parser = parse::time)]
    deadline: Option<Span>,
    /// Kubernetes manifests that run the proxy: their probes are looked at, and their replicas counted. May be repeated.
    #[arg(long, value_name = "FILE")]
    manifest: Vec<PathBuf>,
    /// How many replicas of the proxy run with these files, workers of one pod counted each; wins over manifests.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    replicas: Option<u32>,
    /// Mend what is mechanical and safe: print it as a patch. The exit code is 1 when there is something to mend.
    #[arg(long, conflicts_with_all = ["format", "fail_on"])]
    fix: bool,
    /// Write what is mended into the files, and say what is left.
    #[arg(long, requires = "fix")]
    write: bool,
    /// The severity from which on the exit code is 1.
    #[arg(long, value_enum, default_value_t = FailOn::Warning)]
    fail_on: FailOn,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Tell what a rule is about, and where LiteLLM's behaviour comes from.
    #[arg(long, value_name = "RULE", value_parser = rule_named, conflicts_with = "list")]
    explain: Option<&'static Rule>,
    /// List all rules.
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum FailOn {
    Note,
    Warning,
    Error,
}

impl FailOn {
    /// Whether findings of that severity make a run fail.
    fn includes(self, severity: Severity) -> bool {
        match severity {
            Severity::Error => true,
            Severity::Warning => self != Self::Error,
            Severity::Note => self == Self::Note,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Format {
    Text,
    Json,
    /// Annotations of a GitHub workflow.
    Github,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML, a case for each finding.
    Junit,
}

pub(crate) fn run(args: &Args) -> Exit {
    let print = |text: &str| output::result(text).err().unwrap_or(Exit::Clean);
    if let Some(rule) = args.explain {
        return print(&explanation(rule));
    }
    if args.list {
        return print(&rules());
    }
    let options = Options { release: args.litellm, without_models: true, ..Options::default() };
    let mut choice = Choice {
        select: args.select.clone(),
        ignore: args.ignore.clone(),
        deadline: args.deadline,
        ..Choice::default()
    };
    let manifests = look_at_manifests(&args.manifest, args.replicas, &mut choice);
    if args.fix
        && let Err(exit) = mend(args, &options, &choice)
    {
        return exit;
    }
    let configs = args.files.iter().map(|path| {
        let result = read(path).map_err(Into::into).and_then(|source| lint(&source, &options, &choice));
        LintedFile { name: name_of(path), result }
    });
    let files: Vec<LintedFile> = configs.chain(manifests).collect();
    for problems in files.iter().filter_map(|file| file.result.as_ref().err()) {
        output::refuse(problems);
    }
    let printed = match args.format {
        Format::Text => Ok(styled(&files)),
        Format::Json => json(&files, args.litellm),
        Format::Github => Ok(github(&files)),
        Format::Sarif => sarif(&files, env!("CARGO_PKG_VERSION")),
        Format::Junit => Ok(junit(&files, |severity| args.fail_on.includes(severity))),
    };
    match printed {
        Ok(text) => match output::result(&text) {
            Ok(()) => exit(args.fail_on, Counts::of(&files)),
            Err(exit) => exit,
        },
        Err(error) => {
            eprintln!("error: failed to write the result: {error}");
            Exit::Unfinished
        }
    }
}

/// What is found in manifests; what they say of the replicas goes into the choice.
fn look_at_manifests(paths: &[PathBuf], replicas: Option<u32>, choice: &mut Choice) -> Vec<LintedFile> {
    let mut seen = 0_u32;
    let mut files = Vec::new();
    for path in paths {
        let looked = read(path).map_err(Into::into).and_then(|source| manifest::look(&source, choice));
        let result = looked.map(|Manifest { fleet, findings, silenced }| {
            seen = seen.saturating_add(fleet.replicas);
            choice.fleet.stores_models |= fleet.stores_models;
            Linted { findings, silenced, worst_cases: Vec::new() }
        });
        files.push(LintedFile { name: name_of(path), result });
    }
    choice.fleet.replicas = replicas.unwrap_or(seen).max(1);
    files
}

/// Mends every file: prints the patches, or writes the files. `Err` with the exit code when there is no more to do.
fn mend(args: &Args, options: &Options, choice: &Choice) -> Result<(), Exit> {
    let mut patches = String::new();
    let mut unreadable = false;
    let mut mended = 0;
    for path in &args.files {
        let fixed = read(path).map_err(Into::into).and_then(|source| {
            let fixed = fix(&source, options, choice)?;
            Ok((source, fixed))
        });
        match fixed {
            // With --write, the report that follows says it.
            Err(_) if args.write => {}
            Err(problems) => {
                output::refuse(&problems);
                unreadable = true;
            }
            Ok((source, fixed)) if args.write && fixed.text != source.text() => {
                if path == Path::new("-") {
                    eprintln!("error: --write cannot write to standard input; without it, a patch is printed");
                    return Err(Exit::BadInput);
                }
                // A link stays a link: what it leads to is written.
                let place = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                write_whole(&place, fixed.text.as_bytes()).map_err(|error| output::unwritten(&error))?;
                mended += fixed.mended.len();
            }
            Ok((source, fixed)) => {
                mended += fixed.mended.len();
                patches += &patch(source.name(), source.text(), &fixed.text);
            }
        }
    }
    let what = if mended == 1 { "finding" } else { "findings" };
    if args.write {
        eprintln!("{mended} {what} mended");
        return Ok(());
    }
    output::result(&patches)?;
    eprintln!("{mended} {what} can be mended{}", if mended > 0 { "; --write does it" } else { "" });
    Err(match (unreadable, mended) {
        (true, _) => Exit::BadInput,
        (false, 0) => Exit::Clean,
        (false, _) => Exit::Found,
    })
}

/// The text for people, with colour where they look at it in a terminal that wants it.
fn styled(files: &[LintedFile]) -> String {
    let choice = anstream::AutoStream::choice(&std::io::stdout());
    text(files, if choice == anstream::ColorChoice::Never { Look::Plain } else { Look::Styled })
}

fn exit(fail_on: FailOn, counts: Counts) -> Exit {
    let of = [(Severity::Error, counts.errors), (Severity::Warning, counts.warnings), (Severity::Note, counts.notes)];
    let fails = of.iter().any(|(severity, count)| *count > 0 && fail_on.includes(*severity));
    match (counts.unreadable, fails) {
        (0, false) => Exit::Clean,
        (0, true) => Exit::Found,
        _ => Exit::BadInput,
    }
}

fn name_of(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

fn read(path: &Path) -> Result<Source, Problem> {
    if path != Path::new("-") {
        return Source::read(path, CONFIG_BYTES_MAX);
    }
    let name = name_of(path);
    let mut bytes = Vec::new();
    // One byte more than allowed tells an input that fits from one that does not.
    let input = std::io::stdin().lock().take(CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes);
    if let Err(error) = input {
        return Err(Problem::of_file(&name, format!("cannot be read: {error}"), "pipe a config into it"));
    }
    if bytes.len() as u64 > CONFIG_BYTES_MAX {
        let message = format!("larger than {CONFIG_BYTES_MAX} bytes, the most that is read");
        return Err(Problem::of_file(&name, message, "give the config itself, not an archive or a log of it"));
    }
    Source::from_bytes(name, bytes)
}
