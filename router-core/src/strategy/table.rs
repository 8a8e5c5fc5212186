//! A Python dict in LiteLLM's cache: per deployment one entry, in the order in which they came.

use crate::ids::DeploymentId;
use crate::time::{Span, Time};

/// Entries of the deployments of one group. Deployments with one id share an entry.
#[derive(Clone, Debug)]
pub(super) struct Table<T> {
    kept_until: Option<Time>,
    entries: Vec<(DeploymentId, T)>,
    /// Where a deployment's entry is, plus one.
    place: Vec<u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { kept_until: None, entries: Vec::new(), place: Vec::new() }
    }
}

impl<T> Table<T> {
    /// Forgets everything that is older than its time to live, and says whether the cache has something.
    pub(super) fn is_kept(&mut self, now: Time) -> bool {
        if self.kept_until.is_some_and(|kept_until| now <= kept_until) {
            return true;
        }
        self.clear();
        false
    }

    /// Writes the table to the cache. Its time to live is that of the first writing.
    pub(super) fn keep(&mut self, now: Time, ttl: Span) {
        if self.kept_until.is_none() {
            self.kept_until = Some(now + ttl);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.kept_until = None;
        self.entries.clear();
        self.place.fill(0);
    }

    /// The entry of a deployment, which it gets at the end if it has none.
    pub(super) fn entry(&mut self, twin: DeploymentId, new: impl FnOnce() -> T) -> &mut T {
        if self.place.len() <= twin.index() {
            self.place.resize(twin.index() + 1, 0);
        }
        let place = &mut self.place[twin.index()];
        if *place == 0 {
            self.entries.push((twin, new()));
            *place = self.entries.len() as u32;
        }
        &mut self.entries[*place as usize - 1].1
    }

    /// The entry of a deployment.
    pub(super) fn get(&self, twin: DeploymentId) -> Option<&T> {
        let place = self.place.get(twin.index()).copied().filter(|&place| place > 0)?;
        Some(&self.entries[place as usize - 1].1)
    }

    /// All entries, in order.
    pub(super) fn entries(&self) -> &[(DeploymentId, T)] {
        &self.entries
    }
}

/// Which candidate a deployment is, for strategies that go through their own table.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Vec<u32>);

impl Places {
    /// Notes the candidates. Of two with one id, the later counts.
    pub(super) fn note(&mut self, plan: &crate::plan::Plan, candidates: &[DeploymentId]) {
        self.0.clear();
        self.0.resize(plan.deployments().len(), 0);
        for (index, &candidate) in candidates.iter().enumerate() {
            self.0[plan.deployment(candidate).twin.index()] = index as u32 + 1;
        }
    }

    /// The index of a deployment among the candidates.
    pub(super) fn of(&self, twin: DeploymentId) -> Option<usize> {
        self.0[twin.index()].checked_sub(1).map(|index| index as usize)
    }
}

/// Usage in one calendar minute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MinuteUsage {
    minute: u64,
    requests: u64,
    tokens: u64,
}

impl MinuteUsage {
    /// One more request with so many tokens.
    pub(super) fn add(&mut self, minute: u64, tokens: u64) {
        if self.minute != minute {
            *self = Self { minute, requests: 0, tokens: 0 };
        }
        self.requests += 1;
        self.tokens += tokens;
    }

    /// Requests and tokens of that minute.
    pub(super) fn of(&self, minute: u64) -> (u64, u64) {
        if self.minute == minute { (self.requests, self.tokens) } else { (0, 0) }
    }
}
