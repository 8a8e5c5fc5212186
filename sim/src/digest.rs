//! What a run did, as one number.
//!
//! Each actor's steps are hashed for themselves - time, event, draws and effects - and the hashes are combined in the
//! order of the actors. So two drivers agree on the number when every actor took the same steps, however the steps of
//! different actors were interleaved. What a message says is hashed where it arrives, not where it is sent.
//! [`Note::Selected`] stays out: it exists only when somebody asked for it, and asking must not change the number.
//!
//! The digest is always on, so it must cost next to nothing: a step is a handful of packed words, and a pair of words is one
//! multiplication. It tells runs apart that differ by accident; it is no seal against somebody who wants to deceive.

use router_core::{
    Answered, Ask, Error, Failure, FailureKind, Note, Outcome, Params, RequestId, RetryAfter, Target, Usage,
};
use xxhash_rust::xxh3::xxh3_128;

use crate::actor::{ActorId, Effect, Ended, Event, Message, Reply, Step, Watcher};

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
        self.lanes.clear();
        self.lanes.resize(actors, Lane::default());
    }

    /// What one actor did so far, as a number; zero for an actor that is not there.
    pub fn of(&self, actor: ActorId) -> u64 {
        self.lanes.get(actor.0 as usize).map_or(0, |lane| lane.0)
    }

    /// The digest of everything seen since the last [`Digester::restart`], which must come before anything else is seen.
    pub fn finish(&self) -> Digest {
        let all: Vec<u8> = self.lanes.iter().flat_map(|lane| lane.0.to_le_bytes()).collect();
        Digest(xxh3_128(&all))
    }
}

impl Watcher for Digester {
    fn watch(&mut self, step: &Step<'_>) {
        if let Some(lane) = self.lanes.get_mut(step.actor.0 as usize) {
            // A copy, so that the number stays in a register until the step is done.
            let mut copy = *lane;
            copy.step(step);
            *lane = copy;
        }
    }
}

/// One actor's steps so far, folded into a number word by word.
#[derive(Clone, Copy, Debug, Default)]
struct Lane(u64);

/// Two odd numbers with as many ones as zeros, in no pattern: the fractions of the golden ratio and of the root of three.
const SECRETS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xbb67_ae85_84ca_a73b];

/// What a word is about, in its top byte. Small numbers share a word, side by side or, where one of them may be large,
/// folded over each other: the words are hashed, nobody reads them back.
#[derive(Clone, Copy)]
enum Tag {
    Wake = 1,
    Message,
    Send,
    Ended,
    FaultStruck,
    Ask,
    Cancel,
    Answer,
    Call,
    Hangup,
    Answered,
    Failed,
    Picked,
    CalledAgain,
    Succeeded,
    AttemptFailed,
    StreamEnded,
    Retrying,
    GaveUp,
    FellBack,
    FallbackExhausted,
    Cooled,
    NotCooled,
    Error,
    Hedged,
    Probes,
    AwaitsCooldown,
}

impl Tag {
    const fn on(self, word: u64) -> u64 {
        word ^ (self as u64) << 56
    }
}

/// `low` in the lower half, `high` in the upper one.
fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// A small number in the upper half of a word, below the tag.
fn aside(small: u32) -> u64 {
    u64::from(small) << 36
}

fn name(RequestId { source, number }: RequestId) -> u64 {
    u64::from(source) << 44 ^ number
}

fn tokens(Usage { prompt_tokens, completion_tokens }: Usage) -> u64 {
    pair(prompt_tokens, completion_tokens)
}

impl Lane {
    /// Folds two words into the number: both halves of their product, in which the number itself takes part. The number
    /// also stays in, rotated, so that a product of zero cannot wipe out the past.
    #[inline]
    fn put(&mut self, first: u64, second: u64) {
        let product = u128::from(self.0 ^ first ^ SECRETS[0]) * u128::from(second ^ SECRETS[1]);
        self.0 = self.0.rotate_left(27) ^ product as u64 ^ (product >> 64) as u64;
    }

    fn step(&mut self, step: &Step<'_>) {
        let at = step.at.as_nanos();
        match step.event {
            Event::Wake => self.put(Tag::Wake.on(at), step.draws.len() as u64),
            Event::Message { from, message } => {
                self.put(Tag::Message.on(at), pair(from.0, step.draws.len() as u32));
                self.message(message);
            }
        }
        // What a number was drawn for follows from the event and from what the actor knew; that is not hashed again.
        for draws in step.draws.chunks(2) {
            self.put(draws[0].u.to_bits(), draws.get(1).map_or(0, |draw| draw.u.to_bits()));
        }
        for effect in step.effects {
            self.effect(effect);
        }
    }

    fn effect(&mut self, effect: &Effect) {
        match effect {
            // What it says is hashed where it arrives.
            Effect::Send { to, at, message: _ } => self.put(Tag::Send.on(at.as_nanos()), u64::from(to.0)),
            Effect::Note(note) => self.note(note),
            Effect::Ended(Ended { request, due, outcome, retries, last }) => {
                let how = *retries << 2 | u32::from(*last) << 1 | u32::from(outcome.is_some());
                self.put(Tag::Ended.on(name(*request)) ^ aside(how), due.as_nanos());
                if let Some(outcome) = outcome {
                    self.outcome(outcome);
                }
            }
            Effect::FaultStruck { fault, deployment } => {
                self.put(Tag::FaultStruck.on(u64::from(*fault)), u64::from(deployment.0));
            }
        }
    }

    fn message(&mut self, message: &Message) {
        match message {
            Message::Ask { request, ask } => {
                let Ask { model, prompt_tokens, output_tokens, stream, params } = ask;
                let what = model.0 << 2 | u32::from(*stream) << 1 | u32::from(params.is_some());
                self.put(Tag::Ask.on(name(*request)) ^ aside(what), pair(*prompt_tokens, *output_tokens));
                if let Some(params) = params {
                    self.params(params);
                }
            }
            Message::Cancel { request } => self.put(Tag::Cancel.on(name(*request)), 0),
            Message::Answer { request, outcome } => {
                self.put(Tag::Answer.on(name(*request)), 0);
                self.outcome(outcome);
            }
            Message::Call { attempt, deployment, prompt_tokens, output_tokens } => {
                let call = Tag::Call.on(attempt.0) ^ aside(deployment.0);
                self.put(call, pair(*prompt_tokens, *output_tokens));
            }
            Message::Hangup { attempt, deployment } => self.put(Tag::Hangup.on(attempt.0), u64::from(deployment.0)),
            Message::Reply { attempt, reply: Reply::Answered { usage, content_filter } } => {
                self.put(Tag::Answered.on(attempt.0) ^ aside(u32::from(*content_filter)), tokens(*usage));
            }
            Message::Reply { attempt, reply: Reply::Failed { failure, text } } => {
                self.put(Tag::Failed.on(attempt.0), text.map_or(u64::MAX, |text| u64::from(text.0)));
                self.failure(failure);
            }
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
            lists,
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
            self.put(u64::from(params.is_some()), 0);
            if let Some(params) = params {
                self.params(params);
            }
        }
        self.put(u64::from(*disable_fallbacks), tags.len() as u64);
        for tag in tags {
            self.put(u64::from(tag.0), 0);
        }
        self.optional(region.map(u64::from));
        for list in [lists.fallbacks, lists.context_window, lists.content_policy].into_iter().flatten() {
            self.put(1, u64::from(list));
        }
    }

    fn optional(&mut self, value: Option<u64>) {
        self.put(u64::from(value.is_some()), value.unwrap_or(0));
    }

    fn outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Answered(Answered { by, usage }) => self.put(u64::from(by.0), tokens(*usage)),
            Outcome::Failed(error) => self.error(error),
        }
    }

    fn error(&mut self, Error { class, status, client_status, client_retry_after }: &Error) {
        let statuses = u32::from(*client_status) << 16 | u32::from(status.unwrap_or(0));
        let wait = client_retry_after.map_or(u64::MAX, |wait| wait.as_nanos());
        self.put(Tag::Error.on(pair(statuses, *class as u32)), wait);
    }

    fn failure(&mut self, Failure { kind, retry_after }: &Failure) {
        let (tag, detail) = match kind {
            FailureKind::Status { code, wording } => (u32::from(*code) << 8, wording.0),
            FailureKind::Refused => (1, 0),
            FailureKind::Reset => (2, 0),
            FailureKind::Malformed => (3, 0),
            FailureKind::Truncated => (4, 0),
        };
        let retry_after = match retry_after {
            RetryAfter::Absent => u64::MAX,
            RetryAfter::Seconds(seconds) => *seconds as u64,
            RetryAfter::Until(nanos) => (*nanos as u64).rotate_left(32) ^ 1 << 62,
            RetryAfter::Fractional(wait) => wait.as_nanos() | 1 << 63,
        };
        self.put(pair(tag, detail), retry_after);
    }

    fn note(&mut self, note: &Note) {
        match note {
            Note::Picked { request, attempt, n, group, deployment, eligible, timeout } => {
                let choice = attempt.0 ^ aside(deployment.0) ^ u64::from(group.0) << 52;
                let whence = timeout.as_nanos() ^ u64::from(*eligible) << 44;
                self.put(Tag::Picked.on(name(*request)) ^ aside(*n), choice ^ whence.rotate_left(32));
            }
            Note::CalledAgain { request, attempt, call, repetition } => {
                self.put(Tag::CalledAgain.on(name(*request)) ^ aside(*repetition), attempt.0 ^ call.0.rotate_left(32));
            }
            Note::Succeeded { request, attempt, deployment, usage } => {
                let by = attempt.0 ^ aside(deployment.0);
                self.put(Tag::Succeeded.on(name(*request)), by ^ tokens(*usage).rotate_left(20));
            }
            Note::Failed { request, attempt, n, group, deployment, sent, error } => {
                let attempt = attempt.map_or(u64::MAX, |attempt| attempt.0);
                self.put(Tag::AttemptFailed.on(name(*request)) ^ aside(*n << 1 | u32::from(*sent)), attempt);
                self.put(u64::from(group.0), deployment.map_or(u64::MAX, |deployment| u64::from(deployment.0)));
                self.error(error);
            }
            Note::StreamEnded { request, attempt, error } => {
                self.put(Tag::StreamEnded.on(name(*request)), attempt.0);
                if let Some(error) = error {
                    self.error(error);
                }
            }
            Note::Retrying { request, retry, of, wait, because, number_from } => {
                self.put(Tag::Retrying.on(name(*request)) ^ aside(*because as u32), wait.as_nanos());
                self.put(u64::from(*number_from as u8), pair(*retry, *of));
            }
            Note::GaveUp { request, group, because, wait } => {
                self.put(Tag::GaveUp.on(name(*request)) ^ aside(*because as u32), wait.as_nanos());
                self.put(u64::from(group.0), 0);
            }
            Note::FellBack { request, from, to, depth, list } => {
                self.put(Tag::FellBack.on(name(*request)) ^ aside(*depth << 8 | *list as u32), pair(from.0, to.0));
            }
            Note::FallbackExhausted { request, group, because } => {
                self.put(Tag::FallbackExhausted.on(name(*request)), pair(group.0, *because as u32));
            }
            Note::Cooled { request, deployment, length, until, error, because } => {
                self.put(Tag::Cooled.on(name(*request)), pair(deployment.0, *because as u32));
                self.put(length.as_nanos(), until.as_nanos());
                self.error(error);
            }
            Note::NotCooled { request, deployment, because } => {
                self.put(Tag::NotCooled.on(name(*request)), pair(deployment.0, *because as u32));
            }
            Note::Hedged { request, first, hedge } => {
                self.put(Tag::Hedged.on(name(*request)), first.0 ^ hedge.0.rotate_left(32));
            }
            Note::Probes { request, attempt, deployment } => {
                self.put(Tag::Probes.on(name(*request)) ^ aside(deployment.0), attempt.0);
            }
            Note::AwaitsCooldown { request, group, until } => {
                self.put(Tag::AwaitsCooldown.on(name(*request)) ^ aside(group.0), until.as_nanos());
            }
            // There only when somebody asked for it.
            Note::Selected(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use router_core::{DeploymentId, Filter, NameId, Selection, Time};

    use super::*;
    use crate::actor::{DrawKind, Drawn};

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
        assert_ne!(one, digest_of(&[step(0, 1, &[jitter(0.5), jitter(0.5)], &[])]));
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
