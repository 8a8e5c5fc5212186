use routedrill_sim::actor::*;
use routedrill_sim::cast::Cast;
use routedrill_sim::engine::Engine;
use routedrill_sim::provider::*;
use routedrill_sim::scenario::*;
use router_core::*;
use std::sync::Arc;

struct Nobody(u64, u64);
impl Watcher for Nobody {
    fn watch(&mut self, step: &Step<'_>) {
        self.0 += 1;
        for e in step.effects {
            if let Effect::Ended(_) = e {
                self.1 += 1;
            }
        }
    }
}

fn main() {
    let n = 10;
    let entry = |i: usize| ModelEntry {
        model_name: "a".into(),
        id: format!("d{i}"),
        model: "openai/gpt-4o".into(),
        ..ModelEntry::default()
    };
    let config = Config {
        start_unix_nanos: 1_800_000_000_000_000_000,
        model_list: (0..n).map(entry).collect(),
        ..Config::default()
    };
    let plan = Plan::new(&config).unwrap();
    let upstream = Upstream {
        ttft: profiles::Profile::by_name("openai").unwrap().ttft.quantiles(),
        tpot: profiles::Profile::by_name("openai").unwrap().tpot.quantiles(),
        full_speed: None,
        price: (0.0, 0.0),
        dialect: Dialect::OpenAi,
        retry_after: true,
        origin: String::new(),
    };
    let traffic = Traffic {
        model: plan.name_id("a").unwrap(),
        arrivals: Arrivals::Poisson { rate: 50.0 },
        prompt_tokens: Quantiles(vec![(0.5, 800.0), (0.95, 4000.0)]),
        output_tokens: Quantiles(vec![(0.5, 150.0), (0.95, 600.0)]),
        deadline: None,
        retry: None,
        params: None,
    };
    let fault = Fault {
        from: Time::ZERO,
        until: None,
        on: (0..n as u32).map(DeploymentId).collect(),
        probability: 0.02,
        inject: Inject::Error { kind: ErrorKind::Status(500), retry_after: RetryAfter::Absent, message: None },
        label: String::new(),
    };
    let scenario = Scenario {
        name: String::new(),
        upstreams: vec![upstream; n],
        plan: Arc::new(plan),
        inventory: Arc::default(),
        seed: 1,
        duration: Span::from_secs(20_000),
        drain: Span::from_secs(60),
        traffic: vec![traffic],
        quotas: vec![],
        faults: vec![fault],
        links: Links { client: Span::from_millis(1), upstream: Span::from_millis(1) },
        expect: Expect::default(),
    };
    let mut engine = Engine::new();
    let with_metrics = std::env::args().nth(1).as_deref() == Some("metrics");
    for seed in 0..4 {
        if with_metrics {
            use routedrill_sim::metrics::*;
            let mut w = Metrics::new(Shape::of(&scenario), seed);
            let end =
                engine.run(&mut Cast::new(&scenario), seed, Time::ZERO + scenario.duration + scenario.drain, &mut w);
            w.finish();
            println!("metrics: {} steps {:?} attempts {}", end.steps, end.digest, w.attempts());
            continue;
        }
        let mut w = Nobody(0, 0);
        #[expect(clippy::disallowed_methods)]
        let t = std::time::Instant::now();
        let end = engine.run(&mut Cast::new(&scenario), seed, Time::ZERO + scenario.duration + scenario.drain, &mut w);
        let s = t.elapsed().as_secs_f64();
        println!(
            "{} requests, {} steps, {:.3} s, {:.0} requests/s, {:.1} ns/step {:?}",
            w.1,
            w.0,
            s,
            w.1 as f64 / s,
            s * 1e9 / w.0 as f64,
            end.digest
        );
    }
}
