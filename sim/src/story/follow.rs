//! Following one request through the steps of a run.

use std::collections::{BTreeMap, BTreeSet};

use router_core::{AttemptId, DeploymentId, Filter, Note, RequestId, Selection, Time};

use super::{Moment, Resting, Story, What};
use crate::actor::{DrawKind, Drawn, Effect, Event, Message, Step, Watcher};
use crate::conform::request_of;

/// Watches a run and keeps what concerns one request.
#[derive(Debug)]
pub(super) struct Follower {
    request: RequestId,
    story: Option<Story>,
    /// The names of its calls.
    calls: BTreeSet<AttemptId>,
    /// How each deployment last came to rest, whosever failure it was.
    resting: BTreeMap<DeploymentId, Resting>,
}

impl Follower {
    pub(super) fn new(request: RequestId) -> Self {
        Self { request, story: None, calls: BTreeSet::new(), resting: BTreeMap::new() }
    }

    pub(super) fn finish(self) -> Option<Story> {
        self.story
    }

    fn add(&mut self, at: Time, what: What) {
        if let Some(story) = &mut self.story {
            story.moments.push(Moment { at, what });
        }
    }

    fn note(&mut self, at: Time, note: &Note, draws: &mut Draws<'_>) {
        // Every note takes its draws along, also those of other requests, so that the next one finds its own.
        let (chosen_by, jitter) = match note {
            Note::Selected(selection) => (draws.of_choice(selection), None),
            Note::Retrying { .. } | Note::GaveUp { .. } => (Vec::new(), draws.jitter(DrawKind::Jitter)),
            Note::Cooled { .. } => (Vec::new(), draws.jitter(DrawKind::CooldownJitter)),
            _ => (Vec::new(), None),
        };
        if let Note::Cooled { request, deployment, until, error, because, .. } = *note
            // Cooling who rests already changes nothing: the first reason holds.
            && self.resting.get(&deployment).is_none_or(|known| known.until <= at || known.until != until)
        {
            self.resting.insert(deployment, Resting { deployment, since: at, until, request, error, because });
        }
        if request_of(note) != self.request {
            return;
        }
        match note {
            Note::Selected(selection) => {
                let cooling = selection.filtered.iter().filter(|(_, filter)| matches!(filter, Filter::Cooldown(_)));
                let resting = cooling.filter_map(|(id, _)| self.resting.get(id).copied()).collect();
                self.add(at, What::Chose { selection: selection.clone(), draws: chosen_by, resting });
            }
            note => {
                if let Note::Picked { attempt, .. } | Note::CalledAgain { call: attempt, .. } = *note {
                    self.calls.insert(attempt);
                }
                self.add(at, What::Noted { note: note.clone(), jitter });
            }
        }
    }
}

impl Watcher for Follower {
    fn watch(&mut self, step: &Step<'_>) {
        let at = step.at;
        let mut called = None;
        match step.event {
            Event::Message { message: Message::Call { attempt, .. }, .. } => called = Some(*attempt),
            Event::Message { message: Message::Reply { attempt, reply }, .. } if self.calls.contains(attempt) => {
                self.add(at, What::Replied { call: *attempt, reply: *reply });
            }
            Event::Message { .. } | Event::Wake => {}
        }
        let mut draws = Draws(step.draws);
        for effect in step.effects {
            match effect {
                Effect::Send { message: Message::Ask { request, ask }, .. } if *request == self.request => {
                    let story =
                        Story { request: *request, ask: ask.clone(), sent: at, moments: Vec::new(), ended: None };
                    self.story = Some(story);
                }
                Effect::Send { message: Message::Hangup { attempt, deployment }, .. }
                    if self.calls.contains(attempt) =>
                {
                    self.add(at, What::HungUp { deployment: *deployment });
                }
                Effect::Send { message: Message::Answer { request, outcome }, .. } if *request == self.request => {
                    self.add(at, What::Answered(*outcome));
                }
                Effect::Note(note) => self.note(at, note, &mut draws),
                Effect::Ended(ended) if ended.request == self.request => {
                    if let Some(story) = &mut self.story {
                        story.ended = Some((at, *ended));
                    }
                }
                Effect::FaultStruck { fault, deployment }
                    if called.is_some_and(|attempt| self.calls.contains(&attempt)) =>
                {
                    self.add(at, What::Struck { fault: *fault, deployment: *deployment });
                }
                Effect::Send { .. } | Effect::Ended(_) | Effect::FaultStruck { .. } => {}
            }
        }
    }
}

/// The draws of a step that no note has taken yet. Draws and notes come in one order, so each note finds its own at the
/// front.
struct Draws<'a>(&'a [Drawn]);

impl Draws<'_> {
    /// What a choice drew: a shuffle, then one pick; either may be missing.
    fn of_choice(&mut self, selection: &Selection) -> Vec<Drawn> {
        let mut taken = Vec::new();
        if selection.eligible.is_empty() {
            return taken;
        }
        while let Some((first, rest)) = self.0.split_first() {
            match first.what {
                DrawKind::Order(_) => taken.push(*first),
                DrawKind::Pick(_) | DrawKind::Weighted(_) => {
                    taken.push(*first);
                    self.0 = rest;
                    break;
                }
                // That of a wait which nobody told of.
                DrawKind::Jitter | DrawKind::ClientJitter | DrawKind::CooldownJitter | DrawKind::Sample(_) => {}
            }
            self.0 = rest;
        }
        taken
    }

    fn jitter(&mut self, of: DrawKind) -> Option<f64> {
        let (first, rest) = self.0.split_first()?;
        let is_jitter = first.what == of;
        if is_jitter {
            self.0 = rest;
        }
        is_jitter.then_some(first.u)
    }
}
