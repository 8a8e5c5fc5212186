//! `routedrill verify`: does a memo still hold?

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use routedrill_reports::evidence::{Envelope, Predicate, RowEvidence, STATEMENT, Statement, Trusted, sha256};
use routedrill_reports::figures::{count, counted};
use routedrill_reports::print;
use routedrill_sim::problem::{Problem, Problems};
use routedrill_sim::source::{CONFIG_BYTES_MAX, Source};
use router_core::Release;
use schemars::JsonSchema;
use serde::Serialize;

use super::drill::{self, Prepared};
use super::{memo, parse};
use crate::exit::Exit;
use crate::output;

/// Does a memo still hold? Checks its signature and its hashes, runs every drill that it cites again, and compares.
///
/// The exit code is 1 when something does not hold any more: a file or the config has changed, a run has another digest,
/// the key is not the one that is trusted, the memo is too old.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The folder that `drill --out` wrote, or a file in it.
    memo: PathBuf,
    /// The config that the memo is about. Default: where it was, seen from here.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The recorded traffic that the memo is about.
    #[arg(long, value_name = "CSV")]
    traffic: Option<PathBuf>,
    /// The public key, in OpenSSH's form, of whoever you trust to have signed.
    #[arg(long, value_name = "PUBKEY")]
    signer: Option<PathBuf>,
    /// How many days old it may be.
    #[arg(long, value_name = "DAYS")]
    max_age: Option<u32>,
    /// The LiteLLM release that you run now. Default: the one in the memo.
    #[arg(long, value_name = "RELEASE", value_parser = parse::release)]
    litellm: Option<Release>,
    /// The day it is, `2026-11-21`. Default: SOURCE_DATE_EPOCH, else today.
    #[arg(long, value_name = "DATE", value_parser = parse::date)]
    date: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Format {
    Text,
    Json,
}

/// What was found out about one thing.
#[derive(Debug, JsonSchema, Serialize)]
struct Check {
    /// `signature`, `files`, `config`, `runs`, ...
    what: &'static str,
    /// Whether it holds; `null`: there is nothing to hold it to.
    holds: Option<bool>,
    /// In words.
    says: String,
}

/// Everything that was found out.
#[derive(Debug, JsonSchema, Serialize)]
struct Verification {
    /// The folder of the memo, or its file, as given.
    memo: String,
    /// The memo's date.
    date: String,
    /// The version of routedrill that wrote it.
    routedrill: String,
    /// The LiteLLM release that was modelled.
    litellm: String,
    /// Whether nothing that was looked at has stopped to hold.
    holds: bool,
    /// One by one.
    checks: Vec<Check>,
}

/// The JSON Schema of what `--format json` prints.
pub(super) fn schema() -> String {
    routedrill_reports::schema::one::<Verification>("routedrill verify --format json")
}

/// `routedrill drill`'s own command line, for the options in a statement.
#[derive(Parser)]
struct Cited {
    #[command(flatten)]
    args: drill::Args,
}

pub(crate) fn run(args: &Args) -> Exit {
    verify(args).unwrap_or_else(|exit| exit)
}

fn verify(args: &Args) -> Result<Exit, Exit> {
    let folder = match args.memo.parent() {
        _ if args.memo.is_dir() => args.memo.clone(),
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let trusted = args.signer.as_deref().map(Trusted::read).transpose().map_err(|error| {
        eprintln!("error: {error}");
        Exit::BadInput
    })?;
    let place = folder.join(STATEMENT);
    let unreadable = |message: String, remedy: &str| {
        output::refuse(&Problem::of_file(&place.display().to_string(), message, remedy).into())
    };
    let text = std::fs::read(&place).map_err(|error| {
        unreadable(format!("failed to read it: {error}"), "give the folder that `routedrill drill --out` wrote")
    })?;
    let edited = "it is not as routedrill wrote it: drill again";
    let envelope = Envelope::read(&text).map_err(|error| unreadable(error.to_string(), edited))?;
    let payload = envelope.payload().map_err(|error| unreadable(error.to_string(), edited))?;
    let statement = Statement::read(&payload).map_err(|error| unreadable(error.to_string(), edited))?;
    let cited = &statement.predicate;

    let mut checks = vec![
        signature(&envelope, trusted.as_ref()).map_err(|message| unreadable(message, edited))?,
        age(args, cited)?,
        release(args, cited),
    ];
    let config = args.config.clone().unwrap_or_else(|| PathBuf::from(&cited.config.name));
    again(args, &folder, &config, &statement, &mut checks)?;

    let verification = Verification {
        memo: folder.display().to_string(),
        date: cited.date.clone(),
        routedrill: cited.routedrill.clone(),
        litellm: cited.litellm.clone(),
        holds: checks.iter().all(|check| check.holds != Some(false)),
        checks,
    };
    match args.format {
        Format::Text => output::result(&told(&verification))?,
        Format::Json => output::result(&print::json(&verification))?,
    }
    Ok(if verification.holds { Exit::Clean } else { Exit::Found })
}

fn check(what: &'static str, holds: Option<bool>, says: impl Into<String>) -> Check {
    Check { what, holds, says: says.into() }
}

/// Whose signature is on the envelope, and whether that is who is trusted.
fn signature(envelope: &Envelope, trusted: Option<&Trusted>) -> Result<Check, String> {
    let signatures = envelope.signatures().map_err(|error| error.to_string())?;
    let bytes = envelope.signed_bytes().map_err(|error| error.to_string())?;
    let keys: Vec<&str> = signatures.iter().map(|(key, _)| *key).collect();
    let keys = keys.join(", ");
    Ok(match (signatures.is_empty(), trusted) {
        (true, None) => check("signature", None, "nobody has signed; what was run is checked all the same"),
        (true, Some(_)) => check("signature", Some(false), "nobody has signed, and a signer was asked for"),
        (false, None) => check(
            "signature",
            Some(false),
            format!("signer not trusted: {keys} has signed, and no --signer says that this key is to be trusted"),
        ),
        (false, Some(trusted)) => {
            let signed = signatures.iter().any(|(_, signature)| trusted.has_signed(&bytes, signature));
            let key = trusted.fingerprint();
            if signed {
                check("signature", Some(true), format!("{key} has signed this statement"))
            } else {
                check("signature", Some(false), format!("{key} has not signed this statement; {keys} claims to have"))
            }
        }
    })
}

/// How old the memo is.
fn age(args: &Args, cited: &Predicate) -> Result<Check, Exit> {
    let made: jiff::civil::Date = cited.date.parse().map_err(|_| {
        let message = format!("`{}` is no date", cited.date);
        output::refuse(&Problem::of_file(STATEMENT, message, "drill again").into())
    })?;
    let today = match &args.date {
        Some(date) => date.clone(),
        None => memo::today()?,
    };
    let today: jiff::civil::Date = today.parse().expect("a date of our own making");
    let days = made.until(today).map_or(0, |span| i64::from(span.get_days()));
    let old = format!("{} old", counted(days.unsigned_abs(), "day"));
    Ok(match args.max_age {
        _ if days < 0 => check("age", Some(false), format!("made on {made}, which is still to come")),
        Some(most) if days > i64::from(most) => {
            check("age", Some(false), format!("{old}, of {made}; --max-age allows {most}"))
        }
        Some(most) => check("age", Some(true), format!("{old}, of {made}; --max-age allows {most}")),
        None => check("age", None, format!("{old}, of {made}")),
    })
}

/// Whether the release is the one that runs now.
fn release(args: &Args, cited: &Predicate) -> Check {
    match args.litellm {
        Some(now) if now.number() != cited.litellm => check(
            "release",
            Some(false),
            format!(
                "the memo is about LiteLLM {}, and {now} runs now; `routedrill drill CONFIG --litellm {} --against {now}` \
                 says what that changes",
                cited.litellm, cited.litellm
            ),
        ),
        Some(now) => check("release", Some(true), format!("LiteLLM {now}")),
        None => check("release", None, format!("LiteLLM {}", cited.litellm)),
    }
}

/// Runs everything again, and compares.
fn again(
    args: &Args,
    folder: &Path,
    config: &Path,
    statement: &Statement,
    checks: &mut Vec<Check>,
) -> Result<(), Exit> {
    let cited = &statement.predicate;
    let mine = env!("CARGO_PKG_VERSION");
    let same_program = cited.routedrill == mine;
    checks.push(if same_program {
        check("program", Some(true), format!("routedrill {mine} made it"))
    } else {
        check("program", None, format!("routedrill {} made it, and this is {mine}: runs may differ", cited.routedrill))
    });
    let same_config = same_file("config", config, &cited.config.sha256, checks).ok_or_else(|| {
        eprintln!("error: failed to read the config {}: --config says where it is", config.display());
        Exit::BadInput
    })?;
    let cited_args = parsed(cited, config, args.traffic.as_deref())?;
    if let Some(traffic) = &cited.traffic {
        let path = cited_args.traffic.clone().unwrap_or_default();
        same_file("traffic", &path, &traffic.sha256, checks).ok_or_else(|| {
            eprintln!("error: failed to read the traffic {}: --traffic says where it is", path.display());
            Exit::BadInput
        })?;
    }
    let source = Source::read(config, CONFIG_BYTES_MAX).map_err(|problem| output::refuse(&problem.into()))?;
    let (ready, findings) = match drill::prepare(&cited_args, &source)? {
        Prepared::Ready(ready, findings) => (ready, findings),
        Prepared::Refused(..) => {
            checks.push(check("runs", Some(false), "LiteLLM would not start with this config any more"));
            files(folder, statement, &[], checks);
            return Ok(());
        }
    };
    let (report, _) =
        drill::carry_out(&cited_args, &cited.config.name, (&ready, &source), findings, same_config && same_program)?;
    let rows = RowEvidence::of(&ready, &report);
    let whole = (&cited.seeds, cited.runs, cited.requests, &cited.digest)
        == (&report.world.seeds, report.runs, report.requests, &report.digest);
    let (outages, runs) = (counted(rows.len() as u64, "outage"), counted(report.runs, "run"));
    checks.push(if rows == cited.rows && whole {
        check("runs", Some(true), format!("{outages} in {runs}, run again: every digest is the same"))
    } else {
        check("runs", Some(false), different(&cited.rows, &rows))
    });
    let papers = if same_config && same_program { memo::papers(&report, &cited.date) } else { Vec::new() };
    files(folder, statement, &papers, checks);
    Ok(())
}

/// Whether a file that was read is still the same; `None`: it cannot be read.
fn same_file(what: &'static str, path: &Path, sha256_then: &str, checks: &mut Vec<Check>) -> Option<bool> {
    let now = sha256(&std::fs::read(path).ok()?);
    let same = now == sha256_then;
    let says = if same {
        format!("{} is as it was", path.display())
    } else {
        format!("{} has changed since: its SHA-256 was {}, and is {}", path.display(), short(sha256_then), short(&now))
    };
    checks.push(check(what, Some(same), says));
    Some(same)
}

fn short(hash: &str) -> String {
    format!("{}...", hash.chars().take(12).collect::<String>())
}

/// The command line of the drill that the statement cites.
fn parsed(cited: &Predicate, config: &Path, traffic: Option<&Path>) -> Result<drill::Args, Exit> {
    let words = std::iter::once("drill".into()).chain(cited.options.iter().map(Into::into));
    let traffic = match (&cited.traffic, traffic) {
        (Some(_), Some(path)) => Some(path.to_owned()),
        (Some(evidence), None) => Some(PathBuf::from(&evidence.name)),
        (None, _) => None,
    };
    let traffic = traffic.map(|path| {
        let mut option = std::ffi::OsString::from("--traffic=");
        option.push(path);
        option
    });
    let words = words.chain(traffic).chain(["--".into(), config.as_os_str().to_owned()]);
    Cited::try_parse_from(words).map(|cited| cited.args).map_err(|error| {
        let mut problems = Problems::new();
        let first = error.to_string().lines().next().unwrap_or_default().to_owned();
        problems.push(Problem::of_file(STATEMENT, format!("its options make no sense: {first}"), "drill again"));
        output::refuse(&problems)
    })
}

/// What differs between the outages that were cited and those of now.
fn different(then: &[RowEvidence], now: &[RowEvidence]) -> String {
    const SHOWN_MAX: usize = 5;
    let mut all = Vec::new();
    for row in now {
        match then.iter().find(|cited| cited.name == row.name) {
            None => all.push(format!("{} is new, and {}", row.name, row.verdict)),
            Some(cited) if cited.verdict != row.verdict => {
                all.push(format!("{} was {}, and is {}", row.name, cited.verdict, row.verdict));
            }
            Some(cited) if cited.digests != row.digests => {
                all.push(format!("{} is {} as before, in runs with other digests", row.name, row.verdict));
            }
            Some(cited) if cited.scenario != row.scenario => {
                all.push(format!("{} is {} as before, in another scenario", row.name, row.verdict));
            }
            Some(_) => {}
        }
    }
    let gone = then.iter().filter(|cited| now.iter().all(|row| row.name != cited.name));
    all.extend(gone.map(|cited| format!("{} is gone", cited.name)));
    if all.is_empty() {
        return "the outages are the same, but the sums over all runs are not".to_owned();
    }
    // Changed verdicts first: they are what the reader came for.
    all.sort_by_key(|line| !line.contains(" was "));
    let rest = all.len().saturating_sub(SHOWN_MAX) as u64;
    all.truncate(SHOWN_MAX);
    let mut text = all.join("; ");
    if rest > 0 {
        let _ = write!(text, "; and {} more", count(rest));
    }
    text
}

/// Whether the files are those of the statement, and those that a drill writes now.
fn files(folder: &Path, statement: &Statement, papers: &[(&'static str, Vec<u8>)], checks: &mut Vec<Check>) {
    let mut wrong = Vec::new();
    for subject in &statement.subject {
        match std::fs::read(folder.join(&subject.name)) {
            Err(error) => wrong.push(format!("{} cannot be read: {error}", subject.name)),
            Ok(content) if sha256(&content) != subject.digest.sha256 => {
                wrong.push(format!("{} was edited after the statement was made", subject.name));
            }
            Ok(content) => {
                let paper = papers.iter().find(|(name, _)| *name == subject.name);
                if paper.is_some_and(|(_, made)| *made != content) {
                    wrong.push(format!("{} is not what this drill writes", subject.name));
                }
            }
        }
    }
    for (name, _) in papers {
        if statement.subject.iter().all(|subject| subject.name != *name) {
            wrong.push(format!("the statement says nothing about {name}"));
        }
    }
    let unnamed = |name: &str| statement.subject.iter().all(|subject| subject.name != name);
    let not_made = memo::PAPERS.iter().filter(|name| papers.iter().all(|(made, _)| made != *name));
    for name in not_made.filter(|name| unnamed(name) && folder.join(name).exists()) {
        wrong.push(format!("{name} is there too, and the statement says nothing about it: it is of another memo"));
    }
    checks.push(if wrong.is_empty() {
        let named: Vec<&str> = statement.subject.iter().map(|subject| subject.name.as_str()).collect();
        let made = if papers.is_empty() { "" } else { ", and what the drill writes again, byte for byte" };
        check("files", Some(true), format!("{} are as the statement says{made}", named.join(", ")))
    } else {
        check("files", Some(false), wrong.join("; "))
    });
    let beside = beside(folder, |name| name != STATEMENT && unnamed(name) && !memo::PAPERS.contains(&name));
    checks.extend(beside.map(|says| check("beside", None, says)));
}

/// What else lies in the folder, which nobody vouches for; the config often does.
fn beside(folder: &Path, is_other: impl Fn(&str) -> bool) -> Option<String> {
    const NAMED_MAX: usize = 3;
    let names = std::fs::read_dir(folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut others: Vec<String> = names.filter(|name| is_other(name)).collect();
    others.sort();
    let first = others.iter().take(NAMED_MAX).map(|name| name.escape_debug().to_string()).collect::<Vec<_>>();
    let rest = others.len().saturating_sub(NAMED_MAX);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let says = format!("nothing is said about what else lies there: {}{rest}", first.join(", "));
    (!others.is_empty()).then_some(says)
}

/// As people read it.
fn told(verification: &Verification) -> String {
    let mut text = format!(
        "{}: of {}, by routedrill {}, about LiteLLM {}\n\n",
        verification.memo, verification.date, verification.routedrill, verification.litellm
    );
    for check in &verification.checks {
        let word = match check.holds {
            Some(true) => "holds",
            Some(false) => "FAILS",
            None => "-",
        };
        let _ = writeln!(text, "  {word:<5}  {:<9}  {}", check.what, check.says);
    }
    let failed = verification.checks.iter().filter(|check| check.holds == Some(false)).count() as u64;
    let verdict = match failed {
        0 => "the memo holds".to_owned(),
        1 => "one thing does not hold".to_owned(),
        more => format!("{} things do not hold", count(more)),
    };
    let _ = writeln!(text, "\n{verdict}");
    text
}
