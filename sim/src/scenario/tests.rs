//! Whole scenario files, over a config of three deployments that is made in memory.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use router_core::{Config, DeploymentId, ModelEntry, RetryAfter, Span, Time};

use super::load::Unresolved;
use super::quantity::{Duration, Price, Share};
use super::tree::Tree;
use super::what_if::words;
use super::*;
use crate::invariants::Law;
use crate::litellm::{Inventory, Place};
use crate::problem::Problems;
use crate::provider::{Dialect, ErrorKind};
use crate::source::Source;

const SMALL: &str = "\
name: small
config: config.yaml
duration: 10m
traffic:
  - {model: gpt-4, arrivals: {poisson: 20/s}, deadline: 60s}
";

/// Two Azure deployments of gpt-4 with one key, and Claude on Bedrock.
fn config() -> (Config, Inventory) {
    let mut config = Config::default();
    let mut inventory = Inventory::default();
    let rows = [
        ("east", "gpt-4", "azure", Some("eastus"), "AZURE_KEY"),
        ("west", "gpt-4", "azure", Some("westus"), "AZURE_KEY"),
        ("claude", "haiku", "bedrock", None, "AWS_KEY"),
    ];
    for (id, group, provider, region, key) in rows {
        let model = format!("{provider}/{group}");
        config.model_list.push(ModelEntry {
            id: id.into(),
            model_name: group.into(),
            model: model.clone(),
            tags: vec!["free".into()],
            ..ModelEntry::default()
        });
        inventory.places.push(Place {
            provider: provider.into(),
            region: region.map(Into::into),
            key: Some(key.into()),
            upstream_model: model,
            list_price: Some((1e-6, 2e-6)),
            ..Place::default()
        });
    }
    (config, inventory)
}

fn resolve(text: &str) -> Result<Scenario, Problems> {
    resolve_in(text, Path::new(""))
}

fn resolve_in(text: &str, folder: &Path) -> Result<Scenario, Problems> {
    let source = Source::new("drill.yaml", text);
    let tree = Tree::read(&source)?;
    let (mut config, inventory) = config();
    let mut file = Unresolved::read(&source, &tree, folder)?;
    let options = file.options();
    config.release = options.release;
    config.mode = options.mode;
    config.asked_names = options.asked_names;
    config.start_unix_nanos = options.start_unix_nanos;
    file.resolve(config, inventory)
}

#[track_caller]
fn scenario(more: &str) -> Scenario {
    resolve(&format!("{SMALL}{more}")).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The complaints about a text, each with its line.
#[track_caller]
fn complaints(text: &str) -> Vec<String> {
    let problems = resolve(text).map(|_| ()).expect_err(text);
    let lines = problems.iter().map(|problem| {
        let line = problem.at.as_ref().map_or(0, |at| at.line);
        assert!(!problem.remedy.is_empty(), "what to do about it? {problem}");
        format!("{line}: {}; {}", problem.message, problem.remedy)
    });
    lines.collect()
}

#[track_caller]
fn complains(more: &str, expected: &str) {
    let found = complaints(&format!("{SMALL}{more}"));
    assert!(found.len() == 1 && found[0].contains(expected), "{more}: {found:?}");
}

#[test]
fn a_small_file_means_defaults_for_everything_else() {
    let scenario = scenario("");
    assert_eq!((scenario.seed, scenario.duration, scenario.drain), (0, Span::from_secs(600), Span::from_secs(60)));
    assert_eq!(scenario.plan.name(scenario.traffic[0].model), "gpt-4");
    assert_eq!(scenario.traffic[0].arrivals, Arrivals::Poisson { rate: 20.0 });
    assert_eq!(scenario.traffic[0].prompt_tokens, Quantiles(vec![(0.5, 800.0), (0.95, 4000.0)]));
    let dialects: Vec<_> = scenario.upstreams.iter().map(|upstream| upstream.dialect).collect();
    assert_eq!(dialects, [Dialect::Azure, Dialect::Azure, Dialect::Bedrock]);
    assert!(scenario.upstreams.iter().all(|upstream| upstream.origin == profiles::ORIGIN));
    assert_eq!(scenario.upstreams[0].price, (1e-6, 2e-6));
    assert_eq!((scenario.quotas.len(), scenario.faults.len()), (0, 0));
    assert_eq!(scenario.expect, Expect::default());
}

#[test]
fn the_run_goes_on_until_the_last_caller_gave_up() {
    let drain = |traffic: &str| {
        let text = SMALL.replace(", deadline: 60s}", &format!("{traffic}}}"));
        resolve(&text).unwrap_or_else(|problems| panic!("{problems}")).drain
    };
    assert_eq!(drain(", deadline: 60s, retry: {attempts: 2, wait: 1s}"), Span::from_secs(182));
    assert_eq!(drain(""), Span::from_secs(600));
}

#[test]
fn a_model_that_the_config_lacks_can_be_asked_for() {
    let text =
        SMALL.replace("model: gpt-4,", "model: invented, params: {fallbacks: [other], tags: [vip], region: eu},");
    let scenario = resolve(&text).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(scenario.plan.name(scenario.traffic[0].model), "invented");
    let params = scenario.traffic[0].params.as_ref().expect("params");
    assert_eq!(scenario.plan.tag(params.tags[0]), "vip");
    assert_eq!(params.region.map(|region| scenario.plan.region(region)), Some("eu"));
}

#[test]
fn the_most_specific_selector_that_sets_a_value_wins_wherever_it_stands() {
    let scenario = scenario(
        "upstreams:
  deployment:west: {tpot: 3ms}
  all: {ttft: 1s, tpot: 1ms, full_speed: 7}
  provider:azure: {tpot: 2ms, price: {input: 5, output: 10}}
",
    );
    let constant = |seconds: f64| Quantiles(vec![(0.5, seconds)]);
    let tpot: Vec<_> = scenario.upstreams.iter().map(|upstream| upstream.tpot.clone()).collect();
    assert_eq!(tpot, [constant(0.002), constant(0.003), constant(0.001)]);
    assert!(scenario.upstreams.iter().all(|upstream| upstream.ttft == constant(1.0)));
    assert!(scenario.upstreams.iter().all(|upstream| upstream.full_speed == Some(7)));
    assert_eq!(scenario.upstreams[0].price, (5e-6, 1e-5));
    assert_eq!(scenario.upstreams[2].origin, "the scenario");
}

#[test]
fn a_limit_is_each_deployments_own_unless_its_scope_is_wider() {
    let scopes = |entry: &str| {
        let scenario = scenario(&format!("upstreams:\n  provider:azure: {entry}\n"));
        let quotas = scenario.quotas.into_iter().map(|quota| {
            let scope: Vec<_> = quota.scope.iter().map(|id| id.0).collect();
            (scope, quota.unit, quota.limit, quota.window)
        });
        quotas.collect::<Vec<_>>()
    };
    let minute = QuotaWindow::Fixed(Span::from_secs(60));
    let requests = |scope: &[u32]| (scope.to_vec(), QuotaUnit::Requests, 300, minute);
    assert_eq!(scopes("{rpm: 300, window: fixed}"), [requests(&[0]), requests(&[1])]);
    assert_eq!(scopes("{rpm: 300, window: fixed, scope: region}"), [requests(&[0]), requests(&[1])]);
    assert_eq!(scopes("{rpm: 300, window: fixed, scope: key}"), [requests(&[0, 1])]);
    assert_eq!(scopes("{rpm: 300, window: fixed, scope: selected}"), [requests(&[0, 1])]);
    // Azure judges requests over slices of ten seconds.
    let slice = QuotaWindow::Sliding(Span::from_secs(10));
    assert_eq!(scopes("{rpm: 300, scope: provider}"), [(vec![0, 1], QuotaUnit::Requests, 50, slice)]);
    assert_eq!(scopes("{rpm: unlimited}"), []);
}

#[test]
fn faults_say_when_whom_and_what() {
    let scenario = scenario(
        "faults:
  - {at: 2m, for: 3m, on: provider:azure, inject: {status: 429, retry_after: 20s}}
  - {at: 6m, on: [key:AWS_KEY, deployment:west], inject: revoked, probability: 3/100}
  - {at: 1s, on: all, inject: {slow: 4}}
  - {at: 1s, on: all, inject: quota}
",
    );
    let at = |secs: u64| Time::ZERO + Span::from_secs(secs);
    let [limited, revoked, slow, quota] = scenario.faults.as_slice() else { panic!("four faults") };
    assert_eq!((limited.from, limited.until, limited.probability), (at(120), Some(at(300)), 1.0));
    assert_eq!(limited.on, [DeploymentId(0), DeploymentId(1)]);
    let error = |kind, retry_after| Inject::Error { kind, retry_after, message: None };
    assert_eq!(limited.inject, error(ErrorKind::Status(429), RetryAfter::Seconds(20)));
    assert_eq!(limited.label, "429 on provider:azure");
    assert_eq!((revoked.until, revoked.probability), (None, 0.03));
    assert_eq!(revoked.on, [DeploymentId(1), DeploymentId(2)]);
    assert_eq!(revoked.inject, error(ErrorKind::Revoked, RetryAfter::Absent));
    assert_eq!(revoked.label, "revoked on key:AWS_KEY and deployment:west");
    assert_eq!((&slow.inject, slow.label.as_str()), (&Inject::Slow { factor: 4.0 }, "4 times as slow on all"));
    assert_eq!(quota.inject, Inject::Quota { left: 0.0 });
}

#[test]
fn promises_are_bounds_in_the_only_direction_that_makes_sense() {
    let scenario = scenario(
        "expect:
  availability: \">= 99.9%\"
  latency: {p99: \"<= 8s\", max: \"<= 1m\"}
  served_by_fallback: \">= 95%\"
  attempts_per_request: \"<= 1.5\"
  deadline: \">= 99%\"
  fallback_reached: \">= 99.9%\"
  amplification: {10s: \"<= 3\", 60s: \"<= 2\"}
  recovery: \"<= 60s\"
  fair_shares: \"<= 10%\"
  no_starvation: \"<= 30s\"
  isolation: \">= 99%\"
  must_see: [cooldown, fallback]
  waive: {counters-at-rest: this release leaks}
expect_broken: [availability, latency.p99, amplification.60s, liveness]
",
    );
    assert_eq!(
        scenario.expect,
        Expect {
            availability: Some(0.999),
            latency: vec![(0.99, 8.0), (1.0, 60.0)],
            served_by_fallback: Some(0.95),
            attempts_per_request: Some(1.5),
            deadline: Some(0.99),
            fallback_reached: Some(0.999),
            amplification: vec![(Span::from_secs(10), 3.0), (Span::from_secs(60), 2.0)],
            recovery: Some(Span::from_secs(60)),
            fair_shares: Some(0.1),
            no_starvation: Some(Span::from_secs(30)),
            isolation: Some(0.99),
            liveness_off: false,
            must_see: vec![MustSee::Cooldown, MustSee::Fallback],
            broken: ["availability", "latency.p99", "amplification.1m", "liveness"].map(str::to_owned).to_vec(),
            waived: vec![(Law::CountersAtRest, "this release leaks".to_owned())],
        }
    );
}

#[test]
fn every_bad_value_is_reported_with_its_line_and_a_remedy() {
    let text = "\
name: bad
config: config.yaml
duration: 90
seed: minus one
replicas: 2
traffic:
  - model: gpt-4
    arrivals: {poisson: 20}
    prompt_tokens: {p50: 800, p5: 100}
    deadline: -5s
upstreams:
  provider:azzure: {rpm: 300}
  all: {profile: azure-open-ai, window: slidng, scope: keys}
faults:
  - {at: 20m, on: deployment:esat, inject: rate_limitd}
  - {at: 1m, on: group:gpt-5, inject: crash, probability: 0.5}
expect:
  availability: \"<= 99%\"
  must_see: [cooldwn]
";
    assert_eq!(
        complaints(text),
        [
            "3: this duration has no unit; write `90s` for seconds",
            "4: this is not a count; counts are written `300`, `240k` or `3.6M`",
            "5: several replicas of the router are not modelled yet; write `replicas: 1`, or leave the key out",
            "8: this rate has no unit; write `20/s` for so many per second",
            "9: this quantile is not above the one before it; write quantiles from the lowest to the highest, with values that rise",
            "10: a duration cannot be negative; durations are written `250ms`, `60s`, `5m` or `1h30m`",
            "12: `provider:azzure` selects nothing: the config has no provider `azzure`; did you mean `provider:azure`?",
            "13: `azure-open-ai` is not a profile; did you mean `azure-openai`?",
            "13: `slidng` is not a window; did you mean `sliding`?",
            "13: `keys` is not a scope of limits; did you mean `key`?",
            "15: `deployment:esat` selects nothing: the config has no deployment `esat`; did you mean `deployment:east`?",
            "15: `rate_limitd` is not a fault; did you mean `rate_limited`?",
            "16: `group:gpt-5` selects nothing: the config has no group `gpt-5`; did you mean `group:gpt-4`?",
            "16: `crash` is not modelled yet; known are rate_limited, overloaded, timeout, slow, refused, reset, revoked, \
             quota, content_filter, context_window",
            "16: this share has no unit; write `50%`",
            "18: this is promised as a lower bound; write `\">= 99%\"`",
            "19: `cooldwn` is not a situation; did you mean `cooldown`?",
        ]
    );
}

#[test]
fn what_cannot_happen_is_refused() {
    for (more, expected) in [
        ("faults: [{at: 10m, on: all, inject: revoked}]\n", "no request arrives any more"),
        ("faults: [{at: 1m, for: 0s, on: all, inject: revoked}]\n", "cannot be zero"),
        ("faults: [{at: 1m, on: all, inject: revoked, probability: 0%}]\n", "never strikes"),
        ("faults: [{at: 1m, on: [], inject: revoked}]\n", "at least one selector"),
        ("faults: [{at: 1m, on: all, inject: {}}]\n", "exactly one of"),
        ("faults: [{at: 1m, on: all, inject: {status: 429, slow: 3}}]\n", "exactly one of"),
        ("faults: [{at: 1m, on: all, inject: {status: 200}}]\n", "not the status of an error"),
        ("faults: [{at: 1m, on: all, inject: {status: 429, retry_after: 1.5s}}]\n", "whole seconds"),
        ("faults: [{at: 1m, on: all, inject: {slow: 3, message: hm}}]\n", "belongs to an error answer"),
        ("faults: [{at: 1m, on: all, inject: {slow: 0}}]\n", "no time at all"),
        ("quotas: [{on: all}]\n", "limits nothing"),
        ("upstreams: {all: {full_speed: 0}}\n", "at least one call"),
        ("upstreams: {all: {ttft: {}}}\n", "one quantile at least"),
        ("upstreams: {all: {ttft: {p100: 1s}}}\n", "ends before p100"),
        ("upstreams: {all: {ttft: {p0: 1s}}}\n", "not a quantile"),
        ("expect: {latency: {p999: \"<= 1s\"}}\n", "not a quantile"),
        ("expect: {liveness: false}\nexpect_broken: [availability]\n", "`expect` promises nothing"),
        ("expect: {availability: '>= 9%'}\nexpect_broken: [latency]\n", "promised are availability, liveness"),
        ("expect: {amplification: {1500ms: '<= 3'}}\n", "whole seconds"),
        ("expect: {amplification: {0s: '<= 3'}}\n", "whole seconds"),
        ("expect: {amplification: {ten: '<= 3'}}\n", "not a duration"),
        ("expect: {amplification: '<= 3'}\n", "a map"),
        ("expect: {recovery: '>= 60s'}\n", "an upper bound"),
        ("expect: {fair_shares: '<= 0.1'}\n", "write `10%`"),
        ("expect: {no_starvations: '<= 30s'}\n", "did you mean `no_starvation`?"),
        ("expect: {liveness: maybe}\n", "known are"),
        (
            "expect: {amplification: {1m: '<= 3'}}\nexpect_broken: [amplification.10s]\n",
            "promised are amplification.1m",
        ),
        ("expect: {waive: {counters-at-reset: it leaks}}\n", "did you mean `counters-at-rest`?"),
        ("expect: {waive: {counters-at-rest: ''}}\n", "a text is missing"),
        ("litellm: 1.2.3\n", "not a LiteLLM release that is modelled"),
        ("links: {client: 0s}\n", "cannot be zero"),
        ("replicas: 0\n", "no replica"),
    ] {
        complains(more, expected);
    }
    let traffic = |arrivals: &str, expected: &str| {
        let found = complaints(&SMALL.replace("{poisson: 20/s}", arrivals));
        assert!(found.len() == 1 && found[0].contains(expected), "{arrivals}: {found:?}");
    };
    traffic("{poisson: 0/s}", "no traffic");
    traffic("{ramp: {from: 0/s, to: 0/s}}", "no traffic");
    traffic("{bursts: {size: 0, every: 1s}}", "cannot be zero");
    traffic("{bursts: {size: 1, every: 0s}}", "cannot be zero");
    traffic("{closed: {users: 0, think: 1s}}", "cannot be zero");
    traffic("{closed: {users: 5G, think: 1s}}", "too large");
    traffic("{trace: missing.csv}", "cannot be read");
    assert!(complaints(&SMALL.replace("10m", "0s"))[0].contains("duration of a run cannot be zero"));
    let nobody = SMALL.split("traffic").next().unwrap_or_default().to_owned() + "traffic: []\n";
    assert!(complaints(&nobody)[0].contains("nobody asks"));
}

#[test]
fn a_trace_brings_its_own_tokens() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("t.csv"), "t,prompt_tokens,output_tokens\n0.5,10,20\n").expect("a file");
    let text = SMALL.replace("{poisson: 20/s}", "{trace: t.csv}");
    let scenario = resolve_in(&text, folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
    let Arrivals::Trace(Recording { rows, .. }) = &scenario.traffic[0].arrivals else { panic!("a trace") };
    assert_eq!((rows.len(), rows[0].prompt_tokens, rows[0].output_tokens), (1, 10, 20));
    let doubled = text.replace("deadline", "prompt_tokens: 5, deadline");
    let problems = resolve_in(&doubled, folder.path()).map(|_| ()).expect_err("two sources").to_string();
    assert!(problems.contains("a trace brings its own numbers of tokens"), "{problems}");
}

#[test]
fn a_share_of_a_trace_is_written_down_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: String = (0..9).map(|second| format!("{second},1,1\n")).collect();
    fs::write(folder.path().join("t.csv"), format!("t,prompt_tokens,output_tokens\n{rows}")).expect("a file");
    let text = SMALL.replace("{poisson: 20/s}", "{trace: {file: t.csv, every: 3, skip: 1}}");
    let scenario = resolve_in(&text, folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
    let Arrivals::Trace(Recording { rows, .. }) = &scenario.traffic[0].arrivals else { panic!("a trace") };
    assert_eq!(rows.iter().map(|row| row.at.as_secs_f64()).collect::<Vec<_>>(), [1.0, 4.0, 7.0]);
    let below = folder.path().join("below");
    fs::create_dir(&below).expect("a folder");
    let again = resolve_in(&expanded(&scenario, &below), &below).unwrap_or_else(|problems| panic!("{problems}"));
    let Arrivals::Trace(recording) = &again.traffic[0].arrivals else { panic!("a trace") };
    assert_eq!((&recording.rows, recording.every, recording.skip), (rows, 3, 1));
    let problems = resolve_in(&text.replace("every: 3", "every: 0"), folder.path()).map(|_| ()).expect_err("no share");
    assert!(problems.to_string().contains("cannot be zero"), "{problems}");
}

/// Everything of a scenario but the plan, whose identity the release and the names stand for.
fn shown(scenario: &Scenario) -> String {
    let Scenario {
        name,
        plan,
        inventory: _,
        seed,
        duration,
        drain,
        traffic,
        upstreams,
        quotas,
        faults,
        links,
        expect,
        origin,
    } = scenario;
    let names: Vec<_> = traffic.iter().map(|traffic| plan.name(traffic.model)).collect();
    let router = (plan.release(), plan.mode(), plan.start_unix_nanos(), plan.what_if(), names);
    format!(
        "{name:?}{router:?}{seed:?}{duration:?}{drain:?}{traffic:?}{upstreams:?}{quotas:?}{faults:?}{links:?}{expect:?}{origin:?}"
    )
}

#[track_caller]
fn comes_back(text: &str) {
    let first = resolve(text).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    let written = expanded(&first, Path::new(""));
    let second = resolve(&written).unwrap_or_else(|problems| panic!("{problems}\n{written}"));
    assert_eq!(shown(&first), shown(&second), "{written}");
    assert_eq!(written, expanded(&second, Path::new("")));
}

#[test]
fn an_expanded_scenario_reads_back_as_itself() {
    comes_back(SMALL);
    comes_back(
        "\
name: \"odd: \\\"name\\\" # ⚡ \\u2028\"
config: config.yaml
router: {num_retries: 0, timeout: 1.5, cooldown_time: 1e-7, fallbacks: [{gpt-4: [haiku]}], on: true, when: 2026-01-31}
patch: {litellm_settings.num_retries: 2, model_list.0.litellm_params.rpm: '10'}
litellm: 1.80.17
mode: sdk
seed: 18446744073709551615
start: 2026-01-31T23:59:30.000000001Z
duration: 1h0m0.000000001s
drain: 7s
links: {client: 2ms, upstream: 3ms}
traffic:
  - model: gpt-4
    arrivals: {closed: {users: 5, think: {p50: 1.5s, p99.9: 1m}}}
    prompt_tokens: 4k
    output_tokens: {p1: 0, p50: 0, p99: 10.5}
    deadline: 90s
    retry: {attempts: 3, wait: 250ms, honour_retry_after: false, jitter: 12.5%}
    params: {num_retries: 1, timeout: 2.5s, stream_timeout: 1s, fallbacks: [haiku, nobody], tags: [a b, free], region: eu}
  - {model: haiku, arrivals: {bursts: {size: 100, every: 1m}}, params: {disable_fallbacks: true}}
  - {model: haiku, arrivals: {ramp: {from: 0/s, to: 100/m}}}
  - {model: haiku, arrivals: {constant: 7/h}}
upstreams:
  all: {rpm: 600, tpm: 240k}
  provider:azure: {profile: azure-openai, rpm: 300, scope: key, full_speed: 12, servers: 3, price: {input: 0.15, output: 2.5}}
  deployment:claude: {ttft: {p50: 0.1234567890123s, p99: 2s}, tpot: 12us, dialect: openai, retry_after: true, origin: measured}
quotas:
  - {on: [provider:azure, deployment:claude], requests: 3.6M, tokens: 1, window: bucket 250ms}
faults:
  - {at: 2m, for: 3m, on: provider:azure, inject: {status: 429, retry_after: 20s, message: 'slow \"down\"'}}
  - {at: 6m, on: key:AWS_KEY, inject: revoked, probability: 1/3, label: the key}
  - {at: 7m, on: all, inject: {error: tokens_limited}}
  - {at: 7m, on: all, inject: {quota: 0.1%}}
  - {at: 7m, on: all, inject: slow}
  - {at: 7m, on: all, inject: timeout}
  - {at: 7m, on: all, inject: refused}
  - {at: 7m, on: all, inject: reset}
  - {at: 7m, on: all, inject: overloaded}
  - {at: 7m, on: all, inject: content_filter}
  - {at: 7m, on: all, inject: context_window}
  - {at: 7m, on: all, inject: rate_limited}
what_if: {retry-budget: 12.5% burst 7, cooldown-jitter: 1/3, half-open: true, wait-for-cooldown: 5s, hedge: 1500ms}
expect:
  availability: \">= 99.9%\"
  latency: {p50: \"<= 1s\", p99.9: \"<= 8s\", max: \"<= 60s\"}
  served_by_fallback: \">= 1/3\"
  attempts_per_request: \"<= 1.1\"
  deadline: \">= 99%\"
  fallback_reached: \">= 2/3\"
  amplification: {10s: \"<= 3\", 90s: \"<= 1.5\"}
  recovery: \"<= 90s\"
  fair_shares: \"<= 12.5%\"
  no_starvation: \"<= 1m\"
  isolation: \">= 99.99%\"
  liveness: false
  must_see: [rate_limited, retry_after, server_error, timeout, refused, revoked, cooldown, all_cooling, retry, fallback,
    fallback_exhausted, abort, overlap, recovery]
  waive: {one-answer: 'it is \"odd\"'}
expect_broken: [latency.p99.9, latency.max, amplification.90s, recovery]
",
    );
}

proptest! {
    #[test]
    fn random_numbers_read_back_as_themselves(
        rate in 1e-3..1e6f64, seed: u64, nanos in 1..400_000_000_000_u64, share in 1e-6..1.0f64,
        low in 0.0..1e3f64, more in 0.0..1e3f64, price in 0.0..1e-3f64,
    ) {
        let (duration, share, price) = (Duration(Span::from_nanos(nanos)), Share(share), Price(price));
        let high = low + more;
        comes_back(&format!(
            "name: n
config: c.yaml
seed: {seed}
duration: {duration}
traffic:
  - {{model: gpt-4, arrivals: {{poisson: {rate}/s}}, prompt_tokens: {{p50: {low}, p95: {high}}}}}
upstreams:
  all: {{ttft: {{p10: {low}s, p90: {high}s}}, price: {{input: {price}, output: 1}}}}
faults:
  - {{at: 0s, on: all, inject: slow, probability: {share}}}
"
        ));
    }
}

#[test]
fn a_scenario_may_suppose_policies_that_litellm_does_not_have() {
    let supposed = scenario("what_if: {retry-budget: 0.2, half-open: true, hedge: 1500ms}\n");
    assert_eq!(words(supposed.plan.what_if()), "retry-budget=0.2, half-open=1, hedge=1500ms");
    assert!(scenario("").plan.what_if().is_off());
    complains("what_if: {half_open: 1}\n", "did you mean `half-open`?");
    complains("what_if: {wait-for-cooldown: 0s}\n", "no time at all is no policy");
}
