//! The routing strategy's own choice, where it can be told from outside: least-busy, those that go by usage, latency or
//! cost, and the shares of simple-shuffle.

use router_core::{DeploymentId, NameId, Number, Plan, RoutingStrategy, ShuffleMetric, Time};

use super::counters_at_rest::Busy;
use super::law::About;
use super::names::Names;
use super::quota_admitted::{Keeper, Usage};

pub(super) const ABOUT: About = About {
    name: "strategy-kept",
    says: "the deployment that is picked is one that the routing strategy allows",
    source: "simple_shuffle, and the handlers of least-busy, latency-, cost- and usage-based routing",
};

/// A pick of least-busy routing among candidates: the first of those with the fewest calls.
pub(super) fn of_busy(
    plan: &Plan,
    busy: &Busy,
    name: NameId,
    candidates: impl Iterator<Item = DeploymentId>,
    picked: DeploymentId,
    at: Time,
) -> Option<String> {
    let count = |id| busy.count(plan, name, id, at);
    let least = candidates.min_by_key(|&id| count(id))?;
    (least != picked)
        .then(|| format!("picked with {} calls counted, where another has {}", count(picked), count(least)))
}

/// A pick of `usage-based-routing-v2` among candidates: the fewest tokens, of those with room for the prompt.
pub(super) fn of_usage(
    plan: &Plan,
    usage: &mut Usage,
    candidates: impl Iterator<Item = DeploymentId> + Clone,
    picked: Option<DeploymentId>,
    (prompt, at): (u32, Time),
) -> Option<String> {
    if usage.keeper() != Keeper::Strategy {
        return None;
    }
    if candidates.clone().any(|id| plan.deployment(id).wildcard) {
        return None;
    }
    let least = candidates.filter_map(|id| usage.room(plan, id, prompt, at)).min();
    match (picked.map(|id| usage.room(plan, id, prompt, at)), least) {
        (None, Some(_)) => Some("nobody was picked, where somebody had room".to_owned()),
        (Some(None), _) => Some("picked beyond its limit per minute".to_owned()),
        (Some(Some(mine)), Some(least)) if mine > least => {
            Some(format!("picked with {mine} tokens used this minute, where another has {least}"))
        }
        _ => None,
    }
}

/// Picks of simple-shuffle from whole groups.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    /// By name, then by its member: how often it was picked while all were there.
    picks: Vec<Vec<u64>>,
}

/// By how many standard deviations a share may be off. Beyond that, fewer than two of a billion are.
const DEVIATIONS: f64 = 6.0;

/// Below so many picks, nothing is said.
const PICKS_MIN: u64 = 50;

impl Shares {
    /// `None`: another strategy routes.
    pub(super) fn new(plan: &Plan, names: &Names) -> Option<Self> {
        let shuffles = plan.settings().routing_strategy.value == RoutingStrategy::SimpleShuffle;
        let all = (0..plan.name_count() as u32).map(NameId);
        shuffles.then(|| Self { picks: all.map(|name| vec![0; names.of(name).members.len()]).collect() })
    }

    /// A pick from all members of a name.
    pub(super) fn add(&mut self, names: &Names, name: NameId, picked: DeploymentId) {
        let place = names.of(name).members.iter().position(|&id| id == picked);
        if let Some(place) = place {
            self.picks[name.index()][place] += 1;
        }
    }

    /// Whoever was picked too often or too seldom for its weight.
    pub(super) fn at_end(&self, plan: &Plan, names: &Names) -> Vec<(DeploymentId, String)> {
        let mut told = Vec::new();
        for (name, picks) in (0..).map(NameId).zip(&self.picks) {
            let members = &names.of(name).members;
            let total: u64 = picks.iter().sum();
            let Some(weights) = weights(plan, members).filter(|_| total >= PICKS_MIN && members.len() > 1) else {
                continue;
            };
            let sum: f64 = weights.iter().sum();
            for ((&id, &count), weight) in members.iter().zip(picks).zip(weights) {
                let share = weight / sum;
                let due = total as f64 * share;
                let deviation = (due * (1.0 - share)).sqrt();
                // One more or less is never too many.
                if (count as f64 - due).abs() > (DEVIATIONS * deviation).max(1.0) {
                    told.push((id, format!("picked {count} times of {total}, where its weight makes {due:.0}")));
                }
            }
        }
        told
    }
}

/// What simple-shuffle weighs the members of a group by; `None`: it cannot be told from outside.
fn weights(plan: &Plan, members: &[DeploymentId]) -> Option<Vec<f64>> {
    let all = |metric: usize| members.iter().map(move |&id| plan.deployment(id).shuffle[metric]);
    let number = |value: Option<Number>| match value {
        Some(Number::Is(value)) => Some(value),
        None => Some(0.0),
        Some(Number::Not) => None,
    };
    let decides = |metric: usize| match plan.rules().shuffle_metric {
        ShuffleMetric::OfAny => all(metric).any(|value| matches!(value, Some(Number::Is(value)) if value > 0.0)),
        ShuffleMetric::OfTheFirst => all(metric).next().flatten().is_some(),
    };
    let equal = || Some(vec![1.0; members.len()]);
    let weights = (0..3).find(|&metric| decides(metric)).map_or_else(equal, |metric| all(metric).map(number).collect());
    weights.filter(|weights: &Vec<f64>| weights.iter().all(|&weight| weight >= 0.0))
}
