//! The template language: what it refuses when saved, what it stops when sent, what its filters write.
use super::world::shop;
use crate::templates::{
    Compiled, Context, MessageFacts, RenderError, Rendered, Source, compile, ensure_unsubscribe, warnings,
};
use proptest::prelude::*;
use serde_json::json;

fn source<'a>(subject: &'a str, body_html: &'a str, body_text: &'a str) -> Source<'a> {
    Source { subject, body_html, body_text }
}

fn context() -> Context {
    let traits = json!({
        "firstName": "Оля <b>", "loyal_card": "77", "address": { "city": "Львів", "flat": null }, "age": null,
        "phone": "0671234567", "price": 1299.9, "born": "1990-05-17", "tags": ["a", null, "b"],
    });
    let message =
        MessageFacts { id: 5, channel: "email", purpose: "marketing", rule: "Welcome", address: "olya@example.com" };
    let event = r#"{"product": "Крем", "qty": 3, "total": {"minor": 12990, "currency": "GBP"}, "none": null}"#;
    Context::new(traits.as_object().expect("an object"), Some(event), &message, &shop(), "https://shop.example/u/T")
}

fn compiled(text: &str) -> Compiled {
    compile(source("S", "", text)).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

fn check(text: &str, expected: &str) {
    let found = compiled(text).render(&context()).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(found.text, expected, "{text}");
}

fn check_stops(text: &str, reason: &str, says: &str) {
    let error = compiled(text).render(&context()).expect_err(text);
    assert_eq!(error.reason(), reason, "{text}: {error}");
    assert!(error.to_string().contains(says), "{text}: {error}");
}

#[test]
fn renders_the_namespaces() {
    // [E9] [CONVENTIONS 4]
    check(
        "{{ customer.firstName }} {{ customer.first_name }} {{ customer.email }}",
        "Оля <b> Оля <b> olya@example.com",
    );
    check("{{ customer.loyal_card }} {{ customer.loyalCard }} {{ customer.address.city }}", "77 77 Львів");
    check("{{ event.product }} {{ event.qty }} {{ shop.name }} {{ shop.url }}", "Крем 3 Kvitka https://shop.example");
    check(
        "{{ message.id }} {{ message.purpose }} {{ message.rule }} {{ links.unsubscribe }}",
        "5 marketing Welcome https://shop.example/u/T",
    );
    check("{% for t in customer.tags %}[{{ t }}]{% endfor %}", "[a][b]");
    check("{% if event.qty > 2 %}many{% else %}few{% endif %}", "many");
}

#[test]
fn a_missing_value_stops_the_message_and_names_itself() {
    // [CONTRACTS 7] strict undefined; null is missing
    check_stops("Hi {{ customer.surname }}", "missing_value", "customer.surname is missing (body_text, line 1)");
    check_stops("a\nb {{ customer.age }}", "missing_value", "customer.age is missing (body_text, line 2)");
    check_stops("{{ customer.surname | upper }}", "missing_value", "customer.surname is missing");
    check_stops("{% if customer.vip | lower == 'x' %}{% endif %}", "missing_value", "customer.vip is missing");
    check_stops("{{ event.none }}", "missing_value", "event.none");
    check_stops("{{ order.total }}", "missing_value", "order");
    check_stops("{% for x in event.products %}{% endfor %}", "missing_value", "event.products");
    check_stops("{% if customer.vip %}x{% endif %}", "missing_value", "customer.vip");
    check("{{ customer.surname | default('friend') }}", "friend");
    check("{% if customer.vip is defined %}vip{% else %}all{% endif %}", "all");
    let error = RenderError::MissingValue { name: "customer.surname".into(), part: "subject", line: 1 };
    assert!(error.to_string().contains("{{ customer.surname | default(\"…\") }}"), "{error}");
}

#[test]
fn abort_stops_with_its_reason_and_loops_run_out_of_fuel() {
    check_stops("{{ abort('out of stock') }}", "aborted", "out of stock");
    check_stops("{% if event.qty > 1 %}{{ abort('x' ~ event.qty) }}{% endif %}", "aborted", "x3");
    let loops = "{% for a in range(1000) %}{% for b in range(1000) %}{{ b }}{% endfor %}{% endfor %}";
    check_stops(loops, "too_large", "shorten its loops");
    check_stops("{% for a in range(9000) %}{{ 'x' * 1000 }}{% endfor %}", "too_large", "body_text");
    check_stops("{{ customer.firstName | money('UAH') }}", "template_error", "is not an amount of money");
    check_stops("{{ 5 | money }}", "template_error", "money needs a currency");
    check_stops("{{ customer.born | date('%!') }}", "template_error", "no date format");
}

#[test]
fn filters_write_what_people_of_the_country_read() {
    check("{{ 1299.9 | money('UAH') }}", "1\u{a0}299,90\u{a0}₴");
    check("{{ customer.price | money('UAH', 'uk') }}", "1\u{a0}299,90\u{a0}₴");
    check("{{ 1234567.5 | money('gbp', 'en-GB') }}", "£1,234,567.50");
    check("{{ event.total | money(locale='en') }}", "£129.90");
    check("{{ -5 | money('CHF', 'en') }} {{ 5 | money('JPY', 'en') }}", "−CHF\u{a0}5.00 JPY\u{a0}5");
    check("{{ '19.999' | money('EUR', 'de') }}", "20,00\u{a0}€");
    check("{{ customer.phone | phone('UA') }} {{ 'call us' | phone }}", "+380 67 123 45 67 call us");
    check(
        "{{ customer.born | date('%d.%m.%Y') }} {{ '2026-11-22T23:30:00Z' | date('%d %H:%M', zone='Europe/Kyiv') }}",
        "17.05.1990 23 01:30",
    );
    check("{{ 0 | date }} {{ 0 | date(zone='Asia/Tokyo', format='%H') }}", "1970-01-01 09");
    for (n, word) in [
        (0, "товарів"),
        (1, "товар"),
        (3, "товари"),
        (5, "товарів"),
        (11, "товарів"),
        (21, "товар"),
        (112, "товарів"),
        (123, "товари"),
    ] {
        check(&format!("{{{{ {n} | plural('uk', 'товар', 'товари', 'товарів') }}}}"), word);
    }
    check("{{ 1 | plural('en', 'item', 'items') }} {{ 2 | plural('en', 'item', 'items') }}", "item items");
    check("{{ 'Довга назва' | truncate(7) }} {{ 'short' | truncate }}", "Довга… short");
    check("{{ 'a b&ї' | url_encode }} {{ 'A' | lower }}{{ 'b' | upper }}", "a%20b%26%D1%97 aB");
    check("{{ '<p>Hi <b>you</b></p>' | strip_html }}", "Hi you");
}

#[test]
fn escapes_html_only_where_html_is() {
    // [E1] autoescape by channel
    let c =
        compile(source("{{ customer.first_name }}", "<p>{{ customer.first_name }}</p>", "{{ customer.first_name }}"))
            .expect("good");
    let r = c.render(&context()).expect("renders");
    assert_eq!((r.subject.as_str(), r.text.as_str()), ("Оля <b>", "Оля <b>"));
    assert_eq!(r.html.as_deref(), Some("<p>Оля &lt;b&gt;</p>"));
}

#[test]
fn a_subject_is_one_line() {
    let subject = |text: &str| compile(source(text, "", "x")).expect("good").render(&context());
    assert_eq!(
        subject("a\r\nBcc: evil@example.com\u{0}{{ '\n b' }}").expect("renders").subject,
        "a Bcc: evil@example.com b"
    );
    assert_eq!(subject("{{ ' ' }}"), Err(RenderError::EmptySubject));
    assert_eq!(subject("{{ 'ї' * 5000 }}").expect("renders").subject.chars().count(), 400);
}

#[test]
fn makes_plain_text_of_html() {
    let html = "<html><head><title>no</title></head><body><style>p{}</style><h1>Вітаємо,\n  Оля</h1><!-- x --><p>A&nbsp;&amp;&lt;B<br>two</p>\
                <ul><li>one</li><li><a href=\"https://e.x/?a=1&amp;b=2\">two</a></li></ul><a href='#top'>up</a></body></html>";
    let r = compile(source("S", html, "")).expect("good").render(&context()).expect("renders");
    assert_eq!(r.text, "Вітаємо, Оля\n\nA\u{a0}&<B\ntwo\n\n- one\n\n- two (https://e.x/?a=1&b=2)\n\nup\n");
}

#[test]
fn marketing_mail_always_has_the_way_out() {
    // [CONVENTIONS 3]
    let url = "https://shop.example/u/T";
    let plain = Rendered { subject: "S".into(), html: Some("<body><p>x</p></BODY>".into()), text: "x\n".into() };
    let mut r = plain.clone();
    ensure_unsubscribe(&mut r, url, "uk-UA");
    let html = r.html.clone().unwrap_or_default();
    assert!(html.ends_with("Відписатися від розсилки</a></p></BODY>") && html.contains(url), "{html}");
    assert_eq!(r.text, "x\n\n-- \nВідписатися від розсилки: https://shop.example/u/T\n");
    let once = r.clone();
    ensure_unsubscribe(&mut r, url, "en");
    assert_eq!(r, once, "a second call adds nothing");
    let mut r = Rendered { html: Some("<p>x</p>".into()), ..plain };
    ensure_unsubscribe(&mut r, url, "en-GB");
    assert!(r.html.unwrap_or_default().ends_with(">Unsubscribe</a></p>"));
    // A template with the link of its own gets no second one, though HTML is escaped.
    let own =
        compile(source("S", "<a href=\"{{ links.unsubscribe }}\">x</a>", "{{ links.unsubscribe }}")).expect("good");
    let mut r = own.render(&context()).expect("renders");
    let before = r.clone();
    ensure_unsubscribe(&mut r, url, "uk");
    assert_eq!(r, before);
    let s = source("S", "<a href='{{ links.unsubscribe }}'>x</a>", "y");
    let found = warnings(s, &compile(s).expect("good"));
    assert_eq!(found.iter().map(|w| w.pointer.as_str()).collect::<Vec<_>>(), ["/body_text"]);
}

#[test]
fn mistakes_are_found_when_saved_with_their_place() {
    // [LESSONS 5] compile on every save
    let errors =
        |subject: &str, html: &str, text: &str| compile(source(subject, html, text)).map(drop).expect_err("a mistake");
    let at = |html: &str| {
        let e = errors("S", html, "").remove(0);
        (e.pointer, e.line.unwrap_or(0), e.column.unwrap_or(0))
    };
    assert_eq!(at("one\nїї {{ customer. }}"), ("/body_html".into(), 2, 17));
    assert_eq!(at("{% if x %}").0, "/body_html");
    assert_eq!(at("a\nb\n{{ x | nofilter }}").1, 3);
    assert_eq!(at("{{ secret_function() }}").1, 1);
    assert_eq!(at("{% include '/etc/passwd' %}").0, "/body_html");
    assert_eq!(at("{% extends 'other' %}").0, "/body_html");
    let both = errors("{{", "{{", "");
    assert_eq!(both.iter().map(|e| e.pointer.as_str()).collect::<Vec<_>>(), ["/subject", "/body_html"]);
    assert_eq!(errors("", "", "").len(), 2);
    assert!(errors("S", &"x".repeat(600_000), "")[0].detail.contains("524288 are allowed"));
}

proptest! {
    /// Whatever is saved and whoever is written to: no panic, no line end in a subject, and values cannot add HTML.
    #[test]
    fn any_template_compiles_or_is_refused(text in "[a-z{}%| '().\n<>-]{0,60}", name in "\\PC{0,20}") {
        if let Ok(compiled) = compile(source(&text, &text, &text)) {
            let traits = json!({ "a": name, "b": [name], "c": { "a": name } });
            let message = MessageFacts::default();
            let context = Context::new(traits.as_object().expect("an object"), None, &message, &shop(), "u");
            if let Ok(r) = compiled.render(&context) {
                prop_assert!(!r.subject.contains(['\n', '\r']));
            }
        }
        let c = compile(source("{{ customer.a }}!", "{{ customer.a }}", "x")).expect("good");
        let traits = json!({ "a": format!("{name}\r\n<script>") });
        let r = c.render(&Context::new(traits.as_object().expect("an object"), None, &MessageFacts::default(), &shop(), "u")).expect("renders");
        prop_assert!(!r.subject.chars().any(char::is_control));
        prop_assert!(!r.html.unwrap_or_default().contains("<script>"));
    }
}
