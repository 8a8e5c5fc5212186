//! The outages of a drill as CSV: a line for each outage and each name that clients asked for.

use crate::model::{DrillReport, RowReport};

const COLUMNS: [&str; 25] = [
    "outage",
    "target",
    "how",
    "outage_verdict",
    "model",
    "verdict",
    "requests_during",
    "lost_during",
    "availability_during",
    "availability_after",
    "p99",
    "p99_baseline",
    "attempts",
    "attempts_baseline",
    "cost",
    "cost_baseline",
    "by_fallback",
    "struck_calls",
    "failed_over_after",
    "recovered_after",
    "took_over",
    "to_blame",
    "to_change",
    "equals",
    "replay",
];

/// Every outage, name by name. Times in seconds, shares from 0 to 1, dollars; empty: there is no such figure. Several
/// names in one cell are apart by `; `.
pub fn drill_csv(report: &DrillReport) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Into memory, where nothing fails.
    writer.write_record(COLUMNS).expect("a line in memory");
    for row in &report.rows {
        for record in lines(row) {
            writer.write_record(record).expect("as many cells as titles");
        }
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

fn lines(row: &RowReport) -> impl Iterator<Item = [String; COLUMNS.len()]> {
    let or_empty = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let took_over: Vec<&str> = row.took_over.iter().map(|share| share.deployment.as_str()).collect();
    let took_over = took_over.join("; ");
    row.models.iter().map(move |model| {
        let causes = || row.causes.iter().filter(|cause| cause.model == model.model);
        let blame: Vec<&str> = causes().map(|cause| cause.setting.as_str()).collect();
        let change: Vec<&str> = causes().map(|cause| cause.change.as_str()).collect();
        [
            row.name.clone(),
            row.target.clone(),
            row.outage.to_owned(),
            row.verdict.to_owned(),
            model.model.clone(),
            model.verdict.to_owned(),
            model.requests.to_string(),
            model.lost.to_string(),
            model.availability_during.to_string(),
            model.availability_after.to_string(),
            or_empty(model.p99),
            or_empty(model.p99_baseline),
            model.attempts.to_string(),
            model.attempts_baseline.to_string(),
            model.cost.to_string(),
            model.cost_baseline.to_string(),
            model.by_fallback.to_string(),
            row.struck_calls.to_string(),
            or_empty(row.failed_over_after),
            or_empty(row.recovered_after),
            took_over.clone(),
            blame.join("; "),
            change.join("; "),
            row.equals.join("; "),
            row.replay.clone(),
        ]
    })
}
