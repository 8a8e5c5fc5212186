//! Laws that the router must keep whatever its configuration is, each decided again from what can be seen from outside:
//! what clients asked, what upstreams answered, when calls were made. They watch steps, in any driver, and are cheap
//! enough to be always on. Each has a file with its name, what it demands, where it comes from, and what it judges.
//!
//! A broken law is a bug in the router under test. What a *configuration* promises its users, and may break, is another
//! thing: see [`Expect`](crate::scenario::Expect). And what a LiteLLM *release* does wrong, which the model does as
//! well, is a third: see [`Defect`].
//!
//! Where a plan supposes policies that LiteLLM does not have ([`WhatIf`](router_core::WhatIf)), the laws that these change
//! judge by them, and all others stay as they are: none is off. Only picks by latency, cost and usage are not judged where
//! requests are hedged.
//!
//! Not judged, because it cannot be told from outside: retries and timeouts after a fallback map changed them, limits
//! per day, and everything about retries and cooldowns of streams.

mod attempts;
mod attempts_bounded;
mod blame;
mod client_retries;
mod cooldown_earned;
mod cooldown_ends;
mod cooldown_held;
mod cooldowns;
mod counters_at_rest;
mod defects;
mod fallback_depth;
mod fallback_order;
mod filters;
mod hung_up;
mod law;
mod layers;
mod learned;
mod ledger;
mod mapped;
mod max_parallel;
mod names;
mod not_retried;
mod nothing_forgotten;
mod one_answer;
mod picked_from_group;
mod primary_error;
mod quota_admitted;
mod reports;
mod retries;
mod retry_wait;
mod spend_adds_up;
mod strategy_kept;
#[cfg(test)]
mod tests;
mod timeout_exact;
mod watch;

pub use defects::{Defect, Defects, Sighting};
pub use law::{Breach, Breaches, Law};
pub use watch::Laws;
