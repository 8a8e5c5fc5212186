//! Ed25519 keys in OpenSSH's files.

use std::path::{Path, PathBuf};

use signature::{Signer as _, Verifier as _};
use ssh_key::{Algorithm, Fingerprint, HashAlg, PrivateKey, PublicKey, Signature};
use thiserror::Error;

/// A key that cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("failed to read the key {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ssh_key::Error,
    },
    /// It is of another kind.
    #[error("{} is a key of the kind {kind}: only ssh-ed25519 signs memos; `ssh-keygen -t ed25519` makes one", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// The kind.
        kind: String,
    },
    /// A passphrase protects it.
    #[error(
        "{} is protected by a passphrase, which routedrill does not ask for: sign with a key without one, or a copy of \
         it made by `ssh-keygen -p`",
        path.display()
    )]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
}

/// A private key.
#[derive(Debug)]
pub struct Signer(PrivateKey);

/// A public key that somebody trusts.
#[derive(Debug)]
pub struct Trusted(PublicKey);

impl Signer {
    /// Reads a private key, `~/.ssh/id_ed25519`.
    ///
    /// # Errors
    /// It cannot be read, is of another kind, or is protected by a passphrase.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
        let key = PrivateKey::read_openssh_file(path).map_err(unreadable)?;
        ed25519(path, key.algorithm())?;
        if key.is_encrypted() {
            return Err(KeyError::Encrypted { path: path.to_owned() });
        }
        Ok(Self(key))
    }

    /// The fingerprint, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// A signature, raw.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let signature: Signature = self.0.try_sign(bytes).expect("a key without a passphrase signs");
        signature.as_bytes().try_into().expect("a signature of Ed25519 has 64 bytes")
    }
}

impl Trusted {
    /// Reads a public key, `~/.ssh/id_ed25519.pub`.
    ///
    /// # Errors
    /// It cannot be read, or is of another kind.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let key = PublicKey::read_openssh_file(path)
            .map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
        ed25519(path, key.algorithm())?;
        Ok(Self(key))
    }

    /// The fingerprint, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint(HashAlg::Sha256)
    }

    /// Whether this key made that signature of these bytes.
    pub fn has_signed(&self, bytes: &[u8], signature: &[u8; 64]) -> bool {
        Signature::new(Algorithm::Ed25519, signature.to_vec())
            .is_ok_and(|signature| self.0.key_data().verify(bytes, &signature).is_ok())
    }
}

fn ed25519(path: &Path, algorithm: Algorithm) -> Result<(), KeyError> {
    if algorithm == Algorithm::Ed25519 {
        return Ok(());
    }
    Err(KeyError::Kind { path: path.to_owned(), kind: algorithm.to_string() })
}
