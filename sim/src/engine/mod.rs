//! The event engine: the driver that defines what a run means.
//!
//! It takes the first event in the order of [stamps](crate::step::Stamp), lets its actor take a step, files what the
//! actor sent, and looks when the actor wants to be woken. A run ends at a fixed horizon: every event before it
//! happens, none at or after it, whatever is still open. Memory grows with what is under way at once, never with the
//! length of a run.

mod calendar;
mod lanes;
mod pool;
mod queue;
mod wakes;

use router_core::Time;

use self::queue::Queue;
pub(crate) use self::wakes::Wakes;
use crate::actor::{Actor, ActorId, Effect, Ensemble, Event, Watcher};
use crate::digest::Digester;
use crate::step::{Ending, Pulse, Recorder, RunEnd, Seat, due, step};

/// The engine's memory. One engine runs any number of runs one after the other, and none of them learns of another.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    queue: Queue,
    wakes: Wakes,
    seats: Vec<Seat>,
    effects: Vec<Effect>,
    digester: Digester,
}

impl Engine {
    /// An engine without any memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs the actors from time zero up to `horizon`, which itself no longer happens.
    ///
    /// # Panics
    /// When an actor sends to nobody, or a message that takes no time: both are bugs in the actor.
    pub fn run<E: Ensemble>(
        &mut self,
        ensemble: &mut E,
        seed: u64,
        horizon: Time,
        watchers: &mut (impl Watcher + ?Sized),
    ) -> RunEnd {
        let count = ensemble.actors().len();
        self.seats.clear();
        self.seats.extend((0..count as u32).map(|id| Seat::new(ActorId(id), ensemble.name(ActorId(id)), seed)));
        self.queue.restart();
        self.wakes.restart(count);
        self.digester.restart(count);
        let actors = ensemble.actors();
        for (id, actor) in (0..).zip(actors.iter()) {
            self.wakes.set(ActorId(id), due(actor, Time::ZERO));
        }

        let mut recorder = Recorder { digester: &mut self.digester, steps: 0, watchers };
        let mut pulse = Pulse::default();
        let ending = loop {
            let wake = self.wakes.first();
            let message = self.queue.first(wake.at).filter(|message| message.stamp < wake);
            let stamp = message.map_or(wake, |message| message.stamp);
            if stamp.at >= horizon {
                break Ending::Finished;
            }
            let (now, index) = (stamp.at, stamp.to.0 as usize);
            let (actor, seat) = (&mut actors[index], &mut self.seats[index]);
            match message {
                None => step(actor, seat, now, &Event::Wake, &mut self.effects, &mut recorder),
                Some(message) => {
                    let slot = self.queue.pop(message);
                    step(actor, seat, now, self.queue.event(slot), &mut self.effects, &mut recorder);
                    self.queue.discard(slot);
                }
            }
            for effect in self.effects.drain(..) {
                let Effect::Send { to, at, message } = effect else { continue };
                assert!((to.0 as usize) < count, "actor {index} sends to actor {}, whom nobody knows", to.0);
                let stamp = seat.stamp(now, to, at);
                if at < horizon {
                    self.queue.push(now, stamp, Event::Message { from: seat.id, message });
                }
            }
            self.wakes.set(seat.id, due(actor, now));
            if !pulse.beat(now) {
                let wants = actor.next_wake().map(|(_, wants)| wants);
                break Ending::Livelock { at: now, actor: seat.id, wants };
            }
        };
        let steps = recorder.steps;
        RunEnd { digest: self.digester.finish(), steps, ending }
    }
}

/// Runs the actors once, with memory of its own: see [`Engine::run`].
pub fn run<E: Ensemble>(ensemble: &mut E, seed: u64, horizon: Time, watchers: &mut (impl Watcher + ?Sized)) -> RunEnd {
    Engine::new().run(ensemble, seed, horizon, watchers)
}

#[cfg(test)]
mod tests {
    use router_core::{AttemptId, DeploymentId, Draw, Entropy, Span};

    use super::*;
    use crate::actor::{Message, Step};

    /// Wakes at its own rhythm, passes on what it gets after a random time, and counts.
    struct Bouncer {
        id: u32,
        of: u32,
        next: Option<Time>,
        every: Span,
    }

    impl Actor for Bouncer {
        fn handle(&mut self, now: Time, event: &Event, entropy: &mut dyn Entropy, out: &mut Vec<Effect>) {
            if let Event::Wake = event {
                self.next = self.next.map(|at| at + self.every);
            }
            let travel = (entropy.unit(Draw::Sample("travel")) * 3e9) as u64 + 1;
            let message = Message::Hangup { attempt: AttemptId(now.as_nanos()), deployment: DeploymentId(self.id) };
            if entropy.unit(Draw::Jitter) < 0.95 {
                out.push(Effect::Send {
                    to: ActorId((self.id + 1) % self.of),
                    at: now + Span::from_nanos(travel),
                    message,
                });
            }
        }

        fn next_wake(&self) -> Option<(Time, &'static str)> {
            self.next.map(|at| (at, "rhythm"))
        }
    }

    struct Bouncers(Vec<Bouncer>, Vec<String>);

    impl Ensemble for Bouncers {
        type Actor = Bouncer;
        fn actors(&mut self) -> &mut Vec<Bouncer> {
            &mut self.0
        }
        fn name(&self, actor: ActorId) -> &str {
            &self.1[actor.0 as usize]
        }
    }

    fn bouncers(every: u64) -> Bouncers {
        let one = |id| Bouncer { id, of: 5, next: (id < 2).then_some(Time::ZERO), every: Span::from_nanos(every) };
        Bouncers((0..5).map(one).collect(), (0..5).map(|id| format!("bouncer-{id}")).collect())
    }

    struct Order {
        last: (Time, ActorId),
        ended_before: Time,
    }

    impl Watcher for Order {
        fn watch(&mut self, step: &Step<'_>) {
            assert!((step.at, step.actor) >= self.last, "{step:?} comes after {:?}", self.last);
            assert!(step.at < self.ended_before);
            self.last = (step.at, step.actor);
        }
    }

    #[test]
    fn steps_come_in_order_and_end_at_the_horizon() {
        let horizon = Time::from_nanos(60_000_000_000);
        let mut order = Order { last: (Time::ZERO, ActorId(0)), ended_before: horizon };
        let end = run(&mut bouncers(100_000_000), 1, horizon, &mut order);
        assert_eq!(end.ending, Ending::Finished);
        assert!(end.steps > 10_000, "{}", end.steps);
    }

    #[test]
    fn a_seed_is_a_run_and_an_engine_has_no_memory_of_another() {
        let horizon = Time::from_nanos(10_000_000_000);
        let once = run(&mut bouncers(50_000_000), 7, horizon, &mut ());
        let mut engine = Engine::new();
        let other = engine.run(&mut bouncers(50_000_000), 8, horizon, &mut ());
        assert_ne!(once.digest, other.digest);
        assert_eq!(once, engine.run(&mut bouncers(50_000_000), 7, horizon, &mut ()));
    }

    #[test]
    fn a_run_in_which_time_stands_still_ends_and_names_the_culprit() {
        let end = run(&mut bouncers(0), 1, Time::from_nanos(1_000), &mut ());
        assert_eq!(end.ending, Ending::Livelock { at: Time::ZERO, actor: ActorId(0), wants: Some("rhythm") });
        assert!(end.ending.to_string().contains("rhythm"));
    }

    #[test]
    #[should_panic(expected = "that arrives at")]
    fn a_message_that_takes_no_time_is_a_bug() {
        let mut seat = Seat::new(ActorId(0), "a", 1);
        seat.stamp(Time::from_nanos(5), ActorId(1), Time::from_nanos(5));
    }
}
