//! Bytes that are kept elsewhere, made shorter where that is worth the time.

/// Below it, what is saved is not worth the time.
const WORTH_IT: usize = 1024;

/// LZ4 makes no more than this of a byte, so that a length beyond it is a lie.
const MOST_EXPANDED: usize = 255;

/// The same in fewer bytes, where there are any to save.
pub(crate) fn shrink(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() <= WORTH_IT {
        return None;
    }
    Some(lz4_flex::compress_prepend_size(bytes)).filter(|shrunk| shrunk.len() < bytes.len())
}

/// What was [shrunk](shrink); else why it cannot have been.
pub(crate) fn expand(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let length = bytes.first_chunk().map_or(usize::MAX, |length| u32::from_le_bytes(*length) as usize);
    if length > bytes.len().saturating_mul(MOST_EXPANDED) {
        return Err("its length is not that of what was compressed".to_owned());
    }
    lz4_flex::decompress_size_prepended(bytes).map_err(|error| error.to_string())
}
