//! Every point of a search for better settings, one on a line.

use crate::model::TuneReport;

/// Columns: what each parameter is (empty: not written), each measure, how many seeds, whether it is on the Pareto
/// front, whether the constraints hold, and its role.
pub fn tune_csv(report: &TuneReport) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let measures = report.objectives.iter().chain(&report.constraints);
    let titles = report.params.iter().map(|param| &param.path).chain(measures).map(String::as_str);
    let all = titles.chain(["seeds", "pareto", "constraints_hold", "role"]);
    // Into memory, where nothing fails.
    writer.write_record(all).expect("a line in memory");
    for point in &report.points {
        let values = point.values.iter().map(|value| value.clone().unwrap_or_default());
        let rest = [
            point.seeds.to_string(),
            point.pareto.to_string(),
            point.holds.to_string(),
            point.role.unwrap_or_default().to_owned(),
        ];
        let record = values.chain(point.means.iter().map(f64::to_string)).chain(rest);
        writer.write_record(record).expect("as many cells as titles");
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}
