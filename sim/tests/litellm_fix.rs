//! Mending by machine: what is mended is gone, what is not is untouched, and doing it again changes nothing.

use proptest::prelude::*;
use routedrill_sim::litellm::lint::fix::fix;
use routedrill_sim::litellm::lint::{Choice, lint};
use routedrill_sim::litellm::{Finding, Node, Options, Value, parse};
use routedrill_sim::source::Source;

fn fixed(text: &str) -> String {
    let source = Source::new("config.yaml", text);
    fix(&source, &Options::default(), &Choice::default()).unwrap_or_else(|problems| panic!("{text}\n{problems}")).text
}

/// A config of two entries, with more lines below the first entry, its `litellm_params` and the two sections.
fn config(entry: &str, params: &str, router: &str, litellm: &str) -> String {
    let below = |indent: usize, lines: &str| -> String {
        lines.lines().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect()
    };
    format!(
        "# two groups\nmodel_list:\n  - model_name: a  # the first\n{}    litellm_params:\n      model: openai/gpt-4o\n\
        {}      api_key: os.environ/K1\n  - model_name: b\n    litellm_params:\n      model: openai/gpt-4o-mini\n      \
        api_key: os.environ/K2\n\nrouter_settings:\n  fallbacks: [{{a: [b]}}]\n{}\nlitellm_settings:\n  \
        # on purpose\n  json_logs: true\n{}# the end\n",
        below(4, entry),
        below(6, params),
        below(2, router),
        below(2, litellm)
    )
}

#[test]
fn each_mechanical_fault_is_mended_as_the_remedy_says() {
    let cases = [
        (config("", "", "request_timeout: 30  # s", ""), config("", "", "timeout: 30  # s", "")),
        (config("", "", "num_retry: 2", ""), config("", "", "num_retries: 2", "")),
        (config("", "", "drop_params: true", ""), config("", "", "", "drop_params: true")),
        (
            config("", "", "# all of them\ncallbacks:\n  - prometheus  # metrics\n  - otel", ""),
            config("", "", "", "# all of them\ncallbacks:\n  - prometheus  # metrics\n  - otel"),
        ),
        (config("", "api_bse: https://x", "", ""), config("", "api_base: https://x", "", "")),
        (config("", "weight: \"3\"", "", ""), config("", "weight: 3", "", "")),
        (config("", "cooldown_time: 1e1", "", ""), config("", "cooldown_time: 10", "", "")),
        (
            config("model_info:\n  cache_read_input_token_cost_above_200k_tokens: 6e-07", "", "", ""),
            config("model_info:\n  cache_read_input_token_cost_above_200k_tokens: 6.0e-7", "", "", ""),
        ),
        (config("", "", "num_retries: \"2\"", ""), config("", "", "num_retries: 2", "")),
        (config("", "", "enable_pre_call_checks: \"True\"", ""), config("", "", "enable_pre_call_checks: true", "")),
        (
            config("", "", "context_window_fallbacks:\n  - b: a", ""),
            config("", "", "context_window_fallbacks:\n  - b: [a]", ""),
        ),
        (
            config("", "", "content_policy_fallbacks:\n  - b: \"a\"", ""),
            config("", "", "content_policy_fallbacks:\n  - b: [\"a\"]", ""),
        ),
        (config("", "", "num_retries: 1\nnum_retries: 2", ""), config("", "", "num_retries: 2", "")),
    ];
    for (faulty, good) in cases {
        assert_eq!(fixed(&faulty), good);
    }
    let moved = fixed(&config("# per minute\nweight: 2", "", "", ""));
    assert!(
        moved.contains("      api_key: os.environ/K1\n      # per minute\n      weight: 2\n  - model_name: b"),
        "{moved}"
    );
    let absent = fixed(&config("", "", "master_key: os.environ/M", ""));
    assert!(absent.ends_with("# the end\n\ngeneral_settings:\n  master_key: os.environ/M\n"), "{absent}");
}

#[test]
fn what_is_not_mechanical_is_left_alone() {
    for text in [
        // The name is taken.
        config("", "", "num_retry: 2\nnum_retries: 3", ""),
        config("", "", "drop_params: true", "drop_params: false"),
        // The whole map would go, and with it what somebody wrote.
        config("", "", "", "") + "litellm_settings:\n  drop_params: true\n",
        // Somebody has looked at it.
        config("", "", "num_retry: 2  # routedrill: ignore ignored-key because a template reads it", ""),
        // Nobody knows what was meant.
        config("", "", "frobnicate: 2", ""),
        config("", "", "callbacks: *anchor", "").replace("model_list:", "x-y: &anchor [a]\nmodel_list:"),
        // Within brackets.
        config("", "", "", "")
            .replace("litellm_settings:\n", "general_settings: {drop_params: true}\nlitellm_settings:\n"),
    ] {
        assert_eq!(fixed(&text), text);
    }
}

#[test]
fn line_ends_of_windows_and_a_missing_last_one_are_kept() {
    let text = config("", "", "request_timeout: 30\ndrop_params: true", "").replace('\n', "\r\n");
    let mended = fixed(&text);
    assert!(mended.contains("  timeout: 30\r\n") && mended.contains("  drop_params: true\r\n"), "{mended}");
    let text = config("", "", "", "").trim_end_matches("# the end\n").to_owned() + "num_retry: 2\nmaster_key: x";
    let mended = fixed(&text);
    assert!(mended.contains("master_key: x"), "{mended}");
    assert_eq!(fixed(&mended), mended);
}

/// Every value that is no list and no map, as a number where it reads as one.
fn values(node: &Node, out: &mut Vec<String>) {
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| values(item, out)),
        Value::Mapping(map) => map.iter().for_each(|(_, value)| values(value, out)),
        Value::Int(number) => out.push((*number as f64).to_string()),
        Value::Float(number) => out.push(number.to_string()),
        Value::Bool(value) => out.push(value.to_string()),
        Value::Text(text) => match text.parse::<f64>() {
            Ok(number) => out.push(number.to_string()),
            Err(_) => out.push(text.to_ascii_lowercase()),
        },
        _ => out.push(String::new()),
    }
}

fn values_of(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    values(&parse(&Source::new("x", text)).expect("YAML").root, &mut found);
    found.sort();
    found
}

/// Some of these lines, each at most once, in some order.
fn some_of(lines: &'static [&'static str]) -> impl Strategy<Value = String> {
    let kept = proptest::sample::subsequence(lines, 0..=lines.len()).prop_shuffle();
    kept.prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_mended_config_says_the_same_has_nothing_left_to_mend_and_keeps_its_comments(
        entry in some_of(&["weight: 3", "# why\ntimeout: 20", "mode: chat  # as it is"]),
        params in some_of(&["weight: \"3\"", "api_bse: https://x  # here", "cooldown_time: 1e1", "num_retries: 2"]),
        router in some_of(&[
            "request_timeout: 30 # s", "num_retry: 2", "drop_params: true", "# logs\ncallbacks:\n  - otel\n  # more\n  - x",
            "master_key: os.environ/M", "cooldown_tme: \"60\"", "retry_after: 1e0", "store_model_in_db: true",
            "note: |\n  a text\n\n  of lines", "model_group_alias_map: {z: a}",
        ]),
        litellm in some_of(&["routing_strategy: least-busy", "allowed_fails: 5", "timeout: 5", "enable_pre_call_checks: \"true\""]),
        windows in any::<bool>(),
    ) {
        let text = config(&entry, &params, &router, &litellm);
        let text = if windows { text.replace('\n', "\r\n") } else { text };
        let mended = fixed(&text);
        prop_assert_eq!(fixed(&mended), mended.clone());
        let left = lint(&Source::new("x", mended.as_str()), &Options::default(), &Choice::default()).expect("a config");
        // A quoted "true" is ignored where it stands and an error where it belongs: --fix leaves it to its owner.
        let refused = |finding: &Finding| finding.path == "litellm_settings.enable_pre_call_checks";
        prop_assert!(left.findings.iter().all(|one| one.edits.is_empty() || refused(one)), "{:?}", left.findings);
        prop_assert_eq!(values_of(&mended), values_of(&text));
        let comments = |text: &str| text.matches('#').count();
        prop_assert_eq!(comments(&mended), comments(&text));
    }
}

#[test]
fn a_setting_is_not_put_where_the_proxy_refuses_it() {
    let list = "\nfallbacks:\n  - model: a\n    fallback: b\n";
    let faulty = format!("{}{list}", config("", "", "num_retry: 2", "").replace("  fallbacks: [{a: [b]}]\n", ""));
    let mended = fixed(&faulty);
    assert!(mended.ends_with(list), "{mended}");
    assert!(mended.contains("num_retries: 2"), "{mended}");
}
