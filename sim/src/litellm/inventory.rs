//! What stands behind each deployment.

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
