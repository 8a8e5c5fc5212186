//! The router's own limits.

use router_core::{Config, RoutingStrategy};

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
