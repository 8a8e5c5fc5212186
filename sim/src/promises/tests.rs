//! Each promise held and broken in a small world, the same in both drivers; windows against a recount from rows.

use std::path::Path;

use proptest::prelude::*;
use router_core::{Span, Time};

use super::*;
use crate::actor::{Effect, Message, Step, Watcher};
use crate::campaign;
use crate::cast::Cast;
use crate::engine::Engine;
use crate::metrics::{AttemptRow, Metrics, RequestEnd, RequestRow, RowSink, Rows, Shape};
use crate::net::turmoil;
use crate::scenario;
use crate::source::Source;

/// A group `chat` with a fallback `spare`, and a group `apart` that has nothing to do with either.
const CONFIG: &str = "\
config:
  model_list:
    - {model_name: chat, litellm_params: {model: openai/a, api_key: os.environ/A, RPM_A}}
    - {model_name: chat, litellm_params: {model: openai/b, api_key: os.environ/B}}
    - {model_name: spare, litellm_params: {model: anthropic/c, api_key: os.environ/C}}
    - {model_name: apart, litellm_params: {model: mistral/d, api_key: os.environ/D}}
  router_settings: {SETTINGS}
upstreams:
  all: {ttft: 200ms, tpot: 1ms, rpm: unlimited, tpm: unlimited, MORE}
links: {client: 10ms, upstream: 10ms}
";
const FALLBACK: &str = "fallbacks: [{chat: [spare]}]";
const TRAFFIC: &str = "traffic:
  - {model: chat, arrivals: {constant: 5/s}, prompt_tokens: 100, output_tokens: 50, deadline: 10s}
  - {model: apart, arrivals: {constant: 1/s}, prompt_tokens: 100, output_tokens: 50, deadline: 10s}
";

/// A scenario of these parts. `settings` go to the router, `more` to every upstream; `upstreams` are further entries.
fn world_with(settings: &str, more: &str, upstreams: &str, rest: &str) -> Scenario {
    let usual = ["num_retries: 1", "timeout: 5"].into_iter();
    let usual = usual.filter(|usual| !settings.contains(usual.split(' ').next().expect("a key")));
    let settings: Vec<&str> = usual.chain([settings]).filter(|part| !part.is_empty()).collect();
    let more = if more.is_empty() { String::new() } else { format!(", {more}") };
    let config = CONFIG.replace("SETTINGS", &settings.join(", ")).replace(", RPM_A", "");
    let config = config.replace(", MORE}", &format!("{more}}}{upstreams}"));
    read(&format!("name: t\nduration: 2m\n{config}{TRAFFIC}{rest}\n"))
}

fn world(settings: &str, more: &str, rest: &str) -> Scenario {
    world_with(settings, more, "", rest)
}

fn read(text: &str) -> Scenario {
    let source = Source::new("t.yaml", text);
    scenario::read(&source, Path::new("")).unwrap_or_else(|problems| panic!("{problems}\n{text}")).scenario
}

/// What was measured in a run, which is the same over real HTTP on turmoil.
fn measured(scenario: &Scenario) -> Metrics {
    let shape = Shape::of(scenario);
    let horizon = shape.end;
    let mut metrics = Metrics::new(shape.clone(), 1).with_promises(scenario);
    Engine::new().run(&mut Cast::new(scenario), 1, horizon, &mut metrics);
    metrics.finish();
    metrics
}

/// The same run over real HTTP on turmoil.
fn on_turmoil(scenario: &Scenario) -> Metrics {
    let shape = Shape::of(scenario);
    let horizon = shape.end;
    let mut metrics = Metrics::new(shape, 1).with_promises(scenario);
    turmoil::run(scenario, &mut Cast::new(scenario), 1, horizon, &mut metrics).expect("a run");
    metrics.finish();
    metrics
}

fn watched(scenario: &Scenario) -> Watched {
    measured(scenario).watched().expect("something to watch").clone()
}

#[test]
fn nothing_is_watched_that_nobody_promised() {
    assert!(measured(&world("", "", "expect: {availability: '>= 1%', recovery: '<= 1m'}")).watched().is_none());
}

#[test]
fn a_deadline_is_kept_by_an_honest_error_and_missed_by_silence() {
    let rest = |fault| {
        format!("faults: [{{at: 10s, for: 30s, on: group:chat, inject: {fault}}}]\nexpect: {{deadline: '>= 99%'}}")
    };
    let kept = watched(&world("", "", &rest("{status: 400}"))).deadlines_kept();
    assert_eq!(kept, Some(1.0));
    let slow = watched(&world("num_retries: 3", "", &rest("timeout"))).deadlines_kept().expect("deadlines");
    assert!((0.7..0.95).contains(&slow), "some of a quarter of the time: {slow}");
}

#[test]
fn a_fallback_within_reach_is_reached_or_missed() {
    let rest =
        "faults: [{at: 10s, for: 30s, on: group:chat, inject: overloaded}]\nexpect: {fallback_reached: '>= 99%'}";
    let with = watched(&world(FALLBACK, "", rest));
    assert_eq!(with.reached().and_then(Reached::share), Some(1.0));
    // Nobody could have answered: nothing was missed.
    let without = watched(&world("allowed_fails: 100000", "", rest));
    let reached = without.reached().expect("promised");
    assert_eq!((reached.missed, reached.share()), (0, Some(1.0)));
    // The fallback is there and the router does not get to it before the caller has gone.
    let rest = rest.replace("overloaded", "timeout");
    let late = watched(&world(&format!("{FALLBACK}, timeout: 30"), "", &rest));
    let reached = late.reached().expect("promised");
    assert!(reached.missed > 100, "{reached:?}");
    assert_eq!(reached.first_missed.map(|(_, at)| at.as_nanos() / 1_000_000_000), Some(10));
}

#[test]
fn a_target_without_quota_or_room_or_time_could_not_have_answered() {
    let missed = |upstreams: &str| {
        let rest =
            "faults: [{at: 10s, for: 30s, on: group:chat, inject: timeout}]\nexpect: {fallback_reached: '>= 99%'}";
        let scenario = world_with(&format!("{FALLBACK}, timeout: 30"), "", upstreams, rest);
        watched(&scenario).reached().expect("promised").missed
    };
    let all = missed("");
    assert!(all > 100, "{all}");
    assert_eq!(missed("\n  group:spare: {tpm: 10}"), 0);
    assert_eq!(missed("\n  group:spare: {ttft: 11s}"), 0);
    assert_eq!(missed("\n  group:spare: {rpm: 60000}"), all);
}

#[test]
fn a_cooldown_is_no_excuse() {
    // Both deployments rest long after they are well again, and could have answered.
    let rest = "faults: [{at: 10s, for: 30s, on: group:chat, inject: {status: 401}, probability: 50%}]\n\
                expect: {fallback_reached: '>= 99%'}";
    let rested = watched(&world("allowed_fails: 0, cooldown_time: 60", "", rest));
    let reached = rested.reached().expect("promised");
    assert!(reached.missed > 10, "{reached:?}");
}

#[test]
fn shares_are_fair_until_a_limit_stands_on_one_deployment_alone() {
    let text = |rpm: &str| {
        let config = CONFIG.replace("SETTINGS", "").replace(", MORE", "").replace(", RPM_A", rpm);
        format!("name: t\nduration: 2m\n{config}{TRAFFIC}expect: {{fair_shares: '<= 10%'}}\n")
    };
    let fair = watched(&read(&text(""))).unfair().expect("calls enough");
    assert!(fair.off() < 0.1 && (fair.due - 0.5).abs() < 1e-9, "{fair:?}");
    let unfair = watched(&read(&text(", rpm: 60"))).unfair().expect("calls enough");
    assert!(unfair.off() > 0.49, "{unfair:?}");
    let other = world("routing_strategy: least-busy", "", "expect: {fair_shares: '<= 10%'}");
    assert_eq!(watched(&other).unfair(), None);
}

#[test]
fn a_stream_starves_while_another_is_served() {
    let rest =
        "faults: [{at: 10s, for: 30s, on: group:apart, inject: {status: 400}}]\nexpect: {no_starvation: '<= 5s'}";
    let (span, stream) = watched(&world("", "", rest)).starved().expect("two streams");
    assert_eq!(stream, 1);
    assert!((28.0..31.0).contains(&span.as_secs_f64()), "{span}");
    let well = watched(&world("", "", "expect: {no_starvation: '<= 5s'}")).starved().expect("two streams");
    assert!(well.0 < Span::from_secs(2), "{well:?}");
}

#[test]
fn only_what_no_fault_can_reach_is_a_bystander() {
    let of = |settings: &str, on: &str| {
        let rest = format!("faults: [{{at: 10s, on: {on}, inject: overloaded}}]\nexpect: {{isolation: '>= 99%'}}");
        let scenario = world(settings, "", &rest);
        let asked = Shape::of(&scenario).asked;
        let watched = watched(&scenario);
        let names = watched.bystanders().iter().map(|&index| scenario.plan.name(asked[index]).to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(of("", "group:chat"), ["apart"]);
    assert_eq!(of("", "group:apart"), ["chat"]);
    assert_eq!(of("fallbacks: [{chat: [apart]}]", "group:chat"), Vec::<String>::new());
    assert_eq!(of("fallbacks: [{apart: [chat]}]", "group:chat"), ["apart"]);
}

#[test]
fn both_drivers_measure_the_same() {
    let rest = "faults: [{at: 3s, for: 5s, on: group:chat, inject: overloaded, probability: 70%}]\nexpect: {deadline: '>= 1%', \
                fallback_reached: '>= 1%', fair_shares: '<= 50%', no_starvation: '<= 60s', isolation: '>= 1%', \
                amplification: {5s: '<= 9'}, recovery: '<= 1m'}";
    let text = world("allowed_fails: 1, cooldown_time: 2", "full_speed: 4", rest);
    let scenario = Scenario { duration: Span::from_secs(25), drain: Span::from_secs(12), ..text };
    let (engine, wire) = (measured(&scenario), on_turmoil(&scenario));
    let told = |metrics: &Metrics| {
        let watched = metrics.watched().expect("promised").clone();
        format!("{watched:?} {:?} {:?}", metrics.aftermath(), metrics.steps().worst_amplification(Span::from_secs(5)))
    };
    assert_eq!(told(&engine), told(&wire));
    assert!(engine.watched().expect("promised").reached().expect("promised").missed > 0);
}

#[test]
fn goodput_comes_back_when_the_last_rest_is_over() {
    let rest = "faults: [{at: 20s, for: 10s, on: group:chat, inject: overloaded}]\nexpect: {recovery: '<= 5s'}";
    let back = |settings: &str| match measured(&world(settings, "", rest)).aftermath().expect("a quiet time").goodput {
        Goodput::Back(span) => span.as_secs_f64(),
        Goodput::Away { .. } => f64::INFINITY,
    };
    assert!(back("cooldown_time: 1") <= 2.0);
    let rested = back("allowed_fails: 0, cooldown_time: 40");
    assert!((30.0..41.0).contains(&rested), "{rested}");
}

#[test]
fn what_cannot_be_judged_says_why() {
    let of = |faults: &str| measured(&world("", "", faults)).aftermath();
    assert_eq!(of(""), Err(NotJudged::NoFault));
    assert_eq!(of("faults: [{at: 20s, on: all, inject: slow}]"), Err(NotJudged::NeverOver));
    let short = of("faults: [{at: 20s, for: 98s, on: group:apart, inject: revoked}]");
    assert_eq!(short, Err(NotJudged::TooShort(Span::from_secs(2))));
    let after = of("faults: [{at: 20s, for: 60s, on: group:apart, inject: revoked}]").expect("windows enough");
    assert_eq!(after.lasting(), Err(NotJudged::TooShort(Span::from_secs(40))));
}

#[test]
fn a_request_that_nobody_ever_answers_is_stuck_and_one_under_a_fault_is_not() {
    let text = |fault: &str| {
        let config = CONFIG.replace("SETTINGS", "timeout: 6000").replace(", MORE", "").replace(", RPM_A", "");
        let traffic = TRAFFIC.replace(", deadline: 10s", "");
        read(&format!("name: t\nduration: 2m\ndrain: 1m\n{config}{traffic}faults: [{fault}]\n"))
    };
    let (count, _, at) =
        measured(&text("{at: 10s, for: 20s, on: group:apart, inject: timeout}")).unanswered().expect("some");
    assert_eq!((count, at.as_nanos() / 1_000_000_000), (20, 10));
    assert_eq!(measured(&text("{at: 10s, on: group:apart, inject: timeout}")).unanswered(), None);
}

/// Everything that ended, and every call, by time.
#[derive(Default)]
struct Everything {
    requests: Vec<RequestRow>,
}

impl RowSink for Everything {
    fn request(&mut self, row: &RequestRow) {
        self.requests.push(*row);
    }

    fn attempt(&mut self, _: &AttemptRow) {}
}

#[derive(Default)]
struct Calls(Vec<Time>);

impl Watcher for Calls {
    fn watch(&mut self, step: &Step<'_>) {
        let calls =
            step.effects.iter().filter(|effect| matches!(effect, Effect::Send { message: Message::Call { .. }, .. }));
        self.0.extend(calls.map(|_| step.at));
    }
}

/// A run told by rows, and looked at second by second the slow way.
struct Recount {
    requests: Vec<(u64, bool)>,
    calls: Vec<u64>,
}

impl Recount {
    fn of(scenario: &Scenario, seed: u64) -> (Self, Metrics) {
        let shape = Shape::of(scenario);
        let horizon = shape.end;
        let metrics = Metrics::new(shape, seed).with_promises(scenario);
        let mut watchers = (metrics, Rows::new(Everything::default()), Calls::default());
        Engine::new().run(&mut Cast::new(scenario), seed, horizon, &mut watchers);
        let (mut metrics, rows, calls) = watchers;
        metrics.finish();
        let second = |at: Time| at.as_nanos() / 1_000_000_000;
        let rows = rows.finish(horizon).requests;
        let requests =
            rows.iter().map(|row| (second(row.due), matches!(row.end, RequestEnd::Answered { .. }))).collect();
        (Self { requests, calls: calls.0.into_iter().map(second).collect() }, metrics)
    }

    fn stretch(&self, from: u64, to: u64) -> Stretch {
        let due: Vec<_> = self.requests.iter().filter(|(due, _)| (from..to).contains(due)).collect();
        Stretch {
            due: due.len() as u64,
            answered: due.iter().filter(|(_, answered)| *answered).count() as u64,
            attempts: self.calls.iter().filter(|call| (from..to).contains(*call)).count() as u64,
        }
    }

    /// By its definition: the first second after the fault from which on every full window is good.
    fn recovery(&self, fault: (u64, u64), duration: u64, patience: u64) -> Option<u64> {
        let before = self.stretch(0, fault.0);
        let usual = if before.due >= 20 { before.answered as f64 / before.due as f64 } else { 1.0 };
        let last = duration - (duration - fault.1).div_ceil(4).min(patience);
        let window = |from: u64| (from + 10..=last).map(|to| self.stretch(from, to)).find(|one| one.due >= 20);
        let good = |from: u64| window(from).map(|one| one.answered as f64 >= 0.95 * usual * one.due as f64);
        let back = (fault.1..last).rev().take_while(|from| good(*from) != Some(false)).last()?;
        good(back)?;
        Some(back - fault.1)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn windows_are_what_a_slow_recount_of_rows_finds(
        seed: u64, rate in 1..7_u32, at in 0..40_u64, lasts in 5..30_u64, cooldown in 1..30_u32, window in 1..25_u64,
        burst in 0..60_u32,
    ) {
        let settings = format!("allowed_fails: 1, cooldown_time: {cooldown}");
        let rest = format!(
            "  - {{model: chat, arrivals: {{poisson: {rate}/s}}, deadline: 6s}}
  - {{model: chat, arrivals: {{bursts: {{size: {}, every: 35s}}}}, deadline: 9s}}
faults: [{{at: {at}s, for: {lasts}s, on: group:chat, inject: overloaded, probability: 60%}}]
expect: {{recovery: '<= 1m', amplification: {{{window}s: '<= 3'}}}}",
            burst + 1
        );
        let scenario = world(&settings, "full_speed: 12", &rest);
        let (recount, metrics) = Recount::of(&scenario, seed);
        let steps = metrics.steps();
        let last = steps.count() as u64;
        for (from, to) in [(0, last), (at, at + lasts), (at + lasts, 120)] {
            prop_assert_eq!(steps.between(from as usize, to as usize), recount.stretch(from, to));
        }
        let ratio = |from: u64| {
            let stretch = recount.stretch(from, from + window);
            stretch.attempts as f64 / stretch.due.max(10) as f64
        };
        let worst = (0..=120 - window).map(ratio).fold(0.0, f64::max);
        prop_assert_eq!(steps.worst_amplification(Span::from_secs(window)).0, worst);
        let seen = match metrics.aftermath().expect("windows enough").goodput {
            Goodput::Back(span) => Some(span.as_nanos() / 1_000_000_000),
            Goodput::Away { .. } => None,
        };
        prop_assert_eq!(seen, recount.recovery((at, at + lasts), 120, 10));
    }
}

#[test]
fn promises_cost_nothing_in_the_digest() {
    let plain = world(FALLBACK, "", "faults: [{at: 10s, for: 30s, on: group:chat, inject: overloaded}]");
    let promised = world(
        FALLBACK,
        "",
        "faults: [{at: 10s, for: 30s, on: group:chat, inject: overloaded}]\nexpect: {fallback_reached: '>= 1%'}",
    );
    assert_eq!(campaign::watched(&plain, 3).end, campaign::watched(&promised, 3).end);
}
