//! Replies of a server (RFC 5321, 4.2), parsed within limits.

use super::outcome::Failure;

/// Longest line we read. RFC 5321, 4.5.3.1.5 allows 512; real servers exceed it a little.
const LINE_BYTES_MAX: usize = 2048;
/// Most lines in one reply; an EHLO answer has about 15.
const LINES_MAX: usize = 100;
/// Most of a reply's text that is kept.
const TEXT_CHARS_MAX: usize = 500;

/// One complete reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// The text of each line, without control characters.
    pub lines: Vec<String>,
}

impl Reply {
    /// The lines as one, shortened.
    pub fn text(&self) -> String {
        self.lines.join(" ").chars().take(TEXT_CHARS_MAX).collect()
    }

    pub fn into_failure(self) -> Failure {
        Failure::Reply { code: self.code, text: self.text() }
    }
}

/// Parses one reply at the start of `buffer`; gives it with its length in bytes, or `None` while it is incomplete.
///
/// A bare line feed is taken as a line's end: a reply is never passed on, so nothing can be smuggled, and refusing it
/// would turn every mail through a careless server into `Unknown`.
pub(crate) fn parse(buffer: &[u8]) -> Result<Option<(Reply, usize)>, Failure> {
    let mut lines = Vec::new();
    let mut code = None;
    let mut start = 0;
    loop {
        let rest = &buffer[start..];
        let Some(end) = rest.iter().position(|b| *b == b'\n') else {
            return if rest.len() > LINE_BYTES_MAX { Err(Failure::Malformed("line too long")) } else { Ok(None) };
        };
        if end > LINE_BYTES_MAX {
            return Err(Failure::Malformed("line too long"));
        }
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        start += end + 1;
        let (line_code, is_last, text) = parse_line(line)?;
        if code.is_some_and(|code| code != line_code) {
            return Err(Failure::Malformed("its lines have different codes"));
        }
        code = Some(line_code);
        lines.push(text);
        if is_last {
            return Ok(Some((Reply { code: line_code, lines }, start)));
        }
        if lines.len() >= LINES_MAX {
            return Err(Failure::Malformed("too many lines"));
        }
    }
}

fn parse_line(line: &[u8]) -> Result<(u16, bool, String), Failure> {
    let [hundreds @ b'2'..=b'5', tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] = line else {
        return Err(Failure::Malformed("no reply code"));
    };
    let code = u16::from(hundreds - b'0') * 100 + u16::from(tens - b'0') * 10 + u16::from(ones - b'0');
    let (is_last, text) = match rest {
        [] => (true, rest),
        [b' ', text @ ..] => (true, text),
        [b'-', text @ ..] => (false, text),
        _ => return Err(Failure::Malformed("no space after the reply code")),
    };
    let text = String::from_utf8_lossy(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Ok((code, is_last, text))
}

#[cfg(test)]
mod tests;
