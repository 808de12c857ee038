use super::*;
use proptest::prelude::*;
use serde_json::json;

fn ua() -> Country {
    Country::find("UA")
}

#[test]
fn contacts_are_masked_wherever_they_stand() {
    let hidden = [
        "write to olena.k+shop@example.com today",
        "call 067 123 45 67, please",
        "call +38 (067) 123-45-67",
        "380671234567",
        "0671234567",
        "https://shop.ua/?email=olena.k%40example.com&x=1",
        "https://shop.ua/?tel=%2B380671234567",
        "+442079460018",
        "0044 20 7946 0018",
        "tel:+380671234567",
    ];
    for text in hidden {
        let shown = mask_text(text, ua());
        for secret in ["olena.k", "1234567", "123 45 67", "123-45-67", "79460018", "7946 0018"] {
            assert!(!shown.contains(secret), "{text} -> {shown}");
        }
        assert_ne!(shown, text);
    }
}

#[test]
fn what_is_no_contact_stays() {
    let plain = [
        "2026-11-22T14:31:08.123456Z",
        "2026-11-22 08:15:00+02:00",
        "order 100045",
        "4820024700016",
        "019ab1c2-3d4e-7f50-8a61-b2c3d4e5f607",
        "1763820000000",
        "12 990,00 грн",
        "user @ home",
        "a@b",
        "count(\"Order Completed\") >= 3 in last 30 days",
    ];
    for text in plain {
        assert_eq!(mask_text(text, ua()), text);
    }
}

#[test]
fn json_is_masked_by_key_and_by_look() {
    let mut value = json!({
        "email": "ann@example.com",
        "phone": "7911 123",
        "person_id": "380671234567",
        "message_id": "0671234567",
        "identifiers": [{"kind": "phone", "value": "+380671234567"}, {"kind": "loyalty_card", "value": "2900001"},
            {"kind": "user_id", "value": "ann@example.com"}],
        "traits": {"Phone Number": 380671234567i64, "deep": {"x": ["ann@example.com", 7]}},
        "consents": [{"channel": "sms", "address": "671234567", "state": "granted"}],
        "raw": "{\"traits\":{\"phone\":\"671234567\"}}",
        "revenue": [{"minor": 380671234567i64, "currency": "UAH"}],
        "summary": "ann@example.com bought",
    });
    mask_value(&mut value, ua());
    let text = value.to_string();
    for secret in ["ann@", "7911 123", "\"671234567\"", "+380671234567"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert_eq!(value["person_id"], "380671234567");
    assert_eq!(value["message_id"], "0671234567");
    assert_eq!(value["identifiers"][1]["value"], "2900001");
    assert_eq!(value["consents"][0]["state"], "granted");
    assert_eq!(value["email"], "a•••@example.com");
}

#[test]
fn settings_that_only_speak_of_contacts_stay() {
    let plain = json!({"channel": "email", "name": "Email welcome", "channels": ["email", "sms"], "kind": "phone",
        "identifier": {"kind": "email", "count": 3}, "email_sent": 12, "has_phone": true});
    let mut value = plain.clone();
    mask_value(&mut value, ua());
    assert_eq!(value, plain);
}

#[test]
fn what_is_too_deep_is_left_out() {
    let mut value = json!("ann@example.com");
    for _ in 0..100 {
        value = json!([value]);
    }
    mask_value(&mut value, ua());
    assert!(!value.to_string().contains("ann@"));
}

proptest! {
    #[test]
    fn nothing_panics_and_masking_twice_changes_nothing_more(text in any::<String>()) {
        let once = mask_text(&text, ua());
        prop_assert_eq!(mask_text(&once, ua()), once.clone());
    }

    #[test]
    fn a_phone_never_shows_between_other_words(digits in "[3-9][0-9]{8}", before in "[а-яa-z ,;:]{0,8}", after in "[ ,;!?а-я]{0,8}") {
        for phone in [format!("+380{digits}"), format!("0{digits}"), format!("380{digits}")] {
            let shown = mask_text(&format!("{before} {phone} {after}"), ua());
            prop_assert!(!shown.contains(&digits), "{}", shown);
        }
    }

    #[test]
    fn an_address_never_shows(name in "[a-z]{3,10}[0-9]{0,3}", host in "[a-z]{2,8}\\.[a-z]{2,3}", around in "[ ,;<>()\"]{0,3}") {
        let shown = mask_text(&format!("{around}{name}@{host}{around}"), ua());
        let full = format!("{name}@{host}");
        prop_assert!(!shown.contains(&full), "{}", shown);
    }
}
