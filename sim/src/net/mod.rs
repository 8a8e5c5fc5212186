//! The actors of a run on simulated machines, talking real HTTP/1.1.
//!
//! Every message of a run crosses a TCP connection as the request or the answer that the real parties would send: a
//! client asks LiteLLM's proxy in OpenAI's words, the proxy calls each provider under that provider's path, the provider
//! answers with its own bodies, statuses and headers, and the receiving side reads all of it back from the bytes. If any
//! of that lost or changed something, the [digest](crate::digest::Digest) of the run would not be the engine's.
//!
//! What the wire does *not* do is decide. When a message arrives, and before which other, its sender has settled and
//! stamped on it; the wire only has to be there in time, and a message that arrives after its stamp is an error.
//!
//! How the rest of a conversation looks on this wire:
//! - An answer is written when its sender decides on it, and waits at the receiver for its time.
//! - A connection that is refused or reset is an answer that breaks off after its head; the head says when and which.
//! - A silent upstream leaves its call open until the proxy hangs up. Hanging up is a request of its own, because the end
//!   of a connection cannot carry a stamp; then the connection is really cut.

mod client_api;
mod directory;
mod labels;
mod params;
mod payload;
mod provider_api;
mod sockets;
pub mod turmoil;
mod wire;

pub use labels::WireError;
