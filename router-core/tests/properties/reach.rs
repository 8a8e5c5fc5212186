//! Whether the stories get anywhere: a property over stories in which nothing happens holds for nothing.

use std::collections::BTreeSet;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use router_core::{Filter, Note, Release};

use crate::drive::{Noise, drive};
use crate::generate::{any_story, overlapping_arrivals};

const STORIES: u32 = 2_000;

/// What must have happened in some story.
const WANTED: &[&str] = &[
    "Retrying AnotherIsHealthy",
    "Retrying RetryAfter",
    "Retrying Backoff",
    "RetriesFrom RetryPolicy",
    "RetriesFrom Request",
    "RetriesFrom Deployment",
    "RetriesFrom Router",
    "GaveUp RetriesExhausted",
    "GaveUp NoRetries",
    "GaveUp ContextWindowFallback",
    "GaveUp ContentPolicyFallback",
    "GaveUp NotRetryable",
    "GaveUp RateLimitedWithFallback",
    "GaveUp AuthenticationAlone",
    "GaveUp NoneHealthy",
    "FellBack Fallbacks",
    "FellBack Default",
    "FellBack ContextWindow",
    "FellBack ContentPolicy",
    "FellBack Request",
    "FallbackExhausted NoEntry",
    "FallbackExhausted Disabled",
    "FallbackExhausted MaxFallbacks",
    "FallbackExhausted AllTried",
    "Cooled RateLimited",
    "Cooled NotRetryable",
    "Cooled AllowedFails",
    "NotCooled AlreadyCounted",
    "NotCooled CallerTimeout",
    "NotCooled ZeroTime",
    "NotCooled Ineligible",
    "NotCooled Alone",
    "NotCooled BelowThreshold",
    "filtered Cooldown",
    "filtered RetrySkip",
];

#[test]
fn stories_get_everywhere() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = any_story(Release::V1_109_1);
    let mut reached = BTreeSet::new();
    for _ in 0..STORIES {
        let story = strategy.new_tree(&mut runner).expect("nothing is filtered out").current();
        let driven = drive(&story, &overlapping_arrivals(&story), &Noise::default());
        for note in &driven.notes {
            reached.extend(marks(note));
        }
    }
    let missing: Vec<_> = WANTED.iter().filter(|mark| !reached.contains(**mark)).collect();
    assert!(missing.is_empty(), "never seen in {STORIES} stories: {missing:?}");
}

fn marks(note: &Note) -> Vec<String> {
    match note {
        Note::Retrying { because, number_from, .. } => {
            vec![format!("Retrying {because:?}"), format!("RetriesFrom {number_from:?}")]
        }
        Note::GaveUp { because, .. } => vec![format!("GaveUp {because:?}")],
        Note::FellBack { list, .. } => vec![format!("FellBack {list:?}")],
        Note::FallbackExhausted { because, .. } => vec![format!("FallbackExhausted {because:?}")],
        Note::Cooled { because, .. } => vec![format!("Cooled {because:?}")],
        Note::NotCooled { because, .. } => vec![format!("NotCooled {because:?}")],
        Note::Selected(selection) => {
            let name = |filter: &Filter| match filter {
                Filter::Cooldown(_) => "filtered Cooldown".to_owned(),
                other => format!("filtered {other:?}"),
            };
            selection.filtered.iter().map(|(_, filter)| name(filter)).collect()
        }
        _ => Vec::new(),
    }
}
