//! Bytes into bytes: unzipping what comes.
use crate::Refusal;
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// Unzips a gzip body of at most `limit` bytes; stops reading at the limit, so that a small bomb stays small.
pub fn gunzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::with_capacity(bytes.len().saturating_mul(4).min(limit));
    let mut reader = MultiGzDecoder::new(bytes).take((limit as u64).saturating_add(1));
    reader.read_to_end(&mut out).map_err(|e| Refusal::bad("bad_gzip", format!("the body cannot be unzipped: {e}")))?;
    if out.len() > limit { Err(body_too_large(limit)) } else { Ok(out) }
}

pub(crate) fn body_too_large(limit: usize) -> Refusal {
    Refusal::bad("body_too_large", format!("the body is larger than {} KiB", limit >> 10))
}
