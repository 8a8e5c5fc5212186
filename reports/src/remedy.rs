//! What to do about a cause: a sentence that is true of the run, the setting to blame, and the change.

use routedrill_sim::drill::{Cause, CauseKind, Fit, World, fit, retries_of, serves, stand_ins};
use routedrill_sim::litellm::Serves;
use routedrill_sim::metrics::Reason;
use router_core::{DeploymentId, FallbackList, NameId, NoFallback, NotCooledReason, Plan, Setting, Source, Span};

use crate::figures::{self, counted};
use crate::words;

/// A cause in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    /// What happened, with how many requests.
    pub what: String,
    /// The setting to blame and its value, with where that comes from.
    pub setting: String,
    /// What to change.
    pub change: String,
}

/// What a cause has to be seen with.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What was drilled.
    pub world: &'a World,
    /// The short names of the deployments.
    pub labels: &'a [String],
    /// The deployments that had failed.
    pub struck: &'a [DeploymentId],
    /// How long 99 % of the answers take at most when nothing fails.
    pub usual_p99: Option<Span>,
}

/// Puts a cause into words.
pub fn explain(scene: &Scene<'_>, cause: &Cause) -> Explained {
    let Scene { world, labels, struck, .. } = *scene;
    let plan = &*world.plan;
    let asked = plan.name(cause.asked);
    let requests = counted(cause.count, "request");
    let deadline = figures::chosen(world.deadline);
    let label = |id: DeploymentId| labels.get(id.index()).map_or("a deployment", String::as_str);
    match cause.kind {
        CauseKind::UnknownName => Explained {
            what: format!("LiteLLM knows no model `{asked}`: it answers every request for it with 400"),
            setting: "`model_list`: no such `model_name`, alias or wildcard".to_owned(),
            change: format!(
                "let clients ask for {}, or add `{asked}` under `router_settings.model_group_alias`",
                one_of(&groups(plan))
            ),
        },
        CauseKind::TimeoutAfterDeadline { timeout } => Explained {
            what: format!(
                "{requests} for `{asked}` waited in one attempt until their callers gave up after {deadline}; a timeout \
                 of {} comes too late for that",
                figures::setting(timeout.value)
            ),
            setting: timeout_setting(timeout),
            change: timeout_advice(scene, cause.asked, timeout, false),
        },
        CauseKind::ChainTooLong { timeout, retries } => Explained {
            what: format!(
                "{requests} for `{asked}` ran out of time after {deadline}: each of up to {} may take {}",
                counted(attempts_of(retries), "attempt"),
                figures::setting(timeout.value)
            ),
            setting: format!("{}; {}", timeout_setting(timeout), retries_setting(retries)),
            change: timeout_advice(scene, cause.asked, timeout, true),
        },
        CauseKind::Slept { retries } => Explained {
            what: format!(
                "{requests} for `{asked}` ran out of time after {deadline} while the router slept: with nobody else to \
                 try it waits, as long as Retry-After says, before each of {} and once more after the last",
                counted(attempts_of(retries).saturating_sub(1), "retry")
            ),
            setting: retries_setting(retries),
            change: if has_elsewhere(plan, cause.asked) && plan.settings().allowed_fails_counts {
                "lower `num_retries` (0 goes to the fallback at once): the failures that lead to a cooldown wait for it too"
                    .to_owned()
            } else if has_elsewhere(plan, cause.asked) {
                "lower `num_retries` (0 goes to the fallback at once), or set `router_settings.allowed_fails`, so that \
                 what fails cools and is skipped"
                    .to_owned()
            } else {
                fallback_advice(world, cause.asked, struck)
            },
        },
        CauseKind::PassedOver { deployment, reason } => Explained {
            what: format!(
                "{requests} for `{asked}` found nobody to call although {} was well: {}",
                label(deployment),
                words::passed_over(reason)
            ),
            setting: match reason {
                Reason::StrategyLimit | Reason::Rpm => limits_setting(plan, deployment, label(deployment)),
                _ => cooldown_setting(plan),
            },
            change: match reason {
                Reason::StrategyLimit | Reason::Rpm => format!(
                    "raise `rpm` and `tpm` of {} to its true quota, or add capacity: what is left has to carry the \
                     whole load",
                    label(deployment)
                ),
                _ => "replay the row and look at the first request".to_owned(),
            },
        },
        CauseKind::NoFallback { gave_up } => Explained {
            what: format!(
                "{requests} for `{asked}` failed: every deployment of it had failed, and it has no fallback{}",
                because(gave_up.map(words::gave_up))
            ),
            setting: no_fallback_setting(plan, cause.asked),
            change: fallback_advice(world, cause.asked, struck),
        },
        CauseKind::SiblingMissed { gave_up } => Explained {
            what: format!(
                "{requests} for `{asked}` failed although one of its deployments was well{}",
                because(gave_up.map(words::gave_up))
            ),
            setting: format!("{}; `fallbacks`: no entry for `{asked}`", retries_setting(plan.settings().num_retries)),
            change: format!(
                "give `{asked}` a fallback, so that a request that meets only what has failed has somewhere to go"
            ),
        },
        CauseKind::FallbackUndefined { to } => Explained {
            what: format!("{requests} for `{asked}` failed: their fallback `{}` is not in `model_list`", plan.name(to)),
            setting: fallbacks_setting(plan, cause.asked),
            change: format!("add `{}` to `model_list`, or name a group that is there", plan.name(to)),
        },
        CauseKind::FallbackStruckToo { to } => Explained {
            what: format!("{requests} for `{asked}` failed: the same outage struck their fallback `{}`", plan.name(to)),
            setting: fallbacks_setting(plan, cause.asked),
            change: fallback_advice(world, cause.asked, struck),
        },
        CauseKind::FallbackFailed { to, class } => Explained {
            what: format!(
                "{requests} for `{asked}` failed: their fallback `{}` failed too{}",
                plan.name(to),
                because(class.map(router_core::ErrorClass::name))
            ),
            setting: fallbacks_setting(plan, cause.asked),
            change: format!("look at `{}`: drill it by itself with `--model {}`", plan.name(to), plan.name(to)),
        },
        CauseKind::FallbackEnded { because: reason } => Explained {
            what: format!("{requests} for `{asked}` failed: {}", words::no_fallback(reason)),
            setting: match reason {
                NoFallback::MaxFallbacks => format!("`max_fallbacks`: {}", plan.settings().max_fallbacks.value),
                NoFallback::Disabled => "`disable_fallbacks` of the request".to_owned(),
                NoFallback::NoEntry | NoFallback::AllTried => fallbacks_setting(plan, cause.asked),
            },
            change: fallback_advice(world, cause.asked, struck),
        },
        CauseKind::Error { class, status } => Explained {
            what: format!("{requests} for `{asked}` ended with {status} {} before any fallback", class.name()),
            setting: "none that is known".to_owned(),
            change: "replay the row and look at the first request".to_owned(),
        },
        CauseKind::NeverCooled { deployment, because: reason } => Explained {
            what: format!(
                "{} was called on and on: {} failed and none of them cooled it ({})",
                label(deployment),
                counted(cause.count, "call"),
                words::not_cooled(reason)
            ),
            setting: cooldown_setting(plan),
            change: cooldown_advice(reason),
        },
        CauseKind::LongTimeout { timeout } => Explained {
            what: format!(
                "{} ran into a timeout of {} before somebody else was tried",
                counted(cause.count, "attempt"),
                figures::setting(timeout.value)
            ),
            setting: timeout_setting(timeout),
            change: format!("lower {} towards the longest answer that is worth waiting for", timeout_key(timeout.from)),
        },
        CauseKind::Sleeps { slept } => Explained {
            what: format!(
                "requests slept {} before {}, and after the last one before falling back",
                figures::span(slept),
                counted(cause.count, "retry")
            ),
            setting: retries_setting(plan.settings().num_retries),
            change: "lower `num_retries` where a fallback answers anyway, or let the deployment cool earlier"
                .to_owned(),
        },
        CauseKind::SlowUnnoticed => Explained {
            what: "nothing failed, so no retry, cooldown or fallback took effect: answers only took longer".to_owned(),
            setting: format!("`routing_strategy` and {}", timeout_setting(plan.settings().timeout)),
            change:
                "a `timeout` just above the longest normal answer turns slowness into a failure that is routed around; \
                     `latency-based-routing` moves traffic by itself"
                    .to_owned(),
        },
    }
}

/// Where a setting comes from.
pub fn origin(source: Source) -> &'static str {
    match source {
        Source::RouterSettings => "router_settings",
        Source::LitellmSettings => "litellm_settings",
        Source::Deployment => "litellm_params",
        Source::ModelInfo => "model_info",
        Source::Default => "LiteLLM default",
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(" ({reason})"))
}

fn no_fallback_setting(plan: &Plan, asked: NameId) -> String {
    let name = plan.name(asked);
    if plan.fallback_chain(asked, FallbackList::Fallbacks).is_empty() {
        format!("`fallbacks`: no entry for `{name}`")
    } else if has_default_fallbacks(plan, asked) {
        format!("`default_fallbacks`: nothing but `{name}` itself")
    } else {
        format!("`fallbacks`: nothing but `{name}` itself for `{name}`")
    }
}

/// Whether a name has no fallbacks but those for all names.
pub(crate) fn has_default_fallbacks(plan: &Plan, asked: NameId) -> bool {
    !plan.fallback_chain(asked, FallbackList::Default).is_empty()
}

fn fallbacks_setting(plan: &Plan, asked: NameId) -> String {
    if has_default_fallbacks(plan, asked) {
        "`default_fallbacks`".to_owned()
    } else {
        format!("`fallbacks` of `{}`", plan.name(asked))
    }
}

fn timeout_setting(timeout: Setting<Span>) -> String {
    format!("`timeout`: {} ({})", figures::setting(timeout.value), origin(timeout.from))
}

fn retries_setting(retries: Setting<i64>) -> String {
    format!("`num_retries`: {} ({})", retries.value, origin(retries.from))
}

fn cooldown_setting(plan: &Plan) -> String {
    let settings = plan.settings();
    format!(
        "`allowed_fails`: {} ({}); `cooldown_time`: {}s ({})",
        settings.allowed_fails.value,
        origin(settings.allowed_fails.from),
        settings.cooldown_time.value,
        origin(settings.cooldown_time.from)
    )
}

fn cooldown_advice(reason: NotCooledReason) -> String {
    match reason {
        NotCooledReason::Alone => {
            "set `router_settings.allowed_fails` (LiteLLM counts failures of a group of one only then, and only with a \
             fallback) and `cooldown_time`"
        }
        NotCooledReason::BelowThreshold => "set `router_settings.allowed_fails` lower, or `cooldown_time` longer",
        NotCooledReason::AlreadyCounted => {
            "nothing in the config: behind the proxy only the first failure of each request counts"
        }
        NotCooledReason::Disabled => "remove `router_settings.disable_cooldowns`",
        NotCooledReason::ZeroTime => "set a `cooldown_time` above zero",
        NotCooledReason::Ineligible => "nothing in the config: LiteLLM never cools for this error",
        NotCooledReason::Wildcard => "name the models instead of using a wildcard: deployments behind `*` never cool",
        NotCooledReason::CallerTimeout => "nothing in the config: timeouts that callers choose do not count",
    }
    .to_owned()
}

/// The attempts that the retry layer may make of one group.
fn attempts_of(retries: Setting<i64>) -> u64 {
    u64::try_from(retries.value).unwrap_or(0) + 1
}

/// Whether a request for a name has anywhere else to go: another deployment, or a fallback that is there.
pub(crate) fn has_elsewhere(plan: &Plan, asked: NameId) -> bool {
    let chain = plan.fallback_chain(asked, FallbackList::Fallbacks);
    plan.members(asked).len() > 1
        || chain.iter().filter_map(|target| target.model).any(|to| to != asked && !plan.members(to).is_empty())
}

/// A timeout that leaves normal answers alone and somebody else the time to answer.
///
/// `all_failed`: every attempt met what had failed, so that all of them have to fit in, as in a group of one.
fn timeout_advice(scene: &Scene<'_>, asked: NameId, timeout: Setting<Span>, all_failed: bool) -> String {
    let (world, plan) = (scene.world, &*scene.world.plan);
    let (name, key) = (plan.name(asked), timeout_key(timeout.from));
    let Some(usual) = scene.usual_p99 else {
        return format!("set {key} above the longest normal answer");
    };
    let shown = (figures::seconds(usual.as_secs_f64()), figures::chosen(world.deadline));
    if !has_elsewhere(plan, asked) {
        return format!(
            "give `{name}` a fallback, and set {key} above the p99 of its normal answers ({}): without a fallback a \
             timeout only lets requests fail earlier",
            shown.0
        );
    }
    let alone = plan.members(asked).len() == 1;
    let retries = retries_of(world, asked);
    match fit(world, asked, usual, all_failed) {
        Some(Fit { retries: None, lowest, highest }) => format!(
            "set {key} {}: above the p99 of normal answers ({}), and early enough for {} to answer within {}",
            between(lowest, highest),
            shown.0,
            if alone { "the fallback" } else { "another deployment or a fallback" },
            shown.1
        ),
        Some(Fit { retries: Some(fewer), lowest, highest }) => format!(
            "set `num_retries` to {fewer} and {key} {}: with {} of answers that normally take up to {} no time is left \
             for the fallback within {}",
            between(lowest, highest),
            counted(attempts_of(retries), "attempt"),
            shown.0,
            shown.1
        ),
        None => format!(
            "nothing fits: normal answers take up to {} (p99), and two of them do not fit into the callers' {}",
            shown.0, shown.1
        ),
    }
}

fn between(lowest: u64, highest: u64) -> String {
    if lowest == highest { format!("to {lowest}s") } else { format!("between {lowest}s and {highest}s") }
}

/// Where a timeout is to be changed that was set there.
fn timeout_key(from: Source) -> &'static str {
    match from {
        Source::Deployment => "`litellm_params.timeout`",
        Source::LitellmSettings => "`litellm_settings.request_timeout`",
        _ => "`router_settings.timeout`",
    }
}

fn limits_setting(plan: &Plan, deployment: DeploymentId, label: &str) -> String {
    let deployment = plan.deployment(deployment);
    let limit = |limit: router_core::Limit| {
        let value = limit.entry.or(limit.params).or(limit.info);
        value.map_or_else(|| "none".to_owned(), |value| value.to_string())
    };
    format!("`rpm`: {} and `tpm`: {} of {label}", limit(deployment.rpm), limit(deployment.tpm))
}

/// Every model group, once, in order.
fn groups(plan: &Plan) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for deployment in plan.deployments() {
        if !groups.contains(&deployment.model_name) {
            groups.push(deployment.model_name.clone());
        }
    }
    groups
}

fn one_of(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().take(4).map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "a model that is there".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn fallback_advice(world: &World, asked: NameId, struck: &[DeploymentId]) -> String {
    let found = stand_ins(world, asked, struck);
    let kind = serves(world, asked);
    let asked = world.plan.name(asked);
    match (found.is_empty(), kind) {
        (false, _) => {
            format!("give `{asked}` a fallback that does not fail with it: of this config {}", one_of(&found))
        }
        (true, Serves::Embedding) => format!(
            "give `{asked}` a deployment of the same model on a provider, region and key that do not fail with it: no \
             other model gives the same vectors, and the config has no other with this one"
        ),
        (true, Serves::Chat) => format!(
            "give `{asked}` a fallback on a provider, region and key that do not fail with it; the config has none of its kind \
             with a context window as large"
        ),
        (true, kind) => format!(
            "give `{asked}` a fallback for {} on a provider, region and key that do not fail with it; the config has none",
            kind.words()
        ),
    }
}
