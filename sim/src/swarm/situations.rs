//! What a run met, finely enough to see what was never tried: every rule by which the router decides is a situation.

use router_core::{CooldownReason, ErrorClass, FallbackList, GiveUpReason, NoFallback, NotCooledReason, Note};
use router_core::{RetriesFrom, WaitReason};

use crate::actor::{Effect, Step, Watcher};
use crate::campaign::Watched;
use crate::invariants::Defect;
use crate::metrics::{Reached, Reason};
use crate::scenario::MustSee;

/// Something that a run may meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Situation {
    /// What scenarios can ask for.
    Seen(MustSee),
    /// A call, or an attempt to make one, failed with this exception.
    Failed(ErrorClass),
    /// A deployment was passed over.
    PassedOver(Reason),
    /// A cooldown began.
    Cooled(CooldownReason),
    /// A failure began no cooldown.
    NotCooled(NotCooledReason),
    /// How long to wait before a retry.
    Waited(WaitReason),
    /// How many retries there are.
    Retries(RetriesFrom),
    /// The retry layer gave up.
    GaveUp(GiveUpReason),
    /// A fallback was tried.
    FellBack(FallbackList),
    /// No fallback was left.
    NoFallback(NoFallback),
    /// The release showed a known defect.
    Defect(Defect),
}

/// A set of situations.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Situations(Vec<Situation>);

impl Situation {
    /// Everything that a run without streams, teams and requests of several kinds can meet, in the order of reports.
    pub fn all() -> Vec<Self> {
        use Situation as S;
        let seen = Reached::ALL.map(S::Seen);
        // Streams alone break in the middle, and only for requests with parameters that none here has.
        let unmet = [ErrorClass::MidStreamFallbackError, ErrorClass::UnsupportedParamsError];
        let failed = ErrorClass::ALL.into_iter().filter(|class| !unmet.contains(class)).map(S::Failed);
        let passed_over = [
            Reason::Cooldown,
            Reason::Blocked,
            Reason::Budget,
            Reason::ContextWindow,
            Reason::Rpm,
            Reason::Region,
            Reason::Tags,
            Reason::Order,
            Reason::WeightedFailover,
            Reason::RetrySkip,
            Reason::StrategyLimit,
        ];
        let cooled = [
            CooldownReason::RateLimited,
            CooldownReason::NotRetryable,
            CooldownReason::FailureShare,
            CooldownReason::AllFailed,
            CooldownReason::AllowedFails,
            CooldownReason::OwnLimit,
        ];
        let not_cooled = [
            NotCooledReason::AlreadyCounted,
            NotCooledReason::CallerTimeout,
            NotCooledReason::ZeroTime,
            NotCooledReason::Disabled,
            NotCooledReason::Ineligible,
            NotCooledReason::Wildcard,
            NotCooledReason::Alone,
            NotCooledReason::BelowThreshold,
        ];
        let waited = [WaitReason::AnotherIsHealthy, WaitReason::RetryAfter, WaitReason::Backoff];
        let retries = [
            RetriesFrom::GroupRetryPolicy,
            RetriesFrom::RetryPolicy,
            RetriesFrom::Request,
            RetriesFrom::Exception,
            RetriesFrom::Deployment,
            RetriesFrom::Router,
        ];
        let gave_up = [
            GiveUpReason::RetriesExhausted,
            GiveUpReason::NoRetries,
            GiveUpReason::ContextWindowFallback,
            GiveUpReason::ContentPolicyFallback,
            GiveUpReason::NotRetryable,
            GiveUpReason::RateLimitedWithFallback,
            GiveUpReason::AuthenticationAlone,
            GiveUpReason::NoneHealthy,
        ];
        let fell_back = [
            FallbackList::Fallbacks,
            FallbackList::Default,
            FallbackList::ContextWindow,
            FallbackList::ContentPolicy,
            FallbackList::Request,
            FallbackList::Order,
            FallbackList::WeightedFailover,
        ];
        let no_fallback = [NoFallback::NoEntry, NoFallback::Disabled, NoFallback::MaxFallbacks, NoFallback::AllTried];
        let mut all: Vec<Self> = seen.into_iter().chain(failed).chain(passed_over.map(S::PassedOver)).collect();
        all.extend(cooled.map(S::Cooled));
        all.extend(not_cooled.map(S::NotCooled));
        all.extend(waited.map(S::Waited));
        all.extend(retries.map(S::Retries));
        all.extend(gave_up.map(S::GaveUp));
        all.extend(fell_back.map(S::FellBack));
        all.extend(no_fallback.map(S::NoFallback));
        all.extend(Defect::ALL.map(S::Defect));
        all
    }
}

impl Situations {
    /// Whether the run met it.
    pub fn contains(&self, situation: Situation) -> bool {
        self.0.contains(&situation)
    }

    /// What the run met, in the order in which it first did.
    pub fn iter(&self) -> impl Iterator<Item = Situation> {
        self.0.iter().copied()
    }

    fn insert(&mut self, situation: Situation) {
        if !self.0.contains(&situation) {
            self.0.push(situation);
        }
    }

    /// What other watchers of the same run saw.
    pub(super) fn see(&mut self, run: &Watched) {
        run.metrics.reached().iter().for_each(|seen| self.insert(Situation::Seen(seen)));
        run.defects.first().iter().for_each(|seen| self.insert(Situation::Defect(seen.defect)));
    }
}

impl Watcher for Situations {
    fn watch(&mut self, step: &Step<'_>) {
        for effect in step.effects {
            let Effect::Note(note) = effect else { continue };
            match note {
                Note::Failed { error, .. } => self.insert(Situation::Failed(error.class)),
                Note::Selected(selection) => {
                    for (_, filter) in &selection.filtered {
                        self.insert(Situation::PassedOver(Reason::of(filter)));
                    }
                    // Whoever passed every filter was left by the strategy.
                    if selection.picked.is_none() && !selection.eligible.is_empty() {
                        self.insert(Situation::PassedOver(Reason::StrategyLimit));
                    }
                }
                Note::Cooled { because, .. } => self.insert(Situation::Cooled(*because)),
                Note::NotCooled { because, .. } => self.insert(Situation::NotCooled(*because)),
                Note::Retrying { because, number_from, .. } => {
                    self.insert(Situation::Waited(*because));
                    self.insert(Situation::Retries(*number_from));
                }
                Note::GaveUp { because, .. } => self.insert(Situation::GaveUp(*because)),
                Note::FellBack { list, .. } => self.insert(Situation::FellBack(*list)),
                Note::FallbackExhausted { because, .. } => self.insert(Situation::NoFallback(*because)),
                Note::Picked { .. }
                | Note::CalledAgain { .. }
                | Note::Succeeded { .. }
                | Note::StreamEnded { .. }
                | Note::Hedged { .. }
                | Note::Probes { .. }
                | Note::AwaitsCooldown { .. } => {}
            }
        }
    }
}
