//! One run for continuous integration: as JUnit XML, as annotations of GitHub Actions, and as Markdown for its step
//! summary.

use super::aftermath;
use super::ci::{self, Annotation, Level, Summary};
use super::junit::{Outcome, Suite};
use super::laws;
use crate::figures::{self, DASH};
use crate::model::{BrokenLawReport, ExpectationReport, RunReport};
use crate::table::Align;

/// A law that was broken, in a sentence.
fn of_law(law: &BrokenLawReport) -> String {
    let place = laws::place(law.request.as_ref(), law.deployment.as_ref(), law.at);
    format!("law {} broken: {place}: {}", law.law, law.what)
}

/// What was promised, what was seen, and what that makes.
fn of_promise(one: &ExpectationReport) -> String {
    match one.seen.as_str() {
        "seen" => format!("{}: {}", one.verdict(), one.promise),
        seen => format!("{}: {}, seen {seen}", one.verdict(), one.promise),
    }
}

/// What is not as it should be: a name for it, and a sentence.
fn complaints(report: &RunReport) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> = Vec::new();
    list.extend(report.cut_short.iter().map(|why| ("the whole run".to_owned(), format!("cut short: {why}"))));
    let laws = report.broken_laws.iter().filter(|law| law.waived.is_none());
    list.extend(laws.map(|law| (format!("law {}", law.law), of_law(law))));
    let broken = report.expectations.iter().filter(|one| !one.is_as_expected());
    list.extend(broken.map(|one| (format!("promise {}", one.key), of_promise(one))));
    list.extend(report.idle_faults().map(|fault| {
        (format!("fault {}", fault.label), "never fired: it struck no call, so that the run shows nothing".to_owned())
    }));
    list
}

/// The command that runs it again.
fn replay(path: &str, report: &RunReport) -> String {
    let supposed = match report.what_if.as_slice() {
        [] => String::new(),
        what_if => format!(" --what-if '{}'", what_if.join(",")),
    };
    format!("routedrill run {path} --seed {}{supposed}", report.seed)
}

/// The scenario's name, and what is not LiteLLM about the run.
fn title(report: &RunReport) -> String {
    match report.what_if.as_slice() {
        [] => report.scenario.clone(),
        what_if => format!("{} (NOT LITELLM: {})", report.scenario, what_if.join(", ")),
    }
}

/// As JUnit XML: a case for each promise, one for each fault, which has to strike something, one for the laws of the
/// router, and one for the run as a whole. `path` is the scenario's file.
pub fn run_junit(report: &RunReport, path: &str) -> String {
    let mut suite = Suite::new(&format!("routedrill run: {}, seed {}", title(report), report.seed));
    let replay = format!("replay: {}", replay(path, report));
    let whole = match &report.cut_short {
        None => Outcome::Seen(format!(
            "{}, {} answered; verdict: {}; digest {}",
            figures::counted(report.requests.total, "request"),
            report.requests.availability.map_or_else(|| DASH.to_owned(), figures::percent),
            aftermath::word(report),
            report.digest
        )),
        Some(why) => Outcome::Error(format!("cut short: {why}"), replay.clone()),
    };
    suite.case(path, "the whole run", whole);
    let broken: Vec<String> = report.broken_laws.iter().filter(|law| law.waived.is_none()).map(of_law).collect();
    let laws = match broken.first() {
        None => Outcome::Passed,
        Some(first) => Outcome::Failed(first.clone(), format!("{}\n{replay}", broken.join("\n"))),
    };
    suite.case(path, "laws of the router", laws);
    for one in &report.expectations {
        let told = of_promise(one);
        let outcome = if one.is_as_expected() {
            Outcome::Seen(told)
        } else {
            let losses = report.losses.iter().map(|loss| {
                let lost = figures::counted(loss.count, "request");
                let due = figures::seconds(loss.due);
                format!("{lost} for {}: {}; the first: request {}, due at {due}", loss.model, loss.how, loss.example)
            });
            let all: Vec<String> = std::iter::once(told.clone()).chain(losses).chain([replay.clone()]).collect();
            Outcome::Failed(told, all.join("\n"))
        };
        suite.case(path, format!("promise {}: {}", one.key, one.promise), outcome);
    }
    for fault in &report.faults {
        let outcome = match fault.struck {
            0 => Outcome::Failed("never fired: it struck no call".to_owned(), replay.clone()),
            struck => Outcome::Seen(format!("struck {}", figures::counted(struck, "call"))),
        };
        let name = format!("fault {} at {}", fault.label, figures::seconds(fault.from));
        suite.case(path, name, outcome);
    }
    suite.print()
}

/// As annotations of GitHub Actions: one for each thing that is not as it should be.
pub fn run_github(report: &RunReport, path: &str) -> String {
    let annotation = |(name, what): (String, String)| Annotation {
        level: Level::Error,
        file: path.to_owned(),
        at: None,
        title: format!("{}, seed {}: {name}", title(report), report.seed),
        text: format!("{what}\nreplay: {}", replay(path, report)),
    };
    ci::annotations(&complaints(report).into_iter().map(annotation).collect::<Vec<_>>())
}

/// As Markdown for a step summary: the verdict, the promises, what users got, and why requests were lost.
pub fn run_markdown(report: &RunReport, path: &str) -> String {
    const ROWS_MAX: usize = 200;
    let mut summary = Summary::default();
    let answered = report.requests.availability.map_or_else(|| DASH.to_owned(), figures::percent);
    summary.text(&format!(
        "## {}: {}\n\nLiteLLM {}, seed {}: {answered} of {} answered. Verdict: **{}**.\n",
        ci::cell(&title(report)),
        if report.is_clean() { "as it should be" } else { "not as it should be" },
        report.litellm,
        report.seed,
        figures::counted(report.requests.total, "request"),
        aftermath::word(report),
    ));
    let complaints = complaints(report).into_iter().map(|(name, what)| vec![name, what]);
    summary.table(&[("wrong", Align::Left), ("how", Align::Left)], complaints, ROWS_MAX, "more complaint");
    let columns = [("promise", Align::Left), ("verdict", Align::Left), ("seen", Align::Left)];
    let promises = report.expectations.iter();
    let promises = promises.map(|one| vec![one.promise.clone(), one.verdict().to_owned(), one.seen.clone()]);
    summary.table(&columns, promises, ROWS_MAX, "more promise");
    let figure = |title| (title, Align::Right);
    let columns = [("asked for", Align::Left)].into_iter();
    let columns: Vec<_> = columns.chain(["requests", "answered", "by fallback", "p50", "p99"].map(figure)).collect();
    let share = |value: Option<f64>| value.map_or_else(|| DASH.to_owned(), figures::percent);
    let asked = report.asked.iter().map(|one| {
        let latency = |of: fn(&crate::model::Latencies) -> f64| {
            one.latency.as_ref().map_or_else(|| DASH.to_owned(), |all| figures::seconds(of(all)))
        };
        let (p50, p99) = (latency(|all| all.p50), latency(|all| all.p99));
        vec![one.model.clone(), figures::count(one.total), share(one.availability), share(one.fallback_rate), p50, p99]
    });
    summary.table(&columns, asked, ROWS_MAX, "more name");
    let columns = [figure("lost"), ("asked for", Align::Left), ("why", Align::Left)];
    let losses = report.losses.iter();
    let losses = losses.map(|loss| vec![figures::count(loss.count), loss.model.clone(), loss.how.clone()]);
    summary.table(&columns, losses, ROWS_MAX, "more reason");
    summary.text(&format!("\n`{}`, digest `{}`\n", replay(path, report), report.digest));
    summary.finish()
}
