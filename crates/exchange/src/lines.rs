//! Physical lines of a file, each of bounded length, that can be pushed back.
use std::collections::VecDeque;
use std::io::{self, BufRead};

/// The longest line that is taken, in bytes.
pub const LINE_MAX: usize = 1 << 20;

/// What a read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// A line, without its break.
    Whole,
    /// More than [`LINE_MAX`] bytes; what was kept is its beginning.
    TooLong,
    /// Nothing is left.
    End,
}

/// A line that was read before, with its number.
pub type Given = (u64, Vec<u8>, Line);

/// Lines of a file.
pub struct Lines<R> {
    input: R,
    /// Lines that were read and given back, with their numbers.
    back: VecDeque<Given>,
    /// Number of the last line, from 1.
    number: u64,
    /// Number of the last line that came from the file itself.
    read: u64,
}

impl<R: BufRead> Lines<R> {
    /// Lines of a file, from its first.
    pub fn new(input: R) -> Self {
        Self { input, back: VecDeque::new(), number: 0, read: 0 }
    }
    /// Number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }
    /// Gives lines back, to be read again before the rest.
    pub fn give_back(&mut self, lines: Vec<Given>) {
        for line in lines.into_iter().rev() {
            self.back.push_front(line);
        }
    }
    /// Appends the next line to `out`.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> io::Result<Line> {
        if let Some((number, line, kind)) = self.back.pop_front() {
            self.number = number;
            out.extend_from_slice(&line);
            return Ok(kind);
        }
        let (start, mut long, mut any) = (out.len(), false, false);
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            any = true;
            let end = chunk.iter().position(|b| *b == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = LINE_MAX.saturating_sub(out.len() - start);
            long |= part.len() > room;
            out.extend_from_slice(&part[..part.len().min(room)]);
            let used = end.map_or(chunk.len(), |at| at + 1);
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(Line::End);
        }
        self.read += 1;
        self.number = self.read;
        if out.len() > start && out.last() == Some(&b'\r') {
            out.pop();
        }
        Ok(if long { Line::TooLong } else { Line::Whole })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_hundred_megabytes_costs_one_megabyte_and_the_next_is_read() {
        let long = std::io::Read::chain(io::repeat(b'x').take(100 << 20), &b"\r\nnext\nlast"[..]);
        let mut lines = Lines::new(io::BufReader::new(long));
        let mut out = Vec::new();
        assert_eq!(lines.next_into(&mut out).expect("reads"), Line::TooLong);
        assert_eq!(out.len(), LINE_MAX);
        for (expected, number) in [("next", 2), ("last", 3)] {
            out.clear();
            assert_eq!(lines.next_into(&mut out).expect("reads"), Line::Whole);
            assert_eq!((out.as_slice(), lines.number()), (expected.as_bytes(), number));
        }
        assert_eq!(lines.next_into(&mut out).expect("reads"), Line::End);
    }

    use std::io::Read;
}
