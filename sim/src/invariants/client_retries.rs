//! What the provider's own HTTP client repeats within one attempt (OpenAI's Python client, `max_retries`).

use router_core::{DeploymentId, Dialect, FailureKind, Plan, RetryAfter, Source, Span, Time};

use super::ledger::{End, Own};

/// The client does not wait for longer than this; it does not call again.
const WAIT_MAX: Span = Span::from_secs(120);

/// How often the client of a deployment calls again: as the deployment's `num_retries` says, else as the request's or the
/// router's `max_retries` does.
pub(super) fn most(plan: &Plan, whom: DeploymentId, own: &Own) -> u32 {
    let one = plan.deployment(whom);
    let repeats = plan.rules().client_retries && matches!(one.dialect, Dialect::OpenAi | Dialect::Azure);
    let deployments = Some(one.num_retries).filter(|set| set.from == Source::Deployment).map(|set| set.value);
    let most = deployments.or(own.max_retries).or(plan.settings().default_max_retries).unwrap_or(0);
    if repeats { u32::try_from(most.max(0)).unwrap_or(u32::MAX) } else { 0 }
}

/// A further call that says it is so manieth, after so many that were counted; `ended`: how the one before it ended, and when.
pub(super) fn of_call((told, before): (u32, u32), most: u32, ended: Option<(End, Time)>, at: Time) -> Option<String> {
    let Some((end, since)) = ended else { return Some("the client calls again, and no call has ended".to_owned()) };
    if told != before + 1 || before >= most {
        return Some(format!("the client calls again, by its count for the {told}th time, after {before} of {most}"));
    }
    let Some((least, longest)) = wait(end, before, since) else {
        return Some("the client calls again after what it does not call again for".to_owned());
    };
    let waited = at.since(since);
    (waited < least || waited > longest)
        .then(|| format!("the client waited {waited} before it called again, where it is {least} to {longest}"))
}

/// An attempt that ends with its newest call, after so many further ones.
pub(super) fn of_end(before: u32, most: u32, end: End, at: Time) -> Option<String> {
    (before < most && wait(end, before, at).is_some())
        .then(|| format!("the client gave up after {before} further calls of {most}"))
}

/// Whether the client may still wait before it calls again, after so many further calls, the newest of which ended so.
pub(super) fn may_wait(before: u32, ended: Option<(Time, End)>, at: Time) -> bool {
    let Some((since, end)) = ended else { return false };
    wait(end, before, since).is_some_and(|(_, longest)| since + longest >= at)
}

/// How long the client waits after a call that ended so, at least and at most; `None`: it does not call again.
fn wait(end: End, before: u32, since: Time) -> Option<(Span, Span)> {
    let asked = match end {
        End::Answered { .. } => return None,
        End::TimedOut => RetryAfter::Absent,
        End::Failed(failure) => {
            let again = match failure.kind {
                FailureKind::Refused | FailureKind::Reset => true,
                FailureKind::Status { code, .. } => super::retries::passes(code),
                FailureKind::Malformed | FailureKind::Truncated => false,
            };
            if !again {
                return None;
            }
            failure.retry_after
        }
    };
    let asked = match asked {
        RetryAfter::Absent => Span::ZERO,
        RetryAfter::Fractional(wait) => wait,
        RetryAfter::Seconds(seconds) => Span::from_secs(seconds.max(0).unsigned_abs()),
        RetryAfter::Until(nanos) => {
            Span::from_nanos(u64::try_from(nanos).unwrap_or(0).saturating_sub(since.as_nanos()))
        }
    };
    if asked > WAIT_MAX {
        return None;
    }
    if !asked.is_zero() {
        return Some((asked, asked));
    }
    let backoff = f64::min((0..before.min(8)).fold(0.5, |wait, _| wait * 2.0), 8.0);
    // Up to a quarter less.
    Some((Span::from_secs_f64(0.75 * backoff), Span::from_secs_f64(backoff)))
}
