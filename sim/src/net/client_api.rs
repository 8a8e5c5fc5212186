//! Between client and proxy: OpenAI's chat completions as LiteLLM's proxy serves them.

use hyper::{Request, Response, StatusCode};
use router_core::{Answered, Ask, DeploymentId, Error, ErrorClass, Outcome, RequestId, Span, Usage};
use serde_json::{Map, Value, json};

use super::directory::Directory;
use super::labels::{self, WireError};
use super::params;
use super::payload::Payload;

/// Where clients ask.
pub(crate) const ASK: &str = "/v1/chat/completions";
/// Where a client says that it does not wait any longer, just before it hangs up.
pub(crate) const CANCEL: &str = "/routedrill/cancel";

/// The request that asks. The prompt itself is not there; its length is, in `metadata`.
pub(crate) fn write_ask(directory: &Directory, request: RequestId, ask: &Ask) -> Result<Request<Payload>, WireError> {
    let Ask { model, prompt_tokens, output_tokens, stream, params } = ask;
    let mut body = Map::new();
    body.insert("model".to_owned(), directory.model(*model).into());
    body.insert("messages".to_owned(), json!([{"role": "user", "content": ""}]));
    body.insert("stream".to_owned(), json!(stream));
    body.insert("metadata".to_owned(), json!({"prompt_tokens": prompt_tokens, "output_tokens": output_tokens}));
    if let Some(params) = params {
        params::write(directory, params, &mut body);
    }
    let mut message = labels::post(ASK, &Value::Object(body).to_string())?;
    labels::put(message.headers_mut(), labels::REQUEST, &write_request(request))?;
    labels::put(message.headers_mut(), hyper::header::AUTHORIZATION, "Bearer sk-routedrill")?;
    Ok(message)
}

/// What a request asks for.
pub(crate) fn read_ask<B: AsRef<[u8]>>(
    directory: &Directory,
    message: &Request<B>,
) -> Result<(RequestId, Ask), WireError> {
    let body = labels::json(message.body().as_ref())?;
    let bad = || labels::bad_body("a chat completion request", message.body().as_ref());
    let fields = body.as_object().ok_or_else(bad)?;
    let number = |key| body["metadata"][key].as_u64().and_then(|number| number.try_into().ok()).ok_or_else(bad);
    let ask = Ask {
        model: directory.model_id(body["model"].as_str().ok_or_else(bad)?)?,
        prompt_tokens: number("prompt_tokens")?,
        output_tokens: number("output_tokens")?,
        stream: body["stream"].as_bool().ok_or_else(bad)?,
        params: params::read(directory, fields)?,
    };
    Ok((read_request(message)?, ask))
}

/// The request that cancels.
pub(crate) fn write_cancel(request: RequestId) -> Result<Request<Payload>, WireError> {
    let mut message = labels::post(CANCEL, "")?;
    labels::put(message.headers_mut(), labels::REQUEST, &write_request(request))?;
    Ok(message)
}

/// The client's name of a request.
pub(crate) fn read_request<B>(message: &Request<B>) -> Result<RequestId, WireError> {
    labels::read(message.headers(), &labels::REQUEST, |text| {
        let (source, number) = text.split_once(':')?;
        Some(RequestId::new(source.parse().ok()?, number.parse().ok()?))
    })
}

fn write_request(RequestId { source, number }: RequestId) -> String {
    format!("{source}:{number}")
}

/// The answer to a request.
pub(crate) fn write_answer(
    directory: &Directory,
    created: u64,
    outcome: &Outcome,
) -> Result<Response<Payload>, WireError> {
    match outcome {
        Outcome::Answered(Answered { by, usage }) => {
            let deployment = directory.deployment(*by)?;
            let body = json!({
                "id": "chatcmpl-routedrill",
                "object": "chat.completion",
                "created": created,
                "model": deployment.upstream_model,
                "choices": [{"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}],
                "usage": usage_body(*usage),
            });
            let mut message = labels::answer(StatusCode::OK, Payload::whole(body.to_string()));
            // Ids are the operator's, and need not be ASCII: the real proxy fails on such a header, this one leaves it out.
            let _ = labels::put(message.headers_mut(), LITELLM_MODEL_ID, &deployment.id);
            labels::put(message.headers_mut(), labels::DEPLOYMENT, &by.0.to_string())?;
            Ok(message)
        }
        Outcome::Failed(Error { class, status, client_status, client_retry_after }) => {
            let said = format!("litellm.{}: the request failed", class.name());
            let code = client_status.to_string();
            let body = json!({"error": {"message": said, "type": "None", "param": "None", "code": code}});
            let http_status = StatusCode::from_u16(*client_status);
            let http_status = http_status.map_err(|_| WireError::Unexpected(format!("the HTTP status {code}")))?;
            let mut message = labels::answer(http_status, Payload::whole(body.to_string()));
            if let Some(wait) = client_retry_after {
                labels::put(message.headers_mut(), hyper::header::RETRY_AFTER, &write_seconds(*wait))?;
            }
            if let Some(status) = status {
                labels::put(message.headers_mut(), labels::EXCEPTION_STATUS, &status.to_string())?;
            }
            Ok(message)
        }
    }
}

const LITELLM_MODEL_ID: hyper::header::HeaderName = hyper::header::HeaderName::from_static("x-litellm-model-id");

/// What an answer says.
pub(crate) fn read_answer<B: AsRef<[u8]>>(message: &Response<B>) -> Result<Outcome, WireError> {
    let body = labels::json(message.body().as_ref())?;
    if message.status() == StatusCode::OK {
        let bad = || labels::bad_body("a chat completion", message.body().as_ref());
        let by = labels::read(message.headers(), &labels::DEPLOYMENT, |text| text.parse().ok())?;
        let usage = read_usage(&body["usage"]).ok_or_else(bad)?;
        return Ok(Outcome::Answered(Answered { by: DeploymentId(by), usage }));
    }
    let bad = || labels::bad_body("an error of LiteLLM's", message.body().as_ref());
    let said = body["error"]["message"].as_str().ok_or_else(bad)?;
    let class = said.strip_prefix("litellm.").and_then(|said| said.split(':').next());
    let headers = message.headers();
    let optional = |name| headers.contains_key(name);
    Ok(Outcome::Failed(Error {
        class: class.and_then(ErrorClass::from_name).ok_or_else(bad)?,
        status: optional(&labels::EXCEPTION_STATUS)
            .then(|| labels::read(headers, &labels::EXCEPTION_STATUS, |text| text.parse().ok()))
            .transpose()?,
        client_status: message.status().as_u16(),
        client_retry_after: optional(&hyper::header::RETRY_AFTER)
            .then(|| labels::read(headers, &hyper::header::RETRY_AFTER, read_seconds))
            .transpose()?,
    }))
}

/// OpenAI's count of tokens.
pub(crate) fn usage_body(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total(),
    })
}

/// What OpenAI's count of tokens says.
pub(crate) fn read_usage(body: &Value) -> Option<Usage> {
    let number = |key| body[key].as_u64()?.try_into().ok();
    Some(Usage { prompt_tokens: number("prompt_tokens")?, completion_tokens: number("completion_tokens")? })
}

/// Seconds with as many decimals as there are: LiteLLM passes on what it has, whole or not.
fn write_seconds(span: Span) -> String {
    let (seconds, nanos) = (span.as_nanos() / 1_000_000_000, span.as_nanos() % 1_000_000_000);
    if nanos == 0 { seconds.to_string() } else { format!("{seconds}.{nanos:09}") }
}

fn read_seconds(text: &str) -> Option<Span> {
    let (seconds, nanos) = match text.split_once('.') {
        Some((seconds, nanos)) if nanos.len() == 9 => (seconds, nanos.parse().ok()?),
        Some(_) => return None,
        None => (text, 0),
    };
    let seconds = seconds.parse::<u64>().ok()?;
    Some(Span::from_nanos(seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_exact_in_the_header() {
        for nanos in [0, 1, 999_999_999, 20_000_000_000, 1_500_000_000, u64::MAX] {
            let span = Span::from_nanos(nanos);
            assert_eq!(read_seconds(&write_seconds(span)), Some(span));
        }
        assert_eq!(write_seconds(Span::from_secs(20)), "20");
        assert_eq!(read_seconds("soon"), None);
    }
}
