//! Latencies as an HdrHistogram interval log (V2, compressed), one interval per second.

use std::io;
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, IntervalLogWriterError};
use routedrill_sim::metrics::SecondSink;
use router_core::Span;

use crate::folder::{Folder, OutFile, WriteError};

/// The file `latency.hlog`, written while the run goes on, and the quantiles of each second for the timeline.
///
/// Values are microseconds, from when a request was due to its answer; only answered requests count.
pub struct LatencyLog {
    file: OutFile,
    serializer: V2DeflateSerializer,
    histogram: Histogram<u64>,
    seconds: Vec<SecondQuantiles>,
    error: Option<io::Error>,
}

/// Exact quantiles of the latencies of one second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SecondQuantiles {
    /// Which second.
    pub second: u64,
    /// Half took at most this long.
    pub p50: Span,
    /// 99 % took at most this long.
    pub p99: Span,
    /// All took at most this long.
    pub max: Span,
}

impl LatencyLog {
    /// Begins the file. `start_unix_nanos` is the Unix time at which the simulated run starts.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn begin(folder: &Folder, start_unix_nanos: u64) -> Result<Self, WriteError> {
        /// Exact to three digits, as all latencies here.
        const DIGITS: u8 = 3;
        let mut file = folder.file("latency.hlog")?;
        let start = SystemTime::UNIX_EPOCH + Duration::from_nanos(start_unix_nanos);
        let mut serializer = V2DeflateSerializer::new();
        let begun = IntervalLogWriterBuilder::new()
            .add_comment("[Histogram log format version 1.3]")
            .add_comment("latencies of answered requests in microseconds, by the second in which the answer came")
            .with_start_time(start)
            .with_base_time(start)
            .begin_log_with(&mut file, &mut serializer)
            .map(|_| ());
        let histogram = Histogram::new(DIGITS).expect("three digits are a precision that exists");
        Ok(Self { file, serializer, histogram, seconds: Vec::new(), error: begun.err() })
    }

    /// Completes the file; returns the quantiles of each second that had answers.
    ///
    /// # Errors
    /// When something could not be written, then or earlier.
    pub fn finish(self) -> Result<Vec<SecondQuantiles>, WriteError> {
        if let Some(error) = self.error {
            return Err(self.file.error(error));
        }
        self.file.finish()?;
        Ok(self.seconds)
    }

    fn write(&mut self, second: u64) -> io::Result<()> {
        // A builder without comments writes no header: the log goes on.
        let mut log = IntervalLogWriterBuilder::new().begin_log_with(&mut self.file, &mut self.serializer)?;
        let written = log.write_histogram(&self.histogram, Duration::from_secs(second), Duration::from_secs(1), None);
        written.map_err(|error| match error {
            IntervalLogWriterError::IoError(error) => error,
            IntervalLogWriterError::SerializeError(error) => io::Error::other(error.to_string()),
        })
    }
}

impl SecondSink for LatencyLog {
    fn second(&mut self, second: u64, latencies: &[Span]) {
        if self.error.is_some() || latencies.is_empty() {
            return;
        }
        self.histogram.clear();
        for latency in latencies {
            let micros = (latency.as_nanos() + 500) / 1_000;
            self.histogram.record(micros).expect("a resizing histogram takes every value");
        }
        self.seconds.push(SecondQuantiles {
            second,
            p50: quantile(latencies, 0.5),
            p99: quantile(latencies, 0.99),
            max: quantile(latencies, 1.0),
        });
        if let Err(error) = self.write(second) {
            self.error = Some(error);
        }
    }
}

/// The value that `share` of the values, which are in rising order and not none, do not exceed.
fn quantile(rising: &[Span], share: f64) -> Span {
    let rank = (share * rising.len() as f64).ceil() as usize;
    rising[rank.clamp(1, rising.len()) - 1]
}

impl std::fmt::Debug for LatencyLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LatencyLog").field("seconds", &self.seconds.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;

    #[test]
    fn the_log_reads_back_as_it_was_written() {
        let root = tempfile::tempdir().unwrap();
        let wanted = root.path().join("out");
        let folder = Folder::begin(&wanted).unwrap();
        let mut log = LatencyLog::begin(&folder, 1_700_000_000_000_000_000).unwrap();
        log.second(3, &[Span::from_millis(10), Span::from_millis(20), Span::from_millis(30)]);
        log.second(5, &[Span::from_secs(60)]);
        let seconds = log.finish().unwrap();
        folder.publish().unwrap();
        assert_eq!(seconds.iter().map(|second| second.second).collect::<Vec<_>>(), [3, 5]);
        assert_eq!(seconds[0].p50, Span::from_millis(20));

        let bytes = std::fs::read(wanted.join("latency.hlog")).unwrap();
        let mut starts = Vec::new();
        for entry in IntervalLogIterator::new(&bytes) {
            if let LogEntry::Interval(interval) = entry.unwrap() {
                let packed = base64(interval.encoded_histogram());
                let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut packed.as_slice()).unwrap();
                starts.push((interval.start_timestamp().as_secs(), histogram.len(), histogram.max()));
            }
        }
        assert_eq!(starts.len(), 2);
        assert_eq!((starts[0].0, starts[0].1), (3, 3));
        assert!((starts[1].2 as f64 / 60e6 - 1.0).abs() < 0.001);
    }

    fn base64(text: &str) -> Vec<u8> {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
        for letter in text.bytes().filter(|&letter| letter != b'=') {
            let value = ALPHABET.iter().position(|&known| known == letter).unwrap();
            bits = bits << 6 | value as u32;
            held += 6;
            if held >= 8 {
                held -= 8;
                bytes.push((bits >> held) as u8);
            }
        }
        bytes
    }
}
