//! The core's notes in words: why it decided what it decided.

use router_core::{
    CooldownReason, FallbackList, Filter, GiveUpReason, NoFallback, NotCooledReason, Note, Plan, RequestId,
    RetriesFrom, Selection, Time, WaitReason,
};

use super::compare::Divergence;

/// How many notes of the request itself are told.
const NOTES_MAX: usize = 4;

/// The core's own reasons for what it did up to a divergence: its last notes on the request, and how the deployments
/// in question came to rest.
pub(super) fn reasons(divergence: &Divergence, notes: &[(Time, Note)], plan: &Plan) -> Vec<String> {
    let before = || notes.iter().filter(|(at, _)| *at <= divergence.at);
    let mut told: Vec<usize> = Vec::new();
    for deployment in &divergence.deployments {
        let rests = before().enumerate().filter(|(_, (_, note))| {
            matches!(note, Note::Cooled { deployment: cooled, .. } if &plan.deployment(*cooled).id == deployment)
        });
        told.extend(rests.last().map(|(index, _)| index));
    }
    let own = before().enumerate().filter(|(_, (_, note))| {
        divergence.request.is_some_and(|request| request_of(note) == RequestId::new(0, u64::from(request)))
    });
    let own: Vec<usize> = own.map(|(index, _)| index).collect();
    told.extend(&own[own.len().saturating_sub(NOTES_MAX)..]);
    told.sort_unstable();
    told.dedup();
    told.into_iter().map(|index| format!("{} {}", notes[index].0, in_words(&notes[index].1, plan))).collect()
}

/// The request that a note is about.
pub(crate) fn request_of(note: &Note) -> RequestId {
    match *note {
        Note::Picked { request, .. }
        | Note::CalledAgain { request, .. }
        | Note::Succeeded { request, .. }
        | Note::Failed { request, .. }
        | Note::StreamEnded { request, .. }
        | Note::Retrying { request, .. }
        | Note::GaveUp { request, .. }
        | Note::FellBack { request, .. }
        | Note::FallbackExhausted { request, .. }
        | Note::Cooled { request, .. }
        | Note::Hedged { request, .. }
        | Note::Probes { request, .. }
        | Note::AwaitsCooldown { request, .. }
        | Note::NotCooled { request, .. } => request,
        Note::Selected(ref selection) => selection.request,
    }
}

/// One note in words.
pub fn in_words(note: &Note, plan: &Plan) -> String {
    let name = |id| plan.name(id);
    let who = |id| plan.deployment(id).id.as_str();
    match *note {
        Note::Picked { n, group, deployment, eligible, .. } => {
            format!("attempt {n} for {}: {} of {eligible}", name(group), who(deployment))
        }
        Note::CalledAgain { repetition, .. } => format!("its HTTP client calls again by itself ({repetition})"),
        Note::Succeeded { deployment, .. } => format!("{} answered", who(deployment)),
        Note::Failed { n, group, deployment, sent, error, .. } => {
            let by = deployment.map_or("nobody", who);
            let refused = if sent { "" } else { ", refused by the router itself" };
            let (class, status) =
                (error.class.name(), error.status.map_or(String::new(), |status| format!(" {status}")));
            format!("attempt {n} for {} failed ({by}): {class}{status}{refused}", name(group))
        }
        Note::StreamEnded { error: None, .. } => "its stream is complete".to_owned(),
        Note::StreamEnded { error: Some(error), .. } => format!("its stream broke: {}", error.class.name()),
        Note::Selected(ref selection) => selected(selection, plan),
        Note::Retrying { retry, of, wait, because, number_from, .. } => {
            let because = match because {
                WaitReason::AnotherIsHealthy => "another deployment is healthy",
                WaitReason::RetryAfter => "as Retry-After says",
                WaitReason::Backoff => "backoff",
            };
            format!("retry {retry} of {of} ({}) after {wait}: {because}", retries_from(number_from))
        }
        Note::GaveUp { group, because, wait, .. } => {
            let wait = if wait.is_zero() { String::new() } else { format!(" after {wait} more") };
            format!("gave up on {}{wait}: {}", name(group), gave_up(because))
        }
        Note::FellBack { from, to, list, .. } => {
            format!("fell back from {} to {} ({})", name(from), name(to), fallback_list(list))
        }
        Note::FallbackExhausted { group, because, .. } => {
            let because = match because {
                NoFallback::NoEntry => "no list has an entry for it",
                NoFallback::Disabled => "the request says disable_fallbacks",
                NoFallback::MaxFallbacks => "max_fallbacks",
                NoFallback::AllTried => "all were tried",
            };
            format!("no fallback left for {}: {because}", name(group))
        }
        Note::Cooled { deployment, length, until, error, because, .. } => {
            let (class, because) = (error.class.name(), cooled(because));
            format!("{} cooled for {length} until {until} on {class}: {because}", who(deployment))
        }
        Note::NotCooled { deployment, because, .. } => {
            format!("{} not cooled: {}", who(deployment), not_cooled(because))
        }
        Note::Hedged { .. } => "not answered for a while: hedged".to_owned(),
        Note::Probes { deployment, .. } => format!("{} is half open: a probe", who(deployment)),
        Note::AwaitsCooldown { group, until, .. } => format!("all of {} rest: waits until {until}", name(group)),
    }
}

fn selected(selection: &Selection, plan: &Plan) -> String {
    let who = |id| plan.deployment(id).id.as_str();
    let eligible: Vec<&str> = selection.eligible.iter().map(|&id| who(id)).collect();
    let mut text = format!("eligible for {}: [{}]", plan.name(selection.group), eligible.join(", "));
    for &(id, filter) in &selection.filtered {
        text.push_str(&format!(", not {} ({})", who(id), filtered(filter)));
    }
    text
}

fn filtered(filter: Filter) -> String {
    match filter {
        Filter::Team => "another team's".to_owned(),
        Filter::Cooldown(until) => format!("in cooldown until {until}"),
        Filter::Blocked => "blocked".to_owned(),
        Filter::Budget => "its budget is spent".to_owned(),
        Filter::ContextWindow => "the prompt exceeds its context window".to_owned(),
        Filter::Rpm => "its rpm are used up".to_owned(),
        Filter::Region => "another region".to_owned(),
        Filter::Tags => "its tags".to_owned(),
        Filter::Order => "a higher order".to_owned(),
        Filter::WeightedFailover => "failed already in this request".to_owned(),
        Filter::RetrySkip => "refused this request already".to_owned(),
        Filter::StrategyLimit => "over its tpm or rpm".to_owned(),
        Filter::HalfOpen => "half open, and being probed".to_owned(),
        Filter::Hedged => "has the request already".to_owned(),
    }
}

fn retries_from(from: RetriesFrom) -> &'static str {
    match from {
        RetriesFrom::GroupRetryPolicy => "model_group_retry_policy",
        RetriesFrom::RetryPolicy => "retry_policy",
        RetriesFrom::Request => "the request's num_retries",
        RetriesFrom::Exception => "num_retries of the exception",
        RetriesFrom::Deployment => "num_retries of the deployment",
        RetriesFrom::Router => "num_retries of the router",
    }
}

fn gave_up(because: GiveUpReason) -> &'static str {
    match because {
        GiveUpReason::RetriesExhausted => "all retries are used up",
        GiveUpReason::NoRetries => "num_retries is 0",
        GiveUpReason::ContextWindowFallback => "context_window_fallbacks are configured",
        GiveUpReason::ContentPolicyFallback => "content_policy_fallbacks are configured",
        GiveUpReason::NotRetryable => "the status is not retried",
        GiveUpReason::RateLimitedWithFallback => "rate limited, nobody healthy, and fallbacks are configured",
        GiveUpReason::AuthenticationAlone => "authentication failed and the group has nobody else",
        GiveUpReason::NoneHealthy => "nobody is healthy",
        GiveUpReason::RetryBudget => "the budget for retries is empty",
    }
}

fn fallback_list(list: FallbackList) -> &'static str {
    match list {
        FallbackList::Fallbacks => "fallbacks",
        FallbackList::Default => "default_fallbacks",
        FallbackList::ContextWindow => "context_window_fallbacks",
        FallbackList::ContentPolicy => "content_policy_fallbacks",
        FallbackList::Request => "the request's fallbacks",
        FallbackList::Order => "the next order",
        FallbackList::WeightedFailover => "enable_weighted_failover",
    }
}

fn cooled(because: CooldownReason) -> &'static str {
    match because {
        CooldownReason::RateLimited => "a 429, and the group has others",
        CooldownReason::NotRetryable => "a status that is not retried",
        CooldownReason::FailureShare => "more than half of at least five calls failed",
        CooldownReason::AllFailed => "a thousand calls, all failures",
        CooldownReason::AllowedFails => "more than allowed_fails",
        CooldownReason::OwnLimit => "the router's own rate limit",
        CooldownReason::ProbeFailed => "a probe failed",
    }
}

fn not_cooled(because: NotCooledReason) -> &'static str {
    match because {
        NotCooledReason::AlreadyCounted => "an earlier failure of the request was counted",
        NotCooledReason::CallerTimeout => "the caller chose the timeout",
        NotCooledReason::ZeroTime => "its cooldown time is 0",
        NotCooledReason::Disabled => "disable_cooldowns",
        NotCooledReason::Ineligible => "the status does not cool",
        NotCooledReason::Wildcard => "wildcard deployments never cool",
        NotCooledReason::Alone => "the only deployment of its group",
        NotCooledReason::BelowThreshold => "below the threshold",
    }
}
