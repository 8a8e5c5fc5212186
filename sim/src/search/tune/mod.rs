//! Which settings are best over a set of outages.
//!
//! Points of a [`Space`] run on the scenarios of a [`Corpus`]: all under few seeds, the better ones under more, and
//! what is chosen at last under seeds, and perhaps scenarios, that nothing was chosen by. Every comparison is between
//! runs under the same seeds.

mod beyond;
mod corpus;
mod density;
mod design;
mod measure;
mod paired;
mod runs;
mod search;
mod space;
mod vary;

pub use beyond::{Beyond, BeyondPlan, Row, Who};
pub use corpus::{Case, Corpus};
pub use measure::{Constraint, Counts, Indicator, Measure, Outcome};
pub use paired::Difference;
pub use runs::{Router, Runner, Stop};
pub use search::{Found, Importance, Judged, Map, Neighbour, Plan, Search, Tried, run_shard};
pub use space::{Param, Point, Space};
pub use vary::{Level, Vary};
