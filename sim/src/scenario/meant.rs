//! A scenario as meant: names resolved, every default filled in, nothing left to interpret.

use std::path::PathBuf;
use std::sync::Arc;

use router_core::{DeploymentId, NameId, Params, Plan, RetryAfter, Span, Time, WhatIf};

use super::patch::Patch;
use super::quantity::{Duration, quantile_name};
use crate::invariants::Law;
use crate::litellm::{Inventory, Node};
use crate::promises::Promise;
use crate::provider::{Dialect, ErrorKind};

/// One run, but for its seed.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called in reports.
    pub name: String,
    /// The router's configuration.
    pub plan: Arc<Plan>,
    /// Provider, region and key of each deployment.
    pub inventory: Arc<Inventory>,
    /// The seed written in the file.
    pub seed: u64,
    /// How long requests keep arriving.
    pub duration: Span,
    /// How long the run goes on after that, so that what is open can end. The run ends at `duration + drain`.
    pub drain: Span,
    /// Who asks for what.
    pub traffic: Vec<Traffic>,
    /// How each deployment's upstream behaves when nothing is broken, by [`DeploymentId`].
    pub upstreams: Vec<Upstream>,
    /// Limits that upstreams enforce.
    pub quotas: Vec<Quota>,
    /// What breaks, when.
    pub faults: Vec<Fault>,
    /// How long messages travel.
    pub links: Links,
    /// What is promised.
    pub expect: Expect,
    /// Where the configuration came from.
    pub origin: Origin,
}

impl Scenario {
    /// Changes the policies beyond LiteLLM's that the router has: these, and the scenario's own that these do not set.
    pub fn suppose(&mut self, what_if: WhatIf) {
        if !what_if.is_off() {
            self.plan = Arc::new(self.plan.with_what_if(what_if.or(*self.plan.what_if())));
        }
    }
}

/// Where a router's configuration came from, so that the scenario can be written down again.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Origin {
    /// The LiteLLM config, as a path from the current directory or from the root; the scenario's own where it holds the
    /// config itself.
    pub config: PathBuf,
    /// The config itself, where the scenario holds it.
    pub inline: Option<Node>,
    /// What was changed in it, in this order.
    pub patches: Vec<Patch>,
}

/// One stream of requests from one client.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// The name clients ask for.
    pub model: NameId,
    /// When requests arrive.
    pub arrivals: Arrivals,
    /// Tokens of a prompt.
    pub prompt_tokens: Quantiles,
    /// Tokens of an answer.
    pub output_tokens: Quantiles,
    /// How long the caller waits for each try before giving up.
    pub deadline: Option<Span>,
    /// What the caller does after a failure or a missed deadline.
    pub retry: Option<ClientRetry>,
    /// What else each request carries.
    pub params: Option<Box<Params>>,
}

/// A caller that tries again, as the providers' SDKs do: after a missed deadline, 408, 409, 429 and 5xx, and after
/// nothing else. Each try is a request of its own, with the deadline of its own.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ClientRetry {
    /// How many times after the first.
    pub attempts: u32,
    /// How long it waits before each.
    pub wait: Span,
    /// Waits for `Retry-After` instead, where the answer carries one.
    pub honour_retry_after: bool,
    /// By how much a wait may be longer, from 0 to 1 of it; evenly drawn for each.
    pub jitter: f64,
}

/// When requests arrive. Rates are per second.
#[derive(Clone, PartialEq, Debug)]
pub enum Arrivals {
    /// At equal distances.
    Constant {
        /// Requests per second.
        rate: f64,
    },
    /// Independently of each other.
    Poisson {
        /// Requests per second, on average.
        rate: f64,
    },
    /// `size` at once, every `every`.
    Bursts {
        /// How many at once.
        size: u32,
        /// From one burst to the next.
        every: Span,
    },
    /// Poisson, with a rate that goes from one to another over the duration of the scenario.
    Ramp {
        /// Requests per second at the start.
        from: f64,
        /// Requests per second at the end.
        to: f64,
    },
    /// So many users, each of whom asks again a while after the last answer.
    Closed {
        /// How many users.
        users: u32,
        /// How long each thinks, in seconds.
        think: Quantiles,
    },
    /// As recorded.
    Trace(Recording),
}

/// A recorded trace, or every so-manieth request of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Recording {
    /// The requests, in order of time.
    pub rows: Arc<[TraceRow]>,
    /// The file that they were read from; empty where the scenario holds them itself.
    pub file: PathBuf,
    /// They are every so-manieth request of the file; 1: all of them.
    pub every: u32,
    /// So many requests of the file come before the first of them.
    pub skip: u32,
}

/// One request of a recorded trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceRow {
    /// When, from the start of the trace.
    pub at: Time,
    /// Tokens of its prompt.
    pub prompt_tokens: u32,
    /// Tokens of its answer.
    pub output_tokens: u32,
}

/// A distribution by some of its quantiles: `(share, value)`, both rising, shares strictly between 0 and 1.
/// One quantile alone is a constant.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantiles(pub Vec<(f64, f64)>);

/// How an upstream serves one deployment.
#[derive(Clone, PartialEq, Debug)]
pub struct Upstream {
    /// Seconds to the first token.
    pub ttft: Quantiles,
    /// Seconds per output token after the first.
    pub tpot: Quantiles,
    /// Calls that it carries at full speed; with more, they share what it can do. `None`: any number.
    pub full_speed: Option<u32>,
    /// Calls that it works on at once; the others wait in turn. `None`: any number.
    pub servers: Option<u32>,
    /// Dollars per prompt token and per output token.
    pub price: (f64, f64),
    /// Whose error answers it gives.
    pub dialect: Dialect,
    /// A 429 of its own quotas carries `Retry-After`.
    pub retry_after: bool,
    /// Where these numbers come from, for reports: a profile's name, the scenario, "routedrill's default".
    pub origin: String,
}

/// A limit that an upstream enforces on calls to some deployments together.
#[derive(Clone, PartialEq, Debug)]
pub struct Quota {
    /// Who shares it.
    pub scope: Vec<DeploymentId>,
    /// What it counts.
    pub unit: QuotaUnit,
    /// How many in one window.
    pub limit: u64,
    /// When it is full again.
    pub window: QuotaWindow,
}

/// What a quota counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuotaUnit {
    /// Requests.
    Requests,
    /// Tokens of prompts and answers, estimated at admission as providers do.
    Tokens,
}

/// How a quota refills.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuotaWindow {
    /// Full again at every whole multiple of this span.
    Fixed(Span),
    /// Nothing older than this span counts.
    Sliding(Span),
    /// A bucket that refills continuously within this span.
    Bucket(Span),
}

/// Something that breaks.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// From when.
    pub from: Time,
    /// Until when; `None`: to the end.
    pub until: Option<Time>,
    /// Whose calls it strikes.
    pub on: Vec<DeploymentId>,
    /// Which share of them, from 0 to 1.
    pub probability: f64,
    /// What happens to them.
    pub inject: Inject,
    /// As the scenario says it, for reports: `429 on provider:azure`.
    pub label: String,
}

/// What a fault does to a call.
#[derive(Clone, PartialEq, Debug)]
pub enum Inject {
    /// An error answer, at once, with the status and the sentence that each provider has for it.
    Error {
        /// What kind of error.
        kind: ErrorKind,
        /// The header.
        retry_after: RetryAfter,
        /// The text of the error; `None`: the provider's usual one.
        message: Option<String>,
    },
    /// No answer, ever.
    Silent,
    /// The connection is refused.
    Refused,
    /// The connection is reset when the answer was due.
    Reset,
    /// Everything takes so many times as long.
    Slow {
        /// How many times as long.
        factor: f64,
    },
    /// The quotas of these deployments are cut to this share of what they were. Zero is an exhausted quota: every call
    /// is refused with the provider's answer for that, whether or not a quota is configured. A cut above zero holds for
    /// every call: it knows no probability.
    Quota {
        /// What is left of it, from 0 to 1.
        left: f64,
    },
}

/// How long messages travel, one way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Links {
    /// Between client and proxy.
    pub client: Span,
    /// Between proxy and upstream.
    pub upstream: Span,
}

/// What a scenario promises.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Expect {
    /// Share of requests answered, at least, from 0 to 1.
    pub availability: Option<f64>,
    /// Latency at a quantile, at most: `(share, seconds)`.
    pub latency: Vec<(f64, f64)>,
    /// Share of answers that came from another group than the one asked for, at least, while faults are on.
    pub served_by_fallback: Option<f64>,
    /// Upstream attempts per request, at most.
    pub attempts_per_request: Option<f64>,
    /// Share of requests that end before their caller's deadline, at least.
    pub deadline: Option<f64>,
    /// Of the requests that could have been answered, the share that was, at least.
    pub fallback_reached: Option<f64>,
    /// Upstream attempts per request in every window of that length, at most.
    pub amplification: Vec<(Span, f64)>,
    /// From the last fault's end until goodput is back, at most.
    pub recovery: Option<Span>,
    /// How far any deployment is off its due share of calls, at most, from 0 to 1.
    pub fair_shares: Option<f64>,
    /// How long a stream of traffic is without an answer while others are served, at most.
    pub no_starvation: Option<Span>,
    /// Share of requests answered by groups that no fault touches, at least.
    pub isolation: Option<f64>,
    /// Liveness is not promised.
    pub liveness_off: bool,
    /// What must have happened at least once.
    pub must_see: Vec<MustSee>,
    /// Promises that are shown to be broken, by [their keys](Self::promises).
    pub broken: Vec<String>,
    /// Laws that may break, each with the reason.
    pub waived: Vec<(Law, String)>,
}

impl Expect {
    /// The keys of everything promised, as they stand in the file: `availability`, `latency.p99`. Liveness is
    /// promised unless the file says otherwise.
    pub fn promises(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for promise in Promise::ALL {
            let promised = match promise {
                Promise::Latency => {
                    keys.extend(self.latency.iter().map(|(share, _)| Self::latency_key(*share)));
                    false
                }
                Promise::Amplification => {
                    keys.extend(self.amplification.iter().map(|(window, _)| Self::amplification_key(*window)));
                    false
                }
                Promise::Availability => self.availability.is_some(),
                Promise::Deadline => self.deadline.is_some(),
                Promise::ServedByFallback => self.served_by_fallback.is_some(),
                Promise::FallbackReached => self.fallback_reached.is_some(),
                Promise::AttemptsPerRequest => self.attempts_per_request.is_some(),
                Promise::Recovery => self.recovery.is_some(),
                Promise::Liveness => !self.liveness_off,
                Promise::FairShares => self.fair_shares.is_some(),
                Promise::NoStarvation => self.no_starvation.is_some(),
                Promise::Isolation => self.isolation.is_some(),
            };
            keys.extend(promised.then(|| promise.key().to_owned()));
        }
        keys
    }

    /// The key of a promise about attempts in windows: `amplification.10s`.
    pub fn amplification_key(window: Span) -> String {
        format!("{}.{}", Promise::Amplification.key(), Duration(window))
    }

    /// The key of a promise about a quantile of latency: `latency.p99`.
    pub fn latency_key(share: f64) -> String {
        format!("latency.{}", quantile_name(share))
    }
}

/// A situation that a run must reach to prove anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "each is the name of a situation")]
pub enum MustSee {
    RateLimited,
    RetryAfter,
    ServerError,
    Timeout,
    Refused,
    Revoked,
    Cooldown,
    AllCooling,
    Retry,
    Fallback,
    FallbackExhausted,
    Abort,
    Overlap,
    Recovery,
}
