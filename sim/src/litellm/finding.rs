//! What a configuration says that it does not do: remarks on a file that LiteLLM itself may well start with.

use std::ops::Range;

use annotate_snippets::Level;

use crate::problem::{Look, snippet};
use crate::source::{Excerpt, Source};

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

/// A remark on one place in a configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Which kind it is.
    pub rule: &'static Rule,
    /// The file.
    pub file: String,
    /// The place in it; `None` for a configuration that came without text.
    pub at: Option<Excerpt>,
    /// The place as keys: `router_settings.request_timeout`, `model_list[2].litellm_params.weight`.
    pub path: String,
    /// What is so, and why it matters.
    pub message: String,
    /// What to do about it; may be empty.
    pub remedy: String,
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

/// The table of rules.
pub mod rule {
    use super::{Rule, Severity};

    rules! {
        ALIAS_FALLBACK = "alias-fallback", Warning;
        "Fallbacks are looked up by the name the caller sent, so an alias needs its own entry.";
        "router_utils/fallback_event_handlers.py: get_fallback_model_group"

        BROKEN_SUPPRESSION = "broken-suppression", Warning;
        "A comment that silences a rule names it and says why, or else it silences nothing.";
        "routedrill"

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

        LIMIT_IS_WEIGHT = "limit-is-weight", Note;
        "Under simple-shuffle and least-busy, rpm and tpm throttle nothing by the minute: they weigh deployments against each other, and cap how many calls run at once.";
        "router_strategy/simple_shuffle.py: simple_shuffle; router_utils/client_initalization_utils.py: set_max_parallel_requests_client"

        MALFORMED_SETTING = "malformed-setting", Error, stops;
        "The Router's constructor raises an exception for the value, and the proxy does not start.";
        "router.py: Router.__init__"

        MISSING_MODEL = "missing-model", Error, stops;
        "An entry without `litellm_params.model` stops the proxy at start-up.";
        "proxy/proxy_server.py: ProxyConfig.load_config"

        NOT_MODELLED = "not-modelled", Note;
        "LiteLLM has the feature, and routedrill drills the configuration without it.";
        "routedrill"

        NO_CIRCUIT_BREAKER = "no-circuit-breaker", Warning;
        "The only deployment of a group is not cooled down for 429s, 5xx or timeouts unless failures are counted (allowed_fails or a policy). In an outage every request then pays all retries and waits before its fallback.";
        "router_utils/cooldown_handlers.py: _should_cooldown_deployment"

        NO_CONTEXT_FALLBACK = "no-context-fallback", Note;
        "Once context_window_fallbacks is set, it alone is asked when a prompt is too long; a group that has no entry there fails without its other fallbacks.";
        "router.py: Router.async_function_with_fallbacks"

        NO_REDUNDANCY = "no-redundancy", Note;
        "A group of one deployment without a fallback has nothing to go to.";
        "routedrill"

        NO_TIMEOUT = "no-timeout", Warning;
        "Where nobody sets a timeout, LiteLLM waits 6000 seconds for a provider that accepts a request and does not answer, in each attempt.";
        "constants.py: request_timeout; router.py: Router._get_timeout"

        NUMBER_AS_TEXT = "number-as-text", Warning;
        "LiteLLM's YAML reader takes the value for text, though it looks like a number.";
        "PyYAML: resolver.py"

        REPEATED_FALLBACK = "repeated-fallback", Warning;
        "A group that stands twice in one fallback list is skipped the second time, or fails a second time.";
        "router_utils/fallback_event_handlers.py: run_async_fallback"

        SAME_ID = "same-id", Warning;
        "Deployments with the same id are one to cooldowns and counters, and get twice the traffic.";
        "router.py: Router.generate_model_id"

        SELF_FALLBACK = "self-fallback", Warning;
        "A fallback to the group that has just failed is skipped.";
        "router_utils/fallback_event_handlers.py: run_async_fallback"

        SHADOWED_GROUP = "shadowed-group", Warning;
        "An alias wins over a model group of the same name, whose deployments get no traffic under it.";
        "router.py: Router._common_checks_available_deployment"

        SHARED_FATE = "shared-fate", Warning;
        "All deployments of a group use one key or one endpoint, and no fallback leads away from it: they look like several and fall as one.";
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
        "A fallback whose key is no model group, alias or wildcard match is never used.";
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

        UNRESOLVED_REFERENCE = "unresolved-reference", Note;
        "routedrill does not read the environment, so the setting counts as not set.";
        "routedrill"

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
}

/// The findings on one file while it is read.
pub(super) struct Findings<'a> {
    source: Option<&'a Source>,
    file: &'a str,
    found: Vec<Finding>,
}

impl<'a> Findings<'a> {
    pub(super) const fn new(file: &'a str, source: Option<&'a Source>) -> Self {
        Self { source, file, found: Vec::new() }
    }

    /// What stands at a place in the file; nothing for a configuration without text.
    pub(super) fn written(&self, span: &Range<usize>) -> &'a str {
        self.source.and_then(|source| source.text().get(span.clone())).unwrap_or("")
    }

    pub(super) fn add(
        &mut self,
        rule: &'static Rule,
        span: Range<usize>,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.found.push(Finding {
            rule,
            file: self.file.to_owned(),
            // What was put into the tree after reading stands nowhere in the file.
            at: self.source.filter(|_| span.end > 0).map(|source| source.excerpt(span)),
            path: path.into(),
            message: message.into(),
            remedy: remedy.into(),
        });
    }

    /// The findings in the order of the file.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.found.sort_by(|a, b| {
            let place = |finding: &Finding| finding.at.as_ref().map(|at| (at.line, at.column));
            place(a).cmp(&place(b)).then_with(|| a.rule.name.cmp(b.rule.name))
        });
        // A merged map is read once for each use, and its findings are the same each time.
        self.found.dedup_by(|a, b| a.at.is_some() && a.at == b.at && a.rule == b.rule && a.message == b.message);
        self.found
    }
}

impl Finding {
    /// The finding as people read it: rule, place, text, reason and remedy.
    pub fn render(&self, look: Look) -> String {
        let level = match self.rule.severity {
            Severity::Note => Level::NOTE,
            Severity::Warning => Level::WARNING,
            Severity::Error => Level::ERROR,
        };
        let place = format!("{}: {}", self.file, self.path);
        let file = if self.at.is_some() { &self.file } else { &place };
        snippet(
            &level,
            Some(self.rule.name),
            &self.message,
            file,
            self.at.as_ref(),
            &[(Level::HELP, &self.remedy)],
            look,
        )
    }

    /// The line of the finding, where there is one.
    pub fn line(&self) -> Option<u32> {
        self.at.as_ref().map(|at| at.line)
    }
}
