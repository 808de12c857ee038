//! Whatever the bytes: no panic, every message accounted for, and the log reads what was received.
use super::send;
use super::stored::read_back;
use proptest::prelude::*;
use proptest::sample::Index;

const BODY: &str = r#"{"sentAt":"2026-11-22T12:00:00Z","context":{"ip":"1.2.3.4","page":{"url":"https://x/?q=\"[{\""}},"batch":[
{"type":"track","messageId":"m1","userId":"u","event":"Order Completed","timestamp":"2026-11-22T11:00:00.5+02:00","properties":{"total":12.90,"products":[{"sku":"a"},{"sku":"b"}]}},
{"type":"identify","messageId":"m2","userId":17,"traits":{"email":"a@b.c","name":"\u0406\u0432\u0430\u043d \ud83d\ude00","old":null}},
{"type":"page","anonymousId":"a","name":"Головна","context":{"page":{"path":"/"}},"originalTimestamp":"2026-11-22"},
{"type":"group","messageId":"m4","userId":"u","groupId":"g"},{"type":"alias","messageId":"m5","userId":"u","previousId":"p\u0000"},
{"type":"screen","messageId":"m6","anonymousId":"a","unknown":[[[{}]]]}],"integrations":{"All":true}}"#;

/// Pieces that break JSON in interesting ways.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "-",
    "1e999",
    "[[[[[[[[[[[[[[[[[[",
    "{\"a\":",
    "\"type\":\"track\",",
    "\"batch\":[",
    "\"userId\":",
    "{},",
    "[],",
    "\u{0}",
    "ї",
    "0",
    "\"context\":5,",
];

#[derive(Debug, Clone)]
enum Edit {
    Insert(Index, usize),
    Delete(Index, usize),
    Byte(Index, u8),
    Copy(Index, Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<Index>(), 0..PIECES.len()).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        (any::<Index>(), 1usize..40).prop_map(|(at, len)| Edit::Delete(at, len)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        (any::<Index>(), any::<Index>(), 1usize..200).prop_map(|(from, to, len)| Edit::Copy(from, to, len)),
    ]
}

fn edited(body: &str, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = body.as_bytes().to_vec();
    for edit in edits {
        if bytes.is_empty() {
            break;
        }
        let len = bytes.len();
        match edit {
            Edit::Insert(at, piece) => {
                let at = at.index(len);
                bytes.splice(at..at, PIECES[*piece].bytes());
            }
            Edit::Delete(at, count) => {
                let at = at.index(len);
                bytes.drain(at..(at + count).min(len));
            }
            Edit::Byte(at, byte) => bytes[at.index(len)] = *byte,
            Edit::Copy(from, to, count) => {
                let from = from.index(len);
                let piece = bytes[from..(from + count).min(len)].to_vec();
                let to = to.index(len);
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

#[track_caller]
fn check_accounted(path: &str, bytes: Vec<u8>) {
    let Ok(received) = send(path, bytes) else { return };
    let mut indexes: Vec<u32> = received.batch.events.iter().map(|e| e.index).collect();
    indexes.extend(received.rejects.iter().map(|r| r.index));
    indexes.sort_unstable();
    assert!(indexes.into_iter().eq(0..received.batch.count));
    assert!(received.batch.events.iter().all(|e| e.id != 0 && !e.message_id.contains('\0') && !e.name.contains('\0')));
    if !received.batch.events.is_empty() {
        assert_eq!(read_back(&received), received.batch.events);
    }
}

/// A message, and whether it is a good one.
fn item() -> impl Strategy<Value = (String, bool)> {
    let bad = prop::sample::select(vec![
        r#"{"type":"track","userId":true,"event":"E"}"#,
        "7",
        "{}",
        "[]",
        r#"{"type":"track","userId":"u"}"#,
        r#"{"type":"page"}"#,
        r#"{"type":"track","userId":"u","userId":"u","event":"E"}"#,
        r#"{"type":"page","userId":"u","context":"[{"}"#,
        r#"{"type":"page","userId":"\ud83d"}"#,
        r#"{"type":"page","userId":"u","a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"#,
    ]);
    let good =
        (any::<u32>(), "[a-zА-я\\[\\]{}, ]{0,60}", 1usize..20, any::<bool>()).prop_map(|(id, text, depth, named)| {
            let id = if named { format!(r#""messageId":"m{id}","#) } else { String::new() };
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            format!(r#"{{{id}"userId":"u","type":"page","properties":{{"t":"{text}","d":{open}{close}}}}}"#)
        });
    prop_oneof![1 => bad.prop_map(|b| (b.to_owned(), false)), 4 => good.prop_map(|g| (g, true))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn edited_bodies_never_panic(edits in proptest::collection::vec(edit(), 0..6)) {
        check_accounted("batch", edited(BODY, &edits));
    }

    #[test]
    fn edited_messages_never_panic(edits in proptest::collection::vec(edit(), 0..6), path in 0usize..6) {
        let message = r#"{"messageId":"m","userId":"u","event":"E","groupId":"g","previousId":"p","type":"track","batch":[{}],"context":{"a":1}}"#;
        let path = ["identify", "track", "page", "screen", "group", "alias"][path];
        check_accounted(path, edited(message, &edits));
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        check_accounted("batch", bytes.clone());
        check_accounted("track", bytes);
    }

    #[test]
    fn good_items_are_kept(items in proptest::collection::vec(item(), 0..40)) {
        let texts: Vec<&str> = items.iter().map(|(text, _)| text.as_str()).collect();
        let received = send("batch", format!(r#"{{"batch":[{}]}}"#, texts.join(" ,\n"))).expect("the body is fine");
        let kept: Vec<u32> = received.batch.events.iter().map(|e| e.index).collect();
        let good: Vec<u32> = (0u32..).zip(&items).filter(|(_, (_, good))| *good).map(|(i, _)| i).collect();
        prop_assert_eq!(&kept, &good);
        // Whether a neighbour is bad decides how a message is read, but not what is read.
        let alone: Vec<&str> = items.iter().filter(|(_, good)| *good).map(|(text, _)| text.as_str()).collect();
        let alone = send("batch", format!(r#"{{"batch":[{}]}}"#, alone.join(","))).expect("the body is fine");
        prop_assert_eq!(alone.batch.events.len(), good.len());
        for (mut event, mixed) in alone.batch.events.into_iter().zip(received.batch.events) {
            event.index = mixed.index;
            prop_assert_eq!(event, mixed);
        }
    }
}
