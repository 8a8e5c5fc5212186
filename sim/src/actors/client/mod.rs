//! A client: it asks, waits as long as it is willing to, and sometimes asks again.
//!
//! One actor stands for one traffic entry of the scenario. What a user wants is a *wish*; each try at it is a request of
//! its own, with a number of its own and the client's whole deadline. A wish ends with the first answer, or when no
//! further try is left: [`Ended::last`] marks that request, and [`Ended::due`] stays the moment at which the user first
//! wanted it. Retries keep coming in the drain after the last arrival; new wishes do not.

mod arrivals;
mod book;

pub use arrivals::{Arrivals, Due};

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use book::{Book, Try};
use router_core::{Ask, Draw, Entropy, NameId, Outcome, Params, RequestId, Span, Time};

use crate::actor::{Actor, Effect, Ended, Event, Message};
use crate::dice::QuantileTable;
use crate::links::Link;
use crate::scenario::{ClientRetry, Traffic};

/// A client with all that it remembers: the requests that are open, and the wishes that wait for their next try.
#[derive(Clone, Debug)]
pub struct Client {
    /// The `source` of its requests.
    source: u32,
    model: NameId,
    params: Option<Box<Params>>,
    proxy: Link,
    deadline: Option<Span>,
    retry: Option<ClientRetry>,
    prompt_tokens: Arc<QuantileTable>,
    output_tokens: Arc<QuantileTable>,
    arrivals: Arrivals,
    book: Book,
    /// Wishes to be tried again, by when.
    waiting: BinaryHeap<Reverse<(Time, Wish)>>,
}

/// What a user wants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Wish {
    /// Since when.
    due: Time,
    /// How many requests were made for it before.
    retries: u32,
    prompt_tokens: u32,
    output_tokens: u32,
}

impl Client {
    /// The client of a traffic entry, whose requests carry `source` and go to `proxy`. Its wishes come over `duration`
    /// from time zero.
    pub fn new(source: u32, traffic: &Traffic, duration: Span, proxy: Link) -> Self {
        Self {
            source,
            model: traffic.model,
            params: traffic.params.clone(),
            proxy,
            deadline: traffic.deadline,
            retry: traffic.retry,
            prompt_tokens: Arc::new(QuantileTable::new(&traffic.prompt_tokens, 1.0)),
            output_tokens: Arc::new(QuantileTable::new(&traffic.output_tokens, 1.0)),
            arrivals: Arrivals::new(&traffic.arrivals, duration),
            book: Book::default(),
            waiting: BinaryHeap::new(),
        }
    }

    fn on_wake(&mut self, now: Time, entropy: &mut dyn Entropy, out: &mut Vec<Effect>) {
        self.arrivals.begin(entropy);
        while let Some(request) = self.book.overdue(now) {
            out.push(self.proxy.send(now, Message::Cancel { request: self.id(request) }));
            self.end(now, request, None, entropy, out);
        }
        while let Some(&Reverse((at, wish))) = self.waiting.peek()
            && at <= now
        {
            self.waiting.pop();
            self.ask(now, wish, out);
        }
        while let Some(due) = self.arrivals.take(now, entropy) {
            // As many draws for each wish, whatever becomes of it.
            let (prompt_tokens, output_tokens) = due.tokens.unwrap_or_else(|| {
                let mut size = |table: &QuantileTable, what| {
                    u32::try_from(table.sample(entropy.unit(Draw::Sample(what)))).unwrap_or(u32::MAX).max(1)
                };
                (size(&self.prompt_tokens, "prompt tokens"), size(&self.output_tokens, "output tokens"))
            });
            self.ask(now, Wish { due: due.at, retries: 0, prompt_tokens, output_tokens }, out);
        }
    }

    fn ask(&mut self, now: Time, wish: Wish, out: &mut Vec<Effect>) {
        let gives_up_at = self.deadline.map_or(Time::MAX, |deadline| now + deadline);
        let number = self.book.open(Try { wish, gives_up_at });
        let ask = Ask {
            model: self.model,
            prompt_tokens: wish.prompt_tokens,
            output_tokens: wish.output_tokens,
            stream: false,
            params: self.params.clone(),
        };
        out.push(self.proxy.send(now, Message::Ask { request: self.id(number), ask }));
    }

    /// Request `number` is over; an answer to a request that was given up is none of the client's business any more.
    fn end(
        &mut self,
        now: Time,
        number: u64,
        outcome: Option<Outcome>,
        entropy: &mut dyn Entropy,
        out: &mut Vec<Effect>,
    ) {
        let Some(Try { wish, .. }) = self.book.close(number) else { return };
        let again = self.retry.filter(|retry| wish.retries < retry.attempts).and_then(|retry| wait(retry, outcome));
        let (request, last) = (self.id(number), again.is_none());
        out.push(Effect::Ended(Ended { request, due: wish.due, outcome, retries: wish.retries, last }));
        let again = again.map(|wait| wait + self.jitter(wait, entropy));
        match again {
            Some(wait) => self.waiting.push(Reverse((now + wait, Wish { retries: wish.retries + 1, ..wish }))),
            None => self.arrivals.think(now, entropy),
        }
    }

    /// By how much this wait is longer than asked for.
    fn jitter(&self, wait: Span, entropy: &mut dyn Entropy) -> Span {
        match self.retry {
            Some(retry) if retry.jitter > 0.0 => {
                let share = entropy.unit(Draw::Sample("client retry jitter")) * retry.jitter;
                Span::from_secs_f64(wait.as_secs_f64() * share)
            }
            _ => Span::ZERO,
        }
    }

    fn id(&self, number: u64) -> RequestId {
        RequestId::new(self.source, number)
    }
}

impl Actor for Client {
    fn handle(&mut self, now: Time, event: &Event, entropy: &mut dyn Entropy, out: &mut Vec<Effect>) {
        match event {
            Event::Wake => self.on_wake(now, entropy, out),
            Event::Message { message: Message::Answer { request, outcome }, .. } => {
                self.end(now, request.number, Some(*outcome), entropy, out);
            }
            // Nothing else is for a client.
            Event::Message { .. } => {}
        }
    }

    fn next_wake(&self) -> Option<(Time, &'static str)> {
        let arrival = self.arrivals.next().map(|at| (at, "arrival"));
        let deadline = self.book.next_deadline().map(|at| (at, "deadline"));
        let retry = self.waiting.peek().map(|Reverse((at, _))| (*at, "client retry"));
        [deadline, retry, arrival].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

/// How long a client waits before it tries again after `outcome`; `None`: it does not.
///
/// As the SDKs of the providers do: after a missed deadline, 408, 409, 429 and 5xx.
fn wait(retry: ClientRetry, outcome: Option<Outcome>) -> Option<Span> {
    match outcome {
        None => Some(retry.wait),
        Some(Outcome::Answered(_)) => None,
        Some(Outcome::Failed(error)) => matches!(error.client_status, 408 | 409 | 429 | 500..)
            .then(|| error.client_retry_after.filter(|_| retry.honour_retry_after).unwrap_or(retry.wait)),
    }
}

#[cfg(test)]
mod tests;
