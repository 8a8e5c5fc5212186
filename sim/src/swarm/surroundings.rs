//! What stands behind the router, and what of it breaks.

use serde_json::{Map, Value as Json, json};

use super::feature::{Feature, Features};
use super::luck::Luck;
use super::names::Names;

/// How refilling limits are written.
const WINDOWS: [&str; 6] = ["fixed", "sliding 10s", "bucket 1m", "fixed 10s", "sliding 1m", "bucket 5s"];

/// Draws how upstreams behave while nothing is broken, by selector.
pub(super) fn upstreams(luck: &mut Luck, features: Features, names: &Names) -> Map<String, Json> {
    let mut upstreams = Map::new();
    let selectors = luck.some_of(&names.selectors, 3);
    // What all of them have in common, if anything, comes first.
    for selector in std::iter::once("all".to_owned()).chain(selectors.into_iter().filter(|one| one != "all")) {
        let one = upstream(luck, features);
        if !one.is_empty() {
            upstreams.insert(selector, one.into());
        }
    }
    upstreams
}

fn upstream(luck: &mut Luck, features: Features) -> Map<String, Json> {
    let mut one = Map::new();
    let may = |feature, share: f64, luck: &mut Luck| features.has(feature) && luck.chance(share);
    if may(Feature::Dialects, 0.4, luck) {
        let profile = luck.of_these(&["azure-openai", "openai", "anthropic", "bedrock", "vertex", "default"]);
        one.insert("profile".into(), profile.into());
    }
    if may(Feature::Dialects, 0.3, luck) {
        let dialect = luck.of_these(&["openai", "azure", "anthropic", "bedrock", "vertex"]);
        one.insert("dialect".into(), dialect.into());
    }
    if may(Feature::UpstreamLimits, 0.5, luck) {
        one.insert("rpm".into(), luck.of_these(&[json!(6), json!(30), json!(120), json!("unlimited")]));
    }
    if may(Feature::UpstreamLimits, 0.3, luck) {
        one.insert("tpm".into(), luck.of_these(&[json!(2_000), json!("20k"), json!("unlimited")]));
    }
    if may(Feature::UpstreamLimits, 0.4, luck) {
        one.insert("window".into(), luck.of_these(&WINDOWS).into());
    }
    if may(Feature::SharedLimits, 0.4, luck) {
        let scopes = ["deployment", "key", "region", "provider", "group", "selected"];
        one.insert("scope".into(), luck.of_these(&scopes).into());
    }
    if may(Feature::Latencies, 0.6, luck) {
        let ttft = [json!("1ms"), json!("80ms"), json!({"p50": "400ms", "p95": "3s"}), json!("4s")];
        one.insert("ttft".into(), luck.of_these(&ttft));
        one.insert(
            "tpot".into(),
            luck.of_these(&[json!("1ms"), json!("15ms"), json!({"p50": "20ms", "p99": "150ms"})]),
        );
    }
    if may(Feature::FullSpeed, 0.5, luck) {
        one.insert("full_speed".into(), luck.of_these(&[1, 4, 15]).into());
    }
    if may(Feature::Servers, 0.5, luck) {
        one.insert("servers".into(), luck.of_these(&[1, 3, 10]).into());
    }
    if may(Feature::RetryAfterHeaders, 0.4, luck) {
        one.insert("retry_after".into(), luck.chance(0.7).into());
    }
    one
}

/// Draws limits that deployments share.
pub(super) fn quotas(luck: &mut Luck, features: Features, names: &Names) -> Vec<Json> {
    let mut quotas = Vec::new();
    if features.has(Feature::SharedLimits) {
        for _ in 0..luck.between(1, 2) {
            let mut quota = json!({ "on": luck.some_of(&names.selectors, 2) });
            match luck.below(3) {
                0 => quota["tokens"] = luck.of_these(&[1_500, 9_000, 80_000]).into(),
                1 => quota["requests"] = luck.of_these(&[1, 5, 25]).into(),
                _ => {
                    quota["requests"] = luck.of_these(&[3, 15]).into();
                    quota["tokens"] = luck.of_these(&[4_000, 60_000]).into();
                }
            }
            if luck.chance(0.7) {
                quota["window"] = luck.of_these(&WINDOWS).into();
            }
            quotas.push(quota);
        }
    }
    quotas
}

/// Draws how long messages travel.
pub(super) fn links(luck: &mut Luck, features: Features) -> Option<Json> {
    let times = ["1ms", "3ms", "25ms", "180ms"];
    features.has(Feature::Links).then(|| json!({ "client": luck.of_these(&times), "upstream": luck.of_these(&times) }))
}

/// The faults that a scenario may have.
const KINDS: [Feature; 12] = [
    Feature::Statuses,
    Feature::RateLimited,
    Feature::Overloaded,
    Feature::Silent,
    Feature::Slow,
    Feature::Refused,
    Feature::Reset,
    Feature::Revoked,
    Feature::QuotaCut,
    Feature::QuotaGone,
    Feature::ContentFilter,
    Feature::PromptTooLong,
];

const STATUSES: [u16; 22] =
    [400, 401, 402, 403, 404, 405, 408, 409, 413, 418, 422, 424, 429, 429, 499, 500, 500, 501, 502, 503, 504, 529];

/// Texts by which LiteLLM tells errors apart, whatever their status.
const MESSAGES: [&str; 12] = [
    "Rate limit reached for this organization.",
    "Upstream said 429.",
    "Slow down.",
    "Request timed out.",
    "A timeout occurred.",
    "The server had an error processing your request.",
    "invalid_request_error: model_not_found",
    "prompt is longer than the model's context length",
    "This model's maximum context length is 8192 tokens.",
    "request was rejected as a result of the safety system",
    "Request too large for this model.",
    "no capacity",
];

/// Draws what breaks in a scenario that lasts so many seconds.
pub(super) fn faults(luck: &mut Luck, features: Features, names: &Names, seconds: u64) -> Vec<Json> {
    let kinds: Vec<Feature> = KINDS.into_iter().filter(|kind| features.has(*kind)).collect();
    if kinds.is_empty() {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for _ in 0..luck.of_these(&[1, 2, 2, 3, 4, 6, 9]) {
        let kind = luck.of_these(&kinds);
        let at = luck.between(0, seconds * 900);
        let mut fault = json!({ "at": format!("{at}ms") });
        if luck.chance(0.85) {
            fault["for"] = format!("{}ms", luck.between(200, seconds * 600)).into();
        }
        fault["on"] = luck.some_of(&names.selectors, 2).into();
        fault["inject"] = inject(luck, features, kind);
        if features.has(Feature::Partial) && kind != Feature::QuotaCut && luck.chance(0.6) {
            fault["probability"] = luck.of_these(&["5%", "1/3", "60%", "90%"]).into();
        }
        faults.push(fault);
    }
    faults
}

fn inject(luck: &mut Luck, features: Features, kind: Feature) -> Json {
    let word = match kind {
        Feature::Silent => return "timeout".into(),
        Feature::Refused => return "refused".into(),
        Feature::Reset => return "reset".into(),
        Feature::QuotaGone => return luck.of_these(&[json!("quota"), json!({"quota": "0%"})]),
        Feature::Slow => return luck.of_these(&[json!("slow"), json!({"slow": 2.5}), json!({"slow": 60})]),
        Feature::QuotaCut => return json!({ "quota": luck.of_these(&["10%", "50%"]) }),
        Feature::RateLimited => "rate_limited",
        Feature::Overloaded => "overloaded",
        Feature::Revoked => "revoked",
        Feature::ContentFilter => "content_filter",
        Feature::PromptTooLong => "context_window",
        _ => "",
    };
    let mut answer =
        if word.is_empty() { json!({ "status": luck.of_these(&STATUSES) }) } else { json!({ "error": word }) };
    if features.has(Feature::RetryAfterHeaders) && luck.chance(0.5) {
        answer["retry_after"] = luck.of_these(&["0s", "1s", "3s", "20s", "60s", "61s", "120s"]).into();
    }
    if features.has(Feature::Messages) && luck.chance(0.5) {
        answer["message"] = luck.of_these(&MESSAGES).into();
    }
    answer
}
