//! What is sent: a rendered mail to one recipient, and the checks on it.

use std::fmt;
use std::str::FromStr;

use super::mime::{self, Rendered};

/// The code in [`super::Outcome::Refused`] when this crate and not the server refused the mail.
///
/// It is no SMTP code, so that nobody reads it as the server's word on the recipient.
pub const REFUSED_HERE: u16 = 0;

/// Longest header line that RFC 5322, 2.1.1 allows, without its line end.
pub(crate) const LINE_BYTES_MAX: usize = 998;

/// One rendered mail to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Who writes, as the reader sees it.
    pub from: Mailbox,
    /// Where failures are reported (`MAIL FROM`), for instance an address with a token for each mail; `from` if `None`.
    pub bounce_to: Option<Mailbox>,
    /// The one recipient, both in the envelope and as the reader sees it.
    pub to: Mailbox,
    /// The subject as the reader sees it; any letters.
    pub subject: String,
    /// The plain form. Every mail has one: mails with HTML alone are judged spam more often, and some readers need it.
    pub text: String,
    /// The HTML form, if there is one.
    pub html: Option<String>,
    /// `unique@domain`, with or without angle brackets. The caller's, unique per mail: bounces are matched by it.
    pub message_id: String,
    /// Further header fields, such as `List-Unsubscribe` and `List-Unsubscribe-Post`. Those that the other fields of this
    /// struct write may not be repeated here.
    pub headers: Vec<(String, String)>,
    /// When the mail was written, in microseconds since 1970 UTC.
    pub date_us: i64,
}

impl Mail {
    /// Checks everything that can be checked without a server. [`super::SmtpClient::send`] does the same.
    pub fn check(&self) -> Result<(), MailError> {
        self.render().map(drop)
    }

    pub(crate) fn render(&self) -> Result<Rendered, MailError> {
        self.from.check()?;
        self.to.check()?;
        if let Some(bounce_to) = &self.bounce_to {
            bounce_to.check()?;
        }
        check_value("Subject", &self.subject)?;
        check_message_id(&self.message_id)?;
        for (name, value) in &self.headers {
            check_name(name)?;
            check_value(name, value)?;
        }
        mime::render(self)
    }
}

/// An address with the name that is shown for it.
///
/// [`FromStr`] takes `a@example.com`, `Shop <a@example.com>` and `"Shop, Inc." <a@example.com>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name shown; any letters.
    pub name: Option<String>,
    /// `local@domain`. Quoted local parts and address literals are not taken.
    pub address: String,
}

/// An address is personal data, so the `Debug` form hides it.
impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox([redacted])")
    }
}

/// Why a text is no [`Mailbox`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// No `@`, or nothing before or after it, or unbalanced brackets.
    #[error("a mail address looks like name@example.com or Name <name@example.com>")]
    Shape,
    /// A character that an address cannot hold, such as a space, a quote or a control character.
    #[error("the mail address holds a character that is not allowed there")]
    Character,
    /// More than 64 bytes before the `@`, or 254 in all (RFC 5321, 4.5.3.1).
    #[error("the mail address is too long")]
    TooLong,
    /// The name holds a control character.
    #[error("the name before the mail address holds a control character")]
    Name,
}

impl Mailbox {
    /// Makes a mailbox without a name.
    pub fn parse_address(address: &str) -> Result<Mailbox, MailboxError> {
        let mailbox = Mailbox { name: None, address: address.to_owned() };
        mailbox.check()?;
        Ok(mailbox)
    }

    /// Checks both fields; `From` and `To` pass it again when a mail is sent, since the fields are public.
    pub fn check(&self) -> Result<(), MailboxError> {
        if self.name.as_ref().is_some_and(|name| name.chars().any(char::is_control)) {
            return Err(MailboxError::Name);
        }
        let (local, domain) = self.address.rsplit_once('@').ok_or(MailboxError::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(MailboxError::Shape);
        }
        if local.len() > 64 || self.address.len() > 254 {
            return Err(MailboxError::TooLong);
        }
        // Dots may stand anywhere in the local part: some providers gave out such addresses, and a server that minds will
        // say so itself.
        let local_fits = local.chars().all(|c| is_atom_char(c) || c == '.');
        let domain_fits =
            domain.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.' || is_letter_beyond_ascii(c));
        if local_fits && domain_fits { Ok(()) } else { Err(MailboxError::Character) }
    }
}

impl FromStr for Mailbox {
    type Err = MailboxError;

    fn from_str(text: &str) -> Result<Mailbox, MailboxError> {
        let text = text.trim_matches([' ', '\t']);
        let Some(before_close) = text.strip_suffix('>') else {
            return Mailbox::parse_address(text);
        };
        let (name, address) = before_close.rsplit_once('<').ok_or(MailboxError::Shape)?;
        let name = name.trim_matches([' ', '\t']);
        let name = match name.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => name.to_owned(),
        };
        let mailbox = Mailbox { name: Some(name).filter(|name| !name.is_empty()), address: address.to_owned() };
        mailbox.check()?;
        Ok(mailbox)
    }
}

/// Reads the rest of a quoted string (RFC 5322, 3.2.4) after its first quote.
fn unquote(quoted: &str) -> Result<String, MailboxError> {
    let mut name = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next().ok_or(MailboxError::Shape)? {
            '"' => break,
            '\\' => name.push(chars.next().ok_or(MailboxError::Shape)?),
            c => name.push(c),
        }
    }
    if chars.next().is_none() { Ok(name) } else { Err(MailboxError::Shape) }
}

/// `atext` of RFC 5322, 3.2.3 with RFC 6532, 3.2.
fn is_atom_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_letter_beyond_ascii(c)
}

fn is_letter_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace()
}

/// Why a mail cannot be sent to any server. The messages name the field and not its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// `from`, `to` or `bounce_to` is no address.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    /// A value holds a line end or another control character: it could add header fields of its own.
    #[error("the header {name} holds a line end or another control character")]
    ControlCharacter {
        /// The field's name.
        name: String,
    },
    /// A name is empty, too long, or holds something other than printable ASCII without a colon.
    #[error("a header's name is not made of 1 to 70 printable ASCII characters without colon")]
    HeaderName,
    /// The field is written from another field of [`Mail`].
    #[error("the header {name} is set by the mail itself and cannot be given")]
    ReservedHeader {
        /// The field's name.
        name: String,
    },
    /// A value has a word that fits on no line.
    #[error("the header {name} has a word that does not fit on a line of {LINE_BYTES_MAX} bytes")]
    TooLong {
        /// The field's name.
        name: String,
    },
    /// The message id is not `unique@domain` in printable ASCII.
    #[error("the message id does not look like unique@example.com")]
    MessageId,
    /// The date lies outside the years that a mail can name.
    #[error("the date lies outside the years 0 to 9999")]
    Date,
}

fn check_name(name: &str) -> Result<(), MailError> {
    let fits = !name.is_empty() && name.len() <= 70 && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    if !fits {
        return Err(MailError::HeaderName);
    }
    let lower = name.to_ascii_lowercase();
    let reserved =
        ["from", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version", "return-path", "received"];
    if reserved.contains(&lower.as_str()) || lower.starts_with("content-") {
        return Err(MailError::ReservedHeader { name: name.to_owned() });
    }
    Ok(())
}

fn check_value(name: &str, value: &str) -> Result<(), MailError> {
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(MailError::ControlCharacter { name: name.to_owned() });
    }
    Ok(())
}

fn check_message_id(message_id: &str) -> Result<(), MailError> {
    let id = bare_message_id(message_id);
    let (left, right) = id.split_once('@').ok_or(MailError::MessageId)?;
    let fits =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && !b"<>@()[]\\,;:\"".contains(&b));
    if fits(left) && fits(right) && id.len() <= 250 { Ok(()) } else { Err(MailError::MessageId) }
}

/// The id without angle brackets.
pub(crate) fn bare_message_id(message_id: &str) -> &str {
    message_id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(message_id)
}
