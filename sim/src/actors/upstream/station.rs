//! How a deployment works on many calls at once: so many are in service, so many of those at full speed.
//!
//! An inference server with continuous batching writes the answers of all calls of its batch side by side: up to some
//! size of the batch each call is as fast as if it were alone, beyond it they share what the machine can do, and a call
//! that finds no place in the batch waits for one. In terms of queues: with one server at most, calls wait as in an M/G/c
//! queue; with `full_speed: 1` and any number of servers, they share one machine as in an M/G/1 processor-sharing queue.
//!
//! Calls in service all get the same work done in the same time. So instead of what is left of each call, which changes
//! whenever one comes or goes, the station keeps the work that a call would have got that was there from the beginning;
//! a call ends when that has grown by its own work, and this mark never moves.

use std::collections::BTreeMap;

use router_core::{AttemptId, Span, Time};

use crate::actor::{ActorId, Reply};

/// The calls that a deployment works on, and those that wait for it.
#[derive(Clone, Debug)]
pub struct Station {
    /// How many calls are in service at most; at least one.
    places: usize,
    /// How many of them at full speed; at least one.
    full_speed: u64,
    /// Up to when the work is accounted for.
    now: Time,
    /// Work that every call in service from the beginning on would have got.
    done: Work,
    /// In service: at which work they end, and in which turn they came.
    serving: BTreeMap<(Work, u64), Job>,
    /// Waiting, by turn.
    waiting: BTreeMap<u64, Job>,
    /// Where each call is.
    calls: BTreeMap<(ActorId, AttemptId), Place>,
    turn: u64,
}

/// Time at full speed, in 2^-32 ns: shares of a nanosecond add up to what they should.
type Work = u128;

const FRACTION_BITS: u32 = 32;

/// The work of a call that ends by its caller alone.
const ENDLESS: Work = Work::MAX;

/// A call and what will come of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Job {
    /// Who called.
    pub from: ActorId,
    /// Its attempt.
    pub attempt: AttemptId,
    /// How long it takes at full speed.
    pub service: Span,
    /// What is answered at the end; `None`: nothing ever, and it ends when its caller hangs up.
    pub reply: Option<Reply>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Serving(Work, u64),
    Waiting(u64),
}

impl Station {
    /// A station that works on so many calls at once, and on so many of those at full speed; `None` is any number, and
    /// zero counts as one.
    pub fn new(servers: Option<u32>, full_speed: Option<u32>) -> Self {
        Self {
            places: servers.map_or(usize::MAX, |servers| servers.max(1) as usize),
            full_speed: full_speed.map_or(u64::MAX, |calls| u64::from(calls.max(1))),
            now: Time::ZERO,
            done: 0,
            serving: BTreeMap::new(),
            waiting: BTreeMap::new(),
            calls: BTreeMap::new(),
            turn: 0,
        }
    }

    /// A call comes. Here as in the other verbs, calls that end by `now` are handed to `ended`, in the order in which
    /// they end.
    pub fn arrive(&mut self, now: Time, job: Job, ended: impl FnMut(Time, Job)) {
        self.pass(now, ended);
        self.turn += 1;
        self.waiting.insert(self.turn, job);
        self.calls.insert((job.from, job.attempt), Place::Waiting(self.turn));
        self.fill();
    }

    /// The caller of an attempt hangs up. A call that is over already is left alone.
    pub fn hang_up(&mut self, now: Time, from: ActorId, attempt: AttemptId, ended: impl FnMut(Time, Job)) {
        self.pass(now, ended);
        match self.calls.remove(&(from, attempt)) {
            Some(Place::Serving(mark, turn)) => {
                self.serving.remove(&(mark, turn));
            }
            Some(Place::Waiting(turn)) => {
                self.waiting.remove(&turn);
            }
            None => {}
        }
        self.fill();
    }

    /// Time passes.
    pub fn pass(&mut self, now: Time, mut ended: impl FnMut(Time, Job)) {
        while let Some(end) = self.next().filter(|end| *end <= now) {
            self.work_until(end);
            while let Some(first) = self.serving.first_entry().filter(|first| first.key().0 <= self.done) {
                let job = first.remove();
                self.calls.remove(&(job.from, job.attempt));
                ended(end, job);
            }
            self.fill();
        }
        self.work_until(now);
    }

    /// When the next call ends if none comes or goes before; `None` when none would.
    pub fn next(&self) -> Option<Time> {
        let (&(mark, _), _) = self.serving.first_key_value()?;
        if mark == ENDLESS {
            return None;
        }
        let left = mark - self.done;
        let busy = self.serving.len() as u64;
        let nanos = if busy <= self.full_speed {
            left.div_ceil(1 << FRACTION_BITS)
        } else {
            left.saturating_mul(busy.into()).div_ceil(u128::from(self.full_speed) << FRACTION_BITS)
        };
        Some(self.now + Span::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    fn work_until(&mut self, now: Time) {
        let full = u128::from(now.since(self.now).as_nanos()) << FRACTION_BITS;
        let busy = self.serving.len() as u64;
        self.done += if busy <= self.full_speed { full } else { full * u128::from(self.full_speed) / u128::from(busy) };
        self.now = now;
    }

    /// Free places go to whoever waits longest.
    fn fill(&mut self) {
        while self.serving.len() < self.places
            && let Some((turn, job)) = self.waiting.pop_first()
        {
            let work = u128::from(job.service.as_nanos()) << FRACTION_BITS;
            let mark = if job.reply.is_some() { self.done + work } else { ENDLESS };
            self.serving.insert((mark, turn), job);
            self.calls.insert((job.from, job.attempt), Place::Serving(mark, turn));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use router_core::{Failure, FailureKind, RetryAfter};

    const PROXY: ActorId = ActorId(1);

    fn at(secs: u64) -> Time {
        Time::ZERO + Span::from_secs(secs)
    }

    /// A call of so many seconds at full speed; `None`: without an end.
    fn job(attempt: u64, secs: Option<u64>) -> Job {
        let failure = Failure { kind: FailureKind::Reset, retry_after: RetryAfter::Absent };
        let reply = secs.map(|_| Reply::Failed { failure, text: None });
        Job { from: PROXY, attempt: AttemptId(attempt), service: Span::from_secs(secs.unwrap_or(0)), reply }
    }

    /// A station whose endings are noted: attempt, and when in seconds.
    struct Watched(Station, Vec<(u64, f64)>);

    impl Watched {
        fn new(servers: Option<u32>, full_speed: Option<u32>) -> Self {
            Self(Station::new(servers, full_speed), Vec::new())
        }

        fn arrive(&mut self, now: u64, attempt: u64, secs: Option<u64>) {
            self.0.arrive(at(now), job(attempt, secs), |end, job| self.1.push((job.attempt.0, seconds(end))));
        }

        fn hang_up(&mut self, now: u64, attempt: u64) {
            let attempt = AttemptId(attempt);
            self.0.hang_up(at(now), PROXY, attempt, |end, job| self.1.push((job.attempt.0, seconds(end))));
        }

        /// Goes on until nothing ends any more.
        fn ends(mut self) -> Vec<(u64, f64)> {
            while let Some(next) = self.0.next() {
                self.0.pass(next, |end, job| self.1.push((job.attempt.0, seconds(end))));
            }
            self.1
        }
    }

    fn seconds(time: Time) -> f64 {
        time.since(Time::ZERO).as_secs_f64()
    }

    #[test]
    fn two_servers_work_on_two_calls_and_the_others_wait_their_turn() {
        let mut station = Watched::new(Some(2), None);
        for (now, attempt, secs) in [(0, 0, 10), (1, 1, 3), (2, 2, 5), (3, 3, 1)] {
            station.arrive(now, attempt, Some(secs));
        }
        assert_eq!(station.ends(), [(1, 4.0), (2, 9.0), (0, 10.0), (3, 10.0)]);
    }

    #[test]
    fn who_hangs_up_leaves_the_queue_or_frees_the_server() {
        let mut station = Watched::new(Some(1), None);
        station.arrive(0, 0, None);
        station.arrive(1, 1, Some(5));
        station.arrive(2, 2, Some(5));
        assert_eq!(station.0.next(), None, "a call without an end ends by its caller alone");
        station.hang_up(3, 1);
        station.hang_up(4, 0);
        station.hang_up(5, 7);
        assert_eq!(station.ends(), [(2, 9.0)]);
    }

    #[test]
    fn calls_share_one_machine_and_each_that_ends_or_hangs_up_speeds_up_the_others() {
        // Alone for 2 s, then two, then three at a third of the speed each; 4 s later one leaves.
        let mut station = Watched::new(None, Some(1));
        station.arrive(0, 0, Some(6));
        station.arrive(2, 1, Some(2));
        station.arrive(4, 2, Some(9));
        station.hang_up(7, 2);
        // At 7 s: call 0 has got 2 + 1 + 1 of 6 s, call 1 1 + 1 of 2 s and ends; alone, call 0 needs 2 s more.
        assert_eq!(station.ends(), [(1, 7.0), (0, 9.0)]);
    }

    #[test]
    fn up_to_full_speed_nobody_is_slowed_down() {
        let mut station = Watched::new(None, Some(2));
        station.arrive(0, 0, Some(2));
        station.arrive(0, 1, Some(2));
        assert_eq!(station.0.next(), Some(at(2)));
        // Three share what carries two: 2 s of work take 3 s.
        station.arrive(0, 2, Some(2));
        assert_eq!(station.ends(), [(0, 3.0), (1, 3.0), (2, 3.0)]);
    }

    #[test]
    fn a_batch_of_so_many_shares_and_the_next_one_waits_for_a_place_in_it() {
        let mut station = Watched::new(Some(2), Some(1));
        for attempt in 0..3 {
            station.arrive(0, attempt, Some(1 + attempt));
        }
        // 0 and 1 at half speed until 2 s; then 1, of whose 2 s one is left, and 2 until 4 s; then 2 alone.
        assert_eq!(station.ends(), [(0, 2.0), (1, 4.0), (2, 6.0)]);
    }

    #[test]
    fn a_call_without_an_end_keeps_its_share() {
        let mut station = Watched::new(None, Some(1));
        station.arrive(0, 0, None);
        station.arrive(0, 1, Some(3));
        station.hang_up(2, 0);
        assert_eq!(station.ends(), [(1, 4.0)]);
    }

    #[test]
    fn whoever_looks_late_learns_of_every_end_at_its_own_time() {
        let mut station = Watched::new(Some(1), None);
        for attempt in 0..3 {
            station.arrive(0, attempt, Some(2));
        }
        station.arrive(5, 3, Some(1));
        assert_eq!(station.1, [(0, 2.0), (1, 4.0)]);
        assert_eq!(station.ends(), [(0, 2.0), (1, 4.0), (2, 6.0), (3, 7.0)]);
    }

    proptest::proptest! {
        /// The marks say the same as the definition, worked out call by call in small steps of time.
        #[test]
        fn the_marks_say_what_the_definition_says(
            calls in proptest::collection::vec((0..40_u64, 1..30_u64), 1..12),
            servers in 1..5_u32,
            full_speed in 1..4_u32,
        ) {
            let mut calls = calls;
            calls.sort_unstable();
            let mut station = Watched::new(Some(servers), Some(full_speed));
            for (attempt, (now, secs)) in (0..).zip(&calls) {
                station.arrive(*now, attempt, Some(*secs));
            }
            let mut ends = station.ends();
            ends.sort_by_key(|(attempt, _)| *attempt);
            for ((_, by_marks), by_steps) in ends.iter().zip(stepped(&calls, servers as usize, f64::from(full_speed))) {
                proptest::prop_assert!((by_marks - by_steps).abs() < 1e-6, "{by_marks} is not {by_steps}");
            }
        }
    }

    /// When calls of so many seconds end, by the definition: between two changes each in service gets the same.
    fn stepped(calls: &[(u64, u64)], servers: usize, full_speed: f64) -> Vec<f64> {
        let mut left: Vec<f64> = calls.iter().map(|(_, secs)| *secs as f64).collect();
        let mut ends = vec![0.0; calls.len()];
        let mut now = 0.0;
        while left.iter().any(|left| *left > 0.0) {
            let open = |n: &usize| left[*n] > 0.0 && calls[*n].0 as f64 <= now;
            let serving: Vec<usize> = (0..calls.len()).filter(open).take(servers).collect();
            let speed = (full_speed / serving.len() as f64).min(1.0);
            let coming = calls.iter().map(|(at, _)| *at as f64 - now).filter(|wait| *wait > 0.0);
            let ending = serving.iter().map(|n| left[*n] / speed);
            let step = coming.chain(ending).fold(f64::INFINITY, f64::min);
            now += step;
            for n in serving {
                left[n] -= step * speed;
                if left[n] < 1e-9 {
                    (left[n], ends[n]) = (0.0, now);
                }
            }
        }
        ends
    }
}
