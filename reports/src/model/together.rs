//! All edits that were found for the risks, made at once: what is left to fear then.

use routedrill_sim::drill::{Drill, Edit, Outcome, Put, World, spoiled, together};
use routedrill_sim::secrets::mask_line;
use routedrill_sim::source::Source as SourceText;
use schemars::JsonSchema;
use serde::Serialize;

use super::drill::{FindingReport, VerdictCounts};
use super::lines::{ConfigText, written};
use super::proof::{RecheckReport, flow, yaml};
use super::risks::RiskReport;
use crate::patch;

/// All edits together, drilled in every outage.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct TogetherReport {
    /// The risks whose edits these are, by their number from 1.
    pub risks: Vec<usize>,
    /// What to write, as YAML.
    pub yaml: String,
    /// The same as a patch of the file, for `patch -p1` and `git apply`.
    pub patch: Option<String>,
    /// Why there is no patch.
    pub no_patch: Option<&'static str>,
    /// Changes that do not go together with those of graver risks, or of risks that theirs remove.
    pub left_out: Vec<LeftOutReport>,
    /// Edits that are not made: with those of the other risks they make users worse off when nothing fails.
    pub spoiling: Vec<SpoilingReport>,
    /// How many outages have each verdict then; `null` when LiteLLM would not start with all edits, or a run did not come
    /// to its end.
    pub verdicts: Option<VerdictCounts>,
    /// Outages with another verdict than before.
    pub changed: Vec<RecheckReport>,
    /// Outages in which requests are still lost.
    pub still_lost: Vec<String>,
    /// Names whose users are worse off when nothing fails.
    pub baseline_worse: Vec<String>,
    /// Warnings and errors that `lint` has of the edited configuration and did not have before.
    pub new_findings: Vec<FindingReport>,
    /// All runs as one number.
    pub digest: Option<String>,
}

/// A change that was not made.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct LeftOutReport {
    /// The risk that wanted it, by its number from 1.
    pub risk: usize,
    /// What it would change.
    pub path: String,
    /// To what.
    pub value: String,
    /// What is set there instead.
    pub kept: String,
}

/// An edit that helps alone and does harm beside the others.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct SpoilingReport {
    /// The risk that wanted it, by its number from 1.
    pub risk: usize,
    /// Whose users are worse off with it when nothing fails; empty when LiteLLM would not start.
    pub models: Vec<String>,
}

impl TogetherReport {
    /// Drills all edits at once; `None` when there are none. `config`: the name of the file.
    pub(super) fn of(
        config: &str,
        risks: &[RiskReport],
        (drill, outcome): (&Drill, &Outcome),
        text: &ConfigText<'_>,
        rebuild: &dyn Fn(&Edit) -> Option<World>,
        lint: &dyn Fn(&SourceText) -> Vec<FindingReport>,
        done: &(dyn Fn() + Sync),
    ) -> Option<Self> {
        let edits =
            || (risks.iter().enumerate()).filter_map(|(index, risk)| risk.edit.as_ref().map(|edit| (index + 1, edit)));
        // An edit that removes its risk comes before one that makes a graver risk smaller: of two that set the same key
        // it is the one that is known to be enough.
        let ordered: Vec<(usize, &Edit)> = [true, false]
            .into_iter()
            .flat_map(|removed| edits().filter(move |(_, edit)| edit.removed == removed))
            .map(|(number, edit)| (number, &edit.edit))
            .collect();
        if ordered.is_empty() {
            return None;
        }
        let (ordered, spoiling) = bearable(ordered, (drill, outcome), rebuild);
        let all = together(&ordered.iter().map(|(_, edit)| *edit).collect::<Vec<_>>());
        let (patch, no_patch, new_findings) = match all.edit.text(text.source) {
            Some(edited) => {
                let (patch, no_patch) = patch_of(config, text.source, &edited);
                (patch, no_patch, new_findings(lint, text.source, edited))
            }
            None => (None, Some("the file is written in a way in which that cannot be done line by line"), Vec::new()),
        };
        let mut report = Self {
            risks: ordered.iter().map(|(number, _)| *number).collect(),
            spoiling,
            yaml: yaml(&all.edit, text),
            patch,
            no_patch,
            left_out: (all.left_out.iter())
                .map(|left| LeftOutReport {
                    risk: ordered[left.edit].0,
                    path: written(&left.change.place.iter().map(String::as_str).collect::<Vec<_>>()),
                    value: match &left.change.put {
                        Put::Set(value) | Put::Append(value) => flow(value),
                    },
                    kept: flow(&left.kept),
                })
                .collect(),
            verdicts: None,
            changed: Vec::new(),
            still_lost: Vec::new(),
            baseline_worse: Vec::new(),
            new_findings,
            digest: None,
        };
        if let Some(world) = rebuild(&all.edit) {
            report.drill(drill, outcome, world, done);
        }
        Some(report)
    }

    fn drill(&mut self, drill: &Drill, outcome: &Outcome, world: World, done: &(dyn Fn() + Sync)) {
        let edited = Drill { world, ..drill.clone() };
        let then = edited.run(done);
        if !then.cut_short.is_empty() || then.rows.len() != outcome.rows.len() {
            return;
        }
        self.verdicts = Some(VerdictCounts::of(&then));
        self.digest = Some(then.digest.to_string());
        self.baseline_worse = spoiled((drill, outcome), (&edited, &then));
        for (before, after) in outcome.rows.iter().zip(&then.rows) {
            let row = before.row.name();
            if after.verdict.word() == "lost" {
                self.still_lost.push(row.clone());
            }
            if before.verdict != after.verdict {
                let (before, after) = (before.verdict.word(), after.verdict.word());
                self.changed.push(RecheckReport { row, before, after });
            }
        }
    }

    /// Outages that are worse with all edits than with none.
    pub fn worse(&self) -> impl Iterator<Item = &RecheckReport> {
        let rank = |verdict| ["lost", "degraded", "held", "untouched"].iter().position(|word| *word == verdict);
        // Somebody called what nobody called before, and it did no harm.
        let harmless = |row: &RecheckReport| row.before == "untouched" && row.after == "held";
        self.changed.iter().filter(move |row| rank(row.after) < rank(row.before) && !harmless(row))
    }
}

/// The edits that leave the run in which nothing fails as it is when they are made one after the other, and those that
/// do not.
fn bearable<'a>(
    edits: Vec<(usize, &'a Edit)>,
    (drill, outcome): (&Drill, &Outcome),
    rebuild: &dyn Fn(&Edit) -> Option<World>,
) -> (Vec<(usize, &'a Edit)>, Vec<SpoilingReport>) {
    let mut kept: Vec<(usize, &Edit)> = Vec::new();
    let mut spoiling = Vec::new();
    for (risk, edit) in edits {
        let all: Vec<&Edit> = kept.iter().map(|(_, edit)| *edit).chain([edit]).collect();
        let models = rebuild(&together(&all).edit).map(|world| {
            let edited = Drill { world, rows: Vec::new(), ..drill.clone() };
            let then = edited.run(&|| ());
            spoiled((drill, outcome), (&edited, &then))
        });
        match models {
            Some(models) if models.is_empty() => kept.push((risk, edit)),
            worse => spoiling.push(SpoilingReport { risk, models: worse.unwrap_or_default() }),
        }
    }
    kept.sort_by_key(|(risk, _)| *risk);
    (kept, spoiling)
}

/// The patch, unless it would carry a secret to where others read it.
fn patch_of(config: &str, source: &SourceText, edited: &str) -> (Option<String>, Option<&'static str>) {
    let name = config.rsplit(['/', '\\']).next().unwrap_or_default();
    let patch = patch(name, source.text(), edited);
    if patch.lines().any(|line| mask_line(line) != line) {
        return (None, Some("a key stands in clear text next to what changes"));
    }
    (Some(patch), None)
}

/// What `lint` says only of the edited text. Lines move; the place as keys does not, because entries are added at the
/// end.
fn new_findings(
    lint: &dyn Fn(&SourceText) -> Vec<FindingReport>,
    source: &SourceText,
    edited: String,
) -> Vec<FindingReport> {
    let before = lint(source);
    let known = |one: &FindingReport| before.iter().any(|old| old.rule == one.rule && old.path == one.path);
    let mut after = lint(&SourceText::new(source.name(), edited));
    after.retain(|one| one.severity != "note" && !known(one));
    after
}
