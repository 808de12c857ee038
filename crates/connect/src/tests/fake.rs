//! The fake server by itself: it refuses what real ones refuse.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use super::*;

/// Sends all lines at once, as PIPELINING allows, and compares the first three digits of each last reply line.
#[track_caller]
fn check(script: Script, lines: &str, expected: &[u16], taken: usize) {
    let fake = FakeSmtp::start(script);
    let mut stream = TcpStream::connect(fake.addr).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    stream.write_all(lines.as_bytes()).expect("sent");
    stream.shutdown(Shutdown::Write).expect("ended");
    let mut replies = Vec::new();
    // The server may close with our bytes unread, which resets the connection after its last word.
    let _ = stream.read_to_end(&mut replies);
    let text = String::from_utf8(replies).expect("UTF-8");
    let codes: Vec<u16> = text
        .split_terminator("\r\n")
        .filter(|line| line.as_bytes().get(3) == Some(&b' '))
        .map(|line| line[..3].parse().expect("a code"))
        .collect();
    assert_eq!(codes, expected, "{lines:?}: {text}");
    assert_eq!(fake.accepted().len(), taken);
}

#[test]
fn keeps_to_the_order_of_commands() {
    let plain = Script::default;
    let login = || Script::default().login("u", "p");
    check(plain(), "QUIT\r\n", &[220, 221], 0);
    check(plain(), "MAIL FROM:<a@b>\r\n", &[220, 503], 0);
    check(plain(), "EHLO\r\nEHLO me\r\nHELO me\r\n", &[220, 501, 250, 250], 0);
    check(plain(), "EHLO me\r\nRCPT TO:<a@b>\r\nDATA\r\n", &[220, 250, 503, 503], 0);
    check(plain(), "EHLO me\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\nDATA\r\n", &[220, 250, 250, 503, 503], 0);
    check(plain(), "EHLO me\r\nMAIL FROM:<a@b>\r\nRSET\r\nRCPT TO:<a@b>\r\n", &[220, 250, 250, 250, 503], 0);
    check(plain(), "EHLO me\r\nMAIL a@b\r\nMAIL FROM:<a@b> X=1\r\n", &[220, 250, 501, 555], 0);
    check(plain(), "EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<ab>\r\n", &[220, 250, 250, 501], 0);
    check(plain(), "MAKE TEA\r\nNOOP\r\nVRFY a\r\nehlo me\r\n", &[220, 500, 250, 252, 250], 0);
    check(plain(), "NOOP\nNOOP\r\n", &[220, 500, 250], 0);
    check(plain(), &format!("NOOP {}\r\nNOOP\r\n", "x".repeat(5000)), &[220, 500, 250], 0);
    check(plain(), "EHLO me\r\nSTARTTLS\r\nAUTH PLAIN AHUAcA==\r\n", &[220, 250, 503, 502], 0);
    check(login(), "EHLO me\r\nMAIL FROM:<a@b>\r\n", &[220, 250, 530], 0);
    check(login(), "EHLO me\r\nAUTH PLAIN AHUAcA==\r\nAUTH PLAIN AHUAcA==\r\n", &[220, 250, 235, 503], 0);
    check(login(), "EHLO me\r\nAUTH PLAIN AHUAeA==\r\nAUTH X\r\nAUTH PLAIN ?\r\n", &[220, 250, 535, 504, 501], 0);
    check(login(), "EHLO me\r\nAUTH LOGIN\r\ndQ==\r\ncA==\r\n", &[220, 250, 334, 334, 235], 0);
    let starttls = Script { tls: crate::fake::Tls::StartTls, ..plain() };
    check(starttls, "EHLO me\r\nMAIL FROM:<a@b>\r\n", &[220, 250, 530], 0);
}

#[test]
fn takes_pipelined_mail_and_refuses_bad_messages() {
    let with = |script: Script, data: &str, code: u16, taken: usize| {
        let lines = format!("EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n{data}");
        check(script, &lines, &[220, 250, 250, 250, 354, code], taken);
    };
    with(Script::default(), "A: b\r\n\r\n..x\r\n.\r\n", 250, 1);
    with(Script::default(), "A: b\n\r\n.\r\n", 521, 0);
    with(Script::default(), "A: b\r\n\r\nx\n.\r\nMAIL FROM:<evil@b>\r\n", 521, 0);
    with(Script::default(), "A: b\r\n\r\nx\ry\r\n.\r\n", 521, 0);
    with(Script { size_max: 10, ..Script::default() }, "A: bcdefghijk\r\n.\r\n", 552, 0);
    with(Script { eight_bit: false, ..Script::default() }, "A: é\r\n.\r\n", 554, 0);
    with(Script::default(), &format!("{}\r\n.\r\n", "x".repeat(999)), 554, 0);
    let beyond = Script { size_max: 10, ..Script::default() };
    check(beyond, "EHLO me\r\nMAIL FROM:<a@b> SIZE=11\r\n", &[220, 250, 552], 0);
}

#[test]
fn unstuffs_dots_and_reads_headers() {
    let fake = FakeSmtp::start(Script::default());
    let mut stream = TcpStream::connect(fake.addr).expect("a connection");
    let lines = "EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<c@d>\r\nDATA\r\nA: b\r\n c\r\n\r\n..\r\n...x\r\n.\r\nQUIT\r\n";
    stream.write_all(lines.as_bytes()).expect("sent");
    let mails = fake.wait_for(1, Duration::from_secs(20));
    assert_eq!(mails[0].header("a"), Some("b c"));
    assert_eq!(mails[0].body, b".\r\n..x\r\n");
    assert_eq!(mails[0].raw, b"A: b\r\n c\r\n\r\n.\r\n..x\r\n");
    assert_eq!(mails[0].envelope_from, "");
}

#[test]
fn refuses_connections_and_takes_them_again() {
    let fake = FakeSmtp::start(Script { refuses_connections: true, ..Script::default() });
    for listening in [false, true, false, true] {
        fake.set_listening(listening);
        assert_eq!(TcpStream::connect(fake.addr).is_ok(), listening);
    }
}

#[test]
fn fails_for_a_recipient_when_told_later() {
    let fake = FakeSmtp::start(Script::default());
    let client = client(&fake);
    fake.fail_next("dana@example.com", crate::fake::Failure::reply(crate::fake::Point::EndOfData, 451));
    block(async {
        assert_eq!(brief(&client.send(&mail()).await), "retry 451");
        assert_eq!(brief(&client.send(&mail()).await), "sent");
    });
}
