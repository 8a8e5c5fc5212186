//! Whether an edit of the config removes a cause: the config as edited is drilled in the same outage, under the same
//! seeds, and compared.

use router_core::{Plan, Span};

use super::assess::{Assessment, Impact};
use super::campaign::{Drill, Outcome};
use super::cause::{Cause, CauseKind};
use super::edit::{Edit, edits};
use super::rows::Row;
use super::verdict::Verdict;
use super::world::World;
use crate::digest::Digest;
use crate::litellm::Node;
use crate::metrics::Phase;

/// A cause, and where in a drill it was seen.
#[derive(Clone, Debug)]
pub struct Suspect<'a> {
    /// What happened in the worst row.
    pub cause: Cause,
    /// The worst row, by its place among the rows of the drill.
    pub worst: usize,
    /// The other rows in which the same was seen.
    pub others: &'a [usize],
}

/// An edit that helps, and the drill that shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Proof {
    /// The edit.
    pub edit: Edit,
    /// Whether the cause is gone in the worst row; otherwise it does less harm there.
    pub removed: bool,
    /// The name whose users felt it.
    pub asked: String,
    /// What they felt in the worst row, with the config as it is.
    pub before: Felt,
    /// And as edited.
    pub after: Felt,
    /// What became of the other rows, as many as were drilled again.
    pub others: Vec<Recheck>,
    /// The digests of the worst row with the config as edited, in the order of the seeds.
    pub digests: Vec<Digest>,
}

/// What the users of one name felt in an outage.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Felt {
    /// The verdict on it.
    pub verdict: Verdict,
    /// Share of requests answered while the outage was on.
    pub during: f64,
    /// Share of requests answered after it.
    pub after: f64,
    /// 99 % of the answers took at most this long.
    pub p99: Option<Span>,
    /// Attempts per request.
    pub attempts: f64,
    /// Dollars per answer.
    pub cost: f64,
}

/// A row that was drilled again.
#[derive(Clone, PartialEq, Debug)]
pub struct Recheck {
    /// Its place among the rows of the drill.
    pub row: usize,
    /// The verdict on it with the config as it is.
    pub before: Verdict,
    /// And as edited.
    pub after: Verdict,
}

/// The smallest edit that removes a cause; where none does, the one that helps most; where none helps, nothing.
///
/// `rebuild` gives the world of the config as edited, or nothing where LiteLLM would not start with it. An edit is
/// refused that makes the run in which nothing fails worse, or the verdict on any row that is drilled again.
pub fn prove(
    drill: &Drill,
    outcome: &Outcome,
    suspect: &Suspect<'_>,
    config: &Node,
    rebuild: &dyn Fn(&Edit) -> Option<World>,
) -> Option<Proof> {
    /// So many other rows show whether an edit does harm elsewhere.
    const OTHERS_MAX: usize = 8;
    /// A larger edit has to help by so much more than a smaller one.
    const WORTH: f64 = 0.05;
    let assessment = outcome.rows.get(suspect.worst)?;
    let before = impact(&drill.world.plan, assessment, drill.world.plan.name(suspect.cause.asked))?;
    let candidates = edits(config, &drill.world, &suspect.cause, assessment.row.struck(), before.p99_baseline);
    let mut best: Option<(f64, Proof)> = None;
    for edit in candidates {
        let Some(world) = rebuild(&edit) else { continue };
        let Some(attempt) = Attempt::run(drill, world, vec![assessment.row.clone()]) else { continue };
        if !spoiled((drill, outcome), (&attempt.drill, &attempt.outcome)).is_empty() {
            continue;
        }
        let asked = drill.world.plan.name(suspect.cause.asked);
        let edited = &attempt.outcome.rows[0];
        let Some(after) = impact(&attempt.drill.world.plan, edited, asked) else { continue };
        let removed = is_removed(&suspect.cause, edited, after);
        let gain = if removed { f64::INFINITY } else { gain(&suspect.cause, before, after) };
        if gain <= 0.0 || best.as_ref().is_some_and(|(known, _)| *known + WORTH >= gain) {
            continue;
        }
        let others: Vec<usize> = suspect.others.iter().copied().take(OTHERS_MAX).collect();
        let Some(others) = attempt.recheck(outcome, &others) else { continue };
        let digests = edited.digests.clone();
        let (before, after) = (Felt::from(before), Felt::from(after));
        let proof = Proof { edit, removed, asked: asked.to_owned(), before, after, others, digests };
        if removed {
            return Some(proof);
        }
        best = Some((gain, proof));
    }
    best.map(|(_, proof)| proof)
}

/// A drill of the config as edited.
struct Attempt {
    drill: Drill,
    outcome: Outcome,
}

impl Attempt {
    /// `None` when it did not come to its end, or nobody is served.
    fn run(drill: &Drill, world: World, rows: Vec<Row>) -> Option<Self> {
        let drill = Drill { world, rows, seeds: drill.seeds.clone(), thresholds: drill.thresholds };
        let outcome = drill.run(&|| ());
        let whole = outcome.cut_short.is_empty() && outcome.rows.len() == drill.rows.len();
        whole.then_some(Self { drill, outcome })
    }

    /// What becomes of other rows; `None` when one of them is worse.
    fn recheck(&self, outcome: &Outcome, others: &[usize]) -> Option<Vec<Recheck>> {
        if others.is_empty() {
            return Some(Vec::new());
        }
        let rows = others.iter().map(|&row| outcome.rows[row].row.clone()).collect();
        let again = Self::run(&self.drill, self.drill.world.clone(), rows)?;
        let checked: Vec<Recheck> = (others.iter().zip(&again.outcome.rows))
            .map(|(&row, edited)| Recheck { row, before: outcome.rows[row].verdict, after: edited.verdict })
            .collect();
        checked.iter().all(|row| row.after >= row.before).then_some(checked)
    }
}

/// The names whose users are worse off when nothing fails, with the config as edited.
pub fn spoiled((drill, outcome): (&Drill, &Outcome), (edited, then): (&Drill, &Outcome)) -> Vec<String> {
    /// Less than this is chance: an edit moves other requests to other moments.
    const LOST_MORE: f64 = 0.001;
    const TIMES_SLOWER: f64 = 1.2;
    let seen = |outcome: &Outcome, place: usize| {
        let all = outcome.baseline.asked_over(place, &Phase::ALL);
        (all.ends.availability().unwrap_or(1.0), all.latency.quantile(0.99))
    };
    let worse = |place: usize, name: &str| {
        let same = |id: &router_core::NameId| edited.world.plan.name(*id) == name;
        let Some(at) = edited.world.asked.iter().position(same) else { return true };
        let (available, p99) = seen(outcome, place);
        let (available_edited, p99_edited) = seen(then, at);
        let slower = match (p99, p99_edited) {
            (Some(p99), Some(edited)) => edited.as_secs_f64() > p99.as_secs_f64() * TIMES_SLOWER,
            (before, after) => before.is_some() && after.is_none(),
        };
        (outcome.works[place] && !then.works[at]) || available_edited < available - LOST_MORE || slower
    };
    (drill.world.asked.iter().enumerate())
        .map(|(place, name)| (place, drill.world.plan.name(*name)))
        .filter(|(place, name)| worse(*place, name))
        .map(|(_, name)| name.to_owned())
        .collect()
}

impl From<&Impact> for Felt {
    fn from(impact: &Impact) -> Self {
        let Impact { verdict, during, after, p99, attempts, cost, .. } = *impact;
        Self { verdict, during, after, p99, attempts, cost }
    }
}

/// Names have other numbers in another plan.
fn impact<'a>(plan: &Plan, assessment: &'a Assessment, asked: &str) -> Option<&'a Impact> {
    assessment.names.iter().find(|impact| plan.name(impact.asked) == asked)
}

/// The share of requests lost, during the outage or after it.
fn lost(impact: &Impact) -> f64 {
    1.0 - impact.during.min(impact.after)
}

fn is_removed(cause: &Cause, edited: &Assessment, after: &Impact) -> bool {
    if let CauseKind::NeverCooled { deployment, .. } = cause.kind {
        // Entries are only ever added at the end, so that a deployment keeps its number.
        let cools = !edited.causes.iter().any(
            |cause| matches!(cause.kind, CauseKind::NeverCooled { deployment: hammered, .. } if hammered == deployment),
        );
        return cools && after.verdict >= Verdict::Held;
    }
    after.verdict >= Verdict::Held
}

/// How much better it is: a better verdict first, then by which part; nothing for less than makes a difference, or where one good is paid for with
/// another.
fn gain(cause: &Cause, before: &Impact, after: &Impact) -> f64 {
    /// From this part on an improvement is one.
    const PART_MIN: f64 = 0.2;
    const LOST_MORE: f64 = 0.001;
    let part = |before: f64, after: f64| if before > 0.0 { (before - after) / before } else { 0.0 };
    let gained = if cause.lost {
        part(lost(before), lost(after))
    } else if lost(after) > lost(before) + LOST_MORE {
        0.0
    } else {
        let slower = match (before.p99, after.p99) {
            (Some(before), Some(after)) => part(before.as_secs_f64(), after.as_secs_f64()),
            _ => 0.0,
        };
        match cause.kind {
            CauseKind::NeverCooled { .. } => part(before.attempts, after.attempts),
            _ => slower,
        }
    };
    let better = after.verdict as i32 - before.verdict as i32;
    if gained >= PART_MIN && better >= 0 { gained + f64::from(better) } else { 0.0 }
}
