//! How long a stream of traffic went without an answer while another one was served.

use router_core::{Span, Time};

/// The streams of a run.
#[derive(Clone, Debug)]
pub(super) struct Starvation {
    streams: Vec<Stream>,
    /// The last answer to any stream, and the last one to another stream than that.
    served: [Option<(usize, Time)>; 2],
    worst: Option<(Span, usize)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    /// Requests under way.
    open: u32,
    /// Since when it waits for its next answer: from the first request that got none so far.
    since: Option<Time>,
    /// Since then there was a time without any request: an answer says nothing about the time before.
    paused: bool,
}

impl Starvation {
    /// So many streams.
    pub(super) fn new(streams: usize) -> Self {
        Self { streams: vec![Stream::default(); streams], served: [None; 2], worst: None }
    }

    /// A stream asks for something.
    pub(super) fn asked(&mut self, at: Time, stream: usize) {
        if let Some(one) = self.streams.get_mut(stream) {
            one.open += 1;
            one.since.get_or_insert(at);
        }
    }

    /// A request of a stream ended.
    pub(super) fn ended(&mut self, at: Time, stream: usize, answered: bool) {
        if !answered || self.streams.get(stream).is_some_and(|one| !one.paused) {
            self.wait_until(at, stream);
        }
        let Some(one) = self.streams.get_mut(stream) else { return };
        one.open = one.open.saturating_sub(1);
        one.paused = !answered && (one.paused || one.open == 0);
        if answered {
            one.since = (one.open > 0).then_some(at);
            if self.served[0].is_some_and(|(last, _)| last != stream) {
                self.served[1] = self.served[0];
            }
            self.served[0] = Some((stream, at));
        }
    }

    /// The run ended: who still waits has waited until then.
    pub(super) fn finish(&mut self, end: Time) {
        for stream in 0..self.streams.len() {
            if self.streams[stream].open > 0 {
                self.wait_until(end, stream);
            }
        }
    }

    /// The longest wait and whose it was, once at least two streams were there to compare.
    pub(super) fn worst(&self) -> Option<(Span, usize)> {
        (self.streams.len() > 1).then(|| self.worst.unwrap_or((Span::ZERO, 0)))
    }

    fn wait_until(&mut self, at: Time, stream: usize) {
        let Some(since) = self.streams.get(stream).and_then(|one| one.since) else { return };
        let other = self.served.iter().flatten().find(|(served, _)| *served != stream);
        let Some(&(_, served)) = other else { return };
        // Another stream's answer counts from when it came: this one was served no later.
        let waited = served.min(at).since(since);
        if self.worst.is_none_or(|(most, _)| waited > most) {
            self.worst = Some((waited, stream));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time::ZERO + Span::from_secs(secs)
    }

    #[test]
    fn a_stream_starves_from_its_first_lost_request_as_long_as_others_are_served() {
        let mut starvation = Starvation::new(2);
        for second in 0..40 {
            starvation.asked(at(second), 0);
            starvation.ended(at(second), 0, true);
            if second >= 10 {
                starvation.asked(at(second), 1);
                starvation.ended(at(second), 1, false);
            }
        }
        starvation.finish(at(100));
        assert_eq!(starvation.worst(), Some((Span::from_secs(29), 1)));
    }

    #[test]
    fn nobody_starves_where_nobody_is_served() {
        let mut starvation = Starvation::new(2);
        for second in 0..40 {
            for stream in 0..2 {
                starvation.asked(at(second), stream);
                starvation.ended(at(second), stream, false);
            }
        }
        assert_eq!(starvation.worst(), Some((Span::ZERO, 0)));
    }

    #[test]
    fn a_stream_that_asks_for_nothing_does_not_wait() {
        let mut starvation = Starvation::new(2);
        starvation.asked(at(0), 1);
        starvation.ended(at(2), 1, false);
        for second in 0..100 {
            starvation.asked(at(second), 0);
            starvation.ended(at(second), 0, true);
        }
        // It asks again, much later, and is answered at once.
        starvation.asked(at(100), 1);
        starvation.ended(at(100), 1, true);
        starvation.finish(at(100));
        assert_eq!(starvation.worst(), Some((Span::ZERO, 0)));
    }

    #[test]
    fn one_stream_alone_has_nobody_to_be_compared_with() {
        assert_eq!(Starvation::new(1).worst(), None);
    }
}
