//! What a run did, as one number.
//!
//! Each actor's steps are hashed for themselves - time, event, draws and effects - and the hashes are combined in the
//! order of the actors. So two drivers agree on the number when every actor took the same steps, however the steps of
//! different actors were interleaved. [`Note::Selected`] stays out: it exists only when somebody asked for it, and
//! asking must not change the number.
//!
//! The digest is always on, so it must cost next to nothing: a step is written as a few packed words into its actor's
//! block, and full blocks are hashed, each together with the hash of the one before.

use router_core::{
    Answered, Ask, Error, Failure, FailureKind, Note, Outcome, Params, RequestId, RetryAfter, Target, Usage,
};
use xxhash_rust::xxh3::xxh3_128;

use crate::actor::{DrawKind, Drawn, Effect, Ended, Event, Message, Reply, Step, Watcher};

/// The digest of a run. Printed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Digest(pub u128);

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Makes the [`Digest`] of a run from its steps.
#[derive(Clone, Debug, Default)]
pub struct Digester {
    lanes: Vec<Lane>,
}

impl Digester {
    /// A digester without any memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything and gets ready for a run of so many actors, reusing memory.
    pub fn restart(&mut self, actors: usize) {
        self.lanes.truncate(actors);
        self.lanes.iter_mut().for_each(Lane::restart);
        self.lanes.resize_with(actors, Lane::new);
    }

    /// The digest of everything seen since the last [`Digester::restart`], which must come before anything else is seen.
    pub fn finish(&mut self) -> Digest {
        let mut all = Vec::with_capacity(self.lanes.len() * size_of::<u128>());
        for lane in &mut self.lanes {
            lane.seal();
            all.extend_from_slice(&lane.bytes[..CHAIN]);
        }
        Digest(xxh3_128(&all))
    }
}

impl Watcher for Digester {
    fn watch(&mut self, step: &Step<'_>) {
        if let Some(lane) = self.lanes.get_mut(step.actor.0 as usize) {
            lane.step(step);
        }
    }
}

/// Bytes of a block, the chained hash at its front included. Small, so that the blocks of all actors stay in the cache.
const BLOCK: usize = 1024;
/// Bytes of the chained hash.
const CHAIN: usize = size_of::<u128>();

/// One actor's steps, on their way into its hash.
#[derive(Clone, Debug)]
struct Lane {
    bytes: Box<[u8; BLOCK]>,
    filled: usize,
}

impl Lane {
    fn new() -> Self {
        Self { bytes: Box::new([0; BLOCK]), filled: CHAIN }
    }

    fn restart(&mut self) {
        self.bytes[..CHAIN].fill(0);
        self.filled = CHAIN;
    }

    /// Hashes the block into the front of the next one.
    fn seal(&mut self) {
        let hash = xxh3_128(&self.bytes[..self.filled]);
        self.bytes[..CHAIN].copy_from_slice(&hash.to_le_bytes());
        self.filled = CHAIN;
    }

    fn word(&mut self, word: u64) {
        if self.filled == BLOCK {
            self.seal();
        }
        self.bytes[self.filled..self.filled + 8].copy_from_slice(&word.to_le_bytes());
        self.filled += 8;
    }

    fn pair(&mut self, low: u32, high: u32) {
        self.word(u64::from(low) | u64::from(high) << 32);
    }

    fn step(&mut self, step: &Step<'_>) {
        self.word(step.at.as_nanos());
        let effects = step.effects.iter().filter(|effect| !is_explanation(effect));
        // Counts before the lists, so that no two different steps have the same words.
        let counts = (step.draws.len() as u64) << 32 | effects.clone().count() as u64;
        match step.event {
            Event::Wake => self.word(counts),
            Event::Message { from, message } => {
                self.word(1 << 63 | u64::from(from.0) << 44 ^ counts);
                self.message(message);
            }
        }
        for draw in step.draws {
            self.draw(draw);
        }
        for effect in effects {
            self.effect(effect);
        }
    }

    fn draw(&mut self, draw: &Drawn) {
        let (tag, count) = match draw.what {
            DrawKind::Pick(among) => (1, among),
            DrawKind::Weighted(among) => (2, among),
            DrawKind::Order(among) => (3, among),
            DrawKind::Jitter => (4, 0),
            DrawKind::ClientJitter => (6, 0),
            DrawKind::Sample(name) => (5, name.bytes().fold(0, |sum: u32, byte| sum.rotate_left(5) ^ u32::from(byte))),
        };
        // The question is spread over the bits of the answer: one word for both.
        let question: u64 = u64::from(count) << 8 | tag;
        self.word(draw.u.to_bits() ^ question.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }

    fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Send { to, at, message } => {
                self.pair(1, to.0);
                self.word(at.as_nanos());
                self.message(message);
            }
            Effect::Note(note) => self.note(note),
            Effect::Ended(Ended { request, due, outcome, retries, last }) => {
                self.pair(2 | u32::from(outcome.is_some()) << 8 | u32::from(*last) << 9, *retries);
                self.request(*request);
                self.word(due.as_nanos());
                if let Some(outcome) = outcome {
                    self.outcome(outcome);
                }
            }
            Effect::FaultStruck { fault, deployment } => {
                self.pair(3, *fault);
                self.pair(deployment.0, 0);
            }
        }
    }

    fn message(&mut self, message: &Message) {
        match message {
            Message::Ask { request, ask } => {
                self.pair(10, 0);
                self.request(*request);
                self.ask(ask);
            }
            Message::Cancel { request } => {
                self.pair(11, 0);
                self.request(*request);
            }
            Message::Answer { request, outcome } => {
                self.pair(12, 0);
                self.request(*request);
                self.outcome(outcome);
            }
            Message::Call { attempt, deployment, prompt_tokens, output_tokens } => {
                self.pair(13, deployment.0);
                self.word(attempt.0);
                self.pair(*prompt_tokens, *output_tokens);
            }
            Message::Hangup { attempt, deployment } => {
                self.pair(14, deployment.0);
                self.word(attempt.0);
            }
            Message::Reply { attempt, reply: Reply::Answered { usage, content_filter } } => {
                self.pair(15, u32::from(*content_filter));
                self.word(attempt.0);
                self.usage(*usage);
            }
            Message::Reply { attempt, reply: Reply::Failed { failure, text } } => {
                self.pair(16, text.map_or(u32::MAX, |text| text.0));
                self.word(attempt.0);
                self.failure(failure);
            }
        }
    }

    fn request(&mut self, RequestId { source, number }: RequestId) {
        // Both fit: no run has 2^44 requests of one source, nor 2^20 sources.
        self.word(u64::from(source) << 44 ^ number);
    }

    fn ask(&mut self, Ask { model, prompt_tokens, output_tokens, stream, params }: &Ask) {
        self.pair(*prompt_tokens, *output_tokens);
        self.pair(model.0, u32::from(*stream) | u32::from(params.is_some()) << 1);
        if let Some(params) = params {
            self.params(params);
        }
    }

    fn params(&mut self, params: &Params) {
        let Params {
            num_retries,
            max_retries,
            timeout,
            request_timeout,
            stream_timeout,
            fallbacks,
            disable_fallbacks,
            tags,
            region,
        } = params;
        for retries in [num_retries, max_retries] {
            self.optional(retries.map(|n| n as u64));
        }
        for seconds in [timeout, request_timeout, stream_timeout] {
            self.optional(seconds.map(f64::to_bits));
        }
        self.optional(fallbacks.as_ref().map(|targets| targets.len() as u64));
        for Target { model, map, params } in fallbacks.iter().flatten() {
            self.optional(model.map(|name| u64::from(name.0)));
            self.optional(map.map(u64::from));
            self.word(u64::from(params.is_some()));
            if let Some(params) = params {
                self.params(params);
            }
        }
        self.pair(u32::from(*disable_fallbacks), tags.len() as u32);
        for tag in tags {
            self.word(u64::from(tag.0));
        }
        self.optional(region.map(u64::from));
    }

    fn optional(&mut self, value: Option<u64>) {
        self.word(u64::from(value.is_some()));
        self.word(value.unwrap_or(0));
    }

    fn usage(&mut self, Usage { prompt_tokens, completion_tokens }: Usage) {
        self.pair(prompt_tokens, completion_tokens);
    }

    fn outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Answered(Answered { by, usage }) => {
                self.pair(1, by.0);
                self.usage(*usage);
            }
            Outcome::Failed(error) => {
                self.pair(2, 0);
                self.error(error);
            }
        }
    }

    fn error(&mut self, Error { class, status, client_status, client_retry_after }: &Error) {
        let statuses = u32::from(*client_status) << 16 | u32::from(status.unwrap_or(0));
        self.pair(*class as u32 | u32::from(client_retry_after.is_some()) << 8, statuses);
        if let Some(wait) = client_retry_after {
            self.word(wait.as_nanos());
        }
    }

    fn failure(&mut self, Failure { kind, retry_after }: &Failure) {
        let (tag, detail) = match kind {
            FailureKind::Status { code, wording } => (u32::from(*code) << 8, wording.0),
            FailureKind::Refused => (1, 0),
            FailureKind::Reset => (2, 0),
            FailureKind::Malformed => (3, 0),
            FailureKind::Truncated => (4, 0),
        };
        self.pair(tag, detail);
        self.word(match retry_after {
            RetryAfter::Absent => u64::MAX,
            RetryAfter::Seconds(seconds) => *seconds as u64,
        });
    }

    fn note(&mut self, note: &Note) {
        match note {
            Note::Picked { request, attempt, n, group, deployment, eligible, timeout } => {
                self.pair(20, *n);
                self.request(*request);
                self.word(attempt.0);
                self.pair(group.0, deployment.0);
                self.word(u64::from(*eligible) << 44 ^ timeout.as_nanos());
            }
            Note::CalledAgain { request, attempt, call, repetition } => {
                self.pair(30, *repetition);
                self.request(*request);
                self.word(attempt.0);
                self.word(call.0);
            }
            Note::Succeeded { request, attempt, deployment, usage } => {
                self.pair(21, deployment.0);
                self.request(*request);
                self.word(attempt.0);
                self.usage(*usage);
            }
            Note::Failed { request, attempt, n, group, deployment, sent, error } => {
                self.pair(22 | u32::from(*sent) << 8, *n);
                self.request(*request);
                self.word(attempt.map_or(u64::MAX, |attempt| attempt.0));
                self.pair(group.0, deployment.map_or(u32::MAX, |deployment| deployment.0));
                self.error(error);
            }
            Note::StreamEnded { request, attempt, error } => {
                self.pair(23, u32::from(error.is_some()));
                self.request(*request);
                self.word(attempt.0);
                if let Some(error) = error {
                    self.error(error);
                }
            }
            Note::Retrying { request, retry, of, wait, because, number_from } => {
                self.pair(24 | (*because as u32) << 8 | (*number_from as u32) << 16, *retry);
                self.request(*request);
                self.word(u64::from(*of) << 44 ^ wait.as_nanos());
            }
            Note::GaveUp { request, group, because, wait } => {
                self.pair(25 | (*because as u32) << 8, group.0);
                self.request(*request);
                self.word(wait.as_nanos());
            }
            Note::FellBack { request, from, to, depth, list } => {
                self.pair(26 | (*list as u32) << 8, *depth);
                self.request(*request);
                self.pair(from.0, to.0);
            }
            Note::FallbackExhausted { request, group, because } => {
                self.pair(27 | (*because as u32) << 8, group.0);
                self.request(*request);
            }
            Note::Cooled { request, deployment, length, until, error, because } => {
                self.pair(28 | (*because as u32) << 8, deployment.0);
                self.request(*request);
                self.word(length.as_nanos());
                self.word(until.as_nanos());
                self.error(error);
            }
            Note::NotCooled { request, deployment, because } => {
                self.pair(29 | (*because as u32) << 8, deployment.0);
                self.request(*request);
            }
            Note::Selected(_) => {}
        }
    }
}

fn is_explanation(effect: &Effect) -> bool {
    matches!(effect, Effect::Note(Note::Selected(_)))
}

#[cfg(test)]
mod tests {
    use router_core::{DeploymentId, Filter, NameId, Selection, Time};

    use super::*;
    use crate::actor::ActorId;

    fn digest_of(steps: &[Step<'_>]) -> Digest {
        let mut digester = Digester::new();
        digester.restart(2);
        steps.iter().for_each(|step| digester.watch(step));
        digester.finish()
    }

    fn step<'a>(actor: u32, at: u64, draws: &'a [Drawn], effects: &'a [Effect]) -> Step<'a> {
        Step { at: Time::from_nanos(at), actor: ActorId(actor), event: &Event::Wake, draws, effects }
    }

    #[test]
    fn only_the_order_within_an_actor_counts() {
        let (a, b, c) = (step(0, 1, &[], &[]), step(0, 2, &[], &[]), step(1, 1, &[], &[]));
        assert_eq!(digest_of(&[a, b, c]), digest_of(&[c, a, b]));
        assert_ne!(digest_of(&[a, b]), digest_of(&[b, a]));
        assert_ne!(digest_of(&[a]), digest_of(&[c]));
    }

    #[test]
    fn every_part_of_a_step_counts() {
        let base = digest_of(&[step(0, 1, &[], &[])]);
        assert_ne!(base, digest_of(&[step(0, 2, &[], &[])]));
        let jitter = |u| Drawn { u, what: DrawKind::Jitter };
        let one = digest_of(&[step(0, 1, &[jitter(0.5)], &[])]);
        assert_ne!(base, one);
        assert_ne!(one, digest_of(&[step(0, 1, &[jitter(0.25)], &[])]));
        assert_ne!(one, digest_of(&[step(0, 1, &[Drawn { u: 0.5, what: DrawKind::Pick(2) }], &[])]));
        let struck = |fault| [Effect::FaultStruck { fault, deployment: DeploymentId(0) }];
        assert_ne!(digest_of(&[step(0, 1, &[], &struck(0))]), digest_of(&[step(0, 1, &[], &struck(1))]));
    }

    #[test]
    fn explanations_do_not_count() {
        let selection = Selection {
            request: RequestId::default(),
            n: 0,
            group: NameId(0),
            eligible: vec![],
            filtered: vec![(DeploymentId(0), Filter::Blocked)],
            scores: vec![],
            picked: None,
        };
        let explained = [Effect::Note(Note::Selected(Box::new(selection)))];
        assert_eq!(digest_of(&[step(0, 1, &[], &[])]), digest_of(&[step(0, 1, &[], &explained)]));
    }

    #[test]
    fn a_digester_that_is_used_again_remembers_nothing() {
        let mut digester = Digester::new();
        digester.restart(3);
        (0..1000).for_each(|at| digester.watch(&step(2, at, &[], &[])));
        digester.finish();
        digester.restart(2);
        digester.watch(&step(1, 5, &[], &[]));
        assert_eq!(digester.finish(), digest_of(&[step(1, 5, &[], &[])]));
    }
}
