//! The only caller of an actor, and what every driver must agree on: the order of events, when an actor is woken, and
//! how a run ends.

use router_core::Time;

use crate::actor::{Actor, ActorId, Effect, Event, Step, Watcher};
use crate::dice::Dice;
use crate::digest::{Digest, Digester};

/// The place of an event in the order of a run: by time, then destination, then source, then the source's own count.
///
/// The sender writes it, so no driver can disagree about it, whatever way the event travels. A wake counts as a message
/// from an actor to itself with the sequence number 0; messages count from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stamp {
    /// When it arrives.
    pub at: Time,
    /// Where.
    pub to: ActorId,
    /// Who sent it.
    pub from: ActorId,
    /// Which message of that sender it is, whoever the others went to.
    pub seq: u64,
}

impl Stamp {
    /// The stamp of an actor's wake.
    pub const fn wake(at: Time, actor: ActorId) -> Self {
        Self { at, to: actor, from: actor, seq: 0 }
    }
}

/// What surrounds one actor: its name in the run, its dice, and how many messages it has sent.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Who sits here.
    pub id: ActorId,
    dice: Dice,
    sent: u64,
}

impl Seat {
    /// The seat of the actor `name` in a run under `seed`.
    pub fn new(id: ActorId, name: &str, seed: u64) -> Self {
        Self { id, dice: Dice::named(seed, name), sent: 0 }
    }

    /// The stamp of the next message that this actor sends.
    ///
    /// # Panics
    /// If the message would arrive at or before the moment of sending. Links take time; an actor that forgets it has a
    /// bug, and without this rule "everything before this moment has happened" would never be true.
    pub fn stamp(&mut self, now: Time, to: ActorId, at: Time) -> Stamp {
        assert!(at > now, "actor {} sends a message at {now} that arrives at {at}", self.id.0);
        self.sent += 1;
        Stamp { at, to, from: self.id, seq: self.sent }
    }
}

/// Lets one actor take one step, and shows it to the watchers. Afterwards `effects` holds what the actor wants.
pub fn step<A: Actor>(
    actor: &mut A,
    seat: &mut Seat,
    now: Time,
    event: &Event,
    effects: &mut Vec<Effect>,
    watchers: &mut (impl Watcher + ?Sized),
) {
    seat.dice.forget();
    effects.clear();
    actor.handle(now, event, &mut seat.dice, effects);
    watchers.watch(&Step { at: now, actor: seat.id, event, draws: seat.dice.drawn(), effects });
}

/// When an actor must be woken next, from `now` on: what it asks for, but never in the past, and never at
/// [`Time::MAX`], which means "not at all".
pub fn due(actor: &impl Actor, now: Time) -> Time {
    actor.next_wake().map_or(Time::MAX, |(at, _)| at.max(now))
}

/// Stops a run in which time stands still.
///
/// An actor that always wants to be woken "now" would keep a driver busy for ever. The longest honest queue at one
/// moment is a burst of requests, and is far shorter than [`Pulse::LIMIT`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pulse {
    at: Time,
    steps: u64,
}

impl Pulse {
    /// Steps at one and the same moment that a run may take.
    pub const LIMIT: u64 = 4_000_000;

    /// Counts a step at `now`; `false` when there were too many at this moment.
    pub fn beat(&mut self, now: Time) -> bool {
        if now > self.at {
            *self = Self { at: now, steps: 0 };
        }
        self.steps += 1;
        self.steps <= Self::LIMIT
    }
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunEnd {
    /// What happened, as a number: equal for two runs in which every actor took the same steps.
    pub digest: Digest,
    /// How many steps were taken.
    pub steps: u64,
    /// Why it ended.
    pub ending: Ending,
}

/// Why a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It reached its horizon.
    Finished,
    /// Time stood still: an actor kept being busy at one moment. A bug, never a property of a router.
    Livelock {
        /// When.
        at: Time,
        /// The actor that took the last step.
        actor: ActorId,
        /// What it wants to be woken for.
        wants: Option<&'static str>,
    },
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Finished => write!(f, "finished"),
            Self::Livelock { at, actor, wants } => write!(
                f,
                "livelock at {at}: actor {} takes step after step (wakes for: {})",
                actor.0,
                wants.unwrap_or("nothing")
            ),
        }
    }
}

/// The watchers of a run together with the two that no run goes without: the digest and the count of steps.
#[derive(Debug)]
pub(crate) struct Recorder<'a, W: ?Sized> {
    pub(crate) digester: &'a mut Digester,
    pub(crate) steps: u64,
    pub(crate) watchers: &'a mut W,
}

impl<W: Watcher + ?Sized> Watcher for Recorder<'_, W> {
    fn watch(&mut self, step: &Step<'_>) {
        self.steps += 1;
        self.digester.watch(step);
        self.watchers.watch(step);
    }
}
