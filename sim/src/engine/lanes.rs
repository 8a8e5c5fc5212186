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
    /// The first message of all lanes, and its lane.
    first: Option<(Stamp, usize)>,
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
        self.first = None;
    }

    /// Takes a message, unless it does not fit behind the last one of a lane for its delay.
    pub(crate) fn push(&mut self, now: Time, stamp: Stamp, slot: Slot) -> bool {
        let Some(index) = self.lane_for(stamp.at - now) else { return false };
        let queue = &mut self.lanes[index].queue;
        // At one moment several actors send; their messages may come in another order than that of their stamps.
        if queue.back().is_some_and(|(last, _)| *last > stamp) {
            return false;
        }
        if queue.is_empty() && self.first.is_none_or(|(first, _)| stamp < first) {
            self.first = Some((stamp, index));
        }
        queue.push_back((stamp, slot));
        true
    }

    /// The lane for messages that take `delay`, if there is one or may be one now.
    fn lane_for(&mut self, delay: Span) -> Option<usize> {
        if let Some(index) = self.lanes.iter().position(|lane| lane.delay == delay) {
            return Some(index);
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
        Some(free)
    }

    /// The first message of all lanes, and its lane.
    pub(crate) fn first(&self) -> Option<(Stamp, usize)> {
        self.first
    }

    /// Takes the first message of a lane, which is the first of all lanes.
    pub(crate) fn pop(&mut self, lane: usize) -> Option<(Stamp, Slot)> {
        let popped = self.lanes[lane].queue.pop_front();
        let heads = self.lanes.iter().enumerate();
        self.first = heads.filter_map(|(index, lane)| lane.queue.front().map(|(stamp, _)| (*stamp, index))).min();
        popped
    }
}
