use crate::*;
use proptest::prelude::*;

#[test]
fn times_as_people_write_them() {
    let cases = [
        ("2026-11-22T14:31:08Z", Some("2026-11-22T14:31:08.000000Z")),
        ("2026-11-22T14:31:08.1234567Z", Some("2026-11-22T14:31:08.123456Z")),
        ("2026-11-22 16:31:08+02:00", Some("2026-11-22T14:31:08.000000Z")),
        ("2026-11-22T16:31:08+0200", Some("2026-11-22T14:31:08.000000Z")),
        ("2026-11-22", Some("2026-11-22T00:00:00.000000Z")),
        ("2024-02-29T00:00:00Z", Some("2024-02-29T00:00:00.000000Z")),
        ("2026-02-29T00:00:00Z", None),
        ("2026-13-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
        ("2026-11-22T25:00:00Z", None),
        ("2026-11-22T14:31:08.Z", None),
    ];
    for (text, want) in cases {
        let got = Timestamp::parse(text).ok().map(|t| t.to_string());
        assert_eq!(got.as_deref(), want, "{text}");
    }
}

#[test]
fn phones_as_people_write_them() {
    let cases = [
        ("067 123 45 67", "UA", Some("+380671234567")),
        ("+38 (067) 123-45-67", "UA", Some("+380671234567")),
        ("380671234567", "UA", Some("+380671234567")),
        ("671234567", "UA", Some("+380671234567")),
        ("0038067 1234567", "UA", Some("+380671234567")),
        ("067 123 45 6", "UA", None),
        ("+44 (0)20 7946 0018", "UA", Some("+442079460018")),
        ("020 7946 0018", "GB", Some("+442079460018")),
        ("+48 512 345 678", "UA", Some("+48512345678")),
        ("call me", "UA", None),
        ("", "UA", None),
        ("0", "UA", None),
        ("(415) 555-2671", "US", Some("+14155552671")),
        ("+380 67 123 45 6", "UA", None),
        // All the ways in which one Ukrainian number was seen written.
        ("0671234567", "UA", Some("+380671234567")),
        ("38 067 1234567", "UA", Some("+380671234567")),
        ("(067) 123-45-67", "UA", Some("+380671234567")),
        ("(+38) 067 123 45 67", "UA", Some("+380671234567")),
        ("+38 (0)67 123 45 67", "UA", Some("+380671234567")),
        ("+380 (067) 123-45-67", "UA", Some("+380671234567")),
        ("3800671234567", "UA", Some("+380671234567")),
        ("8 067 123 45 67", "UA", Some("+380671234567")),
        ("80 67 123 45 67", "UA", Some("+380671234567")),
        ("+80671234567", "UA", Some("+380671234567")),
        ("8-10-380-67-123-45-67", "UA", Some("+380671234567")),
        ("О67 123 45 67", "UA", Some("+380671234567")),
        ("O671234567", "UA", Some("+380671234567")),
        ("067 12З 45 67", "UA", Some("+380671234567")),
        ("тел. 067 123 45 67", "UA", Some("+380671234567")),
        ("Моб.: +38 067 123 45 67", "UA", Some("+380671234567")),
        ("tel:+380671234567", "UA", Some("+380671234567")),
        ("0671234567 дод. 12", "UA", Some("+380671234567")),
        ("0671234567, 0501112233", "UA", Some("+380671234567")),
        ("0671234567/0501112233", "UA", Some("+380671234567")),
        ("067–123–45–67", "UA", Some("+380671234567")),
        ("０６７１２３４５６７", "UA", Some("+380671234567")),
        ("067\u{a0}123\u{202f}45\u{2009}67", "UA", Some("+380671234567")),
        ("044 123 45 67", "UA", Some("+380441234567")),
        ("0 800 123 456", "UA", Some("+380800123456")),
        // Neighbours, with and without a plus.
        ("48 512 345 678", "UA", Some("+48512345678")),
        ("0048 512 345 678", "UA", Some("+48512345678")),
        ("067 123 45 67", "PL", None),
        ("512 345 678", "PL", Some("+48512345678")),
        ("+800 1234 5678", "UA", Some("+80012345678")),
        ("8 067 123 45 67", "GB", Some("+380671234567")),
        // Words are no numbers.
        ("ооо", "UA", None),
        ("OOOOOOOOOO", "UA", None),
        ("зоо 12345678", "UA", None),
    ];
    for (text, country, want) in cases {
        assert_eq!(normalise_phone(text, Country::find(country)).as_deref(), want, "{text} in {country}");
    }
}

#[test]
fn emails_as_people_write_them() {
    let cases = [
        (" Olena@Example.COM ", Some("olena@example.com")),
        ("no-at-sign", None),
        ("a b@example.com", None),
        ("@example.com", None),
        ("a@b@example.com", None),
        ("a@example.com.", None),
    ];
    for (text, want) in cases {
        assert_eq!(normalise_email(text).as_deref(), want, "{text}");
    }
}

#[test]
fn money_is_read_from_its_text() {
    let cases = [
        ("19.99", "gbp", Ok(1999)),
        ("0.005", "UAH", Ok(1)),
        ("-0.005", "UAH", Ok(-1)),
        ("1e3", "UAH", Ok(100_000)),
        ("100", "JPY", Ok(100)),
        ("1.2345", "KWD", Ok(1235)),
    ];
    for (text, currency, want) in cases {
        assert_eq!(Money::parse(text, currency).map(|m| m.minor), want, "{text} {currency}");
    }
    assert!(Money::parse("12,5", "UAH").is_err() && Money::parse("1", "hryvnia").is_err());
}

proptest! {
    #[test]
    fn a_written_time_reads_back(us in -60_000_000_000_000_000i64..200_000_000_000_000_000) {
        let time = Timestamp::from_micros(us);
        prop_assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
    }
    #[test]
    fn time_parsing_never_panics(text in "\\PC{0,40}") {
        let _ = Timestamp::parse(&text);
    }
    #[test]
    fn a_normal_phone_stays_itself(text in "[0-9+() -]{5,20}") {
        for country in ["UA", "GB", "US", "PL", "ZZ"] {
            if let Some(phone) = normalise_phone(&text, Country::find(country)) {
                prop_assert_eq!(normalise_phone(&phone, Country::find(country)), Some(phone.clone()), "{}", text);
            }
        }
    }
    /// Whatever is typed: no panic, and what is normal stays as it is.
    #[test]
    fn any_text_as_a_phone_or_address(text in "(\\PC{0,24}|[+0-9оОзЗ() /.,xдобвнtel:-]{6,24})") {
        for country in ["UA", "GB", "US", "PL", "KZ", "ZZ"] {
            if let Some(phone) = normalise_phone(&text, Country::find(country)) {
                prop_assert!(phone.starts_with('+') && phone[1..].bytes().all(|b| b.is_ascii_digit()), "{phone}");
                prop_assert_eq!(normalise_phone(&phone, Country::find(country)), Some(phone.clone()), "{}", text);
            }
        }
        if let Some(email) = normalise_email(&text) {
            prop_assert_eq!(normalise_email(&email), Some(email.clone()));
        }
    }
    #[test]
    fn decimals_read_back_and_add_in_any_order(values in prop::collection::vec(-1_000_000_000_000i64..1_000_000_000_000, 0..20)) {
        let numbers: Vec<Decimal> = values.iter().map(|v| Decimal::from_billionths(i128::from(*v) * 7)).collect();
        for n in &numbers {
            prop_assert_eq!(Decimal::parse(&n.to_string()), Some(*n));
        }
        let forward = numbers.iter().fold(Decimal::ZERO, |a, b| a.plus(*b));
        let backward = numbers.iter().rev().fold(Decimal::ZERO, |a, b| a.plus(*b));
        prop_assert_eq!(forward, backward);
    }
}
