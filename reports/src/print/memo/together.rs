//! All edits at once: what is lost then, and what to apply.

use super::paper::{Cell, Paper};
use super::sections::listed;
use crate::figures::{self, counted};
use crate::model::{DrillReport, FindingReport, TogetherReport, VerdictCounts};

/// The name of the patch, beside the memo.
pub const PATCH: &str = "edits.patch";

pub(super) fn all_edits(report: &DrillReport, paper: &mut dyn Paper) {
    let Some(all) = &report.together else { return };
    paper.heading("All edits together");
    paper.text(&format!("{} What to write:", sentence(report, all)));
    paper.code("yaml", &all.yaml);
    if let Some(then) = all.verdicts {
        let row = |which: &str, counts: VerdictCounts| {
            let cell = |count: usize| Cell::Figure(figures::count(count as u64), count as f64);
            vec![Cell::text(which), cell(counts.lost), cell(counts.degraded), cell(counts.held), cell(counts.untouched)]
        };
        paper.table(
            "Outages by verdict, under the same seeds",
            &["config", "lost", "degraded", "held", "untouched"],
            vec![row("as it is", report.verdicts), row("with all edits", then)],
        );
    }
    let mut says = Vec::new();
    if !all.still_lost.is_empty() {
        says.push(format!("Requests are still lost in: {}.", listed(&all.still_lost)));
    }
    let worse: Vec<String> =
        all.worse().map(|row| format!("{} ({}, then {})", row.row, row.before, row.after)).collect();
    if !worse.is_empty() {
        says.push(format!("Worse than with the config as it is: {}.", listed(&worse)));
    }
    if all.verdicts.is_some() {
        says.push(if all.baseline_worse.is_empty() {
            "The run in which nothing fails is no worse.".to_owned()
        } else {
            format!("When nothing fails, users are worse off who ask for: {}.", listed(&all.baseline_worse))
        });
    }
    says.extend(all.spoiling.iter().map(|one| {
        if one.models.is_empty() {
            format!("Left out: the edit of R{}, with which LiteLLM would not start beside the others.", one.risk)
        } else {
            format!(
                "Left out: the edit of R{}, which helps alone; beside the others it makes users of {} worse off when \
                 nothing fails.",
                one.risk,
                listed(&one.models)
            )
        }
    }));
    says.extend(all.left_out.iter().map(|left| {
        format!("Left out: `{}: {}`, which R{} wants; {} is set there.", left.path, left.value, left.risk, left.kept)
    }));
    if all.new_findings.is_empty() {
        says.push("`routedrill lint` has nothing to say of the edited config that it does not say today.".to_owned());
    }
    let mut rules: Vec<(&FindingReport, usize)> = Vec::new();
    for one in &all.new_findings {
        match rules.iter_mut().find(|(known, _)| known.rule == one.rule && known.remedy == one.remedy) {
            Some((_, more)) => *more += 1,
            None => rules.push((one, 0)),
        }
    }
    says.extend(rules.into_iter().map(|(one, more)| {
        let fix = if one.remedy.is_empty() { String::new() } else { format!(" Fix: {}.", one.remedy) };
        let more = if more == 0 {
            String::new()
        } else {
            format!(" The same is so in {}.", counted(more as u64, "other place"))
        };
        format!(
            "`routedrill lint` of the edited config, {} (`{}`): {}.{fix}{more}",
            one.severity, one.rule, one.message
        )
    }));
    says.push(match all.no_patch {
        None => format!("As a patch: `{PATCH}` beside this memo, for `patch -p1` where the config is."),
        Some(why) => format!("There is no patch: {why}."),
    });
    paper.list(&says);
}

/// `With all 6 edits 0 of 48 outages lose requests (13 without), ...`
pub(crate) fn sentence(report: &DrillReport, all: &TogetherReport) -> String {
    let edits = match (all.risks.len(), all.spoiling.len()) {
        (1, 0) => "the one edit".to_owned(),
        (count, 0) => format!("all {count} edits"),
        (count, spoiling) => format!("{count} of the {} edits", count + spoiling),
    };
    match all.verdicts {
        Some(then) => format!(
            "With {edits}, {} of the {} outages lose requests instead of {}, and {} are felt instead of {}.",
            then.lost,
            then.total(),
            report.verdicts.lost,
            then.degraded,
            report.verdicts.degraded
        ),
        None => format!("With {edits} LiteLLM would not start, or a run did not come to its end: try them one by one."),
    }
}
