//! Differences between two settings under the same seeds.
//!
//! Both meet the same requests, faults and luck, so that what they differ in is the settings and not the weather.

use crate::search::interval;

/// How sure an interval is.
const CONFIDENCE: f64 = 0.95;

/// A mean difference with the interval in which it lies with 95 % confidence.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Difference {
    /// The mean over seeds. Below zero: the first is smaller.
    pub mean: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Under how many seeds the first is smaller.
    pub smaller: u64,
    /// Under how many seeds it is larger.
    pub larger: u64,
    /// How many seeds there are.
    pub seeds: u64,
}

impl Difference {
    /// Of `a` minus `b`, seed by seed.
    pub fn of(a: &[f64], b: &[f64]) -> Self {
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        let sure = interval::mean(&differences, CONFIDENCE);
        let alone = differences.first().copied().unwrap_or_default();
        Self {
            mean: sure.map_or(alone, |sure| sure.value),
            low: sure.map_or(f64::NEG_INFINITY, |sure| sure.low),
            high: sure.map_or(f64::INFINITY, |sure| sure.high),
            smaller: differences.iter().filter(|value| **value < 0.0).count() as u64,
            larger: differences.iter().filter(|value| **value > 0.0).count() as u64,
            seeds: differences.len() as u64,
        }
    }

    /// Whether the first is smaller beyond noise.
    pub fn is_smaller(&self) -> bool {
        self.high < 0.0
    }

    /// Whether the first is larger beyond noise.
    pub fn is_larger(&self) -> bool {
        self.low > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_taken_seed_by_seed() {
        // The seeds differ a hundred times more than the settings do.
        let b: Vec<f64> = (0..20).map(|seed| f64::from(seed * 100)).collect();
        let a: Vec<f64> = b.iter().enumerate().map(|(seed, value)| value - 1.0 - (seed % 2) as f64 * 0.1).collect();
        let difference = Difference::of(&a, &b);
        assert!(difference.is_smaller() && difference.smaller == 20, "{difference:?}");
        assert!((difference.mean + 1.05).abs() < 1e-9);
    }

    #[test]
    fn noise_is_no_difference_and_neither_is_one_seed() {
        let noise = Difference::of(&[1.0, -1.0, 1.0, -1.0, 0.5], &[0.0; 5]);
        assert!(!noise.is_smaller() && !noise.is_larger());
        let one = Difference::of(&[1.0], &[5.0]);
        assert!(!one.is_smaller());
        let equal = Difference::of(&[1.0; 4], &[1.0; 4]);
        assert_eq!((equal.mean, equal.low, equal.high), (0.0, 0.0, 0.0));
    }
}
