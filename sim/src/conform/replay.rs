//! The driver: the core in the place of the real Router, with scripted upstreams and recorded random numbers.
//!
//! Requests arrive when the recording says, calls are answered as scripted, and nothing else takes time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use router_core::{
    Ask, AttemptId, DeploymentId, Input, NameId, Note, Outcome, Output, Plan, RequestId, Router, Selection, Time, Usage,
};

use super::draws::{Asking, Draws};
use super::field::Malformed;
use super::recording::{AttemptSeen, CooldownSeen, Observed, Question, Recording, Reply, ReplyKind, ResponseSeen};
use super::setup;
use super::upstreams::{Piece, Upstreams};
use super::why;

/// Steps at one moment after which the router is taken to spin: far more than any request has attempts.
const STEPS_AT_ONCE_MAX: u32 = 100_000;

/// What came of a replay.
#[derive(Debug)]
pub struct Replayed {
    /// What the core was seen to do.
    pub observed: Observed,
    /// The core's own notes, in order.
    pub notes: Vec<(Time, Note)>,
    /// Why the replay was broken off, if it was.
    pub stopped: Option<Stop>,
    /// The plan, for the names in the notes.
    pub plan: Arc<Plan>,
}

/// A replay that was broken off.
#[derive(Clone, PartialEq, Debug)]
pub struct Stop {
    /// When.
    pub at: Time,
    /// On behalf of which request, where that is known.
    pub request: Option<u32>,
    /// Why.
    pub because: StopReason,
}

/// Why a replay was broken off.
#[derive(Clone, PartialEq, Debug)]
pub enum StopReason {
    /// The core asked for a random number that the recording does not have next.
    Asked(Question),
    /// The core wants to be woken again and again at one moment.
    Spins,
}

/// Runs the requests of a recording through the core.
///
/// # Errors
/// What in the recording makes no configuration or no request.
pub fn replay(recording: &Recording, plan: Plan, asking: Asking) -> Result<Replayed, Malformed> {
    replay_until(recording, plan, asking, Time::MAX)
}

/// The same, as far as the given time.
pub(super) fn replay_until(
    recording: &Recording,
    plan: Plan,
    asking: Asking,
    until: Time,
) -> Result<Replayed, Malformed> {
    let plan = Arc::new(plan);
    let mut world = World::new(recording, &plan, asking)?;
    world.run(until);
    let World { seen, notes, stopped, draws, .. } = world;
    let observed = Observed { draws: draws.asked, ..seen };
    Ok(Replayed { observed, notes, stopped, plan })
}

struct World<'r, 'p> {
    recording: &'r Recording,
    plan: &'p Plan,
    asks: Vec<Ask>,
    router: Router,
    upstreams: Upstreams<'r>,
    draws: Draws<'r>,
    now: Time,
    outputs: Vec<Output>,
    /// When the next piece of which answer arrives, in the order in which they were scheduled.
    due: BTreeSet<(Time, u64, AttemptId)>,
    scheduled: u64,
    calls: BTreeMap<AttemptId, Call<'r>>,
    /// Where each attempt stands in the list of attempts.
    attempts: BTreeMap<AttemptId, usize>,
    selections: BTreeMap<u32, Box<Selection>>,
    streams: BTreeMap<u32, Relayed>,
    seen: Observed,
    notes: Vec<(Time, Note)>,
    stopped: Option<Stop>,
}

/// A call that is under way.
struct Call<'r> {
    reply: &'r Reply,
    started: Time,
    request: u32,
    prompt_tokens: u32,
    stream: bool,
    pieces: u32,
}

/// What reached the caller of a stream so far.
struct Relayed {
    first: Time,
    text: String,
    attempt: AttemptId,
    chunks_of_attempt: u32,
}

impl<'r, 'p> World<'r, 'p> {
    fn new(recording: &'r Recording, plan: &'p Arc<Plan>, asking: Asking) -> Result<Self, Malformed> {
        let mut router = Router::new(Arc::clone(plan));
        router.explain(true);
        let ids: Vec<&str> = plan.deployments().iter().map(|deployment| deployment.id.as_str()).collect();
        Ok(Self {
            recording,
            plan,
            asks: setup::asks(recording, plan)?,
            router,
            upstreams: Upstreams::new(recording, &ids),
            draws: Draws::new(&recording.observed.draws, asking),
            now: Time::ZERO,
            outputs: Vec::new(),
            due: BTreeSet::new(),
            scheduled: 0,
            calls: BTreeMap::new(),
            attempts: BTreeMap::new(),
            selections: BTreeMap::new(),
            streams: BTreeMap::new(),
            seen: Observed::default(),
            notes: Vec::new(),
            stopped: None,
        })
    }

    fn run(&mut self, until: Time) {
        let mut arrivals = 0..self.recording.requests.len();
        let mut next_arrival = arrivals.next();
        let mut steps_at_once = 0;
        while self.stopped.is_none() {
            let wake = self.router.next_wake().map(|(at, _)| at.max(self.now));
            let piece = self.due.first().map(|&(at, ..)| at);
            let arrival = next_arrival.map(|index| self.recording.requests[index].at.max(self.now));
            let Some(at) = [wake, piece, arrival].into_iter().flatten().min() else { return };
            if at > until {
                return;
            }
            steps_at_once = if at == self.now { steps_at_once + 1 } else { 0 };
            self.now = at;
            if steps_at_once > STEPS_AT_ONCE_MAX {
                self.stopped = Some(Stop { at, request: None, because: StopReason::Spins });
            } else if wake == Some(at) {
                // Before the answers of the same moment: one that takes as long as the timeout comes too late.
                self.step(Input::Wake, None);
            } else if piece == Some(at) {
                self.deliver();
            } else if let Some(index) = next_arrival {
                next_arrival = arrivals.next();
                let request = RequestId::new(0, index as u64);
                let ask = self.asks[index].clone();
                self.step(Input::Arrived { request, ask }, Some(index as u32));
            }
        }
    }

    /// Hands the piece that is due to the router.
    fn deliver(&mut self) {
        let Some((_, _, attempt)) = self.due.pop_first() else { return };
        // A call that the router hung up on has no more pieces.
        let Some(call) = self.calls.get_mut(&attempt) else { return };
        let Some((_, piece)) = call.reply.piece(call.pieces, call.stream) else { return };
        call.pieces += 1;
        let request = call.request;
        let input = match piece {
            Piece::Open => Input::Opened { attempt },
            Piece::Chunk => Input::Chunk { attempt },
            Piece::End => Input::Finished { attempt, usage: call.stream_usage(), content_filter: false },
            Piece::Cut => Input::Failed { attempt, failure: setup::RESET },
            Piece::Whole => match call.reply.what {
                ReplyKind::Answer { prompt_tokens, completion_tokens, content_filter, .. } => {
                    let usage = Usage {
                        prompt_tokens: prompt_tokens.unwrap_or(call.prompt_tokens),
                        completion_tokens: completion_tokens.unwrap_or(COMPLETION_TOKENS_DEFAULT),
                    };
                    Input::Finished { attempt, usage, content_filter }
                }
                _ => {
                    let failure = setup::failure(&call.reply.what, self.recording.start_unix_nanos);
                    Input::Failed { attempt, failure }
                }
            },
        };
        match piece {
            Piece::Open | Piece::Chunk => self.schedule(attempt),
            Piece::End | Piece::Cut | Piece::Whole => drop(self.calls.remove(&attempt)),
        }
        self.step(input, Some(request));
    }

    /// Puts the next piece of a call's answer on the calendar.
    fn schedule(&mut self, attempt: AttemptId) {
        let Some(call) = self.calls.get(&attempt) else { return };
        if let Some((after, _)) = call.reply.piece(call.pieces, call.stream) {
            self.scheduled += 1;
            self.due.insert((call.started + after, self.scheduled, attempt));
        }
    }

    fn step(&mut self, input: Input, request: Option<u32>) {
        let asked_before = self.draws.used();
        let mut outputs = std::mem::take(&mut self.outputs);
        self.router.handle(self.now, input, self.draws.at(self.now), &mut outputs);

        // What a step does at one moment it does for one request; only a wake does not say for which.
        let mut concerned: BTreeSet<u32> = outputs.iter().filter_map(concerns).collect();
        concerned.extend(request);
        let request = if concerned.len() == 1 { concerned.pop_first() } else { request };
        for draw in &mut self.draws.asked[asked_before..] {
            draw.request = request;
        }
        for output in outputs.drain(..) {
            self.watch(output);
        }
        self.outputs = outputs;
        if let Some(question) = self.draws.unanswered.take() {
            self.stopped = Some(Stop { at: self.now, request, because: StopReason::Asked(question) });
        }
    }

    fn watch(&mut self, output: Output) {
        match output {
            Output::Dispatch { request, attempt, to, prompt_tokens, stream, .. } => {
                // Entries with one id are one upstream: the first of them stands for all.
                let (count, reply) = self.upstreams.call(self.plan.deployment(to).twin.index(), self.now);
                if let Some(seen) = self.attempt(attempt) {
                    seen.sent = true;
                    // Where the HTTP client calls again by itself, recordings have the count of its last call.
                    seen.call = Some(count);
                }
                let request = request.number as u32;
                let call = Call { reply, started: self.now, request, prompt_tokens, stream, pieces: 0 };
                self.calls.insert(attempt, call);
                self.schedule(attempt);
            }
            Output::Abort { attempt, .. } => drop(self.calls.remove(&attempt)),
            Output::Relay { request, attempt } => self.relay(request.number as u32, attempt),
            Output::Answer { request, outcome } => self.answer(request.number as u32, outcome),
            Output::Note(note) => {
                self.note(&note);
                self.notes.push((self.now, note));
            }
        }
    }

    fn relay(&mut self, request: u32, attempt: AttemptId) {
        let first = self.now;
        let relayed = self.streams.entry(request).or_insert_with(|| Relayed {
            first,
            text: String::new(),
            attempt,
            chunks_of_attempt: 0,
        });
        if relayed.attempt != attempt {
            relayed.attempt = attempt;
            relayed.chunks_of_attempt = 0;
        }
        relayed.text.push_str(&format!("w{} ", relayed.chunks_of_attempt));
        relayed.chunks_of_attempt += 1;
    }

    fn answer(&mut self, request: u32, outcome: Outcome) {
        let relayed = self.streams.remove(&request);
        let mut response = ResponseSeen {
            request,
            at: self.now,
            ok: false,
            deployment: None,
            error: None,
            status: None,
            first: None,
            text: None,
        };
        match outcome {
            Outcome::Answered(answered) => {
                response.ok = true;
                response.deployment = Some(self.deployment(answered.by));
                if self.recording.requests[request as usize].stream {
                    response.first = relayed.as_ref().map(|relayed| relayed.first);
                    response.text = Some(relayed.map(|relayed| relayed.text).unwrap_or_default());
                }
            }
            Outcome::Failed(error) => {
                response.error = Some(error.class.name().to_owned());
                response.status = error.status;
            }
        }
        self.seen.responses.push(response);
    }

    fn note(&mut self, note: &Note) {
        match *note {
            Note::Selected(ref selection) => {
                self.selections.insert(selection.request.number as u32, selection.clone());
            }
            Note::Picked { request, attempt, n, group, deployment, timeout, .. } => {
                self.attempts.insert(attempt, self.seen.attempts.len());
                let seen = self.new_attempt(request, n, group, Some(deployment));
                seen.timeout = Some(timeout);
            }
            Note::CalledAgain { attempt, call, .. } => {
                if let Some(&index) = self.attempts.get(&attempt) {
                    self.attempts.insert(call, index);
                }
            }
            Note::Succeeded { attempt, .. } => {
                let now = self.now;
                if let Some(seen) = self.attempt(attempt) {
                    seen.end = Some(now);
                    seen.result = Some("ok".to_owned());
                }
            }
            Note::Failed { request, attempt, n, group, deployment, sent, error } => {
                let now = self.now;
                let known = attempt.filter(|attempt| self.attempts.contains_key(attempt));
                let seen = match known.and_then(|attempt| self.attempt(attempt)) {
                    Some(seen) => seen,
                    None => self.new_attempt(request, n, group, deployment),
                };
                seen.sent = sent;
                if !sent {
                    seen.timeout = None;
                }
                seen.end = Some(now);
                seen.result = Some(error.class.name().to_owned());
                seen.status = error.status;
            }
            Note::Cooled { request, deployment, length, error, .. } => {
                let deployment = self.deployment(deployment);
                let request = Some(request.number as u32);
                self.seen.cooldowns.push(CooldownSeen {
                    at: self.now,
                    deployment,
                    length,
                    status: error.status,
                    request,
                });
            }
            _ => {}
        }
    }

    fn new_attempt(
        &mut self,
        request: RequestId,
        n: u32,
        group: NameId,
        deployment: Option<DeploymentId>,
    ) -> &mut AttemptSeen {
        let request = request.number as u32;
        let eligible = self.selections.remove(&request).map(|selection| selection.eligible);
        let eligible = eligible.filter(|eligible| !eligible.is_empty());
        self.seen.attempts.push(AttemptSeen {
            request,
            n,
            start: self.now,
            end: None,
            group: self.plan.name(group).to_owned(),
            eligible: eligible.map(|ids| ids.into_iter().map(|id| self.deployment(id)).collect()),
            deployment: deployment.map(|id| self.deployment(id)),
            sent: false,
            call: None,
            timeout: None,
            result: None,
            status: None,
        });
        self.seen.attempts.last_mut().expect("one was just added")
    }

    fn attempt(&mut self, attempt: AttemptId) -> Option<&mut AttemptSeen> {
        let index = *self.attempts.get(&attempt)?;
        self.seen.attempts.get_mut(index)
    }

    fn deployment(&self, id: DeploymentId) -> String {
        self.plan.deployment(id).id.clone()
    }
}

/// Completion tokens of an answer whose script does not say.
const COMPLETION_TOKENS_DEFAULT: u32 = 30;

impl Call<'_> {
    /// What LiteLLM counts for a complete stream, which carries no usage of its own.
    fn stream_usage(&self) -> Usage {
        let chunks = match self.reply.what {
            ReplyKind::Answer { stream, .. } => stream.chunks,
            _ => 0,
        };
        Usage { prompt_tokens: self.prompt_tokens, completion_tokens: chunks.saturating_mul(2).saturating_add(1) }
    }
}

/// Which request an output is about.
fn concerns(output: &Output) -> Option<u32> {
    let request = match output {
        Output::Dispatch { request, .. } | Output::Relay { request, .. } | Output::Answer { request, .. } => *request,
        Output::Note(note) => why::request_of(note),
        Output::Abort { .. } => return None,
    };
    Some(request.number as u32)
}
