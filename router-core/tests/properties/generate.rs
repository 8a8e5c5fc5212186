//! Stories by chance: configurations, requests and faults, small enough to be read when one fails.

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use router_core::{
    Config, FallbackEntry, FallbackTarget, Mode, ModelEntry, Number, Release, RequestParams, RetryBudget, RetryPolicy,
    RouterSettings, Span, Time, WhatIf,
};

use crate::world::{Reply, ReplyKind, Request, Story};

/// The groups of every configuration; each has at least one deployment.
const GROUPS: [&str; 3] = ["alpha", "beta", "gamma"];
/// A name for the first group.
const ALIAS: &str = "nickname";

/// A story whose requests share everything: cooldowns, counters, chance.
pub(crate) fn any_story(release: Release) -> impl Strategy<Value = Story> {
    (config(release), vec(request(), 1..8), any::<u64>()).prop_map(|(config, requests, seed)| Story {
        config,
        requests,
        seed,
    })
}

/// The same under any of the policies that LiteLLM does not have.
pub(crate) fn supposing_story(release: Release) -> impl Strategy<Value = Story> {
    (any_story(release), what_if()).prop_map(|(mut story, what_if)| {
        story.config.what_if = what_if;
        story
    })
}

fn what_if() -> impl Strategy<Value = WhatIf> {
    let budget = (0..8u32, 1..4u32)
        .prop_map(|(eighths, burst)| RetryBudget { per_request: f64::from(eighths) / 8.0, burst: f64::from(burst) });
    let span = |millis: std::ops::Range<u64>| millis.prop_map(|millis| Span::from_nanos(millis * 1_000_000 + 333));
    (of(budget), of(0.0..1.0), of(1..3u32), of(span(1..40_000)), of(span(1..3_000))).prop_map(
        |(retry_budget, cooldown_jitter, half_open, wait_for_cooldown, hedge_after)| WhatIf {
            retry_budget,
            cooldown_jitter,
            half_open,
            wait_for_cooldown,
            hedge_after,
        },
    )
}

/// A story whose requests cannot feel each other: nobody ever rests.
pub(crate) fn carefree_story(release: Release) -> impl Strategy<Value = Story> {
    any_story(release).prop_map(|mut story| {
        story.config.router_settings.disable_cooldowns = Some(true);
        story
    })
}

/// When the requests of a story arrive, if nobody waits for anybody. Each has its own nanosecond within the
/// microsecond, so that no two of them ever act at the same moment.
pub(crate) fn overlapping_arrivals(story: &Story) -> Vec<Time> {
    let mut at = Time::ZERO;
    let mut arrivals = Vec::new();
    for (index, request) in story.requests.iter().enumerate() {
        at += Span::from_nanos(request.gap.as_nanos() / 16 / 1_000 * 1_000);
        arrivals.push(own_nanosecond(at, index));
    }
    arrivals
}

/// The moment of the same microsecond that belongs to the `index`-th request alone.
pub(crate) fn own_nanosecond(at: Time, index: usize) -> Time {
    Time::from_nanos(at.as_nanos() / 1_000 * 1_000 + index as u64 + 1)
}

fn config(release: Release) -> impl Strategy<Value = Config> {
    let deployments = vec((0..GROUPS.len(), entry()), 0..4);
    let mode = prop_oneof![Just(Mode::Proxy), Just(Mode::Sdk)];
    ([entry(), entry(), entry()], deployments, settings(), mode).prop_map(move |(firsts, more, settings, mode)| {
        let firsts = firsts.into_iter().enumerate();
        let mut model_list = Vec::new();
        for (index, (group, mut entry)) in firsts.chain(more).enumerate() {
            entry.model_name = GROUPS[group].to_owned();
            entry.id = format!("d{index}");
            entry.model = format!("openai/m{index}");
            model_list.push(entry);
        }
        let asked_names = GROUPS.iter().chain([&ALIAS, &"nowhere"]).map(|name| (*name).to_owned()).collect();
        Config { release, mode, model_list, router_settings: settings, asked_names, ..Config::default() }
    })
}

fn entry() -> impl Strategy<Value = ModelEntry> {
    let weight = weighted(0.3, (0..4u32).prop_map(|weight| Number::Is(f64::from(weight))));
    let num_retries = weighted(0.2, (0..3u32).prop_map(|number| Number::Is(f64::from(number))));
    let cooldown_time = weighted(0.2, prop_oneof![Just(0.0), Just(1.0), Just(20.0)]);
    let timeout = weighted(0.2, prop_oneof![Just(0.5), Just(3.0)]);
    (weight, num_retries, cooldown_time, timeout).prop_map(|(weight, num_retries, cooldown_time, timeout)| ModelEntry {
        weight,
        num_retries,
        cooldown_time,
        timeout,
        ..ModelEntry::default()
    })
}

fn settings() -> impl Strategy<Value = RouterSettings> {
    let counts = (of(0..4i64), weighted(0.3, 0..4i64), weighted(0.3, 0..4i64));
    let times =
        (of(prop_oneof![Just(0.0), Just(2.0), Just(30.0)]), of(Just(4.0)), of(prop_oneof![Just(3.0), Just(9.0)]));
    let lists = (of(chains()), weighted(0.3, chains()), weighted(0.3, chains()));
    (counts, times, lists, weighted(0.3, retry_policy()), any::<bool>()).prop_map(
        |(
            (num_retries, max_fallbacks, allowed_fails),
            (cooldown_time, timeout, retry_after),
            lists,
            retry_policy,
            alias,
        )| {
            let (fallbacks, context_window_fallbacks, content_policy_fallbacks) = lists;
            RouterSettings {
                num_retries,
                max_fallbacks,
                allowed_fails,
                cooldown_time,
                timeout,
                retry_after,
                retry_policy,
                // An empty list in router_settings counts as none.
                fallbacks,
                context_window_fallbacks,
                content_policy_fallbacks,
                model_group_alias: if alias { vec![(ALIAS.to_owned(), GROUPS[0].to_owned())] } else { Vec::new() },
                ..RouterSettings::default()
            }
        },
    )
}

fn chains() -> impl Strategy<Value = Vec<FallbackEntry>> {
    let target = prop_oneof![9 => proptest::sample::select(&GROUPS[..]), 1 => Just("nowhere")];
    let key = prop_oneof![6 => proptest::sample::select(&GROUPS[..]), 1 => Just("*"), 1 => Just(ALIAS)];
    let entry = (key, vec(target, 1..3)).prop_map(|(group, targets)| FallbackEntry {
        group: group.to_owned(),
        targets: targets.into_iter().map(|name| FallbackTarget::Name(name.to_owned())).collect(),
    });
    vec(entry, 1..4)
}

fn retry_policy() -> impl Strategy<Value = RetryPolicy> {
    let number = || weighted(0.4, 0..3i64);
    (number(), number(), number(), number(), number(), number()).prop_map(
        |(bad_request, authentication, timeout, rate_limit, internal_server, default)| RetryPolicy {
            bad_request,
            authentication,
            timeout,
            rate_limit,
            internal_server,
            default,
            ..RetryPolicy::default()
        },
    )
}

fn request() -> impl Strategy<Value = Request> {
    let model = prop_oneof![6 => proptest::sample::select(&GROUPS[..]), 2 => Just(ALIAS)];
    (0..40_000_000u64, model, params(), vec(reply(), 1..6)).prop_map(|(micros, model, params, replies)| Request {
        gap: Span::from_nanos(micros * 1_000),
        model: model.to_owned(),
        params,
        replies,
    })
}

fn params() -> impl Strategy<Value = RequestParams> {
    let fallbacks = vec(proptest::sample::select(&GROUPS[..]), 1..3)
        .prop_map(|names| names.into_iter().map(|name| FallbackTarget::Name(name.to_owned())).collect::<Vec<_>>());
    let timeout = weighted(0.15, prop_oneof![Just(0.4), Just(7.0)]);
    (weighted(0.15, 0..4i64), timeout, weighted(0.1, fallbacks), weighted(0.1, Just(true))).prop_map(
        |(num_retries, timeout, fallbacks, disable_fallbacks)| RequestParams {
            num_retries,
            timeout,
            fallbacks,
            disable_fallbacks,
            ..RequestParams::default()
        },
    )
}

fn reply() -> impl Strategy<Value = Reply> {
    let status = prop_oneof![
        4 => Just(429u16), 4 => Just(500), 2 => Just(503), 2 => Just(401), 1 => Just(400), 1 => Just(404), 1 => Just(408),
        1 => Just(403), 1 => Just(402), 1 => Just(409), 1 => Just(422), 1 => Just(502), 1 => Just(504), 1 => Just(529),
    ];
    let retry_after = weighted(0.25, prop_oneof![Just(0i64), Just(2), Just(61), Just(-1)]);
    let kind = prop_oneof![
        4 => Just(ReplyKind::Answer),
        8 => (status, retry_after).prop_map(|(status, retry_after)| ReplyKind::Status(status, retry_after)),
        1 => Just(ReplyKind::ContextWindow),
        1 => Just(ReplyKind::ContentPolicy),
        1 => Just(ReplyKind::Refused),
        1 => Just(ReplyKind::Hang),
    ];
    (0..2_000_000u64, kind).prop_map(|(micros, kind)| Reply { after: Span::from_nanos(micros * 1_000), kind })
}
