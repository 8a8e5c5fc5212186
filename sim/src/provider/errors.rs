//! What each provider says when it refuses: the sentences as they are seen in the field.
//!
//! Numbers that a real provider fills in (used, requested, organisation) are left out or fixed: nothing reads them.

use super::{Dialect, ErrorKind};

/// How a provider lets a caller know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// With an error answer.
    Error(ErrorAnswer),
    /// With a 200 whose finish reason becomes `content_filter`.
    Filtered,
}

/// The content of an error answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorAnswer {
    /// Whose body it is.
    pub dialect: Dialect,
    /// HTTP status.
    pub status: u16,
    /// The error's type (OpenAI, Anthropic), exception (Bedrock) or status word (Vertex).
    pub kind: &'static str,
    /// The error's code (OpenAI, Azure), where it has one.
    pub code: Option<&'static str>,
    /// The sentence.
    pub message: String,
}

/// What `dialect` answers for `kind`, in its own words or in those of `message`.
pub fn said(dialect: Dialect, kind: ErrorKind, message: Option<&str>) -> Said {
    let usual = match dialect {
        Dialect::OpenAi => openai(kind),
        Dialect::Azure => azure(kind),
        Dialect::Anthropic => anthropic(kind),
        Dialect::Bedrock => bedrock(kind),
        Dialect::Vertex => vertex(kind),
    };
    match (usual, message) {
        (Some((status, kind, code, usual)), message) => {
            let message = message.map_or_else(|| usual.to_owned(), str::to_owned);
            Said::Error(ErrorAnswer { dialect, status, kind, code, message })
        }
        // Who asks for a sentence of their own wants an error, not a filtered answer.
        (None, Some(message)) => {
            let (status, kind, code, _) = plain(400);
            Said::Error(ErrorAnswer { dialect, status, kind, code, message: message.to_owned() })
        }
        (None, None) => Said::Filtered,
    }
}

/// Status, type, code and sentence; `None` for a 200 that was filtered.
type Usual = Option<(u16, &'static str, Option<&'static str>, &'static str)>;

fn openai(kind: ErrorKind) -> Usual {
    Some(match kind {
        ErrorKind::Status(code) => plain(code),
        ErrorKind::RateLimited => (429, "requests", Some("rate_limit_exceeded"), "Rate limit reached for requests."),
        ErrorKind::TokensLimited => (429, "tokens", Some("rate_limit_exceeded"), "Rate limit reached for tokens."),
        ErrorKind::QuotaExhausted => (
            429,
            "insufficient_quota",
            Some("insufficient_quota"),
            "You exceeded your current quota, please check your plan and billing details.",
        ),
        ErrorKind::Overloaded => plain(503),
        ErrorKind::Revoked => plain(401),
        ErrorKind::ContextWindow => (
            400,
            "invalid_request_error",
            Some("context_length_exceeded"),
            "This model's maximum context length is 8192 tokens. However, your messages resulted in more tokens. \
             Please reduce the length of the messages.",
        ),
        ErrorKind::ContentFilter => (
            400,
            "invalid_request_error",
            Some("content_policy_violation"),
            "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again \
             with a different prompt.",
        ),
    })
}

fn azure(kind: ErrorKind) -> Usual {
    Some(match kind {
        ErrorKind::Status(401) | ErrorKind::Revoked => (
            401,
            "invalid_request_error",
            Some("401"),
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for \
             an active subscription and use a correct regional API endpoint for your resource.",
        ),
        ErrorKind::Status(404) => (
            404,
            "invalid_request_error",
            Some("DeploymentNotFound"),
            "The API deployment for this resource does not exist.",
        ),
        ErrorKind::Status(429) | ErrorKind::RateLimited => (
            429,
            "requests",
            Some("429"),
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded call rate limit of \
             your current OpenAI S0 pricing tier. Please retry later. Please go here: https://aka.ms/oai/quotaincrease \
             if you would like to further increase the default rate limit.",
        ),
        ErrorKind::TokensLimited | ErrorKind::QuotaExhausted => (
            429,
            "tokens",
            Some("429"),
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded token rate limit of \
             your current OpenAI S0 pricing tier. Please retry later. Please go here: https://aka.ms/oai/quotaincrease \
             if you would like to further increase the default rate limit.",
        ),
        ErrorKind::Overloaded => (
            429,
            "requests",
            Some("no_capacity"),
            "The system is currently experiencing high demand and cannot process your request. Your request exceeds the \
             maximum usage size allowed during peak load.",
        ),
        ErrorKind::ContentFilter => (
            400,
            "invalid_request_error",
            Some("content_filter"),
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please \
             modify your prompt and retry.",
        ),
        ErrorKind::ContextWindow | ErrorKind::Status(_) => return openai(kind),
    })
}

fn anthropic(kind: ErrorKind) -> Usual {
    Some(match kind {
        ErrorKind::Status(401) | ErrorKind::Revoked => (401, "authentication_error", None, "invalid x-api-key"),
        ErrorKind::Status(403) => {
            (403, "permission_error", None, "Your API key does not have permission to use the specified resource.")
        }
        ErrorKind::Status(404) => (404, "not_found_error", None, "The requested resource could not be found."),
        ErrorKind::Status(413) => (413, "request_too_large", None, "Request exceeds the maximum size"),
        ErrorKind::Status(429) | ErrorKind::RateLimited => (
            429,
            "rate_limit_error",
            None,
            "This request would exceed your organization's rate limit of requests per minute. For details, refer to: \
             https://docs.claude.com/en/api/rate-limits.",
        ),
        ErrorKind::TokensLimited => (
            429,
            "rate_limit_error",
            None,
            "This request would exceed your organization's rate limit of input tokens per minute. For details, refer \
             to: https://docs.claude.com/en/api/rate-limits.",
        ),
        ErrorKind::QuotaExhausted => {
            (429, "rate_limit_error", None, "You have reached your specified API usage limits.")
        }
        ErrorKind::Status(529) | ErrorKind::Overloaded => (529, "overloaded_error", None, "Overloaded"),
        ErrorKind::ContextWindow => {
            (400, "invalid_request_error", None, "prompt is too long: 200001 tokens > 200000 maximum")
        }
        ErrorKind::ContentFilter => (400, "invalid_request_error", None, "Output blocked by content filtering policy"),
        ErrorKind::Status(code @ 500..) => (code, "api_error", None, "Internal server error"),
        ErrorKind::Status(code) => (code, "invalid_request_error", None, plain(code).3),
    })
}

fn bedrock(kind: ErrorKind) -> Usual {
    Some(match kind {
        ErrorKind::Revoked => {
            (403, "UnrecognizedClientException", None, "The security token included in the request is invalid.")
        }
        ErrorKind::Status(403) => {
            (403, "AccessDeniedException", None, "You don't have access to the model with the specified model ID.")
        }
        ErrorKind::Status(404) => (404, "ResourceNotFoundException", None, "The specified resource ARN was not found."),
        ErrorKind::Status(408) => {
            (408, "ModelTimeoutException", None, "The model took too long to process the request.")
        }
        ErrorKind::Status(429) | ErrorKind::RateLimited => {
            (429, "ThrottlingException", None, "Too many requests, please wait before trying again.")
        }
        ErrorKind::TokensLimited => {
            (429, "ThrottlingException", None, "Too many tokens, please wait before trying again.")
        }
        ErrorKind::QuotaExhausted => {
            (429, "ThrottlingException", None, "Too many tokens per day, please wait before trying again.")
        }
        ErrorKind::Status(503) | ErrorKind::Overloaded => {
            (503, "ServiceUnavailableException", None, "Bedrock is unable to process your request.")
        }
        ErrorKind::ContextWindow => (400, "ValidationException", None, "Input is too long for requested model."),
        ErrorKind::ContentFilter => return None,
        ErrorKind::Status(code @ 500..) => (
            code,
            "InternalServerException",
            None,
            "The system encountered an unexpected error during processing. Try your request again.",
        ),
        ErrorKind::Status(code) => (code, "ValidationException", None, plain(code).3),
    })
}

fn vertex(kind: ErrorKind) -> Usual {
    Some(match kind {
        ErrorKind::Status(401) | ErrorKind::Revoked => (
            401,
            "UNAUTHENTICATED",
            None,
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid \
             authentication credential.",
        ),
        ErrorKind::Status(403) => (403, "PERMISSION_DENIED", None, "The caller does not have permission"),
        ErrorKind::Status(404) => (404, "NOT_FOUND", None, "Requested entity was not found."),
        ErrorKind::Status(429) | ErrorKind::RateLimited | ErrorKind::TokensLimited => {
            (429, "RESOURCE_EXHAUSTED", None, "Resource exhausted. Please try again later.")
        }
        ErrorKind::QuotaExhausted => (
            429,
            "RESOURCE_EXHAUSTED",
            None,
            "You exceeded your current quota, please check your plan and billing details.",
        ),
        ErrorKind::Status(503) | ErrorKind::Overloaded => {
            (503, "UNAVAILABLE", None, "The model is overloaded. Please try again later.")
        }
        ErrorKind::ContextWindow => (
            400,
            "INVALID_ARGUMENT",
            None,
            "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
        ),
        ErrorKind::ContentFilter => return None,
        ErrorKind::Status(504) => (504, "DEADLINE_EXCEEDED", None, "Deadline expired before operation could complete."),
        ErrorKind::Status(code @ 500..) => (code, "INTERNAL", None, "Internal error encountered."),
        ErrorKind::Status(code) => (code, "INVALID_ARGUMENT", None, plain(code).3),
    })
}

/// OpenAI's usual sentence for a status.
fn plain(status: u16) -> (u16, &'static str, Option<&'static str>, &'static str) {
    let (kind, code, message) = match status {
        400 => ("invalid_request_error", None, "Invalid request."),
        401 => (
            "invalid_request_error",
            Some("invalid_api_key"),
            "Incorrect API key provided: sk-xxxx. You can find your API key at \
             https://platform.openai.com/account/api-keys.",
        ),
        403 => ("invalid_request_error", None, "You are not allowed to access this model."),
        404 => (
            "invalid_request_error",
            Some("model_not_found"),
            "The model does not exist or you do not have access to it.",
        ),
        408 => ("server_error", None, "Request timed out."),
        413 => ("invalid_request_error", None, "Request too large for this model."),
        422 => ("invalid_request_error", None, "Unprocessable request."),
        429 => ("requests", Some("rate_limit_exceeded"), "Rate limit reached for requests."),
        500 => ("server_error", None, "The server had an error while processing your request. Sorry about that!"),
        502 => ("server_error", None, "Bad gateway."),
        503 => ("server_error", None, "The engine is currently overloaded, please try again later."),
        504 => ("server_error", None, "Gateway time-out."),
        ..500 => ("invalid_request_error", None, "The request was not accepted."),
        _ => ("server_error", None, "The server could not answer."),
    };
    (status, kind, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_and_message(dialect: Dialect, kind: ErrorKind) -> Option<(u16, String)> {
        match said(dialect, kind, None) {
            Said::Error(error) => Some((error.status, error.message)),
            Said::Filtered => None,
        }
    }

    #[test]
    fn each_provider_has_its_own_way_to_be_overloaded() {
        let status = |dialect| status_and_message(dialect, ErrorKind::Overloaded).map(|(status, _)| status);
        assert_eq!(status(Dialect::OpenAi), Some(503));
        assert_eq!(status(Dialect::Azure), Some(429));
        assert_eq!(status(Dialect::Anthropic), Some(529));
        assert_eq!(status(Dialect::Bedrock), Some(503));
        assert_eq!(status(Dialect::Vertex), Some(503));
    }

    #[test]
    fn a_plain_status_keeps_its_number_in_every_dialect() {
        for dialect in [Dialect::OpenAi, Dialect::Azure, Dialect::Anthropic, Dialect::Bedrock, Dialect::Vertex] {
            for code in 400..600 {
                let (status, message) = status_and_message(dialect, ErrorKind::Status(code)).expect("an error");
                assert_eq!(status, code, "{dialect:?}");
                assert!(!message.is_empty());
            }
        }
    }

    #[test]
    fn a_filter_that_ends_an_answer_becomes_an_error_only_with_a_sentence_of_its_own() {
        assert_eq!(said(Dialect::Vertex, ErrorKind::ContentFilter, None), Said::Filtered);
        let Said::Error(error) = said(Dialect::Vertex, ErrorKind::ContentFilter, Some("no")) else {
            panic!("an error")
        };
        assert_eq!((error.status, error.message.as_str()), (400, "no"));
    }
}
