//! Which calls an upstream is working on.
//!
//! The end of a call is known when it begins, so calls leave by themselves as time passes; a hang-up makes one leave
//! early. Calls of one proxy come nearly in the order of their attempts, which finds a call again without hashing.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use router_core::{AttemptId, Time};

use crate::actor::ActorId;

/// The calls in flight.
#[derive(Clone, Debug, Default)]
pub struct InFlight {
    count: u32,
    /// One for each proxy that ever called.
    callers: Vec<Caller>,
    /// When which call of which caller (by its index) ends, earliest first.
    ends: BinaryHeap<Reverse<(Time, usize, AttemptId)>>,
}

#[derive(Clone, Debug)]
struct Caller {
    proxy: ActorId,
    /// The calls of this proxy from the oldest open one on, by rising attempt, and whether they are open.
    calls: VecDeque<(AttemptId, bool)>,
}

impl InFlight {
    /// How many calls are in flight at `now`.
    pub fn count(&mut self, now: Time) -> u32 {
        while let Some(&Reverse((end, caller, attempt))) = self.ends.peek()
            && end <= now
        {
            self.ends.pop();
            self.close(caller, attempt);
        }
        self.count
    }

    /// A call begins. It ends at `end`; [`Time::MAX`] is a call that nobody answers.
    pub fn begin(&mut self, proxy: ActorId, attempt: AttemptId, end: Time) {
        let index = self.callers.iter().position(|caller| caller.proxy == proxy).unwrap_or_else(|| {
            self.callers.push(Caller { proxy, calls: VecDeque::new() });
            self.callers.len() - 1
        });
        let calls = &mut self.callers[index].calls;
        // Almost always the last place: only a call that waited for its turn in the proxy comes after later ones.
        let place = calls.iter().rposition(|(earlier, _)| *earlier < attempt).map_or(0, |before| before + 1);
        calls.insert(place, (attempt, true));
        self.count += 1;
        if end < Time::MAX {
            self.ends.push(Reverse((end, index, attempt)));
        }
    }

    /// The caller hung up. A call that is over already is left alone.
    pub fn hang_up(&mut self, proxy: ActorId, attempt: AttemptId) {
        if let Some(index) = self.callers.iter().position(|caller| caller.proxy == proxy) {
            self.close(index, attempt);
        }
    }

    fn close(&mut self, index: usize, attempt: AttemptId) {
        let calls = &mut self.callers[index].calls;
        // Whoever hung up has left its end behind in the heap: then there is nothing to find.
        let Ok(found) = calls.binary_search_by_key(&attempt, |(attempt, _)| *attempt) else { return };
        if std::mem::take(&mut calls[found].1) {
            self.count -= 1;
        }
        while let Some((_, false)) = calls.front() {
            calls.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: ActorId = ActorId(1);

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    #[test]
    fn calls_leave_when_they_end() {
        let mut calls = InFlight::default();
        calls.begin(PROXY, AttemptId(0), at(30));
        calls.begin(PROXY, AttemptId(4), at(20));
        assert_eq!(calls.count(at(10)), 2);
        assert_eq!(calls.count(at(20)), 1);
        assert_eq!(calls.count(at(30)), 0);
    }

    #[test]
    fn a_hang_up_frees_the_place_once() {
        let mut calls = InFlight::default();
        calls.begin(PROXY, AttemptId(0), Time::MAX);
        calls.begin(PROXY, AttemptId(1), at(20));
        calls.hang_up(PROXY, AttemptId(1));
        assert_eq!(calls.count(at(10)), 1);
        assert_eq!(calls.count(at(20)), 1);
        calls.hang_up(PROXY, AttemptId(1));
        calls.hang_up(PROXY, AttemptId(0));
        calls.hang_up(PROXY, AttemptId(7));
        assert_eq!(calls.count(at(20)), 0);
    }

    #[test]
    fn a_call_that_waited_in_the_proxy_is_found_all_the_same() {
        let mut calls = InFlight::default();
        calls.begin(PROXY, AttemptId(3), Time::MAX);
        calls.begin(PROXY, AttemptId(2), Time::MAX);
        calls.hang_up(PROXY, AttemptId(2));
        assert_eq!(calls.count(at(10)), 1);
        calls.hang_up(PROXY, AttemptId(3));
        assert_eq!(calls.count(at(10)), 0);
    }

    #[test]
    fn proxies_count_their_attempts_apart() {
        let mut calls = InFlight::default();
        calls.begin(PROXY, AttemptId(5), at(100));
        calls.begin(ActorId(2), AttemptId(5), at(100));
        calls.hang_up(ActorId(2), AttemptId(5));
        assert_eq!(calls.count(at(10)), 1);
        calls.hang_up(ActorId(2), AttemptId(5));
        assert_eq!(calls.count(at(10)), 1);
    }
}
