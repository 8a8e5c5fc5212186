//! A scenario as meant, written down again: nothing left to defaults, and read back as the very same scenario.

use std::fmt::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use router_core::{DeploymentId, Params, RetryAfter, Span};

use super::meant::{
    Arrivals, Expect, Fault, Inject, Quantiles, Quota, QuotaUnit, Recording, Scenario, Traffic, Upstream,
};
use super::quantity::{AtLeast, AtMost, Duration, Plain, Price, Rate, Seconds, Share, quantile_name};
use super::recorded::OneRequest;
use super::select::Selector;
use super::what_if;
use super::word::{Vocabulary, WallClock, WholeSeconds, Window};
use crate::litellm::{Node, Value};
use crate::provider::ErrorKind;

/// The scenario as a file for the folder `beside`: `run` reads it and gives the same digest. The config, and traces, are
/// not copied (a config may hold secrets) but named by their paths from there; a config within the scenario stays there.
pub fn expanded(scenario: &Scenario, beside: &Path) -> String {
    let mut file = Lines(String::new());
    let plan = &scenario.plan;
    file.line(0, "name", quoted(&scenario.name));
    match &scenario.origin.inline {
        Some(config) => file.line(0, "config", Yaml(config)),
        None => file.line(0, "config", quoted(&path_from(beside, &scenario.origin.config))),
    }
    if !scenario.origin.patches.is_empty() {
        file.open(0, "patch");
        for patch in &scenario.origin.patches {
            file.line(1, &quoted(&patch.path), Yaml(&patch.value));
        }
    }
    file.line(0, "litellm", quoted(plan.release().number()));
    file.line(0, "mode", plan.mode().word());
    file.line(0, "seed", scenario.seed);
    file.line(0, "start", quoted(&WallClock(plan.start_unix_nanos()).to_string()));
    file.line(0, "duration", Duration(scenario.duration));
    file.line(0, "drain", Duration(scenario.drain));
    file.line(0, "links", links(scenario));
    file.open(0, "traffic");
    for traffic in &scenario.traffic {
        write_traffic(&mut file, traffic, scenario, beside);
    }
    write_upstreams(&mut file, scenario);
    if !scenario.quotas.is_empty() {
        file.open(0, "quotas");
        for quota in &scenario.quotas {
            let unit = match quota.unit {
                QuotaUnit::Requests => "requests",
                QuotaUnit::Tokens => "tokens",
            };
            let Quota { scope, limit, window, .. } = quota;
            let map =
                Flow::default().put("on", selectors(scope, scenario)).put(unit, limit).put("window", Window(*window));
            file.item(map);
        }
    }
    if !scenario.faults.is_empty() {
        file.open(0, "faults");
        for fault in &scenario.faults {
            file.item(write_fault(fault, scenario));
        }
    }
    if !plan.what_if().is_off() {
        file.line(0, "what_if", what_if::map(plan.what_if()));
    }
    write_expect(&mut file, &scenario.expect);
    file.0
}

fn links(scenario: &Scenario) -> Flow {
    Flow::default().put("client", Duration(scenario.links.client)).put("upstream", Duration(scenario.links.upstream))
}

fn write_traffic(file: &mut Lines, traffic: &Traffic, scenario: &Scenario, beside: &Path) {
    file.first_of_item("model", quoted(scenario.plan.name(traffic.model)));
    let arrivals = match &traffic.arrivals {
        Arrivals::Constant { rate } => Flow::default().put("constant", Rate(*rate)),
        Arrivals::Poisson { rate } => Flow::default().put("poisson", Rate(*rate)),
        Arrivals::Bursts { size, every } => {
            Flow::default().put("bursts", Flow::default().put("size", size).put("every", Duration(*every)))
        }
        Arrivals::Ramp { from, to } => {
            Flow::default().put("ramp", Flow::default().put("from", Rate(*from)).put("to", Rate(*to)))
        }
        Arrivals::Closed { users, think } => {
            Flow::default().put("closed", Flow::default().put("users", users).put("think", spread(think, Seconds)))
        }
        Arrivals::Trace(Recording { file, rows, .. }) if file.as_os_str().is_empty() => {
            let rows: Vec<_> = rows.iter().map(|row| OneRequest(*row).to_string()).collect();
            Flow::default().put("requests", format!("[{}]", rows.join(", ")))
        }
        Arrivals::Trace(Recording { file, every, skip, .. }) => {
            let share = Flow::default().put("file", quoted(&path_from(beside, file)));
            Flow::default().put("trace", share.put("every", every).put("skip", skip))
        }
    };
    file.line(2, "arrivals", arrivals);
    if !matches!(traffic.arrivals, Arrivals::Trace(_)) {
        file.line(2, "prompt_tokens", spread(&traffic.prompt_tokens, Plain));
        file.line(2, "output_tokens", spread(&traffic.output_tokens, Plain));
    }
    if let Some(deadline) = traffic.deadline {
        file.line(2, "deadline", Duration(deadline));
    }
    if let Some(retry) = traffic.retry {
        let map = Flow::default().put("attempts", retry.attempts).put("wait", Duration(retry.wait));
        let map = map.put("honour_retry_after", retry.honour_retry_after);
        file.line(2, "retry", map.put("jitter", Share(retry.jitter)));
    }
    if let Some(params) = &traffic.params {
        file.line(2, "params", write_params(params, scenario));
    }
}

fn write_params(params: &Params, scenario: &Scenario) -> Flow {
    let plan = &scenario.plan;
    let seconds = |seconds: f64| Duration(Span::from_secs_f64(seconds));
    let names =
        |names: Vec<String>| format!("[{}]", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "));
    let mut map = Flow::default();
    if let Some(retries) = params.num_retries {
        map = map.put("num_retries", retries);
    }
    let timeouts = [
        ("timeout", params.timeout),
        ("request_timeout", params.request_timeout),
        ("stream_timeout", params.stream_timeout),
    ];
    for (key, timeout) in timeouts {
        if let Some(timeout) = timeout {
            map = map.put(key, seconds(timeout));
        }
    }
    if let Some(fallbacks) = &params.fallbacks {
        let models = fallbacks.iter().filter_map(|target| target.model);
        map = map.put("fallbacks", names(models.map(|model| plan.name(model).to_owned()).collect()));
    }
    if params.disable_fallbacks {
        map = map.put("disable_fallbacks", true);
    }
    if !params.tags.is_empty() {
        map = map.put("tags", names(params.tags.iter().map(|tag| plan.tag(*tag).to_owned()).collect()));
    }
    if let Some(region) = params.region {
        map = map.put("region", quoted(plan.region(region)));
    }
    map
}

/// What all upstreams have in common goes under `all`, the rest under each deployment.
fn write_upstreams(file: &mut Lines, scenario: &Scenario) {
    let each: Vec<_> = scenario.upstreams.iter().map(upstream_fields).collect();
    let Some(first) = each.first() else { return };
    let common: Vec<bool> =
        (0..first.len()).map(|field| each.iter().all(|fields| fields[field] == first[field])).collect();
    file.open(0, "upstreams");
    let take = |fields: &[(&'static str, String)], wanted: bool| {
        let chosen = fields.iter().zip(&common).filter(|(_, common)| **common == wanted);
        chosen.fold(Flow::default(), |map, ((key, value), _)| map.put(key, value))
    };
    let all = take(first, true);
    if !all.is_empty() {
        file.line(1, "all", all);
    }
    for (index, fields) in each.iter().enumerate() {
        let own = take(fields, false);
        if !own.is_empty() {
            file.line(1, &selector(DeploymentId(index as u32), scenario), own);
        }
    }
}

fn upstream_fields(upstream: &Upstream) -> Vec<(&'static str, String)> {
    let Upstream { ttft, tpot, full_speed, servers, price, dialect, retry_after, origin } = upstream;
    let prices = Flow::default().put("input", Price(price.0)).put("output", Price(price.1));
    vec![
        ("ttft", spread(ttft, Seconds)),
        ("tpot", spread(tpot, Seconds)),
        ("full_speed", full_speed.map_or_else(|| "unlimited".to_owned(), |calls| calls.to_string())),
        ("servers", servers.map_or_else(|| "unlimited".to_owned(), |calls| calls.to_string())),
        ("price", prices.to_string()),
        ("retry_after", retry_after.to_string()),
        ("dialect", dialect.word().to_owned()),
        ("origin", quoted(origin)),
    ]
}

fn write_fault(fault: &Fault, scenario: &Scenario) -> Flow {
    let mut map = Flow::default().put("at", Duration(fault.from.since(router_core::Time::ZERO)));
    if let Some(until) = fault.until {
        map = map.put("for", Duration(until.since(fault.from)));
    }
    map.put("on", selectors(&fault.on, scenario))
        .put("inject", inject(&fault.inject))
        .put("probability", Share(fault.probability))
        .put("label", quoted(&fault.label))
}

fn inject(inject: &Inject) -> String {
    match inject {
        Inject::Silent => "timeout".to_owned(),
        Inject::Refused => "refused".to_owned(),
        Inject::Reset => "reset".to_owned(),
        Inject::Slow { factor } => Flow::default().put("slow", Plain(*factor)).to_string(),
        Inject::Quota { left } => Flow::default().put("quota", Share(*left)).to_string(),
        Inject::Error { kind, retry_after, message } => {
            let mut map = match kind {
                ErrorKind::Status(code) => Flow::default().put("status", code),
                kind => Flow::default().put("error", kind.word()),
            };
            if let RetryAfter::Seconds(seconds) = retry_after {
                map = map.put("retry_after", WholeSeconds(*seconds));
            }
            if let Some(message) = message {
                map = map.put("message", quoted(message));
            }
            map.to_string()
        }
    }
}

fn write_expect(file: &mut Lines, expect: &Expect) {
    if *expect == Expect::default() {
        return;
    }
    file.open(0, "expect");
    if let Some(share) = expect.availability {
        file.line(1, "availability", quoted(&AtLeast(Share(share)).to_string()));
    }
    if !expect.latency.is_empty() {
        let bounds = expect.latency.iter().fold(Flow::default(), |map, (share, seconds)| {
            map.put(&quantile_name(*share), quoted(&AtMost(Duration(Span::from_secs_f64(*seconds))).to_string()))
        });
        file.line(1, "latency", bounds);
    }
    if let Some(share) = expect.served_by_fallback {
        file.line(1, "served_by_fallback", quoted(&AtLeast(Share(share)).to_string()));
    }
    if let Some(attempts) = expect.attempts_per_request {
        file.line(1, "attempts_per_request", quoted(&AtMost(Plain(attempts)).to_string()));
    }
    let shares =
        [("deadline", expect.deadline), ("fallback_reached", expect.fallback_reached), ("isolation", expect.isolation)];
    for (key, share) in shares {
        if let Some(share) = share {
            file.line(1, key, quoted(&AtLeast(Share(share)).to_string()));
        }
    }
    if !expect.amplification.is_empty() {
        let bounds = expect.amplification.iter().fold(Flow::default(), |map, (window, attempts)| {
            map.put(&Duration(*window).to_string(), quoted(&AtMost(Plain(*attempts)).to_string()))
        });
        file.line(1, "amplification", bounds);
    }
    for (key, span) in [("recovery", expect.recovery), ("no_starvation", expect.no_starvation)] {
        if let Some(span) = span {
            file.line(1, key, quoted(&AtMost(Duration(span)).to_string()));
        }
    }
    if let Some(share) = expect.fair_shares {
        file.line(1, "fair_shares", quoted(&AtMost(Share(share)).to_string()));
    }
    if expect.liveness_off {
        file.line(1, "liveness", false);
    }
    if !expect.must_see.is_empty() {
        let words: Vec<_> = expect.must_see.iter().map(|situation| situation.word()).collect();
        file.line(1, "must_see", format!("[{}]", words.join(", ")));
    }
    if !expect.waived.is_empty() {
        file.open(1, "waive");
        for (law, reason) in &expect.waived {
            file.line(2, law.name(), quoted(reason));
        }
    }
    if !expect.broken.is_empty() {
        file.line(0, "expect_broken", format!("[{}]", expect.broken.join(", ")));
    }
}

fn spread<Q: fmt::Display>(quantiles: &Quantiles, quantity: impl Fn(f64) -> Q) -> String {
    match quantiles.0.as_slice() {
        [(_, value)] => quantity(*value).to_string(),
        points => points
            .iter()
            .fold(Flow::default(), |map, (share, value)| map.put(&quantile_name(*share), quantity(*value)))
            .to_string(),
    }
}

fn selectors(ids: &[DeploymentId], scenario: &Scenario) -> String {
    if ids.len() == scenario.plan.deployments().len() {
        return "all".to_owned();
    }
    let each: Vec<_> = ids.iter().map(|id| selector(*id, scenario)).collect();
    format!("[{}]", each.join(", "))
}

fn selector(id: DeploymentId, scenario: &Scenario) -> String {
    quoted(&Selector::deployment(&scenario.plan, id).to_string())
}

/// The lines of a block, two blanks a level.
struct Lines(String);

impl Lines {
    fn line(&mut self, level: usize, key: &str, value: impl fmt::Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{:1$}{key}: {value}", "", level * 2);
    }

    fn open(&mut self, level: usize, key: &str) {
        let _ = writeln!(self.0, "{:1$}{key}:", "", level * 2);
    }

    fn item(&mut self, value: impl fmt::Display) {
        let _ = writeln!(self.0, "  - {value}");
    }

    fn first_of_item(&mut self, key: &str, value: impl fmt::Display) {
        let _ = writeln!(self.0, "  - {key}: {value}");
    }
}

/// A map on one line.
#[derive(Default)]
struct Flow(String);

impl Flow {
    fn put(mut self, key: &str, value: impl fmt::Display) -> Self {
        let comma = if self.0.is_empty() { "" } else { ", " };
        let _ = write!(self.0, "{comma}{key}: {value}");
        self
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.0)
    }
}

/// Text in double quotes, so that it is text whatever it looks like.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // What YAML does not let pass, or takes for the end of a line.
            '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A part of a LiteLLM config on one line.
pub(crate) fn yaml(node: &Node) -> String {
    Yaml(node).to_string()
}

/// A part of a LiteLLM config on one line, so that PyYAML's rules make the same of it again.
struct Yaml<'a>(&'a Node);

impl fmt::Display for Yaml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.value {
            Value::Null | Value::Other(_) => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => f.write_str(&float(*value)),
            Value::Text(text) => f.write_str(&quoted(text)),
            Value::Time(text) => f.write_str(text),
            Value::Sequence(items) => {
                let items: Vec<_> = items.iter().map(|item| Yaml(item).to_string()).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Value::Mapping(mapping) => {
                let entries = mapping.iter().fold(Flow::default(), |map, (key, value)| {
                    let key = Node { span: 0..0, value: key.value.clone() };
                    map.put(&Yaml(&key).to_string(), Yaml(value))
                });
                write!(f, "{entries}")
            }
        }
    }
}

/// PyYAML takes a number for a float only with a point in it.
fn float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = value.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

/// `file` as it is called from within the folder `from`.
fn path_from(from: &Path, file: &Path) -> String {
    let (Some(base), Some(target)) = (real(from), real(file)) else { return file.display().to_string() };
    let shared = base.components().zip(target.components()).take_while(|(a, b)| a == b).count();
    let up = base.components().skip(shared).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(target.components().skip(shared)).collect();
    path.display().to_string()
}

/// The path from the root: without links where it leads to something, else as it reads.
fn real(path: &Path) -> Option<PathBuf> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path.canonicalize().or_else(|_| std::path::absolute(path)).ok()
}
