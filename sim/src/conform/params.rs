//! The further fields of a request, as far as routing reads them.

use router_core::{FallbackEntry, FallbackTarget, RequestList, RequestParams};
use serde_json::Value;

use super::field::{Field, Malformed};

/// Fields that every chat request may have and no routing decision reads.
const NOT_FOR_ROUTING: &[&str] = &[
    "temperature",
    "top_p",
    "n",
    "stop",
    "max_tokens",
    "max_completion_tokens",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "user",
    "stream_options",
];

/// Fallback lists that a request brings along, written as the configured ones are.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) fallbacks: Option<RequestList>,
    pub(super) context_window: Option<RequestList>,
    pub(super) content_policy: Option<RequestList>,
}

/// Reads `params`.
///
/// # Errors
/// A field that is not known, for it may matter; a value of the wrong type.
pub(super) fn read(field: &Field<'_>) -> Result<(RequestParams, Lists), Malformed> {
    let (mut params, mut lists) = (RequestParams::default(), Lists::default());
    for (name, value) in field.members()? {
        if value.value().is_null() {
            continue;
        }
        match name {
            "num_retries" => params.num_retries = Some(integer(&value)?),
            "max_retries" => params.max_retries = Some(integer(&value)?),
            "timeout" => params.timeout = Some(value.number()?),
            "request_timeout" => params.request_timeout = Some(value.number()?),
            "stream_timeout" => params.stream_timeout = Some(value.number()?),
            "disable_fallbacks" => params.disable_fallbacks = Some(value.flag()?),
            "fallbacks" if is_by_group(value.value()) => lists.fallbacks = Some(by_group(&value, false)?),
            "fallbacks" => params.fallbacks = Some(of_one_kind(&value)?),
            "context_window_fallbacks" => lists.context_window = Some(by_group(&value, true)?),
            "content_policy_fallbacks" => lists.content_policy = Some(by_group(&value, true)?),
            "metadata" => params.tags = tags(&value)?,
            "allowed_model_region" => params.region = Some(value.text()?.to_owned()),
            name if NOT_FOR_ROUTING.contains(&name) => {}
            _ => return Err(value.wrong("unknown parameter of a request; it may matter to routing".to_owned())),
        }
    }
    Ok((params, lists))
}

/// Every name that a request's own fallbacks lead to.
pub(super) fn fallback_names(params: &RequestParams) -> impl Iterator<Item = &str> {
    params.fallbacks.iter().flatten().filter_map(|target| match target {
        FallbackTarget::Name(name) => Some(name.as_str()),
        FallbackTarget::Map { model, .. } => model.as_deref(),
    })
}

/// Whether a list has `{group: [targets]}` entries (LiteLLM: `check_non_standard_fallback_format`).
fn is_by_group(list: &Value) -> bool {
    let by_group = |item: &Value| item.as_object().and_then(|map| map.values().next()).is_some_and(Value::is_array);
    list.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(by_group))
}

fn by_group(field: &Field<'_>, typed: bool) -> Result<RequestList, Malformed> {
    let mut entries = Vec::new();
    for item in field.items()? {
        // LiteLLM reads the first key only.
        let Some((group, chain)) = item.members()?.next() else {
            return Err(item.wrong("a map from a model group to its fallbacks is expected".to_owned()));
        };
        entries.push(FallbackEntry { group: group.to_owned(), targets: targets(&chain)? });
    }
    Ok(RequestList { typed, entries })
}

fn of_one_kind(field: &Field<'_>) -> Result<Vec<FallbackTarget>, Malformed> {
    let targets = targets(field)?;
    let names = targets.iter().filter(|target| matches!(target, FallbackTarget::Name(_))).count();
    if names > 0 && names < targets.len() {
        return Err(field.wrong("names and maps in one list are not modelled: LiteLLM passes over the maps".to_owned()));
    }
    Ok(targets)
}

fn targets(field: &Field<'_>) -> Result<Vec<FallbackTarget>, Malformed> {
    field.items()?.map(|item| target(&item)).collect()
}

fn target(field: &Field<'_>) -> Result<FallbackTarget, Malformed> {
    if let Some(name) = field.value().as_str() {
        return Ok(FallbackTarget::Name(name.to_owned()));
    }
    let map = field.object()?;
    let model = field.text_or_null("model")?;
    if model.is_none() {
        return Err(field.missing("model"));
    }
    let mut others = map.clone();
    // `remove` would put the last field in its place; the text is the map's identity.
    others.shift_remove("model");
    others.shift_remove("messages");
    let others = others.into();
    let (params, _) = read(&Field::root(&others)).map_err(|error| error.below(&field.path()))?;
    Ok(FallbackTarget::Map { model, text: field.value().to_string(), params })
}

fn tags(field: &Field<'_>) -> Result<Vec<String>, Malformed> {
    match field.get("tags") {
        None => Ok(Vec::new()),
        Some(list) => list.items()?.map(|tag| Ok(tag.text()?.to_owned())).collect(),
    }
}

fn integer(field: &Field<'_>) -> Result<i64, Malformed> {
    field.value().as_i64().ok_or_else(|| field.wrong(format!("{} where a whole number is expected", field.shown())))
}
