//! Rules about single files that neither rustfmt nor clippy knows.

use std::collections::BTreeMap;

use super::Finding;
use super::files::TextFile;
use super::rust_text::{Part, only};

const LINES_WARNED: usize = 800;
const LINES_REFUSED: usize = 1200;
const PRINTING: &[&str] = &["println!", "eprintln!", "print!", "eprint!", "dbg!"];

/// Only programs print; a library logs. Benches are programs, and tests may show what they measured.
pub fn check_printing(files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| is_library_source(&file.path)) {
        for (number, line) in lines(&only(&file.text, Part::Code)) {
            for word in words(line) {
                if let Some(found) = PRINTING.iter().find(|name| **name == word) {
                    findings.push(at(file, number, &format!("`{found}` outside of a program")));
                }
            }
        }
    }
    findings
}

/// `LIKE` folds case differently on the two engines; `db` has functions that do not.
pub fn check_like(files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("crates/") && !file.path.starts_with("crates/db/")) {
        let sql = match ending(&file.path) {
            "sql" => file.text.clone(),
            "rs" => only(&file.text, Part::Text),
            _ => continue,
        };
        for (number, line) in lines(&sql) {
            let has_like = line
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == "LIKE" || word == "ILIKE" || word == "GLOB");
            if has_like {
                findings.push(at(file, number, "LIKE in SQL outside crates/db"));
            }
        }
    }
    findings
}

/// `crates/NAME/migrations/NNNN_what.sql`, each number once a crate.
pub fn check_migrations(files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut taken: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for file in files.iter().filter(|file| ending(&file.path) == "sql") {
        let Some((owner, name)) = file.path.split_once("/migrations/") else {
            continue;
        };
        let Some(number) = migration_number(name) else {
            let what = "a migration is named NNNN_what.sql, in lower case";
            findings.push(Finding::new(&file.path, what));
            continue;
        };
        if let Some(other) = taken.insert((owner, number), &file.path) {
            let what = format!("has the number of {other}");
            findings.push(Finding::new(&file.path, what));
        }
    }
    findings
}

/// A long file has more than one idea in it.
pub fn check_length(files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| ending(&file.path) == "rs") {
        let count = file.text.lines().count();
        if count > LINES_REFUSED {
            let what = format!("has {count} lines; split it (at most {LINES_REFUSED})");
            findings.push(Finding::new(&file.path, what));
        } else if count > LINES_WARNED {
            findings.push(Finding::warning(&file.path, format!("has {count} lines")));
        }
    }
    findings
}

pub fn check_whitespace(files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        for (number, line) in lines(&file.text) {
            if line.ends_with([' ', '\t', '\r']) {
                findings.push(at(file, number, "whitespace at the end"));
            }
            if ending(&file.path) == "rs" && line.contains('\t') {
                findings.push(at(file, number, "a tab"));
            }
        }
    }
    findings
}

fn is_library_source(path: &str) -> bool {
    let Some((owner, _)) = path.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/")) else {
        return false;
    };
    let test = path.ends_with("/tests.rs") || path.contains("/tests/");
    ending(path) == "rs" && !test && !matches!(owner, "cli" | "bench" | "simulation")
}

/// The number in `0001_what.sql`.
fn migration_number(name: &str) -> Option<&str> {
    let (number, rest) = name.split_once('_')?;
    let what = rest.strip_suffix(".sql")?;
    let good_number = number.len() == 4 && number.bytes().all(|c| c.is_ascii_digit());
    let good_what = !what.is_empty() && what.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
    (good_number && good_what).then_some(number)
}

/// Identifiers, with the `!` of a macro.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '!')
}

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// Split at `\n` alone, so that a `\r` shows; numbered from 1.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split('\n').enumerate().map(|(index, line)| (index + 1, line))
}

fn at(file: &TextFile, number: usize, what: &str) -> Finding {
    Finding::new(format!("{}:{number}", file.path), what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Vec<TextFile> {
        vec![TextFile { path: path.to_owned(), text: text.to_owned() }]
    }

    fn places(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.place.as_str()).collect()
    }

    #[test]
    fn printing_is_for_the_program() {
        let source = "// println! is fine here\nfn f() { println!(\"dbg!\"); }\n";
        assert_eq!(places(&check_printing(&file("crates/db/src/lib.rs", source))), ["crates/db/src/lib.rs:2"]);
        assert_eq!(check_printing(&file("crates/cli/src/main.rs", source)), []);
        assert_eq!(check_printing(&file("crates/db/src/log/tests.rs", source)), []);
        assert_eq!(check_printing(&file("crates/db/benches/fold.rs", source)), []);
        assert_eq!(check_printing(&file("crates/db/src/a.rs", "writeln!(f)?; my_println!()")), []);
    }

    #[test]
    fn like_is_for_the_database_crate() {
        let source = "// LIKE\nconst FIND: &str = \"SELECT 1 WHERE name LIKE $1\";\n";
        assert_eq!(places(&check_like(&file("crates/segments/src/sql.rs", source))), ["crates/segments/src/sql.rs:2"]);
        assert_eq!(check_like(&file("crates/db/src/sql.rs", source)), []);
        let view = "CREATE VIEW v AS SELECT 1 WHERE a ILIKE 'b'";
        assert_eq!(check_like(&file("crates/segments/migrations/0001_v.sql", view)).len(), 1);
        assert_eq!(check_like(&file("crates/segments/src/a.rs", "\"LIKELIHOOD\"")), []);
    }

    #[test]
    fn migrations_are_numbered_once() {
        let check = |paths: &[&str]| {
            let files: Vec<TextFile> = paths.iter().flat_map(|path| file(path, "")).collect();
            check_migrations(&files).len()
        };
        assert_eq!(check(&["crates/db/migrations/0001_events.sql"]), 0);
        assert_eq!(check(&["crates/db/migrations/1_events.sql"]), 1);
        assert_eq!(check(&["crates/db/migrations/0001_Events.sql"]), 1);
        assert_eq!(check(&["crates/db/migrations/0001_a.sql", "crates/db/migrations/0001_b.sql"]), 1);
        assert_eq!(check(&["crates/db/migrations/0001_a.sql", "crates/collect/migrations/0001_b.sql"]), 0);
    }

    #[test]
    fn long_files_are_warned_of_then_refused() {
        let of = |count: usize| check_length(&file("a.rs", &"x\n".repeat(count)));
        assert_eq!(of(800), []);
        assert!(of(801)[0].warning);
        assert!(of(1200)[0].warning);
        assert!(!of(1201)[0].warning);
        assert_eq!(check_length(&file("a.md", &"x\n".repeat(2000))), []);
    }

    #[test]
    fn stray_whitespace_is_found() {
        assert_eq!(places(&check_whitespace(&file("a.md", "a\nb \n"))), ["a.md:2"]);
        assert_eq!(places(&check_whitespace(&file("a.rs", "\ta\n"))), ["a.rs:1"]);
        assert_eq!(places(&check_whitespace(&file("a.ts", "a\r\n"))), ["a.ts:1"]);
        assert_eq!(check_whitespace(&file("a.ts", "\ta\n")), []);
    }
}
