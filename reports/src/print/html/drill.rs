//! The page of a drill.

use super::chart::{Band, BandKind};
use super::over_time;
use super::page::{Page, Tile};
use super::table::{Cell, Kind, Table, Tone};
use crate::figures::{self, count, counted};
use crate::model::{DrillReport, FindingReport, ImpactReport, RefusalReport, RowReport};
use crate::print::drill_text::took_over;

/// Outages whose course is drawn: the page would grow with every further one.
const DRAWN_MAX: usize = 300;

/// The page of a drill.
pub fn drill(report: &DrillReport) -> String {
    let mut page = Page::new(&format!("Outage drill of {}", report.config), &says(report), &facts(report));
    for line in &report.cut_short {
        page.notice(Tone::Bad, &format!("A run did not come to its end: {line}"));
    }
    for model in report.baseline.iter().filter(|model| !model.works) {
        page.notice(
            Tone::Bad,
            &format!(
                "{} is not served even when nothing fails: {}. It was not drilled.",
                model.model,
                if model.errors.is_empty() { "no request was answered".to_owned() } else { model.errors.join(", ") }
            ),
        );
    }
    page.tiles(&tiles(report));
    risks(&mut page, report);
    overview(&mut page, report);
    outages(&mut page, report);
    baseline(&mut page, report);
    config(&mut page, report);
    about(&mut page, report);
    page.finish()
}

/// The page of a configuration with which LiteLLM would not start.
pub fn refusal(report: &RefusalReport) -> String {
    let says = "LiteLLM would not start with this config, so there is nothing to drill.";
    let facts = [("LiteLLM", report.litellm.to_owned())];
    let mut page = Page::new(&format!("Outage drill of {}", report.config), says, &facts);
    page.section("Why");
    for reason in &report.reasons {
        page.notice(Tone::Bad, reason);
    }
    page.table(&findings(&report.findings));
    page.finish()
}

fn says(report: &DrillReport) -> String {
    let verdicts = report.verdicts;
    let all = counted(report.rows.len() as u64, "outage");
    match (verdicts.lost, verdicts.degraded) {
        _ if report.rows.is_empty() => "Nothing was drilled.".to_owned(),
        (0, 0) => format!("{all} were tried, and users felt none of them."),
        (0, felt) => format!("{all} were tried: none lost users, {felt} degraded service."),
        (lost, felt) => format!("{all} were tried: {lost} lost users, {felt} more degraded service."),
    }
}

fn facts(report: &DrillReport) -> Vec<(&'static str, String)> {
    let world = &report.world;
    let load = match (world.rate, world.trace_requests) {
        (Some(rate), _) => figures::rate(rate),
        (None, Some(requests)) => counted(requests, "recorded request"),
        (None, None) => String::new(),
    };
    vec![
        ("LiteLLM", format!("{} ({})", report.litellm, report.mode)),
        ("load", load),
        ("outage", format!("{} to {}", over_time::clock(world.outage_from), over_time::clock(world.outage_until))),
        ("seeds", world.seeds.len().to_string()),
        ("digest", report.digest.clone()),
    ]
}

fn tiles(report: &DrillReport) -> Vec<Tile> {
    let (verdicts, lines) = (report.verdicts, &report.thresholds);
    let tile = |label, figure: usize, note: String, tone| {
        Tile::new(label, count(figure as u64), note).with_tone(if figure > 0 { tone } else { Tone::Quiet })
    };
    let (min, held) = (figures::chosen_share(lines.min_availability), figures::chosen_share(lines.held_availability));
    vec![
        tile("lost", verdicts.lost, format!("fewer than {min} answered"), Tone::Bad),
        tile(
            "degraded",
            verdicts.degraded,
            format!(
                "fewer than {held}, or p99 above {} times its usual",
                figures::ratio(lines.max_p99_ratio).trim_end_matches('0').trim_end_matches('.')
            ),
            Tone::Warn,
        ),
        tile("held", verdicts.held, "calls failed, users did not notice".to_owned(), Tone::Good),
        tile("untouched", verdicts.untouched, "nothing was called that failed".to_owned(), Tone::Quiet),
        Tile::new("runs", count(report.runs), counted(report.requests, "request")),
    ]
}

fn risks(page: &mut Page, report: &DrillReport) {
    if report.risks.is_empty() {
        return;
    }
    page.section("What to change");
    let mut table = Table::new(
        "The worst first; each opens with the command that shows it",
        &[
            ("grade", Kind::Text),
            ("what happens", Kind::Text),
            ("the setting to blame", Kind::Text),
            ("what to change", Kind::Text),
        ],
    );
    for risk in &report.risks {
        let detail = page.inner(|page| {
            page.facts(&[("models", risk.models.join(", ")), ("outages", risk.rows.join(", "))]);
            page.command(&risk.replay);
        });
        let tone = match risk.grade {
            "P0" | "P1" => Tone::Bad,
            "P2" => Tone::Warn,
            _ => Tone::Quiet,
        };
        table.row_that_opens(
            [
                Cell::text(risk.grade).with_tone(tone),
                Cell::text(&risk.what),
                Cell::text(&risk.setting),
                Cell::text(&risk.change),
            ],
            &format!("risk {}", risk.what),
            detail,
        );
    }
    page.table(&table);
}

/// How a cell of the overview says a verdict: by a sign as well as by a word.
fn sign(verdict: &str) -> &'static str {
    match verdict {
        "lost" => "\u{2715}",
        "degraded" => "\u{25bc}",
        "held" => "\u{2713}",
        _ => "\u{00b7}",
    }
}

/// Targets below each other, ways to fail beside each other.
fn overview(page: &mut Page, report: &DrillReport) {
    if report.rows.is_empty() {
        return;
    }
    page.section("At a glance");
    let mut columns = vec![("what fails", Kind::Text)];
    columns.extend(report.outages.iter().map(|outage| (outage.word, Kind::Text)));
    let mut table = Table::new(
        "For the worst-hit model of each outage: the share of requests answered while it was on, or how much slower p99 was",
        &columns,
    );
    // The same outage may stand in the table under several names: rows that could not end differently ran once.
    let mut places: Vec<(&str, Vec<Option<&RowReport>>)> = Vec::new();
    for row in &report.rows {
        for name in std::iter::once(&row.name).chain(&row.equals) {
            let Some((target, word)) = name.rsplit_once('/') else { continue };
            let Some(column) = report.outages.iter().position(|outage| outage.word == word) else { continue };
            let place = places.iter().position(|(known, _)| *known == target).unwrap_or_else(|| {
                places.push((target, vec![None; report.outages.len()]));
                places.len() - 1
            });
            places[place].1[column] = Some(row);
        }
    }
    for (target, cells) in places {
        let cells = cells.into_iter().map(|row| {
            row.map_or_else(Cell::none, |row| {
                let text = match row.models.first().filter(|_| matches!(row.verdict, "lost" | "degraded")) {
                    // Users were lost, or everybody was served and waited longer.
                    Some(worst) => {
                        let held = worst.availability_during >= report.thresholds.held_availability;
                        let figure = match worst.p99_delta.filter(|_| held) {
                            Some(delta) => format!("p99 {}", figures::difference(delta)),
                            None => figures::percent(worst.availability_during),
                        };
                        format!("{} {figure}", sign(row.verdict))
                    }
                    None => format!("{} {}", sign(row.verdict), row.verdict),
                };
                Cell::text(text).with_tone(Tone::of_verdict(row.verdict)).leading_to(&row.name)
            })
        });
        table.row(std::iter::once(Cell::code(target)).chain(cells));
    }
    page.table(&table);
    let words = report.outages.iter().map(|outage| format!("{}: {}", outage.word, outage.meaning));
    let signs = ["lost", "degraded", "held", "untouched"].map(|verdict| format!("{} {verdict}", sign(verdict)));
    page.remark(&format!("{}. {}.", signs.join(", "), words.collect::<Vec<_>>().join("; ")));
}

fn outages(page: &mut Page, report: &DrillReport) {
    if report.rows.is_empty() {
        return;
    }
    page.section("Every outage");
    let mut order: Vec<&RowReport> = report.rows.iter().collect();
    let rank = |row: &RowReport| ["lost", "degraded", "held", "untouched"].iter().position(|word| *word == row.verdict);
    let answered = |row: &RowReport| {
        row.models.first().map_or(1.0, |worst| worst.availability_during.min(worst.availability_after))
    };
    order.sort_by(|a, b| rank(a).cmp(&rank(b)).then(answered(a).total_cmp(&answered(b))));
    let mut table = Table::new(
        "The worst first, for the worst-hit model of each; a row opens with its causes and its course",
        &[
            ("outage", Kind::Text),
            ("verdict", Kind::Text),
            ("model", Kind::Text),
            ("during", Kind::Figure),
            ("after", Kind::Figure),
            ("p99", Kind::Figure),
            ("attempts", Kind::Figure),
            ("cost", Kind::Figure),
            ("fail over", Kind::Figure),
            ("recover", Kind::Figure),
            ("who took over", Kind::Text),
        ],
    )
    .with_filter();
    for (place, row) in order.iter().enumerate() {
        let detail = page.inner(|page| detail(page, report, row, place < DRAWN_MAX));
        table.row_that_opens(cells(row), &row.name, detail);
    }
    page.table(&table);
    let more = order.len().saturating_sub(DRAWN_MAX) as u64;
    if more > 0 {
        page.remark(&format!(
            "The course of the {} worst is drawn; that of {} is not. `--only` drills them by themselves.",
            count(DRAWN_MAX as u64),
            counted(more, "other")
        ));
    }
    page.remark(
        "p99 is how much slower it became, attempts and cost are how many times their usual, per request and per answer; \
         figures are sums over all seeds, courses are those of the first.",
    );
}

fn cells(row: &RowReport) -> Vec<Cell> {
    /// Where fewer requests than this are answered, the latency of the few says nothing.
    const TELLING: f64 = 0.5;
    let tone = Tone::of_verdict(row.verdict);
    let worst = row.models.first();
    let figure = |value: Option<f64>, write: fn(f64) -> String| {
        value.map_or_else(Cell::none, |value| Cell::figure(write(value), value))
    };
    let times = |of: fn(&ImpactReport) -> (f64, f64)| {
        worst.map(of).filter(|(value, usual)| *value > 0.0 && *usual > 0.0).map(|(value, usual)| value / usual)
    };
    let ratio: fn(f64) -> String = |value| format!("x{}", figures::ratio(value));
    // Never is later than any time.
    let or_never = |value: Option<f64>, never: bool| match value {
        None if never => Cell::figure("never", f64::INFINITY),
        value => figure(value, figures::seconds),
    };
    let mut name = row.name.clone();
    if !row.equals.is_empty() {
        name.push_str(&format!(" (+{})", row.equals.len()));
    }
    vec![
        Cell::text(name),
        Cell::text(format!("{} {}", sign(row.verdict), row.verdict)).with_tone(tone),
        worst.map_or_else(Cell::none, |worst| Cell::code(&worst.model)),
        worst.map_or_else(Cell::none, |worst| {
            let during = worst.availability_during;
            Cell::figure(figures::percent(during), during).with_bar(during).with_tone(tone)
        }),
        figure(worst.map(|worst| worst.availability_after), figures::percent),
        figure(
            worst.filter(|worst| worst.availability_during >= TELLING).and_then(|worst| worst.p99_delta),
            figures::difference,
        ),
        figure(times(|worst| (worst.attempts, worst.attempts_baseline)), ratio),
        figure(times(|worst| (worst.cost, worst.cost_baseline)), ratio),
        or_never(row.failed_over_after, row.calls_failed || row.verdict == "lost"),
        or_never(row.recovered_after, row.struck_calls > 0),
        Cell::text(took_over(row)),
    ]
}

fn detail(page: &mut Page, report: &DrillReport, row: &RowReport, drawn: bool) {
    for cause in &row.causes {
        page.facts(&[
            ("what happened", format!("{}: {}", cause.model, cause.what)),
            ("to blame", cause.setting.clone()),
            ("to change", cause.change.clone()),
        ]);
    }
    if drawn {
        let world = &report.world;
        let label = report.outages.iter().find(|known| known.word == row.outage).map_or("", |known| known.meaning);
        let bands = [
            Band {
                from: world.outage_from,
                until: world.outage_until,
                label: format!("{}: {label}", row.target),
                kind: BandKind::Fault,
            },
            Band { from: world.duration, until: f64::MAX, label: "no new requests".to_owned(), kind: BandKind::Quiet },
        ];
        let usual = &report.baseline_course;
        page.chart(&over_time::traffic(&row.course, &bands, Some(("answered when nothing fails", usual))));
        page.chart(&over_time::latencies(&row.course, &bands, Some(("p99 when nothing fails", usual))));
        page.heading("Calls to each deployment");
        over_time::lanes(page, &row.course, &bands, &|_, deployment| row.struck.iter().any(|name| name == deployment));
    }
    let mut models = Table::new(
        "By name asked for",
        &[
            ("model", Kind::Text),
            ("verdict", Kind::Text),
            ("requests during", Kind::Figure),
            ("lost", Kind::Figure),
            ("answered during", Kind::Figure),
            ("after", Kind::Figure),
            ("p99", Kind::Figure),
            ("usually", Kind::Figure),
            ("by fallback", Kind::Figure),
        ],
    );
    let secs = |secs: Option<f64>| secs.map_or_else(Cell::none, |secs| Cell::figure(figures::seconds(secs), secs));
    let share = |share: f64| Cell::figure(figures::percent(share), share);
    for model in &row.models {
        models.row([
            Cell::code(&model.model),
            Cell::text(model.verdict).with_tone(Tone::of_verdict(model.verdict)),
            Cell::figure(count(model.requests), model.requests as f64),
            Cell::figure(count(model.lost), model.lost as f64),
            share(model.availability_during),
            share(model.availability_after),
            secs(model.p99),
            secs(model.p99_baseline),
            share(model.by_fallback),
        ]);
    }
    page.table(&models);
    let mut facts = vec![("failed", row.struck.join(", ")), ("calls struck", count(row.struck_calls))];
    if let Some(example) = &row.example {
        facts.push((
            "a lost request",
            format!("{}, due at {}, under seed {}", example.request, over_time::clock(example.due), example.seed),
        ));
    }
    if !row.equals.is_empty() {
        facts.push(("could not end differently", row.equals.join(", ")));
    }
    page.facts(&facts);
    page.command(&row.replay);
}

fn baseline(page: &mut Page, report: &DrillReport) {
    page.section("When nothing fails");
    let mut table = Table::new(
        "Requests by name asked for",
        &[
            ("model", Kind::Text),
            ("requests", Kind::Figure),
            ("answered", Kind::Figure),
            ("p50", Kind::Figure),
            ("p99", Kind::Figure),
            ("attempts", Kind::Figure),
            ("cost", Kind::Figure),
            ("errors", Kind::Text),
        ],
    );
    for model in &report.baseline {
        let latency = |of: fn(&crate::model::Latencies) -> f64| {
            model.latency.map_or_else(Cell::none, |all| Cell::figure(figures::seconds(of(&all)), of(&all)))
        };
        table.row([
            Cell::code(&model.model),
            Cell::figure(count(model.requests), model.requests as f64),
            model.availability.map_or_else(Cell::none, |share| {
                Cell::figure(figures::percent(share), share).with_tone(if model.works { Tone::Good } else { Tone::Bad })
            }),
            latency(|all| all.p50),
            latency(|all| all.p99),
            model.attempts_per_request.map_or_else(Cell::none, |value| Cell::figure(figures::ratio(value), value)),
            Cell::figure(figures::dollars(model.cost), model.cost),
            Cell::text(model.errors.join("; ")),
        ]);
    }
    page.table(&table);
    page.chart(&over_time::traffic(&report.baseline_course, &[], None));
    page.remark(&over_time::legend(&report.baseline_course));
}

fn config(page: &mut Page, report: &DrillReport) {
    page.section("The config");
    let mut places = Table::new(
        "Deployments",
        &[
            ("deployment", Kind::Text),
            ("group", Kind::Text),
            ("model", Kind::Text),
            ("provider", Kind::Text),
            ("region", Kind::Text),
            ("key", Kind::Text),
        ],
    );
    for place in &report.inventory.deployments {
        let or_none = |text: &Option<String>| text.as_ref().map_or_else(Cell::none, Cell::code);
        places.row([
            Cell::code(&place.name),
            Cell::code(&place.model_name),
            Cell::code(&place.model),
            Cell::text(&place.provider),
            or_none(&place.region),
            or_none(&place.key),
        ]);
    }
    page.table(&places);
    page.table(&findings(&report.findings));
}

fn findings(list: &[FindingReport]) -> Table {
    let mut table = Table::new(
        "What in the config does not do what it says",
        &[
            ("severity", Kind::Text),
            ("line", Kind::Figure),
            ("finding", Kind::Text),
            ("remedy", Kind::Text),
            ("rule", Kind::Text),
        ],
    );
    for finding in list {
        let tone = match finding.severity {
            "error" => Tone::Bad,
            "warning" => Tone::Warn,
            _ => Tone::Quiet,
        };
        table.row([
            Cell::text(finding.severity).with_tone(tone),
            finding.line.map_or_else(Cell::none, |line| Cell::figure(line.to_string(), f64::from(line))),
            Cell::text(&finding.message),
            Cell::text(&finding.remedy),
            Cell::code(finding.rule),
        ]);
    }
    table
}

fn about(page: &mut Page, report: &DrillReport) {
    page.section("About this drill");
    let world = &report.world;
    let seeds = world.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    page.facts(&[
        ("routedrill", report.routedrill.to_string()),
        ("LiteLLM release modelled", format!("{} ({})", report.litellm, report.mode)),
        ("seeds", seeds),
        ("requests arrive for", figures::seconds(world.duration)),
        ("callers wait for", figures::seconds(world.deadline)),
        ("latencies", world.latencies.to_owned()),
        ("digest of all runs", report.digest.clone()),
    ]);
}
