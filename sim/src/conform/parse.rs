//! Reading a recording: every field is known and of its type, or an error names it.

use router_core::{Mode, Release, Span};
use serde_json::Value;

use super::field::{Field, Malformed};
use super::recording::{
    AttemptSeen, CooldownSeen, DrawSeen, Observed, Question, Recording, Reply, ReplyKind, Request, ResponseSeen,
    Script, Stream, Window,
};

/// The newest version of the format that is read.
const FORMAT: u64 = 1;
/// Tokens of a prompt where the request does not say.
const PROMPT_TOKENS_DEFAULT: u32 = 12;
/// Chunks of a streamed answer where the script does not say.
const CHUNKS_DEFAULT: u32 = 3;

impl Recording {
    /// Reads one recording.
    ///
    /// # Errors
    /// The first thing in it that is not a recording of this format.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            let what = if error.is_eof() { "cut off" } else { "no JSON" };
            Malformed::of_text(format!("{what}: {error}"), error.line(), error.column())
        })?;
        let root = Field::root(&value);
        root.object()?;
        let format = root.need("format")?;
        match format.whole()? {
            FORMAT => {}
            newer if newer > FORMAT => {
                return Err(format.wrong(format!("format {newer} is newer than the newest that is read, {FORMAT}")));
            }
            unknown => return Err(format.wrong(format!("format {unknown} is unknown; {FORMAT} is read"))),
        }
        root.only(&[
            "format",
            "name",
            "about",
            "litellm",
            "entry",
            "seed",
            "start",
            "config",
            "upstreams",
            "requests",
            "observed",
        ])?;
        let name = root.need("name")?.text()?.to_owned();
        Self::read(&root, name.clone()).map_err(|malformed| malformed.in_case(&name))
    }

    fn read(root: &Field<'_>, name: String) -> Result<Self, Malformed> {
        let release = root.need("litellm")?;
        let known = || Release::ALL.map(Release::number).join(", ");
        let release = Release::from_number(release.text()?).ok_or_else(|| {
            release.wrong(format!("LiteLLM {} is not modelled; known releases: {}", release.shown(), known()))
        })?;
        let entry = root.need("entry")?;
        let mode = match entry.text()? {
            "proxy" => Mode::Proxy,
            "sdk" => Mode::Sdk,
            _ => return Err(entry.wrong(format!("{} is neither \"proxy\" nor \"sdk\"", entry.shown()))),
        };
        let upstreams = root.need("upstreams")?;
        let upstreams = upstreams.members()?.map(|(id, field)| Ok((id.to_owned(), Script::read(&field)?)));
        let upstreams = upstreams.collect::<Result<_, Malformed>>()?;
        let requests: Vec<Request> =
            root.need("requests")?.items()?.map(|field| Request::read(&field)).collect::<Result<_, _>>()?;
        let observed = Observed::read(&root.need("observed")?, requests.len())?;
        let config = root.need("config")?;
        config.object()?;
        Ok(Self {
            name,
            about: root.get("about").map_or(Ok(""), |about| about.text())?.to_owned(),
            release,
            mode,
            start_unix_nanos: root.need("start")?.time()?.as_nanos(),
            config: config.value().clone(),
            upstreams,
            requests,
            observed,
        })
    }
}

impl Script {
    fn read(field: &Field<'_>) -> Result<Self, Malformed> {
        field.only(&["default", "windows", "calls"])?;
        let mut windows = Vec::new();
        if let Some(list) = field.get("windows") {
            for window in list.items()? {
                window.only(&["from", "until", "reply"])?;
                windows.push(Window {
                    from: window.need("from")?.time()?,
                    until: window.get("until").map(|until| until.time()).transpose()?,
                    reply: Reply::read(&window.need("reply")?)?,
                });
            }
        }
        let mut calls = Vec::new();
        if let Some(map) = field.get("calls") {
            for (count, reply) in map.members()? {
                let count =
                    count.parse().map_err(|_| reply.wrong("calls are counted in whole numbers, from 0".into()))?;
                calls.push((count, Reply::read(&reply)?));
            }
        }
        calls.sort_by_key(|(count, _)| *count);
        let default = field.get("default").map(|reply| Reply::read(&reply)).transpose()?;
        Ok(Self { default, windows, calls })
    }
}

impl Reply {
    /// The answer of an upstream that has no script: a plain 200 at once.
    pub(super) const PLAIN: Self = Self {
        after: Span::ZERO,
        what: ReplyKind::Answer {
            prompt_tokens: None,
            completion_tokens: None,
            content_filter: false,
            stream: Stream::PLAIN,
        },
    };

    fn read(field: &Field<'_>) -> Result<Self, Malformed> {
        field.only(&[
            "status",
            "after",
            "headers",
            "error",
            "prompt_tokens",
            "completion_tokens",
            "finish_reason",
            "refuse",
            "reset",
            "hang",
            "chunks",
            "gap",
            "cut_after",
            "stall_after",
        ])?;
        let flag = |name| field.get(name).map_or(Ok(false), |flag| flag.flag());
        let status = field.get("status").map_or(Ok(200), |status| status.whole())?;
        let what = if flag("hang")? {
            ReplyKind::Hang
        } else if flag("refuse")? {
            ReplyKind::Refused
        } else if flag("reset")? {
            ReplyKind::Reset
        } else if status == 200 {
            ReplyKind::Answer {
                prompt_tokens: field.get("prompt_tokens").map(|tokens| tokens.count()).transpose()?,
                completion_tokens: field.get("completion_tokens").map(|tokens| tokens.count()).transpose()?,
                content_filter: match field.get("finish_reason") {
                    None => false,
                    Some(reason) => match reason.text()? {
                        "stop" => false,
                        "content_filter" => true,
                        other => return Err(reason.wrong(format!("{other} is neither stop nor content_filter"))),
                    },
                },
                stream: Stream::read(field)?,
            }
        } else if (400..600).contains(&status) {
            Self::error(field, status as u16)?
        } else {
            return Err(field.need("status")?.wrong(format!("{status} is neither 200 nor an error's status")));
        };
        Ok(Self { after: field.get("after").map_or(Ok(Span::ZERO), |after| after.span())?, what })
    }

    fn error(field: &Field<'_>, status: u16) -> Result<ReplyKind, Malformed> {
        let mut retry_after = None;
        if let Some(headers) = field.get("headers") {
            for (name, header) in headers.members()? {
                let text = header.text()?;
                if name.eq_ignore_ascii_case("retry-after") {
                    retry_after = Some(text.to_owned());
                }
            }
        }
        let (mut code, mut message) = (None, None);
        if let Some(error) = field.get("error") {
            error.only(&["code", "message"])?;
            code = error.get("code").map(|code| code.text().map(str::to_owned)).transpose()?;
            message = error.get("message").map(|message| message.text().map(str::to_owned)).transpose()?;
        }
        Ok(ReplyKind::Error { status, retry_after, code, message })
    }
}

impl Stream {
    const PLAIN: Self = Self { chunks: CHUNKS_DEFAULT, gap: Span::ZERO, cut_after: None, stall_after: None };

    fn read(field: &Field<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            chunks: field.get("chunks").map_or(Ok(CHUNKS_DEFAULT), |chunks| chunks.count())?,
            gap: field.get("gap").map_or(Ok(Span::ZERO), |gap| gap.span())?,
            cut_after: field.get("cut_after").map(|chunks| chunks.count()).transpose()?,
            stall_after: field.get("stall_after").map(|chunks| chunks.count()).transpose()?,
        })
    }
}

impl Request {
    fn read(field: &Field<'_>) -> Result<Self, Malformed> {
        field.only(&["at", "model", "prompt_tokens", "stream", "params"])?;
        let params = field.get("params");
        if let Some(params) = &params {
            params.object()?;
        }
        Ok(Self {
            at: field.need("at")?.time()?,
            model: field.need("model")?.text()?.to_owned(),
            prompt_tokens: field.get("prompt_tokens").map_or(Ok(PROMPT_TOKENS_DEFAULT), |tokens| tokens.count())?,
            stream: field.get("stream").map_or(Ok(false), |stream| stream.flag())?,
            params: params.map(|params| params.value().clone()),
        })
    }
}

impl Observed {
    fn read(field: &Field<'_>, requests: usize) -> Result<Self, Malformed> {
        field.only(&["draws", "attempts", "cooldowns", "responses", "ignored_router_settings"])?;
        fn list<T>(
            field: &Field<'_>,
            name: &'static str,
            read: impl Fn(&Field<'_>) -> Result<T, Malformed>,
        ) -> Result<Vec<T>, Malformed> {
            field.need(name)?.items()?.map(|item| read(&item)).collect()
        }
        let request = |item: &Field<'_>| -> Result<Option<u32>, Malformed> {
            let Some(field) = item.get("request") else { return Ok(None) };
            let request = field.count()?;
            if request as usize >= requests {
                return Err(field.wrong(format!("there is no request {request}, only {requests}")));
            }
            Ok(Some(request))
        };
        let known = |item: &Field<'_>| request(item)?.ok_or_else(|| item.missing("request"));
        Ok(Self {
            draws: list(field, "draws", |item| DrawSeen::read(item, request(item)?))?,
            attempts: list(field, "attempts", |item| AttemptSeen::read(item, known(item)?))?,
            cooldowns: list(field, "cooldowns", |item| CooldownSeen::read(item, request(item)?))?,
            responses: list(field, "responses", |item| ResponseSeen::read(item, known(item)?))?,
        })
    }
}

impl DrawSeen {
    fn read(field: &Field<'_>, request: Option<u32>) -> Result<Self, Malformed> {
        field.only(&["t", "request", "for", "u", "n", "weights"])?;
        let u = field.need("u")?;
        let drawn = u.number()?;
        if !(0.0..1.0).contains(&drawn) {
            return Err(u.wrong(format!("{} is not in [0, 1)", u.shown())));
        }
        let what = field.need("for")?;
        let question = match what.text()? {
            "pick" => match field.get("weights") {
                Some(weights) => {
                    Question::Weighted(weights.items()?.map(|weight| weight.number()).collect::<Result<_, _>>()?)
                }
                None => Question::Pick(field.need("n")?.count()?),
            },
            "order" => Question::Order(field.need("n")?.count()?),
            "retry-jitter" => Question::RetryJitter,
            "client-jitter" => Question::ClientJitter,
            _ => return Err(what.wrong(format!("{} is not a kind of draw", what.shown()))),
        };
        Ok(Self { at: field.need("t")?.time()?, request, u: drawn, question })
    }
}

impl AttemptSeen {
    fn read(field: &Field<'_>, request: u32) -> Result<Self, Malformed> {
        field.only(&[
            "request",
            "n",
            "start",
            "end",
            "group",
            "eligible",
            "deployment",
            "sent",
            "call",
            "timeout",
            "result",
            "status",
            "stream",
            "stream_end",
            "more_calls",
        ])?;
        if let Some(stream) = field.get("stream")
            && !matches!(stream.text()?, "complete" | "cut" | "timeout")
        {
            return Err(stream.wrong(format!("{} is no end of a stream", stream.shown())));
        }
        let eligible = field
            .get("eligible")
            .map(|list| list.items()?.map(|id| Ok(id.text()?.to_owned())).collect::<Result<Vec<_>, Malformed>>())
            .transpose()?;
        Ok(Self {
            request,
            n: field.need("n")?.count()?,
            start: field.need("start")?.time()?,
            end: Some(field.need("end")?.time()?),
            group: field.need("group")?.text()?.to_owned(),
            eligible,
            deployment: field.text_or_null("deployment")?,
            sent: field.need("sent")?.flag()?,
            call: field.get("call").map(|call| call.whole()).transpose()?,
            timeout: field.get("timeout").map(|timeout| timeout.span()).transpose()?,
            result: Some(field.need("result")?.text()?.to_owned()),
            status: field.status()?,
        })
    }
}

impl CooldownSeen {
    fn read(field: &Field<'_>, request: Option<u32>) -> Result<Self, Malformed> {
        field.only(&["t", "deployment", "for", "status", "error", "request"])?;
        Ok(Self {
            at: field.need("t")?.time()?,
            deployment: field.need("deployment")?.text()?.to_owned(),
            length: field.need("for")?.span()?,
            status: field.status()?,
            request,
        })
    }
}

impl ResponseSeen {
    fn read(field: &Field<'_>, request: u32) -> Result<Self, Malformed> {
        field.only(&["request", "t", "ok", "deployment", "error", "status", "first", "text"])?;
        Ok(Self {
            request,
            at: field.need("t")?.time()?,
            ok: field.need("ok")?.flag()?,
            deployment: field.text_or_null("deployment")?,
            error: field.text_or_null("error")?,
            status: field.status()?,
            first: field.get("first").map(|first| first.time()).transpose()?,
            text: field.text_or_null("text")?,
        })
    }
}
