//! The ways in which upstreams fail in a drill.

use router_core::RetryAfter;

use crate::provider::ErrorKind;
use crate::scenario::Inject;

/// A way in which upstreams fail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outage {
    /// Every call is answered 429, with a `Retry-After` header.
    RateLimitedRetryAfter,
    /// Every call is answered 429, without the header.
    RateLimited,
    /// Every call is answered 503.
    ServerError,
    /// Calls are accepted and never answered.
    Silent,
    /// Connections are refused.
    Refused,
    /// The key is not valid any longer.
    Revoked,
    /// Everything takes ten times as long.
    Slow,
    /// Nothing is left of a quota that does not refill within minutes.
    Quota,
}

/// What a `Retry-After` header of a drill says, in seconds.
pub const RETRY_AFTER_SECS: i64 = 20;
/// How many times as long a slow upstream takes.
pub const SLOW_FACTOR: f64 = 10.0;

impl Outage {
    /// All of them, in the order in which reports show them.
    pub const ALL: [Self; 8] = [
        Self::RateLimitedRetryAfter,
        Self::RateLimited,
        Self::ServerError,
        Self::Silent,
        Self::Refused,
        Self::Revoked,
        Self::Slow,
        Self::Quota,
    ];

    /// Its word in the names of rows.
    pub const fn word(self) -> &'static str {
        match self {
            Self::RateLimitedRetryAfter => "429-retry-after",
            Self::RateLimited => "429",
            Self::ServerError => "5xx",
            Self::Silent => "silent",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::Slow => "slow",
            Self::Quota => "quota",
        }
    }

    /// What it means, for the legend of a report.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::RateLimitedRetryAfter => "429 with Retry-After: 20",
            Self::RateLimited => "429 without Retry-After",
            Self::ServerError => "503",
            Self::Silent => "accepts calls and never answers",
            Self::Refused => "refuses connections",
            Self::Revoked => "the key is revoked: 401",
            Self::Slow => "everything takes 10 times as long",
            Self::Quota => "the quota is exhausted",
        }
    }

    /// What it does to a call.
    pub fn inject(self) -> Inject {
        let error = |kind, retry_after| Inject::Error { kind, retry_after, message: None };
        match self {
            Self::RateLimitedRetryAfter => error(ErrorKind::RateLimited, RetryAfter::Seconds(RETRY_AFTER_SECS)),
            Self::RateLimited => error(ErrorKind::RateLimited, RetryAfter::Absent),
            Self::ServerError => error(ErrorKind::Status(503), RetryAfter::Absent),
            Self::Silent => Inject::Silent,
            Self::Refused => Inject::Refused,
            Self::Revoked => error(ErrorKind::Revoked, RetryAfter::Absent),
            Self::Slow => Inject::Slow { factor: SLOW_FACTOR },
            Self::Quota => Inject::Quota { left: 0.0 },
        }
    }

    /// Whether it is a failure of a key or of an account rather than of a machine.
    pub const fn is_about_keys(self) -> bool {
        matches!(self, Self::Revoked | Self::Quota)
    }
}

impl std::fmt::Display for Outage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}
