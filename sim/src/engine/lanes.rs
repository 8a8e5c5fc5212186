//! Lanes for messages that always take equally long: what is sent later arrives later, so each lane is sorted as it
//! grows and needs no queue.
//!
//! Nobody declares these delays. A delay that comes back among the last few is one: measured or sampled delays are
//! never equal to the nanosecond.

use std::collections::VecDeque;

use router_core::{Span, Time};

use super::pool::Slot;
use crate::step::Stamp;

/// A scenario has two kinds of links, and thus two delays that are worth a lane.
const LANES: usize = 3;
/// How far back a delay is remembered that may be constant.
const RECENT: usize = 8;

/// A few lanes, each for one delay.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    recent: [Span; RECENT],
    oldest: usize,
}

#[derive(Clone, Debug)]
struct Lane {
    delay: Span,
    queue: VecDeque<(Stamp, Slot)>,
}

impl Lanes {
    /// Forgets all messages and all delays; keeps memory.
    pub(crate) fn restart(&mut self) {
        for lane in &mut self.lanes {
            // No message takes no time, so this delay never comes.
            lane.delay = Span::ZERO;
            lane.queue.clear();
        }
        self.recent = [Span::ZERO; RECENT];
    }

    /// Takes a message, unless it does not fit behind the last one of a lane for its delay.
    pub(crate) fn push(&mut self, now: Time, stamp: Stamp, slot: Slot) -> bool {
        let delay = stamp.at - now;
        let Some(lane) = self.lane_for(delay) else { return false };
        // At one moment several actors send; their messages may come in another order than that of their stamps.
        if lane.queue.back().is_some_and(|(last, _)| *last > stamp) {
            return false;
        }
        lane.queue.push_back((stamp, slot));
        true
    }

    fn lane_for(&mut self, delay: Span) -> Option<&mut Lane> {
        if let Some(index) = self.lanes.iter().position(|lane| lane.delay == delay) {
            return Some(&mut self.lanes[index]);
        }
        let free = match self.lanes.iter().position(|lane| lane.delay.is_zero()) {
            Some(free) => free,
            None if self.lanes.len() < LANES => self.lanes.len(),
            None => return None,
        };
        if !self.recent.contains(&delay) {
            self.recent[self.oldest] = delay;
            self.oldest = (self.oldest + 1) % RECENT;
            return None;
        }
        if free == self.lanes.len() {
            self.lanes.push(Lane { delay, queue: VecDeque::new() });
        }
        self.lanes[free].delay = delay;
        Some(&mut self.lanes[free])
    }

    /// The first message of all lanes, and its lane.
    pub(crate) fn first(&self) -> Option<(Stamp, usize)> {
        let heads = self.lanes.iter().enumerate();
        heads.filter_map(|(index, lane)| lane.queue.front().map(|(stamp, _)| (*stamp, index))).min()
    }

    /// Takes the first message of a lane.
    pub(crate) fn pop(&mut self, lane: usize) -> Option<(Stamp, Slot)> {
        self.lanes[lane].queue.pop_front()
    }
}
