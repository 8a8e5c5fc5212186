use super::*;

fn header(program: &str, config: &str) -> Header {
    Header { program: program.to_owned(), config: config.to_owned(), shard: None, study: Json::Null }
}

fn usual() -> Header {
    header("0.1.0 (a)", "c")
}

fn key(n: u128) -> Key {
    Key(n)
}

/// A store with some records, and its bytes.
fn filled(path: &Path, count: u128) -> Vec<u8> {
    let store = Store::open(path, &usual()).unwrap();
    for n in 0..count {
        store.put(key(n), format!("value {n}").as_bytes()).unwrap();
    }
    fs::read(path).unwrap()
}

#[test]
fn whatever_byte_it_was_killed_at_every_whole_record_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let whole = filled(&folder.path().join("whole"), 4);
    let empty = filled(&folder.path().join("empty"), 0).len();
    let path = folder.path().join("torn");
    for end in empty..=whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let store = Store::open(&path, &usual()).unwrap();
        let kept = store.len() as u128;
        for n in kept..4 {
            store.put(key(n), format!("value {n}").as_bytes()).unwrap();
        }
        drop(store);
        assert_eq!(fs::read(&path).unwrap(), whole, "killed at byte {end}");
    }
}

#[test]
fn a_record_whose_bytes_changed_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut bytes = filled(&path, 2);
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, &bytes).unwrap();
    let stored = Stored::read(&path).unwrap();
    assert_eq!(stored.records.len(), 1);
    assert!(stored.torn_bytes > 0);
    // Zeros, as some file systems leave behind after a power cut, are no records either.
    fs::write(&path, [&bytes[..], &[0; 64]].concat()).unwrap();
    assert_eq!(Stored::read(&path).unwrap().records.len(), 1);
}

#[test]
fn another_program_another_config_and_other_files_are_refused_and_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    // Torn too: even what would be cut off stays.
    let mut bytes = filled(&path, 3);
    bytes.truncate(bytes.len() - 3);
    fs::write(&path, &bytes).unwrap();
    let shard = Header { shard: Some(Shard { index: 1, of: 2 }), ..usual() };
    for (wanted, message) in [
        (header("0.2.0 (b)", "c"), "written by routedrill 0.1.0 (a), and this is 0.2.0 (b)"),
        (header("0.1.0 (a)", "d"), "of another config"),
        (shard, "holds all of a search, and shard 1/2 is asked for"),
    ] {
        let problem = Store::open(&path, &wanted).unwrap_err();
        assert!(problem.message.contains(message), "{}", problem.message);
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    fs::write(&path, "my diary").unwrap();
    assert!(Store::open(&path, &usual()).unwrap_err().message.contains("no store"));
    assert_eq!(fs::read(&path).unwrap(), b"my diary");
}

#[test]
fn two_processes_do_not_write_to_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let first = Store::open(&path, &usual()).unwrap();
    assert!(Store::open(&path, &usual()).unwrap_err().message.contains("another routedrill"));
    drop(first);
    assert!(Store::open(&path, &usual()).is_ok());
}

#[test]
fn keys_tell_parts_apart() {
    let of = |parts: &[&str]| parts.iter().fold(KeyMaker::default(), |maker, part| maker.with(part.as_bytes())).key();
    assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
    assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
    assert_ne!(of(&["ab"]), of(&["ab", ""]));
}
