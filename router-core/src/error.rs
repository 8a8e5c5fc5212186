//! What went wrong: the failure as it came from outside, and the exception that LiteLLM makes of it.

use crate::time::Span;

/// What an upstream did instead of answering, as it was seen on the wire.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Failure {
    /// What happened.
    pub kind: FailureKind,
    /// The `Retry-After` header of an error answer.
    pub retry_after: RetryAfter,
}

/// How a call failed on the wire. A call that times out is not here: the router notices that by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailureKind {
    /// An HTTP answer of 400 or above.
    Status {
        /// The HTTP status.
        code: u16,
        /// What its text says, as far as LiteLLM's error mapping looks at it.
        wording: Wording,
    },
    /// The connection was refused.
    Refused,
    /// The connection was reset before an answer, or in the middle of a stream.
    Reset,
    /// A 200 whose body is not a completion.
    Malformed,
    /// A stream that ended without saying that it ended.
    Truncated,
}

/// The `Retry-After` header of an error answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RetryAfter {
    /// None was sent, or it is neither a whole number nor a date.
    #[default]
    Absent,
    /// Seconds to wait; may be negative. A date has been turned into the difference to now.
    Seconds(i64),
}

/// Phrases in an error's text that LiteLLM's error mapping tests for, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Wording(pub u32);

/// The class of exception that LiteLLM raises. The names are LiteLLM's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the names are LiteLLM's and Python's own")]
pub enum ErrorClass {
    BadRequestError,
    AuthenticationError,
    PermissionDeniedError,
    NotFoundError,
    Timeout,
    RateLimitError,
    ContextWindowExceededError,
    ContentPolicyViolationError,
    UnsupportedParamsError,
    InternalServerError,
    BadGatewayError,
    ServiceUnavailableError,
    MidStreamFallbackError,
    APIError,
    APIConnectionError,
    RouterRateLimitError,
    RouterRateLimitErrorBasic,
    ValueError,
    TypeError,
    ZeroDivisionError,
}

impl ErrorClass {
    /// The name of the Python class.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadRequestError => "BadRequestError",
            Self::AuthenticationError => "AuthenticationError",
            Self::PermissionDeniedError => "PermissionDeniedError",
            Self::NotFoundError => "NotFoundError",
            Self::Timeout => "Timeout",
            Self::RateLimitError => "RateLimitError",
            Self::ContextWindowExceededError => "ContextWindowExceededError",
            Self::ContentPolicyViolationError => "ContentPolicyViolationError",
            Self::UnsupportedParamsError => "UnsupportedParamsError",
            Self::InternalServerError => "InternalServerError",
            Self::BadGatewayError => "BadGatewayError",
            Self::ServiceUnavailableError => "ServiceUnavailableError",
            Self::MidStreamFallbackError => "MidStreamFallbackError",
            Self::APIError => "APIError",
            Self::APIConnectionError => "APIConnectionError",
            Self::RouterRateLimitError => "RouterRateLimitError",
            Self::RouterRateLimitErrorBasic => "RouterRateLimitErrorBasic",
            Self::ValueError => "ValueError",
            Self::TypeError => "TypeError",
            Self::ZeroDivisionError => "ZeroDivisionError",
        }
    }
}

/// An exception as it moves through the Router's layers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Error {
    /// Its class.
    pub class: ErrorClass,
    /// Its `status_code` attribute; `None` where the class has none.
    pub status: Option<u16>,
    /// The status that a client of the proxy sees (LiteLLM: the attribute, then rules on the text).
    pub client_status: u16,
    /// The `retry-after` that a client of the proxy sees.
    pub client_retry_after: Option<Span>,
}
