//! Drills: every outage that a configuration could meet, tried, compared with a run in which nothing fails, judged and
//! explained.

mod assess;
mod campaign;
mod cause;
mod edit;
mod fit;
pub mod labels;
mod outage;
mod prove;
mod rows;
mod stand_in;
mod target;
mod together;
mod upgrade;
mod verdict;
pub mod world;

pub use assess::{Assessment, Impact};
pub use campaign::{Drill, Outcome};
pub use cause::{Cause, CauseKind};
pub use edit::{Change, Edit, Put};
pub use fit::{Fit, fit, retries_of};
pub use outage::{Outage, RETRY_AFTER_SECS, SLOW_FACTOR};
pub use prove::{Felt, Proof, Recheck, Suspect, prove, spoiled};
pub use rows::{Row, rows};
pub use stand_in::{serves, stand_ins};
pub use target::{Kind, Target, targets, targets_of};
pub use together::{LeftOut, Together, together};
pub use upgrade::{Change as UpgradeChange, End, Upgrade};
pub use verdict::{Thresholds, Verdict};
pub use world::{Load, World};
