//! Prompts that are too long or not wanted: whether somebody else can take them.

use router_core::FallbackList;

use super::View;
use crate::litellm::finding::{Findings, rule};

pub(super) fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let config = &view.loaded.config;
    let list_is_set = config.router_settings.context_window_fallbacks.as_ref().is_some_and(|list| !list.is_empty())
        || config.litellm_settings.context_window_fallbacks.is_some();
    let policy_list_is_set =
        config.router_settings.content_policy_fallbacks.as_ref().is_some_and(|list| !list.is_empty())
            || config.litellm_settings.content_policy_fallbacks.is_some();
    for (group, members) in view.groups() {
        let Some(&first) = members.first() else { continue };
        let (span, path) = (view.name_span(first), format!("{}.model_name", view.path(first)));
        let for_prompts = view.targets(group, FallbackList::ContextWindow);
        let for_all = view.targets(group, FallbackList::Fallbacks);
        let window = window(view, &members);
        if let Some(window) = window {
            let theirs: Vec<_> =
                for_prompts.iter().map(|target| (target, self::window(view, &view.members(target)))).collect();
            // One that takes more, or nobody knows how much, is enough: LiteLLM asks one after the other.
            let none_is_larger = theirs.iter().all(|(_, theirs)| theirs.is_some_and(|theirs| theirs <= window));
            if let Some((target, Some(largest))) =
                theirs.iter().max_by_key(|(_, theirs)| *theirs).filter(|_| none_is_larger)
            {
                findings.add(
                    &rule::CONTEXT_FALLBACK_NOT_LARGER,
                    span.clone(),
                    path.clone(),
                    format!(
                        "`{target}` takes {largest} tokens and `{group}` {window}: a prompt too long for `{group}` does \
                        not fit into its context-window fallback either"
                    ),
                    "name a group with a larger window under context_window_fallbacks",
                );
            }
            let smaller = for_all.iter().find_map(|target| {
                let theirs = self::window(view, &view.members(target)).filter(|theirs| *theirs < window)?;
                Some((target, theirs))
            });
            if let Some((target, theirs)) = smaller {
                findings.add(
                    &rule::SMALLER_WINDOW,
                    span.clone(),
                    path.clone(),
                    format!(
                        "`{group}` takes {window} tokens and its fallback `{target}` {theirs}: in an outage, longer \
                        prompts fail"
                    ),
                    "know that it is so, or put a group with a larger window first",
                );
            }
        }
        if policy_list_is_set && !for_all.is_empty() && view.targets(group, FallbackList::ContentPolicy).is_empty() {
            findings.add(
                &rule::NO_CONTENT_POLICY_FALLBACK,
                span.clone(),
                path.clone(),
                format!(
                    "content_policy_fallbacks is set and has no entry for `{group}`: a prompt that is refused for its \
                    content fails, and its other fallbacks are not asked"
                ),
                format!("add `{group}` there if another provider is to be asked"),
            );
        }
        if list_is_set && for_prompts.is_empty() && !for_all.is_empty() && window.is_some() {
            findings.add(
                &rule::NO_CONTEXT_FALLBACK,
                span,
                path,
                format!(
                    "context_window_fallbacks is set and has no entry for `{group}`: a prompt too long for it fails, \
                    and its other fallbacks are not asked"
                ),
                format!("add `{group}` there if a larger model is to take its long prompts"),
            );
        }
    }
}

/// The largest prompt that some deployment of the group takes, where the window of each is known.
fn window(view: &View<'_>, members: &[usize]) -> Option<u64> {
    members.iter().map(|&index| of(view, index)).collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// The largest prompt that a deployment takes, in tokens, where that is known.
pub(super) fn of(view: &View<'_>, index: usize) -> Option<u64> {
    let entry = view.loaded.config.model_list.get(index)?;
    entry.max_input_tokens.or(entry.mapped_max_input_tokens)
}
