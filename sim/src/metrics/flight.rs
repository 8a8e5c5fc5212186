//! What is known about requests that are under way.

use std::collections::{BTreeMap, VecDeque};

use router_core::RequestId;

/// Something per request under way, found by [`RequestId`] without hashing.
///
/// Each caller counts its requests upwards, so those under way lie in a short window. One that stays open for very
/// long would stretch the window over all that came after it; such a straggler moves to a map beside it.
#[derive(Clone, Debug)]
pub struct InFlight<T> {
    windows: Vec<Window<T>>,
    open: usize,
}

#[derive(Clone, Debug)]
struct Window<T> {
    first: u64,
    slots: VecDeque<Option<T>>,
    open: usize,
    stragglers: BTreeMap<u64, T>,
}

/// A window is not looked at before it is this long.
const WINDOW_SHORT: usize = 1024;
/// A longer one should be filled at least to this share (one in so many).
const WINDOW_SPARSE: usize = 8;

impl<T> Default for InFlight<T> {
    fn default() -> Self {
        Self { windows: Vec::new(), open: 0 }
    }
}

impl<T> InFlight<T> {
    /// A request begins.
    pub fn open(&mut self, request: RequestId, what: T) {
        let source = request.source as usize;
        while self.windows.len() <= source {
            self.windows.push(Window {
                first: request.number,
                slots: VecDeque::new(),
                open: 0,
                stragglers: BTreeMap::new(),
            });
        }
        if self.windows[source].open(request.number, what).is_none() {
            self.open += 1;
        }
    }

    /// What is known about a request, if it is under way.
    pub fn get(&mut self, request: RequestId) -> Option<&mut T> {
        self.windows.get_mut(request.source as usize)?.get(request.number)
    }

    /// A request ended.
    pub fn close(&mut self, request: RequestId) -> Option<T> {
        let closed = self.windows.get_mut(request.source as usize)?.close(request.number);
        self.open -= usize::from(closed.is_some());
        closed
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        self.open
    }

    /// Whether none is under way.
    pub fn is_empty(&self) -> bool {
        self.open == 0
    }

    /// Those under way, caller by caller.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.windows.iter().flat_map(|window| window.stragglers.values().chain(window.slots.iter().flatten()))
    }
}

impl<T> Window<T> {
    fn open(&mut self, number: u64, what: T) -> Option<T> {
        if self.slots.is_empty() {
            self.first = number;
        }
        if number < self.first {
            return self.stragglers.insert(number, what);
        }
        let index = (number - self.first) as usize;
        while self.slots.len() <= index {
            self.slots.push_back(None);
        }
        let before = self.slots[index].replace(what);
        self.open += usize::from(before.is_none());
        self.trim();
        before
    }

    fn get(&mut self, number: u64) -> Option<&mut T> {
        if number < self.first {
            return self.stragglers.get_mut(&number);
        }
        self.slots.get_mut((number - self.first) as usize)?.as_mut()
    }

    fn close(&mut self, number: u64) -> Option<T> {
        if number < self.first {
            return self.stragglers.remove(&number);
        }
        let closed = self.slots.get_mut((number - self.first) as usize)?.take();
        self.open -= usize::from(closed.is_some());
        while matches!(self.slots.front(), Some(None)) {
            self.slots.pop_front();
            self.first += 1;
        }
        closed
    }

    fn trim(&mut self) {
        while self.slots.len() > WINDOW_SHORT && self.open * WINDOW_SPARSE < self.slots.len() {
            if let Some(Some(straggler)) = self.slots.pop_front() {
                self.stragglers.insert(self.first, straggler);
                self.open -= 1;
            }
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_from_its_opening_to_its_closing() {
        let mut flight = InFlight::default();
        flight.open(RequestId::new(1, 5), 'a');
        flight.open(RequestId::new(1, 7), 'b');
        assert_eq!(flight.len(), 2);
        assert_eq!(flight.get(RequestId::new(1, 6)), None);
        assert_eq!(flight.close(RequestId::new(1, 5)), Some('a'));
        assert_eq!(flight.close(RequestId::new(1, 5)), None);
        assert_eq!(flight.get(RequestId::new(1, 7)), Some(&mut 'b'));
        assert_eq!(flight.get(RequestId::new(0, 7)), None);
    }

    #[test]
    fn one_endless_request_does_not_hold_the_memory_of_all_later_ones() {
        let mut flight = InFlight::default();
        flight.open(RequestId::new(0, 0), 0);
        for number in 1..100_000 {
            flight.open(RequestId::new(0, number), number);
            assert_eq!(flight.close(RequestId::new(0, number)), Some(number));
        }
        assert!(flight.windows[0].slots.len() <= WINDOW_SHORT + 1);
        assert_eq!(flight.len(), 1);
        assert_eq!(flight.iter().copied().collect::<Vec<_>>(), [0]);
        assert_eq!(flight.close(RequestId::new(0, 0)), Some(0));
        assert!(flight.is_empty());
    }
}
