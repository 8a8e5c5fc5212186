//! A cooldown begins when it must, for as long as it must, and never else.

use router_core::Span;

use super::cooldowns::Due;
use super::law::About;

pub(super) const ABOUT: About = About {
    name: "cooldown-earned",
    says: "a cooldown begins when it must, for as long as it must, and never else",
    source: "_should_cooldown_deployment, _set_cooldown_deployments",
};

/// Lengths are whole nanoseconds.
const NANOSECOND: f64 = 1e-9;

/// What is said about a failure, against what it must lead to; `None`: nothing that failed is known. `jitter`: by which
/// share of its length a cooldown may be longer, where that is supposed.
pub(super) fn of_news(due: Option<Due>, cooled: Option<Span>, jitter: Option<f64>) -> Option<String> {
    let fits = match due {
        Some(Due::Cools(length)) => match jitter {
            None => cooled == Some(length),
            Some(jitter) => {
                let longest = length.as_secs_f64() * (1.0 + jitter) + NANOSECOND;
                cooled.is_some_and(|cooled| length <= cooled && cooled.as_secs_f64() <= longest)
            }
        },
        Some(Due::Stays) | None => cooled.is_none(),
    };
    (!fits).then(|| {
        let told = told(cooled);
        match due {
            Some(Due::Cools(length)) => format!("{told}, where one of {length} is due"),
            Some(Due::Stays) | None => format!("{told}, where none is due"),
        }
    })
}

/// A cooldown for a failed probe, where none failed.
pub(super) fn of_probe() -> &'static str {
    "rests because a probe failed, and none did"
}

/// Nothing is said about a failure, although it must lead to a cooldown of that length.
pub(super) fn of_silence(length: Span) -> String {
    format!("must rest for {length}, and does not")
}

/// A cooldown in words.
pub(super) fn told(cooled: Option<Span>) -> String {
    cooled.map_or_else(|| "no cooldown".to_owned(), |length| format!("a cooldown of {length}"))
}
