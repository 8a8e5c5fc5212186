//! A LiteLLM `config.yaml`: what it says, where it says it, and what it means to the router.

mod config;
mod cost_map;
mod declared;
mod edit;
mod entry;
mod fallbacks;
mod finding;
mod identity;
mod inventory;
mod key;
mod known;
mod known_setting;
pub mod lint;
mod node;
mod place;
mod policy;
mod provider;
mod reference;
mod references;
mod region;
mod routing_strategy;
pub mod rule;
mod scalar;
mod section;
mod settings;
mod unknown_keys;
mod yaml;

pub use config::{Loaded, Options, read, read_changed, read_source};
pub use edit::{edited, written};
pub use finding::{Edit, Finding};
pub use inventory::{Inventory, Place};
pub use known_setting::known_setting;
pub use node::{Key, Mapping, Node, Value};
pub use rule::{Rule, Severity};
pub use yaml::{Document, Duplicate, parse};
