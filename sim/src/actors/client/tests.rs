use router_core::{Answered, DeploymentId, Error, ErrorClass, Usage};

use super::*;
use crate::actor::ActorId;
use crate::dice::Dice;
use crate::scenario::{Arrivals, Quantiles};

const PROXY: ActorId = ActorId(3);
const LINK: Span = Span::from_millis(10);

fn at(seconds: f64) -> Time {
    Time::ZERO + Span::from_secs_f64(seconds)
}

/// One request a second for three seconds, given up after five.
fn traffic() -> Traffic {
    Traffic {
        model: NameId(1),
        arrivals: Arrivals::Constant { rate: 1.0 },
        prompt_tokens: Quantiles(vec![(0.5, 800.0)]),
        output_tokens: Quantiles(vec![(0.5, 150.0)]),
        deadline: Some(Span::from_secs(5)),
        retry: None,
        params: None,
    }
}

fn retry(attempts: u32) -> Option<ClientRetry> {
    Some(ClientRetry { attempts, wait: Span::from_secs(1), honour_retry_after: true, jitter: 0.0 })
}

fn answered() -> Outcome {
    Outcome::Answered(Answered { by: DeploymentId(0), usage: Usage::default() })
}

fn failed(client_status: u16, retry_after: Option<Span>) -> Outcome {
    Outcome::Failed(Error {
        class: ErrorClass::APIError,
        status: Some(client_status),
        client_status,
        client_retry_after: retry_after,
    })
}

struct Drill {
    client: Client,
    dice: Dice,
}

impl Drill {
    fn new(traffic: Traffic) -> Self {
        let client = Client::new(7, &traffic, Span::from_secs(3), Link::new(PROXY, LINK));
        Self { client, dice: Dice::named(1, "client/0") }
    }

    fn step(&mut self, now: Time, event: Event) -> Vec<Effect> {
        let mut out = Vec::new();
        self.client.handle(now, &event, &mut self.dice, &mut out);
        out
    }

    fn answer(&mut self, now: f64, number: u64, outcome: Outcome) -> Vec<Effect> {
        let message = Message::Answer { request: RequestId::new(7, number), outcome };
        self.step(at(now), Event::Message { from: PROXY, message })
    }

    /// Wakes the client whenever it wants, up to `until`; what it did, with the time.
    fn run(&mut self, until: f64) -> Vec<(Time, Effect)> {
        let mut done = Vec::new();
        while let Some((now, _)) = self.client.next_wake().filter(|(now, _)| *now <= at(until)) {
            done.extend(self.step(now, Event::Wake).into_iter().map(|effect| (now, effect)));
        }
        done
    }
}

/// The numbers of the requests that were sent, and when they left.
fn asked(effects: &[(Time, Effect)]) -> Vec<(Time, u64)> {
    let asked = effects.iter().filter_map(|(now, effect)| match effect {
        Effect::Send { to: PROXY, at, message: Message::Ask { request, .. } } => {
            assert_eq!((*at, request.source), (*now + LINK, 7));
            Some((*now, request.number))
        }
        _ => None,
    });
    asked.collect()
}

fn ended(effects: &[Effect]) -> Option<Ended> {
    effects.iter().find_map(|effect| match effect {
        Effect::Ended(ended) => Some(*ended),
        _ => None,
    })
}

#[test]
fn requests_are_numbered_as_they_come_and_end_with_their_answer() {
    let mut drill = Drill::new(traffic());
    assert_eq!(asked(&drill.run(4.0)), [(at(0.0), 0), (at(1.0), 1), (at(2.0), 2)]);
    let end = ended(&drill.answer(4.5, 1, answered())).unwrap();
    let (request, outcome) = (RequestId::new(7, 1), Some(answered()));
    assert_eq!(end, Ended { request, due: at(1.0), outcome, retries: 0, last: true });
    assert_eq!(drill.answer(4.6, 1, answered()), [], "one request ends once");
}

#[test]
fn a_client_that_is_woken_late_asks_for_everything_that_was_due() {
    let mut drill = Drill::new(traffic());
    drill.step(at(0.0), Event::Wake);
    let late = drill.step(at(2.5), Event::Wake);
    assert_eq!(late.len(), 2);
    assert_eq!(ended(&drill.answer(2.6, 1, answered())).unwrap().due, at(1.0));
}

#[test]
fn an_early_wake_changes_nothing() {
    let mut drill = Drill::new(traffic());
    drill.step(at(0.0), Event::Wake);
    assert_eq!(drill.step(at(0.5), Event::Wake), []);
}

#[test]
fn a_missed_deadline_cancels_and_a_late_answer_is_ignored() {
    let mut drill = Drill::new(traffic());
    drill.run(4.0);
    drill.answer(4.0, 0, answered());
    assert_eq!(drill.client.next_wake(), Some((at(6.0), "deadline")));
    let effects = drill.step(at(6.0), Event::Wake);
    let cancel = Message::Cancel { request: RequestId::new(7, 1) };
    assert_eq!(effects[0], Effect::Send { to: PROXY, at: at(6.0) + LINK, message: cancel });
    assert_eq!(ended(&effects).unwrap().outcome, None);
    assert_eq!(drill.answer(6.1, 1, answered()), []);
}

#[test]
fn a_retry_is_a_new_request_for_the_old_wish() {
    let mut drill = Drill::new(Traffic { retry: retry(1), ..traffic() });
    drill.run(2.5);
    let first = ended(&drill.answer(2.5, 0, failed(503, None))).unwrap();
    assert_eq!((first.retries, first.last), (0, false));
    assert_eq!(asked(&drill.run(3.5)), [(at(3.5), 3)]);
    let second = ended(&drill.answer(4.0, 3, failed(503, None))).unwrap();
    assert_eq!((second.due, second.retries, second.last), (at(0.0), 1, true));
}

#[test]
fn a_retry_waits_as_the_answer_says() {
    let mut drill = Drill::new(Traffic { retry: retry(1), ..traffic() });
    drill.run(2.5);
    drill.answer(2.5, 0, failed(429, Some(Span::from_secs(20))));
    drill.answer(2.5, 1, answered());
    drill.answer(2.5, 2, answered());
    assert_eq!(asked(&drill.run(60.0)), [(at(22.5), 3)]);
}

#[test]
fn jitter_spreads_what_one_retry_after_would_bring_back_together() {
    let jittered = retry(1).map(|retry| ClientRetry { jitter: 0.5, ..retry });
    let mut drill = Drill::new(Traffic { retry: jittered, ..traffic() });
    drill.run(2.5);
    for number in 0..3 {
        drill.answer(2.5, number, failed(429, Some(Span::from_secs(20))));
    }
    let mut back: Vec<_> = asked(&drill.run(60.0)).into_iter().map(|(at, _)| at).collect();
    assert!(back.iter().all(|&back| (at(22.5)..at(32.5)).contains(&back)), "{back:?}");
    back.dedup();
    assert_eq!(back.len(), 3, "each comes back at a moment of its own");
}

#[test]
fn only_what_the_sdks_retry_is_retried() {
    for (status, retried) in
        [(400, false), (401, false), (404, false), (408, true), (409, true), (429, true), (500, true)]
    {
        let mut drill = Drill::new(Traffic { retry: retry(1), ..traffic() });
        drill.run(0.0);
        assert_eq!(ended(&drill.answer(0.5, 0, failed(status, None))).unwrap().last, !retried, "{status}");
    }
}

#[test]
fn each_try_has_the_whole_deadline() {
    let mut drill = Drill::new(Traffic { retry: retry(1), arrivals: Arrivals::Constant { rate: 0.3 }, ..traffic() });
    let effects = drill.run(60.0);
    let gave_up: Vec<(Time, bool)> = effects
        .iter()
        .filter_map(|(now, effect)| match effect {
            Effect::Ended(ended) => Some((*now, ended.last)),
            _ => None,
        })
        .collect();
    assert_eq!(gave_up, [(at(5.0), false), (at(11.0), true)]);
}

#[test]
fn users_of_a_closed_loop_think_after_every_wish_but_not_between_retries() {
    let think = Quantiles(vec![(0.5, 0.5)]);
    let mut drill =
        Drill::new(Traffic { arrivals: Arrivals::Closed { users: 1, think }, retry: retry(1), ..traffic() });
    assert_eq!(asked(&drill.run(1.0)), [(at(0.5), 0)]);
    drill.answer(0.75, 0, failed(500, None));
    assert_eq!(asked(&drill.run(1.75)), [(at(1.75), 1)]);
    drill.answer(2.0, 1, answered());
    assert_eq!(asked(&drill.run(2.9)), [(at(2.5), 2)]);
}

#[test]
fn what_is_open_is_remembered_and_nothing_else() {
    let mut drill = Drill::new(Traffic { arrivals: Arrivals::Constant { rate: 1000.0 }, ..traffic() });
    let mut longest = 0;
    for number in 0..2000 {
        let now = number as f64 / 1000.0;
        drill.run(now);
        longest = longest.max(drill.client.book.len());
        if number >= 3 {
            drill.answer(now, number - 3, answered());
        }
    }
    assert!(longest <= 4, "{longest}");
}
