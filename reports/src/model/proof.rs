//! Edits that were found to help, and what shows it.

use std::fmt::Write as _;

use routedrill_sim::drill::{Change, Drill, Edit, Felt, Outcome, Proof, Put, Suspect, World, prove};
use routedrill_sim::source::Source as SourceText;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::drill::{DrillReport, FindingReport};
use super::inventory::NamedSetting;
use super::lines::{ConfigText, lines};
use super::surroundings::SurroundingsReport;
use super::together::TogetherReport;

/// An edit of the configuration, and the drill that shows that it helps.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct EditReport {
    /// What to write, as YAML: what changes, and the keys above it.
    pub yaml: String,
    /// Whether it adds a deployment, which stands for one of the operator's own elsewhere.
    pub adds_deployment: bool,
    /// Whether the risk is gone with it, in the worst row; otherwise it is smaller there.
    pub removed: bool,
    /// The row that was drilled again, under the same seeds.
    pub row: String,
    /// The name whose users felt it.
    pub model: String,
    /// What they felt with the configuration as it is.
    pub before: FeltReport,
    /// And as edited.
    pub after: FeltReport,
    /// Other rows that were drilled again: no verdict on them is worse.
    pub others: Vec<RecheckReport>,
    /// The digests of the row with the configuration as edited, in the order of the seeds.
    pub digests: Vec<String>,
    /// The edit itself.
    #[serde(skip)]
    pub(super) edit: Edit,
}

/// What the users of one name felt in an outage.
#[derive(Clone, Copy, PartialEq, Debug, JsonSchema, Serialize)]
pub struct FeltReport {
    /// `lost`, `degraded`, `held` or `untouched`.
    #[schemars(extend("enum" = ["lost", "degraded", "held", "untouched"]))]
    pub verdict: &'static str,
    /// Share of requests answered while the outage was on.
    pub availability_during: f64,
    /// Share of requests answered after it.
    pub availability_after: f64,
    /// 99 % of the answers took at most this long, in seconds.
    pub p99: Option<f64>,
    /// Attempts per request.
    pub attempts: f64,
    /// Dollars per answer.
    pub cost: f64,
}

/// A row that was drilled again.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct RecheckReport {
    /// Its name.
    pub row: String,
    /// The verdict with the configuration as it is.
    #[schemars(extend("enum" = ["lost", "degraded", "held", "untouched"]))]
    pub before: &'static str,
    /// And as edited.
    #[schemars(extend("enum" = ["lost", "degraded", "held", "untouched"]))]
    pub after: &'static str,
}

impl DrillReport {
    /// Ties each risk to the lines of the configuration that are to blame, and lists what the configuration has beside
    /// routing.
    pub fn tie(&mut self, drill: &Drill, text: &ConfigText<'_>) {
        self.surroundings = SurroundingsReport::of(text);
        NamedSetting::tie(&mut self.settings, text);
        for risk in &mut self.risks {
            let struck = (risk.rows.first())
                .and_then(|worst| drill.rows.iter().find(|row| row.name() == *worst))
                .map_or(&[][..], |row| row.struck());
            risk.lines = lines(text, &drill.world, &risk.cause, struck);
        }
    }

    /// Looks for the smallest edit that removes each risk, and drills it; then drills them all together. `rebuild` gives
    /// the world of the configuration as edited, `lint` what is found in a configuration; `done` is called after each
    /// risk and each row that is drilled with all edits.
    pub fn prove(
        &mut self,
        drill: &Drill,
        outcome: &Outcome,
        text: &ConfigText<'_>,
        rebuild: &dyn Fn(&Edit) -> Option<World>,
        lint: &dyn Fn(&SourceText) -> Vec<FindingReport>,
        done: &(dyn Fn() + Sync),
    ) {
        for risk in &mut self.risks {
            let place = |name: &String| outcome.rows.iter().position(|row| row.row.name() == *name);
            let rows: Vec<usize> = risk.rows.iter().filter_map(place).collect();
            if let [worst, others @ ..] = rows.as_slice() {
                let suspect = Suspect { cause: risk.cause, worst: *worst, others };
                let found = prove(drill, outcome, &suspect, text.root, rebuild);
                risk.edit = found.map(|proof| report(proof, outcome, *worst, text));
            }
            done();
        }
        self.together = TogetherReport::of(&self.config, &self.risks, (drill, outcome), text, rebuild, lint, done);
    }
}

fn report(proof: Proof, outcome: &Outcome, worst: usize, text: &ConfigText<'_>) -> EditReport {
    let name = |row: usize| outcome.rows[row].row.name();
    EditReport {
        yaml: yaml(&proof.edit, text),
        adds_deployment: proof.edit.changes.iter().any(|change| change.place == ["model_list"]),
        removed: proof.removed,
        row: name(worst),
        model: proof.asked,
        before: proof.before.into(),
        after: proof.after.into(),
        others: (proof.others.iter())
            .map(|other| RecheckReport { row: name(other.row), before: other.before.word(), after: other.after.word() })
            .collect(),
        digests: proof.digests.iter().map(ToString::to_string).collect(),
        edit: proof.edit,
    }
}

impl From<Felt> for FeltReport {
    fn from(felt: Felt) -> Self {
        Self {
            verdict: felt.verdict.word(),
            availability_during: felt.during,
            availability_after: felt.after,
            p99: felt.p99.map(router_core::Span::as_secs_f64),
            attempts: felt.attempts,
            cost: felt.cost,
        }
    }
}

/// The changes as YAML, with the keys above them, and what was there before.
pub(super) fn yaml(edit: &Edit, text: &ConfigText<'_>) -> String {
    let mut yaml = String::new();
    let mut open: Vec<&str> = Vec::new();
    for Change { place, put } in &edit.changes {
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let above = match put {
            Put::Set(_) => place.len() - 1,
            Put::Append(_) => place.len(),
        };
        let shared = open.iter().zip(&place[..above]).take_while(|(open, key)| open == key).count();
        let mut indent = 0;
        for depth in 0..above {
            let of_list = place[depth].bytes().all(|byte| byte.is_ascii_digit());
            if depth >= shared {
                let key = if of_list {
                    let line = text
                        .line(&place[..=depth])
                        .map_or_else(String::new, |line| format!(" the entry in line {line}"));
                    format!("- #{line}")
                } else {
                    format!("{}:", plain(place[depth]))
                };
                let _ = writeln!(yaml, "{:indent$}{key}", "");
            }
            indent += 2;
        }
        match put {
            Put::Set(value) => {
                let was = match (text.value(&place), text.line(&place)) {
                    (Some(was), Some(line)) => format!("  # line {line}, was {was}"),
                    _ => String::new(),
                };
                let _ = writeln!(yaml, "{:indent$}{}: {}{was}", "", plain(place[above]), flow(value));
            }
            Put::Append(value) => {
                let _ = writeln!(yaml, "{:indent$}- {}  # add", "", flow_item(value, indent + 2));
            }
        }
        open = place[..above].to_vec();
    }
    yaml
}

/// An item of a list: its keys below each other, what is below them in one line.
fn flow_item(value: &Json, indent: usize) -> String {
    match value {
        Json::Object(object) => {
            let lines: Vec<String> =
                object.iter().map(|(key, value)| format!("{}: {}", plain(key), flow(value))).collect();
            lines.join(&format!("\n{:indent$}", ""))
        }
        other => flow(other),
    }
}

/// A value in one line.
pub(super) fn flow(value: &Json) -> String {
    match value {
        Json::String(text) => plain(text),
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(object) => {
            let pairs: Vec<String> =
                object.iter().map(|(key, value)| format!("{}: {}", plain(key), flow(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

/// Text as it is where YAML reads it back as that text, else in quotes.
fn plain(text: &str) -> String {
    let safe = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    // JSON's quoted strings are YAML's too.
    if safe { text.to_owned() } else { Json::String(text.to_owned()).to_string() }
}
