//! Between proxy and provider: the calls and answers of each dialect.
//!
//! A refused connection and a reset one are answers that break off after their head. The head has to be there, because a
//! connection that fails has no room for the time at which it fails; [`labels::BROKEN`] says which of them it is.

use hyper::{Request, Response, StatusCode};
use router_core::{AttemptId, DeploymentId, Failure, FailureKind, RetryAfter, Time, Usage};
use serde_json::{Value, json};

use super::client_api::{read_usage, usage_body};
use super::directory::{Deployment, Directory};
use super::labels::{self, WireError};
use super::payload::Payload;
use crate::actor::Reply;
use crate::actors::upstream::RateLimits;
use crate::provider::{Dialect, rate_limit_headers, wording_of};

/// Where a proxy says that it hangs up, just before it does.
pub(crate) const HANGUP: &str = "/routedrill/hangup";

/// A call as it is known to both ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CallId {
    pub(crate) attempt: AttemptId,
    pub(crate) deployment: DeploymentId,
}

/// The request of a call.
pub(crate) fn write_call(
    directory: &Directory,
    call: CallId,
    prompt_tokens: u32,
    output_tokens: u32,
) -> Result<Request<Payload>, WireError> {
    let deployment = directory.deployment(call.deployment)?;
    let sizes = json!({"prompt_tokens": prompt_tokens.to_string(), "output_tokens": output_tokens.to_string()});
    let mut message = labels::post(&path(deployment), &body(deployment, sizes).to_string())?;
    write_call_id(&mut message, call)?;
    let key = match deployment.dialect {
        Dialect::OpenAi | Dialect::Vertex => (hyper::header::AUTHORIZATION, "Bearer sk-routedrill"),
        Dialect::Azure => (hyper::header::HeaderName::from_static("api-key"), "sk-routedrill"),
        Dialect::Anthropic => (hyper::header::HeaderName::from_static("x-api-key"), "sk-routedrill"),
        Dialect::Bedrock => (hyper::header::AUTHORIZATION, "AWS4-HMAC-SHA256 Credential=routedrill"),
    };
    labels::put(message.headers_mut(), key.0, key.1)?;
    Ok(message)
}

/// The tokens of a call, prompt and answer.
pub(crate) fn read_call<B: AsRef<[u8]>>(message: &Request<B>) -> Result<(CallId, u32, u32), WireError> {
    let body = labels::json(message.body().as_ref())?;
    let sizes = [&body["metadata"], &body["requestMetadata"], &body["labels"]].into_iter().find(|at| at.is_object());
    let size = |key| {
        let size = sizes.and_then(|sizes| sizes[key].as_str()?.parse().ok());
        size.ok_or_else(|| labels::bad_body("a call", message.body().as_ref()))
    };
    Ok((read_call_id(message)?, size("prompt_tokens")?, size("output_tokens")?))
}

/// The request that hangs up.
pub(crate) fn write_hangup(call: CallId) -> Result<Request<Payload>, WireError> {
    let mut message = labels::post(HANGUP, "")?;
    write_call_id(&mut message, call)?;
    Ok(message)
}

fn write_call_id(message: &mut Request<Payload>, call: CallId) -> Result<(), WireError> {
    labels::put(message.headers_mut(), labels::ATTEMPT, &call.attempt.0.to_string())?;
    labels::put(message.headers_mut(), labels::DEPLOYMENT, &call.deployment.0.to_string())
}

/// Which call a request is about.
pub(crate) fn read_call_id<B>(message: &Request<B>) -> Result<CallId, WireError> {
    let attempt = labels::read(message.headers(), &labels::ATTEMPT, |text| text.parse().ok())?;
    let deployment = labels::read(message.headers(), &labels::DEPLOYMENT, |text| text.parse().ok())?;
    Ok(CallId { attempt: AttemptId(attempt), deployment: DeploymentId(deployment) })
}

fn path(deployment: &Deployment) -> String {
    let model: String = deployment
        .upstream_model
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    match deployment.dialect {
        Dialect::OpenAi => "/v1/chat/completions".to_owned(),
        Dialect::Azure => format!("/openai/deployments/{model}/chat/completions?api-version=2024-10-21"),
        Dialect::Anthropic => "/v1/messages".to_owned(),
        Dialect::Bedrock => format!("/model/{model}/converse"),
        Dialect::Vertex => {
            format!("/v1/projects/routedrill/locations/global/publishers/google/models/{model}:generateContent")
        }
    }
}

/// The body of a call. Each API has a place for labels; the sizes are there.
fn body(deployment: &Deployment, sizes: Value) -> Value {
    let model = &deployment.upstream_model;
    let messages = json!([{"role": "user", "content": ""}]);
    match deployment.dialect {
        Dialect::OpenAi | Dialect::Azure => json!({"model": model, "messages": messages, "metadata": sizes}),
        Dialect::Anthropic => {
            json!({"model": model, "max_tokens": 4096, "messages": messages, "metadata": sizes})
        }
        Dialect::Bedrock => {
            json!({"messages": [{"role": "user", "content": [{"text": ""}]}], "requestMetadata": sizes})
        }
        Dialect::Vertex => json!({"contents": [{"role": "user", "parts": [{"text": ""}]}], "labels": sizes}),
    }
}

/// The answer to a call, sent at `now`.
pub(crate) fn write_reply(
    directory: &Directory,
    deployment: DeploymentId,
    now: Time,
    limits: &RateLimits,
    reply: &Reply,
) -> Result<Response<Payload>, WireError> {
    let to = directory.deployment(deployment)?;
    let unix_nanos = directory.start_unix_nanos().saturating_add(now.as_nanos());
    let mut message = match reply {
        Reply::Answered { usage, content_filter } => {
            let body = completion(to, unix_nanos / 1_000_000_000, *usage, *content_filter);
            labels::answer(StatusCode::OK, Payload::whole(body.to_string()))
        }
        Reply::Failed { failure: Failure { kind: FailureKind::Status { code, .. }, retry_after }, text } => {
            let text = text.ok_or_else(|| WireError::Unexpected(format!("a {code} without a text")))?;
            let text = directory.text(text)?;
            let status = StatusCode::from_u16(*code);
            let status = status.map_err(|_| WireError::Unexpected(format!("the HTTP status {code}")))?;
            let mut message = labels::answer(status, Payload::whole(text.body()));
            for (name, value) in text.headers(*retry_after) {
                labels::put(message.headers_mut(), hyper::header::HeaderName::from_static(name), &value)?;
            }
            message
        }
        Reply::Failed { failure: Failure { kind, .. }, .. } => return broken(*kind),
    };
    for (name, value) in rate_limit_headers(to.dialect, limits, unix_nanos) {
        labels::put(message.headers_mut(), hyper::header::HeaderName::from_static(name), &value)?;
    }
    Ok(message)
}

/// An answer that is none.
fn broken(kind: FailureKind) -> Result<Response<Payload>, WireError> {
    let how = match kind {
        FailureKind::Refused => "refused",
        FailureKind::Reset => "reset",
        FailureKind::Truncated => "truncated",
        FailureKind::Malformed => {
            return Ok(labels::answer(StatusCode::OK, Payload::whole(r#"{"detail":"not a completion"}"#)));
        }
        FailureKind::Status { code, .. } => return Err(WireError::Unexpected(format!("a broken {code}"))),
    };
    let mut message = labels::answer(StatusCode::OK, Payload::cut_off());
    labels::put(message.headers_mut(), labels::BROKEN, how)?;
    Ok(message)
}

/// What came of a call, from an answer whose body came as a whole.
pub(crate) fn read_reply<B: AsRef<[u8]>>(
    directory: &Directory,
    deployment: DeploymentId,
    message: &Response<B>,
) -> Result<Reply, WireError> {
    let dialect = directory.deployment(deployment)?.dialect;
    let code = message.status().as_u16();
    if code < 400 {
        let body = labels::json(message.body().as_ref())?;
        return Ok(match read_completion(dialect, &body) {
            Some((usage, content_filter)) => Reply::Answered { usage, content_filter },
            None => failed(FailureKind::Malformed),
        });
    }
    let body = String::from_utf8_lossy(message.body().as_ref());
    let retry_after = match message.headers().get(hyper::header::RETRY_AFTER) {
        Some(_) => labels::read(message.headers(), &hyper::header::RETRY_AFTER, |text| text.parse().ok())
            .map_or(RetryAfter::Absent, RetryAfter::Seconds),
        None => RetryAfter::Absent,
    };
    let kind = FailureKind::Status { code, wording: wording_of(dialect, &body) };
    Ok(Reply::Failed { failure: Failure { kind, retry_after }, text: Some(directory.text_id(code, &body)?) })
}

/// What came of a call whose answer broke off.
pub(crate) fn read_broken(head: &Response<()>) -> Result<Reply, WireError> {
    labels::read(head.headers(), &labels::BROKEN, |text| match text {
        "refused" => Some(failed(FailureKind::Refused)),
        "reset" => Some(failed(FailureKind::Reset)),
        "truncated" => Some(failed(FailureKind::Truncated)),
        _ => None,
    })
}

const fn failed(kind: FailureKind) -> Reply {
    Reply::Failed { failure: Failure { kind, retry_after: RetryAfter::Absent }, text: None }
}

/// A complete answer.
fn completion(to: &Deployment, created: u64, usage: Usage, filtered: bool) -> Value {
    let (prompt, completion) = (usage.prompt_tokens, usage.completion_tokens);
    match to.dialect {
        Dialect::OpenAi | Dialect::Azure => json!({
            "id": "chatcmpl-routedrill",
            "object": "chat.completion",
            "created": created,
            "model": to.upstream_model,
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": ""},
                "finish_reason": if filtered { "content_filter" } else { "stop" },
            }],
            "usage": usage_body(usage),
        }),
        Dialect::Anthropic => json!({
            "id": "msg_routedrill",
            "type": "message",
            "role": "assistant",
            "model": to.upstream_model,
            "content": [{"type": "text", "text": ""}],
            "stop_reason": if filtered { "refusal" } else { "end_turn" },
            "usage": {"input_tokens": prompt, "output_tokens": completion},
        }),
        Dialect::Bedrock => json!({
            "output": {"message": {"role": "assistant", "content": [{"text": ""}]}},
            "stopReason": if filtered { "content_filtered" } else { "end_turn" },
            "usage": {"inputTokens": prompt, "outputTokens": completion, "totalTokens": usage.total()},
        }),
        Dialect::Vertex => json!({
            "candidates": [{
                "content": {"role": "model", "parts": [{"text": ""}]},
                "finishReason": if filtered { "SAFETY" } else { "STOP" },
            }],
            "usageMetadata": {
                "promptTokenCount": prompt,
                "candidatesTokenCount": completion,
                "totalTokenCount": usage.total(),
            },
        }),
    }
}

/// The usage of a complete answer, and whether it was filtered; nothing when it is not one.
fn read_completion(dialect: Dialect, body: &Value) -> Option<(Usage, bool)> {
    let usage = |at: &Value, prompt, completion| {
        let number = |key: &str| at[key].as_u64()?.try_into().ok();
        Some(Usage { prompt_tokens: number(prompt)?, completion_tokens: number(completion)? })
    };
    Some(match dialect {
        Dialect::OpenAi | Dialect::Azure => {
            (read_usage(&body["usage"])?, body["choices"][0]["finish_reason"].as_str()? == "content_filter")
        }
        Dialect::Anthropic => {
            (usage(&body["usage"], "input_tokens", "output_tokens")?, body["stop_reason"].as_str()? == "refusal")
        }
        Dialect::Bedrock => {
            (usage(&body["usage"], "inputTokens", "outputTokens")?, body["stopReason"].as_str()? == "content_filtered")
        }
        Dialect::Vertex => {
            let usage = usage(&body["usageMetadata"], "promptTokenCount", "candidatesTokenCount")?;
            (usage, body["candidates"][0]["finishReason"].as_str()? == "SAFETY")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECTS: [Dialect; 5] =
        [Dialect::OpenAi, Dialect::Azure, Dialect::Anthropic, Dialect::Bedrock, Dialect::Vertex];

    fn deployment(dialect: Dialect) -> Deployment {
        Deployment { id: "a".to_owned(), upstream_model: "anthropic.claude v2:1".to_owned(), dialect }
    }

    #[test]
    fn each_provider_s_answer_is_read_back_from_its_own_words() {
        let usage = Usage { prompt_tokens: 800, completion_tokens: u32::MAX };
        for dialect in DIALECTS {
            for filtered in [false, true] {
                let body = completion(&deployment(dialect), 0, usage, filtered);
                assert_eq!(read_completion(dialect, &body), Some((usage, filtered)), "{dialect:?} {body}");
            }
        }
    }

    #[test]
    fn a_200_that_is_no_completion_is_malformed() {
        for dialect in DIALECTS {
            assert_eq!(read_completion(dialect, &json!({"detail": "maintenance"})), None, "{dialect:?}");
        }
    }

    #[test]
    fn a_model_s_name_is_escaped_in_a_path() {
        assert_eq!(path(&deployment(Dialect::Bedrock)), "/model/anthropic.claude%20v2%3A1/converse");
    }

    #[test]
    fn a_broken_answer_says_how_it_broke() {
        for kind in [FailureKind::Refused, FailureKind::Reset, FailureKind::Truncated] {
            let (head, _) = broken(kind).unwrap().into_parts();
            assert_eq!(read_broken(&Response::from_parts(head, ())), Ok(failed(kind)));
        }
        let whole = labels::answer(StatusCode::OK, Payload::whole("{}")).into_parts().0;
        assert_eq!(read_broken(&Response::from_parts(whole, ())), Err(WireError::MissingHeader(labels::BROKEN)));
    }
}
