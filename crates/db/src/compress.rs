//! Small texts in zstd. Setting a context up costs more than packing or unpacking a body, so each thread keeps one of each.
use std::cell::RefCell;
use std::io;
use zstd::bulk::{Compressor, Decompressor};

thread_local! {
    /// Taken out while in use.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Packs bytes.
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    // Level 1 at 10 kB a body: 99 bytes an event; level 3 saves nothing and takes twice the time (measured).
    let fresh = || Compressor::new(1).unwrap_or_else(|e| panic!("zstd knows level 1: {e}"));
    let mut compressor = COMPRESSOR.take().unwrap_or_else(fresh);
    let packed = compressor.compress(bytes).unwrap_or_else(|e| panic!("zstd compresses into memory: {e}"));
    COMPRESSOR.set(Some(compressor));
    packed
}

/// Unpacks at most `size_max` bytes.
///
/// # Errors
/// When the bytes are damaged, or hold more.
pub fn unpack(packed: &[u8], size_max: usize) -> io::Result<Vec<u8>> {
    // What is packed in one go says its size; memory is asked for no more than that.
    let said =
        zstd::zstd_safe::get_frame_content_size(packed).map_err(|_| io::Error::other("it is no frame of zstd"))?;
    let size = said.map_or(size_max, |said| usize::try_from(said).unwrap_or(usize::MAX));
    if size > size_max {
        return Err(io::Error::other(format!("it holds {size} bytes, where {size_max} are the most")));
    }
    let mut decompressor = match DECOMPRESSOR.take() {
        Some(kept) => kept,
        None => Decompressor::new()?,
    };
    // A failure leaves the context as it is: each frame begins anew.
    let unpacked = decompressor.decompress(packed, size);
    DECOMPRESSOR.set(Some(decompressor));
    unpacked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_frame_spoils_none_after_it() {
        let text = "a body ".repeat(300);
        let packed = pack(text.as_bytes());
        let mut damaged = packed.clone();
        damaged.truncate(packed.len() / 2);
        for _ in 0..3 {
            assert!(unpack(&damaged, 1 << 20).is_err(), "cut");
            assert!(unpack(b"no frame at all", 1 << 20).is_err());
            assert_eq!(unpack(&packed, 1 << 20).expect("whole"), text.as_bytes());
            assert!(unpack(&packed, 100).is_err(), "larger than allowed");
        }
    }

    #[test]
    fn memory_is_taken_for_what_is_there() {
        let large: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
        assert_eq!(unpack(&pack(&large), 64 << 20).expect("whole"), large, "more than a megabyte");
        let small = unpack(&pack(b"{}"), 64 << 20).expect("whole");
        assert!(small.capacity() < 100, "{} bytes were taken for two", small.capacity());
    }
}
