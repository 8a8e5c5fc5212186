//! What deployments write into LiteLLM's cost map.
//!
//! At start, LiteLLM registers the `model_info` of each deployment under the name of its model, for all to see. Whoever
//! leaves a value out has the value of the last deployment with the same model that set it, before whatever LiteLLM
//! itself knows of the model (`_create_deployment`, `register_model`).

use crate::config::{Config, ModelEntry};
use crate::rules::Rules;

/// The price of a token that neither the deployment nor LiteLLM's cost map knows.
const UNKNOWN_PRICE: f64 = 5.0;

/// The context window of a deployment.
pub(super) fn max_input_tokens(entry: &ModelEntry, config: &Config) -> Option<u64> {
    if entry.model_name.contains('*') {
        // The model that is called is another one for each name: nothing is registered for it.
        return entry.max_input_tokens;
    }
    let others = || same_model(entry, config).filter_map(|other| other.max_input_tokens).last();
    entry.max_input_tokens.or_else(others).or(entry.mapped_max_input_tokens)
}

/// Dollars for one input and one output token together, as cost-based routing adds them up. A 0 counts as not set.
pub(super) fn cost(entry: &ModelEntry, config: &Config, rules: &Rules) -> f64 {
    let mapped = entry.cost_map;
    let input = price(entry, config, rules, |entry| entry.input_cost_per_token, mapped.map(|(input, _)| input));
    let output = price(entry, config, rules, |entry| entry.output_cost_per_token, mapped.map(|(_, output)| output));
    input + output
}

fn price(
    entry: &ModelEntry,
    config: &Config,
    rules: &Rules,
    set: fn(&ModelEntry) -> Option<f64>,
    mapped: Option<f64>,
) -> f64 {
    if let Some(own) = set(entry).filter(|&own| own != 0.0) {
        return own;
    }
    // A model that the cost map has under another name is registered there, where cost-based routing does not look.
    let elsewhere = mapped.is_none() && entry.mapped_max_input_tokens.is_some();
    if rules.prices_leak && !elsewhere {
        if let Some(last) = same_model(entry, config).filter_map(set).last() {
            return last;
        }
        // Registering a second time fills in the prices that the first time left out.
        if mapped.is_none() && same_model(entry, config).count() > 1 {
            return 0.0;
        }
    }
    mapped.unwrap_or(UNKNOWN_PRICE)
}

/// The deployments with the same model, in the order in which they are registered.
fn same_model<'a>(entry: &'a ModelEntry, config: &'a Config) -> impl Iterator<Item = &'a ModelEntry> {
    let same =
        |other: &&ModelEntry| other.model == entry.model && other.custom_llm_provider == entry.custom_llm_provider;
    config.model_list.iter().filter(same)
}
