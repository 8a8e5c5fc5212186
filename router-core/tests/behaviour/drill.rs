//! A router, its world and its clock, for tests that read as stories.

use std::collections::VecDeque;

use router_core::{
    Ask, Config, DeploymentId, Draw, Entropy, Error, Failure, FailureKind, Input, ModelEntry, Note, Outcome, Output,
    Params, Plan, RequestId, RetryAfter, Router, Span, Time, Usage, Wording,
};

/// What an upstream does with a call, after 0.1 s.
#[derive(Clone, Copy)]
pub(crate) enum Does {
    /// Answers.
    Answer,
    /// Answers after so many seconds.
    AnswerAfter(f64),
    /// Answers with an error status.
    Fail(u16),
    /// The same, with a `Retry-After` of so many seconds.
    FailFor(u16, i64),
    /// Nothing, ever.
    Hang,
    /// Refuses the connection.
    Refuse,
    /// Begins to answer a stream, and then does nothing.
    Open,
}

/// Draws that are always the same number.
struct Fixed(f64);

impl Entropy for Fixed {
    fn unit(&mut self, _: Draw<'_>) -> f64 {
        self.0
    }
}

/// One router, and upstreams that do what they are told.
pub(crate) struct Drill {
    router: Router,
    entropy: Fixed,
    now: Time,
    asked: u64,
    news: VecDeque<(Time, Input)>,
    does: Vec<Does>,
    /// Everything that was noted.
    pub(crate) notes: Vec<Note>,
    /// Whom calls went to, in order.
    pub(crate) calls: Vec<String>,
    /// How requests ended: `ok`, or the class of the error.
    pub(crate) ends: Vec<&'static str>,
    /// The errors among these, and what the answers among them used.
    pub(crate) errors: Vec<Error>,
    pub(crate) usages: Vec<Usage>,
    /// Whom was hung up on.
    pub(crate) hung_up: Vec<String>,
}

/// Deployments `a`, `b`, ... of the groups named by the words of `groups`: `"g g backup"` makes `g` of two.
pub(crate) fn config(groups: &str) -> Config {
    let entry = |(index, group): (usize, &str)| ModelEntry {
        model_name: group.to_owned(),
        id: char::from(b'a' + index as u8).to_string(),
        model: format!("openai/{group}"),
        ..ModelEntry::default()
    };
    let model_list = groups.split_whitespace().enumerate().map(entry).collect();
    let mut config = Config { model_list, start_unix_nanos: 1_800_000_000_000_000_000, ..Config::default() };
    config.router_settings.num_retries = Some(0);
    config
}

pub(crate) fn secs(secs: f64) -> Time {
    Time::ZERO + Span::from_secs_f64(secs)
}

impl Drill {
    pub(crate) fn new(config: &Config) -> Self {
        let plan = Plan::new(config).expect("the drill's config is valid");
        let does = vec![Does::Answer; plan.deployments().len()];
        Self {
            router: Router::new(plan),
            entropy: Fixed(0.0),
            now: Time::ZERO,
            asked: 0,
            news: VecDeque::new(),
            does,
            notes: Vec::new(),
            calls: Vec::new(),
            ends: Vec::new(),
            errors: Vec::new(),
            usages: Vec::new(),
            hung_up: Vec::new(),
        }
    }

    /// From here on, the deployment with that id does this.
    pub(crate) fn upstream(&mut self, id: &str, does: Does) -> &mut Self {
        let id = self.plan().deployment_id(id).expect("a deployment of the config");
        self.does[id.index()] = does;
        self
    }

    /// Asks for a model and waits until nothing more happens; `calls` and `ends` are those of this request.
    pub(crate) fn ask_at(&mut self, at: f64, model: &str) -> &mut Self {
        self.ask_with(at, model, Params::default())
    }

    pub(crate) fn ask_with(&mut self, at: f64, model: &str, params: Params) -> &mut Self {
        self.forget();
        self.now = self.now.max(secs(at));
        self.arrive(model, params, false);
        self.run_until(None);
        self
    }

    /// Asks for a model, beside whatever is under way; `calls` and `ends` go on.
    pub(crate) fn begin_at(&mut self, at: f64, model: &str, params: Params) -> RequestId {
        self.until(at).arrive(model, params, false)
    }

    /// The same, for a stream.
    pub(crate) fn begin_stream_at(&mut self, at: f64, model: &str) -> RequestId {
        self.until(at).arrive(model, Params::default(), true)
    }

    /// The caller of a request goes.
    pub(crate) fn cancel_at(&mut self, at: f64, request: RequestId) -> &mut Self {
        self.until(at).tell(Input::Cancelled { request });
        self
    }

    /// So many requests at once, which come after everything that happens before that moment; the `calls` and `ends` so
    /// far are those since then.
    pub(crate) fn send_at(&mut self, at: f64, model: &str, count: usize) -> &mut Self {
        self.run_until(Some(secs(at)));
        self.forget();
        self.now = self.now.max(secs(at));
        for _ in 0..count {
            self.arrive(model, Params::default(), false);
        }
        self
    }

    /// Lets everything happen that happens before that moment.
    pub(crate) fn until(&mut self, at: f64) -> &mut Self {
        self.run_until(Some(secs(at)));
        self.now = self.now.max(secs(at));
        self
    }

    /// The caller of the latest request goes away.
    pub(crate) fn cancel(&mut self) -> &mut Self {
        self.tell(Input::Cancelled { request: RequestId::new(0, self.asked - 1) });
        self
    }

    /// From here on, every draw is this number.
    pub(crate) fn luck(&mut self, u: f64) -> &mut Self {
        self.entropy = Fixed(u);
        self
    }

    /// Calls and probes under way, and requests.
    pub(crate) fn under_way(&self) -> (u32, u32, usize) {
        let view = self.router.view();
        let each = (0..self.plan().deployments().len() as u32).map(DeploymentId);
        let (calls, probes) = each
            .map(|id| (view.in_flight(id), view.probes(id)))
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        (calls, probes, view.requests_under_way())
    }

    fn forget(&mut self) {
        self.calls.clear();
        self.ends.clear();
        self.notes.clear();
        self.errors.clear();
        self.usages.clear();
        self.hung_up.clear();
    }

    fn arrive(&mut self, model: &str, params: Params, stream: bool) -> RequestId {
        let model = self.plan().name_id(model).expect("a name of the config");
        let ask = Ask { model, prompt_tokens: 10, output_tokens: 10, stream, params: Some(Box::new(params)) };
        let request = RequestId::new(0, self.asked);
        self.asked += 1;
        self.tell(Input::Arrived { request, ask });
        request
    }

    /// Seconds on the clock.
    pub(crate) fn clock(&self) -> f64 {
        self.now.as_secs_f64()
    }

    pub(crate) fn is_cooled(&self, id: &str) -> bool {
        let id = self.plan().deployment_id(id).expect("a deployment of the config");
        self.router.view().cooled_until(id, self.now).is_some()
    }

    /// How many calls least-busy routing counts.
    pub(crate) fn counted(&self, id: &str) -> Option<i64> {
        let id = self.plan().deployment_id(id).expect("a deployment of the config");
        self.router.view().believed_in_flight(self.plan().deployment(id).group, id, self.now)
    }

    pub(crate) fn plan(&self) -> &Plan {
        self.router.view().plan()
    }

    fn run_until(&mut self, end: Option<Time>) {
        loop {
            let is_before = |at: &Time| end.is_none_or(|end| *at < end);
            let news = self.news.front().map(|(at, _)| *at).filter(is_before);
            let wake = self.router.next_wake().map(|(at, _)| at).filter(is_before);
            match (news, wake) {
                (Some(news), wake) if wake.is_none_or(|wake| news < wake) => {
                    let (at, input) = self.news.pop_front().expect("it was just looked at");
                    self.now = at;
                    self.tell(input);
                }
                (_, Some(wake)) => {
                    self.now = wake;
                    self.tell(Input::Wake);
                }
                _ => return,
            }
        }
    }

    fn tell(&mut self, input: Input) {
        let mut out = Vec::new();
        self.router.handle(self.now, input, &mut self.entropy, &mut out);
        for output in out {
            match output {
                Output::Dispatch { attempt, to, .. } => {
                    let id = self.plan().deployment(to).id.clone();
                    self.calls.push(id);
                    if let Some(input) = self.answer(to, attempt) {
                        let seconds =
                            if let Does::AnswerAfter(seconds) = self.does[to.index()] { seconds } else { 0.1 };
                        let at = self.now + Span::from_secs_f64(seconds);
                        let place = self.news.partition_point(|(other, _)| *other <= at);
                        self.news.insert(place, (at, input));
                    }
                }
                Output::Answer { outcome: Outcome::Answered(answered), .. } => {
                    self.ends.push("ok");
                    self.usages.push(answered.usage);
                }
                Output::Answer { outcome: Outcome::Failed(error), .. } => {
                    self.ends.push(error.class.name());
                    self.errors.push(error);
                }
                Output::Note(note) => self.notes.push(note),
                Output::Abort { to, .. } => {
                    let id = self.plan().deployment(to).id.clone();
                    self.hung_up.push(id);
                }
                Output::Relay { .. } => {}
            }
        }
    }

    fn answer(&self, to: DeploymentId, attempt: router_core::AttemptId) -> Option<Input> {
        let failed = |kind, retry_after| Some(Input::Failed { attempt, failure: Failure { kind, retry_after } });
        let status = |code| FailureKind::Status { code, wording: Wording::NONE };
        match self.does[to.index()] {
            Does::Answer | Does::AnswerAfter(_) => Some(Input::Finished {
                attempt,
                usage: Usage { prompt_tokens: 10, completion_tokens: 10 },
                content_filter: false,
            }),
            Does::Fail(code) => failed(status(code), RetryAfter::Absent),
            Does::FailFor(code, secs) => failed(status(code), RetryAfter::Seconds(secs)),
            Does::Refuse => failed(FailureKind::Refused, RetryAfter::Absent),
            Does::Open => Some(Input::Opened { attempt }),
            Does::Hang => None,
        }
    }
}
