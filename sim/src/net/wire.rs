//! Messages as requests and answers.

use hyper::{Request, Response};
use router_core::{AttemptId, DeploymentId, RequestId, Time};

use super::directory::Directory;
use super::labels::{self, WireError};
use super::payload::Payload;
use super::provider_api::CallId;
use super::{client_api, provider_api};
use crate::actor::{ActorId, Message, Reply};
use crate::actors::upstream::RateLimits;
use crate::step::Stamp;

/// A request and its answer to come, as both ends know it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Exchange {
    /// A client asks.
    Ask {
        /// The client.
        client: ActorId,
        /// Its name for the request.
        request: RequestId,
    },
    /// A proxy calls.
    Call {
        /// The proxy.
        proxy: ActorId,
        /// Its name for the call.
        attempt: AttemptId,
        /// Whom it calls.
        deployment: DeploymentId,
    },
}

/// A message on its way out.
#[derive(Debug)]
pub(crate) enum Packed {
    /// A request that waits for an answer.
    Opens(Exchange, Request<Payload>),
    /// The answer to a request.
    Closes(Exchange, Response<Payload>),
    /// Nobody waits for the answer of the exchange any longer; the request says so.
    GivesUp(Exchange, Request<Payload>),
}

/// A message as it came in with a request.
#[derive(Debug)]
pub(crate) struct Unpacked {
    pub(crate) stamp: Stamp,
    pub(crate) message: Message,
    pub(crate) then: Then,
}

/// What a request does to an exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Then {
    /// It waits for an answer from now on.
    Waits(Exchange),
    /// Nobody waits for its answer any longer.
    GivenUp(Exchange),
}

/// Writes a message that is sent at `now`. `limits` are what the answer of a provider tells about its quotas.
///
/// # Errors
/// When a message cannot be said in HTTP.
pub(crate) fn pack(
    directory: &Directory,
    now: Time,
    stamp: &Stamp,
    message: &Message,
    limits: impl FnOnce(DeploymentId) -> RateLimits,
    called: impl FnOnce(ActorId, AttemptId) -> Option<DeploymentId>,
) -> Result<Packed, WireError> {
    let (from, to) = (stamp.from, stamp.to);
    let mut packed = match *message {
        Message::Ask { request, ref ask } => {
            Packed::Opens(Exchange::Ask { client: from, request }, client_api::write_ask(directory, request, ask)?)
        }
        Message::Cancel { request } => {
            Packed::GivesUp(Exchange::Ask { client: from, request }, client_api::write_cancel(request)?)
        }
        Message::Answer { request, ref outcome } => {
            let created = directory.start_unix_nanos().saturating_add(now.as_nanos()) / 1_000_000_000;
            let answer = client_api::write_answer(directory, created, outcome)?;
            Packed::Closes(Exchange::Ask { client: to, request }, answer)
        }
        Message::Call { attempt, deployment, prompt_tokens, output_tokens } => {
            let call = CallId { attempt, deployment };
            let request = provider_api::write_call(directory, call, prompt_tokens, output_tokens)?;
            Packed::Opens(Exchange::Call { proxy: from, attempt, deployment }, request)
        }
        Message::Hangup { attempt, deployment } => {
            let request = provider_api::write_hangup(CallId { attempt, deployment })?;
            Packed::GivesUp(Exchange::Call { proxy: from, attempt, deployment }, request)
        }
        Message::Reply { attempt, ref reply } => {
            let nobody = || WireError::Unexpected(format!("a reply to call {} that nobody made", attempt.0));
            let deployment = called(to, attempt).ok_or_else(nobody)?;
            let limits = limits(deployment);
            let answer = provider_api::write_reply(directory, deployment, now, &limits, reply)?;
            Packed::Closes(Exchange::Call { proxy: to, attempt, deployment }, answer)
        }
    };
    let headers = match &mut packed {
        Packed::Opens(_, request) | Packed::GivesUp(_, request) => request.headers_mut(),
        Packed::Closes(_, answer) => answer.headers_mut(),
    };
    labels::put(headers, labels::STAMP, &labels::write_stamp(stamp))?;
    Ok(packed)
}

/// Reads a request.
///
/// # Errors
/// When it is none that [`pack`] writes.
pub(crate) fn unpack_request<B: AsRef<[u8]>>(
    directory: &Directory,
    request: &Request<B>,
) -> Result<Unpacked, WireError> {
    let stamp = labels::read_stamp(request.headers())?;
    let from = stamp.from;
    let call = |CallId { attempt, deployment }| Exchange::Call { proxy: from, attempt, deployment };
    let (message, then) = match request.uri().path() {
        client_api::CANCEL => {
            let request = client_api::read_request(request)?;
            (Message::Cancel { request }, Then::GivenUp(Exchange::Ask { client: from, request }))
        }
        provider_api::HANGUP => {
            let id = provider_api::read_call_id(request)?;
            (Message::Hangup { attempt: id.attempt, deployment: id.deployment }, Then::GivenUp(call(id)))
        }
        // Every other request is an ask or a call; which of them, only its labels tell: both may go to the same path.
        _ if request.headers().contains_key(&labels::ATTEMPT) => {
            let (id, prompt_tokens, output_tokens) = provider_api::read_call(request)?;
            let CallId { attempt, deployment } = id;
            (Message::Call { attempt, deployment, prompt_tokens, output_tokens }, Then::Waits(call(id)))
        }
        _ => {
            let (request, ask) = client_api::read_ask(directory, request)?;
            (Message::Ask { request, ask }, Then::Waits(Exchange::Ask { client: from, request }))
        }
    };
    Ok(Unpacked { stamp, message, then })
}

/// Reads the answer of an exchange, whose body came as a whole.
///
/// # Errors
/// When it is none that [`pack`] writes.
pub(crate) fn unpack_answer<B: AsRef<[u8]>>(
    directory: &Directory,
    exchange: &Exchange,
    answer: &Response<B>,
) -> Result<(Stamp, Message), WireError> {
    let message = match *exchange {
        Exchange::Ask { request, .. } => Message::Answer { request, outcome: client_api::read_answer(answer)? },
        Exchange::Call { attempt, deployment, .. } => {
            Message::Reply { attempt, reply: provider_api::read_reply(directory, deployment, answer)? }
        }
    };
    Ok((labels::read_stamp(answer.headers())?, message))
}

/// Reads the answer of an exchange that broke off after its head.
///
/// # Errors
/// When it was not meant to break off.
pub(crate) fn unpack_broken(exchange: &Exchange, head: &Response<()>) -> Result<(Stamp, Message), WireError> {
    let reply: Reply = provider_api::read_broken(head)?;
    match *exchange {
        Exchange::Call { attempt, .. } => Ok((labels::read_stamp(head.headers())?, Message::Reply { attempt, reply })),
        Exchange::Ask { .. } => Err(WireError::Connection("an answer to a client broke off".to_owned())),
    }
}
