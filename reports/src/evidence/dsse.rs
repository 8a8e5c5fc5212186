//! The envelope: a payload, its type, and signatures over both.

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What an envelope holds: an in-toto Statement as JSON.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A DSSE envelope.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The type of the payload.
    #[serde(rename = "payloadType")]
    payload_type: String,
    /// The payload, in Base64.
    payload: String,
    /// Signatures; none on evidence that nobody signed.
    signatures: Vec<Signature>,
}

/// A signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signature {
    /// The fingerprint of the key, as `ssh-keygen -l` prints it.
    pub keyid: String,
    /// 64 bytes of Ed25519, in Base64.
    sig: String,
}

/// An envelope that cannot be opened.
#[derive(Debug, Error)]
pub enum EnvelopeError {
    /// It is no envelope.
    #[error("this is no DSSE envelope: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It holds something else.
    #[error("the envelope holds `{0}`, not `{PAYLOAD_TYPE}`")]
    Foreign(String),
    /// A part of it is not Base64.
    #[error("the {0} of the envelope is not Base64")]
    NotBase64(&'static str),
    /// A signature is not as long as those of Ed25519.
    #[error("a signature has {0} bytes; Ed25519 has 64")]
    Length(usize),
}

impl Envelope {
    /// An envelope that nobody has signed.
    pub fn new(payload: &[u8]) -> Self {
        Self { payload_type: PAYLOAD_TYPE.to_owned(), payload: Base64::encode_string(payload), signatures: Vec::new() }
    }

    /// Reads an envelope.
    ///
    /// # Errors
    /// It is none, or holds something else.
    pub fn read(text: &[u8]) -> Result<Self, EnvelopeError> {
        let envelope: Self = serde_json::from_slice(text)?;
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(EnvelopeError::Foreign(envelope.payload_type));
        }
        Ok(envelope)
    }

    /// What it holds.
    ///
    /// # Errors
    /// It is not Base64.
    pub fn payload(&self) -> Result<Vec<u8>, EnvelopeError> {
        Base64::decode_vec(&self.payload).map_err(|_| EnvelopeError::NotBase64("payload"))
    }

    /// Adds a signature over [`Envelope::signed_bytes`].
    pub fn sign(&mut self, keyid: String, signature: [u8; 64]) {
        self.signatures.push(Signature { keyid, sig: Base64::encode_string(&signature) });
    }

    /// Fingerprints of the keys and their signatures.
    ///
    /// # Errors
    /// A signature cannot be one of Ed25519.
    pub fn signatures(&self) -> Result<Vec<(&str, [u8; 64])>, EnvelopeError> {
        let bytes = |signature: &Signature| {
            let bytes = Base64::decode_vec(&signature.sig).map_err(|_| EnvelopeError::NotBase64("signature"))?;
            <[u8; 64]>::try_from(bytes).map_err(|bytes| EnvelopeError::Length(bytes.len()))
        };
        self.signatures.iter().map(|one| Ok((one.keyid.as_str(), bytes(one)?))).collect()
    }

    /// What is signed: DSSE's pre-authentication encoding of type and payload.
    ///
    /// # Errors
    /// The payload is not Base64.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, EnvelopeError> {
        let payload = self.payload()?;
        let head = format!("DSSEv1 {} {} {} ", self.payload_type.len(), self.payload_type, payload.len());
        Ok([head.as_bytes(), &payload].concat())
    }

    /// As a file.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("an envelope holds nothing that JSON lacks");
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_the_encoding_of_the_dsse_protocol() {
        let mut envelope = Envelope::new(b"hello world");
        envelope.payload_type = "http://example.com/HelloWorld".to_owned();
        // The example of the protocol's own document.
        let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(envelope.signed_bytes().expect("Base64"), expected);
    }

    #[test]
    fn an_envelope_comes_back_as_it_was_and_others_are_refused() {
        let mut envelope = Envelope::new(b"{}");
        envelope.sign("SHA256:x".to_owned(), [7; 64]);
        assert_eq!(Envelope::read(envelope.text().as_bytes()).expect("an envelope"), envelope);
        assert_eq!(envelope.payload().expect("Base64"), b"{}");
        assert_eq!(envelope.signatures().expect("a signature"), [("SHA256:x", [7; 64])]);
        let refused = |text: &str| Envelope::read(text.as_bytes()).expect_err(text).to_string();
        assert!(refused("{}").contains("no DSSE envelope"));
        assert!(refused(r#"{"payloadType":"x","payload":"","signatures":[]}"#).contains("holds `x`"));
    }
}
