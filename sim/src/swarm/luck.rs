//! What a scenario is drawn with: one stream of random numbers, asked in the words of whoever draws.

use router_core::{Draw, Entropy as _};

use crate::dice::Dice;

/// A stream of random numbers. The same seed and name give the same answers to the same questions.
#[derive(Clone, Debug)]
pub(super) struct Luck(Dice);

impl Luck {
    /// The stream of scenario `number`.
    pub(super) fn of(number: u64) -> Self {
        Self(Dice::named(number, "swarm"))
    }

    fn unit(&mut self) -> f64 {
        let u = self.0.unit(Draw::Sample("swarm"));
        self.0.forget();
        u
    }

    /// Whether something happens that does so in this share of all cases.
    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// A number below `count`, which is above 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        // Counts are small: the product is exact enough, and below the count but for its last bit.
        ((self.unit() * count as f64) as usize).min(count - 1)
    }

    /// A number from `least` to `most`.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below((most - least + 1) as usize) as u64
    }

    /// One of them. There is at least one.
    pub(super) fn of_these<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// One to `most` different ones of them, in any order. There is at least one.
    pub(super) fn some_of<T: Clone>(&mut self, all: &[T], most: usize) -> Vec<T> {
        let mut left = all.to_vec();
        let count = 1 + self.below(most.min(left.len()).max(1));
        let mut some = Vec::with_capacity(count);
        for _ in 0..count {
            some.push(left.remove(self.below(left.len())));
        }
        some
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_can_come_and_none_beyond() {
        let mut luck = Luck::of(1);
        let mut seen = [false; 3];
        for _ in 0..100 {
            seen[luck.below(3)] = true;
            assert!((4..=6).contains(&luck.between(4, 6)));
            let some = luck.some_of(&["a", "b", "c"], 2);
            assert!((1..=2).contains(&some.len()) && (some.len() == 1 || some[0] != some[1]), "{some:?}");
        }
        assert_eq!(seen, [true; 3]);
    }
}
