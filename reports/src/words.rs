//! What the core's enums are called in reports.

use routedrill_sim::metrics::{Doing, Loss, LossEnd, NextHop, Phase, Reason};
use routedrill_sim::scenario::{MustSee, what_if};
use routedrill_sim::swarm::Situation;
use router_core::{
    CooldownReason, ErrorClass, FallbackList, GiveUpReason, Mode, NoFallback, NotCooledReason, Plan, RetriesFrom,
    RoutingStrategy, WaitReason, WhatIf,
};

use crate::figures;

/// A word for a shell: as it is where that is safe, else in quotes.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:+@%,=#".contains(c);
    // A `#` begins a comment only at the beginning of a word.
    if !word.is_empty() && !word.starts_with('#') && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// How requests reach the Router.
pub fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Proxy => "proxy",
        Mode::Sdk => "sdk",
    }
}

/// A stretch of a run.
pub fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Before => "before",
        Phase::During => "during",
        Phase::After => "after",
    }
}

/// A situation, by its word in scenario files.
pub fn situation(situation: MustSee) -> &'static str {
    match situation {
        MustSee::RateLimited => "rate_limited",
        MustSee::RetryAfter => "retry_after",
        MustSee::ServerError => "server_error",
        MustSee::Timeout => "timeout",
        MustSee::Refused => "refused",
        MustSee::Revoked => "revoked",
        MustSee::Cooldown => "cooldown",
        MustSee::AllCooling => "all_cooling",
        MustSee::Retry => "retry",
        MustSee::Fallback => "fallback",
        MustSee::FallbackExhausted => "fallback_exhausted",
        MustSee::Abort => "abort",
        MustSee::Overlap => "overlap",
        MustSee::Recovery => "recovery",
    }
}

/// A situation that a run may meet: its kind, and what it is.
pub fn met(situation: Situation) -> (&'static str, &'static str) {
    match situation {
        Situation::Seen(seen) => ("seen", self::situation(seen)),
        Situation::Failed(class) => ("failed with", class.name()),
        Situation::PassedOver(reason) => ("passed over", passed_over(reason)),
        Situation::Cooled(because) => ("cooled", cooled(because)),
        Situation::NotCooled(because) => ("not cooled", not_cooled(because)),
        Situation::Waited(because) => ("wait set by", waited(because)),
        Situation::Retries(from) => ("retries from", retries_from(from)),
        Situation::GaveUp(because) => ("gave up", gave_up(because)),
        Situation::FellBack(list) => ("fell back by", fallback_list(list)),
        Situation::NoFallback(because) => ("no fallback", no_fallback(because)),
        Situation::Defect(defect) => ("known defect", defect.name()),
    }
}

/// What set a wait before a retry.
pub fn waited(because: WaitReason) -> &'static str {
    match because {
        WaitReason::AnotherIsHealthy => "another healthy deployment: none",
        WaitReason::RetryAfter => "Retry-After",
        WaitReason::Backoff => "exponential backoff",
    }
}

/// The policies of a plan that LiteLLM does not have, in the words of scenarios: `half-open=1`.
pub fn supposed(plan: &Plan) -> Vec<String> {
    policies(plan.what_if())
}

/// Policies that LiteLLM does not have, in the same words.
pub fn policies(what_if: &WhatIf) -> Vec<String> {
    what_if::policies(what_if).into_iter().map(|(word, value)| format!("{word}={value}")).collect()
}

/// What every report of a router with such policies says first, so that nobody takes it for what their proxy does.
pub fn not_litellm(what_if: &[String]) -> Option<String> {
    (!what_if.is_empty()).then(|| {
        format!(
            "NOT LITELLM: {}. No LiteLLM release does this: it shows what it would buy, not what your proxy does.",
            what_if.join(", ")
        )
    })
}

/// A quantile: `p99.9`, `max`.
pub fn quantile(share: f64) -> String {
    if share >= 1.0 {
        return "max".to_owned();
    }
    // Shares are written in percent: 0.999 is 99.9, whatever its last bit.
    let text = format!("{:.4}", share * 100.0);
    format!("p{}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Which rule began a cooldown.
pub fn cooled(because: CooldownReason) -> &'static str {
    match because {
        CooldownReason::RateLimited => "a 429 in a group of several",
        CooldownReason::NotRetryable => "a status that is not retried",
        CooldownReason::FailureShare => "more than half of at least 5 calls failed",
        CooldownReason::AllFailed => "a thousand calls, all failed",
        CooldownReason::AllowedFails => "more failures than allowed",
        CooldownReason::OwnLimit => "the router's own limit",
        CooldownReason::ProbeFailed => "it was half open, and a probe failed",
    }
}

/// Which rule kept a failure from beginning a cooldown.
pub fn not_cooled(because: NotCooledReason) -> &'static str {
    match because {
        NotCooledReason::AlreadyCounted => "an earlier failure of the same request was counted",
        NotCooledReason::CallerTimeout => "the caller chose the timeout",
        NotCooledReason::ZeroTime => "its cooldown time is zero",
        NotCooledReason::Disabled => "cooldowns are disabled",
        NotCooledReason::Ineligible => "LiteLLM does not cool for this error",
        NotCooledReason::Wildcard => "deployments behind a wildcard never cool",
        NotCooledReason::Alone => "it is the only deployment of its group",
        NotCooledReason::BelowThreshold => "too few failures so far",
    }
}

/// Which filter passed a deployment over.
pub fn passed_over(reason: Reason) -> &'static str {
    match reason {
        Reason::Team => "it belongs to another team",
        Reason::Cooldown => "it was in cooldown",
        Reason::Blocked => "it is blocked",
        Reason::Budget => "its budget is spent",
        Reason::ContextWindow => "the prompts exceed its context window",
        Reason::Rpm => "it was over the rpm that the config gives it",
        Reason::Region => "it is in another region",
        Reason::Tags => "its tags do not match",
        Reason::Order => "another order level comes first",
        Reason::WeightedFailover => "it had failed in the same request",
        Reason::RetrySkip => "it had refused the same request",
        Reason::StrategyLimit => "the routing strategy found it over the rpm or tpm that the config gives it",
        Reason::HalfOpen => "it was half open, and being probed",
        Reason::Hedged => "it had the same request already",
    }
}

/// Where the number of retries came from.
pub fn retries_from(from: RetriesFrom) -> &'static str {
    match from {
        RetriesFrom::GroupRetryPolicy => "model_group_retry_policy",
        RetriesFrom::RetryPolicy => "retry_policy",
        RetriesFrom::Request => "the request",
        RetriesFrom::Exception => "the exception",
        RetriesFrom::Deployment => "the deployment",
        RetriesFrom::Router => "the router",
    }
}

/// A routing strategy, by its name in LiteLLM.
pub fn strategy(strategy: RoutingStrategy) -> &'static str {
    match strategy {
        RoutingStrategy::SimpleShuffle => "simple-shuffle",
        RoutingStrategy::LeastBusy => "least-busy",
        RoutingStrategy::UsageBased => "usage-based-routing",
        RoutingStrategy::UsageBasedV2 => "usage-based-routing-v2",
        RoutingStrategy::LatencyBased => "latency-based-routing",
        RoutingStrategy::CostBased => "cost-based-routing",
    }
}

/// Which list a fallback stood in.
pub fn fallback_list(list: FallbackList) -> &'static str {
    match list {
        FallbackList::Fallbacks => "fallbacks",
        FallbackList::Default => "default_fallbacks",
        FallbackList::ContextWindow => "context_window_fallbacks",
        FallbackList::ContentPolicy => "content_policy_fallbacks",
        FallbackList::Request => "the request's fallbacks",
        FallbackList::Order => "the next order level",
        FallbackList::WeightedFailover => "weighted failover",
    }
}

/// Why the retry layer gave up.
pub fn gave_up(because: GiveUpReason) -> &'static str {
    match because {
        GiveUpReason::RetriesExhausted => "all retries failed",
        GiveUpReason::NoRetries => "no retries are configured",
        GiveUpReason::ContextWindowFallback => "a context-window error, for which there are fallbacks",
        GiveUpReason::ContentPolicyFallback => "a content-policy error, for which there are fallbacks",
        GiveUpReason::NotRetryable => "the error is not retried",
        GiveUpReason::RateLimitedWithFallback => "rate limited, nobody is healthy, and there are fallbacks",
        GiveUpReason::AuthenticationAlone => "an authentication error in a group of one",
        GiveUpReason::NoneHealthy => "nobody in the group is healthy",
        GiveUpReason::RetryBudget => "the budget for retries is empty",
    }
}

/// Why no fallback was tried.
pub fn no_fallback(because: NoFallback) -> &'static str {
    match because {
        NoFallback::NoEntry => "no fallback is configured for it",
        NoFallback::Disabled => "the request disabled fallbacks",
        NoFallback::MaxFallbacks => "max_fallbacks was reached",
        NoFallback::AllTried => "every fallback was tried",
    }
}

/// How a request was lost: what its caller got, why retries ended, what became of the fallbacks.
pub fn loss(plan: &Plan, deployments: &[String], loss: &Loss) -> String {
    let mut text = match loss.end {
        LossEnd::Error { class, status } => format!("{status} {}", class.name()),
        LossEnd::Deadline(doing) => format!("the caller gave up {}", self::doing(deployments, doing)),
        LossEnd::Open(doing) => format!("still open at the end of the run, {}", self::doing(deployments, doing)),
    };
    if let Some(because) = loss.gave_up {
        text.push_str("; ");
        text.push_str(gave_up(because));
    }
    match loss.next {
        NextHop::NotReached => {}
        NextHop::None(because) => {
            text.push_str("; ");
            text.push_str(no_fallback(because));
        }
        NextHop::Failed { to, class, called } => {
            text.push_str(&format!("; the fallback {} ", plan.name(to)));
            text.push_str(&fallback_fate(class, called));
        }
    }
    text
}

fn fallback_fate(class: Option<ErrorClass>, called: bool) -> String {
    match (class, called) {
        (Some(class), true) => format!("failed too ({})", class.name()),
        (Some(class), false) => format!("was refused by the router ({})", class.name()),
        (None, _) => "had not ended".to_owned(),
    }
}

fn doing(deployments: &[String], doing: Doing) -> String {
    match doing {
        Doing::Nothing => "between two attempts".to_owned(),
        Doing::Attempt { deployment, timeout } => format!(
            "while waiting for {} (timeout {})",
            deployments.get(deployment.index()).map_or("a deployment", String::as_str),
            figures::setting(timeout)
        ),
        Doing::Wait => "while the router slept before a retry".to_owned(),
    }
}
