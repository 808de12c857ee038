//! The address of a mail server as one line of configuration.

use std::fmt;
use std::str::FromStr;

/// Where and how to reach the mail server, parsed from `smtp://user:password@host:port` by [`FromStr`].
///
/// | scheme | meaning | port if none is given |
/// |---|---|---|
/// | `smtp` | no TLS; a login is used on a loopback address only | 25 |
/// | `smtps` | TLS from the first byte (RFC 8314) | 465 |
/// | `smtp+starttls` | plain greeting, then TLS before anything else; never without (RFC 3207) | 587 |
///
/// User and password are percent-decoded, so `@` may stand in them as `%40`. An IPv6 address stands in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    /// How the connection is protected.
    pub security: Security,
    /// A host name or an IP address (IPv6 without its brackets).
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// Who signs in, if anybody.
    pub login: Option<Login>,
}

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Never.
    Plain,
    /// After the `STARTTLS` command, before sign-in and mail.
    StartTls,
    /// At once.
    Tls,
}

/// The name and password for `AUTH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user name, decoded.
    pub user: String,
    /// The password, decoded.
    pub password: Password,
}

/// A password whose `Debug` form is `[redacted]`; it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps a password.
    pub fn new(password: impl Into<String>) -> Password {
        Password(password.into())
    }

    /// Gives the password itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a text is no [`SmtpUrl`]. No variant repeats the text, since it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    /// The text does not begin with one of the three schemes.
    #[error("the mail server's URL must begin with smtp://, smtps:// or smtp+starttls://")]
    Scheme,
    /// Nothing stands where the host should.
    #[error("the mail server's URL names no host")]
    NoHost,
    /// The host holds a character that no host name has.
    #[error("the mail server's URL has a bad host; a host is a name, an IPv4 address, or an IPv6 address in brackets")]
    BadHost,
    /// The port is not a number from 1 to 65535.
    #[error("the mail server's URL has a bad port; a port is a number from 1 to 65535")]
    BadPort,
    /// Something follows the port.
    #[error("the mail server's URL must end after host and port; write / ? # in a user or password as %2F %3F %23")]
    Trailing,
    /// There is a user without password or a password without user.
    #[error("the mail server's URL must give both user and password (user:password@host) or neither")]
    HalfLogin,
    /// A `%` is not followed by two hexadecimal digits, or the result is no UTF-8.
    #[error("user or password in the mail server's URL has a bad percent escape; write % itself as %25")]
    BadEscape,
    /// User or password holds a control character.
    #[error("user or password in the mail server's URL holds a control character")]
    ControlCharacter,
}

impl FromStr for SmtpUrl {
    type Err = SmtpUrlError;

    fn from_str(text: &str) -> Result<SmtpUrl, SmtpUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(SmtpUrlError::Scheme)?;
        let (security, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "smtp" => (Security::Plain, 25),
            "smtps" => (Security::Tls, 465),
            "smtp+starttls" => (Security::StartTls, 587),
            _ => return Err(SmtpUrlError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // The last `@` divides, as in browsers, so that a user name which is a mail address needs no escape.
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(parse_login(login)?), place),
            None => (None, rest),
        };
        let (host, port) = parse_place(place)?;
        Ok(SmtpUrl { security, host, port: port.unwrap_or(default_port), login })
    }
}

/// The URL without user and password, fit for logs.
impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.security {
            Security::Plain => "smtp",
            Security::StartTls => "smtp+starttls",
            Security::Tls => "smtps",
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

fn parse_login(text: &str) -> Result<Login, SmtpUrlError> {
    let (user, password) = text.split_once(':').ok_or(SmtpUrlError::HalfLogin)?;
    if user.is_empty() || password.is_empty() {
        return Err(SmtpUrlError::HalfLogin);
    }
    Ok(Login { user: decode(user)?, password: Password(decode(password)?) })
}

fn parse_place(text: &str) -> Result<(String, Option<u16>), SmtpUrlError> {
    if text.contains(['/', '?', '#']) {
        return Err(SmtpUrlError::Trailing);
    }
    let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']').ok_or(SmtpUrlError::BadHost)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| SmtpUrlError::BadHost)?;
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return Err(SmtpUrlError::BadPort),
        }
    } else {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        if host.is_empty() {
            return Err(SmtpUrlError::NoHost);
        }
        if !host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
            return Err(SmtpUrlError::BadHost);
        }
        (host, port)
    };
    let port = match port {
        None => None,
        // `parse` alone would take "+25".
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse::<u16>() {
            Ok(port) if port > 0 => Some(port),
            _ => return Err(SmtpUrlError::BadPort),
        },
        Some(_) => return Err(SmtpUrlError::BadPort),
    };
    Ok((host.to_owned(), port))
}

fn decode(text: &str) -> Result<String, SmtpUrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits =
                after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok()).ok_or(SmtpUrlError::BadEscape)?;
            if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(SmtpUrlError::BadEscape);
            }
            bytes.push(u8::from_str_radix(digits, 16).map_err(|_| SmtpUrlError::BadEscape)?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    let decoded = String::from_utf8(bytes).map_err(|_| SmtpUrlError::BadEscape)?;
    if decoded.chars().any(char::is_control) {
        return Err(SmtpUrlError::ControlCharacter);
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests;
