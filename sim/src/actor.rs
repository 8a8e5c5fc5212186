//! Actors and the one way to run them.
//!
//! Client, proxy and upstream are state machines with one verb. A driver only has a queue, a clock and a wire; it runs
//! actors through [`step`](crate::step::step) and nothing else, so what a driver shows can never change what an actor
//! decides.

use router_core::{Ask, AttemptId, DeploymentId, Draw, Entropy, Failure, Note, Outcome, RequestId, Time, Usage};

/// An actor: its position in the cast.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ActorId(pub u32);

/// What reaches an actor.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// The time it asked for has come. One that comes early changes nothing.
    Wake,
    /// A message, at the time that its sender stamped on it.
    Message {
        /// Who sent it.
        from: ActorId,
        /// What it says.
        message: Message,
    },
}

/// What actors say to each other.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// Client to proxy: a request.
    Ask {
        /// The client's name for it.
        request: RequestId,
        /// What is asked for.
        ask: Ask,
    },
    /// Client to proxy: nobody waits for this request any longer.
    Cancel {
        /// The request.
        request: RequestId,
    },
    /// Proxy to client: the request is over.
    Answer {
        /// The request.
        request: RequestId,
        /// How it ended.
        outcome: Outcome,
    },
    /// Proxy to upstream: a call to one deployment.
    Call {
        /// The proxy's name for the call.
        attempt: AttemptId,
        /// Which deployment is called.
        deployment: DeploymentId,
        /// Tokens of the prompt.
        prompt_tokens: u32,
        /// Tokens that the model will write.
        output_tokens: u32,
    },
    /// Proxy to upstream: the proxy hung up.
    Hangup {
        /// The call.
        attempt: AttemptId,
        /// Which deployment was called.
        deployment: DeploymentId,
    },
    /// Upstream to proxy: the end of a call.
    Reply {
        /// The call.
        attempt: AttemptId,
        /// What came of it.
        reply: Reply,
    },
}

/// The text of an error answer: an index into the texts of the cast.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TextId(pub u32);

/// What comes of a call. A call that nobody ever answers has no reply at all.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Reply {
    /// A complete answer.
    Answered {
        /// What it used.
        usage: Usage,
        /// Its finish reason is `content_filter`.
        content_filter: bool,
    },
    /// An error answer, or the connection failed.
    Failed {
        /// What the router sees of it.
        failure: Failure,
        /// The text of an error answer, for a wire that carries bytes.
        text: Option<TextId>,
    },
}

/// What an actor wants to happen, or wants known.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// A message. The sender decides when it arrives: links are part of the actors, not of the driver.
    Send {
        /// To whom.
        to: ActorId,
        /// When it arrives; later than the moment of sending.
        at: Time,
        /// What it says.
        message: Message,
    },
    /// The router's remark on a decision.
    Note(Note),
    /// A client saw a request end: the user's side of the story.
    Ended(Ended),
    /// An upstream's fault struck a call.
    FaultStruck {
        /// Index of the fault in the scenario.
        fault: u32,
        /// The deployment called.
        deployment: DeploymentId,
    },
}

/// How a request ended for the client that made it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ended {
    /// The request.
    pub request: RequestId,
    /// When the user wanted it: latency counts from here, so that a slow world cannot hide by being asked late, nor
    /// behind the client's own retries.
    pub due: Time,
    /// What came back; `None` when the client gave up waiting.
    pub outcome: Option<Outcome>,
    /// How many requests the client had made for the same user's wish before this one.
    pub retries: u32,
    /// The user's wish ends with it: no retry follows. One wish has one such end.
    pub last: bool,
}

/// A state machine with one verb.
pub trait Actor {
    /// Takes one step: everything the actor wants is appended to `out`. Cannot fail and cannot wait.
    fn handle(&mut self, now: Time, event: &Event, entropy: &mut dyn Entropy, out: &mut Vec<Effect>);
    /// When [`Event::Wake`] is next due, and what for.
    fn next_wake(&self) -> Option<(Time, &'static str)>;
}

/// All actors of a run, in the order of their [`ActorId`]s.
pub trait Ensemble {
    /// What an actor is; usually one enum over the kinds of actors, so that no call is dynamic.
    type Actor: Actor;

    /// The actors. A driver may take them out while it runs, and puts them back as they are at the end.
    fn actors(&mut self) -> &mut Vec<Self::Actor>;
    /// An actor's name, which no other actor has: it selects the actor's stream of random numbers.
    fn name(&self, actor: ActorId) -> &str;
}

/// A random number that an actor drew, and what for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Drawn {
    /// The number.
    pub u: f64,
    /// What it decided.
    pub what: DrawKind,
}

/// A [`Draw`] without its borrowed parts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum DrawKind {
    /// Choosing one of so many.
    Pick(u32),
    /// Choosing by weight among so many.
    Weighted(u32),
    /// A step of a shuffle with so many left.
    Order(u32),
    /// The jitter of a wait.
    Jitter,
    /// The jitter of a wait of the provider's own HTTP client.
    ClientJitter,
    /// By how much a cooldown is longer.
    CooldownJitter,
    /// A sample of the world, by name.
    Sample(&'static str),
}

impl From<Draw<'_>> for DrawKind {
    fn from(draw: Draw<'_>) -> Self {
        match draw {
            Draw::Pick { among } => Self::Pick(among as u32),
            Draw::Weighted { by } => Self::Weighted(by.len() as u32),
            Draw::Order { among } => Self::Order(among as u32),
            Draw::Jitter => Self::Jitter,
            Draw::ClientJitter => Self::ClientJitter,
            Draw::CooldownJitter => Self::CooldownJitter,
            Draw::Sample(name) => Self::Sample(name),
        }
    }
}

/// One step of one actor, as watchers see it. Borrowed from buffers that are used again: nothing is allocated.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// When.
    pub at: Time,
    /// Who.
    pub actor: ActorId,
    /// What reached it.
    pub event: &'a Event,
    /// The random numbers it drew.
    pub draws: &'a [Drawn],
    /// What it wanted.
    pub effects: &'a [Effect],
}

/// A reader of steps: metrics, traces, digests, invariants. Watchers never change what happens.
pub trait Watcher {
    /// Called once for each step, in the order in which the steps were taken.
    fn watch(&mut self, step: &Step<'_>);
}

/// Nobody watches.
impl Watcher for () {
    fn watch(&mut self, _: &Step<'_>) {}
}

impl<W: Watcher + ?Sized> Watcher for &mut W {
    fn watch(&mut self, step: &Step<'_>) {
        (**self).watch(step);
    }
}

impl<W: Watcher + ?Sized> Watcher for Box<W> {
    fn watch(&mut self, step: &Step<'_>) {
        (**self).watch(step);
    }
}

/// Watches if there is somebody to watch.
impl<W: Watcher> Watcher for Option<W> {
    fn watch(&mut self, step: &Step<'_>) {
        if let Some(watcher) = self {
            watcher.watch(step);
        }
    }
}

impl<A: Watcher, B: Watcher> Watcher for (A, B) {
    fn watch(&mut self, step: &Step<'_>) {
        self.0.watch(step);
        self.1.watch(step);
    }
}

impl<A: Watcher, B: Watcher, C: Watcher> Watcher for (A, B, C) {
    fn watch(&mut self, step: &Step<'_>) {
        self.0.watch(step);
        self.1.watch(step);
        self.2.watch(step);
    }
}
