//! What stands behind a deployment, read off its parameters.

use super::inventory::Place;
use super::key::{ClearKeys, key};
use super::node::{Mapping, Node};
use super::region::region;
use super::serves::Serves;

/// What stands behind one deployment. `position` says where its key stands, in words: `line 12`, `entry 3`.
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
        base_model: upstream_model.clone(),
        upstream_model,
        serves: Serves::default(),
        list_price: None,
        path: String::new(),
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

#[cfg(test)]
mod tests {
    use router_core::Release;

    use super::*;
    use crate::litellm::provider::provider;

    fn placed(json: serde_json::Value) -> Place {
        let node = Node::from_json(&json);
        let params = node.as_mapping().expect("a map");
        let model = json["model"].as_str().expect("a model");
        let provider = provider(model, None, None, Release::V1_109_1);
        place(params, provider, "line 3", 3, &mut ClearKeys::default())
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
}
