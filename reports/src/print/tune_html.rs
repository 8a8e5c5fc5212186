//! The report of a search for better settings as a page: the Pareto plot, what depends on which setting, the map.

use super::html::{Axis, Cell, Chart, Draw, Kind, Page, Role, Table, Tile, Tone};
use super::tune_beyond;
use super::tune_text::{UNWRITTEN, answer, constraints, figure, lost_in_latencies, name, parts, promised, value};
use crate::figures;
use crate::model::{ChangeReport, MapReport, PointReport, TuneReport};

/// The page. `patch` is the difference to write into the config, when there is one.
pub fn tune_html(report: &TuneReport, patch: Option<&str>) -> String {
    let facts = [
        ("Config", report.config.clone()),
        ("LiteLLM", report.litellm.clone()),
        ("Scenarios", format!("{} to tune on, {} held out", report.scenarios, report.held_out_scenarios)),
        ("Seeds", format!("{} to tune on, {} held out", report.seeds, report.held_out_seeds)),
        ("Runs", figures::count(report.runs)),
    ];
    let mut page = Page::new("Tuning", &answer(report), &facts);
    tiles(&mut page, report);
    if let Some(sentence) = constraints(report) {
        page.notice(if report.constraints_hold { Tone::Good } else { Tone::Bad }, &sentence);
    }
    if report.better {
        page.section("What to change");
        page.table(&changes("What to change", &report.changes));
        if let Some(patch) = patch.filter(|patch| !patch.is_empty()) {
            page.command(patch);
        }
    }
    if !report.refuted.is_empty() {
        page.section("What looked better while tuning, and is not");
        page.table(&changes("What was tried", &report.refuted));
    }
    judgements(&mut page, report);
    if let Some(beyond) = &report.beyond {
        tune_beyond::section(&mut page, beyond);
    }
    importance(&mut page, report);
    if let Some(map) = &report.map {
        let around = if report.better { "the recommended setting" } else { "the current config" };
        page.section("Plateau or cliff");
        page.text(&format!(
            "Two settings around {around}, everything else as it is there. The longer the bar, the worse."
        ));
        for (index, objective) in report.objectives.iter().enumerate() {
            page.table(&map_table(map, index, objective));
        }
    }
    front(&mut page, report);
    page.finish()
}

fn tiles(page: &mut Page, report: &TuneReport) {
    let rows = report.judgements.first().map(|judgement| judgement.rows.as_slice()).unwrap_or_default();
    let tiles: Vec<Tile> = (rows.iter())
        .filter_map(|row| {
            let difference = row.difference.as_ref()?;
            let (now, then) = (figure(&row.measure, row.current), figure(&row.measure, row.chosen));
            if !report.better {
                return Some(Tile::new(name(&row.measure), now, "with the current config"));
            }
            let tone = match difference.verdict {
                "better" => Tone::Good,
                "worse" => Tone::Bad,
                _ => Tone::Quiet,
            };
            Some(Tile::new(name(&row.measure), then, format!("now {now}")).with_tone(tone))
        })
        .collect();
    page.tiles(&tiles);
}

fn changes(caption: &str, changes: &[ChangeReport]) -> Table {
    let mut table = Table::new(caption, &[("setting", Kind::Text), ("now", Kind::Text), ("then", Kind::Text)]);
    for change in changes {
        table.row([Cell::code(&change.path), Cell::code(value(change.from.as_ref())), Cell::code(&change.to)]);
    }
    table
}

fn judgements(page: &mut Page, report: &TuneReport) {
    page.section("The final judgement");
    page.text("Under seeds that nothing was chosen by. Both settings meet the same requests, faults and luck.");
    for judgement in &report.judgements {
        let which = if judgement.held_out_scenarios { "Held-out scenarios" } else { "The scenarios tuned on" };
        let columns = [
            ("measure", Kind::Text),
            ("now", Kind::Figure),
            ("then", Kind::Figure),
            ("difference", Kind::Figure),
            ("95 % interval", Kind::Text),
            ("better under", Kind::Text),
            ("verdict", Kind::Text),
        ];
        let mut table = Table::new(which, &columns);
        for row in &judgement.rows {
            let Some(one) = &row.difference else {
                let [now, then] =
                    [row.current, row.chosen].map(|value| Cell::figure(figure(&row.measure, value), value));
                let kept = row.limit.is_some_and(|limit| row.chosen <= limit);
                let verdict = row.limit.map_or_else(String::new, |limit| promised(row, limit));
                let verdict = Cell::text(verdict).with_tone(if kept { Tone::Good } else { Tone::Bad });
                let none = || Cell::text("");
                table.row([Cell::text(name(&row.measure)), now, then, Cell::none(), none(), none(), verdict]);
                continue;
            };
            let signed = |value: f64| {
                let sign = if value < 0.0 {
                    "-"
                } else if value > 0.0 {
                    "+"
                } else {
                    ""
                };
                format!("{sign}{}", figure(&row.measure, value.abs()))
            };
            let interval = one
                .low
                .zip(one.high)
                .map_or_else(String::new, |(low, high)| format!("{} to {}", signed(low), signed(high)));
            let verdict = match one.verdict {
                "better" => Cell::text("better").with_tone(Tone::Good),
                "worse" => Cell::text("worse").with_tone(Tone::Bad),
                _ => Cell::text("no difference").with_tone(Tone::Quiet),
            };
            table.row([
                Cell::text(name(&row.measure)),
                Cell::figure(figure(&row.measure, row.current), row.current),
                Cell::figure(figure(&row.measure, row.chosen), row.chosen),
                Cell::figure(signed(one.mean), one.mean),
                Cell::text(interval),
                Cell::text(format!("{} of {} seeds", one.better, one.seeds)),
                verdict,
            ]);
        }
        page.table(&table);
        let columns = [
            ("scenario", Kind::Text),
            ("lost now", Kind::Figure),
            ("lost then", Kind::Figure),
            ("p99 now", Kind::Figure),
            ("p99 then", Kind::Figure),
        ];
        let mut table = Table::new("Scenario by scenario", &columns);
        let share = |value: f64| Cell::figure(figures::percent(value), value).with_bar(value);
        let time =
            |value: Option<f64>| value.map_or_else(Cell::none, |secs| Cell::figure(figures::seconds(secs), secs));
        for one in &judgement.scenarios {
            table.row([
                Cell::text(&one.name),
                share(one.lost_current),
                share(one.lost_chosen),
                time(one.p99_current),
                time(one.p99_chosen),
            ]);
        }
        page.table(&table);
    }
    if let Some(sentence) = lost_in_latencies(report) {
        page.remark(sentence);
    }
}

fn importance(page: &mut Page, report: &TuneReport) {
    page.section("What depends on which setting");
    page.text("The share of the differences between all settings tried that one setting explains by itself.");
    for (index, objective) in report.objectives.iter().enumerate() {
        let columns = [
            ("setting", Kind::Text),
            ("explains", Kind::Figure),
            ("best value", Kind::Figure),
            ("worst value", Kind::Figure),
        ];
        let mut table = Table::new(name(objective), &columns);
        for one in &report.importance {
            let (share, (low, high)) = (one.shares[index], one.ranges[index]);
            table.row([
                Cell::code(&one.path),
                Cell::figure(figures::percent(share), share).with_bar(share),
                Cell::figure(figure(objective, low), low),
                Cell::figure(figure(objective, high), high),
            ]);
        }
        page.table(&table);
    }
}

fn map_table(map: &MapReport, index: usize, objective: &str) -> Table {
    let corner = format!("{} \\ {}", map.rows, map.columns);
    let mut columns = vec![(corner.as_str(), Kind::Text)];
    columns.extend(map.column_values.iter().map(|of| (value(of.as_ref()), Kind::Figure)));
    let worst = map.cells.iter().flatten().map(|means| means[index]).fold(0.0, f64::max);
    let mut table = Table::new(name(objective), &columns);
    for (row, cells) in map.cells.iter().enumerate() {
        let cells = cells.iter().enumerate().map(|(column, means)| {
            let value = means[index];
            let here = map.center == Some((row, column));
            let text = format!("{}{}", if here { "* " } else { "" }, figure(objective, value));
            let cell = Cell::figure(text, value).with_bar(if worst > 0.0 { value / worst } else { 0.0 });
            if here { cell.with_tone(Tone::Good) } else { cell }
        });
        table.row(std::iter::once(Cell::code(value(map.row_values[row].as_ref()))).chain(cells));
    }
    table
}

fn axis(objective: &str) -> Axis {
    match parts(objective).1 {
        "lost" => Axis::Share,
        "cost" => Axis::Dollars,
        "amplification" => Axis::Number,
        _ => Axis::Seconds,
    }
}

fn front(page: &mut Page, report: &TuneReport) {
    page.section("Everything that was tried");
    if let [x, y, ..] = &report.objectives[..] {
        let mut points: Vec<&PointReport> = report.points.iter().collect();
        points.sort_by(|a, b| a.means[0].total_cmp(&b.means[0]));
        let xs = points.iter().map(|point| point.means[0]).collect();
        let series = |wanted: &dyn Fn(&PointReport) -> bool| {
            points.iter().map(|point| wanted(point).then_some(point.means[1])).collect::<Vec<_>>()
        };
        let title = format!("{} and {}", name(x), name(y));
        let says = "Each point is one way to set the parameters; below and to the left is better. Points of the Pareto \
                    front cannot be had better in one without being worse in another.";
        let chart = Chart::new(title, says, (axis(x), name(x).as_str()), axis(y), xs)
            .with("tried", Draw::Points, Role::Neutral, series(&|point| point.role.is_none() && !point.pareto))
            .with("Pareto front", Draw::Points, Role::First, series(&|point| point.role.is_none() && point.pareto))
            .with("current", Draw::Points, Role::Bad, series(&|point| point.role == Some("current")))
            .with("recommended", Draw::Points, Role::Good, series(&|point| point.role == Some("recommended")));
        page.chart(&chart);
    }
    let mut columns = vec![("point", Kind::Text)];
    columns.extend(report.objectives.iter().map(|objective| (objective.as_str(), Kind::Figure)));
    columns.extend(report.params.iter().map(|param| (param.path.as_str(), Kind::Text)));
    columns.push(("seeds", Kind::Figure));
    let mut table = Table::new("All points", &columns).with_filter();
    for point in &report.points {
        let role = point.role.unwrap_or(if point.pareto { "Pareto front" } else { "tried" });
        let means = report
            .objectives
            .iter()
            .zip(&point.means)
            .map(|(objective, mean)| Cell::figure(figure(objective, *mean), *mean));
        let values = point.values.iter().map(|of| Cell::code(of.as_deref().unwrap_or(UNWRITTEN)));
        let cells = std::iter::once(Cell::text(role)).chain(means).chain(values);
        table.row(cells.chain([Cell::figure(figures::count(point.seeds), point.seeds as f64)]));
    }
    page.table(&table);
    page.remark("A point that ran under fewer seeds was given up for better ones.");
    for fault in &report.never_fired {
        page.notice(Tone::Warn, &format!("This fault struck no call in any run: {fault}"));
    }
    for finding in &report.new_findings {
        page.notice(Tone::Warn, &format!("With the changes lint says: {finding}"));
    }
}
