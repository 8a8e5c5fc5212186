//! Systems whose answers are known in closed form: the truth lies in the intervals as often as they say.
//!
//! Each system runs under 800 fixed, consecutive seeds, eight of them for each of 100 repetitions. Of 100 intervals with a
//! confidence of 99 % at least 95 must hold the truth, and of those with 95 % at least 90; their mean width is printed,
//! and must be worth something, too.

use super::tests::{FAST, ONE, TWO, capacity, scenario};
use super::*;
use crate::dice::QuantileTable;
use crate::scenario::{Quantiles, Scenario};
use crate::search::interval::Interval;
use crate::search::slo::{Measured, Promise};

const REPETITIONS: usize = 100;
const SEEDS_EACH: usize = 8;

/// A confidence, and how many of 100 intervals with it must hold the truth.
const DEMANDED: [(f64, usize); 2] = [(0.99, 95), (0.95, 90)];

/// By promise: what each of the runs says.
fn measured(scenario: Scenario, slo: &str) -> Vec<(Promise, Vec<Measured>)> {
    let bench = capacity(scenario, slo, 0..2).bench;
    let seeds: Vec<u64> = (0..(REPETITIONS * SEEDS_EACH) as u64).collect();
    let measured = bench.trial(&Case::healthy(), bench.today, &seeds, false).measured;
    bench.promises.into_iter().zip(measured).collect()
}

/// The intervals of a promise over eight runs each hold `truth` as often as they say.
fn holds(what: &str, (promise, runs): &(Promise, Vec<Measured>), truth: f64) {
    for (confidence, least) in DEMANDED {
        let intervals = runs.chunks(SEEDS_EACH).map(|runs| promise.interval(runs, confidence).expect("eight runs"));
        let width: f64 = intervals.clone().map(|interval: Interval| interval.width()).sum::<f64>() / REPETITIONS as f64;
        let held = intervals.filter(|interval| interval.holds(truth)).count();
        println!("{what}: {held} of 100 intervals at {confidence} hold {truth:.4}; they are {width:.4} wide");
        assert!(held >= least, "{what}: {held} of 100 intervals at {confidence} hold {truth}");
        assert!(width < truth / 2.0, "{what}: intervals {width} wide around {truth} say nothing");
    }
}

/// The load at which a promise turns lies between those that are said to hold and to break, as often as they say.
fn turns(what: &str, scenario: &Scenario, slo: &str, truth: f64) {
    let mut question = capacity(scenario.clone(), slo, 0..2);
    question.limits.precision = 0.2;
    for (confidence, least) in DEMANDED {
        question.bench.confidence = confidence;
        let brackets = (0..REPETITIONS).map(|repetition| {
            question.bench.seeds = (0..SEEDS_EACH).map(|n| (SEEDS_EACH * repetition + n) as u64).collect();
            let bracket = search(question.limits, |load| question.bench.judge(&Case::healthy(), load).standing);
            (bracket.holds.expect("some load holds"), bracket.breaks.expect("some load breaks"))
        });
        let brackets: Vec<(f64, f64)> = brackets.collect();
        let held = brackets.iter().filter(|(holds, breaks)| *holds <= truth && truth <= *breaks).count();
        let width = brackets.iter().map(|(holds, breaks)| breaks - holds).sum::<f64>() / REPETITIONS as f64;
        println!("{what}: {held} of 100 brackets at {confidence} hold {truth:.4}; they are {width:.4} wide");
        assert!(held >= least, "{what}: {held} of 100 brackets at {confidence} hold {truth}");
        assert!(width < truth, "{what}: brackets {width} wide around {truth} say nothing");
    }
}

/// Where a falling function goes through a value, between 0 and 10.
fn falls_to(value: f64, falling: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 10.0);
    while high - low > 1e-9 {
        let middle = (low + high) / 2.0;
        (low, high) = if falling(middle) >= value { (middle, high) } else { (low, middle) };
    }
    low
}

/// One upstream that works for `service` on each call, with `station` around it; `rate` calls a second for `seconds`.
/// Runs of a queue should be many times longer than it takes to forget how it began: then their means are nearly normal,
/// as Student's intervals want them.
fn queue(rate: f64, seconds: u64, station: &str, service: &[(f64, f64)]) -> Scenario {
    let lines = format!(
        "duration: {seconds}s\nlinks: {{client: 1ms, upstream: 1ms}}\n\
         traffic: [{{model: gpt, arrivals: {{poisson: {rate}/s}}, prompt_tokens: 10, output_tokens: 1}}]\n\
         upstreams: {{all: {{tpot: 0s, {station}}}}}\n"
    );
    let mut scenario = scenario(ONE, &lines);
    scenario.upstreams[0].ttft = Quantiles(service.to_vec());
    scenario
}

/// Every call is sent over four links of 1 ms.
const LINKS: f64 = 0.004;

/// A distribution with a mean of one second, from values by the share of calls that take longer.
fn mean_of_one(value: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    const STEPS: u32 = 4000;
    let quantiles = |scale: f64| -> Vec<(f64, f64)> {
        (1..STEPS).map(f64::from).map(|n| (n / f64::from(STEPS), value(1.0 - n / f64::from(STEPS)) * scale)).collect()
    };
    // What is drawn is what the table makes of it: the mean is that of the table.
    let table = QuantileTable::new(&Quantiles(quantiles(1.0)), 1e9);
    let draws = 1_000_000_u32;
    let sum: f64 = (0..draws).map(|n| table.sample((f64::from(n) + 0.5) / f64::from(draws)) as f64 / 1e9).sum();
    quantiles(f64::from(draws) / sum)
}

fn exponential() -> Vec<(f64, f64)> {
    mean_of_one(|longer| -libm::log(longer))
}

/// One call in a thousand takes longer than ten times the mean.
fn heavy() -> Vec<(f64, f64)> {
    mean_of_one(|longer| libm::pow(longer, -1.0 / 2.5))
}

fn constant() -> Vec<(f64, f64)> {
    vec![(0.5, 1.0)]
}

#[test]
fn retries_multiply_attempts_as_the_geometric_series_says() {
    // Every call fails with probability 1/2, and there are 2 retries: 1 + 1/2 + 1/4 attempts per request, and 7/8 of the
    // requests are answered.
    let lines = format!(
        "duration: 10s\ntraffic: [{{model: gpt, arrivals: {{poisson: 10/s}}, {FAST}}}]\n\
         upstreams: {{all: {{ttft: 1ms, tpot: 0s}}}}\nrouter: {{num_retries: 2, disable_cooldowns: true}}\n\
         faults: [{{at: 0s, on: all, inject: {{status: 503}}, probability: 50%}}]\n"
    );
    let runs = measured(scenario(TWO, &lines), "attempts<=10,availability>=1%");
    holds("attempts", &runs[0], 1.75);
    holds("answered", &runs[1], 0.875);
}

#[test]
fn a_quota_by_the_minute_refuses_what_a_poisson_number_exceeds_it_by() {
    // Of N requests in a minute, Poisson with mean 60, min(N, 60) are answered.
    let lines = format!(
        "duration: 120s\ntraffic: [{{model: gpt, arrivals: {{poisson: 1/s}}, {FAST}}}]\n\
         upstreams: {{all: {{rpm: 60, window: fixed 60s, ttft: 1ms, tpot: 0s}}}}\n"
    );
    let runs = measured(scenario(ONE, &lines), "availability>=1%");
    holds("a quota by the minute", &runs[0], answered_of_a_quota(60.0, 60.0));
}

/// The share of requests that a quota lets through, when so many come in its window on average, at random.
fn answered_of_a_quota(quota: f64, coming: f64) -> f64 {
    let chance = |n: f64| libm::exp(n * libm::log(coming) - coming - libm::lgamma(n + 1.0));
    (0..600).map(f64::from).map(|n| n.min(quota) * chance(n)).sum::<f64>() / coming
}

#[test]
fn a_quota_by_the_minute_carries_as_much_as_its_promise_forgives() {
    let lines = format!(
        "duration: 60s\ntraffic: [{{model: gpt, arrivals: {{poisson: 1/s}}, {FAST}}}]\n\
         upstreams: {{all: {{rpm: 60, window: fixed 60s, ttft: 1ms, tpot: 0s}}}}\n"
    );
    let truth = falls_to(0.9, |rate| answered_of_a_quota(60.0, 60.0 * rate.max(0.01)));
    turns("a quota by the minute", &scenario(ONE, &lines), "availability>=90%", truth);
}

#[test]
fn a_bucket_refuses_as_an_m_d_1_queue_with_so_many_places() {
    // A bucket of two, refilled at one a second: what is missing in it is the work of a queue with two places and
    // services of a second. Of calls at `rate` a second, 1 / (exp(-rate) + rate) find a place.
    let find_a_place = |rate: f64| 1.0 / (libm::exp(-rate) + rate);
    let lines = format!(
        "duration: 300s\ntraffic: [{{model: gpt, arrivals: {{poisson: 0.8/s}}, {FAST}}}]\n\
         quotas: [{{on: all, requests: 2, window: bucket 2s}}]\nupstreams: {{all: {{ttft: 1ms, tpot: 0s}}}}\n"
    );
    let scenario = scenario(ONE, &lines);
    holds("a bucket", &measured(scenario.clone(), "availability>=1%")[0], find_a_place(0.8));
    turns("a bucket", &scenario, "availability>=90%", falls_to(0.9, find_a_place));
}

#[test]
fn queues_carry_as_much_as_their_mean_time_allows() {
    // M/M/1 and every M/G/1 with processor sharing: 1 / (1 - rate), which is two seconds at half a call each second.
    for (what, station, service) in
        [("M/M/1", "servers: 1", exponential()), ("M/G/1-PS, constant services", "full_speed: 1", constant())]
    {
        turns(what, &queue(0.5, 500, station, &service), "mean<=2.004s", 0.5);
    }
}

/// The chance that a call waits for one of some servers, when as many as `load` are busy on average.
fn erlang_c(servers: u32, load: f64) -> f64 {
    // That a call is lost where none may wait, server by server.
    let lost = (1..=servers).fold(1.0, |lost, n| load * lost / (f64::from(n) + load * lost));
    lost / (1.0 - load / f64::from(servers) * (1.0 - lost))
}

#[test]
fn calls_wait_for_servers_as_erlang_says() {
    // Worked out by hand: 1/2 of one server, 1/3 of two, 4/23 of four that are half busy.
    for (servers, waits) in [(1, 1.0 / 2.0), (2, 1.0 / 3.0), (4, 4.0 / 23.0)] {
        assert!((erlang_c(servers, f64::from(servers) / 2.0) - waits).abs() < 1e-12);
    }
    // Exponential services of a second. After Erlang a call waits with the chance C, then for 1 / (c - rate) s on average.
    for (servers, rate, seconds) in [(1, 0.5, 1000), (2, 1.0, 300), (8, 6.0, 150)] {
        let scenario = queue(rate, seconds, &format!("servers: {servers}"), &exponential());
        let truth = 1.0 + erlang_c(servers, rate) / (f64::from(servers) - rate);
        holds(&format!("M/M/{servers}"), &measured(scenario, "mean<=1s")[0], truth + LINKS);
    }
}

#[test]
fn the_time_in_an_m_m_2_queue_has_the_distribution_that_it_should() {
    // It is longer than t with the chance exp(-t) (1 + C t), where C = 1/3.
    let runs = measured(queue(1.0, 300, "servers: 2", &exponential()), "p50<=1.004s");
    holds("M/M/2 within 1 s", &runs[0], 1.0 - libm::exp(-1.0) * (1.0 + 1.0 / 3.0));
}

#[test]
fn constant_services_wait_half_as_long() {
    // After Pollaczek and Khinchine: with half of the time busy, half a service.
    let runs = measured(queue(0.5, 400, "servers: 1", &constant()), "mean<=1s");
    holds("M/D/1", &runs[0], 1.5 + LINKS);
}

#[test]
fn who_shares_a_machine_takes_as_long_on_average_whatever_the_services_are() {
    // M/G/1 with processor sharing: E[S] / (1 - rho), for every distribution of services with that mean.
    for (what, service) in [("exponential", exponential()), ("constant", constant()), ("heavy", heavy())] {
        let runs = measured(queue(0.5, 1000, "full_speed: 1", &service), "mean<=1s");
        holds(&format!("M/G/1-PS, {what} services"), &runs[0], 2.0 + LINKS);
    }
}

#[test]
fn up_to_its_full_speed_a_machine_shares_like_so_many_servers() {
    // With exponential services, two at full speed and the rest sharing that end as often as in M/M/2.
    let runs = measured(queue(1.0, 300, "full_speed: 2", &exponential()), "mean<=1s");
    holds("M/M/2 shared", &runs[0], 4.0 / 3.0 + LINKS);
}
