//! What a request carries besides its messages, as LiteLLM names it in the body.

use router_core::{Params, RequestLists, Target};
use serde_json::{Map, Number, Value, json};

use super::directory::Directory;
use super::labels::WireError;

/// Which of a plan's fallback maps a target is: LiteLLM knows them apart by their address.
const MAP: &str = "routedrill_map";

/// Adds `params` to the body of a request, or to a fallback map.
pub(crate) fn write(directory: &Directory, params: &Params, body: &mut Map<String, Value>) {
    let Params {
        num_retries,
        max_retries,
        timeout,
        request_timeout,
        stream_timeout,
        fallbacks,
        disable_fallbacks,
        tags,
        region,
        lists,
    } = params;
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(key.to_owned(), value);
        }
    };
    put("num_retries", num_retries.map(Value::from));
    put("max_retries", max_retries.map(Value::from));
    put("timeout", timeout.map(float));
    put("request_timeout", request_timeout.map(float));
    put("stream_timeout", stream_timeout.map(float));
    put("fallbacks", fallbacks.as_ref().map(|targets| targets.iter().map(|to| target(directory, to)).collect()));
    // Always there, and so the sign that there are parameters at all.
    put("disable_fallbacks", Some(Value::Bool(*disable_fallbacks)));
    put("tags", (!tags.is_empty()).then(|| tags.iter().map(|tag| directory.tag(*tag)).collect()));
    // Which of the plan's lists, as with maps.
    put("fallback_list", lists.fallbacks.map(Value::from));
    put("context_window_fallback_list", lists.context_window.map(Value::from));
    put("content_policy_fallback_list", lists.content_policy.map(Value::from));
    put("allowed_model_region", region.map(|region| Value::from(directory.region(region))));
}

/// The parameters in the body of a request, or in a fallback map, if there are any.
pub(crate) fn read(directory: &Directory, body: &Map<String, Value>) -> Result<Option<Box<Params>>, WireError> {
    let Some(disable_fallbacks) = body.get("disable_fallbacks") else { return Ok(None) };
    let seconds = |key| body.get(key).map(|value| read_float(value).ok_or_else(|| bad(key, value))).transpose();
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| bad("a name", value));
    let list = |key| body.get(key).map(|value| value.as_array().ok_or_else(|| bad(key, value))).transpose();
    let fallbacks = list("fallbacks")?
        .map(|targets| targets.iter().map(|target| read_target(directory, target)).collect::<Result<_, _>>());
    let tags = list("tags")?.into_iter().flatten().map(|tag| directory.tag_id(&text(tag)?));
    let region = body.get("allowed_model_region").map(|region| directory.region_id(&text(region)?));
    let retries = |key| body.get(key).map(|value| value.as_i64().ok_or_else(|| bad(key, value))).transpose();
    let number = |key| {
        let number =
            |value: &Value| value.as_u64().and_then(|list| list.try_into().ok()).ok_or_else(|| bad(key, value));
        body.get(key).map(number).transpose()
    };
    Ok(Some(Box::new(Params {
        num_retries: retries("num_retries")?,
        max_retries: retries("max_retries")?,
        timeout: seconds("timeout")?,
        request_timeout: seconds("request_timeout")?,
        stream_timeout: seconds("stream_timeout")?,
        fallbacks: fallbacks.transpose()?,
        disable_fallbacks: disable_fallbacks.as_bool().ok_or_else(|| bad("disable_fallbacks", disable_fallbacks))?,
        tags: tags.collect::<Result<_, _>>()?,
        region: region.transpose()?,
        lists: RequestLists {
            fallbacks: number("fallback_list")?,
            context_window: number("context_window_fallback_list")?,
            content_policy: number("content_policy_fallback_list")?,
        },
    })))
}

fn target(directory: &Directory, target: &Target) -> Value {
    let Target { model, map, params } = target;
    let name = model.map(|model| directory.model(model));
    if let (Some(name), None, None) = (name, map, params) {
        return name.into();
    }
    let mut body = Map::new();
    if let Some(name) = name {
        body.insert("model".to_owned(), name.into());
    }
    if let Some(map) = map {
        body.insert(MAP.to_owned(), json!(map));
    }
    if let Some(params) = params {
        write(directory, params, &mut body);
    }
    Value::Object(body)
}

fn read_target(directory: &Directory, target: &Value) -> Result<Target, WireError> {
    let named = |name: &Value| directory.model_id(name.as_str().ok_or_else(|| bad("a model", name))?);
    match target {
        Value::String(_) => Ok(Target { model: Some(named(target)?), map: None, params: None }),
        Value::Object(body) => {
            let map = |value: &Value| value.as_u64().and_then(|map| map.try_into().ok()).ok_or_else(|| bad(MAP, value));
            Ok(Target {
                model: body.get("model").map(named).transpose()?,
                map: body.get(MAP).map(map).transpose()?,
                params: read(directory, body)?,
            })
        }
        other => Err(bad("a fallback", other)),
    }
}

/// A number of seconds. JSON has no infinity; Python's writer, and thus LiteLLM's, says `Infinity`: here as a text.
fn float(seconds: f64) -> Value {
    Number::from_f64(seconds).map_or_else(|| Value::from(seconds.to_string()), Value::Number)
}

fn read_float(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn bad(expected: &'static str, body: &Value) -> WireError {
    WireError::BadBody { expected, body: body.to_string() }
}
