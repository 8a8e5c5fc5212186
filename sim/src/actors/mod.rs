//! The actors: who asks, who routes, who answers.

pub mod client;
pub mod proxy;
pub mod upstream;
