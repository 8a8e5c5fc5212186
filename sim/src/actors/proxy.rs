//! A LiteLLM proxy: the router in a coat.
//!
//! Messages become inputs, outputs become effects, and the router's next wake is the actor's. The coat decides one thing
//! only, which the real proxy decides before its Router is asked as well: a model that nothing serves is refused.

use router_core::{
    Ask, Entropy, Error, ErrorClass, Input, Mode, NameId, Outcome, Output, Plan, RequestId, Router, Span, Time,
    WakeReason,
};

use crate::actor::{Actor, ActorId, Effect, Event, Message, Reply};
use crate::links::Link;

/// A proxy with its router.
#[derive(Debug)]
pub struct Proxy {
    router: Router,
    /// Whom to call, by deployment.
    upstreams: Vec<Link>,
    /// How long an answer travels to its client.
    latency: Span,
    /// Whether a name is refused before the router is asked, by [`NameId`].
    refused: Vec<bool>,
    /// Used again for each step.
    outputs: Vec<Output>,
}

/// What LiteLLM's proxy answers to `Invalid model name passed in model=...`.
pub(super) const INVALID_MODEL: Error =
    Error { class: ErrorClass::BadRequestError, status: Some(400), client_status: 400, client_retry_after: None };

impl Proxy {
    /// A proxy that runs `router`, built from `plan`, calls each deployment over its link in `upstreams` and answers its
    /// clients over links that take `latency`. Clients are the actors whose numbers their requests carry as source.
    pub fn new(router: Router, plan: &Plan, upstreams: Vec<Link>, latency: Span) -> Self {
        let names = (0..plan.name_count() as u32).map(NameId);
        let refused = match plan.mode() {
            Mode::Proxy => names.map(|name| plan.members(name).is_empty()).collect(),
            // In process there is nobody in front of the Router.
            Mode::Sdk => names.map(|_| false).collect(),
        };
        Self { router, upstreams, latency, refused, outputs: Vec::new() }
    }

    /// The router inside, to look at.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// The router inside, to ask for explanations.
    pub fn router_mut(&mut self) -> &mut Router {
        &mut self.router
    }

    fn is_refused(&self, ask: &Ask) -> bool {
        self.refused.get(ask.model.index()).copied().unwrap_or(true)
    }

    fn answer(&self, now: Time, request: RequestId, outcome: Outcome) -> Effect {
        Link::new(ActorId(request.source), self.latency).send(now, Message::Answer { request, outcome })
    }

    /// What an output of the router means to the world, if it means anything.
    fn effect(&self, now: Time, output: Output) -> Option<Effect> {
        let call = |to: router_core::DeploymentId, message| Some(self.upstreams[to.index()].send(now, message));
        match output {
            Output::Dispatch { attempt, to, prompt_tokens, output_tokens, .. } => {
                call(to, Message::Call { attempt, deployment: to, prompt_tokens, output_tokens })
            }
            Output::Abort { attempt, to } => call(to, Message::Hangup { attempt, deployment: to }),
            Output::Answer { request, outcome } => Some(self.answer(now, request, outcome)),
            Output::Note(note) => Some(Effect::Note(note)),
            // Upstreams answer in one piece: there is nothing to relay.
            Output::Relay { .. } => None,
        }
    }
}

impl Actor for Proxy {
    fn handle(&mut self, now: Time, event: &Event, entropy: &mut dyn Entropy, out: &mut Vec<Effect>) {
        let input = match event {
            Event::Wake => Input::Wake,
            Event::Message { message, .. } => match *message {
                Message::Ask { request, ref ask } if self.is_refused(ask) => {
                    out.push(self.answer(now, request, Outcome::Failed(INVALID_MODEL)));
                    return;
                }
                Message::Ask { request, ref ask } => Input::Arrived { request, ask: ask.clone() },
                Message::Cancel { request } => Input::Cancelled { request },
                Message::Reply { attempt, reply: Reply::Answered { usage, content_filter } } => {
                    Input::Finished { attempt, usage, content_filter }
                }
                Message::Reply { attempt, reply: Reply::Failed { failure, .. } } => Input::Failed { attempt, failure },
                // Nothing else is for a proxy.
                Message::Answer { .. } | Message::Call { .. } | Message::Hangup { .. } => return,
            },
        };
        let mut outputs = std::mem::take(&mut self.outputs);
        self.router.handle(now, input, entropy, &mut outputs);
        out.extend(outputs.drain(..).filter_map(|output| self.effect(now, output)));
        self.outputs = outputs;
    }

    fn next_wake(&self) -> Option<(Time, &'static str)> {
        self.router.next_wake().map(|(at, reason)| match reason {
            WakeReason::Timeout => (at, "timeout"),
            WakeReason::Backoff => (at, "backoff"),
        })
    }
}
