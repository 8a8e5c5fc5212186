//! Two accounts of the same requests side by side: the first thing that differs.
//!
//! What is compared, and how exactly, is what the recordings' format lists: names to the letter, times within a
//! millisecond, random numbers by their questions.

use std::fmt::{self, Display};

use router_core::{Span, Time};

use super::recording::{AttemptSeen, CooldownSeen, DrawSeen, Observed, ResponseSeen};

/// How far two times may be apart and still agree.
const TOLERANCE: Span = Span::from_millis(1);

/// The first thing that differs between two accounts.
#[derive(Clone, PartialEq, Debug)]
pub struct Divergence {
    /// When: the earlier of the two moments.
    pub at: Time,
    /// On behalf of which request, where that is known.
    pub request: Option<u32>,
    /// What it is about: `attempt 1: deployment`.
    pub what: String,
    /// What the first account says.
    pub expected: String,
    /// What the second one says.
    pub got: String,
    /// The deployments that the two accounts see differently.
    pub deployments: Vec<String>,
    rank: Rank,
}

/// What comes first among differences of one moment: causes before consequences.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rank {
    /// How an attempt ended.
    Ended,
    /// A cooldown, which comes of it.
    Cooled,
    /// Who is eligible for the next attempt.
    Eligible,
    /// The random number that chooses between them.
    Drawn,
    /// Who was chosen, and the call.
    Began,
    /// What the caller got.
    Answered,
}

/// Keeps the earliest difference.
#[derive(Default)]
struct Earliest {
    found: Option<Divergence>,
    /// The second account ends here: what it does not know yet is no difference.
    until: Option<Time>,
}

/// The first difference between two accounts; `until` when the second one was broken off at that moment.
pub fn first_divergence(expected: &Observed, got: &Observed, until: Option<Time>) -> Option<Divergence> {
    let mut earliest = Earliest { found: None, until };
    compare_draws(&expected.draws, &got.draws, &mut earliest);
    compare_attempts(&expected.attempts, &got.attempts, &mut earliest);
    compare_cooldowns(&expected.cooldowns, &got.cooldowns, &mut earliest);
    compare_responses(&expected.responses, &got.responses, &mut earliest);
    earliest.found
}

impl Divergence {
    pub(super) fn new(at: Time, request: Option<u32>, rank: Rank, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { at, request, what, expected: String::new(), got: String::new(), deployments: Vec::new(), rank }
    }

    pub(super) fn between(mut self, expected: impl Display, got: impl Display) -> Self {
        self.expected = expected.to_string();
        self.got = got.to_string();
        self
    }

    fn about(mut self, deployments: impl IntoIterator<Item = String>) -> Self {
        self.deployments.extend(deployments);
        self
    }

    /// The earlier of two; at the same moment, the cause.
    pub(super) fn or_earlier(self, other: Self) -> Self {
        if (other.at, other.rank) < (self.at, self.rank) { other } else { self }
    }
}

impl Earliest {
    /// Both accounts say something, and differently.
    fn differs(&mut self, divergence: Divergence) {
        if self.until.is_some_and(|until| divergence.at > until) {
            return;
        }
        self.found = Some(match self.found.take() {
            None => divergence,
            Some(found) => found.or_earlier(divergence),
        });
    }

    /// The second account lacks something that the first one has.
    fn lacks(&mut self, divergence: Divergence) {
        if self.until.is_none_or(|until| divergence.at < until) {
            self.differs(divergence);
        }
    }
}

fn compare_draws(expected: &[DrawSeen], got: &[DrawSeen], earliest: &mut Earliest) {
    for index in 0..expected.len().max(got.len()) {
        let what = || format!("random number {index}");
        match (expected.get(index), got.get(index)) {
            (Some(e), Some(g)) if !e.question.agrees(&g.question) => {
                let divergence = Divergence::new(e.at.min(g.at), g.request.or(e.request), Rank::Drawn, what());
                return earliest.differs(divergence.between(&e.question, &g.question));
            }
            (Some(e), Some(g)) => {
                if let (Some(whose), Some(other)) = (e.request, g.request)
                    && whose != other
                {
                    let divergence = Divergence::new(e.at.min(g.at), Some(other), Rank::Drawn, what());
                    return earliest.differs(
                        divergence.between(format!("one for request {whose}"), format!("one for request {other}")),
                    );
                }
            }
            (Some(e), None) => {
                let divergence = Divergence::new(e.at, e.request, Rank::Drawn, what());
                return earliest.lacks(divergence.between(&e.question, "none"));
            }
            (None, Some(g)) => {
                let divergence = Divergence::new(g.at, g.request, Rank::Drawn, what());
                return earliest.differs(divergence.between("none", &g.question));
            }
            (None, None) => {}
        }
    }
}

fn compare_attempts(expected: &[AttemptSeen], got: &[AttemptSeen], earliest: &mut Earliest) {
    for index in 0..expected.len().max(got.len()) {
        match (expected.get(index), got.get(index)) {
            (Some(e), Some(g)) => {
                if !compare_beginnings(e, g, earliest) {
                    // From here on the two lists may be shifted against each other.
                    return;
                }
                compare_ends(e, g, earliest);
            }
            (Some(e), None) => {
                let what = format!("attempt {}", e.n);
                let divergence = Divergence::new(e.start, Some(e.request), Rank::Began, what);
                return earliest.lacks(divergence.between(beginning(e), "none"));
            }
            (None, Some(g)) => {
                let what = format!("attempt {}", g.n);
                let divergence = Divergence::new(g.start, Some(g.request), Rank::Began, what);
                return earliest.differs(divergence.between("none", beginning(g)));
            }
            (None, None) => {}
        }
    }
}

/// Whether the two are the same attempt, begun in the same way.
fn compare_beginnings(e: &AttemptSeen, g: &AttemptSeen, earliest: &mut Earliest) -> bool {
    let at = e.start.min(g.start);
    if (e.request, e.n) != (g.request, g.n) || apart(e.start, g.start) || e.group != g.group {
        // Whichever comes first shows which account has one too many.
        let first = if g.start < e.start { g } else { e };
        let divergence = Divergence::new(at, Some(first.request), Rank::Began, format!("attempt {}", first.n));
        earliest.differs(divergence.between(beginning(e), beginning(g)));
        return false;
    }
    let of = |field: &str, rank| Divergence::new(at, Some(e.request), rank, format!("attempt {}: {field}", e.n));
    if e.eligible != g.eligible {
        let divergence = of("eligible", Rank::Eligible).between(Listed(&e.eligible), Listed(&g.eligible));
        earliest.differs(divergence.about(only_in_one(&e.eligible, &g.eligible)));
    } else if e.deployment != g.deployment {
        let divergence = of("deployment", Rank::Began).between(Maybe(&e.deployment), Maybe(&g.deployment));
        earliest.differs(divergence.about(e.deployment.iter().chain(&g.deployment).cloned()));
    } else if e.sent != g.sent {
        let sent = |sent| if sent { "the upstream is called" } else { "the router refuses by itself" };
        earliest.differs(of("sent", Rank::Began).between(sent(e.sent), sent(g.sent)));
    } else if e.call != g.call {
        earliest.differs(of("call", Rank::Began).between(Maybe(&e.call), Maybe(&g.call)));
    } else if e.timeout.zip(g.timeout).is_some_and(|(e, g)| spans_apart(e, g))
        || e.timeout.is_some() != g.timeout.is_some()
    {
        earliest.differs(of("timeout", Rank::Began).between(Maybe(&e.timeout), Maybe(&g.timeout)));
    } else {
        return true;
    }
    false
}

fn compare_ends(e: &AttemptSeen, g: &AttemptSeen, earliest: &mut Earliest) {
    let (Some(e_end), Some(e_result)) = (e.end, &e.result) else { return };
    let what = |field: &str| format!("attempt {}: {field}", e.n);
    let (Some(g_end), Some(g_result)) = (g.end, &g.result) else {
        let divergence = Divergence::new(e_end, Some(e.request), Rank::Ended, what("end"));
        return earliest.lacks(divergence.between(e_end, "still under way"));
    };
    let at = e_end.min(g_end);
    let of = |field| Divergence::new(at, Some(e.request), Rank::Ended, what(field));
    if apart(e_end, g_end) {
        earliest.differs(of("end").between(e_end, g_end));
    } else if e_result != g_result {
        earliest.differs(of("result").between(e_result, g_result));
    } else if e.status != g.status {
        earliest.differs(of("status").between(Maybe(&e.status), Maybe(&g.status)));
    }
}

fn compare_cooldowns(expected: &[CooldownSeen], got: &[CooldownSeen], earliest: &mut Earliest) {
    for index in 0..expected.len().max(got.len()) {
        match (expected.get(index), got.get(index)) {
            (Some(e), Some(g)) => {
                let requests_differ = e.request.zip(g.request).is_some_and(|(e, g)| e != g);
                let agrees = e.deployment == g.deployment
                    && !apart(e.at, g.at)
                    && !spans_apart(e.length, g.length)
                    && e.status == g.status
                    && !requests_differ;
                if !agrees {
                    let first = if g.at < e.at { g } else { e };
                    let divergence = Divergence::new(first.at, first.request, Rank::Cooled, "cooldown");
                    let deployments = [e.deployment.clone(), g.deployment.clone()];
                    return earliest.differs(divergence.between(cooldown(e), cooldown(g)).about(deployments));
                }
            }
            (Some(e), None) => {
                let divergence = Divergence::new(e.at, e.request, Rank::Cooled, "cooldown");
                return earliest.lacks(divergence.between(cooldown(e), "none").about([e.deployment.clone()]));
            }
            (None, Some(g)) => {
                let divergence = Divergence::new(g.at, g.request, Rank::Cooled, "cooldown");
                return earliest.differs(divergence.between("none", cooldown(g)).about([g.deployment.clone()]));
            }
            (None, None) => {}
        }
    }
}

fn compare_responses(expected: &[ResponseSeen], got: &[ResponseSeen], earliest: &mut Earliest) {
    let (expected, got) = (by_request(expected), by_request(got));
    for request in 0..expected.len().max(got.len()) {
        let of = |at, what: &str| Divergence::new(at, Some(request as u32), Rank::Answered, format!("response{what}"));
        match (expected.get(request).copied().flatten(), got.get(request).copied().flatten()) {
            (Some(e), Some(g)) => {
                let at = e.at.min(g.at);
                if (e.ok, &e.deployment, &e.error, e.status) != (g.ok, &g.deployment, &g.error, g.status)
                    || apart(e.at, g.at)
                {
                    earliest.differs(of(at, "").between(response(e), response(g)));
                } else if e.first.zip(g.first).is_some_and(|(e, g)| apart(e, g))
                    || e.first.is_some() != g.first.is_some()
                {
                    earliest.differs(of(at, ": first chunk").between(Maybe(&e.first), Maybe(&g.first)));
                } else if e.text != g.text {
                    earliest.differs(of(at, ": text").between(Maybe(&e.text), Maybe(&g.text)));
                }
            }
            (Some(e), None) => earliest.lacks(of(e.at, "").between(response(e), "none")),
            (None, Some(g)) => earliest.differs(of(g.at, "").between("none", response(g))),
            (None, None) => {}
        }
    }
}

fn by_request(responses: &[ResponseSeen]) -> Vec<Option<&ResponseSeen>> {
    let len = responses.iter().map(|response| response.request as usize + 1).max().unwrap_or(0);
    let mut table = vec![None; len];
    for response in responses {
        table[response.request as usize] = Some(response);
    }
    table
}

fn apart(one: Time, other: Time) -> bool {
    one.since(other) > TOLERANCE || other.since(one) > TOLERANCE
}

fn spans_apart(one: Span, other: Span) -> bool {
    one.as_nanos().abs_diff(other.as_nanos()) > TOLERANCE.as_nanos()
}

fn only_in_one(one: &Option<Vec<String>>, other: &Option<Vec<String>>) -> Vec<String> {
    let (one, other) = (one.as_deref().unwrap_or_default(), other.as_deref().unwrap_or_default());
    let missing = |from: &[String], id: &String| !from.contains(id);
    let left = one.iter().filter(|id| missing(other, id));
    left.chain(other.iter().filter(|id| missing(one, id))).cloned().collect()
}

fn beginning(attempt: &AttemptSeen) -> String {
    format!("request {}, attempt {} for {} at {}", attempt.request, attempt.n, attempt.group, attempt.start)
}

fn cooldown(cooldown: &CooldownSeen) -> String {
    let CooldownSeen { at, deployment, length, status, request } = cooldown;
    let request = request.map_or(String::new(), |request| format!(" by request {request}"));
    format!("{deployment} at {at} for {length} with status {}{request}", Maybe(status))
}

fn response(response: &ResponseSeen) -> String {
    let ResponseSeen { at, ok, deployment, error, status, .. } = response;
    if *ok {
        format!("an answer of {} at {at}", Maybe(deployment))
    } else {
        format!("{} with status {} at {at}", Maybe(error), Maybe(status))
    }
}

struct Maybe<'a, T>(&'a Option<T>);

impl<T: Display> Display for Maybe<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("none"),
        }
    }
}

struct Listed<'a>(&'a Option<Vec<String>>);

impl Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(ids) => write!(f, "[{}]", ids.join(", ")),
            None => f.write_str("no list"),
        }
    }
}
