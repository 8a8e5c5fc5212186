//! Finding the request that is worth telling.

use router_core::{RequestId, Span};

use crate::cast::Cast;
use crate::engine::Engine;
use crate::metrics::{AttemptRow, LossRecord, Metrics, RequestEnd, RequestRow, RowSink, Rows, Shape};
use crate::scenario::Scenario;

/// Which request of a run is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Telling {
    /// The one that kept its user waiting longest; lost ones before answered ones.
    Worst,
    /// The first that was lost in the way in which most were.
    Lost,
    /// The answered one that took longest.
    Slowest,
    /// The one with the most calls to upstreams.
    Busiest,
    /// This one.
    One(RequestId),
}

/// All requests of a run, of which one is to be told.
#[derive(Debug)]
pub struct Candidates {
    rows: Vec<RequestRow>,
    /// The most frequent way in which requests were lost.
    loss: Option<LossRecord>,
}

impl Candidates {
    /// Runs a scenario under a seed and remembers every request.
    pub fn of(scenario: &Scenario, seed: u64) -> Self {
        let shape = Shape::of(scenario);
        let end = shape.end;
        let mut watchers = (Metrics::new(shape, seed), Rows::new(All::default()));
        Engine::new().run(&mut Cast::new(scenario), seed, end, &mut watchers);
        let (mut metrics, rows) = watchers;
        metrics.finish();
        let mut rows = rows.finish(end).0;
        rows.sort_by_key(|row| row.request);
        let most = metrics.losses().iter().max_by_key(|record| (record.count, std::cmp::Reverse(record.due)));
        Self { rows, loss: most.copied() }
    }

    /// The request that is meant; of equal ones the first. `None`: the run has none like it.
    pub fn find(&self, telling: Telling) -> Option<RequestId> {
        let took = |row: &RequestRow| row.ended.since(row.due);
        let answered = |row: &RequestRow| matches!(row.end, RequestEnd::Answered { .. });
        match telling {
            Telling::One(request) => self.rows.iter().map(|row| row.request).find(|known| *known == request),
            Telling::Lost => self.loss.map(|record| record.example),
            Telling::Slowest => self.first_with_most(|row| answered(row).then(|| took(row))),
            Telling::Busiest => self.first_with_most(|row| Some(row.attempts)),
            Telling::Worst => self
                .first_with_most(|row| (!answered(row)).then(|| (took(row), row.attempts)))
                .or_else(|| self.first_with_most(|row| Some((took(row), row.attempts)))),
        }
    }

    fn first_with_most<K: Ord>(&self, key: impl Fn(&RequestRow) -> Option<K>) -> Option<RequestId> {
        let mut best: Option<(K, RequestId)> = None;
        for row in &self.rows {
            if let Some(key) = key(row)
                && best.as_ref().is_none_or(|(most, _)| key > *most)
            {
                best = Some((key, row.request));
            }
        }
        best.map(|(_, request)| request)
    }

    /// The requests of each client: its number, its first and its last request, in their order.
    pub fn known(&self) -> Vec<(u32, RequestId, RequestId)> {
        let mut known: Vec<(u32, RequestId, RequestId)> = Vec::new();
        for RequestRow { request, .. } in &self.rows {
            match known.last_mut() {
                Some((source, _, last)) if *source == request.source => *last = *request,
                _ => known.push((request.source, *request, *request)),
            }
        }
        known
    }

    /// How many requests there were, how many were lost, and how long the slowest took.
    pub fn totals(&self) -> (u64, u64, Span) {
        let lost = self.rows.iter().filter(|row| !matches!(row.end, RequestEnd::Answered { .. })).count() as u64;
        let slowest = self.rows.iter().map(|row| row.ended.since(row.due)).max().unwrap_or(Span::ZERO);
        (self.rows.len() as u64, lost, slowest)
    }
}

/// Finds the request that [`Telling::Worst`] means while a run goes on, without keeping all of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worst(Option<RequestRow>);

impl Worst {
    /// The request, when the run has ended; `None`: there were none.
    pub fn request(&self) -> Option<RequestId> {
        self.0.map(|row| row.request)
    }
}

impl RowSink for Worst {
    fn request(&mut self, row: &RequestRow) {
        let key = |row: &RequestRow| {
            let lost = !matches!(row.end, RequestEnd::Answered { .. });
            (lost, row.ended.since(row.due), row.attempts, std::cmp::Reverse(row.request))
        };
        if self.0.as_ref().is_none_or(|worst| key(row) > key(worst)) {
            self.0 = Some(*row);
        }
    }

    fn attempt(&mut self, _: &AttemptRow) {}
}

/// Keeps every request.
#[derive(Debug, Default)]
struct All(Vec<RequestRow>);

impl RowSink for All {
    fn request(&mut self, row: &RequestRow) {
        self.0.push(*row);
    }

    fn attempt(&mut self, _: &AttemptRow) {}
}
