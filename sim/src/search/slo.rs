//! Service level objectives: what is promised about a share of requests, in one line of text.
//!
//! `availability>=99.9%,p99<=8s` is about all requests together, in the mix in which they come; `gpt-4:p99<=8s` about
//! those for one name; `each:availability>=99%` about those for every name by itself. A lost request is never answered in
//! time, and counts in a mean as one that took the whole run.

use router_core::{NameId, Plan, Span, Time};

use super::interval::{self, Interval};
use super::times::Times;
use crate::metrics::{AskedCounts, Metrics, Phase};
use crate::problem::{Problem, Problems, did_you_mean};
use crate::scenario::quantity::{Duration, Plain, Quantity, Seconds, Share, quantile_name};

/// Promises as written.
#[derive(Clone, PartialEq, Debug)]
pub struct Slo {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Debug)]
struct Part {
    of: Of,
    sli: Sli,
    bound: f64,
}

/// Whose requests a promise is about, as written.
#[derive(Clone, PartialEq, Debug)]
enum Of {
    All,
    Each,
    Name(String),
}

/// What is measured: a service level indicator.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Sli {
    /// Share of requests that were answered; at least.
    Availability,
    /// Time from when a request was due to its answer, at a quantile from 0 to 1; at most, in seconds.
    Latency(f64),
    /// The mean of the same times; at most, in seconds.
    Mean,
    /// Upstream attempts per request; at most.
    Attempts,
    /// Dollars per request; at most.
    Cost,
}

/// One promise about the requests of a scenario.
#[derive(Clone, PartialEq, Debug)]
pub struct Promise {
    /// Whose requests: an index into [`Shape::asked`](crate::metrics::Shape::asked) and the name; `None`: all of them.
    pub of: Option<(usize, String)>,
    /// What is measured.
    pub sli: Sli,
    /// The least availability (from 0 to 1), or the most seconds, attempts or dollars.
    pub bound: f64,
}

/// What one run says about a promise: the sum over the requests that count, and how many those are. For availability
/// and quantiles of latency, the requests that kept it.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Measured {
    /// Requests that kept the promise; or seconds; or attempts; or dollars.
    pub sum: f64,
    /// The requests that count.
    pub of: f64,
}

/// What is known about a promise after several runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// It is broken, with the confidence asked for.
    Broken,
    /// The runs do not tell.
    Open,
    /// It is kept, with the confidence asked for.
    Kept,
}

const EXAMPLES: &str = "promises are written `availability>=99.9%`, `p99<=8s`, `mean<=2s`, `attempts<=1.5` or `cost<=0.01`, \
                        with commas between them, each about all requests or behind `NAME:` or `each:`";

impl Slo {
    /// Reads the text of an objective.
    ///
    /// # Errors
    /// Everything that is wrong with it, as problems of `--slo`.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let mut parts: Vec<Part> = Vec::new();
        for written in text.split(',') {
            match part(written.trim()) {
                Ok(part) if parts.iter().any(|known| known.of == part.of && known.sli == part.sli) => {
                    let message = format!("`{}` is promised twice", written.trim());
                    problems.push(Problem::of_file("--slo", message, "leave one of them out"));
                }
                Ok(part) => parts.push(part),
                Err((message, remedy)) => problems.push(Problem::of_file("--slo", message, remedy)),
            }
        }
        problems.or(Self { parts })
    }

    /// The promises about the requests of a scenario, for the names in `asked`, in order.
    ///
    /// # Errors
    /// Names that nobody asks for.
    pub fn promises(&self, plan: &Plan, asked: &[NameId]) -> Result<Vec<Promise>, Problems> {
        self.promises_about(&asked.iter().map(|name| plan.name(*name)).collect::<Vec<_>>())
    }

    /// The promises about requests for some names, in order.
    ///
    /// # Errors
    /// Names that are not among them.
    pub fn promises_about(&self, names: &[&str]) -> Result<Vec<Promise>, Problems> {
        let mut problems = Problems::new();
        let mut promises = Vec::new();
        for Part { of, sli, bound } in &self.parts {
            let mut promise = |of| promises.push(Promise { of, sli: *sli, bound: *bound });
            match of {
                Of::All => promise(None),
                Of::Each => names.iter().enumerate().for_each(|(n, name)| promise(Some((n, (*name).to_owned())))),
                Of::Name(name) => match names.iter().position(|known| known == name) {
                    Some(index) => promise(Some((index, name.clone()))),
                    None => problems.push(nobody_asks_for("--slo", name, names)),
                },
            }
        }
        problems.or(promises)
    }
}

/// The complaint about a name in an option.
pub(super) fn nobody_asks_for(option: &str, name: &str, names: &[&str]) -> Problem {
    let remedy = did_you_mean(name, names.iter().copied())
        .map_or_else(|| format!("requests are for {}", names.join(", ")), |known| format!("did you mean `{known}`?"));
    Problem::of_file(option, format!("nobody asks for `{name}`"), remedy)
}

/// Reads one promise: `gpt-4:p99<=8s`.
fn part(text: &str) -> Result<Part, (String, String)> {
    let Some(at) = text.find(['<', '>', '=']) else {
        return Err((format!("`{text}` is not a promise"), EXAMPLES.to_owned()));
    };
    let (left, rest) = text.split_at(at);
    // A model name may hold colons itself; what is measured never does.
    let (of, sli) = match left.rsplit_once(':') {
        None => (Of::All, left.trim()),
        Some((name, sli)) if name.trim() == "each" => (Of::Each, sli.trim()),
        Some((name, sli)) => (Of::Name(name.trim().to_owned()), sli.trim()),
    };
    let Some(sli) = Sli::parse(sli) else {
        return Err((format!("`{sli}` is nothing that can be promised"), EXAMPLES.to_owned()));
    };
    let sign = sli.sign();
    let Some(value) = rest.strip_prefix(sign) else {
        return Err((format!("`{text}` has the wrong sign"), format!("`{}` is promised with `{sign}`", sli.name())));
    };
    let bound = sli.read(value.trim()).map_err(|(message, remedy)| (format!("`{text}`: {message}"), remedy))?;
    Ok(Part { of, sli, bound })
}

impl Sli {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "availability" => Some(Self::Availability),
            "mean" => Some(Self::Mean),
            "attempts" => Some(Self::Attempts),
            "cost" => Some(Self::Cost),
            // `p99.9`, as in scenario files.
            _ => text
                .strip_prefix('p')
                .and_then(|percent| Share::parse(&format!("{percent}%")).ok())
                .map(|Share(share)| share)
                .filter(|share| *share > 0.0 && *share < 1.0)
                .map(Self::Latency),
        }
    }

    /// Its name: `availability`, `p99`, `mean`, `attempts`, `cost`.
    pub fn name(self) -> String {
        match self {
            Self::Availability => "availability".to_owned(),
            Self::Latency(share) => quantile_name(share),
            Self::Mean => "mean".to_owned(),
            Self::Attempts => "attempts".to_owned(),
            Self::Cost => "cost".to_owned(),
        }
    }

    /// The sign between its name and its bound: `>=` or `<=`.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Availability => ">=",
            Self::Latency(_) | Self::Mean | Self::Attempts | Self::Cost => "<=",
        }
    }

    fn read(self, text: &str) -> Result<f64, (String, String)> {
        let bound = match self {
            Self::Availability => Share::parse(text).map(|Share(share)| share),
            Self::Latency(_) | Self::Mean => Seconds::parse(text).map(|Seconds(seconds)| seconds),
            Self::Attempts => Plain::parse(text).map(|Plain(number)| number),
            Self::Cost => Plain::parse(text.strip_prefix('$').unwrap_or(text)).map(|Plain(number)| number),
        }
        .map_err(|complaint| (complaint.message, complaint.help.unwrap_or_else(|| EXAMPLES.to_owned())))?;
        match self {
            Self::Availability if bound >= 1.0 => Err((
                "no number of runs can show that nothing is ever lost".to_owned(),
                "promise a little less, `availability>=99.99%`".to_owned(),
            )),
            Self::Availability | Self::Latency(_) | Self::Mean if bound <= 0.0 => {
                Err(("this promises nothing that can be judged".to_owned(), "write a bound above zero".to_owned()))
            }
            _ => Ok(bound),
        }
    }
}

impl Promise {
    /// What a run says about it. `prices` are dollars per prompt token and token of the answer, by deployment.
    pub fn measure(&self, metrics: &Metrics, prices: &[(f64, f64)]) -> Measured {
        let counts = match &self.of {
            None => metrics.over(&Phase::ALL),
            Some((index, _)) => metrics.asked_over(*index, &Phase::ALL),
        };
        let total = counts.ends.total() as f64;
        match self.sli {
            Sli::Availability => Measured { sum: counts.ends.answered as f64, of: total },
            Sli::Latency(_) => Measured { sum: counts.latency.within(self.bound) as f64, of: total },
            Sli::Mean => {
                let run = metrics.shape().end.since(Time::ZERO).as_secs_f64();
                let times = Times { answered: &counts.latency, lost: counts.ends.lost(), run };
                Measured { sum: times.sum(), of: total }
            }
            Sli::Attempts => Measured { sum: counts.attempts as f64, of: total },
            Sli::Cost => Measured { sum: cost(&counts, prices), of: total },
        }
    }

    /// What [`measure`](Self::measure) is compared with: a share of requests to keep it, or seconds, attempts, dollars.
    pub fn demanded(&self) -> f64 {
        match self.sli {
            Sli::Latency(share) => share,
            Sli::Availability | Sli::Mean | Sli::Attempts | Sli::Cost => self.bound,
        }
    }

    /// The indicator over several runs; `None` when no request counts, or too few runs say anything.
    pub fn interval(&self, runs: &[Measured], confidence: f64) -> Option<Interval> {
        let pairs: Vec<(f64, f64)> = runs.iter().map(|run| (run.sum, run.of)).collect();
        let over_runs = interval::ratio(&pairs, confidence);
        if matches!(self.sli, Sli::Mean | Sli::Attempts | Sli::Cost) {
            return over_runs;
        }
        // Runs that all went alike seem to have no noise at all. But n requests without a loss do not show that less than
        // one in n is lost, so no interval may be narrower than that of so many independent requests.
        let (good, of) = pairs.iter().fold((0.0, 0.0), |sum, run| (sum.0 + run.0, sum.1 + run.1));
        let over_requests = interval::proportion(good as u64, of as u64, confidence)?;
        let over_runs = over_runs.unwrap_or(over_requests);
        let both = over_requests.around(over_runs);
        Some(Interval { low: both.low.max(0.0), value: both.value, high: both.high.min(1.0) })
    }

    /// Whether an indicator's interval says that the promise is kept or broken.
    pub fn standing(&self, interval: Option<Interval>) -> Standing {
        let Some(Interval { low, high, .. }) = interval else { return Standing::Open };
        let demanded = self.demanded();
        let (kept, broken) = match self.sli {
            Sli::Availability | Sli::Latency(_) => (low >= demanded, high < demanded),
            Sli::Mean | Sli::Attempts | Sli::Cost => (high <= demanded, low > demanded),
        };
        match (kept, broken) {
            (true, _) => Standing::Kept,
            (_, true) => Standing::Broken,
            _ => Standing::Open,
        }
    }
}

impl std::fmt::Display for Promise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some((_, name)) = &self.of {
            write!(f, "{name}:")?;
        }
        write!(f, "{}{}", self.sli.name(), self.sli.sign())?;
        match self.sli {
            Sli::Availability => write!(f, "{}", Share(self.bound)),
            Sli::Latency(_) | Sli::Mean if self.bound < 1.0 => {
                write!(f, "{}", Duration(Span::from_secs_f64(self.bound)))
            }
            Sli::Latency(_) | Sli::Mean => write!(f, "{}", Seconds(self.bound)),
            Sli::Attempts => write!(f, "{}", self.bound),
            Sli::Cost => write!(f, "${}", self.bound),
        }
    }
}

/// What the answers to some requests cost, in dollars.
pub fn cost(counts: &AskedCounts, prices: &[(f64, f64)]) -> f64 {
    counts.answered_by.iter().zip(prices).map(|(answers, price)| answers.tokens.cost(*price)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        Slo::parse(text).unwrap_err().iter().map(|problem| problem.message.clone()).collect()
    }

    #[test]
    fn an_objective_reads_as_people_write_it() {
        let slo =
            Slo::parse("availability>=99.9%, gpt-4:p99.9<=8s, each:attempts<=1.5, a:b:cost<=$0.01, mean<=2s").unwrap();
        let parts: Vec<(Of, Sli, f64)> = slo.parts.into_iter().map(|part| (part.of, part.sli, part.bound)).collect();
        assert_eq!(
            parts,
            [
                (Of::All, Sli::Availability, 0.999),
                (Of::Name("gpt-4".to_owned()), Sli::Latency(0.999), 8.0),
                (Of::Each, Sli::Attempts, 1.5),
                (Of::Name("a:b".to_owned()), Sli::Cost, 0.01),
                (Of::All, Sli::Mean, 2.0),
            ]
        );
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let said = messages("availability<=99%,p99<=NaN,speed>=3,availability>=100%,,p99<=8s,p99<=9s");
        assert_eq!(said.len(), 6, "{said:#?}");
        assert!(said[0].contains("wrong sign"));
        assert!(said[1].contains("NaN"));
        assert!(said[2].contains("speed"));
        assert!(said[3].contains("no number of runs"));
        assert!(said[4].contains("not a promise"));
        assert!(said[5].contains("twice"));
        for nonsense in [
            "",
            "p99",
            "p99<=-1s",
            "p0<=1s",
            "availability>=0%",
            "p99<=inf",
            "cost<=NaN",
            "p99>=8s",
            "mean>=8s",
            "mean<=0s",
        ] {
            assert_eq!(messages(nonsense).len(), 1, "{nonsense}");
        }
    }

    #[test]
    fn few_requests_without_a_loss_show_nothing() {
        let promise = Promise { of: None, sli: Sli::Availability, bound: 0.999 };
        let of = |requests: f64| [Measured { sum: requests, of: requests }; 4];
        let standing = |requests| promise.standing(promise.interval(&of(requests), 0.99));
        assert_eq!(standing(100.0), Standing::Open);
        assert_eq!(standing(10_000.0), Standing::Kept);
        assert_eq!(promise.standing(promise.interval(&[], 0.99)), Standing::Open);
    }

    #[test]
    fn a_bound_from_above_is_broken_from_above() {
        let promise = Promise { of: None, sli: Sli::Attempts, bound: 1.5 };
        let standing = |attempts: f64| {
            let runs = [Measured { sum: attempts, of: 100.0 }, Measured { sum: attempts + 1.0, of: 100.0 }];
            promise.standing(promise.interval(&runs, 0.9))
        };
        assert_eq!(
            (standing(120.0), standing(150.0), standing(190.0)),
            (Standing::Kept, Standing::Open, Standing::Broken)
        );
    }
}
