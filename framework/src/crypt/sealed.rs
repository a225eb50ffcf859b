use chacha20poly1305::{AeadInOut, Tag, XNonce};

use super::{
    CryptError,
    key::{ID, Key},
};

/// How what follows is laid out: this number, the key's id, a nonce, what is encrypted, and its tag.
const LAYOUT: u8 = 1;

const HEADER: usize = 1 + ID;
const NONCE: usize = 24;
const TAG: usize = 16;

/// How much longer a ciphertext is than what is in it.
const OVERHEAD: usize = HEADER + NONCE + TAG;

/// Encrypts with a nonce of its own: of 24 random bytes none comes twice, however much is encrypted.
pub(super) fn seal(key: &Key, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, CryptError> {
    let mut sealed = Vec::with_capacity(OVERHEAD + plain.len());
    sealed.push(LAYOUT);
    sealed.extend(key.id);
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce)?;
    let context = context(&sealed, purpose);
    sealed.extend(nonce);
    sealed.extend(plain);
    let text = &mut sealed[HEADER + NONCE..];
    let tag = key.cipher.encrypt_inout_detached(&XNonce::from(nonce), &context, text.into());
    sealed.extend(tag.map_err(|_| CryptError::TooLong)?);
    Ok(sealed)
}

/// Decrypts with whichever key it was encrypted with.
pub(super) fn open<'k>(
    keys: impl Iterator<Item = &'k Key>,
    purpose: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, CryptError> {
    let short = CryptError::Malformed { reason: "it is too short" };
    let (header, rest) = sealed.split_first_chunk::<HEADER>().ok_or(short.clone())?;
    if header[0] != LAYOUT {
        return Err(CryptError::Malformed { reason: "its first byte is none that this build writes" });
    }
    let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(short.clone())?;
    let (text, tag) = rest.split_last_chunk::<TAG>().ok_or(short)?;
    let (nonce, tag, context) = (XNonce::from(*nonce), Tag::from(*tag), context(header, purpose));
    let mut error = CryptError::UnknownKey;
    for key in keys.filter(|key| key.id == header[1..]) {
        let mut plain = text.to_vec();
        if key.cipher.decrypt_inout_detached(&nonce, &context, plain.as_mut_slice().into(), &tag).is_ok() {
            return Ok(plain);
        }
        error = CryptError::Altered { purpose: purpose.to_owned() };
    }
    Err(error)
}

/// What is authenticated along with the text. The header's length is fixed, so no purpose can pass for another.
fn context(header: &[u8], purpose: &str) -> Vec<u8> {
    [header, purpose.as_bytes()].concat()
}
