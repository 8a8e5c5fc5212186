//! `routedrill schema`: the JSON Schemas of what is read and written.

use clap::ValueEnum;
use routedrill_reports::schema;

use super::verify;
use crate::exit::Exit;
use crate::output;

/// Print the JSON Schema of scenario files, for editors and checkers, or of what a verb prints as JSON.
///
/// In an editor with a YAML language server, begin a scenario with
/// `# yaml-language-server: $schema=schema.json` to have keys completed and explained.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Of what.
    #[arg(value_enum, default_value_t = Document::Scenario)]
    document: Document,
}

/// A document with a schema. All but the first are what `--format json` prints.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Document {
    /// Scenario files.
    Scenario,
    /// `run`, and `results.json` of `run --out`.
    Run,
    /// `drill`, and `results.json` of `drill --out`.
    Drill,
    /// `drill --against`.
    Upgrade,
    /// `check`.
    Check,
    /// `check --swarm`.
    Swarm,
    /// `capacity`, and `results.json` of `capacity --out`.
    Capacity,
    /// `tune` and `merge`, and `tune.json` of `tune --out`.
    Tune,
    /// `explain`.
    Explain,
    /// `lint`.
    Lint,
    /// `conform`.
    Conform,
    /// `verify`.
    Verify,
}

pub(crate) fn run(args: &Args) -> Exit {
    let text = match args.document {
        Document::Scenario => routedrill_sim::scenario::schema(),
        Document::Run => schema::run(),
        Document::Drill => schema::drill(),
        Document::Upgrade => schema::upgrade(),
        Document::Check => schema::check(),
        Document::Swarm => schema::swarm(),
        Document::Capacity => schema::capacity(),
        Document::Tune => schema::tune(),
        Document::Explain => schema::explain(),
        Document::Lint => include_str!("../../docs/schemas/lint.json").to_owned(),
        Document::Conform => include_str!("../../docs/schemas/conform.json").to_owned(),
        Document::Verify => verify::schema(),
    };
    match output::result(&text) {
        Ok(()) => Exit::Clean,
        Err(exit) => exit,
    }
}
