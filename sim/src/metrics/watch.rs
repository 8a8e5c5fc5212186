//! The counters of a run, and how its steps move them.

use router_core::{
    AttemptId, DeploymentId, Error, FallbackList, GiveUpReason, NameId, Note, Outcome, RequestId, Span, Time, Usage,
};

use super::counts::{Answers, AskedCounts, DeploymentCounts, Ends, Failover, Movement, Reason};
use super::flight::InFlight;
use super::latency::Latency;
use super::loss::{Doing, Loss, LossEnd, Losses, NextHop};
use super::reached::Reached;
use super::shape::{Phase, Shape};
use super::timeline::Timeline;
use crate::actor::{Effect, Ended, Message, Reply, Step, Watcher};
use crate::promises::{Aftermath, LASTING, NotJudged, Steps, Watched};
use crate::scenario::{MustSee, Scenario};

/// Everything that is counted in a run, or in several runs of the same scenario added up with [`Metrics::absorb`].
#[derive(Clone, Debug)]
pub struct Metrics {
    shape: Shape,
    seed: u64,
    runs: u64,
    /// By name asked for, in the order of [`Shape::asked`], and by phase.
    asked: Vec<[AskedCounts; 3]>,
    deployments: Vec<DeploymentCounts>,
    /// Where each name of the plan is in `asked`.
    asked_index: Vec<Option<u32>>,
    timeline: Timeline,
    movement: Movement,
    failover: Failover,
    losses: Losses,
    reached: Reached,
    /// By fault: how many calls it struck.
    struck: Vec<u64>,
    flight: InFlight<Flight>,
    /// What is watched for promises alone.
    watched: Option<Box<Watched>>,
    /// Requests that were open for long when the run ended: how many, the first of them, and when it was sent.
    unanswered: Option<(u64, RequestId, Time)>,
    finished: bool,
}

/// What is known about a request under way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    id: RequestId,
    asked: NameId,
    asked_index: u32,
    sent: Time,
    attempts: u32,
    retries: u32,
    fell_back: bool,
    hit: bool,
    attempt_since: Time,
    /// Its second call at the same time.
    hedge: Option<Hedge>,
    /// Who was hung up on because the other call was answered. Providers bill that as well.
    hung_up: Option<DeploymentId>,
    doing: Doing,
    hop: Option<NameId>,
    hop_called: bool,
    gave_up: Option<GiveUpReason>,
    next: NextHop,
}

/// A second call beside the first.
#[derive(Clone, Copy, Debug)]
struct Hedge {
    attempt: AttemptId,
    since: Time,
    /// Whom it goes to, once somebody was picked.
    deployment: Option<DeploymentId>,
}

impl Metrics {
    /// Counters for a run of this shape with this seed.
    pub fn new(shape: Shape, seed: u64) -> Self {
        let names = shape.asked.iter().map(|name| name.index() + 1).max().unwrap_or(0);
        let mut asked_index = vec![None; names];
        for (index, name) in shape.asked.iter().enumerate() {
            asked_index[name.index()] = Some(index as u32);
        }
        let deployments = shape.deployments;
        let fresh = || AskedCounts { answered_by: vec![Answers::default(); deployments], ..AskedCounts::default() };
        Self {
            seed,
            runs: 1,
            asked: shape.asked.iter().map(|_| [fresh(), fresh(), fresh()]).collect(),
            deployments: vec![DeploymentCounts::default(); deployments],
            asked_index,
            timeline: Timeline::new(deployments),
            movement: Movement::default(),
            failover: Failover::default(),
            losses: Losses::default(),
            reached: Reached::default(),
            struck: vec![0; shape.faults],
            flight: InFlight::default(),
            watched: None,
            unanswered: None,
            finished: false,
            shape,
        }
    }

    /// The same counters, with all that has to be watched for the promises of `scenario`.
    pub fn with_promises(mut self, scenario: &Scenario) -> Self {
        self.watched = Watched::of(scenario, &self.shape.asked).map(Box::new);
        self
    }

    /// Closes the books: what is still under way is counted as open. To be called once, when the run has ended.
    pub fn finish(&mut self) {
        if self.finished {
            return;
        }
        self.finished = true;
        if let Some(watched) = &mut self.watched {
            watched.finish(self.shape.end);
        }
        let mut open: Vec<Flight> = self.flight.iter().copied().collect();
        open.sort_by_key(|flight| (flight.sent, flight.id));
        for flight in open {
            self.timeline.at(flight.sent).due += 1;
            if self.is_overdue(flight.sent) {
                self.unanswered.get_or_insert((0, flight.id, flight.sent)).0 += 1;
            }
            let phase = self.shape.phase(flight.sent);
            self.asked[flight.asked_index as usize][phase as usize].ends.open += 1;
            self.lose(&flight, LossEnd::Open(flight.doing), flight.sent);
        }
        if self.failover.last_loss.is_empty() && self.shape.last_end().is_some() {
            self.failover.last_loss.push(Span::ZERO);
        }
        self.flight = InFlight::default();
    }

    /// Whether a request that was sent then and is open when the run ends has been open for too long: the faults have been
    /// over for as long.
    fn is_overdue(&self, sent: Time) -> bool {
        let over = match self.shape.outages.last() {
            None => Time::ZERO,
            Some((_, until)) => *until,
        };
        self.shape.end >= sent + LASTING && self.shape.end >= over + LASTING
    }

    /// Adds the counts of another finished run of the same scenario with another seed. The timeline, and what is watched
    /// for promises alone, stay those of the first run.
    pub fn absorb(&mut self, other: &Self) {
        self.runs += other.runs;
        for (mine, theirs) in self.asked.iter_mut().flatten().zip(other.asked.iter().flatten()) {
            mine.absorb(theirs);
        }
        for (mine, theirs) in self.deployments.iter_mut().zip(&other.deployments) {
            mine.absorb(theirs);
        }
        self.movement.absorb(&other.movement);
        self.failover.first_rescue.extend(&other.failover.first_rescue);
        self.failover.first_return.extend(&other.failover.first_return);
        self.failover.last_loss.extend(&other.failover.last_loss);
        self.losses.absorb(&other.losses);
        self.reached.absorb(other.reached);
        for (mine, theirs) in self.struck.iter_mut().zip(&other.struck) {
            *mine += theirs;
        }
    }

    /// The shape of the run.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// How many runs are added up in it.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// What became of the requests for each name, by phase: [`Shape::asked`] has the names, [`Phase::ALL`] the phases.
    pub fn asked(&self) -> &[[AskedCounts; 3]] {
        &self.asked
    }

    /// The requests of some phases, of all names together.
    pub fn over(&self, phases: &[Phase]) -> AskedCounts {
        let mut sum =
            AskedCounts { answered_by: vec![Answers::default(); self.shape.deployments], ..AskedCounts::default() };
        self.each_over(phases).for_each(|counts| sum.absorb(counts));
        sum
    }

    /// The requests for one name, an index into [`Shape::asked`], over some phases.
    pub fn asked_over(&self, asked: usize, phases: &[Phase]) -> AskedCounts {
        let mut sum =
            AskedCounts { answered_by: vec![Answers::default(); self.shape.deployments], ..AskedCounts::default() };
        for phase in phases {
            sum.absorb(&self.asked[asked][*phase as usize]);
        }
        sum
    }

    /// How the requests of some phases ended, of all names together.
    pub fn ends_over(&self, phases: &[Phase]) -> Ends {
        let mut sum = Ends::default();
        self.each_over(phases).for_each(|counts| sum.absorb(&counts.ends));
        sum
    }

    /// How long the answered requests of some phases took, of all names together.
    pub fn latency_over(&self, phases: &[Phase]) -> Latency {
        let mut sum = Latency::default();
        self.each_over(phases).for_each(|counts| sum.absorb(&counts.latency));
        sum
    }

    fn each_over(&self, phases: &[Phase]) -> impl Iterator<Item = &AskedCounts> {
        self.asked.iter().flat_map(move |by_phase| phases.iter().map(|phase| &by_phase[*phase as usize]))
    }

    /// By deployment.
    pub fn deployments(&self) -> &[DeploymentCounts] {
        &self.deployments
    }

    /// Second by second.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Retries, waits and fallbacks.
    pub fn movement(&self) -> &Movement {
        &self.movement
    }

    /// How long it took to fail over and to recover.
    pub fn failover(&self) -> &Failover {
        &self.failover
    }

    /// Why requests were lost.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Which situations occurred.
    pub fn reached(&self) -> Reached {
        self.reached
    }

    /// By fault of the scenario: how many calls it struck. Zero: it never fired.
    pub fn fault_strikes(&self) -> &[u64] {
        &self.struck
    }

    /// What is watched for promises alone, if something is.
    pub fn watched(&self) -> Option<&Watched> {
        self.watched.as_deref()
    }

    /// Requests that had been open for more than a minute when the run ended, a minute after its last fault or later: how
    /// many, the first of them, and when it was sent.
    pub fn unanswered(&self) -> Option<(u64, RequestId, Time)> {
        self.unanswered
    }

    /// What became of the run after its last fault.
    ///
    /// # Errors
    /// Why that cannot be judged.
    pub fn aftermath(&self) -> Result<Aftermath, NotJudged> {
        Aftermath::of(&self.shape, &self.timeline)
    }

    /// The run's seconds, summed up for a look at any stretch of it.
    pub fn steps(&self) -> Steps {
        Steps::new(&self.timeline, self.shape.arrivals_end)
    }

    /// Calls to upstreams.
    pub fn attempts(&self) -> u64 {
        self.deployments.iter().map(|deployment| deployment.attempts).sum()
    }

    fn asked_of(&self, name: NameId) -> Option<u32> {
        self.asked_index.get(name.index()).copied().flatten()
    }

    fn deployment(&mut self, id: DeploymentId) -> &mut DeploymentCounts {
        &mut self.deployments[id.index()]
    }

    fn send(&mut self, at: Time, message: &Message) {
        match message {
            Message::Ask { request, ask } => {
                let Some(asked_index) = self.asked_of(ask.model) else { return };
                if !self.flight.is_empty() {
                    self.reached.insert(MustSee::Overlap);
                }
                self.timeline.at(at).sent += 1;
                self.flight.open(
                    *request,
                    Flight {
                        id: *request,
                        asked: ask.model,
                        asked_index,
                        sent: at,
                        attempts: 0,
                        retries: 0,
                        fell_back: false,
                        hit: false,
                        attempt_since: at,
                        hedge: None,
                        hung_up: None,
                        doing: Doing::Nothing,
                        hop: None,
                        hop_called: false,
                        gave_up: None,
                        next: NextHop::NotReached,
                    },
                );
            }
            Message::Call { deployment, .. } => {
                self.timeline.call(at, deployment.index());
                self.deployment(*deployment).attempts += 1;
            }
            Message::Hangup { deployment, .. } => {
                self.reached.insert(MustSee::Abort);
                self.deployment(*deployment).hung_up += 1;
            }
            Message::Reply { reply: Reply::Failed { failure, .. }, .. } => self.reached.see_failure(failure),
            Message::Reply { .. } | Message::Answer { .. } | Message::Cancel { .. } => {}
        }
    }

    fn note(&mut self, at: Time, note: &Note) {
        self.reached.see_note(note);
        match *note {
            Note::Picked { request, attempt, deployment, timeout, .. } => {
                self.movement.timeouts.add(timeout);
                if let Some(flight) = self.flight.get(request) {
                    flight.attempts += 1;
                    if let Some(hedge) = flight.hedge.as_mut().filter(|hedge| hedge.attempt == attempt) {
                        hedge.deployment = Some(deployment);
                        return;
                    }
                    flight.attempt_since = at;
                    flight.hop_called = true;
                    flight.doing = Doing::Attempt { deployment, timeout };
                }
            }
            Note::Succeeded { request, attempt, deployment, usage } => {
                self.succeeded(at, request, attempt, deployment, usage);
            }
            Note::Failed { request, attempt, group, deployment, sent, error, .. } => {
                self.failed(at, request, attempt, (group, deployment), sent, error);
            }
            Note::Hedged { request, hedge, .. } => {
                if let Some(flight) = self.flight.get(request) {
                    flight.hedge = Some(Hedge { attempt: hedge, since: at, deployment: None });
                }
            }
            Note::AwaitsCooldown { request, until, .. } => {
                self.movement.slept = self.movement.slept + until.since(at);
                if let Some(flight) = self.flight.get(request) {
                    // It begins again, with everything before it.
                    flight.doing = Doing::Wait;
                    (flight.hop, flight.next, flight.gave_up) = (None, NextHop::NotReached, None);
                }
            }
            Note::Retrying { request, of, wait, number_from, .. } => {
                self.movement.retries.add((number_from, of));
                self.movement.slept = self.movement.slept + wait;
                if let Some(flight) = self.flight.get(request) {
                    flight.retries += 1;
                    flight.doing = Doing::Wait;
                }
            }
            Note::GaveUp { request, group, because, wait } => {
                self.movement.gave_up.add((group, because));
                self.movement.slept = self.movement.slept + wait;
                if let Some(flight) = self.flight.get(request) {
                    flight.doing = if wait.is_zero() { Doing::Nothing } else { Doing::Wait };
                    if flight.hop.is_none() {
                        flight.gave_up = Some(because);
                    }
                }
            }
            Note::FellBack { request, from, to, list, .. } => {
                self.movement.fell_back.add((from, to, list));
                self.timeline.at(at).fallbacks += 1;
                // The next level or the rest of the same group is not another group.
                let elsewhere = !matches!(list, FallbackList::Order | FallbackList::WeightedFailover);
                if let Some(flight) = self.flight.get(request).filter(|_| elsewhere) {
                    flight.doing = Doing::Nothing;
                    flight.hop_called = false;
                    flight.hop = Some(to);
                    flight.next = NextHop::Failed { to, class: None, called: false };
                    flight.fell_back = true;
                }
            }
            Note::FallbackExhausted { request, group, because } => {
                self.movement.exhausted.add((group, because));
                if let Some(flight) = self.flight.get(request)
                    && flight.hop.is_none()
                {
                    flight.next = NextHop::None(because);
                }
            }
            Note::Cooled { deployment, length, because, .. } => {
                self.timeline.at(at).cooldowns += 1;
                let counts = self.deployment(deployment);
                counts.cooled.add(because);
                counts.cooled_longest = counts.cooled_longest.max(length);
                counts.ailing = true;
            }
            Note::NotCooled { deployment, because, .. } => self.deployment(deployment).not_cooled.add(because),
            Note::CalledAgain { request, .. } => {
                if let Some(flight) = self.flight.get(request) {
                    flight.attempts += 1;
                }
            }
            Note::Selected(ref selection) if selection.picked.is_none() => {
                for (deployment, filter) in &selection.filtered {
                    self.movement.passed_over.add((selection.group, *deployment, Reason::of(filter)));
                }
                // Whoever passed every filter was left by the strategy.
                for deployment in &selection.eligible {
                    self.movement.passed_over.add((selection.group, *deployment, Reason::StrategyLimit));
                }
            }
            Note::StreamEnded { .. } | Note::Selected(_) | Note::Probes { .. } => {}
        }
    }

    fn succeeded(&mut self, at: Time, request: RequestId, attempt: AttemptId, deployment: DeploymentId, usage: Usage) {
        let mut hung_up = None;
        let since = self.flight.get(request).map(|flight| {
            let doing = std::mem::replace(&mut flight.doing, Doing::Nothing);
            let Some(hedge) = flight.hedge.take() else { return flight.attempt_since };
            let won = hedge.attempt == attempt;
            hung_up = match doing {
                Doing::Attempt { deployment, .. } if won => Some(deployment),
                _ if won => None,
                _ => hedge.deployment,
            };
            flight.hung_up = hung_up;
            if won { hedge.since } else { flight.attempt_since }
        });
        if let Some(deployment) = hung_up {
            self.deployment(deployment).tokens.add(usage);
        }
        let counts = &mut self.deployments[deployment.index()];
        counts.succeeded += 1;
        counts.tokens.add(usage);
        if counts.ailing {
            counts.ailing = false;
            self.reached.insert(MustSee::Recovery);
        }
        if let Some(since) = since {
            counts.latency.record(at.since(since));
            if self.failover.first_return.is_empty()
                && self.shape.struck.get(deployment.index()) == Some(&true)
                && let Some(end) = self.shape.last_end()
                && since >= end
            {
                self.failover.first_return.push(at.since(end));
            }
        }
    }

    fn failed(
        &mut self,
        at: Time,
        request: RequestId,
        attempt: Option<AttemptId>,
        (group, deployment): (NameId, Option<DeploymentId>),
        sent: bool,
        error: Error,
    ) {
        match deployment {
            Some(deployment) if sent => {
                self.timeline.at(at).attempts_failed += 1;
                self.deployment(deployment).errors.add(error.into());
            }
            Some(deployment) => self.deployment(deployment).refused += 1,
            None => self.movement.nobody.add((group, error.into())),
        }
        let struck = deployment.is_some_and(|id| self.shape.struck.get(id.index()) == Some(&true));
        let faulty = self.shape.phase(at) == Phase::During;
        let Some(flight) = self.flight.get(request) else { return };
        if flight.hedge.take_if(|hedge| attempt == Some(hedge.attempt)).is_some() {
            // Its own call goes on.
            flight.attempts -= u32::from(!sent);
            return;
        }
        flight.doing = Doing::Nothing;
        if deployment.is_some() && !sent {
            flight.attempts = flight.attempts.saturating_sub(1);
            flight.hop_called = false;
        }
        flight.hit |= struck && sent && faulty;
        if let Some(to) = flight.hop {
            flight.next = NextHop::Failed { to, class: Some(error.class), called: flight.hop_called };
        }
    }

    fn ended(&mut self, at: Time, ended: &Ended) {
        let Some(flight) = self.flight.close(ended.request) else { return };
        let phase = self.shape.phase(ended.due);
        let counts = &mut self.asked[flight.asked_index as usize][phase as usize];
        counts.attempts += u64::from(flight.attempts);
        counts.retries += u64::from(flight.retries);
        if !ended.last {
            counts.client_retries += 1;
            return;
        }
        counts.hit += u64::from(flight.hit);
        let answered = matches!(ended.outcome, Some(Outcome::Answered(_)));
        let second = self.timeline.at(ended.due);
        second.due += 1;
        second.due_answered += u64::from(answered);
        match ended.outcome {
            Some(Outcome::Answered(answered)) => {
                counts.ends.answered += 1;
                counts.fell_back += u64::from(flight.fell_back);
                counts.rescued += u64::from(flight.hit);
                counts.latency.record(at.since(ended.due));
                let by = &mut counts.answered_by[answered.by.index()];
                by.count += 1;
                by.tokens.add(answered.usage);
                if let Some(hung_up) = flight.hung_up {
                    counts.answered_by[hung_up.index()].tokens.add(answered.usage);
                }
                self.timeline.at(at).answered += 1;
                self.timeline.at(flight.sent).sent_answered += 1;
                if flight.hit
                    && self.shape.struck.get(answered.by.index()) == Some(&false)
                    && self.failover.first_rescue.is_empty()
                    && let Some((from, _)) = self.shape.outages.first()
                {
                    self.failover.first_rescue.push(at.since(*from));
                }
            }
            Some(Outcome::Failed(error)) => {
                counts.ends.failed.add((error.class, error.client_status));
                self.timeline.at(at).failed += 1;
                self.lose(&flight, LossEnd::Error { class: error.class, status: error.client_status }, ended.due);
            }
            None => {
                counts.ends.gave_up += 1;
                self.timeline.at(at).gave_up += 1;
                self.lose(&flight, LossEnd::Deadline(flight.doing), ended.due);
            }
        }
    }

    fn lose(&mut self, flight: &Flight, end: LossEnd, due: Time) {
        let loss =
            Loss { asked: flight.asked, phase: self.shape.phase(due), end, gave_up: flight.gave_up, next: flight.next };
        self.losses.add(loss, self.seed, flight.id, due);
        if let Some(end) = self.shape.last_end() {
            let after = due.since(end);
            match self.failover.last_loss.first_mut() {
                Some(last) => *last = (*last).max(after),
                None => self.failover.last_loss.push(after),
            }
        }
    }
}

impl Watcher for Metrics {
    fn watch(&mut self, step: &Step<'_>) {
        if let Some(watched) = &mut self.watched {
            watched.watch(step);
        }
        for effect in step.effects {
            match effect {
                Effect::Send { message, .. } => self.send(step.at, message),
                Effect::Note(note) => self.note(step.at, note),
                Effect::Ended(ended) => self.ended(step.at, ended),
                Effect::FaultStruck { fault, deployment } => {
                    if let Some(strikes) = self.struck.get_mut(*fault as usize) {
                        *strikes += 1;
                    }
                    self.deployment(*deployment).ailing = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use router_core::{Answered, Ask, AttemptId, ErrorClass, NoFallback};

    use super::*;
    use crate::actor::{ActorId, Event};
    use crate::metrics::Doing;

    const CLIENT: ActorId = ActorId(0);
    const PROXY: ActorId = ActorId(1);
    const GROUP: NameId = NameId(0);
    const SPARE: NameId = NameId(1);
    const A: DeploymentId = DeploymentId(0);
    const B: DeploymentId = DeploymentId(1);
    const USAGE: Usage = Usage { prompt_tokens: 100, completion_tokens: 20 };
    const RATE_LIMITED: Error =
        Error { class: ErrorClass::RateLimitError, status: Some(429), client_status: 429, client_retry_after: None };

    /// A story told step by step; deployment A is struck from second 10 to second 20, the run ends at second 40.
    struct Story {
        metrics: Metrics,
    }

    fn at(secs: f64) -> Time {
        Time::ZERO + Span::from_secs_f64(secs)
    }

    fn request(number: u64) -> RequestId {
        RequestId::new(0, number)
    }

    impl Story {
        fn new() -> Self {
            let shape = Shape {
                deployments: 2,
                asked: vec![GROUP],
                faults: 1,
                outages: vec![(at(10.0), at(20.0))],
                struck: vec![true, false],
                arrivals_end: at(40.0),
                end: at(40.0),
            };
            Self { metrics: Metrics::new(shape, 7) }
        }

        fn step(&mut self, secs: f64, effects: &[Effect]) -> &mut Self {
            let step = Step { at: at(secs), actor: CLIENT, event: &Event::Wake, draws: &[], effects };
            self.metrics.watch(&step);
            self
        }

        fn ask(&mut self, secs: f64, number: u64) -> &mut Self {
            let ask = Ask { model: GROUP, prompt_tokens: 100, output_tokens: 20, stream: false, params: None };
            let message = Message::Ask { request: request(number), ask };
            self.step(secs, &[Effect::Send { to: PROXY, at: at(secs + 0.001), message }])
        }

        fn pick(&mut self, secs: f64, number: u64, group: NameId, deployment: DeploymentId) -> &mut Self {
            let (attempt, n) = (AttemptId(number), 0);
            let timeout = Span::from_secs(6000);
            let note = Note::Picked { request: request(number), attempt, n, group, deployment, eligible: 1, timeout };
            let message = Message::Call { attempt, deployment, prompt_tokens: 100, output_tokens: 20 };
            self.step(secs, &[Effect::Note(note), Effect::Send { to: PROXY, at: at(secs + 0.001), message }])
        }

        fn fail(&mut self, secs: f64, number: u64, group: NameId, deployment: DeploymentId) -> &mut Self {
            self.note(
                secs,
                Note::Failed {
                    request: request(number),
                    attempt: Some(AttemptId(number)),
                    n: 0,
                    group,
                    deployment: Some(deployment),
                    sent: true,
                    error: RATE_LIMITED,
                },
            )
        }

        fn note(&mut self, secs: f64, note: Note) -> &mut Self {
            self.step(secs, &[Effect::Note(note)])
        }

        fn fall_back(&mut self, secs: f64, number: u64) -> &mut Self {
            let (from, to, list) = (GROUP, SPARE, FallbackList::Fallbacks);
            self.note(secs, Note::FellBack { request: request(number), from, to, depth: 0, list })
        }

        fn answer(&mut self, secs: f64, number: u64, due: f64, deployment: DeploymentId) -> &mut Self {
            let note =
                Note::Succeeded { request: request(number), attempt: AttemptId(number), deployment, usage: USAGE };
            self.note(secs, note);
            self.end(secs, number, due, Some(Outcome::Answered(Answered { by: deployment, usage: USAGE })))
        }

        fn end(&mut self, secs: f64, number: u64, due: f64, outcome: Option<Outcome>) -> &mut Self {
            let ended = Ended { request: request(number), due: at(due), outcome, retries: 0, last: true };
            self.step(secs, &[Effect::Ended(ended)])
        }

        fn finish(&mut self) -> &Metrics {
            self.metrics.finish();
            &self.metrics
        }
    }

    #[test]
    fn a_request_saved_by_a_fallback_counts_as_answered_hit_and_rescued() {
        let mut story = Story::new();
        story.ask(12.0, 0).pick(12.0, 0, GROUP, A).fail(12.5, 0, GROUP, A);
        story.fall_back(13.0, 0).pick(13.0, 0, SPARE, B).answer(14.0, 0, 12.0, B);
        let metrics = story.finish();
        let during = metrics.asked_over(0, &[Phase::During]);
        assert_eq!((during.ends.answered, during.ends.lost()), (1, 0));
        assert_eq!((during.hit, during.rescued, during.fell_back, during.attempts), (1, 1, 1, 2));
        assert_eq!(during.answered_by.iter().map(|by| by.count).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(metrics.failover().first_rescue, [Span::from_secs(4)]);
        assert_eq!(metrics.deployments()[0].errors.total(), 1);
        assert_eq!(metrics.deployments()[1].tokens, crate::metrics::Tokens { prompt: 100, completion: 20 });
        assert!(metrics.losses().iter().next().is_none());
        assert!(metrics.reached().contains(MustSee::Fallback));
    }

    #[test]
    fn a_caller_that_gives_up_leaves_a_record_of_what_it_waited_for() {
        let mut story = Story::new();
        story.ask(12.0, 0).pick(12.0, 0, GROUP, A).end(32.0, 0, 12.0, None);
        let metrics = story.finish();
        let record = metrics.losses().iter().next().unwrap();
        let timeout = Span::from_secs(6000);
        assert_eq!(record.loss.end, LossEnd::Deadline(Doing::Attempt { deployment: A, timeout }));
        assert_eq!((record.loss.phase, record.count, record.seed), (Phase::During, 1, 7));
        assert_eq!(metrics.over(&Phase::ALL).ends.availability(), Some(0.0));
    }

    #[test]
    fn a_loss_names_why_the_retries_and_the_fallbacks_did_not_help() {
        let mut story = Story::new();
        for number in 0..3 {
            story.ask(12.0, number).pick(12.0, number, GROUP, A).fail(12.1, number, GROUP, A);
            let (group, wait) = (GROUP, Span::ZERO);
            story
                .note(12.1, Note::GaveUp { request: request(number), group, because: GiveUpReason::NoneHealthy, wait });
            let because = NoFallback::NoEntry;
            story.note(12.1, Note::FallbackExhausted { request: request(number), group, because });
            story.end(12.2, number, 12.0, Some(Outcome::Failed(RATE_LIMITED)));
        }
        let losses: Vec<_> = story.finish().losses().iter().copied().collect();
        assert_eq!(losses.len(), 1, "equal losses are one entry");
        assert_eq!(losses[0].count, 3);
        assert_eq!(losses[0].loss.gave_up, Some(GiveUpReason::NoneHealthy));
        assert_eq!(losses[0].loss.next, NextHop::None(NoFallback::NoEntry));
        assert_eq!(losses[0].loss.end, LossEnd::Error { class: ErrorClass::RateLimitError, status: 429 });
    }

    #[test]
    fn recovery_is_the_first_answer_to_a_call_begun_after_the_outage() {
        let mut story = Story::new();
        // Begun within the outage, answered after it: no sign of recovery.
        story.ask(19.0, 0).pick(19.0, 0, GROUP, A).answer(21.0, 0, 19.0, A);
        story.ask(22.0, 1).pick(22.0, 1, GROUP, A).answer(23.5, 1, 22.0, A);
        let metrics = story.finish();
        assert_eq!(metrics.failover().first_return, [Span::from_secs_f64(3.5)]);
        assert_eq!(metrics.failover().last_loss, [Span::ZERO]);
    }

    #[test]
    fn everything_sent_is_answered_lost_or_open() {
        let mut story = Story::new();
        story.ask(1.0, 0).pick(1.0, 0, GROUP, B).answer(2.0, 0, 1.0, B);
        story.ask(12.0, 1).end(12.5, 1, 12.0, Some(Outcome::Failed(RATE_LIMITED)));
        story.ask(12.0, 2).end(30.0, 2, 12.0, None);
        story.ask(39.0, 3);
        let ends = story.finish().over(&Phase::ALL).ends;
        assert_eq!((ends.total(), ends.answered, ends.failed.total(), ends.gave_up, ends.open), (4, 1, 1, 1, 1));
    }

    #[test]
    fn runs_of_several_seeds_add_up() {
        let mut first = Story::new();
        first.ask(12.0, 0).pick(12.0, 0, GROUP, B).answer(13.0, 0, 12.0, B);
        let mut second = Story::new();
        second.ask(12.0, 0).end(12.5, 0, 12.0, None);
        let mut sum = first.finish().clone();
        sum.absorb(second.finish());
        assert_eq!(sum.over(&Phase::ALL).ends.availability(), Some(0.5));
        assert_eq!(sum.runs(), 2);
        assert_eq!(sum.losses().total(), 1);
    }
}
