//! From a recording to what the core takes: the requests, and the errors of scripted upstreams.

use jiff::fmt::rfc2822::DateTimeParser;
use router_core::{
    Ask, Config, Failure, FailureKind, FallbackTarget, Params, Plan, Release, RequestList, RequestLists, RequestParams,
    RetryAfter, Span, TagId, Target, Wording,
};

use super::field::{Field, Malformed};
use super::params;
use super::recording::{Recording, ReplyKind, Request};
use crate::litellm::{Loaded, Node, Options};
use crate::provider::{Dialect, ErrorKind, Said, said};

/// A connection that is reset.
pub(super) const RESET: Failure = Failure { kind: FailureKind::Reset, retry_after: RetryAfter::Absent };

/// What a scripted reply without an answer is on the wire. `start_unix_nanos`: the Unix time of the start.
pub(super) fn failure(reply: &ReplyKind, start_unix_nanos: u64) -> Failure {
    match reply {
        ReplyKind::Error { status, retry_after, code, message } => {
            let text = message.clone().unwrap_or_else(|| usual_sentence(*status, code.as_deref()));
            let wording = Wording::of(&text, code.as_deref());
            let retry_after = retry_after.as_deref().map_or(RetryAfter::Absent, |text| parse(text, start_unix_nanos));
            Failure { kind: FailureKind::Status { code: *status, wording }, retry_after }
        }
        ReplyKind::Refused => Failure { kind: FailureKind::Refused, retry_after: RetryAfter::Absent },
        ReplyKind::Reset | ReplyKind::Answer { .. } | ReplyKind::Hang => RESET,
    }
}

/// OpenAI's usual sentence for an error code or, where the code has none, for the status.
fn usual_sentence(status: u16, code: Option<&str>) -> String {
    let kind = match code {
        Some("context_length_exceeded") => ErrorKind::ContextWindow,
        Some("content_policy_violation") => ErrorKind::ContentFilter,
        Some("insufficient_quota") => ErrorKind::QuotaExhausted,
        _ => ErrorKind::Status(status),
    };
    match said(Dialect::OpenAi, kind, None) {
        Said::Error(error) => error.message,
        Said::Filtered => String::new(),
    }
}

/// A `Retry-After` header as LiteLLM reads it (`_calculate_retry_after`): a whole number of seconds, or a date.
fn parse(text: &str, start_unix_nanos: u64) -> RetryAfter {
    if let Ok(secs) = text.trim().parse() {
        return RetryAfter::Seconds(secs);
    }
    if let Some(seconds) = text.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds > 0.0) {
        return RetryAfter::Fractional(Span::from_secs_f64(seconds));
    }
    match DateTimeParser::new().parse_timestamp(text) {
        Ok(date) => RetryAfter::Until((date.as_nanosecond() - i128::from(start_unix_nanos)) as i64),
        Err(_) => RetryAfter::Absent,
    }
}

/// The configuration of a recording, as one release means it.
///
/// # Errors
/// Everything in it that LiteLLM's proxy would refuse.
pub fn plan_of(recording: &Recording, release: Release) -> Result<Plan, Malformed> {
    let config = config_of(recording, release)?;
    Plan::new(&config).map_err(|errors| {
        let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
        Malformed::at("config", messages.join("; "))
    })
}

/// The configuration of a recording, read as LiteLLM's proxy reads it.
pub(super) fn config_of(recording: &Recording, release: Release) -> Result<Config, Malformed> {
    let node = Node::from_json(&recording.config);
    let mut names: Vec<String> = recording.requests.iter().map(|request| request.model.clone()).collect();
    let mut lists = Vec::new();
    for (index, request) in recording.requests.iter().enumerate() {
        if let Some((params, written)) = params_of(index, request)? {
            names.extend(params::fallback_names(&params).map(str::to_owned));
            lists.extend([written.fallbacks, written.context_window, written.content_policy].into_iter().flatten());
        }
    }
    names.sort_unstable();
    names.dedup();
    let options = Options {
        release,
        mode: recording.mode,
        asked_names: names,
        start_unix_nanos: recording.start_unix_nanos,
        without_models: false,
    };
    match Loaded::from_node(&node, &recording.name, &options) {
        Ok(loaded) => Ok(Config { request_lists: lists, ..loaded.config }),
        Err(problems) => {
            let messages: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
            Err(Malformed::at("config", messages.join("; ")))
        }
    }
}

/// The requests as the core hears them.
pub(super) fn asks(recording: &Recording, plan: &Plan) -> Result<Vec<Ask>, Malformed> {
    let mut maps = Maps::default();
    let mut lists = 0_u32;
    let mut place = |list: &Option<RequestList>| {
        list.as_ref().map(|_| {
            lists += 1;
            lists - 1
        })
    };
    let ask = |(index, request): (usize, &Request)| {
        let unknown = || Malformed::at(format!("requests[{index}].model"), "the plan has no such name");
        Ok(Ask {
            model: plan.name_id(&request.model).ok_or_else(unknown)?,
            prompt_tokens: request.prompt_tokens,
            output_tokens: 0,
            stream: request.stream,
            params: params_of(index, request)?.map(|(params, written)| {
                // In the order in which `config_of` takes them.
                let lists = RequestLists {
                    fallbacks: place(&written.fallbacks),
                    context_window: place(&written.context_window),
                    content_policy: place(&written.content_policy),
                };
                Box::new(Params { lists, ..maps.params(&params, plan) })
            }),
        })
    };
    recording.requests.iter().enumerate().map(ask).collect()
}

fn params_of(index: usize, request: &Request) -> Result<Option<(RequestParams, params::Lists)>, Malformed> {
    let Some(value) = &request.params else { return Ok(None) };
    params::read(&Field::root(value))
        .map(Some)
        .map_err(|malformed| malformed.below(&format!("requests[{index}].params")))
}

/// The fallback maps that requests bring along, by their text: a request knows by it what it tried.
#[derive(Default)]
struct Maps {
    texts: Vec<String>,
}

impl Maps {
    /// Apart from the maps of the configuration, which are numbered from 0.
    const FIRST: u32 = 1 << 31;

    fn params(&mut self, params: &RequestParams, plan: &Plan) -> Params {
        let RequestParams { num_retries, max_retries, timeout, request_timeout, stream_timeout, .. } = *params;
        let targets = |targets: &Vec<FallbackTarget>| targets.iter().map(|target| self.target(target, plan)).collect();
        Params {
            num_retries,
            max_retries,
            timeout,
            request_timeout,
            stream_timeout,
            fallbacks: params.fallbacks.as_ref().map(targets),
            disable_fallbacks: params.disable_fallbacks == Some(true),
            // A tag or a region that the plan does not know is one that no deployment has.
            tags: params.tags.iter().map(|tag| plan.tag_id(tag).unwrap_or(TagId(u32::MAX))).collect(),
            region: params.region.as_ref().map(|region| plan.region_id(region).unwrap_or(u32::MAX)),
            lists: RequestLists::default(),
        }
    }

    fn target(&mut self, target: &FallbackTarget, plan: &Plan) -> Target {
        match target {
            FallbackTarget::Name(name) => Target { model: plan.name_id(name), map: None, params: None },
            FallbackTarget::Map { model, text, params } => {
                let known = self.texts.iter().position(|other| other == text);
                let index = known.unwrap_or_else(|| {
                    self.texts.push(text.clone());
                    self.texts.len() - 1
                });
                Target {
                    model: model.as_ref().and_then(|name| plan.name_id(name)),
                    // A map with nothing but a model is the same target as the bare name.
                    map: text.contains(',').then_some(Self::FIRST + index as u32),
                    params: Some(Box::new(self.params(params, plan))),
                }
            }
        }
    }
}
