//! How a run went, step by step: what pages draw. However long the run, its memory is bounded.

use router_core::{DeploymentId, Note, Outcome, RequestId, Span, Time};

use super::counts::Tokens;
use super::flight::InFlight;
use super::latency::Latency;
use crate::actor::{Effect, Ended, Message, Step, Watcher};

/// A run in equal steps of time, as a whole and by deployment. Nothing is left out: a longer run has longer steps.
#[derive(Clone, PartialEq, Debug)]
pub struct Course {
    /// How long a step is.
    pub width: Span,
    /// What happened in each.
    pub steps: Vec<CourseStep>,
    /// What happened to each deployment; one that stands for all others comes last.
    pub lanes: Vec<Lane>,
    /// Requests by the number of attempts that the router made for them; the last place is for that many and more.
    pub attempts: [u64; ATTEMPTS_MAX + 1],
}

/// Requests with so many attempts or more are counted together.
pub const ATTEMPTS_MAX: usize = 12;

/// One step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CourseStep {
    /// Requests that clients sent, their own further tries included.
    pub sent: u64,
    /// Users who got an answer.
    pub answered: u64,
    /// Users who got an error and no further try.
    pub failed: u64,
    /// Users who gave up waiting.
    pub gave_up: u64,
    /// Half of the answers took at most this long; `None`: there were none.
    pub p50: Option<Span>,
    /// 90 % of them did.
    pub p90: Option<Span>,
    /// 99 % of them did.
    pub p99: Option<Span>,
    /// All of them did.
    pub max: Option<Span>,
}

/// What happened to one deployment, or to several together.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Lane {
    /// Which; `None`: all that have no lane of their own.
    pub deployment: Option<DeploymentId>,
    /// What happened in each step.
    pub steps: Vec<LaneStep>,
    /// When it rested: from, until; in order of time and apart from each other.
    pub rests: Vec<(Time, Time)>,
    /// How many further cooldowns there were.
    pub rests_omitted: u64,
}

/// One step of a lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LaneStep {
    /// Calls.
    pub calls: u32,
    /// Calls that were answered.
    pub answered: u32,
    /// Calls that failed.
    pub failed: u32,
    /// Tokens of the calls, as a provider estimates them when it admits them.
    pub tokens_asked: u32,
    /// Tokens of the answers.
    pub tokens: Tokens,
}

/// Widths of steps that clocks know, in milliseconds.
const WIDTHS_MS: [u64; 19] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000,
    3_600_000, 7_200_000, 21_600_000, 86_400_000,
];
/// Cooldowns of one deployment that are kept apart.
const RESTS_MAX: usize = 200;

/// Watches a run and keeps its course.
#[derive(Debug)]
pub struct Courses {
    course: Course,
    flight: InFlight<u32>,
    /// Latencies of the step that is under way: answers come in the order of time.
    latencies: Latency,
    latencies_of: usize,
}

impl Courses {
    /// For a run that ends at `end`, in `steps` steps at most, of which there is at least one.
    pub fn new(deployments: usize, end: Time, steps: u64) -> Self {
        let least = end.as_nanos().div_ceil(steps.max(1));
        let known = WIDTHS_MS.iter().map(|millis| millis * 1_000_000).find(|width| *width >= least);
        let width = Span::from_nanos(known.unwrap_or(least));
        let count = end.as_nanos().div_ceil(width.as_nanos()).max(1) as usize;
        let lane = |index| Lane {
            deployment: Some(DeploymentId(index)),
            steps: vec![LaneStep::default(); count],
            ..Lane::default()
        };
        let course = Course {
            width,
            steps: vec![CourseStep::default(); count],
            lanes: (0..deployments as u32).map(lane).collect(),
            attempts: [0; ATTEMPTS_MAX + 1],
        };
        Self { course, flight: InFlight::default(), latencies: Latency::default(), latencies_of: 0 }
    }

    /// The course, when the run has ended.
    pub fn finish(mut self) -> Course {
        self.flush();
        self.course
    }

    fn index(&self, at: Time) -> usize {
        // What happens at the very end belongs to the last step.
        ((at.as_nanos() / self.course.width.as_nanos()) as usize).min(self.course.steps.len() - 1)
    }

    fn step(&mut self, at: Time) -> &mut CourseStep {
        let index = self.index(at);
        &mut self.course.steps[index]
    }

    fn lane(&mut self, at: Time, deployment: DeploymentId) -> &mut LaneStep {
        let index = self.index(at);
        &mut self.course.lanes[deployment.index()].steps[index]
    }

    fn flush(&mut self) {
        let step = &mut self.course.steps[self.latencies_of];
        step.p50 = self.latencies.quantile(0.5);
        step.p90 = self.latencies.quantile(0.9);
        step.p99 = self.latencies.quantile(0.99);
        step.max = self.latencies.max();
    }

    fn note(&mut self, at: Time, note: &Note) {
        match *note {
            Note::Picked { request, .. } | Note::CalledAgain { request, .. } => self.attempted(request, true),
            Note::Succeeded { deployment, usage, .. } => {
                let step = self.lane(at, deployment);
                step.answered += 1;
                step.tokens.add(usage);
            }
            Note::Failed { deployment: Some(deployment), sent: true, .. } => self.lane(at, deployment).failed += 1,
            Note::Failed { request, deployment: Some(_), sent: false, .. } => self.attempted(request, false),
            Note::Cooled { deployment, until, .. } => self.course.lanes[deployment.index()].rest(at, until),
            _ => {}
        }
    }

    fn attempted(&mut self, request: RequestId, called: bool) {
        if let Some(attempts) = self.flight.get(request) {
            *attempts = if called { *attempts + 1 } else { attempts.saturating_sub(1) };
        }
    }

    fn ended(&mut self, at: Time, ended: &Ended) {
        if let Some(attempts) = self.flight.close(ended.request) {
            self.course.attempts[(attempts as usize).min(ATTEMPTS_MAX)] += 1;
        }
        if !ended.last {
            return;
        }
        match ended.outcome {
            Some(Outcome::Answered(_)) => {
                let index = self.index(at);
                if index != self.latencies_of {
                    self.flush();
                    self.latencies = Latency::default();
                    self.latencies_of = index;
                }
                self.latencies.record(at.since(ended.due));
                self.course.steps[index].answered += 1;
            }
            Some(Outcome::Failed(_)) => self.step(at).failed += 1,
            None => self.step(at).gave_up += 1,
        }
    }
}

impl Lane {
    fn rest(&mut self, from: Time, until: Time) {
        let full = self.rests.len() == RESTS_MAX;
        match self.rests.last_mut() {
            Some((_, last)) if from <= *last => *last = (*last).max(until),
            _ if full => self.rests_omitted += 1,
            _ => self.rests.push((from, until)),
        }
    }

    fn absorb(&mut self, other: &Self) {
        if self.steps.is_empty() {
            self.steps = vec![LaneStep::default(); other.steps.len()];
        }
        for (mine, theirs) in self.steps.iter_mut().zip(&other.steps) {
            mine.calls = mine.calls.saturating_add(theirs.calls);
            mine.answered = mine.answered.saturating_add(theirs.answered);
            mine.failed = mine.failed.saturating_add(theirs.failed);
            mine.tokens_asked = mine.tokens_asked.saturating_add(theirs.tokens_asked);
            mine.tokens.absorb(theirs.tokens);
        }
        self.rests_omitted += other.rests_omitted + other.rests.len() as u64;
    }

    fn calls(&self) -> u64 {
        self.steps.iter().map(|step| u64::from(step.calls)).sum()
    }
}

impl Course {
    /// The same course with `most` lanes and one for all the others: the lanes of `first` deployments before those with
    /// more calls. Lanes stay in the order of the deployments; those that were never called share theirs with the rest.
    #[must_use]
    pub fn with_lanes(mut self, most: usize, first: &[bool]) -> Self {
        let is_first = |lane: &Lane| lane.deployment.is_some_and(|id| first.get(id.index()) == Some(&true));
        let mut order: Vec<usize> = (0..self.lanes.len()).filter(|index| self.lanes[*index].calls() > 0).collect();
        order.sort_by_key(|&index| {
            let lane = &self.lanes[index];
            (!is_first(lane), std::cmp::Reverse(lane.calls()))
        });
        order.truncate(most);
        let mut others = Lane::default();
        let mut kept = Vec::with_capacity(order.len() + 1);
        for (index, lane) in self.lanes.into_iter().enumerate() {
            if order.contains(&index) {
                kept.push(lane);
            } else if lane.calls() > 0 {
                others.absorb(&lane);
            }
        }
        if !others.steps.is_empty() {
            kept.push(others);
        }
        self.lanes = kept;
        self
    }
}

impl Watcher for Courses {
    fn watch(&mut self, step: &Step<'_>) {
        for effect in step.effects {
            match effect {
                Effect::Send { message: Message::Ask { request, .. }, .. } => {
                    self.step(step.at).sent += 1;
                    self.flight.open(*request, 0);
                }
                Effect::Send { message: Message::Call { deployment, prompt_tokens, output_tokens, .. }, .. } => {
                    let lane = self.lane(step.at, *deployment);
                    lane.calls += 1;
                    lane.tokens_asked = lane.tokens_asked.saturating_add(*prompt_tokens).saturating_add(*output_tokens);
                }
                Effect::Note(note) => self.note(step.at, note),
                Effect::Ended(ended) => self.ended(step.at, ended),
                Effect::Send { .. } | Effect::FaultStruck { .. } => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use router_core::{Answered, Ask, AttemptId, NameId, Usage};

    use super::*;
    use crate::actor::{ActorId, Event};

    fn at(secs: f64) -> Time {
        Time::ZERO + Span::from_secs_f64(secs)
    }

    fn step(courses: &mut Courses, secs: f64, effects: &[Effect]) {
        courses.watch(&Step { at: at(secs), actor: ActorId(0), event: &Event::Wake, draws: &[], effects });
    }

    fn send(message: Message) -> Effect {
        Effect::Send { to: ActorId(1), at: at(1000.0), message }
    }

    fn call(deployment: u32) -> Effect {
        let (attempt, deployment) = (AttemptId(0), DeploymentId(deployment));
        send(Message::Call { attempt, deployment, prompt_tokens: 90, output_tokens: 10 })
    }

    #[test]
    fn a_longer_run_has_longer_steps_and_no_more_of_them() {
        for (end, width, count) in
            [(10.0, 0.1, 100), (660.0, 5.0, 132), (86_400.0, 600.0, 144), (1e8, 1e8 / 240.0, 240)]
        {
            let course = Courses::new(1, at(end), 240).finish();
            assert_eq!(course.steps.len(), count, "{end}");
            assert!((course.width.as_secs_f64() - width).abs() < 1e-6, "{end}: {}", course.width.as_secs_f64());
        }
    }

    #[test]
    fn what_happens_is_counted_where_it_happens() {
        let mut courses = Courses::new(2, at(100.0), 100);
        let ask = Ask { model: NameId(0), prompt_tokens: 90, output_tokens: 10, stream: false, params: None };
        let request = RequestId::new(0, 0);
        step(&mut courses, 3.2, &[send(Message::Ask { request, ask }), call(1)]);
        let usage = Usage { prompt_tokens: 90, completion_tokens: 10 };
        let attempt = AttemptId(0);
        let deployment = DeploymentId(1);
        let answered = Some(Outcome::Answered(Answered { by: deployment, usage }));
        step(&mut courses, 5.5, &[Effect::Note(Note::Succeeded { request, attempt, deployment, usage })]);
        let ended = Ended { request, due: at(3.0), outcome: answered, retries: 0, last: true };
        // At the very end of the run.
        step(&mut courses, 100.0, &[Effect::Ended(ended)]);
        let course = courses.finish();
        assert_eq!((course.steps[3].sent, course.steps[99].answered), (1, 1));
        assert_eq!((course.lanes[1].steps[3].calls, course.lanes[1].steps[5].answered), (1, 1));
        assert_eq!(course.lanes[1].steps[3].tokens_asked, 100);
        let p99 = course.steps[99].p99.unwrap().as_secs_f64();
        assert!((p99 / 97.0 - 1.0).abs() < 0.001, "{p99}");
    }

    #[test]
    fn cooldowns_that_meet_are_one_and_too_many_are_counted() {
        let mut lane = Lane::default();
        lane.rest(at(1.0), at(6.0));
        lane.rest(at(4.0), at(9.0));
        assert_eq!(lane.rests, [(at(1.0), at(9.0))]);
        for n in 0..RESTS_MAX as u32 {
            lane.rest(at(f64::from(n * 10 + 20)), at(f64::from(n * 10 + 21)));
        }
        assert_eq!((lane.rests.len(), lane.rests_omitted), (RESTS_MAX, 1));
    }

    #[test]
    fn few_lanes_are_kept_and_the_rest_is_added_up() {
        let mut courses = Courses::new(4, at(10.0), 10);
        for (deployment, calls) in [(0, 5), (1, 1), (2, 7)] {
            for _ in 0..calls {
                step(&mut courses, 1.0, &[call(deployment)]);
            }
        }
        let course = courses.finish().with_lanes(2, &[false, true]);
        let lanes: Vec<_> = course.lanes.iter().map(|lane| (lane.deployment.map(|id| id.0), lane.calls())).collect();
        assert_eq!(lanes, [(Some(1), 1), (Some(2), 7), (None, 5)]);
    }
}
