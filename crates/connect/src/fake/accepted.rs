//! Mails that a fake server took, and a small reader for them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// One mail that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedMail {
    /// The number of the connection, from 0.
    pub connection: usize,
    /// Whether the connection was under TLS.
    pub tls: bool,
    /// Who had signed in.
    pub user: Option<String>,
    /// The address in `MAIL FROM`.
    pub envelope_from: String,
    /// The addresses in `RCPT TO`.
    pub envelope_to: Vec<String>,
    /// The mail as it was sent, dots unstuffed.
    pub raw: Vec<u8>,
    /// The header fields in their order, unfolded but not decoded.
    pub headers: Vec<(String, String)>,
    /// What follows the header, not decoded.
    pub body: Vec<u8>,
}

impl AcceptedMail {
    pub(super) fn parse_into(mut self, raw: Vec<u8>) -> AcceptedMail {
        let (headers, body) = split_entity(&raw);
        self.headers = headers;
        self.body = body.to_vec();
        self.raw = raw;
        self
    }

    /// The value of the first field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The message id without brackets; empty if there is none.
    pub fn message_id(&self) -> &str {
        self.header("Message-ID").unwrap_or_default().trim_matches(['<', '>'])
    }

    /// The subject, decoded (RFC 2047).
    pub fn subject(&self) -> String {
        decode_words(self.header("Subject").unwrap_or_default())
    }

    /// The plain form, decoded, with its line ends as sent.
    pub fn text(&self) -> Option<String> {
        self.part("text/plain")
    }

    /// The HTML form, decoded, with its line ends as sent.
    pub fn html(&self) -> Option<String> {
        self.part("text/html")
    }

    fn part(&self, wanted: &str) -> Option<String> {
        let content_type = self.header("Content-Type").unwrap_or("text/plain");
        let Some((_, boundary)) = content_type.split_once("boundary=") else {
            return decode_part(&self.headers, &self.body, wanted);
        };
        let delimiter = format!("\r\n--{}", boundary.trim_matches('"'));
        let body = [b"\r\n", self.body.as_slice()].concat();
        let text = String::from_utf8(body).ok()?;
        // The first piece stands before the first boundary, the last after the closing one.
        let pieces: Vec<&str> = text.split(delimiter.as_str()).collect();
        let inner = pieces.get(1..pieces.len().saturating_sub(1))?;
        inner.iter().find_map(|piece| {
            let (headers, body) = split_entity(piece.strip_prefix("\r\n")?.as_bytes());
            decode_part(&headers, body, wanted)
        })
    }
}

/// Decodes the encoded words of a header value (RFC 2047); UTF-8 in base64 only, which is what we write.
pub(super) fn decode_words(value: &str) -> String {
    let mut out = String::new();
    let mut after_encoded = false;
    for word in value.split(' ') {
        let decoded = word
            .strip_prefix("=?utf-8?B?")
            .and_then(|word| word.strip_suffix("?="))
            .and_then(|data| BASE64.decode(data).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok());
        // The space between two encoded words is not part of the text (6.2).
        let joins = after_encoded && decoded.is_some();
        if !out.is_empty() && !joins {
            out.push(' ');
        }
        after_encoded = decoded.is_some();
        out.push_str(&decoded.unwrap_or_else(|| word.to_owned()));
    }
    out
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn split_entity(raw: &[u8]) -> (Vec<(String, String)>, &[u8]) {
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = end.map_or((raw, &raw[raw.len()..]), |end| (&raw[..end], &raw[end + 4..]));
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in String::from_utf8_lossy(head).split("\r\n") {
        match (line.starts_with([' ', '\t']), headers.last_mut()) {
            (true, Some((_, value))) => value.push_str(line),
            _ => {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                headers.push((name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned()));
            }
        }
    }
    (headers, body)
}

fn decode_part(headers: &[(String, String)], body: &[u8], wanted: &str) -> Option<String> {
    let content_type = find(headers, "Content-Type").unwrap_or("text/plain");
    if !content_type.starts_with(wanted) {
        return None;
    }
    let bytes = match find(headers, "Content-Transfer-Encoding") {
        Some("quoted-printable") => unquote(body)?,
        _ => body.to_vec(),
    };
    String::from_utf8(bytes).ok()
}

/// Decodes quoted-printable; `None` if it is malformed.
fn unquote(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    loop {
        match rest {
            [] => return Some(out),
            [b'=', b'\r', b'\n', after @ ..] => rest = after,
            [b'=', high, low, after @ ..] => {
                let high = char::from(*high).to_digit(16)?;
                let low = char::from(*low).to_digit(16)?;
                out.push(u8::try_from(high * 16 + low).ok()?);
                rest = after;
            }
            [b'=', ..] => return None,
            [byte, after @ ..] => {
                out.push(*byte);
                rest = after;
            }
        }
    }
}
