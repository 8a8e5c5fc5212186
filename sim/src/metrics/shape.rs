//! What the counters of a run are sized by, and which stretches of its time are told apart.

use router_core::{DeploymentId, NameId, Span, Time};

use crate::scenario::Scenario;

/// The dimensions of a run's counters.
#[derive(Clone, PartialEq, Debug)]
pub struct Shape {
    /// How many deployments there are.
    pub deployments: usize,
    /// The names that clients ask for, each once, in the order of the scenario's traffic.
    pub asked: Vec<NameId>,
    /// How many faults the scenario has.
    pub faults: usize,
    /// The stretches of time with at least one fault on, in order, apart from each other.
    pub outages: Vec<(Time, Time)>,
    /// By deployment: whether some fault concerns it.
    pub struck: Vec<bool>,
    /// When requests stop arriving.
    pub arrivals_end: Time,
    /// When the run ends.
    pub end: Time,
}

/// A stretch of a run. A request belongs to the phase in which it was due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// Before the first fault.
    Before,
    /// While a fault is on.
    During,
    /// No fault is on, but one was.
    After,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Before, Self::During, Self::After];
}

impl Shape {
    /// The shape of a scenario's runs.
    pub fn of(scenario: &Scenario) -> Self {
        let end = Time::ZERO + scenario.duration + scenario.drain;
        let mut asked: Vec<NameId> = Vec::new();
        for traffic in &scenario.traffic {
            if !asked.contains(&traffic.model) {
                asked.push(traffic.model);
            }
        }
        let deployments = scenario.upstreams.len();
        let mut struck = vec![false; deployments];
        for fault in &scenario.faults {
            for &DeploymentId(id) in &fault.on {
                if let Some(flag) = struck.get_mut(id as usize) {
                    *flag = true;
                }
            }
        }
        let windows = scenario.faults.iter().map(|fault| (fault.from, fault.until.unwrap_or(end))).collect();
        let arrivals_end = Time::ZERO + scenario.duration;
        Self { deployments, asked, faults: scenario.faults.len(), outages: joined(windows), struck, arrivals_end, end }
    }

    /// The same shape with its phases cut as if an outage lasted from `from` until `until`: for runs without faults
    /// that runs with faults are compared with.
    pub fn with_outage(mut self, from: Time, until: Time) -> Self {
        self.outages = vec![(from, until)];
        self
    }

    /// The phase of a moment.
    pub fn phase(&self, at: Time) -> Phase {
        match self.outages.iter().rev().find(|(from, _)| *from <= at) {
            None => Phase::Before,
            Some((_, until)) if at < *until => Phase::During,
            Some(_) => Phase::After,
        }
    }

    /// When the last fault ended, if all of them do before the run does.
    pub fn last_end(&self) -> Option<Time> {
        self.outages.last().map(|(_, until)| *until).filter(|until| *until < self.end)
    }

    /// How long faults are on.
    pub fn outage_length(&self) -> Span {
        self.outages.iter().fold(Span::ZERO, |sum, (from, until)| sum + until.since(*from))
    }
}

fn joined(mut windows: Vec<(Time, Time)>) -> Vec<(Time, Time)> {
    windows.sort();
    let mut joined: Vec<(Time, Time)> = Vec::new();
    for (from, until) in windows {
        match joined.last_mut() {
            Some((_, last)) if from <= *last => *last = (*last).max(until),
            _ => joined.push((from, until)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time::ZERO + Span::from_secs(secs)
    }

    #[test]
    fn overlapping_faults_are_one_outage() {
        assert_eq!(
            joined(vec![(at(30), at(40)), (at(5), at(10)), (at(8), at(20)), (at(20), at(25))]),
            [(at(5), at(25)), (at(30), at(40))]
        );
    }

    #[test]
    fn the_time_between_two_outages_comes_after_a_fault() {
        let shape = Shape {
            deployments: 0,
            asked: vec![],
            faults: 0,
            outages: vec![(at(5), at(10)), (at(20), at(30))],
            struck: vec![],
            arrivals_end: at(40),
            end: at(40),
        };
        let phases = [0, 5, 9, 10, 19, 20, 30].map(|secs| shape.phase(at(secs)));
        use Phase::{After, Before, During};
        assert_eq!(phases, [Before, During, During, After, After, During, After]);
        assert_eq!(shape.outage_length(), Span::from_secs(15));
        assert_eq!(shape.last_end(), Some(at(30)));
    }
}
