//! What stands behind a deployment: provider, region and key, read off its parameters.

use std::collections::BTreeMap;

use router_core::Release;

use super::cost_map;
use super::inventory::Place;
use super::known::{self, Section};
use super::node::{Mapping, Node, Value};

/// What begins a reference to an environment variable.
pub(super) const REFERENCE: &str = "os.environ/";

/// The regions that hosts, deployments and variables are named after. Longer names come first where one begins
/// another.
const REGIONS: &[&str] = &[
    // Azure
    "australiacentral2",
    "australiacentral",
    "australiaeast",
    "australiasoutheast",
    "austriaeast",
    "brazilsoutheast",
    "brazilsouth",
    "belgiumcentral",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centraluseuap",
    "centralus",
    "chilecentral",
    "eastasia",
    "eastus2",
    "eastus",
    "francecentral",
    "francesouth",
    "germanynorth",
    "germanywestcentral",
    "indonesiacentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "jioindiawest",
    "koreacentral",
    "koreasouth",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northcentralus",
    "northeurope",
    "norwayeast",
    "norwaywest",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southafricawest",
    "southcentralus",
    "southeastasia",
    "southindia",
    "spaincentral",
    "swedencentral",
    "swedensouth",
    "switzerlandnorth",
    "switzerlandwest",
    "uaecentral",
    "uaenorth",
    "uksouth",
    "ukwest",
    "westcentralus",
    "westeurope",
    "westindia",
    "westus2",
    "westus3",
    "westus",
    // AWS
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "ca-central-1",
    "ca-west-1",
    "sa-east-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "af-south-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    // Google
    "us-central1",
    "us-east1",
    "us-east4",
    "us-east5",
    "us-south1",
    "us-west1",
    "us-west2",
    "us-west3",
    "us-west4",
    "northamerica-northeast1",
    "northamerica-northeast2",
    "southamerica-east1",
    "southamerica-west1",
    "europe-central2",
    "europe-north1",
    "europe-southwest1",
    "europe-west10",
    "europe-west12",
    "europe-west1",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west6",
    "europe-west8",
    "europe-west9",
    "asia-east1",
    "asia-east2",
    "asia-northeast1",
    "asia-northeast2",
    "asia-northeast3",
    "asia-south1",
    "asia-south2",
    "asia-southeast1",
    "asia-southeast2",
    "australia-southeast1",
    "australia-southeast2",
    "me-central1",
    "me-west1",
];

/// Endpoints whose provider newer releases recognise when the model's name has no prefix.
const ENDPOINTS: &[(&str, &str)] = &[
    ("api.perplexity.ai", "perplexity"),
    ("api.endpoints.anyscale.com/v1", "anyscale"),
    ("api.deepinfra.com/v1/openai", "deepinfra"),
    ("api.mistral.ai/v1", "mistral"),
    ("codestral.mistral.ai/v1/chat/completions", "codestral"),
    ("api.groq.com/openai/v1", "groq"),
    ("integrate.api.nvidia.com/v1", "nvidia_nim"),
    ("api.deepseek.com/v1", "deepseek"),
    ("api.together.ai/v1", "together_ai"),
    ("api.together.xyz/v1", "together_ai"),
    ("api.friendli.ai/serverless/v1", "friendliai"),
    ("ollama.com", "ollama"),
    ("nano-gpt.com/api/v1", "nano-gpt"),
    ("api.poe.com/v1", "poe"),
    ("llm.chutes.ai/v1", "chutes"),
    ("api.lambda.ai/v1", "lambda_ai"),
    ("api.hyperbolic.xyz/v1", "hyperbolic"),
    ("ai-gateway.vercel.sh/v1", "vercel_ai_gateway"),
    ("api.inference.wandb.ai/v1", "wandb"),
];

/// Keys that are none: what people write for servers that want no key.
const NO_KEYS: &[&str] = &[
    "",
    "none",
    "null",
    "empty",
    "dummy",
    "fake",
    "fake-key",
    "fake_key",
    "not-needed",
    "not_needed",
    "no-key",
    "nokey",
    "anything",
    "ollama",
    "lm-studio",
    "sk-none",
    "unused",
    "x",
    "xxx",
    "na",
    "n/a",
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

/// The provider that LiteLLM derives for a model, and the model's name there. `None`: it cannot tell, and drops the
/// deployment.
pub(super) fn provider(
    model: &str,
    custom_llm_provider: Option<&str>,
    api_base: Option<&str>,
    release: Release,
) -> Option<(String, String)> {
    if let Some(provider) = custom_llm_provider.filter(|provider| !provider.is_empty()) {
        let upstream = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
        return Some((provider.to_owned(), upstream.to_owned()));
    }
    if let Some((prefix, rest)) = model.split_once('/')
        && known::is_known(Section::Providers, prefix, release)
    {
        return Some((prefix.to_owned(), rest.to_owned()));
    }
    let base = api_base.map(|base| base.split_once("://").map_or(base, |(_, rest)| rest));
    if let (Some(base), Release::V1_109_1) = (base, release)
        && let Some((_, provider)) = ENDPOINTS.iter().find(|(known, _)| base.starts_with(known))
    {
        return Some(((*provider).to_owned(), model.to_owned()));
    }
    let guess = match cost_map::row(model, release) {
        Some(row) if !model.contains('/') => row.provider,
        _ if model == "*" => "openai",
        _ => family(model)?,
    };
    Some((guess.to_owned(), model.to_owned()))
}

/// Whether only its family's name tells a model's provider: LiteLLM itself goes by its list.
pub(super) fn is_unlisted(model: &str, release: Release) -> bool {
    let by_rule = model == "*"
        || model.contains("ft:gpt-3.5-turbo")
        || model.contains("ft:gpt-4")
        || release == Release::V1_109_1 && (model.starts_with("gpt-image") || model.contains("anthropic.claude"));
    !model.contains('/') && !by_rule && cost_map::row(model, release).is_none()
}

/// Names without a prefix whose family gives the provider away, though the table has no row for them.
fn family(model: &str) -> Option<&'static str> {
    const FAMILIES: &[(&str, &str)] = &[
        ("gpt-", "openai"),
        ("chatgpt-", "openai"),
        ("o1", "openai"),
        ("o3", "openai"),
        ("o4", "openai"),
        ("ft:gpt-", "openai"),
        ("text-embedding-", "openai"),
        ("omni-moderation", "openai"),
        ("text-moderation", "openai"),
        ("dall-e", "openai"),
        ("tts-1", "openai"),
        ("whisper-1", "openai"),
        ("codex-", "openai"),
        ("sora-", "openai"),
        ("claude-", "anthropic"),
        ("anthropic.", "bedrock"),
        ("us.anthropic.", "bedrock"),
        ("eu.anthropic.", "bedrock"),
        ("apac.anthropic.", "bedrock"),
        ("global.anthropic.", "bedrock"),
        ("amazon.", "bedrock"),
        ("us.amazon.", "bedrock"),
        ("meta.llama", "bedrock"),
        ("us.meta.llama", "bedrock"),
        ("mistral.", "bedrock"),
        ("cohere.", "bedrock"),
        ("ai21.", "bedrock"),
        ("gemini-", "vertex_ai"),
        ("command-", "cohere_chat"),
        ("embed-", "cohere"),
    ];
    FAMILIES.iter().find(|(prefix, _)| model.starts_with(prefix)).map(|(_, provider)| *provider)
}

/// Whether an `api_key` is only there because something has to be.
pub(super) fn is_placeholder(key: &str) -> bool {
    NO_KEYS.contains(&key.to_ascii_lowercase().as_str()) || key.starts_with('<') && key.ends_with('>')
}

/// The name in `$NAME` or `${NAME}`, when that is the whole text.
pub(super) fn shell_variable(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('$')?;
    let name = match rest.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?.split(":-").next()?,
        None => rest,
    };
    (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')).then_some(name)
}

/// The variable that a value refers to, in LiteLLM's way or in the shell's.
fn variable(value: &str) -> Option<&str> {
    value.strip_prefix(REFERENCE).or_else(|| shell_variable(value))
}

/// Keys in clear text, each known by where it first stood: the same key is the same key everywhere.
#[derive(Default)]
pub(super) struct ClearKeys(BTreeMap<String, String>);

impl ClearKeys {
    fn name(&mut self, value: &str, place: &str) -> String {
        self.0.entry(value.to_owned()).or_insert_with(|| format!("key {place}")).clone()
    }
}

/// What stands behind one deployment. `position` says where its entry stands, in words: `line 12`, `entry 3`.
pub(super) fn place(
    params: &Mapping,
    provider: Option<(String, String)>,
    position: &str,
    line: u32,
    clear: &mut ClearKeys,
) -> Place {
    let text = |key: &str| params.get(key).and_then(Node::as_text).filter(|text| !text.is_empty());
    let (provider, upstream_model) =
        provider.unwrap_or_else(|| ("unknown".to_owned(), text("model").unwrap_or_default().to_owned()));
    let endpoint = text("api_base").or_else(|| text("base_url"));
    Place {
        region: region(params, &upstream_model, endpoint),
        key: key(params, &provider, position, clear),
        endpoint: endpoint.map(crate::secrets::mask_line),
        provider,
        upstream_model,
        list_price: None,
        line,
        label: String::new(),
    }
}

/// How people tell deployments apart: `gpt-4 (azure, eastus, line 12)`.
pub(super) fn label(model_name: &str, place: &Place, position: &str) -> String {
    let parts: Vec<&str> =
        [Some(place.provider.as_str()), place.region.as_deref(), Some(position)].into_iter().flatten().collect();
    format!("{model_name} ({})", parts.join(", "))
}

fn region(params: &Mapping, upstream_model: &str, endpoint: Option<&str>) -> Option<String> {
    const KEYS: [&str; 6] = [
        "region_name",
        "aws_region_name",
        "vertex_location",
        "vertex_ai_location",
        "watsonx_region_name",
        "sagemaker_region_name",
    ];
    let text = |key: &str| params.get(key).and_then(Node::as_text).filter(|text| !text.is_empty());
    if let Some(named) = KEYS.iter().find_map(|key| text(key)) {
        // The value of a variable is not known; but deployments that share the variable share the region.
        return Some(match variable(named) {
            Some(variable) => within(variable).map_or_else(|| named.to_owned(), str::to_owned),
            None => named.to_owned(),
        });
    }
    let from_endpoint = endpoint.and_then(|endpoint| match variable(endpoint) {
        Some(variable) => within(variable),
        None => host_of(endpoint).and_then(in_host),
    });
    let arn = || upstream_model.contains("arn:aws").then(|| within(upstream_model)).flatten();
    let from_key = || text("api_key").and_then(variable).and_then(within);
    from_endpoint.or_else(arn).or_else(|| within(upstream_model)).or_else(from_key).map(str::to_owned)
}

/// A region's name in the host of an endpoint, where resources are often named like `contosoeastus2`.
fn in_host(host: &str) -> Option<&'static str> {
    let host = host.to_ascii_lowercase();
    within(&host).or_else(|| {
        let label = host.split('.').next().unwrap_or("");
        let squeezed: String = label.chars().filter(|c| *c != '-').collect();
        host.contains("azure").then(|| REGIONS.iter().find(|region| squeezed.contains(*region)).copied()).flatten()
    })
}

/// A region's name that stands as a word of its own in a text: `AZURE_API_BASE_EASTUS`, `gpt-4-eastus`.
fn within(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase().replace('_', "-");
    let found = REGIONS.iter().filter(|region| {
        text.match_indices(**region).any(|(at, _)| {
            let open = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
            open(text[..at].chars().next_back()) && open(text[at + region.len()..].chars().next())
        })
    });
    found.max_by_key(|region| region.len()).copied()
}

fn host_of(endpoint: &str) -> Option<&str> {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then_some(host)
}

fn key(params: &Mapping, provider: &str, position: &str, clear: &mut ClearKeys) -> Option<String> {
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

fn default_key(provider: &str) -> Option<String> {
    DEFAULT_KEYS.iter().find(|(known, _)| *known == provider).map(|(_, variable)| (*variable).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(model: &str) -> Option<(String, String)> {
        provider(model, None, None, Release::V1_109_1)
    }

    fn placed(json: serde_json::Value) -> Place {
        let node = Node::from_json(&json);
        let params = node.as_mapping().expect("a map");
        let model = json["model"].as_str().expect("a model");
        place(params, derived(model), "line 3", 3, &mut ClearKeys::default())
    }

    #[test]
    fn the_provider_is_the_prefix_or_the_family_of_the_name() {
        for (model, provider, upstream) in [
            ("azure/my-gpt-4", "azure", "my-gpt-4"),
            ("gpt-4o", "openai", "gpt-4o"),
            ("claude-3-5-sonnet-20240620", "anthropic", "claude-3-5-sonnet-20240620"),
            (
                "bedrock/us.anthropic.claude-3-haiku-20240307-v1:0",
                "bedrock",
                "us.anthropic.claude-3-haiku-20240307-v1:0",
            ),
            ("anthropic.claude-3-haiku-20240307-v1:0", "bedrock", "anthropic.claude-3-haiku-20240307-v1:0"),
            ("hosted_vllm/meta-llama/Llama-3", "hosted_vllm", "meta-llama/Llama-3"),
            ("openai/*", "openai", "*"),
            ("*", "openai", "*"),
        ] {
            assert_eq!(derived(model), Some((provider.to_owned(), upstream.to_owned())));
        }
        assert_eq!(derived("our-model"), None);
        assert_eq!(derived("azrue/gpt-4"), None);
    }

    #[test]
    fn the_region_is_found_where_the_config_shows_one() {
        for (params, region) in [
            (
                serde_json::json!({"model": "azure/x", "api_base": "https://my-eastus.openai.azure.com/"}),
                Some("eastus"),
            ),
            (
                serde_json::json!({"model": "azure/x", "api_base": "https://contosoeastus2.openai.azure.com"}),
                Some("eastus2"),
            ),
            (
                serde_json::json!({"model": "azure/x", "api_base": "os.environ/AZURE_API_BASE_WESTEUROPE"}),
                Some("westeurope"),
            ),
            (
                serde_json::json!({"model": "azure/gpt-4-swedencentral", "api_base": "os.environ/BASE"}),
                Some("swedencentral"),
            ),
            (serde_json::json!({"model": "azure/x", "api_key": "os.environ/AZURE_KEY_EAST_US"}), None),
            (serde_json::json!({"model": "bedrock/x", "aws_region_name": "us-west-2"}), Some("us-west-2")),
            (
                serde_json::json!({"model": "bedrock/x", "aws_region_name": "os.environ/REGION"}),
                Some("os.environ/REGION"),
            ),
            (
                serde_json::json!({"model": "bedrock/arn:aws:bedrock:eu-west-1:1:inference-profile/x"}),
                Some("eu-west-1"),
            ),
            (serde_json::json!({"model": "vertex_ai/x", "vertex_location": "us-central1"}), Some("us-central1")),
            (serde_json::json!({"model": "openai/x", "api_base": "https://api.openai.com/v1"}), None),
        ] {
            assert_eq!(placed(params.clone()).region.as_deref(), region, "{params}");
        }
    }

    #[test]
    fn a_key_is_known_by_its_name_and_never_by_its_value() {
        for (params, key) in [
            (serde_json::json!({"model": "azure/x", "api_key": "os.environ/KEY_1"}), Some("KEY_1")),
            (serde_json::json!({"model": "openai/x", "api_key": "sk-1234567890"}), Some("key written in line 3")),
            (serde_json::json!({"model": "openai/x"}), Some("OPENAI_API_KEY")),
            (serde_json::json!({"model": "hosted_vllm/x", "api_key": "none"}), None),
            (serde_json::json!({"model": "ollama/llama3"}), None),
            (serde_json::json!({"model": "bedrock/x"}), Some("AWS credentials of the host")),
            (
                serde_json::json!({"model": "bedrock/x", "aws_role_name": "arn:aws:iam::1:role/r"}),
                Some("role arn:aws:iam::1:role/r"),
            ),
            (
                serde_json::json!({"model": "vertex_ai/x", "vertex_project": "p"}),
                Some("Google credentials of the host for p"),
            ),
        ] {
            assert_eq!(placed(params.clone()).key.as_deref(), key, "{params}");
        }
    }

    #[test]
    fn the_same_clear_key_is_the_same_key_everywhere() {
        let mut clear = ClearKeys::default();
        assert_eq!(clear.name("secret", "written in line 3"), clear.name("secret", "written in line 9"));
        assert_ne!(clear.name("secret", "written in line 3"), clear.name("other", "written in line 9"));
    }
}
