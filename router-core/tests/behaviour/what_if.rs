//! What the policies do that LiteLLM does not have.

use router_core::{Config, GiveUpReason, Mode, Note, Release, RetryBudget, Span, WhatIf};

use crate::drill::{Does, Drill, config};

fn supposing(groups: &str, what_if: WhatIf) -> Config {
    Config { what_if, ..config(groups) }
}

fn half_open(probes: u32) -> WhatIf {
    WhatIf { half_open: Some(probes), ..WhatIf::default() }
}

fn waiting(seconds: u64) -> WhatIf {
    WhatIf { wait_for_cooldown: Some(Span::from_secs(seconds)), ..WhatIf::default() }
}

fn hedged(seconds: u64) -> WhatIf {
    WhatIf { hedge_after: Some(Span::from_secs(seconds)), ..WhatIf::default() }
}

const IDLE: (u32, u32, usize) = (0, 0, 0);

#[test]
fn an_empty_bucket_makes_no_retry_and_goes_straight_to_the_fallbacks() {
    let budget = RetryBudget { per_request: 0.5, burst: 2.0 };
    let mut config = supposing("g backup", WhatIf { retry_budget: Some(budget), ..WhatIf::default() });
    config.router_settings.num_retries = Some(2);
    config.router_settings.disable_cooldowns = Some(true);
    config.router_settings.default_fallbacks = Some(vec!["backup".to_owned()]);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Fail(500));
    // The full bucket pays for two retries, and each request after that puts half a retry into it.
    assert_eq!(d.ask_at(0.0, "g").calls, ["a", "a", "a", "b"]);
    assert_eq!(d.ask_at(100.0, "g").calls, ["a", "b"]);
    let is_empty = |note: &Note| matches!(note, Note::GaveUp { because: GiveUpReason::RetryBudget, .. });
    assert!(d.notes.iter().any(is_empty));
    assert_eq!((d.ends.as_slice(), d.clock()), (["ok"].as_slice(), 100.2));
    assert_eq!(d.ask_at(200.0, "g").calls, ["a", "a", "b"]);
}

#[test]
fn a_budget_that_is_never_empty_changes_nothing() {
    let budget = RetryBudget { per_request: 1.0, burst: 10.0 };
    let mut config = supposing("g", WhatIf { retry_budget: Some(budget), ..WhatIf::default() });
    config.router_settings.num_retries = Some(1);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Fail(500));
    for n in 0..50 {
        assert_eq!(d.ask_at(f64::from(n) * 100.0, "g").calls, ["a", "a"], "request {n}");
    }
}

#[test]
fn a_jittered_cooldown_is_longer_by_what_was_drawn() {
    for (drawn, cooled_at_6, cooled_at_7) in [(0.0, false, false), (0.5, true, false), (0.9, true, true)] {
        let mut d = Drill::new(&supposing("g g", WhatIf { cooldown_jitter: Some(0.5), ..WhatIf::default() }));
        // Half of five seconds more, times the draw. The draw also picks: of two, the first below a half.
        d.upstream("a", Does::Fail(429)).upstream("b", Does::Fail(429)).luck(drawn).ask_at(0.0, "g");
        let cooled = if drawn < 0.5 { "a" } else { "b" };
        assert!(d.is_cooled(cooled));
        assert_eq!(d.until(6.0).is_cooled(cooled), cooled_at_6, "{drawn} at 6 s");
        assert_eq!(d.until(7.0).is_cooled(cooled), cooled_at_7, "{drawn} at 7 s");
    }
}

#[test]
fn a_half_open_deployment_gets_one_call_at_a_time_until_one_succeeds() {
    let mut d = Drill::new(&supposing("g g", half_open(1)));
    d.upstream("a", Does::Fail(429)).ask_at(0.0, "g");
    d.upstream("a", Does::Answer).send_at(6.0, "g", 3);
    assert_eq!(d.calls, ["a", "b", "b"], "one probe, and the others go elsewhere");
    assert_eq!(d.send_at(7.0, "g", 3).calls, ["a", "a", "a"], "the probe succeeded");
    assert_eq!(d.until(8.0).under_way(), IDLE);
}

#[test]
fn litellm_itself_sends_everybody_back_at_once() {
    let mut d = Drill::new(&config("g g"));
    d.upstream("a", Does::Fail(429)).ask_at(0.0, "g");
    assert_eq!(d.send_at(6.0, "g", 3).calls, ["a", "a", "a"]);
}

#[test]
fn a_failed_probe_cools_again_whatever_the_threshold() {
    let mut config = supposing("g g", half_open(2));
    config.router_settings.allowed_fails = Some(3);
    config.release = Release::V1_80_17;
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Fail(429)).ask_at(0.0, "g");
    // A 500 by itself would not cool.
    d.upstream("a", Does::Fail(500)).ask_at(6.0, "g");
    assert!(d.is_cooled("a"));
    assert_eq!(d.ask_at(7.0, "g").calls, ["b"]);
    assert_eq!(d.under_way(), IDLE);
}

#[test]
fn a_callers_error_of_a_probe_says_nothing_about_the_deployment() {
    let mut d = Drill::new(&supposing("g g", half_open(1)));
    d.upstream("a", Does::Fail(429)).ask_at(0.0, "g");
    d.upstream("a", Does::Fail(400)).ask_at(6.0, "g");
    assert!(!d.is_cooled("a"));
    assert_eq!(d.send_at(7.0, "g", 2).calls, ["a", "b"], "it is still half open");
}

#[test]
fn a_probe_whose_caller_goes_or_that_times_out_leaves_its_place() {
    let mut config = supposing("g g", half_open(1));
    config.router_settings.timeout = Some(3.0);
    config.router_settings.cooldown_time = Some(5.0);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Fail(429)).ask_at(0.0, "g");
    d.upstream("a", Does::Hang).send_at(6.0, "g", 1);
    assert_eq!((d.calls.as_slice(), d.under_way()), (["a".to_owned()].as_slice(), (1, 1, 1)));
    assert_eq!(d.cancel().under_way(), IDLE);
    assert_eq!(d.send_at(7.0, "g", 1).calls, ["a"], "the place is free again");
    d.until(11.0);
    assert!(d.is_cooled("a"), "the probe timed out");
    assert_eq!(d.under_way(), IDLE);
}

/// Both deployments of `g` rest for four seconds: `a` from 0.1 s on, `b` from 0.3 s on. In process, where every failure counts.
fn both_rest(seconds: u64) -> Drill {
    let mut d = Drill::new(&Config { mode: Mode::Sdk, ..supposing("g g", waiting(seconds)) });
    d.upstream("a", Does::FailFor(429, 4)).upstream("b", Does::FailFor(429, 4));
    d.ask_at(0.0, "g").send_at(0.2, "g", 1).until(0.5).cancel();
    assert!(d.is_cooled("a") && d.is_cooled("b"));
    d
}

#[test]
fn who_would_fail_because_all_rest_waits_for_the_first_to_be_back() {
    let mut d = both_rest(10);
    d.upstream("a", Does::Answer);
    assert_eq!(d.ask_at(1.0, "g").ends, ["ok"]);
    assert_eq!(d.calls, ["a"]);
    assert!((4.19..4.21).contains(&d.clock()), "{}", d.clock());
}

#[test]
fn who_is_not_retried_because_all_rest_waits_as_well() {
    let mut d = Drill::new(&supposing("g g", waiting(10)));
    d.upstream("a", Does::FailFor(429, 8)).upstream("b", Does::FailFor(429, 4)).ask_at(0.0, "g");
    d.send_at(1.0, "g", 1).until(2.0);
    assert_eq!((d.is_cooled("b"), d.ends.len()), (true, 0), "its own failure put the last one to rest");
    d.upstream("b", Does::Answer).until(7.0);
    assert_eq!((d.calls.clone(), d.ends.clone()), (vec!["b".to_owned(), "b".to_owned()], vec!["ok"]));
}

#[test]
fn nobody_waits_longer_than_the_policy_says_in_total() {
    let mut d = both_rest(6);
    // Two waits end with another failure and another rest, whose end is too far off.
    assert_eq!(d.ask_at(1.0, "g").calls, ["a", "b"]);
    assert_eq!(d.ends, ["RateLimitError"]);
    let mut d = both_rest(2);
    assert_eq!(d.ask_at(1.0, "g").ends, ["RouterRateLimitError"]);
    assert_eq!(d.clock(), 1.0);
}

#[test]
fn fallbacks_come_before_a_wait_and_again_after_it() {
    let mut config = supposing("g g backup", waiting(10));
    config.router_settings.fallbacks = None;
    config.router_settings.default_fallbacks = Some(vec!["backup".to_owned()]);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::FailFor(429, 4)).upstream("b", Does::FailFor(429, 4));
    d.ask_at(0.0, "g").ask_at(0.0, "g");
    assert_eq!(d.ask_at(1.0, "g").calls, ["c"], "nobody waits who has a fallback");
    d.upstream("c", Does::Fail(500)).upstream("a", Does::Fail(500)).upstream("b", Does::Fail(500));
    assert_eq!(d.ask_at(2.0, "g").calls, ["c", "a", "c"]);
}

#[test]
fn who_waits_for_a_probe_goes_on_when_it_ends() {
    let mut d = Drill::new(&supposing("g", WhatIf { half_open: Some(1), ..waiting(30) }));
    d.upstream("a", Does::Fail(401)).ask_at(0.0, "g");
    d.upstream("a", Does::AnswerAfter(2.0)).send_at(1.0, "g", 3);
    assert!(d.calls.is_empty(), "{:?}", d.calls);
    d.until(6.0);
    assert_eq!(d.calls, ["a"], "one probe");
    d.until(20.0);
    assert_eq!((d.ends.len(), d.calls.len()), (3, 3));
    assert!(d.ends.iter().all(|end| *end == "ok"));
    assert_eq!(d.under_way(), IDLE);
}

#[test]
fn a_call_without_an_answer_gets_company_and_the_first_good_answer_counts() {
    let mut d = Drill::new(&supposing("g g g", hedged(2)));
    d.upstream("a", Does::Hang).ask_at(0.0, "g");
    assert_eq!(
        (d.calls.clone(), d.ends.clone(), d.hung_up.clone()),
        (vec!["a".into(), "b".into()], vec!["ok"], vec!["a".to_owned()])
    );
    assert!((2.09..2.11).contains(&d.clock()));
    assert_eq!(d.under_way(), IDLE);
    // The first one may also win.
    d.upstream("a", Does::AnswerAfter(3.0)).upstream("b", Does::Hang).ask_at(10.0, "g");
    assert_eq!((d.ends.clone(), d.hung_up.clone()), (vec!["ok"], vec!["b".to_owned()]));
    assert_eq!(d.under_way(), IDLE);
}

#[test]
fn a_call_that_is_answered_in_time_gets_no_company() {
    let mut d = Drill::new(&supposing("g g", hedged(2)));
    assert_eq!(d.upstream("a", Does::AnswerAfter(1.9)).ask_at(0.0, "g").calls, ["a"]);
}

#[test]
fn nobody_is_asked_twice_and_a_lone_deployment_gets_no_company() {
    let mut config = supposing("g", hedged(2));
    config.router_settings.timeout = Some(5.0);
    let mut d = Drill::new(&config);
    assert_eq!(d.upstream("a", Does::Hang).ask_at(0.0, "g").calls, ["a"]);
    assert_eq!(d.ends, ["Timeout"]);
    let mut config = supposing("g g", hedged(2));
    config.router_settings.timeout = Some(5.0);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Hang).upstream("b", Does::Fail(500)).ask_at(0.0, "g");
    assert_eq!((d.calls.len(), d.ends.clone()), (2, vec!["Timeout"]), "the first call's own failure counts");
}

#[test]
fn a_failed_first_call_waits_for_its_company_and_is_then_retried() {
    let mut config = supposing("g g", hedged(2));
    config.router_settings.timeout = Some(3.0);
    config.router_settings.num_retries = Some(1);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Hang).upstream("b", Does::AnswerAfter(2.5)).ask_at(0.0, "g");
    assert_eq!((d.calls.clone(), d.ends.clone()), (vec!["a".to_owned(), "b".to_owned()], vec!["ok"]));
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Hang).upstream("b", Does::Hang).send_at(0.0, "g", 1).until(4.9);
    assert_eq!(d.calls.len(), 2, "the first timed out at 3 s, its company has until 5 s");
    d.until(20.0);
    assert_eq!((d.calls.len(), d.ends.clone()), (4, vec!["Timeout"]), "one retry, with company again");
    assert_eq!(d.under_way(), IDLE);
}

#[test]
fn both_calls_are_hung_up_on_when_the_caller_goes() {
    let mut d = Drill::new(&supposing("g g", hedged(2)));
    d.upstream("a", Does::Hang).upstream("b", Does::Hang).send_at(0.0, "g", 1).until(3.0);
    assert_eq!(d.under_way(), (2, 0, 1));
    d.cancel();
    assert_eq!((d.hung_up.len(), d.under_way()), (2, IDLE));
}

#[test]
fn company_is_paid_from_the_budget_for_retries() {
    let budget = RetryBudget { per_request: 0.0, burst: 1.0 };
    let mut d = Drill::new(&supposing("g g", WhatIf { retry_budget: Some(budget), ..hedged(1) }));
    d.upstream("a", Does::AnswerAfter(5.0)).upstream("b", Does::AnswerAfter(5.0));
    assert_eq!(d.ask_at(0.0, "g").calls.len(), 2);
    assert_eq!(d.ask_at(10.0, "g").calls.len(), 1);
}
