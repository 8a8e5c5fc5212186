//! When the router wants to be woken.
//!
//! Calls are given up after a timeout, and nearly all of them are over long before. There are few different timeouts,
//! so each length has a lane of its own, in which deadlines rise by themselves; what is over is dropped when it comes
//! to the front, or when a lane is mostly made of it. Waits before retries differ in length and are few: they share a
//! heap.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::time::{Span, Time};

/// A place in the table of requests, and which turn of it a timer is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Turn {
    /// The place.
    pub(crate) slot: u32,
    /// The turn; every call and every wait of a request is one.
    pub(crate) epoch: u32,
}

/// One deadline in a lane.
#[derive(Clone, Copy, Debug)]
struct Deadline {
    at: Time,
    turn: Turn,
}

/// All deadlines of one length, in the order in which they end.
#[derive(Debug)]
struct Lane {
    length: Span,
    deadlines: VecDeque<Deadline>,
    /// How long the queue was after it was last cleared of what is over.
    kept: usize,
}

/// The timers of a router.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    lanes: Vec<Lane>,
    waits: BinaryHeap<Reverse<(Time, u64, Turn)>>,
    /// Waits that end at one time end in the order in which they began.
    begun: u64,
}

/// Beyond so many lanes, deadlines of unusual length go to the heap.
const LANES_MAX: usize = 32;

/// A lane shorter than this is not worth clearing.
const LANE_SHORT: usize = 64;

/// What a timer is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    /// A call has its timeout, if its deadline has not moved.
    Deadline(Turn),
    /// A wait is over.
    Wait(Turn),
}

impl Timers {
    /// A call is to be given up `length` after `now`, if `is_live` then still holds for its turn.
    pub(crate) fn set_deadline(
        &mut self,
        now: Time,
        length: Span,
        turn: Turn,
        is_live: impl Fn(Turn, Time) -> bool,
    ) -> Time {
        let at = now + length;
        let lane = match self.lanes.iter().position(|lane| lane.length == length) {
            Some(index) => &mut self.lanes[index],
            None if self.lanes.len() < LANES_MAX => {
                self.lanes.push(Lane { length, deadlines: VecDeque::new(), kept: 0 });
                self.lanes.last_mut().expect("a lane was just added")
            }
            None => {
                self.set_wait(at, turn);
                return at;
            }
        };
        if lane.deadlines.len() >= LANE_SHORT.max(2 * lane.kept) {
            lane.deadlines.retain(|deadline| is_live(deadline.turn, deadline.at));
            lane.kept = lane.deadlines.len();
        }
        lane.deadlines.push_back(Deadline { at, turn });
        at
    }

    /// A wait ends at `at`.
    pub(crate) fn set_wait(&mut self, at: Time, turn: Turn) {
        self.waits.push(Reverse((at, self.begun, turn)));
        self.begun += 1;
    }

    /// Takes the earliest timer that is due. Of two at one time, waits come before deadlines.
    pub(crate) fn take_due(&mut self, now: Time) -> Option<Due> {
        let wait = self.waits.peek().map(|&Reverse((at, _, turn))| (at, turn)).filter(|&(at, _)| at <= now);
        let lane = self.earliest_lane().filter(|&(at, _)| at <= now);
        match (wait, lane) {
            (Some((at, turn)), lane) if lane.is_none_or(|(deadline, _)| at <= deadline) => {
                self.waits.pop();
                Some(Due::Wait(turn))
            }
            (_, Some((_, index))) => {
                let deadline = self.lanes[index].deadlines.pop_front();
                deadline.map(|deadline| Due::Deadline(deadline.turn))
            }
            _ => None,
        }
    }

    /// Drops what is over from every front, so that [`Timers::next`] tells of live timers only.
    pub(crate) fn drop_dead(&mut self, deadline_lives: impl Fn(Turn, Time) -> bool, wait_lives: impl Fn(Turn) -> bool) {
        for lane in &mut self.lanes {
            while lane.deadlines.front().is_some_and(|front| !deadline_lives(front.turn, front.at)) {
                lane.deadlines.pop_front();
            }
        }
        while self.waits.peek().is_some_and(|&Reverse((_, _, turn))| !wait_lives(turn)) {
            self.waits.pop();
        }
    }

    /// The next timer: when, and whether it is a wait.
    pub(crate) fn next(&self) -> Option<(Time, bool)> {
        let wait = self.waits.peek().map(|&Reverse((at, _, _))| (at, true));
        let deadline = self.earliest_lane().map(|(at, _)| (at, false));
        match (wait, deadline) {
            (Some(wait), Some(deadline)) => Some(if wait.0 <= deadline.0 { wait } else { deadline }),
            (wait, deadline) => wait.or(deadline),
        }
    }

    fn earliest_lane(&self) -> Option<(Time, usize)> {
        let fronts = self.lanes.iter().enumerate();
        fronts.filter_map(|(index, lane)| lane.deadlines.front().map(|front| (front.at, index))).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn turn(slot: u32) -> Turn {
        Turn { slot, epoch: 0 }
    }

    #[test]
    fn deadlines_of_all_lengths_and_waits_come_in_the_order_of_time() {
        let mut timers = Timers::default();
        let at = |secs| Time::ZERO + Span::from_secs(secs);
        timers.set_deadline(Time::ZERO, Span::from_secs(6), turn(1), |_, _| true);
        timers.set_deadline(Time::ZERO, Span::from_secs(2), turn(2), |_, _| true);
        timers.set_wait(at(2), turn(3));
        assert_eq!(timers.next(), Some((at(2), true)));
        assert_eq!(timers.take_due(at(1)), None);
        assert_eq!(timers.take_due(at(9)), Some(Due::Wait(turn(3))));
        assert_eq!(timers.take_due(at(9)), Some(Due::Deadline(turn(2))));
        assert_eq!(timers.take_due(at(9)), Some(Due::Deadline(turn(1))));
        assert_eq!(timers.take_due(at(9)), None);
    }

    #[test]
    fn waits_that_end_at_one_time_end_in_the_order_in_which_they_began() {
        let mut timers = Timers::default();
        let at = Time::ZERO + Span::from_secs(1);
        for slot in [9, 1, 5] {
            timers.set_wait(at, turn(slot));
        }
        assert_eq!([9, 1, 5].map(|_| timers.take_due(at)), [9, 1, 5].map(|slot| Some(Due::Wait(turn(slot)))));
    }

    #[test]
    fn calls_that_are_over_do_not_pile_up_behind_one_that_hangs() {
        let mut timers = Timers::default();
        for slot in 0..10_000 {
            timers.set_deadline(Time::from_nanos(slot), Span::from_secs(6000), turn(slot as u32), |turn, _| {
                turn.slot == 0
            });
        }
        assert!(timers.lanes[0].deadlines.len() <= 2 * LANE_SHORT);
    }
}
