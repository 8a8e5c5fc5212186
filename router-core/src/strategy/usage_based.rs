//! `usage-based-routing`: the fewest tokens in this calendar minute, counted when calls succeed.

use super::table::{Places, Table};
use super::{Called, Choice, NoChoice, Strategy, Success};
use crate::entropy::Entropy;
use crate::ids::{DeploymentId, NameId};
use crate::plan::{Deployment, Plan};
use crate::quota::Quota;
use crate::time::{Span, Time};

/// Two maps per group and minute: tokens and requests.
#[derive(Debug)]
pub(super) struct UsageBased {
    groups: Vec<Minute>,
    places: Places,
}

#[derive(Clone, Debug, Default)]
struct Minute {
    minute: u64,
    tokens: Table<u64>,
    requests: Table<u64>,
}

/// A minute's maps cannot outlive their minute.
const TTL: Span = Span::from_secs(60);

impl UsageBased {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { groups: vec![Minute::default(); plan.name_count()], places: Places::default() }
    }

    /// The maps of this minute, and whether they are in the cache.
    fn current(&mut self, plan: &Plan, group: NameId, now: Time) -> (&mut Minute, bool) {
        let group = &mut self.groups[group.index()];
        if group.minute != plan.minute(now) {
            group.minute = plan.minute(now);
            group.tokens.clear();
            group.requests.clear();
        }
        let kept = group.tokens.is_kept(now);
        group.requests.is_kept(now);
        (group, kept)
    }
}

impl Strategy for UsageBased {
    fn choose(
        &mut self,
        choice: &Choice<'_>,
        _entropy: &mut dyn Entropy,
        mut scores: Option<&mut Vec<(DeploymentId, f64)>>,
    ) -> Result<usize, NoChoice> {
        let plan = choice.plan;
        self.places.note(plan, choice.candidates);
        let places = core::mem::take(&mut self.places);
        // LiteLLM looks under the name behind an alias, but counts under the name that was called.
        let (used, kept) = self.current(plan, choice.resolved, choice.now);
        for &candidate in choice.candidates {
            used.tokens.entry(plan.deployment(candidate).twin, u64::default);
        }
        let mut best: Option<(usize, u64)> = None;
        for &(twin, tokens) in used.tokens.entries() {
            let requests = used.requests.get(twin);
            let Some(index) = places.of(twin) else { continue };
            let deployment = plan.deployment(choice.candidates[index]);
            if let Some(scores) = scores.as_deref_mut() {
                scores.push((choice.candidates[index], tokens as f64));
            }
            let over_tokens =
                tokens as f64 + f64::from(choice.prompt_tokens) > Deployment::limit_or_infinity(deployment.tpm);
            // One short of the limit is already over it, but only once a request was counted.
            let over_requests =
                requests.is_some_and(|requests| (requests + 1) as f64 >= Deployment::limit_or_infinity(deployment.rpm));
            if !over_tokens && !over_requests && best.is_none_or(|(_, least)| tokens < least) {
                best = Some((index, tokens));
            }
        }
        if !kept {
            used.tokens.clear();
        }
        self.places = places;
        best.map(|(index, _)| index).ok_or(NoChoice::NoneLeft)
    }

    fn succeeded(&mut self, plan: &Plan, _quota: &mut Quota, call: Called, success: &Success, now: Time) {
        let twin = plan.deployment(call.deployment).twin;
        let (used, _) = self.current(plan, call.group, now);
        *used.tokens.entry(twin, u64::default) += success.usage.total();
        *used.requests.entry(twin, u64::default) += 1;
        used.tokens.keep(now, TTL);
        used.requests.keep(now, TTL);
    }

    fn answered_this_minute(&mut self, plan: &Plan, call: Called, now: Time) -> u64 {
        let twin = plan.deployment(call.deployment).twin;
        let (used, kept) = self.current(plan, call.group, now);
        if !kept {
            return 0;
        }
        // Looking puts the deployment into the map of requests.
        *used.requests.entry(twin, u64::default)
    }
}
