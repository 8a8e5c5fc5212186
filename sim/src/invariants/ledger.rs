//! What is open: requests, their frames, and calls to upstreams. The laws share it.

use std::collections::BTreeMap;

use router_core::{
    AttemptId, DeploymentId, Error, Failure, NameId, Params, RequestId, RetryAfter, Span, TagId, Time, Usage,
};

use crate::metrics::InFlight;

/// A request that the proxy has taken and not answered yet.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) asked: NameId,
    /// The retry and fallback layers at work: the first belongs to the request, the others to its fallback hops.
    pub(super) frames: Frames,
    /// What the request says about itself.
    pub(super) own: Own,
    /// Every layer works with what the request said: no fallback map has changed it, and nothing is streamed.
    pub(super) plain: bool,
    /// The call under way, or the last one.
    pub(super) attempt: Option<AttemptId>,
    /// A call is under way, or waits in line for a place, or the provider's client waits before it calls again.
    pub(super) calling: Calling,
    /// A failure was reported to the callbacks, which behind the proxy is done once.
    pub(super) reported: bool,
    /// When the newest call began, and the newest when that was reported.
    pub(super) last_call: Option<Time>,
    pub(super) reported_call: Option<Time>,
    pub(super) last_called: Option<DeploymentId>,
    /// Whom the newest attempt picked, and the name that it was made for.
    pub(super) picked: Option<DeploymentId>,
    pub(super) last_name: NameId,
    /// Tokens of the prompt.
    pub(super) prompt: u32,
    /// A failure of the router's own that the callbacks hear of late.
    pub(super) late: Option<Late>,
    /// Fallback targets that were tried, and levels of `order`.
    pub(super) tried: Vec<NameId>,
    pub(super) levels: Vec<(NameId, i64)>,
    /// Tags and region that the request asks for.
    pub(super) tags: Vec<TagId>,
    pub(super) region: Option<u32>,
    /// The newest attempt is a probe of a half-open deployment, until it is over.
    pub(super) probe: Option<DeploymentId>,
    /// The second call that runs beside the first.
    pub(super) hedge: Option<Hedge>,
    /// Since when it waits for a cooldown to end, with everything between.
    pub(super) awaits_since: Option<Time>,
    /// Attempts so far, also those for which nobody could be picked.
    pub(super) attempts: u32,
    /// Retries and fallbacks so far.
    pub(super) spent: i64,
    /// How often the provider's own client has called again within the attempt, and how its newest call ended, and when.
    pub(super) repeated: u32,
    pub(super) ended: Option<(Time, End)>,
    /// Its newest call, further ones of the provider's own client included.
    pub(super) call: Option<AttemptId>,
}

/// A second call for a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hedge {
    pub(super) attempt: AttemptId,
    /// Who was picked, once somebody was.
    pub(super) picked: Option<DeploymentId>,
    pub(super) probe: Option<DeploymentId>,
}

/// A failure of the router's own: nobody could be picked, or a limit refused the call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    pub(super) error: Error,
    pub(super) retry_after: RetryAfter,
    /// It is weighed for a cooldown.
    pub(super) weighs: bool,
    /// The routing strategy has heard of it already.
    pub(super) strategy_knows: bool,
    /// The newest attempt when it came up.
    pub(super) after: Option<AttemptId>,
}

/// What a request waits for at its upstream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Calling {
    /// Nothing.
    No,
    /// Somebody was picked; the call is still to be made.
    InLine,
    /// News of its call.
    Yes,
}

/// Fields of a request that laws read.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Own {
    pub(super) num_retries: Option<i64>,
    pub(super) max_retries: Option<i64>,
    pub(super) timeout: Option<Span>,
    pub(super) set_timeout: bool,
    pub(super) fallbacks: Option<bool>,
    pub(super) disable_fallbacks: bool,
    /// It selects deployments by tags or region.
    pub(super) selects: bool,
}

impl Own {
    pub(super) fn of(params: &Params) -> Self {
        let truthy = |value: Option<f64>| value.filter(|&value| value != 0.0).map(Span::from_secs_f64);
        Self {
            num_retries: params.num_retries,
            max_retries: params.max_retries,
            timeout: truthy(params.timeout).or(truthy(params.request_timeout)),
            set_timeout: params.timeout.is_some()
                || params.request_timeout.is_some()
                || params.stream_timeout.is_some(),
            fallbacks: params.fallbacks.as_ref().map(|list| !list.is_empty()),
            disable_fallbacks: params.disable_fallbacks,
            selects: !params.tags.is_empty() || params.region.is_some(),
        }
    }
}

/// The frames of a request. Most have one, which lies in place.
#[derive(Clone, Debug)]
pub(super) struct Frames {
    first: Frame,
    hops: Vec<Frame>,
}

/// One retry layer with its fallback layer.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) name: NameId,
    /// How deep the walk is that made it, and how many hops its own walk has made.
    pub(super) depth: i64,
    pub(super) hops: i64,
    /// It is a higher `order` level, or the rest of a group without those that failed.
    pub(super) partial: bool,
    /// It is the rest of a group without those that failed.
    pub(super) failover: bool,
    /// Its own failure is one of a prompt or of content, for which no levels are walked through.
    pub(super) typed: bool,
    /// Attempts so far, also those for which nobody could be chosen.
    pub(super) attempts: u32,
    /// The first failure, and the newest.
    pub(super) first: Option<Seen>,
    pub(super) newest: Option<Seen>,
    /// How many retries the first failure gives, and whether a policy does so whatever the error is.
    pub(super) budget: Option<(i64, bool)>,
    /// The level of `order` that it is for.
    pub(super) level: Option<i64>,
    /// Who refused with a status that is not retried, and is passed over.
    pub(super) refused: Vec<DeploymentId>,
    /// Who is left out under weighted failover, and who has failed on the way here.
    pub(super) excluded: Vec<DeploymentId>,
    pub(super) failed_over: Vec<DeploymentId>,
    /// What must be waited from when on, before the next attempt or the end of the layer: at least and at most.
    pub(super) wait: Option<(Time, Span, Span)>,
    /// Where its walk through a chain has got to.
    pub(super) next_target: usize,
    /// What its retry layer raised, or what its walk through the levels of its group did.
    pub(super) raised: Option<Seen>,
}

/// A failure as it was visible from outside.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Seen {
    pub(super) error: Error,
    pub(super) retry_after: RetryAfter,
    pub(super) deployment: Option<DeploymentId>,
    /// The router refused by itself: its limits may ask for a wait that no upstream asked for.
    pub(super) by_router: bool,
    /// It was a limit per minute that refused, or one per day.
    pub(super) by_limit: bool,
    pub(super) by_day: bool,
    pub(super) callers_timeout: bool,
}

impl Frame {
    pub(super) const fn new(name: NameId, depth: i64, partial: bool) -> Self {
        Self {
            name,
            depth,
            hops: 0,
            partial,
            failover: false,
            typed: false,
            attempts: 0,
            first: None,
            newest: None,
            budget: None,
            level: None,
            refused: Vec::new(),
            excluded: Vec::new(),
            failed_over: Vec::new(),
            wait: None,
            next_target: 0,
            raised: None,
        }
    }

    /// The same as a new one, in place.
    fn renew(&mut self, name: NameId, depth: i64, partial: bool) {
        self.name = name;
        self.depth = depth;
        self.hops = 0;
        self.partial = partial;
        self.failover = false;
        self.typed = false;
        self.attempts = 0;
        self.first = None;
        self.newest = None;
        self.budget = None;
        self.level = None;
        self.refused.clear();
        self.excluded.clear();
        self.failed_over.clear();
        self.wait = None;
        self.next_target = 0;
        self.raised = None;
    }
}

impl Frames {
    const fn new(name: NameId) -> Self {
        Self { first: Frame::new(name, 0, false), hops: Vec::new() }
    }

    pub(super) fn top(&mut self) -> &mut Frame {
        self.hops.last_mut().unwrap_or(&mut self.first)
    }

    pub(super) fn bottom(&self) -> &Frame {
        &self.first
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.hops.push(frame);
    }

    /// The frame at work, to look at.
    pub(super) fn at_work(&self) -> &Frame {
        self.hops.last().unwrap_or(&self.first)
    }

    /// Ends the frame at work, unless it is the request's own.
    pub(super) fn pop(&mut self) -> Option<Frame> {
        self.hops.pop()
    }
}

impl Open {
    fn new() -> Self {
        let nobody = NameId(0);
        Self {
            asked: nobody,
            frames: Frames::new(nobody),
            own: Own::default(),
            plain: true,
            attempt: None,
            calling: Calling::No,
            reported: false,
            last_call: None,
            reported_call: None,
            last_called: None,
            picked: None,
            last_name: nobody,
            prompt: 0,
            late: None,
            tried: Vec::new(),
            levels: Vec::new(),
            tags: Vec::new(),
            region: None,
            probe: None,
            hedge: None,
            awaits_since: None,
            attempts: 0,
            spent: 0,
            repeated: 0,
            ended: None,
            call: None,
        }
    }

    /// Becomes another request. It is told in place: a request is as large as a dozen lines of the processor's cache.
    pub(super) fn renew(&mut self, asked: NameId, own: Own, plain: bool, prompt: u32) {
        self.asked = asked;
        self.begin_again();
        self.own = own;
        self.plain = plain;
        self.attempt = None;
        self.reported = false;
        self.last_call = None;
        self.reported_call = None;
        self.last_called = None;
        self.picked = None;
        self.last_name = asked;
        self.prompt = prompt;
        self.late = None;
        self.tags.clear();
        self.region = None;
        self.probe = None;
        self.hedge = None;
        self.awaits_since = None;
        self.attempts = 0;
        self.repeated = 0;
        self.ended = None;
        self.call = None;
    }

    /// Begins at the request's own name again, with no layer or fallback behind it.
    pub(super) fn begin_again(&mut self) {
        self.frames.hops.clear();
        self.frames.first.renew(self.asked, 0, false);
        self.tried.clear();
        self.levels.clear();
        self.calling = Calling::No;
        self.spent = 0;
    }

    /// The second call, if that is the one.
    pub(super) fn hedge_of(&mut self, attempt: Option<AttemptId>) -> Option<&mut Hedge> {
        self.hedge.as_mut().filter(|hedge| Some(hedge.attempt) == attempt)
    }
}

/// The requests that are open. What is known of one stays in one place in memory, which a later request takes over.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    open: InFlight<(RequestId, Box<Open>)>,
    #[expect(clippy::vec_box, reason = "a place goes from here to a request and back without being copied")]
    spare: Vec<Box<Open>>,
}

impl Requests {
    /// A place for a request, which still holds what was known of an earlier one.
    pub(super) fn place(&mut self) -> Box<Open> {
        self.spare.pop().unwrap_or_else(|| Box::new(Open::new()))
    }

    pub(super) fn open(&mut self, request: RequestId, place: Box<Open>) {
        self.open.open(request, (request, place));
    }

    pub(super) fn get(&mut self, request: RequestId) -> Option<(RequestId, &mut Open)> {
        self.open.get(request).map(|(request, open)| (*request, &mut **open))
    }

    pub(super) fn close(&mut self, request: RequestId) -> Option<(RequestId, Box<Open>)> {
        self.open.close(request)
    }

    /// Takes the place of a request that is over for another one.
    pub(super) fn give_back(&mut self, place: Box<Open>) {
        self.spare.push(place);
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (RequestId, &Open)> {
        self.open.iter().map(|(request, open)| (*request, &**open))
    }
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) attempt: AttemptId,
    pub(super) request: RequestId,
    pub(super) deployment: DeploymentId,
    /// When it must have ended; `None` where that cannot be told from outside.
    pub(super) deadline: Option<Time>,
}

/// How a call ended, within the step in which it did.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum End {
    Answered { usage: Usage, content_filter: bool },
    Failed(Failure),
    TimedOut,
}

/// Calls that were decided on and are still to be made, each with its request. Nearly every call is made in the step that
/// decided on it: the newest lies in place, and only those that wait in line go to the map.
#[derive(Clone, Debug, Default)]
pub(super) struct Picked {
    newest: Option<(AttemptId, RequestId)>,
    older: BTreeMap<AttemptId, RequestId>,
}

impl Picked {
    pub(super) fn insert(&mut self, attempt: AttemptId, request: RequestId) {
        if !self.older.is_empty() {
            self.older.remove(&attempt);
        }
        if let Some((older, request)) = self.newest.replace((attempt, request)).filter(|(older, _)| *older != attempt) {
            self.older.insert(older, request);
        }
    }

    pub(super) fn remove(&mut self, attempt: AttemptId) -> Option<RequestId> {
        match self.newest.take_if(|(newest, _)| *newest == attempt) {
            Some((_, request)) => Some(request),
            None if self.older.is_empty() => None,
            None => self.older.remove(&attempt),
        }
    }
}

/// Everything that is open.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) requests: Requests,
    /// Calls by the lower half of their names, which routers use again once a call is over; the whole name is compared.
    calls: Vec<Option<Call>>,
    /// By deployment: calls under way.
    pub(super) in_flight: Vec<u32>,
}

/// A name beyond this is no place in a table.
const PLACES_MAX: usize = 1 << 24;

impl Ledger {
    pub(super) fn begin_call(&mut self, call: Call) {
        let place = call.attempt.0 as u32 as usize;
        if place >= PLACES_MAX {
            return;
        }
        if self.calls.len() <= place {
            self.calls.resize(place + 1, None);
        }
        self.calls[place] = Some(call);
        self.in_flight[call.deployment.index()] += 1;
    }

    pub(super) fn call(&self, attempt: AttemptId) -> Option<Call> {
        self.calls.get(attempt.0 as u32 as usize).copied().flatten().filter(|call| call.attempt == attempt)
    }

    /// Ends a call, if it is under way.
    pub(super) fn end_call(&mut self, attempt: AttemptId) -> Option<Call> {
        let place = self.calls.get_mut(attempt.0 as u32 as usize)?;
        let call = place.take_if(|call| call.attempt == attempt)?;
        self.in_flight[call.deployment.index()] -= 1;
        Some(call)
    }

    /// By deployment: places that are taken. One is kept while the provider's own client waits before it calls again.
    pub(super) fn places(&self) -> Vec<u32> {
        let mut places = vec![0; self.in_flight.len()];
        for (_, open) in self.requests.iter() {
            let own = open.picked.filter(|_| open.calling == Calling::Yes);
            let hedged = open.hedge.and_then(|hedge| hedge.picked);
            own.into_iter().chain(hedged).for_each(|whom| places[whom.index()] += 1);
        }
        places
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().flatten()
    }
}
