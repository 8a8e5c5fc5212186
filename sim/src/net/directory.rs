//! What both ends of the wire know: the names behind the numbers that messages carry.

use std::collections::BTreeMap;
use std::sync::Arc;

use router_core::{DeploymentId, NameId, TagId};

use super::labels::WireError;
use crate::actor::TextId;
use crate::cast::Cast;
use crate::faults::Texts;
use crate::provider::{Dialect, ErrorAnswer};
use crate::scenario::Scenario;

/// The names of one run.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    models: Names,
    tags: Names,
    regions: Names,
    deployments: Vec<Deployment>,
    texts: Arc<Texts>,
    /// Status and body of each text, and which one it is.
    bodies: BTreeMap<(u16, String), TextId>,
    start_unix_nanos: u64,
}

/// What stands behind a deployment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Deployment {
    /// Its id in LiteLLM.
    pub(crate) id: String,
    /// The model's name at the provider.
    pub(crate) upstream_model: String,
    /// How the provider speaks.
    pub(crate) dialect: Dialect,
}

impl Directory {
    /// The names of a scenario and its cast.
    pub(crate) fn new(scenario: &Scenario, cast: &Cast) -> Self {
        let plan = &scenario.plan;
        let deployments = scenario.upstreams.iter().enumerate().map(|(index, upstream)| {
            let place = scenario.inventory.places.get(index);
            Deployment {
                id: plan.deployment(DeploymentId(index as u32)).id.clone(),
                upstream_model: place.map(|place| place.upstream_model.clone()).unwrap_or_default(),
                dialect: upstream.dialect,
            }
        });
        let texts = cast.texts.clone();
        let bodies = texts.iter().map(|(id, answer)| ((answer.status, answer.body()), id)).collect();
        Self {
            models: Names::new((0..plan.name_count() as u32).map(|id| plan.name(NameId(id)))),
            tags: Names::new(plan.tags()),
            regions: Names::new(plan.regions()),
            deployments: deployments.collect(),
            texts,
            bodies,
            start_unix_nanos: plan.start_unix_nanos(),
        }
    }

    pub(crate) fn model(&self, id: NameId) -> &str {
        self.models.text(id.0)
    }

    pub(crate) fn model_id(&self, name: &str) -> Result<NameId, WireError> {
        self.models.number("model", name).map(NameId)
    }

    pub(crate) fn tag(&self, id: TagId) -> &str {
        self.tags.text(id.0)
    }

    pub(crate) fn tag_id(&self, name: &str) -> Result<TagId, WireError> {
        self.tags.number("tag", name).map(TagId)
    }

    pub(crate) fn region(&self, id: u32) -> &str {
        self.regions.text(id)
    }

    pub(crate) fn region_id(&self, name: &str) -> Result<u32, WireError> {
        self.regions.number("region", name)
    }

    pub(crate) fn deployment(&self, id: DeploymentId) -> Result<&Deployment, WireError> {
        let unknown = || WireError::UnknownName { what: "deployment", name: id.0.to_string() };
        self.deployments.get(id.index()).ok_or_else(unknown)
    }

    pub(crate) fn text(&self, id: TextId) -> Result<&ErrorAnswer, WireError> {
        self.texts.get(id).ok_or_else(|| WireError::UnknownName { what: "text", name: id.0.to_string() })
    }

    /// Which text a body is.
    pub(crate) fn text_id(&self, status: u16, body: &str) -> Result<TextId, WireError> {
        let unknown = || WireError::UnknownName { what: "error body", name: format!("{status} {body}") };
        self.bodies.get(&(status, body.to_owned())).copied().ok_or_else(unknown)
    }

    /// Unix time, in nanoseconds, of the start of the run.
    pub(crate) fn start_unix_nanos(&self) -> u64 {
        self.start_unix_nanos
    }
}

/// Names by their numbers, and back.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Names {
    texts: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Names {
    fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let texts: Vec<String> = names.map(str::to_owned).collect();
        let numbers = texts.iter().cloned().zip(0..).collect();
        Self { texts, numbers }
    }

    fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }

    fn number(&self, what: &'static str, name: &str) -> Result<u32, WireError> {
        self.numbers.get(name).copied().ok_or_else(|| WireError::UnknownName { what, name: name.to_owned() })
    }
}
