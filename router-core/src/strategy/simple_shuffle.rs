//! `simple-shuffle`: dice, weighted by `weight`, `rpm` or `tpm`.

use super::{Choice, NoChoice, Strategy};
use crate::config::Number;
use crate::entropy::{Entropy, pick, pick_weighted};
use crate::ids::DeploymentId;
use crate::rules::ShuffleMetric;

/// The strategy. It remembers nothing.
#[derive(Debug, Default)]
pub(super) struct SimpleShuffle {
    weights: Vec<f64>,
}

/// `weight`, `rpm`, `tpm`.
const METRICS: usize = 3;

impl Strategy for SimpleShuffle {
    fn choose(
        &mut self,
        choice: &Choice<'_>,
        entropy: &mut dyn Entropy,
        scores: Option<&mut Vec<(DeploymentId, f64)>>,
    ) -> Result<usize, NoChoice> {
        let weighted = match choice.plan.rules().shuffle_metric {
            ShuffleMetric::OfAny => self.weigh_by_any(choice)?,
            ShuffleMetric::OfTheFirst => self.weigh_by_first(choice)?,
        };
        if !weighted {
            return Ok(pick(entropy, choice.candidates.len()));
        }
        if let Some(scores) = scores {
            scores.extend(choice.candidates.iter().copied().zip(self.weights.iter().copied()));
        }
        Ok(pick_weighted(entropy, &self.weights))
    }
}

impl SimpleShuffle {
    /// The first metric that is positive for any candidate, divided by its largest value.
    fn weigh_by_any(&mut self, choice: &Choice<'_>) -> Result<bool, NoChoice> {
        for metric in 0..METRICS {
            if !self.take(choice, metric)? {
                continue;
            }
            let largest = self.weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if largest <= 0.0 {
                continue;
            }
            self.weights.iter_mut().for_each(|weight| *weight /= largest);
            if self.weights.iter().sum::<f64>() > 0.0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The first metric that the first candidate has, divided by its sum.
    fn weigh_by_first(&mut self, choice: &Choice<'_>) -> Result<bool, NoChoice> {
        let first = choice.plan.deployment(choice.candidates[0]);
        let Some(metric) = first.shuffle.iter().position(Option::is_some) else { return Ok(false) };
        self.take(choice, metric)?;
        let sum: f64 = self.weights.iter().sum();
        if sum == 0.0 {
            return Err(NoChoice::NoWeight);
        }
        self.weights.iter_mut().for_each(|weight| *weight /= sum);
        Ok(true)
    }

    /// Reads a metric of all candidates; says whether any has it.
    fn take(&mut self, choice: &Choice<'_>, metric: usize) -> Result<bool, NoChoice> {
        self.weights.clear();
        let mut any = false;
        for &candidate in choice.candidates {
            let weight = match choice.plan.deployment(candidate).shuffle[metric] {
                Some(Number::Is(weight)) => {
                    any = true;
                    weight
                }
                Some(Number::Not) => return Err(NoChoice::NotANumber),
                None => 0.0,
            };
            self.weights.push(weight);
        }
        Ok(any)
    }
}
