//! Who of the candidates gets the call: one file per `routing_strategy`.

mod cost_based;
mod latency_based;
mod least_busy;
mod simple_shuffle;
mod table;
mod usage_based;
mod usage_based_v2;

use core::fmt;

use crate::config::RoutingStrategy;
use crate::entropy::Entropy;
use crate::error::ErrorClass;
use crate::ids::{DeploymentId, NameId};
use crate::input::Usage;
use crate::plan::Plan;
use crate::quota::Quota;
use crate::time::Time;

/// A way to choose between deployments, with what it remembers of their calls.
pub(crate) trait Strategy: fmt::Debug + Send {
    /// Chooses one of the candidates, by its index.
    fn choose(
        &mut self,
        choice: &Choice<'_>,
        entropy: &mut dyn Entropy,
        scores: Option<&mut Vec<(DeploymentId, f64)>>,
    ) -> Result<usize, NoChoice>;

    /// Asks for leave to call the deployment that was chosen (LiteLLM: `async_pre_call_check`).
    fn admit(&mut self, _plan: &Plan, _quota: &mut Quota, _call: Called, _now: Time) -> Result<(), NoChoice> {
        Ok(())
    }

    /// A call is about to be made.
    fn called(&mut self, _plan: &Plan, _call: Called, _now: Time) {}

    /// A call succeeded.
    fn succeeded(&mut self, _plan: &Plan, _quota: &mut Quota, _call: Called, _success: &Success, _now: Time) {}

    /// A call failed, and LiteLLM's callbacks heard of it.
    fn failed(&mut self, _plan: &Plan, _call: Called, _class: ErrorClass, _now: Time) {}

    /// Requests that a deployment answered for a group in this minute, as the pre-call checks of older releases look
    /// them up in the cache of `usage-based-routing`.
    fn answered_this_minute(&mut self, _plan: &Plan, _call: Called, _now: Time) -> u64 {
        0
    }

    /// Requests under way, where the strategy counts them.
    fn in_flight(&self, _plan: &Plan, _call: Called, _now: Time) -> Option<i64> {
        None
    }
}

/// The strategy of a plan.
pub(crate) fn new(plan: &Plan) -> Box<dyn Strategy> {
    match plan.settings().routing_strategy.value {
        RoutingStrategy::SimpleShuffle => Box::new(simple_shuffle::SimpleShuffle::default()),
        RoutingStrategy::LeastBusy if plan.rules().least_busy_per_deployment => {
            Box::new(least_busy::PerDeployment::new(plan))
        }
        RoutingStrategy::LeastBusy => Box::new(least_busy::PerGroup::new(plan)),
        RoutingStrategy::UsageBased => Box::new(usage_based::UsageBased::new(plan)),
        RoutingStrategy::UsageBasedV2 => Box::new(usage_based_v2::UsageBasedV2::default()),
        RoutingStrategy::LatencyBased => Box::new(latency_based::LatencyBased::new(plan)),
        RoutingStrategy::CostBased => Box::new(cost_based::CostBased::new(plan)),
    }
}

/// What there is to choose from, and for whom.
pub(crate) struct Choice<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) quota: &'a Quota,
    pub(crate) now: Time,
    /// The name that was called.
    pub(crate) group: NameId,
    /// The name after aliases.
    pub(crate) resolved: NameId,
    /// The candidates, in the order of `model_list`; at least one.
    pub(crate) candidates: &'a [DeploymentId],
    /// Tokens of the prompt.
    pub(crate) prompt_tokens: u32,
    /// The answer is to be streamed.
    pub(crate) stream: bool,
}

/// A call: the name that was called, and who was chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Called {
    pub(crate) group: NameId,
    pub(crate) deployment: DeploymentId,
}

/// What LiteLLM's success callbacks hear of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Success {
    /// Seconds that it took.
    pub(crate) seconds: f64,
    /// Seconds to the first chunk, of a stream.
    pub(crate) first_chunk_seconds: Option<f64>,
    /// What it used.
    pub(crate) usage: Usage,
    /// Tokens that are counted per deployment: none of a stream where the release does not know then under which
    /// model's name to count them.
    pub(crate) counted_tokens: u64,
}

/// Why nobody is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NoChoice {
    /// All candidates are at a limit: "no deployments available".
    NoneLeft,
    /// All candidates are at a limit: a 429 with `retry-after: 60`.
    RateLimited,
    /// A weight is not a number.
    NotANumber,
    /// The weights add up to nothing.
    NoWeight,
}
