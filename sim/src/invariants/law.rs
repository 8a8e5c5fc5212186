//! The laws by name, and how a broken one is told.

use router_core::{DeploymentId, RequestId, Time};

/// A law of the router: no configuration may break it. A broken law is a bug in the router under test, never a finding
/// about a config.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Law {
    /// Every request gets one answer, and it is the upstream's.
    OneAnswer,
    /// No request is left with nothing to wait for.
    NothingForgotten,
    /// What fails in the end fails with the error of the group that was asked for.
    PrimaryError,
    /// A call goes to a deployment of the group that it is made for, and to the lowest `order`.
    PickedFromGroup,
    /// A resting deployment is not called, and one that does not rest is not passed over.
    CooldownHeld,
    /// A cooldown begins when it must, for as long as it must, and never else.
    CooldownEarned,
    /// As many retries as configured.
    AttemptsBounded,
    /// What must not be retried is not.
    NotRetried,
    /// The wait before a retry follows LiteLLM's formula.
    RetryWait,
    /// Fallbacks in the configured order, and no target twice.
    FallbackOrder,
    /// A call ends at its timeout, neither sooner nor later.
    TimeoutExact,
    /// No more calls at once than `max_parallel_requests`.
    MaxParallel,
    /// What the router counts as under way is what is under way.
    CountersAtRest,
}

impl Law {
    /// All laws, in the order in which reports list them.
    pub const ALL: [Self; 13] = [
        Self::OneAnswer,
        Self::NothingForgotten,
        Self::PrimaryError,
        Self::PickedFromGroup,
        Self::CooldownHeld,
        Self::CooldownEarned,
        Self::AttemptsBounded,
        Self::NotRetried,
        Self::RetryWait,
        Self::FallbackOrder,
        Self::TimeoutExact,
        Self::MaxParallel,
        Self::CountersAtRest,
    ];

    /// Its name in reports and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneAnswer => "one-answer",
            Self::NothingForgotten => "nothing-forgotten",
            Self::PrimaryError => "primary-error",
            Self::PickedFromGroup => "picked-from-group",
            Self::CooldownHeld => "cooldown-held",
            Self::CooldownEarned => "cooldown-earned",
            Self::AttemptsBounded => "attempts-bounded",
            Self::NotRetried => "not-retried",
            Self::RetryWait => "retry-wait",
            Self::FallbackOrder => "fallback-order",
            Self::TimeoutExact => "timeout-exact",
            Self::MaxParallel => "max-parallel",
            Self::CountersAtRest => "counters-at-rest",
        }
    }

    /// What it demands, in one sentence.
    pub const fn says(self) -> &'static str {
        match self {
            Self::OneAnswer => "every request gets exactly one answer, the one that its upstream gave",
            Self::NothingForgotten => "no request stays open with nothing to wait for",
            Self::PrimaryError => "a request that fails gets the error of the group it asked for",
            Self::PickedFromGroup => "calls go to deployments of the group, lowest order first",
            Self::CooldownHeld => "a resting deployment is not called, one that does not rest is not passed over",
            Self::CooldownEarned => "a cooldown begins when it must, for as long as it must, and never else",
            Self::AttemptsBounded => "as many retries as configured, neither more nor fewer",
            Self::NotRetried => "what must not be retried is not",
            Self::RetryWait => "the wait before a retry follows the formula",
            Self::FallbackOrder => "fallbacks in the configured order, no target twice",
            Self::TimeoutExact => "a call ends exactly at its timeout",
            Self::MaxParallel => "no more calls at once than max_parallel_requests",
            Self::CountersAtRest => "what the router counts as under way is what is under way",
        }
    }

    /// The LiteLLM function, or the rule of the simulator, that the law was written from.
    pub const fn source(self) -> &'static str {
        match self {
            Self::OneAnswer => "Router.acompletion",
            Self::NothingForgotten => "Router.acompletion",
            Self::PrimaryError => "run_async_fallback",
            Self::PickedFromGroup => "_common_checks_available_deployment, get_order_filtered_deployments",
            Self::CooldownHeld => "_async_get_cooldown_deployments, CooldownCache",
            Self::CooldownEarned => "_should_cooldown_deployment, _set_cooldown_deployments",
            Self::AttemptsBounded => "async_function_with_retries, get_num_retries_from_retry_policy",
            Self::NotRetried => "should_retry_this_error",
            Self::RetryWait => "_time_to_sleep_before_retry, calculate_retry_after",
            Self::FallbackOrder => "get_fallback_model_group, run_async_fallback",
            Self::TimeoutExact => "_get_timeout",
            Self::MaxParallel => "set_max_parallel_requests_client",
            Self::CountersAtRest => "the router's own books",
        }
    }
}

/// A law that was broken, and where.
#[derive(Clone, PartialEq, Debug)]
pub struct Breach {
    /// Which law.
    pub law: Law,
    /// Whose request, if one broke it.
    pub request: Option<RequestId>,
    /// Whose deployment, if one is concerned.
    pub deployment: Option<DeploymentId>,
    /// When.
    pub at: Time,
    /// What happened, in one sentence without a full stop.
    pub what: String,
}

/// The breaches of a run: how many of each law, and the first of each.
#[derive(Clone, Debug, Default)]
pub struct Breaches {
    counts: [u64; Law::ALL.len()],
    first: Vec<Breach>,
}

impl Breaches {
    /// One more. The sentence is made of the first breach of a law only.
    pub(super) fn add(
        &mut self,
        law: Law,
        at: Time,
        request: Option<RequestId>,
        deployment: Option<DeploymentId>,
        what: impl FnOnce() -> String,
    ) {
        let count = &mut self.counts[law as usize];
        *count += 1;
        if *count == 1 {
            self.first.push(Breach { law, request, deployment, at, what: what() });
        }
    }

    /// How often a law was broken.
    pub fn count(&self, law: Law) -> u64 {
        self.counts[law as usize]
    }

    /// The first breach of each law that was broken, in the order of time.
    pub fn first(&self) -> &[Breach] {
        &self.first
    }

    /// Whether every law held.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }
}
