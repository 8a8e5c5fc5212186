//! How an outage is judged.

/// Where the lines between verdicts are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Thresholds {
    /// Below this share of answered requests, during the outage or after it, users are lost.
    pub min_availability: f64,
    /// Below this share the outage was felt.
    pub held_availability: f64,
    /// Above this many times the p99 of the baseline the outage was felt.
    pub max_p99_ratio: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { min_availability: 0.99, held_availability: 0.999, max_p99_ratio: 2.0 }
    }
}

/// How users came through an outage, from bad to good.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// Too many requests were not answered.
    Lost,
    /// Some were not answered, or answers took much longer.
    Degraded,
    /// Users hardly noticed.
    Held,
    /// No call came to what had failed, so that nothing was tried: nobody depends on it while the rest is well.
    Untouched,
}

impl Verdict {
    /// All of them, from bad to good.
    pub const ALL: [Self; 4] = [Self::Lost, Self::Degraded, Self::Held, Self::Untouched];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Degraded => "degraded",
            Self::Held => "held",
            Self::Untouched => "untouched",
        }
    }
}

impl Thresholds {
    /// The verdict on one name's users.
    ///
    /// `availability` is the worse of during and after; `p99_ratio` is that of the outage to the baseline, where both
    /// have answers.
    pub fn judge(&self, availability: f64, p99_ratio: Option<f64>) -> Verdict {
        if availability < self.min_availability {
            Verdict::Lost
        } else if availability < self.held_availability || p99_ratio.is_some_and(|ratio| ratio > self.max_p99_ratio) {
            Verdict::Degraded
        } else {
            Verdict::Held
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_the_line_is_on_the_good_side() {
        let thresholds = Thresholds::default();
        assert_eq!(thresholds.judge(0.989_9, None), Verdict::Lost);
        assert_eq!(thresholds.judge(0.99, None), Verdict::Degraded);
        assert_eq!(thresholds.judge(0.999, Some(2.0)), Verdict::Held);
        assert_eq!(thresholds.judge(1.0, Some(2.01)), Verdict::Degraded);
    }
}
