//! From the file as written to the scenario as meant: every name is looked up, every default filled in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use router_core::{Config, NameId, Params, Plan, RequestLists, RetryAfter, Span, Target, Time, WhatIf};

use super::file::{self, File};
use super::meant::{
    Arrivals, ClientRetry, Expect, Fault, Inject, Links, Origin, Quantiles, Quota, QuotaUnit, QuotaWindow, Recording,
    Scenario, TraceRow, Traffic,
};
use super::quantity::{Complaint, Count, Duration, Quantity as _, Share};
use super::reading::{Reading, quantile};
use super::recorded::OneRequest;
use super::tree::{Kind, NodeId, Tree};
use super::upstreams;
use super::what_if::{Probes, Tokens, Wait};
use super::word::{InjectWord, Text, Vocabulary as _};
use super::written::{Located, Written};
use crate::invariants::Law;
use crate::litellm::Inventory;
use crate::problem::did_you_mean;
use crate::provider::ErrorKind;

/// Tokens of a prompt where a scenario does not say.
const PROMPT_TOKENS: [(f64, f64); 2] = [(0.5, 800.0), (0.95, 4000.0)];
/// Tokens of an answer where a scenario does not say.
const OUTPUT_TOKENS: [(f64, f64); 2] = [(0.5, 150.0), (0.95, 600.0)];
/// How many times as long a `slow` upstream takes where a scenario does not say.
const SLOW_FACTOR: f64 = 10.0;
/// How long messages travel where a scenario does not say.
const LINK: Span = Span::from_millis(1);
/// How long a run goes on for callers who never give up.
const DRAIN: Span = Span::from_secs(600);

/// Every name that requests of this file ask for. A plan numbers only names that it knows beforehand.
pub(super) fn asked_names(file: &File, tree: &Tree) -> Vec<String> {
    let models = file.traffic().iter().map(|traffic| &traffic.model);
    let params = file.traffic().iter().filter_map(|traffic| traffic.params.as_ref());
    let fallbacks = params.filter_map(|params| params.fallbacks.as_ref()).flatten();
    models.chain(fallbacks).filter_map(|written| text(written, tree)).collect()
}

/// Tells a config every tag and region that requests of this file will mention.
pub(super) fn announce(file: &File, tree: &Tree, config: &mut Config) {
    for params in file.traffic().iter().filter_map(|traffic| traffic.params.as_ref()) {
        config.asked_tags.extend(params.tags.iter().flatten().filter_map(|written| text(written, tree)));
        config.asked_regions.extend(params.region.iter().filter_map(|written| text(written, tree)));
    }
}

/// The policies beyond LiteLLM's that the file supposes.
pub(super) fn what_if(file: &File, reading: &mut Reading<'_>) -> WhatIf {
    let Some(supposed) = &file.what_if else { return WhatIf::default() };
    WhatIf {
        retry_budget: reading.optional(&supposed.retry_budget).map(|Tokens(budget)| budget),
        cooldown_jitter: reading.optional(&supposed.cooldown_jitter).map(|Share(share)| share),
        half_open: reading.optional(&supposed.half_open).map(|Probes(probes)| probes),
        wait_for_cooldown: reading.optional(&supposed.wait_for_cooldown).map(|Wait(wait)| wait),
        hedge_after: reading.optional(&supposed.hedge).map(|Wait(wait)| wait),
    }
}

fn text(written: &Written<Text>, tree: &Tree) -> Option<String> {
    written.read(tree).ok().map(|Text(text)| text)
}

/// Everything that resolving a file needs besides the file.
pub(super) struct World<'a> {
    pub(super) config: &'a Config,
    pub(super) inventory: &'a Arc<Inventory>,
    pub(super) plan: &'a Arc<Plan>,
    pub(super) origin: &'a Origin,
    /// The folder of the scenario file.
    pub(super) folder: &'a Path,
}

/// The scenario that a file means. What is wrong is written down in `reading`; then the result may be incomplete.
pub(super) fn resolve(file: &File, reading: &mut Reading<'_>, world: &World<'_>) -> Option<Scenario> {
    let name = reading.optional(&file.name);
    let seed = reading.optional(&file.seed).map_or(0, |Count(seed)| seed);
    let duration = file.duration.as_ref().and_then(|written| positive(written, "the duration of a run", reading));
    let drain = reading.optional(&file.drain).map(|Duration(span)| span);
    if let Some(written) = &file.replicas {
        replicas(written, reading);
    }
    if let Some(Located { node, .. }) = file.traffic
        && *reading.tree.kind(node) == Kind::List(Vec::new())
    {
        reading.complain(node, Complaint::new("nobody asks for anything").help("`traffic` needs one entry at least"));
    }
    let traffic: Vec<_> =
        file.traffic().iter().filter_map(|traffic| resolve_traffic(traffic, reading, world)).collect();
    let nothing = super::written::Named(Vec::new());
    let entries = file.upstreams.as_ref().unwrap_or(&nothing);
    let (upstreams, mut quotas) = upstreams::resolve(entries, reading, world.config, world.inventory);
    for entry in file.quotas.iter().flatten() {
        quotas.extend(resolve_quota(entry, reading, world).into_iter().flatten());
    }
    let entries = file.faults.iter().flatten();
    let faults: Vec<_> = entries.filter_map(|entry| resolve_fault(entry, duration, reading, world)).collect();
    let links = resolve_links(file.links.as_ref(), reading);
    let expect = resolve_expect(file, reading);
    Some(Scenario {
        name: name?.0,
        plan: world.plan.clone(),
        inventory: world.inventory.clone(),
        seed,
        duration: duration?,
        drain: drain.unwrap_or_else(|| patience(&traffic)),
        traffic,
        upstreams,
        quotas,
        faults,
        links,
        expect,
        origin: world.origin.clone(),
    })
}

fn replicas(written: &Written<Count>, reading: &mut Reading<'_>) {
    match reading.value(written) {
        Some(Count(0)) => {
            reading.complain(written.node(), Complaint::new("no replica, no router").help("write `replicas: 1`"))
        }
        Some(Count(2..)) => {
            let complaint = Complaint::new("several replicas of the router are not modelled yet");
            reading.complain(written.node(), complaint.help("write `replicas: 1`, or leave the key out"));
        }
        Some(Count(1)) | None => {}
    }
}

/// Until when the last caller has given up.
fn patience(traffic: &[Traffic]) -> Span {
    let each = traffic.iter().map(|traffic| {
        let deadline = traffic.deadline?;
        let Some(retry) = traffic.retry else { return Some(deadline) };
        let tries = u64::from(retry.attempts);
        let deadlines = deadline.as_nanos().saturating_mul(tries + 1);
        let longest = retry.wait + Span::from_secs_f64(retry.wait.as_secs_f64() * retry.jitter);
        Some(Span::from_nanos(deadlines.saturating_add(longest.as_nanos().saturating_mul(tries))))
    });
    each.map(|span| span.unwrap_or(DRAIN)).max().unwrap_or(DRAIN)
}

fn resolve_traffic(traffic: &file::Traffic, reading: &mut Reading<'_>, world: &World<'_>) -> Option<Traffic> {
    let model = reading.value(&traffic.model).and_then(|Text(name)| world.plan.name_id(&name));
    let arrivals = resolve_arrivals(&traffic.arrivals, reading, world);
    let recorded = matches!(traffic.arrivals, file::Arrivals::Trace(_) | file::Arrivals::Requests(_));
    let mut tokens = |spread: &Option<Located<file::Spread<super::quantity::Plain>>>, usual: &[(f64, f64)]| {
        let Some(spread) = spread else { return Some(Quantiles(usual.to_vec())) };
        if recorded {
            let complaint = Complaint::new("a trace brings its own numbers of tokens");
            reading.complain(spread.node, complaint.help("remove this, or replace the trace"));
            return None;
        }
        let quantiles = reading.spread(spread, |number| number.0)?;
        let fits = quantiles.0.iter().all(|(_, value)| *value <= f64::from(u32::MAX));
        reading.kept(
            spread.node,
            if fits {
                Ok(quantiles)
            } else {
                Err(Complaint::new("this is too many tokens").help("at most 4294967295"))
            },
        )
    };
    let prompt_tokens = tokens(&traffic.prompt_tokens, &PROMPT_TOKENS);
    let output_tokens = tokens(&traffic.output_tokens, &OUTPUT_TOKENS);
    let deadline = traffic.deadline.as_ref().map(|written| positive(written, "a deadline", reading));
    let retry = traffic.retry.as_ref().map(|retry| {
        let attempts = reading.narrow(&retry.attempts);
        let wait = reading.value(&retry.wait).map(|Duration(span)| span);
        let honour_retry_after = retry.honour_retry_after.as_ref().map_or(Some(true), |written| reading.value(written));
        let jitter =
            retry.jitter.as_ref().map_or(Some(0.0), |written| reading.value(written).map(|Share(share)| share));
        Some(ClientRetry { attempts: attempts?, wait: wait?, honour_retry_after: honour_retry_after?, jitter: jitter? })
    });
    let params = traffic.params.as_ref().map(|params| resolve_params(params, reading, world));
    Some(Traffic {
        model: model?,
        arrivals: arrivals?,
        prompt_tokens: prompt_tokens?,
        output_tokens: output_tokens?,
        deadline: all_or_nothing(deadline)?,
        retry: all_or_nothing(retry)?,
        params: all_or_nothing(params)?.map(Box::new),
    })
}

/// Nothing was written, or what was written makes sense.
fn all_or_nothing<T>(written: Option<Option<T>>) -> Option<Option<T>> {
    match written {
        None => Some(None),
        Some(None) => None,
        Some(value) => Some(value),
    }
}

fn positive(written: &Written<Duration>, what: &str, reading: &mut Reading<'_>) -> Option<Span> {
    let Duration(span) = reading.value(written)?;
    let result = if span.is_zero() {
        Err(Complaint::new(format!("{what} cannot be zero")).help("leave the key out, or give it a value above zero"))
    } else {
        Ok(span)
    };
    reading.kept(written.node(), result)
}

fn resolve_arrivals(arrivals: &file::Arrivals, reading: &mut Reading<'_>, world: &World<'_>) -> Option<Arrivals> {
    let some = |node: NodeId, value: u32, what: &str, reading: &mut Reading<'_>| {
        let result = if value == 0 {
            Err(Complaint::new(format!("{what} cannot be zero"))
                .help("leave the key out, or give it a value above zero"))
        } else {
            Ok(value)
        };
        reading.kept(node, result)
    };
    let rate = |written: &Written<_>, reading: &mut Reading<'_>| {
        let super::quantity::Rate(rate) = reading.value(written)?;
        let result = if rate > 0.0 {
            Ok(rate)
        } else {
            Err(Complaint::new("a rate of zero is no traffic").help("remove the entry, or give it a rate"))
        };
        reading.kept(written.node(), result)
    };
    Some(match arrivals {
        file::Arrivals::Poisson(written) => Arrivals::Poisson { rate: rate(written, reading)? },
        file::Arrivals::Constant(written) => Arrivals::Constant { rate: rate(written, reading)? },
        file::Arrivals::Bursts(file::Bursts { size, every }) => {
            let count = reading.narrow(size).and_then(|count| some(size.node(), count, "the size of a burst", reading));
            let every = positive(every, "the distance between bursts", reading);
            Arrivals::Bursts { size: count?, every: every? }
        }
        file::Arrivals::Ramp(file::Ramp { from, to }) => {
            let (low, high) = (reading.value(from), reading.value(to));
            let (low, high) = (low?.0, high?.0);
            if low <= 0.0 && high <= 0.0 {
                reading.complain(
                    to.node(),
                    Complaint::new("a ramp from zero to zero is no traffic").help("give one end a rate"),
                );
                return None;
            }
            Arrivals::Ramp { from: low, to: high }
        }
        file::Arrivals::Closed(file::Closed { users, think }) => {
            let count =
                reading.narrow(users).and_then(|count| some(users.node(), count, "the number of users", reading));
            let think = reading.spread(think, |seconds| seconds.0);
            Arrivals::Closed { users: count?, think: think? }
        }
        file::Arrivals::Trace(trace) => Arrivals::Trace(resolve_trace(&trace.value, reading, world)?),
        file::Arrivals::Requests(requests) => Arrivals::Trace(resolve_requests(requests, reading)?),
    })
}

fn resolve_trace(trace: &file::Trace, reading: &mut Reading<'_>, world: &World<'_>) -> Option<Recording> {
    let (path, every, skip) = match trace {
        file::Trace::File(written) => (written, None, None),
        file::Trace::Share(file::TraceShare { file, every, skip }) => (file, every.as_ref(), skip.as_ref()),
    };
    let mut number = |written: Option<&Written<Count>>, usual: u32, least: u32| {
        let Some(written) = written else { return Some(usual) };
        let count = reading.narrow(written)?;
        let result = if count < least {
            Err(Complaint::new("this cannot be zero").help("1 takes every request"))
        } else {
            Ok(count)
        };
        reading.kept(written.node(), result)
    };
    let (every, skip) = (number(every, 1, 1), number(skip, 0, 0));
    let Text(path) = reading.value(path)?;
    let whole = Recording::read(&world.folder.join(path)).map_err(|problem| reading.problems.push(problem)).ok()?;
    let (every, skip) = (every?, skip?);
    Some(if (every, skip) == (1, 0) { whole } else { whole.share(every, skip, Time::MAX) })
}

/// Requests one by one are a recording without a file.
fn resolve_requests(requests: &Located<Vec<Written<OneRequest>>>, reading: &mut Reading<'_>) -> Option<Recording> {
    if requests.value.is_empty() {
        let complaint = Complaint::new("nobody asks for anything").help("`requests` needs one entry at least");
        reading.complain(requests.node, complaint);
        return None;
    }
    let mut rows: Vec<TraceRow> = Vec::with_capacity(requests.value.len());
    let mut complete = true;
    for written in &requests.value {
        match reading.value(written) {
            Some(OneRequest(row)) if rows.last().is_some_and(|last| row.at < last.at) => {
                let complaint = Complaint::new("this request comes before the one above it").help("sort them by time");
                reading.complain(written.node(), complaint);
                complete = false;
            }
            Some(OneRequest(row)) => rows.push(row),
            None => complete = false,
        }
    }
    complete.then(|| Recording { rows: rows.into(), file: PathBuf::new(), every: 1, skip: 0 })
}

fn resolve_params(params: &file::Params, reading: &mut Reading<'_>, world: &World<'_>) -> Option<Params> {
    let plan = world.plan;
    let mut complete = true;
    let mut seconds = |written: &Option<Written<Duration>>| {
        let value = reading.optional(written).map(|Duration(span)| span.as_secs_f64());
        complete &= written.is_some() == value.is_some();
        value
    };
    let timeout = seconds(&params.timeout);
    let request_timeout = seconds(&params.request_timeout);
    let stream_timeout = seconds(&params.stream_timeout);
    let num_retries = params.num_retries.as_ref().map(|written| reading.narrow(written));
    let disable_fallbacks = params.disable_fallbacks.as_ref().map(|written| reading.value(written));
    let targets = params.fallbacks.as_ref().map(|names| {
        let targets: Vec<_> =
            names.iter().filter_map(|name| Some(target(plan.name_id(&reading.value(name)?.0)?))).collect();
        (targets.len() == names.len()).then_some(targets)
    });
    let tags = params.tags.as_ref().map(|names| {
        let tags: Vec<_> = names.iter().filter_map(|name| plan.tag_id(&reading.value(name)?.0)).collect();
        (tags.len() == names.len()).then_some(tags)
    });
    let region = params.region.as_ref().map(|written| plan.region_id(&reading.value(written)?.0));
    if !complete {
        return None;
    }
    Some(Params {
        num_retries: all_or_nothing(num_retries)?.map(i64::from),
        max_retries: None,
        timeout,
        request_timeout,
        stream_timeout,
        fallbacks: all_or_nothing(targets)?,
        disable_fallbacks: all_or_nothing(disable_fallbacks)?.unwrap_or(false),
        tags: all_or_nothing(tags)?.unwrap_or_default(),
        region: all_or_nothing(region)?,
        lists: RequestLists::default(),
    })
}

const fn target(name: NameId) -> Target {
    Target { model: Some(name), map: None, params: None }
}

fn resolve_quota(entry: &file::Quota, reading: &mut Reading<'_>, world: &World<'_>) -> Option<Vec<Quota>> {
    let scope = reading.all_selected(&entry.on.0, world.config, world.inventory);
    let window = match &entry.window {
        Some(written) => reading.value(written).map(|window| window.0),
        None => Some(QuotaWindow::Fixed(Span::from_secs(60))),
    };
    let limits = [(&entry.requests, QuotaUnit::Requests), (&entry.tokens, QuotaUnit::Tokens)];
    if limits.iter().all(|(written, _)| written.is_none())
        && let Some(selector) = entry.on.0.first()
    {
        let help = "write `requests:` or `tokens:`";
        reading.complain(selector.node(), Complaint::new("this quota limits nothing").help(help));
    }
    let limits = limits.map(|(written, unit)| (reading.optional(written), unit));
    let (scope, window) = (scope?, window?);
    let quotas = limits.into_iter().filter_map(|(limit, unit)| {
        let Count(limit) = limit?;
        Some(Quota { scope: scope.clone(), unit, limit, window })
    });
    Some(quotas.collect())
}

fn resolve_fault(
    entry: &file::Fault,
    duration: Option<Span>,
    reading: &mut Reading<'_>,
    world: &World<'_>,
) -> Option<Fault> {
    let from = reading.value(&entry.at).and_then(|Duration(span)| {
        let late = duration.is_some_and(|duration| span >= duration);
        let help = "`at` counts from the start of the run and must be below `duration`";
        let result =
            if late { Err(Complaint::new("by then no request arrives any more").help(help)) } else { Ok(span) };
        reading.kept(entry.at.node(), result).map(|span| Time::ZERO + span)
    });
    let lasts = entry.lasts.as_ref().map(|written| positive(written, "the length of a fault", reading));
    let on = reading.all_selected(&entry.on.0, world.config, world.inventory);
    let injected = resolve_inject(&entry.inject, reading);
    let probability = match &entry.probability {
        None => Some(1.0),
        Some(written) => reading.value(written).and_then(|share| {
            let result = if share.0 > 0.0 {
                Ok(share.0)
            } else {
                Err(Complaint::new("this fault never strikes").help("remove it, or give it a share above 0%"))
            };
            reading.kept(written.node(), result)
        }),
    };
    let label = entry.label.as_ref().map(|written| reading.value(written).map(|Text(label)| label));
    let (from, lasts, label) = (from?, all_or_nothing(lasts)?, all_or_nothing(label)?);
    let (inject, what) = injected?;
    let label = label.unwrap_or_else(|| {
        let on: Vec<_> = entry.on.0.iter().map(|written| reading.tree.text(written.node())).collect();
        format!("{what} on {}", on.join(" and "))
    });
    Some(Fault { from, until: lasts.map(|span| from + span), on: on?, probability: probability?, inject, label })
}

/// What a fault does, and the words for it.
fn resolve_inject(entry: &Located<file::Inject>, reading: &mut Reading<'_>) -> Option<(Inject, String)> {
    let error = |kind| Inject::Error { kind, retry_after: RetryAfter::Absent, message: None };
    let details = match &entry.value {
        file::Inject::Details(details) => details,
        file::Inject::Word(written) => {
            let word = reading.value(written)?;
            let inject = match word {
                InjectWord::RateLimited => error(ErrorKind::RateLimited),
                InjectWord::Overloaded => error(ErrorKind::Overloaded),
                InjectWord::Revoked => error(ErrorKind::Revoked),
                InjectWord::ContentFilter => error(ErrorKind::ContentFilter),
                InjectWord::ContextWindow => error(ErrorKind::ContextWindow),
                InjectWord::Timeout => Inject::Silent,
                InjectWord::Refused => Inject::Refused,
                InjectWord::Reset => Inject::Reset,
                InjectWord::Slow => Inject::Slow { factor: SLOW_FACTOR },
                InjectWord::Quota => Inject::Quota { left: 0.0 },
            };
            return Some((inject, word.word().to_owned()));
        }
    };
    let file::Details { status, error, retry_after, message, slow, quota } = details.as_ref();
    let given = [status.is_some(), error.is_some(), slow.is_some(), quota.is_some()];
    if given.iter().filter(|given| **given).count() != 1 {
        let complaint = Complaint::new("exactly one of `status`, `error`, `slow` and `quota` says what is injected");
        reading.complain(entry.node, complaint.help("write `{status: 503}`, or a word like `revoked`"));
        return None;
    }
    let answers = status.is_some() || error.is_some();
    for node in [retry_after.as_ref().map(Written::node), message.as_ref().map(Written::node)].into_iter().flatten() {
        if !answers {
            let complaint = Complaint::new("this belongs to an error answer").help("it goes with `status` or `error`");
            reading.complain(node, complaint);
        }
    }
    let retry_after = match retry_after {
        None => Some(RetryAfter::Absent),
        Some(written) => reading.value(written).map(|seconds| RetryAfter::Seconds(seconds.0)),
    };
    let message = all_or_nothing(message.as_ref().map(|written| reading.value(written).map(|Text(text)| text)));
    if let Some(written) = slow {
        let factor = reading.value(written)?.0;
        let result = if factor > 0.0 {
            Ok(factor)
        } else {
            Err(Complaint::new("nothing takes no time at all").help("`{slow: 10}` is ten times as slow"))
        };
        let factor = reading.kept(written.node(), result)?;
        return Some((Inject::Slow { factor }, format!("{factor} times as slow")));
    }
    if let Some(written) = quota {
        let share = reading.value(written)?;
        return Some((Inject::Quota { left: share.0 }, format!("quota cut to {share}")));
    }
    let kind = match (status, error) {
        (Some(written), _) => {
            let Count(code) = reading.value(written)?;
            let error = u16::try_from(code).ok().filter(|code| (400..600).contains(code));
            let complaint =
                Complaint::new("this is not the status of an error").help("statuses of errors are 400 to 599");
            ErrorKind::Status(reading.kept(written.node(), error.ok_or(complaint))?)
        }
        (None, Some(written)) => reading.value(written)?,
        (None, None) => return None,
    };
    let what = if let ErrorKind::Status(code) = kind { code.to_string() } else { kind.word().to_owned() };
    Some((Inject::Error { kind, retry_after: retry_after?, message: message? }, what))
}

fn resolve_links(links: Option<&file::Links>, reading: &mut Reading<'_>) -> Links {
    let mut latency = |written: Option<&Written<Duration>>| {
        written.and_then(|written| positive(written, "the time that a message travels", reading)).unwrap_or(LINK)
    };
    Links {
        client: latency(links.and_then(|links| links.client.as_ref())),
        upstream: latency(links.and_then(|links| links.upstream.as_ref())),
    }
}

fn resolve_expect(file: &File, reading: &mut Reading<'_>) -> Expect {
    let mut meant = file.expect.as_ref().map(|expect| resolve_promises(expect, reading)).unwrap_or_default();
    let promised = meant.promises();
    for written in file.expect_broken.iter().flatten() {
        let Some(Text(key)) = reading.value(written) else { continue };
        let key = in_its_own_words(key);
        if promised.contains(&key) {
            meant.broken.push(key);
        } else {
            let help = match promised.as_slice() {
                [] => "`expect` promises nothing that could break".to_owned(),
                keys => format!("promised are {}", keys.join(", ")),
            };
            reading.complain(written.node(), Complaint::new(format!("`expect` does not promise `{key}`")).help(help));
        }
    }
    meant
}

fn resolve_promises(expect: &file::Expect, reading: &mut Reading<'_>) -> Expect {
    let mut latency = Vec::new();
    for (key, written) in expect.latency.iter().flat_map(|named| &named.0) {
        let share = reading.kept(*key, quantile(reading.tree.text(*key)));
        let bound = reading.value(written);
        latency.extend(share.zip(bound).map(|(share, bound)| (share, bound.0.0.as_secs_f64())));
    }
    let mut amplification = Vec::new();
    for (key, written) in expect.amplification.iter().flat_map(|named| &named.0) {
        let window = reading.kept(*key, whole_seconds(reading.tree.text(*key)));
        let bound = reading.value(written);
        amplification.extend(window.zip(bound).map(|(window, bound)| (window, bound.0.0)));
    }
    let mut waived = Vec::new();
    for (key, written) in expect.waive.iter().flat_map(|named| &named.0) {
        let law = reading.kept(*key, law(reading.tree.text(*key)));
        waived.extend(law.zip(reading.value(written)).map(|(law, Text(reason))| (law, reason)));
    }
    Expect {
        availability: reading.optional(&expect.availability).map(|bound| bound.0.0),
        latency,
        served_by_fallback: reading.optional(&expect.served_by_fallback).map(|bound| bound.0.0),
        attempts_per_request: reading.optional(&expect.attempts_per_request).map(|bound| bound.0.0),
        deadline: reading.optional(&expect.deadline).map(|bound| bound.0.0),
        fallback_reached: reading.optional(&expect.fallback_reached).map(|bound| bound.0.0),
        amplification,
        recovery: reading.optional(&expect.recovery).map(|bound| bound.0.0),
        fair_shares: reading.optional(&expect.fair_shares).map(|bound| bound.0.0),
        no_starvation: reading.optional(&expect.no_starvation).map(|bound| bound.0.0),
        isolation: reading.optional(&expect.isolation).map(|bound| bound.0.0),
        liveness_off: reading.optional(&expect.liveness) == Some(false),
        must_see: expect.must_see.iter().flatten().filter_map(|written| reading.value(written)).collect(),
        broken: Vec::new(),
        waived,
    }
}

/// A key as reports write it: `amplification.60s` is `amplification.1m`.
fn in_its_own_words(key: String) -> String {
    let window = key.split_once('.').and_then(|(_, window)| Duration::parse(window).ok());
    window
        .map(|Duration(window)| Expect::amplification_key(window))
        .filter(|_| key.starts_with("amplification."))
        .unwrap_or(key)
}

/// The length of a window, which begins at whole seconds and so ends at them.
fn whole_seconds(text: &str) -> Result<Span, Complaint> {
    let Duration(window) = Duration::parse(text)?;
    if window.is_zero() || window.as_nanos() % Span::from_secs(1).as_nanos() != 0 {
        return Err(Complaint::new("a window takes whole seconds").help("write `10s` or `1m`"));
    }
    Ok(window)
}

/// The law of this name.
fn law(name: &str) -> Result<Law, Complaint> {
    Law::ALL.into_iter().find(|law| law.name() == name).ok_or_else(|| {
        let listed = || format!("laws are {}", Law::ALL.map(Law::name).join(", "));
        let help =
            did_you_mean(name, Law::ALL.map(Law::name)).map_or_else(listed, |law| format!("did you mean `{law}`?"));
        Complaint::new(format!("`{name}` is not a law of the router")).help(help)
    })
}
