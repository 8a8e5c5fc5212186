//! Retries.

use router_core::{Number, Params, Release, RetryPolicy};

use crate::drill::{Does, Drill, config};

#[test]
fn a_lone_deployment_is_retried_with_backoff_and_once_more_waited_for_in_vain() {
    let mut config = config("g");
    config.router_settings.num_retries = Some(2);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Fail(500)).ask_at(0.0, "g");
    assert_eq!(d.calls, ["a", "a", "a"]);
    assert!((d.clock() - (3.0 * 0.1 + 0.5 + 1.0 + 2.0)).abs() < 1e-6, "{}", d.clock());
}

#[test]
fn which_errors_are_retried_depends_on_the_release() {
    // Status, retried under 1.80, retried under 1.109; in a group of two.
    for (status, old, new) in [(400, true, false), (403, true, true), (404, false, false), (413, true, false)] {
        for (release, retried) in [(Release::V1_80_17, old), (Release::V1_109_1, new)] {
            let mut config = config("g g");
            config.release = release;
            config.router_settings.num_retries = Some(1);
            let mut d = Drill::new(&config);
            d.upstream("a", Does::Fail(status)).upstream("b", Does::Fail(status)).ask_at(0.0, "g");
            assert_eq!(d.calls.len() == 2, retried, "{status} under {release}");
        }
    }
}

#[test]
fn request_and_deployment_argue_about_the_number_of_retries() {
    for (release, calls) in [(Release::V1_80_17, 3 * 3), (Release::V1_109_1, 2)] {
        let mut config = config("g");
        config.release = release;
        config.model_list[0].num_retries = Some(Number::Is(2.0));
        let mut d = Drill::new(&config);
        d.upstream("a", Does::Fail(500));
        d.ask_with(0.0, "g", Params { num_retries: Some(1), ..Params::default() });
        assert_eq!(d.calls.len(), calls, "{release}");
    }
}

#[test]
fn a_retry_policy_for_401_turns_it_into_no_deployments_available() {
    let mut config = config("g");
    config.router_settings.retry_policy = Some(RetryPolicy { authentication: Some(2), ..RetryPolicy::default() });
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Fail(401)).ask_at(0.0, "g");
    assert_eq!(d.calls, ["a"]);
    assert_eq!(d.ends, ["RouterRateLimitError"]);
}

#[test]
fn a_retry_passes_over_who_refused_for_good() {
    let mut config = config("g g g");
    config.router_settings.num_retries = Some(2);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Fail(403)).upstream("b", Does::Fail(403)).ask_at(0.0, "g");
    assert_eq!(d.calls, ["a", "b", "c"]);
}

#[test]
fn a_timeout_bounds_one_attempt_not_the_request() {
    let mut config = config("g g");
    config.router_settings.timeout = Some(2.0);
    config.router_settings.num_retries = Some(1);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Hang).upstream("b", Does::Hang).ask_at(0.0, "g");
    assert_eq!(d.calls.len(), 2);
    assert!((d.clock() - 4.0).abs() < 1e-6);
    assert_eq!(d.ends, ["Timeout"]);
}
