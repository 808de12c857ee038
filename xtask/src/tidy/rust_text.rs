//! Tells code, comments and strings of a Rust source apart, without parsing it.

/// What a character belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Code,
    Comment,
    Text,
}

/// The source with everything but `wanted` blanked; lines keep their numbers and lengths in characters.
pub fn only(source: &str, wanted: Part) -> String {
    let parts = split(source);
    source.chars().zip(parts).map(|(c, part)| if c == '\n' || part == wanted { c } else { ' ' }).collect()
}

/// One part per character.
fn split(source: &str) -> Vec<Part> {
    let chars: Vec<char> = source.chars().collect();
    let mut parts = vec![Part::Code; chars.len()];
    let mut at = 0;
    while at < chars.len() {
        let (end, part) = token(&chars, at);
        parts[at..end].fill(part);
        at = end;
    }
    parts
}

/// The end of what begins at `at`, never beyond the source and always further on.
fn token(chars: &[char], at: usize) -> (usize, Part) {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => (end_of_line(chars, at), Part::Comment),
        '/' if next == Some('*') => (end_of_block(chars, at), Part::Comment),
        '"' => (end_of_text(chars, at + 1), Part::Text),
        'r' if !follows_word(chars, at) || after_byte_prefix(chars, at) => match end_of_raw(chars, at + 1) {
            Some(end) => (end, Part::Text),
            None => (at + 1, Part::Code),
        },
        '\'' => match end_of_char(chars, at) {
            Some(end) => (end, Part::Text),
            None => (at + 1, Part::Code), // a lifetime
        },
        _ => (at + 1, Part::Code),
    }
}

fn follows_word(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_')
}

/// `br"…"` and `cr"…"`.
fn after_byte_prefix(chars: &[char], at: usize) -> bool {
    at > 0 && matches!(chars[at - 1], 'b' | 'c') && !follows_word(chars, at - 1)
}

fn end_of_line(chars: &[char], at: usize) -> usize {
    let rest = chars[at..].iter().position(|c| *c == '\n');
    rest.map_or(chars.len(), |length| at + length)
}

fn end_of_block(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut at = at;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    chars.len()
}

/// `at` is after the opening quote.
fn end_of_text(chars: &[char], at: usize) -> usize {
    let mut at = at;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// `at` is after the `r`; none if no raw text begins there.
fn end_of_raw(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
    let mut at = at + hashes;
    if chars.get(at) != Some(&'"') {
        return None;
    }
    at += 1;
    while at < chars.len() {
        let closing = chars[at] == '"'
            && chars[at + 1..].len() >= hashes
            && chars[at + 1..at + 1 + hashes].iter().all(|c| *c == '#');
        if closing {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(chars.len())
}

fn end_of_char(chars: &[char], at: usize) -> Option<usize> {
    match chars.get(at + 1)? {
        '\\' => {
            // The escaped character itself may be a quote.
            let closing = chars.get(at + 3..)?.iter().position(|c| *c == '\'')?;
            Some(at + 3 + closing + 1)
        }
        _ if chars.get(at + 2) == Some(&'\'') => Some(at + 3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, code: &str, comment: &str, text: &str) {
        let squeezed = |part| {
            let words: Vec<String> = only(source, part).split_whitespace().map(str::to_owned).collect();
            words.join(" ")
        };
        assert_eq!(squeezed(Part::Code), code, "code of {source}");
        assert_eq!(squeezed(Part::Comment), comment, "comments of {source}");
        assert_eq!(squeezed(Part::Text), text, "texts of {source}");
    }

    #[test]
    fn parts_are_told_apart() {
        check("let a = 1; // one", "let a = 1;", "// one", "");
        check(r#"f("a // b \" c"); g"#, "f( ); g", "", r#""a // b \" c""#);
        check("/* a /* b */ c */ d", "d", "/* a /* b */ c */", "");
        check(r##"x(r#"a "b" c"#) y"##, "x( ) y", "", r##"r#"a "b" c"#"##);
        check("fn f<'a>(c: &'a str) { '\"' }", "fn f<'a>(c: &'a str) { }", "", "'\"'");
        check(r"match c { '\'' => 1 } // x", "match c { => 1 }", "// x", r"'\''");
        check("for r in rows {}", "for r in rows {}", "", "");
    }

    #[test]
    fn unfinished_sources_end() {
        for source in ["\"abc", "/* abc", "r#\"abc", "'", "r", "'\\", "\"\\"] {
            assert_eq!(split(source).len(), source.chars().count(), "{source}");
        }
    }
}
