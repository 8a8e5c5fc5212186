//! Which of the lost requests could have been answered: whether a deployment that the config names for them was free.
//!
//! What is free is judged from the world, not from the router: the faults of the scenario, the quotas as the upstreams
//! enforce them, and how many calls they carry. See [`Promise::FallbackReached`](super::Promise::FallbackReached) for what
//! counts and what does not.

use std::sync::Arc;

use router_core::{DeploymentId, ErrorClass, FailureKind, Note, Outcome, Plan, RequestId, Span, Time};

use crate::actor::{Effect, Event, Message, Reply, Step};
use crate::actors::upstream::Meter;
use crate::faults::limits;
use crate::metrics::InFlight;
use crate::reachable::{self, ON_FAILURE};
use crate::scenario::{Inject, Quantiles, QuotaUnit, Scenario, Traffic, Upstream};

/// The world as far as it decides who was free.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    sources: Arc<[Source]>,
    sites: Vec<Site>,
    quotas: Vec<(QuotaUnit, Meter)>,
    flights: InFlight<Flight>,
    counts: Reached,
    /// From the router to an upstream.
    link: Span,
}

/// Lost requests that could have been answered, beside those that were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reached {
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that were lost while somebody was free.
    pub missed: u64,
    /// The first of them, and when it reached the router.
    pub first_missed: Option<(RequestId, Time)>,
}

impl Reached {
    /// Of the requests that could have been answered, the share that was; `None` when there were none.
    pub fn share(&self) -> Option<f64> {
        let all = self.answered + self.missed;
        (all > 0).then(|| self.answered as f64 / all as f64)
    }
}

/// What the requests of one stream of traffic have in common.
#[derive(Clone, Debug)]
struct Source {
    targets: Vec<DeploymentId>,
    /// How long it waits at most.
    patience: Span,
}

/// What stands behind one deployment.
#[derive(Clone, Debug)]
struct Site {
    /// When a fault is on that fails calls, holds them up or changes what they say.
    faulty: Vec<(Time, Time)>,
    /// The quotas that count its calls: indices into those of the run.
    quotas: Vec<usize>,
    /// Calls that it carries at full speed.
    capacity: u32,
    /// Calls that it carries.
    busy: u32,
    /// The longest prompt.
    window: u64,
    /// Nanoseconds to the first token, and for each one after it, in half of the cases.
    pace: (f64, f64),
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    since: Time,
    prompt_tokens: u32,
    output_tokens: u32,
    could: bool,
    /// It was refused for what it says.
    unfit: bool,
}

impl Reach {
    /// The world of a scenario.
    pub(super) fn new(scenario: &Scenario) -> Self {
        let plan = &scenario.plan;
        let sites = (0..).map(DeploymentId).zip(&scenario.upstreams);
        Self {
            sources: scenario.traffic.iter().map(|traffic| Source::new(plan, traffic)).collect(),
            sites: sites.map(|(id, upstream)| Site::new(scenario, id, upstream)).collect(),
            quotas: (scenario.quotas.iter())
                .map(|quota| (quota.unit, Meter::new(quota.window, limits(&scenario.faults, quota))))
                .collect(),
            flights: InFlight::default(),
            counts: Reached::default(),
            link: scenario.links.upstream,
        }
    }

    pub(super) const fn counts(&self) -> &Reached {
        &self.counts
    }

    pub(super) fn watch(&mut self, step: &Step<'_>) {
        match step.event {
            Event::Message { message: Message::Ask { request, ask }, .. } => {
                let mut flight = Flight {
                    since: step.at,
                    prompt_tokens: ask.prompt_tokens,
                    output_tokens: ask.output_tokens,
                    could: false,
                    unfit: false,
                };
                flight.could = self.somebody_is_free(step.at, *request, flight);
                self.flights.open(*request, flight);
            }
            Event::Message { message: Message::Call { deployment, prompt_tokens, output_tokens, .. }, .. }
                if !refused(step) =>
            {
                self.admit(step.at, *deployment, u64::from(*prompt_tokens) + u64::from(*output_tokens));
            }
            _ => {}
        }
        let replied = matches!(step.event, Event::Message { message: Message::Reply { .. }, .. });
        for effect in step.effects {
            match effect {
                // A repeated call takes the place of the one before it.
                Effect::Send { message: Message::Call { deployment, .. }, .. } if !is_repeated(step) => {
                    self.sites[deployment.index()].busy += 1;
                }
                Effect::Send { message: Message::Hangup { deployment, .. }, .. } => self.leave(*deployment),
                Effect::Note(Note::Succeeded { deployment, .. }) => self.leave(*deployment),
                Effect::Note(Note::Failed { request, deployment, sent, error, .. }) => {
                    // A call that the router gave up is told by its hangup.
                    if let Some(deployment) = deployment.filter(|_| *sent && replied) {
                        self.leave(deployment);
                    }
                    self.failed(step.at, *request, error.class);
                }
                Effect::Ended(ended) => self.ended(ended.request, ended.outcome),
                _ => {}
            }
        }
    }

    fn failed(&mut self, at: Time, request: RequestId, class: ErrorClass) {
        let Some(flight) = self.flights.get(request) else { return };
        flight.unfit |= matches!(
            class,
            ErrorClass::BadRequestError
                | ErrorClass::UnsupportedParamsError
                | ErrorClass::ContextWindowExceededError
                | ErrorClass::ContentPolicyViolationError
        );
        let known = *flight;
        if !known.could && self.somebody_is_free(at, request, known) {
            self.flights.get(request).expect("it was there").could = true;
        }
    }

    fn ended(&mut self, request: RequestId, outcome: Option<Outcome>) {
        // Given up before it reached the router: nobody could have done anything.
        let Some(flight) = self.flights.close(request) else { return };
        if matches!(outcome, Some(Outcome::Answered(_))) {
            self.counts.answered += 1;
        } else if flight.could && !flight.unfit {
            self.counts.missed += 1;
            self.counts.first_missed.get_or_insert((request, flight.since));
        }
    }

    /// Whether one of the deployments for this request would take it now, and answer in time.
    fn somebody_is_free(&mut self, now: Time, request: RequestId, flight: Flight) -> bool {
        let Self { sources, sites, quotas, link, .. } = self;
        // A fault strikes the calls that reach the upstream while it is on.
        let there = now + *link;
        let Some(source) = sources.get(request.source as usize) else { return false };
        let tokens = u64::from(flight.prompt_tokens) + u64::from(flight.output_tokens);
        source.targets.iter().any(|id| {
            let site = &sites[id.index()];
            site.busy < site.capacity
                && u64::from(flight.prompt_tokens) <= site.window
                && !site.faulty.iter().any(|(from, until)| *from <= there && there < *until)
                && now.since(flight.since) + site.usual(flight.output_tokens) <= source.patience
                && site.quotas.iter().all(|&index| {
                    let (unit, meter) = &mut quotas[index];
                    meter.room(now, amount(*unit, tokens)).is_ok()
                })
        })
    }

    /// An upstream let a call through: its quotas count it.
    fn admit(&mut self, now: Time, deployment: DeploymentId, tokens: u64) {
        for &index in &self.sites[deployment.index()].quotas {
            let (unit, meter) = &mut self.quotas[index];
            meter.take(now, amount(*unit, tokens));
        }
    }

    fn leave(&mut self, deployment: DeploymentId) {
        let site = &mut self.sites[deployment.index()];
        site.busy = site.busy.saturating_sub(1);
    }
}

impl Site {
    fn new(scenario: &Scenario, id: DeploymentId, upstream: &Upstream) -> Self {
        let faults = scenario.faults.iter().filter(|fault| fault.on.contains(&id));
        // A quota that is cut is a matter of the quota.
        let faults = faults.filter(|fault| !matches!(fault.inject, Inject::Quota { left } if left > 0.0));
        let [full_speed, servers] = [upstream.full_speed, upstream.servers].map(|calls| calls.unwrap_or(u32::MAX));
        let quotas = scenario.quotas.iter().enumerate().filter(|(_, quota)| quota.scope.contains(&id));
        Self {
            faulty: faults.map(|fault| (fault.from, fault.until.unwrap_or(Time::MAX))).collect(),
            quotas: quotas.map(|(index, _)| index).collect(),
            capacity: full_speed.min(servers),
            busy: 0,
            window: scenario.plan.deployment(id).max_input_tokens.unwrap_or(u64::MAX),
            pace: (middle(&upstream.ttft), middle(&upstream.tpot)),
        }
    }

    /// How long an answer of so many tokens usually takes.
    fn usual(&self, output_tokens: u32) -> Span {
        let (first, each) = self.pace;
        Span::from_secs_f64(first + each * f64::from(output_tokens.saturating_sub(1)))
    }
}

impl Source {
    fn new(plan: &Plan, traffic: &Traffic) -> Self {
        let params = traffic.params.as_deref();
        let mut targets: Vec<_> =
            reachable::deployments(plan, traffic, &ON_FAILURE).flat_map(|(_, serving)| serving).collect();
        targets.sort_unstable();
        targets.dedup();
        let timeout = params.and_then(|params| params.timeout).map(Span::from_secs_f64);
        let patience = traffic.deadline.into_iter().chain(timeout).min().unwrap_or(Span::from_nanos(u64::MAX));
        Self { targets, patience }
    }
}

/// Whether the upstream turned the call away that reached it with this step. A reset is no refusal: the call was let in.
fn refused(step: &Step<'_>) -> bool {
    step.effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::Send { message: Message::Reply { reply: Reply::Failed { failure, .. }, .. }, .. }
                if failure.kind != FailureKind::Reset
        )
    })
}

/// Whether the call made in this step is one that a provider's HTTP client makes again by itself.
fn is_repeated(step: &Step<'_>) -> bool {
    step.effects.iter().any(|effect| matches!(effect, Effect::Note(Note::CalledAgain { .. })))
}

const fn amount(unit: QuotaUnit, tokens: u64) -> u64 {
    match unit {
        QuotaUnit::Requests => 1,
        QuotaUnit::Tokens => tokens,
    }
}

/// The value in the middle: of the quantile nearest to one half.
fn middle(quantiles: &Quantiles) -> f64 {
    let distance = |point: &&(f64, f64)| (point.0 - 0.5).abs();
    quantiles.0.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).map_or(0.0, |(_, value)| *value)
}
