//! A resting deployment is not called, and one that does not rest is not passed over.

use super::law::About;

pub(super) const ABOUT: About = About {
    name: "cooldown-held",
    says: "a resting deployment is not called, one that does not rest is not passed over",
    source: "_async_get_cooldown_deployments, CooldownCache",
};

/// Whoever is picked does not rest, unless the name that is called is its own id.
pub(super) fn of_pick(by_id: bool, rests: bool) -> Option<&'static str> {
    (!by_id && rests).then_some("picked while it rests")
}

/// A pick from so many, where so many should have been there.
pub(super) fn of_eligible(eligible: u32, counted: u32) -> Option<String> {
    (eligible != counted).then(|| format!("picked from {eligible}, where {counted} were eligible"))
}

/// Nobody was there to be picked, where so many should have been there.
pub(super) fn of_nobody(counted: u32) -> Option<String> {
    (counted > 0).then(|| format!("nobody was found, where {counted} were eligible"))
}
