//! The rules of `routedrill lint`: what each is about, how much it weighs, and where LiteLLM's behaviour comes from.

/// How much a finding weighs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Something does not do what it says.
    Warning,
    /// LiteLLM does not start, drops a deployment, or fails whenever the setting is needed.
    Error,
}

/// One kind of finding.
#[derive(PartialEq, Eq, Debug)]
pub struct Rule {
    /// Its name, by which it is selected and silenced.
    pub name: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// LiteLLM's proxy does not start with such a file.
    pub stops_start_up: bool,
    /// What it is about, in one sentence.
    pub story: &'static str,
    /// Where in LiteLLM the behaviour comes from.
    pub source: &'static str,
}

macro_rules! rules {
    ($($(#[doc = $doc:expr])* $name:ident = $text:literal, $severity:ident $(, $stops:ident)?; $story:literal; $source:literal)*) => {
        $(
            #[doc = $story]
            pub static $name: Rule = Rule {
                name: $text,
                severity: Severity::$severity,
                stops_start_up: rules!(@stops $($stops)?),
                story: $story,
                source: $source,
            };
        )*
        /// Every rule, in the order of its name.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
    (@stops stops) => { true };
    (@stops) => { false };
}

rules! {
    ALIAS_FALLBACK = "alias-fallback", Warning;
    "Fallbacks are looked up by the name the caller sent, so an alias needs its own entry.";
    "router_utils/fallback_event_handlers.py: get_fallback_model_group"

    BROKEN_SUPPRESSION = "broken-suppression", Warning;
    "A comment that silences a rule names it and says why, or else it silences nothing.";
    "routedrill"

    CHAINED_ALIAS = "chained-alias", Error;
    "An alias is replaced once. One that stands for another alias, or for itself, leads to no deployment.";
    "router.py: Router._get_model_from_alias"

    CLEAR_TEXT_KEY = "clear-text-key", Note;
    "A key is written in clear text; LiteLLM takes `os.environ/NAME` instead.";
    "proxy/proxy_server.py: ProxyConfig._check_for_os_environ_vars"

    CONTEXT_FALLBACK_NOT_LARGER = "context-fallback-not-larger", Warning;
    "A context-window fallback is asked when a prompt does not fit, and fails as well when its own window is no larger.";
    "router_utils/fallback_event_handlers.py: run_async_fallback; model_prices_and_context_window.json"

    CYCLIC_FALLBACK = "cyclic-fallback", Warning;
    "LiteLLM 1.80.17 does not remember which groups a request has tried: fallbacks that lead back go round, with all retries, until max_fallbacks ends it. 1.109.1 remembers, and cycles are harmless there.";
    "router_utils/fallback_event_handlers.py: run_async_fallback"

    DROPPED_DEPLOYMENT = "dropped-deployment", Error;
    "The proxy drops a deployment that it cannot set up, logs it, and starts without it.";
    "router.py: Router._create_deployment with ignore_invalid_deployments"

    DUPLICATE_KEY = "duplicate-key", Warning;
    "Of a key that appears twice, LiteLLM's YAML reader takes the last value without a word.";
    "PyYAML: SafeConstructor.construct_mapping"

    FALLBACK_SHARES_FATE = "fallback-shares-fate", Note;
    "A group and all its fallbacks use one key or one endpoint: the fallback helps when a model is overloaded, and not when the account is locked or the endpoint is gone.";
    "routedrill"

    IGNORED_KEY = "ignored-key", Warning;
    "LiteLLM reads the key nowhere, or not where it stands, and ignores it.";
    "proxy/proxy_server.py: ProxyConfig.load_config"

    INEFFECTIVE_KEY = "ineffective-key", Warning;
    "LiteLLM takes the key and nothing follows from it.";
    "router.py: Router.__init__"

    KEY_NOT_NAMED = "key-not-named", Note;
    "A deployment without a key of its own takes its provider's variable from the environment, if it is set there. routedrill never reads the environment.";
    "litellm_core_utils/get_llm_provider_logic.py: get_llm_provider; main.py: completion"

    LIMIT_BELOW_PROMPT = "limit-below-prompt", Warning;
    "A limit that is enforced and so low that no ordinary prompt fits into it takes the deployment out of use without a word.";
    "router_strategy/lowest_tpm_rpm_v2.py: _return_potential_deployments; router.py: Router._pre_call_checks"

    LIMIT_BELOW_WINDOW = "limit-below-window", Note;
    "A prompt larger than its deployment's tokens per minute is never sent there, however long it waits, though the model itself would take it.";
    "router_strategy/lowest_tpm_rpm_v2.py: _return_potential_deployments"

    LIMIT_IS_WEIGHT = "limit-is-weight", Note;
    "Under simple-shuffle and least-busy, rpm and tpm throttle nothing by the minute: they weigh deployments against each other, and cap how many calls run at once.";
    "router_strategy/simple_shuffle.py: simple_shuffle; router_utils/client_initalization_utils.py: set_max_parallel_requests_client"

    LIMIT_PER_REPLICA = "limit-per-replica", Warning;
    "Some limits are counted by each process for itself: max_parallel_requests always, budgets and requests per minute wherever there is no Redis. With several replicas they allow that many times more.";
    "router_utils/client_initalization_utils.py: set_max_parallel_requests_client; router_strategy/budget_limiter.py: RouterBudgetLimiting"

    LIVENESS_NEEDS_DATABASE = "liveness-needs-database", Warning;
    "/health/readiness answers 503 while the database is away. As a liveness probe it makes Kubernetes restart healthy pods in a database outage, all of them at once.";
    "proxy/health_endpoints/_health_endpoints.py: health_readiness"

    MALFORMED_SETTING = "malformed-setting", Error, stops;
    "LiteLLM raises an exception for the value while it starts, and the proxy does not.";
    "router.py: Router.__init__; caching/caching.py: Cache.__init__"

    MCP_NAME = "mcp-name", Warning;
    "SEP-986 allows 1 to 128 of A-Z a-z 0-9 _ - . in the name of an MCP server's tools, and LiteLLM puts the server's name in front of each of them; clients may refuse the others.";
    "proxy/mcp_server/mcp_server_manager.py: warn_on_server_name_fields; SEP-986"

    MCP_NAME_HAS_SEPARATOR = "mcp-name-has-separator", Error;
    "LiteLLM separates an MCP server's name from its tools' names with a hyphen and raises an exception for a server that has one in its name, unless the environment variable MCP_TOOL_PREFIX_SEPARATOR names another separator.";
    "proxy/mcp_server/utils.py: validate_mcp_server_name"

    MCP_NOT_RELOADED = "mcp-not-reloaded", Note;
    "Without store_model_in_db, LiteLLM never reads MCP servers from its database again: those added by API or in the UI reach one replica only, and are gone after a restart.";
    "proxy/proxy_server.py: ProxyConfig.add_deployment, _init_mcp_servers_in_db"

    MISSING_MODEL = "missing-model", Error, stops;
    "An entry without `litellm_params.model` stops the proxy at start-up.";
    "proxy/proxy_server.py: ProxyConfig.load_config"

    NO_CIRCUIT_BREAKER = "no-circuit-breaker", Warning;
    "The only deployment of a group is not cooled down for 429s, 5xx or timeouts unless failures are counted (allowed_fails or a policy). In an outage every request then pays all retries and waits before its fallback.";
    "router_utils/cooldown_handlers.py: _should_cooldown_deployment"

    NO_CONTENT_POLICY_FALLBACK = "no-content-policy-fallback", Note;
    "Once content_policy_fallbacks is set, it alone is asked when a provider refuses a prompt for its content; a group that has no entry there fails without its other fallbacks.";
    "router.py: Router.async_function_with_fallbacks"

    NO_CONTEXT_FALLBACK = "no-context-fallback", Note;
    "Once context_window_fallbacks is set, it alone is asked when a prompt is too long; a group that has no entry there fails without its other fallbacks.";
    "router.py: Router.async_function_with_fallbacks"

    NO_REDUNDANCY = "no-redundancy", Note;
    "A group of one deployment without a fallback has nothing to go to.";
    "routedrill"

    NO_TIMEOUT = "no-timeout", Warning;
    "Where nobody sets a timeout, LiteLLM waits 6000 seconds for a provider that accepts a request and does not answer, in each attempt.";
    "constants.py: request_timeout; router.py: Router._get_timeout"

    NOT_MODELLED = "not-modelled", Note;
    "LiteLLM has the feature, and routedrill drills the configuration without it.";
    "routedrill"

    NUMBER_AS_TEXT = "number-as-text", Warning;
    "LiteLLM's YAML reader takes the value for text, though it looks like a number.";
    "PyYAML: resolver.py"

    PROBE_CALLS_MODELS = "probe-calls-models", Error;
    "/health calls every model of the config, for money, and answers when the slowest has. As a probe it gets healthy pods restarted or taken out of service when one provider hangs; and where a master key is set, Kubernetes gets a 401.";
    "proxy/health_endpoints/_health_endpoints.py: health_endpoint; Kubernetes: configure liveness, readiness and startup probes"

    PROBE_TIMEOUT = "probe-timeout", Note;
    "Kubernetes gives a probe one second unless timeoutSeconds says more. A proxy under load misses it and is restarted, and its load moves to the others.";
    "Kubernetes: Probe v1 core, timeoutSeconds"

    REPEATED_FALLBACK = "repeated-fallback", Warning;
    "A group that stands twice in one fallback list is skipped the second time, or fails a second time.";
    "router_utils/fallback_event_handlers.py: run_async_fallback"

    REPLICAS_WITHOUT_REDIS = "replicas-without-redis", Warning;
    "Without Redis each replica has its own cooldowns and counters: each learns of an outage by its own failed requests, and limits hold for each of them.";
    "proxy/proxy_server.py: ProxyConfig.load_config; router.py: Router.__init__"

    SAME_ID = "same-id", Warning;
    "Deployments with the same id are one to cooldowns and counters, and get twice the traffic.";
    "router.py: Router.generate_model_id"

    SELF_FALLBACK = "self-fallback", Warning;
    "A fallback to the group that has just failed is skipped.";
    "router_utils/fallback_event_handlers.py: run_async_fallback"

    SHADOWED_GROUP = "shadowed-group", Warning;
    "An alias wins over a model group of the same name, whose deployments get no traffic under it.";
    "router.py: Router._common_checks_available_deployment"

    SHARED_ACCOUNT = "shared-account", Note;
    "The deployments of a group are different models under one key or at one endpoint, and no fallback leads away from it: that helps when one model is overloaded, and not when the account is locked or the endpoint is gone.";
    "routedrill"

    SHARED_FATE = "shared-fate", Warning;
    "All deployments of a group are one model under one key or at one endpoint, and no fallback leads away from it: they look like several and fall as one.";
    "routedrill"

    SHARED_REGION = "shared-region", Note;
    "All deployments of a group, and its fallbacks, stand in one region of one provider: different keys and endpoints do not help when the region is gone.";
    "routedrill"

    SLOWER_THAN_DEADLINE = "slower-than-deadline", Warning;
    "Timeouts hold for one attempt. Attempts, waits and fallbacks add up, and LiteLLM has no limit for the sum; a caller that gives up earlier pays for answers that nobody reads.";
    "router.py: Router.async_function_with_retries, Router._time_to_sleep_before_retry"

    SMALLER_QUOTA = "smaller-quota", Note;
    "A fallback with a lower rpm or tpm than its primary cannot carry the primary's whole load.";
    "routedrill"

    SMALLER_WINDOW = "smaller-window", Note;
    "A fallback with a smaller context window than its primary fails for the longest prompts, in the outage only.";
    "model_prices_and_context_window.json"

    UNCALLED_FALLBACK = "uncalled-fallback", Warning;
    "Fallbacks are looked up by the name that the caller sent. Those whose key is no model group, alias or wildcard match are never used, nor are those of the model behind a group by its callers.";
    "router_utils/fallback_event_handlers.py: get_fallback_model_group"

    UNDEFINED_FALLBACK = "undefined-fallback", Error;
    "A fallback target that is no model group passes start-up and fails in the outage.";
    "router_utils/fallback_event_handlers.py: run_async_fallback"

    UNEXPANDED_VARIABLE = "unexpanded-variable", Note;
    "LiteLLM resolves `os.environ/NAME` and nothing else; `${NAME}` is for whatever renders the file before.";
    "proxy/proxy_server.py: ProxyConfig._check_for_os_environ_vars"

    UNLISTED_MODEL = "unlisted-model", Warning;
    "A model without a provider in its name must be in LiteLLM's list, or the deployment is dropped.";
    "litellm_core_utils/get_llm_provider_logic.py: get_llm_provider"

    UNREACHABLE_FALLBACK = "unreachable-fallback", Warning;
    "LiteLLM takes the first entry of a fallback list that names the group, and none at all when max_fallbacks is 0: what stands elsewhere is never used.";
    "router_utils/fallback_event_handlers.py: get_fallback_model_group, run_async_fallback"

    UNRESOLVED_REFERENCE = "unresolved-reference", Note;
    "routedrill does not read the environment, so the setting counts as not set.";
    "routedrill"

    UNSEEN_MODELS = "unseen-models", Note;
    "The file lists no models: LiteLLM's proxy starts, and serves what is in its database, which routedrill does not read.";
    "proxy/proxy_server.py: ProxyConfig.load_config, ProxyConfig.add_deployment"

    UNSEEN_NAME = "unseen-name", Note;
    "Models may live in the proxy's database, which routedrill does not read: a name that the file does not serve may be served from there.";
    "proxy/proxy_server.py: ProxyConfig.add_deployment"

    UNUSED_SUPPRESSION = "unused-suppression", Note;
    "A comment that silences a rule where nothing is found is out of date, or stands in the wrong line.";
    "routedrill"

    WILDCARD_NEVER_RESTS = "wildcard-never-rests", Note;
    "Deployments with a wildcard name are never cooled down.";
    "router_utils/cooldown_handlers.py: _should_run_cooldown_logic"

    WRONG_TYPE = "wrong-type", Error;
    "LiteLLM does not convert the value and trips over it when it is used.";
    "router.py: Router.__init__"
}
