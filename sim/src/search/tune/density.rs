//! Where among the values of a setting the good ones lie: the density estimator of the proposals.
//!
//! `tpe` decides which settings are good and which candidate to take; its own estimators ask the platform for `ln` and
//! `cos`, whose last bits differ between machines, and a tie decided by a last bit is another search. This one works on
//! the places of the values alone: weights are whole numbers, and the one logarithm is that of the pinned `libm`.

use rand::Rng;
use rand::distr::Distribution;
use tpe::density_estimation::{BuildDensityEstimator, DensityEstimator};
use tpe::range::Range;

/// Makes an estimator of what was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Levels {
    /// Values have neighbours: what is said of one is said of those near it, too.
    Ordered,
    /// They have none: each speaks for itself.
    Words,
}

/// Weights of the values of a setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Density {
    /// By value, above zero.
    weights: Vec<u64>,
    total: u64,
}

/// What one observation weighs at its own value.
const ONE: u64 = 1 << 20;

/// Over about so many steps an ordered setting is looked at: of a thousand values, many together count as one step.
const STEPS: usize = 24;

impl BuildDensityEstimator for Levels {
    type Estimator = Density;
    type Error = std::convert::Infallible;

    fn build_density_estimator<I>(&self, tried: I, range: Range) -> Result<Density, Self::Error>
    where
        I: Iterator<Item = f64> + Clone,
    {
        let count = (range.width() as usize).max(1);
        // One observation more, of nothing in particular, so that every value stays possible.
        let mut weights = vec![(ONE / count as u64).max(1); count];
        let step = count.div_ceil(STEPS);
        for place in tried.map(|place| (place as usize).min(count - 1)) {
            match self {
                Self::Words => weights[place] += ONE,
                // Half of it with each step.
                Self::Ordered => (0..).zip(&mut weights).for_each(|(other, weight)| {
                    *weight += ONE.checked_shr((place.abs_diff(other) / step) as u32).unwrap_or(0);
                }),
            }
        }
        let total = weights.iter().sum();
        Ok(Density { weights, total })
    }
}

impl DensityEstimator for Density {
    fn log_pdf(&self, place: f64) -> f64 {
        let weight = self.weights[(place as usize).min(self.weights.len() - 1)];
        libm::log(weight as f64 / self.total as f64)
    }
}

impl Distribution<f64> for Density {
    fn sample<R: Rng + ?Sized>(&self, dice: &mut R) -> f64 {
        let mut at = ((u128::from(dice.next_u64()) * u128::from(self.total)) >> u64::BITS) as u64;
        let place = self.weights.iter().position(|weight| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        });
        place.unwrap_or(self.weights.len() - 1) as f64
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use tpe::TpeOptimizer;

    use super::*;

    /// What is asked for after so many values were tried and told.
    fn asked(levels: Levels, count: usize, loss: impl Fn(usize) -> f64) -> Vec<usize> {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let mut optimiser = TpeOptimizer::new(levels, tpe::categorical_range(count).unwrap());
        let mut ask = || {
            let place = optimiser.ask(&mut dice).unwrap();
            optimiser.tell(place, loss(place as usize)).unwrap();
            place as usize
        };
        (0..80).map(|_| ask()).collect()
    }

    #[test]
    fn what_is_near_the_best_is_asked_for_more_and_more() {
        for best in [3, 100, 499] {
            let places = asked(Levels::Ordered, 500, |place| place.abs_diff(best) as f64);
            let near = places[40..].iter().filter(|place| place.abs_diff(best) <= 50).count();
            assert!(near >= 20, "{near} of the last 40 are near {best}: {places:?}");
            assert!(places.iter().any(|place| place.abs_diff(best) <= 10), "{places:?}");
        }
    }

    #[test]
    fn the_best_word_is_asked_for_most_and_the_others_still_now_and_then() {
        let places = asked(Levels::Words, 5, |place| if place == 2 { 0.0 } else { 1.0 });
        let often = |word: usize| places.iter().filter(|place| **place == word).count();
        assert!(often(2) > 40 && (0..5).all(|word| often(word) > 0), "{places:?}");
    }

    #[test]
    fn words_have_no_neighbours_and_numbers_do() {
        let range = tpe::categorical_range(5).unwrap();
        let of = |levels: Levels| levels.build_density_estimator([2.5].into_iter(), range).unwrap().weights;
        let prior = ONE / 5;
        assert_eq!(of(Levels::Words), [prior, prior, prior + ONE, prior, prior]);
        let (half, quarter) = (prior + ONE / 2, prior + ONE / 4);
        assert_eq!(of(Levels::Ordered), [quarter, half, prior + ONE, half, quarter]);
    }
}
