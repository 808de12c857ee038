//! What follows from facts, by examples of the requirements.
use super::*;
use crate::tests::harness;
use base::Timestamp;
use serde_json::{Value, json};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

/// A customer of these events: time, name, properties, context.
fn customer(events: &[(&str, &str, Value, Value)]) -> State {
    let mut state = State::default();
    for (n, (time, name, properties, context)) in events.iter().enumerate() {
        let message = json!({"userId": "u", "messageId": format!("m{n}"), "event": name, "timestamp": time,
            "properties": properties, "context": context});
        crate::state::fold_state(&mut state, &harness::event(&message.to_string()), &harness::counters(), 1);
    }
    state
}

fn ask_with(state: &State, name: &str, now: &str, rules: &Rules) -> Answer {
    let consent = |channel: &str, _: &str| (channel == "email").then_some(true);
    let asked = Asked { state, now: at(now), rules, consent: &consent, explain: true };
    let answer = (find(name).unwrap_or_else(|| panic!("{name} is derived")).function)(&asked);
    assert!(!answer.why.is_empty(), "{name} says why");
    answer
}

fn ask(state: &State, name: &str, now: &str) -> Answer {
    ask_with(state, name, now, &Rules::default())
}

fn text(answer: &Answer) -> Option<&str> {
    match answer.values.first() {
        Some(Scalar::Text(text)) => Some(text),
        _ => None,
    }
}

fn yes(answer: &Answer) -> bool {
    answer.values == [Scalar::Bool(true)]
}

fn number(answer: &Answer) -> Option<String> {
    match answer.values.first() {
        Some(Scalar::Number(n)) => Some(n.to_string()),
        _ => None,
    }
}

fn orders(times: &[&str], total: &str) -> State {
    let list: Vec<_> =
        times.iter().map(|t| (*t, "Order Completed", json!({"total": total, "currency": "UAH"}), json!({}))).collect();
    customer(&list)
}

#[test]
fn the_registry_is_in_order_and_complete() {
    for one in ALL {
        assert!(one.doc.ends_with('.') && !one.doc.contains("  "), "{}: {}", one.name, one.doc);
        assert_eq!(one.options.is_empty(), !matches!(one.kind, Kind::Text | Kind::List), "{}", one.name);
        assert_eq!(ALL.iter().filter(|o| o.name == one.name).count(), 1, "{} stands there twice", one.name);
    }
    assert!(is_group("omnichannel") && is_group("clv") && is_group("habits") && !is_group("lifecycle_stage"));
}

/// [A15] Every stage, its boundary to the microsecond, and the moment that is promised for the next one.
#[test]
fn stages_of_life_follow_time_and_the_customers_own_rhythm() {
    let stage = |state: &State, now: &str| {
        let answer = ask(state, "lifecycle_stage", now);
        (text(&answer).map(str::to_string), answer.valid_until)
    };
    let of = |word: &str| Some(word.to_string());
    assert_eq!(stage(&customer(&[]), "2026-01-01T00:00:00Z"), (of("prospect"), None));

    let one = orders(&["2026-01-01T00:00:00Z"], "10");
    assert_eq!(stage(&one, "2026-01-02T00:00:00Z"), (of("new"), Some(at("2026-01-31T00:00:00Z"))));
    assert_eq!(stage(&one, "2026-01-31T00:00:00Z"), (of("active"), Some(at("2026-04-01T00:00:00Z"))));
    assert_eq!(stage(&one, "2026-03-31T23:59:59.999999Z").0, of("active"));
    assert_eq!(stage(&one, "2026-04-01T00:00:00Z"), (of("at risk"), Some(at("2026-06-30T00:00:00Z"))));
    assert_eq!(stage(&one, "2026-06-30T00:00:00Z"), (of("lapsed"), None));

    // Every ten days: at risk after 15, lapsed after 30, whatever the shop's settings say.
    let weekly = orders(&["2026-01-01T00:00:00Z", "2026-01-11T00:00:00Z", "2026-01-21T00:00:00Z"], "10");
    assert_eq!(stage(&weekly, "2026-02-05T00:00:00Z"), (of("at risk"), Some(at("2026-02-20T00:00:00Z"))));
    assert_eq!(stage(&weekly, "2026-02-20T00:00:00Z").0, of("lapsed"));

    let back =
        orders(&["2026-01-01T00:00:00Z", "2026-01-11T00:00:00Z", "2026-01-21T00:00:00Z", "2026-04-01T00:00:00Z"], "10");
    assert_eq!(stage(&back, "2026-04-02T00:00:00Z").0, of("returned"));
    let loyal: Vec<String> = (1..=6).map(|month| format!("2026-0{month}-01T00:00:00Z")).collect();
    let loyal = orders(&loyal.iter().map(String::as_str).collect::<Vec<_>>(), "10");
    assert_eq!(stage(&loyal, "2026-06-10T00:00:00Z").0, of("loyal"));
}

/// What is promised to hold holds: stepping through time, an answer changes only at or after its `valid_until`.
#[test]
fn answers_hold_as_long_as_they_say() {
    let state = customer(&[
        ("2025-03-01T10:00:00Z", "Order Completed", json!({"total": "100", "currency": "UAH"}), json!({})),
        (
            "2025-06-01T10:00:00Z",
            "Order Completed",
            json!({"total": "50", "currency": "UAH"}),
            json!({"app": {"name": "a"}}),
        ),
        ("2025-06-02T10:00:00Z", "Email Opened", json!({}), json!({})),
        ("2025-06-03T10:00:00Z", "Email Link Clicked", json!({}), json!({})),
        ("2025-06-03T11:00:00Z", "Email Link Clicked", json!({}), json!({})),
        ("2025-06-20T11:00:00Z", "Conversation Closed", json!({"handling_seconds": 1800}), json!({})),
        ("2025-07-03T11:00:00Z", "Product Viewed", json!({"product_id": "p"}), json!({"app": {"name": "a"}})),
    ]);
    let mut rules = Rules::default();
    rules.thresholds.service_hour_minor = 10_000;
    let mut changes = 0;
    for derived in ALL {
        let mut now = at("2025-07-04T00:00:00Z");
        let asked = |now: Timestamp| {
            let consent = |_: &str, _: &str| None;
            (derived.function)(&Asked { state: &state, now, rules: &rules, consent: &consent, explain: false })
        };
        let mut held = asked(now);
        for _ in 0..700 {
            let next = now.plus(DAY_US);
            let fresh = asked(next);
            if fresh.values != held.values {
                changes += 1;
                let promised = held.valid_until.unwrap_or_else(|| panic!("{} changed without warning", derived.name));
                assert!(promised <= next, "{} held until {promised}, but changed by {next}", derived.name);
                assert!(derived.by_time, "{} changes by time", derived.name);
                let just_before = asked(promised.plus(-1));
                assert_eq!(just_before.values, held.values, "{} changed before {promised}", derived.name);
            }
            (now, held) = (next, fresh);
        }
    }
    assert!(changes >= 8, "time changed only {changes} answers");
}

/// [A12] 2,000 UAH every two months is 12,000 a year; [A13] less what serving costs.
#[test]
fn a_years_income_and_what_service_leaves_of_it() {
    let times: Vec<String> = (0..6).map(|n| format!("2025-{:02}-15T12:00:00Z", 1 + 2 * n)).collect();
    let mut events: Vec<(&str, &str, Value, Value)> = times
        .iter()
        .map(|t| (t.as_str(), "Order Completed", json!({"total": "2000", "currency": "UAH"}), json!({})))
        .collect();
    let state = customer(&events);
    let now = "2025-12-01T00:00:00Z";
    assert_eq!(number(&ask(&state, "clv.income_year", now)).as_deref(), Some("12000"));
    assert_eq!(number(&ask(&state, "average_order", now)).as_deref(), Some("2000"));
    let expected = ask(&state, "clv.expected_year", now);
    let Some(Scalar::Number(n)) = expected.values.first() else { panic!("expected income is known") };
    assert!((11_900.0..12_100.0).contains(&n.to_f64()), "{n}");
    assert!(ask(&state, "clv.service_cost_year", now).values.is_empty(), "the rate is not known");

    // Forty hours at 300 an hour eat it all.
    for _ in 0..40 {
        events.push(("2025-11-20T09:00:00Z", "Conversation Closed", json!({"handling_seconds": 3600}), json!({})));
    }
    let state = customer(&events);
    let mut rules = Rules::default();
    rules.thresholds.service_hour_minor = 30_000;
    assert_eq!(number(&ask_with(&state, "clv.service_cost_year", now, &rules)).as_deref(), Some("12000"));
    assert_eq!(number(&ask_with(&state, "clv.net_year", now, &rules)).as_deref(), Some("0"));
    // The first order leaves the year at midnight UTC of its day a year later.
    let answer = ask(&state, "clv.income_year", "2026-01-14T23:59:59Z");
    assert_eq!((number(&answer).as_deref(), answer.valid_until), (Some("12000"), Some(at("2026-01-15T00:00:00Z"))));
    assert_eq!(number(&ask(&state, "clv.income_year", "2026-01-15T00:00:00Z")).as_deref(), Some("10000"));
}

/// [A8] What the customer chose counts; otherwise what was learned, and from little nothing is learned.
#[test]
fn preferences_are_chosen_before_they_are_learned() {
    let now = "2026-05-02T00:00:00Z";
    let app = json!({"app": {"name": "Shop"}});
    let site = json!({"page": {"path": "/"}, "userAgent": "Mozilla/5.0 (Windows NT 10.0)"});
    let mut events = vec![
        ("2026-05-01T10:00:00Z", "Product Viewed", json!({"product_id": "a"}), site.clone()),
        ("2026-05-01T10:01:00Z", "Product Viewed", json!({"product_id": "b"}), site.clone()),
    ];
    assert_eq!(text(&ask(&customer(&events), "preferred_channel", now)), None);
    events.push(("2026-05-01T10:02:00Z", "Product Viewed", json!({"product_id": "c"}), site.clone()));
    events.push(("2026-05-01T11:00:00Z", "Order Completed", json!({"total": "5"}), app.clone()));
    // One order weighs more than three looks, but one act is no evidence.
    events.push(("2026-05-01T11:02:00Z", "Product Viewed", json!({"product_id": "c"}), app.clone()));
    events.push(("2026-05-01T11:03:00Z", "Product Viewed", json!({"product_id": "c"}), app));
    let mut state = customer(&events);
    let learned = ask(&state, "preferred_channel", now);
    assert_eq!((text(&learned), learned.window, learned.count), (Some("app"), Window::Periods, 3));
    assert_eq!(text(&ask(&state, "preferred_device", now)), Some("mobile"));
    // Years later the window is empty, and what was ever known stays.
    assert_eq!(ask(&state, "preferred_channel", "2029-05-02T00:00:00Z").window, Window::Ever);
    let chosen = harness::event(
        r#"{"type":"identify","userId":"u","messageId":"x","timestamp":"2026-05-01T12:00:00Z","traits":{"preferredChannel":"Viber","preferred_device":"Desktop"}}"#,
    );
    crate::state::fold_state(&mut state, &chosen, &harness::counters(), 1);
    let said = ask(&state, "preferred_channel", now);
    assert_eq!((text(&said), said.window), (Some("messenger"), Window::Stated));
    assert_eq!(text(&ask(&state, "preferred_device", now)), Some("desktop"));
}

/// [A9] Searches on one device and buys on another; [A11] the six traits.
#[test]
fn habits_and_the_six_traits_of_many_channels() {
    let now = "2026-05-02T00:00:00Z";
    let phone = json!({"page": {"path": "/"}, "userAgent": "Mozilla/5.0 (Linux; Android 15) Mobile"});
    let desk = json!({"page": {"path": "/"}, "userAgent": "Mozilla/5.0 (X11; Linux x86_64)"});
    let state = customer(&[
        ("2026-04-27T18:10:00Z", "Products Searched", json!({"query": "a"}), phone.clone()),
        ("2026-04-27T18:20:00Z", "Product Viewed", json!({"product_id": "a"}), phone.clone()),
        ("2026-04-27T18:30:00Z", "Product Viewed", json!({"product_id": "b"}), phone.clone()),
        (
            "2026-04-28T09:00:00Z",
            "Order Completed",
            json!({"order_id": "1", "shipping_method": "Самовивіз"}),
            desk.clone(),
        ),
        ("2026-04-28T09:00:01Z", "Order Completed", json!({"order_id": "2", "shipping_method": "courier"}), desk),
        ("2026-04-28T09:00:02Z", "Product Reviewed", json!({"product_id": "a", "rating": 5}), phone.clone()),
        ("2026-04-28T09:00:03Z", "Product List Filtered", json!({"sorts": [{"type": "price", "value": "asc"}]}), phone),
        ("2026-04-28T09:00:04Z", "Application Installed", json!({}), json!({})),
    ]);
    assert!(yes(&ask(&state, "habits.cross_device", now)));
    assert_eq!(text(&ask(&state, "habits.searches_on", now)), Some("mobile"));
    assert_eq!(text(&ask(&state, "habits.buys_on", now)), Some("desktop"));
    // 18:00 in UTC is 21:00 in Kyiv in April.
    let hour = ask(&state, "habits.best_hour", now);
    assert_eq!(number(&hour).as_deref(), Some("12"), "five acts at noon of Kyiv: {}", hour.why);
    assert_eq!(text(&ask(&state, "habits.best_weekday", now)), Some("tuesday"));
    for name in ["bopis", "home_delivery", "price_comparing", "app_installed", "subscribed", "leaves_reviews"] {
        let name = format!("omnichannel.{name}");
        assert!(yes(&ask(&state, &name, now)), "{name}");
        if name != "omnichannel.subscribed" {
            assert!(!yes(&ask(&State::default(), &name, now)), "{name} of nobody");
        }
    }
}

/// [B3] Looks in the app, does not buy, ignores pushes.
#[test]
fn who_only_looks_in_the_app_is_flagged() {
    let app = json!({"app": {"name": "Shop"}});
    let mut events = Vec::new();
    for n in 0..5 {
        events.push(("2026-05-01T10:00:00Z", "Product Viewed", json!({"product_id": n}), app.clone()));
    }
    for _ in 0..3 {
        events.push(("2026-05-01T11:00:00Z", "Push Notification Received", json!({}), app.clone()));
    }
    let now = "2026-05-02T00:00:00Z";
    assert!(yes(&ask(&customer(&events), "app_looks_only", now)));
    assert_eq!(text(&ask(&customer(&events), "habits.push", now)), Some("ignores"));
    for (name, context) in
        [("Push Notification Tapped", json!({})), ("Order Completed", json!({"page": {"path": "/"}}))]
    {
        let mut other = events.clone();
        other.push(("2026-05-01T12:00:00Z", name, json!({}), context));
        assert!(!yes(&ask(&customer(&other), "app_looks_only", now)), "{name}");
    }
}

/// [A9] A channel that is lost at the provider is lost here, and found again by the next sign of life.
#[test]
fn lost_channels_are_known_until_they_are_heard_of_again() {
    let now = "2026-05-03T00:00:00Z";
    let bounce = ("2026-05-01T10:00:00Z", "Email Bounced", json!({}), json!({"traits": {"email": "a@example.com"}}));
    let state = customer(std::slice::from_ref(&bounce));
    let lost = ask(&state, "lost_channels", now);
    assert_eq!((text(&lost), lost.count), (Some("email"), 1));
    assert!(lost.why.contains("hard_bounce"), "{}", lost.why);
    assert_eq!(text(&ask(&state, "habits.email", now)), Some("lost"));
    let click = ("2026-05-02T10:00:00Z", "Email Link Clicked", json!({}), json!({}));
    assert_eq!(text(&ask(&customer(&[bounce, click.clone()]), "lost_channels", now)), None);
    // A complaint holds.
    let spam = ("2026-05-01T10:00:00Z", "Email Marked as Spam", json!({}), json!({}));
    assert_eq!(text(&ask(&customer(&[spam, click]), "lost_channels", now)), Some("email"));
}

#[test]
fn thresholds_that_make_no_sense_are_refused() {
    assert_eq!(Thresholds::default().check(), Ok(()));
    let wrong = |change: fn(&mut Thresholds)| {
        let mut thresholds = Thresholds::default();
        change(&mut thresholds);
        thresholds.check().expect_err("refused").field
    };
    assert_eq!(wrong(|t| t.new_days = 0), "new_days");
    assert_eq!(wrong(|t| t.lapsed_days = t.at_risk_days), "lapsed_days");
    assert_eq!(wrong(|t| t.service_hour_minor = -1), "service_hour_minor");
}
