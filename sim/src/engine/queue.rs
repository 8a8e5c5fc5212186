//! Messages under way, first things first, whichever structure holds them.

use router_core::Time;

use super::calendar::Calendar;
use super::lanes::Lanes;
use super::pool::{Pool, Slot};
use crate::actor::Event;
use crate::step::Stamp;

/// The calendar and the lanes that bypass it, as one queue in the order of stamps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    pool: Pool,
    calendar: Calendar,
    lanes: Lanes,
}

/// Where the first message is. Valid until the next push.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct First {
    pub(crate) stamp: Stamp,
    lane: Option<usize>,
}

impl Queue {
    /// Forgets all messages and keeps memory.
    pub(crate) fn restart(&mut self) {
        self.pool.restart();
        self.calendar.restart();
        self.lanes.restart();
    }

    /// Takes a message that is sent at `now`.
    pub(crate) fn push(&mut self, now: Time, stamp: Stamp, event: Event) {
        let slot = self.pool.put(stamp, event);
        if !self.lanes.push(now, stamp, slot) {
            self.calendar.push(&mut self.pool, stamp, slot);
        }
    }

    /// The first message, if it comes at or before `bound`.
    pub(crate) fn first(&mut self, bound: Time) -> Option<First> {
        let lane = self.lanes.first();
        let lane = lane.filter(|(stamp, _)| stamp.at <= bound);
        let bound = lane.map_or(bound, |(stamp, _)| stamp.at);
        let calendar = self.calendar.first(&mut self.pool, bound).filter(|stamp| stamp.at <= bound);
        match (calendar, lane) {
            (Some(stamp), Some((other, lane))) if other < stamp => Some(First { stamp: other, lane: Some(lane) }),
            (Some(stamp), _) => Some(First { stamp, lane: None }),
            (None, Some((stamp, lane))) => Some(First { stamp, lane: Some(lane) }),
            (None, None) => None,
        }
    }

    /// Takes the first message out of the queue. It stays readable until it is discarded.
    pub(crate) fn pop(&mut self, first: First) -> Slot {
        let popped = match first.lane {
            Some(lane) => self.lanes.pop(lane),
            None => self.calendar.pop(),
        };
        let (stamp, slot) = popped.expect("`first` has shown it");
        debug_assert_eq!(stamp, first.stamp);
        slot
    }

    /// A message that was popped.
    pub(crate) fn event(&self, slot: Slot) -> &Event {
        &self.pool[slot].event
    }

    /// Throws a message away that was popped.
    pub(crate) fn discard(&mut self, slot: Slot) {
        self.pool.discard(slot);
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    use proptest::prelude::*;

    use super::*;
    use crate::actor::ActorId;

    const WINDOW: u64 = 4096 << 22;

    fn stamp(at: u64, to: u32, seq: u64) -> Stamp {
        Stamp { at: Time::from_nanos(at), to: ActorId(to), from: ActorId(0), seq }
    }

    fn pop(queue: &mut Queue) -> Option<Stamp> {
        let first = queue.first(Time::MAX)?;
        let slot = queue.pop(first);
        queue.discard(slot);
        Some(first.stamp)
    }

    #[test]
    fn an_event_of_the_next_turn_of_the_ring_does_not_fall_into_the_bucket_being_drained() {
        let mut queue = Queue::default();
        queue.push(Time::ZERO, stamp(10, 0, 1), Event::Wake);
        queue.push(Time::ZERO, stamp(20, 0, 2), Event::Wake);
        assert_eq!(pop(&mut queue), Some(stamp(10, 0, 1)));
        // The bucket of time 10 is being drained; a whole ring later has the same place in the ring.
        queue.push(Time::from_nanos(10), stamp(10 + WINDOW, 0, 3), Event::Wake);
        queue.push(Time::from_nanos(10), stamp(11 + WINDOW / 2, 0, 4), Event::Wake);
        assert_eq!(pop(&mut queue), Some(stamp(20, 0, 2)));
        assert_eq!(pop(&mut queue), Some(stamp(11 + WINDOW / 2, 0, 4)));
        assert_eq!(pop(&mut queue), Some(stamp(10 + WINDOW, 0, 3)));
        assert_eq!(pop(&mut queue), None);
    }

    #[test]
    fn looking_at_a_far_event_does_not_put_it_before_a_nearer_one_that_is_pushed_later() {
        let mut queue = Queue::default();
        queue.push(Time::ZERO, stamp(30 * WINDOW, 0, 1), Event::Wake);
        // Somebody else's event at 1000 comes first, and causes one that is nearer than the far one.
        assert_eq!(queue.first(Time::from_nanos(1000)), None);
        queue.push(Time::from_nanos(1000), stamp(5 * WINDOW, 0, 2), Event::Wake);
        assert_eq!(pop(&mut queue), Some(stamp(5 * WINDOW, 0, 2)));
        // Even when the far one has been looked at for itself.
        assert!(queue.first(Time::MAX).is_some());
        queue.push(Time::from_nanos(5 * WINDOW), stamp(6 * WINDOW, 0, 3), Event::Wake);
        assert_eq!(pop(&mut queue), Some(stamp(6 * WINDOW, 0, 3)));
        assert_eq!(pop(&mut queue), Some(stamp(30 * WINDOW, 0, 1)));
    }

    #[test]
    fn equal_delays_sent_at_one_moment_come_out_in_the_order_of_their_stamps() {
        let mut queue = Queue::default();
        for now in 0..4 {
            let now = now * 5;
            for to in [3, 1, 2] {
                queue.push(Time::from_nanos(now), stamp(now + 1000, to, now), Event::Wake);
            }
        }
        let order: Vec<u32> = std::iter::from_fn(|| pop(&mut queue)).map(|stamp| stamp.to.0).collect();
        assert_eq!(order, [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
    }

    fn delay() -> impl Strategy<Value = u64> {
        prop_oneof![
            4 => Just(5_000_000u64),
            2 => Just(1),
            4 => 1u64..20_000_000_000,
            2 => (1u64..5).prop_map(|turns| turns * WINDOW),
            1 => 1u64..10_000_000_000_000,
        ]
    }

    proptest! {
        #[test]
        fn the_queue_gives_what_a_binary_heap_gives(
            steps in prop::collection::vec((prop::collection::vec((delay(), 0u32..4), 0..4), 0u64..3_000_000_000), 1..200),
        ) {
            let mut queue = Queue::default();
            for _ in 0..2 {
                queue.restart();
                let mut heap = BinaryHeap::new();
                let (mut now, mut seq) = (0, 0);
                for (pushes, wake_after) in &steps {
                    for (delay, to) in pushes {
                        seq += 1;
                        let stamp = stamp(now + delay, *to, seq);
                        queue.push(Time::from_nanos(now), stamp, Event::Wake);
                        heap.push(Reverse(stamp));
                    }
                    // Either the queue's own first event happens next, or one from elsewhere.
                    let elsewhere = now + wake_after;
                    let expected = heap.peek().map(|Reverse(stamp)| *stamp);
                    let expected = expected.filter(|stamp| stamp.at.as_nanos() <= elsewhere);
                    let first = queue.first(Time::from_nanos(elsewhere));
                    prop_assert_eq!(first.map(|first| first.stamp), expected);
                    now = elsewhere;
                    if let Some(first) = first {
                        heap.pop();
                        let slot = queue.pop(first);
                        queue.discard(slot);
                        now = first.stamp.at.as_nanos();
                    }
                }
                while let Some(Reverse(expected)) = heap.pop() {
                    prop_assert_eq!(pop(&mut queue), Some(expected));
                }
                prop_assert_eq!(pop(&mut queue), None);
            }
        }
    }
}
