//! `routedrill explain`: the story of one request.

use std::path::PathBuf;

use clap::ValueEnum;
use routedrill_reports::model::StoryReport;
use routedrill_reports::print;
use routedrill_sim::drill::labels;
use routedrill_sim::problem::did_you_mean;
use routedrill_sim::scenario::Scenario;
use routedrill_sim::story::{self, Candidates, Telling};
use router_core::{DeploymentId, RequestId, WhatIf};

use crate::exit::Exit;
use crate::output;

use super::{parse, script};

/// Tell the story of one request: who could be called and who was chosen, what came back, what was waited for, and why.
///
/// Times are virtual. The exit code says nothing about the request: a story of a lost request is a story.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A scenario, or a recording made by `run --record`.
    file: PathBuf,
    /// Which request: its number (`17`, `2:17` for those of the third client), or the `worst` one (it kept its user waiting
    /// longest; lost ones first), the first that was `lost` in the most frequent way, the `slowest` that was answered, the
    /// `busiest` with the most calls.
    #[arg(long, value_name = "R", value_parser = telling, default_value = "worst")]
    request: Telling,
    /// The seed. Default: that of the file.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Policies that LiteLLM does not have, to see what they would buy: `retry-budget=0.2`, `cooldown-jitter=50%`,
    /// `half-open`, `wait-for-cooldown=5s`, `hedge=2s`; several with commas, or repeated. `routedrill schema` explains them.
    #[arg(long, value_name = "POLICY", value_delimiter = ',', value_parser = parse::what_if)]
    what_if: Vec<WhatIf>,
    /// Say why this deployment did not answer: its short name in reports, or its id.
    #[arg(long, value_name = "DEPLOYMENT")]
    why_not: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Format {
    Text,
    Json,
}

fn telling(text: &str) -> Result<Telling, String> {
    match text {
        "worst" => return Ok(Telling::Worst),
        "lost" => return Ok(Telling::Lost),
        "slowest" => return Ok(Telling::Slowest),
        "busiest" => return Ok(Telling::Busiest),
        _ => {}
    }
    request_number(text)
        .map(Telling::One)
        .ok_or_else(|| "expected the number of a request (`17`, `2:17`), or worst, lost, slowest or busiest".to_owned())
}

/// A request as it is displayed: `17`, `2:17`.
pub(super) fn request_number(text: &str) -> Option<RequestId> {
    let (source, number) = text.split_once(':').unwrap_or(("0", text));
    Some(RequestId::new(source.parse().ok()?, number.parse().ok()?))
}

pub(crate) fn run(args: &Args) -> Exit {
    explain(args).unwrap_or_else(|exit| exit)
}

fn explain(args: &Args) -> Result<Exit, Exit> {
    let mut scenario = script::load(&args.file, args.seed)?;
    scenario.suppose(parse::together(&args.what_if));
    let deployment = args.why_not.as_deref().map(|name| deployment(&scenario, name)).transpose()?;
    let request = request(&scenario, args.request)?;
    let (story, end) = story::tell(&scenario, scenario.seed, request);
    let Some(story) = story else {
        eprintln!("error: request {request} is in one run of the scenario and not in the next: a bug of routedrill");
        return Err(Exit::Unfinished);
    };
    let mut report = StoryReport::new(&scenario, scenario.seed, &story, &end);
    if let Some(deployment) = deployment {
        report = report.with_why_not(&scenario, &story, deployment);
    }
    output::result(&match args.format {
        Format::Text => print::story_text(&report),
        Format::Json => print::json(&report),
    })?;
    Ok(Exit::Clean)
}

/// The request that is meant, or a word on those that there are.
fn request(scenario: &Scenario, telling: Telling) -> Result<RequestId, Exit> {
    let candidates = Candidates::of(scenario, scenario.seed);
    candidates.find(telling).ok_or_else(|| {
        let known: Vec<String> = (candidates.known().iter())
            .map(|(source, first, last)| {
                let model = &scenario.traffic[*source as usize].model;
                format!("{first} to {last} for {}", scenario.plan.name(*model))
            })
            .collect();
        let seed = scenario.seed;
        match telling {
            _ if known.is_empty() => eprintln!("error: nobody asked for anything under seed {seed}"),
            Telling::One(request) => eprintln!(
                "error: no request {request} under seed {seed}\nhelp: there are {}",
                known.join(" and ")
            ),
            Telling::Lost => eprintln!(
                "error: no request was lost under seed {seed}\nhelp: `--request slowest` tells the one that took longest"
            ),
            _ => eprintln!("error: no request was answered under seed {seed}\nhelp: `--request lost` tells a lost one"),
        }
        Exit::BadInput
    })
}

/// The deployment of that name, or a word on those that there are.
fn deployment(scenario: &Scenario, name: &str) -> Result<DeploymentId, Exit> {
    let labels = labels::of_plan(&scenario.plan);
    let by_label = labels.iter().position(|label| label == name).map(|index| DeploymentId(index as u32));
    by_label.or_else(|| scenario.plan.deployment_id(name)).ok_or_else(|| {
        let near = did_you_mean(name, labels.iter().map(String::as_str));
        let help = near.map_or_else(
            || format!("there are {}", labels.join(", ")),
            |near| format!("did you mean `{near}`? There are {}", labels.join(", ")),
        );
        eprintln!("error: no deployment is called `{name}`\nhelp: {help}");
        Exit::BadInput
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_number_a_client_and_a_number_or_a_word() {
        assert_eq!(telling("17"), Ok(Telling::One(RequestId::new(0, 17))));
        assert_eq!(telling("2:17"), Ok(Telling::One(RequestId::new(2, 17))));
        assert_eq!(telling("slowest"), Ok(Telling::Slowest));
        assert!(["", "x", "1:", ":1", "-1", "1:2:3"].into_iter().all(|text| telling(text).is_err()));
    }
}
