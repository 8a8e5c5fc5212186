//! What is counted.

use router_core::{
    CooldownReason, DeploymentId, Error, ErrorClass, FallbackList, Filter, GiveUpReason, NameId, NoFallback,
    NotCooledReason, RetriesFrom, Span, Usage,
};

use super::latency::Latency;
use super::tally::Tally;

/// What became of the requests for one name in one phase. A client's further tries after a failed one belong to the
/// same request.
#[derive(Clone, Debug, Default)]
pub struct AskedCounts {
    /// How they ended.
    pub ends: Ends,
    /// Calls to upstreams made for them.
    pub attempts: u64,
    /// Retries that the router made for them, fallback hops not included.
    pub retries: u64,
    /// Further tries that clients made by themselves after a failed one.
    pub client_retries: u64,
    /// Those that were answered by another group than the one asked for.
    pub fell_back: u64,
    /// Those of which some attempt at a struck deployment failed.
    pub hit: u64,
    /// Those of them that were answered all the same.
    pub rescued: u64,
    /// Time from when an answered request was due to its answer.
    pub latency: Latency,
    /// Answers by deployment.
    pub answered_by: Vec<Answers>,
}

/// Answers that one deployment gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// How many.
    pub count: u64,
    /// What they used, and of hedged calls that were hung up on, which providers bill too.
    pub tokens: Tokens,
}

/// How requests ended.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// With an answer.
    pub answered: u64,
    /// With an error: class and the HTTP status that the caller saw.
    pub failed: Tally<(ErrorClass, u16)>,
    /// Their callers gave up first.
    pub gave_up: u64,
    /// The run ended first.
    pub open: u64,
}

/// What happened to one deployment.
#[derive(Clone, Debug, Default)]
pub struct DeploymentCounts {
    /// Calls to it.
    pub attempts: u64,
    /// Calls that it answered.
    pub succeeded: u64,
    /// Failed calls, by what LiteLLM makes of the failure.
    pub errors: Tally<Exception>,
    /// Attempts that the router refused by itself, without a call.
    pub refused: u64,
    /// Calls on which the router hung up.
    pub hung_up: u64,
    /// Cooldowns, by the rule that began them.
    pub cooled: Tally<CooldownReason>,
    /// The longest cooldown.
    pub cooled_longest: Span,
    /// Failures that began none, by the rule that decided.
    pub not_cooled: Tally<NotCooledReason>,
    /// Tokens of the answers that it gave, and of hedged calls that were hung up on, which providers bill too.
    pub tokens: Tokens,
    /// Time from an attempt's start to its answer.
    pub latency: Latency,
    /// Some fault struck it or it was cooled, and it has not answered since.
    pub(super) ailing: bool,
}

/// Tokens of prompts and answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tokens {
    /// Of prompts.
    pub prompt: u64,
    /// Of answers.
    pub completion: u64,
}

impl Tokens {
    /// Adds what an answer used.
    pub fn add(&mut self, usage: Usage) {
        self.prompt += u64::from(usage.prompt_tokens);
        self.completion += u64::from(usage.completion_tokens);
    }

    /// What they cost, in dollars, at a price per prompt token and per token of the answer.
    pub fn cost(self, (prompt, completion): (f64, f64)) -> f64 {
        self.prompt as f64 * prompt + self.completion as f64 * completion
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.prompt += other.prompt;
        self.completion += other.completion;
    }
}

/// A failure as LiteLLM sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exception {
    /// The class of exception in LiteLLM.
    pub class: ErrorClass,
    /// Its `status_code`, where it has one.
    pub status: Option<u16>,
}

impl From<Error> for Exception {
    fn from(error: Error) -> Self {
        Self { class: error.class, status: error.status }
    }
}

/// How requests moved between attempts, by the router's remarks.
#[derive(Clone, Debug, Default)]
pub struct Movement {
    /// Retries, by where their number came from and what that number was.
    pub retries: Tally<(RetriesFrom, u32)>,
    /// Time that requests slept before retries, and after the last of them.
    pub slept: Span,
    /// The retry layer gave up on a name.
    pub gave_up: Tally<(NameId, GiveUpReason)>,
    /// Steps to a fallback: from, to, and the list it stood in.
    pub fell_back: Tally<(NameId, NameId, FallbackList)>,
    /// No fallback was left for a name.
    pub exhausted: Tally<(NameId, NoFallback)>,
    /// Attempts for which no deployment could be chosen, by name and error.
    pub nobody: Tally<(NameId, Exception)>,
    /// Why each deployment was passed over in selections that chose nobody; known only where the router explains.
    pub passed_over: Tally<(NameId, DeploymentId, Reason)>,
    /// Attempts by the timeout that held for them.
    pub timeouts: Tally<Span>,
}

/// Which filter passed a deployment over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the filters of the router, without their details")]
pub enum Reason {
    Team,
    Cooldown,
    Blocked,
    Budget,
    ContextWindow,
    Rpm,
    Region,
    Tags,
    Order,
    WeightedFailover,
    RetrySkip,
    StrategyLimit,
    HalfOpen,
    Hedged,
}

impl Reason {
    /// The reason that a filter is.
    pub const fn of(filter: &Filter) -> Self {
        match filter {
            Filter::Team => Self::Team,
            Filter::Cooldown(_) => Self::Cooldown,
            Filter::Blocked => Self::Blocked,
            Filter::Budget => Self::Budget,
            Filter::ContextWindow => Self::ContextWindow,
            Filter::Rpm => Self::Rpm,
            Filter::Region => Self::Region,
            Filter::Tags => Self::Tags,
            Filter::Order => Self::Order,
            Filter::WeightedFailover => Self::WeightedFailover,
            Filter::RetrySkip => Self::RetrySkip,
            Filter::StrategyLimit => Self::StrategyLimit,
            Filter::HalfOpen => Self::HalfOpen,
            Filter::Hedged => Self::Hedged,
        }
    }
}

/// How users came through the outage, in time.
#[derive(Clone, Debug, Default)]
pub struct Failover {
    /// From the start of the outage to the first answer by another deployment for a request of which an attempt at a
    /// struck deployment had failed. One for each run in which that happened.
    pub first_rescue: Vec<Span>,
    /// From the end of the outage to the first answer by a struck deployment to a call begun after that end. One for
    /// each run in which that happened.
    pub first_return: Vec<Span>,
    /// From the end of the outage to the moment at which the last lost request after it was due; zero when none was
    /// lost. One for each run whose outage ended before it did.
    pub last_loss: Vec<Span>,
}

impl AskedCounts {
    /// Adds the counts of another run, name or phase.
    pub fn absorb(&mut self, other: &Self) {
        self.ends.absorb(&other.ends);
        self.attempts += other.attempts;
        self.retries += other.retries;
        self.client_retries += other.client_retries;
        self.fell_back += other.fell_back;
        self.hit += other.hit;
        self.rescued += other.rescued;
        self.latency.absorb(&other.latency);
        for (mine, theirs) in self.answered_by.iter_mut().zip(&other.answered_by) {
            mine.count += theirs.count;
            mine.tokens.absorb(theirs.tokens);
        }
    }
}

impl Ends {
    /// All requests.
    pub fn total(&self) -> u64 {
        self.answered + self.lost()
    }

    /// Those that got no answer.
    pub fn lost(&self) -> u64 {
        self.failed.total() + self.gave_up + self.open
    }

    /// Share of requests that were answered, from 0 to 1; `None` when there were none.
    pub fn availability(&self) -> Option<f64> {
        (self.total() > 0).then(|| self.answered as f64 / self.total() as f64)
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        self.answered += other.answered;
        self.failed.absorb(&other.failed);
        self.gave_up += other.gave_up;
        self.open += other.open;
    }
}

impl DeploymentCounts {
    pub(super) fn absorb(&mut self, other: &Self) {
        self.attempts += other.attempts;
        self.succeeded += other.succeeded;
        self.errors.absorb(&other.errors);
        self.refused += other.refused;
        self.hung_up += other.hung_up;
        self.cooled.absorb(&other.cooled);
        self.cooled_longest = self.cooled_longest.max(other.cooled_longest);
        self.not_cooled.absorb(&other.not_cooled);
        self.tokens.absorb(other.tokens);
        self.latency.absorb(&other.latency);
    }
}

impl Movement {
    pub(super) fn absorb(&mut self, other: &Self) {
        self.retries.absorb(&other.retries);
        self.slept = self.slept + other.slept;
        self.gave_up.absorb(&other.gave_up);
        self.fell_back.absorb(&other.fell_back);
        self.exhausted.absorb(&other.exhausted);
        self.nobody.absorb(&other.nobody);
        self.passed_over.absorb(&other.passed_over);
        self.timeouts.absorb(&other.timeouts);
    }
}
