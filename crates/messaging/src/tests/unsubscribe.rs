//! Links of one-click unsubscribing.
use super::world::{World, shop};
use crate::unsubscribe::{self, Secret, message_of, token, verify};
use proptest::prelude::*;

#[test]
fn a_token_names_a_message_and_cannot_be_forged() {
    // [CONVENTIONS 3] the URI alone identifies recipient and list and is hard to forge
    let secret = Secret::new([7; 32]);
    let made = token(&secret, 12, "olena@example.com", "marketing");
    assert_eq!(made.len(), 54);
    assert!(made.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    assert_eq!(message_of(&made), Some(12));
    assert!(verify(&secret, &made, 12, "olena@example.com", "marketing"));
    assert!(!verify(&secret, &made, 13, "olena@example.com", "marketing"));
    assert!(!verify(&secret, &made, 12, "olena@example.co", "mmarketing"));
    assert!(!verify(&secret, &made, 12, "olena@example.com", "service"));
    assert!(!verify(&Secret::new([8; 32]), &made, 12, "olena@example.com", "marketing"));
    assert_eq!(format!("{secret:?}"), "[redacted]");
    let url = unsubscribe::url(&shop(), &made);
    assert_eq!(url, format!("https://shop.example/u/{made}"));
    let headers = unsubscribe::headers(&url);
    assert_eq!(headers[0].1, format!("<{url}>"));
    assert_eq!(headers[1].1, "List-Unsubscribe=One-Click");
}

proptest! {
    #[test]
    fn no_other_token_passes(text in "\\PC{0,80}", id: i64) {
        let secret = Secret::new([7; 32]);
        prop_assert!(!verify(&secret, &text, id, "olena@example.com", "marketing"));
        let mut made = token(&secret, id, "olena@example.com", "marketing");
        prop_assert_eq!(message_of(&made), Some(id));
        let at = (id.unsigned_abs() % 52) as usize;
        let other = if made.as_bytes()[at] == b'A' { "B" } else { "A" };
        made.replace_range(at..=at, other);
        prop_assert!(!verify(&secret, &made, id, "olena@example.com", "marketing"));
    }
}

#[test]
fn a_link_revokes_the_consent_of_the_address_that_got_the_mail() {
    // [LESSONS 33] GET changes nothing, POST revokes, idempotent
    World::each(|mut w| {
        let t = w.template("Hi", "Leave: {{ links.unsubscribe }}");
        w.rule(t);
        w.person(1);
        w.enter(1);
        let mail = w.claim().claimed.remove(0);
        let url = mail.headers[0].1.trim_matches(['<', '>']).to_string();
        assert!(mail.text.contains(&url) && mail.text.matches("/u/").count() == 1, "{}", mail.text);
        let token = url.rsplit('/').next().unwrap_or_default().to_string();
        for _ in 0..2 {
            let token = token.clone();
            let found = w.try_write(move |tx| unsubscribe::unsubscribe(tx, &token)).expect("ours");
            assert_eq!((found.message_id, found.profile_id), (mail.message_id, 1));
            assert_eq!(
                (found.address.as_str(), found.purpose.as_str(), found.channel.as_str()),
                ("olena1@example.com", "marketing", "email")
            );
        }
        let read = token.clone();
        let shown = w.store().read(move |tx| unsubscribe::find(tx, &read)).expect("ours");
        assert_eq!(shown.message_id, mail.message_id);
        let swapped: String = token.chars().rev().collect();
        for bad in ["", "x", "AAAAAAAAAAAAAAAAAAAA", &swapped] {
            let bad = bad.to_string();
            let error = w.try_write(move |tx| unsubscribe::find(tx, &bad)).expect_err("not ours");
            assert_eq!(error.code(), "bad_unsubscribe_link");
        }
    });
}
