//! What one request may cost when everything hangs: attempts, calls and time, as LiteLLM adds them up.
//!
//! LiteLLM has no overall deadline. Each attempt has its own timeout, each group its own retries, each fallback the same
//! again. Cooldowns, which shorten this in a longer outage, are left out: the first requests of an outage pay in full.

use std::collections::BTreeSet;

use router_core::{FallbackList, NameId, Plan, Release, Source, Span};

use super::{View, counted};
use crate::litellm::finding::{Findings, rule};

/// Where the count stops: LiteLLM 1.80.17 multiplies hops along cycles.
const HOPS_MAX: usize = 1000;

/// LiteLLM's constants: the first wait before a retry, the longest one, and what chance adds at most, in seconds.
const WAIT_FIRST: f64 = 0.5;
const WAIT_MAX: f64 = 8.0;
const JITTER_MAX: f64 = 0.75;

/// The worst case of one request for one group.
#[derive(Clone, PartialEq, Debug)]
pub struct WorstCase {
    /// The group.
    pub group: String,
    /// The groups that are tried, in order; a group may stand more than once.
    pub way: Vec<String>,
    /// Calls that reach a provider.
    pub calls: u64,
    /// Until the caller gets an error.
    pub time: Span,
    /// The largest timeout of one attempt among them.
    pub attempt: Span,
    /// There are more hops than are counted; the figures are too low.
    pub cut_short: bool,
}

/// The worst case of every model group, in the order of the file. Wildcard groups count like all others.
pub fn of_groups(plan: &Plan) -> Vec<WorstCase> {
    let mut groups = Vec::new();
    for deployment in plan.deployments() {
        if !groups.contains(&deployment.group) {
            groups.push(deployment.group);
        }
    }
    groups.into_iter().map(|group| of_group(plan, group)).collect()
}

fn of_group(plan: &Plan, group: NameId) -> WorstCase {
    let mut walk = Walk {
        plan,
        original: group,
        tried: BTreeSet::from([group]),
        hops: Vec::new(),
        calls_left: plan.settings().num_retries_per_request.map(|cap| u64::try_from(cap).unwrap_or(0).max(1)),
        calls: 0,
        seconds: 0.0,
        attempt: Span::ZERO,
        cut_short: false,
    };
    walk.visit(group, 0);
    WorstCase {
        group: plan.name(group).to_owned(),
        way: walk.hops.iter().map(|hop| plan.name(*hop).to_owned()).collect(),
        calls: walk.calls,
        time: Span::from_secs_f64(walk.seconds),
        attempt: walk.attempt,
        cut_short: walk.cut_short,
    }
}

struct Walk<'p> {
    plan: &'p Plan,
    original: NameId,
    tried: BTreeSet<NameId>,
    hops: Vec<NameId>,
    calls_left: Option<u64>,
    calls: u64,
    seconds: f64,
    attempt: Span,
    cut_short: bool,
}

impl Walk<'_> {
    fn visit(&mut self, group: NameId, depth: i64) {
        if self.hops.len() >= HOPS_MAX {
            self.cut_short = true;
            return;
        }
        // A name that nobody serves costs no call; the walk goes on behind it.
        if !self.plan.members(group).is_empty() {
            self.hops.push(group);
            self.retry_layer(group);
        }
        if depth >= self.plan.settings().max_fallbacks.value {
            return;
        }
        let mut depth = depth;
        for target in self.chain(group) {
            let remembers = self.plan.release() != Release::V1_80_17;
            if target == group || remembers && !self.tried.insert(target) {
                continue;
            }
            depth += 1;
            self.visit(target, depth);
        }
    }

    /// Where a request goes after a hop has failed.
    fn chain(&self, group: NameId) -> Vec<NameId> {
        let of = |name: NameId, list: FallbackList| {
            self.plan.fallback_chain(name, list).iter().filter_map(|target| target.model).collect::<Vec<_>>()
        };
        let own = of(group, FallbackList::Fallbacks);
        let is_star = !of(group, FallbackList::Default).is_empty();
        // The newer release goes on along the original group's chain where the hop has none of its own.
        if self.plan.release() != Release::V1_80_17 && (own.is_empty() || is_star) {
            let original = of(self.original, FallbackList::Fallbacks);
            if !original.is_empty() && of(self.original, FallbackList::Default).is_empty() {
                return original;
            }
        }
        own
    }

    /// All attempts in one group, and the waits between and after them.
    fn retry_layer(&mut self, group: NameId) {
        let plan = self.plan;
        let settings = plan.settings();
        let members: Vec<_> = plan.members(group).into_iter().map(|id| plan.deployment(id)).collect();
        let levels = match plan.release() {
            Release::V1_80_17 => 1,
            // Each level of `order` is a hop of its own.
            Release::V1_109_1 => members.iter().map(|member| member.order).collect::<BTreeSet<_>>().len(),
        };
        let policy = plan.group_retry_policy(group).copied().or(settings.retry_policy);
        let policy = policy.and_then(|policy| policy.timeout.or(policy.default));
        let own = members.iter().map(|member| member.num_retries.value).max().unwrap_or_default();
        let retries = policy.unwrap_or(own).max(0);
        let timeout = members.iter().map(|member| member.timeout.value).max().unwrap_or(Span::ZERO);
        // The older release hands a deployment's own retries to the provider's client too.
        let client_calls = match plan.release() {
            Release::V1_80_17 => {
                1 + members
                    .iter()
                    .filter(|member| member.num_retries.from == Source::Deployment)
                    .map(|member| u64::try_from(member.num_retries.value).unwrap_or(0))
                    .max()
                    .unwrap_or(0)
            }
            Release::V1_109_1 => 1,
        };
        self.attempt = self.attempt.max(timeout);
        for _ in 0..levels {
            for retry in 0..=retries.min(1000) {
                let may_call = self.calls_left.is_none_or(|left| left > 0);
                if may_call {
                    self.calls += client_calls;
                    self.seconds += timeout.as_secs_f64() * client_calls as f64;
                    self.calls_left = self.calls_left.map(|left| left - 1);
                }
                // Between several deployments LiteLLM does not wait.
                if members.len() == 1 && retries > 0 {
                    self.seconds += wait(retry, settings.retry_after.value);
                }
            }
        }
    }
}

/// The wait before a retry, at most. LiteLLM waits after the last failed retry too, as long as before the next one.
fn wait(retry: i64, retry_after: f64) -> f64 {
    let doubled = (0..retry.min(10)).fold(WAIT_FIRST, |wait, _| wait * 2.0);
    doubled.max(retry_after).min(WAIT_MAX) + JITTER_MAX
}

/// Remarks on what the figures say.
pub(super) fn check(view: &View<'_>, cases: &[WorstCase], deadline: Option<Span>, findings: &mut Findings<'_>) {
    let plan = view.plan;
    let unbounded: Vec<usize> = (0..plan.deployments().len())
        .filter(|&index| plan.deployments()[index].timeout.from == Source::Default)
        .collect();
    if let Some(&first) = unbounded.first() {
        let whose = if unbounded.len() == plan.deployments().len() {
            "no timeout is set".to_owned()
        } else {
            format!("{} no timeout", counted(unbounded.len() as u64, "deployment has", "deployments have"))
        };
        findings.add(
            &rule::NO_TIMEOUT,
            view.name_span(first),
            view.path(first),
            format!(
                "{whose}: LiteLLM waits {} for a provider that hangs, in each attempt",
                written(plan.deployments()[first].timeout.value)
            ),
            "write `timeout: 60` under router_settings, or litellm_settings.request_timeout",
        );
    }
    let Some(deadline) = deadline else { return };
    for (group, members) in view.groups() {
        let Some(case) = cases.iter().find(|case| case.group == group && case.time > deadline) else { continue };
        let Some(&first) = members.first() else { continue };
        findings.add(
            &rule::SLOWER_THAN_DEADLINE,
            view.name_span(first),
            view.path(first),
            format!(
                "a request for `{group}` may take {} and {} before its caller gets an error, who gives up after {}",
                written(case.time),
                counted(case.calls, "call", "calls"),
                written(deadline)
            ),
            format!(
                "lower `timeout` ({} per attempt) or `num_retries`: {} of {} must fit into {}",
                written(case.attempt),
                counted(case.calls, "attempt", "attempts"),
                case.way.join(" > "),
                written(deadline)
            ),
        );
    }
}

/// A length of time as people say it, to the second: `6m 8s`.
pub fn written(span: Span) -> String {
    let seconds = span.as_secs_f64();
    if seconds < 10.0 && seconds.fract() != 0.0 {
        return format!("{seconds:.1}s");
    }
    let whole = libm::round(seconds) as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    let parts: Vec<String> = [(hours, "h"), (minutes, "m"), (seconds, "s")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_chance_comes_on_top() {
        let waits: Vec<f64> = (0..6).map(|retry| wait(retry, 0.0)).collect();
        assert_eq!(waits, [1.25, 1.75, 2.75, 4.75, 8.75, 8.75]);
        assert_eq!(wait(0, 20.0), 8.75);
    }

    #[test]
    fn times_are_written_for_people() {
        for (seconds, text) in [(0.0, "0s"), (1.25, "1.2s"), (60.0, "1m"), (368.0, "6m 8s"), (6000.0, "1h 40m")] {
            assert_eq!(written(Span::from_secs_f64(seconds)), text);
        }
    }
}
