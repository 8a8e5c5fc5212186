//! Searches: many runs of the same scenarios, with something varied, to answer one question in numbers.

pub mod capacity;
pub mod interval;
pub mod slo;
pub mod store;
mod times;
pub mod tune;
