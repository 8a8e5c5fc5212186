//! One file per verb, each with `Args` (what was typed) and `run(Args) -> Exit`.

pub(crate) mod capacity;
pub(crate) mod check;
mod corpus;
pub(crate) mod drill;
mod edited;
pub(crate) mod explain;
pub(crate) mod lint;
mod memo;
pub(crate) mod merge;
mod parse;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod schema;
mod script;
pub(crate) mod shrink;
mod swarm;
pub(crate) mod tune;
pub(crate) mod verify;

pub(crate) mod conform;
