//! How long requests took, with the lost ones among them.
//!
//! A lost request never got an answer. Were it left out, who loses requests would look faster than who answers them late,
//! so it counts as one that took the whole run.

use crate::metrics::Latency;

/// The times of some requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times<'a> {
    /// Of those that were answered.
    pub(super) answered: &'a Latency,
    /// How many were not.
    pub(super) lost: u64,
    /// How long the run lasted, in seconds.
    pub(super) run: f64,
}

impl Times<'_> {
    /// The seconds that the given share (0 to 1) of all requests does not exceed.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let answered = self.answered.count() as f64;
        let reached = share * (answered + self.lost as f64);
        // The lost ones come behind all others.
        let share = if self.lost == 0 { share } else { reached / answered };
        let known = if reached > answered { None } else { self.answered.quantile(share) };
        known.map_or(self.run, router_core::Span::as_secs_f64)
    }

    /// The seconds of all requests together.
    pub(super) fn sum(&self) -> f64 {
        self.answered.mean_seconds() * self.answered.count() as f64 + self.lost as f64 * self.run
    }
}

#[cfg(test)]
mod tests {
    use router_core::Span;

    use super::*;

    #[test]
    fn who_loses_requests_is_not_faster_than_who_answers_them_late() {
        let mut fast = Latency::default();
        (0..63).for_each(|_| fast.record(Span::from_secs(1)));
        let mut late = fast.clone();
        (0..37).for_each(|_| late.record(Span::from_secs(20)));
        let loses = Times { answered: &fast, lost: 37, run: 90.0 };
        let keeps = Times { answered: &late, lost: 0, run: 90.0 };
        assert!((loses.quantile(0.99) - 90.0).abs() < 1e-9 && (keeps.quantile(0.99) - 20.0).abs() < 0.1);
        // Both answered the first half alike.
        assert!((loses.quantile(0.5) - keeps.quantile(0.5)).abs() < 1e-9);
        assert!((loses.quantile(0.63) - 1.0).abs() < 0.01 && loses.quantile(0.64) > 89.0);
        assert!((loses.sum() - (63.0 + 37.0 * 90.0)).abs() < 1.0);
        let none = Times { answered: &Latency::default(), lost: 3, run: 90.0 };
        assert!((none.quantile(0.5) - 90.0).abs() < 1e-9 && (none.sum() - 270.0).abs() < 1e-9);
    }
}
