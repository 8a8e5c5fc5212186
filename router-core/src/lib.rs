//! The decisions of the LiteLLM Router as a sans-IO state machine.
//!
//! No clock, dice, sockets, threads, files, async or serde, and no dependencies. Everything the router learns comes in
//! through [`Router::handle`], everything it wants done is appended to the caller's buffer, and when it next needs to
//! be woken is told by [`Router::next_wake`].

mod config;
mod entropy;
mod error;
mod ids;
mod input;
mod note;
mod output;
mod plan;
mod rules;
mod time;

pub use config::{
    AllowedFailsPolicy, Config, DailyLimits, FallbackEntry, FallbackTarget, Limit, LitellmSettings, Mode, ModelEntry,
    Number, RequestParams, RetryPolicy, RouterSettings, RoutingStrategy, RoutingStrategyArgs,
};
pub use entropy::{Draw, Entropy, pick, pick_weighted, shuffle};
pub use error::{Error, ErrorClass, Failure, FailureKind, RetryAfter, Wording};
pub use ids::{AttemptId, DeploymentId, NameId, RequestId, TagId};
pub use input::{Answered, Ask, Input, Params, Target, Usage};
pub use note::{
    CooldownReason, FallbackList, Filter, GiveUpReason, NoFallback, NotCooledReason, Note, RetriesFrom, Selection,
    WaitReason,
};
pub use output::{Outcome, Output};
pub use plan::{Plan, PlanError};
pub use rules::Release;
pub use time::{Span, Time};
