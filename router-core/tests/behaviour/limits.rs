//! The router's own limits.

use router_core::{Config, CooldownReason, DailyLimits, Note, RoutingStrategy};

use crate::drill::{Drill, config};

fn limited(strategy: RoutingStrategy, enforced: bool) -> Config {
    let mut config = config("g");
    config.model_list[0].rpm.params = Some(3.0);
    config.router_settings.routing_strategy = Some(strategy);
    config.router_settings.enforce_model_rate_limits = enforced;
    config
}

#[test]
fn an_rpm_of_three_admits_as_many_as_the_strategy_makes_of_it() {
    use RoutingStrategy::*;
    let all = [
        (SimpleShuffle, false, 6),
        (SimpleShuffle, true, 3),
        (LeastBusy, false, 6),
        (UsageBased, false, 2),
        (UsageBasedV2, false, 2),
        (LatencyBased, false, 3),
        (CostBased, false, 3),
    ];
    for (strategy, enforced, admitted) in all {
        let mut d = Drill::new(&limited(strategy, enforced));
        let served = (0..6).filter(|&n| d.ask_at(f64::from(n), "g").ends == ["ok"]).count();
        assert_eq!(served, admitted, "{strategy:?}, enforced: {enforced}");
    }
}

#[test]
fn a_new_minute_brings_new_requests() {
    let mut d = Drill::new(&limited(RoutingStrategy::LatencyBased, false));
    (0..3).for_each(|n| {
        d.ask_at(f64::from(n), "g");
    });
    assert_eq!(d.ask_at(59.0, "g").ends, ["RouterRateLimitError"]);
    assert_eq!(d.ask_at(60.0, "g").ends, ["ok"]);
}

#[test]
fn limits_per_day_last_until_midnight_and_tokens_per_minute_until_the_next_minute() {
    // The run starts at eight in the morning; an answer uses 20 tokens.
    const MIDNIGHT: f64 = 16.0 * 3600.0;
    let requests = DailyLimits { rpd: Some(2.0), tpd: None };
    let tokens = DailyLimits { rpd: None, tpd: Some(40.0) };
    for (daily, tpm, again) in
        [(requests, None, MIDNIGHT), (tokens, None, MIDNIGHT), (DailyLimits::default(), Some(40.0), 60.0)]
    {
        let mut config = config("g");
        config.router_settings.enforce_model_rate_limits = true;
        (config.model_list[0].daily, config.model_list[0].tpm.params) = (daily, tpm);
        let mut d = Drill::new(&config);
        for (at, end) in
            [(0.0, "ok"), (1.0, "ok"), (2.0, "RateLimitError"), (again - 1.0, "RateLimitError"), (again, "ok")]
        {
            assert_eq!(d.ask_at(at, "g").ends, [end], "{daily:?}, {tpm:?}, at {at} s");
        }
    }
}

#[test]
fn usage_based_routing_asks_for_leave_even_where_nothing_was_counted_yet() {
    let mut config = limited(RoutingStrategy::UsageBasedV2, false);
    config.model_list[0].rpm.params = Some(0.0);
    assert_eq!(Drill::new(&config).ask_at(0.0, "g").ends, ["RateLimitError"]);
}

#[test]
fn a_refusal_by_the_router_s_own_limit_rests_the_deployment_and_says_so() {
    let mut config = config("g g");
    config.router_settings.enforce_model_rate_limits = true;
    config.model_list[0].rpm.params = Some(1.0);
    let mut d = Drill::new(&config);
    d.ask_at(0.0, "g").ask_at(1.0, "g");
    let own = |note: &Note| matches!(note, Note::Cooled { because: CooldownReason::OwnLimit, .. });
    assert!(d.notes.iter().any(own), "{:?}", d.notes);
    assert!(d.is_cooled("a"));
}
