//! How derived contexts are stored beside a body: each different text once, and per item the number of its own.
use db::DbError;
use db::pack::{Reader, put_bytes, put_u64};
use std::sync::Arc;

/// Texts beyond this many bytes are packed with zstd.
const PACK_FROM: usize = 512;
/// Unpacked texts of a body are never larger: 2,500 items with a kilobyte each.
const UNPACKED_MAX: usize = 16 << 20;

/// Packs texts and the numbers of items; empty when there is no text.
pub(crate) fn pack(texts: &[Arc<str>], of_items: &[(u32, u32)], count: u32) -> Vec<u8> {
    if texts.is_empty() {
        return Vec::new();
    }
    let mut plain = Vec::with_capacity(64 + texts.iter().map(|t| t.len() + 2).sum::<usize>());
    put_u64(&mut plain, texts.len() as u64);
    for text in texts {
        put_bytes(&mut plain, text.as_bytes());
    }
    let mut items = of_items.iter().peekable();
    for index in 0..count {
        put_u64(&mut plain, items.next_if(|(at, _)| *at == index).map_or(0, |(_, text)| u64::from(*text)));
    }
    let mut out = Vec::with_capacity(plain.len() + 1);
    if plain.len() < PACK_FROM {
        out.push(0);
        out.extend_from_slice(&plain);
    } else {
        out.push(1);
        out.extend_from_slice(&crate::pack(&plain));
    }
    out
}

/// What was stored beside a body, read back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extra {
    texts: Vec<Box<str>>,
    of_items: Vec<u32>,
}

impl Extra {
    /// The inverse of packing.
    pub fn unpack(packed: &[u8]) -> Result<Self, DbError> {
        let damaged = |why: &dyn std::fmt::Display| DbError::damaged("what is stored beside a body", why);
        let Some((form, rest)) = packed.split_first() else { return Ok(Self::default()) };
        let unpacked;
        let plain = match form {
            0 => rest,
            1 => {
                unpacked = db::compress::unpack(rest, UNPACKED_MAX).map_err(|e| damaged(&e))?;
                &unpacked
            }
            _ => return Err(damaged(&"its form is unknown")),
        };
        let mut reader = Reader::new(plain);
        let mut out = Self::default();
        for _ in 0..reader.u64()? {
            out.texts.push(reader.str()?.into());
        }
        while !reader.is_empty() {
            out.of_items.push(u32::try_from(reader.u64()?).map_err(|e| damaged(&e))?);
        }
        Ok(out)
    }

    /// The derived context of an item, a JSON object.
    pub fn of(&self, index: usize) -> Option<&str> {
        let number = (*self.of_items.get(index)? as usize).checked_sub(1)?;
        self.texts.get(number).map(|t| &**t)
    }
}
