//! The report of a search for capacity.

use std::borrow::Cow;

use routedrill_sim::drill::labels;
use routedrill_sim::scenario::{Quota, QuotaUnit, QuotaWindow, Scenario};
use routedrill_sim::search::capacity::{
    Answer, Bracket, Capacity, Curve, CurvePoint, Gives, Outcome, Overload, QuotaUse, SLICE_SECS, rate,
};
use routedrill_sim::search::interval::Interval;
use routedrill_sim::search::slo::{Promise, Sli, Standing};
use router_core::DeploymentId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{figures, words};

/// How much load holds an objective.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct CapacityReport {
    /// The version of routedrill.
    pub routedrill: Cow<'static, str>,
    /// The configuration or the scenario, by the name under which it was given.
    pub input: String,
    /// The LiteLLM release whose behaviour was modelled.
    pub litellm: &'static str,
    /// Policies that the router had and LiteLLM does not, `half-open=1`: what happened is not what a LiteLLM proxy does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub what_if: Vec<String>,
    /// What is promised, one promise each.
    pub objective: Vec<String>,
    /// How sure a statement about a load is, from 0 to 1.
    pub confidence: f64,
    /// How far apart the highest load that holds and the lowest that breaks may be, as a share.
    pub precision: f64,
    /// Under how many seeds each load runs at most.
    pub seeds: u64,
    /// How long requests keep arriving in each run, in seconds.
    pub duration: f64,
    /// Today's load, in requests per second.
    pub today: f64,
    /// Where today's load comes from.
    pub today_from: String,
    /// The mix: name asked for, share of the requests.
    pub mix: Vec<(String, f64)>,
    /// Limits that upstreams enforce.
    pub quotas: Vec<String>,
    /// What stands in for what the input does not say, one sentence each.
    pub assumed: Vec<String>,
    /// What lost deployments answer.
    pub lost_as: &'static str,
    /// What holds with nothing lost, and with each thing lost.
    pub cases: Vec<CapacityCase>,
    /// How the system goes with the load.
    pub curves: Vec<CapacityCurve>,
    /// What to buy for the load that is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetReport>,
    /// Runs that did not come to their end.
    pub cut_short: Vec<String>,
    /// How many runs there were, but for those of a target.
    pub runs: u64,
    /// How many requests they had.
    pub requests: u64,
    /// All those runs as one number.
    pub digest: String,
}

/// One case.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct CapacityCase {
    /// What is lost.
    pub case: String,
    /// Other names for the loss of the same deployments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// The highest load that holds, in requests per second; `null`: none was shown to.
    pub holds: Option<f64>,
    /// The lowest load that breaks; `null`: none that was tried does.
    pub breaks: Option<f64>,
    /// How many times today's load holds.
    pub headroom: Option<f64>,
    /// Dollars in 30 days at the load that holds.
    pub dollars_per_month: Option<f64>,
    /// What gives first, and what follows.
    pub gives: Vec<String>,
    /// How most requests are lost at the load that breaks: `(share of the lost, how)`.
    pub losses: Vec<(f64, String)>,
    /// Every load that was tried.
    pub tried: Vec<TriedReport>,
}

/// One load that was tried.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct TriedReport {
    /// Requests per second.
    pub load: f64,
    /// `kept`, `open` or `broken`.
    pub standing: &'static str,
    /// By promise, in order.
    pub indicators: Vec<Option<IndicatorReport>>,
    /// Under how many seeds.
    pub runs: u64,
}

/// What was measured of a promise. Availability and latency: the share of requests that kept it.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct IndicatorReport {
    /// The promise.
    pub promise: String,
    /// What was measured.
    pub value: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// As a sentence.
    #[serde(skip)]
    pub says: String,
}

/// The load curve of a case.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct CapacityCurve {
    /// What is lost.
    pub case: String,
    /// By rising load.
    pub points: Vec<CapacityPoint>,
    /// The load at the knee, up to which goodput keeps pace.
    pub knee: Option<f64>,
    /// `holds`, `sags`, `collapses`, or `unseen` where no load that was tried broke the objective.
    pub overload: &'static str,
    /// The same as a sentence.
    pub overload_says: String,
    /// What the calendar minute has to do with it, if anything.
    pub minute: Option<String>,
}

/// One load of a curve.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct CapacityPoint {
    /// Requests per second that come.
    pub load: f64,
    /// Requests per second that are answered.
    pub goodput: f64,
    /// Share of requests that are answered.
    pub availability: f64,
    /// Median of seconds to an answer.
    pub p50: Option<f64>,
    /// p99 of seconds to an answer.
    pub p99: Option<f64>,
    /// Calls per second that upstreams answer with 429.
    pub rate_limited: f64,
    /// Calls to upstreams per request.
    pub attempts: f64,
    /// Dollars in 30 days.
    pub dollars_per_month: f64,
}

/// What to buy.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct TargetReport {
    /// The load that is wanted, in requests per second.
    pub load: f64,
    /// Whether it holds as things are.
    pub holds_today: bool,
    /// Whether it holds after the purchases.
    pub reached: bool,
    /// Step by step.
    pub purchases: Vec<PurchaseReport>,
    /// What limits it when quotas no longer do.
    pub then: Option<String>,
}

/// One quota, raised.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct PurchaseReport {
    /// Which.
    pub quota: String,
    /// What it is.
    pub from: u64,
    /// What it should be.
    pub to: u64,
    /// The highest load that then holds.
    pub holds: Option<f64>,
}

/// What the runs themselves do not know.
#[derive(Clone, Debug)]
pub struct CapacityContext<'a> {
    /// The configuration or the scenario, by the name under which it was given.
    pub input: &'a str,
    /// Where today's load comes from.
    pub today_from: String,
    /// What stands in for what the input does not say.
    pub assumed: Vec<String>,
}

const SECONDS_PER_MONTH: f64 = 30.0 * 24.0 * 3600.0;
/// What gives and how requests are lost: so many lines of each.
const SHOWN_MAX: usize = 3;

impl CapacityReport {
    /// The report of a search.
    pub fn new(capacity: &Capacity, outcome: &Outcome, context: CapacityContext<'_>) -> Self {
        let bench = &capacity.bench;
        let scenario = &bench.scenario;
        let plan = &scenario.plan;
        let names = labels::of_plan(plan);
        let mut mix: Vec<(String, f64)> = Vec::new();
        for traffic in &scenario.traffic {
            let alone = Scenario { traffic: vec![traffic.clone()], ..scenario.clone() };
            let share = rate(&alone).unwrap_or(0.0) / bench.today;
            match mix.iter_mut().find(|(name, _)| name == plan.name(traffic.model)) {
                Some((_, sum)) => *sum += share,
                None => mix.push((plan.name(traffic.model).to_owned(), share)),
            }
        }
        let case = |answer: &Answer| case(capacity, answer, &names);
        let curves = outcome.curves.iter();
        Self {
            routedrill: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            input: context.input.to_owned(),
            litellm: plan.release().number(),
            what_if: words::supposed(plan),
            objective: bench.promises.iter().map(ToString::to_string).collect(),
            confidence: bench.confidence,
            precision: capacity.limits.precision,
            seeds: bench.seeds.len() as u64,
            duration: scenario.duration.as_secs_f64(),
            today: bench.today,
            today_from: context.today_from,
            mix,
            quotas: scenario.quotas.iter().map(|quota| quota_says(quota, quota.limit, &names)).collect(),
            assumed: context.assumed,
            lost_as: capacity.cases.last().map_or("", |case| case.outage.meaning()),
            cases: outcome.answers.iter().map(case).collect(),
            curves: curves.map(|(index, curve)| curve_report(&outcome.answers[*index].case.name, curve)).collect(),
            target: outcome.shopping.as_ref().map(|shopping| TargetReport {
                load: shopping.target,
                holds_today: shopping.reached && shopping.purchases.is_empty(),
                reached: shopping.reached,
                then: shopping.then.as_ref().map(|gives| gives_says(gives, scenario, &names)),
                purchases: (shopping.purchases.iter())
                    .map(|purchase| PurchaseReport {
                        quota: quota_says(&scenario.quotas[purchase.quota], purchase.from, &names),
                        from: purchase.from,
                        to: purchase.to,
                        holds: purchase.holds,
                    })
                    .collect(),
            }),
            cut_short: outcome.cut_short.clone(),
            runs: outcome.runs,
            requests: outcome.requests,
            digest: outcome.digest.to_string(),
        }
    }

    /// The loss that leaves the least.
    pub fn worst(&self) -> Option<&CapacityCase> {
        let bracket = |case: &CapacityCase| Bracket { holds: case.holds, breaks: case.breaks };
        self.cases.iter().skip(1).min_by(|a, b| bracket(a).least_first(&bracket(b)))
    }

    /// Whether the first case holds at some load, and the target, where one was given, as things are.
    pub fn is_met(&self) -> bool {
        self.cases.first().is_some_and(|case| case.holds.is_some())
            && self.target.as_ref().is_none_or(|target| target.holds_today)
    }
}

impl CapacityCase {
    /// Whether the lowest load that was tried breaks the objective: then none holds it, and the question is not open.
    pub fn is_hopeless(&self) -> bool {
        self.holds.is_none() && self.tried.first().is_some_and(|lowest| lowest.standing == "broken")
    }
}

fn case(capacity: &Capacity, answer: &Answer, names: &[String]) -> CapacityCase {
    let bench = &capacity.bench;
    let scenario = &bench.scenario;
    let losses = answer.beyond.metrics.losses();
    let total = losses.total() as f64;
    // The same words may stand for several kinds: phases are not told here.
    let mut lost: Vec<(f64, String)> = Vec::new();
    for record in losses.iter() {
        let (share, how) = (record.count as f64 / total, words::loss(&scenario.plan, names, &record.loss));
        match lost.iter_mut().find(|(_, known)| *known == how) {
            Some((sum, _)) => *sum += share,
            None => lost.push((share, how)),
        }
    }
    lost.sort_by(|a, b| b.0.total_cmp(&a.0));
    lost.truncate(SHOWN_MAX);
    CapacityCase {
        case: answer.case.name.clone(),
        also: answer.case.also.clone(),
        holds: answer.bracket.holds,
        breaks: answer.bracket.breaks,
        headroom: answer.bracket.holds.map(|holds| holds / bench.today),
        dollars_per_month: answer.dollars_per_second.map(|dollars| dollars * SECONDS_PER_MONTH),
        gives: answer.gives.iter().take(SHOWN_MAX).map(|gives| gives_says(gives, scenario, names)).collect(),
        losses: if answer.bracket.breaks.is_some() { lost } else { Vec::new() },
        tried: answer
            .judged
            .iter()
            .map(|judged| TriedReport {
                load: judged.load,
                standing: match judged.standing {
                    Standing::Kept => "kept",
                    Standing::Open => "open",
                    Standing::Broken => "broken",
                },
                indicators: (bench.promises.iter().zip(&judged.indicators))
                    .map(|(promise, interval)| interval.map(|interval| indicator(promise, interval)))
                    .collect(),
                runs: judged.digests.len() as u64,
            })
            .collect(),
    }
}

fn indicator(promise: &Promise, interval: Interval) -> IndicatorReport {
    let Interval { low, value, high } = interval;
    let figure = |value: f64| match promise.sli {
        Sli::Availability | Sli::Latency(_) => figures::percent(value),
        Sli::Mean => figures::seconds(value),
        Sli::Attempts => figures::ratio(value),
        Sli::Cost => figures::dollars(value),
    };
    let what = match promise.sli {
        Sli::Availability => "answered".to_owned(),
        Sli::Latency(share) => {
            let bound = figures::seconds(promise.bound);
            format!("of the requests answered within {bound}, where {} are promised", figures::chosen_share(share))
        }
        Sli::Mean => "until an answer, on average".to_owned(),
        Sli::Attempts => "attempts per request".to_owned(),
        Sli::Cost => "per request".to_owned(),
    };
    let of = promise.of.as_ref().map_or_else(String::new, |(_, name)| format!("{name}: "));
    let says = format!("{of}{} ({} to {}) {what}", figure(value), figure(low), figure(high));
    IndicatorReport { promise: promise.to_string(), value, low, high, says }
}

/// Deployments as one reads them: `a, b and 3 others`.
fn members(scope: &[DeploymentId], names: &[String]) -> String {
    const NAMED_MAX: usize = 2;
    let named: Vec<&str> = scope.iter().take(NAMED_MAX).map(|id| names[id.index()].as_str()).collect();
    match scope.len() - named.len() {
        0 => named.join(" and "),
        others => format!("{} and {}", named.join(", "), figures::counted(others as u64, "other")),
    }
}

fn quota_says(quota: &Quota, limit: u64, names: &[String]) -> String {
    let unit = match quota.unit {
        QuotaUnit::Requests => "requests",
        QuotaUnit::Tokens => "tokens",
    };
    let (kind, window) = match quota.window {
        QuotaWindow::Fixed(window) => ("in each calendar", window),
        QuotaWindow::Sliding(window) => ("in any", window),
        QuotaWindow::Bucket(window) => ("refilled over", window),
    };
    let window = figures::chosen(window);
    format!("{} {unit} {kind} {window} for {}", figures::count(limit), members(&quota.scope, names))
}

fn gives_says(gives: &Gives, scenario: &Scenario, names: &[String]) -> String {
    match gives {
        Gives::Quota(QuotaUse { quota, refused, calls, .. }) => {
            let quota = &scenario.quotas[*quota];
            let share = figures::percent_of(*refused, *calls);
            format!("the quota of {} refuses {share} of the calls", quota_says(quota, quota.limit, names))
        }
        Gives::RouterLimit { deployment, refused } => format!(
            "the router's own limit for {} refuses {}",
            names[deployment.index()],
            figures::counted(*refused, "attempt")
        ),
        Gives::Timeouts { deployment, count } => {
            format!("{} to {} time out", figures::counted(*count, "call"), names[deployment.index()])
        }
        Gives::Nobody { name, count } if scenario.plan.members(*name).is_empty() => format!(
            "nothing stands behind {} in the config, and it was asked {}",
            scenario.plan.name(*name),
            figures::counted(*count, "time")
        ),
        Gives::Nobody { name, count } => format!(
            "nobody is left to ask for {}: {}, all of its deployments cooling down or over their limits",
            scenario.plan.name(*name),
            figures::counted(*count, "time")
        ),
        Gives::Deadlines { count } => {
            format!("{} of callers who did not wait longer", figures::counted(*count, "request"))
        }
        Gives::Retries { count } => format!("{} used up all retries", figures::counted(*count, "request")),
    }
}

fn curve_report(case: &str, curve: &Curve) -> CapacityCurve {
    let point = |point: &CurvePoint| CapacityPoint {
        load: point.load,
        goodput: point.goodput,
        availability: point.availability,
        p50: point.latency[0],
        p99: point.latency[1],
        rate_limited: point.rate_limited,
        attempts: point.attempts,
        dollars_per_month: point.dollars_per_second * SECONDS_PER_MONTH,
    };
    let best = curve.points.iter().map(|point| point.goodput).fold(0.0, f64::max);
    let last = curve.points.last();
    let (load, left) = last.map_or((0.0, 0.0), |last| (last.load, last.goodput));
    let of_best = figures::percent(if best > 0.0 { left / best } else { 0.0 });
    let overload = match curve.overload {
        Overload::Holds => "holds",
        Overload::Sags => "sags",
        Overload::Collapses => "collapses",
        Overload::Unseen => "unseen",
    };
    let overload_says = match curve.overload {
        Overload::Unseen => {
            "no load that was tried broke the objective, so that none beyond its capacity ran: --loads tries more"
                .to_owned()
        }
        _ if best <= 0.0 => "nothing is answered at any load".to_owned(),
        _ => format!(
            "beyond its capacity goodput {overload}: at {} it is {}, {of_best} of the best",
            figures::load(load),
            figures::load(left)
        ),
    };
    CapacityCurve {
        case: case.to_owned(),
        points: curve.points.iter().map(point).collect(),
        knee: curve.knee.map(|index| curve.points[index].load),
        overload,
        overload_says,
        minute: minute(curve),
    }
}

/// Where in the minute requests are lost, at the first load at which it matters.
fn minute(curve: &Curve) -> Option<String> {
    let (load, effect) = curve.points.iter().find_map(|point| Some((point.load, point.minute?)))?;
    let seconds = |first: u64| format!("{first} to {}", first + SLICE_SECS - 1);
    Some(format!(
        "the calendar minute shows from {} on: requests of seconds {} of a minute are answered to {}, those of seconds \
         {} to {}",
        figures::load(load),
        seconds(effect.worst.0),
        figures::percent(effect.worst.1),
        seconds(effect.best.0),
        figures::percent(effect.best.1)
    ))
}
