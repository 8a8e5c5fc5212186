//! The engine and turmoil take the same steps: equal digests, seed by seed, although on turmoil every message is an HTTP/1.1
//! request or answer on a simulated TCP connection, read back from its bytes.
//!
//! Each scenario says in its `must_see` what it is here for, and must have got there in at least one of its seeds: two runs
//! in which nothing happens agree too easily.

use std::sync::Arc;

use routedrill_sim::actor::{Effect, Message, Step, Watcher};
use routedrill_sim::cast::Cast;
use routedrill_sim::engine;
use routedrill_sim::litellm::{Inventory, Place};
use routedrill_sim::metrics::{Metrics, Reached, Shape};
use routedrill_sim::net::turmoil;
use routedrill_sim::provider::{Dialect, ErrorKind};
use routedrill_sim::scenario::{
    Arrivals, ClientRetry, Expect, Fault, Inject, Links, MustSee, Origin, Quantiles, Quota, QuotaUnit, QuotaWindow,
    Scenario, Traffic, Upstream,
};
use routedrill_sim::step::Ending;
use router_core::{
    Config, DeploymentId, FallbackEntry, FallbackTarget, ModelEntry, Params, Plan, RetryAfter, RetryBudget,
    RouterSettings, Span, Target, Time, WhatIf,
};

/// Seeds for each scenario that runs at turmoil's own pace; there are seven of them.
const SEEDS: u64 = 20;

/// Group `chat` at two Azure regions and OpenAI, its fallback `backup` at Anthropic, Bedrock and Vertex.
const DEPLOYMENTS: [(&str, &str, &str, Dialect); 6] = [
    ("chat", "azure-east", "azure/gpt-4o", Dialect::Azure),
    ("chat", "azure-west", "azure/gpt-4o", Dialect::Azure),
    ("chat", "openai", "openai/gpt-4o", Dialect::OpenAi),
    ("backup", "anthropic", "anthropic/claude-sonnet-4-5", Dialect::Anthropic),
    ("backup", "bedrock", "bedrock/anthropic.claude-3-5-sonnet:0", Dialect::Bedrock),
    ("backup", "vertex", "vertex_ai/gemini-2.5-pro", Dialect::Vertex),
];

const AZURE: [u32; 2] = [0, 1];
const CHAT: [u32; 3] = [0, 1, 2];
const BACKUP: [u32; 3] = [3, 4, 5];

#[test]
fn throttled_with_and_without_retry_after() {
    let mut scenario = scenario("throttled", |_| {});
    scenario.quotas = vec![
        quota(&[0], QuotaUnit::Requests, 8, QuotaWindow::Sliding(Span::from_secs(5))),
        quota(&[1, 2], QuotaUnit::Tokens, 4_000, QuotaWindow::Bucket(Span::from_secs(10))),
    ];
    scenario.faults = vec![
        fault(4, 9, &CHAT, 0.7, error(ErrorKind::RateLimited, RetryAfter::Seconds(3), None)),
        fault(10, 14, &BACKUP, 0.5, error(ErrorKind::QuotaExhausted, RetryAfter::Absent, None)),
    ];
    scenario.expect.must_see =
        vec![MustSee::RateLimited, MustSee::RetryAfter, MustSee::Cooldown, MustSee::Retry, MustSee::Fallback];
    agree(&scenario);
}

#[test]
fn server_errors_of_every_provider() {
    let mut scenario = scenario("server errors", |_| {});
    scenario.faults = vec![
        fault(2, 8, &AZURE, 0.8, error(ErrorKind::Status(500), RetryAfter::Absent, None)),
        fault(3, 12, &[2], 0.6, error(ErrorKind::Overloaded, RetryAfter::Absent, None)),
        fault(4, 12, &BACKUP, 0.5, error(ErrorKind::Overloaded, RetryAfter::Seconds(1), None)),
        fault(12, 16, &CHAT, 0.5, error(ErrorKind::Status(503), RetryAfter::Absent, Some("rate limit, or so"))),
    ];
    scenario.expect.must_see =
        vec![MustSee::ServerError, MustSee::Fallback, MustSee::FallbackExhausted, MustSee::Overlap];
    agree(&scenario);
}

#[test]
fn calls_wait_for_servers_and_share_what_they_can_do() {
    let mut scenario = scenario("servers", |settings| settings.timeout = Some(4.0));
    scenario.faults =
        vec![fault(2, 10, &CHAT, 0.3, Inject::Slow { factor: 5.0 }), fault(3, 8, &BACKUP, 0.4, Inject::Silent)];
    for upstream in &mut scenario.upstreams {
        (upstream.servers, upstream.full_speed) = (Some(8), Some(1));
    }
    scenario.expect.must_see = vec![MustSee::Timeout, MustSee::Abort, MustSee::Overlap, MustSee::Fallback];
    agree(&scenario);
}

#[test]
fn silent_upstreams_are_hung_up_on() {
    let mut scenario = scenario("silent", |settings| settings.timeout = Some(2.0));
    scenario.faults = vec![fault(2, 10, &CHAT, 0.6, Inject::Silent), fault(3, 8, &BACKUP, 0.4, Inject::Silent)];
    scenario.traffic[0].deadline = Some(Span::from_millis(3_300));
    scenario.traffic[0].retry =
        Some(ClientRetry { attempts: 1, wait: Span::from_millis(500), honour_retry_after: true, jitter: 0.5 });
    for upstream in &mut scenario.upstreams {
        upstream.full_speed = Some(4);
    }
    scenario.expect.must_see = vec![MustSee::Timeout, MustSee::Abort, MustSee::Overlap];
    agree(&scenario);
}

#[test]
fn connections_are_refused_and_reset() {
    let mut scenario = scenario("refused", |_| {});
    scenario.faults = vec![
        fault(2, 7, &AZURE, 1.0, Inject::Refused),
        fault(6, 12, &CHAT, 0.5, Inject::Reset),
        fault(8, 12, &BACKUP, 0.3, Inject::Refused),
    ];
    scenario.expect.must_see = vec![MustSee::Refused, MustSee::Retry, MustSee::Overlap, MustSee::Recovery];
    agree(&scenario);
}

#[test]
fn revoked_keys_and_requests_that_cannot_be_served() {
    let mut scenario = scenario("revoked", |_| {});
    scenario.faults = vec![
        fault(3, 14, &CHAT, 1.0, error(ErrorKind::Revoked, RetryAfter::Absent, None)),
        fault(8, 12, &BACKUP, 1.0, error(ErrorKind::Revoked, RetryAfter::Absent, None)),
        fault(13, 16, &BACKUP, 0.5, error(ErrorKind::ContextWindow, RetryAfter::Absent, None)),
        fault(14, 16, &CHAT, 0.5, error(ErrorKind::ContentFilter, RetryAfter::Absent, None)),
    ];
    let mut unknown = scenario.traffic[0].clone();
    unknown.model = scenario.plan.name_id("nobody").expect("a name that is asked for");
    unknown.arrivals = Arrivals::Constant { rate: 0.5 };
    scenario.traffic.push(unknown);
    scenario.expect.must_see =
        vec![MustSee::Revoked, MustSee::Cooldown, MustSee::AllCooling, MustSee::FallbackExhausted];
    agree(&scenario);
}

#[test]
fn bursts_of_requests_with_parameters_of_their_own() {
    let mut scenario = scenario("bursts", |settings| settings.enable_tag_filtering = Some(true));
    let backup = scenario.plan.name_id("backup");
    scenario.traffic[0].arrivals = Arrivals::Bursts { size: 30, every: Span::from_secs(5) };
    scenario.traffic[0].params = Some(Box::new(Params {
        num_retries: Some(1),
        timeout: Some(0.1 + 0.2 + 1.0),
        fallbacks: Some(vec![Target {
            model: backup,
            map: None,
            params: Some(Box::new(Params { request_timeout: Some(4.5), ..Params::default() })),
        }]),
        tags: vec![scenario.plan.tag_id("fast").expect("a tag")],
        ..Params::default()
    }));
    let mut users = scenario.traffic[0].clone();
    users.arrivals = Arrivals::Closed { users: 5, think: Quantiles(vec![(0.5, 1.0), (0.9, 3.0)]) };
    users.params = None;
    scenario.traffic.push(users);
    scenario.faults = vec![fault(4, 11, &CHAT, 0.5, Inject::Slow { factor: 4.0 })];
    scenario.expect.must_see = vec![MustSee::Timeout, MustSee::Abort, MustSee::Overlap, MustSee::Fallback];
    agree(&scenario);
}

#[test]
fn policies_that_litellm_does_not_have() {
    let mut scenario = scenario("what if", |settings| settings.timeout = Some(3.0));
    let budget = RetryBudget { per_request: 0.5, burst: 3.0 };
    scenario.suppose(WhatIf {
        retry_budget: Some(budget),
        cooldown_jitter: Some(0.5),
        half_open: Some(1),
        wait_for_cooldown: Some(Span::from_secs(4)),
        hedge_after: Some(Span::from_millis(1_100)),
    });
    scenario.faults = vec![
        fault(2, 7, &CHAT, 0.6, error(ErrorKind::RateLimited, RetryAfter::Absent, None)),
        fault(3, 7, &BACKUP, 0.9, error(ErrorKind::RateLimited, RetryAfter::Seconds(2), None)),
        fault(8, 14, &CHAT, 0.5, Inject::Slow { factor: 5.0 }),
        fault(9, 12, &CHAT, 0.2, Inject::Silent),
    ];
    scenario.traffic[0].deadline = Some(Span::from_millis(6_300));
    scenario.expect.must_see = vec![MustSee::Timeout, MustSee::Abort, MustSee::AllCooling, MustSee::Recovery];
    agree(&scenario);
}

#[test]
fn links_of_a_millisecond_on_a_clock_that_runs_slower() {
    let mut scenario = scenario("short links", |_| {});
    scenario.links = Links { client: Span::from_millis(1), upstream: Span::from_nanos(1_000_001) };
    scenario.faults = vec![fault(2, 8, &CHAT, 0.4, error(ErrorKind::Status(500), RetryAfter::Absent, None))];
    scenario.expect.must_see = vec![MustSee::ServerError, MustSee::Overlap];
    agree_over(&scenario, 2);
}

#[test]
fn a_link_that_turmoil_cannot_simulate_is_refused_by_name() {
    let mut scenario = scenario("too short", |_| {});
    scenario.links.upstream = Span::from_nanos(999_999);
    let refused = turmoil::run(&scenario, &mut Cast::new(&scenario), 1, Time::MAX, &mut ());
    assert_eq!(
        refused,
        Err(turmoil::Error::LinkTooShort { link: "proxy and upstream", latency: scenario.links.upstream })
    );
}

fn agree(scenario: &Scenario) {
    agree_over(scenario, SEEDS);
}

/// Runs every seed on both drivers. The digests must be equal, and the steps must come in the same order.
fn agree_over(scenario: &Scenario, seeds: u64) {
    let horizon = Time::ZERO + scenario.duration + scenario.drain;
    let mut reached = Reached::default();
    for seed in 1..=seeds {
        let mut metrics = Metrics::new(Shape::of(scenario), seed);
        let mut order = Order::default();
        let engine = engine::run(&mut Cast::new(scenario), seed, horizon, &mut (&mut metrics, &mut order));
        assert_eq!(engine.ending, Ending::Finished);
        metrics.finish();
        reached.absorb(metrics.reached());

        let mut same = Order::default();
        let wire = turmoil::run(scenario, &mut Cast::new(scenario), seed, horizon, &mut same)
            .unwrap_or_else(|error| panic!("seed {seed} of {}: {error}", scenario.name));
        assert_eq!(wire.digest, engine.digest, "seed {seed} of {}", scenario.name);
        assert_eq!(wire, engine, "seed {seed} of {}", scenario.name);
        assert_eq!(same, order, "seed {seed} of {}", scenario.name);
        assert!(order.calls > 50, "seed {seed} of {} makes {} calls", scenario.name, order.calls);
    }
    for situation in &scenario.expect.must_see {
        assert!(reached.contains(*situation), "{} never saw {situation:?}", scenario.name);
    }
}

/// In which order the steps of all actors came, as a number.
#[derive(Default, PartialEq, Eq, Debug)]
struct Order {
    hash: u64,
    calls: u64,
}

impl Watcher for Order {
    fn watch(&mut self, step: &Step<'_>) {
        let step_number = step.at.as_nanos() ^ u64::from(step.actor.0).rotate_left(48);
        self.hash = (self.hash.rotate_left(7) ^ step_number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let calls =
            step.effects.iter().filter(|effect| matches!(effect, Effect::Send { message: Message::Call { .. }, .. }));
        self.calls += calls.count() as u64;
    }
}

/// Fifteen seconds of traffic over links of 10 ms and more.
fn scenario(name: &str, change: impl FnOnce(&mut RouterSettings)) -> Scenario {
    let entries = DEPLOYMENTS.map(|(group, id, model, _)| ModelEntry {
        model_name: group.to_owned(),
        id: id.to_owned(),
        model: model.to_owned(),
        tags: vec!["fast".to_owned()],
        ..ModelEntry::default()
    });
    let fallback = FallbackEntry { group: "chat".to_owned(), targets: vec![FallbackTarget::Name("backup".to_owned())] };
    let mut settings = RouterSettings {
        fallbacks: Some(vec![fallback]),
        num_retries: Some(2),
        timeout: Some(6.0),
        cooldown_time: Some(2.0),
        ..RouterSettings::default()
    };
    change(&mut settings);
    let config = Config {
        start_unix_nanos: 1_800_000_000_000_000_000,
        model_list: entries.to_vec(),
        router_settings: settings,
        asked_names: vec!["nobody".to_owned()],
        ..Config::default()
    };
    let plan = Plan::new(&config).expect("the configuration is valid");
    let upstreams = DEPLOYMENTS.map(|(.., dialect)| Upstream {
        ttft: Quantiles(vec![(0.5, 0.3), (0.95, 1.2)]),
        tpot: Quantiles(vec![(0.5, 0.010), (0.95, 0.016)]),
        full_speed: None,
        servers: None,
        price: (1e-6, 2e-6),
        dialect,
        retry_after: dialect != Dialect::OpenAi,
        origin: "this test".to_owned(),
    });
    let places = DEPLOYMENTS.map(|(_, _, model, _)| {
        let (provider, upstream_model) = model.split_once('/').expect("a provider");
        Place { provider: provider.to_owned(), upstream_model: upstream_model.to_owned(), ..Place::default() }
    });
    let traffic = Traffic {
        model: plan.name_id("chat").expect("a group"),
        arrivals: Arrivals::Poisson { rate: 8.0 },
        prompt_tokens: Quantiles(vec![(0.5, 200.0), (0.95, 900.0)]),
        output_tokens: Quantiles(vec![(0.5, 40.0), (0.95, 160.0)]),
        deadline: None,
        retry: None,
        params: None,
    };
    Scenario {
        name: name.to_owned(),
        plan: Arc::new(plan),
        inventory: Arc::new(Inventory { places: places.to_vec() }),
        seed: 1,
        duration: Span::from_secs(15),
        drain: Span::from_secs(15),
        traffic: vec![traffic],
        upstreams: upstreams.to_vec(),
        quotas: Vec::new(),
        faults: Vec::new(),
        links: Links { client: Span::from_millis(10), upstream: Span::from_millis(13) },
        expect: Expect::default(),
        origin: Origin::default(),
    }
}

fn on(deployments: &[u32]) -> Vec<DeploymentId> {
    deployments.iter().map(|id| DeploymentId(*id)).collect()
}

fn fault(from: u64, until: u64, deployments: &[u32], probability: f64, inject: Inject) -> Fault {
    let at = |seconds| Time::ZERO + Span::from_secs(seconds);
    let (from, until) = (at(from), Some(at(until)));
    Fault { from, until, on: on(deployments), probability, inject, label: String::new() }
}

fn error(kind: ErrorKind, retry_after: RetryAfter, message: Option<&str>) -> Inject {
    Inject::Error { kind, retry_after, message: message.map(str::to_owned) }
}

fn quota(deployments: &[u32], unit: QuotaUnit, limit: u64, window: QuotaWindow) -> Quota {
    Quota { scope: on(deployments), unit, limit, window }
}
