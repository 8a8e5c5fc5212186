//! What strategies learn from calls that are over, learned again: latencies, and usage of the minute counted when answers
//! come (LiteLLM: `LowestLatencyLoggingHandler`, `LowestCostLoggingHandler`, `LowestTPMLoggingHandler`).

use router_core::{DeploymentId, ErrorClass, FullSampleList, Limit, NameId, Plan, RoutingStrategy, Span, Time, Usage};

/// How long the maps of costs and of least-busy's counts are kept.
const KEPT: Span = Span::from_secs(600);

/// What a timeout counts for, in seconds.
const OF_A_TIMEOUT: f64 = 1000.0;

/// What has been learned, by name that is called.
#[derive(Clone, Debug)]
pub(super) struct Learned {
    strategy: RoutingStrategy,
    maps: Vec<Map>,
}

#[derive(Clone, Debug, Default)]
struct Map {
    /// Until when the cache keeps it; `None`: it is not there.
    kept: Option<Time>,
    of: Vec<(DeploymentId, Facts)>,
}

#[derive(Clone, Debug, Default)]
struct Facts {
    minute: u64,
    requests: u64,
    tokens: u64,
    /// Seconds per token, in the order in which they came.
    samples: Vec<f64>,
}

impl Facts {
    fn of_minute(&self, minute: u64) -> (u64, u64) {
        if self.minute == minute { (self.requests, self.tokens) } else { (0, 0) }
    }
}

impl Map {
    /// Forgets everything that is older than its time to live; says whether something is there.
    fn look(&mut self, now: Time) -> bool {
        let there = self.kept.is_some_and(|kept| now <= kept);
        if !there {
            (self.kept, self.of) = (None, Vec::new());
        }
        there
    }

    fn facts(&mut self, twin: DeploymentId) -> &mut Facts {
        let place = self.of.iter().position(|(one, _)| *one == twin).unwrap_or(self.of.len());
        if place == self.of.len() {
            self.of.push((twin, Facts::default()));
        }
        &mut self.of[place].1
    }
}

fn minute(plan: &Plan, now: Time) -> u64 {
    (plan.start_unix_nanos() + now.as_nanos()) / 60_000_000_000
}

impl Learned {
    /// `None`: another strategy routes.
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        use RoutingStrategy::{CostBased, LatencyBased, UsageBased};
        let strategy = plan.settings().routing_strategy.value;
        let learns = matches!(strategy, CostBased | LatencyBased | UsageBased);
        learns.then(|| Self { strategy, maps: vec![Map::default(); plan.name_count()] })
    }

    /// A call was answered after so many seconds.
    pub(super) fn answered(
        &mut self,
        plan: &Plan,
        (name, whom): (NameId, DeploymentId),
        usage: Usage,
        seconds: f64,
        now: Time,
    ) {
        let tokens = f64::from(usage.completion_tokens);
        let sample = match tokens > 0.0 {
            true => seconds / tokens,
            false if plan.rules().tokenless_samples_add => seconds,
            false => 0.0,
        };
        let strategy = self.strategy;
        self.learn(plan, (name, whom), now, |facts| {
            if strategy == RoutingStrategy::LatencyBased {
                sampled(plan, &mut facts.samples, sample);
            }
            let minute = minute(plan, now);
            let (requests, tokens) = facts.of_minute(minute);
            (facts.minute, facts.requests, facts.tokens) = (minute, requests + 1, tokens + usage.total());
        });
    }

    /// A call failed, and the callbacks heard of it.
    pub(super) fn failed(&mut self, plan: &Plan, (name, whom): (NameId, DeploymentId), class: ErrorClass, now: Time) {
        if self.strategy == RoutingStrategy::LatencyBased && class == ErrorClass::Timeout {
            self.learn(plan, (name, whom), now, |facts| sampled(plan, &mut facts.samples, OF_A_TIMEOUT));
        }
    }

    fn learn(&mut self, plan: &Plan, (name, whom): (NameId, DeploymentId), now: Time, learn: impl FnOnce(&mut Facts)) {
        let ttl = match self.strategy {
            RoutingStrategy::LatencyBased => plan.settings().latency_ttl.value,
            _ => KEPT,
        };
        let map = &mut self.maps[name.index()];
        map.look(now);
        learn(map.facts(plan.deployment(whom).twin));
        map.kept.get_or_insert(now + ttl);
    }

    /// A pick among candidates, or that nobody was picked. Whoever is looked at for the first time begins with a latency
    /// of zero, once there is a map.
    pub(super) fn of_pick(
        &mut self,
        plan: &Plan,
        name: NameId,
        candidates: &[DeploymentId],
        picked: Option<DeploymentId>,
        (prompt, now): (u32, Time),
    ) -> Option<String> {
        let (strategy, minute) = (self.strategy, minute(plan, now));
        let map = &mut self.maps[name.index()];
        let there = map.look(now);
        let mut values = Vec::with_capacity(candidates.len());
        for &id in candidates {
            let one = plan.deployment(id);
            let known = map.of.iter().any(|(twin, _)| *twin == one.twin);
            let facts = map.facts(one.twin);
            if !known {
                facts.samples.push(0.0);
            }
            let (requests, tokens) = facts.of_minute(minute);
            let more = tokens as f64 + f64::from(prompt);
            let (value, over) = match strategy {
                RoutingStrategy::UsageBased => {
                    let stops = requests > 0 && (requests + 1) as f64 >= limit(one.rpm, false);
                    (tokens as f64, more > limit(one.tpm, false) || stops)
                }
                _ => {
                    let over = more > limit(one.tpm, true) || (requests + 1) as f64 > limit(one.rpm, true);
                    let mean = facts.samples.iter().sum::<f64>() / facts.samples.len().max(1) as f64;
                    (if strategy == RoutingStrategy::CostBased { one.cost } else { mean }, over)
                }
            };
            if !over {
                values.push((id, value));
            }
        }
        if !there {
            map.of.clear();
        }
        let buffer = match strategy {
            RoutingStrategy::LatencyBased => plan.settings().lowest_latency_buffer.value,
            _ => 0.0,
        };
        let least = values.iter().map(|&(_, value)| value).min_by(f64::total_cmp);
        let mine = picked.map(|picked| values.iter().find(|(id, _)| *id == picked).map(|&(_, value)| value));
        match (mine, least) {
            (None, Some(_)) => Some("nobody was picked, where somebody was within its limits".to_owned()),
            (Some(None), _) => Some("picked beyond its limit per minute".to_owned()),
            (Some(Some(mine)), Some(least)) if mine > least + buffer * least => {
                Some(format!("picked at {mine}, where another is at {least}"))
            }
            _ => None,
        }
    }
}

/// One more sample. A full list loses its oldest, or its newest, as the release has it.
fn sampled(plan: &Plan, samples: &mut Vec<f64>, sample: f64) {
    let most = plan.settings().max_latency_list_size.value;
    if samples.len() >= most && !samples.is_empty() {
        match plan.rules().full_sample_list {
            FullSampleList::DropsOldest => drop(samples.remove(0)),
            FullSampleList::ReplacesLast => samples.truncate(most.saturating_sub(1)),
        }
    }
    samples.push(sample);
}

/// The first place that has a limit; where a 0 is none, the first that is not 0.
fn limit(limit: Limit, zero_is_none: bool) -> f64 {
    let mut places = [limit.entry, limit.params, limit.info].into_iter().flatten();
    places.find(|&value| !zero_is_none || value != 0.0).unwrap_or(f64::INFINITY)
}
