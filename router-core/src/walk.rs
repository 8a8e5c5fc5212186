//! The fallback layer (LiteLLM: `async_function_with_fallbacks_common_utils`, `run_async_fallback`).

use std::sync::Arc;

use crate::attempt::Step;
use crate::config::RoutingStrategy;
use crate::error::{ErrorClass, Exception};
use crate::ids::NameId;
use crate::note::{FallbackList, NoFallback, Note};
use crate::output::Outcome;
use crate::plan::{ChainId, Plan};
use crate::request::{Carried, ChainSource, Request, Tried, WalkKind};
use crate::retry::RETRIES_REMEMBERED;
use crate::router::{Context, Router};

impl Router {
    /// The retry layer of a frame gave up: a fallback, or none.
    pub(crate) fn resolve_fallback(&mut self, cx: &mut Context<'_>, slot: u32, exception: Exception) -> Step {
        let rules = cx.plan.rules();
        let request = self.requests.at(slot);
        let frame = request.frame();
        frame.error = exception;
        if frame.carried.as_ref().is_some_and(|carried| carried.disable_fallbacks) {
            return self.no_fallback(cx, slot, NoFallback::Disabled);
        }
        let typed = matches!(
            exception.error.class,
            ErrorClass::ContextWindowExceededError | ErrorClass::ContentPolicyViolationError
        );
        let route = cx.plan.route(frame.name);
        if rules.order_levels_fall_back && route.orders.len() > 1 && !typed {
            let reached = frame.target_order.unwrap_or(route.orders[0]);
            let (chain, list) = chain_of(cx.plan, request).unwrap_or((ChainSource::Empty, FallbackList::Order));
            if chain != ChainSource::Empty || route.orders.iter().any(|&level| level > reached) {
                return self.start_walk(cx, slot, WalkKind::Levels, chain, list);
            }
        }
        let shuffles = cx.plan.settings().routing_strategy.value == RoutingStrategy::SimpleShuffle;
        if cx.plan.settings().enable_weighted_failover && shuffles && !typed && self.can_fail_over(cx, slot, exception)
        {
            return self.start_walk(cx, slot, WalkKind::Failover, ChainSource::Empty, FallbackList::WeightedFailover);
        }
        self.fall_back_by_list(cx, slot)
    }

    /// Takes the chain of the list that is responsible for the error.
    fn fall_back_by_list(&mut self, cx: &mut Context<'_>, slot: u32) -> Step {
        let plan = cx.plan;
        let request = self.requests.get(slot);
        let frame = request.top();
        let asked = frame.carried.as_ref().and_then(|carried| carried.fallbacks.as_ref());
        if asked.is_some_and(|list| !list.is_empty()) {
            return self.start_walk(cx, slot, WalkKind::Chain, ChainSource::Request, FallbackList::Request);
        }
        let list = match frame.error.error.class {
            ErrorClass::ContextWindowExceededError => FallbackList::ContextWindow,
            ErrorClass::ContentPolicyViolationError => FallbackList::ContentPolicy,
            _ => FallbackList::Fallbacks,
        };
        let typed = list != FallbackList::Fallbacks;
        // A list of that kind that exists but does not know the name stops the search.
        let found = if typed && plan.chains().list(list, frame.lists()).is_some_and(|list| list.is_set) {
            look_up(plan, request, list).map(|(chain, _)| (ChainSource::Plan(chain), list))
        } else {
            chain_of(plan, request)
        };
        match found {
            Some((chain, list)) => self.start_walk(cx, slot, WalkKind::Chain, chain, list),
            None => self.no_fallback(cx, slot, NoFallback::NoEntry),
        }
    }

    fn start_walk(
        &mut self,
        cx: &mut Context<'_>,
        slot: u32,
        kind: WalkKind,
        chain: ChainSource,
        list: FallbackList,
    ) -> Step {
        let request = self.requests.at(slot);
        let frame = request.frame();
        let (name, depth) = (frame.name, frame.depth);
        frame.walk.kind = kind;
        frame.walk.chain = chain;
        frame.walk.list = list;
        frame.walk.next = 0;
        frame.walk.levels_taken = 0;
        frame.walk.name = name;
        frame.walk.depth = depth;
        frame.walk.last = frame.error;
        frame.walk.carried = frame.carried.clone();
        if depth >= cx.plan.settings().max_fallbacks.value {
            return self.end_walk(cx, slot, NoFallback::MaxFallbacks);
        }
        if cx.plan.rules().remembers_targets {
            remember(request, Tried::Name(name));
        }
        Step::NextTarget
    }

    /// Tries the next target of the walk that is under way.
    pub(crate) fn next_target(&mut self, cx: &mut Context<'_>, slot: u32) -> Step {
        let plan = cx.plan;
        let remembers = plan.rules().remembers_targets;
        loop {
            let request = self.requests.at(slot);
            let frame = request.frame();
            let from = frame.name;
            if frame.walk.kind == WalkKind::Failover {
                if frame.walk.next > 0 {
                    return self.end_walk(cx, slot, NoFallback::AllTried);
                }
                frame.walk.next = 1;
                let failed = frame.error.deployment.map(|id| plan.deployment(id).twin);
                frame.failed_over.extend(failed.filter(|id| !frame.failed_over.contains(id)));
                let step = self.hop(cx, slot, from, None, FallbackList::WeightedFailover);
                // They are left out of this hop; one by a list, later, may choose them again.
                let hop = self.requests.at(slot).frame();
                hop.excluded.clone_from(&hop.failed_over);
                return step;
            }
            if frame.walk.kind == WalkKind::Levels {
                let orders = &plan.route(from).orders;
                let reached = frame.target_order.unwrap_or(orders[0]);
                let taken = frame.walk.levels_taken;
                if let Some(&level) = orders.iter().filter(|&&level| level > reached).nth(taken) {
                    frame.walk.levels_taken += 1;
                    if remembers && !remember(request, Tried::Level(from, level)) {
                        continue;
                    }
                    return self.hop(cx, slot, from, Some(level), FallbackList::Order);
                }
            }
            let index = frame.walk.next;
            frame.walk.next += 1;
            let list = frame.walk.list;
            let asked: Option<Arc<[_]>>;
            let targets = match frame.walk.chain {
                ChainSource::Empty => &[],
                ChainSource::Plan(chain) => plan.chains().targets(chain),
                ChainSource::Request => {
                    asked = frame.carried.as_ref().and_then(|carried| carried.fallbacks.clone());
                    asked.as_deref().unwrap_or(&[])
                }
            };
            let Some(target) = targets.get(index) else {
                return self.end_walk(cx, slot, NoFallback::AllTried);
            };
            let bare = target.map.is_none() && target.params.is_none();
            if bare && target.model == Some(from) {
                continue;
            }
            let key = match (target.map, target.model) {
                (Some(map), _) => Some(Tried::Map(map)),
                (None, model) => model.map(Tried::Name),
            };
            if remembers && key.is_some_and(|key| !remember(request, key)) {
                continue;
            }
            let walk = &mut request.frame().walk;
            if let Some(params) = &target.params {
                walk.carried = Some(Carried::merge(walk.carried.as_ref(), params));
            }
            let to = target.model.unwrap_or(walk.name);
            return self.hop(cx, slot, to, None, list);
        }
    }

    /// Begins a hop.
    fn hop(&mut self, cx: &mut Context<'_>, slot: u32, to: NameId, level: Option<i64>, list: FallbackList) -> Step {
        let request = self.requests.at(slot);
        request.retry_count += 1;
        self.retries = (self.retries + 1).min(RETRIES_REMEMBERED);
        let id = request.id();
        let frame = request.frame();
        let from = frame.name;
        let depth = frame.walk.depth.max(0) as u32;
        frame.walk.depth += 1;
        frame.walk.name = to;
        let (next_depth, carried) = (frame.walk.depth, frame.walk.carried.clone());
        cx.note(Note::FellBack { request: id, from, to, depth, list });
        request.push(to, next_depth, level, carried);
        Step::Attempt
    }

    /// A frame has failed for good: the walk that made it goes on, or the caller gets the error.
    pub(crate) fn hop_failed(&mut self, cx: &mut Context<'_>, slot: u32, exception: Exception) -> Step {
        if self.requests.get(slot).depth() == 1 {
            self.deliver_reports_of_the_past(cx, slot);
            if self.waits_for_cooldown(cx, slot, &exception) {
                return Step::Wait;
            }
        }
        if !self.requests.at(slot).pop() {
            return Step::Answer(Outcome::Failed(exception.error));
        }
        self.weigh_failed_hop(cx, slot, &exception);
        self.requests.at(slot).frame().walk.last = exception;
        Step::NextTarget
    }

    /// A walk has come to its end without success.
    fn end_walk(&mut self, cx: &mut Context<'_>, slot: u32, because: NoFallback) -> Step {
        let frame = self.requests.at(slot).frame();
        let kind = frame.walk.kind;
        frame.walk.kind = WalkKind::None;
        if kind == WalkKind::Failover {
            let class = frame.walk.last.error.class;
            if because == NoFallback::AllTried && class.is_of_python() {
                // LiteLLM expects errors of providers there, and "no deployments available".
                frame.error = frame.walk.last;
                return self.no_fallback(cx, slot, because);
            }
            return self.fall_back_by_list(cx, slot);
        }
        // Whatever failed on the way, the frame fails with its own error; only a walk through levels raises the last.
        if kind == WalkKind::Levels {
            frame.error = frame.walk.last;
        }
        self.no_fallback(cx, slot, because)
    }

    fn no_fallback(&mut self, cx: &mut Context<'_>, slot: u32, because: NoFallback) -> Step {
        let request = self.requests.get(slot);
        let frame = request.top();
        cx.note(Note::FallbackExhausted { request: request.id(), group: frame.name, because });
        Step::HopFailed(frame.error)
    }

    /// Whether the group has healthy deployments besides those that have failed (LiteLLM:
    /// `_maybe_run_weighted_failover`).
    fn can_fail_over(&self, cx: &Context<'_>, slot: u32, exception: Exception) -> bool {
        let Some(failed) = exception.deployment.map(|id| cx.plan.deployment(id).twin) else { return false };
        let frame = self.requests.get(slot).top();
        cx.plan.route(frame.name).listed.iter().any(|&id| {
            let twin = cx.plan.deployment(id).twin;
            twin != failed
                && !frame.failed_over.contains(&twin)
                && self.cooldowns.cooled_until(cx.plan, id, cx.now).is_none()
                && !self.half_open.is_full(cx.plan, id)
        })
    }
}

/// Remembers a target; says whether it is a new one.
fn remember(request: &mut Request, target: Tried) -> bool {
    let new = !request.tried.contains(&target);
    if new {
        request.tried.push(target);
    }
    new
}

/// The chain that a request's own list or `fallbacks` has for the frame at work.
fn chain_of(plan: &Plan, request: &Request) -> Option<(ChainSource, FallbackList)> {
    match request.top().carried.as_ref().and_then(|carried| carried.fallbacks.as_ref()) {
        Some(list) if list.is_empty() => None,
        Some(_) => Some((ChainSource::Request, FallbackList::Request)),
        None => look_up(plan, request, FallbackList::Fallbacks).map(|(chain, specific)| {
            let list = if specific { FallbackList::Fallbacks } else { FallbackList::Default };
            (ChainSource::Plan(chain), list)
        }),
    }
}

/// Looks the frame's name up in a list, and the name that was asked for where the release does.
fn look_up(plan: &Plan, request: &Request, list: FallbackList) -> Option<(ChainId, bool)> {
    let list = plan.chains().list(list, request.top().lists())?;
    let own = list.find(request.top().name);
    let original = list.find(request.name).filter(|_| plan.rules().resumes_original_chain);
    let specific = [own, original].into_iter().flatten().find(|found| found.specific);
    specific.or(own).or(original).map(|found| (found.chain, found.specific))
}
