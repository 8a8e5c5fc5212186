//! What do the laws and the promises cost, as shares of a run that only counts?
//!
//! The same run again and again: with the router, metrics and digest on, which no run goes without, and then with the laws, with
//! every promise that needs a watcher of its own, and with both. The shares are printed at the end, from runs that take turns, so
//! that a machine with other work to do is as slow for one as for the other.
//!
//! Where even that is too noisy, instructions can be counted: `--test` runs a case once.
//!
//! ```text
//! cargo bench --bench watchers --no-run
//! for case in none laws promises both; do
//!   valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/deps/watchers-* --bench --test "watchers/$case"
//! done
//! ```

use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group};
use routedrill_sim::cast::Casting;
use routedrill_sim::engine::Engine;
use routedrill_sim::invariants::Laws;
use routedrill_sim::metrics::{Metrics, Shape};
use routedrill_sim::scenario::Scenario;
use routedrill_sim::step::RunEnd;
use router_core::{Span, Time};

mod world;

const MINUTES: u64 = 20;

const CASES: [(&str, Case); 4] = [
    ("none", Case { laws: false, promises: false }),
    ("laws", Case { laws: true, promises: false }),
    ("promises", Case { laws: false, promises: true }),
    ("both", Case { laws: true, promises: true }),
];

/// Who watches.
#[derive(Clone, Copy)]
struct Case {
    laws: bool,
    promises: bool,
}

/// A scenario with the memory to run it in.
struct Life {
    scenario: Scenario,
    casting: Casting,
    laws: Laws,
    horizon: Time,
    engine: Engine,
}

impl Life {
    fn new() -> Self {
        let mut scenario = world::scenario(Span::from_secs(60 * MINUTES));
        let expect = &mut scenario.expect;
        expect.deadline = Some(0.9);
        expect.no_starvation = Some(Span::from_secs(60));
        expect.fair_shares = Some(0.5);
        expect.fallback_reached = Some(0.9);
        expect.isolation = Some(0.9);
        scenario.traffic[0].deadline = Some(Span::from_secs(60));
        let casting = Casting::new(&scenario);
        let laws = Laws::new(scenario.plan.clone());
        let horizon = Shape::of(&scenario).end;
        Self { scenario, casting, laws, horizon, engine: Engine::new() }
    }

    fn run(&mut self, case: Case) -> (RunEnd, Metrics) {
        let mut metrics = Metrics::new(Shape::of(&self.scenario), 1);
        if case.promises {
            metrics = metrics.with_promises(&self.scenario);
        }
        let mut cast = self.casting.cast();
        if !case.laws {
            let end = self.engine.run(&mut cast, 1, self.horizon, &mut metrics);
            metrics.finish();
            return (end, metrics);
        }
        let mut watchers = (metrics, self.laws.again());
        let end = self.engine.run(&mut cast, 1, self.horizon, &mut watchers);
        let (mut metrics, mut laws) = watchers;
        metrics.finish();
        laws.finish(self.horizon, cast.router());
        assert!(laws.breaches().is_empty(), "the laws hold");
        (end, metrics)
    }
}

fn watchers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("watchers");
    group.sample_size(10).throughput(Throughput::Elements(60 * MINUTES * 50));
    let mut life = Life::new();
    for (name, case) in CASES {
        group.bench_function(name, |bench| bench.iter(|| life.run(case)));
    }
    group.finish();
}

/// Prints what each case takes more than the first, by the run in the middle of many.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn shares() {
    const ROUNDS: usize = 15;
    let mut life = Life::new();
    let mut more: [Vec<f64>; CASES.len()] = Default::default();
    for _ in 0..ROUNDS {
        let seconds = CASES.map(|(_, case)| {
            let began = Instant::now();
            std::hint::black_box(life.run(case));
            began.elapsed().as_secs_f64()
        });
        more.iter_mut().zip(seconds).for_each(|(more, taken)| more.push(taken / seconds[0] - 1.0));
    }
    for ((name, _), mut more) in CASES.into_iter().zip(more).skip(1) {
        more.sort_by(f64::total_cmp);
        println!("watchers/{name}: {:+.1} %", 100.0 * more[ROUNDS / 2]);
    }
}

criterion_group!(benches, watchers);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    let wants = |flag: &str| std::env::args().any(|argument| argument == flag);
    if wants("--bench") && !wants("--test") {
        shares();
    }
}
