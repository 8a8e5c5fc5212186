//! Cooldowns.

use router_core::{AllowedFailsPolicy, Mode, Note, Params, Release, Span};

use crate::drill::{Does, Drill, config, secs};

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

/// A second failure, of a call made before the first cooldown began, asks for another length.
fn cooled_twice(release: Release, first: i64, second: i64) -> Drill {
    let mut config = config("g g");
    config.release = release;
    let mut d = Drill::new(&config);
    d.upstream("a", Does::FailFor(429, first));
    d.begin_at(0.0, "g", Params::default());
    d.upstream("a", Does::FailFor(429, second));
    d.begin_at(0.05, "g", Params::default());
    d.upstream("a", Does::Answer).until(1.0);
    d
}

#[test]
fn a_shorter_second_cooldown_ends_the_first_only_in_newer_releases_and_a_longer_one_never_prolongs_it() {
    for (release, second, until) in [
        (Release::V1_109_1, 3, 3.15),
        (Release::V1_109_1, 30, 10.1),
        (Release::V1_80_17, 3, 10.1),
        (Release::V1_80_17, 30, 10.1),
    ] {
        let mut d = cooled_twice(release, 10, second);
        let mut told = d.notes.iter().filter_map(|note| match note {
            Note::Cooled { until, .. } => Some(*until),
            _ => None,
        });
        assert_eq!(told.next_back(), Some(secs(until)), "{release}, then {second} s");
        assert_eq!(d.ask_at(until - 0.05, "g").calls, ["b"], "{release}, then {second} s");
        assert_eq!(d.ask_at(until + 0.05, "g").calls, ["a"], "{release}, then {second} s");
    }
}

#[test]
fn the_client_is_told_the_shortest_of_the_cooldowns() {
    let mut d = Drill::new(&config("g g"));
    d.upstream("a", Does::FailFor(429, 40)).upstream("b", Does::FailFor(429, 20));
    d.ask_at(0.0, "g").ask_at(1.0, "g");
    let error = d.ask_at(2.0, "g").errors[0];
    assert_eq!((error.client_status, error.client_retry_after), (429, Some(Span::from_secs(20))));
}

/// Failures of which the first is allowed: what the policy calls them, and a status that makes them.
fn one_allowed() -> [(AllowedFailsPolicy, u16); 8] {
    let none = AllowedFailsPolicy::default();
    [
        (AllowedFailsPolicy { bad_request: Some(1), ..none }, 400),
        (AllowedFailsPolicy { authentication: Some(1), ..none }, 401),
        (AllowedFailsPolicy { not_found: Some(1), ..none }, 404),
        (AllowedFailsPolicy { timeout: Some(1), ..none }, 408),
        (AllowedFailsPolicy { rate_limit: Some(1), ..none }, 429),
        (AllowedFailsPolicy { internal_server: Some(1), ..none }, 500),
        (AllowedFailsPolicy { bad_gateway: Some(1), ..none }, 502),
        (AllowedFailsPolicy { service_unavailable: Some(1), ..none }, 503),
    ]
}

#[test]
fn a_policy_counts_each_kind_of_error_by_itself() {
    for (named, (policy, status)) in one_allowed().into_iter().enumerate() {
        for (place, (_, other)) in one_allowed().into_iter().enumerate() {
            let mut config = config("g g");
            config.router_settings.allowed_fails = Some(50);
            config.router_settings.allowed_fails_policy = Some(policy);
            let mut d = Drill::new(&config);
            d.upstream("a", Does::Fail(other)).ask_at(0.0, "g");
            assert!(!d.is_cooled("a"), "{status} is allowed once, {other} came once");
            // A bad request is no failure of the deployment, whatever the router allows.
            let cools = named == place && status != 400;
            d.ask_at(1.0, "g");
            assert_eq!(d.is_cooled("a"), cools, "{status} is allowed once, {other} came twice");
        }
    }
}

#[test]
fn a_deployment_s_own_policy_counts_each_kind_of_error_even_bad_requests() {
    for (named, (policy, status)) in one_allowed().into_iter().enumerate() {
        for (place, (_, other)) in one_allowed().into_iter().enumerate() {
            let mut config = config("g g");
            config.router_settings.allowed_fails = Some(50);
            config.model_list[0].model_info_allowed_fails_policy = Some(policy);
            let mut d = Drill::new(&config);
            d.upstream("a", Does::Fail(other)).ask_at(0.0, "g");
            assert!(!d.is_cooled("a"), "{status} is allowed once, {other} came once");
            d.ask_at(1.0, "g");
            assert_eq!(d.is_cooled("a"), named == place, "{status} is allowed once, {other} came twice");
        }
    }
}
