//! What holds whatever happens.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use router_core::{Filter, Number};

use crate::drive::{Driven, Noise};
use crate::world::{Event, Story};

/// Checks that each request has one answer, which is the last of it, and that nothing is left at the end.
pub(crate) fn check_answers(noise: &Noise, driven: &Driven) -> Result<(), TestCaseError> {
    for (index, tale) in driven.tales.iter().enumerate() {
        let answers = tale.iter().filter(|(_, event)| matches!(event, Event::Answered { .. })).count();
        if noise.cancelled.contains_key(&index) {
            prop_assert!(answers <= 1, "request {} was answered {} times", index, answers);
        } else {
            prop_assert_eq!(answers, 1, "request {}", index);
            let last = tale.last().map(|(_, event)| matches!(event, Event::Answered { .. }));
            prop_assert_eq!(last, Some(true), "request {} went on after its answer", index);
        }
    }
    prop_assert_eq!(driven.calls_at_rest, 0, "calls that nobody waits for any longer");
    prop_assert_eq!(driven.in_flight_at_rest, 0);
    prop_assert_eq!(driven.probes_at_rest, 0);
    prop_assert_eq!(driven.under_way_at_rest, 0);
    Ok(())
}

/// Checks every law of LiteLLM's own behaviour; the first broken one is the error.
pub(crate) fn check(story: &Story, noise: &Noise, driven: &Driven) -> Result<(), TestCaseError> {
    check_answers(noise, driven)?;
    for (index, tale) in driven.tales.iter().enumerate() {
        let attempts = tale.iter().filter(|(_, event)| matches!(event, Event::Called { .. } | Event::Nobody { .. }));
        let (attempts, most) = (attempts.count() as u64, attempts_max(story));
        prop_assert!(attempts <= most, "request {} made {} attempts, at most {} are possible", index, attempts, most);
    }
    for (at, selection) in &driven.selections {
        let Some(picked) = selection.picked else { continue };
        prop_assert!(selection.eligible.contains(&picked), "{} was not eligible at {}", picked.0, at);
        let rests =
            |&(id, filter): &(_, Filter)| id == picked && matches!(filter, Filter::Cooldown(until) if until > *at);
        prop_assert!(!selection.filtered.iter().any(rests), "{} was called while it rests, at {}", picked.0, at);
    }
    Ok(())
}

/// More attempts than any request can make: every target of every list at every depth, each with all its retries.
fn attempts_max(story: &Story) -> u64 {
    let settings = &story.config.router_settings;
    let mut retries = settings.num_retries.unwrap_or(2);
    for entry in &story.config.model_list {
        if let Some(Number::Is(number)) = entry.num_retries {
            retries = retries.max(number as i64);
        }
    }
    for request in &story.requests {
        retries = retries.max(request.params.num_retries.unwrap_or(0));
    }
    if let Some(policy) = &settings.retry_policy {
        let numbers = [
            policy.bad_request,
            policy.authentication,
            policy.timeout,
            policy.rate_limit,
            policy.internal_server,
            policy.default,
        ];
        retries = retries.max(numbers.into_iter().flatten().max().unwrap_or(0));
    }
    // At most two targets per list, and nesting ends at max_fallbacks (at most 5). Releases that remember what they
    // tried stay far below.
    let (targets, depth) = (2u64, settings.max_fallbacks.unwrap_or(5).clamp(0, 5) as u32);
    let hops: u64 = (0..=depth).map(|depth| targets.pow(depth)).sum();
    hops * (retries as u64 + 1)
}
