//! Public prices and context windows, as LiteLLM's own map has them.
//!
//! LiteLLM ships (and fetches at start-up) a map of several thousand models. Here stands the part of it that configs
//! in the wild name most, with the values of one release; `cost_map.csv` says which.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use router_core::Release;

/// One row of the map.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Row {
    /// The provider, as LiteLLM names it.
    pub(super) provider: &'static str,
    /// Dollars per token of input and of output, where the map has at least one of them.
    pub(super) price: Option<(f64, f64)>,
    /// Tokens of input that the model takes at most.
    pub(super) max_input_tokens: Option<u64>,
}

/// The row of exactly this name.
pub(super) fn row(name: &str) -> Option<Row> {
    table().get(name).copied()
}

/// The prices that cost-based routing finds for a deployment.
pub(super) fn price(model: &str, base_model: Option<&str>, release: Release) -> Option<(f64, f64)> {
    // The older release looks up the model alone, by its full name.
    let base_model = base_model.filter(|_| release != Release::V1_80_17);
    base_model.into_iter().chain([model]).find_map(|name| row(name)?.price)
}

/// The context window that pre-call checks find for a deployment.
pub(super) fn max_input_tokens(model: &str, base_model: Option<&str>, provider: &str, release: Release) -> Option<u64> {
    let upstream = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
    let name = match (provider, base_model) {
        // What a deployment is called at Azure says nothing: only `base_model` does, and in newer releases a name
        // that happens to be the model's.
        ("azure", None) if release == Release::V1_80_17 => return None,
        ("azure", Some(base_model)) => base_model,
        _ => upstream,
    };
    row(name).or_else(|| row(&format!("{provider}/{name}")))?.max_input_tokens
}

fn table() -> &'static BTreeMap<&'static str, Row> {
    static TABLE: OnceLock<BTreeMap<&'static str, Row>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let rows = include_str!("cost_map.csv").lines().filter(|line| !line.starts_with('#')).skip(1);
        rows.filter_map(|line| {
            let mut cells = line.split(',');
            let (name, provider) = (cells.next()?, cells.next()?);
            let (input, output) = (cells.next()?.parse::<f64>().ok(), cells.next()?.parse::<f64>().ok());
            let price = (input.is_some() || output.is_some())
                // A missing half counts as LiteLLM's stand-in for an unknown price.
                .then(|| (input.unwrap_or(5.0), output.unwrap_or(5.0)));
            let max_input_tokens = cells.next()?.parse().ok();
            Some((name, Row { provider, price, max_input_tokens }))
        })
        .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Release = Release::V1_109_1;
    const OLD: Release = Release::V1_80_17;

    #[test]
    fn every_row_of_the_table_is_read() {
        let rows = include_str!("cost_map.csv").lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!(table().len(), rows);
        assert_eq!(row("gpt-4").and_then(|row| row.max_input_tokens), Some(8192));
    }

    #[test]
    fn an_azure_deployment_has_a_window_by_its_base_model_or_by_chance() {
        assert_eq!(max_input_tokens("azure/gpt-4", None, "azure", OLD), None);
        assert_eq!(max_input_tokens("azure/gpt-4", None, "azure", NEW), Some(8192));
        assert_eq!(max_input_tokens("azure/ours", None, "azure", NEW), None);
        assert_eq!(max_input_tokens("azure/ours", Some("azure/gpt-4"), "azure", OLD), Some(8192));
    }

    #[test]
    fn a_price_needs_the_full_name_in_the_older_release() {
        assert_eq!(price("openai/gpt-4", None, OLD), None);
        assert_eq!(price("gpt-4", None, OLD), Some((3e-5, 6e-5)));
        assert_eq!(price("azure/ours", Some("gpt-4"), OLD), None);
        assert_eq!(price("azure/ours", Some("gpt-4"), NEW), Some((3e-5, 6e-5)));
    }
}
