//! A deployment that works on so many calls at once: the others wait in turn.
//!
//! A call in service is never interrupted, so its end is known when its service begins; whoever hangs up leaves at once,
//! from the queue or from its server. Calls with exponential arrivals and services wait here as in an M/M/c queue.

use std::collections::VecDeque;

use router_core::{AttemptId, Span, Time};

use crate::actor::{ActorId, Reply};

/// The servers of one deployment and who waits for them.
#[derive(Clone, Debug)]
pub struct Servers {
    /// How many calls are worked on at once; at least one.
    count: usize,
    /// Who is in service, in no particular order.
    busy: Vec<Busy>,
    waiting: VecDeque<Job>,
}

/// A call and what will come of it.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Who called.
    pub from: ActorId,
    /// Its attempt.
    pub attempt: AttemptId,
    /// How long a server works on it; `None`: until the caller hangs up.
    pub service: Option<Span>,
    /// What is answered at the end; `None`: nothing.
    pub reply: Option<Reply>,
}

#[derive(Clone, Copy, Debug)]
struct Busy {
    from: ActorId,
    attempt: AttemptId,
    end: Time,
}

impl Servers {
    /// So many servers, at least one, all of them free.
    pub fn new(count: u32) -> Self {
        Self { count: count.max(1) as usize, busy: Vec::new(), waiting: VecDeque::new() }
    }

    /// A call comes. What begins to be served is handed to `begun`, with the end of its service.
    pub fn arrive(&mut self, now: Time, job: Job, begun: impl FnMut(Job, Time)) {
        self.waiting.push_back(job);
        self.serve(now, begun);
    }

    /// The caller of an attempt hangs up.
    pub fn hang_up(&mut self, now: Time, from: ActorId, attempt: AttemptId, begun: impl FnMut(Job, Time)) {
        self.waiting.retain(|job| (job.from, job.attempt) != (from, attempt));
        self.busy.retain(|busy| (busy.from, busy.attempt) != (from, attempt));
        self.serve(now, begun);
    }

    /// Servers that are done take whoever waits longest.
    pub fn serve(&mut self, now: Time, mut begun: impl FnMut(Job, Time)) {
        self.busy.retain(|busy| busy.end > now);
        while self.busy.len() < self.count
            && let Some(job) = self.waiting.pop_front()
        {
            let end = job.service.map_or(Time::MAX, |service| now + service);
            self.busy.push(Busy { from: job.from, attempt: job.attempt, end });
            begun(job, end);
        }
    }

    /// When the next one that waits can be served, as far as that is known; `None` when nobody waits.
    pub fn next(&self) -> Option<Time> {
        let end = self.busy.iter().map(|busy| busy.end).min().unwrap_or(Time::ZERO);
        (!self.waiting.is_empty() && end < Time::MAX).then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: ActorId = ActorId(1);

    fn at(secs: u64) -> Time {
        Time::ZERO + Span::from_secs(secs)
    }

    fn job(attempt: u64, secs: Option<u64>) -> Job {
        Job { from: PROXY, attempt: AttemptId(attempt), service: secs.map(Span::from_secs), reply: None }
    }

    /// What began: attempt and end in seconds.
    fn begun(act: impl FnOnce(&mut dyn FnMut(Job, Time))) -> Vec<(u64, u64)> {
        let mut list = Vec::new();
        act(&mut |job, end| list.push((job.attempt.0, end.as_nanos() / 1_000_000_000)));
        list
    }

    #[test]
    fn two_servers_work_on_two_calls_and_the_third_waits_its_turn() {
        let mut servers = Servers::new(2);
        assert_eq!(begun(|list| servers.arrive(at(0), job(0, Some(10)), list)), [(0, 10)]);
        assert_eq!(begun(|list| servers.arrive(at(1), job(1, Some(3)), list)), [(1, 4)]);
        assert_eq!(begun(|list| servers.arrive(at(2), job(2, Some(5)), list)), []);
        assert_eq!(begun(|list| servers.arrive(at(3), job(3, Some(1)), list)), []);
        assert_eq!(servers.next(), Some(at(4)));
        assert_eq!(begun(|list| servers.serve(at(4), list)), [(2, 9)]);
        assert_eq!(begun(|list| servers.serve(at(9), list)), [(3, 10)]);
        assert_eq!(servers.next(), None);
    }

    #[test]
    fn who_hangs_up_leaves_the_queue_or_frees_the_server() {
        let mut servers = Servers::new(1);
        assert_eq!(begun(|list| servers.arrive(at(0), job(0, None), list)).len(), 1);
        begun(|list| servers.arrive(at(1), job(1, Some(5)), list));
        begun(|list| servers.arrive(at(2), job(2, Some(5)), list));
        assert_eq!(servers.next(), None, "a call without an end ends only by its caller");
        assert_eq!(begun(|list| servers.hang_up(at(3), PROXY, AttemptId(1), list)), []);
        assert_eq!(begun(|list| servers.hang_up(at(4), PROXY, AttemptId(0), list)), [(2, 9)]);
        assert_eq!(begun(|list| servers.hang_up(at(5), PROXY, AttemptId(7), list)), []);
    }
}
