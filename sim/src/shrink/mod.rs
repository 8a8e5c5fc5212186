//! The smallest scenario that still breaks the same thing.
//!
//! Delta debugging on the scenario as written, with its config within: parts are taken out, from large to small, and numbers
//! are made rounder and lower, as long as the judge says that the same thing still breaks. Candidates are judged on all
//! cores; the first good one in a fixed order is taken, so the number of threads changes nothing.

mod document;
mod numbers;
mod parts;

pub use document::Document;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use rayon::prelude::*;

use crate::scenario::{self, Scenario};
use crate::source::Source;

/// How many candidates are judged at most. What is smallest by then is the result.
pub const JUDGED_MAX: usize = 4_000;

/// How often all parts and numbers are gone through.
const ROUNDS_MAX: usize = 6;

/// Whether a scenario still breaks the same thing.
pub type Judge<'a> = dyn Fn(&Scenario) -> bool + Sync + 'a;

/// What came of shrinking.
#[derive(Clone, PartialEq, Debug)]
pub struct Shrunk {
    /// The smallest scenario that was found.
    pub document: Document,
    /// How many candidates were judged.
    pub judged: usize,
    /// No part and no number of it can be taken out or lowered any further; `false` when the search ended before.
    pub is_minimal: bool,
}

/// Shrinks a scenario. `watch` is told of each candidate that was judged, from whichever thread judged it.
pub fn shrink(document: Document, judge: &Judge<'_>, watch: &(dyn Fn() + Sync)) -> Shrunk {
    let mut search = Search { judge, watch, refused: Mutex::default(), judged: 0, document };
    // What makes a run long comes first: everything after it is judged on short runs.
    search.lower_numbers();
    for _ in 0..ROUNDS_MAX {
        let before = search.document.clone();
        search.take_parts_out();
        search.lower_numbers();
        if search.document == before {
            let is_minimal = !search.is_spent();
            return Shrunk { document: search.document, judged: search.judged, is_minimal };
        }
        if search.is_spent() {
            break;
        }
    }
    Shrunk { document: search.document, judged: search.judged, is_minimal: false }
}

/// The scenario that a text means, if it means one.
fn read(text: &str) -> Option<Scenario> {
    scenario::read(&Source::new("candidate", text), Path::new("")).ok().map(|loaded| loaded.scenario)
}

struct Search<'a> {
    judge: &'a Judge<'a>,
    watch: &'a (dyn Fn() + Sync),
    /// Texts that were judged and are no good.
    refused: Mutex<BTreeSet<String>>,
    judged: usize,
    document: Document,
}

impl Search<'_> {
    fn is_spent(&self) -> bool {
        self.judged >= JUDGED_MAX
    }

    /// The first of the candidates that still breaks the same thing.
    fn first_good(&mut self, candidates: &[Document]) -> Option<usize> {
        if self.is_spent() {
            return None;
        }
        let good = candidates.par_iter().position_first(|candidate| {
            let text = candidate.text();
            if self.refused.lock().is_ok_and(|refused| refused.contains(&text)) {
                return false;
            }
            (self.watch)();
            let good = read(&text).is_some_and(|scenario| (self.judge)(&scenario));
            if !good && let Ok(mut refused) = self.refused.lock() {
                refused.insert(text);
            }
            good
        });
        // Counted by what the order decides, not by what the threads happened to have begun.
        self.judged += good.map_or(candidates.len(), |index| index + 1);
        good
    }

    /// Takes parts out, level by level, many at once before few.
    fn take_parts_out(&mut self) {
        let mut level = 1;
        loop {
            let parts = self.document.parts(level);
            if parts.is_empty() {
                if level > self.document.depth() {
                    return;
                }
                level += 1;
                continue;
            }
            let base = self.document.clone();
            let mut out = BTreeSet::new();
            let mut left = parts;
            let mut size = left.len();
            while size > 0 {
                let mut from = 0;
                while from < left.len() {
                    let chunks: Vec<&[parts::Place]> = left[from..].chunks(size).collect();
                    let without = |chunk: &&[parts::Place]| {
                        let all: BTreeSet<_> = out.iter().chain(chunk.iter()).cloned().collect();
                        base.without(&all)
                    };
                    let candidates: Vec<Document> = chunks.iter().map(without).collect();
                    let Some(index) = self.first_good(&candidates) else { break };
                    self.document = candidates[index].clone();
                    let begin = from + index * size;
                    let end = (begin + size).min(left.len());
                    out.extend(left.drain(begin..end));
                    from = begin;
                }
                size = if size == 1 { 0 } else { size.div_ceil(2) };
            }
            level += 1;
        }
    }

    /// Replaces what is spread by one value, and lowers each number as far as it goes.
    fn lower_numbers(&mut self) {
        let mut index = 0;
        while let Some(candidates) = self.document.simpler(index) {
            if let Some(good) = self.first_good(&candidates) {
                self.document = candidates[good].clone();
            }
            index += 1;
        }
    }
}

#[cfg(test)]
mod tests;
