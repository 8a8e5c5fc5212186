//! A LiteLLM `config.yaml`: what it says, where it says it, and what it means to the router.

mod inventory;
mod node;
mod scalar;
mod yaml;

pub use inventory::{Inventory, Place};
pub use node::{Key, Mapping, Node, Value};
pub use yaml::{Document, Duplicate, parse};
