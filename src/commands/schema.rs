//! `routedrill schema`: the JSON Schema of scenario files.

use crate::exit::Exit;
use crate::output;

/// Print the JSON Schema of scenario files, for editors and checkers.
///
/// In an editor with a YAML language server, begin a scenario with
/// `# yaml-language-server: $schema=schema.json` to have keys completed and explained.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Exit {
    match output::result(&routedrill_sim::scenario::schema()) {
        Ok(()) => Exit::Clean,
        Err(exit) => exit,
    }
}
