//! The rules by name: which one is behind a difference between two releases is found by taking them over one by one.

use crate::rules::Rules;

/// One rule in which releases may differ.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name: that of the field in [`Rules`].
    pub name: &'static str,
    /// What it is about, in a few words for people.
    pub about: &'static str,
    take: fn(&mut Rules, &Rules),
    differs: fn(&Rules, &Rules) -> bool,
}

impl Rule {
    /// `rules` with this one rule as `other` has it; `None` when they agree on it.
    pub fn taken_over(&self, mut rules: Rules, other: &Rules) -> Option<Rules> {
        if !(self.differs)(&rules, other) {
            return None;
        }
        (self.take)(&mut rules, other);
        Some(rules)
    }
}

macro_rules! catalogue {
    ($($name:ident: $about:literal,)*) => {
        impl Rules {
            /// Every rule, in the order of the fields.
            pub const CATALOGUE: &[Rule] = &[$(Rule {
                name: stringify!($name),
                about: $about,
                take: |rules, other| rules.$name = other.$name,
                differs: |rules, other| rules.$name != other.$name,
            }),*];

            /// A field that the catalogue lacks does not compile.
            const _COMPLETE: fn(Self) = |rules| {
                let Self { $($name: _),* } = rules;
            };
        }
    };
}

catalogue! {
    prices_leak: "whether a deployment's price becomes that of others with its model",
    id_beats_group: "whether a deployment's id goes before a group of the same name",
    honours_blocked: "whether model_info.blocked counts",
    order_always: "whether order counts without enable_pre_call_checks",
    order_levels_fall_back: "whether the next order level is tried before another group",
    pre_call_rpm: "whether the pre-call checks look at rpm",
    known_tags_skip_defaults: "what happens to tags that only other deployments have",
    retry_skips_refusers: "whether a retry passes over a deployment that refused for good",
    no_deployments_status: "the status of \"no deployments available\"",
    shuffle_metric: "whose weights simple-shuffle uses",
    least_busy_per_deployment: "how least-busy counts",
    full_sample_list: "which latency sample a full list gives up",
    tokenless_samples_add: "what an answer without tokens adds to a deployment's latency",
    ttft_in_seconds: "how the time to the first token is measured",
    counts_stream_tokens: "whether the tokens of a stream count towards the usage of its minute",
    enforces_model_rate_limits: "whether enforce_model_rate_limits is known",
    full_deployment: "what a call above max_parallel_requests gets",
    six_calls_per_kilotoken: "how many calls at a time tpm amounts to",
    slot_covers_stream: "whether a stream holds its place to its end",
    request_retries_win: "whose num_retries goes first, the request's or the deployment's",
    call_errors_carry_global_retries: "whether litellm_settings.num_retries goes before a request's own",
    retry_policy_replaces_check: "whether a retry policy makes every error retryable",
    wide_retry_policy: "which classes a retry policy knows",
    retries_by_status: "which statuses are retried",
    permission_needs_another: "whether a lone deployment's permission error is retried",
    rechecks_each_failure: "which failures are checked, and which error is raised in the end",
    retries_counted_per_request: "whose retries num_retries_per_request counts",
    client_retries: "whether num_retries of a deployment is also its HTTP client's",
    request_timeout_first: "whether request_timeout goes before router_settings.timeout",
    caller_timeouts_exempt: "whether a timeout that the caller chose counts",
    cooldown_ends_by_length: "whether a shorter cooldown ends a longer one",
    marks_selection_failures: "whether a refusal counts for whoever is called next",
    counts_tokens_in_thread: "whether a refused call's report comes before the next one is chosen",
    reports_end_in_thread: "whom a refused call's report cools when a retry follows at once",
    cools_402: "whether a 402 cools",
    allowed_fails_set_when_written: "when allowed_fails counts as set",
    policy_zero_counts: "what 0 means in an allowed_fails_policy",
    wide_allowed_fails_policy: "which classes an allowed_fails_policy knows",
    counts_the_tripping_fail: "whether the failure that trips is counted itself",
    lone_is_exempt_from_counts: "whether a lone deployment is cooled by counting",
    deployment_cooldown_policy: "whether model_info has a say in cooldowns",
    weighs_failed_hops: "whether the last error of a fallback hop is weighed",
    broken_streams_have_own_record: "whether a broken stream is the one failure of its request that counts",
    streams_count_one_failure: "how many failures of a streaming request count",
    remembers_targets: "whether a request tries a fallback target twice",
    resumes_original_chain: "which chain a hop without a chain of its own follows",
    typed_lists_know_star: "whether context-window and content-policy lists know *",
    finds_prefixed_keys: "whether a fallback key with a provider's prefix is found",
    weighted_failover: "whether enable_weighted_failover is known",
    awaits_first_chunk: "whether an attempt lasts until the first chunk of its stream",
    cut_stream: "what a cut in the middle of a stream does",
    truncation_is_error: "whether a stream that just ends is an error",
    keeps_upstream_status: "whether an error keeps the status of the answer",
    bare_429_always: "whether the number 429 in a text makes a rate-limit error",
    late_context_phrases: "which phrases tell of the context window",
    invalid_request_keeps_status: "what invalid_request_error makes of a 401 or a 404",
    azure_knows_codes: "which of Azure's codes are known",
    tells_retry_after: "whether the proxy says when to come back",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_over_every_rule_makes_the_other_release() {
        let mut rules = Rules::V1_80_17;
        for rule in Rules::CATALOGUE {
            rules = rule.taken_over(rules, &Rules::V1_109_1).unwrap_or(rules);
        }
        assert_eq!(rules, Rules::V1_109_1);
    }

    #[test]
    fn a_rule_on_which_both_agree_makes_no_difference() {
        for rule in Rules::CATALOGUE {
            assert!(rule.taken_over(Rules::V1_109_1, &Rules::V1_109_1).is_none(), "{}", rule.name);
        }
    }
}
