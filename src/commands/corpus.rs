//! Scenario files, as they are named on the command line.

use std::path::{Path, PathBuf};

use crate::exit::Exit;

/// The files themselves, and for folders what is in them, in the order of their names.
pub(super) fn scenario_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Exit> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(scenarios_in(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// The scenario files of a folder.
fn scenarios_in(folder: &Path) -> Result<Vec<PathBuf>, Exit> {
    let unreadable = |error: std::io::Error| {
        eprintln!("error: failed to read the folder {}: {error}", folder.display());
        Exit::BadInput
    };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(path);
        }
    }
    if files.is_empty() {
        eprintln!("error: no scenario files in {}: they end in .yaml", folder.display());
        return Err(Exit::BadInput);
    }
    files.sort();
    Ok(files)
}
