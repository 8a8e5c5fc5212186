//! A cooldown ends when it must.

use router_core::Time;

use super::law::About;

pub(super) const ABOUT: About = About {
    name: "cooldown-ends",
    says: "a cooldown ends when its length is over, neither sooner nor later",
    source: "CooldownCache, _corrected_active_cooldown",
};

/// When the router says that a deployment is there again, against when it must be.
pub(super) fn of_cooldown(told: Time, due: Option<Time>) -> Option<String> {
    (Some(told) != due).then(|| {
        let due = due.map_or_else(|| "is over at once".to_owned(), |due| format!("ends at {due}"));
        format!("a cooldown until {told}, where it {due}")
    })
}
