//! The command line as typed.

use clap::{Parser, Subcommand};

use crate::commands;
use crate::exit::Exit;

/// Outage drills for LLM routers: rehearse every outage that a LiteLLM config could meet.
#[derive(Parser, Debug)]
#[command(name = "routedrill", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// One variant per verb, in the order in which `--help` lists them.
#[derive(Subcommand, Debug)]
enum Verb {
    Drill(Box<commands::drill::Args>),
    Verify(commands::verify::Args),
    Lint(commands::lint::Args),
    Check(commands::check::Args),
    Capacity(Box<commands::capacity::Args>),
    Conform(commands::conform::Args),
    Run(commands::run::Args),
    Explain(commands::explain::Args),
    Replay(commands::replay::Args),
    Shrink(commands::shrink::Args),
    Tune(Box<commands::tune::Args>),
    Merge(commands::merge::Args),
    Schema(commands::schema::Args),
}

/// Reads the command line and does what it says. A command line that makes no sense is bad input (2).
pub(crate) fn run() -> Exit {
    match Cli::parse().verb {
        Some(verb) => match verb {
            Verb::Drill(args) => commands::drill::run(&args),
            Verb::Verify(args) => commands::verify::run(&args),
            Verb::Lint(args) => commands::lint::run(&args),
            Verb::Check(args) => commands::check::run(&args),
            Verb::Capacity(args) => commands::capacity::run(&args),
            Verb::Conform(args) => commands::conform::run(&args),
            Verb::Run(args) => commands::run::run(&args),
            Verb::Explain(args) => commands::explain::run(&args),
            Verb::Replay(args) => commands::replay::run(&args),
            Verb::Shrink(args) => commands::shrink::run(&args),
            Verb::Tune(args) => commands::tune::run(&args),
            Verb::Merge(args) => commands::merge::run(&args),
            Verb::Schema(args) => commands::schema::run(&args),
        },
        None => Exit::BadInput,
    }
}
