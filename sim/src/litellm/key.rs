//! Which key a deployment uses, by name and never by value.

use std::collections::BTreeMap;

use super::node::{Mapping, Node, Value};
use super::reference::variable;

/// Keys that are none: what people write for servers that want no key.
const NO_KEYS: &[&str] = &[
    "",
    "none",
    "null",
    "empty",
    "anything",
    "ollama",
    "lm-studio",
    "local",
    "sk-none",
    "sk-anything",
    "sk-local",
    "unused",
    "x",
    "xxx",
    "na",
    "n/a",
];

/// What only a word that stands in a key's place says, whatever is around it: `sk-no-auth-required`, `my-fake-key`.
const SAYS_NO_KEY: &[&str] = &[
    "dummy",
    "fake",
    "placeholder",
    "no-key",
    "no_key",
    "nokey",
    "no-auth",
    "no_auth",
    "noauth",
    "not-needed",
    "not_needed",
    "notneeded",
    "not-required",
    "not_required",
    "not-used",
    "not_used",
    "changeme",
    "change-me",
    "change_me",
    "your-",
    "your_",
];

/// The variable in which LiteLLM looks for a key that the configuration does not name.
const DEFAULT_KEYS: &[(&str, &str)] = &[
    ("openai", "OPENAI_API_KEY"),
    ("text-completion-openai", "OPENAI_API_KEY"),
    ("azure", "AZURE_API_KEY"),
    ("azure_ai", "AZURE_AI_API_KEY"),
    ("anthropic", "ANTHROPIC_API_KEY"),
    ("gemini", "GEMINI_API_KEY"),
    ("mistral", "MISTRAL_API_KEY"),
    ("groq", "GROQ_API_KEY"),
    ("cohere", "COHERE_API_KEY"),
    ("cohere_chat", "COHERE_API_KEY"),
    ("deepseek", "DEEPSEEK_API_KEY"),
    ("openrouter", "OPENROUTER_API_KEY"),
    ("perplexity", "PERPLEXITYAI_API_KEY"),
    ("together_ai", "TOGETHERAI_API_KEY"),
    ("fireworks_ai", "FIREWORKS_AI_API_KEY"),
    ("xai", "XAI_API_KEY"),
    ("huggingface", "HUGGINGFACE_API_KEY"),
    ("replicate", "REPLICATE_API_KEY"),
    ("databricks", "DATABRICKS_API_KEY"),
    ("watsonx", "WATSONX_API_KEY"),
    ("cerebras", "CEREBRAS_API_KEY"),
    ("nvidia_nim", "NVIDIA_NIM_API_KEY"),
    ("sambanova", "SAMBANOVA_API_KEY"),
    ("deepinfra", "DEEPINFRA_API_KEY"),
    ("voyage", "VOYAGE_API_KEY"),
    ("moonshot", "MOONSHOT_API_KEY"),
];

/// Whether an `api_key` is only there because something has to be.
pub(super) fn is_placeholder(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    is_nothing(key) || SAYS_NO_KEY.iter().any(|words| lower.contains(words))
}

/// Whether a secret stands for none. A proxy's own key that says `changeme` is a key all the same.
pub(super) fn is_nothing(secret: &str) -> bool {
    NO_KEYS.contains(&secret.to_ascii_lowercase().as_str()) || secret.starts_with('<') && secret.ends_with('>')
}

/// Keys in clear text, each known by where it first stood: the same key is the same key everywhere.
#[derive(Default)]
pub(super) struct ClearKeys(BTreeMap<String, String>);

impl ClearKeys {
    fn name(&mut self, value: &str, place: &str) -> String {
        self.0.entry(value.to_owned()).or_insert_with(|| format!("key {place}")).clone()
    }
}

/// The name of the key that a deployment uses; `None` when it needs none.
pub(super) fn key(params: &Mapping, provider: &str, position: &str, clear: &mut ClearKeys) -> Option<String> {
    let text = |key: &str| params.get(key).and_then(Node::as_text).filter(|text| !text.is_empty());
    if let Some(key) = text("api_key") {
        return match variable(key) {
            Some(variable) => Some(variable.to_owned()),
            None if is_placeholder(key) => None,
            None => Some(clear.name(key, &format!("written in {position}"))),
        };
    }
    if let Some(credential) = text("litellm_credential_name") {
        return Some(format!("credential {credential}"));
    }
    match provider {
        "bedrock" | "bedrock_converse" | "sagemaker" | "sagemaker_chat" => {
            for (key, what) in [
                ("aws_access_key_id", ""),
                ("aws_role_name", "role "),
                ("aws_profile_name", "profile "),
                ("aws_session_name", "session "),
            ] {
                if let Some(value) = text(key) {
                    return Some(match variable(value) {
                        Some(variable) => variable.to_owned(),
                        None if key == "aws_access_key_id" => clear.name(value, &format!("written in {position}")),
                        None => format!("{what}{value}"),
                    });
                }
            }
            Some("AWS credentials of the host".to_owned())
        }
        "vertex_ai" | "vertex_ai_beta" => {
            if let Some(value) = text("vertex_credentials").or_else(|| text("vertex_ai_credentials")) {
                return Some(match variable(value) {
                    Some(variable) => variable.to_owned(),
                    // A path may be shown, the JSON of a service account may not.
                    None if value.len() < 200 && !value.contains(['{', '\n']) => format!("credentials {value}"),
                    None => clear.name(value, &format!("written in {position}")),
                });
            }
            if let Some(Value::Mapping(_)) = params.get("vertex_credentials").map(|node| &node.value) {
                return Some(format!("key written in {position}"));
            }
            let project = text("vertex_project").or_else(|| text("vertex_ai_project"));
            Some(match project.map(|project| variable(project).unwrap_or(project)) {
                Some(project) => format!("Google credentials of the host for {project}"),
                None => "Google credentials of the host".to_owned(),
            })
        }
        "azure" | "azure_ai" => {
            for key in ["azure_ad_token", "client_secret", "client_id", "azure_username"] {
                if let Some(value) = text(key) {
                    return Some(match variable(value) {
                        Some(variable) => variable.to_owned(),
                        None => clear.name(value, &format!("written in {position}")),
                    });
                }
            }
            default_key(provider)
        }
        provider => default_key(provider),
    }
}

pub(super) fn default_key(provider: &str) -> Option<String> {
    DEFAULT_KEYS.iter().find(|(known, _)| *known == provider).map(|(_, variable)| (*variable).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_keys_place_is_no_key() {
        for word in ["none", "sk-no-auth-required", "my-fake-key", "dummy-oauth", "your_key_here", "<API_KEY>", "EMPTY"]
        {
            assert!(is_placeholder(word), "{word}");
        }
        for key in ["sk-1234", "sk-proj-a8Kd", "secret", "gsk_abcdef"] {
            assert!(!is_placeholder(key), "{key}");
        }
    }

    #[test]
    fn the_same_clear_key_is_the_same_key_everywhere() {
        let mut clear = ClearKeys::default();
        assert_eq!(clear.name("secret", "written in line 3"), clear.name("secret", "written in line 9"));
        assert_ne!(clear.name("secret", "written in line 3"), clear.name("other", "written in line 9"));
    }
}
