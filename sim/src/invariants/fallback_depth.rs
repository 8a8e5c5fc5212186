//! No deeper than `max_fallbacks`.

use super::law::About;

pub(super) const ABOUT: About = About {
    name: "fallback-depth",
    says: "no more fallbacks inside fallbacks than max_fallbacks",
    source: "run_async_fallback; the loops that max_fallbacks was made against",
};

/// A step to a fallback from a layer that is so deep inside others.
pub(super) fn of_step(depth: i64, most: i64) -> Option<String> {
    (depth >= most).then(|| format!("falls back from a fallback at depth {depth}, where {most} is the limit"))
}
