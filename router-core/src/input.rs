//! What the router hears.

use crate::error::Failure;
use crate::ids::{AttemptId, DeploymentId, NameId, RequestId, TagId};

/// One piece of news. News about attempts and requests that are over is ordinary life and changes nothing.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// A caller asks for an answer.
    Arrived {
        /// The caller's name for this request.
        request: RequestId,
        /// What it asks for.
        ask: Ask,
    },
    /// A streamed answer began: its status and headers are here, none of its text yet. Always before the first
    /// `Chunk`, mostly at the same moment; an upstream may also fall silent or hang up in between.
    Opened {
        /// The attempt that it belongs to.
        attempt: AttemptId,
    },
    /// A piece of a streamed answer arrived.
    Chunk {
        /// The attempt that it belongs to.
        attempt: AttemptId,
    },
    /// An answer is complete: the whole of a plain one, or the end of a stream.
    Finished {
        /// The attempt that it belongs to.
        attempt: AttemptId,
        /// What it used.
        usage: Usage,
        /// The finish reason of its first choice is `content_filter`.
        content_filter: bool,
    },
    /// The upstream answered with an error, or the connection failed, before or within the answer.
    Failed {
        /// The attempt that it belongs to.
        attempt: AttemptId,
        /// What was seen.
        failure: Failure,
    },
    /// The caller went away.
    Cancelled {
        /// The request that nobody waits for any longer.
        request: RequestId,
    },
    /// Time has passed: see [`Router::next_wake`](crate::Router::next_wake). A wake that comes early does nothing.
    Wake,
}

/// What a caller asks for: sizes and labels, never text.
#[derive(Clone, PartialEq, Debug)]
pub struct Ask {
    /// The `model` of the request.
    pub model: NameId,
    /// Tokens of the prompt, as LiteLLM's tokenizer counts them.
    pub prompt_tokens: u32,
    /// Tokens that the model will write. Passed on to the upstream; no decision reads it, for no router can know it.
    pub output_tokens: u32,
    /// The answer is to be streamed.
    pub stream: bool,
    /// What else the request carries; most carry nothing.
    pub params: Option<Box<Params>>,
}

/// Further fields of a request that routing reads.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Params {
    /// `num_retries`.
    pub num_retries: Option<i64>,
    /// `max_retries`: how often the provider's HTTP client calls again by itself, under releases that let it.
    pub max_retries: Option<i64>,
    /// `timeout`, in seconds.
    pub timeout: Option<f64>,
    /// `request_timeout`, in seconds.
    pub request_timeout: Option<f64>,
    /// `stream_timeout`, in seconds.
    pub stream_timeout: Option<f64>,
    /// `fallbacks`, which replace the configured ones.
    pub fallbacks: Option<Vec<Target>>,
    /// Lists by model group that the request brings along.
    pub lists: RequestLists,
    /// `disable_fallbacks`.
    pub disable_fallbacks: bool,
    /// `metadata.tags`.
    pub tags: Vec<TagId>,
    /// `allowed_model_region`: the deployments of that region, as [`Plan::region_id`](crate::Plan) numbers regions.
    pub region: Option<u32>,
}

/// Fallback lists of a request that are written as the configured ones are, and replace them: where they are among
/// [`Config::request_lists`](crate::Config).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RequestLists {
    /// `fallbacks`.
    pub fallbacks: Option<u32>,
    /// `context_window_fallbacks`.
    pub context_window: Option<u32>,
    /// `content_policy_fallbacks`.
    pub content_policy: Option<u32>,
}

impl RequestLists {
    /// These, and those of `before` where there is none.
    pub(crate) fn or(self, before: Self) -> Self {
        Self {
            fallbacks: self.fallbacks.or(before.fallbacks),
            context_window: self.context_window.or(before.context_window),
            content_policy: self.content_policy.or(before.content_policy),
        }
    }
}

/// A fallback target in a request or in the plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Target {
    /// The group to go to; `None` keeps the group (a map without `model`).
    pub model: Option<NameId>,
    /// The identity of a map with parameters, by which a target is known as already tried.
    pub map: Option<u32>,
    /// Parameters that the map merges into the request, for this target and all later ones of the walk.
    pub params: Option<Box<Params>>,
}

/// What an answer used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub completion_tokens: u32,
}

impl Usage {
    /// Prompt and answer together.
    pub const fn total(self) -> u64 {
        self.prompt_tokens as u64 + self.completion_tokens as u64
    }
}

/// Who answered, when somebody did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answered {
    /// The deployment whose answer it is.
    pub by: DeploymentId,
    /// What the answer used.
    pub usage: Usage,
}
