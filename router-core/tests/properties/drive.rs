//! Drives the core through a story, politely or not.

use std::collections::BTreeMap;

use router_core::{
    Ask, AttemptId, DeploymentId, FallbackTarget, Input, Note, Outcome, Output, Params, Plan, RequestId, RequestParams,
    Router, Selection, Span, Target, Time, Usage,
};

use crate::world::{Dice, Event, Reply, ReplyKind, Story, Tale};

/// What goes on besides the story itself. None of it may change anything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noise {
    /// Moments at which the router is woken although it did not ask.
    pub(crate) early_wakes: Vec<Time>,
    /// Every reply is delivered again so much later.
    pub(crate) echo_after: Option<Span>,
    /// Calls that the router hung up on are answered nevertheless, so much later.
    pub(crate) late_after: Option<Span>,
    /// Requests whose callers go away, and how long after they arrived.
    pub(crate) cancelled: BTreeMap<usize, Span>,
}

/// What the core did.
#[derive(Debug, Default)]
pub(crate) struct Driven {
    /// The tale of each request.
    pub(crate) tales: Vec<Tale>,
    /// Every note.
    pub(crate) notes: Vec<Note>,
    /// Every selection, with its time.
    pub(crate) selections: Vec<(Time, Selection)>,
    /// How many calls were under way for each deployment at the end, by the world's own count.
    pub(crate) calls_at_rest: usize,
    /// How many calls the core says are under way at the end.
    pub(crate) in_flight_at_rest: u32,
    /// How many requests the core says are under way at the end.
    pub(crate) under_way_at_rest: usize,
    /// How many probes of half-open deployments the core says are under way at the end.
    pub(crate) probes_at_rest: u32,
}

/// Something that will reach the router.
enum Due {
    Arrival(usize),
    Reply(AttemptId),
    Echo(Input),
    Cancel(usize),
    Early,
}

struct Driver<'s> {
    story: &'s Story,
    noise: &'s Noise,
    router: Router,
    dice: Dice,
    due: BTreeMap<(Time, u64), Due>,
    serial: u64,
    calls: BTreeMap<AttemptId, Reply>,
    calls_of: Vec<usize>,
    groups: Vec<String>,
    driven: Driven,
}

/// Runs the story; request i arrives at `arrivals[i]`.
pub(crate) fn drive(story: &Story, arrivals: &[Time], noise: &Noise) -> Driven {
    let plan = Plan::new(&story.config).expect("the generator makes configurations that LiteLLM starts with");
    let groups = (0..plan.name_count()).map(|id| plan.name(router_core::NameId(id as u32)).to_owned()).collect();
    let asks: Vec<Ask> = story.requests.iter().map(|request| ask(&request.model, &request.params, &plan)).collect();
    let mut router = Router::new(plan);
    router.explain(true);
    let requests = story.requests.len();
    let mut driver = Driver {
        story,
        noise,
        router,
        dice: Dice::new(story.seed),
        due: BTreeMap::new(),
        serial: 0,
        calls: BTreeMap::new(),
        calls_of: vec![0; requests],
        groups,
        driven: Driven { tales: vec![Tale::new(); requests], ..Driven::default() },
    };
    for (index, &at) in arrivals.iter().enumerate() {
        driver.add(at, Due::Arrival(index));
        if let Some(&patience) = noise.cancelled.get(&index) {
            driver.add(at + patience, Due::Cancel(index));
        }
    }
    for &at in &noise.early_wakes {
        driver.add(at, Due::Early);
    }
    driver.run(&asks);
    driver.driven.calls_at_rest = driver.calls.len();
    let view = driver.router.view();
    driver.driven.under_way_at_rest = view.requests_under_way();
    driver.driven.in_flight_at_rest = (0..story.config.model_list.len()).map(|index| view.in_flight(id(index))).sum();
    driver.driven.probes_at_rest = (0..story.config.model_list.len()).map(|index| view.probes(id(index))).sum();
    driver.driven
}

impl Driver<'_> {
    fn add(&mut self, at: Time, due: Due) {
        self.serial += 1;
        self.due.insert((at, self.serial), due);
    }

    fn run(&mut self, asks: &[Ask]) {
        let mut now = Time::ZERO;
        loop {
            let wake = self.router.next_wake().map(|(at, _)| at.max(now));
            let due = self.due.first_key_value().map(|(&(at, _), _)| at);
            let Some(at) = wake.into_iter().chain(due).min() else { return };
            now = at;
            // A reply at the very moment of the timeout comes too late.
            if wake == Some(at) {
                self.step(now, Input::Wake);
                continue;
            }
            let Some((_, due)) = self.due.pop_first() else { return };
            match due {
                Due::Arrival(index) => {
                    let (request, ask) = (RequestId::new(0, index as u64), asks[index].clone());
                    self.step(now, Input::Arrived { request, ask });
                }
                Due::Cancel(index) => self.step(now, Input::Cancelled { request: RequestId::new(0, index as u64) }),
                Due::Early => self.step(now, Input::Wake),
                Due::Echo(input) => self.step(now, input),
                Due::Reply(attempt) => {
                    if let Some(reply) = self.calls.remove(&attempt) {
                        let input = news(attempt, reply);
                        if let Some(after) = self.noise.echo_after {
                            self.add(now + after, Due::Echo(input.clone()));
                        }
                        self.step(now, input);
                    }
                }
            }
        }
    }

    fn step(&mut self, now: Time, input: Input) {
        let mut outputs = Vec::new();
        self.router.handle(now, input, self.dice.at(now), &mut outputs);
        for output in outputs {
            match output {
                Output::Dispatch { request, attempt, .. } => {
                    let index = request.number as usize;
                    let reply = self.story.requests[index].reply(self.calls_of[index]);
                    self.calls_of[index] += 1;
                    self.calls.insert(attempt, reply);
                    if reply.kind != ReplyKind::Hang {
                        self.add(now + reply.after, Due::Reply(attempt));
                    }
                }
                Output::Abort { attempt, .. } => {
                    let reply = self.calls.remove(&attempt).expect("only calls under way are hung up on");
                    if let Some(after) = self.noise.late_after {
                        self.add(now + after, Due::Echo(news(attempt, reply)));
                    }
                }
                Output::Relay { .. } => {}
                Output::Answer { request, outcome } => {
                    let by = match outcome {
                        Outcome::Answered(answered) => Ok(answered.by.index()),
                        Outcome::Failed(error) => Err((error.class, error.status)),
                    };
                    self.tell(now, request, Event::Answered { by });
                }
                Output::Note(note) => self.note(now, note),
            }
        }
    }

    fn tell(&mut self, now: Time, request: RequestId, event: Event) {
        self.driven.tales[request.number as usize].push((now, event));
    }

    fn note(&mut self, now: Time, note: Note) {
        self.driven.notes.push(note.clone());
        match note {
            Note::Selected(selection) => self.driven.selections.push((now, *selection)),
            Note::Picked { request, group, deployment, timeout, .. } => {
                let group = self.groups[group.index()].clone();
                self.tell(now, request, Event::Called { group, deployment: deployment.index(), timeout });
            }
            Note::Succeeded { request, deployment, .. } => {
                self.tell(now, request, Event::Ended { deployment: deployment.index(), error: None });
            }
            Note::Failed { request, deployment: Some(deployment), error, .. } => {
                let error = Some((error.class, error.status));
                self.tell(now, request, Event::Ended { deployment: deployment.index(), error });
            }
            Note::Failed { request, deployment: None, group, error, .. } => {
                let group = self.groups[group.index()].clone();
                self.tell(now, request, Event::Nobody { group, error: (error.class, error.status) });
            }
            Note::Cooled { request, deployment, length, .. } => {
                self.tell(now, request, Event::Cooled { deployment: deployment.index(), length });
            }
            _ => {}
        }
    }
}

/// How the core hears of a reply. A call that would never be answered is answered all the same when it is late.
fn news(attempt: AttemptId, reply: Reply) -> Input {
    match reply.kind.failure() {
        Some(failure) => Input::Failed { attempt, failure },
        None => {
            let usage = Usage { prompt_tokens: 10, completion_tokens: 10 };
            Input::Finished { attempt, usage, content_filter: false }
        }
    }
}

fn ask(model: &str, params: &RequestParams, plan: &Plan) -> Ask {
    let params = (*params != RequestParams::default()).then(|| Box::new(of(params, plan)));
    let model = plan.name_id(model).expect("asked_names has every name that is asked for");
    Ask { model, prompt_tokens: 10, output_tokens: 10, stream: false, params }
}

fn of(params: &RequestParams, plan: &Plan) -> Params {
    let target = |target: &FallbackTarget| match target {
        FallbackTarget::Name(name) => Target { model: plan.name_id(name), map: None, params: None },
        FallbackTarget::Map { .. } => unreachable!("the generator makes no maps"),
    };
    Params {
        num_retries: params.num_retries,
        max_retries: params.max_retries,
        timeout: params.timeout,
        request_timeout: params.request_timeout,
        stream_timeout: params.stream_timeout,
        fallbacks: params.fallbacks.as_ref().map(|targets| targets.iter().map(target).collect()),
        disable_fallbacks: params.disable_fallbacks == Some(true),
        tags: Vec::new(),
        region: None,
        lists: router_core::RequestLists::default(),
    }
}

fn id(index: usize) -> DeploymentId {
    DeploymentId(index as u32)
}
