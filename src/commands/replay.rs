//! `routedrill replay`: a recorded run again, step by step.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use routedrill_reports::figures::{self, count, counted};
use routedrill_sim::problem::Problem;
use routedrill_sim::record::{self, Difference, Line, Recording, Replayed};
use routedrill_sim::scenario::{self, Scenario};
use router_core::Time;

use super::script::{self, Script};
use crate::exit::Exit;
use crate::output;

/// Run a recording again and compare each step; a scenario is run twice and compared with itself.
///
/// The exit code is 1 when this routedrill does not do what was recorded; the first step that differs is shown. It is 2 when
/// the recording breaks off, was changed after it was written, or is of a newer format.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A recording made by `run --record`, or a scenario.
    file: PathBuf,
    /// The seed of a scenario. Default: the scenario's. A recording has one seed.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Print the scenario within the recording, with its config, and do not run it.
    #[arg(long)]
    scenario: bool,
}

pub(crate) fn run(args: &Args) -> Exit {
    replay(args).unwrap_or_else(|exit| exit)
}

fn replay(args: &Args) -> Result<Exit, Exit> {
    let (recording, scenario) = match script::read(&args.file, args.seed)? {
        Script::Recording(recording, scenario) => (recording, scenario),
        Script::Scenario(scenario) => recorded_now(&args.file, &scenario)?,
    };
    if args.scenario {
        output::result(&recording.scenario)?;
        return Ok(Exit::Clean);
    }
    if let Some(seed) = args.seed.filter(|seed| *seed != recording.seed) {
        let message = format!("this recording is of seed {}, not of seed {seed}", recording.seed);
        let remedy = "leave out --seed; `--scenario` prints the scenario within, which runs under any seed";
        let problem = Problem::of_file(&args.file.display().to_string(), message, remedy);
        return Err(output::refuse(&problem.into()));
    }
    let replayed = record::replay(&recording, &scenario);
    let agrees = replayed.difference.is_none() && replayed.digest == recording.digest;
    output::result(&text(&recording, &scenario, &replayed))?;
    if !recording.sealed {
        let message = match &replayed.difference {
            Some(_) => "this recording was changed after it was written, so the difference may be in the file alone",
            None => "this recording was changed after it was written, although its steps agree",
        };
        let problem = Problem::of_file(&args.file.display().to_string(), message, "record the run again");
        return Err(output::refuse(&problem.into()));
    }
    Ok(if agrees { Exit::Clean } else { Exit::Found })
}

/// A recording of a scenario, made here and now.
fn recorded_now(path: &Path, scenario: &Scenario) -> Result<(Recording, Scenario), Exit> {
    let text = scenario::standing_alone(scenario).map_err(|problems| output::refuse(&problems))?;
    let alone = script::alone(path, &text).map_err(|problems| output::refuse(&problems))?;
    let (file, _) = record::record(scenario, &text);
    let recording = record::parse(&path.display().to_string(), file).map_err(|problems| output::refuse(&problems))?;
    Ok((recording, alone))
}

fn text(recording: &Recording, scenario: &Scenario, replayed: &Replayed) -> String {
    let mut text = String::new();
    let Recording { made_by, litellm, seed, .. } = recording;
    let steps = counted(recording.steps.len() as u64, "step");
    let head = format!("{}, seed {seed}: recorded by routedrill {made_by}, LiteLLM {litellm}, {steps}", scenario.name);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{head}");
    match &replayed.difference {
        None => {
            let _ = writeln!(text, "every step is as recorded");
        }
        Some(difference) => different(&mut text, replayed, difference),
    }
    let same = if replayed.digest == recording.digest {
        "as recorded".to_owned()
    } else {
        format!("recorded was {}", recording.digest)
    };
    let _ = writeln!(text, "digest {}, {same}", replayed.digest);
    text
}

fn different(text: &mut String, replayed: &Replayed, difference: &Difference) {
    let number = count(replayed.agreed as u64 + 1);
    let what = what_differs(difference);
    let _ = writeln!(text, "step {number} is the first that differs: {what}");
    let actor = |line: &Line| replayed.names.get(line.actor as usize).map_or("an unknown actor", String::as_str);
    let shown = |line: &Option<Line>| match line {
        Some(line) => format!("{} {} {}", Time::from_nanos(line.at), actor(line), line.words),
        None => "nothing: the run is over".to_owned(),
    };
    let _ = writeln!(text, "  recorded  {}", shown(&difference.recorded));
    let _ = writeln!(text, "  now       {}", shown(&difference.now));
    if let Some(in_full) = &difference.now_in_full {
        let _ = writeln!(text, "  in full   {in_full}");
    }
    let _ = writeln!(text, "{} before it agree", counted(replayed.agreed as u64, "step"));
}

/// Which part of a step is not as recorded, in words.
fn what_differs(difference: &Difference) -> String {
    let (Some(recorded), Some(now)) = (&difference.recorded, &difference.now) else {
        return match difference.recorded {
            Some(_) => "the run is over sooner".to_owned(),
            None => "the run goes on longer".to_owned(),
        };
    };
    let event = |line: &Line| line.words.split(" | ").next().map(str::to_owned);
    if recorded.at != now.at {
        let (earlier, later) = (recorded.at.min(now.at), recorded.at.max(now.at));
        let by = Time::from_nanos(later).since(Time::from_nanos(earlier));
        let direction = if now.at < recorded.at { "earlier" } else { "later" };
        return format!("it comes {} {direction}", figures::span(by));
    }
    if recorded.actor != now.actor {
        return "it is another actor's".to_owned();
    }
    if event(recorded) != event(now) {
        return "something else reaches the actor".to_owned();
    }
    if recorded.words != now.words {
        return "the actor does something else".to_owned();
    }
    "the words agree, the figures or the draws behind them do not".to_owned()
}
