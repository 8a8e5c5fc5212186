//! The router that knows what will happen, against what can be computed by hand, and against the real one.

use std::path::Path;

use routedrill_sim::campaign::{foreseen, watched};
use routedrill_sim::metrics::{AskedCounts, Metrics, Phase};
use routedrill_sim::scenario::{self, Scenario};
use routedrill_sim::source::Source;

/// A scenario over one group `a` of two deployments, and a fallback group `b` of one.
fn scenario(rest: &str) -> Scenario {
    let text = format!(
        "name: t\nconfig:\n  model_list:\n    - {{model_name: a, litellm_params: {{model: openai/a1, api_key: os.environ/K1}}, \
         model_info: {{id: a1}}}}\n    - {{model_name: a, litellm_params: {{model: openai/a2, api_key: os.environ/K2}}, \
         model_info: {{id: a2}}}}\n    - {{model_name: b, litellm_params: {{model: openai/b1, api_key: os.environ/K3}}, \
         model_info: {{id: b1}}}}\n  litellm_settings: {{fallbacks: [{{a: [b]}}]}}\n{rest}"
    );
    read(&text)
}

fn read(text: &str) -> Scenario {
    let read = scenario::read(&Source::new("t", text), Path::new("/nowhere"));
    read.unwrap_or_else(|problems| panic!("{problems}\n{text}")).scenario
}

fn all(metrics: &Metrics) -> AskedCounts {
    metrics.over(&Phase::ALL)
}

fn lost(counts: &AskedCounts) -> u64 {
    counts.ends.total() - counts.ends.answered
}

const QUICK: &str = "upstreams: {all: {ttft: 100ms, tpot: 1ms}}\n";

#[test]
fn an_outage_of_one_is_nobodys_loss_and_costs_no_attempt() {
    let outage = scenario(&format!(
        "{QUICK}duration: 60s\ntraffic: [{{model: a, arrivals: {{poisson: 20/s}}, deadline: 5s}}]\nfaults:\n  \
         - {{at: 10s, for: 30s, on: deployment:a1, inject: timeout}}\n"
    ));
    let (_, metrics) = foreseen(&outage, 1);
    let counts = all(&metrics);
    assert_eq!((lost(&counts), counts.attempts, counts.fell_back), (0, counts.ends.total(), 0));
}

#[test]
fn a_fallback_stands_in_only_while_the_whole_group_is_gone() {
    let outage = scenario(&format!(
        "{QUICK}duration: 60s\ntraffic: [{{model: a, arrivals: {{constant: 10/s}}, deadline: 5s}}]\nfaults:\n  \
         - {{at: 10s, for: 20s, on: group:a, inject: {{status: 503}}}}\n"
    ));
    let counts = all(&foreseen(&outage, 1).1);
    assert_eq!((lost(&counts), counts.attempts), (0, counts.ends.total()));
    assert_eq!(counts.fell_back, 200, "those that were asked for in twenty seconds");
}

#[test]
fn what_nobody_can_answer_in_time_is_lost_and_nothing_else_is() {
    // Down from 10s to 40s for everybody; a caller waits 10s, of which 0.2s go into the answer and the ways.
    let outage = scenario(&format!(
        "{QUICK}duration: 60s\nlinks: {{client: 1ms, upstream: 1ms}}\ntraffic: [{{model: a, arrivals: {{constant: 10/s}}, \
         output_tokens: 1, deadline: 10s}}]\nfaults:\n  - {{at: 10s, for: 30s, on: all, inject: refused}}\n"
    ));
    let counts = all(&foreseen(&outage, 1).1);
    // Whoever asks from 10s on and gives up before 40.1s.
    assert!((199..=202).contains(&lost(&counts)), "{}", lost(&counts));
    assert_eq!(counts.attempts, counts.ends.answered, "and nothing is called that would fail");
}

#[test]
fn a_quota_is_used_up_to_the_last_request() {
    // 60 a minute for 3 minutes, and three times as many are asked for.
    let short = read(&format!(
        "name: t\nconfig: {{model_list: [{{model_name: a, litellm_params: {{model: openai/a1}}}}]}}\n{QUICK}duration: 3m\n\
         drain: 10s\ntraffic: [{{model: a, arrivals: {{constant: 3/s}}, output_tokens: 1, deadline: 30s}}]\n\
         quotas: [{{on: all, requests: 60, window: fixed 1m}}]\n"
    ));
    let counts = all(&foreseen(&short, 1).1);
    // The fourth window answers those who still wait at the end.
    assert_eq!((counts.ends.answered, counts.attempts), (240, 240));
}

#[test]
fn chance_is_foreseen_too() {
    let gray = scenario(&format!(
        "{QUICK}duration: 60s\ntraffic: [{{model: a, arrivals: {{poisson: 20/s}}, deadline: 5s}}]\nfaults:\n  \
         - {{at: 0s, on: deployment:a1, probability: 50%, inject: {{status: 500}}}}\n"
    ));
    let counts = all(&foreseen(&gray, 1).1);
    assert_eq!((lost(&counts), counts.attempts), (0, counts.ends.total()));
    let everywhere = scenario(&format!(
        "{QUICK}duration: 60s\ntraffic: [{{model: a, arrivals: {{poisson: 20/s}}, deadline: 5s}}]\nfaults:\n  \
         - {{at: 0s, on: all, probability: 50%, inject: {{status: 500}}}}\n"
    ));
    let counts = all(&foreseen(&everywhere, 1).1);
    // Where every next draw is a bad one, somebody has to spend it.
    assert_eq!(lost(&counts), 0);
    assert!(counts.attempts > counts.ends.total() && counts.attempts < 2 * counts.ends.total(), "{}", counts.attempts);
}

#[test]
fn a_prompt_that_fits_nowhere_is_refused_at_once_and_a_queue_moves_on() {
    let long = read(&format!(
        "name: t\nconfig: {{model_list: [{{model_name: a, litellm_params: {{model: openai/a1}}, model_info: \
         {{max_input_tokens: 1000}}}}], router_settings: {{enable_pre_call_checks: true}}}}\n{QUICK}duration: 60s\n\
         traffic: [{{model: a, arrivals: {{constant: 5/s}}, prompt_tokens: {{p50: 500, p95: 2000}}, deadline: 20s}}]\n"
    ));
    let counts = all(&foreseen(&long, 1).1);
    let real = all(&watched(&long, 1).metrics);
    assert_eq!(counts.ends.answered, real.ends.answered, "as many as fit");
    assert_eq!(counts.ends.gave_up, 0);
}

#[test]
fn a_seed_is_a_run() {
    let gray = scenario(
        "duration: 60s\ntraffic: [{model: a, arrivals: {poisson: 20/s}, deadline: 5s}]\nupstreams: {all: {servers: 20}}\n\
         faults:\n  - {at: 0s, on: all, probability: 50%, inject: {slow: 4}}\n",
    );
    assert_eq!(foreseen(&gray, 3).0, foreseen(&gray, 3).0);
    assert_ne!(foreseen(&gray, 3).0.digest, foreseen(&gray, 4).0.digest);
}

#[test]
fn in_the_shipped_scenarios_it_never_loses_more_than_the_router() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let files = std::fs::read_dir(folder).expect("the shipped scenarios").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect();
    files.sort();
    assert!(files.len() > 20);
    let share = |counts: &AskedCounts| lost(counts) as f64 / counts.ends.total().max(1) as f64;
    for file in files {
        let scenario = scenario::load(&file).unwrap_or_else(|problems| panic!("{problems}")).scenario;
        let seed = scenario.seed;
        let (real, knowing) = (all(&watched(&scenario, seed).metrics), all(&foreseen(&scenario, seed).1));
        assert!(share(&knowing) <= share(&real), "{}: {} of {}", file.display(), lost(&knowing), knowing.ends.total());
    }
}
