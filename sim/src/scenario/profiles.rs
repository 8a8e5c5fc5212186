//! How providers serve when nothing is broken, for whoever has no measurements of their own.
//!
//! **The latencies are routedrill's own defaults.** No trustworthy published fit of time to first token and time per
//! output token was found, so all profiles share one: lognormal, median 0.5 s and sigma 0.8 to the first token, median
//! 12 ms and sigma 0.3 per token after it. Reports print [`ORIGIN`] next to whatever comes from here. The ways in which
//! quotas refill, whom they cover and what a 429 carries are the providers' documented ones.

use router_core::Span;

use super::meant::{Quantiles, QuotaWindow};
use crate::provider::Dialect;

/// Where the latencies of every profile come from, for reports.
pub const ORIGIN: &str = "routedrill's default, not measured";

/// How a provider serves.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Profile {
    /// The name in scenario files.
    pub name: &'static str,
    /// Whose error answers it gives.
    pub dialect: Dialect,
    /// Seconds to the first token.
    pub ttft: Lognormal,
    /// Seconds per output token after the first.
    pub tpot: Lognormal,
    /// How a quota on requests refills.
    pub requests: QuotaWindow,
    /// How a quota on tokens refills.
    pub tokens: QuotaWindow,
    /// Who shares a quota.
    pub scope: QuotaScope,
    /// A 429 says in a `Retry-After` header how long to wait.
    pub retry_after: bool,
}

/// Who shares a provider's quota.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuotaScope {
    /// Each deployment has its own.
    Deployment,
    /// All deployments with the same key and the same upstream model share one.
    Key,
}

/// A lognormal distribution.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lognormal {
    /// Half of all values are below.
    pub median: f64,
    /// The standard deviation of the logarithm.
    pub sigma: f64,
}

const TTFT: Lognormal = Lognormal { median: 0.5, sigma: 0.8 };
const TPOT: Lognormal = Lognormal { median: 0.012, sigma: 0.3 };
const MINUTE: Span = Span::from_secs(60);

/// Every profile; the last one holds for providers that none of the others is for.
pub const PROFILES: [Profile; 6] = [
    // Requests are judged over slices of 1 s or 10 s, so 600 a minute may mean 100 in ten seconds.
    Profile {
        name: "azure-openai",
        dialect: Dialect::Azure,
        ttft: TTFT,
        tpot: TPOT,
        requests: QuotaWindow::Sliding(Span::from_secs(10)),
        tokens: QuotaWindow::Fixed(MINUTE),
        scope: QuotaScope::Deployment,
        retry_after: true,
    },
    // The reset headers give the time until a bucket is full; the wait is in the message, not in Retry-After.
    Profile {
        name: "openai",
        dialect: Dialect::OpenAi,
        ttft: TTFT,
        tpot: TPOT,
        requests: QuotaWindow::Bucket(MINUTE),
        tokens: QuotaWindow::Bucket(MINUTE),
        scope: QuotaScope::Key,
        retry_after: false,
    },
    Profile {
        name: "anthropic",
        dialect: Dialect::Anthropic,
        ttft: TTFT,
        tpot: TPOT,
        requests: QuotaWindow::Bucket(MINUTE),
        tokens: QuotaWindow::Bucket(MINUTE),
        scope: QuotaScope::Key,
        retry_after: true,
    },
    Profile {
        name: "bedrock",
        dialect: Dialect::Bedrock,
        ttft: TTFT,
        tpot: TPOT,
        requests: QuotaWindow::Fixed(MINUTE),
        tokens: QuotaWindow::Fixed(MINUTE),
        scope: QuotaScope::Key,
        retry_after: false,
    },
    Profile {
        name: "vertex",
        dialect: Dialect::Vertex,
        ttft: TTFT,
        tpot: TPOT,
        requests: QuotaWindow::Fixed(MINUTE),
        tokens: QuotaWindow::Fixed(MINUTE),
        scope: QuotaScope::Key,
        retry_after: false,
    },
    Profile {
        name: "default",
        dialect: Dialect::OpenAi,
        ttft: TTFT,
        tpot: TPOT,
        requests: QuotaWindow::Fixed(MINUTE),
        tokens: QuotaWindow::Fixed(MINUTE),
        scope: QuotaScope::Deployment,
        retry_after: true,
    },
];

impl Profile {
    /// The profile of that name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// The profile for a provider as LiteLLM names it; `default` when none is for it.
    pub fn of_provider(provider: &str) -> &'static Self {
        let name = match (Dialect::of_provider(provider), provider) {
            (Dialect::Azure, _) => "azure-openai",
            (Dialect::Anthropic, _) => "anthropic",
            (Dialect::Bedrock, _) => "bedrock",
            (Dialect::Vertex, _) => "vertex",
            (Dialect::OpenAi, "openai" | "text-completion-openai") => "openai",
            (Dialect::OpenAi, _) => "default",
        };
        PROFILES.iter().find(|profile| profile.name == name).unwrap_or(&PROFILES[PROFILES.len() - 1])
    }
}

impl QuotaWindow {
    /// How many fit into one window of a limit that is stated per minute: at least one, if any.
    pub fn limit_of(self, per_minute: u64) -> u64 {
        let (Self::Fixed(span) | Self::Sliding(span) | Self::Bucket(span)) = self;
        let limit = u128::from(per_minute) * u128::from(span.as_nanos()) / u128::from(MINUTE.as_nanos());
        u64::try_from(limit).unwrap_or(u64::MAX).max(u64::from(per_minute > 0))
    }
}

/// The standard normal's quantiles at 95 % and 99 %.
const NORMAL_P95: f64 = 1.644_853_626_951_472_2;
const NORMAL_P99: f64 = 2.326_347_874_040_840_8;

impl Lognormal {
    /// The distribution by its median, p95 and p99. More would add nothing, for what lies between quantiles, and beyond
    /// them, is taken to be lognormal.
    pub fn quantiles(self) -> Quantiles {
        let at = |z: f64| self.median * libm::exp(self.sigma * z);
        Quantiles(vec![(0.5, self.median), (0.95, at(NORMAL_P95)), (0.99, at(NORMAL_P99))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_token_takes_half_a_second_or_in_one_of_a_hundred_calls_three() {
        let Quantiles(points) = TTFT.quantiles();
        assert_eq!(points[0], (0.5, 0.5));
        assert!((points[1].1 - 1.864).abs() < 0.001 && (points[2].1 - 3.215).abs() < 0.001, "{points:?}");
    }

    #[test]
    fn six_hundred_a_minute_are_a_hundred_in_ten_seconds() {
        assert_eq!(Profile::of_provider("azure").requests.limit_of(600), 100);
        assert_eq!(Profile::of_provider("openai").requests.limit_of(600), 600);
        assert_eq!(QuotaWindow::Sliding(Span::from_secs(1)).limit_of(10), 1);
    }

    #[test]
    fn every_provider_has_a_profile() {
        assert_eq!(Profile::of_provider("vertex_ai").name, "vertex");
        assert_eq!(Profile::of_provider("groq").name, "default");
        assert!(PROFILES.iter().all(|profile| Profile::by_name(profile.name) == Some(profile)));
    }
}
