//! Residual risks: what is behind each, where in the config, and the smallest edit that a drill showed to help.

use super::paper::{Cell, Paper};
use super::sections::{figure, listed};
use crate::figures::{self, counted};
use crate::model::{DrillReport, EditReport, FeltReport, RiskReport};

pub(super) fn residual_risks(report: &DrillReport, paper: &mut dyn Paper) {
    paper.section("Residual risks");
    if report.risks.is_empty() {
        paper.text("None was found under these outages.");
        return;
    }
    let grades: Vec<String> = RiskReport::GRADES.iter().map(|(grade, means)| format!("{grade}: {means}")).collect();
    paper.text(&format!("Grades: {}.", grades.join("; ")));
    for (index, risk) in report.risks.iter().enumerate() {
        paper.heading(&format!("R{} ({}): {}", index + 1, risk.grade, risk.what.replace('`', "")));
        let mut says = vec![format!("Users of: {}", listed(&risk.models)), format!("Blame: {}", risk.setting)];
        if !risk.lines.is_empty() {
            const SHOWN: usize = 6;
            let mut lines: Vec<String> = (risk.lines.iter().take(SHOWN))
                .map(|one| match one.line {
                    Some(line) => format!("line {line} (`{}`)", one.path),
                    None => format!("`{}`, which is not written", one.path),
                })
                .collect();
            if risk.lines.len() > SHOWN {
                lines.push(format!("{} more", risk.lines.len() - SHOWN));
            }
            says.push(format!("In the config: {}", lines.join(", ")));
        }
        if !risk.rows.is_empty() {
            says.push(format!("Outages: {}", listed(&risk.rows)));
        }
        paper.list(&says);
        match &risk.edit {
            Some(edit) => proven(edit, risk, paper),
            None => match risk.change.strip_prefix("nothing in the config: ") {
                Some(why) => paper.text(&format!("No edit of the config helps: {why}.")),
                None => paper.text(&format!(
                    "No edit of this config was found that a drill shows to help. To do by hand: {}.",
                    risk.change
                )),
            },
        }
    }
}

fn proven(edit: &EditReport, risk: &RiskReport, paper: &mut dyn Paper) {
    paper.text(if edit.removed {
        "The smallest edit found that removes it:"
    } else {
        "No edit was found that removes it; the one that helps most:"
    });
    paper.code("yaml", &edit.yaml);
    let row = |which: &str, felt: &FeltReport| {
        vec![
            Cell::text(which),
            Cell::Verdict(felt.verdict.to_owned()),
            Cell::Figure(figures::percent(felt.availability_during), felt.availability_during),
            Cell::Figure(figures::percent(felt.availability_after), felt.availability_after),
            figure(felt.p99, figures::seconds),
            Cell::Figure(figures::ratio(felt.attempts), felt.attempts),
            Cell::Figure(figures::dollars(felt.cost), felt.cost),
        ]
    };
    paper.table(
        &format!("{} drilled again under the same seeds, users of {}", edit.row, edit.model),
        &["config", "verdict", "answered during", "after", "p99", "attempts per request", "cost per answer"],
        vec![row("as it is", &edit.before), row("as edited", &edit.after)],
    );
    let better = edit.others.iter().filter(|other| other.before != other.after).count();
    let mut says = "The run in which nothing fails is no worse with it.".to_owned();
    let checked = counted(edit.others.len() as u64, "other outage");
    match (edit.others.len(), better) {
        (0, _) => {}
        (_, 0) => says.push_str(&format!(" Drilled with the edit too: {checked} of this risk; no verdict changes.")),
        (_, better) => says
            .push_str(&format!(" Drilled with the edit too: {checked} of this risk, {better} better and none worse.")),
    }
    if edit.before.cost > 0.0 && edit.after.cost > edit.before.cost * 1.05 {
        says.push_str(&format!(
            " During the outage an answer then costs {} instead of {}.",
            figures::dollars(edit.after.cost),
            figures::dollars(edit.before.cost)
        ));
    }
    paper.text(&says);
    if edit.adds_deployment {
        paper.text(
            "The new deployment stands for one of yours at another provider: its model, its key and what it can carry are \
             for you to choose.",
        );
    }
    paper.text(&format!("To repeat it, run `{}` with the config as it is and as edited.", risk.replay));
}
