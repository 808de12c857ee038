//! What messages mean.
use crate::rules::{Mode, Rules, RulesData};
use crate::tests::harness::{KEY, counters, draft, event, preparer};
use db::event::{Event, Scalar};
use db::message::Message;
use serde_json::value::RawValue;

fn identifiers(text: &str) -> Vec<String> {
    event(text).identifiers.iter().map(|i| format!("{}={}", i.kind, i.value)).collect()
}

fn shared(text: &str, context: &str) -> Event {
    let message: Message<'_> = serde_json::from_str(text).expect("a message");
    let context: &RawValue = serde_json::from_str(context).expect("a context");
    let mut event = draft(&message);
    let (counters, rules) = (counters(), Rules::default());
    preparer(&counters, &rules, KEY, true).fill(&message, Some(context), &mut event).expect("it names somebody");
    event
}

#[test]
fn identifiers_come_from_where_they_are_promoted_from() {
    let cases: &[(&str, &[&str])] = &[
        (r#"{"userId":" u1 ","anonymousId":"a1"}"#, &["user_id=u1", "anonymous_id=a1"]),
        (
            r#"{"type":"identify","userId":"u","traits":{"email":" A@B.C ","phone":"067 123 45 67"}}"#,
            &["user_id=u", "email=a@b.c", "phone=+380671234567"],
        ),
        // Only `identify` speaks of the person in its own traits.
        (r#"{"type":"group","userId":"u","traits":{"email":"office@b.c"}}"#, &["user_id=u"]),
        (
            r#"{"userId":"u","context":{"traits":{"email":"A@b.c","phone":380671234567}}}"#,
            &["user_id=u", "email=a@b.c", "phone=+380671234567"],
        ),
        (r#"{"anonymousId":"a","context":{"traits":{"email":"not one","phone":"12"}}}"#, &["anonymous_id=a"]),
        // All four keys, of users, without encoding.
        (
            r#"{"context":{"externalIds":[{"id":"7","type":"loyalty_card","collection":"users","encoding":"none"},
            {"id":"8","type":"loyalty_card","collection":"accounts","encoding":"none"},{"id":"9","type":"loyalty_card","collection":"users"},
            {"id":"E@B.C","type":"email","collection":"users","encoding":"none"},17,{"id":5,"type":"crm","collection":"users","encoding":"none"}]}}"#,
            &["email=e@b.c", "crm=5", "loyalty_card=7"],
        ),
        (
            r#"{"anonymousId":"a","context":{"device":{"id":"d1","type":"iOS","token":"t1","advertisingId":"i1","adTrackingEnabled":true}}}"#,
            &["ios.id=d1", "ios.idfa=i1", "ios.push_token=t1", "anonymous_id=a"],
        ),
        (
            r#"{"anonymousId":"a","context":{"device":{"id":"d1","type":"android","advertisingId":"i1"}}}"#,
            &["android.id=d1", "anonymous_id=a"],
        ),
        (r#"{"anonymousId":"a","context":{"device":{"id":"d1","type":"fridge"}}}"#, &["anonymous_id=a"]),
        // An odd part spoils no other.
        (r#"{"anonymousId":"a","context":{"traits":"x","device":7,"externalIds":{"a":1}}}"#, &["anonymous_id=a"]),
        (
            r#"{"anonymousId":"a","context":{"traits":{"email":["x"],"phone":"0671234567"}}}"#,
            &["phone=+380671234567", "anonymous_id=a"],
        ),
        (
            r#"{"type":"identify","userId":"u","traits":{"email":"x@b.c"},"context":{"traits":{"email":"X@B.C"}}}"#,
            &["user_id=u", "email=x@b.c"],
        ),
        (r#"{"userId":"null","anonymousId":"00000000-0000-0000-0000-000000000000"}"#, &[]),
        (r#"{"userId":"a\u0000b"}"#, &["user_id=a\u{fffd}b"]),
    ];
    for (text, wanted) in cases {
        assert_eq!(identifiers(text), *wanted, "{text}");
    }
    assert_eq!(identifiers(&format!(r#"{{"userId":"{}"}}"#, "ї".repeat(501))), Vec::<String>::new());
    assert_eq!(identifiers(&format!(r#"{{"userId":"{}"}}"#, "ї".repeat(500))).len(), 1);
}

#[test]
fn a_batchs_context_counts_where_the_message_says_nothing() {
    let context = r#"{"traits":{"email":"all@b.c"},"device":{"id":"d","type":"android"}}"#;
    let of = |text: &str| shared(text, context).identifiers.iter().map(|i| i.value.to_string()).collect::<Vec<_>>();
    assert_eq!(of(r#"{"anonymousId":"a"}"#), ["all@b.c", "d", "a"]);
    assert_eq!(of(r#"{"anonymousId":"a","context":{"traits":{"email":"own@b.c"}}}"#), ["own@b.c", "d", "a"]);
    assert_eq!(super::overlay(r#"{"a":{"b":1}}"#, r#" {"c":{}} "#), r#"{"a":{"b":1},"c":{}} "#);
    assert_eq!(super::overlay("{}", r#"{"c":1}"#), r#"{"c":1}"#);
    assert_eq!(super::overlay(r#"{"c":1}"#, "{ }"), r#"{"c":1}"#);
}

#[test]
fn a_browsers_message_must_name_somebody() {
    let text = r#"{"event":"Store Opened"}"#;
    let message: Message<'_> = serde_json::from_str(text).expect("a message");
    let (counters, rules) = (counters(), Rules::default());
    let refused = preparer(&counters, &rules, KEY, true).fill(&message, None, &mut draft(&message));
    assert_eq!(refused.map_err(|r| r.code), Err("no_identifier"));
    assert!(event(text).identifiers.is_empty(), "a server's event belongs to its place");
    // The shop's own telephone is nobody's.
    let message: Message<'_> =
        serde_json::from_str(r#"{"context":{"traits":{"phone":"0800 500 500","email":"a@b.c"}}}"#).expect("a message");
    let listed = [("phone".into(), "+380800500500".into(), Mode::Block), ("*".into(), "a@b.c".into(), Mode::Block)];
    let rules = Rules::new(&RulesData::default(), listed, 1);
    let refused = preparer(&counters, &rules, KEY, true).fill(&message, None, &mut draft(&message));
    assert!(refused.is_err());
}

#[test]
fn traits_are_json_and_null_removes() {
    let all =
        event(r#"{"type":"identify","userId":"u","traits":{"b":null,"a":{"x":[1, 2]},"a":"last","c":1.50}}"#).traits;
    let all: Vec<(&str, Option<&str>)> = all.iter().map(|(n, v)| (&**n, v.as_deref())).collect();
    assert_eq!(all, [("a", Some(r#""last""#)), ("b", None), ("c", Some("1.50"))]);
    assert!(event(r#"{"userId":"u","context":{"traits":{"city":"Lviv"}}}"#).traits.is_empty());
}

#[test]
fn money_is_read_from_its_decimal_text() {
    let cases: &[(&str, Option<(i64, &str)>)] = &[
        (r#""total":150.505,"currency":"uah""#, Some((15_051, "UAH"))),
        (r#""revenue":"99.90","currency":"EUR""#, Some((9_990, "EUR"))),
        (r#""total":10,"revenue":8"#, Some((1_000, "UAH"))),
        (r#""total":null,"revenue":8"#, Some((800, "UAH"))),
        (r#""total":-12.5"#, Some((1_250, "UAH"))),
        (r#""total":0.1e1"#, Some((100, "UAH"))),
        (r#""total":1e30"#, None),
        (r#""total":99999999999999"#, None),
        (r#""total":"free""#, None),
        (r#""total":5,"currency":"hryvnia""#, None),
        (r#""total":1200,"currency":"JPY""#, Some((1_200, "JPY"))),
    ];
    for (properties, wanted) in cases {
        for name in ["Order Completed", "Order Refunded"] {
            let found = event(&format!(r#"{{"userId":"u","event":"{name}","properties":{{{properties}}}}}"#)).amount;
            assert_eq!(found.as_ref().map(|a| (a.minor, &*a.currency)), *wanted, "{properties}");
        }
    }
    assert_eq!(event(r#"{"userId":"u","event":"Product Added","properties":{"total":5}}"#).amount, None);
}

#[test]
fn consent_says_what_it_grants_and_revokes_what_it_leaves_out() {
    let claim = |name: &str, properties: &str| {
        let found = event(&format!(r#"{{"userId":"u","event":"{name}","properties":{properties}}}"#)).consent;
        found.map(|c| format!("{} {} {} {}", c.channel, c.purpose, c.address.as_deref().unwrap_or("own"), c.granted))
    };
    let cases: &[(&str, &str, Option<&str>)] = &[
        (
            "Consent Granted",
            r#"{"channel":"Email","purpose":"marketing","address":" A@B.C "}"#,
            Some("email marketing a@b.c true"),
        ),
        (
            "Consent Granted",
            r#"{"channel":"viber","purpose":"service","address":"067 123 45 67"}"#,
            Some("viber service +380671234567 true"),
        ),
        ("Consent Granted", r#"{"channel":"email","purpose":"marketing"}"#, Some("email marketing own true")),
        ("Consent Granted", r#"{"channel":"email"}"#, None),
        ("Consent Granted", r#"{"channel":"email","purpose":"marketing","address":"nonsense"}"#, None),
        (
            "Consent Revoked",
            r#"{"channel":"email","purpose":"marketing","address":"nonsense"}"#,
            Some("email marketing own false"),
        ),
        ("Consent Revoked", r#"{"channel":"email"}"#, Some("email * own false")),
        ("Consent Revoked", "{}", Some("* * own false")),
        ("Unsubscribed", r#"{"list_id":"7"}"#, Some("email marketing own false")),
        ("Unsubscribed", r#"{"channel":"all","purpose":"all"}"#, Some("* * own false")),
        ("Consent Pondered", r#"{"channel":"email","purpose":"marketing"}"#, None),
    ];
    for (name, properties, wanted) in cases {
        assert_eq!(claim(name, properties).as_deref(), *wanted, "{name} {properties}");
    }
}

#[test]
fn alias_and_hits() {
    let alias = event(r#"{"type":"alias","userId":"new","previousId":" old "}"#);
    assert_eq!(alias.previous_id.as_deref(), Some("old"));
    assert_eq!(event(r#"{"type":"alias","userId":"new","previousId":"undefined"}"#).previous_id, None);
    assert_eq!(event(r#"{"userId":"new","previousId":"old"}"#).previous_id, None);
    let viewed = event(r#"{"userId":"u","event":"Product Viewed"}"#);
    assert_eq!(viewed.hits.iter().map(|h| h.counter).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(viewed.hits[0].values, Vec::<Scalar>::new());
    // The same value has the same key, another kind another one.
    let hashes: Vec<u128> = ["\"userId\":\"x\"", "\"userId\":\" x\"", "\"anonymousId\":\"x\""]
        .iter()
        .map(|f| event(&format!("{{{f}}}")).identifiers[0].hash)
        .collect();
    assert!(hashes[0] == hashes[1] && hashes[0] != hashes[2]);
}
