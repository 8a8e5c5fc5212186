//! A search for capacity as CSV files.

use std::fmt::Write as _;

use crate::model::CapacityReport;

/// `cases.csv`: what holds with what lost. Loads are per second; empty: none.
pub fn capacity_cases_csv(report: &CapacityReport) -> String {
    let mut text = String::from("case,holds,breaks,headroom,dollars_per_month,gives_first\n");
    for case in &report.cases {
        let first = case.gives.first().map_or("", String::as_str);
        let _ = writeln!(
            text,
            "{},{},{},{},{},{}",
            cell(&case.case),
            number(case.holds),
            number(case.breaks),
            number(case.headroom),
            number(case.dollars_per_month),
            cell(first)
        );
    }
    text
}

/// `curve.csv`: the load curves. Loads are per second, latencies in seconds.
pub fn capacity_curve_csv(report: &CapacityReport) -> String {
    let mut text =
        String::from("case,load,goodput,availability,p50,p99,rate_limited,attempts,dollars_per_month,knee\n");
    for curve in &report.curves {
        for point in &curve.points {
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{},{},{},{}",
                cell(&curve.case),
                point.load,
                point.goodput,
                point.availability,
                number(point.p50),
                number(point.p99),
                point.rate_limited,
                point.attempts,
                point.dollars_per_month,
                curve.knee == Some(point.load)
            );
        }
    }
    text
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
