use router_core::{Failure, FailureKind, Wording};

use super::*;
use crate::scenario::{Quantiles, QuotaWindow};

const PROXY: ActorId = ActorId(9);
const LINK: Span = Span::from_millis(10);
const D: DeploymentId = DeploymentId(4);

/// Gives the same number for ever and remembers the questions.
struct Fixed(f64, Vec<&'static str>);

impl Entropy for Fixed {
    fn unit(&mut self, why: Draw<'_>) -> f64 {
        if let Draw::Sample(name) = why {
            self.1.push(name);
        }
        self.0
    }
}

fn status(code: u16) -> Refusal {
    let kind = FailureKind::Status { code, wording: Wording::default() };
    Refusal { failure: Failure { kind, retry_after: RetryAfter::Absent }, text: None }
}

/// One second to the first token, 10 ms for each other.
fn served() -> Served {
    let constant = |seconds| Arc::new(QuantileTable::new(&Quantiles(vec![(0.5, seconds)]), 1e9));
    Served {
        deployment: D,
        ttft: constant(1.0),
        tpot: constant(0.01),
        station: None,
        quotas: Vec::new(),
        strikes: Vec::new(),
        over_quota: [status(429), status(429)],
        retry_after: true,
    }
}

fn strike(fault: u32, probability: f64, blow: Blow) -> Strike {
    Strike { fault, from: Time::ZERO, until: Time::MAX, probability, blow }
}

fn quota(unit: QuotaUnit, limit: u64) -> SharedQuota {
    let limits = vec![LimitFrom { from: Time::ZERO, limit, cut_by: None }];
    SharedQuota { unit, meter: Meter::new(QuotaWindow::Fixed(Span::from_secs(60)), limits) }
}

fn at(seconds: f64) -> Time {
    Time::ZERO + Span::from_secs_f64(seconds)
}

struct Drill {
    upstream: Upstream,
    entropy: Fixed,
    calls: u64,
}

impl Drill {
    fn new(served: Served, quotas: Vec<SharedQuota>) -> Self {
        Self { upstream: Upstream::new(vec![served], quotas, LINK), entropy: Fixed(0.5, Vec::new()), calls: 0 }
    }

    fn tell(&mut self, now: f64, message: Message) -> Vec<Effect> {
        let mut out = Vec::new();
        self.upstream.handle(at(now), &Event::Message { from: PROXY, message }, &mut self.entropy, &mut out);
        out
    }

    /// A call for 100 prompt tokens and 101 of the answer.
    fn call(&mut self, now: f64) -> Vec<Effect> {
        self.calls += 1;
        let attempt = AttemptId(self.calls);
        self.tell(now, Message::Call { attempt, deployment: D, prompt_tokens: 100, output_tokens: 101 })
    }
}

/// When a reply arrives, and what it is.
fn reply(effects: &[Effect]) -> Option<(Time, Reply)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Send { to: PROXY, at, message: Message::Reply { reply, .. } } => Some((*at, *reply)),
        _ => None,
    })
}

fn struck(effects: &[Effect]) -> Vec<u32> {
    let faults = effects.iter().filter_map(|effect| match effect {
        Effect::FaultStruck { fault, deployment: D } => Some(*fault),
        _ => None,
    });
    faults.collect()
}

const ANSWER: Reply =
    Reply::Answered { usage: Usage { prompt_tokens: 100, completion_tokens: 101 }, content_filter: false };

#[test]
fn an_answer_takes_the_first_token_and_each_token_after_it() {
    let mut drill = Drill::new(served(), vec![]);
    assert_eq!(reply(&drill.call(5.0)), Some((at(7.0) + LINK, ANSWER)));
}

#[test]
fn a_call_to_somebody_else_is_not_answered() {
    let mut drill = Drill::new(served(), vec![]);
    let call = Message::Call { attempt: AttemptId(0), deployment: DeploymentId(5), prompt_tokens: 1, output_tokens: 1 };
    assert_eq!(drill.tell(1.0, call), []);
}

/// Replies to calls that ended at a station: attempt, and when each arrives.
fn ends(drill: &mut Drill) -> Vec<(u64, Time)> {
    let mut ends = Vec::new();
    while let Some((now, "station")) = drill.upstream.next_wake() {
        let mut out = Vec::new();
        drill.upstream.handle(now, &Event::Wake, &mut drill.entropy, &mut out);
        ends.extend(out.into_iter().filter_map(|effect| match effect {
            Effect::Send { to: PROXY, at, message: Message::Reply { attempt, reply: ANSWER } } => Some((attempt.0, at)),
            _ => None,
        }));
    }
    ends
}

#[test]
fn a_busy_upstream_slows_down_in_proportion_until_callers_hang_up() {
    let mut drill = Drill::new(Served { station: Some(Station::new(None, Some(2))), ..served() }, vec![]);
    for _ in 0..4 {
        assert_eq!(reply(&drill.call(0.0)), None, "the end is not known yet");
    }
    // Four at half speed; from 1 s on, three quarters of each are left, and two go on at full speed.
    drill.tell(1.0, Message::Hangup { attempt: AttemptId(1), deployment: D });
    drill.tell(1.0, Message::Hangup { attempt: AttemptId(2), deployment: D });
    assert_eq!(ends(&mut drill), [(3, at(2.5) + LINK), (4, at(2.5) + LINK)]);
}

#[test]
fn a_slow_fault_makes_more_work_of_a_call() {
    let slow = Strike { until: at(1.0), ..strike(0, 1.0, Blow::Slow(3.0)) };
    let mut drill =
        Drill::new(Served { station: Some(Station::new(None, Some(1))), strikes: vec![slow], ..served() }, vec![]);
    drill.call(0.0);
    drill.call(2.0);
    // 6 s of work and 2: at 2 s, 4 and 2 are left, and share one machine.
    assert_eq!(ends(&mut drill), [(2, at(6.0) + LINK), (1, at(8.0) + LINK)]);
}

#[test]
fn a_silent_call_holds_its_place_until_its_caller_hangs_up() {
    let silent = Strike { until: at(1.0), ..strike(0, 1.0, Blow::Silent) };
    let mut drill =
        Drill::new(Served { station: Some(Station::new(None, Some(1))), strikes: vec![silent], ..served() }, vec![]);
    let effects = drill.call(0.0);
    assert_eq!((reply(&effects), struck(&effects)), (None, vec![0]));
    drill.call(500.0);
    assert_eq!(ends(&mut drill), [(2, at(504.0) + LINK)]);
    drill.tell(600.0, Message::Hangup { attempt: AttemptId(1), deployment: D });
    drill.call(600.0);
    assert_eq!(ends(&mut drill), [(3, at(602.0) + LINK)]);
}

#[test]
fn a_refusal_leaves_at_once_and_uses_nothing_up() {
    let refuse = Strike { until: at(10.0), ..strike(3, 1.0, Blow::Fail(status(503))) };
    let mut drill =
        Drill::new(Served { strikes: vec![refuse], quotas: vec![0], ..served() }, vec![quota(QuotaUnit::Requests, 1)]);
    let effects = drill.call(9.0);
    let refused = Reply::Failed { failure: status(503).failure, text: None };
    assert_eq!((reply(&effects), struck(&effects)), (Some((at(9.0) + LINK, refused)), vec![3]));
    assert_eq!(reply(&drill.call(10.0)).unwrap().1, ANSWER);
}

#[test]
fn over_quota_is_a_429_that_says_in_whole_seconds_when_to_come_back() {
    let mut drill = Drill::new(Served { quotas: vec![0], ..served() }, vec![quota(QuotaUnit::Requests, 1)]);
    drill.call(0.0);
    let refusal = |retry_after| Reply::Failed { failure: Failure { retry_after, ..status(429).failure }, text: None };
    assert_eq!(reply(&drill.call(10.5)), Some((at(10.5) + LINK, refusal(RetryAfter::Seconds(50)))));
    let mut silent_about_it =
        Drill::new(Served { quotas: vec![0], retry_after: false, ..served() }, vec![quota(QuotaUnit::Requests, 0)]);
    assert_eq!(reply(&silent_about_it.call(1.0)).unwrap().1, refusal(RetryAfter::Absent));
}

#[test]
fn a_call_is_taken_from_all_of_its_quotas_or_from_none() {
    let quotas = vec![quota(QuotaUnit::Requests, 2), quota(QuotaUnit::Tokens, 250)];
    let mut drill = Drill::new(Served { quotas: vec![0, 1], ..served() }, quotas);
    assert_eq!(reply(&drill.call(0.0)).unwrap().1, ANSWER);
    // 201 of 250 tokens are gone; the refused call leaves the second request where it is.
    assert_ne!(reply(&drill.call(0.0)).unwrap().1, ANSWER);
    let limits = drill.upstream.rate_limits(at(0.0), D);
    assert_eq!((limits.requests.unwrap().remaining, limits.tokens.unwrap().remaining), (1, 49));
}

#[test]
fn a_cut_quota_counts_as_the_fault_that_struck() {
    let limits = vec![
        LimitFrom { from: Time::ZERO, limit: 5, cut_by: None },
        LimitFrom { from: at(1.0), limit: 1, cut_by: Some(7) },
    ];
    let meter = Meter::new(QuotaWindow::Fixed(Span::from_secs(60)), limits);
    let quotas = vec![SharedQuota { unit: QuotaUnit::Requests, meter }];
    let mut drill = Drill::new(Served { quotas: vec![0], ..served() }, quotas);
    assert!(struck(&drill.call(0.5)).is_empty());
    assert_eq!(struck(&drill.call(1.5)), [7]);
}

#[test]
fn of_overlapping_faults_the_first_in_the_list_wins() {
    let strikes = vec![strike(0, 1.0, Blow::Slow(3.0)), strike(1, 1.0, Blow::Fail(status(500)))];
    let mut drill = Drill::new(Served { strikes, ..served() }, vec![]);
    let effects = drill.call(0.0);
    assert_eq!((reply(&effects), struck(&effects)), (Some((at(6.0) + LINK, ANSWER)), vec![0]));
}

#[test]
fn a_fault_that_misses_leaves_the_call_to_the_next_one() {
    // The dice say 0.5.
    let strikes = vec![strike(0, 0.5, Blow::Fail(status(500))), strike(1, 0.51, Blow::Reset)];
    let mut drill = Drill::new(Served { strikes, ..served() }, vec![]);
    let effects = drill.call(0.0);
    let reset = Reply::Failed { failure: Failure { kind: FailureKind::Reset, ..status(0).failure }, text: None };
    assert_eq!((reply(&effects), struck(&effects)), (Some((at(2.0) + LINK, reset)), vec![1]));
}

#[test]
fn latencies_are_drawn_for_every_call_and_chance_only_where_there_is_some() {
    let certain = Drill::new(Served { strikes: vec![strike(0, 1.0, Blow::Silent)], ..served() }, vec![]);
    let possible = Drill::new(Served { strikes: vec![strike(0, 0.9, Blow::Silent)], ..served() }, vec![]);
    for (mut drill, draws) in [
        (Drill::new(served(), vec![]), vec!["ttft", "tpot"]),
        (certain, vec!["ttft", "tpot"]),
        (possible, vec!["ttft", "tpot", "fault"]),
    ] {
        drill.call(0.0);
        assert_eq!(drill.entropy.1, draws);
    }
}

#[test]
fn a_filtered_answer_comes_in_its_time() {
    let mut drill = Drill::new(Served { strikes: vec![strike(0, 1.0, Blow::Filtered)], ..served() }, vec![]);
    let (arrives, reply) = reply(&drill.call(0.0)).unwrap();
    assert_eq!(arrives, at(2.0) + LINK);
    assert!(matches!(reply, Reply::Answered { content_filter: true, .. }));
}
