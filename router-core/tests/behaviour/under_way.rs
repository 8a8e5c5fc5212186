//! Several requests under way at once, and callers who go.

use router_core::{Params, Release, RoutingStrategy, Usage};

use crate::drill::{Does, Drill, config};

fn one_place(release: Release) -> Drill {
    let mut config = config("g");
    config.release = release;
    config.model_list[0].max_parallel_requests = Some(1);
    Drill::new(&config)
}

#[test]
fn whoever_goes_gives_the_place_back() {
    let mut d = one_place(Release::V1_109_1);
    d.upstream("a", Does::Hang);
    let request = d.begin_at(0.0, "g", Params::default());
    d.begin_at(1.0, "g", Params::default());
    assert_eq!(d.ends, ["RateLimitError"], "the place is taken");
    d.cancel_at(2.0, request).upstream("a", Does::Answer);
    assert_eq!(d.ask_at(3.0, "g").ends, ["ok"]);
}

#[test]
fn whoever_goes_leaves_the_line() {
    let mut d = one_place(Release::V1_80_17);
    let ask = |d: &mut Drill, at| d.begin_at(at, "g", Params::default());
    ask(&mut d, 0.0);
    let second = ask(&mut d, 0.01);
    ask(&mut d, 0.02);
    assert_eq!(d.calls, ["a"]);
    d.cancel_at(0.03, second).until(5.0);
    assert_eq!(d.ends, ["ok", "ok"], "the first and the third");
}

#[test]
fn entries_with_one_id_share_their_places() {
    let mut config = config("g h");
    for entry in &mut config.model_list {
        (entry.id, entry.max_parallel_requests) = ("a".to_owned(), Some(1));
    }
    let mut d = Drill::new(&config);
    d.begin_at(0.0, "g", Params::default());
    d.begin_at(0.01, "h", Params::default());
    assert_eq!(d.ends, ["RateLimitError"]);
}

#[test]
fn an_answer_is_passed_on_with_what_it_used() {
    let mut d = Drill::new(&config("g"));
    assert_eq!(d.ask_at(0.0, "g").usages, [Usage { prompt_tokens: 10, completion_tokens: 10 }]);
}

#[test]
fn a_timeout_that_strikes_others_wakes_nobody_who_waits() {
    let mut config = config("g");
    config.router_settings.timeout = Some(10.0);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Hang);
    d.begin_at(0.0, "g", Params::default());
    d.upstream("a", Does::FailFor(503, 30));
    d.begin_at(0.0, "g", Params { num_retries: Some(1), ..Params::default() });
    d.upstream("a", Does::Answer).until(20.0);
    assert_eq!((d.ends.as_slice(), d.calls.len()), (&["Timeout"][..], 2), "the other waits for half a minute");
    assert_eq!(d.until(31.0).ends, ["Timeout", "ok"]);
}

#[test]
fn a_stream_that_began_has_its_timeout_anew() {
    let mut config = config("g");
    config.router_settings.timeout = Some(10.0);
    let mut d = Drill::new(&config);
    d.upstream("a", Does::Hang);
    d.begin_stream_at(0.0, "g");
    d.upstream("a", Does::Open);
    d.begin_stream_at(0.0, "g");
    assert_eq!(d.until(10.05).ends.len(), 1);
    assert_eq!(d.until(10.15).ends.len(), 2);
}

#[test]
fn least_busy_counts_what_is_under_way() {
    let mut config = config("g g");
    config.router_settings.routing_strategy = Some(RoutingStrategy::LeastBusy);
    let mut d = Drill::new(&config);
    d.begin_at(0.0, "g", Params::default());
    d.begin_at(0.01, "g", Params::default());
    d.begin_at(0.02, "g", Params::default());
    assert_eq!((d.counted("a"), d.counted("b")), (Some(2), Some(1)));
    d.until(1.0);
    assert_eq!((d.counted("a"), d.counted("b")), (Some(0), Some(0)));
}
