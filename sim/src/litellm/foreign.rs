//! Files that are something else than a configuration of LiteLLM: what they are, and where in them one may stand.

use super::node::{Mapping, Node};

/// How deep a configuration is looked for within another file: `spec.values.proxy_config` of a Helm release is found.
const DEPTH_MAX: usize = 5;

/// What a map is that has no `model_list`, and what to give instead. `None`: nothing that is known here.
pub(super) fn told(top: &Mapping) -> Option<(String, String)> {
    let kind = top.get("kind").and_then(Node::as_text);
    let inside = place_of_config(top, "", DEPTH_MAX);
    let what = match kind.filter(|_| top.get("apiVersion").is_some()) {
        Some(kind) => format!("this is a Kubernetes manifest, a {kind}, and no configuration of LiteLLM"),
        None if top.get("services").is_some_and(|services| services.as_mapping().is_some()) => {
            "this is a file of Docker Compose and no configuration of LiteLLM".to_owned()
        }
        None => format!("no configuration of LiteLLM begins here: it stands below {}", inside.as_ref()?),
    };
    let remedy = match inside {
        Some(path) => format!("cut it out first: `yq '{path}' FILE > config.yaml`"),
        None if kind.is_some() => "give the proxy's config.yaml, and this file with `lint --manifest`".to_owned(),
        None => "give the config.yaml that the proxy reads".to_owned(),
    };
    Some((what, remedy))
}

/// Whether a text that holds several documents is one of Kubernetes manifests.
pub(super) fn is_manifests(text: &str) -> bool {
    ["apiVersion:", "kind:"].iter().all(|key| text.lines().any(|line| line.starts_with(key)))
}

/// The keys that lead to a configuration within a map, as `yq` takes them.
fn place_of_config(map: &Mapping, path: &str, depth: usize) -> Option<String> {
    map.iter().find_map(|(key, value)| {
        let key = key.text()?;
        let path = match key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            true => format!("{path}.{key}"),
            false => format!("{path}.\"{key}\""),
        };
        // A ConfigMap holds the file as text.
        if value.as_text().is_some_and(|text| text.lines().any(|line| line.starts_with("model_list:"))) {
            return Some(path);
        }
        let below = value.as_mapping()?;
        if below.get("model_list").is_some_and(|list| list.as_sequence().is_some()) {
            return Some(path);
        }
        place_of_config(below, &path, depth.checked_sub(1)?)
    })
}
