//! Output folders that are there completely or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A folder that is being filled under another name. Nothing appears under its own name before [`Folder::publish`].
#[derive(Debug)]
pub struct Folder {
    wanted: PathBuf,
    draft: PathBuf,
    published: bool,
}

/// An output that could not be written.
#[derive(Debug, Error)]
#[error("failed to write {}: {source}", path.display())]
pub struct WriteError {
    /// What could not be written.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl WriteError {
    fn new(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

impl Folder {
    /// Begins a folder that is to appear at `wanted`. Folders above it are created.
    ///
    /// # Errors
    /// When `wanted` is there and no folder, or nothing can be written beside it.
    pub fn begin(wanted: &Path) -> Result<Self, WriteError> {
        let fail = |source| WriteError::new(wanted, source);
        if wanted.exists() && !wanted.is_dir() {
            return Err(fail(io::Error::new(io::ErrorKind::NotADirectory, "it is there and is not a folder")));
        }
        let name = wanted.file_name().map_or_else(|| "out".into(), std::ffi::OsStr::to_os_string);
        let parent = match wanted.parent() {
            _ if wanted.file_name().is_none() => wanted,
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(fail)?;
        let mut draft_name = std::ffi::OsString::from(".");
        draft_name.push(name);
        draft_name.push(format!(".{}.partial", std::process::id()));
        let draft = parent.join(draft_name);
        fs::create_dir(&draft).map_err(fail)?;
        Ok(Self { wanted: wanted.to_owned(), draft, published: false })
    }

    /// Where its files are before they are published: a folder beside the wanted one, so that relative paths are the
    /// same from both.
    pub fn draft(&self) -> &Path {
        &self.draft
    }

    /// Begins a file of it.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn file(&self, name: &str) -> Result<OutFile, WriteError> {
        let path = self.draft.join(name);
        let file = File::create(&path).map_err(|source| WriteError::new(&self.wanted.join(name), source))?;
        Ok(OutFile { shown: self.wanted.join(name), inner: BufWriter::new(file) })
    }

    /// Writes a whole file of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), WriteError> {
        let mut file = self.file(name)?;
        file.inner.write_all(content).map_err(|source| WriteError::new(&file.shown, source))?;
        file.finish()
    }

    /// Makes everything that was written appear under the folder's own name. What is already there under other names
    /// stays; files of the same names are replaced, each at once.
    ///
    /// # Errors
    /// When something cannot be put into its place.
    pub fn publish(mut self) -> Result<(), WriteError> {
        let fail = |source| WriteError::new(&self.wanted, source);
        if self.wanted.exists() {
            let entries: Result<Vec<_>, _> = fs::read_dir(&self.draft).map_err(fail)?.collect();
            for entry in entries.map_err(fail)? {
                let place = self.wanted.join(entry.file_name());
                fs::rename(entry.path(), &place).map_err(|source| WriteError::new(&place, source))?;
            }
            fs::remove_dir(&self.draft).map_err(fail)?;
        } else {
            fs::rename(&self.draft, &self.wanted).map_err(fail)?;
        }
        self.published = true;
        Ok(())
    }
}

/// Writes a file that is there completely or not at all. One of that name is replaced at once.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(wanted: &Path, content: &[u8]) -> Result<(), WriteError> {
    let fail = |source| WriteError::new(wanted, source);
    let Some(name) = wanted.file_name().filter(|_| !wanted.is_dir()) else {
        return Err(fail(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")));
    };
    let mut draft = std::ffi::OsString::from(".");
    draft.push(name);
    draft.push(format!(".{}.partial", std::process::id()));
    let draft = wanted.with_file_name(draft);
    let write = |mut file: File| {
        // What only its owner may read stays so.
        if let Ok(replaced) = fs::metadata(wanted) {
            file.set_permissions(replaced.permissions())?;
        }
        file.write_all(content)
    };
    let written = File::create(&draft).and_then(write).and_then(|()| fs::rename(&draft, wanted));
    if written.is_err() {
        // The error that led here is being reported; a draft that cannot be removed adds nothing to it.
        let _ = fs::remove_file(&draft);
    }
    written.map_err(fail)
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.published {
            // The error that led here is being reported; a draft that cannot be removed adds nothing to it.
            let _ = fs::remove_dir_all(&self.draft);
        }
    }
}

/// A file of a [`Folder`].
#[derive(Debug)]
pub struct OutFile {
    shown: PathBuf,
    inner: BufWriter<File>,
}

impl OutFile {
    /// Completes the file.
    ///
    /// # Errors
    /// When what is left of it cannot be written.
    pub fn finish(mut self) -> Result<(), WriteError> {
        self.inner.flush().map_err(|source| WriteError::new(&self.shown, source))
    }

    /// An error as one about this file.
    pub fn error(&self, source: io::Error) -> WriteError {
        WriteError::new(&self.shown, source)
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_is_there_before_everything_is() {
        let root = tempfile::tempdir().unwrap();
        let wanted = root.path().join("a/b");
        let folder = Folder::begin(&wanted).unwrap();
        folder.write("x.txt", b"x").unwrap();
        assert!(!wanted.exists());
        folder.publish().unwrap();
        assert_eq!(names(&wanted), ["x.txt"]);
        assert_eq!(names(wanted.parent().unwrap()), ["b"]);
    }

    #[test]
    fn a_folder_that_is_given_up_leaves_nothing_behind() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::begin(&root.path().join("out")).unwrap();
        folder.write("x.txt", b"x").unwrap();
        drop(folder);
        assert!(names(root.path()).is_empty());
    }

    #[test]
    fn other_files_of_an_existing_folder_stay() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("mine"), "mine").unwrap();
        fs::write(root.path().join("x.txt"), "old").unwrap();
        let folder = Folder::begin(root.path()).unwrap();
        folder.write("x.txt", b"new").unwrap();
        folder.publish().unwrap();
        assert_eq!(names(root.path()), ["mine", "x.txt"]);
        assert_eq!(fs::read_to_string(root.path().join("x.txt")).unwrap(), "new");
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let wanted = root.path().join("file");
        fs::write(&wanted, "").unwrap();
        let error = Folder::begin(&wanted).unwrap_err();
        assert!(error.to_string().ends_with("it is there and is not a folder"), "{error}");
    }
}
