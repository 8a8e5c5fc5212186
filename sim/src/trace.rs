//! A run as text: one step, one line.
//!
//! ```text
//! routedrill trace 1
//! 12.500s proxy-0 < client-0: Ask { .. } | Pick(3)=0.4123.. | upstream-2 @12.510s: Call { .. } | Note Picked { .. }
//! ```
//! Time is virtual, in seconds; actors have their names; what they say is written as the program's own types are. The same
//! run gives the same bytes on every machine. Written only when asked for: it costs more than the run itself.

use std::io::{self, Write};

use crate::actor::{ActorId, Effect, Event, Step, Watcher};

/// The first line of every trace. The number rises when the meaning of a line changes.
pub const HEADER: &str = "routedrill trace 1";

/// Writes each step as a line.
#[derive(Debug)]
pub struct Trace<W: Write> {
    out: W,
    names: Vec<String>,
    /// The first thing that went wrong with writing; from then on nothing is written.
    broken: Option<io::Error>,
}

impl<W: Write> Trace<W> {
    /// A trace that goes to `out`, of a run whose actors have these names, by [`ActorId`]. Each line is one write.
    pub fn new(out: W, names: Vec<String>) -> Self {
        let mut trace = Self { out, names, broken: None };
        trace.line(HEADER.to_owned());
        trace
    }

    /// Ends the trace.
    ///
    /// # Errors
    /// The first failure to write, if there was one.
    pub fn finish(mut self) -> io::Result<W> {
        match self.broken.take() {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.out),
        }
    }

    fn line(&mut self, mut line: String) {
        line.push('\n');
        if self.broken.is_none() {
            self.broken = self.out.write_all(line.as_bytes()).err();
        }
    }

    fn name(&self, actor: ActorId) -> &str {
        self.names.get(actor.0 as usize).map_or("?", String::as_str)
    }
}

impl<W: Write> Watcher for Trace<W> {
    fn watch(&mut self, step: &Step<'_>) {
        let mut line = format!("{} {}", step.at, self.name(step.actor));
        match step.event {
            Event::Wake => line += " wakes",
            Event::Message { from, message } => line += &format!(" < {}: {message:?}", self.name(*from)),
        }
        for draw in step.draws {
            line += &format!(" | {:?}={}", draw.what, draw.u);
        }
        for effect in step.effects {
            line += " | ";
            line += &match effect {
                Effect::Send { to, at, message } => format!("{} @{at}: {message:?}", self.name(*to)),
                Effect::Note(note) => format!("Note {note:?}"),
                Effect::Ended(ended) => format!("{ended:?}"),
                Effect::FaultStruck { .. } => format!("{effect:?}"),
            };
        }
        self.line(line);
    }
}

#[cfg(test)]
mod tests {
    use router_core::{AttemptId, DeploymentId, Time};

    use super::*;
    use crate::actor::{DrawKind, Drawn, Message};

    #[test]
    fn one_step_is_one_line() {
        let mut trace = Trace::new(Vec::new(), vec!["proxy-0".into(), "upstream-0".into()]);
        let message = Message::Hangup { attempt: AttemptId(4), deployment: DeploymentId(2) };
        let effects = [Effect::Send { to: ActorId(1), at: Time::from_nanos(2_010_000_000), message }];
        let draws = [Drawn { u: 0.25, what: DrawKind::Pick(3) }];
        trace.watch(&Step {
            at: Time::from_nanos(2_000_000_000),
            actor: ActorId(0),
            event: &Event::Wake,
            draws: &draws,
            effects: &effects,
        });
        let text = String::from_utf8(trace.finish().unwrap()).unwrap();
        assert_eq!(
            text,
            "routedrill trace 1\n2.000s proxy-0 wakes | Pick(3)=0.25 | \
             upstream-0 @2.010s: Hangup { attempt: AttemptId(4), deployment: DeploymentId(2) }\n"
        );
    }

    #[test]
    fn a_disk_that_is_full_is_told_at_the_end() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = Trace::new(Full, vec![]).finish().err().expect("the disk is full");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
