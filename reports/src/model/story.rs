//! The story of one request, as rows of a waterfall.

use std::borrow::Cow;

use routedrill_sim::actor::Reply;
use routedrill_sim::drill::labels;
use routedrill_sim::metrics::Shape;
use routedrill_sim::scenario::Scenario;
use routedrill_sim::step::RunEnd;
use routedrill_sim::story::{Moment, Story, What};
use router_core::{
    AttemptId, DeploymentId, Error, ErrorClass, FailureKind, FallbackList, Note, Outcome, RetryAfter, Span, Time,
    WaitReason,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::why::Choices;
use crate::figures::{self, counted};
use crate::words;

/// One request from its first wish to its end. All times are virtual, in seconds from the start of the run.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct StoryReport {
    /// The version of routedrill.
    pub routedrill: Cow<'static, str>,
    /// The name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The LiteLLM release whose behaviour was modelled.
    pub litellm: &'static str,
    /// `proxy` or `sdk`.
    #[schemars(extend("enum" = ["proxy", "sdk"]))]
    pub mode: &'static str,
    /// Policies that the router had and LiteLLM does not, `half-open=1`: what happened is not what a LiteLLM proxy does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub what_if: Vec<String>,
    /// `routing_strategy`.
    pub strategy: &'static str,
    /// The request: `17` of the first client, `2:17` of others.
    pub request: String,
    /// The name that it asked for.
    pub model: String,
    /// Tokens of its prompt.
    pub prompt_tokens: u32,
    /// Tokens that the model writes for it.
    pub output_tokens: u32,
    /// When its user first wanted it; the times of rows count from here.
    pub due: f64,
    /// How many requests its client had made for the same wish before.
    pub tries_before: u32,
    /// How long its client waits at most; `null`: for ever.
    pub deadline: Option<f64>,
    /// How it ended: `answered`, `failed`, `gave up`, `open`.
    pub end: &'static str,
    /// How it ended, in one line.
    pub summary: String,
    /// From when it was due to its end.
    pub took: f64,
    /// Calls to upstreams.
    pub calls: u64,
    /// What happened, in the order of time.
    pub rows: Vec<StoryRow>,
    /// Why one deployment did not answer, where somebody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<WhyNotReport>,
    /// The digest of the run that it is part of.
    pub digest: String,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct StoryRow {
    /// Since its due time.
    pub from: f64,
    /// Until when, for what lasts.
    pub until: Option<f64>,
    /// What kind of thing.
    pub kind: RowKind,
    /// In one line.
    pub what: String,
    /// Why, a sentence each.
    pub why: Vec<String>,
}

/// What kind of thing happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// The client asked.
    Asked,
    /// An upstream was called and answered.
    Answered,
    /// An upstream was called in vain.
    Failed,
    /// Nobody could be called, or the router refused by itself.
    Refused,
    /// The router waited.
    Waited,
    /// The router went on without waiting: to a retry, to a fallback, to no more.
    Decided,
    /// The client got its answer or its error, or gave up.
    Ended,
}

/// Why one deployment did not answer a request.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct WhyNotReport {
    /// The deployment.
    pub deployment: String,
    /// The answer, a sentence for each attempt and one for the whole.
    pub because: Vec<String>,
}

impl StoryReport {
    /// The story of a request of a run of `scenario` under `seed`.
    pub fn new(scenario: &Scenario, seed: u64, story: &Story, end: &RunEnd) -> Self {
        let plan = &scenario.plan;
        let traffic = scenario.traffic.get(story.request.source as usize);
        let run_end = Shape::of(scenario).end;
        let (ended_at, ended) = story.ended.map_or((run_end, None), |(at, ended)| (at, Some(ended)));
        let due = ended.map_or(story.sent, |ended| ended.due);
        let mut teller = Teller {
            scenario,
            labels: labels::of_plan(plan),
            story,
            due,
            rows: Vec::new(),
            calls: 0,
            open: Vec::new(),
            hedging: None,
            doing: Doing::Nothing,
        };
        teller.asked(ended.map_or(0, |ended| ended.retries));
        story.moments.iter().for_each(|moment| teller.tell(moment));
        let (end_word, summary) = teller.ended(ended_at);
        Self {
            routedrill: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            scenario: scenario.name.clone(),
            seed,
            litellm: plan.release().number(),
            mode: words::mode(plan.mode()),
            what_if: words::supposed(plan),
            strategy: words::strategy(plan.settings().routing_strategy.value),
            request: story.request.to_string(),
            model: plan.name(story.ask.model).to_owned(),
            prompt_tokens: story.ask.prompt_tokens,
            output_tokens: story.ask.output_tokens,
            due: due.as_secs_f64(),
            tries_before: ended.map_or(0, |ended| ended.retries),
            deadline: traffic.and_then(|traffic| traffic.deadline).map(Span::as_secs_f64),
            end: end_word,
            summary,
            took: ended_at.since(due).as_secs_f64(),
            calls: teller.calls,
            rows: teller.rows,
            why_not: None,
            digest: end.digest.to_string(),
        }
    }

    /// The same, with the reasons why a deployment did not answer.
    pub fn with_why_not(mut self, scenario: &Scenario, story: &Story, deployment: DeploymentId) -> Self {
        let labels = labels::of_plan(&scenario.plan);
        let because = super::why::why_not(scenario, &labels, story, deployment);
        self.why_not = Some(WhyNotReport { deployment: labels[deployment.index()].clone(), because });
        self
    }
}

/// What a request was doing, for when it ends in the middle of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doing {
    Nothing,
    Calling,
    Waiting,
}

/// Makes rows of moments.
struct Teller<'a> {
    scenario: &'a Scenario,
    labels: Vec<String>,
    story: &'a Story,
    due: Time,
    rows: Vec<StoryRow>,
    calls: u64,
    /// The calls under way, and their rows.
    open: Vec<(AttemptId, usize)>,
    /// The call that a hedge is for, until the hedge is made.
    hedging: Option<AttemptId>,
    doing: Doing,
}

impl Teller<'_> {
    fn since_due(&self, at: Time) -> f64 {
        at.since(self.due).as_secs_f64()
    }

    fn row(&mut self, at: Time, kind: RowKind, what: String) -> usize {
        let from = self.since_due(at);
        self.rows.push(StoryRow { from, until: None, kind, what, why: Vec::new() });
        self.rows.len() - 1
    }

    /// Adds a reason to the latest row.
    fn why(&mut self, why: String) {
        if let Some(row) = self.rows.last_mut() {
            row.why.push(why);
        }
    }

    fn label(&self, id: DeploymentId) -> &str {
        self.labels.get(id.index()).map_or("a deployment", String::as_str)
    }

    fn asked(&mut self, retries: u32) {
        let plan = &self.scenario.plan;
        let mut what = format!("asks for {}", plan.name(self.story.ask.model));
        let traffic = self.scenario.traffic.get(self.story.request.source as usize);
        match traffic.and_then(|traffic| traffic.deadline) {
            Some(deadline) => what.push_str(&format!(", waits {} at most", figures::chosen(deadline))),
            None => what.push_str(", waits for ever"),
        }
        self.row(self.story.sent, RowKind::Asked, what);
        if retries > 0 {
            let before = counted(u64::from(retries), "try");
            self.why(format!("the client's own retry: the same user's wish cost {before} before"));
        }
        if let Some(params) = self.story.ask.params.as_deref() {
            let mut carried = Vec::new();
            let seconds = |name: &str, value: Option<f64>| value.map(|value| format!("{name} {value}s"));
            carried.extend(params.num_retries.map(|retries| format!("num_retries {retries}")));
            carried.extend(seconds("timeout", params.timeout));
            carried.extend(seconds("request_timeout", params.request_timeout));
            carried.extend(params.disable_fallbacks.then(|| "disable_fallbacks".to_owned()));
            let tags: Vec<_> = params.tags.iter().map(|tag| plan.tag(*tag)).collect();
            carried.extend((!tags.is_empty()).then(|| format!("tags {}", tags.join(", "))));
            carried.extend(params.region.map(|region| format!("region {}", plan.region(region))));
            if !carried.is_empty() {
                self.why(format!("the request itself carries {}", carried.join(", ")));
            }
        }
    }

    fn tell(&mut self, moment: &Moment) {
        let at = moment.at;
        match &moment.what {
            What::Chose { selection, draws, resting } => {
                let choices = Choices { scenario: self.scenario, labels: &self.labels };
                let reasons = choices.reasons(selection, draws, resting);
                // What it becomes, the note after it says.
                let index = self.row(at, RowKind::Refused, String::new());
                self.rows[index].why = reasons;
            }
            What::Struck { fault, .. } => {
                let label = self.scenario.faults.get(*fault as usize).map_or("a fault", |fault| fault.label.as_str());
                let why = format!("the scenario's fault struck it: {label}");
                self.at_open(None, why);
            }
            What::Replied { call, reply } => {
                if let Some(said) = self.said(reply) {
                    self.at_open(Some(*call), said);
                }
            }
            What::HungUp { .. } => {}
            What::Answered(_) => {}
            What::Noted { note, jitter } => self.noted(at, note, *jitter),
        }
    }

    /// Adds a reason to a call that is under way, the latest unless it is known which.
    fn at_open(&mut self, call: Option<AttemptId>, why: String) {
        let known = self.open.iter().find(|(open, _)| Some(*open) == call);
        if let Some(row) = known.or(self.open.last()).and_then(|(_, row)| self.rows.get_mut(*row)) {
            row.why.push(why);
        }
    }

    /// What an upstream said, where that is more than what LiteLLM makes of it.
    fn said(&self, reply: &Reply) -> Option<String> {
        let Reply::Failed { failure, .. } = reply else { return None };
        let what = match failure.kind {
            FailureKind::Status { code, .. } => format!("the upstream answered {code}"),
            FailureKind::Refused => "the connection was refused".to_owned(),
            FailureKind::Reset => "the connection was reset".to_owned(),
            FailureKind::Malformed => "the answer was no completion".to_owned(),
            FailureKind::Truncated => "the stream broke off".to_owned(),
        };
        Some(match failure.retry_after {
            RetryAfter::Seconds(seconds) => format!("{what}, Retry-After: {seconds}"),
            RetryAfter::Fractional(wait) => format!("{what}, Retry-After: {wait}"),
            RetryAfter::Until(_) => format!("{what}, Retry-After: a date"),
            RetryAfter::Absent => what,
        })
    }

    fn noted(&mut self, at: Time, note: &Note, jitter: Option<f64>) {
        let plan = &self.scenario.plan;
        match *note {
            Note::Picked { attempt, group, deployment, timeout, .. } => {
                self.calls += 1;
                let first = self.hedging.take().and_then(|first| self.row_of(first));
                let place = self.scenario.inventory.places.get(deployment.index());
                let place = place.map_or_else(String::new, |place| match &place.region {
                    Some(region) => format!(" ({}, {region})", place.provider),
                    None => format!(" ({})", place.provider),
                });
                let what = format!("call {} to {}{place}", self.calls, self.label(deployment));
                let row = self.chosen_row(at);
                row.kind = RowKind::Failed;
                row.what = what;
                row.why.push(format!("timeout {}", figures::setting(timeout)));
                if plan.name(group) != plan.deployment(deployment).model_name {
                    row.why.insert(0, format!("for {}", plan.name(group)));
                }
                if let Some(since) = first.map(|row| self.rows[row].from) {
                    let waited = figures::seconds(self.since_due(at) - since);
                    self.why(format!(
                        "a hedge (not LiteLLM): no answer for {waited}, and the first good answer counts"
                    ));
                }
                self.open.push((attempt, self.rows.len() - 1));
                self.doing = Doing::Calling;
            }
            Note::Hedged { first, .. } => self.hedging = Some(first),
            Note::Probes { .. } => {
                self.why("a probe (not LiteLLM): it is half open since its cooldown ended".to_owned());
            }
            Note::AwaitsCooldown { group, until, .. } => {
                let what = format!("waits for the first deployment of {} to be back", plan.name(group));
                self.wait(at, until.since(at), what);
                self.why("all of them rest (not LiteLLM: it fails the request at once)".to_owned());
            }
            Note::CalledAgain { attempt, repetition, .. } => {
                let why = format!("the provider's HTTP client calls again by itself, for the {repetition}. time");
                self.at_open(Some(attempt), why);
            }
            Note::Succeeded { attempt, usage, .. } => {
                let tokens = counted(usage.total(), "token");
                self.close(at, Some(attempt), RowKind::Answered, &format!("answers {tokens}"));
                while let Some((other, _)) = self.open.last().copied() {
                    self.close(at, Some(other), RowKind::Failed, "hung up on, for the other one was answered,");
                }
            }
            Note::Failed { attempt: None, group, error, .. } => {
                let what = format!("nobody to call for {}: {}", plan.name(group), error_words(&error));
                let row = self.chosen_row(at);
                (row.kind, row.what) = (RowKind::Refused, what);
            }
            Note::Failed { attempt, sent: false, error, .. } => {
                self.calls = self.calls.saturating_sub(1);
                self.close(
                    at,
                    attempt,
                    RowKind::Refused,
                    &format!("the router itself refuses, {}", error_words(&error)),
                );
            }
            Note::Failed { attempt, error, .. } if error.class == ErrorClass::Timeout => {
                self.close(at, attempt, RowKind::Failed, "times out");
                self.at_last_call(format!("LiteLLM raises {}", error_words(&error)));
            }
            Note::Failed { attempt, error, .. } => self.close(at, attempt, RowKind::Failed, &error_words(&error)),
            Note::StreamEnded { .. } | Note::Selected(_) => {}
            Note::Retrying { retry, of, wait, because, number_from, .. } => {
                let from = words::retries_from(number_from);
                let number = format!("at most {}: so says {from}", counted(u64::from(of), "retry"));
                let why = match because {
                    WaitReason::AnotherIsHealthy => "no wait: another deployment of the group is healthy".to_owned(),
                    WaitReason::RetryAfter => format!("as long as Retry-After says{}", jitter_words(jitter)),
                    WaitReason::Backoff => {
                        format!("exponential backoff: nobody else in the group is healthy{}", jitter_words(jitter))
                    }
                };
                if wait.is_zero() {
                    self.row(at, RowKind::Decided, format!("retries at once: retry {retry} of {of}"));
                } else {
                    let what = format!("sleeps {} before retry {retry} of {of}", figures::span(wait));
                    self.wait(at, wait, what);
                }
                self.why(why);
                self.why(number);
            }
            Note::GaveUp { group, because, wait, .. } => {
                let name = plan.name(group);
                if wait.is_zero() {
                    self.row(at, RowKind::Decided, format!("gives up on {name}"));
                } else {
                    let what = format!("gives up on {name}, but sleeps {} before it says so", figures::span(wait));
                    self.wait(at, wait, what);
                }
                self.why(words::gave_up(because).to_owned());
            }
            Note::FellBack { from, to, list, .. } => {
                let word = words::fallback_list(list);
                if matches!(list, FallbackList::Order | FallbackList::WeightedFailover) {
                    self.row(at, RowKind::Decided, format!("tries {} again: {word}", plan.name(to)));
                } else {
                    self.row(at, RowKind::Decided, format!("falls back from {} to {}", plan.name(from), plan.name(to)));
                    self.why(format!("the next target in {word}"));
                }
                self.doing = Doing::Nothing;
            }
            Note::FallbackExhausted { group, because, .. } => {
                self.row(at, RowKind::Decided, format!("no fallback is left for {}", plan.name(group)));
                self.why(words::no_fallback(because).to_owned());
                self.doing = Doing::Nothing;
            }
            Note::Cooled { deployment, length, until, because, .. } => {
                let until = figures::seconds(until.as_secs_f64());
                let length = figures::span(length);
                let why = format!(
                    "{} now rests for {length}, until {until} into the run: {}{}",
                    self.label(deployment),
                    words::cooled(because),
                    jitter_words(jitter)
                );
                self.at_last_call(why);
            }
            Note::NotCooled { deployment, because, .. } => {
                let why = format!("{} is not cooled: {}", self.label(deployment), words::not_cooled(because));
                self.at_last_call(why);
            }
        }
    }

    /// The row that a selection began, or a new one where the router did not explain itself.
    fn chosen_row(&mut self, at: Time) -> &mut StoryRow {
        let fresh = self.rows.last().is_some_and(|row| row.what.is_empty());
        if !fresh {
            self.row(at, RowKind::Refused, String::new());
        }
        self.doing = Doing::Nothing;
        self.rows.last_mut().expect("a row was just there")
    }

    fn wait(&mut self, at: Time, wait: Span, what: String) {
        let until = self.since_due(at + wait);
        let index = self.row(at, RowKind::Waited, what);
        self.rows[index].until = Some(until);
        self.doing = Doing::Waiting;
    }

    /// The row of a call that is under way.
    fn row_of(&self, call: AttemptId) -> Option<usize> {
        self.open.iter().find(|(open, _)| *open == call).map(|(_, row)| *row)
    }

    /// A call that is under way is over.
    fn close(&mut self, at: Time, call: Option<AttemptId>, kind: RowKind, result: &str) {
        let until = self.since_due(at);
        let Some(place) = self.open.iter().position(|(open, _)| Some(*open) == call) else { return };
        let (_, row) = self.open.remove(place);
        let row = &mut self.rows[row];
        row.kind = kind;
        row.until = Some(until);
        let after = figures::seconds(until - row.from);
        row.what = match kind {
            RowKind::Answered => format!("{} {result} after {after}", row.what),
            RowKind::Refused => {
                let whom = row.what.split_once(" to ").map_or(row.what.as_str(), |(_, whom)| whom);
                format!("no call to {whom}: {result}")
            }
            _ => format!("{}: {result} after {after}", row.what),
        };
        self.doing = if self.open.is_empty() { Doing::Nothing } else { Doing::Calling };
    }

    /// Adds a reason to the latest attempt.
    fn at_last_call(&mut self, why: String) {
        let is_attempt =
            |row: &&mut StoryRow| matches!(row.kind, RowKind::Failed | RowKind::Refused | RowKind::Answered);
        if let Some(row) = self.rows.iter_mut().rev().find(is_attempt) {
            row.why.push(why);
        }
    }

    /// The last row; how the request ended, in a word and in a line.
    fn ended(&mut self, at: Time) -> (&'static str, String) {
        let took = figures::seconds(self.since_due(at));
        let doing = match self.doing {
            Doing::Nothing => "",
            Doing::Calling => " while a call was under way",
            Doing::Waiting => " while the router slept",
        };
        for (_, row) in std::mem::take(&mut self.open) {
            self.rows[row].until = Some(at.since(self.due).as_secs_f64());
            self.rows[row].what.push_str(": no answer in time");
        }
        // What would have lasted longer was cut off.
        let until = self.since_due(at);
        for row in &mut self.rows {
            row.until = row.until.map(|end| end.min(until));
        }
        let outcome = self.story.ended.map(|(_, ended)| (ended.outcome, ended.last));
        let (word, what) = match outcome.map(|(outcome, _)| outcome) {
            Some(Some(Outcome::Answered(answered))) => {
                ("answered", format!("answered by {} after {took}", self.label(answered.by)))
            }
            Some(Some(Outcome::Failed(error))) => ("failed", format!("lost after {took}: {}", error_words(&error))),
            Some(None) => ("gave up", format!("lost after {took}: its caller gave up{doing}")),
            None => ("open", format!("still open at the end of the run, after {took}{doing}")),
        };
        self.row(at, RowKind::Ended, what.clone());
        if let Some((Some(Outcome::Failed(error)), _)) = outcome {
            let retry_after = error
                .client_retry_after
                .map_or_else(String::new, |span| format!(", Retry-After {}", figures::setting(span)));
            self.why(format!("the client of the proxy sees HTTP {}{retry_after}", error.client_status));
        }
        let deadline =
            self.scenario.traffic.get(self.story.request.source as usize).and_then(|traffic| traffic.deadline);
        if let (Some((None, _)), Some(deadline)) = (outcome, deadline) {
            self.why(format!("its deadline of {} was over", figures::chosen(deadline)));
        }
        if let Some((_, false)) = outcome {
            self.why("the client will try again by itself: see its next request".to_owned());
        }
        (word, what)
    }
}

fn jitter_words(jitter: Option<f64>) -> String {
    jitter.map_or_else(String::new, |u| format!(", jitter drawn {u:.3}"))
}

/// An exception in words: `503 ServiceUnavailableError`.
pub(super) fn error_words(error: &Error) -> String {
    match error.status {
        Some(status) => format!("{status} {}", error.class.name()),
        None => error.class.name().to_owned(),
    }
}
