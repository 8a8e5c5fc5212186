//! What is to be said of a run as a whole, in one word, and how it went on after its faults.

use routedrill_sim::metrics::Metrics;
use routedrill_sim::promises::{Goodput, Lasting, Promise};
use schemars::JsonSchema;
use serde::Serialize;

use super::laws::BrokenLawReport;
use super::promise::{ExpectationReport, not_judged};

/// How a run came out. The worst that is true of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every law and every promise held.
    Held,
    /// Everything came, and some of it took longer than promised: latency, deadlines, recovery.
    Slow,
    /// A law broke, or a promise about what users get.
    Wrong,
    /// Requests have no answer when the run ends, or nothing is answered any more, though the faults are over.
    Stuck,
    /// The trigger is gone, the load is as before, and goodput does not come back, or every request goes on costing as many
    /// attempts as during the fault.
    Metastable,
}

impl Verdict {
    /// All of them, from good to bad.
    pub const ALL: [Self; 5] = [Self::Held, Self::Slow, Self::Wrong, Self::Stuck, Self::Metastable];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Slow => "slow",
            Self::Wrong => "wrong",
            Self::Stuck => "stuck",
            Self::Metastable => "metastable",
        }
    }

    /// The verdict on a run that broke no law, whatever the scenario expects.
    pub(super) fn of(promises: &[ExpectationReport], metrics: &Metrics) -> Self {
        let lasting = metrics.aftermath().ok().and_then(|after| after.lasting().ok().flatten());
        let each = promises.iter().filter(|promise| !promise.held && !promise.not_judged);
        let late = |promise: &ExpectationReport| match Promise::of_key(&promise.key) {
            Some(Promise::Latency | Promise::Deadline) => true,
            Some(Promise::Recovery) => metrics.aftermath().is_ok_and(|after| matches!(after.goodput, Goodput::Back(_))),
            _ => false,
        };
        let each = each.filter(|promise| promise.key != "must_see");
        let of_promises = each.map(|promise| if late(promise) { Self::Slow } else { Self::Wrong }).max();
        match lasting {
            Some(Lasting::Loss(_) | Lasting::Attempts(_)) => Self::Metastable,
            Some(Lasting::Silence(_)) => Self::Stuck,
            None if metrics.unanswered().is_some() => Self::Stuck,
            None => of_promises.unwrap_or(Self::Held),
        }
    }

    /// The same, where these laws broke. Whatever else is seen may be the doing of the bug.
    pub(super) fn with_laws(self, laws: &[BrokenLawReport]) -> Self {
        if laws.iter().any(|law| law.waived.is_none()) { Self::Wrong } else { self }
    }
}

/// How a run went on after its last fault.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct AftermathReport {
    /// Why that cannot be judged, where it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_judged: Option<String>,
    /// When the last fault ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<f64>,
    /// How long after that goodput was back for good; `null`: it was not when the last request came.
    pub back_after: Option<f64>,
    /// Share of requests that were answered before the first fault; `null`: too few came.
    pub goodput_before: Option<f64>,
    /// Attempts per request before the first fault; `null`: too few came.
    pub attempts_before: Option<f64>,
    /// How many requests came after the last fault, as a multiple of how many came before.
    pub load: Option<f64>,
    /// The run in equal steps of time, up to the last request.
    pub course: Vec<GoodputReport>,
}

/// Goodput and amplification of one step of a run.
#[derive(Clone, Copy, PartialEq, Debug, JsonSchema, Serialize)]
pub struct GoodputReport {
    /// When the step begins.
    pub at: f64,
    /// Requests that users first wanted in it.
    pub requests: u64,
    /// Share of them that was answered, then or later.
    pub goodput: Option<f64>,
    /// Calls to upstreams in it, for each of them.
    pub attempts_per_request: Option<f64>,
}

/// Steps that the course is told in, at most.
const STEPS_MAX: usize = 40;

impl AftermathReport {
    /// What became of a run after its faults; `None` when it has none.
    pub(super) fn of(metrics: &Metrics) -> Option<Self> {
        if metrics.shape().outages.is_empty() {
            return None;
        }
        let after = metrics.aftermath();
        let why = after.and_then(|after| after.lasting()).err().map(not_judged);
        let after = after.ok();
        let seen = after.map(|after| after.baseline).filter(|baseline| baseline.seen);
        Some(Self {
            not_judged: why,
            from: after.map(|after| after.from.as_secs_f64()),
            back_after: after.and_then(|after| match after.goodput {
                Goodput::Back(span) => Some(span.as_secs_f64()),
                Goodput::Away { .. } => None,
            }),
            goodput_before: seen.map(|baseline| baseline.goodput),
            attempts_before: seen.map(|baseline| baseline.attempts),
            load: after.map(|after| after.load),
            course: course(metrics),
        })
    }
}

fn course(metrics: &Metrics) -> Vec<GoodputReport> {
    let steps = metrics.steps();
    let last = steps.first_from(metrics.shape().arrivals_end);
    let width = last.div_ceil(STEPS_MAX).max(1);
    (0..last)
        .step_by(width)
        .map(|from| {
            let stretch = steps.between(from, (from + width).min(last));
            GoodputReport {
                at: steps.start(from).as_secs_f64(),
                requests: stretch.due,
                goodput: stretch.goodput(),
                attempts_per_request: stretch.attempts_per_request(),
            }
        })
        .collect()
}
