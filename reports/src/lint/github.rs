//! Annotations of a GitHub workflow: one workflow command per finding.

use routedrill_sim::litellm::Severity;
use routedrill_sim::source::Excerpt;

use super::LintedFile;

/// One `::error`, `::warning` or `::notice` per finding, and one `::error` per problem of a file that cannot be read.
///
/// GitHub shows ten of each kind per step; the job's log has all of them.
pub fn github(files: &[LintedFile]) -> String {
    let mut out = String::new();
    for file in files {
        match &file.result {
            Ok(linted) => {
                for finding in &linted.findings {
                    let kind = match finding.rule.severity {
                        Severity::Error => "error",
                        Severity::Warning => "warning",
                        Severity::Note => "notice",
                    };
                    out += &command(
                        kind,
                        &file.name,
                        finding.at.as_ref(),
                        finding.rule.name,
                        &finding.message,
                        &finding.remedy,
                    );
                }
            }
            Err(problems) => {
                for problem in problems.iter() {
                    let at = problem.at.as_ref();
                    out += &command("error", &file.name, at, "unreadable", &problem.message, &problem.remedy);
                }
            }
        }
    }
    out
}

fn command(kind: &str, file: &str, at: Option<&Excerpt>, title: &str, message: &str, remedy: &str) -> String {
    let place = at.map_or(String::new(), |at| format!(",line={},col={}", at.line, at.column));
    let message = if remedy.is_empty() { message.to_owned() } else { format!("{message}\nhelp: {remedy}") };
    format!("::{kind} file={}{place},title={}::{}\n", property(file), property(title), data(&message))
}

/// The escapes that GitHub's runner undoes in messages.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// And in properties.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(
            command("warning", "C:\\a,b", None, "some-rule", "50%\r\nmore", "less"),
            "::warning file=C%3A\\a%2Cb,title=some-rule::50%25%0D%0Amore%0Ahelp: less\n"
        );
    }
}
