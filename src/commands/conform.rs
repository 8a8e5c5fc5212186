//! `routedrill conform`: does the core decide as the real LiteLLM Router did?

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rayon::prelude::*;
use routedrill_sim::conform::{Against, Checked, against, check, recordings_in};
use routedrill_sim::problem::Problem;
use routedrill_sim::source::Source;
use router_core::Release;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::output;

/// How many recordings are judged before their lines are printed: enough for every core, few enough to see progress.
const BATCH: usize = 256;

/// Replay recordings of the real LiteLLM Router and compare everything it did with what routedrill's core does.
///
/// Each recording says which LiteLLM release was recorded and how requests reached it. Exit code 0: all agree;
/// 1: some do not (with --against: some inputs are routed differently); 2: something is no recording.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Recordings, or folders in which every *.json is one.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Instead: list the inputs that this LiteLLM release routes differently than the recorded one.
    #[arg(long, value_name = "RELEASE", value_parser = release)]
    against: Option<Release>,
    /// What to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Format {
    /// A line per case that disagrees, then a summary
    #[default]
    Text,
    /// One JSON object
    Json,
}

fn release(text: &str) -> Result<Release, String> {
    Release::from_number(text)
        .ok_or_else(|| format!("not modelled; known releases: {}", Release::ALL.map(Release::number).join(", ")))
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Exit {
    let outcome = match args.against {
        None => judge(args, check),
        Some(release) => judge(args, move |source| against(source, release)),
    };
    match outcome {
        Ok(exit) => exit,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Clean,
        Err(error) => {
            eprintln!("error: failed to write the result: {error}");
            Exit::Unfinished
        }
    }
}

/// What judging one recording says.
trait Judged: Send {
    /// Whether there is something to report.
    fn is_finding(&self) -> bool;
    /// The finding in one line.
    fn line(&self, path: &Path) -> String;
    /// The finding as JSON.
    fn json(&self, path: &Path) -> Value;
    /// The last line. `judged` recordings were good, `cases` were given.
    fn summary(findings: usize, judged: usize, cases: usize) -> String;
    /// The same as JSON: names of the counts.
    fn counts(findings: usize, judged: usize, cases: usize) -> Value;
}

fn judge<J: Judged>(args: &Args, verdict: impl Fn(&Source) -> Result<J, Problem> + Sync) -> io::Result<Exit> {
    let paths = match recordings_in(&args.paths) {
        Ok(paths) => paths,
        Err(problem) => {
            return Ok(output::refuse(&problem.into()));
        }
    };
    let mut stdout = io::stdout().lock();
    let (mut findings, mut malformed) = (Vec::new(), Vec::new());
    let mut found = 0;
    // In batches: the lines come in the order of the paths, and soon.
    for batch in paths.chunks(BATCH) {
        let judged: Vec<_> =
            batch.par_iter().map(|path| Source::read(path, u64::MAX).and_then(|source| verdict(&source))).collect();
        for (path, judged) in batch.iter().zip(judged) {
            match judged {
                Ok(judged) if judged.is_finding() => {
                    found += 1;
                    match args.format {
                        Format::Text => writeln!(stdout, "{}", judged.line(path))?,
                        Format::Json => findings.push(judged.json(path)),
                    }
                }
                Ok(_) => {}
                Err(problem) => {
                    malformed.push(json!({"file": problem.file, "message": problem.message}));
                    output::refuse(&problem.into());
                }
            }
        }
    }
    let (judged, cases) = (paths.len() - malformed.len(), paths.len());
    match args.format {
        Format::Text => {
            writeln!(stdout, "{}", J::summary(found, judged, cases))?;
        }
        Format::Json => {
            let mut object = json!({"format": 1});
            object["counts"] = J::counts(found, judged, cases);
            object["findings"] = findings.into();
            object["malformed"] = malformed.clone().into();
            writeln!(stdout, "{object:#}")?;
        }
    }
    stdout.flush()?;
    Ok(if !malformed.is_empty() {
        Exit::BadInput
    } else if found > 0 {
        Exit::Found
    } else {
        Exit::Clean
    })
}

impl Judged for Checked {
    fn is_finding(&self) -> bool {
        self.disagreement.is_some()
    }

    fn line(&self, path: &Path) -> String {
        let Some(found) = &self.disagreement else { return String::new() };
        let first = &found.divergence;
        format!(
            "{}: {} disagrees at {}{}: {}: LiteLLM {}: {}; routedrill: {}{}",
            path.display(),
            self.case,
            first.at,
            whose(first.request),
            first.what,
            self.release,
            first.expected,
            first.got,
            notes("routedrill", &found.why),
        )
    }

    fn json(&self, path: &Path) -> Value {
        let Some(found) = &self.disagreement else { return Value::Null };
        let first = &found.divergence;
        json!({
            "file": path.display().to_string(),
            "case": self.case,
            "litellm": self.release.number(),
            "at": first.at.as_secs_f64(),
            "request": first.request,
            "what": first.what,
            "expected": first.expected,
            "got": first.got,
            "why": found.why,
        })
    }

    fn summary(findings: usize, judged: usize, cases: usize) -> String {
        format!("conform: {} of {cases} cases agree", judged - findings)
    }

    fn counts(findings: usize, judged: usize, cases: usize) -> Value {
        json!({"cases": cases, "agree": judged - findings, "malformed": cases - judged})
    }
}

impl Judged for Against {
    fn is_finding(&self) -> bool {
        self.difference.is_some()
    }

    fn line(&self, path: &Path) -> String {
        let Some(difference) = &self.difference else { return String::new() };
        let first = &difference.divergence;
        let rules: Vec<_> =
            difference.responsible.rules.iter().map(|rule| format!("{} ({})", rule.name, rule.about)).collect();
        let rules = match rules.len() {
            0 => "none, the configuration is read differently".to_owned(),
            _ => rules.join(if difference.responsible.together { " and " } else { ", or " }),
        };
        let doubt = if self.doubtful { "; the core does not agree with the recording itself" } else { "" };
        format!(
            "{}: {} differs from {}{}: {}: {}: {}; {}: {}; rule: {rules}{doubt}",
            path.display(),
            self.case,
            first.at,
            whose(first.request),
            first.what,
            self.own,
            first.expected,
            self.other,
            first.got,
        )
    }

    fn json(&self, path: &Path) -> Value {
        let Some(difference) = &self.difference else { return Value::Null };
        let first = &difference.divergence;
        json!({
            "file": path.display().to_string(),
            "case": self.case,
            "litellm": self.own.number(),
            "against": self.other.number(),
            "at": first.at.as_secs_f64(),
            "request": first.request,
            "what": first.what,
            "own": first.expected,
            "other": first.got,
            "rules": difference.responsible.rules.iter().map(|rule| rule.name).collect::<Vec<_>>(),
            "rules_together": difference.responsible.together,
            "why_own": difference.why_own,
            "why_other": difference.why_other,
            "doubtful": self.doubtful,
        })
    }

    fn summary(findings: usize, _: usize, cases: usize) -> String {
        format!("conform: {findings} of {cases} inputs are routed differently")
    }

    fn counts(findings: usize, judged: usize, cases: usize) -> Value {
        json!({"cases": cases, "differ": findings, "malformed": cases - judged})
    }
}

fn whose(request: Option<u32>) -> String {
    request.map_or(String::new(), |request| format!(", request {request}"))
}

fn notes(who: &str, notes: &[String]) -> String {
    if notes.is_empty() { String::new() } else { format!(" ({who}: {})", notes.join("; ")) }
}
