//! The actors: who asks, who routes, who answers.

pub mod clairvoyant;
pub mod client;
pub mod proxy;
pub mod upstream;
