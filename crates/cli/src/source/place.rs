//! Line and column of a JSON pointer in a text.

/// Where the value of a pointer begins, counted from 1, columns in characters. The nearest that exists, if it does not.
///
/// The text must be JSON; it is only skimmed.
pub fn of(text: &str, pointer: &str) -> (usize, usize) {
    let bytes = text.as_bytes();
    let mut at = space(bytes, 0);
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        match step(text, at, &name) {
            Some(next) => at = next,
            None => break,
        }
    }
    let before = &text[..at.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The beginning of a member of the object, or of an element of the array, that begins at `at`.
fn step(text: &str, at: usize, name: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let object = match bytes.get(at)? {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let mut found = None;
    let mut at = space(bytes, at + 1);
    let mut index = 0;
    while !matches!(bytes.get(at)?, b'}' | b']') {
        let mut hit = !object && name.parse() == Ok(index);
        if object {
            let end = skip(bytes, at);
            hit = serde_json::from_str::<String>(text.get(at..end)?).is_ok_and(|key| key == name);
            at = space(bytes, space(bytes, end) + 1);
        }
        if hit {
            // Of members with one name the last counts, as for the reader.
            found = Some(at);
        }
        at = space(bytes, skip(bytes, at));
        if bytes.get(at) == Some(&b',') {
            at = space(bytes, at + 1);
        }
        index += 1;
    }
    found
}

fn space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\r' | b'\n' | 0xEF | 0xBB | 0xBF)) {
        at += 1;
    }
    at
}

/// The end of the value that begins at `at`.
fn skip(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while bytes.get(at).is_some_and(|b| *b != b'"') {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b',' | b':' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    at
}
