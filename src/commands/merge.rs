//! `routedrill merge`: the shards of a search put together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use routedrill_sim::problem::{Problem, Problems};
use routedrill_sim::search::store::{Shard, Store, Stored};

use super::tune::{Shown, Study, header};
use crate::exit::Exit;
use crate::output;

/// Put the shards of `routedrill tune --shard` together, and print what they found.
///
/// The answer has the same bytes as that of `routedrill tune --exhaustive` on one machine. The scenarios and the config
/// must lie where the shards read them.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Files that shards wrote with --resume, or folders of them.
    #[arg(required = true)]
    shards: Vec<PathBuf>,
    #[command(flatten)]
    shown: Shown,
}

pub(crate) fn run(args: &Args) -> Exit {
    merge(args).unwrap_or_else(|exit| exit)
}

fn merge(args: &Args) -> Result<Exit, Exit> {
    let refuse = |problem: Problem| output::refuse(&problem.into());
    let mut files = Vec::new();
    for path in &args.shards {
        files.extend(files_of(path).map_err(refuse)?);
    }
    let mut problems = Problems::new();
    let mut shards: Vec<(PathBuf, Shard, Stored)> = Vec::new();
    for path in files {
        match Stored::read(&path) {
            Ok(stored) => match stored.header.shard {
                Some(shard) => shards.push((path, shard, stored)),
                None => {
                    let remedy = "it has everything already: give it to `routedrill tune --resume`";
                    problems.push(Problem::of_file(&shown(&path), "this store is no shard", remedy));
                }
            },
            Err(problem) => problems.push(problem),
        }
    }
    let Some((first, Shard { of, .. }, stored)) = shards.first() else {
        return Err(output::refuse(&problems));
    };
    let study: Study = serde_json::from_value(stored.header.study.clone()).map_err(|error| {
        refuse(Problem::of_file(&shown(first), format!("it says of no search that this program knows: {error}"), ""))
    })?;
    for (path, shard, other) in &shards[1..] {
        if other.header.study != stored.header.study || shard.of != *of {
            let message = format!("this is a shard of another search than {}", shown(first));
            problems.push(Problem::of_file(&shown(path), message, "merge shards of one command line"));
        }
    }
    for index in 1..=*of {
        let same: Vec<String> =
            shards.iter().filter(|(_, shard, _)| shard.index == index).map(|(path, ..)| shown(path)).collect();
        let shard = Shard { index, of: *of };
        if same.is_empty() {
            let remedy = format!("run it: routedrill tune ... --shard {shard} --resume FILE");
            problems.push(Problem::of_file("merge", format!("shard {shard} is missing"), remedy));
        } else if same.len() > 1 {
            let message = format!("shard {shard} is there {} times: {}", same.len(), same.join(", "));
            problems.push(Problem::of_file("merge", message, "give each shard once"));
        }
    }
    if !problems.is_empty() {
        return Err(output::refuse(&problems));
    }
    let ready = study.ready()?;
    for (path, shard, stored) in &shards {
        let wanted = header(ready.corpus(), Some(*shard), &study)?;
        if let Err(problem) = stored.fits(path, &wanted) {
            problems.push(problem);
        }
    }
    if !problems.is_empty() {
        return Err(output::refuse(&problems));
    }
    let records: BTreeMap<_, _> = shards.into_iter().flat_map(|(.., stored)| stored.records).collect();
    ready.answer(&Store::of(records), true, &args.shown)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The stores of a folder, in the order of their names; a file is itself.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, Problem> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |error: &std::io::Error| {
        Problem::of_file(&shown(path), format!("failed to read the folder: {error}"), "check the path")
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| unreadable(&error))? {
        let file = entry.map_err(|error| unreadable(&error))?.path();
        if file.extension().is_some_and(|extension| extension == "store") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Problem::of_file(&shown(path), "no shards in this folder", "their names end in .store"));
    }
    Ok(files)
}
