//! Each law bites on a made-up stream of steps that breaks it, and lets the same stream pass when it is whole.

use router_core::{
    Answered, Ask, CooldownReason, Failure, FailureKind, FallbackEntry, FallbackTarget, GiveUpReason, ModelEntry,
    NoFallback, RetriesFrom, Usage, WaitReason, Wording,
};
use router_core::{
    AttemptId, Config, DeploymentId, Error, ErrorClass, FallbackList, NameId, Note, Number, Outcome, Plan, Release,
    RequestId, RetryAfter, Span, Time, WhatIf,
};

use super::{Law, Laws};
use crate::actor::{ActorId, Effect, Event, Message, Reply, Step, Watcher as _};

const PROXY: ActorId = ActorId(1);
const USAGE: Usage = Usage { prompt_tokens: 10, completion_tokens: 5 };
const REQUEST: RequestId = RequestId::new(0, 0);
const A: DeploymentId = DeploymentId(0);
const B: DeploymentId = DeploymentId(1);
const SPARE: DeploymentId = DeploymentId(2);
const RATE_LIMITED: Error = Error::new(ErrorClass::RateLimitError, Some(429));

/// Two deployments of `gpt`, one of `spare`, and a fallback from one to the other.
fn config() -> Config {
    let mut config = Config::default();
    for (group, id) in [("gpt", "a"), ("gpt", "b"), ("spare", "c")] {
        config.model_list.push(ModelEntry {
            model_name: group.to_owned(),
            id: id.to_owned(),
            model: "openai/m".to_owned(),
            ..ModelEntry::default()
        });
    }
    config.router_settings.timeout = Some(30.0);
    let targets = vec![FallbackTarget::Name("spare".to_owned())];
    config.router_settings.fallbacks = Some(vec![FallbackEntry { group: "gpt".to_owned(), targets }]);
    config
}

struct Story {
    laws: Laws,
    gpt: NameId,
    spare: NameId,
}

fn at(secs: f64) -> Time {
    Time::ZERO + Span::from_secs_f64(secs)
}

impl Story {
    fn new() -> Self {
        Self::of(&config())
    }

    fn supposing(what_if: WhatIf) -> Self {
        Self::of(&Config { what_if, ..config() })
    }

    fn of(config: &Config) -> Self {
        let plan = Plan::new(config).expect("a plan");
        let (gpt, spare) = (plan.name_id("gpt").expect("a group"), plan.name_id("spare").expect("a group"));
        Self { laws: Laws::new(plan.into()), gpt, spare }
    }

    fn step(&mut self, secs: f64, event: &Event, effects: Vec<Effect>) -> &mut Self {
        self.laws.watch(&Step { at: at(secs), actor: PROXY, event, draws: &[], effects: &effects });
        self
    }

    fn wake(&mut self, secs: f64, effects: Vec<Effect>) -> &mut Self {
        self.step(secs, &Event::Wake, effects)
    }

    fn ask(&mut self, effects: Vec<Effect>) -> &mut Self {
        let ask = Ask { model: self.gpt, prompt_tokens: 10, output_tokens: 5, stream: false, params: None };
        let message = Message::Ask { request: REQUEST, ask };
        self.step(0.0, &Event::Message { from: ActorId(0), message }, effects)
    }

    fn reply(&mut self, secs: f64, attempt: u64, reply: Reply, effects: Vec<Effect>) -> &mut Self {
        let message = Message::Reply { attempt: AttemptId(attempt), reply };
        self.step(secs, &Event::Message { from: ActorId(2), message }, effects)
    }

    fn picks(&self, attempt: u64, group: NameId, deployment: DeploymentId, eligible: u32) -> Vec<Effect> {
        let (n, attempt) = (attempt as u32, AttemptId(attempt));
        let timeout = Span::from_secs(30);
        let note = Note::Picked { request: REQUEST, attempt, n, group, deployment, eligible, timeout };
        let call = Message::Call { attempt, deployment, prompt_tokens: 10, output_tokens: 5 };
        vec![Effect::Note(note), send(call)]
    }

    fn broken(&self) -> Vec<&'static str> {
        self.laws.breaches().first().iter().map(|breach| breach.law.name()).collect()
    }
}

fn send(message: Message) -> Effect {
    Effect::Send { to: ActorId(0), at: at(1e6), message }
}

fn answered(by: DeploymentId) -> Vec<Effect> {
    let note = Note::Succeeded { request: REQUEST, attempt: AttemptId(0), deployment: by, usage: USAGE };
    let outcome = Outcome::Answered(Answered { by, usage: USAGE });
    vec![Effect::Note(note), send(Message::Answer { request: REQUEST, outcome })]
}

const GOOD: Reply = Reply::Answered { usage: USAGE, content_filter: false };

fn refusal(code: u16) -> Reply {
    let kind = FailureKind::Status { code, wording: Wording::default() };
    Reply::Failed { failure: Failure { kind, retry_after: RetryAfter::Absent }, text: None }
}

fn failed(attempt: u64, group: NameId, deployment: DeploymentId, error: Error) -> Effect {
    let attempt = Some(AttemptId(attempt));
    let deployment = Some(deployment);
    Effect::Note(Note::Failed { request: REQUEST, attempt, n: 0, group, deployment, sent: true, error })
}

/// Cooled at one second.
fn cooled(deployment: DeploymentId, secs: u64) -> Effect {
    cooled_until(deployment, secs, 1.0 + secs as f64)
}

fn cooled_until(deployment: DeploymentId, secs: u64, until: f64) -> Effect {
    let (length, because, until) = (Span::from_secs(secs), CooldownReason::RateLimited, at(until));
    let error = RATE_LIMITED;
    Effect::Note(Note::Cooled { request: REQUEST, deployment, length, until, error, because })
}

fn retrying() -> Effect {
    let (wait, because, number_from) = (Span::ZERO, WaitReason::AnotherIsHealthy, RetriesFrom::Router);
    Effect::Note(Note::Retrying { request: REQUEST, retry: 1, of: 2, wait, because, number_from })
}

/// One 429 of A, its cooldown, and a retry with B at once.
fn retried_elsewhere() -> Story {
    let mut story = Story::new();
    let (gpt, first, second) = (story.gpt, story.picks(0, story.gpt, A, 2), story.picks(1, story.gpt, B, 1));
    let mut effects = vec![failed(0, gpt, A, RATE_LIMITED), cooled(A, 5), retrying()];
    effects.extend(second);
    story.ask(first).reply(1.0, 0, refusal(429), effects);
    story
}

#[test]
fn a_whole_story_breaks_no_law() {
    let mut story = retried_elsewhere();
    story.reply(2.0, 1, GOOD, answered(B));
    story.laws.finish(at(10.0), None);
    assert_eq!(story.broken(), [""; 0]);
}

#[test]
fn a_second_answer_and_an_answer_of_another_are_told() {
    let mut twice = retried_elsewhere();
    twice.reply(2.0, 1, GOOD, answered(B)).wake(3.0, answered(B));
    assert_eq!(twice.broken(), [Law::OneAnswer.name()]);
    let mut wrong = retried_elsewhere();
    wrong.reply(2.0, 1, GOOD, answered(A));
    assert_eq!(wrong.broken(), [Law::OneAnswer.name()]);
}

#[test]
fn a_cooldown_that_is_missing_too_long_or_of_the_wrong_one_is_told() {
    let cases = [
        (vec![], Law::CooldownEarned),
        (vec![cooled(A, 50)], Law::CooldownEarned),
        (vec![cooled(B, 5)], Law::Blame),
        (vec![cooled_until(A, 5, 5.5)], Law::CooldownEnds),
    ];
    for (effects, law) in cases {
        let mut story = Story::new();
        let (gpt, first) = (story.gpt, story.picks(0, story.gpt, A, 2));
        let mut all = vec![failed(0, gpt, A, RATE_LIMITED)];
        all.extend(effects);
        story.ask(first).reply(1.0, 0, refusal(429), all);
        assert_eq!(story.broken(), [law.name()]);
    }
}

#[test]
fn a_call_to_a_resting_deployment_is_told() {
    let mut story = Story::new();
    let (gpt, first, second) = (story.gpt, story.picks(0, story.gpt, A, 2), story.picks(1, story.gpt, A, 1));
    let mut effects = vec![failed(0, gpt, A, RATE_LIMITED), cooled(A, 5), retrying()];
    effects.extend(second);
    story.ask(first).reply(1.0, 0, refusal(429), effects);
    assert_eq!(story.broken(), [Law::CooldownHeld.name()]);
}

#[test]
fn a_deployment_that_is_passed_over_after_its_cooldown_is_told() {
    let mut story = Story::new();
    let first = story.picks(0, story.gpt, B, 1);
    story.ask(first);
    assert_eq!(story.broken(), [Law::CooldownHeld.name()]);
}

#[test]
fn a_deployment_of_another_group_is_told() {
    let mut story = Story::new();
    let first = story.picks(0, story.gpt, SPARE, 2);
    story.ask(first);
    assert_eq!(story.broken(), [Law::PickedFromGroup.name()]);
}

#[test]
fn a_bad_request_that_is_retried_is_told() {
    let mut story = Story::new();
    let (gpt, first) = (story.gpt, story.picks(0, story.gpt, A, 2));
    let error = Error::new(ErrorClass::BadRequestError, Some(400));
    story.ask(first).reply(1.0, 0, refusal(400), vec![failed(0, gpt, A, error), retrying()]);
    assert_eq!(story.broken(), [Law::NotRetried.name()]);
}

#[test]
fn giving_up_with_retries_left_is_told() {
    let mut story = Story::new();
    let (gpt, first) = (story.gpt, story.picks(0, story.gpt, A, 2));
    let because = GiveUpReason::RetriesExhausted;
    let gave_up = Effect::Note(Note::GaveUp { request: REQUEST, group: gpt, because, wait: Span::ZERO });
    let effects = vec![failed(0, gpt, A, RATE_LIMITED), cooled(A, 5), gave_up];
    story.ask(first).reply(1.0, 0, refusal(429), effects);
    assert_eq!(story.broken(), [Law::AttemptsBounded.name()]);
}

#[test]
fn a_wait_where_another_is_healthy_is_told() {
    let mut story = Story::new();
    let (gpt, first, second) = (story.gpt, story.picks(0, story.gpt, A, 2), story.picks(1, story.gpt, B, 1));
    let effects = vec![failed(0, gpt, A, RATE_LIMITED), cooled(A, 5), retrying()];
    story.ask(first).reply(1.0, 0, refusal(429), effects).wake(1.5, second);
    assert_eq!(story.broken(), [Law::RetryWait.name()]);
}

#[test]
fn a_fallback_that_nobody_configured_is_told() {
    let mut story = retried_elsewhere();
    let (gpt, spare) = (story.gpt, story.spare);
    let back = |from, to| {
        vec![Effect::Note(Note::FellBack { request: REQUEST, from, to, depth: 0, list: FallbackList::Fallbacks })]
    };
    story.wake(2.0, back(gpt, spare));
    assert_eq!(story.broken(), [""; 0]);
    story.wake(3.0, back(spare, gpt));
    assert_eq!(story.broken(), [Law::FallbackOrder.name()]);
}

#[test]
fn a_call_that_outlives_its_timeout_or_ends_before_it_is_told() {
    let hangup = vec![send(Message::Hangup { attempt: AttemptId(0), deployment: A })];
    let mut early = Story::new();
    let first = early.picks(0, early.gpt, A, 2);
    early.ask(first.clone()).wake(29.0, hangup);
    assert_eq!(early.broken(), [Law::TimeoutExact.name()]);
    let mut late = Story::new();
    late.ask(first).laws.finish(at(31.0), None);
    assert_eq!(late.broken(), [Law::TimeoutExact.name()]);
}

fn cancel() -> Event {
    Event::Message { from: ActorId(0), message: Message::Cancel { request: REQUEST } }
}

#[test]
fn a_request_that_nothing_will_happen_to_is_forgotten() {
    let mut story = Story::new();
    let first = story.picks(0, story.gpt, A, 2);
    let (gpt, told) = (story.gpt, failed(0, story.gpt, A, RATE_LIMITED));
    // Neither a retry, nor the end of the layer, nor an answer follows.
    story.ask(first).reply(1.0, 0, refusal(429), vec![told, cooled(A, 5), retrying()]);
    story.step(60.0, &cancel(), Vec::new());
    assert_eq!(story.broken(), ["nothing-forgotten"]);

    // One whose call is under way is not, and neither is one that still waits.
    let mut story = Story::new();
    let first = story.picks(0, gpt, A, 2);
    story.ask(first).step(20.0, &cancel(), vec![send(Message::Hangup { attempt: AttemptId(0), deployment: A })]);
    assert_eq!(story.broken(), [""; 0]);
}

#[test]
fn what_is_open_at_the_end_without_anything_under_way_is_forgotten() {
    let mut story = Story::new();
    let first = story.picks(0, story.gpt, A, 2);
    let told = failed(0, story.gpt, A, RATE_LIMITED);
    story.ask(first).reply(1.0, 0, refusal(429), vec![told, cooled(A, 5), retrying()]);
    story.laws.finish(at(60.0), None);
    assert_eq!(story.broken(), ["nothing-forgotten"]);
}

#[test]
fn a_request_that_is_never_answered_is_told() {
    // Its upstream answered, and nothing came of it.
    let mut swallowed = Story::new();
    let first = swallowed.picks(0, swallowed.gpt, A, 2);
    swallowed.ask(first.clone()).reply(1.0, 0, GOOD, vec![]).laws.finish(at(10.0), None);
    assert_eq!(swallowed.broken(), [Law::NothingForgotten.name()]);
    // Nobody was even called.
    let mut ignored = Story::new();
    ignored.ask(vec![]).laws.finish(at(10.0), None);
    assert_eq!(ignored.broken(), [Law::NothingForgotten.name()]);
    // A retry was promised and never made.
    let mut retry = Story::new();
    let effects = vec![failed(0, retry.gpt, A, RATE_LIMITED), cooled(A, 5), retrying()];
    retry.ask(first.clone()).reply(1.0, 0, refusal(429), effects).laws.finish(at(10.0), None);
    assert_eq!(retry.broken(), [Law::NothingForgotten.name()]);
    // A call that is under way may be, at the end of a run.
    let mut calling = Story::new();
    calling.ask(first).laws.finish(at(10.0), None);
    assert_eq!(calling.broken(), [""; 0]);
}

#[test]
fn a_call_that_goes_on_after_its_caller_has_gone_is_told() {
    let mut story = Story::new();
    let first = story.picks(0, story.gpt, A, 2);
    story.ask(first).step(1.0, &cancel(), vec![]);
    assert_eq!(story.broken(), [Law::HungUp.name()]);
}

#[test]
fn a_cooldown_may_be_longer_by_its_jitter_and_no_more() {
    for (secs, broken) in [(5, false), (7, false), (8, true), (4, true)] {
        let mut story = Story::supposing(WhatIf { cooldown_jitter: Some(0.5), ..WhatIf::default() });
        let (gpt, first) = (story.gpt, story.picks(0, story.gpt, A, 2));
        story.ask(first).reply(1.0, 0, refusal(429), vec![failed(0, gpt, A, RATE_LIMITED), cooled(A, secs)]);
        assert_eq!(story.broken().contains(&Law::CooldownEarned.name()), broken, "{secs} s");
    }
}

#[test]
fn a_wait_for_a_cooldown_that_nobody_supposed_or_that_is_too_long_is_told() {
    for (most, broken) in [(None, true), (Some(5), true), (Some(10), false)] {
        let wait_for_cooldown = most.map(Span::from_secs);
        let mut story = Story::supposing(WhatIf { wait_for_cooldown, ..WhatIf::default() });
        let group = story.gpt;
        story
            .ask(vec![])
            .wake(1.0, vec![Effect::Note(Note::AwaitsCooldown { request: REQUEST, group, until: at(9.0) })]);
        assert_eq!(story.broken().contains(&Law::RetryWait.name()), broken, "{most:?}");
    }
}

/// A call to A without an answer, and the same request to somebody else.
fn hedged(second: DeploymentId) -> Story {
    let mut story = Story::supposing(WhatIf { hedge_after: Some(Span::from_secs(2)), ..WhatIf::default() });
    let (first, company) = (story.picks(0, story.gpt, A, 2), story.picks(1, story.gpt, second, 1));
    let note = Note::Hedged { request: REQUEST, first: AttemptId(0), hedge: AttemptId(1) };
    story.ask(first).wake(2.0, [vec![Effect::Note(note)], company].concat());
    story
}

#[test]
fn a_hedge_goes_to_somebody_else_and_whoever_is_not_needed_is_hung_up_on() {
    let note = Note::Succeeded { request: REQUEST, attempt: AttemptId(1), deployment: B, usage: USAGE };
    let hangup = send(Message::Hangup { attempt: AttemptId(0), deployment: A });
    let outcome = Outcome::Answered(Answered { by: B, usage: USAGE });
    let answer = send(Message::Answer { request: REQUEST, outcome });
    let mut good = hedged(B);
    good.reply(3.0, 1, GOOD, vec![Effect::Note(note.clone()), hangup, answer.clone()]).laws.finish(at(9.0), None);
    assert_eq!(good.broken(), [""; 0]);
    let mut left = hedged(B);
    left.reply(3.0, 1, GOOD, vec![Effect::Note(note), answer]);
    assert_eq!(left.broken(), [Law::HungUp.name()]);
    assert_eq!(hedged(A).broken(), [Law::PickedFromGroup.name()]);
}

#[test]
fn a_fallback_that_is_passed_over_is_told() {
    let mut story = Story::new();
    let (gpt, first) = (story.gpt, story.picks(0, story.gpt, A, 2));
    let error = Error::new(ErrorClass::BadRequestError, Some(400));
    let because = GiveUpReason::NotRetryable;
    let effects = vec![
        failed(0, gpt, A, error),
        Effect::Note(Note::GaveUp { request: REQUEST, group: gpt, because, wait: Span::ZERO }),
        Effect::Note(Note::FallbackExhausted { request: REQUEST, group: gpt, because: NoFallback::NoEntry }),
        send(Message::Answer { request: REQUEST, outcome: Outcome::Failed(error) }),
    ];
    story.ask(first).reply(1.0, 0, refusal(400), effects);
    assert_eq!(story.broken(), [Law::FallbackOrder.name()]);
}

#[test]
fn shares_far_from_the_weights_are_told_and_near_ones_are_not() {
    let picked = |deployments: [DeploymentId; 2]| {
        let mut story = Story::new();
        for number in 0..100 {
            let (request, attempt) = (RequestId::new(0, number), AttemptId(number));
            let (deployment, model) = (deployments[number as usize % 2], story.gpt);
            let ask = Ask { model, prompt_tokens: 10, output_tokens: 5, stream: false, params: None };
            let note = Note::Picked {
                request,
                attempt,
                n: 0,
                group: model,
                deployment,
                eligible: 2,
                timeout: Span::from_secs(30),
            };
            let event = Event::Message { from: ActorId(0), message: Message::Ask { request, ask } };
            story.step(number as f64 / 100.0, &event, vec![Effect::Note(note)]);
            let cancel = Event::Message { from: ActorId(0), message: Message::Cancel { request } };
            story.step(number as f64 / 100.0, &cancel, vec![]);
        }
        story.laws.finish(at(10.0), None);
        story.broken()
    };
    assert_eq!(picked([A, B]), [""; 0]);
    assert_eq!(picked([A, A]), [Law::StrategyKept.name()]);
}

#[test]
fn an_attempt_with_a_wrong_number_is_told() {
    let mut story = Story::new();
    let second = story.picks(1, story.gpt, A, 2);
    story.ask(second);
    assert_eq!(story.broken(), [Law::AttemptsBounded.name()]);
}

#[test]
fn a_retry_while_a_call_is_still_to_be_made_is_told() {
    let mut story = Story::new();
    let mut first = story.picks(0, story.gpt, A, 2);
    first.truncate(1);
    story.ask(first).wake(1.0, vec![retrying()]);
    assert!(story.broken().contains(&Law::NothingForgotten.name()), "{:?}", story.broken());
}

#[test]
fn a_call_beyond_the_retries_per_request_and_a_refusal_below_them_are_told() {
    let story = |cap: Option<i64>, called: bool| {
        let mut config = config();
        config.litellm_settings.num_retries_per_request = cap;
        let mut story = Story::of(&config);
        let (gpt, first, second) = (story.gpt, story.picks(0, story.gpt, A, 2), story.picks(1, story.gpt, B, 1));
        let mut effects = vec![failed(0, gpt, A, RATE_LIMITED), cooled(A, 5), retrying()];
        if called {
            effects.extend(second);
        } else {
            let error = Error::new(ErrorClass::APIConnectionError, Some(500));
            let (attempt, deployment) = (Some(AttemptId(1)), Some(B));
            effects.push(second[0].clone());
            effects.push(Effect::Note(Note::Failed {
                request: REQUEST,
                attempt,
                n: 1,
                group: gpt,
                deployment,
                sent: false,
                error,
            }));
        }
        story.ask(first).reply(1.0, 0, refusal(429), effects);
        story.broken()
    };
    assert_eq!(story(Some(1), true), [Law::AttemptsBounded.name()]);
    assert_eq!(story(Some(2), true), [""; 0]);
    assert_eq!(story(Some(1), false), [""; 0]);
    assert_eq!(story(Some(2), false), [Law::AttemptsBounded.name()]);
}

#[test]
fn a_retry_after_that_is_not_the_shortest_cooldown_is_told() {
    for (hint, broken) in [(Some(5), false), (Some(6), true), (None, true)] {
        let mut story = Story::new();
        let (gpt, first) = (story.gpt, story.picks(0, story.gpt, A, 2));
        let gave_up =
            Note::GaveUp { request: REQUEST, group: gpt, because: GiveUpReason::NoneHealthy, wait: Span::ZERO };
        let mut error = Error::new(ErrorClass::RouterRateLimitError, Some(429));
        error.client_retry_after = hint.map(Span::from_secs);
        let nobody =
            Note::Failed { request: REQUEST, attempt: None, n: 2, group: gpt, deployment: None, sent: false, error };
        let mut effects = vec![failed(0, gpt, A, RATE_LIMITED), cooled(A, 5), retrying()];
        effects.extend(story.picks(1, gpt, B, 1));
        story.ask(first).reply(1.0, 0, refusal(429), effects);
        let mut effects = vec![failed(1, gpt, B, RATE_LIMITED), cooled(B, 5)];
        effects.extend([Effect::Note(nobody), Effect::Note(gave_up)]);
        story.reply(1.0, 1, refusal(429), effects);
        assert_eq!(story.broken().contains(&Law::RetryWait.name()), broken, "{hint:?}: {:?}", story.broken());
    }
}

#[test]
fn a_filtered_answer_goes_on_where_somebody_else_could_answer_and_only_there() {
    for (listed, passed_on, broken) in
        [(true, true, true), (true, false, false), (false, true, false), (false, false, true)]
    {
        let mut config = config();
        let group = if listed { "gpt" } else { "spare" }.to_owned();
        let targets = vec![FallbackTarget::Name("spare".to_owned())];
        config.router_settings.content_policy_fallbacks = Some(vec![FallbackEntry { group, targets }]);
        let mut story = Story::of(&config);
        let (gpt, first) = (story.gpt, story.picks(0, story.gpt, A, 2));
        let reply = Reply::Answered { usage: USAGE, content_filter: true };
        let effects = match passed_on {
            true => answered(A),
            false => vec![failed(0, gpt, A, Error::new(ErrorClass::ContentPolicyViolationError, Some(400)))],
        };
        story.ask(first).reply(1.0, 0, reply, effects);
        assert_eq!(
            story.broken().contains(&Law::OneAnswer.name()),
            broken,
            "{listed} {passed_on}: {:?}",
            story.broken()
        );
    }
}

#[test]
fn the_providers_own_client_calls_again_as_often_and_as_late_as_it_does() {
    let story = |retries: Option<f64>, again: Option<f64>| {
        let mut config = Config { release: Release::V1_80_17, ..config() };
        config.model_list[0].num_retries = retries.map(Number::Is);
        let mut story = Story::of(&config);
        let (gpt, first) = (story.gpt, story.picks(0, story.gpt, A, 2));
        let error = Error::new(ErrorClass::InternalServerError, Some(500));
        let given_up = match again {
            Some(_) => vec![],
            None => vec![failed(0, gpt, A, error)],
        };
        story.ask(first).reply(1.0, 0, refusal(500), given_up);
        if let Some(after) = again {
            let call = AttemptId(7);
            let note = Note::CalledAgain { request: REQUEST, attempt: AttemptId(0), call, repetition: 1 };
            let message = Message::Call { attempt: call, deployment: A, prompt_tokens: 10, output_tokens: 5 };
            story.wake(1.0 + after, vec![Effect::Note(note), send(message)]);
        }
        story.broken()
    };
    assert_eq!(story(Some(1.0), Some(0.45)), [""; 0]);
    assert_eq!(story(Some(1.0), Some(0.3)), [Law::AttemptsBounded.name()]);
    assert_eq!(story(None, Some(0.45)), [Law::AttemptsBounded.name()]);
    assert_eq!(story(None, None), [""; 0]);
    assert_eq!(story(Some(1.0), None), [Law::AttemptsBounded.name()]);
}

#[test]
fn every_law_has_a_name_of_its_own_and_says_what_it_demands() {
    let mut names: Vec<_> = Law::ALL.map(Law::name).into();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Law::ALL.len());
    assert!(Law::ALL.iter().all(|law| !law.says().ends_with('.') && !law.source().is_empty()));
}
