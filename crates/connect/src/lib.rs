//! Connect: the outside systems that Braid talks to, one module each. Today there are five: mail, webhooks ([`webhook`]),
//! identity providers ([`oidc`]), feeds of air-raid alerts ([`alerts`]) and where files lie ([`objects`]).
//!
//! This crate takes *rendered* messages and says, as exactly as the protocol allows, what became of each. It knows no
//! customer, campaign or consent: whoever calls has already decided that the message goes out.
//!
//! Start at [`SmtpClient::send`], the one call that matters, and at [`Outcome`], its answer: sent, to be tried again,
//! refused for good, or unknown. [`smtp::outcome`] is the law that chooses among the four, a pure function of where the
//! attempt broke and how. [`Mail`] is what is sent and [`SmtpUrl`] names the server. [`backoff::delay`] says when to try
//! again. With the feature `fake`, the module `fake` holds a scriptable server on a real port for the tests of other
//! crates.
//!
//! Invariants:
//! - `Retry` and `Refused` are said only of a mail that the server does not have. As soon as the server has agreed to
//!   take the mail (354), a lost connection is `Unknown`: nobody may repeat it blindly.
//! - Nothing that a caller passes in can add a header line, an SMTP command or a second recipient.
//! - A password never leaves over an open network: `AUTH` wants TLS or a loopback address, and `STARTTLS` is never
//!   skipped because a server does not offer it.
//! - Every wait has a limit; [`Timeouts::send_max`] bounds a whole attempt.
//!
//! Deliberately absent: the outbox and its loop (this crate reads no rows and repeats no mail by itself); pipelining,
//! which would blur the point at which an attempt broke; several recipients in one mail, since one recipient's failure
//! must not touch another's state; delivery to MX hosts, DKIM signing and bounce parsing.

pub mod alerts;
pub mod backoff;
pub mod objects;
pub mod oidc;
pub mod smtp;
pub mod webhook;

#[cfg(any(test, feature = "fake"))]
pub mod fake;

pub use smtp::{Mail, MailError, Mailbox, Options, OptionsError, Outcome, SmtpClient, SmtpUrl, SmtpUrlError, Timeouts};

#[cfg(test)]
mod tests;
