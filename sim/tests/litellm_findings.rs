//! What is wrong with a configuration: what makes it unreadable, and what LiteLLM starts with although it does not do
//! what it says. Each case is a text and what is said about it.

use routedrill_sim::litellm::{Loaded, Node, Options, read, rule};
use routedrill_sim::problem::{Look, Problems};
use router_core::{Mode, Number, Release};

/// Two deployments, one in each of two groups; a case adds to it.
const BASE: &str = "\
model_list:
  - model_name: gpt-4
    litellm_params: {model: openai/gpt-4, api_key: os.environ/KEY}
  - model_name: backup
    litellm_params: {model: azure/backup, api_key: os.environ/KEY_2, api_base: \"https://a-eastus.openai.azure.com\"}
";

fn options(release: Release) -> Options {
    Options { release, ..Options::default() }
}

fn load(text: &str) -> Result<Loaded, Problems> {
    read(text, "config.yaml", &options(Release::V1_109_1))
}

fn loaded(text: &str) -> Loaded {
    load(text).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

/// Adds a third entry, which begins in line 6.
fn entry(below: &str) -> String {
    format!("{BASE}  - model_name: x\n    litellm_params: {{model: openai/gpt-4o, api_key: os.environ/K, {below}}}\n")
}

fn settings(below: &str) -> String {
    format!("{BASE}router_settings:\n  {}\n", below.replace('\n', "\n  "))
}

fn litellm(below: &str) -> String {
    format!("{BASE}litellm_settings:\n  {}\n", below.replace('\n', "\n  "))
}

#[test]
fn an_unusable_configuration_says_where_and_what_to_do() {
    let cases: &[(&str, u32, &str)] = &[
        ("", 0, "the configuration is empty"),
        ("# only a comment\n", 0, "the configuration is empty"),
        ("- a\n- b\n", 1, "is a list and not a map"),
        ("just text\n", 1, "is text and not a map"),
        ("42\n", 1, "is an integer and not a map"),
        ("router_settings: {}\n", 1, "has no model_list"),
        ("organizations:\n  - org_id: a\n", 1, "nor any other section that LiteLLM reads"),
        ("model_list:\n", 1, "model_list is empty"),
        ("model_list: []\n", 1, "model_list is empty"),
        ("model_list: {a: 1}\n", 1, "model_list is a map and not a list"),
        ("model_list: gpt-4\n", 1, "model_list is text and not a list"),
        ("model_list:\n  - gpt-4\n", 2, "model_list[0] is text"),
        ("model_list:\n  -\n", 2, "model_list[0] is null"),
        ("model_list:\n  - litellm_params: {model: openai/x}\n", 2, "has no model_name"),
        ("model_list:\n  - model_name: a\n", 2, "has no litellm_params"),
        ("model_list:\n  - model_name: a\n    litellm_params:\n", 3, "litellm_params of model_list[0] is no map"),
        ("model_list:\n  - model_name: a\n    litellm_params: [1]\n", 3, "litellm_params of model_list[0] is no map"),
        ("include: [other.yaml]\nmodel_list: []\n", 1, "does not follow `include`"),
        ("model_list: [\n", 1, "not YAML"),
        ("model_list:\n\t- a\n", 2, "a tab in the indentation"),
        ("a: *b\n", 1, "not YAML"),
        ("a: @b\n", 1, "not YAML"),
        ("a: 'b\n", 1, "not YAML"),
        ("a: 1\n  b: 2\n", 2, "not YAML"),
        ("a: !vault x\n", 1, "knows no tag !vault"),
        ("a: 2024-02-31\n", 1, "looks like a date"),
        ("a: 1\n---\nb: 1\n", 2, "a second YAML document"),
        ("a: \u{0}\n", 1, "U+0000 is not allowed"),
        ("a: &x [*x]\n", 1, "within its own anchor"),
    ];
    for (text, line, message) in cases {
        let problems = load(text).expect_err(text);
        let problem = problems.iter().next().expect("a problem");
        assert!(problem.message.contains(message), "{text:?}: {}", problem.message);
        assert_eq!(problem.at.as_ref().map_or(0, |at| at.line), *line, "{text:?}\n{problem}");
        assert!(!problem.remedy.is_empty(), "{text:?}");
        assert_eq!(problem.file, "config.yaml");
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let text = "include: [a]\nmodel_list:\n  - x\n  - model_name: a\n  - litellm_params: {model: b}\n  - {}\n";
    let problems = load(text).expect_err("five kinds of wrong");
    let lines: Vec<_> = problems.iter().filter_map(|problem| Some(problem.at.as_ref()?.line)).collect();
    assert_eq!(lines, [1, 3, 4, 5, 6, 6]);
}

#[test]
fn what_does_not_do_what_it_says_is_found_with_its_line() {
    // (configuration, rule, line, words of the message)
    let cases: Vec<(String, &str, u32, &str)> = vec![
        // Keys that nobody reads.
        (settings("request_timeout: 30"), "ignored-key", 7, "does not read request_timeout under router_settings"),
        (settings("max_retries: 3"), "ignored-key", 7, "max_retries"),
        (settings("num_retry: 3"), "ignored-key", 7, "num_retry"),
        (settings("lowest_latency_buffer: 0.5"), "ignored-key", 7, "lowest_latency_buffer"),
        (settings("model_group_alias_map: {}"), "ignored-key", 7, "model_group_alias_map"),
        (settings("drop_params: true"), "ignored-key", 7, "drop_params"),
        (settings("5: x"), "ignored-key", 7, "is an integer"),
        (litellm("cooldown_time: 60"), "ignored-key", 7, "cooldown_time"),
        (litellm("retry_policy: {}"), "ignored-key", 7, "retry_policy"),
        (litellm("routing_strategy: least-busy"), "ignored-key", 7, "routing_strategy"),
        (litellm("log_level: INFO"), "ignored-key", 7, "log_level"),
        (litellm("logging: {level: 3}"), "ignored-key", 7, "logging"),
        (format!("{BASE}model_group:\n  - a\n"), "ignored-key", 6, "model_group at the top"),
        (format!("{BASE}routr_settings: {{}}\n"), "ignored-key", 6, "routr_settings"),
        (format!("{BASE}router_settings: [a]\n"), "ignored-key", 6, "router_settings is a list"),
        (
            entry("rmp: 3").replace("rmp: 3}", "rpm: 3}\n    weight: 2"),
            "ignored-key",
            8,
            "weight at the level of a model_list entry",
        ),
        (entry("api_bse: x"), "ignored-key", 7, "api_bse"),
        (settings("retry_policy: {TimeoutErrorRetrys: 3}"), "ignored-key", 7, "TimeoutErrorRetrys"),
        (settings("model_group_retry_policy: {nobody: {DefaultRetries: 3}}"), "ignored-key", 7, "nobody"),
        (settings("optional_pre_call_checks: [enforce_rate_limits]"), "ignored-key", 7, "enforce_rate_limits"),
        (
            settings("routing_strategy: latency-based-routing\nrouting_strategy_args: {buffer: 1}"),
            "ignored-key",
            8,
            "buffer",
        ),
        // Keys without effect.
        (litellm("allowed_fails: 3"), "ineffective-key", 7, "not counted"),
        (settings("cooldown_time: 0"), "ineffective-key", 7, "default of 5 seconds"),
        (settings("timeout: 0"), "ineffective-key", 7, "default of 6000 seconds"),
        (settings("routing_strategy_args: {ttl: 5}"), "ineffective-key", 7, "takes no arguments"),
        (entry("max_retries: 3"), "ineffective-key", 7, "max_retries of a deployment"),
        (
            format!("{BASE}router_settings: {{num_retries: 1}}\nlitellm_settings: {{num_retries: 3}}\n"),
            "ineffective-key",
            7,
            "router_settings.num_retries is set too",
        ),
        (
            format!("{BASE}general_settings: {{max_parallel_requests: 9}}\n"),
            "ineffective-key",
            6,
            "limits nothing by it",
        ),
        (
            format!("{BASE}router_settings: {{allowed_fails: 2}}\nlitellm_settings: {{allowed_fails: 3}}\n"),
            "ineffective-key",
            7,
            "router_settings.allowed_fails is set too",
        ),
        (settings("disable_cooldowns: true\ncooldown_time: 60"), "ineffective-key", 8, "disable_cooldowns is on"),
        // What LiteLLM refuses to start with.
        (litellm("cache: true\ncache_params: {type: qdrant}"), "malformed-setting", 8, "no cache of type \"qdrant\""),
        (settings("routing_strategy: lowest-latency"), "malformed-setting", 7, "no such routing strategy"),
        (settings("fallbacks: {gpt-4: [backup]}"), "malformed-setting", 7, "a map and not a list"),
        (settings("fallbacks: [{gpt-4: [backup], backup: [gpt-4]}]"), "malformed-setting", 7, "has 2 keys"),
        (settings("fallbacks: [{gpt-4: backup}]"), "malformed-setting", 7, "text and not a list"),
        (settings("fallbacks: [gpt-4]"), "malformed-setting", 7, "not a map of one group"),
        (settings("default_fallbacks: backup"), "malformed-setting", 7, "text and not a list"),
        (settings("content_policy_fallbacks: [{gpt-4: backup}]"), "malformed-setting", 7, "text and not a list"),
        (settings("retry_policy: {DefaultRetries: many}"), "malformed-setting", 7, "DefaultRetries is text"),
        (settings("health_check_interval: 60"), "malformed-setting", 7, "no router setting"),
        (settings("model_group_alias: [a]"), "malformed-setting", 7, "model_group_alias is a list"),
        (format!("{BASE}    model_info:\n"), "malformed-setting", 6, "model_info is null"),
        (
            format!("{BASE}  - model_name: x\n    litellm_params: {{api_key: os.environ/K}}\n"),
            "missing-model",
            6,
            "have no model",
        ),
        // Deployments that LiteLLM drops.
        (entry("rpm: ten"), "dropped-deployment", 7, "rpm is text"),
        (entry("api_version: 2024-06-01"), "dropped-deployment", 7, "api_version is a date"),
        (entry("model: azrue/x"), "dropped-deployment", 7, "\"azrue/x\""),
        (entry("model: our-model"), "dropped-deployment", 7, "\"our-model\""),
        (entry("custom_llm_provider: opnai"), "dropped-deployment", 7, "cannot tell the provider"),
        (entry("tags: free"), "dropped-deployment", 7, "tags is text"),
        // Values of a type that breaks something later.
        (entry("weight: \"2\""), "wrong-type", 7, "selection in the group fails"),
        (entry("num_retries: \"2\""), "wrong-type", 7, "router's num_retries"),
        (settings("num_retries: \"3\""), "wrong-type", 7, "does not convert it"),
        (settings("enable_pre_call_checks: \"false\""), "wrong-type", 7, "Python takes it for true"),
        (settings("context_window_fallbacks: [{gpt-4: backup}]"), "wrong-type", 7, "each letter"),
        (settings("model_group_alias: {a: 5}"), "wrong-type", 7, "an alias stands for the name"),
        // Names that lead nowhere.
        (settings("fallbacks: [{gpt-4: [gpt-4-turbo]}]"), "undefined-fallback", 7, "\"gpt-4-turbo\""),
        (settings("default_fallbacks: [bakcup]"), "undefined-fallback", 7, "\"bakcup\""),
        (settings("fallbacks: [{gpt-4: [{model: nobody}]}]"), "undefined-fallback", 7, "\"nobody\""),
        (
            settings("model_group_alias: {a: nobody}"),
            "undefined-fallback",
            7,
            "called \"nobody\", for which this alias stands",
        ),
        (settings("fallbacks: [{gpt4: [backup]}]"), "uncalled-fallback", 7, "\"gpt4\""),
        // The key is the model behind the group, and callers of the group do not find it.
        (settings("fallbacks: [{azure/backup: [gpt-4]}]"), "uncalled-fallback", 7, "the model behind \"backup\""),
        (settings("model_group_alias: {backup: gpt-4}"), "shadowed-group", 7, "hides the model group"),
        (
            settings("model_group_alias: {alias: gpt-4}\nfallbacks: [{gpt-4: [backup]}]"),
            "alias-fallback",
            7,
            "its alias \"alias\" has none",
        ),
        // The rest.
        (settings("num_retries: 1\nnum_retries: 2"), "duplicate-key", 7, "again in line 8"),
        (settings("redis_host: h"), "not-modelled", 7, "Redis"),
        (settings("routing_groups: [a]"), "not-modelled", 7, "routing groups"),
        (litellm("cache: true"), "not-modelled", 7, "response caching"),
        (settings("num_retries: os.environ/RETRIES"), "unresolved-reference", 7, "does not read the environment"),
        (entry("api_base: \"${BASE}\""), "unexpanded-variable", 7, "does not expand ${BASE}"),
        (entry("model: gpt-9"), "unlisted-model", 7, "names no provider"),
        (entry("input_cost_per_token: 1e-6, cooldown_time: 1e1"), "number-as-text", 7, "takes 1e1 for text"),
        (BASE.replace("os.environ/KEY}", "sk-secret}"), "clear-text-key", 3, "clear text"),
        (format!("{BASE}{}", &BASE[12..]), "same-id", 6, "same id as gpt-4 (openai, line 2)"),
    ];
    for (text, name, line, words) in &cases {
        let loaded = loaded(text);
        let found = loaded.findings.iter().find(|finding| finding.rule.name == *name);
        let shown = || loaded.findings.iter().map(|finding| finding.render(Look::Plain)).collect::<Vec<_>>().join("\n");
        let Some(found) = found else { panic!("no {name} in\n{text}\n{}", shown()) };
        assert!(found.message.contains(words), "{text}\n{}", shown());
        assert_eq!(found.line(), Some(*line), "{text}\n{}", shown());
        let remedy_wanted = *name != "not-modelled";
        assert_eq!(!found.remedy.is_empty(), remedy_wanted, "{text}\n{}", shown());
        assert_eq!(loaded.refuses_to_start(), found.rule.stops_start_up, "{text}\n{}", shown());
    }
    // Every rule has a case, here or among those of the lint.
    let lint = concat!(include_str!("litellm_lint.rs"), include_str!("litellm_manifest.rs"));
    for rule in rule::RULES {
        let here = cases.iter().any(|(_, name, ..)| *name == rule.name);
        assert!(here || lint.contains(&format!("{:?}", rule.name)), "no case for {}", rule.name);
    }
}

#[test]
fn a_near_miss_comes_with_the_name_that_was_meant() {
    for (text, remedy) in [
        (settings("num_retry: 3"), "write `num_retries`"),
        (settings("num_retriess: 3"), "did you mean `num_retries`?"),
        (settings("disable_auth: true"), "remove it"),
        // No name that says the contrary.
        (settings("enable_cooldowns: true"), "cooldowns are on; `disable_cooldowns: true` ends them"),
        (format!("{BASE}general_settings: {{enable_spend_logs: true}}\n"), "remove it"),
        (
            format!("{BASE}  - model_name: x\n    litellm_params: {{model: gemini-pro, api_key: os.environ/K}}\n"),
            "write \"gemini/gemini-pro\"",
        ),
        (litellm("rpm_limit: 60"), "limits of that name belong to virtual keys"),
        (litellm("max_parallel_requests: 60"), "write general_settings.global_max_parallel_requests"),
        (format!("{BASE}general_settings: {{log_level: INFO}}\n"), "set the environment variable LITELLM_LOG"),
        (litellm("cache: true\ncache_params: {type: qdrant}"), "did you mean `qdrant-semantic`?"),
        (litellm("cache: true\ncache_params: {type: in-memory}"), "write `local`"),
        (settings("fallbacks: [{azure/backup: [gpt-4]}]"), "write `backup`"),
        (litellm("default_end_user_params: {budget_id: x}"), "remove it"),
        (entry("rpm_limit: 60"), "write `rpm`"),
        (format!("{BASE}general_settings: {{set_verbose: true}}\n"), "move it to litellm_settings.set_verbose"),
        (settings("model_group_alias: {fast: [gpt-4, backup]}"), "write `fast: gpt-4` here, and `- fast: [backup]`"),
        (settings("cooldown_tme: 3"), "did you mean `cooldown_time`?"),
        (settings("drop_params: true"), "move it to litellm_settings.drop_params"),
        (format!("{BASE}general_settings: {{litellm_settings: {{a: 1}}}}\n"), "move it to the top of the file"),
        (format!("{BASE}fallbacks: []\n"), "move it to router_settings.fallbacks"),
        (entry("api_version: 2024-06-01"), "quote it"),
        (entry("model: azrue/x"), "write the provider first, such as \"azure/x\""),
        (settings("master_key: x"), "move it to general_settings.master_key"),
        (litellm("cooldown_time: 60"), "move it to router_settings.cooldown_time"),
        (format!("{BASE}num_retries: 3\n"), "move it to router_settings.num_retries"),
        (entry("api_bse: x"), "did you mean `api_base`?"),
        (settings("routing_strategy: least-bussy"), "did you mean `least-busy`?"),
        (settings("fallbacks: [{gpt-4: [bakcup]}]"), "did you mean `backup`? Else add a model_list entry with"),
        (settings("retry_policy: {TimeoutErrorRetrys: 3}"), "did you mean `TimeoutErrorRetries`?"),
    ] {
        let loaded = loaded(&text);
        let remedies: Vec<_> = loaded.findings.iter().map(|finding| finding.remedy.as_str()).collect();
        assert!(remedies.iter().any(|shown| shown.starts_with(remedy)), "{text}{remedies:?}");
    }
}

#[test]
fn good_configurations_raise_no_alarm() {
    for text in [
        BASE.to_owned(),
        settings("fallbacks: [{gpt-4: [backup]}]\nnum_retries: 3\ntimeout: 30\nallowed_fails: 3\ncooldown_time: 60"),
        settings(
            "routing_strategy: latency-based-routing\nrouting_strategy_args: {ttl: 60, lowest_latency_buffer: 0.5}",
        ),
        settings(
            "retry_policy: {TimeoutErrorRetries: 2, RateLimitErrorRetries: 3}\nallowed_fails_policy: {RateLimitErrorAllowedFails: 5}",
        ),
        settings("model_group_alias: {a: gpt-4, b: {model: backup, hidden: true}}"),
        // LiteLLM finds a key with and without the name of the provider.
        settings("fallbacks: [{openai/gpt-4: [backup]}]"),
        // Some callers ask for the model by its own name, those of the group have fallbacks of their own.
        settings("fallbacks: [{azure/backup: [gpt-4]}, {backup: [gpt-4]}]"),
        format!(
            "{BASE}  - {{model_name: groq/*, litellm_params: {{model: groq/*, api_key: os.environ/K}}}}\n\
            router_settings: {{fallbacks: [{{llama-4: [backup]}}]}}\n"
        ),
        BASE.replace("os.environ/KEY}", "sk-no-auth-required}"),
        litellm("cache: false\ncache_params: {type: nonsense}"),
        settings("default_fallbacks: [backup]\ncontext_window_fallbacks: [{gpt-4: [backup]}]"),
        settings("fallbacks: [{\"*\": [backup]}]"),
        litellm("drop_params: true\nset_verbose: true\nrequest_timeout: 30\ncallbacks: [prometheus]"),
        format!(
            "{BASE}general_settings: {{master_key: os.environ/M, database_url: os.environ/D, alerting: [slack]}}\n"
        ),
        format!("{BASE}general_settings: {{disable_error_logs: true, moderation_model: gpt-4}}\n"),
        format!("{BASE}router_settings: {{num_retries: 2, default_fallbacks: [backup]}}\n")
            + "litellm_settings: {num_retries: 2, default_fallbacks: [backup]}\n",
        format!("{BASE}environment_variables: {{A: b}}\nx-anchors: {{a: 1}}\n"),
        format!("defaults: &d {{timeout: 3}}\n{BASE}router_settings: {{<<: *d}}\n"),
        entry("rpm: \"10\", timeout: \"30\", temperature: 0.5, frobnicate: true, extra_headers: {a: b}"),
        entry("api_version: \"2024-06-01\", input_cost_per_token: 1e-6"),
        entry("rpm: 5").replace("openai/gpt-4o", "claude-haiku-4-5"),
        format!("{BASE}router_settings:\nlitellm_settings:\ngeneral_settings:\n"),
    ] {
        let loaded = loaded(&text);
        let shown: Vec<_> = loaded.findings.iter().map(|finding| finding.render(Look::Plain)).collect();
        assert!(shown.is_empty(), "{text}\n{}", shown.join("\n"));
    }
}

#[test]
fn the_older_release_reads_some_keys_differently() {
    let old = |text: &str| read(text, "config.yaml", &options(Release::V1_80_17)).expect(text);
    let rules = |loaded: &Loaded| loaded.findings.iter().map(|finding| finding.rule.name).collect::<Vec<_>>();
    assert_eq!(rules(&old(&settings("allowed_fails: 3"))), ["ineffective-key"]);
    assert_eq!(rules(&old(&settings("allowed_fails: 4"))), [""; 0]);
    assert_eq!(rules(&old(&settings("enable_weighted_failover: true"))), ["ignored-key"]);
    assert_eq!(rules(&old(&settings("optional_pre_call_checks: [enforce_model_rate_limits]"))), ["ignored-key"]);
    let priced = format!("{BASE}    model_info: {{input_cost_per_token: 1e-6}}\n");
    assert_eq!(rules(&old(&priced)), ["number-as-text"]);
    assert_eq!(rules(&loaded(&priced)), [""; 0]);
    let text = settings("fallbacks: [{gpt-4: ab}]");
    assert!(!old(&text).refuses_to_start());
    assert!(loaded(&text).refuses_to_start());
}

#[test]
fn values_become_what_litellm_makes_of_them() {
    let read = loaded(&entry("rpm: \"10\", tpm: 10.0, weight: \"2\", timeout: \"30\", num_retries: 3, order: 2"));
    let deployment = &read.config.model_list[2];
    assert_eq!((deployment.rpm.params, deployment.tpm.params), (Some(10.0), Some(10.0)));
    assert_eq!(deployment.weight, Some(Number::Not));
    assert_eq!(deployment.num_retries, Some(Number::Is(3.0)));
    assert_eq!((deployment.timeout, deployment.order), (Some(30.0), Some(2)));
    let read = loaded(&settings("timeout: 12:30\nretry_after: 0x10\ncooldown_time: 1_000\nnum_retries: 010"));
    let settings = &read.config.router_settings;
    assert_eq!((settings.timeout, settings.retry_after), (Some(750.0), Some(16.0)));
    assert_eq!((settings.cooldown_time, settings.num_retries), (Some(1000.0), Some(8)));
}

#[test]
fn a_dropped_deployment_is_gone_behind_the_proxy_and_stops_the_router_in_process() {
    let text = entry("rpm: ten");
    let proxy = loaded(&text);
    assert_eq!(proxy.config.model_list.len(), 2);
    assert!(!proxy.refuses_to_start());
    let sdk = read(&text, "config.yaml", &Options { mode: Mode::Sdk, ..Options::default() }).expect("readable");
    assert!(sdk.refuses_to_start());
}

#[test]
fn the_same_configuration_as_json_reads_the_same() {
    let json = serde_json::json!({
        "model_list": [
            {"model_name": "a", "litellm_params": {"model": "openai/gpt-4o", "rpm": 10}, "model_info": {"id": "a-1"}},
            {"model_name": "a", "litellm_params": {"model": "azure/x", "api_key": "sk-very-secret"}},
        ],
        "router_settings": {"num_retries": 0, "request_timeout": 3, "fallbacks": [{"a": ["b"]}]},
    });
    let loaded = Loaded::from_node(&Node::from_json(&json), "case.json", &Options::default()).expect("readable");
    assert_eq!(loaded.config.model_list[0].id, "a-1");
    assert_eq!(loaded.config.router_settings.num_retries, Some(0));
    let shown: Vec<_> = loaded.findings.iter().map(|finding| finding.render(Look::Plain)).collect();
    assert!(shown.iter().any(|text| text.contains("case.json: router_settings.request_timeout")), "{shown:?}");
    let labels: Vec<_> = loaded.inventory.places.iter().map(|place| place.label.as_str()).collect();
    assert_eq!(labels, ["a (openai, entry 1)", "a (azure, entry 2)"]);
    assert!(Loaded::from_node(&Node::from_json(&serde_json::json!({})), "case.json", &Options::default()).is_err());
}

#[test]
fn no_secret_is_ever_shown() {
    let text = "model_list:\n  - model_name: a\n    litellm_params: {model: 5, api_key: hunter2-hunter2, rpm: [x]}\n    \
        api_key: hunter2-hunter2\n  - {model_name: b, litellm_params: {model: openai/x, api_key: hunter2-hunter2, rpm: x}}\n\
        general_settings: {master_key: hunter2-hunter2, api_key: hunter2-hunter2}\nenvironment: {api_key: hunter2-hunter2}\n";
    let loaded = loaded(text);
    let shown: Vec<_> = loaded.findings.iter().map(|finding| finding.render(Look::Plain)).collect();
    assert!(shown.len() > 3, "{shown:?}");
    assert!(!shown.join("\n").contains("hunter2"), "{}", shown.join("\n"));
    assert!(!format!("{:?}", loaded.inventory).contains("hunter2"));
}

#[test]
fn an_id_is_computed_as_litellm_computes_it() {
    let text = "model_list:\n  - model_name: g\n    litellm_params: {model: openai/gpt-4o, api_key: k, timeout: 0.5, rpm: 10, \
        x: [1, a, {b: 'c\"'}, 1.5, null, true], y: {z: [1, 1.0e-7, true, null, \"é\"], q: \"a'b\"}, n: null, w: 1.0e+20, \
        u: \"it's\", ok: yes, t: 100000000000000000.0}\n";
    // What both releases of LiteLLM compute for this entry.
    let expected = "be7e277ac86145cc76b6dc8d40de5733c8a2df7ce2945fa443fd366f3b32eb38";
    assert_eq!(loaded(text).config.model_list[0].id, expected);
}
