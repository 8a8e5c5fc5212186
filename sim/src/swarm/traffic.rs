//! Who asks for what, when, and how long they wait.

use serde_json::{Map, Value as Json, json};

use super::feature::{Feature, Features};
use super::luck::Luck;
use super::names::Names;
use super::settings::{REGIONS, TAGS};

/// Draws the streams of a scenario that lasts so many seconds.
pub(super) fn draw(luck: &mut Luck, features: Features, names: &Names, seconds: u64) -> Json {
    let count = if features.has(Feature::Streams) { luck.between(2, 4) } else { 1 };
    // All streams together; a retrying caller or router makes more of them.
    let requests = luck.of_these(&[40, 120, 300, 700]) / count;
    let mut streams = Vec::new();
    for number in 0..count {
        let mut stream = Map::new();
        // Somebody asks for something that is there.
        let name = if number == 0 { luck.of_these(&names.asked) } else { model(luck, features, names) };
        stream.insert("model".into(), name.into());
        let arrivals = arrivals(luck, features, requests, seconds);
        let one_by_one = arrivals.get("requests").is_some();
        stream.insert("arrivals".into(), arrivals);
        if !one_by_one {
            let prompt = if features.has(Feature::LongPrompts) {
                luck.of_these(&[json!({"p50": 500, "p95": 9000}), json!({"p50": 150, "p99": 200000}), json!(1)])
            } else {
                luck.of_these(&[json!(100), json!({"p50": 80, "p95": 700})])
            };
            stream.insert("prompt_tokens".into(), prompt);
            stream
                .insert("output_tokens".into(), luck.of_these(&[json!(1), json!(40), json!({"p50": 60, "p95": 300})]));
        }
        if features.has(Feature::Deadlines) {
            stream.insert("deadline".into(), luck.of_these(&["700ms", "3s", "12s", "45s"]).into());
        }
        if features.has(Feature::CallerRetries) && luck.chance(0.8) {
            let attempts = luck.between(1, 3);
            let wait = luck.of_these(&["0s", "200ms", "1s", "5s"]);
            let mut retry = json!({ "attempts": attempts, "wait": wait });
            if luck.chance(0.4) {
                retry["honour_retry_after"] = luck.chance(0.5).into();
            }
            if luck.chance(0.4) {
                retry["jitter"] = luck.of_these(&["20%", "100%"]).into();
            }
            stream.insert("retry".into(), retry);
        }
        let params = params(luck, features, names);
        if !params.is_empty() {
            stream.insert("params".into(), params.into());
        }
        streams.push(Json::Object(stream));
    }
    streams.into()
}

fn model(luck: &mut Luck, features: Features, names: &Names) -> String {
    if features.has(Feature::UnknownNames) && luck.chance(0.3) {
        return "nobody-serves-this".to_owned();
    }
    if features.has(Feature::IdsAsNames) && luck.chance(0.3) {
        return luck.of_these(&names.ids);
    }
    luck.of_these(&names.asked)
}

/// About so many requests within so many seconds.
fn arrivals(luck: &mut Luck, features: Features, requests: u64, seconds: u64) -> Json {
    let rate = |requests: u64| format!("{}/m", (requests * 60 / seconds).max(1));
    let mut shapes = vec!["poisson", "constant"];
    let further = [
        (Feature::Bursts, "bursts"),
        (Feature::Ramps, "ramp"),
        (Feature::ClosedLoops, "closed"),
        (Feature::OneByOne, "requests"),
    ];
    for (feature, shape) in further {
        if features.has(feature) {
            shapes.extend([shape; 2]);
        }
    }
    match luck.of_these(&shapes) {
        "poisson" => json!({ "poisson": rate(requests) }),
        "constant" => json!({ "constant": rate(requests) }),
        "bursts" => {
            let every = luck.of_these(&[3, 10, 20]).min(seconds);
            json!({ "bursts": { "size": (requests * every / seconds).max(2), "every": format!("{every}s") } })
        }
        "ramp" => {
            let ends = [rate(requests / 10), rate(2 * requests)];
            let up = usize::from(luck.chance(0.5));
            json!({ "ramp": { "from": ends[1 - up], "to": ends[up] } })
        }
        "closed" => {
            let think = luck.of_these(&[json!("100ms"), json!("3s"), json!({"p50": "1s", "p95": "8s"})]);
            json!({ "closed": { "users": luck.between(1, 12), "think": think } })
        }
        _ => {
            let mut moments: Vec<u64> = (0..requests.min(25)).map(|_| luck.between(1, seconds * 1000 - 1)).collect();
            moments.sort_unstable();
            // Some at the very same moment.
            if let Some(first) = moments.first().copied() {
                moments[0] = first.min(moments.get(1).copied().unwrap_or(first));
                moments.insert(0, moments[0]);
            }
            let tokens = |luck: &mut Luck| luck.of_these(&[1, 40, 700]);
            let requests =
                moments.into_iter().map(|at| format!("{at}ms {} {}", tokens(luck), tokens(luck))).collect::<Vec<_>>();
            json!({ "requests": requests })
        }
    }
}

/// What each request of a stream carries.
fn params(luck: &mut Luck, features: Features, names: &Names) -> Map<String, Json> {
    let mut params = Map::new();
    if features.has(Feature::CallerParams) {
        if luck.chance(0.3) {
            params.insert("num_retries".into(), luck.between(0, 3).into());
        }
        if luck.chance(0.3) {
            let key = luck.of_these(&["timeout", "timeout", "request_timeout", "stream_timeout"]);
            params.insert(key.into(), luck.of_these(&["600ms", "4s", "25s"]).into());
        }
        if luck.chance(0.25) {
            params.insert("fallbacks".into(), luck.some_of(&names.asked, 3).into());
        }
        if luck.chance(0.15) {
            params.insert("disable_fallbacks".into(), true.into());
        }
    }
    if features.has(Feature::Tags) && luck.chance(0.7) {
        params.insert("tags".into(), luck.some_of(&TAGS, 2).into());
    }
    if features.has(Feature::Regions) && luck.chance(0.5) {
        params.insert("region".into(), luck.of_these(&REGIONS).into());
    }
    params
}
