//! Which quotas to buy for a load that is wanted.

use super::case::Case;
use super::first::Gives;
use super::search::{Bracket, Limits, search};
use super::trial::Bench;
use crate::search::slo::Standing;

/// What to buy, step by step.
#[derive(Clone, PartialEq, Debug)]
pub struct Shopping {
    /// The load that is wanted, in requests per second.
    pub target: f64,
    /// The steps, in order. Empty when the target holds already.
    pub purchases: Vec<Purchase>,
    /// Whether the target holds after the last step.
    pub reached: bool,
    /// What limits the target when quotas no longer do; `None` when it is reached.
    pub then: Option<Gives>,
}

/// One quota, raised.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Purchase {
    /// Its index in the scenario's quotas.
    pub quota: usize,
    /// What it is, in one of its windows.
    pub from: u64,
    /// What it should be.
    pub to: u64,
    /// What then holds, in requests per second; `None` when nothing does.
    pub holds: Option<f64>,
}

/// After so many steps it is given up: what limits is something else.
const STEPS_MAX: usize = 40;
/// Each step raises a quota by this factor, and by one at least.
const FACTOR: f64 = 1.25;
/// How exact the load after a step is.
const PRECISION: f64 = 0.05;

impl Shopping {
    /// Raises, again and again, the quota that refused the most calls at the target, until the target holds. Steps in a
    /// row that raise the same quota are one. Where one step for each quota brings nothing more, something else limits,
    /// and what brought nothing is not bought.
    pub fn to(bench: &Bench, case: &Case, today: &Bracket, limits: &Limits, target: f64) -> Self {
        let mut bench = bench.clone();
        let mut purchases: Vec<Purchase> = Vec::new();
        let mut reached = today.holds.is_some_and(|holds| holds >= target);
        let mut steps = 0;
        while !reached && steps < STEPS_MAX {
            steps += 1;
            let trial = bench.explained(case, target);
            let limiting = Gives::of(&bench.scenario, case, &trial.metrics).into_iter().find_map(|gives| match gives {
                Gives::Quota(quota) => Some(quota.quota),
                _ => None,
            });
            let Some(quota) = limiting else { break };
            if purchases.last().is_none_or(|last| last.quota != quota) {
                measure_last(&bench, case, limits, &mut purchases);
                if purchases.len() - worth(&purchases, today) >= bench.scenario.quotas.len() {
                    break;
                }
                let from = bench.scenario.quotas[quota].limit;
                purchases.push(Purchase { quota, from, to: from, holds: None });
            }
            let limit = &mut bench.scenario.quotas[quota].limit;
            *limit = (((*limit as f64) * FACTOR) as u64).max(*limit + 1);
            if let Some(last) = purchases.last_mut() {
                last.to = *limit;
            }
            reached = bench.judge(case, target).standing == Standing::Kept;
        }
        measure_last(&bench, case, limits, &mut purchases);
        if reached {
            return Self { target, purchases, reached, then: None };
        }
        purchases.truncate(worth(&purchases, today));
        let gives = Gives::of(&bench.scenario, case, &bench.explained(case, target).metrics);
        let then = gives.into_iter().find(|gives| !matches!(gives, Gives::Quota(_)));
        Self { target, purchases, reached, then }
    }
}

/// How many of the first purchases it takes until nothing more is gained; less than the precision is no gain.
fn worth(purchases: &[Purchase], today: &Bracket) -> usize {
    let mut most = today.holds.unwrap_or(0.0);
    let mut worth = 0;
    for (index, purchase) in purchases.iter().enumerate() {
        if let Some(holds) = purchase.holds.filter(|holds| *holds > most * (1.0 + PRECISION)) {
            most = holds;
            worth = index + 1;
        }
    }
    worth
}

/// What holds after the last step so far: measured once, when the step is complete.
fn measure_last(bench: &Bench, case: &Case, limits: &Limits, purchases: &mut [Purchase]) {
    let Some(last) = purchases.last_mut().filter(|purchase| purchase.holds.is_none()) else { return };
    let limits = Limits { precision: limits.precision.max(PRECISION), ..*limits };
    last.holds = search(limits, |load| bench.judge(case, load).standing).holds;
}
