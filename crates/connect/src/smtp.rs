//! Mail over SMTP (RFC 5321, 6409, 3207, 4954), as a client of one submission server.
//!
//! Start at [`SmtpClient`]. One mail passes `mail` (what is sent; checks), `mime` (bytes of RFC 5322), `client` (the pool
//! of open connections), `session` (the conversation) and ends in [`outcome`] (what the place and kind of failure mean).

mod client;
mod mail;
mod mime;
pub mod outcome;
mod reply;
mod session;
mod url;
mod wire;

pub(crate) use client::tls_config;
pub use client::{Options, OptionsError, SmtpClient, Timeouts, VerifyError};
pub use mail::{Mail, MailError, Mailbox, MailboxError, REFUSED_HERE};
pub use outcome::{Outcome, Stage};
pub use session::ServerInfo;
pub use url::{Login, Password, Security, SmtpUrl, SmtpUrlError};
