//! The laws by name, and how a broken one is told.

use router_core::{DeploymentId, RequestId, Time};

use super::{
    attempts_bounded, blame, cooldown_earned, cooldown_ends, cooldown_held, counters_at_rest, fallback_depth,
    fallback_order, hung_up, max_parallel, not_retried, nothing_forgotten, one_answer, picked_from_group,
    primary_error, quota_admitted, retry_wait, spend_adds_up, strategy_kept, timeout_exact,
};

/// A law of the router: no configuration may break it. A broken law is a bug in the router under test, never a finding
/// about a config. Each has a file of its own, with what it judges.
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
    /// The routing strategy's own choice, where it can be told from outside.
    StrategyKept,
    /// A resting deployment is not called, and one that does not rest is not passed over.
    CooldownHeld,
    /// A cooldown begins when it must, for as long as it must, and never else.
    CooldownEarned,
    /// A cooldown ends when it must.
    CooldownEnds,
    /// A failure is put down to whoever failed.
    Blame,
    /// As many retries as configured.
    AttemptsBounded,
    /// What must not be retried is not.
    NotRetried,
    /// The wait before a retry follows LiteLLM's formula.
    RetryWait,
    /// Fallbacks in the configured order, and no target twice.
    FallbackOrder,
    /// No deeper than `max_fallbacks`.
    FallbackDepth,
    /// A call ends at its timeout, neither sooner nor later.
    TimeoutExact,
    /// A call whose caller has gone is ended.
    HungUp,
    /// No more calls at once than `max_parallel_requests`, and none refused below it.
    MaxParallel,
    /// Limits per minute that the router keeps by itself.
    QuotaAdmitted,
    /// Budgets count what answers cost.
    SpendAddsUp,
    /// What the router counts as under way is what is under way.
    CountersAtRest,
}

/// What a law is called, and what it is about.
pub(super) struct About {
    /// Its name in reports and files.
    pub(super) name: &'static str,
    /// What it demands, in one sentence without a full stop.
    pub(super) says: &'static str,
    /// LiteLLM's functions, or the incidents, that it was written from.
    pub(super) source: &'static str,
}

impl Law {
    /// All laws, in the order in which reports list them.
    pub const ALL: [Self; 20] = [
        Self::OneAnswer,
        Self::NothingForgotten,
        Self::PrimaryError,
        Self::PickedFromGroup,
        Self::StrategyKept,
        Self::CooldownHeld,
        Self::CooldownEarned,
        Self::CooldownEnds,
        Self::Blame,
        Self::AttemptsBounded,
        Self::NotRetried,
        Self::RetryWait,
        Self::FallbackOrder,
        Self::FallbackDepth,
        Self::TimeoutExact,
        Self::HungUp,
        Self::MaxParallel,
        Self::QuotaAdmitted,
        Self::SpendAddsUp,
        Self::CountersAtRest,
    ];

    const fn about(self) -> About {
        match self {
            Self::OneAnswer => one_answer::ABOUT,
            Self::NothingForgotten => nothing_forgotten::ABOUT,
            Self::PrimaryError => primary_error::ABOUT,
            Self::PickedFromGroup => picked_from_group::ABOUT,
            Self::StrategyKept => strategy_kept::ABOUT,
            Self::CooldownHeld => cooldown_held::ABOUT,
            Self::CooldownEarned => cooldown_earned::ABOUT,
            Self::CooldownEnds => cooldown_ends::ABOUT,
            Self::Blame => blame::ABOUT,
            Self::AttemptsBounded => attempts_bounded::ABOUT,
            Self::NotRetried => not_retried::ABOUT,
            Self::RetryWait => retry_wait::ABOUT,
            Self::FallbackOrder => fallback_order::ABOUT,
            Self::FallbackDepth => fallback_depth::ABOUT,
            Self::TimeoutExact => timeout_exact::ABOUT,
            Self::HungUp => hung_up::ABOUT,
            Self::MaxParallel => max_parallel::ABOUT,
            Self::QuotaAdmitted => quota_admitted::ABOUT,
            Self::SpendAddsUp => spend_adds_up::ABOUT,
            Self::CountersAtRest => counters_at_rest::ABOUT,
        }
    }

    /// Its name in reports and files.
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// What it demands, in one sentence.
    pub const fn says(self) -> &'static str {
        self.about().says
    }

    /// The LiteLLM functions, or the incidents, that the law was written from.
    pub const fn source(self) -> &'static str {
        self.about().source
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
