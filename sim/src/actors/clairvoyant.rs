//! A router that knows what will happen: the bound that every other one is held against.
//!
//! It sits where the proxy sits, with the same clients, links, upstreams and luck. What it knows beforehand it knows from
//! *mirrors*: of each upstream a copy that hears every call at the time at which the upstream will, and draws from a copy of
//! the upstream's own stream of random numbers. Before it calls anybody it asks a copy of the mirror what would come of
//! it. So nothing that it foresees is decided in a second place.
//!
//! It keeps to what the config offers: the deployments of the group that was asked for, and those of its fallbacks only
//! when nobody in the group would answer in time. Cooldowns, weights, orders, retries and timeouts of the config mean
//! nothing to it. A request that nobody would answer now waits, as long as its caller does, the oldest first.
//!
//! It takes what is best for one request after the other. Where requests compete for a quota a better plan may exist, so
//! what it loses is not the least that could be lost: what it answers is what could have been answered, at least.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use router_core::{
    Answered, Ask, AttemptId, DeploymentId, Entropy, Error, ErrorClass, FallbackList, NameId, Note, Outcome, Plan,
    RequestId, Span, Time, exception_of,
};

use super::proxy::INVALID_MODEL;
use super::upstream::Upstream;
use crate::actor::{Actor, ActorId, Effect, Event, Message, Reply};
use crate::dice::Dice;
use crate::links::Link;
use crate::reachable::{self, ON_ANYTHING};
use crate::scenario::{Fault, Inject, QuotaWindow, Scenario, Traffic};

/// How often those who wait look again, besides the moments at which something is known to change: where only whole
/// windows begin anew. A quota that comes back bit by bit is looked at as often as this part of its window.
const LOOK_AGAIN: Span = Span::from_millis(250);
const LOOKS_IN_WINDOW: u64 = 64;

/// Calls that one request makes at most although it sees them fail, or be answered too late: the bad draw is the next one
/// of that upstream, whoever calls and when, so somebody has to spend it.
const SPENT_ON_FAILURES_MAX: u32 = 64;
const SPENT_ON_LATENESS_MAX: u32 = 16;

/// What LiteLLM answers to a prompt that is too long for everybody.
const TOO_LONG: Error = Error {
    class: ErrorClass::ContextWindowExceededError,
    status: Some(400),
    client_status: 400,
    client_retry_after: None,
};

/// The router that knows.
#[derive(Debug)]
pub struct Clairvoyant {
    plan: Arc<Plan>,
    id: ActorId,
    /// How long an answer travels to its client.
    latency: Span,
    sources: Vec<Source>,
    mirrors: Vec<Mirror>,
    /// Which mirror a deployment is in, and the way to it.
    sites: Vec<(usize, Link)>,
    /// By fault: whether it strikes by chance.
    by_chance: Vec<bool>,
    /// When faults begin and end, as a call must be sent to meet the change.
    changes: Vec<Time>,
    /// The spans of quotas that begin anew all at once.
    fixed_windows: Vec<Span>,
    look_again: Span,
    /// To the upstreams.
    link: Span,
    /// Calls wait for each other somewhere: the end of one is a chance for another.
    stations: bool,
    /// A filtered answer is no answer.
    minds_filters: bool,
    requests: BTreeMap<RequestId, Open>,
    calls: BTreeMap<AttemptId, RequestId>,
    called: u64,
    look_at: Option<Time>,
    /// Used again for each look.
    foreseen: Vec<Effect>,
}

/// What the requests of one stream have in common.
#[derive(Debug)]
struct Source {
    /// The name asked for and those behind it, with who serves each.
    names: Vec<(NameId, Vec<DeploymentId>)>,
    /// How long a request is worth an answer.
    patience: Option<Span>,
    /// How long one call may take.
    call_patience: Option<Span>,
    /// Who waits, the oldest first.
    waiting: VecDeque<RequestId>,
    /// Tokens of the smallest request that nobody would have answered when they were looked at last.
    refused: u64,
}

#[derive(Clone, Debug)]
struct Open {
    prompt_tokens: u32,
    output_tokens: u32,
    /// When the answer is too late; at the router.
    until: Time,
    attempts: u32,
    spent_on_failures: u32,
    spent_on_lateness: u32,
    fell_back: bool,
    calling: Option<(AttemptId, DeploymentId, NameId)>,
}

/// An upstream as it will be when the call that was sent last has reached it.
#[derive(Clone, Debug)]
struct Mirror {
    upstream: Upstream,
    dice: Dice,
}

/// What would come of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// An answer, and when it is here.
    Answered { filtered: bool, at: Time },
    /// An answer that comes too late; `hopeless`: it would for a request that has just come, too.
    TooLate { hopeless: bool },
    /// It fails, but only by chance.
    Unlucky,
    /// It fails, and the same would happen again.
    Fails,
}

/// Whom to call, and under which name.
#[derive(Clone, Copy, Debug)]
struct To {
    deployment: DeploymentId,
    group: NameId,
    eligible: u32,
}

/// What would come of a request.
#[derive(Clone, Copy, Debug, Default)]
struct Ahead {
    /// The best answer: whether it is filtered, when it is here, and whose it is.
    best: Option<(bool, Time, To)>,
    /// A call that is worth being spent, and whether on an answer that is late.
    spend: Option<(bool, To)>,
    /// Somebody fails who may not fail for ever.
    fails: bool,
}

/// What became of a request that wanted to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sent {
    Yes,
    /// Nobody would answer now.
    Blocked,
    /// Nobody would answer before its end.
    TooLate,
}

impl Clairvoyant {
    /// The router `id` of a run of `scenario`. `upstreams` are those of the run under their names, and `sites` says in
    /// which of them each deployment is, and the way there; `seed` is the run's.
    pub fn new(
        scenario: &Scenario,
        id: ActorId,
        upstreams: &[(&str, &Upstream)],
        sites: Vec<(usize, Link)>,
        seed: u64,
    ) -> Self {
        let plan = scenario.plan.clone();
        let mirror = |&(name, upstream): &(&str, &Upstream)| Mirror {
            upstream: upstream.clone(),
            dice: Dice::named(seed, name),
        };
        let link = scenario.links.upstream.max(Span::from_nanos(1));
        let edges = scenario.faults.iter().flat_map(|fault| [Some(fault.from), fault.until]).flatten();
        let mut changes: Vec<Time> = edges.map(|at| Time::ZERO + at.since(Time::ZERO + link)).collect();
        changes.sort_unstable();
        changes.dedup();
        let mut fixed_windows: Vec<Span> = Vec::new();
        let mut look_again = LOOK_AGAIN;
        for quota in &scenario.quotas {
            match quota.window {
                QuotaWindow::Fixed(span) => fixed_windows.push(span),
                QuotaWindow::Sliding(span) | QuotaWindow::Bucket(span) => {
                    let part = Span::from_nanos(span.as_nanos() / LOOKS_IN_WINDOW);
                    look_again = look_again.min(part.max(Span::from_millis(5)));
                }
            }
        }
        fixed_windows.sort_unstable();
        fixed_windows.dedup();
        let by_chance =
            |fault: &Fault| fault.probability < 1.0 && !matches!(fault.inject, Inject::Quota { left } if left > 0.0);
        Self {
            id,
            latency: scenario.links.client,
            sources: scenario.traffic.iter().map(|traffic| Source::new(&plan, traffic)).collect(),
            mirrors: upstreams.iter().map(mirror).collect(),
            sites,
            by_chance: scenario.faults.iter().map(by_chance).collect(),
            changes,
            fixed_windows,
            look_again,
            link,
            stations: scenario.upstreams.iter().any(|one| one.servers.is_some() || one.full_speed.is_some()),
            minds_filters: plan.has_fallback_list(FallbackList::ContentPolicy),
            requests: BTreeMap::new(),
            calls: BTreeMap::new(),
            called: 0,
            look_at: None,
            foreseen: Vec::new(),
            plan,
        }
    }

    fn on_ask(&mut self, now: Time, id: RequestId, ask: &Ask, out: &mut Vec<Effect>) {
        let source = &self.sources[id.source as usize];
        let mut members = source.names.iter().flat_map(|(_, members)| members);
        if members.clone().next().is_none() {
            return out.push(self.answer(now, id, Outcome::Failed(INVALID_MODEL)));
        }
        if !members.any(|member| self.fits(ask.prompt_tokens, *member)) {
            return out.push(self.answer(now, id, Outcome::Failed(TOO_LONG)));
        }
        // The caller counts from when it asked to when the answer is there.
        let travel = 2 * self.latency.as_nanos();
        let worth = |patience: Span| now + Span::from_nanos(patience.as_nanos().saturating_sub(travel));
        let until = source.patience.map_or(Time::MAX, worth);
        let open = Open {
            prompt_tokens: ask.prompt_tokens,
            output_tokens: ask.output_tokens,
            until,
            attempts: 0,
            spent_on_failures: 0,
            spent_on_lateness: 0,
            fell_back: false,
            calling: None,
        };
        let size = open.size();
        self.requests.insert(id, open);
        let source = &mut self.sources[id.source as usize];
        source.waiting.push_back(id);
        // What was refused to those who wait is refused to it.
        if size < source.refused {
            self.look(now, id.source as usize, out);
        }
    }

    /// Whether a prompt is let through to a deployment: its length is looked at where the config says so.
    fn fits(&self, prompt_tokens: u32, deployment: DeploymentId) -> bool {
        !self.plan.settings().enable_pre_call_checks.value
            || self.plan.deployment(deployment).max_input_tokens.is_none_or(|most| u64::from(prompt_tokens) <= most)
    }

    fn on_reply(&mut self, now: Time, attempt: AttemptId, reply: Reply, out: &mut Vec<Effect>) {
        let Some(id) = self.calls.remove(&attempt) else { return };
        let Some(open) = self.requests.get_mut(&id) else { return };
        let Some((_, deployment, group)) = open.calling.take() else { return };
        match reply {
            Reply::Answered { usage, .. } => {
                self.requests.remove(&id);
                out.push(Effect::Note(Note::Succeeded { request: id, attempt, deployment, usage }));
                out.push(self.answer(now, id, Outcome::Answered(Answered { by: deployment, usage })));
            }
            Reply::Failed { failure, .. } => {
                // Only where calls share a machine can things come differently than foreseen.
                let dialect = self.plan.deployment(deployment).dialect;
                let error = exception_of(dialect, &failure, false, self.plan.rules());
                let n = open.attempts - 1;
                let attempt = Some(attempt);
                let deployment = Some(deployment);
                out.push(Effect::Note(Note::Failed { request: id, attempt, n, group, deployment, sent: true, error }));
                self.sources[id.source as usize].waiting.push_front(id);
                self.look(now, id.source as usize, out);
            }
        }
        if self.stations {
            self.look_everywhere(now, out);
        }
    }

    fn on_cancel(&mut self, now: Time, id: RequestId, out: &mut Vec<Effect>) {
        let Some(open) = self.requests.remove(&id) else { return };
        match open.calling {
            Some((attempt, deployment, _)) => {
                self.calls.remove(&attempt);
                self.tell(now, deployment, Message::Hangup { attempt, deployment }, out);
            }
            None => self.sources[id.source as usize].waiting.retain(|waiting| *waiting != id),
        }
        if self.stations {
            self.look_everywhere(now, out);
        }
    }

    fn look_everywhere(&mut self, now: Time, out: &mut Vec<Effect>) {
        for source in 0..self.sources.len() {
            if !self.sources[source].waiting.is_empty() {
                self.look(now, source, out);
            }
        }
        if self.sources.iter().all(|source| source.waiting.is_empty()) {
            self.look_at = None;
        } else if self.look_at.is_none_or(|at| at <= now) {
            self.look_at = Some(self.next_look(now));
        }
    }

    /// Sends off whoever of a stream waits and can be answered.
    fn look(&mut self, now: Time, source: usize, out: &mut Vec<Effect>) {
        let mut place = 0;
        // Nobody would answer a request of so many tokens; then nobody would answer a larger one either.
        let mut refused = u64::MAX;
        while let Some(&id) = self.sources[source].waiting.get(place) {
            let size = self.requests.get(&id).map_or(0, Open::size);
            if size >= refused {
                place += 1;
                continue;
            }
            match self.send(now, id, out) {
                // One that it is too late for waits for nothing any more but its caller's patience to end.
                Sent::Yes | Sent::TooLate => {
                    self.sources[source].waiting.remove(place);
                }
                Sent::Blocked => (place, refused) = (place + 1, size),
            }
        }
        let source = &mut self.sources[source];
        source.refused = refused;
        if !source.waiting.is_empty() && self.look_at.is_none_or(|at| at <= now) {
            self.look_at = Some(self.next_look(now));
        }
    }

    /// When something may be different for those who wait.
    fn next_look(&self, now: Time) -> Time {
        let change = self.changes.iter().copied().find(|at| *at > now);
        let windows = self.fixed_windows.iter().map(|span| {
            // The window must have begun when the call arrives.
            let (there, span) = ((now + self.link).as_nanos(), span.as_nanos().max(1));
            Time::from_nanos((there / span + 1) * span - self.link.as_nanos())
        });
        windows.chain(change).fold(now + self.look_again, Time::min)
    }

    /// Calls whoever would answer a request first, if somebody would.
    fn send(&mut self, now: Time, id: RequestId, out: &mut Vec<Effect>) -> Sent {
        loop {
            let Some(open) = self.requests.get(&id).cloned() else { return Sent::Yes };
            let Ahead { best, spend, fails } = self.look_ahead(now, id, &open);
            if let Some((_, _, to)) = best {
                self.call(now, id, to, out);
                return Sent::Yes;
            }
            let Some((late, to)) = spend else {
                return if fails { Sent::Blocked } else { Sent::TooLate };
            };
            let attempt = self.call(now, id, to, out);
            self.calls.remove(&attempt);
            self.tell(now, to.deployment, Message::Hangup { attempt, deployment: to.deployment }, out);
            if let Some(open) = self.requests.get_mut(&id) {
                open.calling = None;
                open.spent_on_lateness += u32::from(late);
                open.spent_on_failures += u32::from(!late);
            }
        }
    }

    /// What would come of a request with each deployment.
    fn look_ahead(&mut self, now: Time, id: RequestId, open: &Open) -> Ahead {
        let names = std::mem::take(&mut self.sources[id.source as usize].names);
        let mut ahead = Ahead::default();
        for (group, members) in &names {
            for &deployment in members {
                if !self.fits(open.prompt_tokens, deployment) {
                    continue;
                }
                let to = To { deployment, group: *group, eligible: members.len() as u32 };
                match self.foresee(now, id, open, deployment) {
                    Fate::Answered { filtered, at } => {
                        if ahead.best.is_none_or(|(known, earliest, _)| (filtered, at) < (known, earliest)) {
                            ahead.best = Some((filtered, at, to));
                        }
                    }
                    Fate::TooLate { hopeless: true } if open.spent_on_lateness < SPENT_ON_LATENESS_MAX => {
                        ahead.spend.get_or_insert((true, to));
                    }
                    Fate::Unlucky if open.spent_on_failures < SPENT_ON_FAILURES_MAX => {
                        ahead.spend.get_or_insert((false, to));
                    }
                    Fate::TooLate { .. } => {}
                    Fate::Unlucky | Fate::Fails => ahead.fails = true,
                }
            }
            // Fallbacks are for when nobody of those before them would answer; and a bad draw of the group is spent before
            // one of them is called, or it would be there for all that come.
            let spends = open.spent_on_failures == 0 && matches!(ahead.spend, Some((false, _)));
            if ahead.best.is_some_and(|(filtered, ..)| !filtered) || ahead.best.is_none() && spends {
                break;
            }
        }
        self.sources[id.source as usize].names = names;
        ahead
    }

    /// What would come of a call that is made now.
    fn foresee(&mut self, now: Time, id: RequestId, open: &Open, deployment: DeploymentId) -> Fate {
        let (mirror, link) = self.sites[deployment.index()];
        let attempt = AttemptId(self.called);
        let mut effects = std::mem::take(&mut self.foreseen);
        let mut then = self.mirrors[mirror].clone();
        then.hear(self.id, link.arrival(now), call_of(attempt, deployment, open), &mut effects);
        let struck = effects.iter().find_map(|effect| match effect {
            Effect::FaultStruck { fault, .. } => Some(self.by_chance[*fault as usize]),
            _ => None,
        });
        let reply = then.reply_to(attempt, &mut effects);
        self.foreseen = effects;
        let Source { patience, call_patience, .. } = self.sources[id.source as usize];
        match reply {
            Some((at, Reply::Answered { content_filter, .. })) if !(content_filter && self.minds_filters) => {
                let long = |most: Option<Span>| most.is_some_and(|most| at > now + most);
                if at <= open.until && !long(call_patience) {
                    Fate::Answered { filtered: content_filter, at }
                } else if struck == Some(false) {
                    // Slow for all, until that is over.
                    Fate::Fails
                } else {
                    Fate::TooLate { hopeless: long(patience) || long(call_patience) }
                }
            }
            _ if struck == Some(true) => Fate::Unlucky,
            _ => Fate::Fails,
        }
    }

    fn call(&mut self, now: Time, id: RequestId, to: To, out: &mut Vec<Effect>) -> AttemptId {
        let To { deployment, group, eligible } = to;
        let attempt = AttemptId(self.called);
        self.called += 1;
        let asked = self.sources[id.source as usize].names[0].0;
        let open = self.requests.get_mut(&id).expect("only open requests make calls");
        if group != asked && !open.fell_back {
            open.fell_back = true;
            let list = FallbackList::Fallbacks;
            out.push(Effect::Note(Note::FellBack { request: id, from: asked, to: group, depth: 0, list }));
        }
        let (n, timeout) = (open.attempts, open.until.since(now));
        out.push(Effect::Note(Note::Picked { request: id, attempt, n, group, deployment, eligible, timeout }));
        open.attempts += 1;
        open.calling = Some((attempt, deployment, group));
        let message = call_of(attempt, deployment, open);
        self.calls.insert(attempt, id);
        self.tell(now, deployment, message, out);
        attempt
    }

    /// Sends a message to a deployment, and to its mirror.
    fn tell(&mut self, now: Time, deployment: DeploymentId, message: Message, out: &mut Vec<Effect>) {
        let (mirror, link) = self.sites[deployment.index()];
        self.mirrors[mirror].hear(self.id, link.arrival(now), message.clone(), &mut self.foreseen);
        out.push(link.send(now, message));
    }

    fn answer(&self, now: Time, request: RequestId, outcome: Outcome) -> Effect {
        Link::new(ActorId(request.source), self.latency).send(now, Message::Answer { request, outcome })
    }
}

impl Source {
    fn new(plan: &Plan, traffic: &Traffic) -> Self {
        let timeout = traffic.params.as_deref().and_then(|params| params.timeout.or(params.request_timeout));
        Self {
            names: reachable::deployments(plan, traffic, &ON_ANYTHING).collect(),
            patience: traffic.deadline,
            call_patience: timeout.filter(|&seconds| seconds > 0.0).map(Span::from_secs_f64),
            waiting: VecDeque::new(),
            refused: u64::MAX,
        }
    }
}

impl Open {
    /// Tokens that a quota counts.
    const fn size(&self) -> u64 {
        self.prompt_tokens as u64 + self.output_tokens as u64
    }
}

impl Mirror {
    /// The upstream hears something at `at`; `effects` holds what it does then.
    fn hear(&mut self, from: ActorId, at: Time, message: Message, effects: &mut Vec<Effect>) {
        self.pass(at, effects);
        effects.clear();
        self.dice.forget();
        self.upstream.handle(at, &Event::Message { from, message }, &mut self.dice, effects);
    }

    /// Everything that happens before `at` happens. At one moment, a message from the router comes before a wake.
    fn pass(&mut self, at: Time, effects: &mut Vec<Effect>) {
        while let Some((due, _)) = self.upstream.next_wake().filter(|(due, _)| *due < at) {
            effects.clear();
            self.dice.forget();
            self.upstream.handle(due, &Event::Wake, &mut self.dice, effects);
        }
    }

    /// The reply to an attempt that was just heard, if nobody else calls before it; `None`: it is never answered.
    fn reply_to(&mut self, attempt: AttemptId, effects: &mut Vec<Effect>) -> Option<(Time, Reply)> {
        loop {
            let reply = effects.iter().find_map(|effect| match effect {
                Effect::Send { at, message: Message::Reply { attempt: of, reply }, .. } if *of == attempt => {
                    Some((*at, *reply))
                }
                _ => None,
            });
            if reply.is_some() {
                return reply;
            }
            let (due, _) = self.upstream.next_wake()?;
            effects.clear();
            self.upstream.handle(due, &Event::Wake, &mut self.dice, effects);
        }
    }
}

const fn call_of(attempt: AttemptId, deployment: DeploymentId, open: &Open) -> Message {
    Message::Call { attempt, deployment, prompt_tokens: open.prompt_tokens, output_tokens: open.output_tokens }
}

impl Actor for Clairvoyant {
    fn handle(&mut self, now: Time, event: &Event, _: &mut dyn Entropy, out: &mut Vec<Effect>) {
        match event {
            Event::Wake => self.look_everywhere(now, out),
            Event::Message { message, .. } => match *message {
                Message::Ask { request, ref ask } => self.on_ask(now, request, ask, out),
                Message::Cancel { request } => self.on_cancel(now, request, out),
                Message::Reply { attempt, reply } => self.on_reply(now, attempt, reply, out),
                // Nothing else is for a router.
                Message::Answer { .. } | Message::Call { .. } | Message::Hangup { .. } => {}
            },
        }
    }

    fn next_wake(&self) -> Option<(Time, &'static str)> {
        self.look_at.map(|at| (at, "somebody waits"))
    }
}
