//! Keys: written where everybody sees them, or nowhere.

use crate::litellm::config::Loaded;
use crate::litellm::finding::{Findings, rule};
use crate::litellm::key::{default_key, is_nothing, is_placeholder};
use crate::litellm::node::{Mapping, Node};
use crate::litellm::reference::{REFERENCE, shell_variable};

/// Settings that are secrets, besides `api_key` of a deployment.
const SECRETS: [&str; 17] = [
    "auth_value",
    "master_key",
    "salt_key",
    "database_url",
    "redis_password",
    "redis_url",
    "password",
    "api_key",
    "aws_secret_access_key",
    "aws_session_token",
    "azure_ad_token",
    "client_secret",
    "azure_password",
    "langfuse_secret",
    "langfuse_secret_key",
    "slack_webhook_url",
    "alerting_webhook_url",
];

/// Looks at every key, and for those that are missing.
pub(super) fn check(root: &Node, entries: &[Option<&Node>], loaded: &Loaded, findings: &mut Findings<'_>) {
    for section in ["general_settings", "litellm_settings", "router_settings"] {
        if let Some(map) = root.get(section).and_then(Node::as_mapping) {
            clear_text(map, section, true, findings);
        }
    }
    for section in ["mcp_servers", "credential_list"] {
        clear_text_below(root.get(section), section, findings);
    }
    let items = root.get("model_list").and_then(Node::as_sequence).unwrap_or_default();
    for (index, item) in items.iter().enumerate() {
        if let Some(params) = item.get("litellm_params").and_then(Node::as_mapping) {
            // The reader has looked at the `api_key` of every deployment.
            clear_text(params, &format!("model_list[{index}].litellm_params"), false, findings);
        }
    }
    for (entry, place) in entries.iter().zip(&loaded.inventory.places) {
        let Some(params) = entry.and_then(|entry| entry.get("litellm_params")).and_then(Node::as_mapping) else {
            continue;
        };
        let Some(variable) = default_key(&place.provider) else { continue };
        let named = ["api_key", "litellm_credential_name"].iter().any(|key| params.get(key).is_some_and(is_set));
        // Azure takes other credentials too, and their names are keys as well.
        let mocked = params.get("mock_response").is_some_and(is_set);
        if named || mocked || place.key.as_deref() != Some(variable.as_str()) {
            continue;
        }
        let Some((_, model)) = params.entry("model") else { continue };
        // Behind a bare `*` stands whatever provider the caller names, each with a key of its own.
        if model.as_text() == Some("*") {
            continue;
        }
        findings.add(
            &rule::KEY_NOT_NAMED,
            model.span.clone(),
            format!("{}.litellm_params.model", place.path),
            format!(
                "this deployment names no key, and {} wants one: LiteLLM takes {variable} from the environment",
                place.provider
            ),
            format!("write `api_key: os.environ/{variable}`, so that the file says what it needs"),
        );
    }
}

fn is_set(node: &Node) -> bool {
    !node.is_null() && node.as_text() != Some("")
}

/// Of a map of maps, or a list of them.
fn clear_text_below(node: Option<&Node>, path: &str, findings: &mut Findings<'_>) {
    let Some(node) = node else { return };
    if let Some(map) = node.as_mapping() {
        clear_text(map, path, true, findings);
    }
    for (index, item) in node.as_sequence().unwrap_or_default().iter().enumerate() {
        if let Some(map) = item.as_mapping() {
            clear_text(map, &format!("{path}[{index}]"), true, findings);
        }
    }
}

fn clear_text(map: &Mapping, path: &str, api_key: bool, findings: &mut Findings<'_>) {
    for (key, value) in map.iter() {
        let Some(name) = key.text() else { continue };
        let path = format!("{path}.{name}");
        if let Some(below) = value.as_mapping() {
            clear_text(below, &path, true, findings);
            continue;
        }
        let Some(text) = value.as_text() else { continue };
        // A URL is only secret when somebody's name and password stand in it.
        let harmless_url = text.contains("://") && !text.contains('@') && !name.contains("webhook");
        if SECRETS.contains(&name)
            && (api_key || name != "api_key")
            && !text.starts_with(REFERENCE)
            && shell_variable(text).is_none()
            && !is_nothing(text)
            && !(name == "api_key" && is_placeholder(text))
            && !text.contains("os.environ")
            && !harmless_url
        {
            findings.add(
                &rule::CLEAR_TEXT_KEY,
                key.span.clone(),
                path,
                format!("{name} stands here in clear text"),
                "put it into an environment variable and write `os.environ/NAME`",
            );
        }
    }
}
