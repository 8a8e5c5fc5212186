//! Counts, histograms and rows of a run, read from its steps.
//!
//! [`Metrics`] is always on: plain counters by dense ids, memory for what is in flight. Rows per request and samples
//! per second are watchers of their own, added when a file is asked for.

mod counts;
mod course;
mod flight;
mod latency;
mod loss;
mod reached;
mod rows;
mod seconds;
mod shape;
mod tally;
mod timeline;
mod watch;

pub use counts::{Answers, AskedCounts, DeploymentCounts, Ends, Exception, Failover, Movement, Reason, Tokens};
pub use course::{ATTEMPTS_MAX, Course, CourseStep, Courses, Lane, LaneStep};
pub use flight::InFlight;
pub use latency::Latency;
pub use loss::{Doing, Loss, LossEnd, LossRecord, Losses, NextHop};
pub use reached::Reached;
pub use rows::{AttemptEnd, AttemptRow, RequestEnd, RequestRow, RowSink, Rows};
pub use seconds::{SecondSink, Seconds};
pub use shape::{Phase, Shape};
pub use tally::Tally;
pub use timeline::{Second, Timeline};
pub use watch::Metrics;
