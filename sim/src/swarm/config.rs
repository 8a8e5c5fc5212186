//! A LiteLLM config out of nothing: who stands in `model_list`. What the router does with them is drawn in
//! [`settings`](super::settings).

use serde_json::{Value as Json, json};

use super::feature::{Feature, Features};
use super::luck::Luck;

/// Groups, as many as a config happens to have.
const GROUPS: [&str; 5] = ["gpt-4o", "mini", "claude", "backup", "spare"];

/// Models of each provider: what LiteLLM's cost map has a price and a context window for, and what it has not.
const MODELS: [(&str, &[&str]); 6] = [
    ("azure", &["azure/gpt-4o", "azure/gpt-4o-mini", "azure/our-deployment"]),
    ("openai", &["openai/gpt-4o", "openai/gpt-4o-mini", "openai/gpt-3.5-turbo"]),
    ("anthropic", &["anthropic/claude-sonnet-4-5", "anthropic/claude-haiku-4-5"]),
    ("bedrock", &["bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0"]),
    ("vertex_ai", &["vertex_ai/gemini-2.5-pro", "vertex_ai/gemini-2.5-flash"]),
    ("groq", &["groq/llama-3.3-70b-versatile"]),
];

const AZURE_REGIONS: [&str; 3] = ["eastus", "westeurope", "swedencentral"];
const AWS_REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

/// Draws a config with nothing in it but `model_list`.
pub(super) fn draw(luck: &mut Luck, features: Features) -> Json {
    let groups = &GROUPS[..luck.of_these(&[1, 2, 2, 3, 3, 4, 5])];
    let mut entries = Vec::new();
    for group in groups {
        for _ in 0..luck.of_these(&[1, 1, 2, 2, 3, 4]) {
            entries.push(entry(luck, group, entries.len()));
        }
    }
    if features.has(Feature::Wildcards) {
        for _ in 0..luck.between(1, 2) {
            entries.push(entry(luck, "openai/*", entries.len()));
        }
    }
    json!({ "model_list": entries })
}

fn entry(luck: &mut Luck, group: &str, index: usize) -> Json {
    let (provider, models) = luck.of_these(&MODELS);
    let wildcard = group.ends_with('*');
    let model = if wildcard { group.to_owned() } else { luck.of_these(models).to_owned() };
    let key = |luck: &mut Luck, provider: &str| {
        format!("os.environ/{}_API_KEY_{}", provider.to_uppercase(), luck.between(1, 2))
    };
    let mut params = json!({ "model": model });
    match if wildcard { "openai" } else { provider } {
        "azure" => {
            let region = luck.of_these(&AZURE_REGIONS);
            params["api_base"] = json!(format!("https://ours-{region}.openai.azure.com/"));
            params["api_key"] = json!(key(luck, provider));
        }
        "bedrock" => params["aws_region_name"] = json!(luck.of_these(&AWS_REGIONS)),
        "vertex_ai" => params["vertex_location"] = json!("us-central1"),
        provider => params["api_key"] = json!(key(luck, provider)),
    }
    let mut entry = json!({ "model_name": group, "litellm_params": params });
    // LiteLLM derives the ids of the others, by which equal entries become one.
    if luck.chance(0.7) {
        entry["model_info"] = json!({ "id": format!("{}-{index}", if wildcard { "any" } else { provider }) });
    }
    entry
}
