//! The report of a drill as text: what was drilled, what the configuration says about itself, what came of each outage,
//! and what to change first.

use std::fmt::Write as _;

use router_core::Span;

use super::laws;
use crate::figures::{self, DASH, counted};
use crate::model::{
    Alike, BaselineReport, DrillReport, FindingReport, ImpactReport, RefusalReport, RiskReport, RowReport,
};
use crate::table::{Align, Grid, INDENT};
use crate::wrap;

/// How much of a drill is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Detail {
    /// Each outage on a line of its own, those that were held included.
    pub all: bool,
}

/// The report of a drill, as people read it in a terminal.
pub fn drill(report: &DrillReport, detail: Detail) -> String {
    let mut text = String::new();
    head(&mut text, report);
    findings(&mut text, report, detail);
    baseline(&mut text, report);
    if !report.rows.is_empty() {
        map(&mut text, report, detail);
        felt(&mut text, report, detail);
    }
    risks(&mut text, report);
    foot(&mut text, report);
    text
}

/// A configuration with which LiteLLM would not start.
pub fn refusal(report: &RefusalReport) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}: LiteLLM {} would not start with this config", report.config, report.litellm);
    for reason in &report.reasons {
        wrap::item(&mut text, "error    ", reason);
    }
    let mut findings: Vec<&FindingReport> = report.findings.iter().collect();
    findings.sort_by_key(|finding| !finding.stops_start_up);
    write_findings(&mut text, findings.into_iter().filter(|finding| finding.severity != "note"));
    text
}

fn write_findings<'a>(text: &mut String, findings: impl IntoIterator<Item = &'a FindingReport>) {
    for alike in Alike::among(findings) {
        let FindingReport { severity, message, remedy, .. } = alike.first;
        wrap::item(text, &format!("{severity:<8} {}: ", alike.place()), message);
        if !remedy.is_empty() {
            wrap::item(text, "         fix: ", remedy);
        }
    }
}

fn head(text: &mut String, report: &DrillReport) {
    let (inventory, world) = (&report.inventory, &report.world);
    let time = |secs: f64| figures::chosen(Span::from_secs_f64(secs));
    let _ = writeln!(
        text,
        "{}: {} in {}, {}, {}, {}",
        report.config,
        counted(inventory.deployments.len() as u64, "deployment"),
        counted(inventory.groups, "model group"),
        counted(inventory.providers, "provider"),
        counted(inventory.regions, "region"),
        counted(inventory.keys, "key"),
    );
    let mut line = |what: &str, prose: String| wrap::item(text, &format!("{what:<11}"), &prose);
    let mode = if report.mode == "proxy" { "behind its proxy" } else { "in process (SDK)" };
    line("drilled", format!("as LiteLLM {} {mode} decides, under {}", report.litellm, seeds(&world.seeds)));
    let load = match (world.rate, world.trace_requests) {
        (Some(rate), _) => figures::rate(rate),
        (None, Some(requests)) => format!("{} as recorded", counted(requests, "request")),
        (None, None) => DASH.to_owned(),
    };
    let ours = if world.load_chosen { "" } else { " (routedrill's default)" };
    let each = if world.models_chosen { "" } else { " (every model group)" };
    let names = named(&world.models);
    line("traffic", format!("{load}{ours} for {names}{each}; callers give up after {}", time(world.deadline)));
    line("upstreams", format!("latencies: {}; without limits of their own", world.latencies));
    line(
        "outages",
        format!(
            "each from {} to {} of a run of {}",
            time(world.outage_from),
            time(world.outage_until),
            time(world.duration)
        ),
    );
    let thresholds = report.thresholds;
    line(
        "verdicts",
        format!(
            "lost: under {} answered, during or after; degraded: under {}, or p99 over {}x; held: else. The worst-hit \
             model counts",
            figures::chosen_share(thresholds.min_availability),
            figures::chosen_share(thresholds.held_availability),
            thresholds.max_p99_ratio,
        ),
    );
}

fn seeds(seeds: &[u64]) -> String {
    match seeds {
        [one] => format!("seed {one}"),
        [first, .., last] => format!("seeds {first} to {last}"),
        [] => DASH.to_owned(),
    }
}

/// Names in a line, the rest counted.
fn named(names: &[String]) -> String {
    const SHOWN_MAX: usize = 6;
    let shown = names.iter().take(SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn findings(text: &mut String, report: &DrillReport, detail: Detail) {
    let shown: Vec<_> = report.findings.iter().filter(|finding| detail.all || finding.severity != "note").collect();
    let notes = report.findings.len() - shown.len();
    if shown.is_empty() && notes == 0 {
        return;
    }
    let _ = writeln!(text, "\nIn the config, before anything fails");
    write_findings(text, shown);
    if notes > 0 {
        let _ = writeln!(text, "{INDENT}and {} (--all)", counted(notes as u64, "note"));
    }
}

fn baseline(text: &mut String, report: &DrillReport) {
    let _ = writeln!(text, "\nWhen nothing fails");
    let mut grid = Grid::new(&[
        ("model", Align::Left),
        ("requests", Align::Right),
        ("answered", Align::Right),
        ("p50", Align::Right),
        ("p99", Align::Right),
        ("attempts", Align::Right),
        ("cost", Align::Right),
        ("", Align::Left),
    ]);
    for one in &report.baseline {
        let BaselineReport { model, requests, availability, works, errors, latency, attempts_per_request, cost } = one;
        let quantile = |value: Option<f64>| value.map_or_else(|| DASH.to_owned(), figures::seconds);
        let problem = if *works { String::new() } else { errors.join(", ") };
        grid.row([
            model.as_str(),
            &figures::count(*requests),
            &availability.map_or_else(|| DASH.to_owned(), figures::percent),
            &quantile(latency.map(|latency| latency.p50)),
            &quantile(latency.map(|latency| latency.p99)),
            &attempts_per_request.map_or_else(|| DASH.to_owned(), figures::ratio),
            // Without prices in the config nothing has a cost.
            &if *cost > 0.0 { figures::dollars(*cost) } else { DASH.to_owned() },
            &problem,
        ]);
    }
    text.push_str(&grid.print());
    if report.rows.is_empty() && !report.baseline.iter().any(|one| one.works) {
        let _ = writeln!(text, "{INDENT}No outage was drilled: nobody is served even when nothing fails.");
    }
}

/// One line per target, one column per outage. Targets whose outages all were held or untouched are counted.
fn map(text: &mut String, report: &DrillReport, detail: Detail) {
    let verdicts = report.verdicts;
    let _ = writeln!(
        text,
        "\n{}: {} lost, {} degraded, {} held, {} untouched",
        counted(report.rows.len() as u64, "outage"),
        verdicts.lost,
        verdicts.degraded,
        verdicts.held,
        verdicts.untouched
    );
    let drilled = |word: &&str| report.rows.iter().any(|row| row.outage == *word);
    let words: Vec<&str> = report.outages.iter().map(|outage| outage.word).filter(drilled).collect();
    let mut columns = vec![("what fails", Align::Left)];
    columns.extend(words.iter().map(|word| (*word, Align::Left)));
    let mut grid = Grid::new(&columns);
    let mut targets: Vec<Vec<&RowReport>> = Vec::new();
    for row in &report.rows {
        match targets.iter_mut().find(|rows| rows[0].struck == row.struck) {
            Some(rows) => rows.push(row),
            None => targets.push(vec![row]),
        }
    }
    let mut folded = 0;
    for rows in &targets {
        if !detail.all && rows.iter().all(|row| matches!(row.verdict, "held" | "untouched")) && targets.len() > 1 {
            folded += 1;
            continue;
        }
        let cells = words
            .iter()
            .map(|word| rows.iter().find(|row| row.outage == *word).map_or_else(String::new, |row| cell(row)));
        grid.row(std::iter::once(short(&rows[0].target).to_owned()).chain(cells));
    }
    if !grid.is_empty() {
        text.push_str(&grid.print());
        let _ = writeln!(
            text,
            "{INDENT}LOST and -n%: requests not answered; nx: times the usual p99; a dot: nobody calls it"
        );
    }
    if folded > 0 {
        let _ = writeln!(text, "{INDENT}{}: held or untouched in every way (--all)", counted(folded, "more target"));
    }
}

/// A target or a row without the word that says the obvious.
fn short(name: &str) -> &str {
    name.strip_prefix("deployment:").unwrap_or(name)
}

/// A verdict in few letters: a share for what was lost, a factor for what only took longer.
fn cell(row: &RowReport) -> String {
    let Some(worst) = row.models.first() else { return row.verdict.to_owned() };
    match row.verdict {
        "lost" => format!("LOST {}", short_percent(1.0 - worst.availability_during.min(worst.availability_after))),
        "degraded" => match lost_share(worst) {
            Some(lost) => format!("-{}", short_percent(lost)),
            None => worst
                .p99
                .zip(worst.p99_baseline)
                .map_or_else(|| "slower".to_owned(), |(p99, usual)| format!("{:.1}x", p99 / usual)),
        },
        "untouched" => ".".to_owned(),
        _ => "held".to_owned(),
    }
}

fn lost_share(impact: &ImpactReport) -> Option<f64> {
    let lost = 1.0 - impact.availability_during.min(impact.availability_after);
    (lost > 0.0).then_some(lost)
}

fn short_percent(share: f64) -> String {
    let percentage = share * 100.0;
    if share >= 1.0 {
        "100%".to_owned()
    } else if percentage >= 10.0 {
        format!("{:.0}%", percentage.min(99.0))
    } else {
        format!("{percentage:.1}%")
    }
}

/// The outages that were felt, the worst first; all of them with `--all`.
fn felt(text: &mut String, report: &DrillReport, detail: Detail) {
    let mut shown: Vec<&RowReport> =
        report.rows.iter().filter(|row| detail.all || matches!(row.verdict, "lost" | "degraded")).collect();
    if shown.is_empty() {
        return;
    }
    let rank = |row: &RowReport| ["lost", "degraded", "held", "untouched"].iter().position(|word| *word == row.verdict);
    let available = |row: &RowReport| {
        row.models.first().map_or(1.0, |worst| worst.availability_during.min(worst.availability_after))
    };
    let slower = |row: &RowReport| row.models.first().and_then(|worst| worst.p99_delta).unwrap_or(0.0);
    shown.sort_by(|a, b| {
        rank(a)
            .cmp(&rank(b))
            .then(available(a).total_cmp(&available(b)))
            .then(b.struck.len().cmp(&a.struck.len()))
            .then(slower(b).total_cmp(&slower(a)))
    });
    let _ = writeln!(
        text,
        "\n{}, for the worst-hit model of each",
        if detail.all { "Every outage, the worst first" } else { "What was felt, the worst first" }
    );
    let lines = lines(&shown);
    let most = if detail.all { lines.len() } else { SHOWN_MAX };
    let priced = lines.iter().any(|(_, _, cells)| cells[COST] != DASH);
    let told = |index: &usize| priced || *index != COST;
    let mut columns = vec![("", Align::Left), ("outage", Align::Left)];
    columns.extend((0..FIGURES.len()).filter(told).map(|index| FIGURES[index]));
    let mut grid = Grid::new(&columns);
    for (name, row, cells) in lines.iter().take(most) {
        let figures = (0..FIGURES.len()).filter(told).map(|index| cells[index].as_str());
        grid.row([row.verdict, name.as_str()].into_iter().chain(figures));
    }
    text.push_str(&grid.print());
    let more = lines.len().saturating_sub(most);
    if more > 0 {
        let _ = writeln!(text, "{INDENT}{}, less severe (--all)", counted(more as u64, "more line"));
    }
    let hidden = report.rows.len() - shown.len();
    if hidden > 0 {
        let _ = writeln!(text, "{INDENT}{} that nobody felt (--all shows each)", counted(hidden as u64, "outage"));
    }
}

/// Lines of felt outages without `--all`.
const SHOWN_MAX: usize = 16;

/// The figures of an outage; the names of deployments, which may be long, come last.
const FIGURES: [(&str, Align); 8] = [
    ("during", Align::Right),
    ("after", Align::Right),
    ("p99", Align::Right),
    ("attempts", Align::Right),
    ("cost", Align::Right),
    ("fail over", Align::Right),
    ("recover", Align::Right),
    ("who took over", Align::Left),
];
const COST: usize = 4;

/// The rows as lines of figures; outages of one target that came out the same share a line.
fn lines<'a>(rows: &[&'a RowReport]) -> Vec<(String, &'a RowReport, [String; FIGURES.len()])> {
    let mut lines: Vec<(String, &RowReport, [String; FIGURES.len()])> = Vec::new();
    for row in rows {
        let cells = cells(row);
        let same = lines
            .iter_mut()
            .find(|(_, first, known)| first.struck == row.struck && first.verdict == row.verdict && *known == cells);
        match same {
            Some((name, ..)) => {
                name.push_str(", ");
                name.push_str(row.outage);
            }
            None => lines.push((short(&row.name).to_owned(), row, cells)),
        }
    }
    lines
}

fn cells(row: &RowReport) -> [String; FIGURES.len()] {
    /// Where fewer requests than this are answered, the latency of the few says nothing.
    const TELLING: f64 = 0.5;
    let worst = row.models.first();
    let figure = |value: Option<String>| value.unwrap_or_else(|| DASH.to_owned());
    let told = worst.filter(|worst| worst.availability_during >= TELLING);
    [
        figure(worst.map(|worst| figures::percent(worst.availability_during))),
        figure(worst.map(|worst| figures::percent(worst.availability_after))),
        figure(told.and_then(|worst| worst.p99_delta).map(figures::difference)),
        figure(worst.map(|worst| format!("x{}", figures::ratio(times(worst.attempts, worst.attempts_baseline))))),
        figure(worst.and_then(cost)),
        figure(fail_over(row)),
        figure(recover(row)),
        took_over(row),
    ]
}

fn times(value: f64, usual: f64) -> f64 {
    if usual > 0.0 { value / usual } else { value }
}

fn cost(worst: &ImpactReport) -> Option<String> {
    (worst.cost_baseline > 0.0 && worst.cost > 0.0)
        .then(|| format!("x{}", figures::ratio(worst.cost / worst.cost_baseline)))
}

fn fail_over(row: &RowReport) -> Option<String> {
    match row.failed_over_after {
        Some(after) => Some(figures::seconds(after)),
        None if row.calls_failed || row.verdict == "lost" => Some("never".to_owned()),
        None => None,
    }
}

fn recover(row: &RowReport) -> Option<String> {
    match row.recovered_after {
        Some(after) => Some(figures::seconds(after)),
        None if row.struck_calls > 0 => Some("not seen".to_owned()),
        None => None,
    }
}

/// Who answered instead: deployments, or whole groups where several of one group did.
pub(super) fn took_over(row: &RowReport) -> String {
    const SHOWN_MAX: usize = 2;
    let mut groups: Vec<(&str, &str, f64, usize)> = Vec::new();
    for share in &row.took_over {
        match groups.iter_mut().find(|(group, ..)| *group == share.model_name) {
            Some((_, _, sum, count)) => {
                *sum += share.share;
                *count += 1;
            }
            None => groups.push((&share.model_name, &share.deployment, share.share, 1)),
        }
    }
    if groups.is_empty() {
        return if row.struck_calls > 0 { "nobody".to_owned() } else { DASH.to_owned() };
    }
    let more = groups.len().saturating_sub(SHOWN_MAX);
    let mut names: Vec<String> = groups
        .iter()
        .take(SHOWN_MAX)
        .map(
            |(group, deployment, _, count)| {
                if *count == 1 { (*deployment).to_owned() } else { format!("{count} of {group}") }
            },
        )
        .collect();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

fn risks(text: &mut String, report: &DrillReport) {
    /// More than this many are for the memo.
    const SHOWN_MAX: usize = 6;
    if report.risks.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nWhat to change, the worst first");
    for risk in report.risks.iter().take(SHOWN_MAX) {
        let RiskReport { grade, models, what, setting, change, rows, replay, .. } = risk;
        wrap::item(text, &format!("{grade}  "), what);
        if models.len() > 1 {
            wrap::item(text, "    also    ", &named(&models[1..]));
        }
        wrap::item(text, "    blame   ", setting);
        wrap::item(text, "    change  ", change);
        if rows.len() > 1 {
            wrap::item(text, "    rows    ", &format!("{} and {}", rows[0], counted(rows.len() as u64 - 1, "other")));
        }
        let _ = writeln!(text, "{INDENT}    replay  {replay}");
    }
    if report.risks.len() > SHOWN_MAX {
        let _ = writeln!(text, "{INDENT}and {} in the memo (--out DIR)", report.risks.len() - SHOWN_MAX);
    }
    if let Some(all) = &report.together {
        wrap::item(text, "edits   ", &super::memo::with_all_edits(report, all));
    }
}

fn foot(text: &mut String, report: &DrillReport) {
    if let Some(first) = report.broken_laws.first() {
        let _ = writeln!(text, "\n{} with seed {}", first.outage, first.seed);
        laws::broken(text, std::slice::from_ref(&first.broken));
        let rest = report.broken_laws.len() as u64 - 1;
        if rest > 0 {
            let _ = writeln!(text, "{INDENT}and {} in other runs; `--format json` lists them", counted(rest, "more"));
        }
    }
    laws::known_defects(text, report.litellm, &report.known_defects);
    for line in &report.cut_short {
        let _ = writeln!(text, "\nnot finished: {line}");
    }
    let _ = writeln!(
        text,
        "\n{}, {}, digest {}",
        counted(report.runs, "run"),
        counted(report.requests, "request"),
        report.digest
    );
}
