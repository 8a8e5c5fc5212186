//! What went wrong: the failure as it came from outside, and the exception that LiteLLM makes of it.

use crate::ids::DeploymentId;
use crate::time::{Span, Time};
use crate::wording::Wording;

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
    /// None was sent, or it is neither a number nor a date.
    #[default]
    Absent,
    /// A positive number of seconds with a fraction, which only the HTTP client can read; LiteLLM takes it for none.
    Fractional(Span),
    /// Seconds to wait; may be negative.
    Seconds(i64),
    /// A date: so many nanoseconds after [`Time::ZERO`], negative before it.
    Until(i64),
}

impl RetryAfter {
    /// Whole seconds from `now` on, as LiteLLM reads the header; may be negative.
    pub fn seconds(self, now: Time) -> Option<i64> {
        match self {
            Self::Absent | Self::Fractional(_) => None,
            Self::Seconds(seconds) => Some(seconds),
            Self::Until(nanos) => Some(nanos.saturating_sub_unsigned(now.as_nanos()) / 1_000_000_000),
        }
    }

    /// The wait from `now` on, as OpenAI's client reads the header, if it lies ahead.
    pub(crate) fn wait(self, now: Time) -> Option<Span> {
        let wait = match self {
            Self::Absent => return None,
            Self::Fractional(wait) => wait,
            Self::Seconds(seconds) => Span::from_secs(seconds.max(0).unsigned_abs()),
            Self::Until(nanos) => Span::from_nanos(nanos.saturating_sub_unsigned(now.as_nanos()).max(0).unsigned_abs()),
        };
        (!wait.is_zero()).then_some(wait)
    }
}

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
    /// Every class that is modelled.
    pub const ALL: [Self; 20] = [
        Self::BadRequestError,
        Self::AuthenticationError,
        Self::PermissionDeniedError,
        Self::NotFoundError,
        Self::Timeout,
        Self::RateLimitError,
        Self::ContextWindowExceededError,
        Self::ContentPolicyViolationError,
        Self::UnsupportedParamsError,
        Self::InternalServerError,
        Self::BadGatewayError,
        Self::ServiceUnavailableError,
        Self::MidStreamFallbackError,
        Self::APIError,
        Self::APIConnectionError,
        Self::RouterRateLimitError,
        Self::RouterRateLimitErrorBasic,
        Self::ValueError,
        Self::TypeError,
        Self::ZeroDivisionError,
    ];

    /// The class of that name, if it is modelled.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

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

impl Error {
    /// An exception of a class with a `status_code`. The proxy passes that on if it is an HTTP error status, and says
    /// 500 otherwise; a few classes are known to it by their text.
    pub const fn new(class: ErrorClass, status: Option<u16>) -> Self {
        let client_status = match (class, status) {
            (ErrorClass::RouterRateLimitError | ErrorClass::RouterRateLimitErrorBasic, _) => 429,
            (_, Some(status)) if status >= 400 && status <= 599 => status,
            _ => 500,
        };
        Self { class, status, client_status, client_retry_after: None }
    }
}

impl ErrorClass {
    /// A class of Python itself: not an error of a provider, nor one that the router makes for its callers.
    pub(crate) const fn is_of_python(self) -> bool {
        matches!(self, Self::ValueError | Self::TypeError | Self::ZeroDivisionError)
    }

    /// Whether Python's `isinstance(error, BadRequestError)` holds.
    pub const fn is_bad_request(self) -> bool {
        matches!(
            self,
            Self::BadRequestError
                | Self::ContextWindowExceededError
                | Self::ContentPolicyViolationError
                | Self::UnsupportedParamsError
        )
    }

    /// Whether Python's `isinstance(error, ServiceUnavailableError)` holds.
    pub const fn is_service_unavailable(self) -> bool {
        matches!(self, Self::ServiceUnavailableError | Self::MidStreamFallbackError)
    }
}

/// An exception inside the Router, with what LiteLLM hangs on it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Exception {
    /// Its class and status.
    pub(crate) error: Error,
    /// The `Retry-After` of the answer it was made from.
    pub(crate) retry_after: RetryAfter,
    /// Its `num_retries` attribute.
    pub(crate) num_retries: Option<i64>,
    /// The deployment it came from, which selection failures lack.
    pub(crate) deployment: Option<DeploymentId>,
    /// Its text has `APIConnectionError` in it.
    pub(crate) says_connection: bool,
    /// An open stream fell silent.
    pub(crate) stall: bool,
    /// The caller chose the timeout that struck.
    pub(crate) caller_timeout: bool,
}

impl Exception {
    /// An exception with nothing hung on it.
    pub(crate) const fn new(class: ErrorClass, status: Option<u16>) -> Self {
        Self::from(Error::new(class, status))
    }

    /// The same.
    pub(crate) const fn from(error: Error) -> Self {
        Self {
            error,
            retry_after: RetryAfter::Absent,
            num_retries: None,
            deployment: None,
            says_connection: matches!(error.class, ErrorClass::APIConnectionError),
            stall: false,
            caller_timeout: false,
        }
    }

    /// What LiteLLM's callbacks get of a failure within a stream: what the HTTP library raised, before LiteLLM makes an
    /// exception with a status of it.
    pub(crate) const fn unmapped(mut self) -> Self {
        self.error.class = ErrorClass::APIError;
        self.error.status = None;
        self.retry_after = RetryAfter::Absent;
        self.says_connection = false;
        self.caller_timeout = false;
        self
    }

    /// A 429 of one of the router's own limits, with its `retry-after: 60`.
    pub(crate) const fn own_limit() -> Self {
        let mut exception = Self::new(ErrorClass::RateLimitError, Some(429));
        exception.retry_after = RetryAfter::Seconds(60);
        exception
    }
}

/// Whether LiteLLM holds a status for one that may go away (`should_retry`).
pub(crate) const fn may_go_away(status: u16) -> bool {
    matches!(status, 408 | 409 | 429 | 500..)
}
