//! A number in LiteLLM's in-memory cache.

use crate::time::{Span, Time};

/// A counter that is forgotten a while after it was begun. Counting on does not move that time: writing a key that is
/// still there keeps its old expiry (LiteLLM: `InMemoryCache.allow_ttl_override`).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counter {
    value: u64,
    expires: Option<Time>,
}

impl Counter {
    /// What it stands at, if it is there.
    pub(crate) fn get(&self, now: Time) -> Option<u64> {
        self.expires.filter(|&expires| now <= expires).map(|_| self.value)
    }

    /// Counts on, or begins anew with `ttl`. In the very moment in which it expires it can still be read, but no longer
    /// keeps its expiry: then it counts on and has `ttl` again.
    pub(crate) fn add(&mut self, more: u64, now: Time, ttl: Span) -> u64 {
        self.value = self.get(now).unwrap_or(0) + more;
        if ttl.is_zero() {
            // Whatever is written next clears it away, in the same moment.
            self.expires = None;
        } else if self.expires.is_none_or(|expires| now >= expires) {
            self.expires = Some(now + ttl);
        }
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_on_does_not_keep_a_counter_alive() {
        let (mut counter, ttl) = (Counter::default(), Span::from_secs(60));
        let at = |secs| Time::ZERO + Span::from_secs(secs);
        counter.add(1, at(0), ttl);
        assert_eq!(counter.add(1, at(59), ttl), 2);
        assert_eq!(counter.get(at(60)), Some(2));
        assert_eq!(counter.get(at(61)), None);
        assert_eq!(counter.add(1, at(61), ttl), 1);
    }
}
