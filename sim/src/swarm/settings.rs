//! Settings of a config: limits, orders and the like of its entries, and everything that tells its router what to do.
//!
//! Values are those that people write, and those at the edges: 0, below 0, a fraction, far too much.

use serde_json::{Map, Value as Json, json};

use super::feature::{Feature, Features};
use super::luck::Luck;
use super::names::Names;

const RETRY_CLASSES: [&str; 9] = [
    "BadRequestError",
    "AuthenticationError",
    "TimeoutError",
    "RateLimitError",
    "ContentPolicyViolationError",
    "InternalServerError",
    "ServiceUnavailableError",
    "NotFoundError",
    "BadGatewayError",
];

/// Words that requests may carry as tags.
pub(super) const TAGS: [&str; 4] = ["free", "paid", "batch", "default"];

/// Regions as LiteLLM compares them with `allowed_model_region`.
pub(super) const REGIONS: [&str; 2] = ["eu", "us"];

/// A setting and its value: the path in the config, such as `router_settings.num_retries`.
pub(super) type Setting = (String, Json);

/// Draws settings for a config with these names.
pub(super) fn draw(luck: &mut Luck, features: Features, names: &Names) -> Vec<Setting> {
    let mut drawn = Drawn { luck, features, names, settings: Vec::new() };
    for index in 0..names.entries {
        drawn.entry(index);
    }
    drawn.strategy();
    drawn.retries();
    drawn.cooldowns();
    drawn.fallbacks();
    drawn.checks();
    drawn.settings
}

struct Drawn<'a> {
    luck: &'a mut Luck,
    features: Features,
    names: &'a Names,
    settings: Vec<Setting>,
}

impl Drawn<'_> {
    /// With this share, where the scenario has the feature.
    fn may(&mut self, feature: Feature, share: f64) -> bool {
        self.features.has(feature) && self.luck.chance(share)
    }

    fn router(&mut self, key: &str, value: impl Into<Json>) {
        // LiteLLM reads these from `litellm_settings` where `router_settings` is silent.
        const EITHER: [&str; 7] = [
            "num_retries",
            "allowed_fails",
            "fallbacks",
            "default_fallbacks",
            "context_window_fallbacks",
            "content_policy_fallbacks",
            "max_fallbacks",
        ];
        let elsewhere = EITHER.contains(&key) && self.may(Feature::LitellmSettings, 0.4);
        let section = if elsewhere { "litellm_settings" } else { "router_settings" };
        self.settings.push((format!("{section}.{key}"), value.into()));
    }

    /// One of these values under the key, with this share, where the scenario has the feature.
    fn one_of(&mut self, index: usize, (feature, share): (Feature, f64), place: &str, key: &str, values: &[Json]) {
        if self.may(feature, share) {
            let value = self.luck.of_these(values);
            self.put(index, place, key, value);
        }
    }

    fn put(&mut self, index: usize, place: &str, key: &str, value: impl Into<Json>) {
        let dot = if place.is_empty() { "" } else { "." };
        self.settings.push((format!("model_list.{index}.{place}{dot}{key}"), value.into()));
    }

    fn entry(&mut self, index: usize) {
        use Feature as F;
        const PARAMS: &str = "litellm_params";
        const INFO: &str = "model_info";
        const LIMITS: [&str; 5] = [PARAMS, PARAMS, PARAMS, INFO, ""];
        let numbers = |numbers: &[u64]| numbers.iter().map(|number| json!(number)).collect::<Vec<_>>();
        let place = self.luck.of_these(&LIMITS);
        self.one_of(index, (F::Limits, 0.6), place, "rpm", &numbers(&[0, 2, 6, 20, 60, 600]));
        let place = self.luck.of_these(&LIMITS);
        self.one_of(index, (F::Limits, 0.4), place, "tpm", &numbers(&[0, 500, 3_000, 20_000, 200_000]));
        let weights = [json!(0), json!(1), json!(2), json!(9), json!(0.5)];
        self.one_of(index, (F::Weights, 0.7), PARAMS, "weight", &weights);
        let place = self.luck.of_these(&[PARAMS, PARAMS, PARAMS, INFO]);
        self.one_of(index, (F::Orders, 0.7), place, "order", &numbers(&[1, 1, 2, 3]));
        let key = self.luck.of_these(&["timeout", "timeout", "request_timeout"]);
        let timeouts = [json!(0.5), json!(2), json!(5.5), json!(20), json!(60)];
        self.one_of(index, (F::Timeouts, 0.4), PARAMS, key, &timeouts);
        self.one_of(index, (F::Retries, 0.25), PARAMS, "num_retries", &numbers(&[0, 1, 2, 3]));
        self.one_of(index, (F::Retries, 0.1), PARAMS, "max_retries", &numbers(&[0, 1, 2]));
        let place = self.luck.of_these(&[PARAMS, PARAMS, INFO]);
        let times = [json!(-1), json!(0), json!(0.5), json!(2.5), json!(10), json!(90)];
        self.one_of(index, (F::Cooldowns, 0.4), place, "cooldown_time", &times);
        self.one_of(index, (F::AllowedFails, 0.25), INFO, "allowed_fails", &numbers(&[0, 1, 2, 3, 4]));
        if self.may(F::AllowedFails, 0.2) {
            let policy = policy(self.luck, "AllowedFails", 3);
            self.put(index, INFO, "allowed_fails_policy", policy);
        }
        self.one_of(index, (F::Parallel, 0.6), PARAMS, "max_parallel_requests", &numbers(&[0, 1, 2, 5, 20]));
        if self.may(F::Tags, 0.7) {
            let tags = self.luck.some_of(&TAGS, 2);
            self.put(index, PARAMS, "tags", tags);
        }
        self.one_of(index, (F::Regions, 0.8), PARAMS, "region_name", &REGIONS.map(Json::from));
        if self.may(F::Prices, 0.6) {
            let input = self.luck.of_these(&[json!(0), json!(0.000001), json!(0.001)]);
            let output = self.luck.of_these(&[json!(0), json!(0.000004), json!(0.003)]);
            self.put(index, PARAMS, "input_cost_per_token", input);
            self.put(index, PARAMS, "output_cost_per_token", output);
        }
        if self.may(F::Budgets, 0.5) {
            let dollars = self.luck.of_these(&[json!(0.001), json!(0.02), json!(0.5), json!(4), json!(0)]);
            let window = self.luck.of_these(&["10s", "30s", "1m", "1h"]);
            self.put(index, PARAMS, "max_budget", dollars);
            self.put(index, PARAMS, "budget_duration", window);
        }
        self.one_of(index, (F::ContextWindows, 0.6), INFO, "max_input_tokens", &numbers(&[200, 900, 4_000, 128_000]));
        self.one_of(index, (F::Blocked, 0.2), INFO, "blocked", &[json!(true)]);
    }

    fn strategy(&mut self) {
        if !self.features.has(Feature::Strategy) {
            if self.luck.chance(0.3) {
                self.router("routing_strategy", "simple-shuffle");
            }
            return;
        }
        let strategy = self.luck.of_these(&[
            "least-busy",
            "usage-based-routing",
            "usage-based-routing-v2",
            "latency-based-routing",
            "cost-based-routing",
        ]);
        self.router("routing_strategy", strategy);
        if strategy == "latency-based-routing" && self.features.has(Feature::StrategyArgs) {
            let mut args = Map::new();
            if self.luck.chance(0.5) {
                args.insert("lowest_latency_buffer".into(), self.luck.of_these(&[json!(0), json!(0.5), json!(2)]));
            }
            if self.luck.chance(0.4) {
                args.insert("ttl".into(), self.luck.of_these(&[json!(1), json!(20), json!(60)]));
            }
            if self.luck.chance(0.4) {
                args.insert("max_latency_list_size".into(), self.luck.of_these(&[json!(1), json!(2), json!(5)]));
            }
            self.router("routing_strategy_args", args);
        }
    }

    fn retries(&mut self) {
        if self.may(Feature::Retries, 0.8) {
            let retries = self.luck.between(0, 4);
            self.router("num_retries", retries);
        }
        if self.may(Feature::Retries, 0.1) {
            let retries = self.luck.between(0, 3);
            self.settings.push(("litellm_settings.num_retries_per_request".into(), retries.into()));
        }
        if self.may(Feature::RetryPolicies, 0.6) {
            let policy = policy(self.luck, "Retries", 3);
            self.router("retry_policy", policy);
        }
        if self.may(Feature::RetryPolicies, 0.6) {
            let group = self.luck.of_these(&self.names.asked);
            let policies = json!({ group: policy(self.luck, "Retries", 2) });
            self.router("model_group_retry_policy", policies);
        }
        if self.features.has(Feature::WaitSetting) {
            let wait = self.luck.of_these(&[0, 1, 3, 9]);
            self.router("retry_after", wait);
        }
        if self.may(Feature::Timeouts, 0.7) {
            let timeout = self.luck.of_these(&[json!(0.8), json!(3), json!(7.5), json!(30), json!(90)]);
            self.router("timeout", timeout);
        }
        if self.may(Feature::Timeouts, 0.2) {
            let timeout = self.luck.of_these(&[json!(2), json!(15), json!(600)]);
            self.settings.push(("litellm_settings.request_timeout".into(), timeout));
        }
        if self.features.has(Feature::DefaultParams) {
            let params = [json!({"timeout": 4.5}), json!({"max_retries": 1}), json!({"temperature": 0.5})];
            let params = self.luck.of_these(&params);
            self.router("default_litellm_params", params);
        }
    }

    fn cooldowns(&mut self) {
        if self.may(Feature::Cooldowns, 0.8) {
            let time = self.luck.of_these(&[json!(0), json!(0.5), json!(2), json!(5.5), json!(30), json!(120)]);
            self.router("cooldown_time", time);
        }
        if self.may(Feature::AllowedFails, 0.6) {
            let fails = self.luck.of_these(&[0, 1, 2, 3, 10]);
            self.router("allowed_fails", fails);
        }
        if self.may(Feature::AllowedFails, 0.5) {
            let policy = policy(self.luck, "AllowedFails", 3);
            self.router("allowed_fails_policy", policy);
        }
        if self.may(Feature::NoCooldowns, 0.5) {
            self.router("disable_cooldowns", true);
        }
    }

    fn fallbacks(&mut self) {
        let mut callable = self.names.asked.clone();
        if self.features.has(Feature::Aliases) {
            let mut aliases = Map::new();
            let groups = &self.names.groups;
            aliases.insert("smart".into(), self.luck.of_these(groups).into());
            if self.luck.chance(0.3) {
                let hidden = json!({ "model": self.luck.of_these(groups), "hidden": true });
                aliases.insert("hidden".into(), hidden);
            }
            callable.extend(aliases.keys().cloned());
            self.router("model_group_alias", aliases);
        }
        if self.features.has(Feature::Fallbacks) {
            let mut chains = Vec::new();
            for group in callable.clone() {
                if self.luck.chance(0.65) {
                    let targets = self.targets(&group, &callable);
                    chains.push(json!({ group: targets }));
                }
            }
            if self.luck.chance(0.15) {
                let targets = self.targets("*", &callable);
                chains.push(json!({ "*": targets }));
            }
            self.router("fallbacks", chains);
        }
        if self.features.has(Feature::DefaultFallbacks) {
            let targets = self.luck.some_of(&callable, 2);
            self.router("default_fallbacks", targets);
        }
        for kind in ["context_window_fallbacks", "content_policy_fallbacks"] {
            if self.may(Feature::TypedFallbacks, 0.7) {
                let mut chains = Vec::new();
                for group in self.luck.some_of(&callable, 3) {
                    let targets = self.targets(&group, &callable);
                    chains.push(json!({ group: targets }));
                }
                self.router(kind, chains);
            }
        }
        if self.features.has(Feature::MaxFallbacks) {
            let most = self.luck.between(0, 3);
            self.router("max_fallbacks", most);
        }
        if self.features.has(Feature::WeightedFailover) {
            self.router("enable_weighted_failover", true);
        }
    }

    /// Where a group falls back to.
    fn targets(&mut self, group: &str, callable: &[String]) -> Vec<Json> {
        let odd = self.features.has(Feature::OddFallbacks);
        let others: Vec<String> = callable.iter().filter(|name| odd || *name != group).cloned().collect();
        let mut targets = if others.is_empty() { vec![group.to_owned()] } else { self.luck.some_of(&others, 3) };
        if odd && self.luck.chance(0.15) {
            targets.push(targets[0].clone());
        }
        if odd && self.luck.chance(0.1) {
            targets.push("nowhere".to_owned());
        }
        let maps = self.features.has(Feature::FallbackMaps);
        let mut with_params = |target: String| {
            if !maps || !self.luck.chance(0.3) {
                return Json::String(target);
            }
            match self.luck.below(4) {
                0 => json!({ "model": target, "timeout": 0.7 }),
                1 => json!({ "model": target, "num_retries": 1 }),
                2 => json!({ "model": target, "temperature": 0.5 }),
                _ => json!({ "model": target }),
            }
        };
        targets.into_iter().map(&mut with_params).collect()
    }

    fn checks(&mut self) {
        if self.features.has(Feature::PreCallChecks) {
            self.router("enable_pre_call_checks", true);
        }
        if self.features.has(Feature::EnforcedLimits) {
            self.router("optional_pre_call_checks", json!(["enforce_model_rate_limits"]));
        }
        if self.may(Feature::Parallel, 0.3) {
            let most = self.luck.of_these(&[1, 4, 30]);
            self.router("default_max_parallel_requests", most);
        }
        if self.features.has(Feature::Tags) {
            self.router("enable_tag_filtering", true);
            if self.luck.chance(0.4) {
                self.router("tag_filtering_match_any", false);
            }
        }
    }
}

/// A number for some kinds of errors: `RateLimitErrorRetries: 2`.
fn policy(luck: &mut Luck, suffix: &str, most: u64) -> Json {
    let mut policy = Map::new();
    for class in luck.some_of(&RETRY_CLASSES, 4) {
        policy.insert(format!("{class}{suffix}"), luck.between(0, most).into());
    }
    Json::Object(policy)
}
