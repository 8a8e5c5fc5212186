//! Laws that the router must keep whatever its configuration is, each decided again from what can be seen from outside:
//! what clients asked, what upstreams answered, when calls were made. They watch steps, in any driver, and are cheap
//! enough to be always on.
//!
//! A broken law is a bug in the router under test. What a *configuration* promises its users, and may break, is another
//! thing: see [`Expect`](crate::scenario::Expect).
//!
//! Not judged, because it cannot be told from outside: cooldowns where the router's own limits per minute refuse calls
//! or a deployment has failure limits of its own, retries and timeouts after a fallback map changed them, and
//! everything about retries and cooldowns of streams.

mod cooldowns;
mod law;
mod ledger;
mod names;
mod retries;
#[cfg(test)]
mod tests;
mod watch;

pub use law::{Breach, Breaches, Law};
pub use watch::Laws;
