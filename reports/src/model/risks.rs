//! Residual risks: causes that several outages share, graded, with what would remove each.

use std::mem::{Discriminant, discriminant};

use routedrill_sim::drill::{Cause, CauseKind, Drill, Impact, Outcome, Verdict, serves};
use routedrill_sim::litellm::Serves;
use routedrill_sim::metrics::Phase;
use schemars::JsonSchema;
use serde::Serialize;

use super::drill::{DrillContext, RowReport};
use super::lines::ConfigLine;
use super::proof::EditReport;
use crate::remedy::{self, Explained, Scene};
use crate::words;

/// A cause that several outages share, and what would remove it.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct RiskReport {
    /// `P0` to `P3`: [`RiskReport::GRADES`].
    #[schemars(extend("enum" = ["P0", "P1", "P2", "P3"]))]
    pub grade: &'static str,
    /// The names whose users feel it, the worst-hit first.
    pub models: Vec<String>,
    /// What happened in the worst row.
    pub what: String,
    /// The setting to blame.
    pub setting: String,
    /// What to change.
    pub change: String,
    /// The rows that it made worse, the worst first.
    pub rows: Vec<String>,
    /// The command that shows it.
    pub replay: String,
    /// Where in the configuration the settings stand that are to blame.
    pub lines: Vec<ConfigLine>,
    /// The smallest edit that was found to help, with the drill that shows it; looked for when a memo is written.
    pub edit: Option<EditReport>,
    /// What it is in the worst row.
    #[serde(skip)]
    pub(super) cause: Cause,
}

impl RiskReport {
    /// What the grades mean.
    pub const GRADES: [(&'static str, &'static str); 4] = [
        ("P0", "at least half of the requests for a name are lost, or it is not served even when nothing fails"),
        ("P1", "requests are lost beyond the threshold"),
        ("P2", "some requests are lost, within the threshold"),
        ("P3", "answers take longer, or what has failed is called on and on"),
    ];
}

/// Causes of one kind that blame the same setting, with the rows that they made worse.
pub(super) fn risks(
    drill: &Drill,
    outcome: &Outcome,
    names: &[String],
    rows: &[RowReport],
    context: &DrillContext<'_>,
) -> Vec<RiskReport> {
    let plan = &*drill.world.plan;
    let mut risks: Vec<Risk> = Vec::new();
    for (index, asked) in drill.world.asked.iter().enumerate() {
        if outcome.works[index] || !plan.members(*asked).is_empty() {
            continue;
        }
        let lost = outcome.baseline.asked_over(index, &Phase::ALL).ends.lost();
        let cause = Cause { asked: *asked, kind: CauseKind::UnknownName, count: lost, lost: true };
        let scene = Scene { world: &drill.world, labels: names, struck: &[], usual_p99: None };
        let Explained { what, setting, change } = remedy::explain(&scene, &cause);
        risks.push(Risk {
            kind: (discriminant(&cause.kind), false, serves(&drill.world, *asked)),
            // As bad as it gets: all of them, and always.
            weight: f64::INFINITY,
            report: RiskReport {
                grade: "P0",
                models: vec![plan.name(*asked).to_owned()],
                what,
                setting,
                change,
                rows: Vec::new(),
                replay: format!("routedrill drill {}{}", words::quoted(context.config), context.options),
                lines: Vec::new(),
                edit: None,
                cause,
            },
        });
    }
    for (report, assessment) in rows.iter().zip(&outcome.rows) {
        for (cause, words) in assessment.causes.iter().zip(&report.causes) {
            let Some(impact) = assessment.names.iter().find(|impact| impact.asked == cause.asked) else { continue };
            let (grade, weight) = grade(impact, cause.lost, cause.count);
            let kind = (
                discriminant(&cause.kind),
                remedy::has_elsewhere(plan, cause.asked),
                serves(&drill.world, cause.asked),
            );
            let known = risks.iter_mut().find(|risk| risk.kind == kind && risk.report.setting == words.setting);
            let Some(risk) = known else {
                let report = RiskReport {
                    grade,
                    models: vec![words.model.clone()],
                    what: words.what.clone(),
                    setting: words.setting.clone(),
                    change: words.change.clone(),
                    rows: vec![report.name.clone()],
                    replay: report.replay.clone(),
                    lines: Vec::new(),
                    edit: None,
                    cause: *cause,
                };
                risks.push(Risk { kind, weight, report });
                continue;
            };
            let heavier = (grade, -weight) < (risk.report.grade, -risk.weight);
            let place = |list: &mut Vec<String>, name: &String| {
                if heavier {
                    list.retain(|known| known != name);
                    list.insert(0, name.clone());
                } else if !list.contains(name) {
                    list.push(name.clone());
                }
            };
            place(&mut risk.report.models, &words.model);
            place(&mut risk.report.rows, &report.name);
            if heavier {
                risk.weight = weight;
                risk.report.grade = grade;
                risk.report.what.clone_from(&words.what);
                risk.report.change.clone_from(&words.change);
                risk.report.replay.clone_from(&report.replay);
                risk.report.cause = *cause;
            }
        }
    }
    risks.sort_by(|a, b| {
        (a.report.grade.cmp(b.report.grade))
            .then(b.report.rows.len().cmp(&a.report.rows.len()))
            .then(b.weight.total_cmp(&a.weight))
    });
    risks.into_iter().map(|risk| risk.report).collect()
}

/// A risk in the making.
struct Risk {
    /// What it is, whether requests have anywhere else to go, and what they ask for: the remedy depends on all three.
    kind: (Discriminant<CauseKind>, bool, Serves),
    /// The share of requests lost by it in the worst row.
    weight: f64,
    report: RiskReport,
}

/// The grade of a cause for the users of one name in one row, and its weight among those of the same grade: the share of
/// requests lost by it.
fn grade(impact: &Impact, lost: bool, count: u64) -> (&'static str, f64) {
    /// From this share of lost requests on, a name is as good as gone.
    const GONE: f64 = 0.5;
    let share = if impact.requests == 0 { 0.0 } else { count as f64 / impact.requests as f64 };
    match impact.verdict {
        _ if !lost => ("P3", 0.0),
        Verdict::Lost if share >= GONE => ("P0", share),
        Verdict::Lost => ("P1", share),
        _ => ("P2", share),
    }
}
