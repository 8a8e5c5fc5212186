//! The report of one run.

use std::borrow::Cow;

use routedrill_sim::drill::labels;
use routedrill_sim::invariants::{Breaches, Defects};
use routedrill_sim::metrics::{Ends, Latency, LossRecord, Metrics, Phase};
use routedrill_sim::scenario::Scenario;
use routedrill_sim::step::{Ending, RunEnd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::course::DetailReport;
use super::laws::{BrokenLawReport, DefectReport, broken_laws, known_defects};
use super::promise::{ExpectationReport, expectations};
use super::verdict::{AftermathReport, Verdict};
use crate::figures;
use crate::words;

/// One run, with what was promised of it.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct RunReport {
    /// The version of routedrill.
    pub routedrill: Cow<'static, str>,
    /// The name of the scenario.
    pub scenario: String,
    /// The LiteLLM release whose behaviour was modelled.
    pub litellm: &'static str,
    /// `proxy` or `sdk`.
    #[schemars(extend("enum" = ["proxy", "sdk"]))]
    pub mode: &'static str,
    /// Policies that the router had and LiteLLM does not, `half-open=1`: what happened is not what a LiteLLM proxy does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub what_if: Vec<String>,
    /// What ran it.
    pub driver: Driver,
    /// The seed.
    pub seed: u64,
    /// How long requests kept arriving.
    pub duration: f64,
    /// How long the run went on after that.
    pub drain: f64,
    /// What happened, as a number: equal for equal runs.
    pub digest: String,
    /// Why it ended before its time, if it did.
    pub cut_short: Option<String>,
    /// All requests.
    pub requests: RequestsReport,
    /// By name asked for.
    pub asked: Vec<AskedReport>,
    /// By deployment.
    pub deployments: Vec<DeploymentReport>,
    /// Retries, waits and fallbacks.
    pub movement: MovementReport,
    /// Faults and how many calls they struck.
    pub faults: Vec<FaultReport>,
    /// From the start of the first fault to the first answer for a request that it had struck.
    pub failed_over_after: Option<f64>,
    /// From the end of the last fault to the first answer by a deployment that it had struck.
    pub returned_after: Option<f64>,
    /// Why requests were lost, the most frequent reason first.
    pub losses: Vec<LossReport>,
    /// What is to be said of the run as a whole.
    pub verdict: Verdict,
    /// How it went on after its last fault, where it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aftermath: Option<AftermathReport>,
    /// Promises of the scenario.
    pub expectations: Vec<ExpectationReport>,
    /// Laws of the router that were broken, which is a bug in the router and no finding about the config.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken_laws: Vec<BrokenLawReport>,
    /// Known defects of the LiteLLM release that showed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub known_defects: Vec<DefectReport>,
    /// Situations that the run reached.
    pub reached: Vec<&'static str>,
    /// Where latencies and prices of upstreams come from.
    pub origins: Vec<Count>,
    /// The run over time and in detail, where somebody asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<DetailReport>,
}

/// What ran the actors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// The event engine.
    Engine,
    /// turmoil, with real HTTP over its simulated network.
    Turmoil,
}

/// Something and how often.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize, Deserialize)]
pub struct Count {
    /// What.
    pub what: String,
    /// How often.
    pub count: u64,
}

/// How requests ended.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize, Deserialize)]
pub struct RequestsReport {
    /// All of them.
    pub total: u64,
    /// With an answer.
    pub answered: u64,
    /// Share of them that were answered.
    pub availability: Option<f64>,
    /// With an error, by what the caller saw.
    pub failed: Vec<Count>,
    /// Their callers gave up.
    pub gave_up: u64,
    /// The run ended first.
    pub open: u64,
    /// Answered by another group than the one asked for.
    pub fell_back: u64,
    /// Share of answers that came from another group.
    pub fallback_rate: Option<f64>,
    /// Upstream attempts per request.
    pub attempts_per_request: Option<f64>,
    /// Retries per request.
    pub retries_per_request: Option<f64>,
    /// Further tries that clients made by themselves.
    pub client_retries: u64,
    /// Tokens of all answers, and of hedged calls that were hung up on, which providers bill too.
    pub tokens: Tokens,
    /// What they cost.
    pub cost: f64,
}

/// Requests for one name.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize, Deserialize)]
pub struct AskedReport {
    /// The name.
    pub model: String,
    /// All requests for it.
    pub total: u64,
    /// Those that were answered.
    pub answered: u64,
    /// Share of them.
    pub availability: Option<f64>,
    /// The same before the first fault, while one is on, and after; `null` where nothing was asked.
    pub availability_by_phase: [Option<f64>; 3],
    /// Share of answers that came from another group.
    pub fallback_rate: Option<f64>,
    /// From when a request was due to its answer; of answered requests.
    pub latency: Option<Latencies>,
}

/// Quantiles of a latency, in seconds.
#[derive(Clone, Copy, PartialEq, Debug, JsonSchema, Serialize, Deserialize)]
pub struct Latencies {
    /// Of how many.
    pub count: u64,
    /// Half took at most this long.
    pub p50: f64,
    /// 90 % took at most this long.
    pub p90: f64,
    /// 99 % took at most this long.
    pub p99: f64,
    /// 99.9 % took at most this long.
    pub p999: f64,
    /// All took at most this long.
    pub max: f64,
}

/// One deployment.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct DeploymentReport {
    /// Its short name.
    pub name: String,
    /// `model_info.id`, or the id that LiteLLM derives.
    pub id: String,
    /// Its model group.
    pub model_name: String,
    /// The provider.
    pub provider: String,
    /// The region.
    pub region: Option<String>,
    /// Calls to it.
    pub attempts: u64,
    /// Its share of all calls.
    pub share: Option<f64>,
    /// Calls that it answered.
    pub succeeded: u64,
    /// Calls that failed, by error.
    pub errors: Vec<Count>,
    /// Attempts that the router refused by itself.
    pub refused: u64,
    /// Calls on which the router hung up.
    pub hung_up: u64,
    /// Cooldowns, by the rule that began them.
    pub cooldowns: Vec<Count>,
    /// Failures that began none, by the rule that decided.
    pub not_cooled: Vec<Count>,
    /// From a call's start to its answer.
    pub latency: Option<Latencies>,
    /// Tokens of its answers, and of hedged calls that were hung up on, which providers bill too.
    pub tokens: Tokens,
    /// What they cost.
    pub cost: f64,
}

/// Tokens of prompts and answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, JsonSchema, Serialize, Deserialize)]
pub struct Tokens {
    /// Of prompts.
    pub prompt: u64,
    /// Of answers.
    pub completion: u64,
}

/// Retries, waits and fallbacks.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct MovementReport {
    /// Retries.
    pub retries: u64,
    /// By where their number came from, and what it was.
    pub retries_from: Vec<Count>,
    /// Time that requests slept before retries and after the last one, all together.
    pub slept: f64,
    /// Steps to a fallback.
    pub fallbacks: Vec<Count>,
    /// The retry layer gave up.
    pub gave_up: Vec<Count>,
    /// No fallback was left.
    pub exhausted: Vec<Count>,
    /// Attempts for which no deployment could be chosen.
    pub nobody: Vec<Count>,
}

/// A fault of the scenario.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct FaultReport {
    /// What it is.
    pub label: String,
    /// From when.
    pub from: f64,
    /// Until when; `null`: to the end.
    pub until: Option<f64>,
    /// The deployments whose calls it strikes.
    pub on: Vec<String>,
    /// Calls that it struck.
    pub struck: u64,
}

/// One way in which requests were lost.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct LossReport {
    /// How many.
    pub count: u64,
    /// The name asked for.
    pub model: String,
    /// `before`, `during`, `after` the faults; `null` in a scenario without any.
    #[schemars(extend("enum" = ["before", "during", "after", null]))]
    pub phase: Option<&'static str>,
    /// In words.
    pub how: String,
    /// The first of them.
    pub example: String,
    /// When that was due.
    pub due: f64,
}

impl RunReport {
    /// The report of a run of `scenario` with `seed`.
    pub fn new(scenario: &Scenario, seed: u64, driver: Driver, metrics: &Metrics, end: &RunEnd) -> Self {
        let plan = &scenario.plan;
        let total = metrics.over(&Phase::ALL);
        let attempts = metrics.attempts();
        let deployments = deployments(scenario, metrics);
        let names = labels::of_plan(plan);
        let expectations = expectations(scenario, metrics);
        let mut losses: Vec<LossReport> =
            metrics.losses().iter().map(|record| LossReport::new(scenario, record)).collect();
        losses.sort_by_key(|loss| std::cmp::Reverse(loss.count));
        Self {
            routedrill: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            scenario: scenario.name.clone(),
            litellm: plan.release().number(),
            mode: words::mode(plan.mode()),
            what_if: words::supposed(plan),
            driver,
            seed,
            duration: scenario.duration.as_secs_f64(),
            drain: scenario.drain.as_secs_f64(),
            digest: end.digest.to_string(),
            cut_short: match &end.ending {
                Ending::Finished => None,
                ending => Some(ending.to_string()),
            },
            requests: RequestsReport {
                total: total.ends.total(),
                answered: total.ends.answered,
                availability: total.ends.availability(),
                failed: failed(&total.ends),
                gave_up: total.ends.gave_up,
                open: total.ends.open,
                fell_back: total.fell_back,
                fallback_rate: share(total.fell_back, total.ends.answered),
                attempts_per_request: share(attempts, total.ends.total()),
                retries_per_request: share(total.retries, total.ends.total()),
                client_retries: total.client_retries,
                tokens: Tokens {
                    prompt: deployments.iter().map(|deployment| deployment.tokens.prompt).sum(),
                    completion: deployments.iter().map(|deployment| deployment.tokens.completion).sum(),
                },
                cost: deployments.iter().map(|deployment| deployment.cost).sum(),
            },
            asked: asked(scenario, metrics),
            deployments,
            movement: movement(scenario, metrics),
            faults: (scenario.faults.iter().zip(metrics.fault_strikes()))
                .map(|(fault, struck)| FaultReport {
                    label: fault.label.clone(),
                    from: fault.from.as_secs_f64(),
                    until: fault.until.map(router_core::Time::as_secs_f64),
                    on: fault.on.iter().filter_map(|id| names.get(id.index()).cloned()).collect(),
                    struck: *struck,
                })
                .collect(),
            failed_over_after: metrics.failover().first_rescue.first().map(|span| span.as_secs_f64()),
            returned_after: metrics.failover().first_return.first().map(|span| span.as_secs_f64()),
            losses,
            verdict: Verdict::of(&expectations, metrics),
            aftermath: AftermathReport::of(metrics),
            expectations,
            broken_laws: Vec::new(),
            known_defects: Vec::new(),
            reached: metrics.reached().iter().map(words::situation).collect(),
            origins: origins(scenario),
            detail: None,
        }
    }

    /// The same report with what the laws found in the run.
    pub fn with_laws(mut self, scenario: &Scenario, breaches: &Breaches, defects: &Defects) -> Self {
        self.broken_laws = broken_laws(&scenario.plan, Some(&scenario.expect), breaches);
        self.known_defects = known_defects(&scenario.plan, defects);
        self.verdict = self.verdict.with_laws(&self.broken_laws);
        self
    }

    /// The same report with the course of the run.
    pub fn with_detail(mut self, detail: DetailReport) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Whether every law and promise held, every fault fired and the run came to its end: the exit code hangs on it.
    pub fn is_clean(&self) -> bool {
        self.cut_short.is_none()
            && self.broken_laws.iter().all(|law| law.waived.is_some())
            && self.expectations.iter().all(ExpectationReport::is_as_expected)
            && self.idle_faults().next().is_none()
    }

    /// Faults that struck no call.
    pub fn idle_faults(&self) -> impl Iterator<Item = &FaultReport> {
        self.faults.iter().filter(|fault| fault.struck == 0)
    }
}

impl Latencies {
    /// The quantiles of what was recorded; `None` when nothing was.
    pub fn of(latency: &Latency) -> Option<Self> {
        let at = |quantile| latency.quantile(quantile).map(|span| span.as_secs_f64());
        Some(Self {
            count: latency.count(),
            p50: at(0.5)?,
            p90: at(0.9)?,
            p99: at(0.99)?,
            p999: at(0.999)?,
            max: at(1.0)?,
        })
    }
}

impl LossReport {
    fn new(scenario: &Scenario, record: &LossRecord) -> Self {
        Self {
            count: record.count,
            model: scenario.plan.name(record.loss.asked).to_owned(),
            phase: (!scenario.faults.is_empty()).then(|| words::phase(record.loss.phase)),
            how: words::loss(&scenario.plan, &labels::of_plan(&scenario.plan), &record.loss),
            example: record.example.to_string(),
            due: record.due.as_secs_f64(),
        }
    }
}

pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn counts<K: Copy + PartialEq>(
    tally: &routedrill_sim::metrics::Tally<K>,
    mut word: impl FnMut(K) -> String,
) -> Vec<Count> {
    tally.ranked().into_iter().map(|(kind, count)| Count { what: word(kind), count }).collect()
}

fn failed(ends: &Ends) -> Vec<Count> {
    counts(&ends.failed, |(class, status)| format!("{status} {}", class.name()))
}

fn asked(scenario: &Scenario, metrics: &Metrics) -> Vec<AskedReport> {
    (metrics.shape().asked.iter().enumerate())
        .map(|(index, name)| {
            let all = metrics.asked_over(index, &Phase::ALL);
            AskedReport {
                model: scenario.plan.name(*name).to_owned(),
                total: all.ends.total(),
                answered: all.ends.answered,
                availability: all.ends.availability(),
                availability_by_phase: Phase::ALL
                    .map(|phase| metrics.asked()[index][phase as usize].ends.availability()),
                fallback_rate: share(all.fell_back, all.ends.answered),
                latency: Latencies::of(&all.latency),
            }
        })
        .collect()
}

fn deployments(scenario: &Scenario, metrics: &Metrics) -> Vec<DeploymentReport> {
    let plan = &scenario.plan;
    let names = labels::of_plan(plan);
    let attempts = metrics.attempts();
    (metrics.deployments().iter().zip(plan.deployments()).zip(&scenario.upstreams).zip(names).enumerate())
        .map(|(index, (((counts_of, deployment), upstream), name))| {
            let place = scenario.inventory.places.get(index);
            DeploymentReport {
                name,
                id: deployment.id.clone(),
                model_name: deployment.model_name.clone(),
                provider: deployment.provider.clone(),
                region: place.and_then(|place| place.region.clone()),
                attempts: counts_of.attempts,
                share: share(counts_of.attempts, attempts),
                succeeded: counts_of.succeeded,
                errors: counts(&counts_of.errors, |error| match error.status {
                    Some(status) => format!("{status} {}", error.class.name()),
                    None => error.class.name().to_owned(),
                }),
                refused: counts_of.refused,
                hung_up: counts_of.hung_up,
                cooldowns: counts(&counts_of.cooled, |because| words::cooled(because).to_owned()),
                not_cooled: counts(&counts_of.not_cooled, |because| words::not_cooled(because).to_owned()),
                latency: Latencies::of(&counts_of.latency),
                tokens: Tokens { prompt: counts_of.tokens.prompt, completion: counts_of.tokens.completion },
                cost: counts_of.tokens.cost(upstream.price),
            }
        })
        .collect()
}

fn movement(scenario: &Scenario, metrics: &Metrics) -> MovementReport {
    let plan = &scenario.plan;
    let movement = metrics.movement();
    MovementReport {
        retries: movement.retries.total(),
        retries_from: counts(&movement.retries, |(from, of)| {
            format!("{} from {}", figures::counted(u64::from(of), "retry"), words::retries_from(from))
        }),
        slept: movement.slept.as_secs_f64(),
        fallbacks: counts(&movement.fell_back, |(from, to, list)| {
            format!("{} to {} ({})", plan.name(from), plan.name(to), words::fallback_list(list))
        }),
        gave_up: counts(&movement.gave_up, |(name, because)| {
            format!("{}: {}", plan.name(name), words::gave_up(because))
        }),
        exhausted: counts(&movement.exhausted, |(name, because)| {
            format!("{}: {}", plan.name(name), words::no_fallback(because))
        }),
        nobody: counts(&movement.nobody, |(name, error)| format!("{}: {}", plan.name(name), error.class.name())),
    }
}

fn origins(scenario: &Scenario) -> Vec<Count> {
    let mut origins: Vec<Count> = Vec::new();
    for upstream in &scenario.upstreams {
        match origins.iter_mut().find(|known| known.what == upstream.origin) {
            Some(known) => known.count += 1,
            None => origins.push(Count { what: upstream.origin.clone(), count: 1 }),
        }
    }
    origins
}
