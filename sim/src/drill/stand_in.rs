//! Who else could answer what a name is asked: the groups of a config that are of the same kind and hold as much, and
//! providers that it does not use yet.

use router_core::{DeploymentId, FallbackList, NameId};

use super::world::World;
use crate::litellm::{Place, Serves, context_window};

/// A provider, one of its models and the usual name of its key.
const ELSEWHERE: [(&str, &str, &str); 3] = [
    ("anthropic", "anthropic/claude-sonnet-4-5", "os.environ/ANTHROPIC_API_KEY"),
    ("openai", "openai/gpt-4o", "os.environ/OPENAI_API_KEY"),
    ("gemini", "gemini/gemini-2.5-pro", "os.environ/GEMINI_API_KEY"),
];

/// What callers of a name want. A name that only a wildcard answers to tells it by itself.
pub fn serves(world: &World, asked: NameId) -> Serves {
    let members = world.plan.members(asked);
    match members.first().and_then(|id| world.inventory.places.get(id.index())) {
        Some(place) if place.serves != Serves::Anything => place.serves,
        _ => Serves::of_name(world.plan.name(asked)),
    }
}

/// Names of the config that could answer in place of another while some deployments are down, and that are not asked
/// already: of the same kind, with no smaller context window, and with nothing among them that has failed. A wildcard
/// goes by a model that it serves.
pub fn stand_ins(world: &World, asked: NameId, struck: &[DeploymentId]) -> Vec<String> {
    let (plan, wanted) = (&*world.plan, serves(world, asked));
    let chain = plan.fallback_chain(asked, FallbackList::Fallbacks);
    let mut found: Vec<String> = Vec::new();
    for entry in &world.config.model_list {
        let Some(id) = plan.name_id(&entry.model_name) else { continue };
        let members = plan.members(id);
        let apart = id != asked && !members.is_empty() && !members.iter().any(|member| struck.contains(member));
        let Some(name) = concrete(world, &entry.model_name, &members).filter(|_| apart) else { continue };
        let in_chain = chain.iter().any(|target| target.model.is_some_and(|model| plan.name(model) == name));
        if in_chain || found.contains(&name) || !serves_of(world, &members).fits(wanted) {
            continue;
        }
        let holds = match window(world, &members) {
            None => context_window(&name, plan.release()),
            known => known,
        };
        if !smaller(holds, window(world, &plan.members(asked)))
            && (wanted != Serves::Embedding || same_model(world, asked, &members))
        {
            found.push(name);
        }
    }
    found
}

/// A model at a provider that the config does not use yet, and the usual name of its key, for a name that asks for text:
/// what other kinds of models give is not the same elsewhere.
pub(super) fn elsewhere(world: &World, asked: NameId) -> Option<(&'static str, &'static str)> {
    if serves(world, asked) != Serves::Chat {
        return None;
    }
    let used = |provider: &str| world.inventory.places.iter().any(|place| place.provider == provider);
    let held = window(world, &world.plan.members(asked));
    let fits = |model: &str| !smaller(context_window(model, world.plan.release()), held);
    let (_, model, key) = ELSEWHERE.iter().find(|(provider, model, _)| !used(provider) && fits(model))?;
    Some((model, key))
}

/// What to write where a name is wanted: of a wildcard `anthropic/*` a model of that provider, where one is known.
fn concrete(world: &World, name: &str, members: &[DeploymentId]) -> Option<String> {
    if !name.contains('*') {
        return Some(name.to_owned());
    }
    let passes_on = members.iter().all(|id| world.plan.deployment(*id).model == name);
    let of_provider = |(provider, ..): &&(&str, &str, &str)| name.strip_suffix("/*") == Some(*provider);
    ELSEWHERE.iter().find(of_provider).filter(|_| passes_on).map(|(_, model, _)| (*model).to_owned())
}

fn places<'a>(world: &'a World, members: &'a [DeploymentId]) -> impl Iterator<Item = &'a Place> {
    members.iter().filter_map(|id| world.inventory.places.get(id.index()))
}

fn serves_of(world: &World, members: &[DeploymentId]) -> Serves {
    places(world, members).next().map_or(Serves::Chat, |place| place.serves)
}

/// The tokens that all of them hold, as far as known.
fn window(world: &World, members: &[DeploymentId]) -> Option<u64> {
    members.iter().filter_map(|id| world.plan.deployment(*id).max_input_tokens).min()
}

fn smaller(window: Option<u64>, than: Option<u64>) -> bool {
    window.zip(than).is_some_and(|(window, than)| window < than)
}

/// Whether they are one model, whatever it is called at their providers: no other gives the same vectors.
fn same_model(world: &World, asked: NameId, members: &[DeploymentId]) -> bool {
    let model = |place: &Place| place.base_model.rsplit('/').next().unwrap_or_default().to_owned();
    let theirs: Vec<String> = places(world, members).map(model).collect();
    let own = world.plan.members(asked);
    places(world, &own).all(|place| theirs.iter().all(|their| *their == model(place)))
}
