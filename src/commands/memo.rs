//! The files of a memo: what `drill --out` writes and `verify` makes again.

use std::path::Path;

use routedrill_reports::evidence::{
    ConfigEvidence, Envelope, FileEvidence, Predicate, RowEvidence, STATEMENT, Signer, Statement, sha256,
};
use routedrill_reports::model::DrillReport;
use routedrill_reports::{Folder, WriteError, print};
use routedrill_sim::drill::Drill;
use routedrill_sim::problem::Problem;
use routedrill_sim::source::Source;

use super::drill::{Args, shaping_options};
use crate::exit::Exit;
use crate::output;

/// A file's path as reports show it. What others read holds no path of this machine, so for them an absolute one loses
/// its folders.
pub(super) fn shown(path: &Path, for_others: bool) -> String {
    match path.file_name() {
        Some(name) if for_others && path.is_absolute() => name.to_string_lossy().into_owned(),
        _ => path.display().to_string(),
    }
}

/// The key to sign with.
pub(super) fn signer(path: &Path) -> Result<Signer, Exit> {
    Signer::read(path).map_err(|error| {
        eprintln!("error: {error}");
        Exit::BadInput
    })
}

/// What the files of a memo are called. Where no edit helps, there is no patch.
pub(super) const PAPERS: [&str; 5] = ["memo.md", "memo.html", "report.html", "results.json", print::PATCH];

/// Every file of a memo but the statement, by name.
pub(super) fn papers(report: &DrillReport, date: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut papers = vec![
        ("memo.md", print::memo(report, Some(date)).into_bytes()),
        ("memo.html", print::memo_html(report, Some(date)).into_bytes()),
        ("report.html", print::html::drill(report).into_bytes()),
        ("results.json", print::json(report).into_bytes()),
    ];
    if let Some(patch) = report.together.as_ref().and_then(|all| all.patch.as_ref()) {
        papers.push((print::PATCH, patch.clone().into_bytes()));
    }
    papers
}

/// Writes all files of a memo.
pub(super) fn write(
    args: &Args,
    source: &Source,
    drill: &Drill,
    report: &DrillReport,
    signer: Option<&Signer>,
    wanted: &Path,
) -> Result<(), Exit> {
    let written = |error: WriteError| output::unwritten(&error);
    let date = match &args.date {
        Some(date) => date.clone(),
        None => today()?,
    };
    let papers = papers(report, &date);
    let predicate = Predicate {
        routedrill: report.routedrill.to_string(),
        date,
        litellm: report.litellm.to_owned(),
        mode: report.mode.to_owned(),
        config: ConfigEvidence { name: report.config.clone(), sha256: sha256(source.text().as_bytes()) },
        traffic: match &args.traffic {
            Some(path) => Some(FileEvidence { name: shown(path, true), sha256: hash_of(path)? }),
            None => None,
        },
        options: shaping_options(args),
        seeds: report.world.seeds.clone(),
        runs: report.runs,
        requests: report.requests,
        digest: report.digest.clone(),
        rows: RowEvidence::of(drill, report),
    };
    let statement = Statement::new(papers.iter().map(|(name, content)| (*name, content.as_slice())), predicate);
    let mut envelope = Envelope::new(&statement.payload());
    if let Some(signer) = signer {
        let bytes = envelope.signed_bytes().expect("an envelope of our own making is Base64");
        envelope.sign(signer.fingerprint(), signer.sign(&bytes));
    }
    let folder = Folder::begin(wanted).map_err(written)?;
    for (name, content) in &papers {
        folder.write(name, content).map_err(written)?;
    }
    folder.write(STATEMENT, envelope.text().as_bytes()).map_err(written)?;
    folder.publish().map_err(written)
}

/// SHA-256 of a file, as `sha256sum` prints it.
pub(super) fn hash_of(path: &Path) -> Result<String, Exit> {
    std::fs::read(path).map(|content| sha256(&content)).map_err(|error| {
        eprintln!("error: failed to read {}: {error}", path.display());
        Exit::BadInput
    })
}

/// The day of SOURCE_DATE_EPOCH, else the day it is, in UTC: the one thing in a memo that comes from outside.
pub(super) fn today() -> Result<String, Exit> {
    let now = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => {
            text.trim().parse().ok().and_then(|secs| jiff::Timestamp::from_second(secs).ok()).ok_or_else(|| {
                let problem = Problem::of_file(
                    "SOURCE_DATE_EPOCH",
                    format!("`{text}` is not a number of seconds since 1970"),
                    "give `--date`, or leave it unset",
                );
                output::refuse(&problem.into())
            })?
        }
        Err(_) => jiff::Timestamp::now(),
    };
    Ok(now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
}
