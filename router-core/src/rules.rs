//! What differs between LiteLLM releases, as data. No logic anywhere asks for a version number.

/// A LiteLLM release whose Router is modelled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Release {
    /// LiteLLM 1.80.17.
    V1_80_17,
    /// LiteLLM 1.109.1, the reference.
    #[default]
    V1_109_1,
}

impl Release {
    /// Every release that is modelled, oldest first.
    pub const ALL: [Self; 2] = [Self::V1_80_17, Self::V1_109_1];

    /// The release's number as PyPI writes it.
    pub const fn number(self) -> &'static str {
        match self {
            Self::V1_80_17 => "1.80.17",
            Self::V1_109_1 => "1.109.1",
        }
    }

    /// The release of that number, if it is modelled.
    pub fn from_number(number: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|release| release.number() == number)
    }
}

impl core::fmt::Display for Release {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.number())
    }
}
