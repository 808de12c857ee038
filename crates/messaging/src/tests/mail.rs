//! From an entry to a real SMTP server and back: the outbox with `connect`'s client against its fake server.
use super::world::{LEASE_US, WEEK_US, World, draft, email};
use crate::commands::update_template;
use crate::outbox::{Claimed, Outcome, Settled};
use connect::fake::{Failure, FakeSmtp, How, Point, Script};
use connect::{Mail, Mailbox, SmtpClient, Timeouts};
use std::collections::HashSet;
use std::time::Duration;

struct Post {
    w: World,
    server: FakeSmtp,
    client: SmtpClient,
    runtime: tokio::runtime::Runtime,
}

impl Post {
    fn each(script: impl Fn() -> Script, story: impl Fn(Post)) {
        World::each(|w| {
            let server = FakeSmtp::start(script());
            let second = Duration::from_secs(10);
            let timeouts = Timeouts {
                pool: second,
                connect: second,
                command: second,
                before_data: second,
                data: second,
                final_reply: second,
                idle: second,
            };
            let options =
                connect::Options { timeouts, helo_name: Some("shop.example".into()), ..connect::Options::default() };
            let client = SmtpClient::new(server.url().parse().expect("a URL"), options).expect("a client");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let t = w.template("Hello {{ customer.first_name }}", "You looked at {{ event.product }}");
            w.rule(t);
            story(Post { w, server, client, runtime });
        });
    }
    fn send(&self, mail: &Claimed) -> connect::Outcome {
        let mail = Mail {
            from: "Kvitka <hello@shop.example>".parse().expect("an address"),
            bounce_to: None,
            to: Mailbox::parse_address(&mail.to).expect("an address"),
            subject: mail.subject.clone(),
            text: mail.text.clone(),
            html: mail.html.clone(),
            message_id: mail.message_id_header.clone(),
            headers: mail.headers.clone(),
            date_us: self.w.messages()[0].message.intended_at.micros(),
        };
        self.runtime.block_on(self.client.send(&mail))
    }
    /// What the server's loop does: claim, send, settle. Gives how many attempts were made.
    fn pump(&self) -> usize {
        self.w.expire();
        let batch = self.w.claim();
        for mail in &batch.claimed {
            let outcome = match self.send(mail) {
                connect::Outcome::Sent { reply } => Outcome::Sent { reply },
                connect::Outcome::Retry { reason, .. } => {
                    let wait = connect::backoff::delay(mail.attempt as u32, mail.message_id as u64);
                    Outcome::Retry { reason, after_us: wait.as_micros() as i64 }
                }
                connect::Outcome::Refused { reason, .. } => Outcome::Refused { reason },
                connect::Outcome::Unknown { reason } => Outcome::Unknown { reason },
            };
            assert!(matches!(self.w.settle(mail.message_id, mail.attempt, outcome).0, Settled::Now(_)));
        }
        batch.claimed.len()
    }
    fn enter(&mut self, people: std::ops::RangeInclusive<i64>) {
        for id in people {
            self.w.person(id);
            self.w.enter(id);
        }
    }
    /// Books and sink agree; ends the story.
    fn check(&self, statuses: &[&str], arrived: usize) {
        assert_eq!(self.w.statuses(), statuses);
        self.w.check();
        let mails = self.server.accepted();
        assert_eq!(mails.len(), arrived);
        let keys: HashSet<&str> = mails.iter().map(|m| m.message_id()).collect();
        assert_eq!(keys.len(), arrived, "two mails with one key");
        let totals = self.w.totals();
        assert!(arrived as i64 <= totals.sent + totals.unknown);
        assert_eq!(totals.intended as usize, statuses.len());
    }
}

#[test]
fn entering_a_segment_sends_a_mail_to_a_real_server() {
    // [E1] [CONVENTIONS 3]
    Post::each(Script::default, |mut p| {
        p.enter(1..=3);
        assert_eq!(p.pump(), 3);
        assert_eq!(p.pump(), 0);
        let mail = p.server.accepted().remove(0);
        assert_eq!((mail.envelope_to[0].as_str(), mail.subject().as_str()), ("olena1@example.com", "Hello Olena1"));
        let text = mail.text().unwrap_or_default();
        assert!(text.contains("You looked at shoe-1") && text.contains("Відписатися"), "{text}");
        let link = mail.header("List-Unsubscribe").unwrap_or_default();
        assert!(link.starts_with("<https://shop.example/u/") && text.contains(link.trim_matches(['<', '>'])), "{link}");
        assert_eq!(mail.header("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
        assert!(!text.contains("olena1"), "a link holds no personal data");
        p.check(&["sent"; 3], 3);
    });
}

#[test]
fn no_consent_a_full_cap_and_who_left_get_nothing() {
    Post::each(Script::default, |mut p| {
        p.w.caps(0, "7d");
        p.enter(1..=1);
        p.pump();
        p.w.caps(3, "7d");
        p.enter(2..=4);
        p.w.consent(2, None);
        p.w.consent(3, Some(false));
        p.w.leave(4);
        p.enter(5..=5);
        p.pump();
        p.check(
            &["stopped cap_reached", "stopped no_consent", "stopped no_consent", "stopped left_segment", "sent"],
            1,
        );
    });
}

#[test]
fn a_template_that_changed_meanwhile_is_sent_as_it_is_now() {
    Post::each(Script::default, |mut p| {
        p.enter(1..=1);
        let template = p.w.messages()[0].message.template_id;
        let change = draft("Newer", "Newer text");
        p.w.try_write(move |tx| update_template(tx, template, &change, None)).expect("changed");
        p.pump();
        assert_eq!(p.server.accepted()[0].subject(), "Newer");
        p.check(&["sent"], 1);
    });
}

#[test]
fn what_the_server_put_off_is_tried_again_and_arrives_once() {
    let script = || {
        let later = |at| Failure::reply(at, 451);
        Script::default().recipient(&email(1), [later(Point::Recipient), later(Point::Data), later(Point::EndOfData)])
    };
    Post::each(script, |mut p| {
        p.enter(1..=2);
        p.pump();
        assert_eq!(p.w.statuses(), ["pending retry", "sent"]);
        assert_eq!(p.pump(), 0, "not before its time");
        for _ in 0..3 {
            p.w.clock.advance(60 * base::SECOND_US);
            assert_eq!(p.pump(), 1);
        }
        assert_eq!(p.w.messages()[0].message.attempts, 4);
        p.check(&["sent", "sent"], 2);
    });
}

#[test]
fn what_never_reached_data_is_tried_again() {
    let script =
        || Script::default().recipient(&email(1), [Failure::drop(Point::Recipient), Failure::drop(Point::Data)]);
    Post::each(script, |mut p| {
        p.server.set_listening(false);
        p.enter(1..=1);
        for _ in 0..3 {
            assert_eq!(p.pump(), 1);
            assert_eq!(p.w.statuses(), ["pending retry"]);
            p.server.set_listening(true);
            p.w.clock.advance(60 * base::SECOND_US);
        }
        p.pump();
        p.check(&["sent"], 1);
    });
}

#[test]
fn what_the_server_refused_is_not_tried_again() {
    let script = || {
        Script::default()
            .recipient(&email(1), [Failure::reply(Point::Recipient, 550)])
            .recipient(&email(2), [Failure::reply(Point::EndOfData, 554)])
    };
    Post::each(script, |mut p| {
        p.enter(1..=3);
        p.pump();
        p.w.clock.advance(WEEK_US);
        assert_eq!(p.pump(), 0);
        assert!(p.w.messages()[0].message.why.contains("RCPT TO: 550"), "{}", p.w.messages()[0].message.why);
        p.check(&["refused refused", "refused refused", "sent"], 1);
    });
}

#[test]
fn a_connection_lost_after_354_is_unknown_and_never_repeated() {
    // [DESIGN 5] whether the server kept the mail or not
    let script = || {
        Script::default()
            .recipient(&email(1), [Failure::drop(Point::After354)])
            .recipient(&email(2), [Failure::drop(Point::MidMessage)])
            .recipient(&email(3), [Failure::drop(Point::EndOfData)])
            .recipient(&email(4), [Failure::new(Point::EndOfData, How::AcceptThenDrop)])
            .recipient(&email(5), [Failure::garbage(Point::EndOfData)])
    };
    Post::each(script, |mut p| {
        p.w.caps(1, "7d");
        p.enter(1..=6);
        p.pump();
        for _ in 0..3 {
            p.w.clock.advance(LEASE_US);
            assert_eq!(p.pump(), 0);
        }
        // It counts against the cap and against `once`.
        p.w.enter(1);
        p.pump();
        let mut statuses = ["unknown connection_lost"; 7];
        (statuses[5], statuses[6]) = ("sent", "stopped once");
        p.check(&statuses, 2);
    });
}

#[test]
fn a_crash_between_acceptance_and_commit_is_unknown_after_the_restart() {
    Post::each(Script::default, |mut p| {
        p.enter(1..=2);
        let mails = p.w.claim().claimed;
        assert!(matches!(p.send(&mails[0]), connect::Outcome::Sent { .. }));
        // The mail is out, its answer is here, and the program dies before it can be committed.
        p.w.crash();
        assert_eq!(p.pump(), 0);
        p.w.clock.advance(WEEK_US);
        assert_eq!(p.pump(), 0);
        p.w.enter(1);
        p.enter(3..=3);
        p.pump();
        p.check(&["unknown lease_expired", "unknown lease_expired", "stopped once", "sent"], 2);
    });
}

#[test]
fn one_recipients_trouble_is_nobody_elses() {
    // [LESSONS 18] one 5xx does not abort a batch; [LESSONS 30] all end somewhere
    let script = || {
        let failures = [
            Failure::reply(Point::Recipient, 550),
            Failure::reply(Point::EndOfData, 451),
            Failure::drop(Point::After354),
        ];
        let mut script = Script::default();
        for (at, failure) in failures.into_iter().cycle().take(20).enumerate() {
            script = script.recipient(&email(2 * at as i64 + 1), [failure]);
        }
        script
    };
    Post::each(script, |mut p| {
        p.enter(1..=40);
        p.pump();
        p.w.clock.advance(LEASE_US);
        p.pump();
        let totals = p.w.totals();
        assert_eq!((totals.intended, totals.sent, totals.refused, totals.unknown), (40, 27, 7, 6));
        assert_eq!(p.server.accepted().len(), 27);
        p.w.check();
    });
}
