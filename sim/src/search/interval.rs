//! How sure a figure from several runs is: confidence intervals.
//!
//! Requests of one run share its luck, so runs are the sample, not requests: the intervals here are Student's over runs.
//! The special functions are our own, on the pinned `libm`, so that they give the same bits everywhere.

/// A figure and the interval that holds its true value with the confidence that was asked for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The figure itself.
    pub value: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// How long it is.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// Whether it holds a value.
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The smallest interval around both.
    #[must_use]
    pub fn around(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), value: self.value, high: self.high.max(other.high) }
    }
}

/// The mean of samples that are independent of each other; `confidence` strictly between 0 and 1.
/// `None` with fewer than two samples: one says nothing about how much they differ.
pub fn mean(samples: &[f64], confidence: f64) -> Option<Interval> {
    let ones: Vec<(f64, f64)> = samples.iter().map(|sample| (*sample, 1.0)).collect();
    ratio(&ones, confidence)
}

/// The mean of the differences `a - b` of runs that share their luck pair by pair: the same seeds on both sides.
/// `None` with fewer than two pairs. An interval without zero: they differ beyond noise.
pub fn paired(a: &[f64], b: &[f64], confidence: f64) -> Option<Interval> {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    mean(&differences, confidence)
}

/// The sum of the first over the sum of the second, one pair per run: answered requests over all requests, say.
///
/// The ratio estimator with its linearised variance and Student's quantile. `None` with fewer than two runs, or when
/// the second are all zero.
pub fn ratio(runs: &[(f64, f64)], confidence: f64) -> Option<Interval> {
    let count = runs.len() as f64;
    let (above, below) = runs.iter().fold((0.0, 0.0), |(above, below), run| (above + run.0, below + run.1));
    if runs.len() < 2 || below <= 0.0 {
        return None;
    }
    let value = above / below;
    let squares: f64 = runs.iter().map(|run| (run.0 - value * run.1) * (run.0 - value * run.1)).sum();
    let error = libm::sqrt(squares / (count - 1.0) / count) / (below / count);
    let reach = student_t(confidence, count - 1.0) * error;
    Some(Interval { low: value - reach, value, high: value + reach })
}

/// The share of `good` among `of` trials that are independent of each other, after Clopper and Pearson: it never claims
/// more than it may, also when all or none were good. `None` when there were no trials.
pub fn proportion(good: u64, of: u64, confidence: f64) -> Option<Interval> {
    if of == 0 {
        return None;
    }
    let (good, bad) = (good as f64, (of - good.min(of)) as f64);
    let tail = (1.0 - confidence) / 2.0;
    let low = if good == 0.0 { 0.0 } else { inverse(|x| incomplete_beta(good, bad + 1.0, x), tail) };
    let high = if bad == 0.0 { 1.0 } else { inverse(|x| incomplete_beta(good + 1.0, bad, x), 1.0 - tail) };
    Some(Interval { low, value: good / of as f64, high })
}

/// The value that Student's t with so many degrees of freedom stays within, on both sides of zero, with a probability.
pub fn student_t(probability: f64, freedom: f64) -> f64 {
    // |T| <= t exactly when freedom / (freedom + t²), which is beta distributed, is at least x.
    let x = inverse(|x| incomplete_beta(freedom / 2.0, 0.5, x), 1.0 - probability);
    libm::sqrt(freedom * (1.0 - x) / x.max(f64::MIN_POSITIVE))
}

/// Where a function that rises from 0 to 1 over `0..=1` reaches a value, to the last bit but a few.
fn inverse(rising: impl Fn(f64) -> f64, value: f64) -> f64 {
    const HALVINGS: u32 = 80;
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if rising(middle) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// The regularised incomplete beta function `I_x(a, b)`, for `a`, `b` above 0 and `x` from 0 to 1.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front =
        libm::exp(libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log1p(-x));
    // The continued fraction converges fast on this side of the mean; the other side follows by symmetry.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * continued_fraction(a, b, x) / a
    } else {
        1.0 - front * continued_fraction(b, a, 1.0 - x) / b
    }
}

/// The continued fraction of the incomplete beta function, evaluated from its head after Lentz.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TERMS_MAX: u32 = 10_000;
    const ENOUGH: f64 = 1e-15;
    let away_from_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut sum = d;
    for term in 1..=TERMS_MAX {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        sum *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        sum *= d * c;
        if (d * c - 1.0).abs() < ENOUGH {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use router_core::{Draw, Entropy as _};

    use super::*;
    use crate::dice::Dice;

    #[test]
    fn students_quantiles_are_those_of_the_tables() {
        for (probability, freedom, table) in
            [(0.95, 1.0, 12.706), (0.95, 10.0, 2.228), (0.99, 4.0, 4.604), (0.99, 100.0, 2.626), (0.9, 30.0, 1.697)]
        {
            let t = student_t(probability, freedom);
            assert!((t - table).abs() < 0.001, "{t} for {probability} and {freedom}, not {table}");
        }
    }

    #[test]
    fn shares_are_bounded_as_clopper_and_pearson_did() {
        let ten_of_ten = proportion(10, 10, 0.95).unwrap();
        assert!((ten_of_ten.low - 0.6915).abs() < 0.0001 && ten_of_ten.high == 1.0, "{ten_of_ten:?}");
        let three_of_twenty = proportion(3, 20, 0.95).unwrap();
        assert!((three_of_twenty.low - 0.0321).abs() < 0.0001, "{three_of_twenty:?}");
        assert!((three_of_twenty.high - 0.3789).abs() < 0.0001, "{three_of_twenty:?}");
        assert_eq!(proportion(0, 0, 0.95), None);
    }

    #[test]
    fn one_run_says_nothing_about_noise() {
        assert_eq!(mean(&[1.0], 0.95), None);
        assert_eq!(ratio(&[(0.0, 0.0), (0.0, 0.0)], 0.95), None);
    }

    #[test]
    fn luck_that_both_sides_share_cancels_out() {
        let luck = [3.0, 9.0, 1.0, 7.0, 5.0];
        let better: Vec<f64> = luck.iter().enumerate().map(|(n, luck)| luck - 1.0 + 0.01 * n as f64).collect();
        let difference = paired(&better, &luck, 0.99).unwrap();
        assert!(difference.high < 0.0 && difference.width() < 0.2, "{difference:?}");
        assert!(mean(&luck, 0.99).unwrap().width() > 5.0);
    }

    #[test]
    fn an_interval_holds_the_truth_as_often_as_it_says() {
        // Eight runs, each of 50 to 150 trials that succeed with a chance of 0.9: the runs differ in size, as real ones do.
        let covered = |confidence: f64| {
            (0..100)
                .filter(|seed| {
                    let mut dice = Dice::named(*seed, "coverage");
                    let runs: Vec<(f64, f64)> = (0..8)
                        .map(|_| {
                            let trials = 50 + (dice.unit(Draw::Sample("size")) * 100.0) as u64;
                            let good = (0..trials).filter(|_| dice.unit(Draw::Sample("trial")) < 0.9).count();
                            (good as f64, trials as f64)
                        })
                        .collect();
                    ratio(&runs, confidence).unwrap().holds(0.9)
                })
                .count()
        };
        assert!(covered(0.99) >= 95);
        assert!((90..100).contains(&covered(0.95)));
    }
}
