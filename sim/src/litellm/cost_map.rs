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
    /// The one release whose map has the row, if not both have it.
    pub(super) only_in: Option<Release>,
}

/// The row of exactly this name.
pub(super) fn row(name: &str, release: Release) -> Option<Row> {
    table().get(name).filter(|row| row.only_in.is_none_or(|only| only == release)).copied()
}

/// The prices that cost-based routing finds for a deployment.
pub(super) fn price(model: &str, base_model: Option<&str>, release: Release) -> Option<(f64, f64)> {
    // The older release looks up the model alone, by its full name.
    let base_model = base_model.filter(|_| release != Release::V1_80_17);
    base_model.into_iter().chain([model]).find_map(|name| row(name, release)?.price)
}

/// The context window that pre-call checks find for a deployment.
pub(super) fn max_input_tokens(model: &str, base_model: Option<&str>, provider: &str, release: Release) -> Option<u64> {
    let upstream = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
    // What a deployment is called at Azure says nothing unless it happens to be the model's name. Elsewhere the model
    // is the model, whatever `base_model` says.
    let name = base_model.filter(|_| provider == "azure").unwrap_or(upstream);
    let prefixed = format!("{provider}/{name}");
    let stripped = name.rsplit('/').next().unwrap_or(name);
    [prefixed.as_str(), name, stripped].into_iter().find_map(|name| row(name, release)?.max_input_tokens)
}

/// Tokens of input that a model holds, by its name with its provider before it: `openai/gpt-4o`.
pub fn context_window(model: &str, release: Release) -> Option<u64> {
    let provider = model.split_once('/').map_or("", |(provider, _)| provider);
    max_input_tokens(model, None, provider, release)
}

/// What a token costs at the provider, by whatever name the map knows the model.
pub(super) fn list_price(
    upstream_model: &str,
    base_model: Option<&str>,
    provider: &str,
    release: Release,
) -> Option<(f64, f64)> {
    base_model.into_iter().chain([upstream_model]).find_map(|name| {
        let prefixed = format!("{provider}/{name}");
        let stripped = name.rsplit('/').next().unwrap_or(name);
        [prefixed.as_str(), name, stripped].into_iter().find_map(|name| row(name, release)?.price)
    })
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
            let only_in = cells.next().and_then(Release::from_number);
            Some((name, Row { provider, price, max_input_tokens, only_in }))
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
        assert_eq!(row("gpt-4", NEW).and_then(|row| row.max_input_tokens), Some(8192));
    }

    #[test]
    fn an_azure_deployment_has_a_window_by_its_base_model_or_by_chance() {
        assert_eq!(max_input_tokens("azure/gpt-4", None, "azure", NEW), Some(8192));
        assert_eq!(max_input_tokens("azure/ours", None, "azure", NEW), None);
        assert_eq!(max_input_tokens("azure/ours", Some("azure/gpt-4"), "azure", NEW), Some(8192));
        assert_eq!(max_input_tokens("azure/ours", Some("gpt-4"), "azure", NEW), Some(8192));
        assert_eq!(max_input_tokens("openai/gpt-4", Some("gpt-4o"), "openai", NEW), Some(8192));
    }

    #[test]
    fn a_model_that_newer_maps_have_forgotten_is_in_the_older_one() {
        assert!(row("claude-3-haiku-20240307", OLD).is_some());
        assert!(row("claude-3-haiku-20240307", NEW).is_none());
    }

    #[test]
    fn the_list_price_is_found_by_every_name_of_a_model() {
        for (upstream, base, provider) in [
            ("gpt-4", None, "openai"),
            ("ours", Some("azure/gpt-4"), "azure"),
            ("ours", Some("gpt-4"), "azure"),
            ("openai/gpt-4", None, "openrouter"),
        ] {
            assert_eq!(list_price(upstream, base, provider, NEW), Some((3e-5, 6e-5)), "{upstream}");
        }
        assert_eq!(list_price("llama3", None, "ollama", NEW), None);
    }

    #[test]
    fn a_price_needs_the_full_name_in_the_older_release() {
        assert_eq!(price("openai/gpt-4", None, OLD), None);
        assert_eq!(price("gpt-4", None, OLD), Some((3e-5, 6e-5)));
        assert_eq!(price("azure/ours", Some("gpt-4"), OLD), None);
        assert_eq!(price("azure/ours", Some("gpt-4"), NEW), Some((3e-5, 6e-5)));
    }
}
