//! What the router wants done.

use crate::error::Error;
use crate::ids::{AttemptId, DeploymentId, RequestId};
use crate::input::Answered;
use crate::note::Note;
use crate::time::Time;

/// One thing to do, or to know.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Call an upstream.
    Dispatch {
        /// On behalf of this request.
        request: RequestId,
        /// The name by which news of the call is to come back. Every call has a name of its own, also one that the
        /// HTTP client repeats within an attempt (see [`Note::CalledAgain`](crate::Note::CalledAgain)).
        attempt: AttemptId,
        /// Whom to call.
        to: DeploymentId,
        /// Tokens of the prompt.
        prompt_tokens: u32,
        /// Tokens that the model will write (see [`Ask::output_tokens`](crate::Ask)).
        output_tokens: u32,
        /// The answer is to be streamed.
        stream: bool,
        /// When the router will give up waiting for the first byte of the answer. It keeps that time by itself.
        give_up_at: Time,
    },
    /// Hang up on a call: it timed out, or its caller went away.
    Abort {
        /// The call.
        attempt: AttemptId,
        /// Whom it went to.
        to: DeploymentId,
    },
    /// Pass a piece of a streamed answer on to the caller.
    Relay {
        /// The caller's request.
        request: RequestId,
        /// The attempt it comes from.
        attempt: AttemptId,
    },
    /// The request is over: exactly one for each request that was not cancelled.
    Answer {
        /// The request.
        request: RequestId,
        /// How it ended.
        outcome: Outcome,
    },
    /// Why something was decided. Nothing depends on it.
    Note(Note),
}

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Outcome {
    /// With an answer.
    Answered(Answered),
    /// With an exception.
    Failed(Error),
}
