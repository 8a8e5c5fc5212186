//! The page of one run.

use super::chart::{Axis, Band, BandKind, Chart, Draw, Level, Role};
use super::over_time::{self, clock};
use super::page::{Page, Tile};
use super::table::{Cell, Kind, Table, Tone};
use super::{compare, story};
use crate::figures::{self, count, counted};
use crate::model::{ComparedReport, Count, DetailReport, Driver, Latencies, RunReport, StoryReport};
use crate::words;

/// What a page shows beside the run itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The story of the request that waited longest.
    pub story: Option<&'a StoryReport>,
    /// Another run, and where its results came from.
    pub other: Option<(&'a str, &'a ComparedReport)>,
}

/// The page of a run. One without detail has no charts.
pub fn run(report: &RunReport, beside: Beside<'_>) -> String {
    let mut page = Page::new(&report.scenario, &says(report), &facts(report));
    notices(&mut page, report);
    page.tiles(&tiles(report));
    let bands = bands(report);
    if let Some(detail) = &report.detail {
        over_time(&mut page, report, detail, &bands);
        if let Some((name, other)) = beside.other {
            compare::compare(&mut page, report, &detail.course, &bands, name, other);
        }
        latency(&mut page, report, detail, &bands);
        who_answered(&mut page, detail);
    }
    what_went_wrong(&mut page, report);
    movement(&mut page, report);
    if let Some(detail) = &report.detail {
        quotas(&mut page, detail, &bands);
    }
    deployments(&mut page, report);
    if let Some(told) = beside.story {
        page.section("The worst request");
        story::story(&mut page, told);
    }
    about(&mut page, report);
    page.finish()
}

fn says(report: &RunReport) -> String {
    let requests = &report.requests;
    let lost = requests.total - requests.answered;
    let broken = report.expectations.iter().filter(|promise| !promise.is_as_expected()).count() as u64;
    let mut says = match lost {
        0 => format!("All {} were answered", counted(requests.total, "request")),
        _ => format!(
            "{} of {} were answered, {} were lost",
            requests.availability.map_or_else(String::new, figures::percent),
            counted(requests.total, "request"),
            count(lost)
        ),
    };
    let shown = report.expectations.iter().filter(|promise| promise.expected_broken).count() as u64;
    match (report.expectations.len() as u64, broken) {
        (0, _) => {}
        (all, 0) if shown > 0 => {
            let held = counted(all - shown, "promise");
            says.push_str(&format!("; {held} held, and {} broke, as the scenario expects", count(shown)));
        }
        (1, 0) => says.push_str("; the promise held"),
        (all, 0) => says.push_str(&format!("; all {} held", counted(all, "promise"))),
        (all, broken) => says.push_str(&format!("; {} of {} broke", count(broken), counted(all, "promise"))),
    }
    says.push('.');
    says
}

fn facts(report: &RunReport) -> Vec<(&'static str, String)> {
    let router = if report.what_if.is_empty() { "LiteLLM" } else { "NOT LiteLLM, but like" };
    vec![
        (router, format!("{} ({})", report.litellm, report.mode)),
        ("seed", report.seed.to_string()),
        ("load for", figures::chosen_seconds(report.duration)),
        ("digest", report.digest.clone()),
    ]
}

fn notices(page: &mut Page, report: &RunReport) {
    if let Some(notice) = words::not_litellm(&report.what_if) {
        page.notice(Tone::Warn, &notice);
    }
    if let Some(why) = &report.cut_short {
        page.notice(Tone::Bad, &format!("The run did not come to its end: {why}. All figures are of what was run."));
    }
    for law in report.broken_laws.iter().filter(|law| law.waived.is_none()) {
        page.notice(Tone::Bad, &format!("Law broken, a bug in the router: {}: {}", law.law, law.what));
    }
    for fault in report.idle_faults() {
        page.notice(
            Tone::Warn,
            &format!("The fault \u{201c}{}\u{201d} struck no call: this run proves nothing about it.", fault.label),
        );
    }
}

fn tiles(report: &RunReport) -> Vec<Tile> {
    let requests = &report.requests;
    let lost = requests.total - requests.answered;
    let toned = |tile: Tile, good: bool| tile.with_tone(if good { Tone::Good } else { Tone::Bad });
    let mut tiles = vec![toned(
        Tile::new(
            "Answered",
            requests.availability.map_or_else(|| "\u{2013}".to_owned(), figures::percent),
            format!("{} of {}", count(requests.answered), counted(requests.total, "request")),
        ),
        lost == 0,
    )];
    let slowest = report.asked.iter().filter_map(|asked| asked.latency.map(|latency| (asked, latency)));
    if let Some((asked, latency)) = slowest.max_by(|a, b| a.1.p99.total_cmp(&b.1.p99)) {
        let of = if report.asked.len() > 1 { format!(" of {}", asked.model) } else { String::new() };
        tiles.push(Tile::new(
            format!("p99{of}"),
            figures::seconds(latency.p99),
            format!("p50 {}", figures::seconds(latency.p50)),
        ));
    }
    if let Some(attempts) = requests.attempts_per_request {
        let retries = counted(report.movement.retries, "retry");
        tiles.push(Tile::new("Attempts per request", figures::ratio(attempts), retries));
    }
    if let Some(rate) = requests.fallback_rate {
        let note = format!("{} by another group", counted(requests.fell_back, "answer"));
        tiles.push(Tile::new("Served by a fallback", figures::percent(rate), note));
    }
    if !report.faults.is_empty() {
        let never = || "never".to_owned();
        // Where faults strike every deployment in turn, there is none that only rescues.
        let spared = |name: &String| report.faults.iter().all(|fault| !fault.on.contains(name));
        if report.failed_over_after.is_some() || report.deployments.iter().any(|one| spared(&one.name)) {
            tiles.push(Tile::new(
                "Failed over after",
                report.failed_over_after.map_or_else(never, figures::seconds),
                "first fault to first rescued request",
            ));
        }
        tiles.push(Tile::new(
            "Returned after",
            report.returned_after.map_or_else(never, figures::seconds),
            "last fault's end to first answer by what it had struck",
        ));
    }
    tiles.push(Tile::new(
        "Cost",
        figures::dollars(requests.cost),
        format!("{} tokens", count(requests.tokens.prompt + requests.tokens.completion)),
    ));
    tiles
}

/// Faults, and the time after the last arrival.
fn bands(report: &RunReport) -> Vec<Band> {
    let end = report.duration + report.drain;
    let fault = |fault: &crate::model::FaultReport| Band {
        from: fault.from,
        until: fault.until.unwrap_or(end),
        label: fault.label.clone(),
        kind: BandKind::Fault,
    };
    let quiet = Band { from: report.duration, until: end, label: "no new requests".to_owned(), kind: BandKind::Quiet };
    report.faults.iter().map(fault).chain([quiet]).collect()
}

fn over_time(page: &mut Page, report: &RunReport, detail: &DetailReport, bands: &[Band]) {
    page.section("Over time");
    page.chart(&over_time::traffic(&detail.course, bands, None));
    page.heading("Calls to each deployment");
    over_time::lanes(page, &detail.course, bands, &|fault, deployment| {
        report.faults.get(fault).is_some_and(|fault| fault.on.iter().any(|name| name == deployment))
    });
    page.remark(&over_time::legend(&detail.course));
}

fn latency(page: &mut Page, report: &RunReport, detail: &DetailReport, bands: &[Band]) {
    page.section("Latency");
    let mut chart = over_time::latencies(&detail.course, bands, None);
    chart.title = "Latency of answers over time".to_owned();
    page.chart(&chart);
    let points = &detail.percentiles;
    if !points.is_empty() {
        let says =
            points.last().and_then(|last| Some((last.share, last.all?))).map_or_else(String::new, |(share, all)| {
                format!("{} of the answers took at most {}.", figures::chosen_share(share), figures::seconds(all))
            });
        let xs = points.iter().map(|point| point.share).collect();
        let mut curve = Chart::new("Latency by percentile", says, (Axis::Percentile, "percentile"), Axis::Seconds, xs)
            .with("all", Draw::Line, Role::Neutral, points.iter().map(|point| point.all).collect());
        for (phase, (label, role)) in
            [("before the faults", Role::First), ("while one is on", Role::Second), ("after", Role::Third)]
                .into_iter()
                .enumerate()
        {
            let values: Vec<Option<f64>> = points.iter().map(|point| point.by_phase[phase]).collect();
            if !report.faults.is_empty() && values.iter().any(Option::is_some) {
                curve = curve.with(label, Draw::Line, role, values);
            }
        }
        let all = || points.iter().filter_map(|point| point.all).filter(|secs| *secs > 0.0);
        curve.log = all().fold(0.0, f64::max) > 30.0 * all().fold(f64::INFINITY, f64::min);
        page.chart(&curve);
    }
    let mut table = Table::new(
        "From when a request was due to its answer, by name asked for",
        &[
            ("model", Kind::Text),
            ("requests", Kind::Figure),
            ("answered", Kind::Figure),
            ("before", Kind::Figure),
            ("during", Kind::Figure),
            ("after", Kind::Figure),
            ("p50", Kind::Figure),
            ("p90", Kind::Figure),
            ("p99", Kind::Figure),
            ("p99.9", Kind::Figure),
            ("max", Kind::Figure),
        ],
    );
    for asked in &report.asked {
        let mut cells = vec![Cell::code(&asked.model), Cell::figure(count(asked.total), asked.total as f64)];
        cells.push(share(asked.availability));
        cells.extend(asked.availability_by_phase.map(share));
        cells.extend(quantiles(asked.latency));
        table.row(cells);
    }
    page.table(&table);
}

fn share(value: Option<f64>) -> Cell {
    value.map_or_else(Cell::none, |value| Cell::figure(figures::percent(value), value))
}

fn quantiles(latency: Option<Latencies>) -> [Cell; 5] {
    let cell = |of: fn(&Latencies) -> f64| {
        latency.map_or_else(Cell::none, |latency| Cell::figure(figures::seconds(of(&latency)), of(&latency)))
    };
    [cell(|l| l.p50), cell(|l| l.p90), cell(|l| l.p99), cell(|l| l.p999), cell(|l| l.max)]
}

fn who_answered(page: &mut Page, detail: &DetailReport) {
    let sums = [0, 1, 2].map(|phase: usize| detail.answered_by.iter().map(|by| by.answers[phase]).sum::<u64>());
    if sums.iter().sum::<u64>() == 0 {
        return;
    }
    page.section("Who answered");
    let gained = (detail.answered_by.iter())
        .filter_map(|by| {
            let part = |phase: usize| (sums[phase] > 0).then(|| by.answers[phase] as f64 / sums[phase] as f64);
            Some((by, part(0)?, part(1)?))
        })
        .max_by(|a, b| (a.2 - a.1).total_cmp(&(b.2 - b.1)));
    if let Some((by, before, during)) = gained.filter(|(_, before, during)| during - before >= 0.01) {
        page.text(&format!(
            "While a fault was on, {} took over most: it gave {} of the answers, and {} before.",
            by.deployment,
            figures::percent(during),
            figures::percent(before)
        ));
    }
    let mut table = Table::new(
        "Share of answers by deployment, for requests due before the first fault, while one was on, and after",
        &[
            ("deployment", Kind::Text),
            ("group", Kind::Text),
            ("before", Kind::Figure),
            ("during", Kind::Figure),
            ("after", Kind::Figure),
            ("answers", Kind::Figure),
        ],
    );
    for by in detail.answered_by.iter().filter(|by| by.answers != [0; 3]) {
        let mut cells = vec![Cell::code(&by.deployment), Cell::code(&by.model_name)];
        cells.extend([0, 1, 2].map(|phase: usize| {
            if sums[phase] == 0 {
                return Cell::none();
            }
            let part = by.answers[phase] as f64 / sums[phase] as f64;
            Cell::figure(figures::percent(part), part).with_bar(part)
        }));
        let all: u64 = by.answers.iter().sum();
        cells.push(Cell::figure(count(all), all as f64));
        table.row(cells);
    }
    page.table(&table);
}

fn what_went_wrong(page: &mut Page, report: &RunReport) {
    page.section("Promises and losses");
    let mut promises = Table::new(
        "What the scenario promises",
        &[("promise", Kind::Text), ("seen", Kind::Figure), ("verdict", Kind::Text)],
    );
    for promise in &report.expectations {
        let tone = if promise.is_as_expected() { Tone::Good } else { Tone::Bad };
        promises.row([
            Cell::text(&promise.promise),
            Cell::text(&promise.seen),
            Cell::text(promise.verdict()).with_tone(tone),
        ]);
    }
    page.table(&promises);
    let requests = &report.requests;
    if requests.total == requests.answered {
        page.notice(Tone::Good, "Every request was answered.");
    }
    let mut ends = requests.failed.clone();
    ends.extend(
        [("callers gave up", requests.gave_up), ("open when the run ended", requests.open)]
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| Count { what: what.to_owned(), count }),
    );
    counts(page, "What callers saw instead of an answer", "error", &ends, requests.total);
    let mut losses = Table::new(
        "How requests were lost, the most frequent first",
        &[
            ("requests", Kind::Figure),
            ("model", Kind::Text),
            ("when", Kind::Text),
            ("how", Kind::Text),
            ("first", Kind::Text),
        ],
    );
    for loss in report.losses.iter().take(SHOWN_MAX) {
        losses.row([
            Cell::figure(count(loss.count), loss.count as f64),
            Cell::code(&loss.model),
            loss.phase.map_or_else(Cell::none, Cell::text),
            Cell::text(&loss.how),
            Cell::text(format!("request {} at {}", loss.example, clock(loss.due))),
        ]);
    }
    page.table(&losses);
    let more = report.losses.len().saturating_sub(SHOWN_MAX) as u64;
    if more > 0 {
        page.remark(&format!("{} not shown; results.json has all of them.", counted(more, "less frequent way")));
    }
}

/// Rows of a list that a page shows; it says how many more there are.
const SHOWN_MAX: usize = 40;

fn counts(page: &mut Page, caption: &str, what: &str, list: &[Count], whole: u64) {
    let mut table = Table::new(caption, &[(what, Kind::Text), ("count", Kind::Figure), ("share", Kind::Figure)]);
    for one in list {
        let part = if whole == 0 { 0.0 } else { one.count as f64 / whole as f64 };
        table.row([
            Cell::text(&one.what),
            Cell::figure(count(one.count), one.count as f64),
            Cell::figure(figures::percent(part), part).with_bar(part),
        ]);
    }
    page.table(&table);
}

fn movement(page: &mut Page, report: &RunReport) {
    page.section("Attempts, retries and fallbacks");
    if let Some(detail) = &report.detail {
        let all: u64 = detail.attempts.iter().sum();
        let list: Vec<Count> = (detail.attempts.iter().enumerate())
            .filter(|(_, count)| **count > 0)
            .map(|(attempts, &count)| {
                let more = if attempts + 1 == detail.attempts.len() { " or more" } else { "" };
                Count { what: format!("{attempts}{more}"), count }
            })
            .collect();
        counts(page, "Requests by the number of calls that the router made for them", "attempts", &list, all);
    }
    let movement = &report.movement;
    page.text(&format!(
        "Requests slept {} before retries and after the last one, all together.",
        figures::seconds(movement.slept)
    ));
    let lists = [
        ("Where the number of retries came from", "retries", &movement.retries_from),
        ("Steps to a fallback", "from and to", &movement.fallbacks),
        ("Why the retry layer gave up", "why", &movement.gave_up),
        ("Where no fallback was left", "why", &movement.exhausted),
        ("Attempts for which no deployment could be chosen", "what the router raised", &movement.nobody),
    ];
    for (caption, what, list) in lists {
        let whole = list.iter().map(|one| one.count).sum();
        counts(page, caption, what, list, whole);
    }
}

fn quotas(page: &mut Page, detail: &DetailReport, bands: &[Band]) {
    if detail.quotas.is_empty() {
        return;
    }
    page.section("Quotas");
    let most = |used: &[f64]| used.iter().copied().fold(0.0, f64::max);
    let mut order: Vec<usize> = (0..detail.quotas.len()).collect();
    order.sort_by(|a, b| most(&detail.quotas[*b].used).total_cmp(&most(&detail.quotas[*a].used)));
    let name = |index: usize| {
        let quota = &detail.quotas[index];
        format!("{} of {}", quota.unit, quota.deployments.join(", "))
    };
    let over = order.iter().filter(|index| most(&detail.quotas[**index].used) > 1.0).count() as u64;
    let says = match over {
        0 => "No limit was reached.".to_owned(),
        over => format!("{} asked for more than its limit at some time.", counted(over, "quota")),
    };
    let mut chart = Chart::over_time("Use of the fullest quotas", says, Axis::Share, detail.course.starts());
    for (place, &index) in order.iter().take(4).enumerate() {
        let used = detail.quotas[index].used.iter().map(|used| Some(*used)).collect();
        chart = chart.with(name(index), Draw::Line, Role::nth(place), used);
    }
    chart.levels.push(Level { at: 1.0, label: "limit".to_owned() });
    chart.bands = bands.to_vec();
    page.chart(&chart);
    let mut table = Table::new(
        "What was asked for within one window, refused calls included, against the configured limit",
        &[
            ("deployments", Kind::Text),
            ("unit", Kind::Text),
            ("limit", Kind::Figure),
            ("window", Kind::Figure),
            ("most used", Kind::Figure),
        ],
    );
    for index in order {
        let quota = &detail.quotas[index];
        let most = most(&quota.used);
        table.row([
            Cell::code(quota.deployments.join(", ")),
            Cell::text(&quota.unit),
            Cell::figure(count(quota.limit), quota.limit as f64),
            Cell::figure(figures::seconds(quota.window), quota.window),
            Cell::figure(figures::percent_above(most), most).with_bar(most).with_tone(if most > 1.0 {
                Tone::Bad
            } else {
                Tone::Good
            }),
        ]);
    }
    page.table(&table);
}

fn deployments(page: &mut Page, report: &RunReport) {
    page.section("Deployments and cost");
    let mut table = Table::new(
        "Calls, errors, cooldowns and cost by deployment",
        &[
            ("deployment", Kind::Text),
            ("provider", Kind::Text),
            ("calls", Kind::Figure),
            ("share", Kind::Figure),
            ("answered", Kind::Figure),
            ("errors", Kind::Text),
            ("cooldowns", Kind::Text),
            ("p50", Kind::Figure),
            ("p99", Kind::Figure),
            ("cost", Kind::Figure),
        ],
    );
    let list = |counts: &[Count]| {
        counts.iter().map(|one| format!("{} x {}", count(one.count), one.what)).collect::<Vec<_>>().join("; ")
    };
    for deployment in &report.deployments {
        let place = match &deployment.region {
            Some(region) => format!("{} {region}", deployment.provider),
            None => deployment.provider.clone(),
        };
        let [p50, _, p99, ..] = quantiles(deployment.latency);
        let part = deployment.share.unwrap_or(0.0);
        table.row([
            Cell::code(&deployment.name),
            Cell::text(place),
            Cell::figure(count(deployment.attempts), deployment.attempts as f64),
            share(deployment.share).with_bar(part),
            Cell::figure(count(deployment.succeeded), deployment.succeeded as f64),
            Cell::text(list(&deployment.errors)),
            Cell::text(list(&deployment.cooldowns)),
            p50,
            p99,
            Cell::figure(figures::dollars(deployment.cost), deployment.cost),
        ]);
    }
    page.table(&table);
    let Some(detail) = &report.detail else { return };
    let course = &detail.course;
    let mut dearest: Vec<_> =
        (course.lanes.iter()).map(|lane| (lane, lane.cost.iter().sum::<f64>())).filter(|(_, sum)| *sum > 0.0).collect();
    dearest.sort_by(|a, b| b.1.total_cmp(&a.1));
    if dearest.is_empty() {
        return;
    }
    let says = format!("{} in all.", figures::dollars(dearest.iter().map(|(_, sum)| sum).sum()));
    let title =
        if dearest.len() > 4 { "Dollars per minute, the four dearest deployments" } else { "Dollars per minute" };
    let mut chart = Chart::over_time(title, says, Axis::Dollars, course.starts());
    for (place, (lane, _)) in dearest.iter().take(4).enumerate() {
        let per_minute = lane.cost.iter().map(|dollars| Some(dollars / course.step * 60.0)).collect();
        chart = chart.with(lane.deployment.clone().unwrap_or_default(), Draw::Line, Role::nth(place), per_minute);
    }
    chart.bands = bands(report);
    page.chart(&chart);
}

fn about(page: &mut Page, report: &RunReport) {
    page.section("About this run");
    let driver = match report.driver {
        Driver::Engine => "the event engine",
        Driver::Turmoil => "turmoil, with real HTTP over its simulated network",
    };
    page.facts(&[
        ("routedrill", report.routedrill.to_string()),
        ("LiteLLM release modelled", format!("{} ({})", report.litellm, report.mode)),
        ("run by", driver.to_owned()),
        ("seed", report.seed.to_string()),
        ("requests arrive for", figures::chosen_seconds(report.duration)),
        ("and end within further", figures::chosen_seconds(report.drain)),
        ("digest", report.digest.clone()),
        ("situations reached", report.reached.join(", ")),
        (
            "latencies and prices",
            report
                .origins
                .iter()
                .map(|one| format!("{} ({})", one.what, count(one.count)))
                .collect::<Vec<_>>()
                .join("; "),
        ),
    ]);
    let mut faults = Table::new(
        "Faults",
        &[("fault", Kind::Text), ("from", Kind::Figure), ("until", Kind::Figure), ("calls struck", Kind::Figure)],
    );
    for fault in &report.faults {
        faults.row([
            Cell::text(&fault.label),
            Cell::figure(clock(fault.from), fault.from),
            fault.until.map_or_else(|| Cell::text("the end"), |until| Cell::figure(clock(until), until)),
            Cell::figure(count(fault.struck), fault.struck as f64),
        ]);
    }
    page.table(&faults);
}
