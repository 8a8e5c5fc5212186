//! A call ends at its timeout, neither sooner nor later.

use router_core::Time;

use super::law::About;

pub(super) const ABOUT: About =
    About { name: "timeout-exact", says: "a call ends exactly at its timeout", source: "_get_timeout" };

/// A call that is hung up on, and not because its caller has gone.
pub(super) fn of_hangup(at: Time, deadline: Time) -> Option<String> {
    (deadline != at).then(|| format!("hung up on at {at}, where its timeout is at {deadline}"))
}

/// A call that is open when the run ends.
pub(super) fn at_end(end: Time, deadline: Option<Time>) -> Option<&'static str> {
    deadline.is_some_and(|deadline| deadline < end).then_some("still open at the end of the run, past its timeout")
}
