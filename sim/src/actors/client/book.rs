//! The open requests of one client.
//!
//! Numbers rise, so a request is found by subtraction; deadlines rise with them, because every request has the same time
//! from when it was made, so the oldest open request is the next to be overdue. The book is as long as the distance from
//! the oldest open request to the newest.

use std::collections::VecDeque;

use router_core::Time;

use super::Wish;

/// The requests from the oldest open one on.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    /// The number of the first one.
    first: u64,
    /// `None`: it is over. The first one never is.
    tries: VecDeque<Option<Try>>,
}

/// One try at a wish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Try {
    pub(super) wish: Wish,
    /// [`Time::MAX`]: never.
    pub(super) gives_up_at: Time,
}

impl Book {
    /// Opens a request; its number is the next one.
    pub(super) fn open(&mut self, new: Try) -> u64 {
        self.tries.push_back(Some(new));
        self.first + self.tries.len() as u64 - 1
    }

    /// Closes a request, if it is open.
    pub(super) fn close(&mut self, number: u64) -> Option<Try> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let closed = self.tries.get_mut(index)?.take()?;
        while let Some(None) = self.tries.front() {
            self.tries.pop_front();
            self.first += 1;
        }
        Some(closed)
    }

    /// An open request whose deadline is not after `now`.
    pub(super) fn overdue(&self, now: Time) -> Option<u64> {
        self.next_deadline().filter(|deadline| *deadline <= now).map(|_| self.first)
    }

    /// When the next open request is given up.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.tries.front().copied().flatten().map(|oldest| oldest.gives_up_at).filter(|at| *at < Time::MAX)
    }

    /// How many requests it keeps, open ones and those that ended after an older one that is open.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.tries.len()
    }
}
