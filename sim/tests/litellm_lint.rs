//! What only shows when groups, fallbacks and settings are seen together. Each rule has a configuration that it is about
//! and one that it must be silent on.

use routedrill_sim::litellm::lint::{Choice, Fleet, Linted, lint, rule_named};
use routedrill_sim::litellm::{Options, Severity};
use routedrill_sim::source::Source;
use router_core::{Release, Span};

/// Two groups of two deployments each, with different keys and endpoints, timeouts and fallbacks: nothing to remark.
const GOOD: &str = "\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/KEY_1}
  - model_name: gpt-4o
    litellm_params: {model: azure/gpt-4o, api_key: os.environ/KEY_2, api_base: \"https://a-eastus.openai.azure.com\"}
    model_info: {base_model: azure/gpt-4o}
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_key: os.environ/KEY_3}
  - model_name: claude
    litellm_params: {model: bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0, aws_region_name: us-east-1}
router_settings:
  timeout: 30
  fallbacks:
    - gpt-4o: [claude]
general_settings:
  master_key: os.environ/MASTER_KEY
";

fn found(text: &str, release: Release, deadline: Option<Span>) -> Linted {
    let options = Options { release, without_models: true, ..Options::default() };
    let choice = Choice { deadline, ..Choice::default() };
    lint(&Source::new("config.yaml", text), &options, &choice).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

fn rules(text: &str) -> Vec<&'static str> {
    found(text, Release::V1_109_1, None).findings.iter().map(|finding| finding.rule.name).collect()
}

/// Deployments `name: litellm_params`, and settings below `router_settings`.
fn config(deployments: &[(&str, &str)], settings: &str) -> String {
    let entry = |(name, params): &(&str, &str)| format!("  - model_name: {name}\n    litellm_params: {{{params}}}\n");
    let entries: String = deployments.iter().map(entry).collect();
    format!("model_list:\n{entries}router_settings:\n  timeout: 30\n  {}\n", settings.replace('\n', "\n  "))
}

const OPENAI: &str = "model: openai/gpt-4o, api_key: os.environ/K1";
const OTHER: &str = "model: openai/gpt-4o, api_key: os.environ/K2";
const SMALL: &str = "model: openai/gpt-4, api_key: os.environ/K3";

#[test]
fn a_good_configuration_is_met_with_silence() {
    assert_eq!(rules(GOOD), Vec::<&str>::new());
}

#[test]
fn the_example_of_production_size_gets_notes_at_most() {
    let text = include_str!("../../examples/litellm/production.yaml");
    let linted = found(text, Release::V1_109_1, None);
    assert!(linted.findings.iter().all(|finding| finding.rule.severity == Severity::Note), "{:?}", linted.findings);
}

#[test]
fn each_rule_speaks_where_it_should_and_nowhere_else() {
    let rpm = |params: &str, rpm: u32| format!("{params}, rpm: {rpm}");
    let pair = [("a", OPENAI), ("a", OTHER), ("b", SMALL), ("b", OPENAI)];
    let lone = [("a", OPENAI), ("b", SMALL), ("b", OTHER)];
    let same_key = "model: openai/gpt-4o-mini, api_key: os.environ/K1";
    let twin = "model: openai/gpt-4o, api_key: os.environ/K1, weight: 1";
    let fallback = "fallbacks: [{a: [b]}]";
    let by_usage = "routing_strategy: usage-based-routing-v2";
    let azure = |n: u32, region: &str| {
        format!("model: azure/gpt-4o, api_key: os.environ/A{n}, api_base: \"https://b{n}-{region}.openai.azure.com\"")
    };
    let servers = |name: &str| format!("{}mcp_servers: {{{name}: {{url: \"http://m\"}}}}\n", config(&pair, ""));
    let (much, little) = (rpm(OPENAI, 100), rpm(OTHER, 10));
    let cases: &[(&str, String, String)] = &[
        ("no-circuit-breaker", config(&lone, fallback), config(&lone, &format!("{fallback}\nallowed_fails: 2"))),
        ("no-circuit-breaker", config(&lone, fallback), config(&pair, fallback)),
        ("no-circuit-breaker", config(&lone, fallback), config(&lone, &format!("{fallback}\ndisable_cooldowns: true"))),
        ("no-redundancy", config(&[("a", OPENAI)], ""), config(&lone, fallback)),
        ("self-fallback", config(&pair, "fallbacks: [{a: [a, b]}]"), config(&pair, fallback)),
        ("repeated-fallback", config(&pair, "fallbacks: [{a: [b, b]}]"), config(&pair, fallback)),
        ("shared-fate", config(&[("a", OPENAI), ("a", twin)], ""), config(&[("a", OPENAI), ("a", OTHER)], "")),
        ("shared-fate", config(&[("a", OPENAI), ("a", twin)], ""), config(&[("a", OPENAI), ("a", same_key)], "")),
        ("shared-account", config(&[("a", OPENAI), ("a", same_key)], ""), config(&[("a", OPENAI), ("a", twin)], "")),
        (
            "shared-fate",
            config(&[("a", OPENAI), ("a", twin)], ""),
            config(&[("a", OPENAI), ("a", twin), ("b", OTHER)], fallback),
        ),
        (
            "fallback-shares-fate",
            config(&[("a", OPENAI), ("b", same_key)], fallback),
            config(&[("a", OPENAI), ("b", OTHER)], fallback),
        ),
        (
            "smaller-quota",
            config(&[("a", &much), ("b", &little)], fallback),
            config(&[("a", &little), ("b", &much)], fallback),
        ),
        (
            "limit-is-weight",
            config(&[("a", &much), ("a", &little)], ""),
            config(&[("a", &much), ("a", &little)], "optional_pre_call_checks: [enforce_model_rate_limits]"),
        ),
        (
            "limit-is-weight",
            config(&[("a", &much), ("a", &little)], ""),
            config(&[("a", &much), ("a", &little)], "routing_strategy: usage-based-routing-v2"),
        ),
        (
            "smaller-window",
            config(&[("a", OPENAI), ("b", SMALL)], fallback),
            config(&[("a", SMALL), ("b", OPENAI)], fallback),
        ),
        (
            "context-fallback-not-larger",
            config(&[("a", OPENAI), ("b", SMALL)], "context_window_fallbacks: [{a: [b]}]"),
            config(&[("a", SMALL), ("b", OPENAI)], "context_window_fallbacks: [{a: [b]}]"),
        ),
        (
            // The second one is larger, and LiteLLM asks it after the first.
            "context-fallback-not-larger",
            config(&[("a", OPENAI), ("b", SMALL), ("c", twin)], "context_window_fallbacks: [{a: [b, c]}]"),
            config(&[("a", SMALL), ("b", SMALL), ("c", OPENAI)], "context_window_fallbacks: [{a: [b, c]}]"),
        ),
        (
            "no-context-fallback",
            config(&lone, &format!("{fallback}\ncontext_window_fallbacks: [{{b: [a]}}]")),
            config(&lone, fallback),
        ),
        (
            "wildcard-never-rests",
            config(&[("openai/*", "model: openai/*, api_key: os.environ/K"), ("b", OTHER)], "default_fallbacks: [b]"),
            config(&lone, fallback),
        ),
        (
            "no-content-policy-fallback",
            config(&pair, &format!("{fallback}\ncontent_policy_fallbacks: [{{b: [a]}}]")),
            config(&pair, &format!("{fallback}\ncontent_policy_fallbacks: [{{a: [b]}}]")),
        ),
        (
            "unreachable-fallback",
            config(&pair, "fallbacks: [{a: [b]}, {a: [b]}]"),
            config(&pair, "fallbacks: [{a: [b]}, {b: [a]}]"),
        ),
        (
            "unreachable-fallback",
            config(&pair, &format!("{fallback}\nmax_fallbacks: 0")),
            config(&pair, "max_fallbacks: 0"),
        ),
        (
            "chained-alias",
            config(&pair, "model_group_alias: {x: y, y: a}"),
            config(&pair, "model_group_alias: {x: a, y: a, a: a}"),
        ),
        ("chained-alias", config(&pair, "model_group_alias: {x: x}"), config(&pair, "model_group_alias: {b: a, x: b}")),
        (
            "limit-below-prompt",
            config(&[("a", &format!("{OPENAI}, tpm: 20"))], by_usage),
            config(&[("a", &format!("{OPENAI}, tpm: 20"))], ""),
        ),
        (
            "limit-below-prompt",
            config(&[("a", &format!("{OPENAI}, rpm: 0"))], "optional_pre_call_checks: [enforce_model_rate_limits]"),
            config(&[("a", &format!("{OPENAI}, rpm: 1"))], "optional_pre_call_checks: [enforce_model_rate_limits]"),
        ),
        (
            "limit-below-window",
            config(&[("a", &format!("{OPENAI}, tpm: 30000"))], by_usage),
            config(&[("a", &format!("{OPENAI}, tpm: 3000000"))], by_usage),
        ),
        (
            "shared-region",
            config(&[("a", &azure(1, "eastus")), ("a", &azure(2, "eastus"))], ""),
            config(&[("a", &azure(1, "eastus")), ("a", &azure(2, "westeurope"))], ""),
        ),
        (
            "shared-region",
            config(&[("a", &azure(1, "eastus")), ("b", &azure(2, "eastus"))], fallback),
            config(&[("a", &azure(1, "eastus")), ("b", OTHER)], fallback),
        ),
        ("mcp-name", servers("\"two words\""), servers("two_words")),
        ("mcp-name-has-separator", servers("two-words"), servers("two.words")),
        ("mcp-not-reloaded", servers("x"), servers("x") + "general_settings: {store_model_in_db: false}\n"),
        ("no-timeout", config(&lone, "").replace("timeout: 30", ""), config(&lone, "")),
        ("key-not-named", config(&[("a", "model: openai/gpt-4o")], ""), config(&[("a", OPENAI)], "")),
        (
            "key-not-named",
            config(&[("a", "model: anthropic/claude-sonnet-4-5")], ""),
            config(&[("a", "model: ollama/llama3, api_base: \"http://desk:11434\"")], ""),
        ),
        // Behind a bare `*` each provider has a key of its own.
        (
            "key-not-named",
            config(&[("openai/*", "model: openai/*")], ""),
            config(&[("*", "model: \"*\"")], "").replace("name: *", "name: \"*\""),
        ),
        (
            "clear-text-key",
            GOOD.replace("os.environ/MASTER_KEY", "sk-1234567890"),
            GOOD.replace("os.environ/MASTER_KEY", "${MASTER_KEY}"),
        ),
    ];
    for (name, meant, silent) in cases {
        assert!(rules(meant).contains(name), "{name} says nothing about\n{meant}{:?}", rules(meant));
        assert!(!rules(silent).contains(name), "{name} speaks about\n{silent}");
    }
}

/// Four deployments under a strategy that counts, with limits and a budget, run by some replicas.
fn replicas(settings: &str, replicas: u32) -> Vec<(&'static str, String)> {
    let text = config(
        &[("a", &format!("{OPENAI}, max_parallel_requests: 10, max_budget: 5, budget_duration: 1d")), ("b", OTHER)],
        settings,
    );
    let choice = Choice { fleet: Fleet { replicas, ..Fleet::default() }, ..Choice::default() };
    let linted = lint(&Source::new("config.yaml", text), &Options::default(), &choice).expect("a config");
    let about_replicas = ["replicas-without-redis", "limit-per-replica"];
    let findings = linted.findings.into_iter().filter(|finding| about_replicas.contains(&finding.rule.name));
    findings.map(|finding| (finding.rule.name, finding.message)).collect()
}

#[test]
fn several_replicas_without_redis_count_each_for_itself() {
    let count = |settings: &str, n: u32| replicas(settings, n).len();
    assert_eq!(count("", 1), 0, "one replica shares everything with itself");
    let found = replicas("", 3);
    assert_eq!(
        found.iter().map(|(rule, _)| *rule).collect::<Vec<_>>(),
        ["limit-per-replica", "limit-per-replica", "replicas-without-redis"]
    );
    assert!(found[0].1.contains("3 replicas send up to 30 calls at once, not 10"), "{found:?}");
    assert!(found[1].1.contains("may spend 15 dollars, not 5"), "{found:?}");
    for redis in ["redis_url: os.environ/REDIS_URL", "redis_host: h\nredis_port: 6379"] {
        // What runs at once is counted in the process, Redis or not.
        assert_eq!(count(redis, 3), 1, "{redis}");
    }
    assert_eq!(count("redis_host: h", 3), 3, "a host without a port is no Redis to LiteLLM");
}

#[test]
fn a_cycle_only_matters_to_the_release_that_goes_round_in_it() {
    let text = config(&[("a", OPENAI), ("a", OTHER), ("b", SMALL), ("b", OTHER)], "fallbacks: [{a: [b]}, {b: [a]}]");
    let cyclic = |release| {
        found(&text, release, None).findings.iter().filter(|finding| finding.rule.name == "cyclic-fallback").count()
    };
    assert_eq!(cyclic(Release::V1_80_17), 1);
    assert_eq!(cyclic(Release::V1_109_1), 0);
    let ways = |release| found(&text, release, None).worst_cases[0].way.len();
    assert_eq!((ways(Release::V1_109_1), ways(Release::V1_80_17)), (2, 6));
}

#[test]
fn the_worst_case_adds_up_attempts_waits_and_fallbacks() {
    // Three attempts of 30 s in each group; the lone one waits 0.5, 1 and 2 s, each with 0.75 s of chance.
    let text = config(&[("a", OPENAI), ("b", SMALL), ("b", OTHER)], "num_retries: 2\nfallbacks: [{a: [b]}]");
    let linted = found(&text, Release::V1_109_1, Some(Span::from_secs(60)));
    let case = &linted.worst_cases[0];
    assert_eq!((case.group.as_str(), case.calls, case.time), ("a", 6, Span::from_millis(185_750)));
    assert_eq!(case.way, ["a", "b"]);
    let slow =
        |linted: &Linted| linted.findings.iter().filter(|finding| finding.rule.name == "slower-than-deadline").count();
    assert_eq!(slow(&linted), 2);
    assert_eq!(slow(&found(&text, Release::V1_109_1, Some(Span::from_secs(600)))), 0);
    assert_eq!(slow(&found(&text, Release::V1_109_1, None)), 0);
}

#[test]
fn a_comment_with_a_reason_silences_a_rule_in_one_place() {
    let base = config(&[("a", OPENAI), ("b", SMALL)], "");
    assert_eq!(rules(&base), ["no-redundancy", "no-redundancy"]);
    let comment = "# routedrill: ignore no-redundancy because it is a toy";
    for silenced in [
        base.replace("model_name: a", &format!("model_name: a  {comment}")),
        base.replace("  - model_name: a", &format!("  {comment}\n  # and more\n  - model_name: a")),
    ] {
        let linted = found(&silenced, Release::V1_109_1, None);
        assert_eq!(linted.findings.len(), 1, "{silenced}");
        assert_eq!(linted.silenced.len(), 1);
        assert_eq!(linted.silenced[0].1, "it is a toy");
    }
}

#[test]
fn a_comment_that_silences_nothing_is_remarked_on() {
    let with = |comment: &str| format!("{comment}\n{GOOD}");
    for (comment, rule) in [
        ("# routedrill: ignore no-timeout", "broken-suppression"),
        ("# routedrill: ignore no-timeout because", "broken-suppression"),
        ("# routedrill: ignore no-timeot because of that", "broken-suppression"),
        ("# routedrill: ignore because of that", "broken-suppression"),
        ("# routedrill: hello", "broken-suppression"),
        ("# routedrill: ignore no-timeout because of that", "unused-suppression"),
    ] {
        assert_eq!(rules(&with(comment)), [rule], "{comment}");
    }
    assert_eq!(rules(&with("# not routedrill: ignore this")), Vec::<&str>::new());
}

#[test]
fn rules_are_chosen_by_name() {
    let rule = |name: &str| rule_named(name).expect("a rule");
    assert!(rule_named("no-timeot").expect_err("no rule").contains("no-timeout"));
    let source = Source::new("config.yaml", config(&[("a", "model: openai/gpt-4o")], ""));
    let names = |choice: Choice| -> Vec<&str> {
        let linted = lint(&source, &Options::default(), &choice).expect("a config");
        linted.findings.iter().map(|finding| finding.rule.name).collect()
    };
    assert_eq!(names(Choice::default()), ["no-redundancy", "key-not-named"]);
    assert_eq!(names(Choice { select: vec![rule("key-not-named")], ..Choice::default() }), ["key-not-named"]);
    assert_eq!(names(Choice { ignore: vec![rule("key-not-named")], ..Choice::default() }), ["no-redundancy"]);
}

#[test]
fn names_that_may_live_in_the_database_are_no_errors() {
    let dangling = "fallbacks: [{gpt-4o: [elsewhere]}]\nmodel_group_alias: {fast: gone}";
    let alone = config(&[("gpt-4o", OPENAI), ("gpt-4o", OTHER)], dangling);
    assert!(rules(&alone).contains(&"undefined-fallback"));
    let stored = format!("{alone}general_settings: {{store_model_in_db: true}}\n");
    assert_eq!(rules(&stored), ["unseen-name", "unseen-name", "not-modelled"]);
}

#[test]
fn settings_without_models_are_read_where_that_is_asked_for_and_only_then() {
    let text = "litellm_settings: {num_retries: 2}\nrouter_settings: {request_timeout: 3}\n";
    assert_eq!(rules(text), ["unseen-models", "ignored-key"]);
    let refused = |text: &str, without_models| {
        let options = Options { without_models, ..Options::default() };
        lint(&Source::new("config.yaml", text), &options, &Choice::default()).is_err()
    };
    assert!(refused(text, false));
    // Something else altogether is none of LiteLLM's files.
    assert!(refused("kind: Deployment\nspec: {}\n", true));
}
