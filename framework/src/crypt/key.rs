use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use sha2::{Digest, Sha256};

use crate::support::AppKey;

/// By how many bytes a ciphertext says which key it needs.
pub(super) const ID: usize = 4;

/// What one application key encrypts with. Neither it nor the key can be computed from the other's use: whatever else the
/// application key is for, a signature say, has a key of its own.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: [u8; ID],
    pub(super) cipher: XChaCha20Poly1305,
}

impl Key {
    pub(super) fn of(key: &AppKey) -> Self {
        let [a, b, c, d, ..] = derived(key, b"paravel crypt 1: id");
        Self { id: [a, b, c, d], cipher: XChaCha20Poly1305::new(&derived(key, b"paravel crypt 1: encryption").into()) }
    }
}

/// A key for one use. The application's is 256 random bits, so one hash is enough: there is nothing to stretch.
fn derived(key: &AppKey, label: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(label).chain_update(key.bytes()).finalize().into()
}
