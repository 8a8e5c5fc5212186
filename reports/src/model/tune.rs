//! The report of a search for better settings.

use routedrill_sim::search::tune::{
    Corpus, Difference, Found, Indicator, Measure, Outcome, Plan, Point, Runner, Space,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::beyond::BeyondReport;

/// What a search for better settings found. All measures are better when they are smaller.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct TuneReport {
    /// The config.
    pub config: String,
    /// The LiteLLM release.
    pub litellm: String,
    /// What is to be small, the most important first: `lost`, `p99`, `mean`, `cost`, `amplification`, of all requests or of
    /// those for a name, `gpt-4:p99`. In latencies a lost request counts as one that took the longest run.
    pub objectives: Vec<String>,
    /// What must hold.
    pub constraints: Vec<String>,
    /// What varies.
    pub params: Vec<ParamReport>,
    /// Scenarios to tune on.
    pub scenarios: u64,
    /// Scenarios for the final judgement.
    pub held_out_scenarios: u64,
    /// Seeds to tune on.
    pub seeds: u64,
    /// Seeds for the final judgement.
    pub held_out_seeds: u64,
    /// How many ways there are to set the parameters.
    pub ways: u64,
    /// Whether all of them were tried.
    pub all_ways: bool,
    /// Runs of scenarios.
    pub runs: u64,
    /// Requests of all runs.
    pub requests: u64,
    /// Whether some setting is better than the config as it is, beyond noise.
    pub better: bool,
    /// Whether the constraints hold for what is recommended.
    pub constraints_hold: bool,
    /// What to change; empty when nothing is better.
    pub changes: Vec<ChangeReport>,
    /// Of a setting that looked better while tuning, and did not stand the final judgement: what it changes.
    pub refuted: Vec<ChangeReport>,
    /// The final judgement of the setting that was chosen: scenarios tuned on, then those held out.
    pub judgements: Vec<JudgementReport>,
    /// Every point that was tried; the config as it is comes first.
    pub points: Vec<PointReport>,
    /// What depends on which parameter, the most important first.
    pub importance: Vec<ImportanceReport>,
    /// What one step more or less does.
    pub steps: Vec<StepReport>,
    /// Two parameters around what is recommended.
    pub map: Option<MapReport>,
    /// What lies beyond the settings: policies that LiteLLM does not have, and a router that knows the faults.
    pub beyond: Option<BeyondReport>,
    /// Faults that struck no call in any run.
    pub never_fired: Vec<String>,
    /// What `lint` says about the config with the changes that it does not say about it as it is.
    pub new_findings: Vec<String>,
}

/// A setting that varies.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ParamReport {
    /// Its path.
    pub path: String,
    /// What the config says; `None`: nothing, LiteLLM's default holds.
    pub current: Option<String>,
    /// The values that were tried.
    pub values: Vec<String>,
}

/// One change.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ChangeReport {
    /// The setting.
    pub path: String,
    /// What the config says.
    pub from: Option<String>,
    /// What to write instead.
    pub to: String,
}

/// The chosen setting beside the config as it is, under seeds that nothing was chosen by.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct JudgementReport {
    /// Whether the scenarios were held out too.
    pub held_out_scenarios: bool,
    /// By objective, then by constraint.
    pub rows: Vec<ComparisonReport>,
    /// Scenario by scenario.
    pub scenarios: Vec<CaseReport>,
}

/// One measure of two settings.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ComparisonReport {
    /// Which.
    pub measure: String,
    /// With the config as it is.
    pub current: f64,
    /// With the chosen setting.
    pub chosen: f64,
    /// Chosen minus current, seed by seed; `None` of constraints.
    pub difference: Option<DifferenceReport>,
    /// What it may be at most; `None` of objectives.
    pub limit: Option<f64>,
}

/// A mean difference under common seeds.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct DifferenceReport {
    /// The mean.
    pub mean: f64,
    /// The lower end of the 95 % interval; `None`: one seed tells nothing.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// Seeds under which it is better.
    pub better: u64,
    /// Seeds under which it is worse.
    pub worse: u64,
    /// All seeds.
    pub seeds: u64,
    /// `better`, `worse` or `same`: whether the interval leaves zero out.
    pub verdict: &'static str,
}

/// One scenario in the final judgement.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct CaseReport {
    /// Its name.
    pub name: String,
    /// Share of requests lost with the config as it is.
    pub lost_current: f64,
    /// The same with the chosen setting.
    pub lost_chosen: f64,
    /// p99 of answered requests, in seconds, with the config as it is; `None`: nothing was answered.
    pub p99_current: Option<f64>,
    /// The same with the chosen setting.
    pub p99_chosen: Option<f64>,
}

/// A point that was tried.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct PointReport {
    /// By parameter: what it is; `None`: not written, LiteLLM's default holds.
    pub values: Vec<Option<String>>,
    /// By objective, then by constraint: the mean over its seeds.
    pub means: Vec<f64>,
    /// Under how many of the seeds to tune on it ran; fewer than all: others were better.
    pub seeds: u64,
    /// Whether no other point that ran under all seeds is at least as good in everything and better in something.
    pub pareto: bool,
    /// Whether the constraints hold.
    pub holds: bool,
    /// `current`, `recommended` or nothing.
    pub role: Option<&'static str>,
}

/// What depends on a parameter.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ImportanceReport {
    /// Its path.
    pub path: String,
    /// By objective: the share of the variance between points that it explains by itself.
    pub shares: Vec<f64>,
    /// By objective: mean over the points with its best value, and with its worst.
    pub ranges: Vec<(f64, f64)>,
}

/// One step from what is recommended.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct StepReport {
    /// The parameter.
    pub path: String,
    /// What it is there.
    pub from: Option<String>,
    /// What it is one step away.
    pub to: Option<String>,
    /// By objective: one step away minus there.
    pub differences: Vec<DifferenceReport>,
}

/// Two parameters around what is recommended, everything else as it is there.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct MapReport {
    /// The path that columns stand for.
    pub columns: String,
    /// The path that rows stand for.
    pub rows: String,
    /// The values of the columns.
    pub column_values: Vec<Option<String>>,
    /// The values of the rows.
    pub row_values: Vec<Option<String>>,
    /// By row and column: the mean of each objective.
    pub cells: Vec<Vec<Vec<f64>>>,
    /// The cell of what is recommended: row and column.
    pub center: Option<(usize, usize)>,
}

impl DifferenceReport {
    pub(super) fn new(one: &Difference) -> Self {
        let verdict = match (one.is_smaller(), one.is_larger()) {
            (true, _) => "better",
            (_, true) => "worse",
            _ => "same",
        };
        let end = |end: f64| end.is_finite().then_some(end);
        Self {
            mean: one.mean,
            low: end(one.low),
            high: end(one.high),
            better: one.smaller,
            worse: one.larger,
            seeds: one.seeds,
            verdict,
        }
    }
}

impl TuneReport {
    /// Whether a setting looked better than the config as it is while tuning.
    pub fn has_rival(&self) -> bool {
        self.better || !self.refuted.is_empty()
    }

    /// Of what a search found.
    pub fn new(plan: &Plan, space: &Space, corpus: &Corpus, runner: &Runner<'_>, found: &Found) -> Self {
        let measures: Vec<String> = plan.measures().iter().map(Indicator::word).collect();
        let objectives = measures[..plan.objectives.len()].to_vec();
        let label = |point: &Point, param: usize| space.label(point, param).map(str::to_owned);
        let current = space.current();
        let changes = |point: &Point| -> Vec<ChangeReport> {
            let changed = point.0.iter().enumerate().filter(|(_, level)| level.is_some());
            let change = |(param, _): (usize, &Option<u16>)| {
                let to = label(point, param)?;
                Some(ChangeReport { path: space.params[param].name.clone(), from: label(&current, param), to })
            };
            changed.filter_map(change).collect()
        };
        let recommended = found.recommended();
        let text = space.edited(&recommended);
        let judgements = (found.judged.iter())
            .map(|judged| JudgementReport {
                held_out_scenarios: judged.held_out_scenarios,
                rows: (measures.iter().enumerate())
                    .map(|(index, measure)| ComparisonReport {
                        measure: measure.clone(),
                        current: judged.current[index],
                        chosen: judged.other[index],
                        difference: judged.differences.get(index).map(DifferenceReport::new),
                        limit: (index.checked_sub(plan.objectives.len()))
                            .map(|constraint| plan.constraints[constraint].limit),
                    })
                    .collect(),
                scenarios: (corpus.of(judged.held_out_scenarios))
                    .filter_map(|(index, case)| {
                        let (now, then) = (runner.case(&current, index)?, runner.case(&found.chosen, index)?);
                        let p99 = |of: &Outcome| of.all.latency.quantile(0.99).map(router_core::Span::as_secs_f64);
                        Some(CaseReport {
                            name: case.name.clone(),
                            lost_current: Measure::Lost.of(&now.all, case.length),
                            lost_chosen: Measure::Lost.of(&then.all, case.length),
                            p99_current: p99(now),
                            p99_chosen: p99(then),
                        })
                    })
                    .collect(),
            })
            .collect();
        let points = (found.tried.iter())
            .map(|tried| PointReport {
                values: (0..space.params.len()).map(|param| label(&tried.point, param)).collect(),
                means: tried.means.clone(),
                seeds: tried.seeds,
                pareto: tried.on_front,
                holds: tried.holds,
                role: match &tried.point {
                    point if point.is_current() => Some("current"),
                    point if *point == recommended => Some("recommended"),
                    _ => None,
                },
            })
            .collect();
        let importance = (found.importance.iter())
            .map(|one| ImportanceReport {
                path: space.params[one.param].name.clone(),
                shares: one.shares.clone(),
                ranges: one.ranges.clone(),
            })
            .collect();
        let steps = (found.neighbours.iter())
            .map(|one| StepReport {
                path: space.params[one.param].name.clone(),
                from: label(&recommended, one.param),
                to: label(&one.point, one.param),
                differences: one.differences.iter().map(DifferenceReport::new).collect(),
            })
            .collect();
        let map = found.map.as_ref().map(|map| {
            let [x, y] = map.params;
            let first = map.rows.first().map_or(&[][..], Vec::as_slice);
            let row_of = |row: &Vec<(Point, Vec<f64>)>| row.iter().position(|(point, _)| *point == recommended);
            MapReport {
                columns: space.params[x].name.clone(),
                rows: space.params[y].name.clone(),
                column_values: first.iter().map(|(point, _)| label(point, x)).collect(),
                row_values: map.rows.iter().filter_map(|row| Some(label(&row.first()?.0, y))).collect(),
                cells: map.rows.iter().map(|row| row.iter().map(|(_, means)| means.clone()).collect()).collect(),
                center: map.rows.iter().enumerate().find_map(|(at, row)| Some((at, row_of(row)?))),
            }
        });
        Self {
            config: corpus.config.name().to_owned(),
            litellm: corpus.release.to_string(),
            objectives,
            constraints: plan.constraints.iter().map(|constraint| constraint.text.clone()).collect(),
            params: (space.params.iter())
                .map(|param| ParamReport {
                    path: param.name.clone(),
                    current: param.written.clone(),
                    values: param.levels.iter().map(|level| level.label.clone()).collect(),
                })
                .collect(),
            scenarios: corpus.of(false).count() as u64,
            held_out_scenarios: corpus.of(true).count() as u64,
            seeds: plan.seeds.len() as u64,
            held_out_seeds: plan.held_out_seeds.len() as u64,
            ways: space.size(),
            all_ways: found.all_points,
            runs: runner.runs(),
            requests: runner.requests(),
            better: found.confirmed,
            constraints_hold: found.holds,
            changes: changes(&recommended),
            refuted: if found.confirmed { Vec::new() } else { changes(&found.chosen) },
            judgements,
            points,
            importance,
            steps,
            map,
            beyond: found.beyond.as_ref().map(BeyondReport::new),
            never_fired: runner.idle_faults().into_iter().map(|(path, fault)| format!("{path}: {fault}")).collect(),
            new_findings: text.map(|text| space.new_findings(&text)).unwrap_or_default(),
        }
    }
}
