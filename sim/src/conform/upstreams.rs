//! The scripted upstreams: which answer a call gets, and when each piece of it arrives.

use router_core::{Span, Time};

use super::recording::{Recording, Reply, ReplyKind, Script, Stream};

/// How long the provider's HTTP client reads on after the end of a complete stream, at most, to keep the connection
/// for the next call (openai SDK 3.52: `drain_response_async`). In recordings the rest that it finds is the stream
/// once more, with its gaps.
const DRAIN_MAX: Span = Span::from_millis(100);

/// All upstreams of a recording, and how often each was called.
#[derive(Debug)]
pub(super) struct Upstreams<'r> {
    scripts: Vec<Option<&'r Script>>,
    calls: Vec<u64>,
}

impl<'r> Upstreams<'r> {
    /// The upstreams behind the deployments with these ids, in this order. A deployment without a script answers a
    /// plain 200 at once.
    pub(super) fn new(recording: &'r Recording, ids: &[&str]) -> Self {
        let script = |id: &&str| recording.upstreams.iter().find(|(name, _)| name == id).map(|(_, script)| script);
        Self { scripts: ids.iter().map(script).collect(), calls: vec![0; ids.len()] }
    }

    /// The count of a call that starts `now`, from 0, and its answer.
    pub(super) fn call(&mut self, deployment: usize, now: Time) -> (u64, &'r Reply) {
        let count = self.calls[deployment];
        self.calls[deployment] += 1;
        let reply = self.scripts[deployment].and_then(|script| script.reply(count, now));
        (count, reply.unwrap_or(&Reply::PLAIN))
    }
}

impl Script {
    fn reply(&self, count: u64, now: Time) -> Option<&Reply> {
        let by_count = self.calls.binary_search_by_key(&count, |(count, _)| *count).ok().map(|at| &self.calls[at].1);
        let open =
            |window: &&super::recording::Window| window.from <= now && window.until.is_none_or(|until| now < until);
        by_count.or_else(|| self.windows.iter().find(open).map(|window| &window.reply)).or(self.default.as_ref())
    }
}

/// A piece of an answer, as it arrives at the router.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// A whole answer, or an error, or a failed connection: what the reply is.
    Whole,
    /// The stream begins.
    Open,
    /// The next chunk of the stream.
    Chunk,
    /// The stream is over, completely.
    End,
    /// The connection is reset in the middle of the stream.
    Cut,
}

impl Reply {
    /// The `index`-th piece of this answer and how long after the start of the call it arrives; `None` when nothing
    /// more ever does.
    pub(super) fn piece(&self, index: u32, stream: bool) -> Option<(Span, Piece)> {
        match self.what {
            ReplyKind::Hang => None,
            ReplyKind::Answer { stream: ref script, .. } if stream => {
                let (after, piece) = script.piece(index)?;
                Some((self.after + after, piece))
            }
            _ => (index == 0).then_some((self.after, Piece::Whole)),
        }
    }
}

impl Stream {
    fn piece(&self, index: u32) -> Option<(Span, Piece)> {
        let Some(chunk) = index.checked_sub(1) else { return Some((Span::ZERO, Piece::Open)) };
        let gaps = |count: u32| Span::from_nanos(self.gap.as_nanos().saturating_mul(u64::from(count)));
        if self.stall_after == Some(chunk) {
            return None;
        }
        if self.cut_after == Some(chunk) {
            return Some((gaps(chunk.max(1)), Piece::Cut));
        }
        if chunk < self.chunks {
            return Some((gaps(chunk), Piece::Chunk));
        }
        if chunk > self.chunks {
            return None;
        }
        let whole = gaps(self.chunks.saturating_sub(1));
        Some((whole + whole.min(DRAIN_MAX), Piece::End))
    }
}
