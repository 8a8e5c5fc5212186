//! How each upstream behaves: profiles and the `upstreams:` of a scenario, laid over each other.
//!
//! Each value comes from the most specific selector that sets it: `deployment`, then `group`, `key`, `region`,
//! `provider`, `all`, and in the end the profile of the deployment's provider. Within one entry a key beats the entry's
//! profile. The order of the file never matters.

use router_core::{Config, DeploymentId};

use super::file;
use super::meant::{Quantiles, Quota, QuotaUnit, QuotaWindow, Upstream};
use super::profiles::{ORIGIN, PROFILES, Profile, QuotaScope};
use super::quantity::{Complaint, Count};
use super::reading::Reading;
use super::select::By;
use super::word::{ScopeWord, Unlimited, Vocabulary as _};
use super::written::{Named, Written};
use crate::litellm::{Inventory, Place};
use crate::problem::did_you_mean;
use crate::provider::Dialect;

/// What reports call numbers that a scenario gives.
const FROM_SCENARIO: &str = "the scenario";

/// How upstreams behave when no scenario says anything about them: by the profiles of their providers, with the
/// config's own prices and without any limit.
pub fn default_upstreams(config: &Config, inventory: &Inventory) -> Vec<Upstream> {
    let effective = (0..config.model_list.len()).map(|index| Effective::new(inventory, index));
    effective.map(Effective::upstream).collect()
}

/// Upstreams and the limits that they enforce, as the scenario says.
pub(super) fn resolve(
    entries: &Named<file::Upstream>,
    reading: &mut Reading<'_>,
    config: &Config,
    inventory: &Inventory,
) -> (Vec<Upstream>, Vec<Quota>) {
    let mut layers: Vec<Layer> = Vec::new();
    for (key, entry) in &entries.0 {
        let Some(selector) = reading.selector(*key) else { continue };
        let Some(selected) = reading.selected(&selector, *key, config, inventory) else { continue };
        let said = Said::read(entry, reading);
        layers.push(Layer { by: selector.by, selected, said });
    }
    layers.sort_by_key(|layer| layer.by);
    let mut effective: Vec<_> = (0..config.model_list.len()).map(|index| Effective::new(inventory, index)).collect();
    for (number, layer) in layers.iter().enumerate() {
        for id in &layer.selected {
            effective[id.index()].lay(&layer.said, number);
        }
    }
    let quotas = quotas(&effective, config, inventory);
    (effective.into_iter().map(Effective::upstream).collect(), quotas)
}

/// One entry of `upstreams:`.
struct Layer {
    by: By,
    selected: Vec<DeploymentId>,
    said: Said,
}

/// What one entry says; `None` where it is silent.
#[derive(Default)]
struct Said {
    profile: Option<&'static Profile>,
    rpm: Option<Option<u64>>,
    tpm: Option<Option<u64>>,
    window: Option<QuotaWindow>,
    scope: Option<ScopeWord>,
    ttft: Option<Quantiles>,
    tpot: Option<Quantiles>,
    full_speed: Option<Option<u32>>,
    servers: Option<Option<u32>>,
    price: Option<(f64, f64)>,
    retry_after: Option<bool>,
    dialect: Option<Dialect>,
    origin: Option<String>,
}

impl Said {
    fn read(entry: &file::Upstream, reading: &mut Reading<'_>) -> Self {
        let limit =
            |unlimited: Option<Unlimited<Count>>| unlimited.map(|Unlimited(count)| count.map(|Count(count)| count));
        let price = entry.price.as_ref().and_then(|prices| {
            let (input, output) = (reading.value(&prices.input), reading.value(&prices.output));
            Some((input?.0, output?.0))
        });
        let full_speed = places(&entry.full_speed, reading);
        let servers = places(&entry.servers, reading);
        Self {
            profile: entry.profile.as_ref().and_then(|written| {
                let name = reading.value(written)?.0;
                let profile = Profile::by_name(&name);
                if profile.is_none() {
                    reading.complain(written.node(), unknown_profile(&name));
                }
                profile
            }),
            rpm: limit(reading.optional(&entry.rpm)),
            tpm: limit(reading.optional(&entry.tpm)),
            window: reading.optional(&entry.window).map(|window| window.0),
            scope: reading.optional(&entry.scope),
            ttft: entry.ttft.as_ref().and_then(|spread| reading.spread(spread, |seconds| seconds.0)),
            tpot: entry.tpot.as_ref().and_then(|spread| reading.spread(spread, |seconds| seconds.0)),
            full_speed,
            servers,
            price,
            retry_after: reading.optional(&entry.retry_after),
            dialect: reading.optional(&entry.dialect),
            origin: reading.optional(&entry.origin).map(|text| text.0),
        }
    }
}

/// How many calls at once: at least one, or `Some(None)` for any number.
fn places(written: &Option<Written<Unlimited<Count>>>, reading: &mut Reading<'_>) -> Option<Option<u32>> {
    let written = written.as_ref()?;
    let Unlimited(count) = reading.value(written)?;
    let Some(Count(count)) = count else { return Some(None) };
    if count == 0 {
        reading.complain(
            written.node(),
            Complaint::new("an upstream carries at least one call").help("write `unlimited`, or a number above 0"),
        );
        return None;
    }
    Some(Some(u32::try_from(count).unwrap_or(u32::MAX)))
}

fn unknown_profile(name: &str) -> Complaint {
    let known = PROFILES.iter().map(|profile| profile.name);
    let help = match did_you_mean(name, known.clone()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
    };
    Complaint::new(format!("`{name}` is not a profile")).help(help)
}

/// What holds for one deployment.
struct Effective {
    /// The limit and the layer that set it: only what one layer sets is shared.
    rpm: Option<(u64, usize)>,
    tpm: Option<(u64, usize)>,
    requests: QuotaWindow,
    tokens: QuotaWindow,
    scope: ScopeWord,
    upstream: Upstream,
}

impl Effective {
    fn new(inventory: &Inventory, index: usize) -> Self {
        let place = inventory.places.get(index);
        let provider = place.map_or("", |place| place.provider.as_str());
        let profile = Profile::of_provider(provider);
        let price = place.and_then(|place| place.list_price).unwrap_or((0.0, 0.0));
        Self {
            rpm: None,
            tpm: None,
            requests: profile.requests,
            tokens: profile.tokens,
            scope: scope_of(profile),
            upstream: Upstream {
                ttft: profile.ttft.quantiles(),
                tpot: profile.tpot.quantiles(),
                full_speed: None,
                servers: None,
                price,
                dialect: profile.dialect,
                retry_after: profile.retry_after,
                origin: ORIGIN.to_owned(),
            },
        }
    }

    fn lay(&mut self, said: &Said, number: usize) {
        let upstream = &mut self.upstream;
        if let Some(profile) = said.profile {
            self.requests = profile.requests;
            self.tokens = profile.tokens;
            self.scope = scope_of(profile);
            upstream.ttft = profile.ttft.quantiles();
            upstream.tpot = profile.tpot.quantiles();
            upstream.dialect = profile.dialect;
            upstream.retry_after = profile.retry_after;
            upstream.origin = ORIGIN.to_owned();
        }
        if let Some(window) = said.window {
            self.requests = window;
            self.tokens = window;
        }
        if let Some(ttft) = &said.ttft {
            upstream.ttft = ttft.clone();
        }
        if let Some(tpot) = &said.tpot {
            upstream.tpot = tpot.clone();
        }
        if said.ttft.is_some() || said.tpot.is_some() {
            upstream.origin = FROM_SCENARIO.to_owned();
        }
        self.rpm = said.rpm.map_or(self.rpm, |limit| limit.map(|limit| (limit, number)));
        self.tpm = said.tpm.map_or(self.tpm, |limit| limit.map(|limit| (limit, number)));
        self.scope = said.scope.unwrap_or(self.scope);
        upstream.servers = said.servers.unwrap_or(upstream.servers);
        upstream.full_speed = said.full_speed.unwrap_or(upstream.full_speed);
        upstream.price = said.price.unwrap_or(upstream.price);
        upstream.retry_after = said.retry_after.unwrap_or(upstream.retry_after);
        upstream.dialect = said.dialect.unwrap_or(upstream.dialect);
        if let Some(origin) = &said.origin {
            upstream.origin.clone_from(origin);
        }
    }

    fn upstream(self) -> Upstream {
        self.upstream
    }
}

const fn scope_of(profile: &Profile) -> ScopeWord {
    match profile.scope {
        QuotaScope::Deployment => ScopeWord::Deployment,
        QuotaScope::Key => ScopeWord::Key,
    }
}

/// The limits per minute, each once for all who share it.
fn quotas(effective: &[Effective], config: &Config, inventory: &Inventory) -> Vec<Quota> {
    let mut quotas: Vec<Quota> = Vec::new();
    for unit in [QuotaUnit::Requests, QuotaUnit::Tokens] {
        let mut shared: Vec<(Share, usize)> = Vec::new();
        for (index, one) in effective.iter().enumerate() {
            let (limit, window) = match unit {
                QuotaUnit::Requests => (one.rpm, one.requests),
                QuotaUnit::Tokens => (one.tpm, one.tokens),
            };
            let Some((per_minute, layer)) = limit else { continue };
            let share =
                Share { layer, window, by: one.scope, name: name_in_scope(one.scope, config, inventory, index) };
            let id = DeploymentId(index as u32);
            match shared.iter().find(|(known, _)| *known == share) {
                Some((_, quota)) => quotas[*quota].scope.push(id),
                None => {
                    shared.push((share, quotas.len()));
                    quotas.push(Quota { scope: vec![id], unit, limit: window.limit_of(per_minute), window });
                }
            }
        }
    }
    quotas
}

/// Who shares a limit: those for whom all of this is the same.
#[derive(PartialEq)]
struct Share {
    layer: usize,
    window: QuotaWindow,
    by: ScopeWord,
    name: Vec<String>,
}

fn name_in_scope(scope: ScopeWord, config: &Config, inventory: &Inventory, index: usize) -> Vec<String> {
    let nowhere = Place::default();
    let place = inventory.places.get(index).unwrap_or(&nowhere);
    // A deployment whose key or region the config does not show shares with nobody.
    let alone = || vec![scope.word().to_owned(), index.to_string()];
    match scope {
        ScopeWord::Deployment => vec![index.to_string()],
        ScopeWord::Key => place.key.as_ref().map_or_else(alone, |key| vec![key.clone(), place.upstream_model.clone()]),
        ScopeWord::Region => {
            place.region.as_ref().map_or_else(alone, |region| vec![place.provider.clone(), region.clone()])
        }
        ScopeWord::Provider => vec![place.provider.clone()],
        ScopeWord::Group => vec![config.model_list[index].model_name.clone()],
        ScopeWord::Selected => Vec::new(),
    }
}
