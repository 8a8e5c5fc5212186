//! One request on its way: the frames of its fallbacks, and the call that is under way.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::error::{ErrorClass, Exception};
use crate::ids::{AttemptId, DeploymentId, NameId, RequestId, TagId};
use crate::input::{Params, RequestLists, Target};
use crate::note::{FallbackList, RetriesFrom};
use crate::plan::ChainId;
use crate::strategy::Called;
use crate::time::{Span, Time};
use crate::timers::Turn;

/// Everything about one request. Its place in the table is used again by later requests, its buffers too.
#[derive(Debug)]
pub(crate) struct Request {
    /// Who asked. `None`: the place is free.
    pub(crate) id: Option<RequestId>,
    /// What was asked for.
    pub(crate) name: NameId,
    pub(crate) prompt_tokens: u32,
    /// Tokens that were added to the prompt when an answer broke off, so that another deployment goes on with it.
    pub(crate) continued_tokens: u32,
    pub(crate) output_tokens: u32,
    pub(crate) stream: bool,
    pub(crate) arrived: Time,
    /// The request set a timeout of its own.
    pub(crate) caller_timeout: bool,
    /// Attempts so far, hops included.
    pub(crate) attempts: u32,
    /// Counts calls and waits, over the life of the place.
    pub(crate) epoch: u32,
    pub(crate) phase: Phase,
    pub(crate) call: Call,
    /// The frames; those beyond `depth` are spare.
    frames: Vec<Frame>,
    depth: usize,
    /// Fallback targets that were tried.
    pub(crate) tried: Vec<Tried>,
    /// Retries and hops, as `num_retries_per_request` counts them.
    pub(crate) retry_count: i64,
    /// A failure was reported to the callbacks, which is done once.
    pub(crate) failure_logged: bool,
    /// Reports of failures that are still to come.
    pub(crate) late_reports: Vec<LateReport>,
    /// Whom the newest call went to, and the name of the newest attempt.
    pub(crate) last_called: Option<DeploymentId>,
    pub(crate) last_name: NameId,
    /// When the newest call began, and the newest when the failure was reported.
    pub(crate) last_call: Option<Time>,
    pub(crate) last_timeout: Span,
    pub(crate) logged_call: Option<Time>,
    /// Who began the stream that the caller reads.
    pub(crate) streamed_by: Option<DeploymentId>,
    /// Since when it waits for a cooldown to end, with everything that came between.
    pub(crate) waits_since: Option<Time>,
    /// The place of its second call, while that is under way.
    pub(crate) hedge: Option<u32>,
    /// It is the second call of the request in that place.
    pub(crate) hedges: Option<u32>,
}

/// A report that LiteLLM does not wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LateReport {
    pub(crate) exception: Exception,
    /// Nobody could be chosen; otherwise it is about somebody.
    pub(crate) nobody: bool,
    /// Whom it is about, where the report says so itself.
    pub(crate) of: Option<Called>,
    /// The strategy has heard of it; the cooldowns have not.
    pub(crate) strategy_knows: bool,
}

/// What a request waits for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Phase {
    /// Nothing: a step is being taken.
    Idle,
    /// News of its call.
    Calling,
    /// The HTTP client's wait before it calls again.
    ClientWait,
    /// A place at the deployment.
    InLine,
    /// The end of a wait, and then another attempt.
    BeforeAttempt,
    /// The end of the wait after the last attempt.
    AfterLast(Exception),
    /// The end of a cooldown, and then another attempt.
    AwaitingCooldown,
    /// The end of its second call; its own has failed.
    AfterHedge(Exception),
}

/// A call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// Its name in notes.
    pub(crate) attempt: AttemptId,
    /// How many attempts came before.
    pub(crate) n: u32,
    pub(crate) group: NameId,
    pub(crate) deployment: DeploymentId,
    /// When the call was made.
    pub(crate) started: Time,
    pub(crate) timeout: Span,
    pub(crate) deadline: Time,
    /// The answer's headers are here.
    pub(crate) opened: bool,
    /// The attempt is over: the caller reads the stream.
    pub(crate) begun: bool,
    pub(crate) first_chunk: Option<Time>,
    pub(crate) chunks: u32,
    /// The counter that gave it a place.
    pub(crate) place: Option<u32>,
    /// How often the HTTP client may still call again, and how often it did.
    pub(crate) client_retries: u32,
    pub(crate) repetition: u32,
    /// When it gets company, if it is to get any.
    pub(crate) hedge_at: Option<Time>,
    /// It is a probe of a half-open deployment.
    pub(crate) probe: bool,
}

/// One fallback layer with its retry layer: the request itself, or a hop.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The name that is called.
    pub(crate) name: NameId,
    /// How deep the walk is that made it.
    pub(crate) depth: i64,
    /// The `order` level that it is for.
    pub(crate) target_order: Option<i64>,
    /// Whom weighted failover leaves out of this hop's choice.
    pub(crate) excluded: Vec<DeploymentId>,
    /// Who has failed on the way here, as weighted failover remembers it.
    pub(crate) failed_over: Vec<DeploymentId>,
    /// What the request and the maps on the way carry, if anything.
    pub(crate) carried: Option<Arc<Carried>>,

    // ---- the retry layer
    /// Failed retries.
    pub(crate) failed_retries: u32,
    /// The budget, once a failure has set it.
    pub(crate) budget: Option<Budget>,
    /// The first failure.
    pub(crate) first: Exception,
    /// Who refused the request.
    pub(crate) skipped: Vec<DeploymentId>,
    /// All deployments of the name.
    pub(crate) all: usize,
    /// It was not retried, for nobody was healthy.
    pub(crate) none_healthy: bool,

    // ---- the fallback layer
    /// What the retry layer raised.
    pub(crate) error: Exception,
    /// The walk through fallback targets.
    pub(crate) walk: Walk,
}

/// How many retries a frame has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Budget {
    pub(crate) retries: i64,
    pub(crate) from: RetriesFrom,
    /// A retry policy set it, and replaces the check whether to retry.
    pub(crate) unchecked: bool,
}

/// A walk through fallback targets.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    pub(crate) kind: WalkKind,
    pub(crate) chain: ChainSource,
    pub(crate) list: FallbackList,
    /// The next target.
    pub(crate) next: usize,
    /// Higher `order` levels come before the chain; how many of them were taken.
    pub(crate) levels_taken: usize,
    /// The name of the last hop; a map without `model` stays there.
    pub(crate) name: NameId,
    /// The depth that the next hop gets, less one.
    pub(crate) depth: i64,
    /// What the last hop raised.
    pub(crate) last: Exception,
    /// What maps among the targets have added so far.
    pub(crate) carried: Option<Arc<Carried>>,
}

/// What a walk is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WalkKind {
    /// None is under way.
    None,
    /// A chain.
    Chain,
    /// The higher `order` levels, then a chain.
    Levels,
    /// The same group without those that failed.
    Failover,
}

/// Where a walk's targets are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ChainSource {
    /// Nowhere.
    Empty,
    /// In the plan.
    Plan(ChainId),
    /// In what the request carries.
    Request,
}

/// A fallback target that was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tried {
    Name(NameId),
    Map(u32),
    Level(NameId, i64),
}

/// What a request carries from layer to layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    pub(crate) num_retries: Option<i64>,
    pub(crate) max_retries: Option<i64>,
    pub(crate) timeout: Option<f64>,
    pub(crate) request_timeout: Option<f64>,
    pub(crate) stream_timeout: Option<f64>,
    pub(crate) fallbacks: Option<Arc<[Target]>>,
    pub(crate) lists: RequestLists,
    pub(crate) disable_fallbacks: bool,
    pub(crate) tags: Arc<[TagId]>,
    pub(crate) region: Option<u32>,
}

impl Carried {
    /// What `params` add, on top of what was carried before.
    pub(crate) fn merge(before: Option<&Arc<Self>>, params: &Params) -> Arc<Self> {
        let mut carried = before.map_or_else(Self::default, |before| Self::clone(before));
        carried.num_retries = params.num_retries.or(carried.num_retries);
        carried.max_retries = params.max_retries.or(carried.max_retries);
        carried.timeout = params.timeout.or(carried.timeout);
        carried.request_timeout = params.request_timeout.or(carried.request_timeout);
        carried.stream_timeout = params.stream_timeout.or(carried.stream_timeout);
        if let Some(fallbacks) = &params.fallbacks {
            carried.fallbacks = Some(fallbacks.as_slice().into());
        }
        carried.lists = params.lists.or(carried.lists);
        carried.disable_fallbacks |= params.disable_fallbacks;
        if !params.tags.is_empty() {
            carried.tags = params.tags.as_slice().into();
        }
        carried.region = params.region.or(carried.region);
        Arc::new(carried)
    }
}

/// An exception that stands where none was raised yet.
const NO_EXCEPTION: Exception = Exception::new(ErrorClass::APIError, None);

impl Frame {
    /// The fallback lists that the request has brought along.
    pub(crate) fn lists(&self) -> RequestLists {
        self.carried.as_ref().map_or_else(RequestLists::default, |carried| carried.lists)
    }

    /// Forgets what has happened in it: what it is for, and what it carries, stays.
    fn forget(&mut self) {
        self.excluded.clear();
        self.failed_over.clear();
        self.failed_retries = 0;
        self.budget = None;
        self.none_healthy = false;
        self.skipped.clear();
        self.walk.kind = WalkKind::None;
        self.walk.carried = None;
    }

    fn spare() -> Self {
        Self {
            name: NameId(0),
            depth: 0,
            target_order: None,
            excluded: Vec::new(),
            failed_over: Vec::new(),
            carried: None,
            failed_retries: 0,
            budget: None,
            first: NO_EXCEPTION,
            skipped: Vec::new(),
            all: 0,
            none_healthy: false,
            error: NO_EXCEPTION,
            walk: Walk {
                kind: WalkKind::None,
                chain: ChainSource::Empty,
                list: FallbackList::Fallbacks,
                next: 0,
                levels_taken: 0,
                name: NameId(0),
                depth: 0,
                last: NO_EXCEPTION,
                carried: None,
            },
        }
    }
}

impl Request {
    fn spare() -> Self {
        Self {
            id: None,
            name: NameId(0),
            prompt_tokens: 0,
            continued_tokens: 0,
            output_tokens: 0,
            stream: false,
            arrived: Time::ZERO,
            caller_timeout: false,
            attempts: 0,
            epoch: 0,
            phase: Phase::Idle,
            call: Call {
                attempt: AttemptId(0),
                n: 0,
                group: NameId(0),
                deployment: DeploymentId(0),
                started: Time::ZERO,
                timeout: Span::ZERO,
                deadline: Time::ZERO,
                opened: false,
                begun: false,
                first_chunk: None,
                chunks: 0,
                place: None,
                client_retries: 0,
                repetition: 0,
                hedge_at: None,
                probe: false,
            },
            frames: Vec::new(),
            depth: 0,
            tried: Vec::new(),
            retry_count: 0,
            failure_logged: false,
            late_reports: Vec::new(),
            last_called: None,
            last_name: NameId(0),
            last_call: None,
            last_timeout: Span::ZERO,
            logged_call: None,
            streamed_by: None,
            waits_since: None,
            hedge: None,
            hedges: None,
        }
    }

    /// The request's name. A place that is asked for it is taken.
    pub(crate) fn id(&self) -> RequestId {
        self.id.unwrap_or_default()
    }

    /// The frame that is at work.
    pub(crate) fn frame(&mut self) -> &mut Frame {
        &mut self.frames[self.depth - 1]
    }

    /// The frame that is at work, to look at.
    pub(crate) fn top(&self) -> &Frame {
        &self.frames[self.depth - 1]
    }

    /// How many frames there are.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Begins a frame. What weighted failover knows is taken over from the frame below.
    pub(crate) fn push(&mut self, name: NameId, depth: i64, target_order: Option<i64>, carried: Option<Arc<Carried>>) {
        if self.frames.len() == self.depth {
            self.frames.push(Frame::spare());
        }
        let (below, above) = self.frames.split_at_mut(self.depth);
        let frame = &mut above[0];
        frame.forget();
        if let Some(below) = below.last() {
            frame.excluded.extend_from_slice(&below.excluded);
            frame.failed_over.extend_from_slice(&below.failed_over);
        }
        frame.name = name;
        frame.depth = depth;
        frame.target_order = target_order;
        frame.carried = carried;
        self.depth += 1;
    }

    /// Ends a frame; says whether one is left.
    pub(crate) fn pop(&mut self) -> bool {
        self.depth -= 1;
        self.frames[self.depth].carried = None;
        self.frames[self.depth].walk.carried = None;
        self.depth > 0
    }

    /// Forgets what was tried so far: with its only frame left, the request begins again.
    pub(crate) fn begin_again(&mut self) {
        self.tried.clear();
        self.retry_count = 0;
        self.frame().forget();
    }

    /// Forgets the frames below the one that is at work: its stream is what the caller reads from here on.
    pub(crate) fn forget_callers(&mut self) {
        self.frames.swap(0, self.depth - 1);
        self.depth = 1;
    }
}

/// All requests that are under way, found by their place or by their name.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    places: Vec<Request>,
    free: Vec<u32>,
    sources: Vec<Source>,
    /// Second calls that are under way, each in a place of its own.
    hedges: usize,
}

/// The requests of one caller, by their number less the number of the oldest that is under way.
#[derive(Debug, Default)]
struct Source {
    oldest: u64,
    places: VecDeque<u32>,
}

/// No request.
const NOWHERE: u32 = u32::MAX;

impl Requests {
    /// Takes a place for a new request.
    pub(crate) fn begin(&mut self, id: RequestId) -> u32 {
        let slot = self.take_place(id);
        if self.sources.len() <= id.source as usize {
            self.sources.resize_with(id.source as usize + 1, Source::default);
        }
        let source = &mut self.sources[id.source as usize];
        if source.places.is_empty() {
            source.oldest = id.number;
        }
        while id.number < source.oldest {
            source.places.push_front(NOWHERE);
            source.oldest -= 1;
        }
        let index = (id.number - source.oldest) as usize;
        if source.places.len() <= index {
            source.places.resize(index + 1, NOWHERE);
        }
        source.places[index] = slot;
        slot
    }

    /// Takes a place for the second call of a request: it asks for the same, of everybody but the one who has it.
    pub(crate) fn begin_hedge(&mut self, first: u32) -> u32 {
        let slot = self.take_place(self.places[first as usize].id());
        self.hedges += 1;
        let [of, hedge] = self.places.get_disjoint_mut([first as usize, slot as usize]).expect("two places");
        hedge.name = of.name;
        hedge.prompt_tokens = of.prompt_tokens;
        hedge.continued_tokens = of.continued_tokens;
        hedge.output_tokens = of.output_tokens;
        hedge.stream = false;
        hedge.arrived = of.arrived;
        hedge.caller_timeout = of.caller_timeout;
        hedge.hedges = Some(first);
        let frame = of.top();
        hedge.last_name = frame.name;
        hedge.push(frame.name, frame.depth, frame.target_order, frame.carried.clone());
        let own = hedge.frame();
        own.excluded.clone_from(&frame.excluded);
        own.skipped.clone_from(&frame.skipped);
        slot
    }

    /// A place with nothing of the request that had it before.
    fn take_place(&mut self, id: RequestId) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.places.push(Request::spare());
            self.places.len() as u32 - 1
        });
        let request = &mut self.places[slot as usize];
        request.id = Some(id);
        request.attempts = 0;
        request.depth = 0;
        request.tried.clear();
        request.retry_count = 0;
        request.failure_logged = false;
        request.late_reports.clear();
        request.last_called = None;
        request.last_call = None;
        request.logged_call = None;
        request.streamed_by = None;
        request.waits_since = None;
        request.phase = Phase::Idle;
        slot
    }

    /// Frees the place of a request that is over.
    pub(crate) fn end(&mut self, slot: u32) {
        let request = &mut self.places[slot as usize];
        while request.depth > 0 {
            request.pop();
        }
        request.phase = Phase::Idle;
        let Some(id) = request.id.take() else { return };
        self.free.push(slot);
        if request.hedges.take().is_some() {
            self.hedges -= 1;
            return;
        }
        let source = &mut self.sources[id.source as usize];
        let index = (id.number - source.oldest) as usize;
        if source.places[index] == slot {
            source.places[index] = NOWHERE;
        }
        while source.places.front() == Some(&NOWHERE) {
            source.places.pop_front();
            source.oldest += 1;
        }
    }

    /// Where a request is.
    pub(crate) fn find(&self, id: RequestId) -> Option<u32> {
        let source = self.sources.get(id.source as usize)?;
        let index = id.number.checked_sub(source.oldest)?;
        source.places.get(index as usize).copied().filter(|&slot| slot != NOWHERE)
    }

    /// The request in a place.
    pub(crate) fn at(&mut self, slot: u32) -> &mut Request {
        &mut self.places[slot as usize]
    }

    /// The request in a place, to look at.
    pub(crate) fn get(&self, slot: u32) -> &Request {
        &self.places[slot as usize]
    }

    /// The place whose call has that name, if it is the one under way.
    pub(crate) fn calling(&self, attempt: AttemptId) -> Option<u32> {
        let turn = turn_of(attempt);
        let request = self.places.get(turn.slot as usize)?;
        (request.epoch == turn.epoch && request.phase == Phase::Calling).then_some(turn.slot)
    }

    /// Whether a call still has that deadline.
    pub(crate) fn has_deadline(&self, turn: Turn, at: Time) -> bool {
        let request = &self.places[turn.slot as usize];
        request.epoch == turn.epoch
            && request.phase == Phase::Calling
            && (request.call.deadline == at || request.call.hedge_at == Some(at))
    }

    /// Whether a wait is still waited for.
    pub(crate) fn waits(&self, turn: Turn) -> bool {
        let request = &self.places[turn.slot as usize];
        // Deadlines of unusual length wait in the same heap.
        request.epoch == turn.epoch && !matches!(request.phase, Phase::Idle | Phase::InLine)
    }

    /// How many requests are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.places.len() - self.free.len() - self.hedges
    }

    /// Those that wait for a cooldown to end.
    pub(crate) fn awaiting_cooldown(&self) -> impl Iterator<Item = (Turn, &Request)> {
        let places = (0..).zip(&self.places).filter(|(_, request)| request.phase == Phase::AwaitingCooldown);
        places.map(|(slot, request)| (Turn { slot, epoch: request.epoch }, request))
    }
}

/// The name of the call of a turn.
pub(crate) fn attempt_of(turn: Turn) -> AttemptId {
    AttemptId(u64::from(turn.epoch) << 32 | u64::from(turn.slot))
}

/// The turn whose call has that name.
pub(crate) fn turn_of(attempt: AttemptId) -> Turn {
    Turn { slot: attempt.0 as u32, epoch: (attempt.0 >> 32) as u32 }
}
