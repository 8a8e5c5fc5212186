//! What differs between LiteLLM releases, as data. No logic anywhere asks for a version number.

/// A LiteLLM release whose Router is modelled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Release {
    /// LiteLLM 1.80.17.
    V1_80_17,
    /// LiteLLM 1.109.1, the reference.
    #[default]
    V1_109_1,
}

impl Release {
    /// Every release that is modelled, oldest first.
    pub const ALL: [Self; 2] = [Self::V1_80_17, Self::V1_109_1];

    /// The release's number as PyPI writes it.
    pub const fn number(self) -> &'static str {
        match self {
            Self::V1_80_17 => "1.80.17",
            Self::V1_109_1 => "1.109.1",
        }
    }

    /// The release of that number, if it is modelled.
    pub fn from_number(number: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|release| release.number() == number)
    }

    /// How this release decides.
    pub const fn rules(self) -> Rules {
        match self {
            Self::V1_80_17 => Rules::V1_80_17,
            Self::V1_109_1 => Rules::V1_109_1,
        }
    }
}

impl core::fmt::Display for Release {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.number())
    }
}

/// What a call above a deployment's concurrency cap gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FullDeployment {
    /// It waits in line, without limit (LiteLLM 1.80: an `asyncio.Semaphore`).
    Waits,
    /// It is refused with a 429 at once (LiteLLM 1.109: `MaxParallelRequestsLimit.acquire`).
    Refused,
}

/// Which candidates simple-shuffle asks for a weight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShuffleMetric {
    /// The first candidate alone decides between `weight`, `rpm`, `tpm` and no weights.
    OfTheFirst,
    /// The first of `weight`, `rpm`, `tpm` that is positive for any candidate.
    OfAny,
}

/// Where a full list of latency samples takes the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FullSampleList {
    /// In the place of the last: the others never change again.
    ReplacesLast,
    /// At the end; the oldest goes.
    DropsOldest,
}

/// What happens when a stream is cut in the middle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CutStream {
    /// The fallback chain goes on with the answer (LiteLLM 1.80: `_acompletion_streaming_iterator`).
    FallsBack,
    /// The error reaches the caller, once the first chunk was passed on.
    Surfaces,
}

/// How one release decides, wherever releases differ. The names of LiteLLM's functions say where the rule lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    // ---- names and candidates ----------------------------------------------------------------------------------
    /// A deployment without a price of its own has the last price that another one with the same model was given, for
    /// prices get into the cost map with the rest of `model_info` (`_create_deployment`, `register_model`).
    pub prices_leak: bool,
    /// A deployment id is taken for that one deployment even when a model group has the same name
    /// (`_common_checks_available_deployment`).
    pub id_beats_group: bool,
    /// Deployments marked `model_info.blocked` are left out (`_filter_blocked_deployments`).
    pub honours_blocked: bool,
    /// `order` counts without `enable_pre_call_checks`, and `model_info.order` is read too
    /// (`get_order_filtered_deployments`, `get_deployment_order`).
    pub order_always: bool,
    /// When all of one `order` level failed, the next level is tried before any other group
    /// (`async_function_with_fallbacks_common_utils`).
    pub order_levels_fall_back: bool,
    /// The pre-call checks leave out deployments whose `rpm` are used up (`_pre_call_checks`).
    pub pre_call_rpm: bool,
    /// Request tags that some deployment of the group has, but no candidate, are an error even when there are
    /// default deployments (`get_deployments_for_tag`).
    pub known_tags_skip_defaults: bool,
    /// Deployments that answered a request with a status nobody retries are passed over by its retries
    /// (`_deployment_ids_to_skip_on_retry`).
    pub retry_skips_refusers: bool,
    /// The `status_code` of "no deployments available" (`RouterRateLimitError`).
    pub no_deployments_status: Option<u16>,

    // ---- strategies and limits ---------------------------------------------------------------------------------
    /// Whose weights simple-shuffle uses (`simple_shuffle`).
    pub shuffle_metric: ShuffleMetric,
    /// Least-busy keeps one count per deployment, for an hour, never below zero, and takes the first candidate with
    /// the smallest. Otherwise one map per group, for ten minutes, in which deployments keep their place
    /// (`LeastBusyLoggingHandler`).
    pub least_busy_per_deployment: bool,
    /// What becomes of latency samples above the limit (`LowestLatencyLoggingHandler`).
    pub full_sample_list: FullSampleList,
    /// The seconds of an answer without tokens are a latency like any other; otherwise such a sample counts towards the
    /// number of samples and adds nothing to their sum.
    pub tokenless_samples_add: bool,
    /// Time to first token counts in seconds; otherwise per token written, and its mean is taken over the number of
    /// latency samples.
    pub ttft_in_seconds: bool,
    /// A stream's tokens count towards the usage of its minute; otherwise only those of whole answers do.
    pub counts_stream_tokens: bool,
    /// `optional_pre_call_checks: [enforce_model_rate_limits]` is known (`ModelRateLimitingCheck`).
    pub enforces_model_rate_limits: bool,
    /// What a call above `max_parallel_requests` gets.
    pub full_deployment: FullDeployment,
    /// A thousand `tpm` make six calls at a time, of a deployment that has nothing but `tpm`; otherwise six thousand
    /// make one (`calculate_max_parallel_requests`).
    pub six_calls_per_kilotoken: bool,
    /// The concurrency slot is held until a stream ends, not only until it begins.
    pub slot_covers_stream: bool,

    // ---- retries -----------------------------------------------------------------------------------------------
    /// A request's `num_retries` wins over the failed deployment's, and 0 of them switches retry policies off
    /// (`async_function_with_retries`).
    pub request_retries_win: bool,
    /// Errors of calls carry `litellm_settings.num_retries` where the deployment has none of its own, so that it goes
    /// before the request's and `router_settings` (`_get_wrapper_num_retries`).
    pub call_errors_carry_global_retries: bool,
    /// A matching retry policy replaces the check whether an error may be retried at all.
    pub retry_policy_replaces_check: bool,
    /// Retry policies know InternalServerError, ServiceUnavailableError, NotFoundError and a default, and look at
    /// the most specific class first (`get_num_retries_from_retry_policy`).
    pub wide_retry_policy: bool,
    /// Errors with a status that is not 401, 403, 408, 409, 429 or at least 500 are not retried
    /// (`should_retry_this_error`).
    pub retries_by_status: bool,
    /// A permission error of a group's only deployment is not retried, like an authentication error.
    pub permission_needs_another: bool,
    /// The retry layer checks after every failure and raises the newest error; otherwise it checks once and raises
    /// the first.
    pub rechecks_each_failure: bool,
    /// `num_retries_per_request` counts the retries and hops of that request; otherwise those of all requests together,
    /// up to four, once the request has had one of its own (`log_retry`).
    pub retries_counted_per_request: bool,
    /// A deployment's `num_retries` is also the number of retries of the provider's HTTP client.
    pub client_retries: bool,
    /// `litellm_settings.request_timeout` goes before `router_settings.timeout` (`_get_timeout`).
    pub request_timeout_first: bool,

    // ---- cooldowns ---------------------------------------------------------------------------------------------
    /// A timeout that the caller asked for does not count (`is_caller_timeout_408`).
    pub caller_timeouts_exempt: bool,
    /// A cooldown ends by its own length even while the cache still keeps it, for when a longer one was begun before
    /// (`_corrected_active_cooldown`).
    pub cooldown_ends_by_length: bool,
    /// A failure to choose somebody is told from a failure of a deployment (`mark_deployment_selection_failure`).
    pub marks_selection_failures: bool,
    /// The pre-call checks count the prompt's tokens in a thread, so that others go first meanwhile
    /// (`_acount_pre_call_check_tokens`).
    pub counts_tokens_in_thread: bool,
    /// A failure that nobody waits for is reported in a task that hands the cooldown's part on to a thread; otherwise
    /// the thread begins with the task (`dispatch_failure_handlers`).
    pub reports_end_in_thread: bool,
    /// 402 may start a cooldown (`_is_cooldown_required`).
    pub cools_402: bool,
    /// `allowed_fails` counts as set whenever `router_settings` has it, even with the default's value
    /// (`_is_allowed_fails_set_on_router`).
    pub allowed_fails_set_when_written: bool,
    /// An `allowed_fails_policy` value of 0 means 0; otherwise it means nothing is set.
    pub policy_zero_counts: bool,
    /// `allowed_fails_policy` knows all nine classes; otherwise the first five.
    pub wide_allowed_fails_policy: bool,
    /// Every counted failure goes up the counter; otherwise the one that trips it does not, so that each further
    /// one trips again (`should_cooldown_based_on_allowed_fails_policy`).
    pub counts_the_tripping_fail: bool,
    /// The only deployment of a group without fallbacks is not cooled by counting, unless a policy names the error
    /// (`_should_cooldown_deployment`).
    pub lone_is_exempt_from_counts: bool,
    /// `allowed_fails`, `allowed_fails_policy` and `cooldown_time` are read from `model_info`
    /// (`_get_deployment_cooldown_policy`).
    pub deployment_cooldown_policy: bool,
    /// Behind the proxy, the final error of each fallback hop is weighed for a cooldown, once the request has
    /// already counted a failure (`_trigger_cooldown_for_failed_deployment`).
    pub weighs_failed_hops: bool,
    /// What breaks a stream while it is read is reported on a record of the attempt's own, so that it does not keep
    /// later failures of the request from being reported (`dispatch_attempt_failure_handlers`).
    pub broken_streams_have_own_record: bool,
    /// Behind the proxy, only the first failure of a streaming request counts, as of any other; otherwise all of a
    /// streaming request's failures do (`mark_logging_complete`, formerly `has_run_logging`).
    pub streams_count_one_failure: bool,

    // ---- fallbacks ---------------------------------------------------------------------------------------------
    /// A request does not try a fallback target twice (`AttemptedFallbackTargets`).
    pub remembers_targets: bool,
    /// A hop without a chain of its own goes on with the chain of the name that was asked for
    /// (`fallback_lookup_groups`).
    pub resumes_original_chain: bool,
    /// Context-window and content-policy lists know `*` and provider prefixes, as `fallbacks` do; otherwise exact
    /// names only.
    pub typed_lists_know_star: bool,
    /// A fallback key with the provider's prefix is found for a name without it (`_provider_prefixed_model_group`).
    pub finds_prefixed_keys: bool,
    /// `enable_weighted_failover` is known (`_maybe_run_weighted_failover`).
    pub weighted_failover: bool,

    // ---- streams and errors ------------------------------------------------------------------------------------
    /// A stream's first chunk is read within the attempt, so that its failure is retried; otherwise the attempt is
    /// over with the headers (`_aread_first_chunk`).
    pub awaits_first_chunk: bool,
    /// What a cut in the middle of a stream does.
    pub cut_stream: CutStream,
    /// A stream that ends without saying so is an error.
    pub truncation_is_error: bool,
    /// An error takes the status of the answer it was made from; otherwise its class has one status.
    pub keeps_upstream_status: bool,
    /// A bare "429" in an error's text makes a rate-limit error whatever the status; otherwise only of a 429.
    pub bare_429_always: bool,
    /// The context-window phrases that came later are known, and what excludes them.
    pub late_context_phrases: bool,
    /// A text with `invalid_request_error` keeps 401 and 404 apart; otherwise all of them are a 400.
    pub invalid_request_keeps_status: bool,
    /// Azure: the code `context_length_exceeded` is a context-window error, and a 404 a NotFoundError.
    pub azure_knows_codes: bool,
    /// The proxy tells its client when to come back when all deployments rest.
    pub tells_retry_after: bool,
}

impl Rules {
    /// LiteLLM 1.80.17.
    pub const V1_80_17: Self = Self {
        prices_leak: true,
        id_beats_group: true,
        honours_blocked: false,
        order_always: false,
        order_levels_fall_back: false,
        pre_call_rpm: true,
        known_tags_skip_defaults: false,
        retry_skips_refusers: false,
        no_deployments_status: None,
        shuffle_metric: ShuffleMetric::OfTheFirst,
        least_busy_per_deployment: false,
        full_sample_list: FullSampleList::ReplacesLast,
        tokenless_samples_add: false,
        ttft_in_seconds: false,
        counts_stream_tokens: true,
        enforces_model_rate_limits: false,
        full_deployment: FullDeployment::Waits,
        six_calls_per_kilotoken: false,
        slot_covers_stream: false,
        request_retries_win: false,
        call_errors_carry_global_retries: true,
        retry_policy_replaces_check: false,
        wide_retry_policy: false,
        retries_by_status: false,
        permission_needs_another: false,
        rechecks_each_failure: false,
        retries_counted_per_request: false,
        client_retries: true,
        request_timeout_first: false,
        caller_timeouts_exempt: false,
        cooldown_ends_by_length: false,
        marks_selection_failures: false,
        counts_tokens_in_thread: false,
        reports_end_in_thread: false,
        cools_402: false,
        allowed_fails_set_when_written: false,
        policy_zero_counts: false,
        wide_allowed_fails_policy: false,
        counts_the_tripping_fail: false,
        lone_is_exempt_from_counts: false,
        deployment_cooldown_policy: false,
        weighs_failed_hops: false,
        broken_streams_have_own_record: false,
        streams_count_one_failure: false,
        remembers_targets: false,
        resumes_original_chain: false,
        typed_lists_know_star: false,
        finds_prefixed_keys: false,
        weighted_failover: false,
        awaits_first_chunk: false,
        cut_stream: CutStream::FallsBack,
        truncation_is_error: false,
        keeps_upstream_status: false,
        bare_429_always: true,
        late_context_phrases: false,
        invalid_request_keeps_status: false,
        azure_knows_codes: false,
        tells_retry_after: false,
    };

    /// LiteLLM 1.109.1.
    pub const V1_109_1: Self = Self {
        prices_leak: false,
        id_beats_group: false,
        honours_blocked: true,
        order_always: true,
        order_levels_fall_back: true,
        pre_call_rpm: false,
        known_tags_skip_defaults: true,
        retry_skips_refusers: true,
        no_deployments_status: Some(429),
        shuffle_metric: ShuffleMetric::OfAny,
        least_busy_per_deployment: true,
        full_sample_list: FullSampleList::DropsOldest,
        tokenless_samples_add: true,
        ttft_in_seconds: true,
        counts_stream_tokens: false,
        enforces_model_rate_limits: true,
        full_deployment: FullDeployment::Refused,
        six_calls_per_kilotoken: true,
        slot_covers_stream: true,
        request_retries_win: true,
        call_errors_carry_global_retries: false,
        retry_policy_replaces_check: true,
        wide_retry_policy: true,
        retries_by_status: true,
        permission_needs_another: true,
        rechecks_each_failure: true,
        retries_counted_per_request: true,
        client_retries: false,
        request_timeout_first: true,
        caller_timeouts_exempt: true,
        cooldown_ends_by_length: true,
        marks_selection_failures: true,
        counts_tokens_in_thread: true,
        reports_end_in_thread: true,
        cools_402: true,
        allowed_fails_set_when_written: true,
        policy_zero_counts: true,
        wide_allowed_fails_policy: true,
        counts_the_tripping_fail: true,
        lone_is_exempt_from_counts: true,
        deployment_cooldown_policy: true,
        weighs_failed_hops: true,
        broken_streams_have_own_record: true,
        streams_count_one_failure: true,
        remembers_targets: true,
        resumes_original_chain: true,
        typed_lists_know_star: true,
        finds_prefixed_keys: true,
        weighted_failover: true,
        awaits_first_chunk: true,
        cut_stream: CutStream::Surfaces,
        truncation_is_error: true,
        keeps_upstream_status: true,
        bare_429_always: false,
        late_context_phrases: true,
        invalid_request_keeps_status: true,
        azure_knows_codes: true,
        tells_retry_after: true,
    };
}
