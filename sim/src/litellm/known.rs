//! The keys that LiteLLM reads, by section and release.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use router_core::Release;

use crate::problem::did_you_mean;

/// A section of the table: a place in a configuration where keys stand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Section {
    Top,
    RouterSettings,
    LitellmSettings,
    GeneralSettings,
    LitellmParams,
    ModelInfo,
    Entry,
    Providers,
}

impl Section {
    const ALL: [Self; 8] = [
        Self::Top,
        Self::RouterSettings,
        Self::LitellmSettings,
        Self::GeneralSettings,
        Self::LitellmParams,
        Self::ModelInfo,
        Self::Entry,
        Self::Providers,
    ];

    const fn heading(self) -> &'static str {
        match self {
            Self::Top => "[top]",
            Self::RouterSettings => "[router_settings]",
            Self::LitellmSettings => "[litellm_settings]",
            Self::GeneralSettings => "[general_settings]",
            Self::LitellmParams => "[litellm_params]",
            Self::ModelInfo => "[model_info]",
            Self::Entry => "[entry]",
            Self::Providers => "[providers]",
        }
    }
}

/// Whether that release reads the key there.
pub(super) fn is_known(section: Section, key: &str, release: Release) -> bool {
    only_in(section, key).is_some_and(|only| only.is_none_or(|only| only == release))
}

/// The one release that reads the key, `Some(None)` if all do, `None` if none does.
pub(super) fn only_in(section: Section, key: &str) -> Option<Option<Release>> {
    table().get(&section)?.get(key).copied()
}

/// The key of that section which an unknown one was probably meant to be.
pub(super) fn nearest(section: Section, key: &str, release: Release) -> Option<&'static str> {
    did_you_mean(key, names(section, release))
}

/// Every key of a section.
pub(super) fn names(section: Section, release: Release) -> impl Iterator<Item = &'static str> {
    let keys = table().get(&section).into_iter().flatten();
    keys.filter(move |(_, only)| only.is_none_or(|only| only == release)).map(|(name, _)| *name)
}

type Keys = BTreeMap<&'static str, Option<Release>>;

fn table() -> &'static BTreeMap<Section, Keys> {
    static TABLE: OnceLock<BTreeMap<Section, Keys>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = BTreeMap::<Section, Keys>::new();
        let mut section = None;
        for line in include_str!("known_keys.txt").lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with('[') {
                section = Section::ALL.into_iter().find(|section| section.heading() == line);
            } else if let Some(section) = section {
                let (name, release) = line.split_once(' ').unwrap_or((line, ""));
                table.entry(section).or_default().insert(name, Release::from_number(release));
            }
        }
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_section_and_release() {
        let (old, new) = (Release::V1_80_17, Release::V1_109_1);
        assert!(is_known(Section::RouterSettings, "num_retries", old));
        assert!(!is_known(Section::RouterSettings, "request_timeout", new));
        assert!(is_known(Section::LitellmSettings, "request_timeout", new));
        assert!(is_known(Section::RouterSettings, "routing_groups", new));
        assert!(!is_known(Section::RouterSettings, "routing_groups", old));
        assert!(is_known(Section::Providers, "azure", new));
        assert_eq!(nearest(Section::RouterSettings, "num_retry", new), Some("num_retries"));
        for section in Section::ALL {
            assert!(names(section, old).count() > 4, "{section:?}");
        }
    }
}
