//! `usage-based-routing-v2`: the fewest tokens in this calendar minute; requests are counted before they are made.

use super::{Called, Choice, NoChoice, Strategy, Success};
use crate::entropy::{Entropy, pick};
use crate::ids::DeploymentId;
use crate::plan::{Deployment, Plan};
use crate::quota::Quota;
use crate::time::Time;

/// The strategy. What it counts is in the quota, for others count there too.
#[derive(Debug, Default)]
pub(super) struct UsageBasedV2 {
    ties: Vec<usize>,
}

impl Strategy for UsageBasedV2 {
    fn choose(
        &mut self,
        choice: &Choice<'_>,
        entropy: &mut dyn Entropy,
        mut scores: Option<&mut Vec<(DeploymentId, f64)>>,
    ) -> Result<usize, NoChoice> {
        self.ties.clear();
        let mut least = u64::MAX;
        for (index, &candidate) in choice.candidates.iter().enumerate() {
            let deployment = choice.plan.deployment(candidate);
            // Of entries with one id, LiteLLM weighs one.
            let twin = |other: &&DeploymentId| choice.plan.deployment(**other).twin == deployment.twin;
            if choice.candidates[..index].iter().any(|other| twin(&other)) {
                continue;
            }
            let (requests, tokens) =
                choice.quota.used(choice.plan, Called { group: choice.group, deployment: candidate }, choice.now);
            let tokens = tokens.unwrap_or(0);
            if let Some(scores) = scores.as_deref_mut() {
                scores.push((candidate, tokens as f64));
            }
            let over_tokens =
                tokens as f64 + f64::from(choice.prompt_tokens) > Deployment::limit_or_infinity(deployment.tpm);
            // One short of the limit is already over it, but only once a request was counted.
            let over_requests =
                requests.is_some_and(|requests| (requests + 1) as f64 >= Deployment::limit_or_infinity(deployment.rpm));
            if over_tokens || over_requests {
                continue;
            }
            if tokens < least {
                least = tokens;
                self.ties.clear();
            }
            if tokens == least {
                self.ties.push(index);
            }
        }
        if self.ties.is_empty() {
            return Err(NoChoice::RateLimited);
        }
        Ok(self.ties[pick(entropy, self.ties.len())])
    }

    fn admit(&mut self, plan: &Plan, quota: &mut Quota, call: Called, now: Time) -> Result<(), NoChoice> {
        let limit = Deployment::limit_or_infinity(plan.deployment(call.deployment).rpm);
        let (requests, _) = quota.used(plan, call, now);
        if requests.is_some_and(|requests| requests as f64 >= limit) {
            return Err(NoChoice::RateLimited);
        }
        if quota.count_request(plan, call, now) as f64 > limit { Err(NoChoice::RateLimited) } else { Ok(()) }
    }

    fn succeeded(&mut self, plan: &Plan, quota: &mut Quota, call: Called, success: &Success, now: Time) {
        quota.count_tokens(plan, call, success.counted_tokens, now);
    }
}
