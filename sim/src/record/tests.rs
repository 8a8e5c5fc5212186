//! A recording replays; whatever is changed in one is noticed, and named where it is.

use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::scenario;
use crate::source::Source;

/// Two deployments, one of which is rate limited for a while.
const SCENARIO: &str = "\
name: small
config:
  model_list:
    - {model_name: gpt, litellm_params: {model: openai/a, api_key: sk-very-secret-one}}
    - {model_name: gpt, litellm_params: {model: openai/b, api_key: os.environ/KEY}}
  router_settings: {num_retries: 1, cooldown_time: 5}
seed: 3
duration: 10s
traffic: [{model: gpt, arrivals: {poisson: 4/s}, deadline: 20s}]
faults: [{at: 2s, for: 4s, on: 'key:KEY', inject: rate_limited}]
";

fn scenario_of(text: &str) -> Scenario {
    let source = Source::new("s.yaml", text);
    scenario::read(&source, Path::new("")).unwrap_or_else(|problems| panic!("{problems}")).scenario
}

/// A recording, its file, and the scenario in it.
fn recorded() -> (Recording, String, Scenario) {
    let text = scenario::standing_alone(&scenario_of(SCENARIO)).unwrap_or_else(|problems| panic!("{problems}"));
    let alone = scenario_of(&text);
    let (file, _) = record(&alone, &text);
    let recording = parse("r.rec", file.as_str()).unwrap_or_else(|problems| panic!("{problems}"));
    (recording, file, alone)
}

/// The file again with another line and a seal that fits.
fn with_line(file: &str, index: usize, change: impl FnOnce(&str) -> String) -> String {
    let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
    lines[index] = change(&lines[index]);
    let mut changed = lines.join("\n");
    changed.truncate(changed.rfind("seal ").expect("a seal") + "seal ".len());
    let seal = sha256(changed.as_bytes());
    let _ = writeln!(changed, "{seal}");
    changed
}

#[test]
fn a_recording_replays_to_its_digest_and_stands_alone() {
    let (recording, file, alone) = recorded();
    assert!(recording.sealed && recording.steps.len() > 200, "{}", recording.steps.len());
    let replayed = replay(&recording, &alone);
    assert_eq!((replayed.difference, replayed.digest), (None, recording.digest));
    // What runs from its own file, under the keys that must not leave it, is the same run.
    let original = scenario_of(SCENARIO);
    assert_eq!(record(&original, "").1.digest, recording.digest);
    assert!(!file.contains("very-secret"), "a secret left its file");
}

#[test]
fn wherever_a_file_is_cut_it_is_refused() {
    let (_, file, _) = recorded();
    for end in (0..file.len()).step_by(file.len() / 97) {
        assert!(parse("r.rec", &file[..end]).is_err(), "cut at byte {end}");
    }
    assert!(parse("r.rec", &file[..file.len() - 1]).is_err(), "the last line break is missing");
}

#[test]
fn whatever_byte_is_changed_the_file_is_refused_or_its_seal_is_broken() {
    let (_, file, _) = recorded();
    for at in (0..file.len()).step_by(file.len() / 211) {
        let mut bytes = file.clone().into_bytes();
        bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        let sealed = parse("r.rec", changed).map(|recording| recording.sealed).unwrap_or(false);
        assert!(!sealed, "byte {at}");
    }
    let longer = parse("r.rec", format!("{file}more\n")).expect("readable");
    assert!(!longer.sealed);
}

#[test]
fn a_step_that_was_recorded_otherwise_is_the_first_difference_wherever_it_is() {
    let (recording, file, alone) = recorded();
    let first = file.lines().position(|line| line == "steps").expect("steps") + 1;
    let changes: [fn(&str) -> String; 4] = [
        |line| format!("{line} | and more"),
        |line| line.replacen(line.split(' ').nth(2).unwrap_or_default(), "00000000", 1),
        |line| format!("1{line}"),
        |line| {
            let (since, rest) = line.split_once(' ').expect("a step");
            format!("{since} 9{rest}")
        },
    ];
    for step in (0..recording.steps.len()).step_by(recording.steps.len() / 23) {
        for (index, change) in changes.iter().enumerate() {
            let changed = parse("r.rec", with_line(&file, first + step, change)).expect("a recording");
            assert!(changed.sealed);
            let replayed = replay(&changed, &alone);
            let difference = replayed.difference.unwrap_or_else(|| panic!("step {step}, change {index}"));
            assert_eq!(replayed.agreed, step);
            assert_eq!(difference.now.as_ref(), recording.steps.get(step));
            assert_ne!(difference.recorded, difference.now);
        }
    }
}

#[test]
fn a_run_that_is_shorter_or_longer_than_recorded_differs_at_its_end() {
    let (recording, _, alone) = recorded();
    let mut shorter = recording.clone();
    shorter.steps.pop();
    let difference = replay(&shorter, &alone).difference.expect("a difference");
    assert!(difference.recorded.is_none() && difference.now.is_some() && difference.now_in_full.is_some());
    let mut longer = recording.clone();
    longer.steps.extend(recording.steps.last().cloned());
    let difference = replay(&longer, &alone).difference.expect("a difference");
    assert!(difference.recorded.is_some() && difference.now.is_none());
}

#[test]
fn other_formats_and_other_files_are_told_apart() {
    let (_, file, _) = recorded();
    let refused = |text: &str| parse("r.rec", text).expect_err("refused").to_string();
    assert!(refused(&file.replacen("recording 1", "recording 2", 1)).contains("has format 2"));
    assert!(refused(&file.replacen("recording 1", "recording x", 1)).contains("does not exist"));
    assert!(refused("model_list: []\n").contains("no recording"));
    assert!(refused("").contains("no recording") || refused("").contains("breaks off"));
}

#[test]
fn recorded_traffic_comes_along_request_by_request() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("t.csv"), "t,prompt_tokens,output_tokens\n0.1,800,150\n1.5,40,30\n99,1,1\n")
        .expect("a file");
    let text = SCENARIO.replace("{poisson: 4/s}", "{trace: t.csv}");
    let source = Source::new("s.yaml", text);
    let traced = scenario::read(&source, folder.path()).unwrap_or_else(|problems| panic!("{problems}")).scenario;
    let text = scenario::standing_alone(&traced).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(text.contains("arrivals: {requests: [100ms 800 150, 1500ms 40 30]}"), "{text}");
    assert_eq!(record(&scenario_of(&text), &text).1.digest, record(&traced, "").1.digest);
}
