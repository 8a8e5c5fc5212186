//! How a run went, over time and in detail: what charts are drawn from.

use routedrill_sim::drill::labels;
use routedrill_sim::metrics::{Course, CourseStep, Lane, LaneStep, Metrics, Phase};
use routedrill_sim::scenario::{Quota, QuotaUnit, QuotaWindow, Scenario};
use router_core::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A run in equal steps of time. Every list of the run or of a lane has a place for each step.
#[derive(Clone, PartialEq, Debug, Default, JsonSchema, Serialize, Deserialize)]
pub struct CourseReport {
    /// How long a step is, in seconds.
    pub step: f64,
    /// Requests that clients sent, their own further tries included.
    pub sent: Vec<u64>,
    /// Users who got an answer.
    pub answered: Vec<u64>,
    /// Users who got an error and no further try.
    pub failed: Vec<u64>,
    /// Users who gave up waiting.
    pub gave_up: Vec<u64>,
    /// Half of the answers took at most this long, in seconds.
    pub p50: Vec<Option<f64>>,
    /// 90 % of them did.
    pub p90: Vec<Option<f64>>,
    /// 99 % of them did.
    pub p99: Vec<Option<f64>>,
    /// All of them did.
    pub max: Vec<Option<f64>>,
    /// By deployment.
    pub lanes: Vec<LaneReport>,
}

/// What happened to one deployment over time.
#[derive(Clone, PartialEq, Debug, Default, JsonSchema, Serialize, Deserialize)]
pub struct LaneReport {
    /// Its short name; `null`: all deployments that have no lane of their own.
    pub deployment: Option<String>,
    /// Calls to it.
    pub calls: Vec<u32>,
    /// Calls that it answered.
    pub answered: Vec<u32>,
    /// Calls that failed.
    pub failed: Vec<u32>,
    /// When it rested, from and until, in seconds.
    pub cooldowns: Vec<(f64, f64)>,
    /// How many further cooldowns there were.
    pub cooldowns_omitted: u64,
    /// Dollars for its answers; empty where nobody asked for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cost: Vec<f64>,
}

/// What is drawn of one run beside its sums.
#[derive(Clone, PartialEq, Debug, Default, JsonSchema, Serialize, Deserialize)]
pub struct DetailReport {
    /// The run over time.
    pub course: CourseReport,
    /// From when requests were due to their answers, by percentile.
    pub percentiles: Vec<PercentileReport>,
    /// Requests by the number of attempts that the router made for them, from none; the last place is for that many and
    /// more.
    pub attempts: Vec<u64>,
    /// Who answered.
    pub answered_by: Vec<AnsweredByReport>,
    /// Limits of upstreams, and how much of them was used.
    pub quotas: Vec<QuotaReport>,
}

/// A percentile of the latencies of answered requests, in seconds.
#[derive(Clone, Copy, PartialEq, Debug, JsonSchema, Serialize, Deserialize)]
pub struct PercentileReport {
    /// The share of answers that took at most this long, from 0 to 1.
    pub share: f64,
    /// Of all answers.
    pub all: Option<f64>,
    /// Of those to requests that were due before the first fault, while one was on, and after.
    pub by_phase: [Option<f64>; 3],
}

/// The answers of one deployment.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize, Deserialize)]
pub struct AnsweredByReport {
    /// Its short name.
    pub deployment: String,
    /// Its model group.
    pub model_name: String,
    /// Answers to requests that were due before the first fault, while one was on, and after.
    pub answers: [u64; 3],
}

/// A limit of an upstream and how much of it was used.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize, Deserialize)]
pub struct QuotaReport {
    /// The deployments that share it.
    pub deployments: Vec<String>,
    /// `requests` or `tokens`.
    pub unit: String,
    /// How many in one window.
    pub limit: u64,
    /// How long the window is, in seconds.
    pub window: f64,
    /// The share of the limit that was asked for within one window up to the end of each step; above 1: calls were
    /// refused. The limit is the one that was configured, whatever a fault cut it to.
    pub used: Vec<f64>,
}

impl CourseReport {
    /// The course of a run; `names` are the short names of the deployments, `prices` what their tokens cost where that is
    /// to be told.
    pub fn new(course: &Course, names: &[String], prices: Option<&[(f64, f64)]>) -> Self {
        // A run goes on after the last arrival so that what is open can end; when nothing is, nothing is worth drawing.
        let length = told(course);
        let steps = &course.steps[..length];
        let counts = |of: fn(&CourseStep) -> u64| steps.iter().map(of).collect();
        let spans =
            |of: fn(&CourseStep) -> Option<Span>| steps.iter().map(|step| of(step).map(Span::as_secs_f64)).collect();
        Self {
            step: course.width.as_secs_f64(),
            sent: counts(|step| step.sent),
            answered: counts(|step| step.answered),
            failed: counts(|step| step.failed),
            gave_up: counts(|step| step.gave_up),
            p50: spans(|step| step.p50),
            p90: spans(|step| step.p90),
            p99: spans(|step| step.p99),
            max: spans(|step| step.max),
            lanes: course.lanes.iter().map(|lane| LaneReport::new(lane, length, names, prices)).collect(),
        }
    }

    /// When each step begins, in seconds.
    pub fn starts(&self) -> Vec<f64> {
        (0..self.sent.len()).map(|index| index as f64 * self.step).collect()
    }
}

impl LaneReport {
    fn new(lane: &Lane, length: usize, names: &[String], prices: Option<&[(f64, f64)]>) -> Self {
        let steps = &lane.steps[..length.min(lane.steps.len())];
        let counts = |of: fn(&LaneStep) -> u32| steps.iter().map(of).collect();
        let price = lane.deployment.and_then(|id| prices?.get(id.index()).copied());
        Self {
            deployment: lane.deployment.and_then(|id| names.get(id.index()).cloned()),
            calls: counts(|step| step.calls),
            answered: counts(|step| step.answered),
            failed: counts(|step| step.failed),
            cooldowns: lane.rests.iter().map(|(from, until)| (from.as_secs_f64(), until.as_secs_f64())).collect(),
            cooldowns_omitted: lane.rests_omitted,
            cost: price.map_or_else(Vec::new, |price| steps.iter().map(|step| step.tokens.cost(price)).collect()),
        }
    }
}

/// How many steps there are up to the last in which anything happened; one at least.
fn told(course: &Course) -> usize {
    let busy = |step: &CourseStep| step.sent + step.answered + step.failed + step.gave_up > 0;
    let called = |step: &LaneStep| step.calls + step.answered + step.failed > 0;
    let last = |lane: &Lane| lane.steps.iter().rposition(called);
    let last = course.lanes.iter().map(last).max().flatten().max(course.steps.iter().rposition(busy));
    last.map_or(1, |last| last + 1)
}

/// Percentiles worth a point of the curve; more nines are added where there are answers enough to tell them.
const SHARES: [f64; 22] = [
    0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.98, 0.985, 0.99, 0.9925, 0.995,
    0.9975, 0.999,
];
const FURTHER_SHARES: [f64; 6] = [0.9995, 0.9999, 0.99995, 0.99999, 0.999_995, 0.999_999];

impl DetailReport {
    /// What is drawn of a run of `scenario`.
    pub fn new(scenario: &Scenario, metrics: &Metrics, course: &Course) -> Self {
        let plan = &scenario.plan;
        let names = labels::of_plan(plan);
        let prices: Vec<(f64, f64)> = scenario.upstreams.iter().map(|upstream| upstream.price).collect();
        let all = metrics.over(&Phase::ALL);
        let by_phase = Phase::ALL.map(|phase| metrics.over(&[phase]));
        let can_tell = |share: f64, count: u64| count > 0 && (1.0 - share) * count as f64 >= 1.0 - 1e-9;
        let percentiles = (SHARES.iter().chain(&FURTHER_SHARES))
            .filter(|share| can_tell(**share, all.latency.count()))
            .map(|&share| PercentileReport {
                share,
                all: all.latency.quantile(share).map(Span::as_secs_f64),
                by_phase: [0, 1, 2].map(|phase: usize| {
                    let latency = &by_phase[phase].latency;
                    latency.quantile(share).filter(|_| can_tell(share, latency.count())).map(Span::as_secs_f64)
                }),
            })
            .collect();
        let answered_by = (names.iter().zip(plan.deployments()).enumerate())
            .map(|(index, (name, deployment))| AnsweredByReport {
                deployment: name.clone(),
                model_name: deployment.model_name.clone(),
                answers: [0, 1, 2].map(|phase: usize| by_phase[phase].answered_by[index].count),
            })
            .collect();
        Self {
            course: CourseReport::new(course, &names, Some(&prices)),
            percentiles,
            attempts: course.attempts.to_vec(),
            answered_by,
            quotas: scenario.quotas.iter().map(|quota| quota_report(quota, course, &names)).collect(),
        }
    }
}

fn quota_report(quota: &Quota, course: &Course, names: &[String]) -> QuotaReport {
    let (QuotaWindow::Fixed(window) | QuotaWindow::Sliding(window) | QuotaWindow::Bucket(window)) = quota.window;
    let asked: Vec<f64> = (0..told(course))
        .map(|step| {
            (quota.scope.iter())
                .map(|id| {
                    let lane = &course.lanes[id.index()].steps[step];
                    f64::from(match quota.unit {
                        QuotaUnit::Requests => lane.calls,
                        QuotaUnit::Tokens => lane.tokens_asked,
                    })
                })
                .sum()
        })
        .collect();
    // As many steps as one window has; within a longer step the average window stands for all.
    let (width, window) = (course.width.as_secs_f64(), window.as_secs_f64());
    let steps = ((window / width + 0.5) as usize).max(1);
    let limit = quota.limit as f64 * (width * steps as f64 / window);
    let used = (0..asked.len())
        .map(|end| asked[(end + 1).saturating_sub(steps)..=end].iter().sum::<f64>() / limit.max(f64::MIN_POSITIVE))
        .collect();
    QuotaReport {
        deployments: quota.scope.iter().filter_map(|id| names.get(id.index()).cloned()).collect(),
        unit: match quota.unit {
            QuotaUnit::Requests => "requests",
            QuotaUnit::Tokens => "tokens",
        }
        .to_owned(),
        limit: quota.limit,
        window,
        used,
    }
}

#[cfg(test)]
mod tests {
    use routedrill_sim::metrics::Courses;
    use router_core::{DeploymentId, Time};

    use super::*;

    #[test]
    fn a_quota_is_used_by_what_was_asked_within_its_window() {
        let mut course = Courses::new(1, Time::ZERO + Span::from_secs(100), 10).finish();
        assert_eq!(course.width, Span::from_secs(10));
        for (step, calls) in [6, 6, 0, 0].into_iter().enumerate() {
            course.lanes[0].steps[step].calls = calls;
        }
        let of = |window| Quota {
            scope: vec![DeploymentId(0)],
            unit: QuotaUnit::Requests,
            limit: 12,
            window: QuotaWindow::Sliding(Span::from_secs(window)),
        };
        course.steps[3].sent = 1;
        let used = |window| quota_report(&of(window), &course, &["a".to_owned()]).used;
        assert_eq!(used(20), [0.5, 1.0, 0.5, 0.0]);
        // A step is two windows long.
        assert_eq!(used(5), [0.25, 0.25, 0.0, 0.0]);
    }
}
