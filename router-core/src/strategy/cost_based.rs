//! `cost-based-routing`: the cheapest deployment that is not at a limit.

use super::table::{MinuteUsage, Places, Table};
use super::{Called, Choice, NoChoice, Strategy, Success};
use crate::entropy::Entropy;
use crate::ids::DeploymentId;
use crate::plan::{Deployment, Plan};
use crate::quota::{DEFAULT_TTL, Quota};
use crate::time::Time;

/// One map of usage per group.
#[derive(Debug)]
pub(super) struct CostBased {
    groups: Vec<Table<MinuteUsage>>,
    places: Places,
}

impl CostBased {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { groups: vec![Table::default(); plan.name_count()], places: Places::default() }
    }
}

impl Strategy for CostBased {
    fn choose(
        &mut self,
        choice: &Choice<'_>,
        _entropy: &mut dyn Entropy,
        mut scores: Option<&mut Vec<(DeploymentId, f64)>>,
    ) -> Result<usize, NoChoice> {
        let plan = choice.plan;
        self.places.note(plan, choice.candidates);
        let table = &mut self.groups[choice.group.index()];
        let kept = table.is_kept(choice.now);
        for &candidate in choice.candidates {
            table.entry(plan.deployment(candidate).twin, MinuteUsage::default);
        }
        let minute = plan.minute(choice.now);
        let mut best: Option<(usize, f64)> = None;
        for (twin, usage) in table.entries() {
            let Some(index) = self.places.of(*twin) else { continue };
            let deployment = plan.deployment(choice.candidates[index]);
            if let Some(scores) = scores.as_deref_mut() {
                scores.push((choice.candidates[index], deployment.cost));
            }
            let within = within_limits(deployment, usage.of(minute), choice.prompt_tokens);
            if within && best.is_none_or(|(_, cheapest)| deployment.cost < cheapest) {
                best = Some((index, deployment.cost));
            }
        }
        if !kept {
            table.clear();
        }
        best.map(|(index, _)| index).ok_or(NoChoice::NoneLeft)
    }

    fn succeeded(&mut self, plan: &Plan, _quota: &mut Quota, call: Called, success: &Success, now: Time) {
        let table = &mut self.groups[call.group.index()];
        table.is_kept(now);
        let usage = table.entry(plan.deployment(call.deployment).twin, MinuteUsage::default);
        usage.add(plan.minute(now), success.usage.total());
        table.keep(now, DEFAULT_TTL);
    }
}

/// Whether one more request stays within a deployment's limits per minute.
pub(super) fn within_limits(deployment: &Deployment, used: (u64, u64), prompt_tokens: u32) -> bool {
    let (requests, tokens) = used;
    tokens as f64 + f64::from(prompt_tokens) <= Deployment::truthy_limit_or_infinity(deployment.tpm)
        && (requests + 1) as f64 <= Deployment::truthy_limit_or_infinity(deployment.rpm)
}
