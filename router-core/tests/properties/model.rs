//! LiteLLM 1.109.1's Router written for clarity alone: one request at a time, nested functions, plain lists, no timers.
//!
//! A request's life is three functions inside each other. [`Model::with_fallbacks`] calls [`Model::with_retries`],
//! which calls [`Model::attempt`]; waiting is adding to the time. What the three share with other requests - who rests,
//! who failed how often - are lists that are searched from the front.

use router_core::{
    Config, ErrorClass, FallbackEntry, FallbackTarget, Mode, ModelEntry, Number, RetryPolicy, Span, Time,
};

use crate::world::{Dice, Event, Reply, ReplyKind, Request, Story, Tale};

/// The Router, and the world around it.
pub(crate) struct Model<'s> {
    story: &'s Story,
    config: &'s Config,
    now: Time,
    dice: Dice,
    /// Who rests until when. The first entry that is not over counts.
    resting: Vec<(usize, Time)>,
    /// Successes and failures per deployment, each in its own minute.
    outcomes: Vec<Count>,
    /// Failures that `allowed_fails` counts.
    fails: Vec<Count>,
    tale: Tale,
}

/// How often something happened to a deployment within a stretch of time that its first time began.
struct Count {
    deployment: usize,
    success: bool,
    over: Time,
    times: u32,
}

/// One request on its way through the layers.
struct Life<'s> {
    request: &'s Request,
    calls: usize,
    /// When the newest call began, and its timeout.
    newest: Option<(Time, Span)>,
    /// How many calls were made when a failure was reported; behind the proxy no other is.
    reported: Option<usize>,
    /// Groups that failed and targets that were tried.
    tried: Vec<String>,
}

/// An exception.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Exception {
    class: ErrorClass,
    status: Option<u16>,
    deployment: Option<usize>,
    retry_after: Option<i64>,
    /// The caller chose the timeout that struck.
    callers_choice: bool,
}

const CONTEXT_WINDOW: ErrorClass = ErrorClass::ContextWindowExceededError;
const CONTENT_POLICY: ErrorClass = ErrorClass::ContentPolicyViolationError;

impl<'s> Model<'s> {
    pub(crate) fn new(story: &'s Story) -> Self {
        let dice = Dice::new(story.seed);
        let config = &story.config;
        let (resting, outcomes, fails) = (Vec::new(), Vec::new(), Vec::new());
        Self { story, config, now: Time::ZERO, dice, resting, outcomes, fails, tale: Vec::new() }
    }

    /// When the last request was answered.
    pub(crate) fn now(&self) -> Time {
        self.now
    }

    /// Lives through one request that arrives at `at`.
    pub(crate) fn live(&mut self, index: usize, at: Time) -> Tale {
        self.now = at;
        let story = self.story;
        let request = &story.requests[index];
        let mut life = Life { request, calls: 0, newest: None, reported: None, tried: Vec::new() };
        let outcome = self.with_fallbacks(&mut life, &request.model, 0);
        self.tell(Event::Answered { by: outcome.map_err(|error| (error.class, error.status)) });
        std::mem::take(&mut self.tale)
    }

    fn tell(&mut self, event: Event) {
        self.tale.push((self.now, event));
    }

    // ---- the fallback layer ------------------------------------------------------------------------------------

    fn with_fallbacks(&mut self, life: &mut Life<'s>, group: &str, depth: i64) -> Result<usize, Exception> {
        let error = match self.with_retries(life, group) {
            Ok(deployment) => return Ok(deployment),
            Err(error) => error,
        };
        if life.request.params.disable_fallbacks == Some(true) || depth >= self.max_fallbacks() {
            return Err(error);
        }
        let Some(targets) = self.targets(life, group, error) else { return Err(error) };
        life.tried.push(group.to_owned());
        let mut depth = depth;
        for target in targets {
            if life.tried.contains(&target) {
                continue;
            }
            life.tried.push(target.clone());
            depth += 1;
            match self.with_fallbacks(life, &target, depth) {
                Ok(deployment) => return Ok(deployment),
                Err(error) => self.weigh_hop(life, error),
            }
        }
        Err(error)
    }

    /// Where to go when `group` fails with `error`.
    fn targets(&self, life: &Life<'s>, group: &str, error: Exception) -> Option<Vec<String>> {
        if let Some(own) = &life.request.params.fallbacks {
            return Some(own.iter().map(name).collect());
        }
        let list = match error.class {
            CONTEXT_WINDOW if self.context_window_fallbacks().is_some() => self.context_window_fallbacks()?,
            CONTENT_POLICY if self.content_policy_fallbacks().is_some() => self.content_policy_fallbacks()?,
            _ => self.fallbacks()?,
        };
        let of = |key: &str| list.iter().find(|entry| entry.group == key);
        // Its own chain, else the one of the name that was asked for, else the one for everybody.
        let chain =
            of(group).or_else(|| of(&life.request.model)).or_else(|| list.iter().rfind(|entry| entry.group == "*"))?;
        Some(chain.targets.iter().map(name).collect())
    }

    /// Behind the proxy a failed hop is weighed for a cooldown, if the failure that was reported is an earlier one.
    fn weigh_hop(&mut self, life: &Life<'s>, error: Exception) {
        let params = &life.request.params;
        // The caller's own timeout excuses it when the newest call took that long, whichever call the error is of.
        let callers_choice = (params.timeout.is_some() || params.request_timeout.is_some())
            && error.status == Some(408)
            && life.newest.is_some_and(|(since, timeout)| self.now.since(since) >= timeout);
        if self.config.mode == Mode::Proxy
            && life.reported.is_some_and(|calls| calls != life.calls)
            && !callers_choice
            && let Some(deployment) = error.deployment
        {
            self.weigh(deployment, error, None);
        }
    }

    // ---- the retry layer ---------------------------------------------------------------------------------------

    fn with_retries(&mut self, life: &mut Life<'s>, group: &str) -> Result<usize, Exception> {
        let mut skipped = Vec::new();
        let mut error = match self.attempt(life, group, &skipped) {
            Ok(deployment) => return Ok(deployment),
            Err(error) => error,
        };
        let policy = self.policy_retries(life, group, error);
        let retries = policy.or(life.request.params.num_retries).or_else(|| self.deployment_retries(error));
        let retries = retries.unwrap_or_else(|| self.router_retries());
        if policy.is_none() && !self.may_retry(life, group, error) || retries <= 0 {
            return Err(error);
        }
        for failed in 0..=retries {
            if failed > 0 && policy.is_none() && !self.may_retry(life, group, error) {
                return Err(error);
            }
            if error.status.is_some_and(|status| !may_go_away(status)) {
                skipped.extend(error.deployment);
            }
            self.wait(group, error, failed);
            if failed == retries {
                break;
            }
            error = match self.attempt(life, group, &skipped) {
                Ok(deployment) => return Ok(deployment),
                Err(error) => error,
            };
        }
        Err(error)
    }

    fn may_retry(&self, life: &Life<'s>, group: &str, error: Exception) -> bool {
        let (all, healthy) = (self.members(group).len(), self.healthy(group).len());
        let has_fallbacks = match &life.request.params.fallbacks {
            Some(own) => !own.is_empty(),
            None => self.fallbacks().is_some_and(|list| !list.is_empty()),
        };
        if error.class == CONTEXT_WINDOW && self.context_window_fallbacks().is_some() {
            return false;
        }
        if error.class == CONTENT_POLICY && self.content_policy_fallbacks().is_some() {
            return false;
        }
        if error.status.is_some_and(|status| !may_go_away(status) && status != 401 && status != 403) {
            return false;
        }
        if error.class == ErrorClass::RateLimitError && healthy == 0 && has_fallbacks {
            return false;
        }
        if error.class == ErrorClass::AuthenticationError && all <= 1 {
            return false;
        }
        healthy > 0
    }

    /// The wait after the `failed`-th failed retry; before the first retry it is 0.
    fn wait(&mut self, group: &str, error: Exception, failed: i64) {
        if self.members(group).len() != 1 && !self.healthy(group).is_empty() {
            return;
        }
        let jitter = 0.75 * self.dice.at(self.now).roll();
        let wait = match error.retry_after {
            Some(secs) if 0 < secs && secs <= 60 => secs as f64,
            _ => {
                let floor = self.config.router_settings.retry_after.unwrap_or(0.0);
                (0.5 * f64::from(2u32.pow(failed as u32))).max(floor).min(8.0)
            }
        };
        self.now += Span::from_secs_f64(wait + jitter);
    }

    /// The number of retries that a retry policy has for the error.
    fn policy_retries(&self, life: &Life<'s>, group: &str, error: Exception) -> Option<i64> {
        if life.request.params.num_retries == Some(0) {
            return None;
        }
        let settings = &self.config.router_settings;
        let own = settings.model_group_retry_policy.iter().find(|(name, _)| name == group).map(|(_, policy)| policy);
        let policy = own.or(settings.retry_policy.as_ref())?;
        policy_field(policy, error).or(policy.default)
    }

    fn deployment_retries(&self, error: Exception) -> Option<i64> {
        match self.config.model_list[error.deployment?].num_retries {
            Some(Number::Is(number)) => Some(number as i64),
            _ => None,
        }
    }

    // ---- one attempt -------------------------------------------------------------------------------------------

    fn attempt(&mut self, life: &mut Life<'s>, group: &str, skipped: &[usize]) -> Result<usize, Exception> {
        let Some(deployment) = self.choose(group, skipped) else {
            let class = if self.members(group).is_empty() {
                ErrorClass::BadRequestError
            } else {
                ErrorClass::RouterRateLimitError
            };
            let status = Some(if class == ErrorClass::BadRequestError { 400 } else { 429 });
            self.tell(Event::Nobody { group: group.to_owned(), error: (class, status) });
            // The failure that is reported is this one, and it is nobody's.
            life.reported.get_or_insert(life.calls);
            return Err(Exception { class, status, deployment: None, retry_after: None, callers_choice: false });
        };
        let entry = &self.config.model_list[deployment];
        let timeout = self.timeout(life, entry);
        self.tell(Event::Called { group: group.to_owned(), deployment, timeout });
        let call = life.calls;
        life.calls += 1;
        life.newest = Some((self.now, timeout));
        let reply = life.request.reply(call);
        match self.outcome(life, deployment, reply, timeout) {
            Ok(()) => {
                self.tell(Event::Ended { deployment, error: None });
                let over = self.now + Span::from_secs(60);
                count(&mut self.outcomes, self.now, Count { deployment, success: true, over, times: 1 });
                Ok(deployment)
            }
            Err(error) => {
                self.tell(Event::Ended { deployment, error: Some((error.class, error.status)) });
                if self.config.mode == Mode::Sdk || life.reported.is_none() {
                    life.reported = Some(life.calls);
                    if !error.callers_choice {
                        self.weigh(deployment, error, Some(group));
                    }
                }
                Err(error)
            }
        }
    }

    /// Lets the call's time pass and says what came of it.
    fn outcome(&mut self, life: &Life<'s>, deployment: usize, reply: Reply, timeout: Span) -> Result<(), Exception> {
        let timed_out = reply.kind == ReplyKind::Hang || reply.after >= timeout;
        self.now += if timed_out { timeout } else { reply.after };
        let failed = |class, status| {
            Err(Exception {
                class,
                status: Some(status),
                deployment: Some(deployment),
                retry_after: None,
                callers_choice: false,
            })
        };
        if timed_out {
            let params = &life.request.params;
            let callers_choice =
                self.config.mode == Mode::Proxy && (params.timeout.is_some() || params.request_timeout.is_some());
            return Err(Exception {
                class: ErrorClass::Timeout,
                status: Some(408),
                deployment: Some(deployment),
                retry_after: None,
                callers_choice,
            });
        }
        match reply.kind {
            ReplyKind::Answer | ReplyKind::Hang => Ok(()),
            ReplyKind::ContextWindow => failed(CONTEXT_WINDOW, 400),
            ReplyKind::ContentPolicy => failed(CONTENT_POLICY, 400),
            ReplyKind::Refused => failed(ErrorClass::InternalServerError, 500),
            ReplyKind::Status(status, retry_after) => {
                let class = match status {
                    400 | 422 => ErrorClass::BadRequestError,
                    401 => ErrorClass::AuthenticationError,
                    404 => ErrorClass::NotFoundError,
                    408 | 504 => ErrorClass::Timeout,
                    429 => ErrorClass::RateLimitError,
                    500 => ErrorClass::InternalServerError,
                    502 => ErrorClass::BadGatewayError,
                    503 => ErrorClass::ServiceUnavailableError,
                    _ => ErrorClass::APIError,
                };
                failed(class, status).map_err(|error| Exception { retry_after, ..error })
            }
        }
    }

    /// simple-shuffle over who is left.
    fn choose(&mut self, group: &str, skipped: &[usize]) -> Option<usize> {
        let mut left = self.healthy(group);
        let lowest = left.iter().filter_map(|&deployment| self.config.model_list[deployment].order).min();
        if lowest.is_some() {
            left.retain(|&deployment| self.config.model_list[deployment].order == lowest);
        }
        let fresh: Vec<usize> = left.iter().copied().filter(|deployment| !skipped.contains(deployment)).collect();
        if !fresh.is_empty() {
            left = fresh;
        }
        if left.is_empty() {
            return None;
        }
        let u = self.dice.at(self.now).roll();
        let weights: Vec<f64> = left.iter().map(|&deployment| weight(&self.config.model_list[deployment])).collect();
        let largest = weights.iter().copied().fold(0.0, f64::max);
        if largest <= 0.0 {
            return Some(left[(u * left.len() as f64) as usize]);
        }
        let point = u * weights.iter().map(|weight| weight / largest).sum::<f64>();
        let mut sum = 0.0;
        let chosen = weights.iter().position(|weight| {
            sum += weight / largest;
            sum > point
        });
        Some(left[chosen.unwrap_or(left.len() - 1)])
    }

    fn timeout(&self, life: &Life<'s>, entry: &ModelEntry) -> Span {
        let params = &life.request.params;
        let set = [
            params.timeout,
            params.request_timeout,
            entry.timeout,
            entry.request_timeout,
            self.config.router_settings.timeout,
            self.config.litellm_settings.request_timeout,
        ];
        Span::from_secs_f64(set.into_iter().flatten().find(|&secs| secs != 0.0).unwrap_or(6000.0))
    }

    // ---- cooldowns ---------------------------------------------------------------------------------------------

    /// Counts a failure and decides whether the deployment rests. `group`: what the request asked for, where that is
    /// known.
    fn weigh(&mut self, deployment: usize, error: Exception, group: Option<&str>) {
        let now = self.now;
        count(&mut self.outcomes, now, Count { deployment, success: false, over: now + Span::from_secs(60), times: 1 });
        let entry = &self.config.model_list[deployment];
        let settings = &self.config.router_settings;
        let written = [entry.model_info_cooldown_time, entry.cooldown_time];
        let of_router = settings.cooldown_time.filter(|&secs| secs != 0.0).unwrap_or(5.0);
        let length = written.into_iter().flatten().find(|&secs| secs >= 0.0);
        let length =
            length.or(error.retry_after.filter(|&secs| secs >= 0).map(|secs| secs as f64)).unwrap_or(of_router);
        let Some(status) = error.status else { return };
        let eligible = match status {
            401 | 402 | 404 | 408 | 429 => true,
            400..=499 => false,
            _ => true,
        };
        if length == 0.0 || settings.disable_cooldowns == Some(true) || !eligible {
            return;
        }
        let alone = self.members(&entry.model_name).len() == 1;
        if alone && status == 402 {
            return;
        }
        let rests = match settings.allowed_fails {
            Some(allowed) => {
                let chain = group.is_some_and(|group| self.has_chain(group));
                let over = now + Span::from_secs_f64(of_router);
                (!alone || chain)
                    && i64::from(count(&mut self.fails, now, Count { deployment, success: false, over, times: 1 }))
                        > allowed
            }
            None => {
                let times = |success| times(&self.outcomes, now, deployment, success);
                let (failures, all) = (times(false), times(false) + times(true));
                let limited = status == 429 && !alone;
                let hopeless = failures == all && all >= 1000;
                let mostly_failing = 2 * failures > all && all >= 5 && !alone;
                limited || hopeless || mostly_failing || !may_go_away(status)
            }
        };
        if rests {
            let length = Span::from_secs_f64(length);
            self.tell(Event::Cooled { deployment, length });
            // Who rests already does not rest longer for it.
            if !self.rests(deployment) {
                self.resting.push((deployment, now + length));
            }
        }
    }

    fn rests(&self, deployment: usize) -> bool {
        self.resting.iter().any(|&(resting, until)| resting == deployment && until > self.now)
    }

    // ---- what the configuration says ---------------------------------------------------------------------------

    fn members(&self, group: &str) -> Vec<usize> {
        let alias = self.config.router_settings.model_group_alias.iter().find(|(alias, _)| alias == group);
        let group = alias.map_or(group, |(_, target)| target);
        let of = |group: &str| -> Vec<usize> {
            let list = self.config.model_list.iter().enumerate();
            list.filter(|(_, entry)| entry.model_name == group).map(|(index, _)| index).collect()
        };
        // Whom nobody knows is served by the first default fallback.
        let default = self.fallbacks().and_then(|list| list.iter().find(|entry| entry.group == "*"));
        match (of(group), default) {
            (nobody, Some(default)) if nobody.is_empty() => of(&name(&default.targets[0])),
            (members, _) => members,
        }
    }

    fn healthy(&self, group: &str) -> Vec<usize> {
        self.members(group).into_iter().filter(|&deployment| !self.rests(deployment)).collect()
    }

    fn has_chain(&self, group: &str) -> bool {
        self.fallbacks().is_some_and(|list| list.iter().any(|entry| entry.group == group || entry.group == "*"))
    }

    fn fallbacks(&self) -> Option<&[FallbackEntry]> {
        self.config.router_settings.fallbacks.as_deref()
    }

    fn context_window_fallbacks(&self) -> Option<&[FallbackEntry]> {
        self.config.router_settings.context_window_fallbacks.as_deref()
    }

    fn content_policy_fallbacks(&self) -> Option<&[FallbackEntry]> {
        self.config.router_settings.content_policy_fallbacks.as_deref()
    }

    fn max_fallbacks(&self) -> i64 {
        self.config.router_settings.max_fallbacks.unwrap_or(5)
    }

    fn router_retries(&self) -> i64 {
        self.config.router_settings.num_retries.unwrap_or(2)
    }
}

/// One more time; how often it was by now.
fn count(counts: &mut Vec<Count>, now: Time, one: Count) -> u32 {
    counts.retain(|count| count.over > now);
    match counts.iter_mut().find(|count| (count.deployment, count.success) == (one.deployment, one.success)) {
        Some(count) => {
            count.times += 1;
            count.times
        }
        None => {
            counts.push(one);
            1
        }
    }
}

fn times(counts: &[Count], now: Time, deployment: usize, success: bool) -> u32 {
    let running = counts.iter().filter(|count| count.over > now);
    running.filter(|count| (count.deployment, count.success) == (deployment, success)).map(|count| count.times).sum()
}

fn weight(entry: &ModelEntry) -> f64 {
    match entry.weight {
        Some(Number::Is(weight)) => weight,
        _ => 0.0,
    }
}

fn name(target: &FallbackTarget) -> String {
    match target {
        FallbackTarget::Name(name) => name.clone(),
        FallbackTarget::Map { model, .. } => model.clone().unwrap_or_default(),
    }
}

fn policy_field(policy: &RetryPolicy, error: Exception) -> Option<i64> {
    match error.class {
        _ if error.status == Some(404) => policy.not_found,
        CONTEXT_WINDOW | ErrorClass::BadRequestError => policy.bad_request,
        CONTENT_POLICY => policy.content_policy.or(policy.bad_request),
        ErrorClass::AuthenticationError => policy.authentication,
        ErrorClass::Timeout => policy.timeout,
        ErrorClass::RateLimitError => policy.rate_limit,
        ErrorClass::InternalServerError => policy.internal_server,
        ErrorClass::ServiceUnavailableError => policy.service_unavailable,
        _ => None,
    }
}

/// Whether LiteLLM takes a status for one that may be another one next time.
fn may_go_away(status: u16) -> bool {
    matches!(status, 408 | 409 | 429) || status >= 500
}
