//! Budgets, and who may be called at all.

use router_core::{Budget, Config, Params, Span};

use crate::drill::{Drill, config};

/// `a` costs 3.75 dollars an answer and may cost 7.5 in a minute; `b` costs nothing.
fn two_answers_a_minute() -> Config {
    let mut config = config("g g");
    let a = &mut config.model_list[0];
    (a.input_cost_per_token, a.output_cost_per_token) = (Some(0.125), Some(0.25));
    a.budget = Some(Budget { dollars: 7.5, window: Span::from_secs(60) });
    config
}

#[test]
fn a_deployment_is_left_out_from_the_answer_that_spends_its_budget_to_the_end_of_the_window() {
    let mut d = Drill::new(&two_answers_a_minute());
    let mut called = |at: f64| d.ask_at(at, "g").calls.clone();
    for (at, whom) in [(0.0, "a"), (1.0, "a"), (2.0, "b"), (59.0, "b"), (60.1, "b")] {
        assert_eq!(called(at), [whom], "at {at} s");
    }
    // The next window begins with the first answer after it, with nothing spent.
    for (at, whom) in [(70.0, "a"), (71.0, "a"), (72.0, "b"), (130.1, "b"), (130.2, "a")] {
        assert_eq!(called(at), [whom], "at {at} s");
    }
}

#[test]
fn a_budget_of_zero_is_none() {
    let mut config = two_answers_a_minute();
    config.model_list[0].budget = Some(Budget { dollars: 0.0, window: Span::from_secs(60) });
    let mut d = Drill::new(&config);
    for at in 0..4 {
        assert_eq!(d.ask_at(f64::from(at), "g").calls, ["a"]);
    }
}

#[test]
fn when_all_budgets_are_spent_the_client_of_the_proxy_sees_a_429() {
    let mut config = two_answers_a_minute();
    config.model_list.truncate(1);
    let mut d = Drill::new(&config);
    d.ask_at(0.0, "g").ask_at(1.0, "g");
    let error = d.ask_at(2.0, "g").errors[0];
    assert_eq!((error.class.name(), error.client_status), ("ValueError", 429));
}

#[test]
fn a_team_s_deployment_is_not_for_everybody() {
    let mut config = config("g g");
    config.model_list[0].team_id = Some("blue".to_owned());
    assert_eq!(Drill::new(&config).ask_at(0.0, "g").calls, ["b"]);
}

#[test]
fn a_tag_that_nobody_has_is_a_401_for_the_client_of_the_proxy() {
    let mut config = config("g g");
    config.router_settings.enable_tag_filtering = Some(true);
    config.model_list[0].tags = vec!["paid".to_owned()];
    config.asked_tags = vec!["nowhere".to_owned()];
    let mut d = Drill::new(&config);
    let asked = |tag: &str, d: &Drill| Params { tags: d.plan().tag_id(tag).into_iter().collect(), ..Params::default() };
    let params = asked("nowhere", &d);
    let error = d.ask_with(0.0, "g", params).errors[0];
    assert_eq!((error.class.name(), error.client_status), ("ValueError", 401));
    let params = asked("paid", &d);
    assert_eq!(d.ask_with(1.0, "g", params).calls, ["a"]);
}
