//! The promises by name, each with what it demands and where it comes from.

/// What a configuration can promise to its users. A broken promise is a finding about the config, never about the router:
/// that is what [laws](crate::invariants::Law) are for. A scenario's `expect` sets the numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Promise {
    /// Enough requests are answered.
    Availability,
    /// Answers come in time, by quantile.
    Latency,
    /// Fallbacks stand in while faults are on.
    ServedByFallback,
    /// Few attempts for each request, over the whole run.
    AttemptsPerRequest,
    /// Callers hear something before they give up.
    Deadline,
    /// What could be answered is.
    FallbackReached,
    /// Few attempts for each request, in every window.
    Amplification,
    /// Goodput comes back, in time.
    Recovery,
    /// Deployments get their shares.
    FairShares,
    /// Nobody waits for ever while others are served.
    NoStarvation,
    /// What no fault touches goes on.
    Isolation,
    /// Everything ends, and goodput comes back at all.
    Liveness,
}

struct About {
    key: &'static str,
    says: &'static str,
    judged: &'static str,
    source: &'static str,
}

impl Promise {
    /// All promises, in the order in which reports list them.
    pub const ALL: [Self; 12] = [
        Self::Availability,
        Self::Latency,
        Self::Deadline,
        Self::ServedByFallback,
        Self::FallbackReached,
        Self::AttemptsPerRequest,
        Self::Amplification,
        Self::Recovery,
        Self::Liveness,
        Self::FairShares,
        Self::NoStarvation,
        Self::Isolation,
    ];

    /// Its key in `expect`.
    pub const fn key(self) -> &'static str {
        self.about().key
    }

    /// What it demands, in one sentence without a full stop.
    pub const fn says(self) -> &'static str {
        self.about().says
    }

    /// How it is measured, and what is left out.
    pub const fn judged(self) -> &'static str {
        self.about().judged
    }

    /// The incidents or papers that it was written from.
    pub const fn source(self) -> &'static str {
        self.about().source
    }

    /// The promise that a key of `expect_broken` is about: `latency.p99` is about latency.
    pub fn of_key(key: &str) -> Option<Self> {
        let first = key.split_once('.').map_or(key, |(first, _)| first);
        Self::ALL.into_iter().find(|promise| promise.key() == first)
    }

    const fn about(self) -> About {
        match self {
            Self::Availability => About {
                key: "availability",
                says: "At least this share of requests is answered",
                judged: "A client's further tries belong to the request that they are for. A request that is still open when \
                         the run ends was not answered.",
                source: "the availability SLO of the SRE workbook (Google, 2018), chapter 2",
            },
            Self::Latency => About {
                key: "latency",
                says: "At this quantile, answers take no longer than this",
                judged: "From when the user wanted the answer, a client's failed tries included; answered requests only.",
                source: "the latency SLO of the SRE workbook (Google, 2018), chapter 2",
            },
            Self::Deadline => About {
                key: "deadline",
                says: "At least this share of requests ends, with an answer or an honest error, before its caller gives up",
                judged: "Every try of a client counts by itself, with its own `deadline`; requests without one, and those that \
                         are open when the run ends, do not count.",
                source: "BerriAI/litellm #7303 and joryirving/home-ops #9822: attempts, waits and fallbacks together outlast \
                         the caller",
            },
            Self::ServedByFallback => About {
                key: "served_by_fallback",
                says: "While faults are on, at least this share of answers comes from a fallback",
                judged: "Requests that were due while a fault was on, and were answered by another group than the one asked \
                         for.",
                source: "BerriAI/litellm #35423: a fallback drill that passes without ever running",
            },
            Self::FallbackReached => About {
                key: "fallback_reached",
                says: "Of the requests that could have been answered, at least this share was",
                judged: "A lost request could have been answered when a deployment of its group, or of a group that its \
                         fallbacks lead to, was free at one of these moments: when it reached the router, and at each failure \
                         within it. Free is a deployment that no fault is on for, that its quotas let it through to, that \
                         carries fewer calls than `full_speed` or `servers`, whose context window is long enough, and that \
                         would usually answer before the caller's deadline. A cooldown is no excuse: the router decided it. \
                         Not judged are requests that were refused for what they say (400, content, length), and tries that \
                         are open when the run ends. A fault that strikes only some calls counts as on, so the share is never \
                         told too low.",
                source: "BerriAI/litellm #38968 and #3274, maximhq/bifrost #5876: requests fail beside a healthy target",
            },
            Self::AttemptsPerRequest => About {
                key: "attempts_per_request",
                says: "Over the whole run, there are no more attempts at upstreams per request than this",
                judged: "All calls to upstreams by all requests.",
                source: "the retry budget of Site Reliability Engineering (Google, 2016), chapter 21",
            },
            Self::Amplification => About {
                key: "amplification",
                says: "In every window of this length, there are no more attempts at upstreams per request than this",
                judged: "Calls to upstreams in the window, for each request that users first wanted in it: clients' further \
                         tries are attempts, not requests. Windows begin at whole seconds and end before the last request. A window with fewer than 10 \
                         requests counts as one with 10, so a few slow requests in a quiet window are no storm.",
                source: "Bronson et al., \"Metastable Failures in Distributed Systems\" (HotOS 2021); Site Reliability \
                         Engineering (Google, 2016), chapter 22: layers of retries multiply",
            },
            Self::Recovery => About {
                key: "recovery",
                says: "When the last fault is over, goodput is back to 95 % of the baseline within this time, and stays there",
                judged: "Goodput is the share of requests, by when they were due, that are answered, in windows of 10 s or as \
                         long as 20 requests take. The baseline is that share before the first fault; where fewer than 20 \
                         requests came before it, everything that is asked for. Windows begin at whole seconds. The last \
                         requests are left out, for as long as callers wait and for a quarter of the time after the faults \
                         at most: some are answered only because none comes after them.",
                source: "BerriAI/litellm #30192: answers 408 for an idle upstream until it is restarted; Huang et al., \
                         \"Metastable Failures in the Wild\" (OSDI 2022)",
            },
            Self::Liveness => About {
                key: "liveness",
                says: "When the faults are over, everything that was asked ends, and goodput comes back",
                judged: "Always on. Broken by a request that is still open 60 s after it was sent and 60 s after the last \
                         fault, by goodput that is under 95 % of the baseline, or attempts per request that are twice it, for \
                         the last 60 s or longer, with no more load than before. Not judged when requests stop coming sooner \
                         than 60 s after the last fault, or more of them come than before. `liveness: false` turns it \
                         off.",
                source: "Bronson et al., \"Metastable Failures in Distributed Systems\" (HotOS 2021); BerriAI/litellm #30192",
            },
            Self::FairShares => About {
                key: "fair_shares",
                says: "No deployment's share of its group's calls is off its due share by more than this, in points of all calls",
                judged: "Under simple-shuffle, over the calls for which all deployments of the group could be chosen, in \
                         groups with at least 100 of them. The due share is by the first of `weight`, `rpm` and `tpm` that \
                         every deployment of the group has; without one, all are equal. Other strategies have no due shares.",
                source: "BerriAI/litellm #18444: an even split where the config says otherwise; alibaba/higress #2159: unequal \
                         capacities behind one name",
            },
            Self::NoStarvation => About {
                key: "no_starvation",
                says: "No stream of traffic is without an answer for longer than this while another one is served",
                judged: "From the first request of a stream that gets no answer to the last one that still waits or fails, as \
                         long as another stream is answered meanwhile. Needs two entries of `traffic`.",
                source: "QuantumNous/new-api #4100: load that moves to others congests them; vllm-project/production-stack \
                         #749: one silent backend hangs everybody",
            },
            Self::Isolation => About {
                key: "isolation",
                says: "Groups that no fault touches answer at least this share of their requests",
                judged: "The worst of the names asked for none of whose deployments a fault strikes, nor stands in for one \
                         that is struck: requests due from the first fault on.",
                source: "vllm-project/production-stack #749 and BerriAI/litellm #35303: trouble in one group stops all others",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promise_is_listed_once_and_found_by_its_key() {
        for promise in Promise::ALL {
            assert_eq!(Promise::of_key(promise.key()), Some(promise));
            assert_eq!(Promise::ALL.iter().filter(|other| other.key() == promise.key()).count(), 1);
            assert!(!promise.says().ends_with('.') && promise.judged().ends_with('.'));
        }
        assert_eq!(Promise::of_key("latency.p99"), Some(Promise::Latency));
        assert_eq!(Promise::of_key("must_see"), None);
    }
}
