//! What another LiteLLM release would change for the users.

use routedrill_sim::drill::{End, Outcome, Upgrade, UpgradeChange as Change, labels};
use router_core::{Outcome as Ending, Plan, Rules};
use schemars::JsonSchema;
use serde::Serialize;

use super::drill::{ImpactReport, impact_report};
use crate::figures;

/// A configuration under two releases: the outages that end differently for the users, and why.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct UpgradeReport {
    /// The configuration, by the name under which it was given.
    pub config: String,
    /// The release of today.
    pub from: &'static str,
    /// The release to come.
    pub to: &'static str,
    /// The seeds under which each outage ran.
    pub seeds: Vec<u64>,
    /// How many outages were tried.
    pub outages: u64,
    /// What changes, by the rules behind it; those that change most outages first.
    pub reasons: Vec<ReasonReport>,
    /// Rules in which the releases differ and that change nothing for the users here.
    pub without_effect: Vec<RuleReport>,
    /// The outages in which some request ends differently, in the order in which they were planned.
    pub rows: Vec<ChangedRowReport>,
}

/// One reason, and what it changes.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ReasonReport {
    /// The rules; none when the two releases read the configuration itself differently.
    pub rules: Vec<RuleReport>,
    /// It takes all of them together. Otherwise each by itself makes the difference.
    pub together: bool,
    /// The outages in which it makes a difference; `baseline` is the run in which nothing fails.
    pub rows: Vec<String>,
    /// A request that ends differently because of it: one that no other rule changes before, if there is one, and the
    /// earliest of those.
    pub example: ChangedRequestReport,
}

/// A rule in which the releases differ.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct RuleReport {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
}

/// A request that ends differently.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ChangedRequestReport {
    /// The outage.
    pub row: String,
    /// The seed.
    pub seed: u64,
    /// The request.
    pub request: String,
    /// The name it asks for.
    pub model: String,
    /// When its user wanted it, in seconds.
    pub due: f64,
    /// Rules that change something earlier in the same run, and are taken over before the two ends are compared.
    pub after: Vec<&'static str>,
    /// How it ends today, with those rules.
    pub from: EndReport,
    /// How it will end.
    pub to: EndReport,
}

/// How a request ends for its user.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct EndReport {
    /// In words: `answered by gpt-4#2`, `429 RateLimitError`, `nothing: the caller gave up`.
    pub outcome: String,
    /// How long it took, in seconds.
    pub after: f64,
}

/// An outage under both releases.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ChangedRowReport {
    /// The outage.
    pub row: String,
    /// Its verdict today.
    #[schemars(extend("enum" = ["lost", "degraded", "held", "untouched"]))]
    pub verdict_from: &'static str,
    /// Its verdict to come.
    #[schemars(extend("enum" = ["lost", "degraded", "held", "untouched"]))]
    pub verdict_to: &'static str,
    /// What it does to the worst-hit name today.
    pub worst_from: Option<ImpactReport>,
    /// What it will do to the worst-hit name.
    pub worst_to: Option<ImpactReport>,
}

impl UpgradeReport {
    /// The report of an upgrade: its differences, and the two drills as a whole.
    pub fn new(config: &str, upgrade: &Upgrade, changes: &[Change], drills: (&Outcome, &Outcome)) -> Self {
        let plan = &upgrade.from.plan;
        let deployments = labels::of_plan(plan);
        let name = |change: &Change| change.row.map_or_else(|| "baseline".to_owned(), |row| upgrade.rows[row].name());
        let mut reasons: Vec<(ReasonReport, &Change)> = Vec::new();
        for change in changes {
            let same = |reason: &ReasonReport| {
                reason.together == change.together
                    && reason.rules.iter().map(|rule| rule.name).eq(change.rules.iter().copied())
            };
            let row = name(change);
            let example = || ChangedRequestReport {
                row: row.clone(),
                seed: change.seed,
                request: change.request.to_string(),
                model: plan.name(change.asked).to_owned(),
                due: change.due.as_secs_f64(),
                after: change.after.clone(),
                from: end(plan, &deployments, change, &change.from),
                to: end(plan, &deployments, change, &change.to),
            };
            match reasons.iter_mut().find(|(reason, _)| same(reason)) {
                Some((reason, earliest)) => {
                    if (change.after.len(), change.due) < (earliest.after.len(), earliest.due) {
                        (reason.example, *earliest) = (example(), change);
                    }
                    if !reason.rows.contains(&row) {
                        reason.rows.push(row);
                    }
                }
                None => reasons.push((
                    ReasonReport {
                        rules: change.rules.iter().map(|rule| explained(rule)).collect(),
                        together: change.together,
                        example: example(),
                        rows: vec![row],
                    },
                    change,
                )),
            }
        }
        reasons.sort_by_key(|(reason, _)| std::cmp::Reverse(reason.rows.len()));
        let (today, to_come) = drills;
        let rows = changes
            .iter()
            .filter_map(|change| {
                // One line for each outage, whatever changes in it.
                let row = change.row.filter(|_| change.after.is_empty())?;
                let (before, after) = (today.rows.get(row)?, to_come.rows.get(row)?);
                Some(ChangedRowReport {
                    row: name(change),
                    verdict_from: before.verdict.word(),
                    verdict_to: after.verdict.word(),
                    worst_from: before.names.first().map(|impact| impact_report(plan, impact)),
                    worst_to: after.names.first().map(|impact| impact_report(&upgrade.to.plan, impact)),
                })
            })
            .collect();
        Self {
            config: config.to_owned(),
            from: upgrade.from.config.release.number(),
            to: upgrade.to.config.release.number(),
            seeds: upgrade.seeds.clone(),
            outages: upgrade.rows.len() as u64,
            without_effect: upgrade.without_effect(changes).into_iter().map(explained).collect(),
            reasons: reasons.into_iter().map(|(reason, _)| reason).collect(),
            rows,
        }
    }
}

fn explained(rule: &'static str) -> RuleReport {
    let about = Rules::CATALOGUE.iter().find(|known| known.name == rule).map_or("", |known| known.about);
    RuleReport { name: rule, about }
}

fn end(plan: &Plan, deployments: &[String], change: &Change, end: &End) -> EndReport {
    let outcome = match end.outcome {
        Some(Ending::Answered(answered)) => {
            let by = &deployments[answered.by.index()];
            let group = plan.deployments()[answered.by.index()].model_name.as_str();
            if by == group { format!("answered by {by}") } else { format!("answered by {by} of {group}") }
        }
        Some(Ending::Failed(error)) => {
            let wait = error
                .client_retry_after
                .map_or_else(String::new, |wait| format!(", retry-after {}", figures::chosen(wait)));
            format!("{} {}{wait}", error.client_status, error.class.name())
        }
        None => "nothing: the caller gave up".to_owned(),
    };
    EndReport { outcome, after: end.at.since(change.due).as_secs_f64() }
}
