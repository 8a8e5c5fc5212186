//! One entry of `model_list`, as the proxy sets it up.

use std::collections::BTreeMap;
use std::ops::Range;

use router_core::{AllowedFailsPolicy, Budget, DailyLimits, Limit, Mode, ModelEntry, Number, Release, Span};

use super::cost_map;
use super::declared;
use super::finding::{Edit, Findings, rule};
use super::identity::{deployment_id, python_str};
use super::inventory::Place;
use super::key::{self, ClearKeys};
use super::known::{self, Section as Known};
use super::node::{Mapping, Node, Value};
use super::place;
use super::policy::{ReadAt, allowed_fails_policy};
use super::provider;
use super::reference::{REFERENCE, shell_variable};
use super::section::{Rejected, Section};
use super::serves::Serves;
use super::unknown_keys;
use crate::problem::{Problem, Problems};
use crate::source::Source;

/// Keys of `litellm_params` whose features change who serves a request, and which routedrill does not model.
const PARAMS_NOT_MODELLED: &[(&str, &str)] = &[
    ("mock_response", "the mocked answer: the drill calls the deployment's provider as if it were not there"),
    ("mock_timeout", "the mocked timeout"),
    ("fallbacks", "fallbacks within one deployment; routedrill reads those of the router"),
    ("context_window_fallback_dict", "context-window fallbacks within one deployment"),
    ("itpm", "limits of input tokens per minute"),
    ("otpm", "limits of output tokens per minute"),
    ("silent_model", "shadow traffic"),
    ("tag_regex", "routing by regular expressions on headers"),
    ("timeout_by_service_tier", "timeouts by service tier"),
    ("stream_timeout_by_service_tier", "timeouts by service tier"),
    ("auto_router_config", "the auto router"),
    ("complexity_router_config", "the complexity router"),
    ("adaptive_router_config", "the adaptive router"),
    ("quality_router_config", "the quality router"),
];

/// Keys of `model_info` with the same story.
const INFO_NOT_MODELLED: &[(&str, &str)] = &[
    ("access_windows", "access windows"),
    ("ptu_shares", "shares of provisioned throughput"),
    ("supported_environments", "environments: the deployment takes part in every drill"),
    ("enable_tag_filtering", "tag filtering of one group"),
];

/// A number as YAML 1.1 reads it back: with a point, and a sign in its exponent.
fn yaml_float(number: f64) -> String {
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

/// A deployment, what stands behind it, and the place of its entry.
type Deployment = (ModelEntry, Place, Range<usize>);

/// An entry with the keys that every entry must have.
struct Raw<'n> {
    index: usize,
    path: String,
    item: &'n Node,
    map: &'n Mapping,
    model_name: &'n Node,
    params: &'n Mapping,
}

/// Reads `model_list`.
pub(super) struct ModelList<'f, 's> {
    pub(super) source: Option<&'s Source>,
    pub(super) file: &'s str,
    pub(super) release: Release,
    pub(super) mode: Mode,
    /// Providers that `litellm_settings.custom_provider_map` registers.
    pub(super) custom_providers: Vec<String>,
    pub(super) findings: &'f mut Findings<'s>,
    pub(super) problems: &'f mut Problems,
}

impl ModelList<'_, '_> {
    /// Every deployment that LiteLLM sets up, with what stands behind it.
    pub(super) fn read(&mut self, items: &[Node]) -> Vec<Deployment> {
        let mut clear = ClearKeys::default();
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            read.extend(self.entry(index, item, &mut clear));
        }
        Self::distinct_labels(&mut read);
        read
    }

    fn entry(&mut self, index: usize, item: &Node, clear: &mut ClearKeys) -> Vec<Deployment> {
        let path = format!("model_list[{index}]");
        let Value::Mapping(map) = &item.value else {
            let kind = item.value.kind();
            self.problem(item, format!("{path} is {kind}"), "write a map with `model_name` and `litellm_params`");
            return Vec::new();
        };
        let model_name = map.entry("model_name");
        if model_name.is_none() {
            self.problem(item, format!("{path} has no model_name"), "add `model_name:`, the name that callers ask for");
        }
        let params = map.get("litellm_params");
        match params.map(|params| &params.value) {
            Some(Value::Mapping(_)) => {}
            Some(_) => self.problem(
                params.unwrap_or(item),
                format!("litellm_params of {path} is no map"),
                "write `model:` and the deployment's parameters below it",
            ),
            None => self.problem(
                item,
                format!("{path} has no litellm_params"),
                "add `litellm_params:` with `model:` below it",
            ),
        }
        let (Some((_, model_name)), Some(Node { value: Value::Mapping(params), .. })) = (model_name, params) else {
            return Vec::new();
        };
        self.look_at_keys(&path, map, params);
        match self.deployments(&Raw { index, path, item, map, model_name, params }, clear) {
            Ok(deployments) => deployments,
            Err(rejected) => {
                self.drop(rejected);
                Vec::new()
            }
        }
    }

    fn deployments(&mut self, raw: &Raw<'_>, clear: &mut ClearKeys) -> Result<Vec<Deployment>, Rejected> {
        let Raw { index, ref path, item, map, model_name, params } = *raw;
        let entry = Section::new(path.as_str(), map);
        let Some(name) = model_name.as_text() else {
            let message = format!("model_name is {} where LiteLLM needs text", model_name.value.kind());
            let (span, path) = (model_name.span.clone(), entry.path_of("model_name"));
            // Without an id of its own, the deployment's id is computed from the name before anything checks it.
            if map.get("model_info").is_some_and(|info| info.get("id").is_some()) {
                return Err(Rejected { span, path, message, remedy: "quote it".to_owned() });
            }
            self.findings.add(
                &rule::MALFORMED_SETTING,
                span,
                path,
                format!("{message}, and the proxy does not start"),
                "quote it",
            );
            return Ok(Vec::new());
        };
        let p = Section::new(entry.path_of("litellm_params"), params);
        let empty = Mapping::default();
        let info = match map.get("model_info") {
            None => &empty,
            Some(Node { value: Value::Mapping(info), .. }) => info,
            Some(node) => {
                self.findings.add(
                    &rule::MALFORMED_SETTING,
                    node.span.clone(),
                    entry.path_of("model_info"),
                    format!(
                        "model_info is {} where LiteLLM needs a map, and the proxy does not start",
                        node.value.kind()
                    ),
                    "remove the key, or write keys below it",
                );
                &empty
            }
        };
        let i = Section::new(entry.path_of("model_info"), info);
        let Some(model) = p.node("model") else {
            self.findings.add(
                &rule::MISSING_MODEL,
                item.span.clone(),
                p.path_of("model"),
                format!("the litellm_params of {name} have no model, and the proxy does not start"),
                "add `model:` with the provider and the model, such as `azure/my-deployment`",
            );
            return Ok(Vec::new());
        };
        let Some(model) = model.as_text() else {
            self.findings.add(
                &rule::MALFORMED_SETTING,
                model.span.clone(),
                p.path_of("model"),
                format!("model is {} where LiteLLM needs text, and the proxy does not start", model.value.kind()),
                "quote it",
            );
            return Ok(Vec::new());
        };
        declared::check(&p, Known::LitellmParams, self.release)?;
        declared::check(&i, Known::ModelInfo, self.release)?;
        let custom_llm_provider = p.lax_text("custom_llm_provider").unwrap_or(None);
        let api_base = p.lax_text("api_base").unwrap_or(None);
        let provider = provider::provider(model, custom_llm_provider.as_deref(), api_base.as_deref(), self.release)
            .filter(|(provider, _)| {
                known::is_known(Known::Providers, provider, self.release) || self.custom_providers.contains(provider)
            })
            .or_else(|| {
                // A provider of the operator's own, registered by litellm_settings.custom_provider_map.
                let (prefix, rest) = model.split_once('/')?;
                let custom = self.custom_providers.iter().find(|name| *name == prefix)?;
                Some((custom.clone(), rest.to_owned()))
            });
        if provider.is_none() && !model.starts_with(REFERENCE) {
            let hint = model
                .split_once('/')
                .and_then(|(prefix, _)| known::nearest(Known::Providers, prefix, self.release))
                .map(|nearest| {
                    format!("such as \"{nearest}/{}\", ", model.split_once('/').map_or(model, |(_, rest)| rest))
                })
                .unwrap_or_default();
            return Err(Rejected {
                span: p.node("model").map_or(0..0, |node| node.span.clone()),
                path: p.path_of("model"),
                message: format!("LiteLLM cannot tell the provider of {model:?}"),
                remedy: format!("write the provider first, {hint}or set custom_llm_provider"),
            });
        }
        if provider.is_some() && custom_llm_provider.is_none() && provider::is_unlisted(model, self.release) {
            self.findings.add(
                &rule::UNLISTED_MODEL,
                p.node("model").map_or(0..0, |node| node.span.clone()),
                p.path_of("model"),
                format!(
                    "{model:?} names no provider and is not in LiteLLM's list of models: LiteLLM drops the \
                    deployment unless the list that it fetches at start-up has it"
                ),
                match provider.as_ref().map_or("openai", |(provider, _)| provider.as_str()) {
                    // Vertex AI takes credentials of a project; a key is one of Google AI Studio.
                    "vertex_ai" if p.node("api_key").is_some() && p.node("vertex_project").is_none() => {
                        format!("write \"gemini/{model}\"")
                    }
                    provider => format!("write \"{provider}/{model}\""),
                },
            );
        }
        let base_model = i.lax_text("base_model").unwrap_or(None).or(p.lax_text("base_model").unwrap_or(None));
        let provider_name = provider.as_ref().map_or("", |(provider, _)| provider.as_str()).to_owned();

        let mut read = ModelEntry {
            model_name: name.to_owned(),
            id: String::new(),
            model: model.to_owned(),
            custom_llm_provider,
            rpm: self.limit("rpm", &entry, &p, &i)?,
            tpm: self.limit("tpm", &entry, &p, &i)?,
            daily: DailyLimits {
                rpd: p.lax_int("rpd", self.findings).unwrap_or(None).map(|n| n as f64),
                tpd: p.lax_int("tpd", self.findings).unwrap_or(None).map(|n| n as f64),
            },
            weight: self.number(&p, "weight", "selection in the group fails with a TypeError"),
            order: p.raw_int("order", self.findings),
            model_info_order: i.raw_int("order", self.findings),
            timeout: self.timeout(&p, "timeout"),
            request_timeout: self.timeout(&p, "request_timeout"),
            stream_timeout: self.timeout(&p, "stream_timeout"),
            num_retries: self.number(
                &p,
                "num_retries",
                match self.release {
                    Release::V1_80_17 => "every call of the deployment fails before it is sent",
                    Release::V1_109_1 => "LiteLLM takes the router's num_retries instead",
                },
            ),
            cooldown_time: p.raw_number("cooldown_time", self.findings),
            model_info_cooldown_time: i.raw_number("cooldown_time", self.findings),
            model_info_allowed_fails: i.raw_int("allowed_fails", self.findings),
            model_info_allowed_fails_policy: self.policy(&i),
            max_parallel_requests: p.raw_int("max_parallel_requests", self.findings),
            region_name: p.lax_text("region_name").unwrap_or(None),
            tags: p.texts("tags"),
            input_cost_per_token: p.lax_float("input_cost_per_token", self.findings).unwrap_or(None),
            output_cost_per_token: p.lax_float("output_cost_per_token", self.findings).unwrap_or(None),
            cost_map: cost_map::price(model, base_model.as_deref(), self.release),
            max_input_tokens: i
                .raw_int("max_input_tokens", self.findings)
                .map(|tokens| u64::try_from(tokens).unwrap_or(0)),
            mapped_max_input_tokens: cost_map::max_input_tokens(
                model,
                base_model.as_deref(),
                &provider_name,
                self.release,
            ),
            budget: self.budget(&p),
            blocked: i.lax_bool("blocked").unwrap_or(None).unwrap_or(false),
            team_id: i.lax_text("team_id").unwrap_or(None),
        };
        read.id = match i.node("id").map(|node| &node.value) {
            None => deployment_id(name, params),
            Some(id @ (Value::Text(_) | Value::Int(_) | Value::Bool(_))) => python_str(id),
            Some(id) => {
                return Err(Rejected {
                    span: i.node("id").map_or(0..0, |node| node.span.clone()),
                    path: i.path_of("id"),
                    message: format!("model_info.id is {} where LiteLLM needs text", id.kind()),
                    remedy: "quote it".to_owned(),
                });
            }
        };
        let (line, position) = match self.source {
            Some(source) => {
                let line = source.line(item.span.start);
                (line, format!("line {line}"))
            }
            None => (0, format!("entry {}", index + 1)),
        };
        let key_at = params.entry("api_key").filter(|(_, key)| !key.is_null()).map(|(at, _)| at.span.start);
        let key_position = match (self.source, key_at) {
            (Some(source), Some(at)) => format!("line {}", source.line(at)),
            _ => position.clone(),
        };
        let mut place = place::place(params, provider, &key_position, line, clear);
        place.path = path.clone();
        place.label = place::label(name, &place, &position);
        if let Some(base_model) = &base_model {
            place.base_model.clone_from(base_model);
        }
        let mode = i.lax_text("mode").unwrap_or(None);
        place.serves = Serves::of(mode.as_deref(), &[&place.base_model, model, name]);
        let listed = cost_map::list_price(&place.upstream_model, base_model.as_deref(), &place.provider, self.release);
        place.list_price = match (read.input_cost_per_token, read.output_cost_per_token, listed) {
            (None, None, listed) => listed,
            (input, output, listed) => {
                let (listed_input, listed_output) = listed.unwrap_or((0.0, 0.0));
                Some((input.unwrap_or(listed_input), output.unwrap_or(listed_output)))
            }
        };
        self.clear_text_keys(&p);
        self.prices_as_text(&p, Known::LitellmParams);
        self.prices_as_text(&i, Known::ModelInfo);

        // A list of organizations makes one deployment of each, all under the same id.
        let copies = params.get("organization").and_then(Node::as_sequence).map_or(1, <[Node]>::len);
        Ok(vec![(read, place, item.span.clone()); copies])
    }

    fn limit(
        &mut self,
        key: &str,
        entry: &Section<'_>,
        params: &Section<'_>,
        info: &Section<'_>,
    ) -> Result<Limit, Rejected> {
        Ok(Limit {
            entry: entry.raw_number(key, self.findings),
            params: params.lax_int(key, self.findings)?.map(|n| n as f64),
            info: info.raw_number(key, self.findings),
        })
    }

    /// A number that LiteLLM keeps as it is, whatever it is.
    fn number(&mut self, section: &Section<'_>, key: &str, consequence: &str) -> Option<Number> {
        let node = section.node(key)?;
        match &node.value {
            Value::Int(value) => Some(Number::Is(*value as f64)),
            Value::Float(value) if !value.is_nan() => Some(Number::Is(*value)),
            Value::Bool(value) => Some(Number::Is(f64::from(u8::from(*value)))),
            value => {
                self.findings.add(
                    &rule::WRONG_TYPE,
                    node.span.clone(),
                    section.path_of(key),
                    format!("{key} is {} where LiteLLM needs a number: {consequence}", value.kind()),
                    format!("write a number without quotes after `{key}:`"),
                );
                if let Value::Text(text) = value
                    && let Some(number) = declared::float(text).filter(|number| number.is_finite())
                {
                    self.findings.mend([Edit { span: node.span.clone(), text: number.to_string() }]);
                }
                Some(Number::Not)
            }
        }
    }

    /// `max_budget` and `budget_duration`, which mean nothing without each other.
    fn budget(&mut self, params: &Section<'_>) -> Option<Budget> {
        let dollars = params.lax_float("max_budget", self.findings).unwrap_or(None)?;
        let written = params.lax_text("budget_duration").unwrap_or(None)?;
        let window = budget_window(&written);
        if window.is_none()
            && let Some((at, _)) = params.entry("budget_duration")
        {
            self.findings.add(
                &rule::NOT_MODELLED,
                at.span.clone(),
                params.path_of("budget_duration"),
                format!("routedrill does not model a budget_duration of {written:?}: the deployment has no budget in the drill"),
                "write seconds, minutes, hours, days or weeks, such as 30d",
            );
        }
        Some(Budget { dollars, window: window? })
    }

    /// A timeout: a number, or text that `float()` takes when the call is made.
    fn timeout(&mut self, section: &Section<'_>, key: &str) -> Option<f64> {
        match section.node(key).map(|node| &node.value) {
            Some(Value::Text(text)) if !text.starts_with(REFERENCE) => match text.trim().parse::<f64>() {
                Ok(seconds) if !seconds.is_nan() => Some(seconds),
                _ => section.raw_number(key, self.findings),
            },
            _ => section.raw_number(key, self.findings),
        }
    }

    fn policy(&mut self, info: &Section<'_>) -> Option<AllowedFailsPolicy> {
        let node = info.node("allowed_fails_policy")?;
        allowed_fails_policy(node, &info.path_of("allowed_fails_policy"), self.release, ReadAt::Use, self.findings)
    }

    fn look_at_keys(&mut self, path: &str, map: &Mapping, params: &Mapping) {
        unknown_keys::entry(path, map, self.release, self.findings);
        unknown_keys::litellm_params(path, params, self.release, self.findings);
        let empty = Mapping::default();
        let info = map.get("model_info").and_then(Node::as_mapping).unwrap_or(&empty);
        for (map, below, keys) in
            [(params, "litellm_params", PARAMS_NOT_MODELLED), (info, "model_info", INFO_NOT_MODELLED)]
        {
            for (key, what) in keys {
                if let Some((at, _)) = map.entry(key).filter(|(_, value)| !value.is_null()) {
                    self.findings.add(
                        &rule::NOT_MODELLED,
                        at.span.clone(),
                        format!("{path}.{below}.{key}"),
                        format!("routedrill does not model {what}"),
                        "",
                    );
                }
            }
        }
        if let Some((at, _)) = params.entry("max_retries").filter(|(_, value)| !value.is_null()) {
            self.findings.add(
                &rule::INEFFECTIVE_KEY,
                at.span.clone(),
                format!("{path}.litellm_params.max_retries"),
                "max_retries of a deployment has no effect through the Router, which sets it to 0 for every call",
                "set `num_retries` here or under router_settings",
            );
        }
    }

    /// Keys in clear text, and variables that nobody will put values in for.
    fn clear_text_keys(&mut self, params: &Section<'_>) {
        for (key, value) in params.map.iter() {
            let (Some(name), Some(text)) = (key.text(), value.as_text()) else { continue };
            if let Some(variable) = shell_variable(text) {
                self.findings.add(
                    &rule::UNEXPANDED_VARIABLE,
                    value.span.clone(),
                    params.path_of(name),
                    format!(
                        "LiteLLM does not expand {text}: unless something renders this file first, it stays as it is"
                    ),
                    format!("write `os.environ/{variable}`"),
                );
            } else if name == "api_key" && !text.starts_with(REFERENCE) && !key::is_placeholder(text) {
                self.findings.add(
                    &rule::CLEAR_TEXT_KEY,
                    key.span.clone(),
                    params.path_of(name),
                    "a key stands here in clear text",
                    "put it into an environment variable and write `os.environ/NAME`",
                );
            }
        }
    }

    /// Prices such as `1e-6` in fields that LiteLLM does not declare, so that nothing makes numbers of them.
    fn prices_as_text(&mut self, section: &Section<'_>, known: Known) {
        for (key, value) in section.map.iter() {
            let (Some(name), Some(text)) = (key.text(), value.as_text()) else { continue };
            let converted = declared::kind_of(known, name, self.release) == Some("float");
            if !name.contains("cost") || converted || self.findings.written(&value.span) != text {
                continue;
            }
            if let Some(number) = declared::float(text).filter(|number| number.is_finite()) {
                self.findings.add(
                    &rule::NUMBER_AS_TEXT,
                    value.span.clone(),
                    section.path_of(name),
                    format!("LiteLLM's YAML reader takes {text} for text, and nothing makes a price of it"),
                    format!("write `{name}: {}`", yaml_float(number)),
                );
                self.findings.mend([Edit { span: value.span.clone(), text: yaml_float(number) }]);
            }
        }
    }

    fn drop(&mut self, rejected: Rejected) {
        let Rejected { span, path, message, remedy } = rejected;
        match self.mode {
            Mode::Proxy => self.findings.add(
                &rule::DROPPED_DEPLOYMENT,
                span,
                path,
                format!("{message}: the proxy drops this deployment and starts without it"),
                remedy,
            ),
            Mode::Sdk => self.findings.add(
                &rule::MALFORMED_SETTING,
                span,
                path,
                format!("{message}: the Router raises an exception"),
                remedy,
            ),
        }
    }

    fn problem(&mut self, node: &Node, message: String, remedy: &str) {
        self.problems.push(match self.source {
            Some(source) => Problem::at(source, node.span.clone(), message, remedy),
            None => Problem::of_file(self.file, message, remedy),
        });
    }

    /// Makes labels that are equal distinct: entries on one line, or made of one entry.
    fn distinct_labels(read: &mut [Deployment]) {
        let mut copies = BTreeMap::<String, u32>::new();
        for (_, place, _) in read {
            let copy = copies.entry(place.label.clone()).or_default();
            *copy += 1;
            if *copy > 1 {
                place.label = format!("{} #{copy}", place.label);
            }
        }
    }
}

/// A `budget_duration` of seconds, minutes, hours, days or weeks (LiteLLM: `duration_in_seconds`).
fn budget_window(written: &str) -> Option<Span> {
    let (number, unit) = written.split_at_checked(written.len().checked_sub(1)?)?;
    let secs = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    Some(Span::from_secs_f64(f64::from(number.parse::<u32>().ok()?) * f64::from(secs)))
}
