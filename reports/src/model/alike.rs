//! The same finding on many lines, told once.

use super::drill::FindingReport;

/// A finding and everywhere else that says the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alike<'a> {
    /// The first of them.
    pub first: &'a FindingReport,
    /// Their lines, from 1, in the order in which they were found.
    pub lines: Vec<u32>,
}

/// As many lines are listed one by one.
const LISTED: usize = 3;

impl<'a> Alike<'a> {
    /// Puts together what has the same weight, message and remedy, in the order of the first of each.
    pub fn among(findings: impl IntoIterator<Item = &'a FindingReport>) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for finding in findings {
            let same = |group: &&mut Self| {
                let first = group.first;
                (first.severity, &first.message, &first.remedy) == (finding.severity, &finding.message, &finding.remedy)
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.lines.extend(finding.line),
                None => groups.push(Self { first: finding, lines: finding.line.into_iter().collect() }),
            }
        }
        groups
    }

    /// Where it is: `line 4`, `lines 4, 9, 12 and 17 more`, or the path of keys where no line is known.
    pub fn place(&self) -> String {
        let listed = |lines: &[u32]| lines.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        match self.lines.as_slice() {
            [] => self.first.path.clone(),
            [line] => format!("line {line}"),
            [others @ .., last] if others.len() <= LISTED => format!("lines {} and {last}", listed(others)),
            lines => format!("lines {} and {} more", listed(&lines[..LISTED]), lines.len() - LISTED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: Option<u32>, message: &str) -> FindingReport {
        FindingReport {
            severity: "error",
            rule: "rule",
            line,
            path: "router_settings.num_retries".to_owned(),
            message: message.to_owned(),
            remedy: String::new(),
            stops_start_up: false,
        }
    }

    fn places(findings: &[FindingReport]) -> Vec<String> {
        Alike::among(findings).iter().map(Alike::place).collect()
    }

    #[test]
    fn what_is_said_of_many_lines_is_told_once_with_the_first_of_them() {
        let lines = |lines: &[u32]| lines.iter().map(|line| at(Some(*line), "quoted")).collect::<Vec<_>>();
        assert_eq!(places(&lines(&[4])), ["line 4"]);
        assert_eq!(places(&lines(&[4, 9])), ["lines 4 and 9"]);
        assert_eq!(places(&lines(&[4, 9, 12, 20])), ["lines 4, 9, 12 and 20"]);
        assert_eq!(places(&lines(&[4, 9, 12, 20, 31])), ["lines 4, 9, 12 and 2 more"]);
    }

    #[test]
    fn other_messages_stay_apart_in_the_order_of_the_first_of_each() {
        let found = [at(Some(4), "one"), at(None, "another"), at(Some(9), "one")];
        assert_eq!(places(&found), ["lines 4 and 9", "router_settings.num_retries"]);
    }
}
