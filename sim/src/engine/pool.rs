//! The messages that are under way. Queues move slot numbers; a message stays where it is until it has arrived.

use crate::actor::Event;
use crate::step::Stamp;

/// The place of a message in the pool.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Slot(u32);

impl Slot {
    /// No slot: the end of a list.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

/// One message under way.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) stamp: Stamp,
    /// The next one of the same list: of a bucket, or of the free slots.
    pub(crate) next: Slot,
    pub(crate) event: Event,
}

/// As many slots as there were ever messages under way at once.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    parcels: Vec<Parcel>,
    free: Slot,
}

impl Default for Pool {
    fn default() -> Self {
        Self { parcels: Vec::new(), free: Slot::NONE }
    }
}

impl Pool {
    /// Forgets all messages; keeps memory.
    pub(crate) fn restart(&mut self) {
        self.parcels.clear();
        self.free = Slot::NONE;
    }

    /// Keeps a message.
    pub(crate) fn put(&mut self, stamp: Stamp, event: Event) -> Slot {
        let parcel = Parcel { stamp, next: Slot::NONE, event };
        if self.free == Slot::NONE {
            self.parcels.push(parcel);
            return Slot((self.parcels.len() - 1) as u32);
        }
        let slot = self.free;
        self.free = self[slot].next;
        self[slot] = parcel;
        slot
    }

    /// Throws a message away.
    pub(crate) fn discard(&mut self, slot: Slot) {
        let free = self.free;
        let parcel = &mut self[slot];
        parcel.event = Event::Wake;
        parcel.next = free;
        self.free = slot;
    }
}

impl std::ops::Index<Slot> for Pool {
    type Output = Parcel;

    fn index(&self, slot: Slot) -> &Parcel {
        &self.parcels[slot.0 as usize]
    }
}

impl std::ops::IndexMut<Slot> for Pool {
    fn index_mut(&mut self, slot: Slot) -> &mut Parcel {
        &mut self.parcels[slot.0 as usize]
    }
}
