//! Timeouts that leave normal answers alone and somebody else the time to answer.

use router_core::{NameId, Setting, Span};

use super::world::World;

/// Timeouts that fit between what normal answers take and what callers wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fit {
    /// The retries that leave room for them, where today's are too many.
    pub retries: Option<i64>,
    /// Seconds: above what 99 % of the normal answers take.
    pub lowest: u64,
    /// Seconds: early enough for somebody else to answer.
    pub highest: u64,
}

/// The retries of a name.
pub fn retries_of(world: &World, asked: NameId) -> Setting<i64> {
    let plan = &*world.plan;
    plan.members(asked).first().map_or(plan.settings().num_retries, |id| plan.deployment(*id).num_retries)
}

/// What fits for a name of which 99 % of the answers take at most `usual_p99` when nothing fails. `all_failed`: every
/// attempt met what had failed, so that all of them have to fit in, as in a group of one.
pub fn fit(world: &World, asked: NameId, usual_p99: Span, all_failed: bool) -> Option<Fit> {
    let (deadline, usual) = (world.deadline.as_secs_f64(), usual_p99.as_secs_f64());
    let alone = world.plan.members(asked).len() == 1;
    // A group of one tries the same deployment again and again, and sleeps in between, before it falls back.
    let retries = if alone || all_failed { retries_of(world, asked).value.max(0) } else { 0 };
    let waits = |retries: i64| if alone { backoff(retries) } else { 0.0 };
    let lowest = usual.ceil();
    let highest = |retries: i64| ((deadline - usual - waits(retries)) / (retries + 1) as f64).floor();
    let fits = (0..=retries).rev().find(|retries| highest(*retries) >= lowest)?;
    let fewer = (fits < retries).then_some(fits);
    Some(Fit { retries: fewer, lowest: lowest as u64, highest: highest(fits) as u64 })
}

/// What a group of one sleeps at most before so many retries and after the last, in seconds (LiteLLM: 0.5 s, doubled
/// up to 8 s, and 0.75 s of jitter).
fn backoff(retries: i64) -> f64 {
    if retries == 0 {
        return 0.0;
    }
    (0..=retries).map(|k| (0.5 * f64::from(1_u32 << k.min(4) as u32)).min(8.0) + 0.75).sum()
}
