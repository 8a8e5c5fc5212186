//! The decisions of the LiteLLM Router as a sans-IO state machine.
//!
//! No clock, dice, sockets, threads, files, async or serde, and no dependencies. Everything the router learns comes in
//! through [`Router::handle`], everything it wants done is appended to the caller's buffer, and when it next needs to
//! be woken is told by [`Router::next_wake`].

mod attempt;
mod budget;
mod candidates;
mod catalogue;
mod config;
mod cooldown;
mod counter;
mod entropy;
mod error;
mod half_open;
mod hedge;
mod ids;
mod input;
mod mapping;
mod note;
mod outcome;
mod output;
mod plan;
mod quota;
mod request;
mod retry;
mod retry_budget;
mod router;
mod rules;
mod strategy;
mod stream;
mod time;
mod timers;
mod view;
mod wait_for_cooldown;
mod walk;
mod what_if;
mod wording;

pub use catalogue::Rule;
pub use config::{
    AllowedFailsPolicy, Budget, Config, DailyLimits, FallbackEntry, FallbackTarget, Limit, LitellmSettings, Mode,
    ModelEntry, Number, RequestList, RequestParams, RetryPolicy, RouterSettings, RoutingStrategy, RoutingStrategyArgs,
};
pub use entropy::{Draw, Entropy, pick, pick_weighted, shuffle};
pub use error::{Error, ErrorClass, Failure, FailureKind, RetryAfter};
pub use ids::{AttemptId, DeploymentId, NameId, RequestId, TagId};
pub use input::{Answered, Ask, Input, Params, RequestLists, Target, Usage};
pub use mapping::exception_of;
pub use note::{
    CooldownReason, FallbackList, Filter, GiveUpReason, NoFallback, NotCooledReason, Note, RetriesFrom, Selection,
    WaitReason, WakeReason,
};
pub use output::{Outcome, Output};
pub use plan::{Deployment, Dialect, Plan, PlanError, Setting, Settings, Source, fallback_entry_of};
pub use router::Router;
pub use rules::{CutStream, FullDeployment, FullSampleList, Release, Rules, ShuffleMetric};
pub use time::{Span, Time};
pub use view::{Counts, View};
pub use what_if::{RetryBudget, WhatIf};
pub use wording::Wording;
