//! The world of a drill, had something else been written in the config.

use std::sync::Arc;

use routedrill_sim::drill::{Drill, Edit, World};
use routedrill_sim::litellm::{self, Options};
use routedrill_sim::source::Source;
use router_core::Plan;

/// The world with the config as edited, under the same load. `None` where LiteLLM would not start with it, or the edit
/// leads nowhere.
pub(super) fn world(drill: &Drill, source: &Source, options: &Options, edit: &Edit) -> Option<World> {
    let World { plan, asked, .. } = &drill.world;
    let names = asked.iter().map(|id| plan.name(*id).to_owned());
    let options = Options { asked_names: names.clone().collect(), ..options.clone() };
    let mut fits = true;
    let loaded = litellm::read_changed(source, &options, |config| fits = edit.apply(config)).ok()?;
    if !fits || loaded.refuses_to_start() {
        return None;
    }
    let plan = Plan::new(&loaded.config).ok()?;
    let asked = names.map(|name| plan.name_id(&name)).collect::<Option<Vec<_>>>()?;
    Some(World {
        config: loaded.config,
        plan: Arc::new(plan),
        inventory: Arc::new(loaded.inventory),
        asked,
        ..drill.world.clone()
    })
}
