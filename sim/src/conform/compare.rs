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
    /// The latest moment that is talked of.
    pub(super) until: Time,
    rank: Rank,
}

/// What comes first among differences of one moment: causes before consequences.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rank {
    /// How an attempt ended.
    Ended,
    /// A cooldown, which comes of it.
    Cooled,
    /// For whom the next attempt is made, if one is.
    Tried,
    /// Who is eligible for it.
    Eligible,
    /// The random number that chooses between them.
    Drawn,
    /// Who was chosen, and the call.
    Began,
    /// What the caller got.
    Answered,
    /// A random number that the other account does not draw then: mostly a sign of something else.
    Used,
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
        Self {
            at,
            request,
            what,
            expected: String::new(),
            got: String::new(),
            deployments: Vec::new(),
            until: at,
            rank,
        }
    }

    /// Whether both say that the second account does the same thing at the same moment.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        (self.at, self.request, &self.what, &self.got) == (other.at, other.request, &other.what, &other.got)
    }

    pub(super) fn between(mut self, expected: impl Display, got: impl Display) -> Self {
        self.expected = expected.to_string();
        self.got = got.to_string();
        self
    }

    fn until(mut self, until: Time) -> Self {
        self.until = until;
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
    let mut index = 0;
    loop {
        let what = || format!("random number {index}");
        match (expected.get(index), got.get(index)) {
            (Some(e), Some(g)) if !same_moment(e, g) => {
                let (e, g) = if e.at <= g.at { (Some(e), None) } else { (None, Some(g)) };
                return one_draws_alone(e, g, what(), earliest);
            }
            (Some(e), Some(g)) if !e.question.agrees(&g.question) => {
                let divergence = Divergence::new(e.at.min(g.at), g.request.or(e.request), Rank::Drawn, what());
                return earliest.differs(divergence.between(&e.question, &g.question));
            }
            (Some(_), Some(_)) => index += 1,
            (None, None) => return,
            (e, g) => return one_draws_alone(e, g, what(), earliest),
        }
    }
}

/// Whether two numbers are drawn at the same moment for the same request.
fn same_moment(e: &DrawSeen, g: &DrawSeen) -> bool {
    !apart(e.at, g.at) && e.request.zip(g.request).is_none_or(|(e, g)| e == g)
}

fn one_draws_alone(e: Option<&DrawSeen>, g: Option<&DrawSeen>, what: String, earliest: &mut Earliest) {
    if let Some(e) = e {
        earliest.lacks(Divergence::new(e.at, e.request, Rank::Used, what).between(&e.question, "none"));
    } else if let Some(g) = g {
        earliest.differs(Divergence::new(g.at, g.request, Rank::Used, what).between("none", &g.question));
    }
}

fn compare_attempts(expected: &[AttemptSeen], got: &[AttemptSeen], earliest: &mut Earliest) {
    let mut index = 0;
    loop {
        match (expected.get(index), got.get(index)) {
            (Some(e), Some(g)) if is_same_attempt(e, g) => {
                if !compare_beginnings(e, g, earliest) {
                    // From here on the two lists may be shifted against each other.
                    return;
                }
                compare_ends(e, g, earliest);
                index += 1;
            }
            (None, None) => return,
            // One account has an attempt that the other lacks: the earlier of the two.
            (Some(e), g) if g.is_none_or(|g| e.start <= g.start) => {
                let divergence = Divergence::new(e.start, Some(e.request), Rank::Tried, format!("attempt {}", e.n));
                let g = g.filter(|g| !apart(e.start, g.start)).map_or("none".to_owned(), beginning);
                return earliest.lacks(divergence.between(beginning(e), g));
            }
            (_, Some(g)) => {
                let divergence = Divergence::new(g.start, Some(g.request), Rank::Tried, format!("attempt {}", g.n));
                return earliest.differs(divergence.between("none", beginning(g)));
            }
            (Some(_), None) => return,
        }
    }
}

fn is_same_attempt(e: &AttemptSeen, g: &AttemptSeen) -> bool {
    (e.request, e.n, &e.group) == (g.request, g.n, &g.group) && !apart(e.start, g.start)
}

/// Whether two accounts of an attempt begin in the same way.
fn compare_beginnings(e: &AttemptSeen, g: &AttemptSeen, earliest: &mut Earliest) -> bool {
    let at = e.start.min(g.start);
    let of = |field: &str, rank| Divergence::new(at, Some(e.request), rank, format!("attempt {}: {field}", e.n));
    // A list that is absent although somebody was picked is one that the recorder did not see.
    let seen = e.eligible.is_some() || e.deployment.is_none();
    if seen && e.eligible != g.eligible {
        let divergence = of("eligible", Rank::Eligible).between(Listed(&e.eligible), Listed(&g.eligible));
        earliest.differs(divergence.about(only_in_one(&e.eligible, &g.eligible)));
    } else if e.deployment != g.deployment {
        let divergence = of("deployment", Rank::Began).between(Maybe(&e.deployment), Maybe(&g.deployment));
        earliest.differs(divergence.about(e.deployment.iter().chain(&g.deployment).cloned()));
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
    let of =
        |field| Divergence::new(e_end.min(g_end), Some(e.request), Rank::Ended, what(field)).until(e_end.max(g_end));
    let timeouts_differ = match (e.timeout, g.timeout) {
        (Some(e), Some(g)) => spans_apart(e, g),
        (e, g) => e != g,
    };
    // Some of it is known before the end, but not always: a call may stand in line first, and the HTTP client may
    // repeat it, of which the last one counts.
    if e.sent != g.sent {
        let sent = |sent| if sent { "the upstream is called" } else { "the router refuses by itself" };
        earliest.differs(of("sent").between(sent(e.sent), sent(g.sent)));
    } else if timeouts_differ {
        earliest.differs(of("timeout").between(Maybe(&e.timeout), Maybe(&g.timeout)));
    } else if apart(e_end, g_end) {
        earliest.differs(of("end").between(e_end, g_end));
    } else if e_result != g_result {
        earliest.differs(of("result").between(e_result, g_result));
    } else if e.status != g.status {
        earliest.differs(of("status").between(Maybe(&e.status), Maybe(&g.status)));
    } else if e.call != g.call {
        earliest.differs(of("call").between(Maybe(&e.call), Maybe(&g.call)));
    }
}

fn compare_cooldowns(expected: &[CooldownSeen], got: &[CooldownSeen], earliest: &mut Earliest) {
    let mut index = 0;
    let new = |cooldown: &CooldownSeen| {
        let divergence = Divergence::new(cooldown.at, cooldown.request, Rank::Cooled, "cooldown");
        divergence.about([cooldown.deployment.clone()])
    };
    loop {
        match (expected.get(index), got.get(index)) {
            (Some(e), Some(g)) if !apart(e.at, g.at) => {
                let requests_differ = e.request.zip(g.request).is_some_and(|(e, g)| e != g);
                if (&e.deployment, e.status) != (&g.deployment, g.status)
                    || spans_apart(e.length, g.length)
                    || requests_differ
                {
                    let divergence = new(e).about([g.deployment.clone()]);
                    return earliest.differs(divergence.between(cooldown(e), cooldown(g)));
                }
                index += 1;
            }
            (None, None) => return,
            (Some(e), g) if g.is_none_or(|g| e.at <= g.at) => {
                return earliest.lacks(new(e).between(cooldown(e), "none"));
            }
            (_, Some(g)) => return earliest.differs(new(g).between("none", cooldown(g))),
            (Some(_), None) => return,
        }
    }
}

fn compare_responses(expected: &[ResponseSeen], got: &[ResponseSeen], earliest: &mut Earliest) {
    let (expected, got) = (by_request(expected), by_request(got));
    for request in 0..expected.len().max(got.len()) {
        let of = |at, what: &str| {
            let what = format!("response{what}");
            Divergence::new(at, Some(request as u32), Rank::Answered, what)
        };
        match (expected.get(request).copied().flatten(), got.get(request).copied().flatten()) {
            (Some(e), Some(g)) => {
                let at = e.at.min(g.at);
                if (e.ok, &e.deployment, &e.error, e.status) != (g.ok, &g.deployment, &g.error, g.status)
                    || apart(e.at, g.at)
                {
                    earliest.differs(of(at, "").until(e.at.max(g.at)).between(response(e), response(g)));
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
