//! No request is left with nothing to wait for.

use router_core::Time;

use super::client_retries;
use super::law::About;
use super::ledger::{Calling, Open};

pub(super) const ABOUT: About = About {
    name: "nothing-forgotten",
    says: "no request stays open with nothing to wait for",
    source: "Router.acompletion; gateways whose queues kept requests after their call was over",
};

/// It has neither a call nor a place in a line, and every wait that it may have is over.
fn has_nothing(open: &Open, at: Time) -> bool {
    let frame = open.frames.at_work();
    // Where the number of retries cannot be told from outside, neither can a wait.
    let told = open.plain && (frame.newest.is_none() || frame.budget.is_some());
    let waits = frame.wait.is_some_and(|(since, _, most)| since + most >= at);
    open.calling == Calling::No && open.hedge.is_none() && told && !waits
}

/// A request that is open when the run ends. `calls`: it has a call under way; `line`: all places of whoever was picked
/// for it are taken.
pub(super) fn at_end(open: &Open, calls: bool, line: bool, end: Time) -> Option<&'static str> {
    match open.calling {
        Calling::No if has_nothing(open, end) => Some("open at the end of the run, without a call or a wait"),
        Calling::Yes if !calls && !client_retries::may_wait(open.repeated, open.ended, end) => {
            Some("open at the end of the run, though its call was over")
        }
        Calling::InLine if !line => Some("open at the end of the run, in line for a place that is free"),
        Calling::No | Calling::Yes | Calling::InLine => None,
    }
}

/// A request that goes on to another attempt, or gives up.
pub(super) fn of_going_on(calling: Calling) -> Option<&'static str> {
    match calling {
        Calling::No => None,
        Calling::InLine => Some("goes on, though the call that was decided on is still to be made"),
        Calling::Yes => Some("goes on, though its call is still under way"),
    }
}

/// A request whose caller gives up. `calls`: it has a call under way; `free`: it stands in line, and whoever was picked for
/// it has a place.
pub(super) fn of_cancelled(open: &Open, calls: bool, free: bool, at: Time) -> Option<&'static str> {
    if free {
        return Some("its caller gave up, in line for a place that is free");
    }
    if open.calling == Calling::Yes && !calls && !client_retries::may_wait(open.repeated, open.ended, at) {
        return Some("its caller gave up, and its call was over");
    }
    has_nothing(open, at).then_some("its caller gave up, and it had neither a call nor a wait to wait for")
}
