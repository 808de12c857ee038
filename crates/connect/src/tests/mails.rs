//! What a mail looks like to its receiver, and what is never sent.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::MailError;
use crate::smtp::{MailboxError, REFUSED_HERE};

#[test]
fn arrives_with_all_that_was_given() {
    let unsubscribe = "<https://shop.example.com/u/0123456789abcdef>, <mailto:unsub+0123456789abcdef@shop.example.com>";
    let given = Mail {
        from: "Крамниця \"Ялинка\" <shop@example.com>".parse().expect("a mailbox"),
        bounce_to: Some("b+token@bounce.example.com".parse().expect("a mailbox")),
        to: "\"Roe, Dana\" <dana@example.com>".parse().expect("a mailbox"),
        subject: "Знижка −20 % на все взуття цього тижня: зайдіть і приміряйте 👟".to_owned(),
        text: "Вітаємо, Дано!\n.\n..\n".to_owned(),
        html: Some("<p>Вітаємо, <b>Дано</b>!</p>".to_owned()),
        headers: vec![
            ("List-Unsubscribe".to_owned(), unsubscribe.to_owned()),
            ("List-Unsubscribe-Post".to_owned(), "List-Unsubscribe=One-Click".to_owned()),
            ("X-Campaign".to_owned(), "Осінь".to_owned()),
        ],
        ..mail()
    };
    let (outcome, fake) = send(Script { eight_bit: false, ..Script::default() }, &given);
    assert_eq!(brief(&outcome), "sent", "{outcome:?}");
    let taken = fake.accepted().remove(0);
    assert_eq!(taken.envelope_from, "b+token@bounce.example.com");
    assert_eq!(taken.envelope_to, ["dana@example.com"]);
    assert_eq!(taken.message_id(), given.message_id);
    assert_eq!(taken.subject(), given.subject);
    assert_eq!(taken.text().as_deref(), Some("Вітаємо, Дано!\r\n.\r\n..\r\n"));
    assert_eq!(taken.html().as_deref(), Some("<p>Вітаємо, <b>Дано</b>!</p>\r\n"));
    assert_eq!(taken.header("List-Unsubscribe"), Some(unsubscribe));
    assert_eq!(taken.header("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    assert_eq!(taken.header("To"), Some("\"Roe, Dana\" <dana@example.com>"));
    assert_eq!(taken.header("Date"), Some("Tue, 14 Nov 2023 22:13:20 +0000"));
    let text = String::from_utf8(taken.raw).expect("ASCII");
    assert!(text.is_ascii() && text.split("\r\n").all(|line| line.len() <= 98), "{text}");
}

#[test]
fn needs_smtputf8_only_for_addresses_beyond_ascii() {
    let given = Mail { to: Mailbox::parse_address("дана@приклад.укр").expect("an address"), ..mail() };
    let (outcome, fake) = send(Script::default(), &given);
    assert_eq!(brief(&outcome), format!("refused {REFUSED_HERE}"));
    assert!(reason(&outcome).contains("SMTPUTF8"), "{outcome:?}");
    assert!(fake.accepted().is_empty());
    let (outcome, fake) = send(Script { smtputf8: true, ..Script::default() }, &given);
    assert_eq!(brief(&outcome), "sent", "{outcome:?}");
    assert_eq!(fake.accepted()[0].envelope_to, ["дана@приклад.укр"]);
    assert_eq!(fake.accepted()[0].header("To"), Some("дана@приклад.укр"));
    // The connection is not at fault.
    let fake = FakeSmtp::start(Script::default());
    let client = client(&fake);
    block(async {
        assert_eq!(brief(&client.send(&given).await), "refused 0");
        assert_eq!(brief(&client.send(&mail()).await), "sent");
    });
    assert_eq!(fake.connections(), 1);
}

#[test]
fn the_server_says_what_is_too_big() {
    let given = Mail { text: "word ".repeat(1000), ..mail() };
    let (outcome, _fake) = send(Script { size_max: 2000, ..Script::default() }, &given);
    assert_eq!(brief(&outcome), "refused 552");
}

/// Changes a good mail; it must be refused for this reason before any connection is made.
#[track_caller]
fn check_refused(change: impl FnOnce(&mut Mail), expected: &MailError) {
    let mut given = mail();
    change(&mut given);
    assert_eq!(given.check().as_ref(), Err(expected));
    let (outcome, fake) = send(Script::default(), &given);
    assert_eq!(outcome, Outcome::Refused { reason: expected.to_string(), code: REFUSED_HERE });
    assert_eq!(fake.connections(), 0);
}

#[test]
fn refuses_what_could_add_a_header_a_command_or_a_recipient() {
    let control = |name: &str| MailError::ControlCharacter { name: name.to_owned() };
    for evil in ["x\r\nBcc: all@example.com", "x\nBcc: a@b", "x\rBcc: a@b", "x\0", "x\u{85}y", "x\u{7f}"] {
        let header = |name: &str| (name.to_owned(), evil.to_owned());
        check_refused(|mail| mail.subject = evil.to_owned(), &control("Subject"));
        check_refused(|mail| mail.headers = vec![header("List-Id")], &control("List-Id"));
        check_refused(|mail| mail.headers = vec![(evil.to_owned(), "y".to_owned())], &MailError::HeaderName);
        check_refused(|mail| mail.message_id = format!("{evil}@example.com"), &MailError::MessageId);
        check_refused(|mail| mail.from.name = Some(evil.to_owned()), &MailboxError::Name.into());
        check_refused(|mail| mail.to.address = format!("{evil}@b"), &MailboxError::Character.into());
        check_refused(|mail| mail.to.address = format!("a@{evil}"), &MailboxError::Character.into());
    }
    for (address, why) in [
        ("a@b> SIZE=1", MailboxError::Character),
        ("a>\r\nRCPT TO:<c@d", MailboxError::Character),
        ("a@b,c@d", MailboxError::Character),
        ("a b@c", MailboxError::Character),
        ("\"a b\"@c", MailboxError::Character),
        ("a", MailboxError::Shape),
        ("@b", MailboxError::Shape),
        ("a@", MailboxError::Shape),
        ("", MailboxError::Shape),
    ] {
        let mailbox = Mailbox { name: None, address: address.to_owned() };
        check_refused(|mail| mail.to = mailbox.clone(), &why.into());
        check_refused(|mail| mail.from = mailbox.clone(), &why.into());
        check_refused(|mail| mail.bounce_to = Some(mailbox), &why.into());
    }
    check_refused(|mail| mail.to.address = format!("{}@b", "a".repeat(65)), &MailboxError::TooLong.into());
    for name in ["From", "bcc", "Content-Type", "message-id", "Date"] {
        let reserved = MailError::ReservedHeader { name: name.to_owned() };
        check_refused(|mail| mail.headers = vec![(name.to_owned(), "x".to_owned())], &reserved);
    }
    for name in ["", "a:b", "a b", "é"] {
        check_refused(|mail| mail.headers = vec![(name.to_owned(), "x".to_owned())], &MailError::HeaderName);
    }
    let too_long = MailError::TooLong { name: "List-Id".to_owned() };
    check_refused(|mail| mail.headers = vec![("List-Id".to_owned(), "x".repeat(999))], &too_long);
    for id in ["", "x", "<x@y", "a@b@c", "a b@c", "a@", "@b"] {
        check_refused(|mail| mail.message_id = id.to_owned(), &MailError::MessageId);
    }
    check_refused(|mail| mail.date_us = i64::MAX, &MailError::Date);
}

/// What a body is to the receiver: the same lines, ended by CRLF each.
fn as_received(body: &str) -> String {
    let lines = body.replace("\r\n", "\n").replace('\r', "\n");
    let ended = if lines.is_empty() || lines.ends_with('\n') { lines } else { lines + "\n" };
    ended.replace('\n', "\r\n")
}

#[test]
fn any_text_comes_through_unchanged() {
    let fake = FakeSmtp::start(Script { eight_bit: false, ..Script::default() });
    let client = client(&fake);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // Texts of any characters seldom have what is special to SMTP and MIME, so half are made of just that.
    let special = "(\\.|\r\n|\n|\r| |=|From |\t|--=_braid_0|-|a|é|👟|[a-z .]{70,80}){0,40}";
    let text = || prop_oneof![any::<String>(), special.prop_map(|text| text)];
    let taken = std::cell::Cell::new(0);
    let cases = (text(), proptest::option::of(text()), "\\PC{0,120}");
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(300) });
    let result = runner.run(&cases, |(text, html, subject)| {
        let given = Mail { text, html, subject, ..mail() };
        let outcome = runtime.block_on(client.send(&given));
        prop_assert_eq!(brief(&outcome), "sent", "{:?}", outcome);
        let received = fake.accepted().pop().expect("a mail");
        prop_assert_eq!(received.text(), Some(as_received(&given.text)));
        prop_assert_eq!(received.html(), given.html.as_deref().map(as_received));
        prop_assert_eq!(received.subject(), given.subject.trim());
        prop_assert!(received.raw.split(|b| *b == b'\n').all(|line| line.len() <= 200));
        taken.set(taken.get() + 1);
        Ok(())
    });
    result.expect("every text comes through");
    assert_eq!(fake.accepted().len(), taken.get());
    assert_eq!(fake.connections(), 1);
}

#[test]
fn reads_mailboxes() {
    let check = |text: &str, expected: Result<(Option<&str>, &str), MailboxError>| {
        let seen = text.parse::<Mailbox>().map(|mailbox| (mailbox.name, mailbox.address));
        assert_eq!(seen, expected.map(|(name, address)| (name.map(str::to_owned), address.to_owned())), "{text}");
    };
    check("a@b.example", Ok((None, "a@b.example")));
    check(" <a@b> ", Ok((None, "a@b")));
    check("Shop <a@b>", Ok((Some("Shop"), "a@b")));
    check("\"Shop \\\"X\\\", Inc.\" <a@b>", Ok((Some("Shop \"X\", Inc."), "a@b")));
    check("O'Neil+tag..x@b", Ok((None, "O'Neil+tag..x@b")));
    check("\"Shop <a@b>", Err(MailboxError::Shape));
    check("Shop a@b>", Err(MailboxError::Shape));
    check("Shop <a@b", Err(MailboxError::Character));
    check("a\r\n <a@b>", Err(MailboxError::Name));
    assert_eq!(format!("{:?}", Mailbox::parse_address("a@b").expect("an address")), "Mailbox([redacted])");
}
