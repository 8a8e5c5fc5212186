//! Latencies in an HdrHistogram.

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};
use router_core::Span;

/// Latencies in microseconds, exact to three significant digits. Empty until the first one is recorded.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    /// `None` while nothing was recorded: most pairs of phase and model name never see a request.
    recorded: Option<Box<Histogram<u64>>>,
}

const SIGNIFICANT_DIGITS: u8 = 3;
const NANOS_PER_MICRO: u64 = 1_000;

impl Latency {
    /// Records one latency, rounded to the nearest microsecond.
    pub fn record(&mut self, latency: Span) {
        let micros = (latency.as_nanos() + NANOS_PER_MICRO / 2) / NANOS_PER_MICRO;
        self.histogram().record(micros).expect("a resizing histogram takes every value");
    }

    /// Adds what another one recorded.
    pub fn absorb(&mut self, other: &Self) {
        if let Some(theirs) = &other.recorded {
            // Two resizing histograms of equal precision always add up.
            self.histogram().add(&**theirs).expect("histograms of equal precision");
        }
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.recorded.as_ref().map_or(0, |h| h.len())
    }

    /// The latency that the given share (0 to 1) of all recorded ones does not exceed; `None` when there are none.
    pub fn quantile(&self, share: f64) -> Option<Span> {
        let recorded = self.recorded.as_ref()?;
        let micros = recorded.value_at_quantile(share).min(recorded.max());
        Some(Span::from_nanos(micros.saturating_mul(NANOS_PER_MICRO)))
    }

    /// How many were at most so many seconds, to three digits.
    pub fn within(&self, seconds: f64) -> u64 {
        const MICROS_PER_SECOND: f64 = 1e6;
        // `as` saturates.
        let most = (seconds * MICROS_PER_SECOND + 0.5) as u64;
        self.recorded.as_ref().map_or(0, |h| h.count_between(0, most.min(h.max())))
    }

    /// The longest one, to three digits; `None` when there are none.
    pub fn max(&self) -> Option<Span> {
        self.quantile(1.0)
    }

    /// The histogram as bytes, in HdrHistogram's own format (V2); none when nothing was recorded.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(recorded) = &self.recorded {
            V2Serializer::new().serialize(recorded, &mut bytes).expect("a vector takes every byte");
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
        Some(Self { recorded: Some(Box::new(recorded)) })
    }

    fn histogram(&mut self) -> &mut Histogram<u64> {
        self.recorded.get_or_insert_with(|| {
            Box::new(Histogram::new(SIGNIFICANT_DIGITS).expect("three digits are a precision that exists"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
