//! The conversation with a server over one connection, command by command.
//!
//! No pipelining (RFC 2920), although it would save two round trips a mail: with one command in flight the place at which
//! an attempt broke is never in doubt.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio_rustls::rustls::ClientConfig;

use super::client::Timeouts;
use super::mime::Rendered;
use super::outcome::{Broken, Failure, Stage};
use super::reply::Reply;
use super::url::{Login, Security, SmtpUrl};
use super::wire::Wire;

/// What a server said of itself in its answer to `EHLO`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerInfo {
    /// Whether the connection is under TLS.
    pub tls: bool,
    /// Takes addresses beyond ASCII (RFC 6531).
    pub smtputf8: bool,
    /// Takes lines with bytes above 127 (RFC 6152).
    pub eight_bit: bool,
    /// Wants to be told the size of a mail beforehand (RFC 1870), with its limit in bytes if it named one.
    pub size: Option<Option<u64>>,
    /// Whether it offers STARTTLS.
    pub starttls: bool,
    /// The mechanisms of `AUTH` that it offers, in capitals.
    pub auth: Vec<String>,
}

/// What a new session needs to know.
pub(crate) struct Setup<'a> {
    pub url: &'a SmtpUrl,
    pub helo_name: Option<&'a str>,
    pub timeouts: &'a Timeouts,
    pub tls: &'a Arc<ClientConfig>,
}

/// A connection on which mails can be sent, signed in if need be.
pub(crate) struct Session {
    wire: Wire,
    timeouts: Timeouts,
    pub server: ServerInfo,
}

impl Session {
    /// Connects, greets, protects and signs in.
    pub async fn open(setup: &Setup<'_>) -> Result<Session, Broken> {
        let (url, timeouts) = (setup.url, *setup.timeouts);
        let mut wire = Wire::connect(&url.host, url.port, timeouts.connect).await.map_err(at(Stage::Connect))?;
        if url.security == Security::Tls {
            wire = wire.into_tls(setup.tls.clone(), &url.host, timeouts.command).await.map_err(at(Stage::Tls))?;
        }
        let mut session = Session { wire, timeouts, server: ServerInfo::default() };
        let greeting = session.read(Stage::Greeting).await?;
        expect(Stage::Greeting, 220, greeting)?;
        session.hello(setup.helo_name).await?;
        if url.security == Security::StartTls {
            if !session.server.starttls {
                return Err(configuration(
                    Stage::StartTls,
                    "the server offers no STARTTLS, and we do not go on without",
                ));
            }
            let reply = session.command(Stage::StartTls, "STARTTLS").await?;
            expect(Stage::StartTls, 220, reply)?;
            session.wire =
                session.wire.into_tls(setup.tls.clone(), &url.host, timeouts.command).await.map_err(at(Stage::Tls))?;
            // All that was said in the clear is forgotten (RFC 3207, 4.2).
            session.hello(setup.helo_name).await?;
        }
        session.server.tls = url.security != Security::Plain;
        if let Some(login) = &url.login {
            session.sign_in(login).await?;
        }
        Ok(session)
    }

    async fn hello(&mut self, name: Option<&str>) -> Result<(), Broken> {
        let name = match name {
            Some(name) => name.to_owned(),
            None => match self.wire.local_addr().map_err(at(Stage::Hello))?.ip().to_canonical() {
                IpAddr::V4(ip) => format!("[{ip}]"),
                IpAddr::V6(ip) => format!("[IPv6:{ip}]"),
            },
        };
        let reply = self.command(Stage::Hello, &format!("EHLO {name}")).await?;
        let reply = expect(Stage::Hello, 250, reply)?;
        self.server = parse_extensions(&reply.lines);
        Ok(())
    }

    async fn sign_in(&mut self, login: &Login) -> Result<(), Broken> {
        let stage = Stage::SignIn;
        if self.wire.is_exposed() {
            return Err(configuration(stage, "a password is sent over TLS or to a loopback address only"));
        }
        let offers = |name: &str| self.server.auth.iter().any(|offered| offered == name);
        let (user, password) = (login.user.as_str(), login.password.expose());
        let reply = if offers("PLAIN") {
            let token = BASE64.encode(format!("\0{user}\0{password}"));
            self.command(stage, &format!("AUTH PLAIN {token}")).await?
        } else if offers("LOGIN") {
            let reply = self.command(stage, "AUTH LOGIN").await?;
            expect(stage, 334, reply)?;
            let reply = self.command(stage, &BASE64.encode(user)).await?;
            expect(stage, 334, reply)?;
            self.command(stage, &BASE64.encode(password)).await?
        } else {
            return Err(configuration(stage, "the server offers neither AUTH PLAIN nor AUTH LOGIN"));
        };
        expect(stage, 235, reply)?;
        Ok(())
    }

    /// Clears what an earlier mail may have left, and so learns whether the connection still lives.
    pub async fn reset(&mut self) -> Result<(), Broken> {
        let reply = self.command(Stage::Reset, "RSET").await?;
        expect(Stage::Reset, 250, reply)?;
        Ok(())
    }

    /// Begins a mail: `MAIL FROM`.
    pub async fn sender(&mut self, mail: &Rendered) -> Result<(), Broken> {
        let mut command = format!("MAIL FROM:<{}>", mail.envelope_from);
        if self.server.size.is_some() {
            command.push_str(&format!(" SIZE={}", mail.size));
        }
        if mail.needs_smtputf8 {
            if !self.server.smtputf8 {
                let what = "an address has letters beyond ASCII, and the server does not take them (SMTPUTF8)";
                return Err(Broken { stage: Stage::Sender, failure: Failure::CannotCarry(what.to_owned()) });
            }
            command.push_str(" SMTPUTF8");
            if self.server.eight_bit {
                command.push_str(" BODY=8BITMIME");
            }
        }
        let reply = self.command(Stage::Sender, &command).await?;
        expect_success(Stage::Sender, reply)
    }

    /// Names the recipient and asks to send: `RCPT TO` and `DATA`, up to 354.
    pub async fn recipient_and_data(&mut self, mail: &Rendered) -> Result<(), Broken> {
        let reply = self.command(Stage::Recipient, &format!("RCPT TO:<{}>", mail.envelope_to)).await?;
        expect_success(Stage::Recipient, reply)?;
        let reply = self.command(Stage::Data, "DATA").await?;
        expect(Stage::Data, 354, reply)?;
        Ok(())
    }

    /// Sends the mail with its final dot and waits for the answer; gives the answer's text.
    pub async fn message(&mut self, mail: &Rendered) -> Result<String, Broken> {
        let stage = Stage::Message;
        self.refuse_unasked(stage).await?;
        self.wire.write(&mail.stuffed, self.timeouts.data).await.map_err(at(stage))?;
        let reply = self.wire.read_reply(self.timeouts.final_reply).await.map_err(at(stage))?;
        let text = format!("{} {}", reply.code, reply.text());
        expect_success(stage, reply)?;
        Ok(text)
    }

    /// Says good-bye. What the server answers to that is of no interest.
    pub async fn quit(mut self) {
        if self.wire.write(b"QUIT\r\n", self.timeouts.command).await.is_ok() {
            let _ = self.wire.read_reply(self.timeouts.command).await;
        }
    }

    /// Sends one line and waits for its answer.
    async fn command(&mut self, stage: Stage, line: &str) -> Result<Reply, Broken> {
        // Each part of a line was checked where it came in; this is the last gate before the wire.
        assert!(!line.contains(['\r', '\n', '\0']), "a command is one line");
        self.refuse_unasked(stage).await?;
        self.wire.write(format!("{line}\r\n").as_bytes(), self.timeouts.command).await.map_err(at(stage))?;
        self.read(stage).await
    }

    /// Stops when the server has already said something: it would be taken for the answer to what we send next.
    ///
    /// Only 421 may come unasked (RFC 5321, 3.8).
    async fn refuse_unasked(&mut self, stage: Stage) -> Result<(), Broken> {
        if !self.wire.has_unread() {
            return Ok(());
        }
        let reply = self.read(stage).await?;
        let failure = match reply.code {
            421 => reply.into_failure(),
            _ => Failure::Malformed("the server answered before it was asked"),
        };
        Err(Broken { stage, failure })
    }

    async fn read(&mut self, stage: Stage) -> Result<Reply, Broken> {
        self.wire.read_reply(self.timeouts.command).await.map_err(at(stage))
    }
}

fn parse_extensions(lines: &[String]) -> ServerInfo {
    let mut server = ServerInfo::default();
    // The first line is the server's name.
    for line in lines.iter().skip(1) {
        let line = line.to_ascii_uppercase();
        // "AUTH=LOGIN" is how some servers wrote it before RFC 2554.
        let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
        match words.next() {
            Some("SMTPUTF8") => server.smtputf8 = true,
            Some("8BITMIME") => server.eight_bit = true,
            Some("STARTTLS") => server.starttls = true,
            // SIZE 0 says that there is no fixed limit.
            Some("SIZE") => server.size = Some(words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0)),
            Some("AUTH") => server.auth.extend(words.map(str::to_owned)),
            _ => {}
        }
    }
    server
}

fn at(stage: Stage) -> impl FnOnce(Failure) -> Broken {
    move |failure| Broken { stage, failure }
}

fn configuration(stage: Stage, what: &str) -> Broken {
    Broken { stage, failure: Failure::Configuration(what.to_owned()) }
}

fn expect(stage: Stage, code: u16, reply: Reply) -> Result<Reply, Broken> {
    if reply.code == code { Ok(reply) } else { Err(Broken { stage, failure: reply.into_failure() }) }
}

/// 2yz: RFC 5321, 4.2 tells clients to go by the first digit.
fn expect_success(stage: Stage, reply: Reply) -> Result<(), Broken> {
    if (200..300).contains(&reply.code) { Ok(()) } else { Err(Broken { stage, failure: reply.into_failure() }) }
}
