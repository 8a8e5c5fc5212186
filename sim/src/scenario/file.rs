//! The scenario file as written: its keys, in the order in which people write them.
//!
//! The comments here are what editors show next to the keys, through the JSON Schema. Nothing is interpreted: values
//! are held as [`Written`] text until a [`Scenario`](super::Scenario) is made of them, so that every bad one can be
//! reported.

use router_core::{Mode, Release};
use schemars::JsonSchema;
use serde::Deserialize;

use super::meant::MustSee;
use super::quantity::{AtLeast, AtMost, Count, Duration, Plain, Price, Rate, Seconds, Share};
use super::recorded::OneRequest;
use super::select::Selector;
use super::what_if::{Probes, Tokens, Wait};
use super::word::{InjectWord, ScopeWord, Text, Unlimited, WallClock, WholeSeconds, Window};
use super::written::{Anything, ConfigAt, Located, Named, OneOrMany, Written};
use crate::provider::{Dialect, ErrorKind};

/// One drill: who asks for what, what stands behind the router, what breaks, and what is promised.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a scenario: a map with name, config, duration and traffic")]
#[schemars(title = "routedrill scenario")]
pub struct File {
    /// What the drill is called in reports.
    #[schemars(required)]
    pub name: Option<Written<Text>>,
    /// The LiteLLM `config.yaml` that is drilled: a path relative to this file, or the config itself as a map, so that the
    /// scenario stands alone.
    #[schemars(required)]
    pub config: Option<ConfigAt>,
    /// Keys of `router_settings`, merged over those of the config.
    pub router: Option<Named<Anything>>,
    /// Values of the config to replace, by path: `litellm_settings.num_retries: 0`, `model_list.2.litellm_params.rpm: 10`.
    pub patch: Option<Named<Anything>>,
    /// The LiteLLM release whose behaviour is modelled. Default: the newest one that is.
    pub litellm: Option<Written<Release>>,
    /// How requests reach the Router: behind the LiteLLM `proxy` (default), or in process through the `sdk`.
    pub mode: Option<Written<Mode>>,
    /// Where all chance comes from. Default: 0. `--seed` on the command line replaces it.
    pub seed: Option<Written<Count>>,
    /// The wall-clock time at which the run starts, for windows that begin at whole minutes. Default: `2026-01-01T00:00:00Z`.
    pub start: Option<Written<WallClock>>,
    /// How long requests keep arriving.
    #[schemars(required)]
    pub duration: Option<Written<Duration>>,
    /// How long the run goes on after that, so that open requests can end. Default: the longest deadline with all its
    /// retries; 10m when some caller never gives up.
    pub drain: Option<Written<Duration>>,
    /// How many replicas of the router run. Only 1 is modelled.
    pub replicas: Option<Written<Count>>,
    /// Who asks for what.
    #[schemars(required)]
    pub traffic: Option<Located<Vec<Traffic>>>,
    /// How the upstreams behave when nothing is broken, by selector: `all`, `provider:azure`, `region:eastus`,
    /// `key:AZURE_API_KEY`, `group:gpt-4`, `deployment:NAME`. Where several select the same deployment, each value
    /// comes from the last of them in this list of kinds that sets it; the order in the file does not matter.
    pub upstreams: Option<Named<Upstream>>,
    /// Limits that upstreams enforce on several deployments together.
    pub quotas: Option<Vec<Quota>>,
    /// How long messages travel.
    pub links: Option<Links>,
    /// What breaks, and when.
    pub faults: Option<Vec<Fault>>,
    /// Policies that the router is to have although LiteLLM does not have them, to see what they would buy. Default: none,
    /// the router decides as LiteLLM does. `--what-if` on the command line adds to them.
    pub what_if: Option<WhatIf>,
    /// What is promised.
    pub expect: Option<Expect>,
    /// Which of the promises this drill shows to be broken, by their keys: `[availability, latency.p99]`. It fails when
    /// one of them holds. `liveness` is promised unless it is turned off.
    pub expect_broken: Option<Vec<Written<Text>>>,
}

impl File {
    /// The keys that no scenario can do without. They are options here so that a file without one of them is still
    /// looked through for everything else that is wrong.
    pub const REQUIRED: [&'static str; 4] = ["name", "config", "duration", "traffic"];

    /// The streams of requests; none where the key is missing or holds something else.
    pub fn traffic(&self) -> &[Traffic] {
        self.traffic.as_ref().map_or(&[], |traffic| &traffic.value)
    }
}

/// Policies that LiteLLM does not have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", expecting = "a map of policies: `{half-open: 1}`")]
pub struct WhatIf {
    /// Retries of all requests are paid from one bucket of tokens: so many does each request put into it, a retry takes one, and
    /// so does a hedge. It holds 10 and is full at the start; `0.2 burst 50`: it holds 50. Without a token, no retry: fallbacks come next.
    pub retry_budget: Option<Written<Tokens>>,
    /// Each cooldown is longer by up to this share of its length, evenly drawn: `50%`.
    pub cooldown_jitter: Option<Written<Share>>,
    /// When a cooldown ends, the deployment gets so many calls at once at most, until one of them succeeds; a failed one cools
    /// it again.
    pub half_open: Option<Written<Probes>>,
    /// A request that would fail because all deployments of the group that it asked for rest waits so long at most for the
    /// first of them to be back.
    pub wait_for_cooldown: Option<Written<Wait>>,
    /// A call that was not answered within this time gets company: the same request at another deployment of its group. The
    /// first good answer counts, the other call is hung up on.
    pub hedge: Option<Written<Wait>>,
}

/// One stream of requests.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map with model and arrivals")]
pub struct Traffic {
    /// The `model` that clients ask for. A name that the config lacks is drilled too: LiteLLM answers 400.
    pub model: Written<Text>,
    /// When requests arrive.
    pub arrivals: Arrivals,
    /// Tokens of a prompt: one number, or quantiles `{p50: 800, p95: 4000}`. Default: `{p50: 800, p95: 4000}`.
    pub prompt_tokens: Option<Located<Spread<Plain>>>,
    /// Tokens of an answer: one number, or quantiles. Default: `{p50: 150, p95: 600}`.
    pub output_tokens: Option<Located<Spread<Plain>>>,
    /// How long the caller waits before giving up. Default: for ever.
    pub deadline: Option<Written<Duration>>,
    /// What the caller does after a failure or a missed deadline. Default: nothing.
    pub retry: Option<ClientRetry>,
    /// Further fields of every request, under LiteLLM's names.
    pub params: Option<Params>,
}

/// A number that varies: always the same, or by quantiles.
#[derive(Clone, Debug)]
pub enum Spread<Q> {
    /// One value.
    Always(Written<Q>),
    /// Quantiles: `{p50: 800, p95: 4000}`.
    Quantiles(Named<Written<Q>>),
}

/// When requests arrive: exactly one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", expecting = "a map with one key: `{poisson: 20/s}`")]
pub enum Arrivals {
    /// Independently of each other, at this rate on average: `20/s`.
    Poisson(Written<Rate>),
    /// At equal distances: `20/s`.
    Constant(Written<Rate>),
    /// Many at once, again and again.
    Bursts(Bursts),
    /// Poisson, with a rate that changes evenly over the duration.
    Ramp(Ramp),
    /// Users who each ask again a while after their last answer.
    Closed(Closed),
    /// As recorded in a CSV file with the columns `TIMESTAMP,ContextTokens,GeneratedTokens` or
    /// `t,prompt_tokens,output_tokens`: its path, relative to this file, or `{file: .., every: 3, skip: 1}`.
    Trace(Located<Trace>),
    /// One by one, in the order of time: when, tokens of the prompt, tokens of the answer: `[100ms 800 150, 2s 40 10]`.
    Requests(Located<Vec<Written<OneRequest>>>),
}

/// A recorded trace: the path of the file, or a map with details.
#[derive(Clone, Debug)]
pub enum Trace {
    /// All of a file.
    File(Written<Text>),
    /// A share of a file.
    Share(TraceShare),
}

/// Every so-manieth request of a file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map: `{file: .., every: ..}`")]
pub struct TraceShare {
    /// The path of the file, relative to this file.
    pub file: Written<Text>,
    /// Only every so-manieth request. Default: 1, all of them.
    pub every: Option<Written<Count>>,
    /// How many requests come before the first that counts. Default: 0.
    pub skip: Option<Written<Count>>,
}

/// Many requests at once, again and again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map: `{size: .., every: ..}`")]
pub struct Bursts {
    /// How many at once.
    pub size: Written<Count>,
    /// From one burst to the next.
    pub every: Written<Duration>,
}

/// A rate that changes evenly over the duration.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map: `{from: .., to: ..}`")]
pub struct Ramp {
    /// The rate at the start.
    pub from: Written<Rate>,
    /// The rate at the end.
    pub to: Written<Rate>,
}

/// Users who each ask again a while after their last answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map: `{users: .., think: ..}`")]
pub struct Closed {
    /// How many.
    pub users: Written<Count>,
    /// How long each thinks before asking again.
    pub think: Located<Spread<Seconds>>,
}

/// A caller that tries again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map: `{attempts: .., wait: ..}`")]
pub struct ClientRetry {
    /// How many times after the first.
    pub attempts: Written<Count>,
    /// How long it waits before each.
    pub wait: Written<Duration>,
    /// Waits for `Retry-After` instead, where the answer carries one. Default: true.
    pub honour_retry_after: Option<Written<bool>>,
    /// By how much a wait may be longer, evenly drawn for each: `50%`. Default: `0%`, everybody comes back together.
    pub jitter: Option<Written<Share>>,
}

/// Further fields of a request, under LiteLLM's names.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of request fields")]
pub struct Params {
    /// `num_retries` of the request.
    pub num_retries: Option<Written<Count>>,
    /// `timeout` of the request.
    pub timeout: Option<Written<Duration>>,
    /// `request_timeout` of the request.
    pub request_timeout: Option<Written<Duration>>,
    /// `stream_timeout` of the request.
    pub stream_timeout: Option<Written<Duration>>,
    /// `fallbacks` of the request, which replace the configured ones: names, in order.
    pub fallbacks: Option<Vec<Written<Text>>>,
    /// `disable_fallbacks` of the request.
    pub disable_fallbacks: Option<Written<bool>>,
    /// `metadata.tags` of the request.
    pub tags: Option<Vec<Written<Text>>>,
    /// `allowed_model_region` of the request.
    pub region: Option<Written<Text>>,
}

/// How upstreams behave when nothing is broken.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of what the upstream does")]
pub struct Upstream {
    /// A named set of values: `azure-openai`, `openai`, `anthropic`, `bedrock`, `vertex`, `default`. Default: by provider.
    pub profile: Option<Written<Text>>,
    /// Requests per minute that the upstream allows. Default: any number.
    pub rpm: Option<Written<Unlimited<Count>>>,
    /// Tokens per minute that the upstream allows, estimated at admission. Default: any number.
    pub tpm: Option<Written<Unlimited<Count>>>,
    /// How its limits refill: `fixed` (full again at every whole minute), `sliding`, `bucket` (continuously), each with
    /// a span: `sliding 10s` allows a sixth of a minute's limit in any ten seconds. Default: the profile's.
    pub window: Option<Written<Window>>,
    /// Who shares its limits: each `deployment` has its own, or those with the same `key` (and model), `region`,
    /// `provider` or `group` share one, or all that are `selected` here. Default: the profile's.
    pub scope: Option<Written<ScopeWord>>,
    /// Time to the first token: one duration, or quantiles.
    pub ttft: Option<Located<Spread<Seconds>>>,
    /// Time per output token after the first: one duration, or quantiles.
    pub tpot: Option<Located<Spread<Seconds>>>,
    /// Calls that it carries at full speed; with more, they share what it can do. Default: any number.
    pub full_speed: Option<Written<Unlimited<Count>>>,
    /// Calls that it works on at once; the others wait in turn, first come, first served. Default: any number.
    pub servers: Option<Written<Unlimited<Count>>>,
    /// What tokens cost. Default: what the config or LiteLLM's cost map says.
    pub price: Option<Prices>,
    /// Whether a 429 of its own limits carries `Retry-After`. Default: the profile's.
    pub retry_after: Option<Written<bool>>,
    /// Whose error answers it gives. Default: the profile's.
    pub dialect: Option<Written<Dialect>>,
    /// Where these numbers come from, for reports. Default: `the scenario`.
    pub origin: Option<Written<Text>>,
}

/// Dollars per million tokens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map: `{input: .., output: ..}`")]
pub struct Prices {
    /// Of the prompt.
    pub input: Written<Price>,
    /// Of the answer.
    pub output: Written<Price>,
}

/// A limit that an upstream enforces on some deployments together.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map: `{on: .., requests: ..}`")]
pub struct Quota {
    /// Who shares it: one selector, or several.
    pub on: OneOrMany<Written<Selector>>,
    /// How many requests in one window.
    pub requests: Option<Written<Count>>,
    /// How many tokens in one window.
    pub tokens: Option<Written<Count>>,
    /// How it refills. Default: `fixed 1m`.
    pub window: Option<Written<Window>>,
}

/// How long messages travel, one way.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map: `{client: .., upstream: ..}`")]
pub struct Links {
    /// Between client and proxy. Default: 1ms.
    pub client: Option<Written<Duration>>,
    /// Between proxy and upstream. Default: 1ms.
    pub upstream: Option<Written<Duration>>,
}

/// Something that breaks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map with at, on and inject")]
pub struct Fault {
    /// From when.
    pub at: Written<Duration>,
    /// For how long. Default: to the end.
    #[serde(rename = "for")]
    pub lasts: Option<Written<Duration>>,
    /// Whose calls it strikes: one selector, or several.
    pub on: OneOrMany<Written<Selector>>,
    /// What happens to them.
    pub inject: Located<Inject>,
    /// Which share of the calls it strikes: `5%`, `3/100`. Default: all.
    pub probability: Option<Written<Share>>,
    /// What reports call it. Default: what it does and to whom, `429 on provider:azure`.
    pub label: Option<Written<Text>>,
}

/// What a fault does to a call: a word, or a map with details.
#[derive(Clone, Debug)]
pub enum Inject {
    /// A word: `revoked`.
    Word(Written<InjectWord>),
    /// Details: `{status: 429, retry_after: 20s}`, `{slow: 10}`, `{quota: 20%}`.
    Details(Box<Details>),
}

/// Exactly one of `status`, `error`, `slow` and `quota`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map: `{status: 429}`")]
pub struct Details {
    /// An error answer with this HTTP status, 400 to 599.
    pub status: Option<Written<Count>>,
    /// An error answer of this kind, with the status and the text that each provider has for it.
    pub error: Option<Written<ErrorKind>>,
    /// The `Retry-After` header of the error answer, in whole seconds. Default: none is sent.
    pub retry_after: Option<Written<WholeSeconds>>,
    /// The text of the error answer, which LiteLLM's error mapping reads. Default: the provider's usual one.
    pub message: Option<Written<Text>>,
    /// Everything takes so many times as long.
    pub slow: Option<Written<Plain>>,
    /// The upstream's limits are cut to this share.
    pub quota: Option<Written<Share>>,
}

/// What is promised. A promise that breaks makes the exit code 1.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of promises")]
pub struct Expect {
    /// The share of requests that are answered: `">= 99.9%"`.
    pub availability: Option<Written<AtLeast<Share>>>,
    /// Latency by quantile: `{p99: "<= 8s", max: "<= 60s"}`.
    pub latency: Option<Named<Written<AtMost<Duration>>>>,
    /// The share of answers that come from a fallback while faults are on: `">= 95%"`.
    pub served_by_fallback: Option<Written<AtLeast<Share>>>,
    /// Upstream attempts per request: `"<= 1.5"`.
    pub attempts_per_request: Option<Written<AtMost<Plain>>>,
    /// The share of requests with a deadline that end, with an answer or an error, before it: `">= 99%"`.
    pub deadline: Option<Written<AtLeast<Share>>>,
    /// Of the requests that some deployment in reach of their fallbacks could have answered, the share that was: `">= 99.9%"`.
    pub fallback_reached: Option<Written<AtLeast<Share>>>,
    /// Upstream attempts per request in every window of a length, in whole seconds: `{10s: "<= 3"}`.
    pub amplification: Option<Named<Written<AtMost<Plain>>>>,
    /// From the end of the last fault until goodput is back to 95 % of what it was before the first, for good: `"<= 60s"`.
    pub recovery: Option<Written<AtMost<Duration>>>,
    /// How far the share of any deployment in its group's calls is off what `weight`, `rpm` or `tpm` make its due, in points
    /// of all calls; under `simple-shuffle`: `"<= 10%"`.
    pub fair_shares: Option<Written<AtMost<Share>>>,
    /// How long an entry of `traffic` gets no answer while another one does: `"<= 30s"`.
    pub no_starvation: Option<Written<AtMost<Duration>>>,
    /// The share of requests that groups answer which no fault touches: `">= 99.9%"`.
    pub isolation: Option<Written<AtLeast<Share>>>,
    /// Whether everything must end, and goodput come back, when the faults are over. Default: true.
    pub liveness: Option<Written<bool>>,
    /// What must happen at least once. A run that never got there proves nothing, and fails.
    pub must_see: Option<Vec<Written<MustSee>>>,
    /// Laws of the router that may break here, by name, each with the reason, which every report shows.
    pub waive: Option<Named<Written<Text>>>,
}
