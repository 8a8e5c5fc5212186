//! One step in words, as a recording has it: what happened, without the figures that the hash covers.

use std::fmt::Write as _;

use router_core::{AttemptId, FailureKind, Note, Outcome};

use super::name;
use crate::actor::{Effect, Event, Message, Reply, Step};

/// The event, then each effect, with bars between them. No line breaks.
pub(super) fn of(step: &Step<'_>, names: &[String]) -> String {
    let mut text = match step.event {
        Event::Wake => "wakes".to_owned(),
        Event::Message { from, message } => format!("< {} {}", name(names, *from), said(message)),
    };
    for effect in step.effects {
        // Writing to a String cannot fail.
        let _ = match effect {
            Effect::Send { to, message, .. } => write!(text, " | > {} {}", name(names, *to), said(message)),
            Effect::Note(note) => write!(text, " | {}", noted(note)),
            Effect::Ended(ended) => {
                let how = ended.outcome.map_or_else(|| "gave up".to_owned(), |outcome| outcome_words(&outcome));
                write!(text, " | request {} over: {how}", ended.request)
            }
            Effect::FaultStruck { fault, .. } => write!(text, " | fault {fault} strikes"),
        };
    }
    text
}

fn said(message: &Message) -> String {
    match message {
        Message::Ask { request, .. } => format!("ask {request}"),
        Message::Cancel { request } => format!("cancel {request}"),
        Message::Answer { request, outcome } => format!("answer {request} {}", outcome_words(outcome)),
        Message::Call { attempt, .. } => format!("call {}", call(*attempt)),
        Message::Hangup { attempt, .. } => format!("hang up {}", call(*attempt)),
        Message::Reply { attempt, reply: Reply::Answered { .. } } => format!("reply {} ok", call(*attempt)),
        Message::Reply { attempt, reply: Reply::Failed { failure, .. } } => {
            let how = match failure.kind {
                FailureKind::Status { code, .. } => code.to_string(),
                FailureKind::Refused => "refused".to_owned(),
                FailureKind::Reset => "reset".to_owned(),
                FailureKind::Malformed => "malformed".to_owned(),
                FailureKind::Truncated => "truncated".to_owned(),
            };
            format!("reply {} {how}", call(*attempt))
        }
    }
}

/// The name of a call, shorter than the number: the router puts a counter into its upper half.
fn call(AttemptId(number): AttemptId) -> String {
    format!("{}.{}", number & u64::from(u32::MAX), number >> 32)
}

fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(_) => "ok".to_owned(),
        Outcome::Failed(error) => format!("{} {}", error.client_status, error.class.name()),
    }
}

fn noted(note: &Note) -> String {
    match note {
        Note::Picked { request, deployment, .. } => format!("picks deployment {} for {request}", deployment.0),
        Note::CalledAgain { request, .. } => format!("calls again for {request}"),
        Note::Succeeded { request, .. } => format!("{request} succeeds"),
        Note::Failed { request, error, .. } => format!("{request} fails: {}", error.class.name()),
        Note::StreamEnded { request, .. } => format!("stream of {request} ends"),
        Note::Selected(selection) => format!("selects for {}", selection.request),
        Note::Retrying { request, retry, of, wait, .. } => format!("retry {retry}/{of} of {request} in {wait}"),
        Note::GaveUp { request, .. } => format!("gives up on {request}"),
        Note::FellBack { request, depth, .. } => format!("{request} falls back, depth {depth}"),
        Note::FallbackExhausted { request, .. } => format!("no fallback left for {request}"),
        Note::Cooled { deployment, until, .. } => format!("cools deployment {} until {until}", deployment.0),
        Note::NotCooled { deployment, .. } => format!("does not cool deployment {}", deployment.0),
        Note::Hedged { request, .. } => format!("hedges {request}"),
        Note::Probes { deployment, .. } => format!("probes deployment {}", deployment.0),
        Note::AwaitsCooldown { request, until, .. } => format!("{request} waits for a cooldown until {until}"),
    }
}
