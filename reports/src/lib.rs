//! Evidence for people and machines: one report model, one printer per format.

pub mod evidence;
pub mod figures;
mod folder;
pub mod lint;
pub mod model;
mod patch;
pub mod print;
pub mod remedy;
pub mod schema;
mod table;
pub mod words;
mod wrap;

pub use folder::{Folder, OutFile, WriteError, write_whole};
pub use patch::patch;
