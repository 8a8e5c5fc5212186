//! Groups of one deployment: what happens to every request when it is down.

use router_core::{FallbackList, Source};

use super::View;
use super::worst_case::written;
use crate::litellm::finding::{Findings, rule};

pub(super) fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let settings = view.plan.settings();
    for (group, members) in view.groups() {
        let &[index] = members.as_slice() else { continue };
        let Some(deployment) = view.plan.deployments().get(index) else { continue };
        let targets = view.targets(group, FallbackList::Fallbacks);
        let span = view.name_span(index);
        let path = format!("{}.model_name", view.path(index));
        let Some(&first) = targets.first() else {
            if !deployment.wildcard {
                findings.add(
                    &rule::NO_REDUNDANCY,
                    span,
                    path,
                    format!("`{group}` has one deployment and no fallback: while that is down, every request fails"),
                    "add a second deployment elsewhere with the same `model_name`, or a `fallbacks` entry",
                );
            }
            continue;
        };
        if deployment.wildcard {
            findings.add(
                &rule::WILDCARD_NEVER_RESTS,
                span,
                path,
                format!(
                    "LiteLLM never cools a deployment with a wildcard name down: in an outage every request tries \
                    `{group}` first and goes to `{first}` only when its retries are used up"
                ),
                "write the models that matter as entries of their own",
            );
            continue;
        }
        let counts = settings.allowed_fails_counts
            || settings.allowed_fails_policy.is_some()
            || deployment.allowed_fails.is_some()
            || deployment.allowed_fails_policy.is_some();
        // Who switches cooldowns off meant it.
        let meant = settings.disable_cooldowns.value && settings.disable_cooldowns.from != Source::Default;
        if !deployment.alone || counts || meant {
            continue;
        }
        let retries = deployment.num_retries.value > 0 || settings.retry_policy.is_some();
        let tries = match retries {
            true => format!("first, with all its retries, and goes to `{first}` when those are used up"),
            false => format!(
                "first and goes to `{first}` when that has failed, after {} if it hangs",
                written(deployment.timeout.value)
            ),
        };
        findings.add(
            &rule::NO_CIRCUIT_BREAKER,
            span,
            path,
            format!(
                "`{group}` has one deployment, and LiteLLM does not cool such a one down for 429s, 5xx or timeouts \
                unless failures are counted: in an outage every request tries it {tries}"
            ),
            format!(
                "add to router_settings: `allowed_fails: 2` and `cooldown_time: {}`",
                if settings.cooldown_time.from == Source::Default { 60.0 } else { settings.cooldown_time.value }
            ),
        );
    }
}
