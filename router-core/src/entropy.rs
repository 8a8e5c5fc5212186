//! Randomness comes from outside, one number at a time, and the question travels with the draw.
//!
//! Picks are derived from the number exactly as CPython's `random` does with the same number, so that draws
//! recorded from the real Router replay one for one.

/// Where random numbers come from: a seeded stream, a recording, an exhaustive enumeration.
pub trait Entropy {
    /// A number in `0.0 <= u < 1.0`; `why` says what it decides.
    fn unit(&mut self, why: Draw<'_>) -> f64;
}

/// What a random number is for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Draw<'a> {
    /// Choosing one of `among` equals: [`pick`].
    Pick {
        /// How many there are to choose from.
        among: usize,
    },
    /// Choosing by weight: [`pick_weighted`].
    Weighted {
        /// The weights, in the order of the candidates.
        by: &'a [f64],
    },
    /// One step of a shuffle: which of the `among` items that are left comes next.
    Order {
        /// How many items are left.
        among: usize,
    },
    /// The jitter added to a wait before a retry.
    Jitter,
    /// The jitter of a wait of the provider's own HTTP client, which retries by itself under older releases.
    ClientJitter,
    /// By how much a cooldown is longer: only where [`WhatIf::cooldown_jitter`](crate::WhatIf) is set.
    CooldownJitter,
    /// A sample outside the router, by a name: a latency, a gap between arrivals, whether a fault strikes.
    Sample(&'static str),
}

/// A whole number below `among`: `floor(u * among)` in `f64`, as CPython's `random.choice` on a recorded draw.
pub fn pick(entropy: &mut dyn Entropy, among: usize) -> usize {
    floor_index(entropy.unit(Draw::Pick { among }), among)
}

/// An index drawn by weight: the number of cumulative sums `c[i] <= u * c[last]`, at most the last index
/// (CPython's `random.choices`, a bisect to the right).
pub fn pick_weighted(entropy: &mut dyn Entropy, by: &[f64]) -> usize {
    let u = entropy.unit(Draw::Weighted { by });
    let total: f64 = by.iter().sum();
    let point = u * total;
    let mut sum = 0.0;
    let mut index = 0;
    for weight in &by[..by.len() - 1] {
        sum += weight;
        if sum > point {
            break;
        }
        index += 1;
    }
    index
}

/// The order of `items` after a shuffle as CPython's `random.sample(items, len(items))` makes it: at each step
/// take the item at index j of the pool, then put the pool's last item into place j.
pub fn shuffle<T: Copy>(entropy: &mut dyn Entropy, items: &mut [T]) {
    // The front of the slice is the pool. Each item taken leaves a free place at the pool's end and goes there, so
    // that in the end the whole slice is the order backwards.
    for among in (1..=items.len()).rev() {
        let j = floor_index(entropy.unit(Draw::Order { among }), among);
        items.swap(j, among - 1);
    }
    items.reverse();
}

fn floor_index(u: f64, among: usize) -> usize {
    // A recorded u close to 1 may round up to `among`; CPython's own product never does.
    ((u * among as f64) as usize).min(among.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(f64);
    impl Entropy for Fixed {
        fn unit(&mut self, _: Draw<'_>) -> f64 {
            self.0
        }
    }

    #[test]
    fn a_weighted_pick_on_a_boundary_goes_to_the_right() {
        assert_eq!(pick_weighted(&mut Fixed(0.25), &[1.0, 3.0]), 1);
        assert_eq!(pick_weighted(&mut Fixed(0.249), &[1.0, 3.0]), 0);
        assert_eq!(pick_weighted(&mut Fixed(0.9999), &[1.0, 3.0, 0.0]), 1);
    }

    #[test]
    fn a_shuffle_takes_items_out_of_a_pool_that_its_last_item_fills_up() {
        let mut items = ['a', 'b', 'c', 'd'];
        shuffle(&mut Fixed(0.0), &mut items);
        assert_eq!(items, ['a', 'd', 'c', 'b']);
    }

    #[test]
    fn floats_truncate_as_in_python() {
        assert_eq!(pick(&mut Fixed(0.29), 100), 28);
    }
}
