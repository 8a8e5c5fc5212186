//! MCP servers: their names, and whether the proxy ever looks for new ones.

use super::Fleet;
use crate::litellm::finding::{Findings, rule};
use crate::litellm::node::Node;

/// How long SEP-986 lets a name be, in characters.
const NAME_MAX: usize = 128;

pub(super) fn check(root: &Node, fleet: &Fleet, findings: &mut Findings<'_>) {
    let Some((servers_key, servers)) = root.as_mapping().and_then(|top| top.entry("mcp_servers")) else { return };
    let Some(servers) = servers.as_mapping().filter(|servers| !servers.is_empty()) else { return };
    for (key, _) in servers.iter() {
        let Some(name) = key.text() else { continue };
        let path = format!("mcp_servers.{name}");
        let renamed: String = name.chars().map(|c| if allowed(c) && c != '-' { c } else { '_' }).collect();
        if name.contains('-') {
            findings.add(
                &rule::MCP_NAME_HAS_SEPARATOR,
                key.span.clone(),
                path,
                format!(
                    "the MCP server {name:?} has a hyphen in its name: LiteLLM raises an exception when it loads it"
                ),
                format!("write `{renamed}`, and tell the clients: their tools' names begin with it"),
            );
        } else if name.is_empty() || name.chars().count() > NAME_MAX || !name.chars().all(allowed) {
            findings.add(
                &rule::MCP_NAME,
                key.span.clone(),
                path,
                format!("SEP-986 does not allow the name {name:?}: 1 to {NAME_MAX} of A-Z a-z 0-9 _ - . are"),
                format!("write `{renamed}`, and tell the clients: their tools' names begin with it"),
            );
        }
    }
    let stored = root.get("general_settings").and_then(|settings| settings.get("store_model_in_db"));
    // Whoever writes `false` means it.
    if stored.is_none() && !fleet.stores_models {
        findings.add(
            &rule::MCP_NOT_RELOADED,
            servers_key.span.clone(),
            "mcp_servers",
            "MCP servers are configured and store_model_in_db is not: servers that are added by API or in the UI do not \
            reach the other replicas, and are gone after a restart",
            "write `store_model_in_db: true` under general_settings (it needs a database), or `false` if these are all",
        );
    }
}

fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}
