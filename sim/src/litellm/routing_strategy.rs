//! `routing_strategy` and `routing_strategy_args`.

use router_core::{Release, RoutingStrategy, RoutingStrategyArgs};

use super::finding::{Findings, rule};
use super::section::{Rejected, Section};
use crate::problem::did_you_mean;

const STRATEGIES: &[(&str, RoutingStrategy)] = &[
    ("simple-shuffle", RoutingStrategy::SimpleShuffle),
    ("least-busy", RoutingStrategy::LeastBusy),
    ("usage-based-routing", RoutingStrategy::UsageBased),
    ("usage-based-routing-v2", RoutingStrategy::UsageBasedV2),
    ("latency-based-routing", RoutingStrategy::LatencyBased),
    ("cost-based-routing", RoutingStrategy::CostBased),
];

/// Strategies that LiteLLM starts with and that routedrill does not model.
fn is_foreign_strategy(name: &str, release: Release) -> bool {
    name == "provider-budget-routing" || name == "lar1" && release == Release::V1_109_1
}

/// The strategy that is chosen; `None` for LiteLLM's default, or one that is not modelled.
pub(super) fn strategy(s: &Section<'_>, release: Release, findings: &mut Findings<'_>) -> Option<RoutingStrategy> {
    let node = s.node("routing_strategy")?;
    let name = node.as_text().unwrap_or_default();
    if let Some((_, strategy)) = STRATEGIES.iter().find(|(known, _)| *known == name) {
        return Some(*strategy);
    }
    let path = s.path_of("routing_strategy");
    if is_foreign_strategy(name, release) {
        findings.add(
            &rule::NOT_MODELLED,
            node.span.clone(),
            path,
            format!("routedrill does not model the strategy {name} and drills with simple-shuffle"),
            "",
        );
        return None;
    }
    let known = STRATEGIES.iter().map(|(name, _)| *name);
    let remedy = match did_you_mean(name, known.clone()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("write one of {}", known.collect::<Vec<_>>().join(", ")),
    };
    findings.add(
        &rule::MALFORMED_SETTING,
        node.span.clone(),
        path,
        "LiteLLM knows no such routing strategy and refuses to start",
        remedy,
    );
    None
}

/// Its arguments, as far as it takes them.
pub(super) fn strategy_args(
    s: &Section<'_>,
    strategy: Option<RoutingStrategy>,
    release: Release,
    findings: &mut Findings<'_>,
) -> RoutingStrategyArgs {
    let mut args = RoutingStrategyArgs::default();
    let Some((at, node)) = s.map.entry("routing_strategy_args") else { return args };
    let path = s.path_of("routing_strategy_args");
    let known: &[&str] = match strategy {
        Some(RoutingStrategy::LatencyBased) if release == Release::V1_80_17 => {
            &["ttl", "lowest_latency_buffer", "max_latency_list_size"]
        }
        Some(RoutingStrategy::LatencyBased) => {
            &["ttl", "lowest_latency_buffer", "max_latency_list_size", "ttft_percentile"]
        }
        Some(RoutingStrategy::UsageBased | RoutingStrategy::UsageBasedV2) => &["ttl"],
        _ => &[],
    };
    let Some(map) = node.as_mapping() else {
        let kind = node.value.kind();
        let (rule, end) = match known {
            [] => (&rule::INEFFECTIVE_KEY, "the routing strategy takes no arguments anyway"),
            _ => (&rule::MALFORMED_SETTING, "LiteLLM refuses to start with it"),
        };
        let message = format!("routing_strategy_args is {kind} and not a map: {end}");
        findings.add(rule, node.span.clone(), path, message, "write keys below it, or remove it");
        return args;
    };
    if known.is_empty() && !map.is_empty() {
        findings.add(
            &rule::INEFFECTIVE_KEY,
            at.span.clone(),
            path,
            "the routing strategy takes no arguments",
            "remove them, or choose the strategy they belong to",
        );
        return args;
    }
    for (key, _) in map.iter() {
        let name = key.text().unwrap_or_default();
        if !known.contains(&name) {
            let remedy = match did_you_mean(name, known.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("it takes {}", known.join(", ")),
            };
            findings.add(
                &rule::IGNORED_KEY,
                key.span.clone(),
                format!("{path}.{name}"),
                format!("the routing strategy takes no argument {name} and ignores it"),
                remedy,
            );
        }
    }
    let section = Section::new(path, map);
    let whole_ttl = strategy != Some(RoutingStrategy::LatencyBased);
    let mut number = |key: &str, whole: bool| {
        if !known.contains(&key) {
            return None;
        }
        let read = match whole {
            true => section.lax_int(key, findings).map(|number| number.map(|number| number as f64)),
            false => section.lax_float(key, findings),
        };
        read.unwrap_or_else(|rejected| {
            stops(rejected, findings);
            None
        })
    };
    args.ttl = number("ttl", whole_ttl);
    args.lowest_latency_buffer = number("lowest_latency_buffer", false);
    args.max_latency_list_size = number("max_latency_list_size", true).map(|size| size as i64);
    args.ttft_percentile = number("ttft_percentile", false);
    if let (Some(share), Some(node)) = (args.ttft_percentile, section.node("ttft_percentile"))
        && !(share > 0.0 && share <= 1.0)
    {
        stops(
            Rejected {
                span: node.span.clone(),
                path: section.path_of("ttft_percentile"),
                message: "ttft_percentile must be above 0 and at most 1".to_owned(),
                remedy: "write 0.95 for the 95th percentile".to_owned(),
            },
            findings,
        );
        args.ttft_percentile = None;
    }
    args
}

fn stops(rejected: Rejected, findings: &mut Findings<'_>) {
    let Rejected { span, path, message, remedy } = rejected;
    findings.add(&rule::MALFORMED_SETTING, span, path, format!("{message}: LiteLLM refuses to start"), remedy);
}
