//! A story has everything that belongs to its request, and nothing of another one.

use std::path::Path;

use router_core::{Filter, RequestId};

use super::*;
use crate::actor::DrawKind;
use crate::scenario;
use crate::source::Source;

/// Three alike and one to fall back to; everybody comes at once and fails often, so that steps serve many requests.
const SCENARIO: &str = "\
name: crowd
config:
  model_list:
    - {model_name: gpt, litellm_params: {model: openai/a}, model_info: {id: a}}
    - {model_name: gpt, litellm_params: {model: openai/b}, model_info: {id: b}}
    - {model_name: gpt, litellm_params: {model: openai/c}, model_info: {id: c}}
    - {model_name: spare, litellm_params: {model: anthropic/d}, model_info: {id: d}}
  router_settings: {num_retries: 2, timeout: 2, cooldown_time: 3, fallbacks: [{gpt: [spare]}]}
seed: 5
duration: 20s
traffic: [{model: gpt, arrivals: {bursts: {size: 4, every: 300ms}}, deadline: 15s}]
upstreams: {all: {ttft: 1s, tpot: 0s}}
faults:
  - {at: 0s, for: 9s, on: 'deployment:b', inject: timeout}
  - {at: 3s, for: 9s, on: 'deployment:a', inject: {status: 429, retry_after: 2s}, probability: 50%}
";

fn crowd() -> Scenario {
    let source = Source::new("s.yaml", SCENARIO);
    scenario::read(&source, Path::new("")).unwrap_or_else(|problems| panic!("{problems}")).scenario
}

fn stories(scenario: &Scenario) -> Vec<Story> {
    let [(0, first, last)] = Candidates::of(scenario, scenario.seed).known()[..] else { panic!("one client") };
    (first.number..=last.number)
        .map(|number| tell(scenario, scenario.seed, RequestId::new(0, number)).0.expect("a request of the run"))
        .collect()
}

#[test]
fn each_choice_has_the_draw_that_made_it() {
    let scenario = crowd();
    let mut drawn = 0;
    for story in stories(&scenario) {
        for moment in &story.moments {
            let What::Chose { selection, draws, .. } = &moment.what else { continue };
            let Some(picked) = selection.picked else { continue };
            let [draw] = draws[..] else { panic!("{draws:?} for {selection:?}") };
            let among = selection.eligible.len();
            assert_eq!(draw.what, DrawKind::Pick(among as u32), "request {}", story.request);
            assert_eq!(selection.eligible[(draw.u * among as f64) as usize], picked, "request {}", story.request);
            drawn += 1;
        }
    }
    assert!(drawn > 60, "{drawn}");
}

#[test]
fn whoever_rests_does_so_because_of_a_failure_before() {
    let scenario = crowd();
    let mut rested = 0;
    for story in stories(&scenario) {
        for moment in &story.moments {
            let What::Chose { selection, resting, .. } = &moment.what else { continue };
            for (id, filter) in &selection.filtered {
                let Filter::Cooldown(until) = filter else { continue };
                let rest = resting.iter().find(|rest| rest.deployment == *id).expect("a reason");
                assert_eq!(rest.until, *until);
                assert!(rest.since <= moment.at && moment.at < rest.until);
                // As long as Retry-After or the config says, from the failure that began it and no later one.
                assert!([2.0, 3.0].contains(&rest.until.since(rest.since).as_secs_f64()), "{rest:?}");
                rested += 1;
            }
        }
    }
    assert!(rested > 5, "{rested}");
}

#[test]
fn a_story_is_of_one_request_and_ends_once() {
    let scenario = crowd();
    for story in stories(&scenario) {
        let (at, ended) = story.ended.expect("all end in the drain");
        assert_eq!(ended.request, story.request);
        assert!(story.moments.iter().all(|moment| story.sent <= moment.at && moment.at <= at + scenario.links.client));
        let of_others = story.moments.iter().filter(|moment| match &moment.what {
            What::Noted { note, .. } => crate::conform::request_of(note) != story.request,
            What::Chose { selection, .. } => selection.request != story.request,
            _ => false,
        });
        assert_eq!(of_others.count(), 0);
    }
}

#[test]
fn explanations_change_nothing() {
    let scenario = crowd();
    let plain = crate::campaign::watched(&scenario, scenario.seed).end;
    assert_eq!(tell(&scenario, scenario.seed, RequestId::new(0, 0)).1, plain);
}

#[test]
fn a_request_that_is_not_there_has_no_story() {
    let scenario = crowd();
    assert!(tell(&scenario, scenario.seed, RequestId::new(0, 9_999)).0.is_none());
    assert_eq!(Candidates::of(&scenario, 5).find(Telling::One(RequestId::new(3, 0))), None);
}
