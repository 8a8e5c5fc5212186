//! Waiting for the first cooldown to end, instead of failing because everybody rests. LiteLLM does not wait.

use crate::error::{ErrorClass, Exception};
use crate::note::Note;
use crate::request::Phase;
use crate::router::{Context, Router};
use crate::time::{Span, Time};
use crate::timers::Turn;

impl Router {
    /// A request is about to fail with `exception`: says whether it waits instead, because nobody could be called, or called
    /// again, while all deployments of the group that it asked for rest, and the first of them is back in time. Then it
    /// begins again from there.
    pub(crate) fn waits_for_cooldown(&mut self, cx: &mut Context<'_>, slot: u32, exception: &Exception) -> bool {
        let Some(most) = cx.plan.what_if().wait_for_cooldown else { return false };
        let request = self.requests.get(slot);
        if exception.error.class != ErrorClass::RouterRateLimitError && !request.top().none_healthy {
            return false;
        }
        let (id, group) = (request.id(), request.name);
        let since = request.waits_since.unwrap_or(cx.now);
        let Some(until) = self.first_back(cx, slot, since + most) else { return false };
        let request = self.requests.at(slot);
        request.waits_since = Some(since);
        request.begin_again();
        request.phase = Phase::AwaitingCooldown;
        request.epoch = request.epoch.wrapping_add(1);
        self.timers.set_wait(until, Turn { slot, epoch: request.epoch });
        cx.note(Note::AwaitsCooldown { request: id, group, until });
        true
    }

    /// When the first deployment of the request's group is back, if all of them rest and it is by `at_latest`. How long a
    /// probe takes nobody knows: its end wakes whoever waits.
    fn first_back(&self, cx: &Context<'_>, slot: u32, at_latest: Time) -> Option<Time> {
        let (plan, now) = (cx.plan, cx.now);
        let mut first: Option<Time> = None;
        for &id in &plan.route(self.requests.get(slot).name).members {
            let deployment = plan.deployment(id);
            if deployment.blocked || deployment.team {
                continue;
            }
            let back = match self.cooldowns.cooled_until(plan, id, now) {
                // Some rests include their last moment.
                Some(until) => until + Span::from_nanos(1),
                None if self.half_open.is_full(plan, id) => at_latest,
                None => return None,
            };
            first = Some(first.map_or(back, |first| first.min(back)));
        }
        first.filter(|&first| now < first && first <= at_latest)
    }

    /// A probe of a deployment is over: whoever waits for its group goes on, the oldest first.
    pub(crate) fn wake_waiting(&mut self, cx: &Context<'_>, deployment: crate::DeploymentId) {
        if cx.plan.what_if().wait_for_cooldown.is_none() {
            return;
        }
        let twin = cx.plan.deployment(deployment).twin;
        let is_member = |name| cx.plan.route(name).members.iter().any(|&id| cx.plan.deployment(id).twin == twin);
        let mut waiting: Vec<(Time, Turn)> = self
            .requests
            .awaiting_cooldown()
            .filter_map(|(turn, request)| is_member(request.name).then_some((request.arrived, turn)))
            .collect();
        waiting.sort_unstable();
        self.served.extend(waiting.into_iter().map(|(_, turn)| turn));
    }
}
