//! Properties of the core over stories by chance: configurations, requests, faults and interleavings.
//!
//! In a lonely world, where each request comes after the last one's answer, the core does what the reference model
//! does. Where requests overlap but cannot feel each other, it does to each what the model does to it alone. Where they
//! can, laws hold: one answer each, bounded effort, nobody left behind; and noise changes nothing.

mod drive;
mod generate;
mod laws;
mod model;
mod reach;
mod world;

use proptest::prelude::*;
use router_core::{Release, Span, Time};

use drive::{Noise, drive};
use generate::{any_story, carefree_story, overlapping_arrivals, own_nanosecond, supposing_story};
use model::Model;
use world::{Story, Tale};

/// The model's account, and when each request arrived: after the last one's answer.
fn lonely(story: &Story) -> (Vec<Time>, Vec<Tale>) {
    let mut model = Model::new(story);
    let (mut arrivals, mut tales) = (Vec::new(), Vec::new());
    for (index, request) in story.requests.iter().enumerate() {
        let at = own_nanosecond(model.now() + request.gap + Span::from_nanos(1_000), index);
        arrivals.push(at);
        tales.push(model.live(index, at));
    }
    (arrivals, tales)
}

fn noise(early: Vec<u64>, echo: Option<u64>, late: Option<u64>) -> Noise {
    let span = |micros: u64| Span::from_nanos(micros * 1_000 + 777);
    Noise {
        early_wakes: early.into_iter().map(|micros| Time::from_nanos(micros * 1_000 + 888)).collect(),
        echo_after: echo.map(span),
        late_after: late.map(span),
        ..Noise::default()
    }
}

fn any_noise() -> impl Strategy<Value = Noise> {
    let micros = 0..60_000_000u64;
    (
        proptest::collection::vec(micros.clone(), 0..20),
        proptest::option::of(micros.clone()),
        proptest::option::of(micros),
    )
        .prop_map(|(early, echo, late)| noise(early, echo, late))
}

proptest! {
    #[test]
    fn one_request_at_a_time_is_what_the_model_says(story in any_story(Release::V1_109_1), noise in any_noise()) {
        let (arrivals, expected) = lonely(&story);
        let driven = drive(&story, &arrivals, &noise);
        for (index, (expected, got)) in expected.iter().zip(&driven.tales).enumerate() {
            prop_assert_eq!(expected, got, "request {}", index);
        }
    }

    #[test]
    fn requests_that_cannot_feel_each_other_each_live_as_if_alone(
        story in carefree_story(Release::V1_109_1),
        noise in any_noise(),
    ) {
        let arrivals = overlapping_arrivals(&story);
        let driven = drive(&story, &arrivals, &noise);
        for (index, &at) in arrivals.iter().enumerate() {
            let alone = Model::new(&story).live(index, at);
            prop_assert_eq!(&alone, &driven.tales[index], "request {}", index);
        }
    }

    #[test]
    fn early_wakes_and_late_and_repeated_replies_change_nothing(
        story in prop_oneof![any_story(Release::V1_109_1), any_story(Release::V1_80_17)],
        noise in any_noise(),
    ) {
        let arrivals = overlapping_arrivals(&story);
        let quiet = drive(&story, &arrivals, &Noise::default());
        let noisy = drive(&story, &arrivals, &noise);
        prop_assert_eq!(quiet.tales, noisy.tales);
    }

    #[test]
    fn the_laws_hold_when_requests_overlap_and_callers_go_away(
        story in prop_oneof![any_story(Release::V1_109_1), any_story(Release::V1_80_17)],
        mut noise in any_noise(),
        impatient in proptest::collection::btree_map(0..8usize, 0..20_000_000u64, 0..4),
    ) {
        noise.cancelled = impatient
            .into_iter()
            .filter(|(index, _)| *index < story.requests.len())
            .map(|(index, micros)| (index, Span::from_nanos(micros * 1_000)))
            .collect();
        let arrivals = overlapping_arrivals(&story);
        let driven = drive(&story, &arrivals, &noise);
        laws::check(&story, &noise, &driven)?;
    }

    #[test]
    fn whatever_is_supposed_beyond_litellm_each_request_has_one_answer_and_nothing_is_left(
        story in prop_oneof![supposing_story(Release::V1_109_1), supposing_story(Release::V1_80_17)],
        mut noise in any_noise(),
        impatient in proptest::collection::btree_map(0..8usize, 0..20_000_000u64, 0..4),
    ) {
        noise.cancelled =
            impatient.into_iter().map(|(index, micros)| (index, Span::from_nanos(micros * 1_000))).collect();
        let arrivals = overlapping_arrivals(&story);
        let driven = drive(&story, &arrivals, &noise);
        laws::check_answers(&noise, &driven)?;
    }

    #[test]
    fn who_goes_away_leaves_the_others_alone(
        story in carefree_story(Release::V1_109_1),
        impatient in proptest::collection::btree_map(0..8usize, 0..20_000_000u64, 1..4),
    ) {
        let cancelled = impatient.into_iter().map(|(index, micros)| (index, Span::from_nanos(micros * 1_000))).collect();
        let arrivals = overlapping_arrivals(&story);
        let quiet = drive(&story, &arrivals, &Noise::default());
        let noise = Noise { cancelled, ..Noise::default() };
        let driven = drive(&story, &arrivals, &noise);
        for (index, tale) in driven.tales.iter().enumerate() {
            if noise.cancelled.contains_key(&index) {
                // What it saw before it went is what it would have seen.
                prop_assert!(quiet.tales[index].starts_with(tale), "request {}", index);
            } else {
                prop_assert_eq!(&quiet.tales[index], tale, "request {}", index);
            }
        }
    }

    #[test]
    fn the_same_story_is_the_same_story(story in any_story(Release::V1_109_1), noise in any_noise()) {
        let arrivals = overlapping_arrivals(&story);
        prop_assert_eq!(drive(&story, &arrivals, &noise).tales, drive(&story, &arrivals, &noise).tales);
    }
}
