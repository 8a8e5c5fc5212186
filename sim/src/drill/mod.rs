//! Drills: every outage that a configuration could meet, tried, compared with a run in which nothing fails, judged and
//! explained.

mod outage;
mod rows;
mod target;

pub use outage::{Outage, RETRY_AFTER_SECS, SLOW_FACTOR};
pub use rows::{Row, rows};
pub use target::{Kind, Target, labels, targets};
