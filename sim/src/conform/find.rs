//! Where the recordings are.

use std::path::{Path, PathBuf};

use crate::problem::Problem;

/// Every recording that the paths name: a file is one whatever its name; of a folder, every `*.json` in it and in the
/// folders below. Sorted, each once.
///
/// # Errors
/// A path that cannot be read, or a folder without any recording: silence would look like agreement.
pub fn recordings_in(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = found.len();
            walk(path, &mut found)?;
            if found.len() == before {
                let name = path.display().to_string();
                return Err(Problem::of_file(&name, "no recording in this folder", "recordings are named *.json"));
            }
        } else {
            found.push(path.clone());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let unreadable = |error: std::io::Error| {
        Problem::of_file(&folder.display().to_string(), format!("cannot be read: {error}"), "check the path")
    };
    for entry in folder.read_dir().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        // A link to a folder may lead back up; a link to a file is the file.
        if entry.file_type().map_err(unreadable)?.is_dir() {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    Ok(())
}
