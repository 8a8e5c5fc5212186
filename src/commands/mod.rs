//! One file per verb, each with `Args` (what was typed) and `run(Args) -> Exit`.

pub(crate) mod check;
pub(crate) mod drill;
pub(crate) mod lint;
mod parse;
pub(crate) mod run;
pub(crate) mod schema;

pub(crate) mod conform;
