//! One line for each line of the law in `smtp::outcome`.

use super::*;
use crate::fake::Point::*;
use crate::fake::{Failure, How, Tls};

/// Sends one mail to a server that fails so, and compares the outcome, its reason and what the server has taken.
#[track_caller]
fn check(failure: Failure, expected: &str, reason_holds: &str) {
    check_script(Script::default().connection(0, failure), patient(), &mail(), expected, reason_holds, 0);
}

#[track_caller]
fn check_script(script: Script, timeouts: Timeouts, mail: &Mail, expected: &str, reason_holds: &str, taken: usize) {
    let shown = format!("{script:?}");
    let fake = FakeSmtp::start(script);
    let outcome = block(client_with(&fake, options(timeouts)).send(mail));
    assert_eq!(brief(&outcome), expected, "{outcome:?} from {shown}");
    assert!(reason(&outcome).contains(reason_holds), "{outcome:?} from {shown}");
    assert_eq!(fake.accepted().len(), taken, "{shown}");
}

fn garbage(at: crate::fake::Point, bytes: &[u8]) -> Failure {
    Failure::new(at, How::Garbage(bytes.to_vec()))
}

#[test]
fn a_reply_4xx_anywhere_is_retry() {
    check(Failure::reply(Greeting, 421), "retry 421", "greeting: 421");
    check(Failure::reply(Hello, 421), "retry 421", "EHLO: 421");
    check(Failure::reply(Hello, 450), "retry 450", "EHLO: 450");
    check(Failure::reply(Sender, 421), "retry 421", "MAIL FROM: 421");
    check(Failure::reply(Sender, 451), "retry 451", "MAIL FROM: 451");
    check(Failure::reply(Recipient, 450), "retry 450", "RCPT TO: 450");
    check(Failure::reply(Recipient, 452), "retry 452", "RCPT TO: 452");
    check(Failure::reply(Data, 451), "retry 451", "DATA: 451");
    check(Failure::reply(EndOfData, 421), "retry 421", "message: 421");
    check(Failure::reply(EndOfData, 451), "retry 451", "message: 451");
    check(Failure::reply(EndOfData, 452), "retry 452", "4.0.0 try later");
}

#[test]
fn a_reply_5xx_on_the_mail_is_refused() {
    check(Failure::reply(Sender, 550), "refused 550", "MAIL FROM: 550");
    check(Failure::reply(Recipient, 550), "refused 550", "RCPT TO: 550");
    check(Failure::reply(Recipient, 553), "refused 553", "RCPT TO: 553");
    check(Failure::reply(Data, 554), "refused 554", "DATA: 554");
    check(Failure::reply(EndOfData, 550), "refused 550", "message: 550");
    check(Failure::reply(EndOfData, 554), "refused 554", "message: 554");
}

#[test]
fn a_reply_5xx_before_the_mail_is_retry_and_names_the_configuration() {
    check(Failure::reply(Greeting, 554), "retry 554", "check the configuration: 554");
    check(Failure::reply(Hello, 550), "retry 550", "check the configuration: 550");
    let login = |failure| Script::default().login("shop", "secret").connection(0, failure);
    let check_login = |failure, expected, holds| check_script(login(failure), patient(), &mail(), expected, holds, 0);
    check_login(Failure::reply(SignIn, 535), "retry 535", "AUTH: the server refuses us, check the configuration: 535");
    check_login(Failure::reply(SignIn, 454), "retry 454", "AUTH: 454");
    check_login(Failure::drop(SignIn), "retry", "AUTH: the server closed");
    check_login(Failure::garbage(SignIn), "retry", "AUTH: malformed");
    let tls = |failure| Script { tls: Tls::StartTls, ..Script::default() }.connection(0, failure);
    let check_tls = |failure, expected, holds| check_script(tls(failure), patient(), &mail(), expected, holds, 0);
    check_tls(Failure::reply(StartTls, 502), "retry 502", "check the configuration: 502");
    check_tls(Failure::reply(StartTls, 454), "retry 454", "STARTTLS: 454");
}

#[test]
fn a_connection_refused_is_retry() {
    let script = Script { refuses_connections: true, ..Script::default() };
    check_script(script, patient(), &mail(), "retry", "connecting: ", 0);
}

#[test]
fn a_connection_lost_before_354_is_retry() {
    for at in [Greeting, Hello, Sender, Recipient, Data] {
        check(Failure::drop(at), "retry", "");
    }
}

#[test]
fn a_tls_failure_is_retry() {
    for tls in [Tls::StartTls, Tls::Implicit] {
        for failure in [Failure::drop(TlsHandshake), Failure::garbage(TlsHandshake)] {
            let script = Script { tls, ..Script::default() }.connection(0, failure);
            check_script(script, patient(), &mail(), "retry", "TLS handshake: ", 0);
        }
    }
}

#[test]
fn a_malformed_or_unexpected_reply_before_354_is_retry() {
    for at in [Greeting, Hello, Sender, Recipient, Data] {
        check(Failure::garbage(at), "retry", "malformed reply: no reply code");
    }
    check(garbage(Sender, b"250-a\r\n251 b\r\n"), "retry", "malformed reply: its lines have different codes");
    check(garbage(Sender, &[b'2'; 4000]), "retry", "malformed reply: line too long");
    check(garbage(Hello, &b"250-x\r\n".repeat(500)), "retry", "malformed reply: too many lines");
    check(garbage(Sender, b"250 ok\r\n550 no\r\n"), "retry", "answered before it was asked");
    check(garbage(Sender, b"250 ok\r\n421 bye\r\n"), "retry 421", "RCPT TO: 421");
    check(Failure::reply(Data, 250), "retry 250", "unexpected reply 250");
    check(Failure::reply(Recipient, 354), "retry 354", "unexpected reply 354");
}

#[test]
fn a_wait_too_long_before_354_is_retry() {
    for at in [Greeting, Hello, Sender, Recipient, Data] {
        let script = Script::default().connection(0, Failure::hang(at));
        check_script(script, Timeouts { command: SHORT, ..patient() }, &mail(), "retry", "timed out", 0);
    }
    let script = Script::default().connection(0, Failure::hang(Recipient));
    check_script(script, Timeouts { before_data: SHORT, ..patient() }, &mail(), "retry", "timed out", 0);
    let script = Script { tls: Tls::Implicit, ..Script::default() }.connection(0, Failure::hang(TlsHandshake));
    check_script(script, Timeouts { command: SHORT, ..patient() }, &mail(), "retry", "TLS handshake: timed out", 0);
}

#[test]
fn a_connection_lost_from_354_on_is_unknown() {
    check(Failure::drop(After354), "unknown", "message: ");
    check(Failure::drop(MidMessage), "unknown", "message: ");
    check(Failure::drop(EndOfData), "unknown", "message: the server closed the connection");
    let accepted = Script::default().connection(0, Failure::new(EndOfData, How::AcceptThenDrop));
    check_script(accepted, patient(), &mail(), "unknown", "message: the server closed the connection", 1);
    // Too long for the buffers of the network, so the loss is met while the mail is still being written.
    let long = Mail { text: "A line of a long mail.\n".repeat(600_000), ..mail() };
    for at in [After354, MidMessage] {
        let script = Script { size_max: 64 << 20, ..Script::default() }.connection(0, Failure::drop(at));
        check_script(script, patient(), &long, "unknown", "message: ", 0);
    }
    let tls = Script { tls: Tls::Implicit, ..Script::default() };
    check_script(tls.connection(0, Failure::drop(EndOfData)), patient(), &mail(), "unknown", "closed", 0);
}

#[test]
fn a_wait_too_long_from_354_on_is_unknown() {
    let short = Timeouts { final_reply: SHORT, ..patient() };
    for (how, taken) in [(How::Hang, 0), (How::AcceptThenHang, 1)] {
        let script = Script::default().connection(0, Failure::new(EndOfData, how));
        check_script(script, short, &mail(), "unknown", "message: timed out", taken);
    }
    let half_a_reply = Script::default().connection(0, garbage(EndOfData, b"250 o"));
    check_script(half_a_reply, short, &mail(), "unknown", "message: timed out", 0);
    let long = Mail { text: "A line of a long mail.\n".repeat(600_000), ..mail() };
    let script = Script { size_max: 64 << 20, ..Script::default() }.connection(0, Failure::hang(MidMessage));
    check_script(script, Timeouts { data: SHORT, ..patient() }, &long, "unknown", "message: timed out", 0);
}

#[test]
fn a_malformed_or_unexpected_reply_from_354_on_is_unknown() {
    check(Failure::garbage(EndOfData), "unknown", "message: malformed reply: no reply code");
    check(garbage(EndOfData, b"250-a\r\n550 b\r\n"), "unknown", "malformed");
    check(garbage(EndOfData, &[b'2'; 4000]), "unknown", "malformed reply: line too long");
    check(Failure::reply(EndOfData, 354), "unknown", "unexpected reply 354");
    check(garbage(Data, b"354 go\r\n250 ok\r\n"), "unknown", "answered before it was asked");
    // A 421 that came along with 354 is a reply, and says that the server does not have the mail.
    check(garbage(Data, b"354 go\r\n421 bye\r\n"), "retry 421", "message: 421");
}

#[test]
fn a_2xx_to_the_final_dot_is_sent() {
    check_script(Script::default(), patient(), &mail(), "sent", "250 2.0.0 queued as 0-1", 1);
    for at in [Greeting, Hello, Sender, Recipient, Data, After354, MidMessage, EndOfData] {
        let slow = Failure::new(at, How::Slow(Duration::from_millis(20)));
        check_script(Script::default().connection(0, slow), patient(), &mail(), "sent", "250", 1);
    }
    let multiline = garbage(EndOfData, b"250-2.0.0 queued\r\n250 as 7\r\n");
    check(multiline, "sent", "250 2.0.0 queued as 7");
}

#[test]
fn one_recipients_failure_touches_no_other() {
    let script = Script::default()
        .recipient("grey@example.com", [Failure::reply(Recipient, 451)])
        .recipient_always("gone@example.com", Failure::reply(Recipient, 550))
        .recipient_always("spam@example.com", Failure::reply(EndOfData, 554));
    let fake = FakeSmtp::start(script);
    let client = client(&fake);
    let recipients = ["a", "grey", "gone", "b", "spam", "grey", "gone", "c"];
    let outcomes: Vec<String> = block(async {
        let mut outcomes = Vec::new();
        for name in recipients {
            outcomes.push(brief(&client.send(&mail_to(&format!("{name}@example.com"))).await));
        }
        outcomes
    });
    let expected = ["sent", "retry 451", "refused 550", "sent", "refused 554", "sent", "refused 550", "sent"];
    assert_eq!(outcomes, expected);
    assert_eq!(fake.connections(), 1);
    let taken: Vec<String> = fake.accepted().into_iter().flat_map(|mail| mail.envelope_to).collect();
    assert_eq!(taken, ["a@example.com", "b@example.com", "grey@example.com", "c@example.com"]);
}
