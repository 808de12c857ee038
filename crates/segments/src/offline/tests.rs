use super::{OfflineError, Options, Report, segment};
use base::{Country, Timestamp};
use jiff::tz::TimeZone;

fn options(at: Option<&str>) -> Options {
    let zone = TimeZone::posix("EET-2EEST,M3.5.0/3,M10.5.0/4").unwrap_or(TimeZone::UTC);
    let at = at.map(|at| Timestamp::parse(at).unwrap_or_default());
    Options { at, zone, country: Country::find("UA"), rules: customers::derived::Rules::default() }
}

fn run(expression: &str, lines: &[&str], at: Option<&str>) -> Report {
    let text = lines.join("\n");
    match segment(expression, &mut text.as_bytes(), &options(at)) {
        Ok(report) => report,
        Err(error) => panic!("{expression}: {error}"),
    }
}

fn members(expression: &str, lines: &[&str], at: Option<&str>) -> Vec<String> {
    run(expression, lines, at).customers.into_iter().map(String::from).collect()
}

const C3: &str = r#"count("Product Viewed" where properties.category = "face care" in last 14 days) >= 1"#;

const STORY: &[&str] = &[
    // Seen without a name, recognised a day later on the same device.
    r#"{"type":"track","messageId":"1","anonymousId":"a1","event":"Product Viewed","timestamp":"2026-11-10T10:00:00Z","properties":{"category":"face care"}}"#,
    r#"{"type":"identify","messageId":"2","anonymousId":"a1","userId":"u1","timestamp":"2026-11-11T10:00:00Z","traits":{"email":"One@Example.com","city":"Lviv"}}"#,
    r#"{"type":"track","messageId":"3","anonymousId":"a2","event":"Viewed Product","timestamp":"2026-11-12T10:00:00Z","properties":{"category":"face care"}}"#,
    r#"{"type":"track","messageId":"4","userId":"u3","event":"Product Viewed","timestamp":"2026-11-12T10:00:00Z","properties":{"category":"hair"}}"#,
    // A message id counts once, whoever sends it again.
    r#"{"type":"track","messageId":"4","userId":"u4","event":"Product Viewed","timestamp":"2026-11-12T10:00:00Z","properties":{"category":"face care"}}"#,
    r#"{"type":"page","messageId":"5","userId":"u5","timestamp":"2026-11-24T09:00:00Z","context":{"page":{"path":"/sale"}}}"#,
    r#"{"type":"track","messageId":"6","userId":"u6","event":"Product Viewed","timestamp":"2026-10-01T10:00:00Z","properties":{"category":"face care"}}"#,
];

#[test]
fn anonymous_views_belong_to_whom_they_turn_out_to_be() {
    // [C3]
    assert_eq!(members(C3, STORY, None), ["a2", "u1"]);
    let report = run(C3, STORY, None);
    assert_eq!(report.at, Timestamp::parse("2026-11-24T09:00:00Z").ok());
    assert_eq!((report.events, report.duplicates, report.later, report.people), (6, 1, 0, 5));
    // Exactly 14 days after the view it is outside; a microsecond before it is inside.
    assert_eq!(members(C3, STORY, Some("2026-11-26T10:00:00Z")), Vec::<String>::new());
    assert_eq!(members(C3, STORY, Some("2026-11-26T09:59:59.999999Z")), ["a2"]);
    assert_eq!(members(C3, STORY, Some("2026-11-24T09:59:59.999999Z")), ["a2", "u1"]);
    // At that moment nobody knew that a1 is u1: later events are dropped before identity.
    assert_eq!(members(C3, STORY, Some("2026-11-10T12:00:00Z")), ["a1"]);
    let early = run("not exists trait.city", STORY, Some("2026-11-10T12:00:00Z"));
    assert_eq!((early.customers.len(), early.people, early.later), (2, 2, 4));
}

#[test]
fn all_kinds_of_conditions_work_on_a_file() {
    for (expression, want) in [
        (r#"trait.city = "Lviv""#, vec!["u1"]),
        (r#"identifier.email = "one@example.com""#, vec!["u1"]),
        (r#"context.page.path starts with "/sale""#, vec!["u5"]),
        (r#"count("Page Viewed") = 1"#, vec!["u5"]),
        (r#"count("Product Viewed") = 0"#, vec!["u5"]),
        (r#"seq("Product Viewed" then not "Order Completed" within 13 days)"#, vec!["u1", "u6"]),
        (r#"not exists consent.email.marketing and last("Product Viewed".category) = "hair""#, vec!["u3"]),
    ] {
        assert_eq!(members(expression, STORY, None), want, "{expression}");
    }
}

#[test]
fn two_identified_people_are_joined_and_cut_by_the_servers_rules() {
    let lines = [
        r#"{"type":"identify","messageId":"1","userId":"b","timestamp":"2026-01-01T00:00:00Z","traits":{"email":"x@example.com","n":1}}"#,
        r#"{"type":"identify","messageId":"2","userId":"a","timestamp":"2026-01-02T00:00:00Z","traits":{"n":2}}"#,
        // One user id a person: the e-mail is left out, and nobody is joined.
        r#"{"type":"identify","messageId":"3","userId":"a","timestamp":"2026-01-03T00:00:00Z","traits":{"email":"x@example.com"}}"#,
        r#"{"type":"track","messageId":"4","anonymousId":"null","event":"E","timestamp":"2026-01-03T00:00:00Z"}"#,
        r#"{"type":"track","messageId":"5","event":"E","timestamp":"2026-01-03T00:00:00Z","context":{"traits":{"email":"y@example.com"}}}"#,
    ];
    let exists = "exists trait.n or count(\"E\") > 0";
    assert_eq!(members(exists, &lines, None), ["a", "b"]);
    // Who has neither user id nor anonymous id is counted, not named; an event about nobody is about nobody.
    assert_eq!(run(exists, &lines, None).unnamed, 1);
    assert_eq!(run(exists, &lines, None).people, 3);
    let alias = r#"{"type":"alias","messageId":"6","userId":"a","previousId":"b","timestamp":"2026-01-04T00:00:00Z"}"#;
    let joined: Vec<&str> = lines.iter().copied().chain([alias]).collect();
    assert_eq!(members("trait.n = 2", &joined, None), ["a"]);
    assert_eq!(members("trait.n = 1", &joined, None), Vec::<String>::new());
}

#[test]
fn consent_is_the_newest_row_of_the_address() {
    let event = |id: u32, name: &str, user: &str, properties: &str| {
        format!(
            r#"{{"type":"track","messageId":"{id}","userId":"{user}","event":"{name}","timestamp":"2026-01-01T00:00:0{id}Z",
               "context":{{"traits":{{"email":"{user}@example.com"}}}},"properties":{properties}}}"#
        )
        .replace('\n', " ")
    };
    let grant = r#"{"channel":"email","purpose":"marketing","wording":"yes"}"#;
    let lines = [
        event(1, "Consent Granted", "u1", grant),
        event(2, "Consent Granted", "u2", grant),
        event(3, "Unsubscribed", "u2", "{}"),
        event(4, "Consent Revoked", "u3", grant),
        event(5, "Consent Granted", "u3", grant),
        event(6, "E", "u4", "{}"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(members(r#"consent.email.marketing = "granted""#, &lines, None), ["u1", "u3"]);
    assert_eq!(members(r#"consent.email.marketing = "denied""#, &lines, None), ["u2"]);
    assert_eq!(members("not exists consent.email.marketing", &lines, None), ["u4"]);
    assert_eq!(members("exists consent.sms.marketing", &lines, None), Vec::<String>::new());
}

#[test]
fn bad_input_says_where() {
    let fails = |lines: &[&str]| match segment("exists trait.a", &mut lines.join("\n").as_bytes(), &options(None)) {
        Err(OfflineError::Line(bad)) => (bad.line, bad.column, bad.detail),
        other => panic!("{other:?}"),
    };
    let good = r#"{"type":"track","userId":"u","event":"E","timestamp":"2026-01-01"}"#;
    let (line, column, detail) = fails(&[good, "", r#"{"type":"track","userId":}"#]);
    assert_eq!((line, column, &*detail), (3, 26, "expected value"));
    assert_eq!(fails(&["[1]"]).0, 1);
    let (line, column, detail) = fails(&[good, r#"{"type":"track","userId":"u","event":"E","timestamp":"soon"}"#]);
    assert_eq!((line, column), (2, 55));
    assert!(detail.contains("soon"));
    assert!(fails(&[r#"{"type":"tack","userId":"u","event":"E","timestamp":"2026-01-01"}"#]).2.contains("tack"));
    assert!(fails(&[r#"{"type":"track","userId":"u","event":"E"}"#]).2.contains("timestamp"));
    assert!(fails(&[r#"{"type":"track","userId":"u","timestamp":"2026-01-01"}"#]).2.contains("event"));
    assert!(fails(&[r#"{"type":"track","userId":{"a":1},"event":"E","timestamp":"2026-01-01"}"#]).2.contains("string"));
    let one = |expression: &str| segment(expression, &mut good.as_bytes(), &options(None));
    assert!(matches!(one("trait.a ="), Err(OfflineError::Expression(_))));
    assert!(matches!(one(r#"in segment("S")"#), Err(OfflineError::Segment(name)) if &*name == "S"));
}

#[test]
fn batches_empty_files_and_lines_without_ids() {
    let batch = r#"{"batch":[{"type":"track","userId":"u1","event":"E","timestamp":"2026-01-01"},
        {"type":"track","userId":"u2","event":"F","timestamp":"2026-01-02"}],"context":{"locale":"uk"}}"#
        .replace('\n', " ");
    assert_eq!(members(r#"count("E") = 1 and context.locale = "uk""#, &[&batch, &batch], None), ["u1"]);
    assert_eq!(run("exists trait.a", &[&batch, &batch], None).duplicates, 2);
    let nothing = run("not exists trait.a", &[], None);
    assert_eq!(nothing, Report::default());
}

/// `cargo test --release -p segments -- --ignored --nocapture offline::tests::cost` prints events a second.
#[test]
#[ignore = "a measurement"]
fn cost() {
    use std::fmt::Write as _;
    let mut text = String::new();
    let start = Timestamp::parse("2026-11-01T00:00:00Z").unwrap_or_default();
    for n in 0..200_000u64 {
        let (user, at) = (n * 7_919 % 20_000, start.plus(n as i64 * base::SECOND_US));
        let category = ["face care", "hair", "tea"][(n % 3) as usize];
        let _ = writeln!(
            text,
            r#"{{"type":"track","messageId":"m{n}","anonymousId":"a{user}","userId":"u{user}","event":"Product Viewed","timestamp":"{at}","properties":{{"product_id":"p{n}","category":"{category}","price":129.90,"currency":"UAH"}},"context":{{"page":{{"path":"/p"}},"locale":"uk-UA"}}}}"#
        );
    }
    let started = std::time::Instant::now();
    let report = segment(C3, &mut text.as_bytes(), &options(None));
    eprintln!("{:?} members of 200,000 events in {:?}", report.map(|r| r.customers.len()), started.elapsed());
}
