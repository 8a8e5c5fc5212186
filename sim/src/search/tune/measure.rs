//! What is measured of runs, what is to be small, and what must hold.

use crate::metrics::{Latency, Metrics, Phase};
use crate::problem::{Problem, Problems};
use crate::scenario::Scenario;
use crate::search::slo::{Sli, Slo};

/// A number about runs. All of them are better when they are smaller.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Measure {
    /// Requests without an answer, as a share of all, from 0 to 1.
    Lost,
    /// Latency of answered requests at a quantile, in seconds. Where nothing was answered: the length of the run.
    Latency(f64),
    /// The mean latency of answered requests, in seconds. Where nothing was answered: the length of the run.
    Mean,
    /// Dollars for a thousand requests.
    Cost,
    /// Upstream attempts for each request.
    Amplification,
}

/// Something that must hold of a setting.
#[derive(Clone, PartialEq, Debug)]
pub struct Constraint {
    /// Of what.
    pub measure: Measure,
    /// What it may be at most.
    pub limit: f64,
    /// As it was written.
    pub text: String,
}

/// What one run, or several together, came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Requests.
    pub requests: u64,
    /// Those without an answer.
    pub lost: u64,
    /// Upstream attempts.
    pub attempts: u64,
    /// Dollars, for the tokens of every answer that an upstream gave.
    pub cost: f64,
    /// Which of the scenario's first 64 faults struck some call, one bit each.
    pub struck: u64,
    /// Latencies of answered requests.
    pub latency: Latency,
}

impl Measure {
    /// Reads a word: `lost`, `p99`, `cost`, `amplification`.
    ///
    /// # Errors
    /// It is none of these words.
    pub fn parse(word: &str) -> Result<Self, String> {
        match word.trim() {
            "lost" => Ok(Self::Lost),
            "mean" => Ok(Self::Mean),
            "cost" => Ok(Self::Cost),
            "amplification" => Ok(Self::Amplification),
            word => {
                let quantile = word.strip_prefix('p').and_then(|digits| digits.parse::<f64>().ok());
                match quantile {
                    Some(percent) if percent > 0.0 && percent < 100.0 => Ok(Self::Latency(percent / 100.0)),
                    _ => Err(format!("`{word}` is none of lost, p50, p99, mean, cost, amplification")),
                }
            }
        }
    }

    /// Its word.
    pub fn word(self) -> String {
        match self {
            Self::Lost => "lost".to_owned(),
            Self::Latency(share) => format!("p{}", (share * 1e6).round() / 1e4),
            Self::Mean => "mean".to_owned(),
            Self::Cost => "cost".to_owned(),
            Self::Amplification => "amplification".to_owned(),
        }
    }

    /// What it is of some runs that lasted so many seconds each.
    pub fn of(self, outcome: &Outcome, length: f64) -> f64 {
        let each = |sum: f64| if outcome.requests == 0 { 0.0 } else { sum / outcome.requests as f64 };
        match self {
            Self::Lost => each(outcome.lost as f64),
            Self::Latency(share) => outcome.latency.quantile(share).map_or(length, router_core::Span::as_secs_f64),
            Self::Mean if outcome.latency.count() == 0 => length,
            Self::Mean => outcome.latency.mean_seconds(),
            Self::Cost => each(outcome.cost * 1000.0),
            Self::Amplification => each(outcome.attempts as f64),
        }
    }
}

impl Constraint {
    /// The promises of an objective, such as `availability>=99.9%,p99<=8s`, which must be about all requests together.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn all(slo: &str) -> Result<Vec<Self>, Problems> {
        Slo::parse(slo)?;
        let mut problems = Problems::new();
        let mut all = Vec::new();
        for text in slo.split(',').map(str::trim) {
            for (of_all, sli, bound) in Slo::parse(text)?.bounds() {
                if !of_all {
                    let message = format!("`{text}` is about the requests for some names");
                    problems.push(Problem::of_file(
                        "--slo",
                        message,
                        "tune knows promises about all requests together",
                    ));
                }
                let (measure, limit) = match sli {
                    Sli::Availability => (Measure::Lost, 1.0 - bound),
                    Sli::Latency(share) => (Measure::Latency(share), bound),
                    Sli::Mean => (Measure::Mean, bound),
                    Sli::Attempts => (Measure::Amplification, bound),
                    Sli::Cost => (Measure::Cost, bound * 1000.0),
                };
                all.push(Self { measure, limit, text: text.to_owned() });
            }
        }
        problems.or(all)
    }
}

impl Outcome {
    /// Of one finished run.
    pub fn of(scenario: &Scenario, metrics: &Metrics) -> Self {
        let all = metrics.over(&Phase::ALL);
        let deployments = metrics.deployments().iter().zip(&scenario.upstreams);
        let bits = metrics.fault_strikes().iter().take(64).enumerate();
        Self {
            requests: all.ends.total(),
            lost: all.ends.lost(),
            attempts: metrics.attempts(),
            cost: deployments.map(|(counts, upstream)| counts.tokens.cost(upstream.price)).sum(),
            struck: bits.fold(0, |mask, (bit, &strikes)| mask | u64::from(strikes > 0) << bit),
            latency: all.latency,
        }
    }

    /// Adds another one.
    pub fn absorb(&mut self, other: &Self) {
        self.requests += other.requests;
        self.lost += other.lost;
        self.attempts += other.attempts;
        self.cost += other.cost;
        self.struck |= other.struck;
        self.latency.absorb(&other.latency);
    }

    /// As bytes, for a store.
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = [self.requests, self.lost, self.attempts, self.cost.to_bits(), self.struck];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        bytes.extend(self.latency.to_bytes());
        bytes
    }

    /// What [`Outcome::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, latency) = bytes.split_at_checked(40)?;
        let mut numbers = numbers.chunks_exact(8).filter_map(|chunk| Some(u64::from_le_bytes(chunk.try_into().ok()?)));
        let mut next = || numbers.next();
        let (requests, lost, attempts) = (next()?, next()?, next()?);
        let (cost, struck) = (f64::from_bits(next()?), next()?);
        Some(Self { requests, lost, attempts, cost, struck, latency: Latency::from_bytes(latency)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_written_back() {
        for word in ["lost", "p50", "p99", "p99.9", "mean", "cost", "amplification"] {
            assert_eq!(Measure::parse(word).unwrap().word(), word);
        }
        assert!(["p0", "p100", "pNaN", "latency", ""].into_iter().all(|word| Measure::parse(word).is_err()));
    }

    #[test]
    fn constraints_are_limits_from_above() {
        let all = Constraint::all("availability>=99.9%, p99<=8s,attempts <= 1.5").unwrap();
        assert!((all[0].limit - 0.001).abs() < 1e-12 && all[0].measure == Measure::Lost);
        assert_eq!((all[1].measure, all[1].limit), (Measure::Latency(0.99), 8.0));
        assert_eq!((all[2].limit, all[2].text.as_str()), (1.5, "attempts <= 1.5"));
        assert!(
            ["p99>=8s", "p99<=NaN", "p99", "each:p99<=8s", ""].into_iter().all(|bad| Constraint::all(bad).is_err())
        );
    }

    #[test]
    fn outcomes_come_back_from_bytes() {
        let mut outcome = Outcome { requests: 10, lost: 2, attempts: 13, cost: 0.25, struck: 5, ..Outcome::default() };
        outcome.latency.record(router_core::Span::from_millis(70));
        let back = Outcome::from_bytes(&outcome.to_bytes()).unwrap();
        let all = |one: &Outcome| (one.requests, one.lost, one.attempts, one.cost, one.struck, one.latency.max());
        assert_eq!(all(&outcome), all(&back));
        assert!(Outcome::from_bytes(b"short").is_none());
        assert_eq!(Measure::Lost.of(&back, 1.0), 0.2);
        assert_eq!(Measure::Amplification.of(&back, 1.0), 1.3);
    }
}
