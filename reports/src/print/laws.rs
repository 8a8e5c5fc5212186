//! Laws of the router that were broken, and known defects of the release, as text.

use std::fmt::Write as _;

use crate::figures;
use crate::model::{BrokenLawReport, DefectReport};
use crate::table::INDENT;

/// Who, whose and when: `request 0:17, gpt-4 (openai), at 3.0 s`.
pub(super) fn place(request: Option<&String>, deployment: Option<&String>, at: f64) -> String {
    let request = request.map_or_else(String::new, |request| format!("request {request}, "));
    let whom = deployment.map_or_else(String::new, |name| format!("{name}, "));
    format!("{request}{whom}at {}", figures::seconds(at))
}

/// The laws that were broken. Says nothing when all held.
pub(super) fn broken(text: &mut String, broken: &[BrokenLawReport]) {
    if broken.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nLaws of the router that were broken: a bug in the router, not in the config");
    for law in broken {
        one_law(text, law);
    }
}

/// One law that was broken.
pub(super) fn one_law(text: &mut String, law: &BrokenLawReport) {
    let _ = writeln!(text, "{INDENT}{} ({}): {}", law.law, figures::counted(law.count, "time"), law.says);
    let place = place(law.request.as_ref(), law.deployment.as_ref(), law.at);
    let _ = writeln!(text, "{INDENT}{INDENT}the first: {place}: {}", law.what);
    let _ = writeln!(text, "{INDENT}{INDENT}written from LiteLLM's {}", law.source);
    if let Some(reason) = &law.waived {
        let _ = writeln!(text, "{INDENT}{INDENT}waived by the scenario: {reason}");
    }
}

/// The known defects that showed. Says nothing when none did.
pub(super) fn known_defects(text: &mut String, litellm: &str, defects: &[DefectReport]) {
    if defects.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nKnown defects of LiteLLM {litellm} that showed");
    for one in defects {
        let _ = writeln!(text, "{INDENT}{} ({}): {}", one.defect, figures::counted(one.count, "time"), one.says);
        let place = place(one.request.as_ref(), one.deployment.as_ref(), one.at);
        let _ = writeln!(text, "{INDENT}{INDENT}the first: {place}: {}", one.what);
    }
}
