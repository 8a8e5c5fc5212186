//! Tables that turn names into dense numbers and back.

use std::collections::BTreeMap;

use crate::ids::NameId;

/// A table of names, numbered in the order in which they were first seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    by_text: BTreeMap<String, u32>,
    texts: Vec<String>,
}

impl Names {
    /// The number of `text`, which it gets if it has none.
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.by_text.get(text) {
            return id;
        }
        let id = self.texts.len() as u32;
        self.by_text.insert(text.to_owned(), id);
        self.texts.push(text.to_owned());
        id
    }

    /// The number of `text` as the name of something that can be called.
    pub(super) fn intern_name(&mut self, text: &str) -> NameId {
        NameId(self.intern(text))
    }

    /// The number of `text`, if it has one.
    pub(super) fn get(&self, text: &str) -> Option<u32> {
        self.by_text.get(text).copied()
    }

    /// The text of a number. Numbers come from this table.
    pub(super) fn text(&self, id: u32) -> &str {
        &self.texts[id as usize]
    }

    /// All texts, by rising number.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }
}
