//! Ids of requirements that tests quote in square brackets.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::files::TextFile;
use super::rust_text::{Part, only};

/// One id in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    pub id: String,
    /// `path:line`.
    pub place: String,
}

/// Ids of the committed list: one per line, `#` begins a comment.
pub fn parse_list(text: &str) -> BTreeSet<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// Finds quotes where they mean a requirement. In Rust: a comment that begins with them, or brackets before a colon, as
/// the scenario language has them. In tests of console, SDK and demo: anywhere, since their names are texts.
pub fn find_quotes(files: &[TextFile]) -> Vec<Quote> {
    let mut quotes = Vec::new();
    for file in files.iter().filter(|file| !file.path.starts_with("xtask/")) {
        let found = if file.path.ends_with(".rs") {
            in_rust(&file.text)
        } else if is_script_test(&file.path) {
            in_script(&file.text)
        } else {
            continue;
        };
        quotes.extend(found.into_iter().map(|(line, id)| Quote { id, place: format!("{}:{line}", file.path) }));
    }
    quotes
}

pub fn check(quotes: &[Quote], ids: &BTreeSet<String>) -> Vec<Finding> {
    quotes
        .iter()
        .filter(|quote| !ids.contains(&quote.id))
        .map(|quote| Finding::new(&quote.place, format!("[{}] is no requirement", quote.id)))
        .collect()
}

/// `A 3/15, C 5/10`: per area, how many of its requirements a test quotes.
pub fn areas(quotes: &[Quote], ids: &BTreeSet<String>) -> String {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let quoted: BTreeSet<&str> = quotes.iter().map(|quote| quote.id.as_str()).collect();
    for id in ids {
        let (found, all) = counts.entry(area(id)).or_default();
        *found += usize::from(quoted.contains(id.as_str()));
        *all += 1;
    }
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(_, (found, _))| *found > 0)
        .map(|(area, (found, all))| format!("{area} {found}/{all}"))
        .collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn area(id: &str) -> &str {
    let letters = id.chars().take_while(char::is_ascii_uppercase).count();
    &id[..letters]
}

fn is_script_test(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.contains(".test.") || name.contains(".spec.")
}

fn in_rust(source: &str) -> Vec<(usize, String)> {
    let comments = only(source, Part::Comment);
    let code = only(source, Part::Code);
    let mut found = Vec::new();
    for (index, (comment, code)) in comments.lines().zip(code.lines()).enumerate() {
        let mut ids = leading_brackets(comment.trim().trim_start_matches(['/', '!', '*', ' ']));
        ids.extend(brackets(comment, true));
        ids.extend(brackets(code, true));
        ids.sort();
        ids.dedup();
        found.extend(ids.into_iter().map(|id| (index + 1, id)));
    }
    found
}

fn in_script(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in source.lines().enumerate() {
        found.extend(brackets(line, false).into_iter().map(|id| (index + 1, id)));
    }
    found
}

/// Ids of the brackets with which a text begins: `[C3] [C6, C7] words`.
fn leading_brackets(text: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut rest = text;
    while let Some((inner, after)) = rest.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
        let Some(more) = parse_ids(inner) else { break };
        ids.extend(more);
        rest = after.trim_start();
    }
    ids
}

/// Ids in brackets anywhere in a line; with `colon`, only in front of one.
fn brackets(line: &str, colon: bool) -> Vec<String> {
    let mut ids = Vec::new();
    for (start, _) in line.match_indices('[') {
        let Some((inner, after)) = line[start + 1..].split_once(']') else {
            continue;
        };
        if colon && !after.starts_with(':') {
            continue;
        }
        ids.extend(parse_ids(inner).unwrap_or_default());
    }
    ids
}

/// All or nothing: `C3`, `C3, C6`.
fn parse_ids(text: &str) -> Option<Vec<String>> {
    text.split(',').map(|id| is_id(id.trim()).then(|| id.trim().to_owned())).collect()
}

/// One to three capitals, perhaps a dash, a number, perhaps a small letter.
fn is_id(text: &str) -> bool {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = &text[letters..];
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let end = &rest[digits..];
    let good_end = end.is_empty() || (end.len() == 1 && end.as_bytes()[0].is_ascii_lowercase());
    (1..=3).contains(&letters) && digits > 0 && good_end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(path: &str, text: &str) -> Vec<String> {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        let quotes = find_quotes(&[file]);
        quotes.into_iter().map(|quote| format!("{} {}", quote.place, quote.id)).collect()
    }

    #[test]
    fn rust_quotes_stand_in_comments_and_scenarios() {
        assert_eq!(quoted("a.rs", "// [C3] builds it\n"), ["a.rs:1 C3"]);
        assert_eq!(quoted("a.rs", "/// [AB1] [C6, C7] words\n"), ["a.rs:1 AB1", "a.rs:1 C6", "a.rs:1 C7"]);
        assert_eq!(quoted("a.rs", "\nscenario! { last_piece [ORD-14]:\n"), ["a.rs:2 ORD-14"]);
        assert_eq!(quoted("a.rs", "// the array [X1] of ours\nlet a = b[N1];\n"), [""; 0]);
        assert_eq!(quoted("xtask/src/a.rs", "// [C3]\n"), [""; 0]);
    }

    #[test]
    fn scripts_quote_in_names_of_tests() {
        assert_eq!(quoted("console/tests/a.spec.ts", "test('[C3] builds', f)"), ["console/tests/a.spec.ts:1 C3"]);
        assert_eq!(quoted("console/src/a.ts", "'[C3]'"), [""; 0]);
    }

    #[test]
    fn ids_have_a_shape() {
        for id in ["C3", "AB12", "ORD-14", "D21b"] {
            assert!(is_id(id), "{id}");
        }
        for word in ["", "C", "3", "c3", "ABCD1", "C3bb", "C3-", "RFC8058x9"] {
            assert!(!is_id(word), "{word}");
        }
    }

    #[test]
    fn an_unknown_id_is_found() {
        let ids = parse_list("# header\nC3\nC4\nA1\n");
        let quotes = [
            Quote { id: "C3".to_owned(), place: "a.rs:1".to_owned() },
            Quote { id: "C99".to_owned(), place: "a.rs:2".to_owned() },
        ];
        let findings = check(&quotes, &ids);
        assert_eq!(findings, [Finding::new("a.rs:2", "[C99] is no requirement")]);
        assert_eq!(areas(&quotes, &ids), "C 1/2");
        assert_eq!(areas(&[], &ids), "none");
    }
}
