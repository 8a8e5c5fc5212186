//! Bugs planted in a copy of `router-core`, one at a time: `check` must catch every one over the shipped scenarios, and
//! every law must catch at least one.
//!
//! The copy is built once, with all bugs in it; a variable of the environment says which is awake. Nothing of this is
//! in `router-core` itself. It takes minutes, so it runs when asked for:
//!
//! ```text
//! cargo test --test planted -- --ignored --nocapture
//! ```
//!
//! and writes what it found to `tests/planted/CAUGHT.md`. `PLANTED_ONLY=text` runs the bugs whose name has that text,
//! and writes nothing.

#[path = "planted/bugs.rs"]
mod bugs;
#[path = "planted/by_file.rs"]
mod by_file;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bugs::{BUGS, Bug};
use by_file::BY_FILE;
use routedrill_sim::invariants::Law;
use serde_json::Value;

/// The number of the bug that is awake.
const AWAKE: &str = "ROUTEDRILL_PLANTED";

/// How many seeds are tried for a bug, fewer first.
const SEEDS: [u64; 3] = [2, 20, 200];

/// What a run without an end is taken for, after so many seconds.
const PATIENCE: u64 = 90;

/// The whole catalogue. A bug's number is its place in it.
fn catalogue() -> impl Iterator<Item = &'static Bug> {
    BUGS.iter().chain(BY_FILE)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a folder in the temporary folder");
        for entry in fs::read_dir(from).expect("a readable folder") {
            let name = entry.expect("a readable entry").file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::copy(from, to).expect("a file that can be copied");
    }
}

/// Where a bug's expression is in the text of its file.
fn place(bug: &Bug, text: &str) -> (usize, usize) {
    let from = text.find(bug.after).unwrap_or_else(|| panic!("{}: no `{}` in {}", bug.name, bug.after, bug.file));
    let from = from + bug.after.len();
    let found = text[from..].find(bug.find);
    let start = from + found.unwrap_or_else(|| panic!("{}: no `{}` in {}", bug.name, bug.find, bug.file));
    (start, start + bug.find.len())
}

/// A file, and where in it something begins and ends.
type Place = (&'static str, usize, usize);

/// Puts every bug into the copy of `router-core`, asleep.
fn plant(core: &Path) {
    let mut by_place: BTreeMap<Place, Vec<(usize, &Bug)>> = BTreeMap::new();
    for (number, bug) in catalogue().enumerate() {
        let text = fs::read_to_string(core.join(bug.file)).expect("a file of router-core");
        let (start, end) = place(bug, &text);
        by_place.entry((bug.file, start, end)).or_default().push((number, bug));
    }
    // From the back, so that places stay where they are.
    for ((file, start, end), bugs) in by_place.into_iter().rev() {
        let mut text = fs::read_to_string(core.join(file)).expect("a file of router-core");
        let mut choice = "(".to_owned();
        for (number, bug) in bugs {
            let _ = write!(choice, "if crate::planted({number}) {{ {} }} else ", bug.plant);
        }
        let _ = write!(choice, "{{ {} }})", &text[start..end]);
        text.replace_range(start..end, &choice);
        fs::write(core.join(file), text).expect("a file that can be written");
    }
    let lib = core.join("lib.rs");
    let mut text = fs::read_to_string(&lib).expect("the library's root");
    let _ = write!(
        text,
        "\nfn planted(number: u32) -> bool {{\n    static AWAKE: std::sync::OnceLock<Option<u32>> = \
         std::sync::OnceLock::new();\n    let read = || std::env::var({AWAKE:?}).ok()?.parse().ok();\n    \
         *AWAKE.get_or_init(read) == Some(number)\n}}\n"
    );
    fs::write(&lib, text).expect("a file that can be written");
}

/// Builds the copy with all bugs in it.
fn build(copy_of: &Path) -> PathBuf {
    for name in
        ["Cargo.toml", "Cargo.lock", "router-core", "sim", "reports", "src", "benches", "tests", "docs", "README.md"]
    {
        copy(&root().join(name), &copy_of.join(name));
    }
    plant(&copy_of.join("router-core/src"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--bin", "routedrill"])
        .current_dir(copy_of)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
        .env("RUSTFLAGS", "--cap-lints allow")
        .status()
        .expect("cargo starts");
    assert!(built.success(), "the copy with the bugs builds");
    target.join("debug/routedrill")
}

/// What `check` says under so many seeds; `None` when it comes to no end.
fn check(binary: &Path, awake: Option<usize>, seeds: u64, out: &Path) -> Option<(Option<i32>, Value)> {
    let stdout = fs::File::create(out).expect("a file for the output");
    let mut command = Command::new(binary);
    command
        .args(["check", "scenarios", "--format", "json", "--seeds", &seeds.to_string()])
        .current_dir(root())
        .env_remove(AWAKE)
        .stdout(stdout)
        .stderr(Stdio::null());
    if let Some(number) = awake {
        command.env(AWAKE, number.to_string());
    }
    let mut child = command.spawn().expect("the binary starts");
    for _ in 0..PATIENCE * 10 {
        if let Some(status) = child.try_wait().expect("a child that can be waited for") {
            let text = fs::read_to_string(out).expect("its output");
            return Some((status.code(), serde_json::from_str(&text).unwrap_or(Value::Null)));
        }
        pause();
    }
    child.kill().expect("a child that can be ended");
    child.wait().expect("a child that ends");
    None
}

/// Waits a little for another process.
#[expect(clippy::disallowed_methods, reason = "nothing here runs in virtual time")]
fn pause() {
    std::thread::sleep(Duration::from_millis(100));
}

/// How a bug was caught.
#[derive(Default)]
struct Caught {
    seeds: u64,
    laws: BTreeMap<String, u64>,
    promises: BTreeMap<String, u64>,
    other: Option<String>,
}

/// What broke, by law and by promise; `None` when nothing did.
fn caught(binary: &Path, number: usize, out: &Path, seeds: u64) -> Option<Caught> {
    let mut caught = Caught { seeds, ..Caught::default() };
    let Some((code, report)) = check(binary, Some(number), seeds, out) else {
        caught.other = Some("comes to no end".to_owned());
        return Some(caught);
    };
    match code {
        Some(0 | 1) => {}
        code => caught.other = Some(code.map_or_else(|| "killed".to_owned(), |code| format!("ends with code {code}"))),
    }
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut first = u64::MAX;
    for failure in list(&report["scenarios"]).iter().flat_map(|scenario| list(&scenario["failures"])) {
        first = first.min(failure["seed"].as_u64().unwrap_or(u64::MAX));
        for law in list(&failure["laws"]) {
            *caught.laws.entry(law["law"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
        }
        for promise in list(&failure["promises"]) {
            *caught.promises.entry(promise["key"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
        }
        if let Some(why) = failure["cut_short"].as_str() {
            caught.other.get_or_insert_with(|| why.to_owned());
        }
    }
    if first != u64::MAX {
        caught.seeds = first + 1;
    }
    // What was never seen counts once every seed had its chance.
    if seeds == SEEDS[2] && caught.laws.is_empty() && caught.promises.is_empty() {
        let unseen = list(&report["scenarios"]).iter().flat_map(|one| list(&one["never_seen"])).count();
        if unseen > 0 {
            caught.other.get_or_insert_with(|| "a situation is never seen".to_owned());
        }
    }
    (!caught.laws.is_empty() || !caught.promises.is_empty() || caught.other.is_some()).then_some(caught)
}

fn table(found: &[(&Bug, Option<Caught>)]) -> String {
    let mut text = "# What catches which planted bug\n\nWritten by `cargo test --test planted -- --ignored`: each bug of \
                    the catalogue alone, in a copy of `router-core`,\nagainst `routedrill check scenarios`. \"Seeds\" is how \
                    many it takes, from seed 0.\n\n| the router ... | seeds | laws that catch it | promises |\n|---|---|---|---|\n"
        .to_owned();
    for (bug, caught) in found {
        let Some(caught) = caught else {
            let _ = writeln!(text, "| {} | | **not caught** | |", bug.name);
            continue;
        };
        let names = |names: &BTreeMap<String, u64>| names.keys().cloned().collect::<Vec<_>>().join(", ");
        let mut laws = names(&caught.laws);
        if let Some(other) = &caught.other {
            let _ = write!(laws, "{}{other}", if laws.is_empty() { "" } else { "; " });
        }
        let _ = writeln!(text, "| {} | {} | {laws} | {} |", bug.name, caught.seeds, names(&caught.promises));
    }
    text
}

#[test]
fn every_bug_has_its_place_in_the_core_and_a_name_of_its_own() {
    assert!(catalogue().count() >= 40);
    let mut moved = Vec::new();
    for (number, bug) in catalogue().enumerate() {
        let text = fs::read_to_string(root().join("router-core/src").join(bug.file)).expect("a file of router-core");
        let (_, rest) = text.split_once(bug.after).unwrap_or_default();
        if !rest.contains(bug.find) || !bug.after.is_empty() && rest.contains(bug.after) {
            moved.push(bug.name);
        }
        assert!(catalogue().take(number).all(|other| other.name != bug.name), "{} is there twice", bug.name);
    }
    assert_eq!(moved, Vec::<&str>::new(), "the places of these have moved, or are no longer told apart");
}

#[test]
#[ignore = "builds the workspace once more and takes minutes"]
fn every_planted_bug_is_caught_and_every_law_catches_one() {
    // Always the same folder, so that the dependencies are built once.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted-copy");
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the copy of the last time can be removed");
    }
    fs::create_dir_all(&folder).expect("a folder for the copy");
    let binary = build(&folder);
    let out = folder.join("check.json");
    let only = std::env::var("PLANTED_ONLY").ok();
    let (code, report) = check(&binary, None, SEEDS[1], &out).expect("without a bug, check comes to an end");
    assert_eq!(code, Some(0), "without a bug, everything holds: {report:#}");
    let mut found = Vec::new();
    for (number, bug) in catalogue().enumerate() {
        if only.as_ref().is_some_and(|only| !bug.name.contains(only.as_str())) {
            continue;
        }
        let caught = SEEDS.iter().find_map(|&seeds| caught(&binary, number, &out, seeds));
        found.push((bug, caught));
        eprintln!("{}", table(&found[found.len() - 1..]).lines().last().unwrap_or_default());
    }
    if only.is_none() {
        fs::write(root().join("tests/planted/CAUGHT.md"), table(&found)).expect("the table can be written");
    }
    let missed: Vec<_> = found.iter().filter(|(_, caught)| caught.is_none()).map(|(bug, _)| bug.name).collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
    let idle = |law: &Law| !found.iter().flat_map(|(_, caught)| caught).any(|one| one.laws.contains_key(law.name()));
    let idle: Vec<_> = Law::ALL.into_iter().filter(idle).map(Law::name).collect();
    assert!(only.is_some() || idle.is_empty(), "laws that catch nothing: {idle:?}");
}
