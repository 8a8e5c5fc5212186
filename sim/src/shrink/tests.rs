//! Shrinking under judges whose smallest scenario is known beforehand.

use super::*;
use crate::scenario::MustSee;

const SCENARIO: &str = "\
name: big
config:
  model_list:
    - {model_name: gpt, litellm_params: {model: openai/a, rpm: 10}}
    - {model_name: gpt, litellm_params: {model: openai/b, api_key: os.environ/KEY, weight: 3}}
    - {model_name: spare, litellm_params: {model: anthropic/c}}
  router_settings: {num_retries: 1, cooldown_time: 5, fallbacks: [{gpt: [spare]}]}
seed: 3
duration: 5m
traffic:
  - {model: gpt, arrivals: {poisson: 4/s}, deadline: 20s, prompt_tokens: {p50: 700, p95: 5000}}
  - {model: spare, arrivals: {bursts: {size: 7, every: 20s}}}
upstreams:
  provider:openai: {rpm: 240, ttft: {p50: 1s, p95: 3s}}
faults:
  - {at: 2m, for: 40s, on: [provider:anthropic, key:KEY], inject: {status: 429, retry_after: 15s}, probability: 60%}
  - {at: 3m, on: group:spare, inject: revoked}
expect: {availability: '>= 99%', latency: {p99: <= 4s, max: <= 60s}, must_see: [retry, cooldown]}
";

fn source() -> Source {
    Source::new("s.yaml", SCENARIO)
}

fn big() -> Scenario {
    scenario::read(&source(), Path::new("")).unwrap_or_else(|problems| panic!("{problems}")).scenario
}

fn document() -> Document {
    Document::new(&source(), &big(), Some("latency.p99"), &[MustSee::Retry])
        .unwrap_or_else(|problems| panic!("{problems}"))
}

fn shrunk(judge: &Judge<'_>) -> Shrunk {
    shrink(document(), judge, &|| ())
}

/// A fault of at least 7 s on the second deployment of `gpt`, and somebody who asks for `gpt`.
fn strikes_b(scenario: &Scenario) -> bool {
    let for_gpt = |traffic: &scenario::Traffic| scenario.plan.name(traffic.model) == "gpt";
    scenario.traffic.iter().any(for_gpt)
        && scenario.faults.iter().any(|fault| {
            let long = fault.until.is_none_or(|until| until.since(fault.from) >= router_core::Span::from_secs(7));
            long && fault.on.iter().any(|id| scenario.plan.deployment(*id).model == "openai/b")
        })
}

#[test]
fn a_document_is_the_same_scenario_with_one_promise() {
    let text = document().text();
    let again = read(&text).unwrap_or_else(|| panic!("{text}"));
    let big = big();
    assert_eq!((again.faults.len(), again.traffic.len(), again.seed), (2, 2, 3));
    assert_eq!(again.plan.settings(), big.plan.settings());
    assert_eq!(again.expect.latency, [(0.99, 4.0)]);
    assert_eq!((again.expect.availability, again.expect.must_see), (None, vec![MustSee::Retry]));
}

#[test]
fn what_the_judge_does_not_need_goes() {
    let shrunk = shrunk(&strikes_b);
    assert!(shrunk.is_minimal);
    // What is out stays out: nothing is taken out twice.
    assert!(shrunk.judged < 150, "{}", shrunk.judged);
    let expected = "\
name: big-smallest
seed: 3
duration: 1s
traffic:
  - {model: gpt, arrivals: {constant: 0.1/s}}
faults:
  - {at: 0s, on: [key:KEY], inject: {status: 429}}
expect: {latency: {p99: \"<= 4s\"}, must_see: [retry]}
config:
  model_list:
    - {model_name: gpt, litellm_params: {model: openai/b, api_key: os.environ/KEY}}
";
    assert_eq!(shrunk.document.text(), expected);
    assert!(shrunk.document.size() < document().size() / 2);
}

#[test]
fn numbers_go_as_low_as_the_judge_lets_them() {
    let lasts = |scenario: &Scenario| scenario.faults.iter().any(|fault| fault.until.is_some()) && strikes_b(scenario);
    let text = shrunk(&lasts).document.text();
    assert!(text.contains("for: 10s"), "the next rung above 7 s\n{text}");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| shrunk(&strikes_b))
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn a_judge_that_nothing_else_pleases_gets_back_what_it_has() {
    let text = document().text();
    let big = read(&text).expect("a scenario");
    let same = |scenario: &Scenario| {
        let shape = |s: &Scenario| format!("{:?} {:?} {:?} {:?}", s.traffic, s.faults, s.quotas, s.plan);
        shape(scenario) == shape(&big) && scenario.duration == big.duration && scenario.upstreams == big.upstreams
    };
    let shrunk = shrunk(&same);
    assert!(read(&shrunk.document.text()).is_some_and(|scenario| same(&scenario)));
    assert_eq!(shrunk.document.text(), text);
}
