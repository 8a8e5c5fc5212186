//! `latency-based-routing`: the deployment that was fastest so far, per token written.

use super::cost_based::within_limits;
use super::table::{MinuteUsage, Places, Table};
use super::{Called, Choice, NoChoice, Strategy, Success};
use crate::entropy::{Entropy, pick, shuffle};
use crate::error::ErrorClass;
use crate::ids::DeploymentId;
use crate::plan::Plan;
use crate::quota::Quota;
use crate::rules::{FullSampleList, Rules};
use crate::time::Time;

/// What a timeout counts for, in seconds.
const TIMEOUT_PENALTY: f64 = 1000.0;

/// One map of samples per group.
#[derive(Debug)]
pub(super) struct LatencyBased {
    groups: Vec<Table<Samples>>,
    places: Places,
    order: Vec<(DeploymentId, f64)>,
    fastest: Vec<(usize, f64)>,
}

#[derive(Clone, Debug, Default)]
struct Samples {
    /// Seconds per token.
    latencies: Vec<f64>,
    /// To the first token, in seconds or per token.
    first_token: Vec<f64>,
    usage: MinuteUsage,
}

impl LatencyBased {
    pub(super) fn new(plan: &Plan) -> Self {
        let groups = vec![Table::default(); plan.name_count()];
        Self { groups, places: Places::default(), order: Vec::new(), fastest: Vec::new() }
    }

    fn learn(&mut self, plan: &Plan, call: Called, now: Time, learn: impl FnOnce(&mut Samples, Limit)) {
        let table = &mut self.groups[call.group.index()];
        table.is_kept(now);
        let samples = table.entry(plan.deployment(call.deployment).twin, Samples::default);
        let limit =
            Limit { samples: plan.settings().max_latency_list_size.value, when_full: plan.rules().full_sample_list };
        learn(samples, limit);
        table.keep(now, plan.settings().latency_ttl.value);
    }
}

impl Strategy for LatencyBased {
    fn choose(
        &mut self,
        choice: &Choice<'_>,
        entropy: &mut dyn Entropy,
        scores: Option<&mut Vec<(DeploymentId, f64)>>,
    ) -> Result<usize, NoChoice> {
        let plan = choice.plan;
        self.places.note(plan, choice.candidates);
        let table = &mut self.groups[choice.group.index()];
        let kept = table.is_kept(choice.now);
        for &candidate in choice.candidates {
            // Whoever is new begins with a sample of zero. It stays, if the map is in the cache.
            let new = || Samples { latencies: vec![0.0], ..Samples::default() };
            table.entry(plan.deployment(candidate).twin, new);
        }
        self.order.clear();
        self.order.extend(table.entries().iter().map(|(twin, samples)| (*twin, samples.value(choice, plan.rules()))));
        shuffle(entropy, &mut self.order);
        let minute = plan.minute(choice.now);
        self.fastest.clear();
        for &(twin, value) in &self.order {
            let Some(index) = self.places.of(twin) else { continue };
            let used = table.get(twin).map_or((0, 0), |samples| samples.usage.of(minute));
            if within_limits(plan.deployment(choice.candidates[index]), used, choice.prompt_tokens) {
                self.fastest.push((index, value));
            }
        }
        if !kept {
            table.clear();
        }
        if let Some(scores) = scores {
            scores.extend(self.fastest.iter().map(|&(index, value)| (choice.candidates[index], value)));
        }
        // Stable, so that the shuffle decides between equals.
        self.fastest.sort_by(|a, b| a.1.total_cmp(&b.1));
        let &(_, lowest) = self.fastest.first().ok_or(NoChoice::NoneLeft)?;
        let bound = lowest + plan.settings().lowest_latency_buffer.value * lowest;
        let valid = self.fastest.iter().take_while(|&&(_, value)| value <= bound).count();
        let among = if valid == 0 { self.fastest.len() } else { valid };
        Ok(self.fastest[pick(entropy, among)].0)
    }

    fn succeeded(&mut self, plan: &Plan, _quota: &mut Quota, call: Called, success: &Success, now: Time) {
        let tokens = f64::from(success.usage.completion_tokens);
        // Older releases then keep a time span, which their mean counts but does not add.
        let without_tokens = if plan.rules().tokenless_samples_add { success.seconds } else { 0.0 };
        let in_seconds = plan.rules().ttft_in_seconds;
        let first_token = success.first_chunk_seconds.and_then(|seconds| match (in_seconds, tokens > 0.0) {
            (true, _) => Some(seconds),
            (false, true) => Some(seconds / tokens),
            (false, false) => None,
        });
        let minute = plan.minute(now);
        self.learn(plan, call, now, |samples, limit| {
            limit.push(&mut samples.latencies, if tokens > 0.0 { success.seconds / tokens } else { without_tokens });
            if let Some(seconds) = first_token {
                limit.push(&mut samples.first_token, seconds);
            }
            samples.usage.add(minute, success.usage.total());
        });
    }

    fn failed(&mut self, plan: &Plan, call: Called, class: ErrorClass, now: Time) {
        if class == ErrorClass::Timeout {
            self.learn(plan, call, now, |samples, limit| limit.push(&mut samples.latencies, TIMEOUT_PENALTY));
        }
    }
}

impl Samples {
    /// What the deployment is compared by.
    fn value(&self, choice: &Choice<'_>, rules: &Rules) -> f64 {
        let by_first_token = choice.stream && !self.first_token.is_empty();
        let samples = if by_first_token { &self.first_token } else { &self.latencies };
        let sum: f64 = samples.iter().sum();
        if !rules.ttft_in_seconds {
            // Divided by the number of latency samples, whatever was added up.
            return if self.latencies.is_empty() { 0.0 } else { sum / self.latencies.len() as f64 };
        }
        match choice.plan.settings().ttft_percentile {
            Some(percentile) if by_first_token => percentile_of(samples, percentile),
            _ if samples.is_empty() => 0.0,
            _ => sum / samples.len() as f64,
        }
    }
}

/// The sample at `ceil(n * percentile) - 1` of the sorted ones.
fn percentile_of(samples: &[f64], percentile: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (samples.len() as f64 * percentile).ceil() as usize;
    sorted[place.clamp(1, samples.len()) - 1]
}

/// How many samples are kept, and what becomes of more.
#[derive(Clone, Copy)]
struct Limit {
    samples: usize,
    when_full: FullSampleList,
}

impl Limit {
    fn push(self, samples: &mut Vec<f64>, sample: f64) {
        if samples.len() >= self.samples && !samples.is_empty() {
            match self.when_full {
                FullSampleList::DropsOldest => {
                    samples.remove(0);
                }
                FullSampleList::ReplacesLast => samples.truncate(self.samples.saturating_sub(1)),
            }
        }
        samples.push(sample);
    }
}
