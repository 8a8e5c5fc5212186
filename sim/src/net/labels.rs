//! The headers that exist in the simulation only: the stamp of a message, and the names by which both ends know a call.
//!
//! A real provider or proxy sends none of them. They carry what real time and real connections would carry: when a
//! message arrives, in which order, and on whose behalf.

use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use router_core::Time;
use serde_json::Value;
use thiserror::Error;

use super::payload::Payload;
use crate::actor::ActorId;
use crate::step::Stamp;

/// When and where a message arrives: `at=<nanoseconds> to=<actor> from=<actor> seq=<number>`.
pub(crate) const STAMP: HeaderName = HeaderName::from_static("x-routedrill-stamp");
/// The client's name for a request: `<source>:<number>`.
pub(crate) const REQUEST: HeaderName = HeaderName::from_static("x-routedrill-request");
/// The proxy's name for a call.
pub(crate) const ATTEMPT: HeaderName = HeaderName::from_static("x-routedrill-attempt");
/// The number of the deployment that is called, or that answered: a key and a host tell that to a real provider.
pub(crate) const DEPLOYMENT: HeaderName = HeaderName::from_static("x-routedrill-deployment");
/// The `status_code` of the exception behind an error answer of the proxy, which its HTTP status need not be.
pub(crate) const EXCEPTION_STATUS: HeaderName = HeaderName::from_static("x-routedrill-exception-status");
/// How a connection failed, on an answer that breaks off: `refused`, `reset`, `truncated`.
pub(crate) const BROKEN: HeaderName = HeaderName::from_static("x-routedrill-broken");

/// What is wrong with bytes that came over the wire. Always a bug of ours: both ends are.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum WireError {
    /// A header that must be there is not.
    #[error("the header {0} is missing")]
    MissingHeader(HeaderName),
    /// A header says something that cannot be.
    #[error("the header {name} says {value:?}")]
    BadHeader {
        /// Its name.
        name: HeaderName,
        /// What it says.
        value: String,
    },
    /// A body is not what it should be.
    #[error("a body is not {expected}: {body}")]
    BadBody {
        /// What it should be.
        expected: &'static str,
        /// The body.
        body: String,
    },
    /// A name that nobody knows.
    #[error("nobody knows the {what} {name:?}")]
    UnknownName {
        /// What it should name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A request or an answer that nobody sends.
    #[error("nobody sends {0}")]
    Unexpected(String),
    /// The connection broke where it should not have.
    #[error("a connection broke: {0}")]
    Connection(String),
}

/// The text of a header that must be there.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, WireError> {
    let value = headers.get(name).ok_or_else(|| WireError::MissingHeader(name.clone()))?;
    value.to_str().map_err(|_| bad(name, &String::from_utf8_lossy(value.as_bytes())))
}

/// What a header that must be there says, as `parse` reads it.
pub(crate) fn read<T>(
    headers: &HeaderMap,
    name: &HeaderName,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, WireError> {
    let text = text(headers, name)?;
    parse(text).ok_or_else(|| bad(name, text))
}

/// Sets a header. Its text must be printable ASCII.
pub(crate) fn put(headers: &mut HeaderMap, name: HeaderName, text: &str) -> Result<(), WireError> {
    let value = HeaderValue::from_str(text).map_err(|_| bad(&name, text))?;
    headers.insert(name, value);
    Ok(())
}

/// A POST of a JSON body.
pub(crate) fn post(uri: &str, body: &str) -> Result<Request<Payload>, WireError> {
    let request = Request::builder().method(Method::POST).uri(uri).header(CONTENT_TYPE, JSON);
    request
        .header(hyper::header::HOST, "routedrill.invalid")
        .body(Payload::whole(body.to_owned()))
        .map_err(|error| WireError::Unexpected(format!("a POST to {uri}: {error}")))
}

/// An answer with a JSON body.
pub(crate) fn answer(status: StatusCode, body: Payload) -> Response<Payload> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A body as JSON.
pub(crate) fn json(body: &[u8]) -> Result<Value, WireError> {
    serde_json::from_slice(body).map_err(|_| bad_body("JSON", body))
}

/// A body is not what it should be.
pub(crate) fn bad_body(expected: &'static str, body: &[u8]) -> WireError {
    WireError::BadBody { expected, body: String::from_utf8_lossy(body).into_owned() }
}

fn bad(name: &HeaderName, value: &str) -> WireError {
    WireError::BadHeader { name: name.clone(), value: value.to_owned() }
}

/// A stamp as its header says it.
pub(crate) fn write_stamp(stamp: &Stamp) -> String {
    let Stamp { at, to, from, seq } = stamp;
    format!("at={} to={} from={} seq={seq}", at.as_nanos(), to.0, from.0)
}

/// The stamp of a message.
pub(crate) fn read_stamp(headers: &HeaderMap) -> Result<Stamp, WireError> {
    read(headers, &STAMP, |text| {
        let mut fields = text.split(' ');
        let mut field = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok();
        let at = Time::from_nanos(field("at")?);
        let to = ActorId(field("to")?.try_into().ok()?);
        let from = ActorId(field("from")?.try_into().ok()?);
        Some(Stamp { at, to, from, seq: field("seq")? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(STAMP, HeaderValue::from_str(text).unwrap())])
    }

    #[test]
    fn a_stamp_survives_the_wire() {
        let stamp = Stamp { at: Time::from_nanos(u64::MAX), to: ActorId(3), from: ActorId(u32::MAX), seq: 17 };
        assert_eq!(read_stamp(&headers(&write_stamp(&stamp))), Ok(stamp));
    }

    #[test]
    fn a_stamp_that_is_missing_or_mangled_is_named() {
        assert_eq!(read_stamp(&HeaderMap::new()), Err(WireError::MissingHeader(STAMP)));
        let error = read_stamp(&headers("at=1 to=2 from=3")).unwrap_err();
        assert_eq!(error.to_string(), "the header x-routedrill-stamp says \"at=1 to=2 from=3\"");
    }
}
