//! What an outage did, in comparison with the run in which nothing failed.

use router_core::{DeploymentId, NameId, RequestId, Span, Time};

use super::cause::{Cause, causes, never_cooled, slowness};
use super::rows::Row;
use super::verdict::{Thresholds, Verdict};
use super::world::World;
use crate::digest::Digest;
use crate::metrics::{AskedCounts, Course, Metrics, Phase};

/// What came of one row.
#[derive(Clone, PartialEq, Debug)]
pub struct Assessment {
    /// The row.
    pub row: Row,
    /// How it is judged: as its worst-hit name is.
    pub verdict: Verdict,
    /// What it did to the users of each name that works when nothing fails, the worst-hit first.
    pub names: Vec<Impact>,
    /// Who answered more than in the baseline while the outage was on: the share of the worst-hit name's answers that
    /// each gained.
    pub took_over: Vec<(DeploymentId, f64)>,
    /// Calls that the outage struck.
    pub struck_calls: u64,
    /// From its start to the first answer for a struck request, the longest over all seeds; `None` when it never came
    /// in some run, or no request was struck.
    pub failed_over_after: Option<Span>,
    /// Whether requests were struck, by calls that failed.
    pub failed_calls: bool,
    /// From its end until what had failed answers again and nobody is lost any longer, the longest over all seeds;
    /// `None` when that did not come within some run.
    pub recovered_after: Option<Span>,
    /// Why it was felt, the worst first.
    pub causes: Vec<Cause>,
    /// The digest of each run, in the order of the seeds.
    pub digests: Vec<Digest>,
    /// A request that was lost, with its seed and when it was due.
    pub example: Option<(u64, RequestId, Time)>,
    /// How its first run went.
    pub course: Course,
}

/// What an outage did to the users of one name.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Impact {
    /// The name.
    pub asked: NameId,
    /// How it is judged.
    pub verdict: Verdict,
    /// Requests while the outage was on.
    pub requests: u64,
    /// Those of them that were not answered.
    pub lost: u64,
    /// Those of which a call to what had failed went wrong.
    pub hit: u64,
    /// Share of requests answered while it was on.
    pub during: f64,
    /// Share of requests answered after it.
    pub after: f64,
    /// 99 % of the answers while it was on took at most this long.
    pub p99: Option<Span>,
    /// The same in the baseline.
    pub p99_baseline: Option<Span>,
    /// Attempts per request while it was on.
    pub attempts: f64,
    /// The same in the baseline.
    pub attempts_baseline: f64,
    /// Dollars per answer while it was on.
    pub cost: f64,
    /// The same in the baseline.
    pub cost_baseline: f64,
    /// Share of answers that came from another group than the one asked for.
    pub fell_back: f64,
}

impl Impact {
    fn new(asked: NameId, outage: &[AskedCounts; 3], baseline: &[AskedCounts; 3], world: &Judge<'_>) -> Self {
        let [_, during, after] = outage;
        let [_, usual, usual_after] = baseline;
        let p99 = |counts: &AskedCounts| counts.latency.quantile(0.99);
        let available = |counts: &AskedCounts| counts.ends.availability().unwrap_or(1.0);
        let per = |sum: f64, count: u64| if count == 0 { 0.0 } else { sum / count as f64 };
        let attempts = |counts: &AskedCounts| per(counts.attempts as f64, counts.ends.total());
        let cost = |counts: &AskedCounts| {
            let sum: f64 = counts.answered_by.iter().zip(world.prices).map(|(by, price)| by.tokens.cost(*price)).sum();
            per(sum, counts.ends.answered)
        };
        let ratio = match (p99(during), p99(usual)) {
            (Some(p99), Some(usual)) if !usual.is_zero() => Some(p99.as_secs_f64() / usual.as_secs_f64()),
            _ => None,
        };
        // What is lost when nothing fails is not the outage's fault.
        let spared = |seen: &AskedCounts, usual: &AskedCounts| available(seen) + 1.0 - available(usual);
        let worse = spared(during, usual).min(spared(after, usual_after));
        Self {
            asked,
            verdict: world.thresholds.judge(worse, ratio),
            requests: during.ends.total(),
            lost: during.ends.lost(),
            hit: during.hit,
            during: available(during),
            after: available(after),
            p99: p99(during),
            p99_baseline: p99(usual),
            attempts: attempts(during),
            attempts_baseline: attempts(usual),
            cost: cost(during),
            cost_baseline: cost(usual),
            fell_back: per(during.fell_back as f64, during.ends.answered),
        }
    }

    /// How many times as long 99 % of the answers took, where that can be told.
    pub fn p99_ratio(&self) -> Option<f64> {
        match (self.p99, self.p99_baseline) {
            (Some(p99), Some(usual)) if !usual.is_zero() => Some(p99.as_secs_f64() / usual.as_secs_f64()),
            _ => None,
        }
    }
}

/// So many times the usual attempts per request are worth a remark, even where nobody felt them.
const HAMMERED: f64 = 2.0;

/// What outages are compared with and judged by.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    pub(super) world: &'a World,
    pub(super) baseline: &'a Metrics,
    pub(super) thresholds: Thresholds,
    /// Dollars per prompt token and per answer token, by deployment.
    pub(super) prices: &'a [(f64, f64)],
}

impl Judge<'_> {
    /// Whether the users of a name, by its place among those asked for, are served when nothing fails.
    pub(super) fn works(&self, asked: usize) -> bool {
        let ends = self.baseline.asked_over(asked, &Phase::ALL).ends;
        ends.availability().is_some_and(|availability| availability >= self.thresholds.min_availability)
    }

    /// What the runs of a row, added up in `metrics`, say about it; the first of them went like `course`.
    pub(super) fn assess(&self, row: &Row, metrics: &Metrics, course: Course) -> Assessment {
        let struck = metrics.shape().struck.as_slice();
        let mut names: Vec<Impact> = (0..self.world.asked.len())
            .filter(|&asked| self.works(asked))
            .map(|asked| {
                Impact::new(self.world.asked[asked], &metrics.asked()[asked], &self.baseline.asked()[asked], self)
            })
            .collect();
        names.sort_by(|a, b| {
            let worse = |impact: &Impact| impact.during.min(impact.after);
            (a.verdict.cmp(&b.verdict))
                .then(worse(a).total_cmp(&worse(b)))
                .then(b.hit.cmp(&a.hit))
                .then(b.p99_ratio().unwrap_or(0.0).total_cmp(&a.p99_ratio().unwrap_or(0.0)))
        });
        let struck_calls = metrics.fault_strikes().iter().sum();
        let verdict = match names.first() {
            Some(worst) if struck_calls > 0 || worst.verdict != Verdict::Held => worst.verdict,
            _ => Verdict::Untouched,
        };
        let works = |cause: &Cause| {
            names.iter().any(|impact| impact.asked == cause.asked && impact.verdict <= Verdict::Degraded)
        };
        let mut causes: Vec<Cause> =
            causes(&self.world.plan, struck, metrics, self.world.deadline).into_iter().filter(works).collect();
        let slower = |impact: &&Impact| impact.p99_ratio().is_some_and(|r| r > self.thresholds.max_p99_ratio);
        if verdict == Verdict::Degraded
            && let Some(worst) = names.iter().find(slower)
        {
            causes.extend(slowness(&self.world.plan, struck, metrics, worst.asked));
        }
        // Nobody may feel it, and yet what has failed is called again and again.
        let hammered = |impact: &&Impact| impact.attempts >= HAMMERED * impact.attempts_baseline;
        if verdict == Verdict::Held
            && let Some(worst) = names.iter().find(hammered)
        {
            causes.extend(never_cooled(struck, metrics, worst.asked));
        }
        let example = metrics
            .losses()
            .iter()
            .find(|record| {
                record.loss.phase != Phase::Before && names.iter().any(|impact| impact.asked == record.loss.asked)
            })
            .map(|record| (record.seed, record.example, record.due));
        Assessment {
            row: row.clone(),
            verdict,
            took_over: self.took_over(struck, metrics, names.first().map(|worst| worst.asked)),
            struck_calls,
            failed_over_after: in_every_run(&metrics.failover().first_rescue, metrics.runs()),
            failed_calls: metrics.over(&Phase::ALL).hit > 0,
            recovered_after: self.recovered_after(metrics),
            causes,
            digests: Vec::new(),
            example,
            course,
            names,
        }
    }

    fn recovered_after(&self, metrics: &Metrics) -> Option<Span> {
        let returned = in_every_run(&metrics.failover().first_return, metrics.runs())?;
        let lost = |metrics: &Metrics| metrics.ends_over(&[Phase::After]).lost();
        if lost(metrics) <= lost(self.baseline) {
            return Some(returned);
        }
        let quiet = in_every_run(&metrics.failover().last_loss, metrics.runs())?;
        Some(returned.max(quiet))
    }

    fn took_over(&self, struck: &[bool], metrics: &Metrics, asked: Option<NameId>) -> Vec<(DeploymentId, f64)> {
        /// Less than this share of the answers is chance.
        const SHARE_MIN: f64 = 0.04;
        let Some(place) = self.world.asked.iter().position(|name| Some(*name) == asked) else { return Vec::new() };
        let (during, usual) = (&metrics.asked()[place][1], &self.baseline.asked()[place][1]);
        if during.ends.answered == 0 {
            return Vec::new();
        }
        let mut gained: Vec<(DeploymentId, f64)> = (0..)
            .zip(during.answered_by.iter().zip(&usual.answered_by))
            .filter(|(index, _)| struck.get(*index as usize) != Some(&true))
            .map(|(index, (during_by, usual_by))| {
                let gained = during_by.count as f64 - usual_by.count as f64;
                (DeploymentId(index), gained / during.ends.answered as f64)
            })
            .filter(|(_, share)| *share >= SHARE_MIN)
            .collect();
        gained.sort_by(|a, b| b.1.total_cmp(&a.1));
        gained
    }
}

/// The longest, if there is one for every run.
fn in_every_run(spans: &[Span], runs: u64) -> Option<Span> {
    (spans.len() as u64 == runs).then(|| spans.iter().copied().max()).flatten()
}
