//! Fallbacks in the configured order, and no target twice.

use router_core::{ErrorClass, FallbackList, NameId, Plan, Target};

use super::law::About;
use super::ledger::Seen;

pub(super) const ABOUT: About = About {
    name: "fallback-order",
    says: "fallbacks in the configured order, none passed over, no target twice",
    source: "get_fallback_model_group, run_async_fallback, AttemptedFallbackTargets",
};

/// The chain that a layer for `from` walks, of a request that asked for `asked`.
pub(super) fn chain(plan: &Plan, from: NameId, asked: NameId, list: FallbackList) -> &[Target] {
    let list = if list == FallbackList::Default { FallbackList::Fallbacks } else { list };
    let own = plan.fallback_chain(from, list);
    let specific =
        |name| list != FallbackList::Fallbacks || plan.fallback_chain(name, FallbackList::Default).is_empty();
    if !plan.rules().resumes_original_chain || !own.is_empty() && specific(from) {
        return own;
    }
    let original = plan.fallback_chain(asked, list);
    if own.is_empty() || !original.is_empty() && specific(asked) { original } else { own }
}

/// The list that is responsible for an error: one of its own, where somebody wrote such a list.
pub(super) fn list_for(plan: &Plan, raised: Option<Seen>) -> FallbackList {
    let typed = match raised.map(|seen| seen.error.class) {
        Some(ErrorClass::ContextWindowExceededError) => FallbackList::ContextWindow,
        Some(ErrorClass::ContentPolicyViolationError) => FallbackList::ContentPolicy,
        _ => FallbackList::Fallbacks,
    };
    if plan.has_fallback_list(typed) { typed } else { FallbackList::Fallbacks }
}

/// The target of a chain that is due next, and its place in it.
pub(super) fn due(chain: &[Target], next: usize, from: NameId, tried: &[NameId]) -> Option<(usize, NameId)> {
    let skipped = |target: NameId| target == from || tried.contains(&target);
    chain
        .iter()
        .enumerate()
        .skip(next)
        .find_map(|(index, target)| target.model.filter(|&model| !skipped(model)).map(|model| (index, model)))
}

/// A step to a fallback.
pub(super) fn of_step(plan: &Plan, fits: bool, from: NameId, to: NameId) -> Option<String> {
    (!fits).then(|| format!("fell back from {} to {}, which was not due", plan.name(from), plan.name(to)))
}

/// A walk that ends, although a target was left.
pub(super) fn of_end(plan: &Plan, from: NameId, left: NameId) -> String {
    format!("no fallback is left for {}, it says, and {} was not tried", plan.name(from), plan.name(left))
}
