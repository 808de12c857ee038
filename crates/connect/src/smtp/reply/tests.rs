use super::*;
use proptest::prelude::*;

fn check(bytes: &[u8], expected: &str) {
    let seen = match parse(bytes) {
        Ok(None) => "more".to_owned(),
        Ok(Some((reply, length))) => format!("{} {:?} {length}", reply.code, reply.lines),
        Err(Failure::Malformed(what)) => what.to_owned(),
        Err(other) => format!("{other:?}"),
    };
    assert_eq!(seen, expected, "{}", String::from_utf8_lossy(bytes));
}

#[test]
fn parses_replies_and_names_what_is_wrong() {
    check(b"", "more");
    check(b"250 ok", "more");
    check(b"250-a\r\n", "more");
    check(b"250 ok\r\n", r#"250 ["ok"] 8"#);
    check(b"250\r\n", r#"250 [""] 5"#);
    check(b"250 ok\n", r#"250 ["ok"] 7"#);
    check(b"250-a\r\n250 b\r\n421 bye\r\n", r#"250 ["a", "b"] 14"#);
    check(b"250 a\x1b[2J\r\n", r#"250 ["a [2J"] 11"#);
    check(b"250-a\r\n251 b\r\n", "its lines have different codes");
    check(b"25\r\n", "no reply code");
    check(b"150 wait\r\n", "no reply code");
    check(b"650 what\r\n", "no reply code");
    check(b"2500 ok\r\n", "no space after the reply code");
    check(b"HTTP/1.1 200 OK\r\n", "no reply code");
    check(b"\r\n", "no reply code");
    check(&[b'2'; LINE_BYTES_MAX + 1], "line too long");
    check(&"250-a\r\n".repeat(LINES_MAX).into_bytes(), "too many lines");
}

proptest! {
    #[test]
    fn never_panics_and_never_reads_past_the_reply(bytes: Vec<u8>) {
        if let Ok(Some((reply, length))) = parse(&bytes) {
            prop_assert!(length <= bytes.len());
            prop_assert!((200..600).contains(&reply.code));
        }
    }
}
