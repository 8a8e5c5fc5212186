//! A look inside a router.

use crate::ids::{DeploymentId, NameId};
use crate::plan::Plan;
use crate::router::Router;
use crate::strategy::Called;
use crate::time::Time;

/// A router's state, read-only: for checkers and reports. No decision reads it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    router: &'a Router,
}

/// What a router has counted of a deployment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Successes in the window that the share of failures is taken of.
    pub successes: u64,
    /// Failures in such a window of their own.
    pub failures: u64,
    /// Requests this calendar minute, if something counts them.
    pub requests_this_minute: Option<u64>,
    /// Tokens this calendar minute, if something counts them.
    pub tokens_this_minute: Option<u64>,
}

impl<'a> View<'a> {
    pub(crate) fn new(router: &'a Router) -> Self {
        Self { router }
    }

    /// The plan.
    pub fn plan(self) -> &'a Plan {
        self.router.plan()
    }

    /// Until when a deployment rests, if it does at `now`.
    pub fn cooled_until(self, deployment: DeploymentId, now: Time) -> Option<Time> {
        self.router.cooldowns.cooled_until(self.plan(), deployment, now)
    }

    /// How many calls of a deployment are under way.
    pub fn in_flight(self, deployment: DeploymentId) -> u32 {
        self.router.in_flight[deployment.index()]
    }

    /// How many calls stand in line for a place at a deployment.
    pub fn in_line(self, deployment: DeploymentId) -> usize {
        self.router.parallel.in_flight(self.plan(), deployment).1
    }

    /// How many probes of a half-open deployment are under way.
    pub fn probes(self, deployment: DeploymentId) -> u32 {
        self.router.half_open.probes(self.plan(), deployment)
    }

    /// How many calls least-busy routing believes to be under way, which leaks: `None` under other strategies.
    pub fn believed_in_flight(self, group: NameId, deployment: DeploymentId, now: Time) -> Option<i64> {
        self.router.strategy.in_flight(self.plan(), Called { group, deployment }, now)
    }

    /// What is counted of a deployment.
    pub fn counts(self, deployment: DeploymentId, now: Time) -> Counts {
        let (successes, failures) = self.router.cooldowns.counts(self.plan(), deployment, now);
        let called = Called { group: self.plan().deployment(deployment).group, deployment };
        let (requests_this_minute, tokens_this_minute) = self.router.quota.used(self.plan(), called, now);
        Counts { successes, failures, requests_this_minute, tokens_this_minute }
    }

    /// How many requests are under way.
    pub fn requests_under_way(self) -> usize {
        self.router.requests.under_way()
    }
}
