//! The rules of reviews.
use super::*;
use crate::states::reviews::{Action, Guard};
use crate::states::{Machine, step};

#[test]
fn means_have_two_decimals_and_spreads_are_exact() {
    // [AA5] [P3]
    assert_eq!(Rating::default().mean(), None);
    for (stars, mean) in [
        ([0, 0, 0, 0, 1], "5.00"),
        ([0, 0, 0, 1, 2], "4.67"),
        ([1, 0, 0, 0, 1], "3.00"),
        ([0, 0, 0, 3, 1], "4.25"),
        ([5, 0, 0, 0, 3], "2.50"),
        // 1.005 is rounded up.
        ([199, 1, 0, 0, 0], "1.01"),
    ] {
        assert_eq!(Rating { stars }.mean().as_deref(), Some(mean), "{stars:?}");
    }
    let moved = Rating::default().moved(5, 1).moved(3, 1).moved(3, 1).moved(5, -1).moved(6, 1).moved(0, 1);
    assert_eq!((moved.stars, moved.count()), ([0, 0, 2, 0, 0], 2), "six stars and none are nothing");
}

#[test]
fn only_what_the_shop_trusts_is_shown_unread() {
    let of = |publish_from| ReviewSettings { publish_from, ..ReviewSettings::default() };
    assert!((1..=5).all(|n| !is_trusted(&of(0), n)), "by a person, always");
    let shown: Vec<i64> = (1..=5).filter(|n| is_trusted(&of(4), *n)).collect();
    assert_eq!(shown, [4, 5]);
}

#[test]
fn every_step_is_in_the_table_or_refused_with_what_would_be_possible() {
    use State::*;
    assert_eq!(step(Awaiting, Action::Publish, &[]), Ok(Published));
    assert_eq!(step(Published, Action::Rewrite, &[Guard::Trusted]), Ok(Published));
    assert_eq!(step(Published, Action::Rewrite, &[]), Ok(Awaiting));
    assert_eq!(step(Rejected, Action::Rewrite, &[Guard::Trusted]), Ok(Awaiting), "once rejected, it is read first");
    assert_eq!(step(Rejected, Action::Publish, &[]), Ok(Published));
    let refused = step(Awaiting, Action::Reject, &[]).expect_err("without a reason");
    assert!(refused.to_string().contains("reason"), "{refused}");
    let refused = step(Published, Action::Publish, &[]).expect_err("it is published");
    assert!(refused.possible.iter().any(|(action, _)| *action == "reject"));
    let sources: Vec<_> = State::TABLE.iter().map(|r| r.from).collect();
    assert!([Awaiting, Published, Rejected].iter().all(|s| sources.contains(s)), "nothing is a dead end");
}

#[test]
fn what_is_written_has_bounds() {
    let good =
        Written { rating: 5, title: " Good ".into(), text: "a\nb".into(), name: "Olena".into(), lang: "uk".into() };
    let kept = check(&good).expect("it is kept");
    assert_eq!((kept.title.as_str(), kept.text.as_str()), ("Good", "a\nb"));
    let refused = |written: Written| match check(&written) {
        Err(OrderError::Field { pointer, .. }) => pointer,
        other => panic!("{other:?}"),
    };
    for rating in [i64::MIN, 0, 6] {
        assert_eq!(refused(Written { rating, ..good.clone() }), "/rating");
    }
    assert_eq!(refused(Written { text: "я".repeat(TEXT_MAX + 1), ..good.clone() }), "/text");
    assert!(
        check(&Written { text: "я".repeat(TEXT_MAX), ..good.clone() }).is_ok(),
        "characters are counted, not bytes"
    );
    assert_eq!(refused(Written { title: "a\nb".into(), ..good.clone() }), "/title");
    assert_eq!(refused(Written { name: "n".repeat(NAME_MAX + 1), ..good.clone() }), "/name");
    assert_eq!(refused(Written { text: "a\u{0}".into(), ..good.clone() }), "/text");
    assert_eq!(refused(Written { lang: "<b>".into(), ..good }), "/lang");
}
