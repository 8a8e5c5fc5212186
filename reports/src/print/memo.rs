//! The readiness memo as Markdown.

use minijinja::value::Serde;
use minijinja::{Environment, Error, Value, context};
use router_core::Span;

use super::drill_text;
use crate::figures::{self, DASH};
use crate::model::{DrillReport, RiskReport};

/// The memo of a drill. `date` is the one thing in it that comes from outside.
pub fn memo(report: &DrillReport, date: Option<&str>) -> String {
    // The template is compiled into the program and its test renders it: an error here is a bug.
    render(report, date).expect("the memo's template fits the report")
}

fn render(report: &DrillReport, date: Option<&str>) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.add_filter("chosen_share", figures::chosen_share);
    environment.add_filter("chosen", |secs: f64| figures::chosen(Span::from_secs_f64(secs)));
    environment.add_filter("plain", |value: f64| value.to_string());
    environment.add_filter("percent", |share: Option<f64>| share.map_or_else(|| DASH.to_owned(), figures::percent));
    environment.add_filter("seconds", |secs: Option<f64>| secs.map_or_else(|| DASH.to_owned(), figures::seconds));
    environment.add_filter("ratio", |value: Option<f64>| value.map_or_else(|| DASH.to_owned(), figures::ratio));
    environment.add_filter("difference", |secs: Option<f64>| secs.map_or_else(|| DASH.to_owned(), figures::difference));
    environment.add_filter("cell", |text: String| text.replace('|', "\\|").replace('\n', " "));
    // Ids that LiteLLM derives are 64 letters long; twelve tell them apart.
    environment.add_filter("short_id", |id: String| if id.len() > 20 { format!("{}...", &id[..12]) } else { id });
    let took_over: Vec<(String, String)> =
        report.rows.iter().map(|row| (row.name.clone(), drill_text::took_over(row))).collect();
    environment.add_filter("took_over", move |row: Value| {
        let name = row.get_attr("name").map(|name| name.to_string()).unwrap_or_default();
        took_over.iter().find(|(known, _)| *known == name).map_or_else(String::new, |(_, who)| who.clone())
    });
    environment.add_template("memo", include_str!("memo.md"))?;
    let sign_off = sign_off(report);
    environment.get_template("memo")?.render(context! {
        date,
        sign_off,
        grades => RiskReport::GRADES,
        ..Value::from(Serde(report))
    })
}

/// One line per deployment: its worst outage.
fn sign_off(report: &DrillReport) -> Vec<Value> {
    let rank = |verdict: &str| ["lost", "degraded", "held", "untouched"].iter().position(|word| *word == verdict);
    let mut lines = Vec::new();
    for place in &report.inventory.deployments {
        let own = report.rows.iter().filter(|row| row.struck.len() == 1 && row.struck[0] == place.name);
        let answered =
            |row: &crate::model::RowReport| row.models.first().map_or(1.0, |worst| worst.availability_during);
        let Some(worst) =
            own.min_by(|a, b| rank(a.verdict).cmp(&rank(b.verdict)).then(answered(a).total_cmp(&answered(b))))
        else {
            continue;
        };
        let struck = |row: &&crate::model::RowReport| row.struck.len() == 1 && row.struck[0] == place.name;
        let names: Vec<&str> = report.rows.iter().filter(struck).map(|row| row.name.as_str()).collect();
        let risks: Vec<String> = (report.risks.iter().enumerate())
            .filter(|(_, risk)| risk.rows.iter().any(|row| names.contains(&row.as_str())))
            .map(|(index, risk)| format!("R{} ({})", index + 1, risk.grade))
            .collect();
        lines.push(context! {
            deployment => place.name.clone(),
            outage => worst.outage,
            verdict => worst.verdict,
            took_over => drill_text::took_over(worst),
            p99_delta => worst.models.first().and_then(|worst| worst.p99_delta),
            risks,
        });
    }
    lines
}
