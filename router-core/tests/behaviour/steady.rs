//! What must hold whatever happens.

use router_core::{AttemptId, Draw, Entropy, Input, Output, Plan, RequestId, Router, Time, Usage};

use crate::drill::config;

struct Zero;

impl Entropy for Zero {
    fn unit(&mut self, _: Draw<'_>) -> f64 {
        0.0
    }
}

#[test]
fn news_of_what_is_over_changes_nothing() {
    let mut router = Router::new(Plan::new(&config("g")).expect("a valid config"));
    let mut out = Vec::new();
    let finished = |attempt| Input::Finished { attempt, usage: Usage::default(), content_filter: false };
    for input in [
        finished(AttemptId(77)),
        Input::Chunk { attempt: AttemptId(u64::MAX) },
        Input::Cancelled { request: RequestId::new(3, 9) },
        Input::Wake,
    ] {
        router.handle(Time::ZERO, input, &mut Zero, &mut out);
    }
    assert_eq!(out, Vec::<Output>::new());
    assert!(router.next_wake().is_none());
}
