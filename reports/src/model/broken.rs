//! What broke in a run, as a thing that can be looked for in another run.

use routedrill_sim::metrics::{LossEnd, Metrics, NextHop};

use super::run::RunReport;
use crate::words;

/// A law or a promise that broke, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The name of the law, or the key of the promise: `retry-wait`, `latency.p99`.
    pub key: String,
    /// It is a law of the router, and no promise of the scenario.
    pub is_law: bool,
    /// What broke, in one sentence without a full stop.
    pub what: String,
    /// What was seen instead.
    pub seen: String,
    /// In which way most requests were lost, where the promise is about lost ones: another way is another story.
    loss: Option<String>,
}

impl Broken {
    /// Everything that broke in a run, laws first. A situation that was never seen is nothing that broke.
    pub fn of(report: &RunReport, metrics: &Metrics) -> Vec<Self> {
        let laws = report.broken_laws.iter().map(|law| Self {
            key: law.law.to_owned(),
            is_law: true,
            what: format!("law {}: {}", law.law, law.says),
            seen: law.what.clone(),
            loss: None,
        });
        let promises = report.expectations.iter().filter(|promise| !promise.held && promise.key != "must_see");
        let promises = promises.filter(|promise| !promise.not_judged).map(|promise| Self {
            key: promise.key.clone(),
            is_law: false,
            what: promise.promise.clone(),
            seen: promise.seen.clone(),
            loss: (promise.key == "availability").then(|| most_lost(metrics)).flatten(),
        });
        laws.chain(promises).collect()
    }

    /// Whether the other is the same thing, broken in the same way.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.is_law, &self.key, &self.loss) == (other.is_law, &other.key, &other.loss)
    }
}

/// The way in which most requests were lost, without the names in it: those change when a scenario shrinks.
fn most_lost(metrics: &Metrics) -> Option<String> {
    let most = metrics.losses().iter().max_by_key(|record| (record.count, std::cmp::Reverse(record.due)))?;
    let end = match most.loss.end {
        LossEnd::Error { class, status } => format!("{status} {}", class.name()),
        LossEnd::Deadline(_) => "deadline".to_owned(),
        LossEnd::Open(_) => "open".to_owned(),
    };
    let next = match most.loss.next {
        NextHop::NotReached => "not reached".to_owned(),
        NextHop::None(because) => words::no_fallback(because).to_owned(),
        NextHop::Failed { called, .. } => format!("failed, called: {called}"),
    };
    Some(format!("{end}; {}; {next}", most.loss.gave_up.map_or("", words::gave_up)))
}
