//! Why an outage was felt, from what the router itself remarked while it was on. Nothing is guessed: each cause is
//! counted.

use router_core::{
    DeploymentId, ErrorClass, FallbackList, GiveUpReason, NameId, NoFallback, NotCooledReason, Plan, Setting, Source,
    Span,
};

use crate::metrics::{Doing, Loss, LossEnd, LossRecord, Metrics, NextHop, Phase, Reason};

/// A cause, for the users of one name.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cause {
    /// The name they asked for.
    pub asked: NameId,
    /// What it is.
    pub kind: CauseKind,
    /// How many requests it cost, or how many calls it concerned where none was lost.
    pub count: u64,
    /// Whether requests were lost by it; otherwise they only took longer.
    pub lost: bool,
}

/// What a cause is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum CauseKind {
    /// LiteLLM knows no model of that name.
    UnknownName,
    /// The callers' deadline passed within one attempt, whose own timeout is later.
    TimeoutAfterDeadline {
        /// The timeout that held for the attempt.
        timeout: Setting<Span>,
    },
    /// The callers' deadline passed in a later attempt, or between two of them.
    ChainTooLong {
        /// The timeout of each attempt.
        timeout: Setting<Span>,
        /// Retries that the router makes of each group.
        retries: Setting<i64>,
    },
    /// The callers' deadline passed while the router slept before a retry, or after the last one.
    Slept {
        /// Retries that the router makes of each group.
        retries: Setting<i64>,
    },
    /// A deployment that was well was not chosen.
    PassedOver {
        /// Who.
        deployment: DeploymentId,
        /// Which filter kept it out most often.
        reason: Reason,
    },
    /// Everybody in the group had failed, and there was no fallback.
    NoFallback {
        /// Why retries ended.
        gave_up: Option<GiveUpReason>,
    },
    /// Somebody in the group was well, but the request did not get there, and there was no fallback.
    SiblingMissed {
        /// Why retries ended.
        gave_up: Option<GiveUpReason>,
    },
    /// The fallback is no model of the configuration.
    FallbackUndefined {
        /// Its name.
        to: NameId,
    },
    /// The fallback's deployments were struck by the same outage.
    FallbackStruckToo {
        /// Its name.
        to: NameId,
    },
    /// The fallback failed for another reason.
    FallbackFailed {
        /// Its name.
        to: NameId,
        /// What it ended with.
        class: Option<ErrorClass>,
    },
    /// Fallbacks were not allowed to go on.
    FallbackEnded {
        /// Why.
        because: NoFallback,
    },
    /// The request ended in an error before any fallback was looked for.
    Error {
        /// Its class.
        class: ErrorClass,
        /// The status that callers saw.
        status: u16,
    },
    /// A failing deployment was called on and on, because it never cooled.
    NeverCooled {
        /// Who.
        deployment: DeploymentId,
        /// Which rule kept it from cooling most often.
        because: NotCooledReason,
    },
    /// Attempts were let run into their timeout before anybody else was tried.
    LongTimeout {
        /// The timeout.
        timeout: Setting<Span>,
    },
    /// Requests slept before retries.
    Sleeps {
        /// All of it together.
        slept: Span,
    },
    /// Nothing failed; answers only took longer.
    SlowUnnoticed,
}

/// The causes of an outage, those that cost requests first, each by how many.
///
/// `struck` says by deployment whether it failed; `metrics` are of the outage's runs.
pub(super) fn causes(plan: &Plan, struck: &[bool], metrics: &Metrics, deadline: Span) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for record in metrics.losses().iter().filter(|record| record.loss.phase != Phase::Before) {
        let kind = kind(plan, struck, &record.loss, deadline);
        add(&mut causes, record, kind);
        if let Some(kind) = passed_over(plan, struck, metrics, &record.loss) {
            add(&mut causes, record, kind);
        }
    }
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.count));
    causes
}

/// Why an outage in which nobody was lost was felt all the same.
pub(super) fn slowness(plan: &Plan, struck: &[bool], metrics: &Metrics, asked: NameId) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut add = |kind, count| causes.push(Cause { asked, kind, count, lost: false });
    let failing = || (0..).zip(metrics.deployments()).filter(|&(index, _)| struck.get(index as usize) == Some(&true));
    let failed: u64 = failing().map(|(_, counts)| counts.errors.total()).sum();
    let timeouts: u64 =
        failing().map(|(_, counts)| counts.errors.sum(|error| error.class == ErrorClass::Timeout)).sum();
    if timeouts > 0
        && let Some((index, _)) = failing().next()
    {
        add(CauseKind::LongTimeout { timeout: plan.deployment(DeploymentId(index)).timeout }, timeouts);
    }
    /// Shorter sleeps than this, on average, nobody feels.
    const FELT: f64 = 1.0;
    let slept = metrics.movement().slept;
    let hit = metrics.over(&Phase::ALL).hit;
    if hit > 0 && slept.as_secs_f64() / hit as f64 >= FELT {
        add(CauseKind::Sleeps { slept }, metrics.movement().retries.total());
    }
    if failed == 0 {
        add(CauseKind::SlowUnnoticed, failing().map(|(_, counts)| counts.attempts).sum());
    }
    causes.extend(never_cooled(struck, metrics, asked));
    causes
}

/// The deployments that failed and never cooled, with the rule that kept each from it most often.
pub(super) fn never_cooled(struck: &[bool], metrics: &Metrics, asked: NameId) -> Vec<Cause> {
    (0..)
        .zip(metrics.deployments())
        .filter(|&(index, counts)| {
            struck.get(index as usize) == Some(&true) && counts.cooled.is_empty() && counts.errors.total() > 0
        })
        .filter_map(|(index, counts)| {
            // That only one failure of a request counts is not why that one did not cool.
            let ranked = counts.not_cooled.ranked();
            let decisive = ranked.iter().find(|(because, _)| *because != NotCooledReason::AlreadyCounted);
            let &(because, _) = decisive.or(ranked.first())?;
            let kind = CauseKind::NeverCooled { deployment: DeploymentId(index), because };
            Some(Cause { asked, kind, count: counts.errors.total(), lost: false })
        })
        .collect()
}

fn add(causes: &mut Vec<Cause>, record: &LossRecord, kind: CauseKind) {
    let asked = record.loss.asked;
    match causes.iter_mut().find(|cause| cause.asked == asked && cause.kind == kind) {
        Some(cause) => cause.count += record.count,
        None => causes.push(Cause { asked, kind, count: record.count, lost: true }),
    }
}

fn kind(plan: &Plan, struck: &[bool], loss: &Loss, deadline: Span) -> CauseKind {
    let members = plan.members(loss.asked);
    match (loss.end, loss.next) {
        _ if members.is_empty() => CauseKind::UnknownName,
        (LossEnd::Deadline(doing) | LossEnd::Open(doing), _) => out_of_time(plan, loss, doing, deadline),
        (LossEnd::Error { class, status }, NextHop::NotReached) => CauseKind::Error { class, status },
        (LossEnd::Error { .. }, NextHop::None(NoFallback::NoEntry | NoFallback::AllTried))
            if !has_chain(plan, loss.asked) =>
        {
            let gave_up = loss.gave_up;
            if members.iter().all(|id| is_struck(struck, *id)) {
                CauseKind::NoFallback { gave_up }
            } else {
                CauseKind::SiblingMissed { gave_up }
            }
        }
        (LossEnd::Error { .. }, NextHop::None(because)) => CauseKind::FallbackEnded { because },
        (LossEnd::Error { .. }, NextHop::Failed { to, class, .. }) => {
            let members = plan.members(to);
            if members.is_empty() {
                CauseKind::FallbackUndefined { to }
            } else if members.iter().all(|id| is_struck(struck, *id)) {
                CauseKind::FallbackStruckToo { to }
            } else {
                CauseKind::FallbackFailed { to, class }
            }
        }
    }
}

/// Whether a name has a fallback besides itself. The order levels of a group are no fallbacks.
fn has_chain(plan: &Plan, asked: NameId) -> bool {
    plan.fallback_chain(asked, FallbackList::Fallbacks).iter().any(|target| target.model.is_some_and(|to| to != asked))
}

/// Nobody could be chosen although somebody was well: who, and which filter kept them out most often.
fn passed_over(plan: &Plan, struck: &[bool], metrics: &Metrics, loss: &Loss) -> Option<CauseKind> {
    let LossEnd::Error { class: ErrorClass::RouterRateLimitError, .. } = loss.end else { return None };
    let members = plan.members(loss.asked);
    let well = |id: &DeploymentId| members.contains(id) && !is_struck(struck, *id);
    let ranked = metrics.movement().passed_over.ranked();
    let ((_, deployment, reason), _) =
        ranked.into_iter().find(|((group, id, _), _)| *group == loss.asked && well(id))?;
    Some(CauseKind::PassedOver { deployment, reason })
}

fn out_of_time(plan: &Plan, loss: &Loss, doing: Doing, deadline: Span) -> CauseKind {
    let first = plan.members(loss.asked).first().copied().unwrap_or_default();
    let deployment = match doing {
        Doing::Attempt { deployment, .. } => deployment,
        Doing::Nothing | Doing::Wait => first,
    };
    let settings = plan.deployment(deployment);
    match doing {
        Doing::Attempt { timeout, .. } if timeout >= deadline => {
            // What the attempt was called with; the place is that of the deployment unless the request chose.
            let from = if settings.timeout.value == timeout { settings.timeout.from } else { Source::Default };
            CauseKind::TimeoutAfterDeadline { timeout: Setting::new(timeout, from) }
        }
        Doing::Wait => CauseKind::Slept { retries: settings.num_retries },
        Doing::Attempt { .. } | Doing::Nothing => {
            CauseKind::ChainTooLong { timeout: settings.timeout, retries: settings.num_retries }
        }
    }
}

fn is_struck(struck: &[bool], id: DeploymentId) -> bool {
    struck.get(id.index()) == Some(&true)
}
