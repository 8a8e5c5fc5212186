//! Findings as people read them in a terminal.

use routedrill_sim::litellm::lint::worst_case::{WorstCase, written};
use routedrill_sim::litellm::{Finding, Rule, rule};
use routedrill_sim::problem::Look;

use super::{Counts, LintedFile, word};
use crate::table::{Align, Grid};

/// How many stations of a long way are shown.
const STATIONS_MAX: usize = 6;

/// How many findings that say the same are shown in full.
const SAME_MAX: usize = 3;

/// Every finding with the text it is about, the worst cases of each file, and a summary in one line.
pub fn text(files: &[LintedFile], look: Look) -> String {
    let mut out = String::new();
    for file in files {
        let Ok(linted) = &file.result else { continue };
        out += &findings(&linted.findings, look);
        out += &worst_cases(&file.name, &linted.worst_cases);
    }
    out + &summary(files) + "\n"
}

/// Findings in the order of the file. Of those that say the same with the same remedy, the first ones in full and the
/// lines of the others.
fn findings(all: &[Finding], look: Look) -> String {
    let mut out = String::new();
    for (at, finding) in all.iter().enumerate() {
        let same = |other: &&Finding| other.rule == finding.rule && other.remedy == finding.remedy;
        let before = all[..at].iter().filter(same).count();
        if before < SAME_MAX {
            out += &format!("{}\n\n", finding.render(look));
        }
        let behind: Vec<String> =
            all[at + 1..].iter().filter(same).filter_map(|other| Some(other.line()?.to_string())).collect();
        if before + 1 == SAME_MAX && !behind.is_empty() {
            let (rule, file) = (finding.rule, &finding.file);
            out += &format!(
                "{}[{}]: the same holds {}: {file}, {} {}\n\n",
                word(rule.severity),
                rule.name,
                if behind.len() == 1 { "once more".to_owned() } else { format!("{} times more", behind.len()) },
                if behind.len() == 1 { "line" } else { "lines" },
                behind.join(", "),
            );
        }
    }
    out
}

fn worst_cases(file: &str, cases: &[WorstCase]) -> String {
    if cases.is_empty() {
        return String::new();
    }
    let mut grid =
        Grid::new(&[("group", Align::Left), ("calls", Align::Right), ("time", Align::Right), ("way", Align::Left)]);
    for case in cases {
        let more = if case.cut_short { ">" } else { "" };
        let mut way: Vec<&str> = case.way.iter().take(STATIONS_MAX).map(String::as_str).collect();
        if case.way.len() > way.len() {
            way.push("...");
        }
        let time = format!("{more}{}", written(case.time));
        grid.row([&case.group, &format!("{more}{}", case.calls), &time, &way.join(" > ")]);
    }
    format!("One request at worst, when everything it may use hangs ({file})\n{}\n", grid.print())
}

/// `2 errors, 1 warning and 3 notes in 2 files; 1 finding silenced by a comment`.
fn summary(files: &[LintedFile]) -> String {
    let Counts { errors, warnings, notes, silenced, unreadable } = Counts::of(files);
    let mut parts: Vec<String> = [(errors, "error"), (warnings, "warning"), (notes, "note")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| counted(count, what))
        .collect();
    let found = match parts.pop() {
        None => "nothing found".to_owned(),
        Some(last) if parts.is_empty() => last,
        Some(last) => format!("{} and {last}", parts.join(", ")),
    };
    let mut summary = format!("{found} in {}", counted(files.len() - unreadable, "file"));
    if silenced > 0 {
        summary += &format!("; {} silenced by comments", counted(silenced, "finding"));
    }
    if unreadable > 0 {
        summary += &format!("; {} cannot be read", counted(unreadable, "file"));
    }
    summary
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// One rule, told.
pub fn explanation(rule: &Rule) -> String {
    let stops = if rule.stops_start_up { "LiteLLM's proxy does not start with it.\n" } else { "" };
    format!(
        "{name} ({severity})\n\n{story}\n{stops}\nSource: {source}\n\
        Silence it in one place with a comment: # routedrill: ignore {name} because REASON\n",
        name = rule.name,
        severity = word(rule.severity),
        story = rule.story,
        source = rule.source,
    )
}

/// Every rule in one line.
pub fn rules() -> String {
    let mut grid = Grid::new(&[("rule", Align::Left), ("severity", Align::Left), ("about", Align::Left)]);
    for rule in rule::RULES {
        grid.row([rule.name, word(rule.severity), rule.story]);
    }
    grid.print()
}
