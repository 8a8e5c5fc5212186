//! Which situations a run reached: a drill that never got there proves nothing.

use router_core::{ErrorClass, Failure, FailureKind, Note, RetryAfter, WaitReason};

use crate::scenario::MustSee;

/// A set of situations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reached(u32);

impl Reached {
    /// Every situation there is, in the order of [`MustSee`].
    pub const ALL: [MustSee; 14] = [
        MustSee::RateLimited,
        MustSee::RetryAfter,
        MustSee::ServerError,
        MustSee::Timeout,
        MustSee::Refused,
        MustSee::Revoked,
        MustSee::Cooldown,
        MustSee::AllCooling,
        MustSee::Retry,
        MustSee::Fallback,
        MustSee::FallbackExhausted,
        MustSee::Abort,
        MustSee::Overlap,
        MustSee::Recovery,
    ];

    /// It was reached.
    pub fn insert(&mut self, situation: MustSee) {
        self.0 |= 1 << situation as u32;
    }

    /// Whether it was reached.
    pub fn contains(self, situation: MustSee) -> bool {
        self.0 & (1 << situation as u32) != 0
    }

    /// What was reached in either run.
    pub fn absorb(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// What was reached, in order.
    pub fn iter(self) -> impl Iterator<Item = MustSee> {
        Self::ALL.into_iter().filter(move |situation| self.contains(*situation))
    }

    /// An upstream's call failed like this.
    pub(super) fn see_failure(&mut self, failure: &Failure) {
        match failure.kind {
            FailureKind::Status { code: 429, .. } => self.insert(MustSee::RateLimited),
            FailureKind::Status { code: 401, .. } => self.insert(MustSee::Revoked),
            FailureKind::Status { code, .. } if code >= 500 => self.insert(MustSee::ServerError),
            FailureKind::Refused => self.insert(MustSee::Refused),
            _ => {}
        }
        if failure.retry_after != RetryAfter::Absent {
            self.insert(MustSee::RetryAfter);
        }
    }

    /// The router remarked this. Recovery is seen by who keeps track of deployments.
    pub(super) fn see_note(&mut self, note: &Note) {
        match note {
            Note::Failed { attempt: None, error, .. } if error.class == ErrorClass::RouterRateLimitError => {
                self.insert(MustSee::AllCooling);
            }
            Note::Failed { sent: true, error, .. } if error.class == ErrorClass::Timeout => {
                self.insert(MustSee::Timeout);
            }
            Note::Retrying { because, .. } => {
                self.insert(MustSee::Retry);
                if *because == WaitReason::RetryAfter {
                    self.insert(MustSee::RetryAfter);
                }
            }
            Note::FellBack { .. } => self.insert(MustSee::Fallback),
            Note::FallbackExhausted { .. } => self.insert(MustSee::FallbackExhausted),
            Note::Cooled { .. } => self.insert(MustSee::Cooldown),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_situation_has_its_own_place() {
        let mut all = Reached::default();
        for situation in Reached::ALL {
            assert!(!all.contains(situation), "{situation:?}");
            all.insert(situation);
        }
        assert_eq!(all.iter().count(), Reached::ALL.len());
    }
}
