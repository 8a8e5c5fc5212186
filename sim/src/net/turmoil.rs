//! The driver on turmoil's simulated network.
//!
//! A turmoil step is one window of virtual time. In each step a machine first takes in whatever has reached it - its main
//! task sleeps for a part of the step, and a paused tokio clock moves only when no task has anything left to do - then its
//! actors take their steps of the window, and what they send goes out before the step ends.
//!
//! **Lookahead.** A window is as long as the shortest link, so what is sent within a window arrives in a later one. It is
//! there in time even if it has to open a connection first: connections are opened by clients to proxies and by proxies
//! to upstreams only, and turmoil runs the machines in this order, so that both the opening and what follows it reach the
//! receiver within the step in which they are sent. So no connection has to be opened in advance, before time zero or
//! after one was cut, and a burst may be as large as it likes.
//!
//! **Clocks.** turmoil's own link latency is zero: its network carries bytes and settles no time and no order. Its clock
//! counts whole milliseconds; from a shortest link of two milliseconds on, windows are whole milliseconds too and the
//! clock is the virtual time. Below, it runs slower; nothing reads it.
//!
//! **Machines.** All clients share one, each proxy has its own, and all upstreams share a few, because every idle machine
//! costs as much as a busy one.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use router_core::{Draw, Entropy, Span, Time};
use thiserror::Error;

use super::directory::Directory;
use super::labels::WireError;
use super::sockets::Machine;
use super::wire;
use crate::actor::{ActorId, Ensemble, Watcher};
use crate::cast::{AnyActor, Cast};
use crate::dice::Dice;
use crate::digest::Digester;
use crate::host::{Host, Late, Stage, show};
use crate::scenario::{Links, Scenario};
use crate::step::{Ending, Recorder, RunEnd, Seat, Stamp};

/// Where machines listen.
pub(crate) const PORT: u16 = 80;
/// On how many machines upstreams live.
const UPSTREAM_MACHINES: usize = 2;
/// Steps before virtual time begins, in which machines start to listen.
const WARM_UP: u32 = 2;
/// Windows for which a connection stays open after the other side has learned that nobody waits for its answer. An answer
/// that was written before is on its way for one window at most.
const LINGER: u64 = 2;
/// When in a step a machine's actors have their turn. turmoil's clock cannot tell less than a millisecond.
const TURN: Duration = Duration::from_millis(1);
/// The shortest step that has a time before and a time after the turn.
const SHORTEST_STEP: Duration = Duration::from_millis(2);
/// The shortest link that is worth simulating: the number of steps grows as links get shorter.
const SHORTEST_LINK: Span = Span::from_millis(1);
/// Segments that a connection, and connections that a machine, may keep in its queue: turmoil panics when it is full.
const QUEUE: usize = 1 << 16;

/// Why a run on turmoil could not be made, or came to nothing.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Error {
    /// A link of the scenario is too short to be simulated.
    #[error("the link between {link} takes {latency}, and turmoil needs at least {SHORTEST_LINK}")]
    LinkTooShort {
        /// Whom it links.
        link: &'static str,
        /// How long it takes.
        latency: Span,
    },
    /// The wire was too slow: a bug of this driver.
    #[error("a message from actor {} to actor {} for {} arrived after {passed}", stamp.from.0, stamp.to.0, stamp.at)]
    Late {
        /// The message.
        stamp: Stamp,
        /// What had happened by then.
        passed: Time,
    },
    /// A message was not what it should have been.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A task panicked.
    #[error("a task of a simulated machine panicked: {0}")]
    Panicked(String),
    /// turmoil itself gave up.
    #[error("turmoil stopped: {0}")]
    Turmoil(String),
}

impl From<Late> for Error {
    fn from(Late { stamp, passed }: Late) -> Self {
        Self::Late { stamp, passed }
    }
}

/// Runs a scenario's cast from time zero up to `horizon`, as [`engine::run`](crate::engine::run) does, over simulated
/// machines and real HTTP. The watchers see the same steps in the same order.
///
/// # Errors
/// See [`enum@Error`]. After an error the actors are where the run stopped.
pub fn run(
    scenario: &Scenario,
    cast: &mut Cast,
    seed: u64,
    horizon: Time,
    watchers: &mut (impl Watcher + ?Sized),
) -> Result<RunEnd, Error> {
    let pace = Pace::new(&scenario.links)?;
    let count = cast.actors().len();
    let mut digester = Digester::new();
    digester.restart(count);
    let directory = Rc::new(Directory::new(scenario, cast));
    let seats = (0..count as u32).map(|id| Seat::new(ActorId(id), cast.name(ActorId(id)), seed)).collect();
    let machines = machines(cast);
    let stage: Stage<AnyActor> = Rc::new(RefCell::new((std::mem::take(cast.actors()), seats)));

    let mut recorder = Recorder { digester: &mut digester, steps: 0, watchers };
    let run = Run { pace, horizon, machines, directory, stage: stage.clone() };
    let ending = run.carry_out(seed, &mut recorder);
    *cast.actors() = std::mem::take(&mut stage.borrow_mut().0);
    let steps = recorder.steps;
    Ok(RunEnd { ending: ending?, steps, digest: digester.finish() })
}

/// Which actors live on which machine, by its name.
fn machines(cast: &mut Cast) -> Vec<(String, Vec<ActorId>)> {
    let mut clients = Vec::new();
    let mut proxies = Vec::new();
    let mut upstreams = vec![Vec::new(); UPSTREAM_MACHINES];
    for (id, actor) in (0..).map(ActorId).zip(cast.actors().iter()) {
        match actor {
            AnyActor::Client(_) => clients.push(id),
            AnyActor::Proxy(_) | AnyActor::Clairvoyant(_) => {
                proxies.push((format!("proxy-{}", proxies.len()), vec![id]))
            }
            AnyActor::Upstream(_) => upstreams[id.0 as usize % UPSTREAM_MACHINES].push(id),
        }
    }
    // In the order in which they open connections to each other: see "Lookahead" above.
    let mut machines = vec![("clients".to_owned(), clients)];
    machines.extend(proxies);
    machines.extend((0..).zip(upstreams).map(|(index, members)| (format!("upstreams-{index}"), members)));
    machines.retain(|(_, members)| !members.is_empty());
    machines
}

/// How virtual time is cut into turmoil's steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Pace {
    /// Virtual time of a step.
    window: Span,
    /// turmoil's time of a step.
    step: Duration,
}

impl Pace {
    fn new(links: &Links) -> Result<Self, Error> {
        let of = [("client and proxy", links.client), ("proxy and upstream", links.upstream)];
        if let Some((link, latency)) = of.into_iter().find(|(_, latency)| *latency < SHORTEST_LINK) {
            return Err(Error::LinkTooShort { link, latency });
        }
        let shortest = links.client.min(links.upstream);
        let whole = Duration::from_millis(shortest.as_nanos() / 1_000_000);
        Ok(if whole >= SHORTEST_STEP {
            Self { window: Span::from_nanos(whole.as_nanos() as u64), step: whole }
        } else {
            Self { window: shortest, step: SHORTEST_STEP }
        })
    }
}

/// One run.
struct Run {
    pace: Pace,
    horizon: Time,
    machines: Vec<(String, Vec<ActorId>)>,
    directory: Rc<Directory>,
    stage: Stage<AnyActor>,
}

impl Run {
    fn carry_out(&self, seed: u64, watcher: &mut impl Watcher) -> Result<Ending, Error> {
        let hosts: Vec<Rc<RefCell<Host>>> = self
            .machines
            .iter()
            .map(|(_, members)| Rc::new(RefCell::new(Host::new(members.clone(), &self.stage))))
            .collect();
        let fault = Rc::new(RefCell::new(None));
        let ending = Rc::new(RefCell::new(Ending::Finished));
        let mut sim = self.network(seed);
        let addresses = Rc::new(self.addresses());
        for ((name, _), host) in self.machines.iter().zip(&hosts) {
            let live = Live {
                machine: Machine::new(host.clone(), self.directory.clone(), addresses.clone(), fault.clone()),
                host: host.clone(),
                stage: self.stage.clone(),
                directory: self.directory.clone(),
                pace: self.pace,
                horizon: self.horizon,
                ending: ending.clone(),
            };
            let live = Rc::new(live);
            sim.host(name.as_str(), move || live.clone().live());
        }

        let windows = self.horizon.as_nanos().div_ceil(self.pace.window.as_nanos());
        for _ in 0..u64::from(WARM_UP) + windows {
            let stepped = sim.step();
            show(&hosts, watcher);
            if let Some(fault) = fault.borrow_mut().take() {
                return Err(fault);
            }
            stepped.map_err(|error| Error::Turmoil(error.to_string()))?;
            if *ending.borrow() != Ending::Finished {
                break;
            }
        }
        // The tasks of the machines go before what they share with us.
        drop(sim);
        let ending = ending.borrow().clone();
        Ok(ending)
    }

    fn network(&self, seed: u64) -> turmoil::Sim<'static> {
        let mut dice = Dice::named(seed, "turmoil");
        let epoch = UNIX_EPOCH + Duration::from_nanos(self.directory.start_unix_nanos());
        turmoil::Builder::new()
            .rng_seed((dice.unit(Draw::Sample("turmoil's seed")) * (1u64 << 53) as f64) as u64)
            .epoch(epoch)
            .tick_duration(self.pace.step)
            .simulation_duration(Duration::MAX)
            .min_message_latency(Duration::ZERO)
            .max_message_latency(Duration::ZERO)
            .tcp_capacity(QUEUE)
            .build()
    }

    /// The name of the machine on which each actor lives.
    fn addresses(&self) -> Vec<String> {
        let mut addresses = vec![String::new(); self.machines.iter().map(|(_, members)| members.len()).sum()];
        for (name, members) in &self.machines {
            members.iter().for_each(|id| addresses[id.0 as usize].clone_from(name));
        }
        addresses
    }
}

/// A machine at work.
struct Live {
    machine: Rc<Machine>,
    host: Rc<RefCell<Host>>,
    stage: Stage<AnyActor>,
    directory: Rc<Directory>,
    pace: Pace,
    horizon: Time,
    ending: Rc<RefCell<Ending>>,
}

impl Live {
    async fn live(self: Rc<Self>) -> turmoil::Result {
        self.machine.listen().await?;
        let start = tokio::time::Instant::now();
        let mut end = Time::ZERO;
        for step in WARM_UP.. {
            tokio::time::sleep_until(start + self.pace.step * step + TURN).await;
            self.machine.surface();
            end += self.pace.window;
            self.turn(end)?;
            self.machine.cut(end);
            if end >= self.horizon {
                break;
            }
        }
        Ok(())
    }

    /// Lets the machine's actors take their steps up to `end`.
    fn turn(&self, end: Time) -> Result<(), Error> {
        let linger = Span::from_nanos(LINGER * self.pace.window.as_nanos());
        let mut failed = None;
        let ran = self.host.borrow_mut().run_until(end, self.horizon, &self.stage, |sender, now, stamp, message| {
            let limits = |deployment| match sender {
                AnyActor::Upstream(upstream) => upstream.rate_limits(now, deployment),
                AnyActor::Client(_) | AnyActor::Proxy(_) | AnyActor::Clairvoyant(_) => Default::default(),
            };
            let called = |proxy, attempt| self.machine.called(proxy, attempt);
            match wire::pack(&self.directory, now, &stamp, &message, limits, called) {
                Ok(packed) => self.machine.send(stamp, packed, stamp.at + linger),
                Err(error) => failed = failed.take().or(Some(error)),
            }
        });
        if let Err(ending) = ran {
            *self.ending.borrow_mut() = ending;
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(client_micros: u64, upstream_micros: u64) -> Links {
        let micros = |micros| Span::from_nanos(micros * 1000);
        Links { client: micros(client_micros), upstream: micros(upstream_micros) }
    }

    #[test]
    fn a_window_is_the_shortest_link() {
        let pace = Pace::new(&links(50_000, 20_000)).unwrap();
        assert_eq!(pace, Pace { window: Span::from_millis(20), step: Duration::from_millis(20) });
        let pace = Pace::new(&links(21_500, 50_000)).unwrap();
        assert_eq!(pace.window, Span::from_millis(21));
    }

    #[test]
    fn where_a_link_is_too_short_for_turmoil_its_clock_runs_slower() {
        let pace = Pace::new(&links(1_500, 1_000)).unwrap();
        assert_eq!(pace, Pace { window: Span::from_millis(1), step: Duration::from_millis(2) });
    }

    #[test]
    fn a_link_that_is_too_short_is_refused_by_name() {
        let error = Pace::new(&links(1_000, 999)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the link between proxy and upstream takes 0.000999s, and turmoil needs at least 0.001s"
        );
    }
}
