//! Bytes into bytes: unzipping what comes, packing what is stored.
use crate::Refusal;
use flate2::read::MultiGzDecoder;
use std::cell::RefCell;
use std::io::Read;
use zstd::bulk::Compressor;

thread_local! {
    /// Setting a compressor up costs more than packing a body, so each thread keeps one. It is taken out while in use.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

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

/// Packs a body for the log, in zstd.
pub fn pack(body: &[u8]) -> Vec<u8> {
    // Level 1 at 10 kB a body: 99 bytes an event; level 3 saves nothing and takes twice the time (measured).
    let fresh = || Compressor::new(1).unwrap_or_else(|e| panic!("zstd knows level 1: {e}"));
    let mut compressor = COMPRESSOR.take().unwrap_or_else(fresh);
    let packed = compressor.compress(body).unwrap_or_else(|e| panic!("zstd compresses into memory: {e}"));
    COMPRESSOR.set(Some(compressor));
    packed
}
