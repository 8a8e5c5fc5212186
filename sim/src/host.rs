//! Some actors of a run that live on one machine, and what has arrived for them: the part of a driver with a real wire
//! that knows the order of a run.
//!
//! Time on a host moves in windows. When everything that can arrive before the end of a window has arrived, the host
//! lets its actors take all steps of that window, in the order of stamps, each at the time of its own stamp. What
//! arrives later than the stamp on it is an error: the wire was too slow for the windows, and the run is worth nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use router_core::Time;

use crate::actor::{Actor, ActorId, Drawn, Effect, Event, Message, Step, Watcher};
use crate::engine::Wakes;
use crate::step::{Ending, Pulse, Seat, Stamp, due, step};

/// All actors of a run, wherever they live, and their seats.
pub(crate) type Stage<A> = Rc<RefCell<(Vec<A>, Vec<Seat>)>>;

/// One machine.
#[derive(Debug)]
pub(crate) struct Host {
    members: Vec<ActorId>,
    wakes: Wakes,
    inbox: BTreeMap<Stamp, Event>,
    /// The end of the last window: everything before has happened.
    passed: Time,
    pulse: Pulse,
    log: VecDeque<Taken>,
}

/// A message came after the time at which it should have been there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Late {
    pub(crate) stamp: Stamp,
    pub(crate) passed: Time,
}

/// A step that was taken, kept until the steps of all hosts can be shown in the order of the run.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Taken {
    pub(crate) stamp: Stamp,
    event: Event,
    draws: Vec<Drawn>,
    effects: Vec<Effect>,
}

impl Taken {
    /// The step as watchers see it.
    pub(crate) fn as_step(&self) -> Step<'_> {
        Step { at: self.stamp.at, actor: self.stamp.to, event: &self.event, draws: &self.draws, effects: &self.effects }
    }
}

impl Host {
    /// A host of these actors, of so many in all, before anything has happened.
    pub(crate) fn new<A: Actor>(members: Vec<ActorId>, stage: &Stage<A>) -> Self {
        let (actors, _) = &*stage.borrow();
        let mut wakes = Wakes::default();
        wakes.restart(actors.len());
        for member in &members {
            wakes.set(*member, due(&actors[member.0 as usize], Time::ZERO));
        }
        Self {
            members,
            wakes,
            inbox: BTreeMap::new(),
            passed: Time::ZERO,
            pulse: Pulse::default(),
            log: VecDeque::new(),
        }
    }

    /// Keeps a message until its time comes.
    ///
    /// # Errors
    /// When its time has passed already.
    pub(crate) fn receive(&mut self, stamp: Stamp, message: Message) -> Result<(), Late> {
        if stamp.at < self.passed {
            return Err(Late { stamp, passed: self.passed });
        }
        self.inbox.insert(stamp, Event::Message { from: stamp.from, message });
        Ok(())
    }

    /// Lets the actors take all steps before `end`. `send` is given every message that has to leave the host, right after
    /// the step that sent it, with its sender and the time of the step. Messages that would arrive at `horizon` or later
    /// go nowhere: the run is over by then.
    ///
    /// # Errors
    /// When time stands still.
    pub(crate) fn run_until<A: Actor>(
        &mut self,
        end: Time,
        horizon: Time,
        stage: &Stage<A>,
        mut send: impl FnMut(&mut A, Time, Stamp, Message),
    ) -> Result<(), Ending> {
        let (actors, seats) = &mut *stage.borrow_mut();
        let mut effects = Vec::new();
        let end = end.min(horizon);
        loop {
            let wake = self.wakes.first();
            let message = self.inbox.first_key_value().map(|(stamp, _)| *stamp).filter(|stamp| *stamp < wake);
            let stamp = message.unwrap_or(wake);
            if stamp.at >= end {
                break;
            }
            let event = message.and_then(|stamp| self.inbox.remove(&stamp)).unwrap_or(Event::Wake);
            let (now, index) = (stamp.at, stamp.to.0 as usize);
            let (actor, seat) = (&mut actors[index], &mut seats[index]);
            step(actor, seat, now, &event, &mut effects, &mut Keep { stamp, log: &mut self.log });
            for effect in effects.drain(..) {
                let Effect::Send { to, at, message } = effect else { continue };
                let stamp = seat.stamp(now, to, at);
                if at >= horizon {
                    continue;
                }
                if self.members.contains(&to) {
                    self.inbox.insert(stamp, Event::Message { from: seat.id, message });
                } else {
                    send(actor, now, stamp, message);
                }
            }
            self.wakes.set(seat.id, due(actor, now));
            if !self.pulse.beat(now) {
                let wants = actor.next_wake().map(|(_, wants)| wants);
                return Err(Ending::Livelock { at: now, actor: seat.id, wants });
            }
        }
        self.passed = self.passed.max(end);
        Ok(())
    }
}

/// Keeps a copy of each step.
struct Keep<'a> {
    stamp: Stamp,
    log: &'a mut VecDeque<Taken>,
}

impl Watcher for Keep<'_> {
    fn watch(&mut self, step: &Step<'_>) {
        self.log.push_back(Taken {
            stamp: self.stamp,
            event: step.event.clone(),
            draws: step.draws.to_vec(),
            effects: step.effects.to_vec(),
        });
    }
}

/// Shows the steps that the hosts have taken, in the order in which the engine would have taken them, and forgets them.
/// All hosts must have come to the end of the same window.
pub(crate) fn show(hosts: &[Rc<RefCell<Host>>], watcher: &mut impl Watcher) {
    loop {
        // Of each host only its next step counts, not its earliest stamp: a wake for "now" is stamped before the message
        // that caused it.
        let next = hosts.iter().filter_map(|host| Some((host.borrow().log.front()?.stamp, host)));
        let Some((_, host)) = next.min_by_key(|(stamp, _)| *stamp) else { return };
        if let Some(taken) = host.borrow_mut().log.pop_front() {
            watcher.watch(&taken.as_step());
        }
    }
}

#[cfg(test)]
mod tests {
    use router_core::{AttemptId, DeploymentId, Entropy, Span};

    use super::*;

    const SPAN: Span = Span::from_millis(10);

    fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    /// Sends on whatever it gets; wakes once for each message, at the same moment.
    struct Relay {
        to: ActorId,
        wake: Option<Time>,
    }

    impl Actor for Relay {
        fn handle(&mut self, now: Time, event: &Event, _: &mut dyn Entropy, out: &mut Vec<Effect>) {
            self.wake = None;
            if let Event::Message { message, .. } = event {
                self.wake = Some(now);
                out.push(Effect::Send { to: self.to, at: now + SPAN, message: message.clone() });
            }
        }

        fn next_wake(&self) -> Option<(Time, &'static str)> {
            self.wake.map(|at| (at, "relayed"))
        }
    }

    fn stage(relays: Vec<Relay>) -> Stage<Relay> {
        let seats = (0..relays.len() as u32).map(|id| Seat::new(ActorId(id), &id.to_string(), 1)).collect();
        Rc::new(RefCell::new((relays, seats)))
    }

    fn ball() -> Message {
        Message::Hangup { attempt: AttemptId(0), deployment: DeploymentId(0) }
    }

    fn stamp(millis: u64, to: u32) -> Stamp {
        Stamp { at: at(millis), to: ActorId(to), from: ActorId(9), seq: 1 }
    }

    #[test]
    fn steps_have_the_time_of_their_stamps_and_leave_with_theirs() {
        let stage = stage(vec![Relay { to: ActorId(1), wake: None }, Relay { to: ActorId(0), wake: None }]);
        let mut host = Host::new(vec![ActorId(0)], &stage);
        host.receive(stamp(7, 0), ball()).unwrap();
        host.receive(stamp(3, 0), ball()).unwrap();
        let mut out = Vec::new();
        host.run_until(at(5), at(1000), &stage, |_, sent, stamp, _| out.push((sent, stamp.at))).unwrap();
        assert_eq!(out, [(at(3), at(13))]);
        host.run_until(at(10), at(1000), &stage, |_, _, _, _| {}).unwrap();
        let stamps: Vec<Time> = host.log.iter().map(|taken| taken.stamp.at).collect();
        assert_eq!(stamps, [at(3), at(3), at(7), at(7)]);
    }

    #[test]
    fn a_message_that_comes_after_its_stamp_is_an_error() {
        let stage = stage(vec![Relay { to: ActorId(0), wake: None }]);
        let mut host = Host::new(vec![ActorId(0)], &stage);
        host.run_until(at(10), at(1000), &stage, |_, _, _, _| {}).unwrap();
        assert!(host.receive(stamp(10, 0), ball()).is_ok());
        assert_eq!(host.receive(stamp(9, 0), ball()), Err(Late { stamp: stamp(9, 0), passed: at(10) }));
    }

    #[test]
    fn neighbours_reach_each_other_without_a_wire() {
        let stage = stage(vec![Relay { to: ActorId(1), wake: None }, Relay { to: ActorId(0), wake: None }]);
        let mut host = Host::new(vec![ActorId(0), ActorId(1)], &stage);
        host.receive(stamp(0, 0), ball()).unwrap();
        host.run_until(at(100), at(35), &stage, |_, _, _, _| panic!("nothing leaves")).unwrap();
        // 0, 10, 20 and 30 ms, and the wake after each; nothing at the horizon or after it.
        assert_eq!(host.log.len(), 8);
    }

    #[test]
    fn the_steps_of_two_hosts_are_shown_in_the_order_of_the_engine() {
        struct Seen(Vec<(u64, u32, bool)>);
        impl Watcher for Seen {
            fn watch(&mut self, step: &Step<'_>) {
                let wake = *step.event == Event::Wake;
                self.0.push((step.at.as_nanos() / 1_000_000, step.actor.0, wake));
            }
        }
        let stage = stage(vec![Relay { to: ActorId(1), wake: None }, Relay { to: ActorId(0), wake: None }]);
        let mut hosts = [Host::new(vec![ActorId(1)], &stage), Host::new(vec![ActorId(0)], &stage)];
        hosts[0].receive(stamp(2, 1), ball()).unwrap();
        hosts[1].receive(stamp(2, 0), ball()).unwrap();
        hosts[0].receive(stamp(1, 1), ball()).unwrap();
        for host in &mut hosts {
            host.run_until(at(5), at(1000), &stage, |_, _, _, _| {}).unwrap();
        }
        let hosts = hosts.map(|host| Rc::new(RefCell::new(host)));
        let mut seen = Seen(Vec::new());
        show(&hosts, &mut seen);
        let expected = [(1, 1, false), (1, 1, true), (2, 0, false), (2, 0, true), (2, 1, false), (2, 1, true)];
        assert_eq!(seen.0, expected);
    }
}
