//! Every answer of CONTRACTS 3 that a body can bring about.
use super::{check, outcome, send};
use crate::answer::{SUCCESS, strict};
use crate::{EVENT_BYTES_MAX, ITEMS_MAX, REJECT_BYTES_MAX, Refusal, RetryAfter};

/// A message of a list that is fine.
fn good(id: &str) -> String {
    format!(r#"{{"type":"track","messageId":"{id}","userId":"u","event":"Product Viewed","properties":{{"a":[1]}}}}"#)
}

fn batch(items: &[&str]) -> String {
    format!(r#"{{"batch":[{}]}}"#, items.join(","))
}

/// Checks one bad message on its own place among good ones.
#[track_caller]
fn check_item(item: &str, code: &str, pointer: &str) {
    let expected = format!("0 accepted a Product Viewed; 1 {code} /batch/1{pointer}; 2 accepted b Product Viewed");
    check("batch", &batch(&[&good("a"), item, &good("b")]), &expected);
}

fn nested(depth: usize) -> String {
    format!("{}{}", r#"{"a":"#.repeat(depth - 1) + "{", "}".repeat(depth))
}

#[test]
fn single_messages() {
    check("track", r#"{"messageId":"m","userId":"u","event":"Product Viewed"}"#, "0 accepted m Product Viewed");
    check("track", " \n{\"messageId\":\"m\",\"userId\":\"u\",\"event\":\"E\"}\n", "0 accepted m E");
    check("identify", r#"{"messageId":"m","userId":"u","traits":{"email":"a@b.c"}}"#, "0 accepted m identify");
    check("page", r#"{"messageId":"m","anonymousId":"a","name":"Home"}"#, "0 accepted m Page Viewed");
    check("screen", r#"{"messageId":"m","anonymousId":"a"}"#, "0 accepted m Screen Viewed");
    check("group", r#"{"messageId":"m","userId":"u","groupId":5}"#, "0 accepted m group");
    check("alias", r#"{"messageId":"m","userId":"u","previousId":"p"}"#, "0 accepted m alias");
    check(
        "track",
        r#"{"messageId":"m","userId":17,"event":"E","unknown":{"kept":[true]},"version":2}"#,
        "0 accepted m E",
    );
    check("track", r#"{"messageId":"m","userId":"u","anonymousId":null,"context":null,"event":"E"}"#, "0 accepted m E");
    // The path decides, not the body.
    check("track", r#"{"type":"page","messageId":"m","userId":"u","event":"E"}"#, "0 accepted m E");
    check("track", r#"{"type":"nonsense","messageId":"m","userId":"u","event":"E"}"#, "0 accepted m E");
}

#[test]
fn single_messages_that_are_wrong() {
    check("track", r#"{"messageId":"m","userId":"u"}"#, "0 missing_event /event");
    check("track", r#"{"messageId":"m","userId":"u","event":{}}"#, "0 invalid_type /event");
    check("track", r#"{"messageId":"m","event":"E"}"#, "0 no_identifier");
    check("track", "{}", "0 missing_event /event");
    check("identify", r#"{"userId":"u","traits":[]}"#, "0 invalid_type /traits");
    check("group", r#"{"userId":"u"}"#, "0 missing_group_id /groupId");
    check("alias", r#"{"userId":"u"}"#, "0 missing_previous_id /previousId");
    check("alias", r#"{"previousId":"u","anonymousId":"a"}"#, "0 missing_user_id /userId");
    check("track", r#"{"userId":"u","event":"E","batch":1,"batch":2}"#, "0 duplicate_field /batch");
}

#[test]
fn bodies_that_are_refused() {
    for path in ["track", "batch"] {
        for body in
            ["", " ", "{", "}", "nonsense", r#"{"batch":[}"#, r#"{"batch":[]} x"#, r#"{"a":1,}"#, "{'a':1}", "[1,"]
        {
            check(path, body, "400 bad_json");
        }
        for body in ["[]", "null", "1", "\"text\"", "[[[[]]]]"] {
            check(path, body, "400 invalid_body");
        }
        assert_eq!(outcome(path, b"{\"a\":\"\xff\"}".to_vec()), "400 bad_json");
        assert_eq!(outcome(path, b"{\"a\":\"\x00\"}".to_vec()), "400 bad_json");
        assert_eq!(outcome(path, vec![0u8; 100]), "400 bad_json");
        let large = format!(r#"{{"batch":[],"x":"{}"}}"#, "x".repeat(500 << 10));
        check(path, &large, "400 body_too_large");
    }
    for body in [
        "{}",
        r#"{"batch":null}"#,
        r#"{"batch":{}}"#,
        r#"{"batch":"x"}"#,
        r#"{"batch":[],"context":[]}"#,
        r#"{"batch":[],"sentAt":{}}"#,
        r#"{"batch":[],"batch":[]}"#,
        r#"{"batch":[],"sentAt":"a","sentAt":"b"}"#,
    ] {
        check("batch", body, "400 invalid_body");
    }
    check("batch", r#"{"batch":[]}"#, "");
    check("batch", r#"{"batch":[],"sentAt":null,"context":{},"integrations":{},"writeKey":"k"}"#, "");
}

#[test]
fn errors_of_json_name_the_place() {
    let refusal = |body: &[u8]| send("batch", body.to_vec()).expect_err("it is broken").detail;
    assert_eq!(refusal(b"{\n \"batch\": [x]}"), "the body is no JSON: expected value at line 2 column 12");
    assert_eq!(refusal(b"{\n \"batch\": \xff"), "the body is no UTF-8 at line 2 column 11");
}

#[test]
fn limits() {
    let at_limit = vec!["{}"; ITEMS_MAX];
    assert_eq!(send("batch", batch(&at_limit)).map(|r| r.rejects.len()), Ok(ITEMS_MAX));
    let over = vec!["{}"; ITEMS_MAX + 1];
    check("batch", &batch(&over), "400 too_many_items");
    check("batch", &batch(&vec!["0"; 200_000]), "400 too_many_items");

    let sized = |size: usize| {
        let head = r#"{"type":"track","messageId":"m","userId":"u","event":"E","x":""#;
        format!("{head}{}\"}}", "x".repeat(size - head.len() - 2))
    };
    check("track", &sized(EVENT_BYTES_MAX), "0 accepted m E");
    check("track", &sized(EVENT_BYTES_MAX + 1), "400 too_large");
    check("batch", &batch(&[&sized(EVENT_BYTES_MAX), &sized(EVENT_BYTES_MAX)]), "0 accepted m E; 1 accepted m E");
    check_item(&sized(EVENT_BYTES_MAX + 1), "too_large", "");
    let received = send("batch", batch(&[&sized(EVENT_BYTES_MAX + 1)])).expect("the body is fine");
    assert_eq!(received.rejects[0].raw.len(), REJECT_BYTES_MAX);
    assert_eq!(received.rejects[0].message_id.as_deref(), Some("m"));
}

#[test]
fn depth() {
    // 32 levels in a message, counted from its own object.
    let deep = |depth: usize| {
        format!(r#"{{"type":"track","messageId":"m","userId":"u","event":"E","properties":{}}}"#, nested(depth - 1))
    };
    check("track", &deep(32), "0 accepted m E");
    check("track", &deep(33), "400 too_deep");
    check("track", &deep(5000), "400 too_deep");
    check("batch", &batch(&[&deep(32)]), "0 accepted m E");
    check_item(&deep(33), "too_deep", "");
    check_item(&deep(2000), "too_deep", "");
    check_item(&("[".repeat(3000) + &"]".repeat(3000)), "too_deep", "");
    // Outside of messages the body itself is what is too deep.
    check("batch", &format!(r#"{{"batch":[{}],"x":{}}}"#, good("a"), nested(31)), "0 accepted a Product Viewed");
    check("batch", &format!(r#"{{"batch":[{}],"x":{}}}"#, good("a"), nested(32)), "400 too_deep");
    check("batch", &format!(r#"{{"context":{},"batch":[]}}"#, nested(40)), "400 too_deep");
    check("batch", &"[".repeat(400_000), "400 bad_json");
    check("track", &r#"{"a":"#.repeat(80_000), "400 bad_json");
    // Brackets in texts and side by side are not depth.
    let flat = format!(
        r#"{{"type":"track","messageId":"m","userId":"u","event":"E","properties":{{"t":"{}\"{{","l":[{}1]}}}}"#,
        "[{".repeat(400),
        "[],".repeat(400)
    );
    check("track", &flat, "0 accepted m E");
    check("batch", &batch(&[&flat, &flat]), "0 accepted m E; 1 accepted m E");
}

#[test]
fn bad_items_do_not_cost_good_ones() {
    check_item(r#"{"messageId":"m","userId":"u","event":"E"}"#, "unknown_type", "/type");
    check_item(r#"{"type":"nonsense","userId":"u"}"#, "unknown_type", "/type");
    check_item(r#"{"type":"Track","userId":"u","event":"E"}"#, "unknown_type", "/type");
    check_item(r#"{"type":7}"#, "unknown_type", "/type");
    check_item(r#"{"type":{}}"#, "invalid_type", "/type");
    check_item(r#"{"type":"track","userId":true,"event":"E"}"#, "invalid_type", "/userId");
    check_item(r#"{"type":"track","userId":1.5,"event":"E"}"#, "invalid_type", "/userId");
    check_item(r#"{"type":"track","userId":1e999,"event":"E"}"#, "invalid_type", "/userId");
    check_item(r#"{"type":"track","userId":"u","event":{}}"#, "invalid_type", "/event");
    check_item(r#"{"type":"track","userId":"u","event":["E"]}"#, "invalid_type", "/event");
    check_item(r#"{"type":"track","userId":"u","event":"E","properties":"x"}"#, "invalid_type", "/properties");
    check_item(r#"{"type":"track","userId":"u","event":"E","context":[]}"#, "invalid_type", "/context");
    check_item(r#"{"type":"track","userId":"u","event":"E","messageId":{}}"#, "invalid_type", "/messageId");
    check_item(r#"{"type":"track","userId":"u","event":"E","timestamp":{}}"#, "invalid_type", "/timestamp");
    check_item(r#"{"type":"track","userId":"u","event":"E","userId":"v"}"#, "duplicate_field", "/userId");
    check_item(r#"{"type":"track","userId":"\ud800","event":"E"}"#, "invalid_text", "/userId");
    check_item(r#"{"type":"track","\ud800":"u","event":"E"}"#, "invalid_text", "");
    for item in ["1", "null", "\"track\"", "[]", r#"["track","m","a","u",null,null,"E"]"#, "true"] {
        check_item(item, "invalid_type", "");
    }
    check_item(r#"{"type":"track","userId":"u"}"#, "missing_event", "/event");
    check_item(r#"{"type":"track","userId":"u","event":""}"#, "missing_event", "/event");
    check_item(r#"{"type":"track","userId":"u","event":"  "}"#, "missing_event", "/event");
    check_item(r#"{"type":"track","userId":"u","event":null}"#, "missing_event", "/event");
    check_item(r#"{"type":"group","userId":"u"}"#, "missing_group_id", "/groupId");
    check_item(r#"{"type":"alias","userId":"u"}"#, "missing_previous_id", "/previousId");
    check_item(r#"{"type":"alias","previousId":"u"}"#, "missing_user_id", "/userId");
    check_item(r#"{"type":"identify"}"#, "no_identifier", "");
}

#[test]
fn lengths_are_counted_in_characters() {
    let message = |id: &str, name: &str, user: &str| {
        format!(r#"{{"type":"track","messageId":"{id}","userId":"{user}","event":"{name}"}}"#)
    };
    let (id, name, user) = ("ї".repeat(100), "ґ".repeat(200), "є".repeat(512));
    let body = batch(&[&message(&id, &name, &user)]);
    check("batch", &body, &format!("0 accepted {id} {name}"));
    check_item(&message(&"x".repeat(101), "E", "u"), "message_id_too_long", "/messageId");
    check_item(&message("m", &"x".repeat(201), "u"), "name_too_long", "/event");
    check_item(&message("m", "E", &"x".repeat(513)), "id_too_long", "/userId");
}

#[test]
fn names_of_the_first_specification() {
    for (sent, expected) in [
        ("Viewed Product Category", "Product List Viewed"),
        ("Viewed Product", "Product Viewed"),
        ("Clicked Product", "Product Clicked"),
        ("Added Product", "Product Added"),
        ("Removed Product", "Product Removed"),
        ("Completed Order", "Order Completed"),
        ("Viewed Promotion", "Promotion Viewed"),
        ("Clicked Promotion", "Promotion Clicked"),
        ("Order Completed", "Order Completed"),
        ("completed order", "completed order"),
    ] {
        let body = format!(r#"{{"messageId":"m","userId":"u","event":"{sent}"}}"#);
        check("track", &body, &format!("0 accepted m {expected}"));
    }
}

#[test]
fn null_bytes_become_replacement_characters() {
    let body = r#"{"messageId":"m\u0000","userId":"u","previousId":"p\u0000q"}"#;
    let event = send("alias", body).expect("it is fine").batch.events.remove(0);
    assert_eq!((&*event.message_id, event.previous_id.as_deref()), ("m\u{FFFD}", Some("p\u{FFFD}q")));
    let rejected = send("track", r#"{"messageId":"m\u0000"}"#).expect("the body is fine").rejects.remove(0);
    assert_eq!(rejected.message_id.as_deref(), Some("m\u{FFFD}"));
    check("track", r#"{"messageId":"m","userId":"u","event":"A\u0000B"}"#, "0 accepted m A\u{FFFD}B");
}

#[test]
fn strict_answers() {
    let items =
        [good("a").as_str(), r#"{"type":"track","userId":true}"#, &good("b"), r#"{"type":"x","messageId":"c"}"#]
            .join(",");
    let received = send("batch", format!(r#"{{"batch":[{items}]}}"#)).expect("the body is fine");
    // A duplicate is what the writer says of an accepted message; of others it says nothing.
    let expected = concat!(
        r#"{"success":true,"items":["#,
        r#"{"index":0,"messageId":"a","status":"accepted","code":null,"pointer":null},"#,
        r#"{"index":1,"messageId":null,"status":"rejected","code":"invalid_type","pointer":"/batch/1/userId"},"#,
        r#"{"index":2,"messageId":"b","status":"duplicate","code":null,"pointer":null},"#,
        r#"{"index":3,"messageId":"c","status":"rejected","code":"unknown_type","pointer":"/batch/3/type"}]}"#
    );
    assert_eq!(strict(received.items(), &[2, 3, 99]), expected);
    assert_eq!(strict(Vec::new(), &[]), r#"{"success":true,"items":[]}"#);
}

#[test]
fn refusals_as_json() {
    assert_eq!(SUCCESS, r#"{"success": true}"#);
    let refusal = send("track", "nonsense").expect_err("it is broken");
    assert!(refusal.body().starts_with(r#"{"success":false,"code":"bad_json","detail":"the body is no JSON: "#));
    assert_eq!((refusal.status, refusal.retry_after_s), (400, None));
    assert_eq!(Refusal::unknown_key().status, 401);
    let refusal = Refusal::too_fast(RetryAfter { seconds: 4 });
    assert_eq!((refusal.status, refusal.retry_after_s), (429, Some(4)));
    let refusal = Refusal::unavailable("queue_full", "too much work is waiting", 0);
    assert_eq!((refusal.status, refusal.retry_after_s), (503, Some(1)));
}
