//! Streams, from their first chunk on (LiteLLM: `_acompletion_streaming_iterator`).

use crate::attempt::Step;
use crate::config::Mode;
use crate::error::{ErrorClass, Exception};
use crate::input::{Answered, RequestLists, Usage};
use crate::note::Note;
use crate::output::{Outcome, Output};
use crate::request::{Carried, Phase};
use crate::router::{Context, Router};
use crate::rules::CutStream;

/// Tokens of the message that asks for the rest of an answer that broke off.
const CONTINUATION_TOKENS: u32 = 67;

impl Router {
    /// The headers of a stream arrived.
    pub(crate) fn stream_opened(&mut self, cx: &mut Context<'_>, slot: u32) {
        let request = self.requests.at(slot);
        if !request.stream || request.call.opened {
            return;
        }
        request.call.opened = true;
        self.arm(cx, slot);
        if !cx.plan.rules().awaits_first_chunk {
            self.begin_stream(cx, slot);
        }
    }

    /// A piece of a stream arrived.
    pub(crate) fn stream_chunk(&mut self, cx: &mut Context<'_>, slot: u32) {
        let request = self.requests.at(slot);
        if !request.stream {
            return;
        }
        request.call.opened = true;
        request.call.chunks += 1;
        request.call.first_chunk.get_or_insert(cx.now);
        self.arm(cx, slot);
        if !self.requests.get(slot).call.begun {
            self.begin_stream(cx, slot);
        }
        let request = self.requests.get(slot);
        cx.out.push(Output::Relay { request: request.id(), attempt: request.call.attempt });
    }

    /// The attempt is over; the caller reads the stream from here on.
    fn begin_stream(&mut self, cx: &mut Context<'_>, slot: u32) {
        let rules = cx.plan.rules();
        let request = self.requests.at(slot);
        request.call.begun = true;
        let (id, call) = (request.id(), request.call);
        // What the caller is told who answered does not change when another goes on with the stream.
        request.streamed_by.get_or_insert(call.deployment);
        if rules.cut_stream == CutStream::FallsBack {
            request.forget_callers();
        }
        let usage = Usage::default();
        cx.note(Note::Succeeded { request: id, attempt: call.attempt, deployment: call.deployment, usage });
        self.probe_succeeded(cx, slot);
        if !rules.slot_covers_stream {
            self.give_place_back(cx, slot);
        }
    }

    /// A stream ended as it should.
    pub(crate) fn stream_finished(&mut self, cx: &mut Context<'_>, slot: u32, usage: Usage) {
        if !self.requests.get(slot).call.begun {
            self.begin_stream(cx, slot);
        }
        let request = self.requests.at(slot);
        request.phase = Phase::Idle;
        let (id, call) = (request.id(), request.call);
        // Behind the proxy, LiteLLM counts the prompt that the request came with.
        let uncounted = if cx.plan.mode() == Mode::Proxy { request.continued_tokens } else { 0 };
        let by = request.streamed_by.unwrap_or(call.deployment);
        self.in_flight[call.deployment.index()] -= 1;
        cx.note(Note::StreamEnded { request: id, attempt: call.attempt, error: None });
        let usage = Usage { prompt_tokens: usage.prompt_tokens.saturating_sub(uncounted), ..usage };
        self.report_success(cx, slot, usage);
        self.give_place_back(cx, slot);
        self.answer(cx, slot, Outcome::Answered(Answered { by, usage }));
    }

    /// A stream that the caller reads broke off.
    pub(crate) fn stream_failed(&mut self, cx: &mut Context<'_>, slot: u32, exception: Exception) -> Step {
        let request = self.requests.at(slot);
        request.phase = Phase::Idle;
        let (id, call) = (request.id(), request.call);
        let error = exception.error;
        cx.note(Note::StreamEnded { request: id, attempt: call.attempt, error: Some(error) });
        // LiteLLM lets timeouts and whatever has a 4xx through as they are.
        let passed_on = matches!(error.status, Some(400..=499));
        let surfaces = cx.plan.rules().cut_stream == CutStream::Surfaces || passed_on;
        if surfaces || cx.plan.mode() == Mode::Sdk {
            self.report_failure(cx, slot, &exception.unmapped());
        } else {
            // Nobody waits for the report of a broken stream, and behind the proxy it is on the record that the next
            // call writes to.
            self.report_late(cx, slot, exception.unmapped(), false);
        }
        self.give_place_back(cx, slot);
        if surfaces {
            return Step::Answer(Outcome::Failed(error));
        }
        // The fallback layer is entered with what the attempt was called with: of what the request asked for, the
        // retry layer has taken its fallbacks and its number of retries.
        let request = self.requests.at(slot);
        // The next one is asked to go on: a sentence that says so, and what was written so far.
        request.continued_tokens += CONTINUATION_TOKENS + if call.chunks > 0 { 2 * call.chunks + 1 } else { 0 };
        let frame = request.frame();
        if let Some(carried) = frame.carried.as_deref() {
            frame.carried = Some(
                Carried {
                    num_retries: None,
                    fallbacks: None,
                    lists: RequestLists::default(),
                    disable_fallbacks: false,
                    ..carried.clone()
                }
                .into(),
            );
        }
        Step::Raised(Exception::new(ErrorClass::MidStreamFallbackError, Some(503)))
    }
}
