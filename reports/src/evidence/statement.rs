//! What a memo was made from.

use std::path::{Path, PathBuf};

use routedrill_sim::drill::Drill;
use routedrill_sim::scenario;
use routedrill_sim::source::sha256;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::{DrillReport, RowReport};

/// The file of the envelope, beside the memo.
pub const STATEMENT: &str = "statement.dsse.json";

/// The type of an in-toto Statement.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// What routedrill's statements are about, with the version of their form.
pub const PREDICATE_TYPE: &str = "urn:routedrill:readiness-drill:1";

/// An in-toto Statement about the files of a memo.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// `https://in-toto.io/Statement/v1`.
    #[serde(rename = "_type")]
    pub kind: String,
    /// The files, by name.
    pub subject: Vec<Subject>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What they were made from.
    pub predicate: Predicate,
}

/// A file of the memo.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its name, beside the statement.
    pub name: String,
    /// Its hash.
    pub digest: Sha256Digest,
}

/// A hash, as in-toto writes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sha256Digest {
    /// SHA-256, in hexadecimal.
    pub sha256: String,
}

/// What a drill was made from, and what came of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predicate {
    /// The version of routedrill.
    pub routedrill: String,
    /// The day on the memo, `2026-11-21`.
    pub date: String,
    /// The LiteLLM release whose behaviour was modelled.
    pub litellm: String,
    /// `proxy` or `sdk`.
    pub mode: String,
    /// The configuration that was drilled.
    pub config: ConfigEvidence,
    /// Recorded traffic, if that was the load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<FileEvidence>,
    /// The options of `routedrill drill` that shape the runs.
    pub options: Vec<String>,
    /// The seeds under which each outage ran.
    pub seeds: Vec<u64>,
    /// How many runs there were.
    pub runs: u64,
    /// How many requests they had.
    pub requests: u64,
    /// All runs as one number.
    pub digest: String,
    /// Every outage: what came of it, and each of its runs as a number, in the order of the seeds.
    pub rows: Vec<RowEvidence>,
}

/// A configuration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigEvidence {
    /// As the memo calls it.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// A file that was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEvidence {
    /// Its name, without the folders above it.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// One outage.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowEvidence {
    /// Its name, for `--only`.
    pub name: String,
    /// `lost`, `degraded`, `held` or `untouched`.
    pub verdict: String,
    /// SHA-256, in hexadecimal, of its scenario, written out in full.
    pub scenario: String,
    /// Its runs as numbers, by seed.
    pub digests: Vec<String>,
}

/// A payload that is no statement of routedrill's.
#[derive(Debug, Error)]
pub enum StatementError {
    /// It is something else, or a part of it is missing, or there is too much of it.
    #[error("the statement cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It is a statement about something else, or of another version.
    #[error("`{found}` where `{expected}` belongs")]
    Foreign {
        /// What is there.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A subject's name leads out of the folder.
    #[error("`{}` is no name of a file beside the statement", .0.escape_debug())]
    Path(String),
}

impl Statement {
    /// A statement about `files`, by name and content.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>, predicate: Predicate) -> Self {
        let subject = files
            .into_iter()
            .map(|(name, content)| Subject { name: name.to_owned(), digest: Sha256Digest { sha256: sha256(content) } });
        Self {
            kind: STATEMENT_TYPE.to_owned(),
            subject: subject.collect(),
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate,
        }
    }

    /// Reads the payload of an envelope.
    ///
    /// # Errors
    /// It is no statement of routedrill's, or of a version that this one does not know.
    pub fn read(payload: &[u8]) -> Result<Self, StatementError> {
        /// The types, which say whether the rest can be read at all.
        #[derive(Deserialize)]
        struct Types {
            #[serde(rename = "_type")]
            kind: String,
            #[serde(rename = "predicateType")]
            predicate_type: String,
        }
        let types: Types = serde_json::from_slice(payload)?;
        for (found, expected) in [(types.kind, STATEMENT_TYPE), (types.predicate_type, PREDICATE_TYPE)] {
            if found != expected {
                return Err(StatementError::Foreign { found, expected });
            }
        }
        let statement: Self = serde_json::from_slice(payload)?;
        let leads_out = |name: &str| {
            let strange = |c: char| matches!(c, '/' | '\\' | ':') || c.is_control();
            name.is_empty() || name.starts_with('.') || name.contains(strange)
        };
        match statement.subject.iter().find(|subject| leads_out(&subject.name)) {
            Some(subject) => Err(StatementError::Path(subject.name.clone())),
            None => Ok(statement),
        }
    }

    /// The payload of an envelope: always the same bytes.
    pub fn payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a statement holds nothing that JSON lacks")
    }
}

impl RowEvidence {
    /// The outages of a drill and its report.
    pub fn of(drill: &Drill, report: &DrillReport) -> Vec<Self> {
        let scenario = |name: &str| {
            let row = drill.rows.iter().find(|row| row.name() == name);
            let mut scenario = drill.world.scenario(row);
            // Where the config lies is no part of what was run.
            scenario.origin.config = PathBuf::from(&report.config);
            sha256(scenario::expanded(&scenario, Path::new("")).as_bytes())
        };
        let row = |row: &RowReport| Self {
            name: row.name.clone(),
            verdict: row.verdict.to_owned(),
            scenario: scenario(&row.name),
            digests: row.digests.clone(),
        };
        report.rows.iter().map(row).collect()
    }
}
