//! Findings as SARIF 2.1.0, which code scanners and editors read.

use routedrill_sim::litellm::{Finding, rule};
use routedrill_sim::source::Excerpt;
use serde_json::{Value, json};

use super::{LintedFile, word};

/// One run of routedrill with all its rules and all findings, the silenced ones among them. Files that cannot be read
/// are notifications.
///
/// # Errors
/// Never in practice: nothing in the report is beyond JSON.
pub fn sarif(files: &[LintedFile], version: &str) -> Result<String, serde_json::Error> {
    let rules = rule::RULES.iter().map(|rule| {
        json!({
            "id": rule.name,
            "shortDescription": { "text": rule.story },
            "help": { "text": format!("{} Source: {}.", rule.story, rule.source) },
            "defaultConfiguration": { "level": word(rule.severity) },
        })
    });
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for file in files {
        match &file.result {
            Ok(linted) => {
                results.extend(linted.findings.iter().map(|finding| result(finding, None)));
                results.extend(linted.silenced.iter().map(|(finding, reason)| result(finding, Some(reason))));
            }
            Err(problems) => notifications.extend(problems.iter().map(|problem| {
                json!({
                    "level": "error",
                    "message": { "text": problem.message },
                    "locations": [location(&file.name, problem.at.as_ref())],
                })
            })),
        }
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": { "name": "routedrill", "version": version, "rules": rules.collect::<Vec<_>>() },
            },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": notifications.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).map(|text| text + "\n")
}

fn result(finding: &Finding, silenced: Option<&str>) -> Value {
    let text = match finding.remedy.as_str() {
        "" => finding.message.clone(),
        remedy => format!("{}. Help: {remedy}", finding.message),
    };
    let mut result = json!({
        "ruleId": finding.rule.name,
        "ruleIndex": rule::RULES.iter().position(|rule| *rule == finding.rule),
        "level": word(finding.rule.severity),
        "message": { "text": text },
        "locations": [location(&finding.file, finding.at.as_ref())],
    });
    if !finding.edits.is_empty() {
        let replacements = finding.edits.iter().map(|edit| {
            json!({
                "deletedRegion": { "byteOffset": edit.span.start, "byteLength": edit.span.len() },
                "insertedContent": { "text": edit.text },
            })
        });
        result["fixes"] = json!([{
            "description": { "text": finding.remedy },
            "artifactChanges": [{
                "artifactLocation": { "uri": uri(&finding.file) },
                "replacements": replacements.collect::<Vec<_>>(),
            }],
        }]);
    }
    if let Some(reason) = silenced {
        result["suppressions"] = json!([{ "kind": "inSource", "justification": reason }]);
    }
    result
}

fn location(file: &str, at: Option<&Excerpt>) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(file) } });
    if let Some(at) = at {
        let marked = at.text.get(at.span.clone()).unwrap_or_default();
        let width = u32::try_from(marked.chars().count()).unwrap_or_default();
        physical["region"] = json!({
            "startLine": at.line,
            "startColumn": at.column,
            "endColumn": at.column.saturating_add(width),
        });
        physical["contextRegion"] = json!({ "startLine": at.line, "snippet": { "text": at.text } });
    }
    json!({ "physicalLocation": physical })
}

/// A path as a URI reference.
fn uri(path: &str) -> String {
    let byte = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    path.replace('\\', "/").bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_blanks_is_still_a_uri() {
        assert_eq!(uri("my configs/é.yaml"), "my%20configs/%C3%A9.yaml");
    }
}
