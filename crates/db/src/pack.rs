//! Numbers in few bytes: LEB128 varints and zigzag, and the packed lists made of them.
use crate::DbError;

/// Appends an unsigned number, 7 bits a byte, lowest first (LEB128).
pub fn put_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number, small magnitudes first (zigzag).
pub fn put_i64(out: &mut Vec<u8>, value: i64) {
    put_u64(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Appends bytes with their length.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u64(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads what the `put_` functions wrote.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }
    /// Whether everything is read.
    pub fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }
    /// One byte.
    pub fn u8(&mut self) -> Result<u8, DbError> {
        let byte = self.bytes.get(self.at).ok_or_else(|| DbError::damaged("a packed row", "it ends too early"))?;
        self.at += 1;
        Ok(*byte)
    }
    /// An unsigned number.
    pub fn u64(&mut self) -> Result<u64, DbError> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.u8()?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DbError::damaged("a packed row", "a number is too long"))
    }
    /// A signed number.
    pub fn i64(&mut self) -> Result<i64, DbError> {
        let raw = self.u64()?;
        Ok(((raw >> 1) as i64) ^ -((raw & 1) as i64))
    }
    /// Bytes with their length.
    pub fn bytes(&mut self) -> Result<&'a [u8], DbError> {
        let len = self.u64()? as usize;
        let end = self.at.checked_add(len).filter(|e| *e <= self.bytes.len());
        let end = end.ok_or_else(|| DbError::damaged("a packed row", "it ends too early"))?;
        let out = &self.bytes[self.at..end];
        self.at = end;
        Ok(out)
    }
    /// A text with its length.
    pub fn str(&mut self) -> Result<&'a str, DbError> {
        std::str::from_utf8(self.bytes()?).map_err(|e| DbError::damaged("a packed row", e))
    }
    /// Sixteen bytes.
    pub fn u128(&mut self) -> Result<u128, DbError> {
        let end = self.at + 16;
        let slice =
            self.bytes.get(self.at..end).ok_or_else(|| DbError::damaged("a packed row", "it ends too early"))?;
        self.at = end;
        let mut raw = [0u8; 16];
        raw.copy_from_slice(slice);
        Ok(u128::from_le_bytes(raw))
    }
}
