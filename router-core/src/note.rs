//! Why the router decided what it decided. Notes are for people, reports and checkers; nothing depends on them.

use crate::error::Error;
use crate::ids::{AttemptId, DeploymentId, NameId, RequestId};
use crate::input::Usage;
use crate::time::{Span, Time};

/// A remark on a decision. All but [`Note::Selected`] are small and always made; `Selected` is made only when a
/// reader asked for it with [`Router::explain`](crate::Router::explain).
#[derive(Clone, PartialEq, Debug)]
pub enum Note {
    // ---- one attempt -------------------------------------------------------------------------------------------
    /// A deployment was chosen for an attempt (always before its `Dispatch`, if it comes to one).
    Picked {
        /// The request.
        request: RequestId,
        /// The attempt.
        attempt: AttemptId,
        /// How many attempts this request made before, hops included.
        n: u32,
        /// The name the attempt is made for: a group or an alias.
        group: NameId,
        /// Who was chosen.
        deployment: DeploymentId,
        /// From how many.
        eligible: u32,
        /// The timeout that holds for the call.
        timeout: Span,
    },
    /// The provider's HTTP client calls the same deployment again by itself, within the attempt (older releases):
    /// made with the `Dispatch` of the new call.
    CalledAgain {
        /// The request.
        request: RequestId,
        /// The attempt, by the name that `Picked` gave it; `Succeeded` and `Failed` will use it too.
        attempt: AttemptId,
        /// The name of the new call.
        call: AttemptId,
        /// Which repetition, from 1.
        repetition: u32,
    },
    /// An attempt ended with an answer; of a stream: it began.
    Succeeded {
        /// The request.
        request: RequestId,
        /// The attempt.
        attempt: AttemptId,
        /// Who answered.
        deployment: DeploymentId,
        /// What it used; zero at the beginning of a stream.
        usage: Usage,
    },
    /// An attempt ended with an exception.
    Failed {
        /// The request.
        request: RequestId,
        /// The attempt; `None` when no deployment could be chosen.
        attempt: Option<AttemptId>,
        /// How many attempts this request made before, hops included.
        n: u32,
        /// The name the attempt was made for.
        group: NameId,
        /// Who failed, if somebody was chosen.
        deployment: Option<DeploymentId>,
        /// The upstream was called. `false`: the router refused by itself.
        sent: bool,
        /// What LiteLLM makes of it.
        error: Error,
    },
    /// A stream that had begun ended: completely, or not.
    StreamEnded {
        /// The request.
        request: RequestId,
        /// The attempt.
        attempt: AttemptId,
        /// What went wrong, if something did.
        error: Option<Error>,
    },
    /// Who was eligible for an attempt, who was not and why, and what decided between them.
    Selected(Box<Selection>),

    // ---- between attempts --------------------------------------------------------------------------------------
    /// The retry layer will try again after a wait.
    Retrying {
        /// The request.
        request: RequestId,
        /// Which retry, from 1.
        retry: u32,
        /// Of how many at most.
        of: u32,
        /// How long it waits first.
        wait: Span,
        /// What set the wait.
        because: WaitReason,
        /// Where the number of retries came from.
        number_from: RetriesFrom,
    },
    /// The retry layer gives up.
    GaveUp {
        /// The request.
        request: RequestId,
        /// The group it was trying.
        group: NameId,
        /// Why.
        because: GiveUpReason,
        /// How long it sleeps before it says so: LiteLLM waits once more after its last failed retry.
        wait: Span,
    },
    /// A fallback target is tried.
    FellBack {
        /// The request.
        request: RequestId,
        /// The name that failed.
        from: NameId,
        /// The name tried next.
        to: NameId,
        /// How deep the walk is, from 0.
        depth: u32,
        /// Which list the target is from.
        list: FallbackList,
    },
    /// No fallback is left, or none was configured.
    FallbackExhausted {
        /// The request.
        request: RequestId,
        /// The name whose chain ended.
        group: NameId,
        /// Why there is none.
        because: NoFallback,
    },

    // ---- cooldowns ---------------------------------------------------------------------------------------------
    /// A deployment was put into cooldown.
    Cooled {
        /// The request whose failure did it.
        request: RequestId,
        /// Who rests.
        deployment: DeploymentId,
        /// For how long, as LiteLLM reports it.
        length: Span,
        /// When it is eligible again. Cooling a cooling deployment keeps the old end.
        until: Time,
        /// What it failed with.
        error: Error,
        /// Which rule decided.
        because: CooldownReason,
    },
    /// A failure was counted, or not, and did not start a cooldown.
    NotCooled {
        /// The request.
        request: RequestId,
        /// Who failed.
        deployment: DeploymentId,
        /// Which rule decided.
        because: NotCooledReason,
    },

    // ---- what LiteLLM does not do (see `WhatIf`) ------------------------------------------------------------------
    /// A call was not answered for a while, and another deployment gets the same request: made before the `Picked` of that.
    Hedged {
        /// The request.
        request: RequestId,
        /// The attempt that was not answered.
        first: AttemptId,
        /// The second one, by the name that its `Picked` will use.
        hedge: AttemptId,
    },
    /// The attempt that was just picked is a probe: the deployment is half open.
    Probes {
        /// The request.
        request: RequestId,
        /// The attempt.
        attempt: AttemptId,
        /// Who is probed.
        deployment: DeploymentId,
    },
    /// All deployments of a group rest; the request waits for the first of them, and then begins again.
    AwaitsCooldown {
        /// The request.
        request: RequestId,
        /// The group that it asked for.
        group: NameId,
        /// Until when it waits, unless a probe ends before.
        until: Time,
    },
}

/// What the router waits for, when it asks to be woken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum WakeReason {
    /// A call has its timeout.
    Timeout,
    /// A wait before a retry, or after the last one, ends.
    Backoff,
}

/// Why a wait is as long as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitReason {
    /// Another deployment of the group is healthy: no wait.
    AnotherIsHealthy,
    /// The answer's `Retry-After` header.
    RetryAfter,
    /// Exponential backoff.
    Backoff,
}

/// Where the number of retries came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetriesFrom {
    /// `model_group_retry_policy`.
    GroupRetryPolicy,
    /// `retry_policy`.
    RetryPolicy,
    /// The request's `num_retries`.
    Request,
    /// The exception itself carried the number.
    Exception,
    /// `litellm_params.num_retries` of the deployment.
    Deployment,
    /// `router_settings.num_retries`, `litellm_settings.num_retries` or LiteLLM's default.
    Router,
}

/// Why the retry layer stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GiveUpReason {
    /// All retries are used up.
    RetriesExhausted,
    /// The number of retries is zero.
    NoRetries,
    /// A context-window error, and a context-window fallback list is configured.
    ContextWindowFallback,
    /// A content-policy error, and a content-policy fallback list is configured.
    ContentPolicyFallback,
    /// The status is not one that LiteLLM retries.
    NotRetryable,
    /// A rate limit, nobody healthy, and fallbacks are configured.
    RateLimitedWithFallback,
    /// An authentication error, and the group has nobody else.
    AuthenticationAlone,
    /// No deployment of the group is healthy.
    NoneHealthy,
    /// The bucket of tokens for retries is empty: [`WhatIf::retry_budget`](crate::WhatIf).
    RetryBudget,
}

/// Which configured list a fallback target is from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FallbackList {
    /// `fallbacks`.
    Fallbacks,
    /// The `*` entry: `default_fallbacks`.
    Default,
    /// `context_window_fallbacks`.
    ContextWindow,
    /// `content_policy_fallbacks`.
    ContentPolicy,
    /// `fallbacks` of the request.
    Request,
    /// The next `order` level of the same group.
    Order,
    /// The same group without the deployment that failed: `enable_weighted_failover`.
    WeightedFailover,
}

/// Why no fallback is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoFallback {
    /// No list has an entry for the name.
    NoEntry,
    /// The request says `disable_fallbacks`.
    Disabled,
    /// `max_fallbacks` nested walks are the limit.
    MaxFallbacks,
    /// Every target of the chain was tried.
    AllTried,
}

/// Which rule put a deployment into cooldown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CooldownReason {
    /// A 429 in a group of several deployments.
    RateLimited,
    /// 401, 404 and (newer releases) 402.
    NotRetryable,
    /// More than half of at least five calls failed.
    FailureShare,
    /// A lone deployment: a thousand calls, all of them failures.
    AllFailed,
    /// More than `allowed_fails`, or more than the policy allows.
    AllowedFails,
    /// The router's own rate limit refused the call.
    OwnLimit,
    /// It was half open, and a probe failed: [`WhatIf::half_open`](crate::WhatIf).
    ProbeFailed,
}

/// Which rule kept a deployment out of cooldown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotCooledReason {
    /// An earlier failure of the same client request was counted; only the first is.
    AlreadyCounted,
    /// The caller chose the timeout.
    CallerTimeout,
    /// The resolved cooldown time is zero.
    ZeroTime,
    /// `disable_cooldowns`.
    Disabled,
    /// The status is not one that LiteLLM cools for.
    Ineligible,
    /// Deployments behind a wildcard name never cool.
    Wildcard,
    /// The only deployment of its group.
    Alone,
    /// The threshold is not reached.
    BelowThreshold,
}

/// Everything about one selection.
#[derive(Clone, PartialEq, Debug)]
pub struct Selection {
    /// The request.
    pub request: RequestId,
    /// Which attempt of it, from 0.
    pub n: u32,
    /// The name the attempt is made for.
    pub group: NameId,
    /// Who was left after every filter, in order.
    pub eligible: Vec<DeploymentId>,
    /// Who was filtered, by what.
    pub filtered: Vec<(DeploymentId, Filter)>,
    /// What the strategy compared, per eligible deployment: weights, in-flight counts, latencies, costs, tokens used.
    pub scores: Vec<(DeploymentId, f64)>,
    /// Who was chosen.
    pub picked: Option<DeploymentId>,
}

/// A filter between a model name and its healthy deployments.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Filter {
    /// Another team's.
    Team,
    /// In cooldown until the given time.
    Cooldown(Time),
    /// `model_info.blocked`.
    Blocked,
    /// It has spent its `max_budget`.
    Budget,
    /// The prompt exceeds its context window.
    ContextWindow,
    /// Its rpm are used up (pre-call check of older releases).
    Rpm,
    /// Another region.
    Region,
    /// Its tags.
    Tags,
    /// A higher `order` level.
    Order,
    /// Already failed in this request: `enable_weighted_failover`.
    WeightedFailover,
    /// Already refused this request with a status that is not retried.
    RetrySkip,
    /// The strategy: over its tpm or rpm.
    StrategyLimit,
    /// Half open, and as many probes under way as it gets: [`WhatIf::half_open`](crate::WhatIf).
    HalfOpen,
    /// It has the request already, and a hedge goes to somebody else: [`WhatIf::hedge_after`](crate::WhatIf).
    Hedged,
}
