//! How long does one routing decision take, by strategy and by the number of deployments?
//!
//! One iteration is a whole request as the router sees it: it arrives, a deployment is chosen and called, and the answer
//! comes back. The group is healthy; requests are 20 ms apart, so that the windows of a minute hold 3000 of them.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use router_core::{
    Ask, Config, Draw, Entropy, Input, Limit, ModelEntry, Output, Plan, RequestId, Router, RouterSettings,
    RoutingStrategy, Span, Time, Usage,
};

const STRATEGIES: [(&str, RoutingStrategy); 6] = [
    ("simple-shuffle", RoutingStrategy::SimpleShuffle),
    ("least-busy", RoutingStrategy::LeastBusy),
    ("usage-based-routing", RoutingStrategy::UsageBased),
    ("usage-based-routing-v2", RoutingStrategy::UsageBasedV2),
    ("latency-based-routing", RoutingStrategy::LatencyBased),
    ("cost-based-routing", RoutingStrategy::CostBased),
];

fn decide(criterion: &mut Criterion) {
    for (name, strategy) in STRATEGIES {
        let mut group = criterion.benchmark_group(name);
        for deployments in [2, 10, 100] {
            let mut life = Life::new(strategy, deployments);
            group.bench_function(BenchmarkId::from_parameter(deployments), |bencher| bencher.iter(|| life.request()));
        }
    }
}

criterion_group!(benches, decide);
criterion_main!(benches);

/// A router and the requests it has had.
struct Life {
    router: Router,
    ask: Ask,
    now: Time,
    number: u64,
    weyl: Weyl,
    outputs: Vec<Output>,
}

impl Life {
    fn new(strategy: RoutingStrategy, deployments: usize) -> Self {
        let entry = |index| ModelEntry {
            model_name: "chat".to_owned(),
            id: format!("deployment-{index}"),
            model: "openai/gpt-4o".to_owned(),
            // High enough to be counted and never reached.
            rpm: Limit { params: Some(1e9), ..Limit::default() },
            tpm: Limit { params: Some(1e12), ..Limit::default() },
            input_cost_per_token: Some(1e-6),
            output_cost_per_token: Some(2e-6),
            ..ModelEntry::default()
        };
        let config = Config {
            start_unix_nanos: 1_800_000_000_000_000_000,
            model_list: (0..deployments).map(entry).collect(),
            router_settings: RouterSettings { routing_strategy: Some(strategy), ..RouterSettings::default() },
            ..Config::default()
        };
        let plan = Plan::new(&config).expect("a plan");
        let model = plan.name_id("chat").expect("the group's name");
        let ask = Ask { model, prompt_tokens: 800, output_tokens: 150, stream: false, params: None };
        let router = Router::new(plan);
        Self { router, ask, now: Time::ZERO, number: 0, weyl: Weyl(0.5), outputs: Vec::new() }
    }

    fn request(&mut self) {
        let request = RequestId::new(0, self.number);
        self.number += 1;
        self.now += Span::from_millis(20);
        self.handle(Input::Arrived { request, ask: self.ask.clone() });
        let called = self.outputs.iter().find_map(|output| match output {
            Output::Dispatch { attempt, .. } => Some(*attempt),
            _ => None,
        });
        let attempt = called.expect("a healthy group is called");
        let usage = Usage { prompt_tokens: 800, completion_tokens: 150 };
        self.handle(Input::Finished { attempt, usage, content_filter: false });
    }

    fn handle(&mut self, input: Input) {
        self.outputs.clear();
        self.router.handle(self.now, input, &mut self.weyl, &mut self.outputs);
    }
}

/// Multiples of the golden ratio, modulo one: evenly spread, and cheaper than any dice.
struct Weyl(f64);

impl Entropy for Weyl {
    fn unit(&mut self, _: Draw<'_>) -> f64 {
        self.0 = (self.0 + 0.618_033_988_749_894_9).fract();
        self.0
    }
}
