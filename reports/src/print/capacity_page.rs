//! A search for capacity as a page.

use super::capacity_text::{capacity_facts, capacity_headline, holds_says, target_says};
use super::html::{Axis, Cell, Chart, Draw, Kind, Level, Page, Role, Table, Tile, Tone};
use crate::figures;
use crate::model::{CapacityCurve, CapacityReport};
use crate::words;

/// As a page: one HTML file.
pub fn capacity(report: &CapacityReport) -> String {
    let facts: Vec<(&str, String)> =
        [("LiteLLM", report.litellm.to_owned()), ("routedrill", report.routedrill.to_string())]
            .into_iter()
            .chain(capacity_facts(report).into_iter().filter(|(name, _)| !matches!(*name, "" | "quotas" | "assumed")))
            .collect();
    let mut page = Page::new(&format!("Capacity of {}", report.input), &capacity_headline(report), &facts);
    if let Some(notice) = words::not_litellm(&report.what_if) {
        page.notice(Tone::Warn, &notice);
    }
    page.tiles(&tiles(report));
    for why in &report.cut_short {
        page.notice(Tone::Bad, &format!("Cut short: {why}"));
    }
    page.section("What holds with what lost");
    page.table(&cases(report));
    for curve in &report.curves {
        page.section(&format!("Load curve, {}", curve.case));
        curve_charts(&mut page, report, curve);
    }
    if let Some(target) = &report.target {
        page.section("What to buy");
        page.text(&target_says(target));
        let columns =
            [("quota", Kind::Text), ("today", Kind::Figure), ("to buy", Kind::Figure), ("then holds", Kind::Figure)];
        let mut table = Table::new("Quotas to buy, in order", &columns);
        for purchase in &target.purchases {
            table.row([
                Cell::text(&purchase.quota),
                Cell::figure(figures::count(purchase.from), purchase.from as f64),
                Cell::figure(figures::count(purchase.to), purchase.to as f64),
                load(purchase.holds),
            ]);
        }
        page.table(&table);
    }
    page.section("What this rests on");
    if !report.assumed.is_empty() {
        page.heading("Assumed");
        page.list(&report.assumed);
    }
    page.heading("Quotas of the upstreams");
    if report.quotas.is_empty() {
        page.text("None: nothing that an upstream allows is limited.");
    } else {
        page.list(&report.quotas);
    }
    page.remark(&format!(
        "{}, {}, digest {}. A load is called kept or broken where its runs say so with the confidence above; in between \
         they do not tell.",
        figures::counted(report.runs, "run"),
        figures::counted(report.requests, "request"),
        report.digest
    ));
    page.finish()
}

fn load(value: Option<f64>) -> Cell {
    value.map_or_else(Cell::none, |value| Cell::figure(figures::load(value), value))
}

fn tiles(report: &CapacityReport) -> Vec<Tile> {
    let Some(first) = report.cases.first() else { return Vec::new() };
    let tone = |holds: Option<f64>| match holds {
        Some(holds) if holds >= report.today => Tone::Good,
        Some(_) => Tone::Warn,
        None => Tone::Bad,
    };
    let today = format!("today {}", figures::load(report.today));
    let mut tiles = vec![Tile::new(&first.case, holds_says(first), today).with_tone(tone(first.holds))];
    if let Some(worst) = report.worst() {
        let note = format!("with {} lost", worst.case);
        tiles.push(Tile::new("the worst loss", holds_says(worst), note).with_tone(tone(worst.holds)));
    }
    if let Some(dollars) = first.dollars_per_month {
        tiles.push(Tile::new(
            "a month at that load",
            figures::dollars(dollars),
            "30 days, list prices or the config's",
        ));
    }
    tiles
}

fn cases(report: &CapacityReport) -> Table {
    let columns = [
        ("what is lost", Kind::Text),
        ("holds", Kind::Figure),
        ("breaks at", Kind::Figure),
        ("times today", Kind::Figure),
        ("a month", Kind::Figure),
        ("gives first", Kind::Text),
    ];
    let mut table = Table::new("The highest load that holds the objective", &columns).with_filter();
    let most = report.cases.iter().filter_map(|case| case.holds).fold(0.0, f64::max);
    for case in &report.cases {
        let holds = match case.holds {
            Some(holds) => {
                Cell::figure(figures::load(holds), holds).with_bar(if most > 0.0 { holds / most } else { 0.0 })
            }
            None => Cell::figure(holds_says(case), 0.0).with_tone(Tone::Bad),
        };
        let cells = [
            Cell::code(&case.case),
            holds,
            load(case.breaks),
            case.headroom.map_or_else(Cell::none, |times| Cell::figure(figures::ratio(times), times)),
            case.dollars_per_month.map_or_else(Cell::none, |cost| Cell::figure(figures::dollars(cost), cost)),
            Cell::text(case.gives.first().map_or("", String::as_str)),
        ];
        table.row(cells);
    }
    table
}

fn curve_charts(page: &mut Page, report: &CapacityReport, curve: &CapacityCurve) {
    let points = &curve.points;
    let xs: Vec<f64> = points.iter().map(|point| point.load).collect();
    let all = |value: &dyn Fn(usize) -> Option<f64>| (0..points.len()).map(value).collect::<Vec<_>>();
    let knee = match curve.knee {
        Some(load) => format!("Goodput keeps pace up to {}, the knee", figures::load(load)),
        None if curve.overload == "unseen" => "Goodput keeps pace all the way".to_owned(),
        None => "Goodput never keeps pace with the load".to_owned(),
    };
    let mut goodput = Chart::new(
        "Goodput by load",
        format!("{knee}; {}.", curve.overload_says),
        (Axis::PerSecond, "load"),
        Axis::PerSecond,
        xs.clone(),
    )
    .with("asked", Draw::Line, Role::Usual, all(&|n| Some(points[n].load)))
    .with("answered", Draw::Line, Role::Good, all(&|n| Some(points[n].goodput)));
    if let Some(knee) = curve.knee {
        let at_knee = all(&|n| (points[n].load == knee).then(|| points[n].goodput));
        goodput = goodput.with("knee", Draw::Points, Role::Neutral, at_knee);
    }
    if let Some(holds) = report.cases.iter().find(|case| case.case == curve.case).and_then(|case| case.holds) {
        goodput.levels.push(Level { at: holds, label: "capacity".to_owned() });
    }
    page.chart(&goodput);
    // Retries multiply refusals: on one axis with goodput they would press it flat.
    let refused = points.iter().map(|point| point.rate_limited).fold(0.0, f64::max);
    if refused > 0.0 {
        let says = format!("Upstreams answer up to {} with 429.", figures::load(refused));
        let mut chart = Chart::new("429s by load", says, (Axis::PerSecond, "load"), Axis::PerSecond, xs.clone());
        chart = chart.with("429s of upstreams", Draw::Line, Role::Bad, all(&|n| Some(points[n].rate_limited)));
        page.chart(&chart);
    }
    let says = match (points.first().and_then(|p| p.p99), points.last().and_then(|p| p.p99)) {
        (Some(first), Some(last)) => {
            format!("p99 goes from {} to {}.", figures::seconds(first), figures::seconds(last))
        }
        _ => "At some loads nothing is answered.".to_owned(),
    };
    let latency = Chart::new("Latency by load", says, (Axis::PerSecond, "load"), Axis::Seconds, xs.clone())
        .with("p50", Draw::Line, Role::First, all(&|n| points[n].p50))
        .with("p99", Draw::Line, Role::Second, all(&|n| points[n].p99));
    page.chart(&latency);
    let most = points.iter().map(|point| point.attempts).fold(0.0, f64::max);
    let says = format!("A request costs up to {} calls.", figures::ratio(most));
    let attempts = Chart::new("Attempts per request by load", says, (Axis::PerSecond, "load"), Axis::Number, xs).with(
        "attempts",
        Draw::Line,
        Role::First,
        all(&|n| Some(points[n].attempts)),
    );
    page.chart(&attempts);
    if let Some(minute) = &curve.minute {
        page.notice(Tone::Warn, minute);
    }
}
