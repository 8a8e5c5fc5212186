//! What may be part of a drawn scenario, and is as a whole or not at all.
//!
//! A little of everything in every scenario hides what only shows in the absence of something else: where every request may
//! fall back, no group ever runs dry. So whole features are switched off, others each time.

use super::luck::Luck;

macro_rules! features {
    ($($name:ident $text:literal,)*) => {
        /// Something that a drawn scenario has or has not.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[expect(missing_docs, reason = "each has its sentence in `Feature::name`")]
        pub enum Feature {
            $($name,)*
        }

        impl Feature {
            /// All of them, in the order in which reports list them.
            pub const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];

            /// What it is, in a few words.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

features! {
    Sdk "router in process",
    OlderRelease "older release",
    Strategy "another strategy than simple-shuffle",
    StrategyArgs "arguments of the strategy",
    Weights "weights",
    Orders "order levels",
    Retries "num_retries",
    RetryPolicies "retry policies",
    WaitSetting "retry_after",
    Timeouts "timeouts",
    Cooldowns "cooldown times",
    AllowedFails "allowed_fails and its policies",
    NoCooldowns "disable_cooldowns",
    Limits "rpm and tpm",
    EnforcedLimits "enforced rpm and tpm",
    PreCallChecks "pre-call checks",
    ContextWindows "context windows",
    Parallel "max_parallel_requests",
    Tags "tags",
    Regions "regions",
    Budgets "budgets",
    Prices "prices",
    Blocked "blocked deployments",
    Fallbacks "fallbacks",
    OddFallbacks "cyclic, repeated and unknown fallbacks",
    FallbackMaps "fallbacks with parameters",
    DefaultFallbacks "default fallbacks",
    TypedFallbacks "fallbacks for prompts and content",
    MaxFallbacks "max_fallbacks",
    WeightedFailover "weighted failover",
    Aliases "aliases",
    Wildcards "wildcard names",
    Twins "entries that are written twice",
    DefaultParams "default_litellm_params",
    LitellmSettings "litellm_settings",
    Streams "several streams of requests",
    Bursts "bursts",
    Ramps "ramps",
    ClosedLoops "users who wait for their answers",
    OneByOne "requests one by one",
    Deadlines "deadlines",
    CallerRetries "callers that retry",
    LongPrompts "long prompts",
    CallerParams "parameters of requests",
    UnknownNames "names that nobody serves",
    IdsAsNames "deployments asked for by id",
    ShortDrain "a run that ends while requests are open",
    MinuteEdge "a start within the minute",
    UpstreamLimits "limits of upstreams",
    SharedLimits "limits shared by upstreams",
    Servers "upstreams with a queue",
    FullSpeed "upstreams that slow down under load",
    Latencies "fast and slow upstreams",
    Dialects "other dialects and profiles",
    Links "slow links",
    Statuses "faults: any status",
    RateLimited "faults: rate_limited",
    Overloaded "faults: overloaded",
    Silent "faults: timeout",
    Slow "faults: slow",
    Refused "faults: refused",
    Reset "faults: reset",
    Revoked "faults: revoked",
    QuotaCut "faults: quota cut",
    QuotaGone "faults: quota exhausted",
    ContentFilter "faults: content_filter",
    PromptTooLong "faults: context_window",
    Messages "error texts that LiteLLM reads",
    RetryAfterHeaders "Retry-After headers",
    Partial "faults that strike a share of calls",
    Calm "nothing that could cost a request",
}

/// A set of features.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Features(u128);

/// What could cost no request by itself, whatever it is set to, while nothing is broken.
const HARMLESS: [Feature; 21] = [
    Feature::Sdk,
    Feature::OlderRelease,
    Feature::Orders,
    Feature::Retries,
    Feature::RetryPolicies,
    Feature::WaitSetting,
    Feature::Cooldowns,
    Feature::AllowedFails,
    Feature::NoCooldowns,
    Feature::Prices,
    Feature::Fallbacks,
    Feature::OddFallbacks,
    Feature::DefaultFallbacks,
    Feature::TypedFallbacks,
    Feature::MaxFallbacks,
    Feature::WeightedFailover,
    Feature::Aliases,
    Feature::Streams,
    Feature::Bursts,
    Feature::Ramps,
    Feature::MinuteEdge,
];

/// What changes a config.
const OF_CONFIGS: std::ops::RangeInclusive<Feature> = Feature::Strategy..=Feature::LitellmSettings;

/// What breaks.
const FAULTS: std::ops::RangeInclusive<Feature> = Feature::Statuses..=Feature::PromptTooLong;

impl Features {
    /// Draws a set. A config that is drilled as it is written keeps all of its settings.
    pub(super) fn draw(luck: &mut Luck, as_written: bool) -> Self {
        let share = luck.of_these(&[0.12, 0.3, 0.5, 0.75]);
        let mut features = Self::default();
        for feature in Feature::ALL {
            if luck.chance(share) {
                features.insert(feature);
            }
        }
        if !luck.chance(0.06) || as_written {
            features.remove(Feature::Calm);
        } else {
            features.0 = Feature::ALL
                .into_iter()
                .filter(|feature| HARMLESS.contains(feature) && features.has(*feature))
                .fold(Self::default(), Self::with)
                .with(Feature::Calm)
                .0;
        }
        // Without any fault only limits and timeouts are left, which few scenarios are about.
        if !features.has(Feature::Calm) && !Feature::ALL.iter().any(|one| FAULTS.contains(one) && features.has(*one)) {
            let faults: Vec<Feature> = Feature::ALL.into_iter().filter(|one| FAULTS.contains(one)).collect();
            for fault in luck.some_of(&faults, 3) {
                features.insert(fault);
            }
        }
        if as_written {
            for feature in Feature::ALL.into_iter().filter(|one| OF_CONFIGS.contains(one)) {
                features.remove(feature);
            }
        }
        features
    }

    fn with(mut self, feature: Feature) -> Self {
        self.insert(feature);
        self
    }

    fn insert(&mut self, feature: Feature) {
        self.0 |= 1 << feature as u32;
    }

    pub(super) fn remove(&mut self, feature: Feature) {
        self.0 &= !(1 << feature as u32);
    }

    /// Whether it has the feature.
    pub fn has(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u32) != 0
    }

    /// The features that it has, in order.
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        Feature::ALL.into_iter().filter(move |feature| self.has(*feature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_many_or_few_and_each_comes_and_stays_away() {
        assert!(Feature::ALL.len() <= 128, "a set has 128 places");
        let drawn: Vec<Features> = (0..400).map(|number| Features::draw(&mut Luck::of(number), false)).collect();
        for feature in Feature::ALL {
            let with = drawn.iter().filter(|features| features.has(feature)).count();
            assert!((5..350).contains(&with), "{} in {with} of 400", feature.name());
        }
        let sizes = drawn.iter().map(|features| features.iter().count());
        assert!(sizes.clone().min() < Some(8) && sizes.max() > Some(50));
    }

    #[test]
    fn a_config_as_written_keeps_its_settings() {
        for number in 0..50 {
            let features = Features::draw(&mut Luck::of(number), true);
            assert!(features.iter().all(|feature| !OF_CONFIGS.contains(&feature)), "{features:?}");
        }
    }
}
