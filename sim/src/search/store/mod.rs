//! What runs brought to light, kept in a file that survives being killed at any moment.
//!
//! A store is a file of records that is only ever added to. Each record carries its length and a checksum, so the torn
//! end that a kill leaves behind is found and cut off, and everything before it counts. A record is found by its key,
//! which is a hash of everything that decides about its content: nothing is counted twice, and nothing that was made of
//! another input is taken for this one.

mod record;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use xxhash_rust::xxh3::Xxh3;

use crate::problem::Problem;

/// The first bytes of every store. The number is that of the format.
const MAGIC: &[u8] = b"routedrill results 1\n";

/// The largest store that is read. Records are kept in memory.
const STORE_BYTES_MAX: u64 = 8 << 30;

/// What a store was made from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// The program that runs: its version, and a hash of it.
    pub program: String,
    /// A hash of the config.
    pub config: String,
    /// Which part of a search it holds; `None`: all of it.
    pub shard: Option<Shard>,
    /// What is searched, for whoever puts shards together.
    pub study: Json,
}

/// One of several parts of a search.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Shard {
    /// Which one, from 1.
    pub index: u64,
    /// Of how many.
    pub of: u64,
}

/// A hash of everything that decides about a record's content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key(pub u128);

/// Makes a [`Key`] of parts, each set apart from the next.
#[derive(Clone, Default)]
pub struct KeyMaker(Xxh3);

/// Records to look up, and perhaps a file to add to.
#[derive(Debug)]
pub struct Store {
    records: BTreeMap<Key, Box<[u8]>>,
    file: Option<Mutex<Appender>>,
    torn_bytes: u64,
}

/// A store as it was found.
#[derive(Debug)]
pub struct Stored {
    /// What it was made from.
    pub header: Header,
    /// Its whole records.
    pub records: BTreeMap<Key, Box<[u8]>>,
    /// So many bytes at its end are no whole record.
    pub torn_bytes: u64,
}

#[derive(Debug)]
struct Appender {
    path: PathBuf,
    file: File,
    /// Nothing is added after a failed write: it would stand behind a torn record and be lost with it.
    failed: Option<String>,
}

impl KeyMaker {
    /// Adds a part.
    #[must_use]
    pub fn with(mut self, part: &[u8]) -> Self {
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    /// The key of all parts so far.
    pub fn key(&self) -> Key {
        Key(self.0.digest128())
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl Stored {
    /// Reads a store without changing it.
    ///
    /// # Errors
    /// It cannot be read, or is no store.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let name = path.display().to_string();
        let bytes = crate::source::bytes(path, STORE_BYTES_MAX)?;
        let no_store = || {
            let remedy = "name a file that routedrill wrote with --resume, or one that is not there yet";
            Problem::of_file(&name, "this is no store of results", remedy)
        };
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(no_store)?;
        let mut reader = record::Reader::new(rest);
        let header = reader.next().and_then(|header| serde_json::from_slice(header).ok()).ok_or_else(no_store)?;
        let mut records = BTreeMap::new();
        let mut whole = reader.read();
        while let Some(payload) = reader.next() {
            let Some((key, value)) = payload.split_first_chunk::<16>() else { break };
            records.entry(Key(u128::from_le_bytes(*key))).or_insert_with(|| value.into());
            whole = reader.read();
        }
        Ok(Self { header, records, torn_bytes: (rest.len() - whole) as u64 })
    }

    /// Whether it can be gone on with by this program for this config.
    ///
    /// # Errors
    /// What differs.
    pub fn fits(&self, path: &Path, wanted: &Header) -> Result<(), Problem> {
        let name = path.display().to_string();
        let Header { program, config, shard, .. } = &self.header;
        let shown =
            |shard: &Option<Shard>| shard.map_or_else(|| "all of a search".to_owned(), |s| format!("shard {s}"));
        let message = if *program != wanted.program {
            format!("these results were written by routedrill {program}, and this is {}", wanted.program)
        } else if *config != wanted.config {
            "these results are of another config, or of an older version of this one".to_owned()
        } else if *shard != wanted.shard {
            format!("this store holds {}, and {} is asked for", shown(shard), shown(&wanted.shard))
        } else {
            return Ok(());
        };
        Err(Problem::of_file(&name, message, "name another file for these results; this one stays as it is"))
    }
}

impl Store {
    /// Nothing to look up, and no file.
    pub fn none() -> Self {
        Self::of(BTreeMap::new())
    }

    /// Records to look up, and no file.
    pub fn of(records: BTreeMap<Key, Box<[u8]>>) -> Self {
        Self { records, file: None, torn_bytes: 0 }
    }

    /// Goes on with a store, or begins one where no file is. A torn record at its end is cut off.
    ///
    /// # Errors
    /// The file is no store, belongs to another program or config, is in use, or cannot be written. It is then as it was.
    pub fn open(path: &Path, header: &Header) -> Result<Self, Problem> {
        let unwritable = |error: &io::Error| {
            let message = format!("the results cannot be kept here: {error}");
            Problem::of_file(&path.display().to_string(), message, "name a file in a folder that can be written to")
        };
        if !path.try_exists().map_err(|error| unwritable(&error))? {
            create(path, header).map_err(|error| unwritable(&error))?;
        }
        // Judged before it is opened for writing, so that a file that is something else is not touched.
        Stored::read(path)?.fits(path, header)?;
        let file = OpenOptions::new().append(true).open(path).map_err(|error| unwritable(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = "another routedrill is writing to this store";
                let remedy = "wait for it to end, or name another file";
                return Err(Problem::of_file(&path.display().to_string(), message, remedy));
            }
            // Some network file systems know no locks; the store is then as safe as its user is careful.
            Err(TryLockError::Error(_)) => {}
        }
        // Read again: until the lock was held, another process may have added to it.
        let stored = Stored::read(path)?;
        if stored.torn_bytes > 0 {
            let length = file.metadata().map_err(|error| unwritable(&error))?.len();
            file.set_len(length - stored.torn_bytes).map_err(|error| unwritable(&error))?;
        }
        let appender = Appender { path: path.to_owned(), file, failed: None };
        Ok(Self { records: stored.records, file: Some(Mutex::new(appender)), torn_bytes: stored.torn_bytes })
    }

    /// What is kept under a key from before this process.
    pub fn get(&self, key: Key) -> Option<&[u8]> {
        self.records.get(&key).map(|value| &**value)
    }

    /// How many records there were before this process.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// So many bytes of a torn record were cut off when it was opened.
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Adds a record. What was added is safe from the end of this process, however it comes.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put(&self, key: Key, value: &[u8]) -> Result<(), Problem> {
        let Some(file) = &self.file else { return Ok(()) };
        let record = record::write(&[&key.0.to_le_bytes(), value]);
        let mut appender = file.lock().unwrap_or_else(PoisonError::into_inner);
        if appender.failed.is_none() {
            appender.failed = appender.file.write_all(&record).err().map(|error| error.to_string());
        }
        // After a record that was torn nothing can be added, and what tore it stays the reason.
        let Some(why) = &appender.failed else { return Ok(()) };
        let message = format!("the results cannot be kept any longer: {why}");
        let remedy = "make room, and go on with the same --resume";
        Err(Problem::of_file(&appender.path.display().to_string(), message, remedy))
    }
}

/// Begins a store: its header appears at once, or not at all.
fn create(path: &Path, header: &Header) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.partial", std::process::id()));
    let mut bytes = MAGIC.to_vec();
    bytes.extend(record::write(&[&serde_json::to_vec(header)?]));
    let written = fs::write(&draft, bytes).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&draft);
    }
    written
}

#[cfg(test)]
mod tests;
