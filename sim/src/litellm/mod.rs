//! A LiteLLM `config.yaml`: what it says, where it says it, and what it means to the router.

mod inventory;

pub use inventory::{Inventory, Place};
