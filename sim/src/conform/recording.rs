//! A recording as written: one JSON file.

use router_core::{Mode, Release, Span, Time};
use serde_json::Value;

/// One case: a configuration, scripted upstreams, requests, and what the real Router did with them.
#[derive(Clone, PartialEq, Debug)]
pub struct Recording {
    /// Its name.
    pub name: String,
    /// One sentence on what it pins.
    pub about: String,
    /// The LiteLLM release that was recorded.
    pub release: Release,
    /// How requests reached the Router.
    pub mode: Mode,
    /// Unix time of virtual time 0, in nanoseconds.
    pub start_unix_nanos: u64,
    /// What config.yaml would hold.
    pub config: Value,
    /// The scripted upstreams, by deployment id.
    pub upstreams: Vec<(String, Script)>,
    /// The requests, in the order in which they arrive.
    pub requests: Vec<Request>,
    /// What the real Router was seen to do.
    pub observed: Observed,
}

/// What one upstream answers, call by call.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Script {
    /// The answer where nothing else is scripted; a plain 200 when absent.
    pub default: Option<Reply>,
    /// Answers by the time at which a call starts; the first window that covers it decides.
    pub windows: Vec<Window>,
    /// Answers by the count of the call, from 0; they go before the windows.
    pub calls: Vec<(u64, Reply)>,
}

/// An answer for all calls that start in `from <= t < until`.
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    /// The first moment that counts.
    pub from: Time,
    /// The first that does not; for ever when absent.
    pub until: Option<Time>,
    /// The answer.
    pub reply: Reply,
}

/// One scripted answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    /// How long after the call began it comes.
    pub after: Span,
    /// What comes.
    pub what: ReplyKind,
}

/// What an upstream does with a call.
#[derive(Clone, PartialEq, Debug)]
pub enum ReplyKind {
    /// A 200: in one piece or, where the request asks for a stream, in chunks.
    Answer {
        /// Prompt tokens it reports; the request's own where absent.
        prompt_tokens: Option<u32>,
        /// Completion tokens it reports.
        completion_tokens: Option<u32>,
        /// A content filter stopped it: `finish_reason` of an answer in one piece.
        content_filter: bool,
        /// The streamed form.
        stream: Stream,
    },
    /// An error answer.
    Error {
        /// Its HTTP status.
        status: u16,
        /// `retry-after`, as sent.
        retry_after: Option<String>,
        /// `error.code` of the body.
        code: Option<String>,
        /// `error.message` of the body, where it is not the provider's usual sentence.
        message: Option<String>,
    },
    /// The connection is refused.
    Refused,
    /// The connection is reset.
    Reset,
    /// No answer, ever.
    Hang,
}

/// The chunks of a streamed answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stream {
    /// How many content chunks it has.
    pub chunks: u32,
    /// The time between them.
    pub gap: Span,
    /// `gap` after so many chunks the connection is reset.
    pub cut_after: Option<u32>,
    /// After so many chunks nothing more arrives.
    pub stall_after: Option<u32>,
}

/// One request.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// When it arrives.
    pub at: Time,
    /// The name it asks for.
    pub model: String,
    /// Tokens of its prompt.
    pub prompt_tokens: u32,
    /// The answer is to be streamed.
    pub stream: bool,
    /// Further fields of the request, as written.
    pub params: Option<Value>,
}

/// What a Router was seen to do, in the order in which it happened: the real one, or the core in its place.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Observed {
    /// Every random number that routing used.
    pub draws: Vec<DrawSeen>,
    /// Every try to get an answer from some deployment.
    pub attempts: Vec<AttemptSeen>,
    /// Every time that a deployment was put into cooldown.
    pub cooldowns: Vec<CooldownSeen>,
    /// How the requests were answered.
    pub responses: Vec<ResponseSeen>,
}

/// One random number and what it was for.
#[derive(Clone, PartialEq, Debug)]
pub struct DrawSeen {
    /// When.
    pub at: Time,
    /// On behalf of which request, where that is known.
    pub request: Option<u32>,
    /// The number.
    pub u: f64,
    /// The question.
    pub question: Question,
}

/// What a random number decides.
#[derive(Clone, PartialEq, Debug)]
pub enum Question {
    /// One of so many.
    Pick(u32),
    /// One by weight.
    Weighted(Vec<f64>),
    /// A step of a shuffle with so many left.
    Order(u32),
    /// The jitter of a wait before a retry.
    RetryJitter,
    /// The jitter of a wait of the provider's own HTTP client.
    ClientJitter,
    /// Something that no recording knows.
    Other(&'static str),
}

/// One attempt. Of an attempt that is still under way, `end` and `result` are not known.
#[derive(Clone, PartialEq, Debug)]
pub struct AttemptSeen {
    /// The request.
    pub request: u32,
    /// The number of its try, from 0.
    pub n: u32,
    /// When it began.
    pub start: Time,
    /// When it ended; a stream's attempt ends when the stream opens.
    pub end: Option<Time>,
    /// The model group or alias it was made for.
    pub group: String,
    /// Who was left after every filter; `None` when selection failed before.
    pub eligible: Option<Vec<String>>,
    /// Who was picked.
    pub deployment: Option<String>,
    /// Whether the upstream was called.
    pub sent: bool,
    /// The upstream's count of the call.
    pub call: Option<u64>,
    /// The timeout in force for the call.
    pub timeout: Option<Span>,
    /// `ok`, or the exception's class.
    pub result: Option<String>,
    /// The exception's status.
    pub status: Option<u16>,
}

/// One cooldown.
#[derive(Clone, PartialEq, Debug)]
pub struct CooldownSeen {
    /// When it began.
    pub at: Time,
    /// Who rests.
    pub deployment: String,
    /// For how long.
    pub length: Span,
    /// The status it failed with.
    pub status: Option<u16>,
    /// The request whose failure did it; `None` where the recorder could not tell.
    pub request: Option<u32>,
}

/// How one request ended.
#[derive(Clone, PartialEq, Debug)]
pub struct ResponseSeen {
    /// The request.
    pub request: u32,
    /// When.
    pub at: Time,
    /// With an answer, or not.
    pub ok: bool,
    /// Who answered.
    pub deployment: Option<String>,
    /// The exception's class.
    pub error: Option<String>,
    /// The exception's status.
    pub status: Option<u16>,
    /// When the first chunk of a stream reached the caller.
    pub first: Option<Time>,
    /// The text of a stream.
    pub text: Option<String>,
}
