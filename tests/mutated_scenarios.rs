//! Shipped scenarios with random damage: whatever it is, they are read or refused with words, and nothing panics.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;
use routedrill_sim::scenario;
use routedrill_sim::source::Source;

/// What a careless or a hostile hand might write somewhere.
const WORDS: &[&str] = &[
    "",
    " ",
    "\n",
    "\t",
    ":",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "#",
    "&a ",
    "*a",
    "<<: *a",
    "!!int ",
    "|",
    ">",
    "'",
    "\"",
    "\\",
    "~",
    "null",
    "yes",
    "on",
    "0",
    "-1",
    "1e309",
    ".nan",
    ".inf",
    "0x10",
    "1:30",
    "99999999999999999999",
    "1G",
    "0/s",
    "-5s",
    "8784h",
    "0s",
    "%",
    "101%",
    "1/0",
    ">= 50%",
    "<= 8s",
    "p50: 1s",
    "p100: 1s",
    "all",
    "key:",
    "deployment:x",
    "timeout",
    "{slow: 1e9}",
    "{quota: 50%}",
    "replicas: 2\n",
    "traffic:\n",
    "name: \u{2028}\u{fffd}é\n",
    "\r\n",
    "\u{0}",
    "\u{feff}",
    "---\n",
    "...\n",
    "2026-01-31T23:59:30Z",
    "../",
    "model_list.0",
    "router: {fallbacks: 3}\n",
];

#[derive(Clone, Debug)]
enum Damage {
    /// A word where none was.
    Insert(Index, Index),
    /// A word in place of another one.
    Replace(Index, Index),
    /// A stretch of text goes.
    Remove(Index, u8),
    /// A line stands twice.
    Repeat(Index),
    /// A line stands elsewhere.
    Move(Index, Index),
    /// A line goes further in or out.
    Indent(Index, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<Index>;
    prop_oneof![
        (index(), index()).prop_map(|(at, word)| Damage::Insert(at, word)),
        (index(), index()).prop_map(|(at, word)| Damage::Replace(at, word)),
        (index(), any::<u8>()).prop_map(|(at, length)| Damage::Remove(at, length)),
        index().prop_map(Damage::Repeat),
        (index(), index()).prop_map(|(from, to)| Damage::Move(from, to)),
        (index(), 0..6u8).prop_map(|(line, by)| Damage::Indent(line, by)),
    ]
}

impl Damage {
    fn strike(&self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        let floor = |at: usize| (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let place = |index: &Index| floor(index.index(text.len()));
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        match self {
            Self::Insert(at, word) => {
                let (before, after) = text.split_at(place(at));
                return format!("{before}{}{after}", word.get(WORDS));
            }
            Self::Replace(at, word) => {
                let (before, after) = text.split_at(place(at));
                let rest = after.trim_start_matches(|c: char| c.is_alphanumeric() || "._-%/<>=".contains(c));
                return format!("{before}{}{rest}", word.get(WORDS));
            }
            Self::Remove(at, length) => {
                let start = place(at);
                let end = floor((start + usize::from(*length)).min(text.len()));
                return format!("{}{}", &text[..start], &text[end..]);
            }
            Self::Repeat(line) => {
                let line = line.index(lines.len());
                lines.insert(line, lines[line].clone());
            }
            Self::Move(from, to) => {
                let line = lines.remove(from.index(lines.len()));
                let to = to.index(lines.len() + 1);
                lines.insert(to, line);
            }
            Self::Indent(line, by) => {
                let line = line.index(lines.len());
                lines[line] = format!("{:1$}{2}", "", usize::from(*by), lines[line].trim_start());
            }
        }
        lines.join("\n") + "\n"
    }
}

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    paths
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_scenarios_are_read_or_refused(which: Index, damages in prop::collection::vec(damage(), 1..6)) {
        let shipped = shipped();
        let path = which.get(&shipped);
        let whole = fs::read_to_string(path).expect("a scenario");
        let text = damages.iter().fold(whole, |text, damage| damage.strike(&text));
        let folder = path.parent().expect("a folder");
        match scenario::read(&Source::new("damaged.yaml", text), folder) {
            Ok(loaded) => {
                let written = scenario::expanded(&loaded.scenario, folder);
                let again = scenario::read(&Source::new("expanded.yaml", written.as_str()), folder);
                prop_assert!(again.is_ok(), "{}\n{written}", again.err().unwrap_or_default());
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for problem in problems.iter() {
                    prop_assert!(!problem.message.is_empty() && !problem.file.is_empty());
                    prop_assert!(!problem.remedy.is_empty(), "what to do about it? {problem}");
                }
                prop_assert!(problems.to_string().starts_with("error: "));
            }
        }
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let read = Source::from_bytes("noise.yaml", bytes).map_err(Into::into);
        let problems = read.and_then(|source| scenario::read(&source, Path::new("")).map(|_| ()));
        prop_assert!(problems.is_err_and(|problems| !problems.is_empty()));
    }
}
