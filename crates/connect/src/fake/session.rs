//! One connection of the fake server, by RFC 5321 and stricter than most real ones.

mod sign_in;

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::accepted::AcceptedMail;
use super::listener::Shared;
use super::script::{Failure, How, Point, Tls};

const COMMAND_BYTES_MAX: usize = 4096;
const MESSAGE_LINE_BYTES_MAX: usize = 1000;
const RECIPIENTS_MAX: usize = 100;

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// The connection is over; whoever sees it returns.
struct Closed;

impl From<std::io::Error> for Closed {
    fn from(_: std::io::Error) -> Closed {
        Closed
    }
}

/// What remains to be done after a scripted failure.
#[derive(PartialEq, Eq)]
enum Duty {
    Do,
    Skip,
}

struct Session {
    stream: BufReader<Box<dyn Duplex>>,
    shared: Arc<Shared>,
    number: usize,
    tls: bool,
    greeted: bool,
    user: Option<String>,
    mails: usize,
    transaction: Option<Transaction>,
}

/// A mail between `MAIL FROM` and its end.
#[derive(Default)]
struct Transaction {
    from: String,
    to: Vec<String>,
    smtputf8: bool,
    failure: Option<Failure>,
}

pub(super) async fn serve(stream: TcpStream, number: usize, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let mut session = Session {
        stream: BufReader::new(Box::new(stream)),
        shared,
        number,
        tls: false,
        greeted: false,
        user: None,
        mails: 0,
        transaction: None,
    };
    let Err(Closed) = session.run().await;
}

impl Session {
    async fn run(&mut self) -> Result<std::convert::Infallible, Closed> {
        if self.mode() == Tls::Implicit {
            self.start_tls().await?;
        }
        match self.fail(Point::Greeting).await? {
            Duty::Do => self.say("220 fake.invalid ESMTP").await?,
            Duty::Skip => return Err(Closed),
        }
        loop {
            let line = match self.read_line().await? {
                Ok(line) => line,
                Err(complaint) => {
                    self.say(complaint).await?;
                    continue;
                }
            };
            self.command(&line).await?;
        }
    }

    async fn command(&mut self, line: &str) -> Result<(), Closed> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let verb = verb.to_ascii_uppercase();
        let noted = if verb == "AUTH" { "AUTH [redacted]" } else { line };
        self.shared.books().commands.push((self.number, noted.to_owned()));
        match verb.as_str() {
            "EHLO" | "HELO" => self.hello(&verb, rest).await,
            "STARTTLS" => self.starttls(rest).await,
            "AUTH" => self.auth(rest).await,
            "MAIL" => self.mail(rest).await,
            "RCPT" => self.rcpt(rest).await,
            "DATA" => self.data(rest).await,
            "RSET" => {
                self.transaction = None;
                match self.fail(Point::Reset).await? {
                    Duty::Do => self.say("250 2.0.0 forgotten").await,
                    Duty::Skip => Ok(()),
                }
            }
            "NOOP" => self.say("250 2.0.0 nothing done").await,
            "VRFY" => self.say("252 2.1.5 try it").await,
            "QUIT" => {
                self.say("221 2.0.0 bye").await?;
                Err(Closed)
            }
            _ => self.say("500 5.5.1 unknown command").await,
        }
    }

    async fn hello(&mut self, verb: &str, name: &str) -> Result<(), Closed> {
        if self.fail(Point::Hello).await? == Duty::Skip {
            return Ok(());
        }
        if name.is_empty() || name.contains(' ') {
            return self.say("501 5.5.4 name yourself").await;
        }
        self.greeted = true;
        self.transaction = None;
        if verb == "HELO" {
            return self.say("250 fake.invalid").await;
        }
        let lines = {
            let books = self.shared.books();
            let script = &books.script;
            let mut lines = vec!["fake.invalid greets you".to_owned(), "PIPELINING".to_owned()];
            lines.push(format!("SIZE {}", script.size_max));
            if script.eight_bit {
                lines.push("8BITMIME".to_owned());
            }
            if script.smtputf8 {
                lines.push("SMTPUTF8".to_owned());
            }
            if script.tls == Tls::StartTls && !self.tls {
                lines.push("STARTTLS".to_owned());
            } else if script.login.is_some() && !script.auth_mechanisms.is_empty() {
                lines.push(format!("AUTH {}", script.auth_mechanisms.join(" ")));
            }
            lines.push("ENHANCEDSTATUSCODES".to_owned());
            lines
        };
        let last = lines.len() - 1;
        let reply: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(index, line)| format!("250{}{line}", if index == last { ' ' } else { '-' }))
            .collect();
        self.say(&reply.join("\r\n")).await
    }

    async fn starttls(&mut self, rest: &str) -> Result<(), Closed> {
        if self.fail(Point::StartTls).await? == Duty::Skip {
            return Ok(());
        }
        if self.mode() != Tls::StartTls || self.tls || !rest.is_empty() {
            return self.say("503 5.5.1 no TLS now").await;
        }
        self.say("220 2.0.0 go ahead").await?;
        // What was sent along with the command was not protected (CVE-2011-0411).
        if !self.stream.buffer().is_empty() {
            return Err(Closed);
        }
        self.start_tls().await
    }

    async fn start_tls(&mut self) -> Result<(), Closed> {
        if self.fail(Point::TlsHandshake).await? == Duty::Skip {
            return Err(Closed);
        }
        let (placeholder, _) = tokio::io::duplex(1);
        let plain = std::mem::replace(&mut self.stream, BufReader::new(Box::new(placeholder))).into_inner();
        let acceptor = self.shared.tls.clone().ok_or(Closed)?;
        self.stream = BufReader::new(Box::new(acceptor.accept(plain).await?));
        self.tls = true;
        self.greeted = false;
        Ok(())
    }

    async fn mail(&mut self, rest: &str) -> Result<(), Closed> {
        if self.fail(Point::Sender).await? == Duty::Skip {
            return Ok(());
        }
        if let Some(complaint) = self.too_early() {
            return self.say(complaint).await;
        }
        let (wants_login, smtputf8_offered, eight_bit, size_max) = {
            let books = self.shared.books();
            let script = &books.script;
            (script.login.is_some(), script.smtputf8, script.eight_bit, script.size_max)
        };
        if wants_login && self.user.is_none() {
            return self.say("530 5.7.0 sign in first").await;
        }
        if self.transaction.is_some() {
            return self.say("503 5.5.1 one mail at a time").await;
        }
        let Some((address, parameters)) = parse_path(rest, "FROM:") else {
            return self.say("501 5.5.4 MAIL FROM:<address>").await;
        };
        let mut smtputf8 = false;
        for parameter in parameters.split_ascii_whitespace() {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
                ("SIZE", size) => match size.parse::<usize>() {
                    Ok(size) if size <= size_max => {}
                    Ok(_) => return self.say("552 5.3.4 too big").await,
                    Err(_) => return self.say("501 5.5.4 SIZE=number").await,
                },
                ("BODY", "7BIT") => {}
                ("BODY", "8BITMIME") if eight_bit => {}
                ("SMTPUTF8", "") if smtputf8_offered => smtputf8 = true,
                _ => return self.say("555 5.5.4 unknown parameter").await,
            }
        }
        if !address.is_ascii() && !smtputf8 {
            return self.say("553 5.6.7 address needs SMTPUTF8").await;
        }
        self.transaction = Some(Transaction { from: address.to_owned(), smtputf8, ..Transaction::default() });
        self.say("250 2.1.0 sender ok").await
    }

    async fn rcpt(&mut self, rest: &str) -> Result<(), Closed> {
        if self.transaction.is_none() {
            return self.say("503 5.5.1 MAIL first").await;
        }
        let Some((address, parameters)) = parse_path(rest, "TO:") else {
            return self.say("501 5.5.4 RCPT TO:<address>").await;
        };
        let failure = self.shared.books().script.take_recipient(address);
        if let (Some(transaction), Some(failure)) = (&mut self.transaction, failure) {
            transaction.failure = Some(failure);
        }
        if self.fail(Point::Recipient).await? == Duty::Skip {
            return Ok(());
        }
        let Some(transaction) = &mut self.transaction else {
            return Ok(());
        };
        let complaint = if !parameters.is_empty() {
            "555 5.5.4 unknown parameter"
        } else if !address.contains('@') {
            "501 5.1.3 bad address"
        } else if !address.is_ascii() && !transaction.smtputf8 {
            "553 5.6.7 address needs SMTPUTF8"
        } else if transaction.to.len() >= RECIPIENTS_MAX {
            "452 4.5.3 too many recipients"
        } else {
            transaction.to.push(address.to_owned());
            "250 2.1.5 recipient ok"
        };
        self.say(complaint).await
    }

    async fn data(&mut self, rest: &str) -> Result<(), Closed> {
        if self.fail(Point::Data).await? == Duty::Skip {
            return Ok(());
        }
        if !rest.is_empty() {
            return self.say("501 5.5.4 DATA stands alone").await;
        }
        if self.transaction.as_ref().is_none_or(|transaction| transaction.to.is_empty()) {
            return self.say("503 5.5.1 RCPT first").await;
        }
        self.say("354 go ahead").await?;
        if self.fail(Point::After354).await? == Duty::Skip {
            return Err(Closed);
        }
        let (raw, complaint) = self.read_message().await?;
        let transaction = self.transaction.take().ok_or(Closed)?;
        let failure = self.failure_at(Point::EndOfData, transaction.failure.as_ref());
        if let Some(complaint) = complaint {
            return self.say(complaint).await;
        }
        let mail = AcceptedMail {
            connection: self.number,
            tls: self.tls,
            user: self.user.clone(),
            envelope_from: transaction.from,
            envelope_to: transaction.to,
            raw: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
        }
        .parse_into(raw);
        match failure {
            Some(How::AcceptThenDrop) => {
                self.shared.accept(mail);
                Err(Closed)
            }
            Some(How::AcceptThenHang) => {
                self.shared.accept(mail);
                std::future::pending().await
            }
            Some(how) if self.act(how.clone()).await? == Duty::Skip => {
                if matches!(how, How::Reply(200..300, _)) {
                    self.shared.accept(mail);
                }
                Ok(())
            }
            _ => self.take(mail).await,
        }
    }

    async fn take(&mut self, mail: AcceptedMail) -> Result<(), Closed> {
        self.shared.accept(mail);
        self.mails += 1;
        self.say(&format!("250 2.0.0 queued as {}-{}", self.number, self.mails)).await?;
        let limit = self.shared.books().script.closes_after_mails;
        if limit.is_some_and(|limit| self.mails >= limit) { Err(Closed) } else { Ok(()) }
    }

    /// Reads up to the final dot; gives the mail unstuffed, and a complaint if it cannot be taken.
    async fn read_message(&mut self) -> Result<(Vec<u8>, Option<&'static str>), Closed> {
        let (size_max, eight_bit) = {
            let books = self.shared.books();
            (books.script.size_max, books.script.eight_bit)
        };
        let (mut raw, mut line) = (Vec::new(), Vec::new());
        let (mut complaint, mut first) = (None, true);
        loop {
            line.clear();
            if self.stream.read_until(b'\n', &mut line).await? == 0 {
                return Err(Closed);
            }
            if std::mem::take(&mut first) && self.fail(Point::MidMessage).await? == Duty::Skip {
                return Err(Closed);
            }
            let Some(content) = line.strip_suffix(b"\r\n").filter(|content| !content.contains(&b'\r')) else {
                // To guess on would let one mail smuggle in another (CVE-2023-51764).
                self.say("521 5.5.2 bare line feed or carriage return").await?;
                return Err(Closed);
            };
            if content == b"." {
                return Ok((raw, complaint));
            }
            if line.len() > MESSAGE_LINE_BYTES_MAX {
                complaint = Some("554 5.6.0 line too long");
            } else if !eight_bit && !line.is_ascii() {
                complaint = Some("554 5.6.3 no 8BITMIME here");
            }
            let unstuffed = line.strip_prefix(b".").unwrap_or(&line);
            if raw.len() + unstuffed.len() > size_max {
                complaint = Some("552 5.3.4 too big");
            } else {
                raw.extend_from_slice(unstuffed);
            }
        }
    }

    /// Reads a command line; a complaint if it is none.
    async fn read_line(&mut self) -> Result<Result<String, &'static str>, Closed> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line).await? == 0 {
            return Err(Closed);
        }
        if line.len() > COMMAND_BYTES_MAX {
            return Ok(Err("500 5.5.2 line too long"));
        }
        let Some(content) = line.strip_suffix(b"\r\n").filter(|content| !content.contains(&b'\r')) else {
            return Ok(Err("500 5.5.2 lines end with CRLF"));
        };
        Ok(String::from_utf8(content.to_vec()).map_err(|_| "500 5.5.2 not UTF-8"))
    }

    async fn say(&mut self, line: &str) -> Result<(), Closed> {
        self.send(format!("{line}\r\n").as_bytes()).await
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Closed> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    fn too_early(&self) -> Option<&'static str> {
        if self.mode() == Tls::StartTls && !self.tls {
            Some("530 5.7.0 STARTTLS first")
        } else if !self.greeted {
            Some("503 5.5.1 EHLO first")
        } else {
            None
        }
    }

    fn mode(&self) -> Tls {
        self.shared.books().script.tls
    }

    async fn fail(&mut self, at: Point) -> Result<Duty, Closed> {
        let of_mail = self.transaction.as_ref().and_then(|transaction| transaction.failure.as_ref());
        match self.failure_at(at, of_mail) {
            Some(how) => self.act(how).await,
            None => Ok(Duty::Do),
        }
    }

    /// The mail's own failure goes before the connection's.
    fn failure_at(&self, at: Point, of_mail: Option<&Failure>) -> Option<How> {
        let is_due = |failure: &Failure| failure.at == at && failure.after_mails <= self.mails;
        let of_mail = of_mail.cloned().filter(is_due);
        let of_connection = || self.shared.books().script.for_connection(self.number).filter(is_due);
        of_mail.or_else(of_connection).map(|failure| failure.how)
    }

    async fn act(&mut self, how: How) -> Result<Duty, Closed> {
        match how {
            How::Reply(code, text) => {
                self.say(&format!("{code} {text}")).await?;
                if code == 421 { Err(Closed) } else { Ok(Duty::Skip) }
            }
            How::Drop => Err(Closed),
            How::Hang => std::future::pending().await,
            How::Garbage(bytes) => {
                self.send(&bytes).await?;
                Ok(Duty::Skip)
            }
            How::Slow(time) => {
                tokio::time::sleep(time).await;
                Ok(Duty::Do)
            }
            How::AcceptThenDrop | How::AcceptThenHang => {
                panic!("{how:?} is for the end of data only")
            }
        }
    }
}

/// Parses `FROM:<a@b> NAME=value`; gives the address and the parameters.
fn parse_path<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let (head, tail) = rest.split_at_checked(keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let (address, parameters) = tail.strip_prefix('<')?.split_once('>')?;
    if !parameters.is_empty() && !parameters.starts_with(' ') {
        return None;
    }
    Some((address, parameters.trim()))
}
