//! Context windows: whether a fallback can take what its primary takes.

use router_core::FallbackList;

use super::View;
use crate::litellm::finding::{Findings, rule};

pub(super) fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let config = &view.loaded.config;
    let list_is_set = config.router_settings.context_window_fallbacks.as_ref().is_some_and(|list| !list.is_empty())
        || config.litellm_settings.context_window_fallbacks.is_some();
    for (group, members) in view.groups() {
        let Some(&first) = members.first() else { continue };
        let (span, path) = (view.name_span(first), format!("{}.model_name", view.path(first)));
        let for_prompts = view.targets(group, FallbackList::ContextWindow);
        let for_all = view.targets(group, FallbackList::Fallbacks);
        let window = window(view, &members);
        if let Some(window) = window {
            for target in &for_prompts {
                if let Some(theirs) = self::window(view, &view.members(target)).filter(|theirs| *theirs <= window) {
                    findings.add(
                        &rule::CONTEXT_FALLBACK_NOT_LARGER,
                        span.clone(),
                        path.clone(),
                        format!(
                            "`{target}` takes {theirs} tokens and `{group}` {window}: a prompt too long for `{group}` \
                            does not fit into its context-window fallback either"
                        ),
                        "name a group with a larger window under context_window_fallbacks",
                    );
                }
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
    let windows = members.iter().map(|&index| {
        let entry = view.loaded.config.model_list.get(index)?;
        entry.max_input_tokens.or(entry.mapped_max_input_tokens)
    });
    windows.collect::<Option<Vec<_>>>()?.into_iter().max()
}
