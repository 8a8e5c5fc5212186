//! Dense numbers in place of names. Names live in one table, in the [`Plan`](crate::Plan).

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(pub $inner);

        impl $name {
            /// The number as an index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id! {
    /// A deployment: the position of its entry in `model_list`.
    DeploymentId(u32)
}
id! {
    /// Any name that can be called or fallen back to: a model group, an alias, a deployment id, or a
    /// name that nothing answers to. An index into the plan's table of names.
    NameId(u32)
}
id! {
    /// A request tag, or a tag of a deployment: an index into the plan's table of tags.
    TagId(u32)
}
id! {
    /// One attempt of one request. Given by the router, never used twice in a run.
    AttemptId(u64)
}

/// One request of one caller. Given by the caller: `source` tells callers apart, and each caller counts its
/// own requests upwards from zero, so that a router can find a request without hashing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct RequestId {
    /// Which caller.
    pub source: u32,
    /// Its how-manieth request, from zero, rising.
    pub number: u64,
}

impl RequestId {
    /// The `number`-th request of caller `source`.
    pub const fn new(source: u32, number: u64) -> Self {
        Self { source, number }
    }
}

impl core::fmt::Display for RequestId {
    /// `17` for the first caller, `2:17` for others.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.source == 0 { write!(f, "{}", self.number) } else { write!(f, "{}:{}", self.source, self.number) }
    }
}
