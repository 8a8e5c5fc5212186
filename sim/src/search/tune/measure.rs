//! What is measured of runs, what is to be small, and what must hold.

use crate::metrics::{AskedCounts, Latency, Metrics, Phase};
use crate::problem::{Problem, Problems};
use crate::scenario::Scenario;
use crate::search::slo::{Sli, Slo, cost, nobody_asks_for};
use crate::search::times::Times;

/// What is measured, and of whose requests.
#[derive(Clone, PartialEq, Debug)]
pub struct Indicator {
    /// The name that they are for; `None`: all requests.
    pub of: Option<String>,
    /// What is measured.
    pub measure: Measure,
}

/// A number about runs. All of them are better when they are smaller.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Measure {
    /// Requests without an answer, as a share of all, from 0 to 1.
    Lost,
    /// Seconds to an answer at a quantile of all requests. A lost one counts as the length of the longest run.
    Latency(f64),
    /// The mean of the same times.
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
    pub indicator: Indicator,
    /// What it may be at most.
    pub limit: f64,
    /// As it was written.
    pub text: String,
}

/// What one run, or several together, came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Of all requests.
    pub all: Counts,
    /// By name that some indicator is about, in their order.
    pub named: Vec<Counts>,
    /// Which of the scenario's first 64 faults struck some call, one bit each.
    pub struck: u64,
}

/// What became of some requests.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// How many.
    pub requests: u64,
    /// Those without an answer.
    pub lost: u64,
    /// Upstream attempts.
    pub attempts: u64,
    /// Dollars: of all requests for the tokens of every answer that an upstream gave, of those for a name for the answers
    /// that they got.
    pub cost: f64,
    /// Latencies of answered requests.
    pub latency: Latency,
}

impl Indicator {
    /// Reads `lost`, `p99` or `gpt-4:p99`, as one of `names` is asked for.
    ///
    /// # Errors
    /// What is wrong with it, as a problem of `--minimise`.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, Problem> {
        // A model name may hold colons itself; what is measured never does.
        let (of, word) = text.rsplit_once(':').map_or((None, text), |(of, word)| (Some(of.trim()), word));
        let wrong = |message| Problem::of_file(&format!("--minimise {text}"), message, "write `--minimise lost,p99`");
        let measure = Measure::parse(word).map_err(wrong)?;
        match of {
            Some(name) if !names.contains(&name) => Err(nobody_asks_for(&format!("--minimise {text}"), name, names)),
            of => Ok(Self { of: of.map(str::to_owned), measure }),
        }
    }

    /// As it is read: `p99`, `gpt-4:p99`.
    pub fn word(&self) -> String {
        let word = self.measure.word();
        self.of.as_ref().map_or(word.clone(), |of| format!("{of}:{word}"))
    }

    /// What it is of some runs that lasted so many seconds each; `names` are those that the runs were counted by.
    pub fn of(&self, outcome: &Outcome, names: &[String], length: f64) -> f64 {
        let named = self.of.as_ref().and_then(|of| names.iter().position(|name| name == of));
        let counts = match (&self.of, named) {
            (None, _) => Some(&outcome.all),
            (Some(_), named) => named.and_then(|index| outcome.named.get(index)),
        };
        counts.map_or(0.0, |counts| self.measure.of(counts, length))
    }
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

    /// What it is of some requests in runs that lasted so many seconds each. Of no requests everything is zero.
    pub fn of(self, counts: &Counts, length: f64) -> f64 {
        let each = |sum: f64| sum / counts.requests as f64;
        let times = Times { answered: &counts.latency, lost: counts.lost, run: length };
        match self {
            _ if counts.requests == 0 => 0.0,
            Self::Lost => each(counts.lost as f64),
            Self::Latency(share) => times.quantile(share),
            Self::Mean => each(times.sum()),
            Self::Cost => each(counts.cost * 1000.0),
            Self::Amplification => each(counts.attempts as f64),
        }
    }
}

impl Constraint {
    /// The promises of an objective, such as `availability>=99.9%,gpt-4:p99<=8s`, where `names` are asked for.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn all(slo: &str, names: &[&str]) -> Result<Vec<Self>, Problems> {
        let promises = Slo::parse(slo)?.promises_about(names)?;
        let constraint = |promise: crate::search::slo::Promise| {
            let text = promise.to_string();
            let (measure, limit) = match promise.sli {
                Sli::Availability => (Measure::Lost, 1.0 - promise.bound),
                Sli::Latency(share) => (Measure::Latency(share), promise.bound),
                Sli::Mean => (Measure::Mean, promise.bound),
                Sli::Attempts => (Measure::Amplification, promise.bound),
                Sli::Cost => (Measure::Cost, promise.bound * 1000.0),
            };
            Self { indicator: Indicator { of: promise.of.map(|(_, name)| name), measure }, limit, text }
        };
        Ok(promises.into_iter().map(constraint).collect())
    }
}

impl Outcome {
    /// Of one finished run, counted by `names`, too.
    pub fn of(scenario: &Scenario, metrics: &Metrics, names: &[String]) -> Self {
        let all = metrics.over(&Phase::ALL);
        let prices: Vec<(f64, f64)> = scenario.upstreams.iter().map(|upstream| upstream.price).collect();
        let tokens = metrics.deployments().iter().zip(&prices);
        let bits = metrics.fault_strikes().iter().take(64).enumerate();
        let asked = &metrics.shape().asked;
        let named = names.iter().map(|name| {
            let index = asked.iter().position(|known| scenario.plan.name(*known) == name.as_str());
            index.map_or_else(Counts::default, |index| {
                let counts = metrics.asked_over(index, &Phase::ALL);
                Counts { cost: cost(&counts, &prices), ..Counts::of(counts) }
            })
        });
        Self {
            named: named.collect(),
            struck: bits.fold(0, |mask, (bit, &strikes)| mask | u64::from(strikes > 0) << bit),
            all: Counts {
                attempts: metrics.attempts(),
                cost: tokens.map(|(counts, price)| counts.tokens.cost(*price)).sum(),
                ..Counts::of(all)
            },
        }
    }

    /// Adds another one, counted by the same names.
    pub fn absorb(&mut self, other: &Self) {
        self.all.absorb(&other.all);
        self.named.resize_with(other.named.len().max(self.named.len()), Counts::default);
        self.named.iter_mut().zip(&other.named).for_each(|(mine, theirs)| mine.absorb(theirs));
        self.struck |= other.struck;
    }

    /// As bytes, for a store.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.struck.to_le_bytes().to_vec();
        for counts in std::iter::once(&self.all).chain(&self.named) {
            let latency = counts.latency.to_bytes();
            let numbers = [counts.requests, counts.lost, counts.attempts, counts.cost.to_bits(), latency.len() as u64];
            bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            bytes.extend(latency);
        }
        bytes
    }

    /// What [`Outcome::to_bytes`] wrote.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let struck = number(&mut bytes)?;
        let all = Counts::from_bytes(&mut bytes)?;
        let mut named = Vec::new();
        while !bytes.is_empty() {
            named.push(Counts::from_bytes(&mut bytes)?);
        }
        Some(Self { all, named, struck })
    }
}

impl Counts {
    fn of(asked: AskedCounts) -> Self {
        let (requests, lost) = (asked.ends.total(), asked.ends.lost());
        Self { requests, lost, attempts: asked.attempts, cost: 0.0, latency: asked.latency }
    }

    fn absorb(&mut self, other: &Self) {
        self.requests += other.requests;
        self.lost += other.lost;
        self.attempts += other.attempts;
        self.cost += other.cost;
        self.latency.absorb(&other.latency);
    }

    fn from_bytes(bytes: &mut &[u8]) -> Option<Self> {
        let (requests, lost, attempts) = (number(bytes)?, number(bytes)?, number(bytes)?);
        let (cost, length) = (f64::from_bits(number(bytes)?), number(bytes)?);
        let (latency, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
        *bytes = rest;
        Some(Self { requests, lost, attempts, cost, latency: Latency::from_bytes(latency)? })
    }
}

/// Takes a number off the front.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
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
        let names = ["gpt-4", "claude"];
        let all = |text: &str| Constraint::all(text, &names);
        let limits = all("availability>=99.9%, gpt-4:p99<=8s,each:attempts <= 1.5").unwrap();
        let of: Vec<(String, f64)> = limits.iter().map(|one| (one.indicator.word(), one.limit)).collect();
        assert!((of[0].1 - 0.001).abs() < 1e-12 && of[0].0 == "lost");
        let rest = [("gpt-4:p99", 8.0), ("gpt-4:amplification", 1.5), ("claude:amplification", 1.5)];
        assert_eq!(of[1..], rest.map(|(word, limit)| (word.to_owned(), limit)));
        assert_eq!(limits[3].text, "claude:attempts<=1.5");
        assert!(["p99>=8s", "p99<=NaN", "p99", "gpt-5:p99<=8s", ""].into_iter().all(|bad| all(bad).is_err()));
    }

    #[test]
    fn what_is_minimised_may_be_of_the_requests_for_a_name() {
        let names = ["gpt-4", "a:b"];
        let said = |text| Indicator::parse(text, &names).map(|one| one.word()).map_err(|problem| problem.message);
        assert_eq!((said("p99"), said("a:b:lost")), (Ok("p99".to_owned()), Ok("a:b:lost".to_owned())));
        assert_eq!(said("gpt-5:lost"), Err("nobody asks for `gpt-5`".to_owned()));
        assert!(said("gpt-4:speed").unwrap_err().contains("`speed` is none of"));
    }

    #[test]
    fn outcomes_come_back_from_bytes() {
        let mut all = Counts { requests: 10, lost: 2, attempts: 13, cost: 0.25, ..Counts::default() };
        all.latency.record(router_core::Span::from_millis(70));
        let named = vec![all.clone(), Counts::default(), Counts { requests: 4, lost: 1, ..all.clone() }];
        let outcome = Outcome { all, named, struck: 5 };
        let back = Outcome::from_bytes(&outcome.to_bytes()).unwrap();
        let told = |one: &Outcome| {
            let counts = std::iter::once(&one.all).chain(&one.named);
            let each = counts.map(|of| (of.requests, of.lost, of.attempts, of.cost.to_bits(), of.latency.max()));
            (one.struck, each.collect::<Vec<_>>())
        };
        assert_eq!(told(&outcome), told(&back));
        assert!(Outcome::from_bytes(b"short").is_none());
        let names: Vec<String> = ["x", "y", "z"].map(str::to_owned).to_vec();
        let of = |text| Indicator::parse(text, &["x", "y", "z"]).unwrap().of(&back, &names, 1.0);
        assert_eq!((of("lost"), of("amplification"), of("z:lost"), of("y:p99")), (0.2, 1.3, 0.25, 0.0));
    }
}
