//! Reports as JSON.

use serde::Serialize;

/// A report as JSON, in the order of its fields, with a newline at its end.
pub fn json(report: &impl Serialize) -> String {
    // The models hold nothing that JSON cannot: keys are field names, and numbers that are not finite become null.
    let mut text = serde_json::to_string_pretty(report).expect("a report is JSON");
    text.push('\n');
    text
}
