//! `least-busy`: the deployment with the fewest calls under way, as LiteLLM counts them: one more before a call, one
//! less in the callback after it. Failures whose callback is not run are never taken off.

use super::table::{Places, Table};
use super::{Called, Choice, NoChoice, Strategy, Success};
use crate::entropy::{Entropy, pick};
use crate::error::ErrorClass;
use crate::ids::DeploymentId;
use crate::plan::Plan;
use crate::quota::{DEFAULT_TTL, Quota};
use crate::time::{Span, Time};

/// How long a count of its own is kept (LiteLLM: `IN_FLIGHT_COUNT_TTL_SECONDS`).
const COUNT_TTL: Span = Span::from_secs(3600);

/// One count per group and deployment.
#[derive(Debug)]
pub(super) struct PerDeployment {
    /// By group, then by deployment.
    counts: Vec<Vec<Count>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    value: i64,
    expires: Option<Time>,
}

impl Count {
    fn get(self, now: Time) -> i64 {
        if self.expires.is_some_and(|expires| now <= expires) { self.value } else { 0 }
    }
}

impl PerDeployment {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { counts: vec![Vec::new(); plan.name_count()] }
    }

    fn add(&mut self, plan: &Plan, call: Called, more: i64, now: Time) {
        let counts = &mut self.counts[call.group.index()];
        if counts.is_empty() {
            counts.resize(plan.deployments().len(), Count::default());
        }
        let count = &mut counts[plan.deployment(call.deployment).twin.index()];
        let value = (count.get(now) + more).max(0);
        let expires = count.expires.filter(|&expires| now <= expires).unwrap_or(now + COUNT_TTL);
        *count = Count { value, expires: Some(expires) };
    }

    fn count(&self, plan: &Plan, call: Called, now: Time) -> i64 {
        let twin = plan.deployment(call.deployment).twin;
        self.counts[call.group.index()].get(twin.index()).map_or(0, |count| count.get(now))
    }
}

impl Strategy for PerDeployment {
    fn choose(
        &mut self,
        choice: &Choice<'_>,
        _entropy: &mut dyn Entropy,
        mut scores: Option<&mut Vec<(DeploymentId, f64)>>,
    ) -> Result<usize, NoChoice> {
        let (mut best, mut least) = (0, i64::MAX);
        for (index, &deployment) in choice.candidates.iter().enumerate() {
            let count = self.count(choice.plan, Called { group: choice.group, deployment }, choice.now);
            if let Some(scores) = scores.as_deref_mut() {
                scores.push((deployment, count as f64));
            }
            if count < least {
                (best, least) = (index, count);
            }
        }
        Ok(best)
    }

    fn called(&mut self, plan: &Plan, call: Called, now: Time) {
        self.add(plan, call, 1, now);
    }

    fn succeeded(&mut self, plan: &Plan, _quota: &mut Quota, call: Called, _success: &Success, now: Time) {
        self.add(plan, call, -1, now);
    }

    fn failed(&mut self, plan: &Plan, call: Called, _class: ErrorClass, now: Time) {
        self.add(plan, call, -1, now);
    }

    fn in_flight(&self, plan: &Plan, call: Called, now: Time) -> Option<i64> {
        Some(self.count(plan, call, now))
    }
}

/// One map per group, in which deployments keep the place in which they came, cooled ones too.
#[derive(Debug)]
pub(super) struct PerGroup {
    counts: Vec<Table<i64>>,
    places: Places,
}

impl PerGroup {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { counts: vec![Table::default(); plan.name_count()], places: Places::default() }
    }

    fn add(&mut self, plan: &Plan, call: Called, more: i64, now: Time) {
        let counts = &mut self.counts[call.group.index()];
        counts.is_kept(now);
        *counts.entry(plan.deployment(call.deployment).twin, || 0) += more;
        counts.keep(now, DEFAULT_TTL);
    }
}

impl Strategy for PerGroup {
    fn choose(
        &mut self,
        choice: &Choice<'_>,
        entropy: &mut dyn Entropy,
        scores: Option<&mut Vec<(DeploymentId, f64)>>,
    ) -> Result<usize, NoChoice> {
        let counts = &mut self.counts[choice.group.index()];
        let kept = counts.is_kept(choice.now);
        for &candidate in choice.candidates {
            counts.entry(choice.plan.deployment(candidate).twin, || 0);
        }
        let least = counts.entries().iter().map(|&(_, count)| count).min().unwrap_or(0);
        let first = counts.entries().iter().find(|&&(_, count)| count == least).map(|&(twin, _)| twin);
        if let Some(scores) = scores {
            scores.extend(counts.entries().iter().map(|&(twin, count)| (twin, count as f64)));
        }
        if !kept {
            // A map that was not in the cache is not put there by looking.
            counts.clear();
        }
        self.places.note(choice.plan, choice.candidates);
        match first.and_then(|twin| self.places.of(twin)) {
            Some(index) => Ok(index),
            None => Ok(pick(entropy, choice.candidates.len())),
        }
    }

    fn called(&mut self, plan: &Plan, call: Called, now: Time) {
        self.add(plan, call, 1, now);
    }

    fn succeeded(&mut self, plan: &Plan, _quota: &mut Quota, call: Called, _success: &Success, now: Time) {
        self.add(plan, call, -1, now);
    }

    fn failed(&mut self, plan: &Plan, call: Called, _class: ErrorClass, now: Time) {
        self.add(plan, call, -1, now);
    }

    fn in_flight(&self, plan: &Plan, call: Called, _now: Time) -> Option<i64> {
        Some(self.counts[call.group.index()].get(plan.deployment(call.deployment).twin).copied().unwrap_or(0))
    }
}
