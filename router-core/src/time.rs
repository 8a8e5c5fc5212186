//! Time as a number: whole nanoseconds since the run began, the same on every machine.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

/// A moment: nanoseconds since the run began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(u64);

/// A length of time in whole nanoseconds, never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span(u64);

const NANOS_PER_SECOND: f64 = 1e9;

impl Time {
    /// The moment at which a run begins.
    pub const ZERO: Self = Self(0);
    /// Later than anything a run can reach.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment `nanos` nanoseconds after the run began.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the run began.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the run began, for people and for arithmetic that LiteLLM does in floats.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// How long after `earlier` this moment is; zero when it is not after it.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than any run.
    pub const MAX: Self = Self(u64::MAX);

    /// A span of whole nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// A span of whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000_000)
    }

    /// The span nearest to `secs` seconds. Negative numbers and NaN give zero; what is too long saturates.
    pub fn from_secs_f64(secs: f64) -> Self {
        // `as` saturates and turns NaN into 0; adding 0.5 rounds to the nearest nanosecond.
        Self((secs * NANOS_PER_SECOND + 0.5) as u64)
    }

    /// Whole nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds as a float.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// Whether this is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add<Span> for Time {
    type Output = Self;
    /// Saturates at [`Time::MAX`].
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub for Time {
    type Output = Span;
    /// Zero when `earlier` is in fact later.
    fn sub(self, earlier: Self) -> Span {
        self.since(earlier)
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Time {
    /// Seconds with as many decimals as are not zero, at least three: `12.500s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_secs(f, self.0)
    }
}

impl fmt::Display for Span {
    /// Seconds with as many decimals as are not zero, at least three: `0.250s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_secs(f, self.0)
    }
}

fn write_secs(f: &mut fmt::Formatter<'_>, nanos: u64) -> fmt::Result {
    let (secs, mut fraction, mut digits) = (nanos / 1_000_000_000, nanos % 1_000_000_000, 9);
    while digits > 3 && fraction % 10 == 0 {
        fraction /= 10;
        digits -= 1;
    }
    write!(f, "{secs}.{fraction:0digits$}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_to_the_nearest_nanosecond() {
        assert_eq!(Span::from_secs_f64(0.29).as_nanos(), 290_000_000);
        assert_eq!(Span::from_secs_f64(-1.0), Span::ZERO);
        assert_eq!(Span::from_secs_f64(f64::NAN), Span::ZERO);
        assert_eq!(Span::from_secs_f64(f64::INFINITY), Span::MAX);
    }

    #[test]
    fn time_reads_as_seconds() {
        assert_eq!(Time::from_nanos(12_500_000_000).to_string(), "12.500s");
        assert_eq!(Span::from_nanos(1).to_string(), "0.000000001s");
    }
}
