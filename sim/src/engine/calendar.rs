//! A calendar queue: a ring of buckets, each a few milliseconds wide, and a heap for what lies beyond the ring.
//!
//! The bucket that is being drained is sorted; all others are heaps of unsorted notes. At the densities of a router's
//! life a bucket holds a few events, and a push or a pop touches a handful of words.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use router_core::Time;

use super::pool::{Pool, Slot};
use crate::step::Stamp;

/// Width of a bucket: 2^22 ns, about 4.2 ms.
const WIDTH_BITS: u32 = 22;
/// Buckets of the ring, about 17 seconds together: most answers of a language model arrive within.
const RING: usize = 4096;
const WORDS: usize = RING / 64;
/// No bucket.
const NEVER: u64 = u64::MAX;

/// Messages by the time of their arrival. The messages themselves are in a [`Pool`].
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    /// Which bucket is being drained, counted from time zero.
    today: u64,
    /// The first bucket after it that is not empty; [`NEVER`] when there is none.
    next: u64,
    /// What it holds, the first event last. Sorted. Also everything that was pushed for an earlier bucket.
    current: Vec<(Stamp, Slot)>,
    /// The buckets after it, as lists within the pool. Bucket `b` is at `b % RING`: every entry of a list is of the same
    /// bucket, because a push beyond `today + RING` goes to `beyond`.
    ring: Box<[Slot; RING]>,
    /// Which lists are not empty.
    occupied: [u64; WORDS],
    /// What comes after the ring's last bucket.
    beyond: BinaryHeap<Reverse<(Stamp, Slot)>>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            today: 0,
            next: NEVER,
            current: Vec::new(),
            ring: Box::new([Slot::NONE; RING]),
            occupied: [0; WORDS],
            beyond: BinaryHeap::new(),
        }
    }
}

impl Calendar {
    /// Forgets everything and keeps memory.
    pub(crate) fn restart(&mut self) {
        self.today = 0;
        self.next = NEVER;
        self.current.clear();
        self.ring.fill(Slot::NONE);
        self.occupied.fill(0);
        self.beyond.clear();
    }

    /// Takes a message.
    pub(crate) fn push(&mut self, pool: &mut Pool, stamp: Stamp, slot: Slot) {
        let bucket = bucket_of(stamp.at);
        if bucket <= self.today {
            let place = self.current.partition_point(|(other, _)| *other > stamp);
            self.current.insert(place, (stamp, slot));
            return;
        }
        self.next = self.next.min(bucket);
        if bucket - self.today < RING as u64 {
            self.link(pool, bucket, slot);
        } else {
            self.beyond.push(Reverse((stamp, slot)));
        }
    }

    /// The first message, if it may be before or at `bound`. No bucket that begins after `bound` is touched, so the
    /// calendar never runs ahead of the events that come from elsewhere.
    pub(crate) fn first(&mut self, pool: &mut Pool, bound: Time) -> Option<Stamp> {
        if self.current.is_empty() {
            if self.next > bucket_of(bound) || self.next == NEVER {
                return None;
            }
            self.turn_to(pool, self.next);
        }
        self.current.last().map(|(stamp, _)| *stamp)
    }

    /// Takes the message that [`Calendar::first`] has just shown.
    pub(crate) fn pop(&mut self) -> Option<(Stamp, Slot)> {
        self.current.pop()
    }

    fn link(&mut self, pool: &mut Pool, bucket: u64, slot: Slot) {
        let index = bucket as usize % RING;
        pool[slot].next = self.ring[index];
        self.ring[index] = slot;
        self.occupied[index / 64] |= 1 << (index % 64);
    }

    /// The first bucket after today's that is not empty.
    fn next_bucket(&self) -> u64 {
        let start = (self.today + 1) as usize % RING;
        let (word, bit) = (start / 64, start % 64);
        // The first word twice: its upper bits at the beginning, its lower ones at the very end of the ring.
        let masked = (0..=WORDS).map(|step| {
            let index = (word + step) % WORDS;
            let mask = match step {
                0 => u64::MAX << bit,
                WORDS => !(u64::MAX << bit),
                _ => u64::MAX,
            };
            (index, self.occupied[index] & mask)
        });
        let in_ring = masked.into_iter().find(|(_, bits)| *bits != 0).map(|(index, bits)| {
            let index = index * 64 + bits.trailing_zeros() as usize;
            self.today + 1 + ((index + RING - start) % RING) as u64
        });
        in_ring.unwrap_or_else(|| self.beyond.peek().map_or(NEVER, |Reverse((stamp, _))| bucket_of(stamp.at)))
    }

    /// Makes `bucket` today's.
    fn turn_to(&mut self, pool: &mut Pool, bucket: u64) {
        self.today = bucket;
        let index = bucket as usize % RING;
        let mut slot = std::mem::replace(&mut self.ring[index], Slot::NONE);
        self.occupied[index / 64] &= !(1 << (index % 64));
        while slot != Slot::NONE {
            let parcel = &pool[slot];
            self.current.push((parcel.stamp, slot));
            slot = parcel.next;
        }
        while let Some(Reverse((stamp, slot))) = self.beyond.peek().copied() {
            let bucket = bucket_of(stamp.at);
            if bucket - self.today >= RING as u64 {
                break;
            }
            self.beyond.pop();
            if bucket == self.today {
                self.current.push((stamp, slot));
            } else {
                self.link(pool, bucket, slot);
            }
        }
        self.current.sort_unstable_by(|a, b| b.cmp(a));
        self.next = self.next_bucket();
    }
}

fn bucket_of(at: Time) -> u64 {
    at.as_nanos() >> WIDTH_BITS
}
