//! Cooldowns.

use router_core::{AllowedFailsPolicy, Mode, Release};

use crate::drill::{Does, Drill, config};

#[test]
fn a_429_in_a_group_of_several_cools_at_once() {
    let mut d = Drill::new(&config("g g"));
    d.upstream("a", Does::Fail(429)).ask_at(0.0, "g");
    assert!(d.is_cooled("a"));
    assert_eq!(d.ask_at(1.0, "g").calls, ["b"]);
    assert_eq!(d.ask_at(6.0, "g").calls, ["a"]);
}

#[test]
fn a_429_of_a_lone_deployment_does_not_cool_but_a_401_does() {
    for (status, cools) in [(429, false), (500, false), (401, true), (404, true), (400, false), (403, false)] {
        let mut d = Drill::new(&config("g"));
        d.upstream("a", Does::Fail(status)).ask_at(0.0, "g");
        assert_eq!(d.is_cooled("a"), cools, "{status}");
    }
}

#[test]
fn the_fifth_500_in_a_row_cools() {
    let mut d = Drill::new(&config("g g"));
    d.upstream("a", Does::Fail(500));
    for n in 1..=5 {
        d.ask_at(f64::from(n), "g");
        assert_eq!(d.is_cooled("a"), n == 5, "after failure {n}");
    }
}

#[test]
fn behind_the_proxy_only_the_first_failure_of_a_request_counts() {
    for (mode, cooled) in [(Mode::Proxy, false), (Mode::Sdk, true)] {
        let mut config = config("g g");
        config.mode = mode;
        config.router_settings.num_retries = Some(3);
        let mut d = Drill::new(&config);
        d.upstream("a", Does::Fail(429)).upstream("b", Does::Fail(429)).ask_at(0.0, "g");
        assert!(d.is_cooled("a"));
        assert_eq!(d.is_cooled("b"), cooled, "{mode:?}");
    }
}

#[test]
fn retry_after_sets_the_length_of_a_cooldown_and_zero_prevents_it() {
    let mut d = Drill::new(&config("g g"));
    d.upstream("a", Does::FailFor(429, 30)).ask_at(0.0, "g");
    assert_eq!(d.ask_at(29.0, "g").calls, ["b"]);
    d.upstream("a", Does::FailFor(429, 0)).ask_at(31.0, "g");
    assert!(!d.is_cooled("a"));
}

#[test]
fn allowed_fails_of_the_default_value_counts_only_in_newer_releases() {
    for (release, cooled) in [(Release::V1_80_17, true), (Release::V1_109_1, false)] {
        let mut config = config("g g");
        config.release = release;
        config.router_settings.allowed_fails = Some(3);
        let mut d = Drill::new(&config);
        d.upstream("a", Does::Fail(429)).ask_at(0.0, "g");
        assert_eq!(d.is_cooled("a"), cooled, "{release}");
    }
}

#[test]
fn a_policy_value_of_zero_means_zero_only_in_newer_releases() {
    for (release, cooled) in [(Release::V1_80_17, false), (Release::V1_109_1, true)] {
        let mut config = config("g g");
        config.release = release;
        config.router_settings.allowed_fails_policy =
            Some(AllowedFailsPolicy { rate_limit: Some(0), ..AllowedFailsPolicy::default() });
        let mut d = Drill::new(&config);
        d.upstream("a", Does::Fail(429)).ask_at(0.0, "g");
        assert_eq!(d.is_cooled("a"), cooled, "{release}");
    }
}

#[test]
fn refused_connections_cool_openai_but_never_azure() {
    for (model, cooled) in [("openai/x", true), ("azure/x", false)] {
        let mut config = config("g g");
        config.model_list[0].model = model.to_owned();
        let mut d = Drill::new(&config);
        d.upstream("a", Does::Refuse);
        (0..5).for_each(|n| {
            d.ask_at(f64::from(n), "g");
        });
        assert_eq!(d.is_cooled("a"), cooled, "{model}");
    }
}
