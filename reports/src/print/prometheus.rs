//! The sums of a run in Prometheus' text format, for a push gateway or a textfile collector.

use std::fmt::Write as _;

use crate::model::{Count, DeploymentReport, Latencies, RunReport};
use crate::words;

/// A figure of a deployment.
type Figure = fn(&DeploymentReport) -> f64;

/// The metrics of a run. Every sample carries the scenario and the seed.
pub fn prometheus(report: &RunReport) -> String {
    let mut page = Exposition {
        text: String::new(),
        run: vec![("scenario", report.scenario.clone()), ("seed", report.seed.to_string())],
    };
    if let Some(notice) = words::not_litellm(&report.what_if) {
        let _ = writeln!(page.text, "# {notice}");
        page.run.push(("what_if", report.what_if.join(", ")));
    }
    let requests = &report.requests;
    page.family("routedrill_requests_total", "counter", "Requests by how they ended for their users.");
    page.sample("routedrill_requests_total", &[("outcome", "answered"), ("error", "")], requests.answered as f64);
    for Count { what, count } in &requests.failed {
        page.sample("routedrill_requests_total", &[("outcome", "failed"), ("error", what)], *count as f64);
    }
    page.sample("routedrill_requests_total", &[("outcome", "gave_up"), ("error", "")], requests.gave_up as f64);
    page.sample("routedrill_requests_total", &[("outcome", "open"), ("error", "")], requests.open as f64);

    page.family("routedrill_fallback_answers_total", "counter", "Answers by another group than the one asked for.");
    page.sample("routedrill_fallback_answers_total", &[], requests.fell_back as f64);
    page.family("routedrill_retries_total", "counter", "Retries of the router.");
    page.sample("routedrill_retries_total", &[], report.movement.retries as f64);

    let name = "routedrill_request_latency_seconds";
    page.family(name, "summary", "From when a request was due to its answer, by name asked for.");
    for asked in &report.asked {
        if let Some(Latencies { count, p50, p90, p99, p999, max }) = asked.latency {
            for (quantile, value) in [("0.5", p50), ("0.9", p90), ("0.99", p99), ("0.999", p999), ("1", max)] {
                page.sample(name, &[("model", &asked.model), ("quantile", quantile)], value);
            }
            page.sample("routedrill_request_latency_seconds_count", &[("model", &asked.model)], count as f64);
        }
    }

    let figures: [(&str, &str, Figure); 4] = [
        ("routedrill_deployment_calls_total", "Calls to a deployment.", |one| one.attempts as f64),
        ("routedrill_deployment_answers_total", "Calls that a deployment answered.", |one| one.succeeded as f64),
        ("routedrill_deployment_cost_dollars_total", "Dollars for a deployment's answers.", |one| one.cost),
        ("routedrill_deployment_cooldowns_total", "Cooldowns of a deployment.", |one| {
            one.cooldowns.iter().map(|cooldown| cooldown.count as f64).sum()
        }),
    ];
    for (name, help, figure) in figures {
        page.family(name, "counter", help);
        for one in &report.deployments {
            page.sample(name, &[("deployment", &one.name), ("model_name", &one.model_name)], figure(one));
        }
    }
    let name = "routedrill_deployment_errors_total";
    page.family(name, "counter", "Calls that failed, by what LiteLLM made of it.");
    for one in &report.deployments {
        for Count { what, count } in &one.errors {
            page.sample(name, &[("deployment", &one.name), ("error", what)], *count as f64);
        }
    }
    let name = "routedrill_promise_held";
    page.family(name, "gauge", "1 where a promise of the scenario held.");
    for (index, promise) in report.expectations.iter().enumerate() {
        let number = index.to_string();
        let labels = [("promise", promise.promise.as_str()), ("number", number.as_str())];
        page.sample(name, &labels, if promise.held { 1.0 } else { 0.0 });
    }
    page.text
}

struct Exposition {
    text: String,
    run: Vec<(&'static str, String)>,
}

impl Exposition {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let run = self.run.iter().map(|(name, value)| (*name, value.as_str()));
        let labels: Vec<String> = run
            .chain(labels.iter().copied())
            .map(|(name, value)| {
                let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                format!("{name}=\"{value}\"")
            })
            .collect();
        let _ = writeln!(self.text, "{name}{{{}}} {value}", labels.join(","));
    }
}
