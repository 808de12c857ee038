//! Kept connections: used again, replaced once, never more than allowed.

use super::*;
use crate::fake::{Failure, How, Point};

/// Sends `count` mails one after the other; gives their outcomes and the number of connections made.
fn in_a_row(script: Script, count: usize) -> (Vec<String>, usize) {
    let fake = FakeSmtp::start(script);
    let client = client(&fake);
    let outcomes = block(async {
        let mut outcomes = Vec::new();
        for _ in 0..count {
            outcomes.push(brief(&client.send(&mail()).await));
        }
        outcomes
    });
    (outcomes, fake.connections())
}

#[track_caller]
fn check(script: Script, expected: &[&str], connections: usize) {
    let (outcomes, made) = in_a_row(script, expected.len());
    assert_eq!((outcomes.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), made), (expected, connections));
}

#[test]
fn uses_a_connection_again_after_rset() {
    let fake = FakeSmtp::start(Script::default());
    let client = client(&fake);
    block(async {
        assert_eq!(brief(&client.send(&mail()).await), "sent");
        assert_eq!(brief(&client.send(&mail()).await), "sent");
        client.close().await;
    });
    let from = format!("MAIL FROM:<shop@example.com> SIZE={}", fake.accepted()[0].raw.len());
    let envelope = [from.as_str(), "RCPT TO:<dana@example.com>", "DATA"];
    let expected = [&["EHLO test.example.com"], &envelope[..], &["RSET"], &envelope[..], &["QUIT"]].concat();
    assert_eq!(fake.commands(0), expected);
    assert_eq!(fake.connections(), 1);
}

#[test]
fn replaces_a_dead_connection_once_and_silently() {
    let dead_at = |at| Script::default().connection(0, Failure::drop(at).after_mails(1));
    check(Script { closes_after_mails: Some(1), ..Script::default() }, &["sent", "sent", "sent"], 3);
    check(dead_at(Point::Reset), &["sent", "sent"], 2);
    check(dead_at(Point::Sender), &["sent", "sent"], 2);
    let closing = |at| Script::default().connection(0, Failure::reply(at, 421).after_mails(1));
    check(closing(Point::Reset), &["sent", "sent"], 2);
    check(closing(Point::Sender), &["sent", "sent"], 2);
    let broken = Script::default().connection(0, Failure::garbage(Point::Reset).after_mails(1));
    check(broken, &["sent", "sent"], 2);
    // Once only: the new one is dead too.
    check(dead_at(Point::Sender).connection(1, Failure::drop(Point::Sender)), &["sent", "retry", "sent"], 3);
}

#[test]
fn replaces_nothing_once_the_server_has_answered_mail() {
    let after_first = |failure: Failure| Script::default().connection(0, failure.after_mails(1));
    check(after_first(Failure::drop(Point::Recipient)), &["sent", "retry"], 1);
    check(after_first(Failure::drop(Point::EndOfData)), &["sent", "unknown", "sent"], 2);
    check(after_first(Failure::reply(Point::Sender, 451)), &["sent", "retry 451", "retry 451"], 1);
    check(after_first(Failure::reply(Point::Sender, 550)), &["sent", "refused 550"], 1);
}

#[test]
fn keeps_no_connection_that_may_be_out_of_step() {
    let of_dana = |failure| Script::default().recipient("dana@example.com", [failure]);
    check(of_dana(Failure::garbage(Point::EndOfData)), &["unknown", "sent"], 2);
    check(of_dana(Failure::reply(Point::Data, 250)), &["retry 250", "sent"], 2);
    check(of_dana(Failure::reply(Point::EndOfData, 421)), &["retry 421", "sent"], 2);
    check(of_dana(Failure::reply(Point::EndOfData, 451)), &["retry 451", "sent"], 1);
}

#[test]
fn drops_a_connection_that_was_unused_too_long() {
    let fake = FakeSmtp::start(Script::default());
    let client = client_with(&fake, options(Timeouts { idle: Duration::ZERO, ..patient() }));
    block(async {
        assert_eq!(brief(&client.send(&mail()).await), "sent");
        assert_eq!(brief(&client.send(&mail()).await), "sent");
    });
    assert_eq!(fake.connections(), 2);
}

#[test]
fn opens_no_more_connections_than_allowed() {
    let slow = Failure::new(Point::EndOfData, How::Slow(Duration::from_millis(10)));
    let fake = FakeSmtp::start(Script::default().every_connection(slow));
    let client = client_with(&fake, Options { pool_size: 3, ..options(patient()) });
    let mail = mail();
    block(async {
        let mut sends: Vec<_> = (0..20).map(|_| Box::pin(client.send(&mail))).collect();
        let mut left = sends.len();
        // A join of ours: polls all until each has ended.
        std::future::poll_fn(|context| {
            sends.retain_mut(|send| match send.as_mut().poll(context) {
                std::task::Poll::Ready(outcome) => {
                    assert_eq!(brief(&outcome), "sent");
                    left -= 1;
                    false
                }
                std::task::Poll::Pending => true,
            });
            if left == 0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    });
    assert_eq!(fake.accepted().len(), 20);
    assert_eq!(fake.connections(), 3);
}

#[test]
fn waits_for_a_free_connection_only_so_long() {
    let fake = FakeSmtp::start(Script::default().every_connection(Failure::hang(Point::Greeting)));
    let timeouts = Timeouts { pool: SHORT / 4, command: SHORT, ..patient() };
    let client = client_with(&fake, Options { pool_size: 1, ..options(timeouts) });
    let mail = mail();
    let (first, second) = block(async { tokio::join!(client.send(&mail), client.send(&mail)) });
    assert_eq!(reason(&first), "greeting: timed out");
    assert_eq!(reason(&second), "waiting for a free connection: timed out");
    assert_eq!((brief(&first), brief(&second)), ("retry".to_owned(), "retry".to_owned()));
}

#[test]
fn a_dropped_attempt_takes_its_connection_with_it() {
    let fake = FakeSmtp::start(Script::default().recipient("dana@example.com", [Failure::hang(Point::EndOfData)]));
    let client = client_with(&fake, Options { pool_size: 1, ..options(patient()) });
    block(async {
        assert!(tokio::time::timeout(SHORT, client.send(&mail())).await.is_err());
        assert_eq!(brief(&client.send(&mail()).await), "sent");
    });
    assert_eq!(fake.connections(), 2);
}

#[test]
fn an_attempt_can_move_between_threads() {
    fn check<T: Send>(_: &T) {}
    let fake = FakeSmtp::start(Script::default());
    let (client, mail) = (client(&fake), mail());
    check(&client.send(&mail));
}
