//! The report of a drill.

use std::borrow::Cow;

use routedrill_sim::drill::{Assessment, Drill, Impact, Load, Outage, Outcome, Thresholds, Verdict, labels};
use routedrill_sim::litellm::{Finding, Severity};
use routedrill_sim::metrics::Phase;
use routedrill_sim::scenario::profiles;
use router_core::{DeploymentId, Plan};
use schemars::JsonSchema;
use serde::Serialize;

use super::course::CourseReport;
use super::inventory::{FallbackReport, InventoryReport, NamedSetting, fallbacks, inventory, settings};
use super::laws::{BrokenLawReport, DefectReport, broken_laws, known_defects};
use super::risks::{RiskReport, risks};
use super::run::Latencies;
use super::slo::SloReport;
use super::surroundings::SurroundingsReport;
use super::together::TogetherReport;
use crate::remedy::{self, Explained, Scene};
use crate::words;

/// A drill: every outage that a configuration could meet, and what came of each.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct DrillReport {
    /// The version of routedrill.
    pub routedrill: Cow<'static, str>,
    /// The configuration, by the name under which it was given.
    pub config: String,
    /// The LiteLLM release whose behaviour was modelled.
    pub litellm: &'static str,
    /// `proxy` or `sdk`.
    #[schemars(extend("enum" = ["proxy", "sdk"]))]
    pub mode: &'static str,
    /// What the configuration holds.
    pub inventory: InventoryReport,
    /// What was asked for, how often, and what stands in for the rest of the world.
    pub world: WorldReport,
    /// The lines between verdicts.
    pub thresholds: ThresholdsReport,
    /// Words for outages and what they mean.
    pub outages: Vec<OutageReport>,
    /// Where requests go when a name fails.
    pub fallbacks: Vec<FallbackReport>,
    /// Router-wide settings that take effect.
    pub settings: Vec<NamedSetting>,
    /// Remarks on the configuration, as the reader made them.
    pub findings: Vec<FindingReport>,
    /// The run in which nothing failed, by name asked for.
    pub baseline: Vec<BaselineReport>,
    /// How the first of those runs went.
    #[serde(skip)]
    pub baseline_course: CourseReport,
    /// What came of each outage, in the order in which they were planned.
    pub rows: Vec<RowReport>,
    /// How many rows have each verdict.
    pub verdicts: VerdictCounts,
    /// What to change, the worst first.
    pub risks: Vec<RiskReport>,
    /// All edits that were found for them, made at once and drilled; looked for when a memo is written.
    pub together: Option<TogetherReport>,
    /// What the outages would do to the error budget.
    pub slo: Option<SloReport>,
    /// What the configuration has beside routing.
    pub surroundings: SurroundingsReport,
    /// Laws of the router that were broken, which is a bug in the router and no finding about the config.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken_laws: Vec<OutageLawReport>,
    /// Known defects of the LiteLLM release that showed, in all runs together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub known_defects: Vec<DefectReport>,
    /// Runs that did not come to their end.
    pub cut_short: Vec<String>,
    /// How many runs there were.
    pub runs: u64,
    /// How many requests they had.
    pub requests: u64,
    /// All runs as one number.
    pub digest: String,
}

/// The load and the stand-ins for the rest of the world. Times in seconds.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct WorldReport {
    /// The names that clients ask for.
    pub models: Vec<String>,
    /// Whether somebody chose the names; otherwise they are the model groups.
    pub models_chosen: bool,
    /// Requests per second over all names; `null` for recorded traffic.
    pub rate: Option<f64>,
    /// Requests of the recorded traffic.
    pub trace_requests: Option<u64>,
    /// Whether somebody chose the load.
    pub load_chosen: bool,
    /// How long a caller waits.
    pub deadline: f64,
    /// How long requests keep arriving.
    pub duration: f64,
    /// From when something fails.
    pub outage_from: f64,
    /// Until when.
    pub outage_until: f64,
    /// Where latencies come from.
    pub latencies: &'static str,
    /// The seeds.
    pub seeds: Vec<u64>,
}

/// The lines between verdicts.
#[derive(Clone, Copy, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ThresholdsReport {
    /// Below this share of answered requests users are lost.
    pub min_availability: f64,
    /// Below this share an outage was felt.
    pub held_availability: f64,
    /// Above this many times the p99 of the baseline an outage was felt.
    pub max_p99_ratio: f64,
}

/// A word for an outage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct OutageReport {
    /// The word.
    pub word: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// A remark on the configuration.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct FindingReport {
    /// `error`, `warning` or `note`.
    #[schemars(extend("enum" = ["error", "warning", "note"]))]
    pub severity: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The place as keys.
    pub path: String,
    /// What is so, and why it matters.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// LiteLLM does not start with it.
    pub stops_start_up: bool,
}

/// Requests for one name when nothing fails.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct BaselineReport {
    /// The name.
    pub model: String,
    /// Requests for it.
    pub requests: u64,
    /// Share of them that were answered.
    pub availability: Option<f64>,
    /// Whether that is enough to drill it.
    pub works: bool,
    /// How the rest ended, most frequent first.
    pub errors: Vec<String>,
    /// From when a request was due to its answer.
    pub latency: Option<Latencies>,
    /// Attempts per request.
    pub attempts_per_request: Option<f64>,
    /// Dollars for all answers.
    pub cost: f64,
}

/// One outage and what came of it.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct RowReport {
    /// Its name, for `--only`.
    pub name: String,
    /// What failed.
    pub target: String,
    /// How.
    pub outage: &'static str,
    /// Rows that could not have ended differently and were not run by themselves.
    pub equals: Vec<String>,
    /// The deployments that failed.
    pub struck: Vec<String>,
    /// Calls that the outage struck.
    pub struck_calls: u64,
    /// `lost`, `degraded`, `held` or `untouched`.
    #[schemars(extend("enum" = ["lost", "degraded", "held", "untouched"]))]
    pub verdict: &'static str,
    /// What it did to the users of each name, the worst-hit first.
    pub models: Vec<ImpactReport>,
    /// Who answered more than in the baseline.
    pub took_over: Vec<ShareReport>,
    /// From its start to the first answer for a struck request, in seconds.
    pub failed_over_after: Option<f64>,
    /// Whether calls failed, so that there was something to fail over.
    pub calls_failed: bool,
    /// From its end until what had failed answers again and nobody is lost, in seconds; `null`: not within the run.
    pub recovered_after: Option<f64>,
    /// Why it was felt.
    pub causes: Vec<CauseReport>,
    /// A request that was lost.
    pub example: Option<ExampleReport>,
    /// The command that runs it again.
    pub replay: String,
    /// The digest of each run, in the order of the seeds.
    pub digests: Vec<String>,
    /// How its first run went. For charts alone: a file of results would be mostly this.
    #[serde(skip)]
    pub course: CourseReport,
}

/// What an outage did to the users of one name.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ImpactReport {
    /// The name.
    pub model: String,
    /// The verdict on it.
    #[schemars(extend("enum" = ["lost", "degraded", "held", "untouched"]))]
    pub verdict: &'static str,
    /// Requests while the outage was on.
    pub requests: u64,
    /// Those of them that were not answered.
    pub lost: u64,
    /// Share of requests answered while it was on.
    pub availability_during: f64,
    /// Share of requests answered after it.
    pub availability_after: f64,
    /// 99 % of the answers took at most this long, in seconds.
    pub p99: Option<f64>,
    /// The same in the baseline.
    pub p99_baseline: Option<f64>,
    /// Their difference.
    pub p99_delta: Option<f64>,
    /// Attempts per request.
    pub attempts: f64,
    /// The same in the baseline.
    pub attempts_baseline: f64,
    /// Dollars per answer.
    pub cost: f64,
    /// The same in the baseline.
    pub cost_baseline: f64,
    /// Share of answers from another group.
    pub by_fallback: f64,
}

/// A deployment and a share.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ShareReport {
    /// Its short name.
    pub deployment: String,
    /// Its model group.
    pub model_name: String,
    /// The share of all answers that it gained.
    pub share: f64,
}

/// A cause in words.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct CauseReport {
    /// The name whose users felt it.
    pub model: String,
    /// How many requests it cost; how many calls it concerned where none was lost.
    pub count: u64,
    /// Whether requests were lost by it.
    pub lost: bool,
    /// What happened.
    pub what: String,
    /// The setting to blame.
    pub setting: String,
    /// What to change.
    pub change: String,
}

/// A request as an example.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ExampleReport {
    /// The seed of its run.
    pub seed: u64,
    /// The request.
    pub request: String,
    /// When it was due, in seconds.
    pub due: f64,
}

/// How many rows have each verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct VerdictCounts {
    /// Too many requests were not answered.
    pub lost: usize,
    /// Some were not answered, or answers took much longer.
    pub degraded: usize,
    /// Users hardly noticed.
    pub held: usize,
    /// No call came to what had failed.
    pub untouched: usize,
}

impl VerdictCounts {
    pub(super) fn of(outcome: &Outcome) -> Self {
        Self {
            lost: outcome.count(Verdict::Lost),
            degraded: outcome.count(Verdict::Degraded),
            held: outcome.count(Verdict::Held),
            untouched: outcome.count(Verdict::Untouched),
        }
    }

    /// How many there are.
    pub fn total(self) -> u64 {
        (self.lost + self.degraded + self.held + self.untouched) as u64
    }
}

/// A law of the router that was broken in an outage.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct OutageLawReport {
    /// The outage, or `baseline`.
    pub outage: String,
    /// The seed.
    pub seed: u64,
    /// The law.
    #[serde(flatten)]
    pub broken: BrokenLawReport,
}

impl From<&Finding> for FindingReport {
    fn from(finding: &Finding) -> Self {
        Self {
            severity: match finding.rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            },
            rule: finding.rule.name,
            line: finding.line(),
            path: finding.path.clone(),
            message: finding.message.clone(),
            remedy: finding.remedy.clone(),
            stops_start_up: finding.rule.stops_start_up,
        }
    }
}

/// A configuration with which LiteLLM would not start, so that there is nothing to drill.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct RefusalReport {
    /// The configuration, by the name under which it was given.
    pub config: String,
    /// The LiteLLM release.
    pub litellm: &'static str,
    /// What the Router's constructor refuses.
    pub reasons: Vec<String>,
    /// Remarks on the configuration, as the reader made them.
    pub findings: Vec<FindingReport>,
}

/// What the caller of a drill knows beside it.
#[derive(Clone, Debug)]
pub struct DrillContext<'a> {
    /// The configuration, by the name under which it was given.
    pub config: &'a str,
    /// What the reader remarked.
    pub findings: Vec<FindingReport>,
    /// Somebody chose the names.
    pub models_chosen: bool,
    /// Somebody chose the load.
    pub load_chosen: bool,
    /// The options of the command line that shape the runs, as a replay has to repeat them.
    pub options: &'a str,
}

impl DrillReport {
    /// The report of a drill that has run.
    pub fn new(drill: &Drill, outcome: &Outcome, context: &DrillContext<'_>) -> Self {
        let world = &drill.world;
        let plan = &*world.plan;
        let names = labels::of_plan(plan);
        let rows: Vec<RowReport> =
            outcome.rows.iter().map(|assessment| row(drill, &names, assessment, context)).collect();
        let (from, until) = world.outage();
        let mut report = Self {
            routedrill: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            config: context.config.to_owned(),
            litellm: plan.release().number(),
            mode: words::mode(plan.mode()),
            inventory: inventory(drill, &names),
            world: WorldReport {
                models: world.asked.iter().map(|name| plan.name(*name).to_owned()).collect(),
                models_chosen: context.models_chosen,
                rate: match world.load {
                    Load::Rate(rate) => Some(rate),
                    Load::Trace(_) => None,
                },
                trace_requests: match &world.load {
                    Load::Rate(_) => None,
                    Load::Trace(recording) => Some(recording.rows.len() as u64),
                },
                load_chosen: context.load_chosen,
                deadline: world.deadline.as_secs_f64(),
                duration: world.duration.as_secs_f64(),
                outage_from: from.as_secs_f64(),
                outage_until: until.as_secs_f64(),
                latencies: profiles::ORIGIN,
                seeds: drill.seeds.clone(),
            },
            thresholds: thresholds(drill.thresholds),
            outages: Outage::ALL.map(|outage| OutageReport { word: outage.word(), meaning: outage.meaning() }).to_vec(),
            fallbacks: fallbacks(plan),
            settings: settings(plan),
            findings: context.findings.clone(),
            baseline: baseline(drill, outcome),
            baseline_course: CourseReport::new(&outcome.baseline_course, &names, None),
            verdicts: VerdictCounts::of(outcome),
            risks: risks(drill, outcome, &names, &rows, context),
            together: None,
            slo: None,
            surroundings: SurroundingsReport::default(),
            rows,
            broken_laws: (outcome.breaches.iter())
                .flat_map(|(row, seed, breaches)| {
                    broken_laws(plan, None, breaches).into_iter().map(|broken| OutageLawReport {
                        outage: row.clone(),
                        seed: *seed,
                        broken,
                    })
                })
                .collect(),
            known_defects: known_defects(plan, &outcome.defects),
            cut_short: (outcome.cut_short.iter())
                .map(|(row, seed, ending)| format!("{row} with seed {seed}: {ending}"))
                .collect(),
            runs: outcome.runs,
            requests: outcome.requests,
            digest: outcome.digest.to_string(),
        };
        report.slo = Some(SloReport::of(&report));
        report
    }
}

fn thresholds(thresholds: Thresholds) -> ThresholdsReport {
    let Thresholds { min_availability, held_availability, max_p99_ratio } = thresholds;
    ThresholdsReport { min_availability, held_availability, max_p99_ratio }
}

fn baseline(drill: &Drill, outcome: &Outcome) -> Vec<BaselineReport> {
    let plan = &*drill.world.plan;
    let prices: Vec<(f64, f64)> = drill.world.scenario(None).upstreams.iter().map(|upstream| upstream.price).collect();
    (drill.world.asked.iter().zip(&outcome.works).enumerate())
        .map(|(index, (name, works))| {
            let all = outcome.baseline.asked_over(index, &Phase::ALL);
            let total = all.ends.total();
            BaselineReport {
                model: plan.name(*name).to_owned(),
                requests: total,
                availability: all.ends.availability(),
                works: *works,
                errors: (all.ends.failed.ranked().into_iter())
                    .map(|((class, status), count)| format!("{count} x {status} {}", class.name()))
                    .collect(),
                latency: Latencies::of(&all.latency),
                attempts_per_request: (total > 0).then(|| all.attempts as f64 / total as f64),
                cost: all.answered_by.iter().zip(&prices).map(|(by, price)| by.tokens.cost(*price)).sum(),
            }
        })
        .collect()
}

/// The command that runs a row again, with all seeds.
fn replay(drill: &Drill, row: &str, context: &DrillContext<'_>) -> String {
    format!(
        "routedrill drill {}{} --only {} --seed {}",
        words::quoted(context.config),
        context.options,
        words::quoted(row),
        drill.seeds.first().copied().unwrap_or_default()
    )
}

fn row(drill: &Drill, names: &[String], assessment: &Assessment, context: &DrillContext<'_>) -> RowReport {
    let plan = &*drill.world.plan;
    let name = assessment.row.name();
    let struck = assessment.row.struck();
    let label = |id: DeploymentId| names[id.index()].clone();
    RowReport {
        target: assessment.row.target.to_string(),
        outage: assessment.row.outage.word(),
        equals: assessment.row.merged_names().collect(),
        struck: struck.iter().map(|id| label(*id)).collect(),
        struck_calls: assessment.struck_calls,
        verdict: assessment.verdict.word(),
        models: assessment.names.iter().map(|impact| impact_report(plan, impact)).collect(),
        took_over: (assessment.took_over.iter())
            .map(|(id, share)| ShareReport {
                deployment: label(*id),
                model_name: plan.deployment(*id).model_name.clone(),
                share: *share,
            })
            .collect(),
        failed_over_after: assessment.failed_over_after.map(router_core::Span::as_secs_f64),
        calls_failed: assessment.failed_calls,
        recovered_after: assessment.recovered_after.map(router_core::Span::as_secs_f64),
        causes: (assessment.causes.iter())
            .map(|cause| {
                let usual_p99 =
                    assessment.names.iter().find(|one| one.asked == cause.asked).and_then(|one| one.p99_baseline);
                let scene = Scene { world: &drill.world, labels: names, struck, usual_p99 };
                let Explained { what, setting, change } = remedy::explain(&scene, cause);
                let model = plan.name(cause.asked).to_owned();
                CauseReport { model, count: cause.count, lost: cause.lost, what, setting, change }
            })
            .collect(),
        example: assessment.example.map(|(seed, request, due)| ExampleReport {
            seed,
            request: request.to_string(),
            due: due.as_secs_f64(),
        }),
        replay: replay(drill, &name, context),
        digests: assessment.digests.iter().map(ToString::to_string).collect(),
        course: CourseReport::new(&assessment.course, names, None),
        name,
    }
}

pub(super) fn impact_report(plan: &Plan, impact: &Impact) -> ImpactReport {
    let secs = |span: Option<router_core::Span>| span.map(router_core::Span::as_secs_f64);
    let (p99, p99_baseline) = (secs(impact.p99), secs(impact.p99_baseline));
    ImpactReport {
        model: plan.name(impact.asked).to_owned(),
        verdict: impact.verdict.word(),
        requests: impact.requests,
        lost: impact.lost,
        availability_during: impact.during,
        availability_after: impact.after,
        p99,
        p99_baseline,
        p99_delta: p99.zip(p99_baseline).map(|(p99, usual)| p99 - usual),
        attempts: impact.attempts,
        attempts_baseline: impact.attempts_baseline,
        cost: impact.cost,
        cost_baseline: impact.cost_baseline,
        by_fallback: impact.fell_back,
    }
}
