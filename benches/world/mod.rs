//! The world that the drivers are measured in: ten deployments of one group, fifty requests a second, two per cent of all
//! calls fail, and LiteLLM's own number of retries.

use std::sync::Arc;

use routedrill_sim::litellm::{Inventory, Place};
use routedrill_sim::provider::{Dialect, ErrorKind};
use routedrill_sim::scenario::{
    Arrivals, Expect, Fault, Inject, Links, Origin, Quantiles, Scenario, Traffic, Upstream,
};
use router_core::{Config, DeploymentId, ModelEntry, Plan, RetryAfter, RouterSettings, Span, Time};

const DEPLOYMENTS: usize = 10;
const RATE: f64 = 50.0;

/// Traffic for `duration`, and a minute for the last answers.
pub(crate) fn scenario(duration: Span) -> Scenario {
    let entry = |id| ModelEntry {
        model_name: "chat".to_owned(),
        id: format!("deployment-{id}"),
        model: "openai/gpt-4o".to_owned(),
        ..ModelEntry::default()
    };
    let config = Config {
        start_unix_nanos: 1_800_000_000_000_000_000,
        model_list: (0..DEPLOYMENTS).map(entry).collect(),
        router_settings: RouterSettings { num_retries: Some(2), ..RouterSettings::default() },
        ..Config::default()
    };
    let plan = Plan::new(&config).expect("the configuration is valid");
    let upstream = Upstream {
        ttft: Quantiles(vec![(0.5, 0.5), (0.95, 1.8)]),
        tpot: Quantiles(vec![(0.5, 0.012), (0.95, 0.020)]),
        full_speed: None,
        servers: None,
        price: (1e-6, 2e-6),
        dialect: Dialect::OpenAi,
        retry_after: false,
        origin: "this bench".to_owned(),
    };
    let errors = Fault {
        from: Time::ZERO,
        until: None,
        on: (0..DEPLOYMENTS as u32).map(DeploymentId).collect(),
        probability: 0.02,
        inject: Inject::Error { kind: ErrorKind::Status(500), retry_after: RetryAfter::Absent, message: None },
        label: "2 % errors".to_owned(),
    };
    let place = Place { provider: "openai".to_owned(), upstream_model: "gpt-4o".to_owned(), ..Place::default() };
    let traffic = Traffic {
        model: plan.name_id("chat").expect("a group"),
        arrivals: Arrivals::Poisson { rate: RATE },
        prompt_tokens: Quantiles(vec![(0.5, 800.0), (0.95, 4000.0)]),
        output_tokens: Quantiles(vec![(0.5, 150.0), (0.95, 600.0)]),
        deadline: None,
        retry: None,
        params: None,
    };
    Scenario {
        name: "measured".to_owned(),
        plan: Arc::new(plan),
        inventory: Arc::new(Inventory { places: vec![place; DEPLOYMENTS] }),
        seed: 1,
        duration,
        drain: Span::from_secs(60),
        traffic: vec![traffic],
        upstreams: vec![upstream; DEPLOYMENTS],
        quotas: Vec::new(),
        faults: vec![errors],
        links: Links { client: Span::from_millis(10), upstream: Span::from_millis(10) },
        expect: Expect::default(),
        origin: Origin::default(),
    }
}
