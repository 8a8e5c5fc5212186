//! The world that the reference model and the core both live in: what upstreams do, and what chance says.

use router_core::{
    Config, Draw, Entropy, ErrorClass, Failure, FailureKind, RequestParams, RetryAfter, Span, Time, Wording,
};

/// One generated case: a configuration, requests, and what becomes of every call.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    /// The configuration.
    pub(crate) config: Config,
    /// The requests, in order.
    pub(crate) requests: Vec<Request>,
    /// The seed of everything that chance decides.
    pub(crate) seed: u64,
}

/// One request and the answers that its calls get, whoever they go to.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// How long after the last arrival it arrives; in a lonely world, how long after the last answer.
    pub(crate) gap: Span,
    /// The name it asks for.
    pub(crate) model: String,
    /// Its parameters.
    pub(crate) params: RequestParams,
    /// What becomes of its calls, one after the other, and over again.
    pub(crate) replies: Vec<Reply>,
}

/// What becomes of one call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Reply {
    /// How long it takes.
    pub(crate) after: Span,
    /// What it is.
    pub(crate) kind: ReplyKind,
}

/// The ways in which a call ends.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum ReplyKind {
    /// With an answer.
    Answer,
    /// With an HTTP error, and perhaps a `Retry-After` in seconds.
    Status(u16, Option<i64>),
    /// With a 400 whose text is about the context window.
    ContextWindow,
    /// With a 400 whose text is about the content policy.
    ContentPolicy,
    /// The connection is refused.
    Refused,
    /// Never, unless the router gives up.
    Hang,
}

impl Request {
    /// What becomes of the `n`-th call.
    pub(crate) fn reply(&self, n: usize) -> Reply {
        self.replies[n % self.replies.len()]
    }
}

impl ReplyKind {
    /// What the core hears of it; `None` for an answer and for silence.
    pub(crate) fn failure(self) -> Option<Failure> {
        let status = |code, text: &str| FailureKind::Status { code, wording: Wording::of(text, None) };
        let (kind, retry_after) = match self {
            Self::Answer | Self::Hang => return None,
            Self::Status(code, retry_after) => (status(code, "it failed"), retry_after),
            Self::ContextWindow => (status(400, "This model's maximum context length is 8192 tokens."), None),
            Self::ContentPolicy => (status(400, "Invalid prompt: violating our usage policy."), None),
            Self::Refused => (FailureKind::Refused, None),
        };
        Some(Failure { kind, retry_after: retry_after.map_or(RetryAfter::Absent, RetryAfter::Seconds) })
    }
}

/// What happens to a request, as both sides tell it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Event {
    /// A deployment is called.
    Called { group: String, deployment: usize, timeout: Span },
    /// The call ended: well, or with an exception.
    Ended { deployment: usize, error: Option<(ErrorClass, Option<u16>)> },
    /// Nobody could be called.
    Nobody { group: String, error: (ErrorClass, Option<u16>) },
    /// A deployment was put into cooldown.
    Cooled { deployment: usize, length: Span },
    /// The request is over.
    Answered { by: Result<usize, (ErrorClass, Option<u16>)> },
}

/// The events of one request, each with its time.
pub(crate) type Tale = Vec<(Time, Event)>;

/// Chance without a memory: a number depends only on the moment at which it is drawn, and on how many were drawn at
/// that moment before. So it does not matter who else draws in between.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    seed: u64,
    now: Time,
    drawn: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, now: Time::MAX, drawn: 0 }
    }

    pub(crate) fn at(&mut self, now: Time) -> &mut Self {
        if self.now != now {
            self.now = now;
            self.drawn = 0;
        }
        self
    }

    /// The next number. `0.75 * u` seconds, a wait's jitter, is a whole number of microseconds, so that requests which
    /// begin at different nanoseconds of a microsecond never meet at one moment.
    pub(crate) fn roll(&mut self) -> f64 {
        const STEPS: u64 = 750_000;
        let mut x = self.seed ^ self.now.as_nanos().wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (self.drawn << 56);
        self.drawn += 1;
        // The finaliser of splitmix64.
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % STEPS) as f64 / STEPS as f64
    }
}

impl Entropy for Dice {
    fn unit(&mut self, _: Draw<'_>) -> f64 {
        self.roll()
    }
}
