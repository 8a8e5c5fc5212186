//! Where a deployment stands, as far as the configuration shows it.

use super::node::{Mapping, Node};
use super::reference::variable;

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

/// The region that a setting, an endpoint, a name or a variable shows.
pub(super) fn region(params: &Mapping, upstream_model: &str, endpoint: Option<&str>) -> Option<String> {
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
