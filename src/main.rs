//! Outage drills for LLM routers: the command line and nothing else.

mod cli;
mod commands;
mod exit;
mod output;
mod progress;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run().into()
}
