//! A mail as bytes: RFC 5322 with MIME (RFC 2045 to 2047), dot-stuffed for `DATA`.
//!
//! Written here and not taken from a library, since the same mail must always give the same bytes (boundaries without
//! chance), every line must keep its limit, and so little of MIME is needed. Bodies are always 7-bit, so no server needs
//! 8BITMIME; only addresses beyond ASCII put other bytes into the header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::mail::{LINE_BYTES_MAX, Mail, MailError, Mailbox, bare_message_id};

/// Lines are folded at this length where a space allows it (RFC 5322, 2.1.1), and encoded lines never exceed it.
const LINE_BYTES_WANTED: usize = 76;

/// A mail ready for the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rendered {
    pub envelope_from: String,
    pub envelope_to: String,
    /// Whether an address needs RFC 6531.
    pub needs_smtputf8: bool,
    /// Bytes of the mail before dot-stuffing, as `SIZE` counts them.
    pub size: usize,
    /// The mail, dot-stuffed, with the final dot.
    pub stuffed: Vec<u8>,
}

/// Renders a mail whose fields were checked.
pub(crate) fn render(mail: &Mail) -> Result<Rendered, MailError> {
    let envelope_from = mail.bounce_to.as_ref().unwrap_or(&mail.from).address.clone();
    let needs_smtputf8 =
        [&envelope_from, &mail.from.address, &mail.to.address].into_iter().any(|address| !address.is_ascii());
    let mut out = String::new();
    field(&mut out, "Date", &format_date(mail.date_us)?)?;
    mailbox_field(&mut out, "From", &mail.from)?;
    mailbox_field(&mut out, "To", &mail.to)?;
    let subject = mail.subject.trim();
    if is_plain_header(subject) && subject.split(' ').all(|word| word.len() < LINE_BYTES_WANTED) {
        field(&mut out, "Subject", subject)?;
    } else {
        field(&mut out, "Subject", &encode_words(subject, "Subject: ".len()))?;
    }
    field(&mut out, "Message-ID", &format!("<{}>", bare_message_id(&mail.message_id)))?;
    field(&mut out, "MIME-Version", "1.0")?;
    for (name, value) in &mail.headers {
        let value = value.trim();
        if value.is_ascii() {
            field(&mut out, name, value)?;
        } else {
            field(&mut out, name, &encode_words(value, name.len() + 2))?;
        }
    }
    match &mail.html {
        None => part(&mut out, "text/plain", &mail.text)?,
        Some(html) => {
            let mut parts = [String::new(), String::new()];
            part(&mut parts[0], "text/plain", &mail.text)?;
            part(&mut parts[1], "text/html", html)?;
            let boundary = free_boundary(&parts);
            field(&mut out, "Content-Type", &format!("multipart/alternative; boundary=\"{boundary}\""))?;
            for part in &parts {
                // The line end before a boundary belongs to the boundary (RFC 2046, 5.1.1).
                out.push_str(&format!("\r\n--{boundary}\r\n{part}"));
            }
            out.push_str(&format!("\r\n--{boundary}--\r\n"));
        }
    }
    debug_assert!(out.ends_with("\r\n") && out.split("\r\n").all(|line| line.len() <= LINE_BYTES_MAX));
    Ok(Rendered {
        envelope_from,
        envelope_to: mail.to.address.clone(),
        needs_smtputf8,
        size: out.len(),
        stuffed: stuff_dots(out.as_bytes()),
    })
}

/// Doubles each dot at a line's start (RFC 5321, 4.5.2) and adds the final dot. `message` ends with CRLF.
fn stuff_dots(message: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(message.len() + message.len() / 64 + 3);
    for line in message.split_inclusive(|b| *b == b'\n') {
        if line.first() == Some(&b'.') {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    stuffed.extend_from_slice(b".\r\n");
    stuffed
}

/// Writes a header field, folded before words where the line grows too long.
fn field(out: &mut String, name: &str, value: &str) -> Result<(), MailError> {
    out.push_str(name);
    out.push(':');
    let mut line_bytes = name.len() + 1;
    // Spaces in a row give empty words; those stay with the word before, so that no line is made of spaces alone.
    for (index, word) in value.split(' ').enumerate() {
        let grown = line_bytes + 1 + word.len();
        let may_fold = index > 0 && !word.trim().is_empty();
        if may_fold && grown > LINE_BYTES_WANTED {
            out.push_str("\r\n");
            line_bytes = 1 + word.len();
        } else {
            line_bytes = grown;
        }
        if line_bytes > LINE_BYTES_MAX {
            return Err(MailError::TooLong { name: name.to_owned() });
        }
        out.push(' ');
        out.push_str(word);
    }
    out.push_str("\r\n");
    Ok(())
}

fn mailbox_field(out: &mut String, name: &str, mailbox: &Mailbox) -> Result<(), MailError> {
    let address = &mailbox.address;
    match mailbox.name.as_deref().map(str::trim).filter(|shown| !shown.is_empty()) {
        None => field(out, name, address),
        Some(shown) if is_plain_header(shown) && shown.len() < LINE_BYTES_WANTED => {
            let quoted = shown.replace('\\', "\\\\").replace('"', "\\\"");
            field(out, name, &format!("\"{quoted}\" <{address}>"))
        }
        Some(shown) => field(out, name, &format!("{} <{address}>", encode_words(shown, name.len() + 2))),
    }
}

/// Whether a text can stand in a header as it is. `=?` would be read as an encoded word.
fn is_plain_header(text: &str) -> bool {
    text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) && !text.contains("=?")
}

/// Encodes a text as words of RFC 2047 (UTF-8, base64), divided by spaces at which [`field`] folds.
///
/// `used` is what already stands on the first line. A reader joins the words without the spaces (6.2).
fn encode_words(text: &str, used: usize) -> String {
    const AROUND: usize = "=?utf-8?B??=".len();
    let capacity = |used: usize| LINE_BYTES_WANTED.saturating_sub(used + AROUND) / 4 * 3;
    // A character may take four bytes and never be divided.
    let mut room = capacity(used).max(4);
    let mut words = Vec::new();
    let mut chunk = String::new();
    for c in text.chars() {
        if chunk.len() + c.len_utf8() > room {
            words.push(format!("=?utf-8?B?{}?=", BASE64.encode(&chunk)));
            chunk.clear();
            room = capacity(1);
        }
        chunk.push(c);
    }
    if !chunk.is_empty() {
        words.push(format!("=?utf-8?B?{}?=", BASE64.encode(&chunk)));
    }
    words.join(" ")
}

/// Writes one body with its content headers and the blank line between.
fn part(out: &mut String, content_type: &str, body: &str) -> Result<(), MailError> {
    let body = canonical(body);
    let (encoding, body) = if is_plain_body(&body) { ("7bit", body) } else { ("quoted-printable", quote(&body)) };
    field(out, "Content-Type", &format!("{content_type}; charset=utf-8"))?;
    field(out, "Content-Transfer-Encoding", encoding)?;
    out.push_str("\r\n");
    out.push_str(&body);
    Ok(())
}

/// The text with CRLF after each line, also the last.
fn canonical(body: &str) -> String {
    let mut out = String::with_capacity(body.len() + body.len() / 32 + 2);
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push_str("\r\n");
            }
            '\n' => out.push_str("\r\n"),
            c => out.push(c),
        }
    }
    if !out.is_empty() && !out.ends_with("\r\n") {
        out.push_str("\r\n");
    }
    out
}

/// Whether a body passes any relay unchanged: short ASCII lines without spaces at their ends, which some relays strip.
fn is_plain_body(body: &str) -> bool {
    body.split("\r\n").all(|line| {
        line.len() <= LINE_BYTES_WANTED
            && line.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
            && !line.ends_with(' ')
            // Old mailbox files begin a mail with this word, and programs put a `>` before it.
            && !line.starts_with("From ")
    })
}

/// Encodes as quoted-printable (RFC 2045, 6.7), lines of at most 76 characters.
fn quote(body: &str) -> String {
    let mut out = String::with_capacity(body.len() * 2);
    for line in body.split_inclusive("\r\n") {
        let (line, end) = match line.strip_suffix("\r\n") {
            Some(line) => (line, "\r\n"),
            None => (line, ""),
        };
        let mut used = 0;
        for (index, byte) in line.bytes().enumerate() {
            let is_last = index + 1 == line.len();
            let as_it_is = match byte {
                b'=' => false,
                b' ' => !is_last,
                b'F' => index > 0 || !line.starts_with("From "),
                _ => byte.is_ascii_graphic(),
            };
            let width = if as_it_is { 1 } else { 3 };
            // One column is kept for the `=` that continues the line.
            if used + width > LINE_BYTES_WANTED - 1 {
                out.push_str("=\r\n");
                used = 0;
            }
            if as_it_is {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("={byte:02X}"));
            }
            used += width;
        }
        out.push_str(end);
    }
    out
}

/// A boundary that no part holds. `=_` cannot occur in quoted-printable, but can in a 7-bit part.
fn free_boundary(parts: &[String]) -> String {
    let mut number = 0_u32;
    loop {
        let boundary = format!("=_braid_{number}");
        if !parts.iter().any(|part| part.contains(&boundary)) {
            return boundary;
        }
        number += 1;
    }
}

/// RFC 5322, 3.3, in UTC.
fn format_date(date_us: i64) -> Result<String, MailError> {
    let timestamp = jiff::Timestamp::from_microsecond(date_us).map_err(|_| MailError::Date)?;
    jiff::fmt::rfc2822::to_string(&timestamp.to_zoned(jiff::tz::TimeZone::UTC)).map_err(|_| MailError::Date)
}

#[cfg(test)]
mod tests;
