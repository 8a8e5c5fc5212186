//! A run as Chrome trace events, the JSON that Perfetto and chrome://tracing open: requests with their attempts within
//! them, cooldowns, faults, and the load as counters.

use std::fmt::Write as _;

use routedrill_sim::metrics::{AttemptEnd, AttemptRow, RequestEnd, RequestRow, RowSink};
use router_core::{Plan, Time};
use serde_json::{Value, json};

use crate::model::{DetailReport, RunReport};

/// Keeps the requests that a trace shows: all of them, or every second, every fourth and so on of each client where there
/// are more than a viewer opens with ease.
#[derive(Clone, PartialEq, Debug)]
pub struct TraceRows {
    requests: Vec<RequestRow>,
    attempts: Vec<AttemptRow>,
    every: u64,
    most: usize,
}

/// Requests that a trace holds at most.
const REQUESTS_MAX: usize = 20_000;

impl Default for TraceRows {
    fn default() -> Self {
        Self { requests: Vec::new(), attempts: Vec::new(), every: 1, most: REQUESTS_MAX }
    }
}

impl RowSink for TraceRows {
    fn request(&mut self, row: &RequestRow) {
        if row.request.number.is_multiple_of(self.every) {
            self.requests.push(*row);
        }
        if self.requests.len() > self.most {
            self.every *= 2;
            self.requests.retain(|row| row.request.number.is_multiple_of(self.every));
            self.attempts.retain(|row| row.request.number.is_multiple_of(self.every));
        }
    }

    fn attempt(&mut self, row: &AttemptRow) {
        if row.request.number.is_multiple_of(self.every) {
            self.attempts.push(*row);
        }
    }
}

/// The processes of the trace: groups of tracks.
const REQUESTS: u32 = 1;
const DEPLOYMENTS: u32 = 2;
const FAULTS: u32 = 3;
const LOAD: u32 = 4;

/// The trace of a run; `labels` are the short names of the deployments.
pub fn trace(mut rows: TraceRows, plan: &Plan, labels: &[String], report: &RunReport) -> String {
    rows.requests.sort_by_key(|row| (row.due, row.request));
    rows.attempts.sort_by_key(|row| (row.request, row.started, row.attempt));
    let shown = match rows.every {
        1 => "every request".to_owned(),
        every => {
            format!("one of {every} requests of each client: all of them would be more than a viewer opens with ease")
        }
    };
    let about = json!({ "scenario": report.scenario, "seed": report.seed, "digest": report.digest, "shown": shown });
    let mut events = Events::default();
    for (process, name) in [(REQUESTS, "requests"), (DEPLOYMENTS, "cooldowns"), (FAULTS, "faults"), (LOAD, "load")] {
        events.add(&named("process_name", process, 0, name));
    }
    for row in &rows.requests {
        let first = rows.attempts.partition_point(|attempt| attempt.request < row.request);
        let own = rows.attempts[first..].iter().take_while(|attempt| attempt.request == row.request);
        request(&mut events, row, own, plan, labels);
    }
    let end = report.duration + report.drain;
    for (index, fault) in report.faults.iter().enumerate() {
        events.add(&named("thread_name", FAULTS, index, &fault.label));
        events.add(&slice(
            &fault.label,
            FAULTS,
            index,
            (fault.from, fault.until.unwrap_or(end)),
            json!({ "calls struck": fault.struck }),
        ));
    }
    if let Some(detail) = &report.detail {
        lanes(&mut events, detail);
    }
    format!("{{\"displayTimeUnit\":\"ms\",\"otherData\":{about},\"traceEvents\":[\n{}\n]}}\n", events.0)
}

/// Events, one per line.
#[derive(Default)]
struct Events(String);

impl Events {
    fn add(&mut self, event: &Value) {
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{}{event}", if self.0.is_empty() { "" } else { ",\n" });
    }
}

fn named(what: &str, process: u32, track: usize, name: &str) -> Value {
    json!({ "ph": "M", "name": what, "pid": process, "tid": track, "args": { "name": name } })
}

/// Something that lasts, on a track where nothing overlaps; in seconds.
fn slice(name: &str, process: u32, track: usize, (from, until): (f64, f64), args: Value) -> Value {
    json!({ "ph": "X", "name": name, "pid": process, "tid": track, "ts": from * 1e6, "dur": (until - from) * 1e6, "args": args })
}

/// Microseconds, as trace events count time.
fn micros(time: Time) -> f64 {
    time.as_nanos() as f64 / 1e3
}

/// A request and its attempts: a track of their own, since requests overlap.
fn request<'a>(
    events: &mut Events,
    row: &RequestRow,
    attempts: impl Iterator<Item = &'a AttemptRow>,
    plan: &Plan,
    labels: &[String],
) {
    let id = row.request.to_string();
    let event = |phase: &str, name: &str, at: Time, args: Value| {
        json!({ "ph": phase, "cat": "request", "id": id, "name": name, "pid": REQUESTS, "tid": row.request.source,
                "ts": micros(at), "args": args })
    };
    let label = |index: usize| labels.get(index).map_or("", String::as_str);
    let mut outcome = match row.end {
        RequestEnd::Answered { by, .. } => json!({ "outcome": "answered", "by": label(by.index()) }),
        RequestEnd::Failed(error) => {
            json!({ "outcome": "failed", "error": error.class.name(), "status": error.client_status })
        }
        RequestEnd::GaveUp => json!({ "outcome": "gave_up" }),
        RequestEnd::Open => json!({ "outcome": "open" }),
    };
    // Viewers put spans of one name together: one group for each name asked for, not one for each request.
    let name = plan.name(row.asked);
    outcome["request"] = json!(id);
    events.add(&event("b", name, row.due, outcome));
    for attempt in attempts {
        let outcome = match attempt.end {
            AttemptEnd::Answered(_) => json!({ "outcome": "answered" }),
            AttemptEnd::Failed { sent, error } => json!({
                "outcome": if sent { "failed" } else { "refused_by_router" },
                "error": error.class.name(),
                "status": error.status,
            }),
            AttemptEnd::Abandoned => json!({ "outcome": "abandoned" }),
            AttemptEnd::Open => json!({ "outcome": "open" }),
        };
        let name = label(attempt.deployment.index());
        events.add(&event("b", name, attempt.started, outcome));
        events.add(&event("e", name, attempt.ended, json!({})));
    }
    events.add(&event("e", name, row.ended, json!({})));
}

fn lanes(events: &mut Events, detail: &DetailReport) {
    let course = &detail.course;
    for (index, lane) in course.lanes.iter().enumerate() {
        let Some(name) = lane.deployment.as_deref().filter(|_| !lane.cooldowns.is_empty()) else { continue };
        events.add(&named("thread_name", DEPLOYMENTS, index, name));
        for cooldown in &lane.cooldowns {
            events.add(&slice("cooldown", DEPLOYMENTS, index, *cooldown, json!({})));
        }
    }
    for (index, start) in course.starts().into_iter().enumerate() {
        let per_second = |count: u64| count as f64 / course.step;
        let args = json!({
            "offered": per_second(course.sent[index]),
            "answered": per_second(course.answered[index]),
            "lost": per_second(course.failed[index] + course.gave_up[index]),
        });
        events.add(&json!({ "ph": "C", "name": "requests per second", "pid": LOAD, "tid": 0, "ts": start * 1e6, "args": args }));
    }
}

#[cfg(test)]
mod tests {
    use router_core::{NameId, RequestId};

    use super::*;

    #[test]
    fn a_long_run_is_thinned_evenly_and_keeps_attempts_with_their_requests() {
        let mut rows = TraceRows { most: 100, ..TraceRows::default() };
        for number in 0..1_000 {
            let request = RequestId::new(0, number);
            let (due, ended) = (Time::from_nanos(number), Time::from_nanos(number + 1));
            let end = RequestEnd::GaveUp;
            rows.attempt(&AttemptRow {
                request,
                attempt: router_core::AttemptId(number),
                n: 0,
                group: NameId(0),
                deployment: router_core::DeploymentId(0),
                started: due,
                ended,
                end: AttemptEnd::Open,
            });
            rows.request(&RequestRow {
                request,
                asked: NameId(0),
                due,
                ended,
                end,
                attempts: 1,
                retries: 0,
                fallbacks: 0,
            });
        }
        assert_eq!(rows.every, 16);
        assert_eq!(rows.requests.len(), 63);
        assert_eq!(rows.attempts.len(), 63);
        assert!(rows.requests.iter().all(|row| row.request.number.is_multiple_of(16)));
    }
}
