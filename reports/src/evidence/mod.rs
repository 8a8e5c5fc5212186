//! Evidence that can be checked: what a memo was made from, in a form that machines read and people may sign.
//!
//! The statement is an [in-toto Statement](https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md); it
//! travels in a [DSSE envelope](https://github.com/secure-systems-lab/dsse/blob/master/envelope.md), whose signatures are
//! raw Ed25519 over the envelope's pre-authentication encoding.

pub use routedrill_sim::source::sha256;

mod dsse;
mod key;
mod statement;

pub use dsse::{Envelope, EnvelopeError, PAYLOAD_TYPE};
pub use key::{KeyError, Signer, Trusted};
pub use statement::{
    ConfigEvidence, FileEvidence, PREDICATE_TYPE, Predicate, RowEvidence, STATEMENT, Sha256Digest, Statement,
    StatementError, Subject,
};
