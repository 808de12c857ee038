//! The client against the fake server, over real sockets.

mod fake;
mod law;
mod mails;
mod pool;
mod transport;

use std::future::Future;
use std::time::Duration;

use crate::fake::{FakeSmtp, Script};
use crate::{Mail, Mailbox, Options, Outcome, SmtpClient, Timeouts};

/// Short enough to wait for, long enough for a busy machine.
const SHORT: Duration = Duration::from_millis(400);

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

fn mail() -> Mail {
    mail_to("dana@example.com")
}

fn mail_to(address: &str) -> Mail {
    Mail {
        from: Mailbox { name: Some("Shop".to_owned()), address: "shop@example.com".to_owned() },
        bounce_to: None,
        to: Mailbox::parse_address(address).expect("an address"),
        subject: "Hello".to_owned(),
        text: "Hello, Dana.\n".to_owned(),
        html: None,
        message_id: "m1@example.com".to_owned(),
        headers: Vec::new(),
        date_us: 1_700_000_000_000_000,
    }
}

/// Limits that no test reaches by accident.
fn patient() -> Timeouts {
    let long = Duration::from_secs(20);
    Timeouts { pool: long, connect: long, command: long, before_data: long, data: long, final_reply: long, idle: long }
}

fn options(timeouts: Timeouts) -> Options {
    Options {
        timeouts,
        root_certificates_pem: Some(crate::fake::CA_PEM.to_vec()),
        helo_name: Some("test.example.com".to_owned()),
        ..Options::default()
    }
}

fn client_with(fake: &FakeSmtp, options: Options) -> SmtpClient {
    SmtpClient::new(fake.url().parse().expect("a URL"), options).expect("a client")
}

fn client(fake: &FakeSmtp) -> SmtpClient {
    client_with(fake, options(patient()))
}

/// Sends one mail to a new server with this script.
fn send(script: Script, mail: &Mail) -> (Outcome, FakeSmtp) {
    let fake = FakeSmtp::start(script);
    let outcome = block(client(&fake).send(mail));
    (outcome, fake)
}

/// `sent`, `retry`, `retry 451`, `refused 550` or `unknown`.
fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sent { .. } => "sent".to_owned(),
        Outcome::Retry { code: None, .. } => "retry".to_owned(),
        Outcome::Retry { code: Some(code), .. } => format!("retry {code}"),
        Outcome::Refused { code, .. } => format!("refused {code}"),
        Outcome::Unknown { .. } => "unknown".to_owned(),
    }
}

fn reason(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Sent { reply } => reply,
        Outcome::Retry { reason, .. } | Outcome::Refused { reason, .. } | Outcome::Unknown { reason } => reason,
    }
}
