//! How long messages travel. The sender stamps the time of arrival on each message, so no driver has a say in it.

use router_core::{Span, Time};

use crate::actor::{ActorId, Effect, Message};

/// The way from one actor to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    to: ActorId,
    latency: Span,
}

impl Link {
    /// A way to `to` that takes `latency`; at least one nanosecond, for nothing arrives at the moment it is sent.
    pub fn new(to: ActorId, latency: Span) -> Self {
        Self { to, latency: latency.max(Span::from_nanos(1)) }
    }

    /// Sends a message that leaves at `at`.
    pub fn send(&self, at: Time, message: Message) -> Effect {
        Effect::Send { to: self.to, at: self.arrival(at), message }
    }

    /// When a message arrives that leaves at `at`.
    pub fn arrival(&self, at: Time) -> Time {
        at + self.latency
    }
}
