//! Bytes of a file as UTF-8: the mark is taken off, Windows-1251 is turned into UTF-8, and a file that never ends is ended.
use crate::encoding::{MARK, windows_1251};
use std::io::{self, Read};

/// Bytes of one file at most.
pub const BYTES_MAX: u64 = 4 << 30;
/// Bytes that are looked at for the declaration.
const HEAD: usize = 512;

/// Turns a file into UTF-8 as it is read.
pub struct Letters<R> {
    inner: R,
    /// What was read and not given yet, in UTF-8.
    ready: Vec<u8>,
    at: usize,
    how: Option<How>,
    /// Bytes that may still be read until the reader says that an element is whole.
    budget: u64,
    left: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    Utf8,
    Windows1251,
}

impl<R: Read> Letters<R> {
    /// Reads from `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, ready: Vec::new(), at: 0, how: None, budget: u64::MAX, left: BYTES_MAX }
    }
    /// Lets so many more bytes be read; one element must fit.
    pub(super) fn allow(&mut self, bytes: u64) {
        self.budget = bytes;
    }

    /// Reads the head and finds out how the file writes letters.
    fn begin(&mut self) -> io::Result<How> {
        let mut head = vec![0u8; HEAD];
        let mut length = 0;
        while length < HEAD {
            match self.inner.read(&mut head[length..]) {
                Ok(0) => break,
                Ok(n) => length += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        head.truncate(length);
        self.left = self.left.saturating_sub(length as u64);
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            return Err(bad("it is written in UTF-16; save it in UTF-8 or Windows-1251"));
        }
        let body = head.strip_prefix(MARK).unwrap_or(&head);
        let how = match declared(body).as_deref() {
            None | Some("utf-8" | "utf8" | "us-ascii") => How::Utf8,
            Some("windows-1251" | "cp1251" | "windows1251") => How::Windows1251,
            Some(other) => {
                return Err(bad(format!("letters are written in {other:.40}, only UTF-8 and Windows-1251 are read")));
            }
        };
        let body = body.to_vec();
        self.take(&body, how);
        Ok(how)
    }
    fn take(&mut self, bytes: &[u8], how: How) {
        match how {
            How::Utf8 => self.ready.extend_from_slice(bytes),
            How::Windows1251 => {
                let mut letter = [0u8; 4];
                for byte in bytes {
                    self.ready.extend_from_slice(windows_1251(*byte).encode_utf8(&mut letter).as_bytes());
                }
            }
        }
    }
}

/// The encoding that the declaration names, in small letters.
fn declared(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start();
    let end = text.starts_with("<?xml").then(|| text.find("?>"))??;
    let rest = text[..end].split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split(quote).next().map(|name| name.trim().to_ascii_lowercase())
}

fn bad(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

impl<R: Read> Read for Letters<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let how = match self.how {
            Some(how) => how,
            None => {
                let how = self.begin()?;
                self.how = Some(how);
                how
            }
        };
        if self.at == self.ready.len() {
            self.ready.clear();
            self.at = 0;
            let mut raw = [0u8; 8192];
            let read = loop {
                match self.inner.read(&mut raw) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    other => break other?,
                }
            };
            if read as u64 > self.left {
                return Err(bad(format!("the file is longer than {} GiB", BYTES_MAX >> 30)));
            }
            self.left -= read as u64;
            self.take(&raw[..read], how);
        }
        let given = (self.ready.len() - self.at).min(out.len());
        if given as u64 > self.budget {
            return Err(bad("one element is longer than 16 MiB"));
        }
        self.budget -= given as u64;
        out[..given].copy_from_slice(&self.ready[self.at..self.at + given]);
        self.at += given;
        Ok(given)
    }
}
