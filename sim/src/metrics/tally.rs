//! Counts of things that come in few kinds.

/// Counts by kind, for kinds that are few: a linear search over a handful of entries beats any map, and the order in
/// which kinds first came is the same on every machine.
#[derive(Clone, Debug)]
pub struct Tally<K> {
    entries: Vec<(K, u64)>,
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<K: Copy + PartialEq> Tally<K> {
    /// One more of this kind.
    pub fn add(&mut self, kind: K) {
        self.add_many(kind, 1);
    }

    /// So many more of this kind.
    pub fn add_many(&mut self, kind: K, count: u64) {
        match self.entries.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, n)) => *n += count,
            None => self.entries.push((kind, count)),
        }
    }

    /// Adds what another tally counted.
    pub fn absorb(&mut self, other: &Self) {
        for &(kind, count) in &other.entries {
            self.add_many(kind, count);
        }
    }

    /// Every kind with its count, in the order of first appearance.
    pub fn iter(&self) -> impl Iterator<Item = (K, u64)> + '_ {
        self.entries.iter().copied()
    }

    /// How many there were of this kind.
    pub fn of(&self, kind: K) -> u64 {
        self.sum(|known| known == kind)
    }

    /// How many there were of the kinds that `wanted` accepts.
    pub fn sum(&self, wanted: impl Fn(K) -> bool) -> u64 {
        self.iter().filter(|&(kind, _)| wanted(kind)).map(|(_, n)| n).sum()
    }

    /// How many there were of all kinds together.
    pub fn total(&self) -> u64 {
        self.sum(|_| true)
    }

    /// Every kind with its count, the most frequent first; equals keep the order of first appearance.
    pub fn ranked(&self) -> Vec<(K, u64)> {
        let mut ranked = self.entries.clone();
        ranked.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        ranked
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
