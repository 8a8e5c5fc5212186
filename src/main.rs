//! Outage drills for LLM routers.
fn main() {}
