//! The further fields of a request, as far as routing reads them.

use router_core::{FallbackTarget, RequestParams};

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

/// Reads `params`.
///
/// # Errors
/// A field that is not known, for it may matter; a value of the wrong type.
pub(super) fn read(field: &Field<'_>) -> Result<RequestParams, Malformed> {
    let mut params = RequestParams::default();
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
            "fallbacks" => params.fallbacks = Some(targets(&value)?),
            "metadata" => params.tags = tags(&value)?,
            "allowed_model_region" => params.region = Some(value.text()?.to_owned()),
            name if NOT_FOR_ROUTING.contains(&name) => {}
            _ => return Err(value.wrong("unknown parameter of a request; it may matter to routing".to_owned())),
        }
    }
    Ok(params)
}

/// Every name that a request's own fallbacks lead to.
pub(super) fn fallback_names(params: &RequestParams) -> impl Iterator<Item = &str> {
    params.fallbacks.iter().flatten().filter_map(|target| match target {
        FallbackTarget::Name(name) => Some(name.as_str()),
        FallbackTarget::Map { model, .. } => model.as_deref(),
    })
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
    let params = read(&Field::root(&others)).map_err(|error| error.below(&field.path()))?;
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
