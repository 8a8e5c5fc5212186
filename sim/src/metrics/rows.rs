//! One row per request and one per attempt, for files. Only watched when somebody asked for the files.

use router_core::{AttemptId, DeploymentId, Error, FallbackList, NameId, Note, Outcome, RequestId, Time, Usage};

use super::flight::InFlight;
use crate::actor::{Effect, Ended, Message, Step, Watcher};

/// Takes rows as they are complete.
pub trait RowSink {
    /// A request ended, or the run did.
    fn request(&mut self, row: &RequestRow);
    /// An attempt ended, or its request did, or the run did.
    fn attempt(&mut self, row: &AttemptRow);
}

/// Both take every row.
impl<A: RowSink, B: RowSink> RowSink for (A, B) {
    fn request(&mut self, row: &RequestRow) {
        self.0.request(row);
        self.1.request(row);
    }

    fn attempt(&mut self, row: &AttemptRow) {
        self.0.attempt(row);
        self.1.attempt(row);
    }
}

/// One request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RequestRow {
    /// Its id.
    pub request: RequestId,
    /// The name asked for.
    pub asked: NameId,
    /// When it was due.
    pub due: Time,
    /// When it ended for its caller; the end of the run when it did not.
    pub ended: Time,
    /// How.
    pub end: RequestEnd,
    /// Attempts at upstreams made until then.
    pub attempts: u32,
    /// Retries among them.
    pub retries: u32,
    /// Steps to other groups.
    pub fallbacks: u32,
}

/// How a request ended for its caller.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum RequestEnd {
    /// With an answer.
    Answered {
        /// Whose.
        by: DeploymentId,
        /// What it used.
        usage: Usage,
    },
    /// With an error.
    Failed(Error),
    /// The caller gave up.
    GaveUp,
    /// The run ended first.
    Open,
}

/// One attempt.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AttemptRow {
    /// Its request.
    pub request: RequestId,
    /// Its id.
    pub attempt: AttemptId,
    /// Which attempt of the request, from 0.
    pub n: u32,
    /// The name it was made for.
    pub group: NameId,
    /// Who was called.
    pub deployment: DeploymentId,
    /// From when.
    pub started: Time,
    /// Until when.
    pub ended: Time,
    /// How it ended.
    pub end: AttemptEnd,
}

/// How an attempt ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum AttemptEnd {
    /// With an answer.
    Answered(Usage),
    /// It failed.
    Failed {
        /// The upstream was called; `false`: the router refused by itself.
        sent: bool,
        /// What LiteLLM makes of it.
        error: Error,
    },
    /// Nobody waited for it any longer: its caller went away, or another call of the same request was answered.
    Abandoned,
    /// The run ended first.
    Open,
}

/// Makes rows out of steps.
#[derive(Debug)]
pub struct Rows<S> {
    sink: S,
    flight: InFlight<Flight>,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    row: RequestRow,
    attempt: Option<AttemptRow>,
    /// The attempt that runs beside it.
    hedge: Option<AttemptRow>,
}

impl<S: RowSink> Rows<S> {
    /// Hands rows on to `sink`.
    pub fn new(sink: S) -> Self {
        Self { sink, flight: InFlight::default() }
    }

    /// Hands on what is still under way when the run ends at `end`, and gives the sink back.
    pub fn finish(mut self, end: Time) -> S {
        let open: Vec<Flight> = self.flight.iter().copied().collect();
        for mut flight in open {
            for attempt in [flight.attempt.take(), flight.hedge.take()].into_iter().flatten() {
                self.sink.attempt(&AttemptRow { ended: end, end: AttemptEnd::Open, ..attempt });
            }
            self.sink.request(&RequestRow { ended: end, end: RequestEnd::Open, ..flight.row });
        }
        self.sink
    }

    fn note(&mut self, at: Time, note: &Note) {
        match *note {
            Note::Picked { request, attempt, n, group, deployment, .. } => {
                if let Some(flight) = self.flight.get(request) {
                    flight.row.attempts += 1;
                    let (started, end) = (at, AttemptEnd::Open);
                    let row = AttemptRow { request, attempt, n, group, deployment, started, ended: at, end };
                    // Whoever is called while another call is under way is its company.
                    let place = if flight.attempt.is_some() { &mut flight.hedge } else { &mut flight.attempt };
                    *place = Some(row);
                }
            }
            Note::Succeeded { request, attempt, usage, .. } => {
                self.attempt_ended(at, request, attempt, AttemptEnd::Answered(usage));
                self.abandoned(at, request);
            }
            Note::Failed { request, attempt: Some(attempt), sent, error, .. } => {
                self.attempt_ended(at, request, attempt, AttemptEnd::Failed { sent, error });
                if !sent && let Some(flight) = self.flight.get(request) {
                    flight.row.attempts = flight.row.attempts.saturating_sub(1);
                }
            }
            Note::Retrying { request, .. } => {
                if let Some(flight) = self.flight.get(request) {
                    flight.row.retries += 1;
                }
            }
            Note::FellBack { request, list, .. }
                if !matches!(list, FallbackList::Order | FallbackList::WeightedFailover) =>
            {
                if let Some(flight) = self.flight.get(request) {
                    flight.row.fallbacks += 1;
                }
            }
            _ => {}
        }
    }

    fn attempt_ended(&mut self, at: Time, request: RequestId, attempt: AttemptId, end: AttemptEnd) {
        let Some(flight) = self.flight.get(request) else { return };
        let places = [&mut flight.attempt, &mut flight.hedge];
        let ended = places.into_iter().find_map(|place| place.take_if(|row| row.attempt == attempt));
        if let Some(row) = ended {
            self.sink.attempt(&AttemptRow { ended: at, end, ..row });
        }
    }

    /// Nobody waits any longer for what else the request has under way.
    fn abandoned(&mut self, at: Time, request: RequestId) {
        let Some(flight) = self.flight.get(request) else { return };
        for row in [flight.attempt.take(), flight.hedge.take()].into_iter().flatten() {
            self.sink.attempt(&AttemptRow { ended: at, end: AttemptEnd::Abandoned, ..row });
        }
    }

    fn ended(&mut self, at: Time, ended: &Ended) {
        self.abandoned(at, ended.request);
        let Some(flight) = self.flight.close(ended.request) else { return };
        let end = match ended.outcome {
            Some(Outcome::Answered(answered)) => RequestEnd::Answered { by: answered.by, usage: answered.usage },
            Some(Outcome::Failed(error)) => RequestEnd::Failed(error),
            None => RequestEnd::GaveUp,
        };
        self.sink.request(&RequestRow { due: ended.due, ended: at, end, ..flight.row });
    }
}

impl<S: RowSink> Watcher for Rows<S> {
    fn watch(&mut self, step: &Step<'_>) {
        for effect in step.effects {
            match effect {
                Effect::Send { message: Message::Ask { request, ask }, .. } => {
                    let row = RequestRow {
                        request: *request,
                        asked: ask.model,
                        due: step.at,
                        ended: step.at,
                        end: RequestEnd::Open,
                        attempts: 0,
                        retries: 0,
                        fallbacks: 0,
                    };
                    self.flight.open(*request, Flight { row, attempt: None, hedge: None });
                }
                Effect::Note(note) => self.note(step.at, note),
                Effect::Ended(ended) => self.ended(step.at, ended),
                Effect::Send { .. } | Effect::FaultStruck { .. } => {}
            }
        }
    }
}
