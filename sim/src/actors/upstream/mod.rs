//! A provider: it answers calls to some deployments, as fast and as often as it can.
//!
//! One actor stands for all deployments that share a quota. What becomes of a call is settled the moment it arrives, so
//! a call costs one event: the answer leaves with its delivery time stamped on it. Only at a [`Station`], where calls wait
//! for each other or slow each other down, an end is known when it comes.
//!
//! In this order: a fault that refuses strikes before any quota is asked, and uses none up; a quota refuses; what is
//! admitted may still be slowed down, filtered, reset or never answered by a fault. Refusals leave at once.

mod quota;
mod station;

pub use quota::{LimitFrom, Meter, Standing};
pub use station::{Job, Station};

use std::sync::Arc;

use router_core::{AttemptId, DeploymentId, Draw, Entropy, RetryAfter, Span, Time, Usage};

use crate::actor::{Actor, ActorId, Effect, Event, Message, Reply};
use crate::dice::QuantileTable;
use crate::faults::{Blow, Refusal, Strike};
use crate::links::Link;
use crate::scenario::QuotaUnit;

/// An upstream with all that it remembers.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// By rising deployment.
    served: Vec<Served>,
    quotas: Vec<SharedQuota>,
    /// How long an answer travels.
    latency: Span,
}

/// One deployment of an upstream.
#[derive(Clone, Debug)]
pub struct Served {
    /// Which one.
    pub deployment: DeploymentId,
    /// Nanoseconds to the first token.
    pub ttft: Arc<QuantileTable>,
    /// Nanoseconds for each token after it.
    pub tpot: Arc<QuantileTable>,
    /// Where it works on so many calls at once, or on so many at full speed.
    pub station: Option<Station>,
    /// The quotas that count its calls: indices into those of the upstream.
    pub quotas: Vec<usize>,
    /// What breaks, in the order in which it is tried.
    pub strikes: Vec<Strike>,
    /// The answers to a call over a quota on requests, and to one over a quota on tokens.
    pub over_quota: [Refusal; 2],
    /// Those answers say how long to wait.
    pub retry_after: bool,
}

/// A quota and what it counts.
#[derive(Clone, Debug)]
pub struct SharedQuota {
    /// What it counts.
    pub unit: QuotaUnit,
    /// How much of it is used.
    pub meter: Meter,
}

/// What an answer's headers tell about the quotas of a deployment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RateLimits {
    /// The tightest quota on requests.
    pub requests: Option<Standing>,
    /// The tightest quota on tokens.
    pub tokens: Option<Standing>,
}

/// A call as it arrives.
#[derive(Clone, Copy)]
struct Call {
    from: ActorId,
    attempt: AttemptId,
    usage: Usage,
}

impl Upstream {
    /// An upstream that answers to the deployments in `served`, over links that take `latency` one way.
    pub fn new(mut served: Vec<Served>, quotas: Vec<SharedQuota>, latency: Span) -> Self {
        served.sort_by_key(|served| served.deployment);
        Self { served, quotas, latency }
    }

    /// What the headers of an answer for `deployment`, sent at `now`, say about its quotas.
    pub fn rate_limits(&mut self, now: Time, deployment: DeploymentId) -> RateLimits {
        let mut limits = RateLimits::default();
        let Some(served) = find(&mut self.served, deployment) else { return limits };
        for &index in &served.quotas {
            let quota = &mut self.quotas[index];
            let slot = match quota.unit {
                QuotaUnit::Requests => &mut limits.requests,
                QuotaUnit::Tokens => &mut limits.tokens,
            };
            let standing = quota.meter.standing(now);
            if slot.is_none_or(|tightest| standing.remaining < tightest.remaining) {
                *slot = Some(standing);
            }
        }
        limits
    }

    fn on_call(
        &mut self,
        now: Time,
        call: Call,
        deployment: DeploymentId,
        entropy: &mut dyn Entropy,
        out: &mut Vec<Effect>,
    ) {
        let Some(served) = find(&mut self.served, deployment) else { return };
        // Drawn first, and always, so that a call that meets a fault leaves the next calls' latencies as they were.
        let ttft = served.ttft.sample(entropy.unit(Draw::Sample("ttft")));
        let tpot = served.tpot.sample(entropy.unit(Draw::Sample("tpot")));
        let link = Link::new(call.from, self.latency);
        let send = |at: Time, reply: Reply| link.send(at, Message::Reply { attempt: call.attempt, reply });
        let refuse = |Refusal { failure, text }: Refusal| send(now, Reply::Failed { failure, text });

        let strike = served.strikes.iter().find(|strike| {
            strike.is_on(now) && (strike.probability >= 1.0 || entropy.unit(Draw::Sample("fault")) < strike.probability)
        });
        let struck = |strike: &Strike| Effect::FaultStruck { fault: strike.fault, deployment };
        if let Some(strike) = strike
            && let Blow::Fail(refusal) = strike.blow
        {
            out.push(struck(strike));
            out.push(refuse(refusal));
            return;
        }

        if let Err(over) = admit(&mut self.quotas, &served.quotas, now, call.usage) {
            let mut refusal = served.over_quota[matches!(over.unit, QuotaUnit::Tokens) as usize];
            if served.retry_after {
                refusal.failure.retry_after = RetryAfter::Seconds(whole_seconds(over.wait));
            }
            out.extend(over.cut_by.map(|fault| Effect::FaultStruck { fault, deployment }));
            out.push(refuse(refusal));
            return;
        }

        out.extend(strike.map(struck));
        let blow = strike.map(|strike| strike.blow);
        let after_first = u64::from(call.usage.completion_tokens.saturating_sub(1));
        let mut latency = ttft.saturating_add(tpot.saturating_mul(after_first));
        if let Some(Blow::Slow(factor)) = blow {
            latency = (latency as f64 * factor + 0.5) as u64;
        }
        let reply = match blow {
            Some(Blow::Silent) => None,
            Some(Blow::Reset) => Some(RESET),
            blow => Some(Reply::Answered { usage: call.usage, content_filter: blow == Some(Blow::Filtered) }),
        };
        let service = Span::from_nanos(latency);
        match &mut served.station {
            None => out.extend(reply.map(|reply| send(now + service, reply))),
            Some(station) => {
                let job = Job { from: call.from, attempt: call.attempt, service, reply };
                station.arrive(now, job, answer(self.latency, out));
            }
        }
    }

    fn on_hangup(
        &mut self,
        now: Time,
        from: ActorId,
        attempt: AttemptId,
        deployment: DeploymentId,
        out: &mut Vec<Effect>,
    ) {
        if let Some(station) = find(&mut self.served, deployment).and_then(|served| served.station.as_mut()) {
            station.hang_up(now, from, attempt, answer(self.latency, out));
        }
    }

    fn on_wake(&mut self, now: Time, out: &mut Vec<Effect>) {
        for station in self.served.iter_mut().filter_map(|served| served.station.as_mut()) {
            station.pass(now, answer(self.latency, out));
        }
    }
}

impl Actor for Upstream {
    fn handle(&mut self, now: Time, event: &Event, entropy: &mut dyn Entropy, out: &mut Vec<Effect>) {
        let Event::Message { from, message } = event else { return self.on_wake(now, out) };
        match *message {
            Message::Call { attempt, deployment, prompt_tokens, output_tokens } => {
                let usage = Usage { prompt_tokens, completion_tokens: output_tokens };
                self.on_call(now, Call { from: *from, attempt, usage }, deployment, entropy, out);
            }
            Message::Hangup { attempt, deployment } => {
                self.on_hangup(now, *from, attempt, deployment, out);
            }
            // Nothing else is for an upstream.
            Message::Ask { .. } | Message::Cancel { .. } | Message::Answer { .. } | Message::Reply { .. } => {}
        }
    }

    fn next_wake(&self) -> Option<(Time, &'static str)> {
        let next = self.served.iter().filter_map(|served| served.station.as_ref()?.next()).min();
        next.map(|at| (at, "station"))
    }
}

const RESET: Reply = Reply::Failed {
    failure: router_core::Failure { kind: router_core::FailureKind::Reset, retry_after: RetryAfter::Absent },
    text: None,
};

/// Sends the answer of a call when it ends.
fn answer(latency: Span, out: &mut Vec<Effect>) -> impl FnMut(Time, Job) + '_ {
    move |end, job| {
        let send = |reply| Link::new(job.from, latency).send(end, Message::Reply { attempt: job.attempt, reply });
        out.extend(job.reply.map(send));
    }
}

/// A call that a quota refused.
struct OverQuota {
    unit: QuotaUnit,
    wait: Span,
    cut_by: Option<u32>,
}

/// Takes a call from all of its quotas, or from none.
///
/// Tokens are counted as providers count them at admission: the prompt and what the answer may become. The model here
/// writes what it was going to write, so the estimate is right; a caller whose `max_tokens` is far above what it gets
/// meets a real token quota earlier than this one.
fn admit(quotas: &mut [SharedQuota], of_call: &[usize], now: Time, usage: Usage) -> Result<(), OverQuota> {
    let amount = |unit| match unit {
        QuotaUnit::Requests => 1,
        QuotaUnit::Tokens => usage.total(),
    };
    for &index in of_call {
        let quota = &mut quotas[index];
        quota.meter.room(now, amount(quota.unit)).map_err(|wait| OverQuota {
            unit: quota.unit,
            wait,
            cut_by: quota.meter.cut_by(),
        })?;
    }
    for &index in of_call {
        let quota = &mut quotas[index];
        quota.meter.take(now, amount(quota.unit));
    }
    Ok(())
}

/// A wait as `Retry-After` says it: whole seconds, rounded up, so that whoever waits as told gets through.
fn whole_seconds(wait: Span) -> i64 {
    wait.as_nanos().div_ceil(Span::from_secs(1).as_nanos()) as i64
}

fn find(served: &mut [Served], deployment: DeploymentId) -> Option<&mut Served> {
    let index = served.binary_search_by_key(&deployment, |served| served.deployment).ok()?;
    served.get_mut(index)
}

#[cfg(test)]
mod tests;
