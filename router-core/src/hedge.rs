//! Hedged requests: a call that was not answered for a while gets company at another deployment of its group, and the first
//! good answer counts. LiteLLM makes one call at a time.
//!
//! The second call has a place in the table of requests of its own, under the name of the request that it is for, so that
//! its timeout, its place at the deployment and its counters are kept as those of any call. It is no retry: it has neither
//! retries nor fallbacks, and whatever it fails with is forgotten. LiteLLM's callbacks hear of it as of a request of its
//! own.

use crate::attempt::Step;
use crate::error::Exception;
use crate::output::{Outcome, Output};
use crate::request::{Phase, attempt_of};
use crate::router::{Context, Router};
use crate::timers::Turn;

impl Router {
    /// Notes when a call is to get company, if calls do.
    pub(crate) fn arm_hedge(&mut self, cx: &Context<'_>, slot: u32) {
        let Some(after) = cx.plan.what_if().hedge_after else { return };
        let request = self.requests.at(slot);
        if request.stream || request.hedge.is_some() || request.hedges.is_some() {
            return;
        }
        request.call.hedge_at = Some(cx.now + after);
        let turn = Turn { slot, epoch: request.epoch };
        let requests = &self.requests;
        self.timers.set_deadline(cx.now, after, turn, |turn, at| requests.has_deadline(turn, at));
    }

    /// A call was not answered for long enough: the same request goes to somebody else, if there is somebody.
    pub(crate) fn hedge(&mut self, cx: &mut Context<'_>, slot: u32) {
        let hedge = self.requests.begin_hedge(slot);
        let request = self.requests.at(slot);
        request.call.hedge_at = None;
        let (id, n, name, called) = (request.id(), request.attempts, request.top().name, request.call.deployment);
        let found = self.select(cx, hedge).ok();
        let other = found.filter(|&found| cx.plan.deployment(found).twin != cx.plan.deployment(called).twin);
        let Some(deployment) = other.filter(|_| self.retry_tokens.take()) else { return self.requests.end(hedge) };
        self.note_selection(cx, (id, n, name), Some(deployment));
        let request = self.requests.at(slot);
        request.attempts += 1;
        request.hedge = Some(hedge);
        let step = self.begin_call(cx, hedge, n, deployment);
        self.advance(cx, hedge, step);
    }

    /// The second call failed: the request goes on without it, with what its own call failed with if that is over.
    pub(crate) fn hedge_failed(&mut self, cx: &mut Context<'_>, hedge: u32, first: u32) {
        self.deliver_reports_of_the_past(cx, hedge);
        self.requests.end(hedge);
        let request = self.requests.at(first);
        request.hedge = None;
        if let Phase::AfterHedge(exception) = request.phase {
            request.phase = Phase::Idle;
            self.advance(cx, first, Step::Failed(exception));
        }
    }

    /// The second call was answered first.
    pub(crate) fn hedge_answered(&mut self, cx: &mut Context<'_>, hedge: u32, first: u32, outcome: Outcome) {
        self.requests.end(hedge);
        self.requests.at(first).hedge = None;
        self.drop_call(cx, first);
        self.answer(cx, first, outcome);
    }

    /// The request's own call failed while its second one is under way: what comes of that decides.
    pub(crate) fn await_hedge(&mut self, slot: u32, exception: Exception) {
        self.requests.at(slot).phase = Phase::AfterHedge(exception);
    }

    /// Ends the second call of a request, if it has one.
    pub(crate) fn drop_hedge(&mut self, cx: &mut Context<'_>, slot: u32) {
        if let Some(hedge) = self.requests.at(slot).hedge.take() {
            self.drop_call(cx, hedge);
            self.requests.end(hedge);
        }
    }

    /// Ends what a request waits for at its upstream: nobody wants the answer any longer.
    pub(crate) fn drop_call(&mut self, cx: &mut Context<'_>, slot: u32) {
        let request = self.requests.get(slot);
        let turn = Turn { slot, epoch: request.epoch };
        match request.phase {
            Phase::Calling => {
                cx.out.push(Output::Abort { attempt: attempt_of(turn), to: request.call.deployment });
                self.in_flight[request.call.deployment.index()] -= 1;
                self.give_place_back(cx, slot);
            }
            Phase::ClientWait => self.give_place_back(cx, slot),
            Phase::InLine => {
                if let Some(counter) = request.call.place {
                    self.parallel.leave(counter, turn);
                }
                self.end_probe(cx, slot);
            }
            Phase::Idle
            | Phase::BeforeAttempt
            | Phase::AfterLast(_)
            | Phase::AwaitingCooldown
            | Phase::AfterHedge(_) => {}
        }
    }
}
