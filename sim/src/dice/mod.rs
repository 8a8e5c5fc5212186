//! Random numbers of a run: one named stream for each actor, and the samplers that turn a number into a quantity.
//!
//! A stream depends on the seed and on its name alone, so a new actor, or a new draw of one actor, leaves the numbers
//! of all others as they were. Every sampler takes one uniform and gives a whole number: two runs that differ in one
//! setting compare like with like, and no sum of samples depends on the order of a float addition.

mod quantile_table;

pub use quantile_table::QuantileTable;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use router_core::{Draw, Entropy, Span};
use sha2::{Digest, Sha256};

use crate::actor::Drawn;

/// Sets these streams apart from any other use of the same seed. A change of it changes every run.
const DOMAIN: &[u8] = b"routedrill dice 1\n";

/// 2^-53: uniforms have 53 bits, as many as an `f64` holds exactly between 0 and 1.
const UNIT: f64 = 1.0 / (1u64 << 53) as f64;

/// One actor's stream of random numbers, and the list of those it drew in the current step.
#[derive(Clone, Debug)]
pub struct Dice {
    rng: ChaCha8Rng,
    drawn: Vec<Drawn>,
}

impl Dice {
    /// The stream of that name under that seed.
    pub fn named(seed: u64, name: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update(seed.to_le_bytes());
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        Self { rng: ChaCha8Rng::from_seed(hash.finalize().into()), drawn: Vec::new() }
    }

    /// What was drawn since [`Dice::forget`].
    pub fn drawn(&self) -> &[Drawn] {
        &self.drawn
    }

    /// Empties the list of what was drawn and keeps its memory. The stream goes on where it is.
    pub fn forget(&mut self) {
        self.drawn.clear();
    }
}

impl Entropy for Dice {
    fn unit(&mut self, why: Draw<'_>) -> f64 {
        let u = (self.rng.next_u64() >> 11) as f64 * UNIT;
        self.drawn.push(Drawn { u, what: why.into() });
        u
    }
}

/// The time until the next of independent happenings of which `per_second` come in a second on average: an exponential
/// gap, to the nearest nanosecond. A rate of zero or less gives [`Span::MAX`]: never.
pub fn exponential(u: f64, per_second: f64) -> Span {
    if per_second > 0.0 { Span::from_secs_f64(-libm::log1p(-u) / per_second) } else { Span::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(seed: u64, name: &str) -> f64 {
        Dice::named(seed, name).unit(Draw::Jitter)
    }

    #[test]
    fn a_stream_depends_on_seed_and_name_alone() {
        assert_eq!(first(7, "proxy"), first(7, "proxy"));
        assert_ne!(first(7, "proxy"), first(8, "proxy"));
        assert_ne!(first(7, "proxy"), first(7, "proxy-2"));
    }

    #[test]
    fn the_numbers_of_a_seed_never_change() {
        // Golden: an update of a dependency that changes these numbers changes every published run.
        let mut dice = Dice::named(7, "proxy-0");
        let bits: Vec<u64> = (0..4).map(|_| (dice.unit(Draw::Jitter) * (1u64 << 53) as f64) as u64).collect();
        assert_eq!(bits, [7_592_768_453_876_078, 8_612_558_178_720_349, 2_255_456_678_112_483, 3_344_357_425_807_696]);
    }

    #[test]
    fn draws_are_kept_with_their_question_until_forgotten() {
        let mut dice = Dice::named(1, "a");
        let u = dice.unit(Draw::Sample("gap"));
        assert_eq!(dice.drawn(), [Drawn { u, what: crate::actor::DrawKind::Sample("gap") }]);
        dice.forget();
        assert_eq!(dice.drawn(), []);
    }

    #[test]
    fn exponential_gaps_have_the_mean_of_their_rate() {
        let mut dice = Dice::named(3, "gaps");
        let total: u64 = (0..20_000).map(|_| exponential(dice.unit(Draw::Jitter), 50.0).as_nanos()).sum();
        let mean = total as f64 / 20_000.0;
        assert!((mean - 2e7).abs() < 3e5, "the mean gap at 50 a second is 20 ms, not {mean} ns");
    }

    #[test]
    fn nothing_arrives_at_no_rate() {
        assert_eq!(exponential(0.5, 0.0), Span::MAX);
        assert_eq!(exponential(0.0, 1.0), Span::ZERO);
    }
}
