use super::needles::Needles;
use super::requests::State;
use super::retained::stripped;
use base::Timestamp;
use proptest::prelude::*;

fn needles() -> Needles {
    let mut out = Needles::default();
    out.add("email", "ann@example.com");
    out.add("phone", "+380671112233");
    out.add("user_id", "17");
    out.add_name("Анна Коваль");
    out
}

#[test]
fn a_person_is_found_however_it_is_written() {
    let needles = needles();
    for text in [
        r#"{"email":"Ann@Example.com"}"#,
        "tel. (067) 111-22-33, evening",
        r#"{"userId":"17"}"#,
        "17",
        "АННА КОВАЛЬ",
        r#"{"name":"\u0410\u043d\u043d\u0430 \u041a\u043e\u0432\u0430\u043b\u044c"}"#,
    ] {
        assert!(needles.hit(text), "{text}");
    }
    for text in [r#"{"total":17}"#, r#"{"userId":"170"}"#, "joann@example.co", "067 111 22 3 x 3", "Коваль"] {
        assert!(!needles.hit(text), "{text}");
    }
}

#[test]
fn a_receipt_keeps_money_and_numbers_only() {
    let item = r#"{"type":"track","messageId":"m","event":"Order Completed","userId":"17","context":{"ip":"1.2.3.4"},
        "properties":{"order_id":"R-1","total":12.5,"currency":"UAH","note":"for Ann","email":"ann@example.com",
        "receipt_id":"+380671112233","products":[{"sku":"S","price":12.5,"engraving":"Ann"}]}}"#;
    let at = Timestamp::from_civil(2026, 11, 22, 12, 0, 0);
    let kept = stripped(item, at, &|text| needles().hit(text)).expect("an event");
    let kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    let wanted = serde_json::json!({"type": "track", "messageId": "m", "event": "Order Completed", "timestamp": at.to_string(),
        "properties": {"order_id": "R-1", "total": 12.5, "currency": "UAH", "products": [{"sku": "S", "price": 12.5}]}});
    assert_eq!(kept, wanted);
    assert_eq!(stripped("[]", at, &|_| false), None);
}

#[test]
fn a_request_goes_its_way_and_ends() {
    use State::{Done, Received, Refused, Running, Verified};
    let all = [Received, Verified, Running, Done, Refused];
    let allowed: Vec<(State, State)> =
        all.into_iter().flat_map(|a| all.map(|b| (a, b))).filter(|(a, b)| a.may_become(*b)).collect();
    let wanted = [
        (Received, Verified),
        (Received, Refused),
        (Verified, Running),
        (Verified, Done),
        (Verified, Refused),
        (Running, Done),
        (Running, Refused),
    ];
    assert_eq!(allowed, wanted);
    for state in all {
        assert_eq!(State::parse(state.as_str()), Some(state));
    }
}

proptest! {
    #[test]
    fn nothing_that_is_searched_panics(text in ".{0,200}") {
        let _ = needles().hit(&text);
        let _ = stripped(&text, Timestamp::default(), &|_| false);
    }

    #[test]
    fn a_telephone_is_found_with_any_marks_between(marks in proptest::collection::vec("[ ().-]{0,2}", 9)) {
        let written: String = "671112233".chars().zip(marks).map(|(d, m)| format!("{d}{m}")).collect();
        let text = format!("x{written}x");
        prop_assert!(needles().hit(&text));
    }
}
