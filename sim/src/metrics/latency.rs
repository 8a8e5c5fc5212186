//! Latencies in an HdrHistogram.

use std::sync::LazyLock;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};
use router_core::Span;

/// Latencies in microseconds, exact to three significant digits. Empty until the first one is recorded.
///
/// A histogram takes a hundred kilobytes, to be cleared, copied and added up again. There is one for every name in every
/// phase of a run, and most of them see few requests, so the first few latencies are only listed: all of a run that is
/// one of many. Every answer is the one that the histogram would give.
#[derive(Clone, Debug)]
pub struct Latency(Recorded);

#[derive(Clone, Debug)]
enum Recorded {
    /// Microseconds, in the order in which they came; at most [`FEW`].
    Few(Vec<u64>),
    Many(Box<Histogram<u64>>),
}

/// How many latencies are listed one by one.
const FEW: usize = 4_096;
const SIGNIFICANT_DIGITS: u8 = 3;
const NANOS_PER_MICRO: u64 = 1_000;

/// Nothing is recorded in it: it knows which values count as the same.
static SCALE: LazyLock<Histogram<u64>> = LazyLock::new(empty);

impl Default for Latency {
    fn default() -> Self {
        Self(Recorded::Few(Vec::new()))
    }
}

impl Latency {
    /// Records one latency, rounded to the nearest microsecond.
    pub fn record(&mut self, latency: Span) {
        self.record_micros((latency.as_nanos() + NANOS_PER_MICRO / 2) / NANOS_PER_MICRO);
    }

    fn record_micros(&mut self, micros: u64) {
        match &mut self.0 {
            Recorded::Few(listed) if listed.len() < FEW => listed.push(micros),
            Recorded::Few(listed) => {
                let mut many = histogram_of(listed);
                put(&mut many, micros);
                self.0 = Recorded::Many(Box::new(many));
            }
            Recorded::Many(histogram) => put(histogram, micros),
        }
    }

    /// Adds what another one recorded.
    pub fn absorb(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (_, Recorded::Few(theirs)) => theirs.iter().for_each(|micros| self.record_micros(*micros)),
            (Recorded::Few(mine), Recorded::Many(theirs)) => {
                let mut sum = theirs.clone();
                mine.iter().for_each(|micros| put(&mut sum, *micros));
                self.0 = Recorded::Many(sum);
            }
            (Recorded::Many(mine), Recorded::Many(theirs)) => {
                // Two resizing histograms of equal precision always add up.
                mine.add(&**theirs).expect("histograms of equal precision");
            }
        }
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        match &self.0 {
            Recorded::Few(listed) => listed.len() as u64,
            Recorded::Many(histogram) => histogram.len(),
        }
    }

    /// The latency that the given share (0 to 1) of all recorded ones does not exceed; `None` when there are none.
    pub fn quantile(&self, share: f64) -> Option<Span> {
        let micros = match &self.0 {
            Recorded::Few(listed) if listed.is_empty() => return None,
            Recorded::Few(listed) => {
                let reached = (share.min(1.0) * listed.len() as f64).ceil() as usize;
                let mut listed = listed.clone();
                let (_, micros, _) = listed.select_nth_unstable(reached.max(1) - 1);
                let alike = if share == 0.0 { Histogram::lowest_equivalent } else { Histogram::highest_equivalent };
                alike(&SCALE, *micros)
            }
            Recorded::Many(histogram) => histogram.value_at_quantile(share).min(histogram.max()),
        };
        Some(Span::from_nanos(micros.saturating_mul(NANOS_PER_MICRO)))
    }

    /// How many were at most so many seconds, to three digits.
    pub fn within(&self, seconds: f64) -> u64 {
        const MICROS_PER_SECOND: f64 = 1e6;
        // `as` saturates.
        let most = (seconds * MICROS_PER_SECOND + 0.5) as u64;
        match &self.0 {
            Recorded::Few(listed) => {
                let most = SCALE.highest_equivalent(most);
                listed.iter().filter(|micros| **micros <= most).count() as u64
            }
            Recorded::Many(histogram) => histogram.count_between(0, most.min(histogram.max())),
        }
    }

    /// The mean in seconds, to three digits; zero when there are none.
    pub fn mean_seconds(&self) -> f64 {
        const SECONDS_PER_MICRO: f64 = 1e-6;
        let middle = |micros: u64| u128::from(SCALE.median_equivalent(micros));
        let sum: u128 = match &self.0 {
            Recorded::Few(listed) => listed.iter().map(|micros| middle(*micros)).sum(),
            Recorded::Many(histogram) => (histogram.iter_recorded())
                .map(|step| middle(step.value_iterated_to()) * u128::from(step.count_at_value()))
                .sum(),
        };
        sum as f64 / self.count().max(1) as f64 * SECONDS_PER_MICRO
    }

    /// The longest one, to three digits; `None` when there are none.
    pub fn max(&self) -> Option<Span> {
        self.quantile(1.0)
    }

    /// The histogram as bytes, in HdrHistogram's own format (V2); none when nothing was recorded.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut write = |histogram: &Histogram<u64>| {
            V2Serializer::new().serialize(histogram, &mut bytes).expect("a vector takes every byte");
        };
        match &self.0 {
            Recorded::Few(listed) if listed.is_empty() => {}
            Recorded::Few(listed) => write(&histogram_of(listed)),
            Recorded::Many(histogram) => write(histogram),
        }
        bytes
    }

    /// What [`Latency::to_bytes`] wrote; `None` when the bytes are something else.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let mut recorded: Histogram<u64> = Deserializer::new().deserialize(&mut bytes).ok()?;
        recorded.auto(true);
        Some(Self(Recorded::Many(Box::new(recorded))))
    }
}

fn empty() -> Histogram<u64> {
    Histogram::new(SIGNIFICANT_DIGITS).expect("three digits are a precision that exists")
}

fn histogram_of(listed: &[u64]) -> Histogram<u64> {
    let mut histogram = empty();
    listed.iter().for_each(|micros| put(&mut histogram, *micros));
    histogram
}

fn put(histogram: &mut Histogram<u64>, micros: u64) {
    histogram.record(micros).expect("a resizing histogram takes every value");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_few_latencies_give_the_answers_of_their_histogram(
            listed in proptest::collection::vec(prop_oneof![0..5_000_u64, 0..100_000_000_u64, Just(u64::MAX / 2_000)], 1..60),
            more in proptest::collection::vec(0..100_000_000_u64, FEW - 30..FEW + 30),
            share in prop_oneof![Just(0.0), Just(0.5), Just(0.99), Just(1.0), 0.0..1.0],
            seconds in prop_oneof![0.0..0.006, 0.0..120.0],
        ) {
            let few = Latency(Recorded::Few(listed.clone()));
            let many = Latency(Recorded::Many(Box::new(histogram_of(&listed))));
            prop_assert_eq!(few.quantile(share), many.quantile(share));
            prop_assert_eq!(few.within(seconds), many.within(seconds));
            prop_assert_eq!((few.count(), few.max()), (many.count(), many.max()));
            prop_assert_eq!(few.mean_seconds(), many.mean_seconds());
            prop_assert_eq!(few.to_bytes(), many.to_bytes());
            // However they are added up.
            let mut longer = Latency::default();
            more.iter().for_each(|micros| longer.record_micros(*micros));
            let all = Latency(Recorded::Many(Box::new(histogram_of(&[listed, more].concat()))));
            for (one, other) in [(&few, &longer), (&longer, &few), (&many, &longer), (&longer, &many)] {
                let mut sum = one.clone();
                sum.absorb(other);
                prop_assert_eq!((sum.count(), sum.max()), (all.count(), all.max()));
                prop_assert_eq!((sum.quantile(share), sum.within(seconds)), (all.quantile(share), all.within(seconds)));
            }
        }
    }

    #[test]
    fn quantiles_are_of_what_was_recorded() {
        let mut latency = Latency::default();
        assert_eq!(latency.quantile(0.5), None);
        for millis in 1..=100 {
            latency.record(Span::from_millis(millis));
        }
        assert_eq!(latency.count(), 100);
        assert_eq!([0.0, 0.0499, 0.05, 5.0].map(|seconds| latency.within(seconds)), [0, 49, 50, 100]);
        let p50 = latency.quantile(0.5).unwrap().as_secs_f64();
        assert!((p50 - 0.050).abs() < 0.000_1, "{p50}");
        assert!(latency.max().unwrap() <= Span::from_nanos(100_100_000));
        assert!((latency.mean_seconds() - 0.0505).abs() < 0.000_1 && Latency::default().mean_seconds() == 0.0);
    }

    #[test]
    fn merged_latencies_count_together() {
        let (mut a, mut b) = (Latency::default(), Latency::default());
        a.record(Span::from_millis(1));
        b.record(Span::from_secs(7200));
        a.absorb(&b);
        assert_eq!(a.count(), 2);
        assert!(a.max().unwrap() >= Span::from_secs(7190));
    }

    #[test]
    fn latencies_come_back_from_bytes_and_still_grow() {
        let mut latency = Latency::default();
        assert_eq!(Latency::from_bytes(&latency.to_bytes()).unwrap().count(), 0);
        for millis in 1..=100 {
            latency.record(Span::from_millis(millis));
        }
        let mut back = Latency::from_bytes(&latency.to_bytes()).unwrap();
        assert_eq!(back.quantile(0.5), latency.quantile(0.5));
        back.record(Span::from_secs(7200));
        assert!(back.max().unwrap() >= Span::from_secs(7190));
        assert!(Latency::from_bytes(b"something else").is_none());
    }
}
