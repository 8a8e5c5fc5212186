//! Fallbacks.

use router_core::{Config, FallbackEntry, FallbackTarget, Params, Release};

use crate::drill::{Does, Drill, config};

fn chain(group: &str, targets: &[&str]) -> FallbackEntry {
    let targets = targets.iter().map(|&target| FallbackTarget::Name(target.to_owned())).collect();
    FallbackEntry { group: group.to_owned(), targets }
}

/// One deployment for each of `m0` to `m8`, and all of them fail.
fn failing(release: Release, fallbacks: Vec<FallbackEntry>) -> Drill {
    let mut config: Config = config("m0 m1 m2 m3 m4 m5 m6 m7 m8");
    config.release = release;
    config.router_settings.fallbacks = Some(fallbacks);
    let mut d = Drill::new(&config);
    for id in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
        d.upstream(id, Does::Fail(500));
    }
    d
}

#[test]
fn a_flat_list_is_never_shortened_but_a_chain_of_hops_is() {
    for release in Release::ALL {
        let mut d = failing(release, vec![chain("m0", &["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"])]);
        assert_eq!(d.ask_at(0.0, "m0").calls.len(), 9);
        let links = (0..8).map(|n| chain(&format!("m{n}"), &[&format!("m{}", n + 1)])).collect();
        let mut d = failing(release, links);
        assert_eq!(d.ask_at(0.0, "m0").calls, ["a", "b", "c", "d", "e", "f"]);
    }
}

#[test]
fn a_cycle_is_walked_again_and_again_only_in_older_releases() {
    let cycle = || vec![chain("m0", &["m1"]), chain("m1", &["m0"])];
    assert_eq!(failing(Release::V1_109_1, cycle()).ask_at(0.0, "m0").calls, ["a", "b"]);
    assert_eq!(failing(Release::V1_80_17, cycle()).ask_at(0.0, "m0").calls, ["a", "b", "a", "b", "a", "b"]);
}

#[test]
fn the_caller_gets_the_error_of_the_group_it_asked_for() {
    let mut config = config("g backup");
    config.router_settings.fallbacks = Some(vec![chain("g", &["backup"])]);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Fail(503)).upstream("b", Does::Fail(401)).ask_at(0.0, "g");
    assert_eq!(d.calls, ["a", "b"]);
    assert_eq!(d.ends, ["ServiceUnavailableError"]);
}

#[test]
fn an_alias_needs_a_chain_of_its_own() {
    let mut config = config("g backup");
    config.router_settings.model_group_alias = vec![("smart".to_owned(), "g".to_owned())];
    config.router_settings.fallbacks = Some(vec![chain("g", &["backup"])]);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Fail(503));
    assert_eq!(d.ask_at(0.0, "g").ends, ["ok"]);
    assert_eq!(d.ask_at(1.0, "smart").ends, ["ServiceUnavailableError"]);
}

#[test]
fn an_empty_list_in_router_settings_counts_as_none() {
    let mut config = config("g backup");
    config.router_settings.fallbacks = Some(Vec::new());
    config.litellm_settings.fallbacks = Some(vec![chain("g", &["backup"])]);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Fail(500));
    assert_eq!(d.ask_at(0.0, "g").calls, ["a", "b"]);
}

#[test]
fn a_request_can_forbid_fallbacks() {
    let mut config = config("g backup");
    config.router_settings.fallbacks = Some(vec![chain("g", &["backup"])]);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Fail(500));
    d.ask_with(0.0, "g", Params { disable_fallbacks: true, ..Params::default() });
    assert_eq!(d.calls, ["a"]);
}

#[test]
fn order_levels_are_walked_before_another_group_in_newer_releases() {
    for (release, calls) in [(Release::V1_80_17, vec!["a", "c"]), (Release::V1_109_1, vec!["a", "b", "c"])] {
        let mut config = config("g g backup");
        config.release = release;
        config.model_list[0].order = Some(1);
        config.model_list[1].order = Some(2);
        config.router_settings.fallbacks = Some(vec![chain("g", &["backup"])]);
        let mut d = Drill::new(&config);
        d.upstream("a", Does::Fail(500)).upstream("b", Does::Fail(500)).ask_at(0.0, "g");
        assert_eq!(d.calls, calls, "{release}");
    }
}

#[test]
fn weighted_failover_tries_the_rest_of_the_group_first() {
    let mut config = config("g g g backup");
    config.router_settings.enable_weighted_failover = Some(true);
    config.router_settings.fallbacks = Some(vec![chain("g", &["backup"])]);
    let mut d = Drill::new(&config);
    for id in ["a", "b", "c"] {
        d.upstream(id, Does::Fail(400));
    }
    assert_eq!(d.ask_at(0.0, "g").calls, ["a", "b", "c", "d"]);
}
