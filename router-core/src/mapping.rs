//! Which exception LiteLLM makes of what an upstream did (LiteLLM: `exception_mapping_utils`).

use crate::error::{Error, ErrorClass, Failure, FailureKind};
use crate::plan::Dialect;
use crate::rules::Rules;
use crate::wording::Wording;

/// The exception for a failed call. `opened`: the failure struck within a streamed answer.
pub fn exception_of(dialect: Dialect, failure: &Failure, opened: bool, rules: &Rules) -> Error {
    use ErrorClass::{APIConnectionError, InternalServerError, RateLimitError};
    match failure.kind {
        // LiteLLM: whatever goes wrong while a stream is read is a connection error, except for a rate limit.
        FailureKind::Status { code: 429, .. } if opened => Error::new(RateLimitError, Some(429)),
        _ if opened => Error::new(APIConnectionError, Some(500)),
        FailureKind::Refused | FailureKind::Reset => match dialect {
            Dialect::OpenAi | Dialect::Anthropic => Error::new(InternalServerError, Some(500)),
            Dialect::Azure | Dialect::Bedrock => Error::new(APIConnectionError, Some(500)),
        },
        FailureKind::Malformed => Error::new(InternalServerError, Some(500)),
        FailureKind::Truncated => Error::new(APIConnectionError, Some(500)),
        FailureKind::Status { code, wording } => {
            let answer = Answer { code, wording, rules };
            if wording.says(Wording::TIMED_OUT) {
                return Error::new(ErrorClass::Timeout, Some(408));
            }
            match dialect {
                Dialect::OpenAi => answer.of_openai(),
                Dialect::Azure => answer.of_azure(),
                Dialect::Anthropic => answer.of_anthropic(),
                Dialect::Bedrock => answer.of_bedrock(),
            }
        }
    }
}

/// The exception for a call that timed out.
pub(crate) const TIMED_OUT: Error = Error::new(ErrorClass::Timeout, Some(408));

struct Answer<'a> {
    code: u16,
    wording: Wording,
    rules: &'a Rules,
}

impl Answer<'_> {
    /// Words first, in this order, then the status.
    fn of_openai(&self) -> Error {
        use ErrorClass::*;
        let says = |phrases| self.wording.says(phrases);
        let invalid_request = says(Wording::INVALID_REQUEST);
        if says(Wording::RATE_LIMIT) || says(Wording::BARE_429) && (self.rules.bare_429_always || self.code == 429) {
            Error::new(RateLimitError, Some(429))
        } else if self.is_context_window() {
            self.of_class(ContextWindowExceededError)
        } else if invalid_request && says(Wording::MODEL_NOT_FOUND) {
            Error::new(NotFoundError, Some(self.code))
        } else if says(Wording::TIMEOUT_OCCURRED) {
            Error::new(Timeout, Some(408))
        } else if invalid_request && says(Wording::POLICY_CODE) || says(Wording::POLICY) {
            self.of_class(ContentPolicyViolationError)
        } else if invalid_request && !says(Wording::INCORRECT_KEY) {
            match self.code {
                401 if self.rules.invalid_request_keeps_status => Error::new(AuthenticationError, Some(401)),
                404 if self.rules.invalid_request_keeps_status => Error::new(NotFoundError, Some(404)),
                _ => self.bad_request(),
            }
        } else if says(Wording::SERVER_ERROR) {
            Error::new(InternalServerError, Some(500))
        } else if says(Wording::TOO_LARGE) {
            Error::new(RateLimitError, Some(429))
        } else {
            self.by_status(InternalServerError)
        }
    }

    fn of_azure(&self) -> Error {
        use ErrorClass::*;
        let says = |phrases| self.wording.says(phrases);
        if says(Wording::INTERNAL_SERVER_ERROR) {
            Error::new(InternalServerError, Some(500))
        } else if self.is_context_window() || self.rules.azure_knows_codes && says(Wording::CODE_CONTEXT) {
            Error::new(ContextWindowExceededError, Some(400))
        } else if says(Wording::DEPLOYMENT_NOT_FOUND) {
            Error::new(NotFoundError, Some(404))
        } else if says(Wording::AZURE_FILTERED) || says(Wording::POLICY) {
            Error::new(ContentPolicyViolationError, Some(400))
        } else if self.code == 404 && !self.rules.azure_knows_codes {
            Error::new(APIError, Some(404))
        } else {
            self.by_status(APIError)
        }
    }

    fn of_anthropic(&self) -> Error {
        use ErrorClass::*;
        let says = |phrases| self.wording.says(phrases);
        if says(Wording::ANTHROPIC_TOO_LONG) {
            return Error::new(ContextWindowExceededError, Some(400));
        } else if says(Wording::ANTHROPIC_OVERLOADED) {
            return Error::new(InternalServerError, Some(500));
        } else if says(Wording::ANTHROPIC_FILTERED) {
            return Error::new(ContentPolicyViolationError, Some(400));
        }
        match self.code {
            403 => Error::new(PermissionDeniedError, Some(403)),
            413 => Error::new(BadRequestError, Some(400)),
            529 => Error::new(InternalServerError, Some(500)),
            _ => self.by_status(InternalServerError),
        }
    }

    fn of_bedrock(&self) -> Error {
        use ErrorClass::*;
        let says = |phrases| self.wording.says(phrases);
        if says(Wording::BEDROCK_TOO_LONG) {
            return Error::new(ContextWindowExceededError, Some(400));
        } else if says(Wording::THROTTLED) {
            return Error::new(RateLimitError, Some(429));
        } else if says(Wording::ACCESS_DENIED) {
            return Error::new(PermissionDeniedError, Some(403));
        }
        match self.code {
            403 => Error::new(PermissionDeniedError, Some(403)),
            413 => self.bad_request(),
            500 => Error::new(ServiceUnavailableError, Some(503)),
            _ => self.by_status(APIError),
        }
    }

    /// What the status alone makes; `of_500` is the class that a 500 makes.
    fn by_status(&self, of_500: ErrorClass) -> Error {
        use ErrorClass::*;
        match self.code {
            400 | 422 => self.bad_request(),
            401 => Error::new(AuthenticationError, Some(401)),
            404 => Error::new(NotFoundError, Some(404)),
            408 => Error::new(Timeout, Some(408)),
            429 => Error::new(RateLimitError, Some(429)),
            500 => Error::new(of_500, Some(500)),
            502 => Error::new(BadGatewayError, Some(502)),
            503 => Error::new(ServiceUnavailableError, Some(503)),
            504 => Error::new(Timeout, Some(504)),
            other => Error::new(APIError, Some(other)),
        }
    }

    fn bad_request(&self) -> Error {
        self.of_class(ErrorClass::BadRequestError)
    }

    /// A kind of bad request, with the status of the answer where the release keeps it.
    fn of_class(&self, class: ErrorClass) -> Error {
        Error::new(class, Some(if self.rules.keeps_upstream_status { self.code } else { 400 }))
    }

    fn is_context_window(&self) -> bool {
        if !self.rules.late_context_phrases {
            return self.wording.says(Wording::CONTEXT_WINDOW);
        }
        self.wording.says(Wording::CONTEXT_WINDOW | Wording::CONTEXT_WINDOW_LATE)
            && !self.wording.says(Wording::NOT_CONTEXT_WINDOW)
    }
}
