//! What a configuration has beside routing: MCP servers, guardrails, what bounds spending. It is listed, not modelled.

use routedrill_sim::litellm::{Node, Value};
use schemars::JsonSchema;
use serde::Serialize;

use super::lines::ConfigText;

/// What a configuration has beside routing.
#[derive(Clone, PartialEq, Eq, Debug, Default, JsonSchema, Serialize)]
pub struct SurroundingsReport {
    /// MCP servers, in the order of the file.
    pub mcp_servers: Vec<McpServerReport>,
    /// `general_settings.store_model_in_db`: without it LiteLLM keeps no MCP server that somebody adds at run time.
    pub store_model_in_db: bool,
    /// Guardrails, in the order of the file.
    pub guardrails: Vec<GuardrailReport>,
    /// Budgets and other bounds of spending, and what virtual keys need.
    pub spending: Vec<BoundReport>,
}

/// An MCP server.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct McpServerReport {
    /// Its name.
    pub name: String,
    /// `http`, `sse` or `stdio`; LiteLLM's default is `sse`.
    pub transport: String,
    /// `auth_type`, where one is set.
    pub auth_type: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
}

/// A guardrail.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct GuardrailReport {
    /// Its name.
    pub name: String,
    /// What checks: `presidio`, `aporia`.
    pub guardrail: Option<String>,
    /// When it runs: `pre_call`, `post_call`.
    pub mode: Option<String>,
    /// Whether it runs for requests that do not ask for it.
    pub default_on: bool,
    /// The line, from 1.
    pub line: Option<u32>,
}

/// A setting that bounds spending or that virtual keys need.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct BoundReport {
    /// Its keys.
    pub path: String,
    /// Its value; of what may be a secret only that it is set.
    pub value: String,
    /// The line, from 1.
    pub line: Option<u32>,
}

/// Settings that bound spending, by section.
const BOUNDS: [(&str, &str); 11] = [
    ("litellm_settings", "max_budget"),
    ("litellm_settings", "budget_duration"),
    ("litellm_settings", "max_user_budget"),
    ("litellm_settings", "max_end_user_budget"),
    ("litellm_settings", "max_internal_user_budget"),
    ("litellm_settings", "default_max_internal_user_budget"),
    ("router_settings", "provider_budget_config"),
    ("litellm_settings", "tag_budget_config"),
    ("litellm_settings", "default_key_generate_params"),
    ("litellm_settings", "upperbound_key_generate_params"),
    ("litellm_settings", "default_internal_user_params"),
];
/// Settings that virtual keys need; their values are secrets.
const SECRETS: [(&str, &str); 2] = [("general_settings", "master_key"), ("general_settings", "database_url")];

impl SurroundingsReport {
    /// What stands in a configuration.
    pub(super) fn of(text: &ConfigText<'_>) -> Self {
        let there = |section: &str, key: &str| text.node(&[section, key]).filter(|node| !node.is_null());
        let bound = |section: &str, key: &str, value: String| BoundReport {
            path: format!("{section}.{key}"),
            value,
            line: text.line(&[section, key]),
        };
        let mut spending: Vec<BoundReport> = Vec::new();
        for (section, key) in BOUNDS {
            if let Some(node) = there(section, key) {
                let value = text.value(&[section, key]).unwrap_or_else(|| keys_of(node));
                spending.push(bound(section, key, value));
            }
        }
        for (section, key) in SECRETS {
            if there(section, key).is_some() {
                spending.push(bound(section, key, "set".to_owned()));
            }
        }
        Self {
            mcp_servers: mcp_servers(text),
            store_model_in_db: there("general_settings", "store_model_in_db")
                .is_some_and(|node| node.value == Value::Bool(true)),
            guardrails: guardrails(text),
            spending,
        }
    }
}

/// The keys of a map: what is under them may be anything.
fn keys_of(node: &Node) -> String {
    let keys: Vec<&str> =
        node.as_mapping().map_or_else(Vec::new, |map| map.iter().filter_map(|(key, _)| key.text()).collect());
    if keys.is_empty() { "set".to_owned() } else { format!("for {}", keys.join(", ")) }
}

fn word(node: &Node, key: &str) -> Option<String> {
    match &node.get(key)?.value {
        Value::Text(text) => Some(text.clone()),
        Value::Sequence(items) => Some(items.iter().filter_map(Node::as_text).collect::<Vec<_>>().join(", ")),
        _ => None,
    }
}

fn mcp_servers(text: &ConfigText<'_>) -> Vec<McpServerReport> {
    let Some(servers) = text.node(&["mcp_servers"]).and_then(Node::as_mapping) else { return Vec::new() };
    (servers.iter())
        .filter_map(|(key, server)| {
            let name = key.text()?;
            Some(McpServerReport {
                name: name.to_owned(),
                transport: word(server, "transport").unwrap_or_else(|| "sse".to_owned()),
                auth_type: word(server, "auth_type"),
                line: text.line(&["mcp_servers", name]),
            })
        })
        .collect()
}

/// Guardrails stand at the top, as a list with `guardrail_name` and `litellm_params`; older configs have a list of maps
/// by name under `litellm_settings`.
fn guardrails(text: &ConfigText<'_>) -> Vec<GuardrailReport> {
    let mut found = Vec::new();
    let on = |node: &Node| node.get("default_on").is_some_and(|on| on.value == Value::Bool(true));
    let listed = |place: &[&str]| text.node(place).and_then(Node::as_sequence).unwrap_or_default();
    for (index, item) in listed(&["guardrails"]).iter().enumerate() {
        let empty = Node { span: 0..0, value: Value::Null };
        let params = item.get("litellm_params").unwrap_or(&empty);
        found.push(GuardrailReport {
            name: word(item, "guardrail_name").unwrap_or_else(|| format!("guardrails[{index}]")),
            guardrail: word(params, "guardrail"),
            mode: word(params, "mode"),
            default_on: on(params),
            line: text.line(&["guardrails", &index.to_string()]),
        });
    }
    for (index, item) in listed(&["litellm_settings", "guardrails"]).iter().enumerate() {
        let line = text.line(&["litellm_settings", "guardrails", &index.to_string()]);
        for (key, params) in item.as_mapping().into_iter().flat_map(|map| map.iter()) {
            let name = key.text().unwrap_or_default().to_owned();
            let guardrail = word(params, "callbacks");
            found.push(GuardrailReport { name, guardrail, mode: None, default_on: on(params), line });
        }
    }
    found
}
