//! What a failure means: the one place that decides whether a mail may be sent again.
//!
//! | failure | before 354 | from 354 on, before or after the final dot |
//! |---|---|---|
//! | reply 4xx | `Retry` | `Retry` |
//! | reply 5xx to MAIL, RCPT, DATA or the final dot | `Refused` | `Refused` |
//! | reply 5xx earlier (greeting, EHLO, STARTTLS, AUTH) | `Retry`, naming the configuration | cannot be |
//! | connection refused, lost, timed out; TLS failure; malformed or unexpected reply | `Retry` | `Unknown` |
//! | the server cannot carry this mail (no SMTPUTF8) | `Refused` by us | cannot be |
//!
//! 354 is the server's consent to take the mail. Before it, the server cannot have the mail, so a repetition is safe.
//! After it, only an answer of the server settles the matter: some servers keep what they got when the connection breaks.

use std::fmt;

use super::mail::REFUSED_HERE;

/// Where an attempt to send one mail ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// The server took the mail (2yz after the final dot) and is now responsible for it.
    Sent {
        /// The server's last words, which usually hold its queue id.
        reply: String,
    },
    /// The server does not have the mail, and a later attempt may succeed.
    Retry {
        /// What happened and where, for a person.
        reason: String,
        /// The server's reply code, if a reply was the cause.
        code: Option<u16>,
    },
    /// The server does not have the mail, and the same attempt would fail again.
    Refused {
        /// What happened and where, for a person.
        reason: String,
        /// The server's reply code, 500 to 599, or [`REFUSED_HERE`] if this crate refused the mail.
        code: u16,
    },
    /// The server may have the mail or not. Never repeat it without asking somebody.
    Unknown {
        /// What happened and where, for a person.
        reason: String,
    },
}

/// The step of the conversation at which an attempt broke, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Waiting for one of the client's own connections.
    Pool,
    /// Name look-up and TCP.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The server's greeting.
    Greeting,
    /// `EHLO`.
    Hello,
    /// `STARTTLS`.
    StartTls,
    /// `AUTH`.
    SignIn,
    /// `RSET` on a connection that was kept open.
    Reset,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA`, up to its answer 354.
    Data,
    /// From 354 on: sending the mail, the final dot, and the wait for its answer.
    Message,
}

impl Stage {
    /// The rows of the table that are the server's word on this mail, and not on us as its client.
    fn is_about_mail(self) -> bool {
        self >= Stage::Sender
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Pool => "waiting for a free connection",
            Stage::Connect => "connecting",
            Stage::Tls => "TLS handshake",
            Stage::Greeting => "greeting",
            Stage::Hello => "EHLO",
            Stage::StartTls => "STARTTLS",
            Stage::SignIn => "AUTH",
            Stage::Reset => "RSET",
            Stage::Sender => "MAIL FROM",
            Stage::Recipient => "RCPT TO",
            Stage::Data => "DATA",
            Stage::Message => "message",
        })
    }
}

/// What went wrong, apart from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server answered, well-formed, with a code that stops the attempt.
    Reply { code: u16, text: String },
    /// The server answered with something that is no reply.
    Malformed(&'static str),
    /// The server closed the connection.
    Closed,
    /// The network failed.
    Io(String),
    /// A limit of [`super::Timeouts`] was reached.
    TimedOut,
    /// Our settings and this server do not fit; no other mail would fare better.
    Configuration(String),
    /// This server can carry other mails, but not this one.
    CannotCarry(String),
}

/// A failure and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub stage: Stage,
    pub failure: Failure,
}

impl Broken {
    /// Whether the conversation is still in step, so that RSET and another mail may follow.
    ///
    /// 421 announces that the server closes (RFC 5321, 3.8). A reply of another class was not expected, so it is unclear
    /// which command it belongs to.
    pub fn keeps_connection(&self) -> bool {
        match self.failure {
            Failure::Reply { code, .. } => self.stage.is_about_mail() && code >= 400 && code != 421,
            Failure::CannotCarry(_) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = self.stage;
        match &self.failure {
            Failure::Reply { code, text } if *code >= 500 && !stage.is_about_mail() => {
                write!(f, "{stage}: the server refuses us, check the configuration: {code} {text}")
            }
            Failure::Reply { code, text } if *code >= 400 => write!(f, "{stage}: {code} {text}"),
            Failure::Reply { code, text } => write!(f, "{stage}: unexpected reply {code} {text}"),
            Failure::Malformed(what) => write!(f, "{stage}: malformed reply: {what}"),
            Failure::Closed => write!(f, "{stage}: the server closed the connection"),
            Failure::Io(error) => write!(f, "{stage}: {error}"),
            Failure::TimedOut => write!(f, "{stage}: timed out"),
            Failure::Configuration(what) => write!(f, "{stage}: check the configuration: {what}"),
            Failure::CannotCarry(what) => write!(f, "{stage}: {what}"),
        }
    }
}

/// Applies the table at the head of this module.
pub(crate) fn judge(broken: &Broken) -> Outcome {
    let reason = broken.to_string();
    match broken.failure {
        Failure::Reply { code, .. } if (400..500).contains(&code) => Outcome::Retry { reason, code: Some(code) },
        // A 5xx to the greeting, EHLO or AUTH is the server's word on our address, name or password. The recipient has
        // no part in it: the mail goes out once a person has mended the settings, so it must not be thrown away.
        Failure::Reply { code, .. } if code >= 500 && !broken.stage.is_about_mail() => {
            Outcome::Retry { reason, code: Some(code) }
        }
        Failure::Reply { code, .. } if code >= 500 => Outcome::Refused { reason, code },
        Failure::CannotCarry(_) => Outcome::Refused { reason, code: REFUSED_HERE },
        _ if broken.stage == Stage::Message => Outcome::Unknown { reason },
        Failure::Reply { code, .. } => Outcome::Retry { reason, code: Some(code) },
        Failure::Malformed(_) | Failure::Closed | Failure::Io(_) | Failure::TimedOut | Failure::Configuration(_) => {
            Outcome::Retry { reason, code: None }
        }
    }
}
