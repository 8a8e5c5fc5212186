use router_core::{
    Config, ErrorClass, FallbackEntry, FallbackTarget, ModelEntry, NameId, Outcome, Plan, RetryAfter, RouterSettings,
    Span, Time,
};

use super::*;
use crate::actor::{Ended, Message, Step, Watcher};
use crate::engine;
use crate::provider::{Dialect, ErrorKind};
use crate::scenario::{
    Arrivals, Expect, Fault, Inject, Links, Origin, Quantiles, Quota, QuotaUnit, QuotaWindow, Traffic, Upstream,
};
use crate::step::RunEnd;

const A: DeploymentId = DeploymentId(0);
const B: DeploymentId = DeploymentId(1);

/// Group `a` with deployment `a1` and fallback `b`, group `b` with `b1` and `b2`. Ten requests for `a` in each of ten seconds.
fn scenario() -> Scenario {
    let entry = |model_name: &str, id: &str| ModelEntry {
        model_name: model_name.to_owned(),
        id: id.to_owned(),
        model: "openai/gpt-4o".to_owned(),
        ..ModelEntry::default()
    };
    let fallback = FallbackEntry { group: "a".to_owned(), targets: vec![FallbackTarget::Name("b".to_owned())] };
    let config = Config {
        start_unix_nanos: 1_800_000_000_000_000_000,
        model_list: vec![entry("a", "a1"), entry("b", "b1"), entry("b", "b2")],
        router_settings: RouterSettings {
            fallbacks: Some(vec![fallback]),
            num_retries: Some(0),
            ..RouterSettings::default()
        },
        asked_names: vec!["nobody".to_owned()],
        ..Config::default()
    };
    let plan = Plan::new(&config).expect("a plan");
    let constant = |value| Quantiles(vec![(0.5, value)]);
    let upstream = Upstream {
        ttft: Quantiles(vec![(0.5, 0.5), (0.95, 1.5)]),
        tpot: constant(0.01),
        full_speed: None,
        servers: None,
        price: (0.0, 0.0),
        dialect: Dialect::OpenAi,
        retry_after: true,
        origin: "the test".to_owned(),
    };
    let traffic = Traffic {
        model: plan.name_id("a").expect("a name"),
        arrivals: Arrivals::Constant { rate: 10.0 },
        prompt_tokens: constant(100.0),
        output_tokens: constant(50.0),
        deadline: None,
        retry: None,
        params: None,
    };
    Scenario {
        name: "test".to_owned(),
        upstreams: vec![upstream; plan.deployments().len()],
        plan: Arc::new(plan),
        inventory: Arc::default(),
        seed: 7,
        duration: Span::from_secs(10),
        drain: Span::from_secs(60),
        traffic: vec![traffic],
        quotas: Vec::new(),
        faults: Vec::new(),
        links: Links { client: Span::from_millis(1), upstream: Span::from_millis(2) },
        expect: Expect::default(),
        origin: Origin::default(),
    }
}

fn fault(on: DeploymentId, inject: Inject) -> Fault {
    Fault { from: Time::ZERO, until: None, on: vec![on], probability: 1.0, inject, label: String::new() }
}

/// What users got, whom the proxy called, and what struck.
#[derive(Default)]
struct Seen {
    ended: Vec<Ended>,
    /// From when a user wanted an answer to when it came.
    latencies: Vec<Span>,
    calls: Vec<DeploymentId>,
    struck: usize,
}

impl Watcher for Seen {
    fn watch(&mut self, step: &Step<'_>) {
        for effect in step.effects {
            match effect {
                Effect::Ended(ended) => {
                    self.latencies.push(step.at - ended.due);
                    self.ended.push(*ended);
                }
                Effect::Send { message: Message::Call { deployment, .. }, .. } => self.calls.push(*deployment),
                Effect::FaultStruck { .. } => self.struck += 1,
                Effect::Send { .. } | Effect::Note(_) => {}
            }
        }
    }
}

impl Seen {
    /// How many requests each deployment answered.
    fn answered_by(&self, id: DeploymentId) -> usize {
        let by = |ended: &&Ended| matches!(ended.outcome, Some(Outcome::Answered(answered)) if answered.by == id);
        self.ended.iter().filter(by).count()
    }
}

fn run(scenario: &Scenario, seed: u64) -> (Seen, RunEnd) {
    let mut seen = Seen::default();
    let horizon = Time::ZERO + scenario.duration + scenario.drain;
    let end = engine::run(&mut Cast::new(scenario), seed, horizon, &mut seen);
    (seen, end)
}

#[test]
fn a_hundred_requests_get_a_hundred_answers() {
    let (seen, _) = run(&scenario(), 7);
    assert_eq!((seen.ended.len(), seen.answered_by(A), seen.calls.len()), (100, 100, 100));
    // Four links of 6 ms together, the 49 tokens after the first, and a first token between a tenth of a second and five.
    let fixed = Span::from_millis(6 + 490);
    let in_range = |latency: &Span| *latency > fixed + Span::from_millis(100) && *latency < fixed + Span::from_secs(5);
    assert!(seen.latencies.iter().all(in_range), "{:?}", seen.latencies);
}

#[test]
fn the_same_seed_gives_the_same_digest_and_another_seed_another() {
    let digest = |seed| run(&scenario(), seed).1.digest;
    assert_eq!(digest(7), digest(7));
    assert_ne!(digest(7), digest(8));
}

#[test]
fn when_an_upstream_refuses_its_fallback_answers() {
    let mut scenario = scenario();
    scenario.faults.push(fault(A, Inject::Refused));
    let (seen, _) = run(&scenario, 7);
    assert_eq!((seen.ended.len(), seen.answered_by(A)), (100, 0));
    assert_eq!(seen.answered_by(B) + seen.answered_by(DeploymentId(2)), 100);
    assert_eq!(seen.struck, seen.calls.iter().filter(|id| **id == A).count());
    assert!(seen.struck > 0);
}

#[test]
fn a_revoked_key_of_everybody_reaches_the_users_as_401() {
    let mut scenario = scenario();
    let revoked = Inject::Error { kind: ErrorKind::Revoked, retry_after: RetryAfter::Absent, message: None };
    scenario.faults.push(Fault { on: vec![A, B, DeploymentId(2)], ..fault(A, revoked) });
    let (seen, _) = run(&scenario, 7);
    let Some(Outcome::Failed(error)) = seen.ended[0].outcome else { panic!("{:?}", seen.ended[0]) };
    assert_eq!((error.class, error.client_status), (ErrorClass::AuthenticationError, 401));
}

#[test]
fn a_model_that_nothing_serves_is_refused_before_the_router() {
    let mut scenario = scenario();
    scenario.traffic[0].model = scenario.plan.name_id("nobody").expect("a name");
    let (seen, _) = run(&scenario, 7);
    let Some(Outcome::Failed(error)) = seen.ended[0].outcome else { panic!("{:?}", seen.ended[0]) };
    assert_eq!((error.class, error.client_status), (ErrorClass::BadRequestError, 400));
    assert_eq!(seen.calls.len(), 0);
    scenario.traffic[0].model = NameId(99);
    assert_eq!(run(&scenario, 7).0.calls.len(), 0);
}

#[test]
fn deployments_that_share_a_quota_share_an_upstream() {
    let mut scenario = scenario();
    let window = QuotaWindow::Fixed(Span::from_secs(60));
    scenario.quotas.push(Quota { scope: vec![A, DeploymentId(2)], unit: QuotaUnit::Requests, limit: 30, window });
    let cast = Cast::new(&scenario);
    assert_eq!(*cast.names, ["client/0", "proxy/0", "upstream/a1+b2", "upstream/b1"]);
    let (seen, _) = run(&scenario, 7);
    assert_eq!(seen.answered_by(A) + seen.answered_by(DeploymentId(2)), 30);
}

#[test]
fn a_fault_leaves_the_arrivals_and_the_latencies_before_it_as_they_were() {
    let healthy = run(&scenario(), 7).0;
    let mut scenario = scenario();
    scenario.faults.push(Fault { from: Time::ZERO + Span::from_secs(5), ..fault(A, Inject::Reset) });
    let broken = run(&scenario, 7).0;
    let before = |seen: &Seen| {
        let early = |ended: &&Ended| ended.due < Time::ZERO + Span::from_secs(4);
        seen.ended.iter().filter(early).copied().collect::<Vec<_>>()
    };
    assert_eq!(before(&healthy), before(&broken));
    assert_eq!(broken.ended.len(), 100);
}
