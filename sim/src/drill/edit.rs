//! Edits of a config that might remove a cause, the smallest first. Nothing here says that one helps: a drill does
//! ([`prove`](super::prove)).

use router_core::{DeploymentId, NameId, NotCooledReason, Plan, Setting, Source, Span};
use serde_json::{Value as Json, json};

use super::cause::{Cause, CauseKind};
use super::fit::{fit, retries_of};
use super::stand_in::{elsewhere, stand_ins};
use super::world::World;
use crate::litellm::{Node, Value, edited, with_item};
use crate::scenario::step;
use crate::source::Source as SourceText;

/// Changes of one config that belong together.
#[derive(Clone, PartialEq, Debug)]
pub struct Edit {
    /// The changes, in the order in which they are made.
    pub changes: Vec<Change>,
}

/// One change of a config.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// The keys, and positions in lists from 0, that lead to what changes: `router_settings`, `timeout`.
    pub place: Vec<String>,
    /// What happens there.
    pub put: Put,
}

/// What happens at a place.
#[derive(Clone, PartialEq, Debug)]
pub enum Put {
    /// It becomes this, whatever was there.
    Set(Json),
    /// The list that is there gets this at its end; a list is begun where none is.
    Append(Json),
}

impl Edit {
    /// Makes the changes. `false` when one of them leads nowhere: then the config is as if half of them were made.
    pub fn apply(&self, config: &mut Node) -> bool {
        self.changes.iter().all(|change| change.apply(config))
    }

    /// The text of the config with the changes made, everything else in it left as it is. `None`: it is written in a way
    /// in which that cannot be done.
    pub fn text(&self, config: &SourceText) -> Option<String> {
        let mut text = config.text().to_owned();
        for change in &self.changes {
            let source = SourceText::new(config.name(), text);
            text = match &change.put {
                Put::Set(value) => edited(&source, &[(change.place.clone(), Node::from_json(value).value)])?,
                Put::Append(value) => with_item(&source, &change.place, &Node::from_json(value).value)?,
            };
        }
        Some(text)
    }

    fn one(change: Change) -> Self {
        Self { changes: vec![change] }
    }

    fn and(&self, more: &[Change]) -> Self {
        Self { changes: self.changes.iter().chain(more).cloned().collect() }
    }
}

impl Change {
    fn set(place: &[&str], value: Json) -> Self {
        Self { place: place.iter().map(|&key| key.to_owned()).collect(), put: Put::Set(value) }
    }

    fn apply(&self, config: &mut Node) -> bool {
        let mut place = config;
        for key in &self.place {
            let Ok(next) = step(place, key) else { return false };
            place = next;
        }
        match (&self.put, &mut place.value) {
            (Put::Set(value), _) => *place = Node::from_json(value),
            (Put::Append(value), Value::Sequence(items)) => items.push(Node::from_json(value)),
            (Put::Append(value), Value::Null) => place.value = Value::Sequence(vec![Node::from_json(value)]),
            (Put::Append(_), _) => return false,
        }
        true
    }
}

/// Edits that might remove a cause, the smallest first; `struck` failed, and 99 % of the answers take at most
/// `usual_p99` when nothing fails.
///
/// Empty where nothing in a config could help, or what would help cannot be known from the config alone (a true quota, a
/// name that clients should have asked for).
pub(super) fn edits(
    config: &Node,
    world: &World,
    cause: &Cause,
    struck: &[DeploymentId],
    usual_p99: Option<Span>,
) -> Vec<Edit> {
    /// So many retries nearly always meet the deployment that is well.
    const SIBLING_RETRIES: i64 = 3;
    let blocks = Blocks { config, world, plan: &world.plan, asked: cause.asked, struck, usual_p99 };
    let each = |changes: Vec<Change>| changes.into_iter().map(Edit::one).collect::<Vec<_>>();
    // A change that only makes sense with another goes after it.
    let with = |edits: &[Edit], more: &[Vec<Change>]| -> Vec<Edit> {
        more.iter().filter(|more| !more.is_empty()).flat_map(|more| edits.iter().map(|edit| edit.and(more))).collect()
    };
    let retries = |count| blocks.retries(count);
    match cause.kind {
        CauseKind::UnknownName => Vec::new(),
        CauseKind::TimeoutAfterDeadline { timeout } | CauseKind::ChainTooLong { timeout, .. } => {
            let timeouts = blocks.timeouts(timeout);
            let mut found = timeouts.clone();
            found.extend(blocks.fit(timeout, matches!(cause.kind, CauseKind::ChainTooLong { .. })));
            let lowest = &timeouts[timeouts.len().saturating_sub(1)..];
            let cooling = [retries(0), blocks.allowed_fails(), [retries(0), blocks.allowed_fails()].concat()];
            found.extend(with(lowest, &cooling));
            let lowest: Vec<Vec<Change>> = lowest.iter().map(|edit| edit.changes.clone()).collect();
            let with_fallbacks = with(&blocks.fallbacks(), &lowest);
            found.extend(with_fallbacks.iter().cloned());
            found.extend(with(&with_fallbacks, &cooling));
            found
        }
        CauseKind::Slept { .. } => {
            let mut found = each(retries(0));
            found.extend(each(blocks.allowed_fails()));
            let fallbacks = blocks.fallbacks();
            found.extend(fallbacks.iter().cloned());
            found.extend(with(&fallbacks, &[retries(0), blocks.allowed_fails()]));
            found
        }
        CauseKind::SiblingMissed { .. } => {
            let mut found = each(blocks.allowed_fails());
            let few = retries_of(world, cause.asked).value < SIBLING_RETRIES;
            found.extend(each(if few { retries(SIBLING_RETRIES) } else { Vec::new() }));
            found.extend(blocks.fallbacks());
            found
        }
        CauseKind::FallbackUndefined { to } => {
            let mut found: Vec<Edit> = blocks.elsewhere(world.plan.name(to)).map(Edit::one).into_iter().collect();
            found.extend(blocks.fallbacks());
            found
        }
        CauseKind::NoFallback { .. }
        | CauseKind::FallbackStruckToo { .. }
        | CauseKind::FallbackFailed { .. }
        | CauseKind::FallbackEnded { .. }
        | CauseKind::PassedOver { .. }
        | CauseKind::Error { .. } => {
            let fallbacks = blocks.fallbacks();
            let mut found = fallbacks.clone();
            found.extend(with(&fallbacks, &[retries(0), blocks.allowed_fails()]));
            found
        }
        CauseKind::NeverCooled { because, .. } => match because {
            NotCooledReason::Alone | NotCooledReason::BelowThreshold => each(blocks.allowed_fails()),
            NotCooledReason::Disabled => {
                vec![Edit::one(Change::set(&["router_settings", "disable_cooldowns"], json!(false)))]
            }
            NotCooledReason::ZeroTime => blocks.cooldown_time(),
            NotCooledReason::AlreadyCounted
            | NotCooledReason::Ineligible
            | NotCooledReason::Wildcard
            | NotCooledReason::CallerTimeout => Vec::new(),
        },
        CauseKind::LongTimeout { timeout } => {
            let mut found = blocks.timeouts(timeout);
            found.extend(each(blocks.allowed_fails()));
            found
        }
        CauseKind::Sleeps { .. } => {
            let mut found = each(retries(0));
            found.extend(each(blocks.allowed_fails()));
            found
        }
        CauseKind::SlowUnnoticed => {
            let timeout = world.plan.members(cause.asked).first().map(|id| world.plan.deployment(*id).timeout);
            let mut found = blocks.timeouts(timeout.unwrap_or(world.plan.settings().timeout));
            if world.plan.members(cause.asked).len() > 1 {
                let place = ["router_settings", "routing_strategy"];
                found.push(Edit::one(Change::set(&place, json!("latency-based-routing"))));
            }
            found
        }
    }
}

/// What edits are made of, for the users of one name in one outage.
struct Blocks<'a> {
    config: &'a Node,
    world: &'a World,
    plan: &'a Plan,
    asked: NameId,
    struck: &'a [DeploymentId],
    usual_p99: Option<Span>,
}

impl Blocks<'_> {
    /// The timeout where it is set today: between the highest that leaves somebody else the time to answer and the
    /// lowest that leaves normal answers alone, then these two.
    fn timeouts(&self, today: Setting<Span>) -> Vec<Edit> {
        /// Normal answers keep this much room above their p99.
        const ROOM: f64 = 1.25;
        let Some(usual) = self.usual_p99.map(Span::as_secs_f64) else { return Vec::new() };
        let lowest = (usual * ROOM).ceil();
        let highest = (self.world.deadline.as_secs_f64() - usual).floor();
        let mut values = vec![(2.0 * usual).ceil().max(lowest), highest, lowest];
        values.dedup();
        let useful = |secs: &f64| *secs >= lowest && *secs <= highest;
        (values.into_iter().filter(useful)).filter_map(|secs| self.timeout(today, secs as u64)).collect()
    }

    /// A lower timeout, where it is set today.
    fn timeout(&self, today: Setting<Span>, secs: u64) -> Option<Edit> {
        if secs as f64 >= today.value.as_secs_f64() {
            return None;
        }
        let value = json!(secs);
        let changes: Vec<Change> = match today.from {
            Source::Deployment => (self.struck.iter())
                .filter(|id| self.plan.deployment(**id).timeout.from == Source::Deployment)
                .filter_map(|id| self.of_deployment(*id, "timeout", &value))
                .collect(),
            Source::LitellmSettings => vec![Change::set(&["litellm_settings", "request_timeout"], value)],
            _ => vec![Change::set(&["router_settings", "timeout"], value)],
        };
        (!changes.is_empty()).then_some(Edit { changes })
    }

    /// A timeout, with fewer retries where today's are too many, with which all attempts leave a fallback its time.
    fn fit(&self, today: Setting<Span>, all_failed: bool) -> Option<Edit> {
        let fit = fit(self.world, self.asked, self.usual_p99?, all_failed)?;
        let retries = fit.retries.map_or_else(Vec::new, |count| self.retries(count));
        Some(self.timeout(today, fit.highest)?.and(&retries))
    }

    /// The number of retries where it is set today. Empty when it is that number already.
    fn retries(&self, count: i64) -> Vec<Change> {
        let members = self.plan.members(self.asked);
        let today = retries_of(self.world, self.asked);
        if today.value == count {
            return Vec::new();
        }
        match today.from {
            Source::Deployment => {
                members.iter().filter_map(|id| self.of_deployment(*id, "num_retries", &json!(count))).collect()
            }
            Source::LitellmSettings => vec![Change::set(&["litellm_settings", "num_retries"], json!(count))],
            _ => vec![Change::set(&["router_settings", "num_retries"], json!(count))],
        }
    }

    /// One failure a minute is forgiven, the next one cools. Empty when that is so already.
    fn allowed_fails(&self) -> Vec<Change> {
        let today = self.plan.settings().allowed_fails;
        if today.from != Source::Default && today.value <= 1 {
            return Vec::new();
        }
        let section = if today.from == Source::LitellmSettings { "litellm_settings" } else { "router_settings" };
        vec![Change::set(&[section, "allowed_fails"], json!(1))]
    }

    /// A cooldown of half a minute for what fails, where it is set to none.
    fn cooldown_time(&self) -> Vec<Edit> {
        let zero = |id: &&DeploymentId| self.plan.deployment(**id).cooldown_time.value <= 0.0;
        let changes: Vec<Change> = (self.struck.iter().filter(zero))
            .filter_map(|id| match self.plan.deployment(*id).cooldown_time.from {
                Source::Deployment => self.of_deployment(*id, "cooldown_time", &json!(30)),
                Source::LitellmSettings => Some(Change::set(&["litellm_settings", "cooldown_time"], json!(30))),
                _ => Some(Change::set(&["router_settings", "cooldown_time"], json!(30))),
            })
            .fold(Vec::new(), |mut known, change| {
                if !known.contains(&change) {
                    known.push(change);
                }
                known
            });
        if changes.is_empty() { Vec::new() } else { vec![Edit { changes }] }
    }

    /// A fallback for the name on a group of the config that did not fail and can stand in, of each such group; where
    /// there is none, on a new deployment at a provider that the config does not use yet.
    fn fallbacks(&self) -> Vec<Edit> {
        /// More are not tried: what three groups cannot carry is no matter of one more entry.
        const TRIED_MAX: usize = 3;
        let groups = stand_ins(self.world, self.asked, self.struck);
        if groups.is_empty() {
            return self.new_provider().into_iter().collect();
        }
        groups.iter().take(TRIED_MAX).filter_map(|group| self.fallback_to(group)).map(Edit::one).collect()
    }

    /// A deployment elsewhere, and a fallback to it.
    fn new_provider(&self) -> Option<Edit> {
        let name = format!("{}-backup", self.plan.name(self.asked));
        Some(Edit { changes: vec![self.elsewhere(&name)?, self.fallback_to(&name)?] })
    }

    /// A deployment of that name at a provider that the config does not use yet.
    fn elsewhere(&self, name: &str) -> Option<Change> {
        let (model, key) = elsewhere(self.world, self.asked)?;
        let entry = json!({"model_name": name, "litellm_params": {"model": model, "api_key": key}});
        Some(Change { place: vec!["model_list".to_owned()], put: Put::Append(entry) })
    }

    /// An entry in the list of fallbacks that takes effect: in the name's own, else in the one for all names, else a new
    /// one. `None` for a name that is an alias or stands for whatever a wildcard serves: fallbacks are not written for
    /// those.
    fn fallback_to(&self, group: &str) -> Option<Change> {
        const SECTIONS: [&str; 2] = ["router_settings", "litellm_settings"];
        let asked = self.plan.name(self.asked);
        let list = |section: &str, key: &str| self.config.get(section).and_then(|section| section.get(key));
        let there = |key| SECTIONS.into_iter().find(|section| list(section, key).is_some_and(|list| !list.is_null()));
        let section = there("fallbacks").unwrap_or(SECTIONS[0]);
        let place = |keys: &[&str]| [section].iter().chain(keys).map(|&key| key.to_owned()).collect::<Vec<String>>();
        let entries = list(section, "fallbacks").and_then(Node::as_sequence).unwrap_or_default();
        let entry_of = |name: &str| {
            let index =
                entries.iter().position(|entry| entry.get(name).is_some_and(|to| to.as_sequence().is_some()))?;
            Some(Change { place: place(&["fallbacks", &index.to_string(), name]), put: Put::Append(json!(group)) })
        };
        if let Some(change) = entry_of(asked).or_else(|| entry_of("*")) {
            return Some(change);
        }
        if let Some(section) = there("default_fallbacks") {
            let place = vec![section.to_owned(), "default_fallbacks".to_owned()];
            return Some(Change { place, put: Put::Append(json!(group)) });
        }
        let listed = self.world.config.model_list.iter().any(|entry| entry.model_name == asked);
        listed.then(|| Change { place: place(&["fallbacks"]), put: Put::Append(json!({ asked: [group] })) })
    }

    /// A setting of one deployment.
    fn of_deployment(&self, id: DeploymentId, key: &str, value: &Json) -> Option<Change> {
        let path = &self.world.inventory.places.get(id.index())?.path;
        let index = path.strip_prefix("model_list[")?.strip_suffix(']')?;
        Some(Change::set(&["model_list", index, "litellm_params", key], value.clone()))
    }
}
