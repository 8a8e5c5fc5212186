//! Where in a configuration the settings stand that are to blame.

use routedrill_sim::drill::{Cause, CauseKind, World};
use routedrill_sim::litellm::{Node, Value};
use routedrill_sim::source::Source as SourceText;
use router_core::{DeploymentId, Setting, Source};
use schemars::JsonSchema;
use serde::Serialize;

use crate::remedy;

/// A place in a configuration.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema, Serialize)]
pub struct ConfigLine {
    /// The keys that lead to it, and positions in lists from 0: `router_settings.timeout`, `model_list[2]`.
    pub path: String,
    /// The line, from 1; `null` when it is not written there.
    pub line: Option<u32>,
}

/// A configuration as it was written.
#[derive(Clone, Copy, Debug)]
pub struct ConfigText<'a> {
    /// What it says.
    pub root: &'a Node,
    /// Its text.
    pub source: &'a SourceText,
}

impl ConfigText<'_> {
    /// The line of a place: that of its key, or of the item of a list.
    pub(super) fn line(&self, place: &[&str]) -> Option<u32> {
        let (last, before) = place.split_last()?;
        let parent = self.node(before)?;
        let span = match &parent.value {
            Value::Mapping(map) => map.entry(last)?.0.span.clone(),
            Value::Sequence(items) => items.get(last.parse::<usize>().ok()?)?.span.clone(),
            _ => return None,
        };
        (!span.is_empty()).then(|| self.source.line(span.start))
    }

    /// What stands at a place, where it is a single value.
    pub(super) fn value(&self, place: &[&str]) -> Option<String> {
        match &self.node(place)?.value {
            Value::Bool(value) => Some(value.to_string()),
            Value::Int(value) => Some(value.to_string()),
            Value::Float(value) => Some(value.to_string()),
            Value::Text(value) => Some(value.clone()),
            _ => None,
        }
    }

    pub(super) fn node(&self, place: &[&str]) -> Option<&Node> {
        place.iter().try_fold(self.root, |node, key| match &node.value {
            Value::Sequence(items) => items.get(key.parse::<usize>().ok()?),
            _ => node.get(key),
        })
    }

    fn config_line(&self, place: &[&str]) -> ConfigLine {
        ConfigLine { path: written(place), line: self.line(place) }
    }
}

/// Keys with dots between them, positions in brackets.
pub(super) fn written(place: &[&str]) -> String {
    place.iter().fold(String::new(), |mut path, key| {
        if key.bytes().all(|byte| byte.is_ascii_digit()) && !path.is_empty() {
            path.push_str(&format!("[{key}]"));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(key);
        }
        path
    })
}

/// The places of the settings behind a cause; `struck` had failed.
pub(super) fn lines(text: &ConfigText<'_>, world: &World, cause: &Cause, struck: &[DeploymentId]) -> Vec<ConfigLine> {
    let plan = &*world.plan;
    let members = plan.members(cause.asked);
    let entry = |id: DeploymentId| -> Option<&str> {
        let path = &world.inventory.places.get(id.index())?.path;
        path.strip_prefix("model_list[")?.strip_suffix(']')
    };
    let entries = |ids: &[DeploymentId]| -> Vec<ConfigLine> {
        ids.iter().filter_map(|id| Some(text.config_line(&["model_list", entry(*id)?]))).collect()
    };
    // A setting in each place where it takes effect.
    let setting = |key: &'static str, from: Source, ids: &[DeploymentId]| -> Vec<ConfigLine> {
        match from {
            Source::LitellmSettings if key == "timeout" => {
                vec![text.config_line(&["litellm_settings", "request_timeout"])]
            }
            Source::LitellmSettings => vec![text.config_line(&["litellm_settings", key])],
            Source::Deployment => (ids.iter())
                .filter_map(|id| {
                    let place = ["model_list", entry(*id)?, "litellm_params", key];
                    text.line(&place).map(|_| text.config_line(&place))
                })
                .collect(),
            _ => vec![text.config_line(&["router_settings", key])],
        }
    };
    let of_span = |timeout: Setting<router_core::Span>| setting("timeout", timeout.from, struck);
    let of_retries = |retries: Setting<i64>| setting("num_retries", retries.from, &members);
    let fallbacks = || {
        // Those for all names count for a name that has none of its own.
        let key = if remedy::has_default_fallbacks(plan, cause.asked) { "default_fallbacks" } else { "fallbacks" };
        let there =
            ["router_settings", "litellm_settings"].into_iter().find(|section| text.line(&[section, key]).is_some());
        let mut found = match (there, key) {
            // Written as an entry for `*`.
            (None, "default_fallbacks") => return [text.config_line(&["router_settings", "fallbacks"])].to_vec(),
            _ => vec![text.config_line(&[there.unwrap_or("router_settings"), key])],
        };
        if there.is_none() {
            found.extend(entries(&members));
        }
        found
    };
    let cooling = |id: DeploymentId| {
        let mut found = vec![text.config_line(&["router_settings", "allowed_fails"])];
        found.extend(setting("cooldown_time", plan.deployment(id).cooldown_time.from, &[id]));
        found.extend(entries(&[id]));
        found
    };
    match cause.kind {
        CauseKind::UnknownName => vec![text.config_line(&["model_list"])],
        CauseKind::TimeoutAfterDeadline { timeout } | CauseKind::LongTimeout { timeout } => of_span(timeout),
        CauseKind::ChainTooLong { timeout, retries } => [of_span(timeout), of_retries(retries)].concat(),
        CauseKind::Slept { retries } => of_retries(retries),
        CauseKind::PassedOver { deployment, .. } => entries(&[deployment]),
        CauseKind::NoFallback { .. }
        | CauseKind::SiblingMissed { .. }
        | CauseKind::FallbackUndefined { .. }
        | CauseKind::FallbackStruckToo { .. }
        | CauseKind::FallbackFailed { .. }
        | CauseKind::FallbackEnded { .. } => fallbacks(),
        CauseKind::Error { .. } => entries(&members),
        CauseKind::NeverCooled { deployment, .. } => cooling(deployment),
        CauseKind::Sleeps { .. } => of_retries(plan.settings().num_retries),
        CauseKind::SlowUnnoticed => {
            [setting("routing_strategy", Source::RouterSettings, &[]), of_span(plan.settings().timeout)].concat()
        }
    }
}
