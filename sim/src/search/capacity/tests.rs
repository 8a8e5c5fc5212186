//! Capacities that can be worked out by hand come out right. Where chance plays a part: `known_answers`.

use std::path::Path;

use super::*;
use crate::scenario::{Scenario, read};
use crate::search::slo::Slo;
use crate::source::Source;

/// A config of one group with deployments of one provider each, and a scenario of `lines` around it.
pub(super) fn scenario(config: &str, lines: &str) -> Scenario {
    let text = format!("name: known\nconfig: {config}\n{lines}");
    let loaded = read(&Source::new("known.yaml", text), Path::new("")).unwrap_or_else(|problems| panic!("{problems}"));
    loaded.scenario
}

pub(super) const ONE: &str = "{model_list: [{model_name: gpt, litellm_params: {model: openai/gpt, api_key: os.environ/K}}], \
                   router_settings: {num_retries: 0, disable_cooldowns: true}}";
pub(super) const TWO: &str = "{model_list: [{model_name: gpt, litellm_params: {model: openai/gpt, api_key: os.environ/K}}, \
                   {model_name: gpt, litellm_params: {model: azure/gpt, api_base: 'https://a', api_key: os.environ/A}}], \
                   router_settings: {num_retries: 0, disable_cooldowns: true}}";

/// Fast answers of fixed length, so that quotas alone decide.
pub(super) const FAST: &str = "prompt_tokens: 10, output_tokens: 1, deadline: 10s";

pub(super) fn capacity(scenario: Scenario, slo: &str, seeds: std::ops::Range<u64>) -> Capacity {
    let today = rate(&scenario).unwrap();
    let asked = crate::metrics::Shape::of(&scenario).asked;
    let promises = Slo::parse(slo).unwrap().promises(&scenario.plan, &asked).unwrap();
    Capacity {
        bench: Bench {
            scenario,
            today,
            stretch: Stretch::default(),
            promises,
            seeds: seeds.collect(),
            confidence: 0.95,
        },
        cases: vec![Case::healthy()],
        limits: Limits { start: today, min: today / 64.0, max: today * 64.0, precision: 0.02 },
        target: None,
    }
}

fn healthy(capacity: &Capacity) -> (f64, f64) {
    let outcome = capacity.run(&|| ());
    let bracket = outcome.answers[0].bracket;
    (bracket.holds.expect("some load holds"), bracket.breaks.expect("some load breaks"))
}

#[test]
fn a_quota_that_is_full_again_each_minute_carries_itself_and_what_the_promise_forgives() {
    // Arrivals at equal distances, two whole minutes: of n a minute 120 are answered, so 90 % hold up to 120 / 0.9 = 133.3
    // a minute, 2.22 a second.
    let lines = format!(
        "duration: 120s\ntraffic: [{{model: gpt, arrivals: {{constant: 1/s}}, {FAST}}}]\n\
         upstreams: {{all: {{rpm: 120, window: fixed 60s, ttft: 1ms, tpot: 0s}}}}\n"
    );
    // Equal distances leave no luck: only the number of requests is what the interval knows.
    let (holds, breaks) = healthy(&capacity(scenario(ONE, &lines), "availability>=90%", 0..16));
    let truth = 120.0 / 60.0 / 0.9;
    assert!(holds <= truth && truth <= breaks, "{holds} to {breaks} around {truth}");
    assert!(breaks / holds < 1.08, "{holds} to {breaks}");
}

#[test]
fn a_bucket_carries_its_refill_and_once_what_it_holds() {
    // 60 in the bucket and one more each second: in 60 s 120 get through, so 90 % hold up to 120 / 0.9 / 60 a second.
    let lines = format!(
        "duration: 60s\ntraffic: [{{model: gpt, arrivals: {{constant: 1/s}}, {FAST}}}]\n\
         upstreams: {{all: {{rpm: 60, window: bucket 60s, ttft: 1ms, tpot: 0s}}}}\n"
    );
    let (holds, breaks) = healthy(&capacity(scenario(ONE, &lines), "availability>=90%", 0..16));
    let truth = 120.0 / 0.9 / 60.0;
    assert!(holds <= truth * 1.01 && truth * 0.99 <= breaks, "{holds} to {breaks} around {truth}");
    assert!(breaks / holds < 1.1, "{holds} to {breaks}");
}

#[test]
fn losing_one_of_two_costs_what_it_carried_and_the_quota_is_named() {
    let lines = format!(
        "duration: 120s\ntraffic: [{{model: gpt, arrivals: {{constant: 1/s}}, {FAST}}}]\n\
         upstreams: {{all: {{rpm: 120, window: fixed 60s, ttft: 1ms, tpot: 0s, scope: deployment}}}}\n\
         router: {{num_retries: 3, disable_cooldowns: true}}\n"
    );
    let mut question = capacity(scenario(TWO, &lines), "availability>=85%", 0..4);
    question.cases.extend(cases(&question.bench.scenario, crate::drill::Outage::ServerError));
    question.cases.truncate(2);
    question.target = Some(8.0);
    let outcome = question.run(&|| ());
    let [healthy, lost] = outcome.answers.as_slice() else { panic!("two cases") };
    assert_eq!((healthy.case.name.as_str(), lost.case.name.as_str()), ("healthy", "provider:openai"));
    let (both, one) = (healthy.bracket.holds.unwrap(), lost.bracket.holds.unwrap());
    // Retries use up both quotas, 4 a second, and what the promise forgives comes on top; with one of them, half of that.
    assert!((4.2..=4.8).contains(&both), "{both}");
    assert!((2.0..=2.4).contains(&one), "{one}");
    assert!(matches!(lost.gives[0], Gives::Quota(QuotaUse { quota: 1, .. })), "{:?}", lost.gives);
    // Both quotas have to grow for twice the load.
    let shopping = outcome.shopping.unwrap();
    assert!(shopping.reached && !shopping.purchases.is_empty(), "{shopping:?}");
    assert!(shopping.purchases.last().unwrap().holds.is_some_and(|holds| holds > 7.0), "{shopping:?}");
}

#[test]
fn what_brings_nothing_is_not_bought_and_what_limits_instead_is_named() {
    // The quota carries 5 a second and the only server 2: at 20 a second both refuse, and a larger quota changes nothing.
    let lines = format!(
        "duration: 60s\ntraffic: [{{model: gpt, arrivals: {{constant: 1/s}}, {FAST}}}]\n\
         upstreams: {{all: {{rpm: 300, window: fixed 60s, servers: 1, ttft: 500ms, tpot: 0s}}}}\n"
    );
    let mut question = capacity(scenario(ONE, &lines), "availability>=90%", 0..2);
    question.limits.precision = 0.1;
    question.target = Some(20.0);
    let shopping = question.run(&|| ()).shopping.unwrap();
    assert!(!shopping.reached && shopping.purchases.is_empty(), "{shopping:?}");
    assert!(matches!(shopping.then, Some(Gives::Deadlines { .. } | Gives::Timeouts { .. })), "{shopping:?}");
}

#[test]
fn an_objective_that_nothing_can_meet_is_an_answer() {
    let lines = format!(
        "duration: 30s\ntraffic: [{{model: gpt, arrivals: {{poisson: 2/s}}, {FAST}}}]\n\
         upstreams: {{all: {{ttft: 2s, tpot: 0s}}}}\n"
    );
    let question = capacity(scenario(ONE, &lines), "p50<=1s", 0..8);
    let outcome = question.run(&|| ());
    assert_eq!(outcome.answers[0].bracket.holds, None);
    assert!(outcome.answers[0].bracket.breaks.is_some());
    assert!(outcome.answers[0].judged.iter().all(|one| one.indicators[0].is_none_or(|one| one.value == 0.0)));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let lines = format!(
        "duration: 30s\ntraffic: [{{model: gpt, arrivals: {{poisson: 2/s}}, {FAST}}}]\n\
         upstreams: {{all: {{rpm: 120, window: fixed 60s}}}}\n"
    );
    let mut question = capacity(scenario(TWO, &lines), "availability>=95%", 0..4);
    question.cases.extend(cases(&question.bench.scenario, crate::drill::Outage::ServerError));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let outcome = pool.install(|| question.run(&|| ()));
        let brackets: Vec<Bracket> = outcome.answers.iter().map(|answer| answer.bracket).collect();
        (outcome.digest, brackets, outcome.requests)
    };
    assert!(on(1) == on(3));
}
