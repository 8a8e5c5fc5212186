//! The body of a request or an answer: bytes, or bytes that break off.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// A body that is there as a whole, or of which only the beginning ever comes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Payload {
    data: Bytes,
    ends: Ends,
    /// How far it has been sent.
    at: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ends {
    Whole,
    /// The connection breaks one byte before the announced length.
    CutOff,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Data,
    /// What was written so far gets on its way before the connection breaks.
    Pause,
    End,
}

/// What the connection breaks with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CutOff;

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut off on purpose")
    }
}

impl std::error::Error for CutOff {}

impl Payload {
    /// All of `data`.
    pub(crate) fn whole(data: impl Into<Bytes>) -> Self {
        Self { data: data.into(), ends: Ends::Whole, at: Stage::Data }
    }

    /// Nothing, and then the connection breaks.
    pub(crate) fn cut_off() -> Self {
        Self { data: Bytes::new(), ends: Ends::CutOff, at: Stage::Pause }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        match (self.at, self.ends) {
            (Stage::Data, ends) => {
                self.at = if ends == Ends::Whole { Stage::End } else { Stage::Pause };
                let data = std::mem::take(&mut self.data);
                if data.is_empty() { Poll::Ready(None) } else { Poll::Ready(Some(Ok(Frame::data(data)))) }
            }
            (Stage::Pause, _) => {
                self.at = Stage::End;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            (Stage::End, Ends::Whole) => Poll::Ready(None),
            (Stage::End, Ends::CutOff) => Poll::Ready(Some(Err(CutOff))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ends == Ends::Whole && self.data.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.len() as u64 + u64::from(self.ends == Ends::CutOff))
    }
}
