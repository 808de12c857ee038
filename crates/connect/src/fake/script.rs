//! What a fake server is told to do.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Everything a fake server knows when it starts.
#[derive(Debug, Clone)]
pub struct Script {
    /// When TLS begins.
    pub tls: Tls,
    /// The user and password that may sign in; mail without sign-in is then refused with 530.
    pub login: Option<(String, String)>,
    /// The mechanisms of `AUTH` that are offered when there is a login.
    pub auth_mechanisms: Vec<&'static str>,
    /// Whether addresses beyond ASCII are taken.
    pub smtputf8: bool,
    /// Whether `8BITMIME` is offered; without it, bytes above 127 in a mail are refused with 554.
    pub eight_bit: bool,
    /// Longest mail in bytes; longer ones are refused with 552.
    pub size_max: usize,
    /// Listens on `::1` instead of `127.0.0.1`.
    pub ipv6: bool,
    /// Whether it begins by refusing connections; see [`super::FakeSmtp::set_listening`].
    pub refuses_connections: bool,
    /// Closes each connection, without a word, after it has taken this many mails.
    pub closes_after_mails: Option<usize>,
    /// See [`Script::connection`].
    pub connections: HashMap<usize, Failure>,
    /// See [`Script::every_connection`].
    pub every_connection: Option<Failure>,
    /// See [`Script::recipient`].
    pub recipients: HashMap<String, VecDeque<Failure>>,
    /// See [`Script::recipient_always`].
    pub recipients_always: HashMap<String, Failure>,
}

impl Default for Script {
    fn default() -> Script {
        Script {
            tls: Tls::None,
            login: None,
            auth_mechanisms: vec!["PLAIN", "LOGIN"],
            smtputf8: false,
            eight_bit: true,
            size_max: 10 << 20,
            ipv6: false,
            refuses_connections: false,
            closes_after_mails: None,
            connections: HashMap::new(),
            every_connection: None,
            recipients: HashMap::new(),
            recipients_always: HashMap::new(),
        }
    }
}

impl Script {
    /// Fails on the connection of this number, counted from 0, each time the point is reached.
    pub fn connection(mut self, number: usize, failure: Failure) -> Script {
        self.connections.insert(number, failure);
        self
    }

    /// Fails on every connection that has no failure of its own.
    pub fn every_connection(mut self, failure: Failure) -> Script {
        self.every_connection = Some(failure);
        self
    }

    /// Fails on the mails to this recipient, one failure a mail in this order; later mails pass.
    ///
    /// Only points from [`Point::Recipient`] on can be reached, since nobody knows the recipient before.
    pub fn recipient(mut self, address: &str, failures: impl IntoIterator<Item = Failure>) -> Script {
        self.recipients.entry(address.to_owned()).or_default().extend(failures);
        self
    }

    /// Fails on each mail to this recipient, once those of [`Script::recipient`] are used up.
    pub fn recipient_always(mut self, address: &str, failure: Failure) -> Script {
        self.recipients_always.insert(address.to_owned(), failure);
        self
    }

    /// Wants this user and password.
    pub fn login(mut self, user: &str, password: &str) -> Script {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// The failure for the next mail to this recipient.
    pub(super) fn take_recipient(&mut self, address: &str) -> Option<Failure> {
        let next = self.recipients.get_mut(address).and_then(VecDeque::pop_front);
        next.or_else(|| self.recipients_always.get(address).cloned())
    }

    pub(super) fn for_connection(&self, number: usize) -> Option<Failure> {
        self.connections.get(&number).or(self.every_connection.as_ref()).cloned()
    }
}

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Never.
    None,
    /// After `STARTTLS`; mail before it is refused with 530.
    StartTls,
    /// At once.
    Implicit,
}

/// A place of the conversation at which a server can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Instead of the greeting.
    Greeting,
    /// At `EHLO`.
    Hello,
    /// At `STARTTLS`.
    StartTls,
    /// Instead of the TLS handshake.
    TlsHandshake,
    /// At `AUTH`.
    SignIn,
    /// At `RSET`.
    Reset,
    /// At `MAIL FROM`.
    Sender,
    /// At `RCPT TO`.
    Recipient,
    /// At `DATA`.
    Data,
    /// Right after 354 was sent, before a byte of the mail is read.
    After354,
    /// After the first bytes of the mail.
    MidMessage,
    /// At the final dot, which was read.
    EndOfData,
}

/// What a server does at a [`Point`] instead of its duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// Answers with this code and text; closes after 421. The mail is not taken unless the code is 250.
    Reply(u16, String),
    /// Closes the connection.
    Drop,
    /// Takes the mail, then closes before the answer. At [`Point::EndOfData`] only.
    AcceptThenDrop,
    /// Says nothing more and keeps the connection open.
    Hang,
    /// Takes the mail, then hangs. At [`Point::EndOfData`] only.
    AcceptThenHang,
    /// Sends these bytes for an answer and goes on. The mail is not taken.
    Garbage(Vec<u8>),
    /// Waits this long, then does its duty.
    Slow(Duration),
}

/// How a server fails, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where.
    pub at: Point,
    /// How.
    pub how: How,
    /// Only on a connection that has taken at least this many mails.
    pub after_mails: usize,
}

impl Failure {
    /// Fails in this way at this point.
    pub fn new(at: Point, how: How) -> Failure {
        Failure { at, how, after_mails: 0 }
    }

    /// Spares the connection until it has taken this many mails.
    pub fn after_mails(self, after_mails: usize) -> Failure {
        Failure { after_mails, ..self }
    }

    /// Answers with this code.
    pub fn reply(at: Point, code: u16) -> Failure {
        let class = if code < 500 { "4.0.0 try later" } else { "5.0.0 no" };
        Failure::new(at, How::Reply(code, class.to_owned()))
    }

    /// Closes the connection.
    pub fn drop(at: Point) -> Failure {
        Failure::new(at, How::Drop)
    }

    /// Hangs.
    pub fn hang(at: Point) -> Failure {
        Failure::new(at, How::Hang)
    }

    /// Answers with something that is no SMTP.
    pub fn garbage(at: Point) -> Failure {
        Failure::new(at, How::Garbage(b"lorem ipsum\r\n".to_vec()))
    }
}
