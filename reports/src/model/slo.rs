//! Service-level objectives: what a drill says about the error budget.

use schemars::JsonSchema;
use serde::Serialize;

use super::drill::DrillReport;

/// The objectives, and what the drilled outages would do to their error budget.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct SloReport {
    /// The share of requests that has to be answered: the line below which an outage was felt.
    pub availability_objective: f64,
    /// So many times the baseline's p99 an answer may take.
    pub latency_limit_ratio: f64,
    /// The share of answers that has to stay within it.
    pub latency_objective: f64,
    /// The days that a budget lasts.
    pub window_days: u64,
    /// The budget, as minutes in which nothing is answered.
    pub budget_minutes: f64,
    /// What an hour of each outage burns, the worst first; outages that lose nothing are left out.
    pub burns: Vec<BurnReport>,
    /// Outages in which the latency objective is missed.
    pub latency_misses: u64,
    /// What may be expected of each provider.
    pub expected: Vec<ExpectedBurnReport>,
    /// What is assumed of providers' outages, and where that comes from.
    pub prior: &'static str,
}

/// What an outage burns.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct BurnReport {
    /// The outage.
    pub row: String,
    /// The worst-hit name.
    pub model: String,
    /// The share of its requests that is lost while the outage is on.
    pub lost: f64,
    /// That share in multiples of what the objective allows.
    pub burn_rate: f64,
    /// The share of the four weeks' budget that an hour of it burns: 1 is all of it.
    pub budget_per_hour: f64,
    /// Minutes until all of it is burnt.
    pub minutes_to_empty: f64,
}

/// What a provider's outages are expected to burn in a window.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ExpectedBurnReport {
    /// The provider.
    pub provider: String,
    /// The outage that stands for them.
    pub row: String,
    /// The share of requests for the worst-hit name that is lost while everything fails there.
    pub lost: f64,
    /// Whose record was taken.
    pub record: &'static str,
    /// Minutes of complete failure in a window, as uptime pages count.
    pub minutes_by_uptime: f64,
    /// The same, as incident posts count: from the first to the last post.
    pub minutes_by_posts: f64,
    /// The share of the budget that this burns, by uptime pages.
    pub burn_by_uptime: f64,
    /// The same, by incident posts.
    pub burn_by_posts: f64,
}

/// The days of a window.
const WINDOW_DAYS: u64 = 28;
/// A p99 is what 99 % of the answers stay within.
const LATENCY_OBJECTIVE: f64 = 0.99;
/// In a partial outage so many calls fail, where nobody says how many: incident reports range from 5 to 60 %.
const PARTIAL: f64 = 0.3;

/// What assumptions about providers' outages rest on.
const PRIOR: &str = "a stand-in, not a forecast: minutes that providers' own uptime pages count (OpenAI API, 1,298 days to \
August 2024: 6,501 partial and 1,390 major; Anthropic API, 418 days: 1,675 partial), and incidents as their status posts tell \
(September 2023 to August 2024, the records behind Chu et al., ICPE'25, arXiv 2501.12469: OpenAI API one every 3.4 days for 205 \
minutes, Anthropic API one every 4.5 days for 169 minutes, on average), which overstate what users see. A partial outage counts \
as 30 % of the calls failing. Providers without a record of their own are given OpenAI's";

/// Minutes of complete failure per day, by uptime pages and by posts.
fn record(provider: &str) -> (&'static str, f64, f64) {
    match provider {
        "openai" => ("OpenAI API", (1390.0 + 6501.0 * PARTIAL) / 1298.0, 205.0 * PARTIAL / 3.4),
        "anthropic" => ("Anthropic API", 1675.0 * PARTIAL / 418.0, 169.0 * PARTIAL / 4.5),
        _ => ("OpenAI API, for want of its own", (1390.0 + 6501.0 * PARTIAL) / 1298.0, 205.0 * PARTIAL / 3.4),
    }
}

impl SloReport {
    /// Of the worst-hit name of each outage of a drill.
    pub(super) fn of(report: &DrillReport) -> Self {
        let objective = report.thresholds.held_availability;
        let allowed = 1.0 - objective;
        let window_minutes = (WINDOW_DAYS * 24 * 60) as f64;
        let budget_minutes = window_minutes * allowed;
        // Of an objective of 100 % no budget is left to be burnt: every loss is beyond all of it.
        let of_budget = |minutes: f64| if budget_minutes > 0.0 { minutes / budget_minutes } else { f64::MAX };
        let mut burns: Vec<BurnReport> = (report.rows.iter())
            .filter_map(|row| {
                let worst = row.models.iter().min_by(|a, b| a.availability_during.total_cmp(&b.availability_during))?;
                let lost = 1.0 - worst.availability_during;
                (lost > 0.0).then(|| BurnReport {
                    row: row.name.clone(),
                    model: worst.model.clone(),
                    lost,
                    burn_rate: if allowed > 0.0 { lost / allowed } else { f64::MAX },
                    budget_per_hour: of_budget(60.0 * lost),
                    minutes_to_empty: budget_minutes / lost,
                })
            })
            .collect();
        burns.sort_by(|a, b| b.lost.total_cmp(&a.lost));
        let limit = report.thresholds.max_p99_ratio;
        let slow = |row: &&super::drill::RowReport| {
            row.models.iter().any(|one| one.p99.zip(one.p99_baseline).is_some_and(|(p99, usual)| p99 > usual * limit))
        };
        let mut providers: Vec<&str> = Vec::new();
        for place in &report.inventory.deployments {
            if !place.provider.is_empty() && !providers.contains(&place.provider.as_str()) {
                providers.push(&place.provider);
            }
        }
        let expected = (providers.into_iter())
            .filter_map(|provider| {
                let wanted = format!("provider:{provider}/5xx");
                let row = report.rows.iter().find(|row| row.name == wanted || row.equals.contains(&wanted))?;
                let lost = row.models.iter().map(|one| 1.0 - one.availability_during).fold(0.0, f64::max);
                let (record, uptime, posts) = record(provider);
                let minutes = |per_day: f64| per_day * WINDOW_DAYS as f64;
                Some(ExpectedBurnReport {
                    provider: provider.to_owned(),
                    row: row.name.clone(),
                    lost,
                    record,
                    minutes_by_uptime: minutes(uptime),
                    minutes_by_posts: minutes(posts),
                    burn_by_uptime: of_budget(minutes(uptime) * lost),
                    burn_by_posts: of_budget(minutes(posts) * lost),
                })
            })
            .collect();
        Self {
            availability_objective: objective,
            latency_limit_ratio: limit,
            latency_objective: LATENCY_OBJECTIVE,
            window_days: WINDOW_DAYS,
            budget_minutes,
            burns,
            latency_misses: report.rows.iter().filter(slow).count() as u64,
            expected,
            prior: PRIOR,
        }
    }
}
