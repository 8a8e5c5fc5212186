//! The parts of the memo that say what was drilled: summary, sign-off, inventory, settings, what is left out.

use super::paper::{Cell, Paper};
use crate::figures::{self, DASH, counted};
use crate::model::{Alike, DrillReport, RowReport};
use crate::print::drill_text;

/// The name of a config without the folders above it: where they are is nobody's business but the author's.
fn file_name(config: &str) -> &str {
    config.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).unwrap_or(config)
}

pub(super) fn title(report: &DrillReport) -> String {
    format!("Readiness of {}", file_name(&report.config))
}

/// The one sentence that a manager reads.
pub(super) fn says(report: &DrillReport) -> String {
    let unserved = report.baseline.iter().filter(|one| !one.works).count();
    let verdicts = report.verdicts;
    let tried = verdicts.lost + verdicts.degraded + verdicts.held + verdicts.untouched;
    if unserved > 0 {
        return format!("Not ready: {} not served even when nothing fails.", names_are(unserved));
    }
    match (verdicts.lost, verdicts.degraded) {
        (0, 0) => format!("Ready for all {tried} outages that were tried: users would hardly notice any of them."),
        (0, slow) => format!(
            "Ready, with remarks: no outage of the {tried} that were tried loses users' requests beyond the threshold; {} felt.",
            outages_are(slow)
        ),
        (lost, _) => format!("Not ready: {lost} of the {tried} outages that were tried would lose users' requests."),
    }
}

fn names_are(count: usize) -> String {
    if count == 1 { "1 model is".to_owned() } else { format!("{count} models are") }
}

fn outages_are(count: usize) -> String {
    if count == 1 { "1 would be".to_owned() } else { format!("{count} would be") }
}

pub(super) fn facts(report: &DrillReport, date: Option<&str>) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(date) = date {
        facts.push(("Date", date.to_owned()));
    }
    facts.push(("Config", file_name(&report.config).to_owned()));
    facts.push(("LiteLLM", format!("{} ({})", report.litellm, report.mode)));
    facts.push(("routedrill", report.routedrill.to_string()));
    let seeds: Vec<String> = report.world.seeds.iter().map(ToString::to_string).collect();
    let (first, last) = (seeds.first().cloned().unwrap_or_default(), seeds.last().cloned().unwrap_or_default());
    facts.push(("Seeds", if seeds.len() > 3 { format!("{first} to {last}") } else { seeds.join(", ") }));
    facts
}

/// The verdicts as a share of all, the worst risk, what to do first.
pub(super) fn summary(report: &DrillReport, paper: &mut dyn Paper) {
    let (verdicts, world, thresholds) = (report.verdicts, &report.world, report.thresholds);
    let tried = verdicts.lost + verdicts.degraded + verdicts.held + verdicts.untouched;
    paper.section("Summary");
    let each = [
        (verdicts.lost, "would lose users' requests"),
        (verdicts.degraded, "would be felt"),
        (verdicts.held, "would hardly be noticed"),
        (verdicts.untouched, "would strike what nobody calls"),
    ];
    let each = each.iter().filter(|(count, what)| *count > 0 || *what == each[0].1);
    let each: Vec<String> = each.map(|(count, what)| format!("{} {what}", none_or(*count))).collect();
    let mut says = vec![format!("{} tried, one at a time: {}.", counted(tried as u64, "outage"), each.join(", "))];
    if let Some(worst) = report.risks.first() {
        says.push(format!("The worst risk (R1, {}): {}.", worst.grade, worst.what));
    }
    let proven = report.risks.iter().filter(|risk| risk.edit.is_some()).count();
    let removed = report.risks.iter().filter(|risk| risk.edit.as_ref().is_some_and(|edit| edit.removed)).count();
    if !report.risks.is_empty() {
        says.push(format!(
            "Of {}, {removed} would be removed by an edit of the config and {} made smaller; each edit was drilled again \
             under the same seeds (section Residual risks).",
            counted(report.risks.len() as u64, "residual risk"),
            proven - removed
        ));
    }
    if let Some(all) = &report.together {
        says.push(super::together::sentence(report, all));
    }
    if let Some(slo) = &report.slo
        && let Some(worst) = slo.burns.first()
    {
        says.push(format!(
            "Error budget: an objective of {} leaves {} of complete loss in four weeks. An hour of `{}` burns {} of that.",
            figures::chosen_share(slo.availability_objective),
            figures::seconds(slo.budget_minutes * 60.0),
            worst.row,
            times(worst.budget_per_hour)
        ));
    }
    let rate = match (world.rate, world.trace_requests) {
        (Some(rate), _) => format!("{rate} requests per second"),
        (None, requests) => counted(requests.unwrap_or_default(), "recorded request"),
    };
    says.push(format!(
        "Traffic: {rate}{} for {}; callers give up after {}. Each run lasts {}, the outage from {} to {}.",
        if world.load_chosen { "" } else { " (routedrill's default)" },
        listed(&world.models),
        chosen(world.deadline),
        chosen(world.duration),
        chosen(world.outage_from),
        chosen(world.outage_until)
    ));
    says.push(format!(
        "Lost: fewer than {} of the requests answered, during the outage or after it. Degraded: fewer than {}, or p99 over \
         {} times that of the baseline. The worst-hit model counts; what is lost in the baseline too is not held against an \
         outage.",
        figures::chosen_share(thresholds.min_availability),
        figures::chosen_share(thresholds.held_availability),
        thresholds.max_p99_ratio
    ));
    paper.list(&says);
}

/// A count in a sentence.
pub(super) fn none_or(count: usize) -> String {
    if count == 0 { "none".to_owned() } else { figures::count(count as u64) }
}

pub(super) fn chosen(secs: f64) -> String {
    figures::chosen(router_core::Span::from_secs_f64(secs))
}

/// A share of a budget, of which more than all can be burnt: `13.0 %`, `1,240 %`.
pub(super) fn times(share: f64) -> String {
    if share < 1.0 { figures::percent(share) } else { format!("{} %", figures::count((share * 100.0) as u64)) }
}

/// Names, as many as one reads.
pub(super) fn listed(names: &[String]) -> String {
    const READ: usize = 8;
    let mut text: Vec<String> = names.iter().take(READ).map(|name| format!("`{name}`")).collect();
    if names.len() > READ {
        text.push(format!("{} more", names.len() - READ));
    }
    text.join(", ")
}

/// One line per deployment: its worst outage.
pub(super) fn sign_off(report: &DrillReport, date: Option<&str>, paper: &mut dyn Paper) {
    let rank = |verdict: &str| ["lost", "degraded", "held", "untouched"].iter().position(|word| *word == verdict);
    let answered = |row: &RowReport| row.models.first().map_or(1.0, |worst| worst.availability_during);
    let mut rows = Vec::new();
    for place in &report.inventory.deployments {
        let own = || report.rows.iter().filter(|row| row.struck.len() == 1 && row.struck[0] == place.name);
        let worst =
            own().min_by(|a, b| rank(a.verdict).cmp(&rank(b.verdict)).then(answered(a).total_cmp(&answered(b))));
        let Some(worst) = worst else { continue };
        let risks: Vec<String> = (report.risks.iter().enumerate())
            .filter(|(_, risk)| own().any(|row| risk.rows.contains(&row.name)))
            .map(|(index, risk)| format!("R{} ({})", index + 1, risk.grade))
            .collect();
        let mut models: Vec<(&str, f64)> = Vec::new();
        for one in &worst.took_over {
            match models.iter_mut().find(|(model, _)| *model == one.model_name) {
                Some((_, share)) => *share += one.share,
                None => models.push((&one.model_name, one.share)),
            }
        }
        let took_over: Vec<String> =
            models.iter().map(|(model, share)| format!("`{model}` ({})", figures::percent(*share))).collect();
        let delta = worst.models.first().and_then(|worst| worst.p99_delta);
        rows.push(vec![
            Cell::text(date.unwrap_or("")),
            Cell::name(place.name.clone()),
            Cell::text(worst.outage),
            Cell::Verdict(worst.verdict.to_owned()),
            Cell::text(if took_over.is_empty() { drill_text::took_over(worst) } else { took_over.join(", ") }),
            figure(delta, figures::difference),
            Cell::text(if risks.is_empty() { "none".to_owned() } else { risks.join(", ") }),
        ]);
    }
    paper.section("Sign-off table");
    paper.text(
        "For each deployment the outage of it alone that users felt most, and which model groups answered instead: in \
         brackets the share of the worst-hit model's answers that each gained.",
    );
    paper.table(
        "Each deployment's worst outage",
        &["date", "failed deployment", "outage", "verdict", "observed fallback", "latency delta (p99)", "open risks"],
        rows,
    );
}

/// A figure, or a dash.
pub(super) fn figure(value: Option<f64>, show: impl Fn(f64) -> String) -> Cell {
    match value {
        Some(value) => Cell::Figure(show(value), value),
        None => Cell::text(DASH),
    }
}

pub(super) fn inventory(report: &DrillReport, paper: &mut dyn Paper) {
    let inventory = &report.inventory;
    paper.section("Deployments");
    paper.text(&format!(
        "{} in {}, at {}, with {}. Keys go by the name of their environment variable; values are never read.",
        counted(inventory.deployments.len() as u64, "deployment"),
        counted(inventory.groups, "model group"),
        counted(inventory.providers, "provider"),
        counted(inventory.keys, "key"),
    ));
    let dash = |text: &Option<String>| Cell::name(text.clone().unwrap_or_default());
    let rows = (inventory.deployments.iter())
        .map(|one| {
            vec![
                Cell::name(one.name.clone()),
                Cell::name(one.model_name.clone()),
                Cell::name(one.model.clone()),
                Cell::text(one.provider.clone()),
                dash(&one.region),
                dash(&one.key),
                Cell::text(one.serves),
                Cell::text(one.limits.clone().unwrap_or_else(|| DASH.to_owned())),
                Cell::text(one.role.clone()),
            ]
        })
        .collect();
    paper.table(
        "Deployments, in the order of `model_list`",
        &["deployment", "model_name", "model", "provider", "region", "key", "serves", "shares and limits", "role"],
        rows,
    );
}

/// Settings with where each was set: no default stays undocumented.
pub(super) fn settings(report: &DrillReport, paper: &mut dyn Paper) {
    paper.section("Routing, retries, timeouts, cooldowns");
    paper.text(
        "Every value that takes effect, and where it was set. `LiteLLM default` means that the config is silent.",
    );
    let origin = |value: &str, from: &str| Cell::text(format!("{value} ({from})"));
    let rows = (report.settings.iter())
        .map(|one| {
            let line = one.line.map_or_else(String::new, |line| format!(", line {line}"));
            vec![Cell::name(one.key), Cell::text(one.value.clone()), Cell::text(format!("{}{line}", one.from))]
        })
        .collect();
    paper.table("Router-wide settings", &["setting", "value", "set in"], rows);
    // Deployments that are set up alike share a line.
    let mut alike: Vec<(Vec<&str>, [&crate::model::SettingReport; 3])> = Vec::new();
    for one in &report.inventory.deployments {
        let settings = [&one.timeout, &one.num_retries, &one.cooldown_time];
        match alike.iter_mut().find(|(_, known)| *known == settings) {
            Some((names, _)) => names.push(&one.name),
            None => alike.push((vec![&one.name], settings)),
        }
    }
    let rows = (alike.into_iter())
        .map(|(names, settings)| {
            let mut cells =
                vec![Cell::text(names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))];
            cells.extend(settings.map(|setting| origin(&setting.value, setting.from)));
            cells
        })
        .collect();
    paper.table("By deployment", &["deployments", "timeout of an attempt", "retries", "cooldown"], rows);
}

pub(super) fn fallbacks(report: &DrillReport, paper: &mut dyn Paper) {
    paper.section("Fallback order");
    if report.fallbacks.is_empty() {
        paper.text("No fallback is configured.");
        return;
    }
    let rows = (report.fallbacks.iter())
        .map(|one| {
            let targets: Vec<String> = (one.targets.iter().enumerate())
                .map(|(index, target)| {
                    let gone = if target.exists { "" } else { " (not in model_list)" };
                    format!("{}. {}{gone}", index + 1, target.name)
                })
                .collect();
            vec![Cell::name(one.model.clone()), Cell::name(one.list), Cell::text(targets.join(", "))]
        })
        .collect();
    paper.table("Where requests go when a model group fails", &["model", "list", "tried in this order"], rows);
}

pub(super) fn findings(report: &DrillReport, paper: &mut dyn Paper) {
    paper.section("What the config does not do");
    if report.findings.is_empty() {
        paper.text("Nothing was found that does not do what it says.");
        return;
    }
    let found: Vec<String> = (Alike::among(&report.findings).iter())
        .map(|alike| {
            let one = alike.first;
            let fix = if one.remedy.is_empty() { String::new() } else { format!(" Fix: {}.", one.remedy) };
            format!("{}, {} (`{}`): {}.{fix}", one.severity, alike.place(), one.rule, one.message)
        })
        .collect();
    paper.list(&found);
}

/// MCP servers and guardrails, where there are any.
pub(super) fn surroundings(report: &DrillReport, paper: &mut dyn Paper) {
    let around = &report.surroundings;
    let line =
        |line: Option<u32>| line.map_or_else(|| Cell::text(DASH), |line| Cell::Figure(line.to_string(), line.into()));
    if !around.mcp_servers.is_empty() {
        paper.section("MCP servers");
        paper.text(&format!(
            "{} listed, not modelled: calls of tools do not go through the Router, and no outage of theirs was drilled. {}",
            counted(around.mcp_servers.len() as u64, "server"),
            if around.store_model_in_db {
                "`general_settings.store_model_in_db` is on: servers that are added at run time are kept in the database \
                 and are not seen here."
            } else {
                "`general_settings.store_model_in_db` is off: a server that is added at run time is gone after a restart."
            }
        ));
        let rows = (around.mcp_servers.iter())
            .map(|one| {
                vec![
                    Cell::name(one.name.clone()),
                    Cell::text(one.transport.clone()),
                    Cell::text(one.auth_type.clone().unwrap_or_else(|| "none set".to_owned())),
                    line(one.line),
                ]
            })
            .collect();
        paper.table("MCP servers of the config", &["server", "transport", "authentication", "line"], rows);
    }
    paper.section("Guardrails");
    if around.guardrails.is_empty() {
        paper.text("The config has none.");
        return;
    }
    paper.text(
        "Listed, not modelled: a guardrail that is slow, down or refuses a request changes what users see, and none of that \
         was drilled.",
    );
    let rows = (around.guardrails.iter())
        .map(|one| {
            vec![
                Cell::name(one.name.clone()),
                Cell::text(one.guardrail.clone().unwrap_or_else(|| DASH.to_owned())),
                Cell::text(one.mode.clone().unwrap_or_else(|| DASH.to_owned())),
                Cell::text(if one.default_on { "every request" } else { "requests that ask for it" }),
                line(one.line),
            ]
        })
        .collect();
    paper.table("Guardrails of the config", &["guardrail", "checks", "mode", "runs for", "line"], rows);
}

pub(super) fn not_modelled(report: &DrillReport, paper: &mut dyn Paper) {
    paper.section("What was not modelled");
    let mut left_out = vec![
        "Several replicas of the proxy, and what they share through Redis.".to_owned(),
        "Streamed answers, and streams that end midway.".to_owned(),
        "Budgets, virtual keys, teams and what callers of each may use.".to_owned(),
        "Guardrails, MCP servers, callbacks, caches, and the proxy's own database.".to_owned(),
        "Health checks as an input of routing, and models that are stored in a database.".to_owned(),
        "Two outages at once, and limits that upstreams enforce of their own accord.".to_owned(),
        format!(
            "Real latencies, token counts and patience: they are stand-ins until you give your own. Latencies of upstreams: {}.",
            report.world.latencies
        ),
    ];
    if !report.broken_laws.is_empty() {
        left_out.push(format!(
            "{} of the router's own laws were broken in these runs: a bug of routedrill, and a reason to distrust this memo.",
            report.broken_laws.len()
        ));
    }
    let mut others: Vec<&str> = (report.inventory.deployments.iter())
        .map(|one| one.serves)
        .filter(|serves| !["chat", "any model"].contains(serves))
        .collect();
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        left_out.push(format!(
            "That {} differ from chat: calls for them were given the sizes and latencies of chat.",
            others.join(", ")
        ));
    }
    for cut in &report.cut_short {
        left_out.push(format!("Not finished: {cut}."));
    }
    paper.list(&left_out);
    paper.text(&format!(
        "Evidence: {} with {}, digest `{}`; figures, digests of each run and the commands that repeat them are in \
         `results.json`. The same command gives the same bytes.",
        counted(report.runs, "run"),
        counted(report.requests, "request"),
        report.digest
    ));
}

/// Whom it is for to sign.
pub(super) fn signatures(paper: &mut dyn Paper) {
    paper.section("Sign-off");
    paper.text("I have read the residual risks above, and accept those that stay open until they are reviewed again.");
    let empty = || Cell::text("\u{a0}".repeat(24));
    let row = |role: &str| vec![Cell::text(role), empty(), empty(), empty(), empty()];
    paper.table(
        "Signatures",
        &["role", "name", "signature", "date", "risks reviewed again by"],
        vec![row("Service owner"), row("On-call lead"), row("Reviewer")],
    );
}
