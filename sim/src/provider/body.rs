//! Error answers as bytes: bodies and headers as each provider writes them.

use router_core::{RetryAfter, Span, Wording};
use serde_json::{Value, json};

use super::{Dialect, ErrorAnswer};
use crate::actors::upstream::{RateLimits, Standing};

impl ErrorAnswer {
    /// The JSON body.
    pub fn body(&self) -> String {
        self.json().to_string()
    }

    /// What of the text the router's error mapping reacts to.
    pub fn wording(&self) -> Wording {
        wording_of(self.dialect, &self.body())
    }

    /// The headers that only error answers have, besides [`rate_limit_headers`].
    pub fn headers(&self, retry_after: RetryAfter) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        if self.dialect == Dialect::Bedrock {
            headers.push(("x-amzn-errortype", self.kind.to_owned()));
        }
        if let RetryAfter::Seconds(seconds) = retry_after {
            headers.push(("retry-after", seconds.to_string()));
            if self.dialect == Dialect::Azure {
                headers.push(("retry-after-ms", (seconds.saturating_mul(1000)).to_string()));
            }
        }
        headers
    }

    fn json(&self) -> Value {
        let Self { status, kind, code, message, .. } = self;
        match self.dialect {
            Dialect::OpenAi => json!({"error": {"message": message, "type": kind, "param": null, "code": code}}),
            Dialect::Azure => match self.code {
                // The content filter answers in OpenAI's form, and says more inside.
                Some("content_filter") => json!({"error": {
                    "message": message, "type": null, "param": "prompt", "code": code, "status": status,
                    "innererror": {"code": "ResponsibleAIPolicyViolation"},
                }}),
                Some("context_length_exceeded") => {
                    json!({"error": {"message": message, "type": kind, "param": "messages", "code": code}})
                }
                _ => {
                    json!({"error": {"code": code.map_or_else(|| status.to_string(), str::to_owned), "message": message}})
                }
            },
            Dialect::Anthropic => {
                json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_routedrill"})
            }
            Dialect::Bedrock => json!({"message": message}),
            Dialect::Vertex => json!({"error": {"code": status, "message": message, "status": kind}}),
        }
    }
}

/// What of an error answer's body the router's error mapping reacts to.
pub fn wording_of(dialect: Dialect, body: &str) -> Wording {
    match dialect {
        // The OpenAI SDK, which LiteLLM uses for these, shows the message and keeps the code apart.
        Dialect::OpenAi | Dialect::Azure => {
            let json: Value = serde_json::from_str(body).unwrap_or_default();
            let error = &json["error"];
            Wording::of(error["message"].as_str().unwrap_or(body), error["code"].as_str())
        }
        // Everybody else's text is the body as it came.
        Dialect::Anthropic | Dialect::Bedrock | Dialect::Vertex => Wording::of(body, None),
    }
}

/// What the headers of any answer, good or bad, tell about the quotas. Bedrock and Vertex tell nothing. `unix_nanos` is the
/// time of the answer, for providers that tell the moment of a reset and not the time until then.
pub fn rate_limit_headers(dialect: Dialect, limits: &RateLimits, unix_nanos: u64) -> Vec<(&'static str, String)> {
    let names: [[&str; 3]; 2] = match dialect {
        Dialect::OpenAi | Dialect::Azure => [
            ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"],
            ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
        ],
        Dialect::Anthropic => [
            [
                "anthropic-ratelimit-requests-limit",
                "anthropic-ratelimit-requests-remaining",
                "anthropic-ratelimit-requests-reset",
            ],
            [
                "anthropic-ratelimit-tokens-limit",
                "anthropic-ratelimit-tokens-remaining",
                "anthropic-ratelimit-tokens-reset",
            ],
        ],
        Dialect::Bedrock | Dialect::Vertex => return Vec::new(),
    };
    let standings = [limits.requests, limits.tokens];
    let told = names.into_iter().zip(standings).filter_map(|(names, standing)| Some((names, standing?)));
    told.flat_map(|(names, Standing { limit, remaining, reset })| {
        let reset = match dialect {
            Dialect::Anthropic => moment(unix_nanos.saturating_add(reset.as_nanos())),
            _ => duration(reset),
        };
        names.into_iter().zip([limit.to_string(), remaining.to_string(), reset])
    })
    .collect()
}

/// A moment as RFC 3339 writes it, at the next whole second.
fn moment(unix_nanos: u64) -> String {
    let seconds = unix_nanos.div_ceil(1_000_000_000);
    // Nanoseconds in 64 bits end in the year 2554, which every calendar reaches.
    jiff::Timestamp::from_second(seconds as i64).map_or_else(|_| seconds.to_string(), |moment| moment.to_string())
}

/// A span as OpenAI writes it: `20ms`, `1s`, `6m0s`.
fn duration(span: Span) -> String {
    let millis = span.as_nanos().div_ceil(1_000_000);
    match (millis / 60_000, millis % 60_000) {
        (0, millis) if millis < 1000 => format!("{millis}ms"),
        (0, millis) => seconds(millis),
        (minutes, millis) => format!("{minutes}m{}", seconds(millis)),
    }
}

fn seconds(millis: u64) -> String {
    match millis % 1000 {
        0 => format!("{}s", millis / 1000),
        part => format!("{}.{part:03}s", millis / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{ErrorKind, Said, said};

    fn answer(dialect: Dialect, kind: ErrorKind) -> ErrorAnswer {
        match said(dialect, kind, None) {
            Said::Error(answer) => answer,
            Said::Filtered => panic!("{dialect:?} answers {kind:?} with a 200"),
        }
    }

    #[test]
    fn bodies_have_the_shape_of_their_provider() {
        let body = |dialect| answer(dialect, ErrorKind::Status(404)).body();
        assert_eq!(
            body(Dialect::OpenAi),
            r#"{"error":{"message":"The model does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#
        );
        assert_eq!(
            body(Dialect::Azure),
            r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#
        );
        assert_eq!(
            body(Dialect::Anthropic),
            r#"{"type":"error","error":{"type":"not_found_error","message":"The requested resource could not be found."},"request_id":"req_routedrill"}"#
        );
        assert_eq!(body(Dialect::Bedrock), r#"{"message":"The specified resource ARN was not found."}"#);
        assert_eq!(
            body(Dialect::Vertex),
            r#"{"error":{"code":404,"message":"Requested entity was not found.","status":"NOT_FOUND"}}"#
        );
    }

    #[test]
    fn azure_says_its_retry_after_in_milliseconds_too() {
        let headers = answer(Dialect::Azure, ErrorKind::RateLimited).headers(RetryAfter::Seconds(20));
        assert_eq!(headers, [("retry-after", "20".to_owned()), ("retry-after-ms", "20000".to_owned())]);
        assert_eq!(answer(Dialect::Azure, ErrorKind::RateLimited).headers(RetryAfter::Absent), []);
    }

    #[test]
    fn openai_tells_how_long_until_a_reset_and_anthropic_when() {
        let requests = Some(Standing { limit: 500, remaining: 499, reset: Span::from_nanos(361_500_000_000) });
        let limits = RateLimits { requests, tokens: None };
        let reset = |dialect| rate_limit_headers(dialect, &limits, 1_800_000_000_000_000_000)[2].clone();
        assert_eq!(reset(Dialect::OpenAi), ("x-ratelimit-reset-requests", "6m1.500s".to_owned()));
        let moment = "2027-01-15T08:06:02Z".to_owned();
        assert_eq!(reset(Dialect::Anthropic), ("anthropic-ratelimit-requests-reset", moment));
        assert_eq!(rate_limit_headers(Dialect::Bedrock, &limits, 0), []);
    }

    #[test]
    fn short_resets_are_in_milliseconds() {
        assert_eq!(duration(Span::from_millis(20)), "20ms");
        assert_eq!(duration(Span::from_secs(1)), "1s");
        assert_eq!(duration(Span::from_secs(360)), "6m0s");
    }

    #[test]
    fn an_openai_error_is_heard_by_its_message_and_code_and_others_by_their_body() {
        let wording = |dialect, kind| answer(dialect, kind).wording();
        assert!(wording(Dialect::OpenAi, ErrorKind::ContextWindow).says(Wording::CONTEXT_WINDOW));
        assert!(wording(Dialect::Azure, ErrorKind::ContentFilter).says(Wording::AZURE_FILTERED));
        assert!(wording(Dialect::Anthropic, ErrorKind::Overloaded).says(Wording::ANTHROPIC_OVERLOADED));
        // The type in the body tells, not the sentence.
        assert!(wording(Dialect::Anthropic, ErrorKind::QuotaExhausted).says(Wording::RATE_LIMIT));
        assert!(!wording(Dialect::OpenAi, ErrorKind::Status(400)).says(Wording::INVALID_REQUEST));
    }

    #[test]
    fn a_body_that_is_no_json_is_heard_as_it_is() {
        assert!(wording_of(Dialect::OpenAi, "<h1>429 rate limit</h1>").says(Wording::RATE_LIMIT));
    }

    #[test]
    fn litellm_makes_of_each_error_what_it_is_about() {
        use router_core::{ErrorClass, Failure, FailureKind, Release, exception_of};
        let readers = [
            (Dialect::OpenAi, router_core::Dialect::OpenAi),
            (Dialect::Azure, router_core::Dialect::Azure),
            (Dialect::Anthropic, router_core::Dialect::Anthropic),
            (Dialect::Bedrock, router_core::Dialect::Bedrock),
            (Dialect::Vertex, router_core::Dialect::OpenAi),
        ];
        for (dialect, reader) in readers {
            let class = |kind| {
                let answer = answer(dialect, kind);
                let kind = FailureKind::Status { code: answer.status, wording: answer.wording() };
                let failure = Failure { kind, retry_after: RetryAfter::Absent };
                exception_of(reader, &failure, false, &Release::V1_109_1.rules()).class
            };
            for kind in [ErrorKind::RateLimited, ErrorKind::QuotaExhausted, ErrorKind::Status(429)] {
                assert_eq!(class(kind), ErrorClass::RateLimitError, "{dialect:?}: {kind:?}");
            }
            assert_eq!(class(ErrorKind::ContextWindow), ErrorClass::ContextWindowExceededError, "{dialect:?}");
            let revoked = match dialect {
                Dialect::Bedrock => ErrorClass::PermissionDeniedError,
                _ => ErrorClass::AuthenticationError,
            };
            assert_eq!(class(ErrorKind::Revoked), revoked, "{dialect:?}");
            if !matches!(dialect, Dialect::Bedrock | Dialect::Vertex) {
                assert_eq!(class(ErrorKind::ContentFilter), ErrorClass::ContentPolicyViolationError, "{dialect:?}");
            }
            let overloaded = match dialect {
                Dialect::Azure => ErrorClass::RateLimitError,
                Dialect::Anthropic => ErrorClass::InternalServerError,
                _ => ErrorClass::ServiceUnavailableError,
            };
            assert_eq!(class(ErrorKind::Overloaded), overloaded, "{dialect:?}");
        }
    }
}
