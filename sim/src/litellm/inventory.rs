//! What stands behind each deployment.

use super::reference::REFERENCE;
use super::serves::Serves;

/// What stands behind the deployments of a configuration, by [`DeploymentId`](router_core::DeploymentId).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Inventory {
    /// One for each entry of `model_list`.
    pub places: Vec<Place>,
}

/// Provider, region and key of one deployment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Place {
    /// The provider, as LiteLLM names it: `azure`, `openai`, `bedrock`.
    pub provider: String,
    /// The region, where the config shows one (`region_name`, `aws_region_name`, `vertex_location`, an endpoint's host).
    pub region: Option<String>,
    /// The name of the key: the environment variable, never a value. A key in clear text is named by its place.
    pub key: Option<String>,
    /// `api_base`, as written.
    pub endpoint: Option<String>,
    /// The model's name at the provider.
    pub upstream_model: String,
    /// The model that it is, whatever it is called at the provider: `base_model` where the config gives one, else
    /// [`upstream_model`](Self::upstream_model).
    pub base_model: String,
    /// What its callers want of it.
    pub serves: Serves,
    /// Dollars per token of input and of output: what the config says, else the public list price as LiteLLM's own map
    /// has it. Cost-based routing looks elsewhere, and may not find what stands here.
    pub list_price: Option<(f64, f64)>,
    /// The keys that lead to its entry: `model_list[2]`. Entries that LiteLLM drops are counted too.
    pub path: String,
    /// The line of its entry in the config, from 1; 0 when the config came without text.
    pub line: u32,
    /// How people tell it from the others: `gpt-4 (azure, eastus, line 12)`. No two of one inventory are equal.
    pub label: String,
}

/// Providers that are programs which everybody runs: what two servers have in common is only the language they speak.
const SELF_HOSTED: &[&str] = &[
    "custom_openai",
    "docker_model_runner",
    "hosted_vllm",
    "infinity",
    "lemonade",
    "litellm_proxy",
    "llamafile",
    "lm_studio",
    "ollama",
    "ollama_chat",
    "oobabooga",
    "openai_like",
    "petals",
    "triton",
    "vllm",
    "xinference",
];

/// Providers whose interface others offer as well, and the domain that is their own.
const SPOKEN: &[(&str, &str)] =
    &[("anthropic", "anthropic.com"), ("openai", "openai.com"), ("text-completion-openai", "openai.com")];

impl Place {
    /// Who runs it, and can take it down with everything else there: the provider, or the host of the endpoint where the
    /// provider is only the language that a server of somebody else speaks.
    pub fn operator(&self) -> &str {
        let Some(host) = self.endpoint.as_deref().map(host_of) else { return &self.provider };
        let own = SPOKEN.iter().find(|(provider, _)| *provider == self.provider).map(|(_, domain)| *domain);
        let foreign = match own {
            // A variable with the provider's name in it may well lead to the provider.
            Some(domain) => !host.contains(domain) && !host.to_ascii_lowercase().starts_with(self.provider.as_str()),
            None => SELF_HOSTED.contains(&self.provider.as_str()),
        };
        if foreign && !host.is_empty() { host } else { &self.provider }
    }
}

/// The host and port of an endpoint, or the name of the variable that holds it.
fn host_of(endpoint: &str) -> &str {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let rest = rest.strip_prefix(REFERENCE).unwrap_or(rest);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    host.rsplit('@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_only_speak_a_providers_language_are_run_by_somebody_else() {
        for (provider, endpoint, operator) in [
            ("openai", None, "openai"),
            ("openai", Some("https://api.openai.com/v1"), "openai"),
            ("openai", Some("os.environ/OPENAI_API_BASE"), "openai"),
            ("openai", Some("http://gpu-1:8000/v1"), "gpu-1:8000"),
            ("openai", Some("https://openrouter.ai/api/v1"), "openrouter.ai"),
            ("openai", Some("os.environ/LMSTUDIO_URL"), "LMSTUDIO_URL"),
            ("anthropic", Some("https://api.minimax.io/anthropic"), "api.minimax.io"),
            ("hosted_vllm", Some("http://gpu-2:8000"), "gpu-2:8000"),
            ("ollama", None, "ollama"),
            ("azure", Some("https://ours.openai.azure.com"), "azure"),
        ] {
            let place =
                Place { provider: provider.to_owned(), endpoint: endpoint.map(str::to_owned), ..Place::default() };
            assert_eq!(place.operator(), operator, "{provider} {endpoint:?}");
        }
    }
}
