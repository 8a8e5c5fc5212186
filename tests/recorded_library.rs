//! Every shipped scenario replays from its recording, step by step, whatever the seed.
//!
//! One seed each by default; `ROUTEDRILL_SEEDS=50` tries so many.

use std::path::Path;

use rayon::prelude::*;
use routedrill_sim::record;
use routedrill_sim::scenario;
use routedrill_sim::source::Source;

#[test]
fn recordings_of_the_library_replay() {
    let seeds: u64 = std::env::var("ROUTEDRILL_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = std::fs::read_dir(folder).expect("the folder of scenarios");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    assert!(paths.len() > 20, "{}", paths.len());
    let wrong: Vec<String> = paths
        .par_iter()
        .flat_map_iter(|path| {
            let mut whole = scenario::load(path).unwrap_or_else(|problems| panic!("{problems}")).scenario;
            let text = scenario::standing_alone(&whole).unwrap_or_else(|problems| panic!("{problems}"));
            // Read far from its folder: nothing but the text may be needed.
            let loaded = scenario::read(&Source::new("inside", text.as_str()), Path::new("/nowhere"));
            let mut alone = loaded.unwrap_or_else(|problems| panic!("{problems}")).scenario;
            (0..seeds).filter_map(move |seed| {
                (whole.seed, alone.seed) = (seed, seed);
                let (file, end) = record::record(&whole, &text);
                let recording = record::parse("recording", file).unwrap_or_else(|problems| panic!("{problems}"));
                let replayed = record::replay(&recording, &alone);
                let agrees = recording.sealed && replayed.difference.is_none() && replayed.digest == end.digest;
                (!agrees).then(|| format!("{} under seed {seed}: {:?}", path.display(), replayed.difference))
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
