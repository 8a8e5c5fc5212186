//! A call whose caller has gone is ended.

use super::law::About;

pub(super) const ABOUT: About = About {
    name: "hung-up",
    says: "a call that nobody waits for any longer is hung up on",
    source: "proxy_server.check_request_disconnection; slots that leaked on disconnects",
};

/// A call that goes on after the step in which its caller went.
pub(super) fn of_cancelled(goes_on: bool) -> Option<&'static str> {
    goes_on.then_some("its caller has gone, and the call goes on")
}

/// A call that goes on after the step in which its request was answered by another.
pub(super) fn of_answered(goes_on: bool) -> Option<&'static str> {
    goes_on.then_some("another call of its request was answered, and it goes on")
}

/// A call that is hung up on.
pub(super) fn of_hangup(under_way: bool) -> Option<&'static str> {
    (!under_way).then_some("hung up on a call that was not under way")
}
